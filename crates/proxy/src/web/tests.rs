use super::*;

#[test]
fn nobody_keeps_an_answer_or_takes_it_for_something_else() {
    for response in [respond(StatusCode::OK, JSON, "{}".into()), refuse(StatusCode::NOT_FOUND, "")]
    {
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    assert_eq!(respond(StatusCode::OK, JSON, "{}".into()).headers()[CONTENT_TYPE], JSON);
    assert_eq!(refuse(StatusCode::NOT_FOUND, "").headers()[CONTENT_TYPE], TEXT);
}

#[test]
fn methods_are_named_to_whom_used_another() {
    let refused = refuse(StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD");
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers()[ALLOW], "GET, HEAD");
    assert!(!refuse(StatusCode::FORBIDDEN, "GET, HEAD").headers().contains_key(ALLOW));
}
