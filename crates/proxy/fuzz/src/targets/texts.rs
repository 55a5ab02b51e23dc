use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ligase::binding::{DomainPair, StreamId};
use ligase::config::{Config, Overrides};
use ligase::stream::{Authorization, Keys};
use ligase_verifier::Domain;

/// Divides an input at its line feeds.
fn lines(input: &[u8]) -> Vec<&str> {
    std::str::from_utf8(input).map(|text| text.split('\n').collect()).unwrap_or_default()
}

/// A mechanism, an initial response, and whom the certificate is good for: nobody is authorized as
/// somebody else.
pub(super) fn sasl(input: &[u8]) {
    let lines = lines(input);
    let [mechanism, response, offered] = lines[..] else {
        return;
    };
    let offered: Option<Domain> = offered.parse().ok();
    let authorization =
        Authorization { mechanism: mechanism.to_owned(), response: response.to_owned() };
    match authorization.check(offered.as_ref()) {
        Ok(()) => {
            let offered = offered.expect("somebody is authorized as nobody");
            assert_eq!(mechanism, "EXTERNAL");
            if response != "=" {
                let identity = BASE64_STANDARD.decode(response).expect("it was read");
                let identity = String::from_utf8(identity).expect("it was read");
                assert_eq!(identity.parse().as_ref(), Ok(&offered), "{identity:?}");
            }
        }
        Err(error) => {
            assert!(error.to_xml().contains(error.condition));
            // What we would ask ourselves is never refused.
            let own = offered.as_ref().map(|it| BASE64_STANDARD.encode(it.as_str()));
            assert!(mechanism != "EXTERNAL" || own.as_deref() != Some(response));
        }
    }
}

/// Two requests for keys: who sends, to whom, on which stream. A key is good for its own request
/// and no other, whatever is written next to what.
pub(super) fn keys(input: &[u8]) {
    let lines = lines(input);
    let [sender, target, id, other_sender, other_target, other_id, guess] = lines[..] else {
        return;
    };
    let request = |sender: &str, target: &str, id: &str| {
        let pair = DomainPair::new(sender.parse().ok()?, target.parse().ok()?);
        Some((pair, StreamId(id.into())))
    };
    let Some(((pair, id), other)) =
        request(sender, target, id).zip(request(other_sender, other_target, other_id))
    else {
        return;
    };
    let keys = Keys::new(&[b"secret".to_vec(), b"older".to_vec()]);
    let older = Keys::new(&[b"older".to_vec()]);
    let stranger = Keys::new(&[b"other".to_vec()]);
    let key = keys.make(&pair, &id);
    assert!(keys.is_ours(&pair, &id, &key));
    assert!(keys.is_ours(&pair, &id, &older.make(&pair, &id)));
    assert!(!stranger.is_ours(&pair, &id, &key));
    let is_same = other == (pair.clone(), id.clone());
    assert_eq!(keys.is_ours(&other.0, &other.1, &key), is_same, "{pair} {id:?}, {other:?}");
    let known = [&key, &older.make(&pair, &id)].iter().any(|it| **it == guess);
    assert_eq!(keys.is_ours(&pair, &id, guess), known, "{guess:?}");
}

/// A name is read in one way, or not at all: however it is spelled again, it is the same.
pub(super) fn domain(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(domain) = text.parse::<Domain>() else {
        return;
    };
    for spelling in [domain.ascii(), domain.as_str()] {
        assert_eq!(spelling.parse().as_ref(), Ok(&domain), "{text:?}");
        // RFC 7622 §3.2.
        assert!((1..=1023).contains(&spelling.len()));
        // Nothing that divides an address, a header or a log line.
        let sound =
            |it: char| !it.is_control() && !it.is_whitespace() && !"@/&<>'\"\\:".contains(it);
        assert!(spelling.chars().all(sound), "{text:?} as {spelling:?}");
        assert_eq!(spelling, spelling.to_lowercase());
    }
    assert!(domain.ascii().is_ascii());
    assert!(domain.ascii().split('.').all(|label| (1..=63).contains(&label.len())));
}

/// A configuration is taken, or everything that is wrong with it is told, each with its key.
pub(super) fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let folder = Path::new("/nonexistent");
    let read = Config::parse(text, folder, &Overrides::default());
    if let Err(problems) = &read {
        assert!(!problems.is_empty());
        assert!(problems.iter().all(|it| !it.problem.is_empty()));
    }
    // Reading changes nothing.
    let again = Config::parse(text, folder, &Overrides::default());
    assert_eq!(read.err(), again.err());
}
