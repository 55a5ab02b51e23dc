//! Oracle: whether somebody can tell by the time that an answer takes which of two questions a proxy
//! knows something about.

use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::load::{element, header, lines};
use crate::tell;
use crate::tls::Wire;

/// Asks at `TARGET` by the order on its standard input: `from` and `to` are whom the questions name,
/// `ids` the two that are asked about, `count` how often each. It says how long the answers took, in
/// nanoseconds, as Welch's t of the two means, and how many were not `invalid`.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(target: &str) -> ExitCode {
    let Some(order) = lines().recv().await.and_then(|it| serde_json::from_str(&it).ok()) else {
        return ExitCode::from(2);
    };
    match ask(target, &order).await {
        Ok(told) => {
            tell(told);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tell(json!({"error": error.to_string()}));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the time it takes")]
async fn ask(target: &str, order: &Value) -> io::Result<Value> {
    let text = |key: &str| order.get(key).and_then(Value::as_str).unwrap_or_default();
    let (from, to) = (text("from"), text("to"));
    let ids: Vec<_> = order["ids"].as_array().into_iter().flatten().collect();
    let count = order.get("count").and_then(Value::as_u64).unwrap_or_default();
    let socket = TcpStream::connect(target).await?;
    socket.set_nodelay(true)?;
    let handshake = json!({"as": "client", "name": to, "chain": text("chain"), "key": text("key")});
    let (mut wire, _) = Wire::Plain(socket).secure(&handshake).await.map_err(io::Error::other)?;
    wire.write_all(header(OWN, OTHER, None).as_bytes()).await?;
    wire.flush().await?;
    let mut said = String::new();
    while !element(&mut wire, &mut said).await?.starts_with("<stream:features") {}
    // Strangers may not ask that much.
    let claim = format!("<db:result from='{OWN}' to='{OTHER}'>00</db:result>");
    wire.write_all(claim.as_bytes()).await?;
    wire.flush().await?;
    let granted = element(&mut wire, &mut said).await?;
    if !granted.contains("type='valid'") {
        return Err(io::Error::other(granted));
    }
    let mut took = [Sum::default(), Sum::default()];
    let mut otherwise = 0;
    let mut chance = SEED;
    for number in 0..2 * count {
        // Which comes first is decided anew for each two, so that no rhythm favours one.
        if number % 2 == 0 {
            chance = chance.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
        }
        let which = usize::try_from((number + (chance >> 63)) % 2).unwrap_or_default();
        let id = ids.get(which).and_then(|it| it.as_str()).unwrap_or_default();
        let question =
            format!("<db:verify from='{from}' to='{to}' id='{id}'>{number:064x}</db:verify>");
        let start = Instant::now();
        wire.write_all(question.as_bytes()).await?;
        wire.flush().await?;
        let answer = element(&mut wire, &mut said).await?;
        if let Some(sum) = took.get_mut(which)
            && WARM < number
        {
            sum.add(start.elapsed().as_secs_f64() * 1e9);
        }
        otherwise += u32::from(!answer.contains("type='invalid'"));
    }
    let [one, other] = took;
    Ok(json!({
        "t": one.welch(&other), "means": [one.mean, other.mean], "otherwise": otherwise
    }))
}

/// A mean and a variance, as they grow (Welford).
#[derive(Default)]
struct Sum {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Sum {
    /// Adds a sample, unless it is one of those that something else has held up.
    fn add(&mut self, sample: f64) {
        if HELD_UP < sample {
            return;
        }
        self.count += 1.0;
        let distance = sample - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (sample - self.mean);
    }

    /// How far the means are from each other, in standard errors.
    fn welch(&self, other: &Self) -> f64 {
        let error = |it: &Self| it.squares / (it.count - 1.0) / it.count;
        (self.mean - other.mean) / (error(self) + error(other)).sqrt()
    }
}

/// Whom the stream is between, on which the questions are asked.
const OWN: &str = "l1.lab";
const OTHER: &str = "r1.lab";

/// The first answers take longer, because nothing is warm.
const WARM: u64 = 100;

/// Nanoseconds; an answer that takes longer has met with something else on this machine.
const HELD_UP: f64 = 3e6;

/// Knuth's linear congruential generator (MMIX); it need not be more.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
const INCREMENT: u64 = 1_442_695_040_888_963_407;
