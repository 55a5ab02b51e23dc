//! Oracle: what the time that answers take gives away.

use ligase_tests::Process;
use ligase_tests::peer::program;
use serde_json::{Value, json};

use crate::case::{Case, arguments};
use crate::deeds::{Run, Told};
use crate::words::Word;

pub(crate) const WORDS: [Word; 1] = [("oracle", oracle)];

/// `oracle N FROM TO`: a program beside our server asks about keys of this pair, N times with the id
/// of a stream that the proxy has opened to our server and N times with one that nobody has; each
/// time it hears `invalid`, and nothing in how long that takes tells the one from the other.
fn oracle(case: &mut Case, rest: &str) -> Result<(), String> {
    let [count, from, to] = arguments(rest)?;
    let count: u64 = count.parse().map_err(|_| "how often?")?;
    case.terms.is_scripted = true;
    case.then(Box::new(move |run| consult(run, count, &from, &to)));
    Ok(())
}

fn consult(run: &mut Run<'_>, count: u64, from: &str, to: &str) -> Told {
    let lab = run.lab;
    let known = match &run.kept.beside {
        // From then on the proxy waits to be asked about it.
        Some(_) => run.kept.shown(run.patience).map(|(id, _)| id),
        None => lab.behind.id_for(to),
    };
    let known = known.ok_or("the proxy has opened no stream for it")?;
    // It asks on a stream that it has a right to.
    run.grant("l1.lab", "r1.lab");
    // As long as the other, and as like it as may be.
    let unknown: String = known.chars().rev().collect();
    let mut command = lab.ligase.host().command(&program("ligase-peer"));
    command.args(["oracle", lab.backend_door()]);
    let mut process = Process::start("an oracle", command);
    let order = json!({
        "from": from, "to": to, "ids": [known, unknown], "count": count,
        "chain": lab.own.chain(), "key": lab.own.key(),
    });
    process.tell(&order.to_string());
    let said = process.hear("{", 6 * run.patience);
    let told: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
    let Some(t) = told["t"].as_f64() else {
        return Err(format!("the oracle says {told}"));
    };
    if told["otherwise"] != 0 {
        return Err(format!("not all are invalid: {told}"));
    }
    if T_MAX <= t.abs() { Err(format!("it takes other times: {told}")) } else { Ok(()) }
}

/// So many standard errors are no chance.
const T_MAX: f64 = 4.5;
