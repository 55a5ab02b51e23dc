use super::*;
use crate::tests::element;

/// The features in one line.
fn read(children: &str) -> String {
    let features =
        Features::read(&element(&format!("<stream:features>{children}</stream:features>")));
    let all = [
        ("starttls", features.start_tls),
        ("external", features.external),
        ("dialback", features.dialback),
        ("errors", features.errors),
        ("bidi", features.bidi),
        ("dna", features.dna),
        ("server-names", features.server_names),
        ("sm", features.management),
    ];
    let offered = all.iter().filter(|it| it.1).map(|it| it.0);
    offered.collect::<Vec<_>>().join(" ")
}

const TLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

#[test]
fn offers_are_read_as_they_are_meant() {
    let sasl = |mechanisms: &str| {
        format!("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{mechanisms}</mechanisms>")
    };
    for (children, expect) in [
        (String::new(), ""),
        (TLS.to_owned(), "starttls"),
        (TLS.replace("/>", "><required/></starttls>"), "starttls"),
        (sasl("<mechanism>EXTERNAL</mechanism>"), "external"),
        (sasl("<mechanism>SCRAM-SHA-1</mechanism><mechanism>EXTERNAL</mechanism>"), "external"),
        // ejabberd on plaintext; XEP-0344's typo; what only looks like an offer.
        (sasl(""), ""),
        (sasl("<mechanism name='EXTERNAL'/>"), ""),
        (sasl("<mechanism xmlns='urn:x'>EXTERNAL</mechanism>"), ""),
        (sasl("<mechanism>external</mechanism>"), ""),
        ("<mechanism xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>EXTERNAL</mechanism>".into(), ""),
        // Prosody knows dialback, but not its errors.
        ("<dialback xmlns='urn:xmpp:features:dialback'/>".into(), "dialback"),
        (
            "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>".into(),
            "dialback errors",
        ),
        ("<dialback xmlns='jabber:server:dialback'><errors/></dialback>".into(), ""),
        ("<errors xmlns='urn:xmpp:features:dialback'/>".into(), ""),
        // Either namespace will do: the draft has the element's where the feature's belongs.
        ("<bidi xmlns='urn:xmpp:features:bidi'/>".into(), "bidi"),
        ("<bidi xmlns='urn:xmpp:bidi'/>".into(), "bidi"),
        ("<dna xmlns='urn:x-ligase:dna:0' server='x.test'/>".into(), "dna"),
        (
            "<dna xmlns='urn:x-ligase:dna:0'><server-names/><later/></dna>".into(),
            "dna server-names",
        ),
        // Another protocol of the same name, and what only looks like ours.
        ("<dna xmlns='urn:xmpp:dna:0'><server-names/></dna>".into(), ""),
        ("<server-names xmlns='urn:x-ligase:dna:0'/>".into(), ""),
        ("<sm xmlns='urn:xmpp:sm:2'/><sm xmlns='urn:xmpp:sm:3'/>".into(), "sm"),
        ("<sm xmlns='urn:xmpp:sm:2'/>".into(), ""),
        // What we do not know, we do not need.
        ("<bidi xmlns='urn:x'/><x xmlns='urn:x'><required/></x>".into(), ""),
        (
            format!(
                "{TLS}<compression xmlns='http://jabber.org/features/compress'>\
                <method>zlib</method></compression>"
            ),
            "starttls",
        ),
    ] {
        assert_eq!(read(&children), expect, "{children}");
    }
}

#[test]
fn offers_are_written_as_they_are_read() {
    let server = "xmpp1.hosting.example".parse().unwrap();
    for start_tls in [None, Some(false), Some(true)] {
        for bits in 0..32 {
            let [external, bidi, dna, server_names, management] =
                [1, 2, 4, 8, 16].map(|bit| bits & bit != 0);
            let prooftypes = &[Prooftype::Dane, Prooftype::Posh];
            let told = Dna { server: &server, server_names, prooftypes };
            let xml =
                Offer { start_tls, external, bidi, management, dna: dna.then_some(told) }.to_xml();
            let expect = Features {
                start_tls: start_tls.is_some(),
                external,
                dialback: true,
                errors: true,
                bidi,
                dna,
                server_names: dna && server_names,
                management,
            };
            assert_eq!(Features::read(&element(&xml)), expect, "{xml}");
            assert_eq!(xml.contains("<required/>"), start_tls == Some(true), "{xml}");
            // K-02: no empty list of mechanisms.
            assert_eq!(xml.contains("<mechanisms"), external, "{xml}");
            // N13: nothing is ever compressed.
            assert!(!xml.contains("compress"), "{xml}");
            let hints = "<prooftype>dane</prooftype><prooftype>posh</prooftype></dna>";
            assert_eq!(xml.contains(hints), dna, "{xml}");
        }
    }
}

#[test]
fn both_directions_are_asked_for_as_the_standard_writes_it() {
    assert_eq!(request_bidi(false), "<bidi xmlns='urn:xmpp:bidi'/>");
    let told = "<bidi xmlns='urn:xmpp:bidi'><dna xmlns='urn:x-ligase:dna:0'/></bidi>";
    assert_eq!(request_bidi(true), told);
}
