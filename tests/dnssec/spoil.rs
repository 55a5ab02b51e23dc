//! What goes wrong with signed zones. Each takes the zone, a record a line, and returns another.

/// Bends the signatures of the SRV records, of the TLSA records and of the addresses of `xmpp`,
/// but not of its IPv6 addresses.
pub(crate) fn bend_some(zone: &str) -> String {
    let is_meant = |line: &Line<'_>| {
        line.covers("SRV") || line.covers("TLSA") || line.is_at("xmpp") && line.covers("A")
    };
    each(zone, |line| Some(if is_meant(line) { line.bent() } else { line.text.to_owned() }))
}

/// Bends the signature of the keys.
pub(crate) fn bend_the_keys(zone: &str) -> String {
    each(zone, |it| Some(if it.covers("DNSKEY") { it.bent() } else { it.text.to_owned() }))
}

/// Bends the signatures of whatever denies.
pub(crate) fn bend_denials(zone: &str) -> String {
    let is_meant = |it: &Line<'_>| it.covers("NSEC") || it.covers("NSEC3");
    each(zone, |it| Some(if is_meant(it) { it.bent() } else { it.text.to_owned() }))
}

/// Takes away the signatures of TLSA records and IPv6 addresses.
pub(crate) fn strip_some(zone: &str) -> String {
    let is_meant = |it: &Line<'_>| it.covers("TLSA") || it.covers("AAAA");
    each(zone, |it| (!is_meant(it)).then(|| it.text.to_owned()))
}

/// Takes away all signatures but those of the keys.
pub(crate) fn strip_all_but_keys(zone: &str) -> String {
    each(zone, |it| (it.kind != "RRSIG" || it.covers("DNSKEY")).then(|| it.text.to_owned()))
}

/// Takes away whatever denies.
pub(crate) fn drop_denials(zone: &str) -> String {
    let is_meant = |it: &Line<'_>| it.kind == "NSEC" || it.covers("NSEC");
    each(zone, |it| (!is_meant(it)).then(|| it.text.to_owned()))
}

/// One record: `owner ttl IN type data…`.
struct Line<'a> {
    text: &'a str,
    owner: &'a str,
    kind: &'a str,
    covered: &'a str,
}

impl Line<'_> {
    fn covers(&self, kind: &str) -> bool {
        self.kind == "RRSIG" && self.covered == kind
    }

    fn is_at(&self, label: &str) -> bool {
        self.owner.split('.').next() == Some(label)
    }

    /// The same signature, but for one character.
    fn bent(&self) -> String {
        let at = self.text.len() - 12;
        let (head, tail) = self.text.split_at(at);
        let bent = if tail.starts_with('A') { 'B' } else { 'A' };
        format!("{head}{bent}{}", &tail[1..])
    }
}

fn each(zone: &str, keep: impl Fn(&Line<'_>) -> Option<String>) -> String {
    let mut kept = String::new();
    for text in zone.lines() {
        let mut words = text.split_whitespace();
        let owner = words.next().unwrap_or_default();
        let kind = words.nth(2).unwrap_or_default();
        let covered = words.next().unwrap_or_default();
        kept.extend(keep(&Line { text, owner, kind, covered }));
        kept.push('\n');
    }
    kept
}
