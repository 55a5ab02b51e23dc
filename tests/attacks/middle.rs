//! Middle: somebody stands between the proxy and a genuine server, and changes what is in the clear.

use ligase_tests::Join;

use crate::bytes::{header, message};
use crate::case::{Case, arguments};
use crate::deeds::{PATIENCE, Run, Told};
use crate::negotiate::{features, next, offered};
use crate::said::sound;
use crate::victims::GENUINE;
use crate::words::Word;

pub(crate) const WORDS: [Word; 6] = [
    ("middle", middle),
    ("join", join),
    ("spoil", spoil),
    ("cut", cut),
    ("arrives", arrives),
    ("untold", untold),
];

/// `middle FROM TO`: our own server wants to speak to a genuine server, and the attacker is called
/// in its place. The attacker has gone as far with the genuine server as TLS, and has said nothing
/// to the proxy yet.
fn middle(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to] = arguments(rest)?;
    case.terms.is_scripted = true;
    case.terms.calls.insert("padua:5269".to_owned());
    case.then(Box::new(move |run| {
        let (from, to) = (run.fill(&from), run.fill(&to));
        run.call(&from, &to)?;
        let near = run.accept(&to)?;
        run.begin(near);
        let far =
            run.lab.attacker.try_dial(&format!("{}:{GENUINE}", run.lab.host("garden")?.v4))?;
        run.keep(far.clone());
        run.far = Some(far.clone());
        far.send(&header(&from, &to));
        offered(&features(&far)?.features, "<starttls")?;
        far.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        offered(&next(&far, PATIENCE)?, "<proceed")
    }));
    Ok(())
}

/// `join TEXT`: the last words to the proxy; then all is passed on between both.
fn join(case: &mut Case, rest: &str) -> Result<(), String> {
    passes(case, rest, None, None)
}

/// `spoil N TEXT`: the same, but the Nth byte that the proxy says from there is another.
fn spoil(case: &mut Case, rest: &str) -> Result<(), String> {
    let (at, text) = rest.split_once(' ').ok_or("which, and after what?")?;
    passes(case, text, Some(at.parse().map_err(|_| "which?")?), None)
}

/// `cut N TEXT`: the same, but after N bytes that the proxy says both are cut off.
fn cut(case: &mut Case, rest: &str) -> Result<(), String> {
    let (at, text) = rest.split_once(' ').ok_or("when, and after what?")?;
    passes(case, text, None, Some(at.parse().map_err(|_| "when?")?))
}

fn passes(case: &mut Case, text: &str, spoil: Option<u64>, cut: Option<u64>) -> Result<(), String> {
    let text = sound(text)?;
    case.then(Box::new(move |run| {
        let last = String::from_utf8(run.bytes(&text)?).map_err(|error| error.to_string())?;
        let far = run.far.as_ref().ok_or("there is nobody on the other side")?;
        run.stream()?.join(far, &Join { last: &last, spoil, cut });
        Ok(())
    }));
    Ok(())
}

/// `arrives FROM TO`: our own server is let in, and what it says comes to the genuine server.
fn arrives(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to] = arguments(rest)?;
    case.then(Box::new(move |run| {
        let (from, to) = (run.fill(&from), run.fill(&to));
        run.grant(&from, &to);
        offered(&next(run.calling()?, 3 * run.patience)?, "type='valid'")?;
        let body = format!("for {to}");
        run.calling()?.send(&message(&format!("u@{from}"), &format!("u@{to}"), &body));
        let genuine = &run.lab.victims.genuine;
        let is_heard = genuine.hears(0, &body, run.patience);
        if is_heard { Ok(()) } else { Err(format!("{to} never hears {body:?}")) }
    }));
    Ok(())
}

/// `untold NAME`: the genuine server has heard nothing that names this.
fn untold(case: &mut Case, rest: &str) -> Result<(), String> {
    let name = rest.to_owned();
    case.then(Box::new(move |run: &mut Run<'_>| -> Told {
        let name = run.fill(&name);
        let heard = run.lab.victims.genuine.heard();
        match heard.iter().find(|it| it.contains(&name)) {
            Some(said) => Err(format!("the genuine server hears {said}")),
            None => Ok(()),
        }
    }));
    Ok(())
}
