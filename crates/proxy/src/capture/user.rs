//! Whom the packet filter takes us for.

/// The user whose sockets ours are, by number; `None` where the system will not say.
pub fn ours() -> Option<u32> {
    of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The last of the four is the one that a socket belongs to: real, effective, saved, and that for
/// file systems (proc(5)).
fn of(status: &str) -> Option<u32> {
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests;
