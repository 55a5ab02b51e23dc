use super::*;
use crate::tests::element;

fn read(xml: &str) -> Result<Option<Management>, StreamError> {
    Management::read(&element(xml))
}

#[test]
fn elements_are_read_as_they_are_written() {
    for it in [
        Management::Enable,
        Management::Enabled,
        Management::Failed,
        Management::Request,
        Management::Answer(0),
        Management::Answer(u32::MAX),
    ] {
        assert_eq!(read(&it.to_xml()), Ok(Some(it)));
    }
}

#[test]
fn what_is_more_than_we_need_is_ignored_and_what_is_none_is_refused() {
    let sm = "xmlns='urn:xmpp:sm:3'";
    let resumable = format!("<enabled {sm} id='x' resume='true'/>");
    assert_eq!(read(&resumable), Ok(Some(Management::Enabled)));
    assert_eq!(read(&format!("<resume {sm} h='1' previd='x'/>")), Ok(None));
    for wrong in ["", "h=''", "h='-1'", "h='4294967296'", "h='1.0'", "h='one'", "g='1'"] {
        let error = read(&format!("<a {sm} {wrong}/>")).unwrap_err();
        assert_eq!(error.condition, Condition::BadFormat, "{wrong}");
        assert_eq!(error.violation, Some(Violation::StreamManagementProtocol));
    }
}
