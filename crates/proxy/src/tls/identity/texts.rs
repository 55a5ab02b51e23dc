use std::fs::File;
use std::io::Read;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

use super::{Error, FILE_MAX, Files, Problem};

/// Of all files together, as they were read.
pub(super) type Digest = [u8; 32];

/// What all files say, and the digest of that.
pub(super) struct Texts {
    /// The chain and the key of each.
    pub(super) pairs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) digest: Digest,
}

impl Texts {
    pub(super) fn read(files: &[Files]) -> Result<Self, Error> {
        let mut context = Context::new(&SHA256);
        let mut pairs = Vec::with_capacity(files.len());
        for files in files {
            let pair = (read(&files.chain)?, read(&files.key)?);
            for (path, text) in [(&files.chain, &pair.0), (&files.key, &pair.1)] {
                // Lengths and paths as well: what moves from one file to another has changed.
                context.update(path.as_os_str().as_encoded_bytes());
                context.update(&[0]);
                context.update(&(text.len() as u64).to_be_bytes());
                context.update(text);
            }
            pairs.push(pair);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        Ok(Self { pairs, digest })
    }
}

/// A file's content, if there is no more than [`FILE_MAX`] of it.
pub(in crate::tls) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut text))
        .map_err(|error| Problem::Unreadable(error.kind()).of(path))?;
    if FILE_MAX < text.len() as u64 {
        return Err(Problem::TooLong.of(path));
    }
    Ok(text)
}
