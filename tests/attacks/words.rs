//! Words: all that the lines of a case may begin with, by the room that knows what they mean.

use crate::case::Case;
use crate::{
    admin, begin, called, crowd, figures, heard, hello, house, middle, openssl, oracle, proof,
    revoked, said, server, sites, terms, throng, zones,
};

/// A word, and what reads the rest of its line into a case.
pub(crate) type Word = (&'static str, Reads);

/// Adds to a case what a line says; an error tells what is wrong with the line.
pub(crate) type Reads = fn(&mut Case, &str) -> Result<(), String>;

/// Every room that knows words. A word belongs to one room only.
const ROOMS: [&[Word]; 19] = [
    &terms::WORDS,
    &begin::WORDS,
    &said::WORDS,
    &heard::WORDS,
    &called::WORDS,
    &crowd::WORDS,
    &zones::WORDS,
    &sites::WORDS,
    &server::WORDS,
    &throng::WORDS,
    &figures::WORDS,
    &house::WORDS,
    &admin::WORDS,
    &oracle::WORDS,
    &proof::WORDS,
    &hello::WORDS,
    &openssl::WORDS,
    &middle::WORDS,
    &revoked::WORDS,
];

/// What reads the lines that begin with this word.
pub(crate) fn reads(word: &str) -> Option<Reads> {
    let mut known = ROOMS.iter().copied().flatten();
    known.find(|(name, _)| *name == word).map(|(_, reads)| *reads)
}
