//! What an end of a stream can do that is no server: stand between two others, come back with a
//! session that somebody else's certificate began, and say what no TLS library says.

use serde_json::json;

use super::{Seen, Stream};
use crate::Certificate;

/// How two connections become one that somebody in the middle passes on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Join<'a> {
    /// The last words to the one who is nearer, before anything is passed on.
    pub last: &'a str,
    /// Which byte from there is spoilt, counted from the first that is passed on.
    pub spoil: Option<u64>,
    /// After how many bytes from there both are cut off.
    pub cut: Option<u64>,
}

impl Stream {
    /// Passes on all that comes on this connection to the other and back, till both have ended.
    pub fn join(&self, far: &Self, how: &Join<'_>) {
        self.shared.tell(json!({"do": "lend", "wire": far.number}));
        self.shared.tell(json!({
            "do": "join", "wire": self.number, "with": far.number, "text": how.last,
            "spoil": how.spoil, "cut": how.cut,
        }));
    }

    /// Shakes hands as the TLS client under a name of the session's own: whoever comes by that name
    /// again asks to go on with what was begun, with the certificate that was shown then.
    pub fn resume_tls(
        &self,
        session: &str,
        name: &str,
        certificate: &Certificate,
    ) -> Result<Seen, String> {
        let (chain, key) = (certificate.chain(), certificate.key());
        self.secure(json!({
            "as": "client", "name": name, "chain": chain, "key": key, "session": session
        }))
    }

    /// Shakes hands as a TLS client that knows no more than TLS 1.2.
    pub fn start_old_tls(&self, name: &str, certificate: &Certificate) -> Result<Seen, String> {
        let (chain, key) = (certificate.chain(), certificate.key());
        self.secure(
            json!({"as": "client", "name": name, "chain": chain, "key": key, "version": "1.2"}),
        )
    }

    /// Asks so often for another handshake within TLS 1.2 (RFC 5246 §7.4.1.1). Whatever comes then
    /// is told as `record KIND HEX`, a line each; only the end may follow.
    pub fn renegotiate(&self, times: u32) {
        self.shared.tell(json!({"do": "renegotiate", "wire": self.number, "times": times}));
    }
}
