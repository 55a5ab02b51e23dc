//! The whole story on one machine: two servers of old, one of them with three tenants; how many
//! connections they take, what an eavesdropper and a forger do to them, and what becomes of all that
//! with ligase in front. It needs neither root nor the Internet.

mod component;
mod ears;
mod inside;
mod installed;
mod mallory;
mod nameserver;
mod papers;
mod proxy;
mod pulse;
mod server;
mod stage;
mod story;
mod talk;
mod tap;
mod trouble;
mod voice;
mod web;
mod zone;

use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};

use self::installed::Kind;
use self::stage::Stage;
use self::story::after::{Guards, after};
use self::story::refusals::refusals;
use self::trouble::{Result, Trouble, While};
use self::voice::Voice;
use crate::args::{self, DemoServer, Exit, likes_color};

/// Tells the story; `Exit::Done` only if every word of it was true.
#[must_use]
pub fn run(args: &args::Demo) -> Exit {
    let installed = match args.with {
        DemoServer::Embedded => None,
        DemoServer::Prosody => Some(Kind::Prosody),
        DemoServer::Ejabberd => Some(Kind::Ejabberd),
    };
    if let Some(missing) = installed.and_then(Kind::missing) {
        eprintln!("ligase demo: {missing}");
        return Exit::Unavailable;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let Ok(runtime) = runtime else {
        return Exit::Unavailable;
    };
    runtime.block_on(async {
        // Whatever ends the story early, all that it has started ends with it.
        let told = tokio::select! {
            told = tell(installed) => told,
            interrupted = interruption() => Err(match interrupted {
                Ok(()) => Trouble::new("interrupted"),
                Err(trouble) => trouble,
            }),
        };
        let stayed = match told {
            Ok(told) => told.end(args.stay).await,
            Err(trouble) => Err(trouble),
        };
        stayed.unwrap_or_else(|trouble| {
            eprintln!("ligase demo: {trouble}");
            Exit::Failed
        })
    })
}

/// The story when it has been told, and all that still runs.
struct Told {
    guards: Guards,
    stage: Stage,
    voice: Voice,
    exit: Exit,
}

#[expect(clippy::disallowed_methods, reason = "the story tells how long it took")]
async fn tell(installed: Option<Kind>) -> Result<Told> {
    let started = Instant::now();
    let mut voice = Voice::new(likes_color());
    voice.wait("the stage is set: servers, certificates, signed zones");
    let mut stage = Stage::set(installed).await?;
    story::stage(&voice, &stage);
    story::before(&mut voice, &mut stage).await?;
    let guards = after(&mut voice, &mut stage).await?;
    refusals(&mut voice, &mut stage, &guards).await?;
    let exit = voice.close(started.elapsed().as_secs_f64());
    Ok(Told { guards, stage, voice, exit })
}

impl Told {
    /// Ends it, at once or when somebody has seen enough.
    async fn end(mut self, stay: bool) -> Result<Exit> {
        if stay {
            self.voice.act("STAYING", "until Ctrl-C; look around:");
            let houses = [&self.stage.montague, &self.stage.verona];
            let guards = [&self.guards.montague, &self.guards.verona];
            let pairs = ["montague.example abbey.example", "abbey.example montague.example"];
            for ((house, proxy), pair) in houses.into_iter().zip(guards).zip(pairs) {
                let admin = proxy.admin;
                self.voice.fact(&house.to_string(), &format!("http://{admin}/ in a browser"));
                for also in ["connections", "bindings", "failures", "metrics", "config"] {
                    self.voice.fact("", &format!("curl http://{admin}/{also}"));
                }
                self.voice.fact("", &format!("ligase explain {pair} --admin {admin}"));
                let (config, log) = (proxy.config.display(), proxy.log.display());
                self.voice.fact("  configuration", &config.to_string());
                self.voice.fact("  log", &log.to_string());
            }
            interruption().await?;
        }
        self.guards.montague.stop().await;
        self.guards.verona.stop().await;
        Ok(self.exit)
    }
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
