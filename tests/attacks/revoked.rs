//! Revoked: a certificate was good, and is no more.

use std::fs;
use std::path::Path;

use ligase_tests::World;

use crate::bytes::{claim, header};
use crate::case::{Case, Count, arguments};
use crate::deeds::{Door, PATIENCE, Run, Told};
use crate::negotiate::{authorize, features, next, offered};
use crate::words::Word;

pub(crate) const WORDS: [Word; 1] = [("revoked", revoked)];

/// A value of the configuration: `{revocations}` in it stands for a file with the authority's list,
/// on which nothing stands.
pub(crate) fn fill(world: &World, folder: &Path, value: &str) -> String {
    if !value.contains(LIST) {
        return value.to_owned();
    }
    let file = folder.join("revoked.pem");
    // Whoever cannot write it gets a proxy that does not start, and says why.
    let _ = fs::write(&file, world.authority.revoke(&[]));
    value.replace(LIST, &file.display().to_string())
}

/// `revoked FROM TO`: somebody is let in, and hangs up; its certificate is revoked; it comes back
/// with the session that it had, which is of no use, and is not let in any more.
fn revoked(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to] = arguments(rest)?;
    case.terms.has_doors = true;
    case.terms.settings.insert("trust.revocations".to_owned(), LIST.to_owned());
    case.terms.counts.push(Count { reasons: vec!["cert.revoked".to_owned()], times: 1..=1 });
    case.then(Box::new(move |run| {
        let certificate = run.lab.world.authority.issue(&[&from]);
        let session = format!("{from} {}", run.door.as_str());
        let come = |run: &mut Run<'_>| -> Result<(bool, String), String> {
            let stream = run.lab.attacker.try_dial(&run.lab.door(run.door))?;
            run.begin(stream.clone());
            if run.door == Door::StartTls {
                stream.send(&header(&from, &to));
                features(&stream)?;
                stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
                offered(&next(&stream, PATIENCE)?, "<proceed")?;
            }
            let seen = stream.resume_tls(&session, &to, &certificate)?;
            stream.send(&header(&from, &to));
            Ok((seen.resumed, features(&stream)?.features))
        };
        come(run)?;
        run.grant(&from, &to);
        authorize(run.stream()?, &from, &to)?;
        run.stream()?.close();
        revoke(run, &run.lab.world.authority.revoke(&[&certificate]))?;
        let (is_resumed, offers) = come(run)?;
        if is_resumed {
            return Err("the session goes on".to_owned());
        }
        if offers.contains(">EXTERNAL<") {
            return Err("EXTERNAL is offered".to_owned());
        }
        run.granted.clear();
        run.stream()?.send(&claim(&from, &to));
        let answer = next(run.stream()?, run.patience)?;
        ["type='error'", "<not-authorized"].iter().try_for_each(|it| offered(&answer, it))
    }));
    Ok(())
}

/// Publishes a list, and has the proxy read it.
fn revoke(run: &Run<'_>, list: &str) -> Told {
    let folder = run.lab.ligase.folder();
    let (draft, file) = (folder.join("draft.pem"), folder.join("revoked.pem"));
    let done = fs::write(&draft, list).and_then(|()| fs::rename(&draft, &file));
    done.map_err(|error| error.to_string())?;
    let before = run.lab.ligase.log().count();
    run.lab.ligase.log().signal("HUP");
    run.lab.ligase.log().hear_after(before, RELOADED, PATIENCE);
    Ok(())
}

/// What stands for the file of revoked certificates.
const LIST: &str = "{revocations}";

/// What the proxy says when it has read all anew.
const RELOADED: &str = "reloaded";
