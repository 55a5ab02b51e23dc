use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use zeroize::Zeroizing;

use super::{Error, FILE_MAX, Files, Problem};

/// Of all files together, as they were read.
pub(super) type Digest = [u8; 32];

/// What a file says, which may be a private key.
pub(in crate::tls) type Text = Zeroizing<Vec<u8>>;

/// What all files say, and the digest of that.
pub(super) struct Texts {
    /// The chain and the key of each.
    pub(super) pairs: Vec<(Text, Text)>,
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
pub(in crate::tls) fn read(path: &Path) -> Result<Text, Error> {
    let unreadable = |error: io::Error| Problem::Unreadable(error.kind()).of(path);
    let file = File::open(path).map_err(unreadable)?;
    // With room for all of it no copy is left behind where it grew.
    let size = file.metadata().map_or(0, |it| it.len()).min(FILE_MAX);
    let mut text = Text::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1));
    file.take(FILE_MAX + 1).read_to_end(&mut text).map_err(unreadable)?;
    if FILE_MAX < text.len() as u64 {
        return Err(Problem::TooLong.of(path));
    }
    Ok(text)
}
