//! The whole story on one machine: two servers of old, what an eavesdropper and a forger do to
//! them, and what becomes of that with ligase in front. It needs neither root nor the Internet.

mod mallory;
mod nameserver;
mod papers;
mod proxy;
mod server;
mod stage;
mod story;
mod talk;
mod tap;
mod trouble;
mod voice;
mod zone;

use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};

use self::stage::Stage;
use self::trouble::{Result, While};
use self::voice::Voice;
use crate::args::{self, Exit, likes_color};

/// Tells the story; `Exit::Done` only if every word of it was true.
#[must_use]
pub fn run(args: &args::Demo) -> Exit {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return Exit::Unavailable;
    };
    // Whatever ends the story first, all that it has started ends with it.
    runtime.block_on(async {
        tokio::select! {
            told = tell(args) => match told {
                Ok(exit) => exit,
                Err(trouble) => {
                    eprintln!("ligase demo: {trouble}");
                    Exit::Failed
                }
            },
            interrupted = interruption() => {
                if let Err(trouble) = interrupted {
                    eprintln!("ligase demo: {trouble}");
                }
                Exit::Failed
            }
        }
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the story tells how long it took"
)]
async fn tell(args: &args::Demo) -> Result<Exit> {
    let started = Instant::now();
    let mut voice = Voice::new(likes_color());
    let stage = Stage::set().await?;
    voice.act("THE STAGE", "all of it on this machine, none of it as root");
    for house in [&stage.montague, &stage.capulet] {
        let server = "a server that knows dialback and nothing of TLS, at";
        voice.fact(house.domain, &format!("{server} {}", house.server.address));
    }
    voice.fact(
        "dns",
        &format!("both domains, signed, at {}", stage.names.address),
    );
    story::before(&mut voice, &stage).await?;
    let mut guards = story::after(&mut voice, &stage).await?;
    story::forger(&mut voice, &stage, &guards).await?;
    let holds = voice.close(started.elapsed().as_secs_f64());
    if args.stay {
        voice.act("STAYING", "until Ctrl-C");
        for (house, proxy) in [
            (&stage.montague, &guards.montague),
            (&stage.capulet, &guards.capulet),
        ] {
            voice.fact(
                house.domain,
                &format!("http://{}/connections /bindings /metrics", proxy.admin),
            );
            voice.fact("", &format!("{}", proxy.config.display()));
            voice.fact("", &format!("{}", proxy.log.display()));
        }
        interruption().await?;
    }
    guards.montague.stop().await;
    guards.capulet.stop().await;
    Ok(if holds { Exit::Done } else { Exit::Failed })
}

/// Waits until somebody wants us to end.
async fn interruption() -> Result<()> {
    let doing = "wait for a signal";
    let mut interrupted = signal(SignalKind::interrupt()).or_trouble(doing)?;
    let mut terminated = signal(SignalKind::terminate()).or_trouble(doing)?;
    let mut hung_up = signal(SignalKind::hangup()).or_trouble(doing)?;
    tokio::select! {
        _ = interrupted.recv() => (),
        _ = terminated.recv() => (),
        _ = hung_up.recv() => (),
    }
    Ok(())
}

/// The demo's own servers have next to nothing to do.
const WORKERS: usize = 2;
