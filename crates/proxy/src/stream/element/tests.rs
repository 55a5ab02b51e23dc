use bytes::BytesMut;

use super::*;
use crate::stream::{Framer, Limits, Piece};

/// The first element behind a header that declares `db` and `e`.
fn raw(element: &str) -> Raw {
    let header = "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' \
        xmlns:e='urn:e' xmlns:stream='http://etherx.jabber.org/streams'>";
    let mut buffer = BytesMut::from(format!("{header}{element}").as_str());
    let mut framer = Framer::new(Limits { element: 262_144, depth: 128, attributes: 256 });
    assert!(matches!(framer.next(&mut buffer), Ok(Some(Piece::Header(_)))));
    match framer.next(&mut buffer) {
        Ok(Some(Piece::Element(raw))) => raw,
        other => panic!("no element: {other:?}"),
    }
}

fn read(element: &str) -> Element {
    Element::read(&raw(element)).unwrap()
}

/// Writes an element in one fixed way, so that it can be compared at a glance.
fn show(element: &Element) -> String {
    let mut text = format!("({}|{}", element.namespace, element.name);
    for (name, value) in &element.attributes {
        text += &format!(" {name}={value:?}");
    }
    for child in &element.children {
        text += " ";
        match child {
            Node::Element(element) => text += &show(element),
            Node::Text(characters) => text += &format!("{characters:?}"),
        }
    }
    text + ")"
}

#[track_caller]
fn check(element: &str, expect: &str) {
    assert_eq!(show(&read(element)), expect);
}

#[test]
fn names_are_resolved_by_the_element_and_by_its_stream() {
    check("<a/>", "(jabber:server|a)");
    check("<db:result/>", "(jabber:server:dialback|result)");
    check("<a xmlns=''/>", "(|a)");
    check("<a xmlns='urn:a'><b/></a>", "(urn:a|a (urn:a|b))");
    check("<a><b xmlns='urn:b'/><c/></a>", "(jabber:server|a (urn:b|b) (jabber:server|c))");
    check("<e:a xmlns:e='urn:other'><e:b/></e:a>", "(urn:other|a (urn:other|b))");
    check("<a><e:b xmlns:e='v'/><e:c/></a>", "(jabber:server|a (v|b) (urn:e|c))");
    check("<xml:a/>", "(http://www.w3.org/XML/1998/namespace|a)");
}

#[test]
fn attributes_are_resolved_and_declarations_are_not_among_them() {
    check(
        "<a b='1' xmlns:x='urn:x' x:b='2' e:c='3'/>",
        "(jabber:server|a b=\"1\" {urn:x}b=\"2\" {urn:e}c=\"3\")",
    );
    check(
        "<a xml:lang='en'/>",
        "(jabber:server|a {http://www.w3.org/XML/1998/namespace}lang=\"en\")",
    );
}

#[test]
fn values_are_as_an_application_sees_them() {
    check("<a b='&lt;&#65;&#x42;&amp;lt;&#10;'/>", r#"(jabber:server|a b="<AB&lt;\n")"#);
    check("<a b='1\t2\n3\r\n4\r5'/>", r#"(jabber:server|a b="1 2 3 4 5")"#);
    check("<a>&lt;&#65;<![CDATA[&lt;]]>x</a>", r#"(jabber:server|a "<A&lt;x")"#);
    check("<a>1\r\n2\r3\n4&#13;</a>", r#"(jabber:server|a "1\n2\n3\n4\r")"#);
    check("<a>x<b/>y</a>", r#"(jabber:server|a "x" (jabber:server|b) "y")"#);
    check("<a><![CDATA[]]></a>", "(jabber:server|a)");
}

#[test]
fn parts_are_found_by_namespace_and_name() {
    let element = read("<a k='v'>1<b xmlns='u'>x</b>2<b>y</b></a>");
    assert!(element.is("jabber:server", "a"));
    assert_eq!(element.attribute("k"), Some("v"));
    assert_eq!(element.attribute("l"), None);
    assert_eq!(element.text(), "12");
    assert_eq!(element.child("u", "b").unwrap().text(), "x");
    assert_eq!(element.child("jabber:server", "b").unwrap().text(), "y");
    assert_eq!(element.child("v", "b"), None);
    assert_eq!(element.elements().count(), 2);
}

#[test]
fn an_element_of_many_parts_is_refused() {
    let parts = |count| format!("<a>{}</a>", "<b></b>".repeat(count));
    assert_eq!(read(&parts(NODES_MAX - 1)).children.len(), NODES_MAX - 1);
    let error = Element::read(&raw(&parts(NODES_MAX))).unwrap_err();
    assert_eq!(error.condition, Condition::PolicyViolation);
    assert_eq!(error.violation, Some(Violation::XmlTooBig));
}

#[test]
fn the_deepest_element_is_read() {
    let deep = format!("{}{}", "<a>".repeat(128), "</a>".repeat(128));
    let mut depth = 0;
    let mut element = read(&deep);
    while let Some(Node::Element(child)) = element.children.pop() {
        depth += 1;
        element = child;
    }
    assert_eq!(depth, 127);
}

/// Were the framer ever to let one of these through by mistake, it would get no further.
#[test]
fn what_the_framer_never_passes_is_refused_here_too() {
    let never: [&[u8]; 17] = [
        b"<a><!-- b --></a>",
        b"<a><?b?></a>",
        b"<?xml version='1.0'?><a/>",
        b"<!DOCTYPE a><a/>",
        b"</a>",
        b"<a></b>",
        b"<a>",
        b"",
        b"a",
        b"&lt;",
        b"<![CDATA[a]]>",
        b"<a>&b;</a>",
        b"<a>&#xD800;</a>",
        b"<p:a/>",
        b"<a p:b=''/>",
        b"<a b='&c;'/>",
        b"<a>\xff</a>",
    ];
    for bytes in never {
        let shown = bytes.escape_ascii();
        let Err(error) = Element::read(&Raw::unchecked(bytes)) else {
            panic!("{shown} is read");
        };
        assert_eq!(error.condition, Condition::NotWellFormed, "{shown}");
    }
}
