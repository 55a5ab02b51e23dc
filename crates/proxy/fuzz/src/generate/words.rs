//! What streams are made of. What is odd breaks a rule, or is something that readers of XML are
//! known to have differed about.

pub(super) const STREAMS: &str = "http://etherx.jabber.org/streams";

/// Names of the stream, and their prefixes.
pub(super) const ROOTS: [(&str, &str); 5] = [
    ("stream:stream", "stream"),
    ("stream:stream", "stream"),
    ("stream:stream", "stream"),
    ("s:stream", "s"),
    ("stream", ""),
];

pub(super) const DECLARATIONS: [&str; 6] = [
    "<?xml version='1.0'?>",
    "<?xml version='1.0'?>",
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>",
    "<?xml version = '1.0'\tstandalone= 'no'?>",
    "<?xml  version='1.0'\r\n  encoding='Utf-8'?>\n",
];

pub(super) const ODD_DECLARATIONS: [&str; 20] = [
    "<?xml version='1.1'?>",
    "<?xml version='1.0' encoding='ISO-8859-1'?>",
    "<?xml version='1.0' encoding='UTF-16'?>",
    "<?xml version='1.0' encoding='US-ASCII'?>",
    "<?xml version='1.0' encoding=''?>",
    "<?xml version='1.0' standalone='maybe'?>",
    "<?xml version='1.0' standalone='yes' encoding='utf-8'?>",
    "<?xml encoding='utf-8'?>",
    "<?xml version='1.0'encoding='utf-8'?>",
    "<?xml version='1.0' version='1.0'?>",
    "<?xml version='1.0' more='less'?>",
    "<?xml version=1.0?>",
    "<?XML version='1.0'?>",
    "<?xml?>",
    "<?xml version='1.0'>",
    "<?xml-stylesheet href='u'?>",
    " <?xml version='1.0'?>",
    "<?xml version='1.0'?><?xml version='1.0'?>",
    "<!DOCTYPE stream [<!ENTITY e 'expanded'>]>",
    "<!-- a comment -->",
];

pub(super) const SPACES: [&str; 7] = [" ", "\n", "\t", "\r\n", "  ", " \n\t ", "\r"];

/// What stands between elements and must not.
pub(super) const STRAY: [&str; 9] = [
    "text",
    "&#32;",
    "&lt;",
    "<![CDATA[ ]]>",
    "<!-- a comment -->",
    "<?target data?>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE x>",
    "</stray>",
];

pub(super) const PREFIXES: [&str; 8] = ["p", "q", "e", "db", "x1", "é", "a-b", "xm"];

pub(super) const HEADER_NAMESPACES: [&str; 8] = [
    "jabber:server:dialback",
    "urn:e",
    "urn:e",
    "jabber:server",
    "jabber:client",
    "it's",
    "urn:é:一",
    "a b",
];

pub(super) const INNER_NAMESPACES: [&str; 9] = [
    "u",
    "urn:e",
    "jabber:client",
    "jabber:server",
    "jabber:component:accept",
    "http://etherx.jabber.org/streams",
    "urn:xmpp:delay",
    "say \"it\"",
    "a>b",
];

pub(super) const ODD_NAMESPACES: [&str; 14] = [
    "",
    "http://www.w3.org/XML/1998/namespace",
    "http://www.w3.org/2000/xmlns/",
    "jabber:server&#10;message",
    "jabber:server\nmessage",
    "jabber:server&#x1;message",
    "jabber:server\u{1}message",
    "u&amp;v",
    "u&#9;v",
    "u\tv",
    "u\u{7f}v",
    "u<v",
    "&e;",
    "jabber:server&#xA;",
];

pub(super) const LANGUAGES: [&str; 6] = ["en", "de", "zh-Hant-TW", "", "x'y", "a&lt;b"];

pub(super) const HEADER_ATTRIBUTES: [(&str, &[&str]); 4] = [
    ("from", &["a.test", "A.Test", "é.test", ""]),
    ("to", &["b.test", "b.test."]),
    ("id", &["s1", "s&apos;2", "é"]),
    ("version", &["1.0", "0.9", "1"]),
];

pub(super) const KINDS: [&str; 3] = ["message", "presence", "iq"];

/// Most stanzas are between these; a stream remembers how it spelled them last.
pub(super) const DOMAINS: [&str; 6] =
    ["a.test", "b.test", "c.b.test", "A.test", "é.test", "b.test."];

pub(super) const ADDRESSES: [&str; 14] = [
    "u@a.test",
    "u@b.test/r",
    "u@b.test/It's",
    "b.test/a/b@c",
    "U.v+w@B.TEST/R &lt;&gt;",
    "&#x75;@&#98;.test",
    "u@b&#46;test",
    "ü@xn--9ca.test/é",
    "u@É.test/\u{1F600}",
    "u@b.test/&quot;&apos;&amp;",
    "u@b.test./x",
    "b.test/ ",
    "u@a.test/\u{a0}\u{ad}",
    "u@b.test/&#x1F600;",
];

pub(super) const ODD_ADDRESSES: [&str; 22] = [
    "",
    "@b.test",
    "u@",
    "u@b.test/",
    "/r",
    "u@v@b.test",
    "b_c.test",
    "b..test",
    "faß.test",
    "βόλος.test",
    "b\u{2024}test",
    "\u{ff42}.test",
    "b\u{ad}.test",
    "192.0.2.1",
    "[::1]",
    "u v@b.test",
    "u&apos;v@b.test",
    "u@b.test/a\nb",
    "u@b.test/a&#10;b",
    "u@b.test\u{0}",
    "xn--zca.test",
    "xn--a.test",
];

pub(super) const TYPES: [&str; 7] =
    ["chat", "error", "result", "get", "&#101;rror", "groupchat", "unavailable"];

pub(super) const IDS: [&str; 6] = ["1", "a&amp;b", "\u{1F600}", "it's", "x\ty", "&#xA;"];

pub(super) const NAMES: [&str; 16] = [
    "body", "x", "query", "item", "a", "error", "b-c", "d.e", "f_g", "é", "一", "ж1", "message",
    "stream", "_", "À·",
];

pub(super) const ODD_NAMES: [&str; 18] = [
    "", "1a", "-a", ".a", "a:b:c", ":a", "a:", "a b", "×", "a×", "\u{300}a", "Ⰰ", "𐀀", "a;b",
    "a,b", "xmlns:a", "xml:a", "a\u{37e}",
];

pub(super) const ATTRIBUTES: [&str; 8] =
    ["k", "l", "xml:lang", "xml:space", "node", "é", "a.b-c", "var"];

pub(super) const ODD_ATTRIBUTES: [&str; 19] = [
    " k='1' k='2'",
    " from='a.test' from='m.test'",
    " xmlns='u' xmlns='u'",
    " xmlns:p='u' xmlns:q='u' p:k='1' q:k='2'",
    " undeclared:k='1'",
    " xmlns:xml='u'",
    " xmlns:xmlns='u'",
    " xmlns:p=''",
    " k",
    " k=",
    " k=v",
    " k='<'",
    " k='&e;'",
    " k='&#0;'",
    " k='a'l='b'",
    " k='a\" l=\"b'",
    " :k='1'",
    " k:='1'",
    " xmlns:p='u' p:from='a.test'",
];

pub(super) const VALUES: [&str; 12] = [
    "",
    "v",
    "a > b",
    "é 一 \u{1F600}",
    "&lt;&gt;&amp;&quot;&apos;",
    "&#65;&#x42;&#x1F600;",
    "it's",
    "say \"it\"",
    "a\tb\nc\r\nd\re",
    "&#9;&#10;&#13;&#32;",
    "]]>",
    "\u{7f}\u{85}\u{2028}\u{fffd}",
];

pub(super) const CONTENTS: [&str; 22] = [
    "text",
    " ",
    "\r\n\t",
    "a > b",
    "é 一 \u{1F600}\u{1F468}\u{200D}\u{1F469}",
    "&lt;not a tag&gt;",
    "&amp;&quot;&apos;",
    "&#65;&#x42;&#x1F600;",
    "&#9;&#10;&#13;",
    "]] ]&gt; ]]&gt;",
    "]",
    "<![CDATA[]]>",
    "<![CDATA[<message from='m.test'/>]]>",
    "<![CDATA[]] ]>&amp;]]>",
    "<![CDATA[]]]]><![CDATA[>]]>",
    "\u{85}\u{2028}\u{fffd}\u{e000}",
    "\u{10ffff}\u{1fffe}",
    "a\rb",
    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=",
    "&#x0000041;",
    "\u{7f}",
    "it's \"so\"",
];

pub(super) const ODD_CONTENTS: [&[u8]; 41] = [
    b"]]>",
    b"&e;",
    b"&nbsp;",
    b"&",
    b"&;",
    b"& ;",
    b"&lt",
    b"&LT;",
    b"&#0;",
    b"&#1;",
    b"&#xB;",
    b"&#xD800;",
    b"&#xFFFE;",
    b"&#xFFFF;",
    b"&#x110000;",
    b"&#X41;",
    b"&#+65;",
    b"&#65",
    b"&#;",
    b"&#x;",
    b"&#00000000000000000065;",
    b"<!-- a comment -->",
    b"<!---->",
    b"<!-",
    b"<?target data?>",
    b"<!DOCTYPE x>",
    b"<!ELEMENT x ANY>",
    b"<![cdata[x]]>",
    b"<![IGNORE[x]]>",
    b"<",
    b"<>",
    b"</>",
    b"\xff",
    b"\xc0\x80",
    b"\xc0\xbc",
    b"\xe0\x80\xbc",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbf\xbe",
    b"\xe2\x82",
    b"\x00",
];

/// Elements of the first level that are no stanzas.
pub(super) const FIRST_LEVEL: [&str; 18] = [
    "<db:result xmlns:db='jabber:server:dialback' from='a.test' to='b.test'> 0a </db:result>",
    "<d:verify xmlns:d='jabber:server:dialback' from='a.test' to='b.test' id='1' type='valid'/>",
    "<result xmlns='jabber:server:dialback' from='a.test' to='b.test' type='error'><error \
     xmlns='jabber:server'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></result>",
    "<f:features xmlns:f='http://etherx.jabber.org/streams'><starttls \
     xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><mechanisms \
     xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>\
     </f:features>",
    "<e:error xmlns:e='http://etherx.jabber.org/streams'><host-unknown \
     xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></e:error>",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "<proceed xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\" />",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
    "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'></success>",
    "<enable xmlns='urn:xmpp:sm:3'/>",
    "<a xmlns='urn:xmpp:sm:3' h='1'/>",
    "<r xmlns='urn:xmpp:sm:3'/>",
    "<bidi xmlns='urn:xmpp:bidi'/>",
    "<message xmlns='jabber:client' from='a.test' to='b.test'/>",
    "<m:message xmlns:m='jabber:server' from='a.test' to='b.test'/>",
    "<message from='a.test' to='b.test' xmlns='jabber:server'><message xmlns='jabber:client'/>\
     <n:n xmlns:n='u'><n:n xmlns:n='v' n:n=''/></n:n></message>",
    "<x xmlns=''><y xmlns='u'><z xmlns=''/></y></x>",
    "<s:stream xmlns:s='http://etherx.jabber.org/streams' from='m.test' to='b.test'/>",
];

/// Bytes that matter to some reader.
pub(super) const STINGS: [u8; 24] = *b"<>&'\"/=:;!?[]-# \t\n\r\x00\x01\x0b\xc3\xff";

/// What a stream may be damaged by.
pub(super) const PIECES: [&[u8]; 24] = [
    b"<",
    b">",
    b"/>",
    b"</",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?",
    b"?>",
    b"&#",
    b"&lt;",
    b"'",
    b"\"",
    b" xmlns='u'",
    b" xmlns:p='v'",
    b"<message from='m.test' to='b.test'/>",
    b"</message>",
    b"</stream:stream>",
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:server'>",
    b"\xc0\xbc",
    b"\xeb\x3c\x3e",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
];
