use super::{domains, lines};

fn read(text: &str) -> Vec<String> {
    lines(text.as_bytes()).unwrap()
}

#[test]
fn a_file_has_a_domain_a_line() {
    assert_eq!(
        read("a.example\n\n  b.example  \r\n# c.example\nd.example # d"),
        ["a.example", "b.example", "d.example"]
    );
    assert_eq!(read(""), [""; 0]);
    assert!(lines(&b"\xff\xfe"[..]).is_err());
}

#[test]
fn each_domain_is_asked_about_once() {
    let named = ["a.example", "b.example", "A.Example"].map(str::to_owned);
    assert_eq!(domains(&named, None).unwrap(), ["a.example", "b.example"]);
}

#[test]
fn no_domain_is_no_success() {
    assert!(domains(&[], None).is_err());
    let missing = std::path::Path::new("no-such-file");
    let problem = domains(&["a.example".to_owned()], Some(missing)).unwrap_err();
    assert!(problem.starts_with("cannot read no-such-file: "), "{problem}");
}
