//! Names: what becomes of every character there is, wherever it stands in a domain name.
//!
//! Servers that prepare addresses by IDNA2003 (RFC 3491, crate `stringprep`) and DNS by UTS 46 (crate
//! `idna`) do not read all names alike. `names/differences.txt` lists where; what is read in two ways
//! is to be refused, because whoever owned the one could speak as the other.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::thread;
use std::{env, fs};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use ligase_verifier::{Domain, InvalidDomain};
use stringprep::nameprep;

/// Where a character may stand. `punycode` stands for the label that DNS has for it.
const PLACES: [&str; 12] = [
    "{}",
    "{}.test",
    "{}b.test",
    "a{}b.test",
    "a{}.test",
    "a.{}",
    "a.b{}",
    "a.{}b.test",
    "{}{}.test",
    "a{}b.c{}d.test",
    "xn--{}.test",
    "punycode.test",
];

/// Every name with one of all characters in one of all places is refused, or is one name for everybody.
#[test]
fn every_character_is_read_in_one_way_or_not_at_all() {
    let accepted = Mutex::new([0_u32; PLACES.len()]);
    let faults = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for worker in 0..workers {
            let (accepted, faults) = (&accepted, &faults);
            scope.spawn(move || {
                let mut counts = [0; PLACES.len()];
                for character in characters().skip(worker).step_by(workers) {
                    for (place, count) in PLACES.iter().zip(&mut counts) {
                        let text = put(character, place);
                        if let Ok(domain) = text.parse::<Domain>() {
                            *count += 1;
                            if let Some(fault) = fault(&text, &domain) {
                                faults.lock().unwrap().push(format!("{text:?}: {fault}"));
                            }
                        }
                    }
                }
                let mut accepted = accepted.lock().unwrap();
                accepted.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
            });
        }
    });
    let mut faults = faults.into_inner().unwrap();
    faults.truncate(20);
    assert_eq!(faults, [""; 0]);
    // Most letters of Unicode 3.2 are taken in most places: the alphabets, Hangul, Han.
    let accepted = accepted.into_inner().unwrap();
    for (place, count) in PLACES.iter().zip(accepted) {
        let least = if *place == "xn--{}.test" { 0 } else { 40_000 };
        assert!(least <= count, "{place}: only {count}");
    }
}

/// What is wrong with a name that was accepted.
fn fault(text: &str, domain: &Domain) -> Option<&'static str> {
    let (ascii, spelling) = (domain.ascii(), domain.as_str());
    let text = text.strip_suffix('.').unwrap_or(text);
    let by_uts46 = Uts46::new().to_ascii(
        text.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    if by_uts46.ok().as_deref() != Some(ascii) {
        return Some("UTS 46 finds another name in DNS");
    }
    let is_a_label = |label: &str| label.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("xn--"));
    // IDNA2003 leaves the labels of DNS as they are; a server compares them so, too.
    let alike = text.split('.').zip(spelling.split('.')).all(|(written, label)| {
        is_a_label(written) || nameprep(written).is_ok_and(|prepared| prepared == label)
    });
    if !alike || nameprep(spelling).ok().as_deref() != Some(spelling) {
        return Some("IDNA2003 reads it as another name");
    }
    let is_ldh = |label: &str| {
        let letters =
            label.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
        letters
            && (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !ascii.split('.').all(is_ldh) {
        return Some("its form in DNS is no host name");
    }
    for again in [ascii, spelling] {
        let same = again.parse::<Domain>();
        if !same.is_ok_and(|same| same == *domain && same.as_str() == spelling) {
            return Some("it is another name when it is read again");
        }
    }
    None
}

/// The list of differences is what both standards say today, and nothing on it is accepted.
///
/// `LIGASE_TESTS_GOLDEN=write cargo test --workspace --test names` writes it anew: after an update of
/// one of the crates, or of Unicode.
#[test]
#[expect(clippy::disallowed_methods, reason = "whether to write the list, who runs it says")]
fn what_two_standards_read_differently_is_listed_and_refused() {
    let mut list = Ranges::default();
    for character in characters() {
        let read = difference(character);
        if read.as_ref().is_some_and(|(_, is_dangerous)| *is_dangerous) {
            let found = format!("a{character}b.test").parse::<Domain>();
            assert!(found.is_err(), "{character:?} is {found:?}");
            if !character.is_ascii() {
                assert_eq!(found, Err(InvalidDomain::Ambiguous), "{character:?}");
            }
        }
        list.add(character, read.map(|(text, _)| text));
    }
    let found = list.finish();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/names/differences.txt");
    if env::var("LIGASE_TESTS_GOLDEN").is_ok_and(|it| it == "write") {
        fs::write(file, &found).unwrap();
    }
    let listed = fs::read_to_string(file).unwrap();
    let changed = found.lines().zip(listed.lines()).find(|(found, listed)| found != listed);
    assert_eq!(changed, None, "as found, and as listed");
    assert_eq!(found.lines().count(), listed.lines().count());
}

/// How the standards differ on a letter between two others, and whether both make a name of it, which
/// is where somebody could be taken for somebody else.
fn difference(character: char) -> Option<(String, bool)> {
    let text = format!("a{character}b");
    let old = nameprep(&text).ok().map(|it| it.into_owned());
    let (new, sound) =
        Uts46::new().to_unicode(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
    let new = sound.is_ok().then(|| new.into_owned());
    match (old, new) {
        (old, new) if old == new => None,
        (Some(old), Some(new)) => Some((format!("{} {}", codes(&old), codes(&new)), true)),
        (Some(_), None) => Some(("IDNA2003 alone".to_owned(), false)),
        (None, Some(_)) => Some(("UTS46 alone".to_owned(), false)),
        (None, None) => None,
    }
}

/// What stands between the two letters, by its numbers; `-` for nothing.
fn codes(text: &str) -> String {
    let inner = text.strip_prefix('a').and_then(|it| it.strip_suffix('b')).unwrap_or(text);
    let codes: Vec<_> = inner.chars().map(|it| format!("{:04X}", u32::from(it))).collect();
    if codes.is_empty() { "-".to_owned() } else { codes.join("+") }
}

/// Lines of a list, one for all neighbors that are read alike.
#[derive(Default)]
struct Ranges {
    text: String,
    open: Option<(char, char, String)>,
}

impl Ranges {
    fn add(&mut self, character: char, read: Option<String>) {
        if let (Some((_, last, before)), Some(read)) = (&mut self.open, &read)
            && before == read
        {
            *last = character;
            return;
        }
        self.close();
        self.open = read.map(|read| (character, character, read));
    }

    fn close(&mut self) {
        if let Some((first, last, read)) = self.open.take() {
            let _ = match first == last {
                true => writeln!(self.text, "{:04X} {read}", u32::from(first)),
                false => {
                    writeln!(self.text, "{:04X}..{:04X} {read}", u32::from(first), u32::from(last))
                }
            };
        }
    }

    fn finish(mut self) -> String {
        self.close();
        format!("{HEAD}{}", self.text)
    }
}

const HEAD: &str = "\
# Characters, between two letters, that IDNA2003 (RFC 3491) and UTS 46 do not read alike: what the
# one makes of each and what the other does (`-`: nothing), or which of them alone takes it.
# Written by `LIGASE_TESTS_GOLDEN=write cargo test --workspace --test names`.
";

fn characters() -> impl Iterator<Item = char> {
    '\0'..=char::MAX
}

/// A name with a character in this place.
fn put(character: char, place: &str) -> String {
    let mut buffer = [0; 4];
    let letter: &str = character.encode_utf8(&mut buffer);
    if place.starts_with("punycode") {
        let label = idna::punycode::encode_str(letter).unwrap_or_default();
        return place.replace("punycode", &format!("xn--{label}"));
    }
    place.replace("{}", letter)
}
