//! Flood: names that strangers may choose to do harm with, as many as one likes.

/// The name with this number, unlike any other: one that a domain may have, or text that would pass
/// for a line of a log, a field, a label or a terminal's orders if it were written as it is.
pub fn name(number: u64) -> String {
    if number % 97 == 96 {
        return format!("{number}{}", "A".repeat(200 << 10));
    }
    match number % 10 {
        0 => format!("n{number}.flood.lab"),
        1 => format!("\n{{\"level\":\"ERROR\",\"message\":\"{FORGED} {number}\"}}\n"),
        2 => format!("\u{1b}[2J\u{1b}]0;{FORGED}\u{7}{number}"),
        3 => format!("\u{202e}{number}\u{9b}31m\u{85}{FORGED}\u{2028}"),
        4 => format!("{number}{}", "A".repeat(3_000)),
        5 => format!("{number} reason={FORGED} level=ERROR"),
        6 => format!("{number}\",\"{FORGED}\":\"yes"),
        7 => format!("fa\u{df}{number}.flood.lab"),
        8 => format!("{number}\"}} 1\n{FORGED}{{number=\"{number}"),
        _ => format!("u{number}@{number}.flood.lab/{number}"),
    }
}

/// What would stand for itself in a log or among metrics if a name got through as it is.
pub const FORGED: &str = "forged";
