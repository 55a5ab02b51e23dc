//! What `docs/check.md` shows is what `ligase check` says.

use std::fs;
use std::path::Path;

use ligase_tests::{Leaf, OrFail, Purpose};

use super::base64;
use super::doors::{CLIENT, SERVER, document};
use super::lab::Lab;
use crate::verona::Rows;

/// The cast of the document: a house of each kind.
fn cast() -> Lab {
    let mut lab = Lab::new();
    let capulet = lab.world.authority.issue(&["capulet.lab"]);
    lab.served("capulet.lab", 5269, &capulet);
    lab.pin("capulet.lab", 5269, &capulet);
    lab.world.zone.direct_server("capulet.lab", 5270, "xmpp.capulet.lab");
    lab.pin("capulet.lab", 5270, &capulet);
    lab.doors.direct(5270, SERVER, &capulet);
    lab.world.zone.record("_xmpp-client._tcp.capulet.lab", "SRV", "0 5 5222 xmpp.capulet.lab.");
    lab.doors.starttls(5222, CLIENT, &capulet);

    let montague = Leaf::of(&["montague.old"]).only_for(Purpose::Server);
    lab.served("montague.old", 6000, &montague.signed_by(&lab.world.authority));

    // The key was rolled, and the record was not.
    let tybalt = lab.world.authority.issue(&["tybalt.lab"]);
    lab.served("tybalt.lab", 6001, &tybalt);
    lab.pin("tybalt.lab", 6001, &capulet);

    let paris = Leaf::of(&["paris.old"]).self_signed();
    lab.served("paris.old", 6002, &paris);
    lab.world.zone.address("paris.old", &lab.host);
    let web = lab.world.authority.issue(&["paris.old"]);
    lab.doors.web(8443, &web, &document(&[&base64(&paris.digest())]));

    lab.domain("mercutio.lab", 6003);
    let hosted = "capulet.lab\nparis.old      # POSH\ntybalt.lab\nmercutio.lab\n";
    fs::write(lab.folder().join("hosted.txt"), hosted).or_fail("write a list of domains");
    lab.world.open();
    lab
}

#[test]
fn the_document_shows_what_is_said() {
    let lab = cast();
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/check.md");
    let document = fs::read_to_string(document).or_fail("read the document");
    let rows = Rows::default();
    let mut compared = 0;
    for shown in document.split("```text\n$ ligase check ").skip(1) {
        let shown = shown.split("```").next().unwrap_or_default();
        let (arguments, shown) = shown.split_once('\n').unwrap_or_default();
        let arguments: Vec<_> = arguments.split(' ').collect();
        rows.run(&arguments.join(" "), || {
            let (said, _) = lab.text(&arguments);
            let arguments = arguments.join(" ");
            assert!(normal(&said) == normal(shown), "`ligase check {arguments}` says:\n{said}");
        });
        compared += 1;
    }
    rows.finish();
    assert!(5 <= compared, "the transcripts have got lost");
}

/// The text without what no two runs have in common: times, digests, days, the version.
fn normal(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n', '"', ')', ',']);
    let mut previous = "";
    let mut normal = String::new();
    for word in words {
        let bare = word.trim_end_matches([' ', '\n', '"', ')', ',']);
        let rest = &word[bare.len()..];
        let is_hexadecimal =
            |it: &str| it.len() == 8 && it.bytes().all(|it| it.is_ascii_hexdigit());
        let is_digest = bare
            .split_once("...")
            .is_some_and(|(start, end)| is_hexadecimal(start) && is_hexadecimal(end))
            || 43 <= bare.len()
                && bare.chars().all(|it| it.is_ascii_alphanumeric() || "+/=".contains(it));
        let is_time = bare.split_once('.').is_some_and(|(whole, part)| {
            part.len() == 1 && format!("{whole}{part}").bytes().all(|it| it.is_ascii_digit())
        });
        let is_version = previous == "ligase" || previous.ends_with("(ligase");
        normal.push_str(match (is_digest, is_time, is_version) {
            (true, _, _) => "DIGEST",
            (_, true, _) => "TIME",
            (_, _, true) => "VERSION",
            _ => bare,
        });
        normal.push_str(rest);
        previous = bare;
    }
    normal
}
