//! The document shows what was said, in all but times, addresses and ports.

use super::told::Told;

pub(super) fn compare(told: &[Option<Told>]) {
    for it in told.iter().flatten() {
        println!("## {}\n{}\n{}\n{}\n", it.name, it.heard, it.log, it.text);
    }
}
