use std::fmt;

/// Why the demo cannot go on, in words for whoever watches it.
#[derive(Debug)]
pub(super) struct Trouble(String);

/// What may end in trouble.
pub(super) type Result<T> = std::result::Result<T, Trouble>;

impl Trouble {
    /// Trouble of which there is no more to say.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says what was being done when something failed.
pub(super) trait While<T> {
    /// `doing` reads on from "cannot".
    fn or_trouble(self, doing: &str) -> Result<T>;
}

impl<T, E: fmt::Display> While<T> for std::result::Result<T, E> {
    fn or_trouble(self, doing: &str) -> Result<T> {
        self.map_err(|error| Trouble(format!("cannot {doing}: {error}")))
    }
}
