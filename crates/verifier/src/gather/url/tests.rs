use super::*;

fn spell(url: Result<Url, InvalidUrl>) -> String {
    url.map_or_else(|it| format!("{it:?}"), |it| it.to_string())
}

#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(spell(Url::parse(text)), expect, "{text}");
}

#[test]
fn only_named_hosts_are_fetched_from_and_only_by_https() {
    check("https://a.test/x?y", "https://a.test/x?y");
    check("HTTPS://A.Test", "https://a.test/");
    check("https://a.test:8443/x", "https://a.test:8443/x");
    check("https://a.test:443/x", "https://a.test/x");
    for text in [
        "http://a.test/",
        "ftp://a.test/",
        "a.test",
        "/x",
        "",
        "https://",
        "https:///x",
        "https://u@a.test/",
        "https://u:p@a.test/",
        "https://a_b.test/",
        "https://a.test:x/",
        "https://a.test:65536/",
        "https://a.test:/",
        "https://a.test/\r\nHost: b.test",
        "https://a.test/ x",
        "https://bü.test/",
    ] {
        check(text, "Malformed");
    }
    check("https://127.0.0.1/", "Literal");
    check("https://[::1]/", "Literal");
    check("https://2130706433/", "Literal");
    check("https://0x7f.1/", "Malformed");
    check(&format!("https://a.test/{}", "x".repeat(URL_MAX)), "Malformed");
}

#[test]
fn a_redirect_may_be_to_another_path() {
    let from = Url::parse("https://a.test:8443/x/y").unwrap();
    assert_eq!(spell(from.join("/z?q")), "https://a.test:8443/z?q");
    assert_eq!(spell(from.join("//b.test/z")), "https://b.test/z");
    assert_eq!(spell(from.join("https://b.test/z")), "https://b.test/z");
    assert_eq!(spell(from.join("http://b.test/z")), "Malformed");
    assert_eq!(spell(from.join("/\t")), "Malformed");
    assert_eq!(spell(from.join("z")), "Malformed");
}
