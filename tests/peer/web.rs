//! As little HTTPS as it takes to serve documents.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::tls;

/// Serves what a folder has by the name of each host, as it is when it is asked for; says `serving`
/// first.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn serve(at: &str, chain: &str, key: &str, folder: &str) -> ExitCode {
    match accept(at, Path::new(chain), Path::new(key), folder.into()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{at}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn accept(at: &str, chain: &Path, key: &Path, folder: PathBuf) -> io::Result<()> {
    let (chain, key) = (fs::read_to_string(chain)?, fs::read_to_string(key)?);
    let identity = tls::identity(&chain, &key).map_err(io::Error::other)?;
    let config = tls::server(Some(identity)).map_err(io::Error::other)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(at).await?;
    println!("serving");
    let folder: Arc<Path> = folder.into();
    loop {
        let (socket, _) = listener.accept().await?;
        let (acceptor, folder) = (acceptor.clone(), Arc::clone(&folder));
        crate::spawn(async move {
            if let Ok(mut stream) = acceptor.accept(socket).await {
                // Whoever leaves early misses something, and nobody else does.
                let _ = answer(&mut stream, &folder).await;
            }
        });
    }
}

async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    folder: &Path,
) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < REQUEST_MAX {
        request.push(stream.read_u8().await?);
    }
    let request = String::from_utf8_lossy(&request).to_lowercase();
    println!("{}", request.lines().next().unwrap_or_default());
    let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let asked = request.starts_with("get /.well-known/posh/xmpp-server.json ");
    let page = asked.then(|| fs::read(folder.join(host))).transpose().unwrap_or_default();
    let (status, page) = page.map_or(("404 Not Found", Vec::new()), |page| ("200 OK", page));
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&page).await?;
    stream.shutdown().await
}

const REQUEST_MAX: usize = 8192;
