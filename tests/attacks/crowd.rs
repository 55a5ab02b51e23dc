//! Crowds: many that want more than their share, and the one that has to get in beside them.

use crate::begin::Beginning;
use crate::bytes::bytes;
use crate::case::Case;
use crate::lab::WEAK;
use crate::said::sound;
use crate::words::Word;

pub(crate) const WORDS: [Word; 2] = [("crowd", crowd), ("guest", guest)];

/// `crowd N HOW FROM TO [CERT] : TEXT`: so many streams, each of which says that; `{n}` is the
/// number of each.
fn crowd(case: &mut Case, rest: &str) -> Result<(), String> {
    let (how, text) = rest.split_once(" : ").ok_or("who, and what do they say?")?;
    let (count, how) = how.split_once(' ').ok_or("how many, and how do they begin?")?;
    let count: usize = count.parse().map_err(|_| "how many?")?;
    let (how, text) = (how.to_owned(), sound(text)?);
    let each = |number: usize, case: &mut Case| {
        Beginning::read(case, &how.replace("{n}", &number.to_string()))
    };
    let crowd: Vec<_> = (0..count).map(|it| each(it, case)).collect::<Result<_, _>>()?;
    if crowd.iter().any(|it| it.kind.is_called()) {
        return Err("whom the proxy calls comes alone".to_owned());
    }
    case.then(Box::new(move |run| {
        for (number, beginning) in crowd.iter().enumerate() {
            beginning.take_place(run)?;
            let said = bytes(&run.fill(&text).replace("{n}", &number.to_string()))?;
            run.stream()?.send_bytes(&said, said.len());
        }
        Ok(())
    }));
    Ok(())
}

/// `guest SECONDS`: meanwhile somebody comes whom only dialback proves, and is in as soon as that.
fn guest(case: &mut Case, rest: &str) -> Result<(), String> {
    let seconds: u64 = rest.parse().map_err(|_| "how soon?")?;
    case.terms.calls.insert("garden:5270".to_owned());
    let patience = std::time::Duration::from_secs(seconds);
    case.then(Box::new(move |run| {
        let [from, to] = WEAK;
        run.grant(from, to);
        run.lab.let_weak_in(patience)
    }));
    Ok(())
}
