//! All targets, fuzzed by libFuzzer: which one is said by `TARGET`.
//!
//! One program is built once and linked once, where one for each would take minutes.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ligase_fuzz::targets::{ALL, Target, find};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("TARGET").unwrap_or_default();
    find(&name).unwrap_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
        eprintln!("TARGET is one of {}", names.join(", "));
        std::process::exit(2);
    })
});

fuzz_target!(|input: &[u8]| (*TARGET)(input));
