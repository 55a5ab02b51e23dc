use super::*;
use crate::admin::answer::READS;

#[test]
fn every_block_of_the_page_may_run_and_nothing_else() {
    let page = "<style>a{}</style><script>one()</script><b></b><script>two()</script>";
    let expect = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; \
                  form-action 'none'; frame-ancestors 'none'; \
                  style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; \
                  script-src 'sha256-HR7iaask9daLMRRskMI++QeJtjWDOjyPA6lGzYGzKW4=' 'sha256-iMrPAWirDC2X0OhZzLsM2MRIWSmepJGI4r7D8ZlwBOw='";
    assert_eq!(policy(page), expect);
    let expect = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; \
                  form-action 'none'; frame-ancestors 'none'";
    assert_eq!(policy("<p onclick='x()'>"), expect);
    assert!(!policy(PAGE).contains("unsafe"));
}

/// What the policy would keep from working has no place on the page.
#[test]
fn the_page_is_made_of_what_its_policy_allows() {
    for name in ["style", "script"] {
        let (begun, whole) = (format!("<{name}"), format!("<{name}>"));
        assert_eq!(PAGE.matches(&begun).count(), PAGE.matches(&whole).count(), "{name}");
        assert_eq!(PAGE.matches(&whole).count(), blocks(PAGE, name).count(), "{name}");
    }
    for forbidden in [" style=", " onclick=", " onload=", " src=\"http", " href=\"http", "eval("] {
        assert!(!PAGE.contains(forbidden), "{forbidden}");
    }
}

/// What is shown is set as text, which no name gets out of.
#[test]
fn the_page_makes_no_markup_of_what_it_shows() {
    for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc"] {
        assert!(!PAGE.contains(forbidden), "{forbidden}");
    }
}

/// It comes over lines that are not well, to phones.
#[test]
fn the_page_is_small() {
    assert!(PAGE.len() < 60 * 1024, "{}", PAGE.len());
}

#[test]
fn the_page_leads_only_to_what_there_is() {
    // They are relative: what is before us may have put our paths below one of its own.
    let links = PAGE.split("href=\"").skip(1).filter_map(|it| it.split('"').next());
    let links: Vec<_> =
        links.filter(|it| !it.starts_with('#') && !it.starts_with("data:")).collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(READS.contains(&format!("/{link}").as_str()), "/{link}");
    }
}

#[test]
fn the_page_is_typed_kept_by_nobody_and_framed_by_nobody() {
    let response = page();
    let header = |name: &str| response.headers().get(name).and_then(|it| it.to_str().ok());
    assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    assert_eq!(header("referrer-policy"), Some("no-referrer"));
    assert_eq!(header("content-security-policy"), Some(policy(PAGE).as_str()));
}
