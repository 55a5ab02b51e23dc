use super::*;

#[test]
fn a_stream_is_taken_apart() {
    let mut text = "<?xml version='1.0'?><stream:stream id='a>b'> \
                    <stream:features><a/><b></b></stream:features><m>x"
        .to_owned();
    let mut next = || split_first(&mut text);
    assert_eq!(next().unwrap(), "<?xml version='1.0'?>");
    assert_eq!(next().unwrap(), "<stream:stream id='a>b'>");
    assert_eq!(next().unwrap(), "<stream:features><a/><b></b></stream:features>");
    assert_eq!(next(), None);
    text.push_str("</m></stream:stream>");
    assert_eq!(split_first(&mut text).unwrap(), "<m>x</m>");
    assert_eq!(split_first(&mut text).unwrap(), "</stream:stream>");
}

#[test]
fn attributes_and_content_are_found() {
    let element = "<db:result to='r.lab' id=\"1\" from='l.lab'>key</db:result>";
    assert_eq!(attribute(element, "from"), Some("l.lab"));
    assert_eq!(attribute(element, "id"), Some("1"));
    assert_eq!(attribute(element, "type"), None);
    assert_eq!(content(element), "key");
    assert_eq!(content("<a/>"), "");
}
