use super::*;

#[track_caller]
fn check(query: &str, expect: &str) {
    let found = match pair(query) {
        Ok((local, remote)) => format!("{local} and {remote}"),
        Err(problem) => {
            let text = problem.to_string();
            let (said, hint) = text.split_once("; ").unwrap();
            assert_eq!(hint, "ask for /explain?local=DOMAIN&remote=DOMAIN");
            said.to_owned()
        }
    };
    assert_eq!(found, expect, "{query:.80}");
}

#[test]
fn a_pair_is_read_in_any_order_and_spelling() {
    check("local=a.example&remote=b.example", "a.example and b.example");
    check("remote=B.example.&local=A.EXAMPLE", "a.example and b.example");
    check("&local=a.example&&remote=b.example&", "a.example and b.example");
    check("local=%61.example&remote=b%c3%BCcher.example", "a.example and bücher.example");
    check("local=a.example&remote=xn--bcher-kva.example", "a.example and bücher.example");
}

#[test]
fn what_is_no_pair_is_told_without_being_repeated() {
    check("", "local: is missing");
    check("local=a.example", "remote: is missing");
    check("remote=a.example", "local: is missing");
    check("local=a.example&local=b.example", "local: is there twice");
    check("local=a.example&remote=b.example&remote=b.example", "remote: is there twice");
    check("local=a.example&remote=b.example&x=1", "there are no other keys than local and remote");
    check("local", "there are no other keys than local and remote");
    check("peer=b.example", "there are no other keys than local and remote");
    for value in [
        "",
        "192.0.2.1",
        "a..b",
        "a b.example",
        "a+b.example",
        "user@b.example",
        "%",
        "%6",
        "%zz",
        "%ff.example",
        "%0d%0aSet-Cookie:x",
        "%00",
        "<script>alert(1)</script>",
        "%3Cscript%3E",
        "fa%C3%9F.example",
        &"a.".repeat(128),
        &"a".repeat(10_000),
    ] {
        check(&format!("local=a.example&remote={value}"), "remote: is not a domain name");
        check(&format!("remote=a.example&local={value}"), "local: is not a domain name");
    }
}

#[test]
fn a_peer_is_read_alone() {
    let said = |query| peer(query).map(|it| it.to_string()).map_err(|it| it.to_string());
    assert_eq!(said("remote=B%2Eexample").unwrap(), "b.example");
    for (query, expect) in [
        ("", "remote: is missing; ask for /retry?remote=DOMAIN"),
        ("remote=a..b", "remote: is not a domain name; ask for /retry?remote=DOMAIN"),
        ("local=a.example", "there are no other keys than remote; ask for /retry?remote=DOMAIN"),
    ] {
        assert_eq!(said(query).unwrap_err(), expect);
    }
}
