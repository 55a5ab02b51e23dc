//! Golden: what came out, beside what came out before.

use std::env;
use std::fs;
use std::path::PathBuf;

use ligase_tests::OrFail;

use crate::manifest::root;

/// Holds `text` to what the file says, or has the file say so where that is asked for.
#[track_caller]
pub(crate) fn hold(path: &str, text: &str) {
    let file: PathBuf = root().join(path);
    if env::var_os(WRITE).is_some_and(|it| it == "write") {
        fs::write(&file, text).or_fail(&format!("write {path}"));
        return;
    }
    let before = fs::read_to_string(&file).unwrap_or_default();
    let different = before.lines().zip(text.lines()).position(|(old, new)| old != new);
    let line = different.unwrap_or_else(|| before.lines().count().min(text.lines().count()));
    let near = |text: &str| text.lines().skip(line).take(5).collect::<Vec<_>>().join("\n");
    assert!(
        before == text,
        "{path} is not as it was, from line {} on. It was\n{}\nand is\n{}\nIf that is meant: {WRITE}=write tests/run.sh -p ligase-tests --test kubernetes",
        line + 1,
        near(&before),
        near(text),
    );
}

/// `write` has what comes out be what is expected.
const WRITE: &str = "LIGASE_TESTS_GOLDEN";
