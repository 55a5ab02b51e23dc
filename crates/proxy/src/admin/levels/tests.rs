use super::order;

/// The order, or what is wrong, in a line.
#[track_caller]
fn check(query: &str, expect: &str) {
    let found = match order(query) {
        Ok(it) => {
            let seconds = it.lasts.map(|it| it.as_secs());
            format!("{} {:?} {seconds:?}", it.level.as_str(), it.target)
        }
        Err(problem) => problem.to_string(),
    };
    assert_eq!(found, expect, "{query}");
}

#[test]
fn what_is_to_be_logged_is_read() {
    check("level=debug", "debug None None");
    check("level=trace&target=rustls", "trace Some(\"rustls\") None");
    check(
        "seconds=86400&level=debug&target=ligase::stream",
        "debug Some(\"ligase::stream\") Some(86400)",
    );
    check("level=error&seconds=1&", "error None Some(1)");
}

#[test]
fn what_cannot_be_ordered_is_refused_with_a_cure() {
    let level = "level: write one of error, warn, info, debug, trace";
    for query in ["", "seconds=5", "level=", "level=loud", "level=DEBUG"] {
        check(query, level);
    }
    let target = "target: write one of ligase, ligase::admin, ligase::app, ligase::binding, \
                  ligase::capture, ligase::connection, ligase::establish, ligase::net, \
                  ligase::stream, ligase::verifier, rustls";
    for query in ["level=debug&target=", "target=hickory_proto", "target=ligase%3A%3Astream"] {
        check(query, target);
    }
    let seconds = "seconds: write a whole number from 1 to 86400";
    for query in ["level=debug&seconds=0", "seconds=86401", "seconds=-1", "seconds=5s"] {
        check(query, seconds);
    }
    check("level=debug&level=info", "a key is there twice: write each once");
    let unknown = "unknown key: write level=LEVEL, target=TARGET, seconds=N";
    for query in ["level=debug&x", "x=1&level=debug", "level"] {
        check(query, unknown);
    }
}
