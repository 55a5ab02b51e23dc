//! A DNS server that has zones of its own, below `liar.`, and lies about them as it is told to;
//! whatever is asked about others, it passes on.
//!
//! It says first what the zone above has to publish. Then every line on standard input is an order,
//! a JSON object with a `number`, which is said again when it is obeyed.

mod keys;
mod lies;
mod zones;

use std::io::{self, stdin};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode};
use hickory_resolver::proto::rr::{Name, RecordType};
use ligase_tests::OrFail;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use self::keys::{Keys, Seal};
use self::lies::{Fate, Lie};
use self::zones::{Answer, Below, Signing, Zone};

/// Serves at an address, and passes on to another what it has no zone for.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn serve(at: &str, source: &str) -> ExitCode {
    let liar = Arc::new(Liar::new());
    let served = async {
        let source: SocketAddr = source.parse().map_err(io::Error::other)?;
        let udp = UdpSocket::bind(at).await?;
        let tcp = TcpListener::bind(at).await?;
        println!("{}", json!({"vouch": liar.vouch()}));
        let orders = liar.clone();
        thread::spawn(move || {
            for order in stdin().lines().map_while(Result::ok) {
                println!("{}", orders.obey(&order));
            }
        });
        crate::spawn(by_tcp(liar.clone(), tcp, source));
        by_udp(liar, udp, source).await
    };
    let served: io::Result<()> = served.await;
    eprintln!("{at}: {served:?}");
    ExitCode::FAILURE
}

/// All zones, the one that was made last at the end.
struct Liar {
    keys: Keys,
    zones: Mutex<Vec<Zone>>,
}

impl Liar {
    fn new() -> Self {
        let top = Zone::new(Name::from_ascii("liar.").or_fail("read a name"), Signing::Nsec);
        Self { keys: Keys::new(), zones: Mutex::new(vec![top]) }
    }

    /// What is to be said of `liar.` in the zone above.
    fn vouch(&self) -> String {
        let top = Name::from_ascii("liar.").or_fail("read a name");
        let digest = self.keys.digest(&top);
        let digits: String = digest.digest().iter().map(|it| format!("{it:02x}")).collect();
        let (algorithm, kind) = (u8::from(digest.algorithm()), u8::from(digest.digest_type()));
        format!("{} {algorithm} {kind} {digits}", digest.key_tag())
    }

    fn obey(&self, order: &str) -> Value {
        let order: Value = serde_json::from_str(order).unwrap_or_default();
        match self.try_obey(&order) {
            Ok(()) => json!({"done": order["number"]}),
            Err(why) => json!({"done": order["number"], "error": why}),
        }
    }

    fn try_obey(&self, order: &Value) -> Result<(), String> {
        let text = |key: &str| order[key].as_str().unwrap_or_default();
        let (name, kind) = (text("name"), text("kind"));
        let mut zones = self.zones();
        if text("do") == "zone" {
            let name = Name::from_ascii(format!("{name}.")).map_err(|error| error.to_string())?;
            zones.retain(|it| it.name != name);
            if ZONES_MAX < zones.len() {
                zones.remove(1);
            }
            zones.push(Zone::new(name, signing(text("how"))?));
            return Ok(());
        }
        let zone = zones.last_mut().ok_or("no zone")?;
        match text("do") {
            "record" => zone.add(name, kind, text("how")),
            "lie" => {
                let lie = Lie::read(zone, name, kind, text("how"))?;
                zone.lies.push(lie);
                Ok(())
            }
            other => Err(format!("no such order: {other}")),
        }
    }

    /// What to say to a question; nothing if it is about others.
    fn answer(&self, query: &Message) -> Option<Fate> {
        let asked = query.queries.first()?;
        let (name, kind) = (asked.name().to_lowercase(), asked.query_type());
        let mut zones = self.zones();
        // What stands at the top of a zone, the one above it knows.
        let is_here =
            |it: &Zone| it.name.zone_of(&name) && !(kind == RecordType::DS && it.name == name);
        let all = zones.iter().enumerate().filter(|(_, it)| is_here(it));
        let (at, _) = all.max_by_key(|(_, it)| it.name.num_labels())?;
        let below: Vec<Below> = zones
            .iter()
            .map(|it| Below { name: it.name.clone(), is_signed: it.signing != Signing::None })
            .filter(|it| zones[at].name.zone_of(&it.name) && zones[at].name != it.name)
            .collect();
        let zone = &mut zones[at];
        let is_meant = |it: &Lie| it.name == name && it.kind == kind;
        let mut seal = Seal::of(&zone.name);
        zone.lies.iter().filter(|it| is_meant(it)).for_each(|it| it.seal(&mut seal));
        let mut answer = zone.tell((&name, kind), &below, &self.keys, &seal);
        let whose = (zone.name.clone(), zone.signing != Signing::None);
        for lie in zone.lies.iter_mut().filter(|it| is_meant(it)) {
            match lie.tell((&whose.0, whose.1), answer, &self.keys, &seal) {
                Fate::Said(bent) => answer = bent,
                fate @ (Fate::Lost | Fate::Cut) => return Some(fate),
            }
        }
        Some(Fate::Said(answer))
    }

    fn zones(&self) -> MutexGuard<'_, Vec<Zone>> {
        self.zones.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `signed`, `nsec3 ITERATIONS` or `unsigned`.
fn signing(how: &str) -> Result<Signing, String> {
    match how.split_once(' ') {
        None if how == "signed" => Ok(Signing::Nsec),
        None if how == "unsigned" => Ok(Signing::None),
        Some(("nsec3", iterations)) => {
            let iterations = iterations.parse().map_err(|_| "how many iterations?")?;
            Ok(Signing::Nsec3(iterations))
        }
        Some(_) | None => Err(format!("no such zone: {how}")),
    }
}

async fn by_udp(liar: Arc<Liar>, socket: UdpSocket, source: SocketAddr) -> io::Result<()> {
    let socket = Arc::new(socket);
    let mut question = vec![0; 4096];
    loop {
        let (length, asker) = socket.recv_from(&mut question).await?;
        let question = question[..length].to_vec();
        let (liar, socket) = (liar.clone(), socket.clone());
        crate::spawn(async move {
            let Ok(query) = Message::from_vec(&question) else { return };
            let answer = match liar.answer(&query) {
                Some(Fate::Said(answer)) => {
                    let whole = response(&query, Some(answer));
                    if UDP_MAX < whole.len() { response(&query, None) } else { whole }
                }
                Some(Fate::Cut) => response(&query, None),
                Some(Fate::Lost) => return,
                None => match timeout(PATIENCE, pass_udp(&question, source)).await {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(_)) | Err(_) => return,
                },
            };
            // Whoever asked may have gone.
            let _ = socket.send_to(&answer, asker).await;
        });
    }
}

async fn pass_udp(question: &[u8], source: SocketAddr) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    socket.send_to(question, source).await?;
    let mut answer = vec![0; 65535];
    let length = socket.recv(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

async fn by_tcp(liar: Arc<Liar>, listener: TcpListener, source: SocketAddr) {
    while let Ok((mut socket, _)) = listener.accept().await {
        let liar = liar.clone();
        crate::spawn(async move {
            while let Ok(question) = read(&mut socket).await {
                let Ok(query) = Message::from_vec(&question) else { return };
                let answer = match liar.answer(&query) {
                    Some(Fate::Said(answer)) => response(&query, Some(answer)),
                    Some(Fate::Cut) => return,
                    Some(Fate::Lost) => continue,
                    None => match timeout(PATIENCE, pass_tcp(&question, source)).await {
                        Ok(Ok(answer)) => answer,
                        Ok(Err(_)) | Err(_) => return,
                    },
                };
                if write(&mut socket, &answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn pass_tcp(question: &[u8], source: SocketAddr) -> io::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(source).await?;
    write(&mut socket, question).await?;
    read(&mut socket).await
}

async fn read(socket: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; socket.read_u16().await?.into()];
    socket.read_exact(&mut message).await?;
    Ok(message)
}

async fn write(socket: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    socket.write_u16(u16::try_from(message.len()).map_err(io::Error::other)?).await?;
    socket.write_all(message).await
}

/// An answer to a question; cut short if there is none.
fn response(query: &Message, answer: Option<Answer>) -> Vec<u8> {
    let mut message = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    for asked in &query.queries {
        message.add_query(asked.clone());
    }
    message.metadata.recursion_desired = true;
    message.metadata.recursion_available = true;
    message.metadata.truncation = answer.is_none();
    let mut edns = Edns::new();
    edns.enable_dnssec();
    message.set_edns(edns);
    if let Some(answer) = answer {
        message.metadata.response_code = answer.code;
        message.metadata.authentic_data = answer.is_authentic;
        message.answers = answer.answers;
        message.authorities = answer.authorities;
    }
    message.to_vec().or_fail("write an answer")
}

/// What is sent by UDP at most, as most servers do.
const UDP_MAX: usize = 1232;

/// Zones that are kept; the first is at the top.
const ZONES_MAX: usize = 32;

/// How long to wait for those who are asked in turn.
const PATIENCE: Duration = Duration::from_secs(5);
