//! What is fuzzed: each takes whatever bytes, and panics where something does not hold.

mod admin;
mod machines;
mod published;
mod table;
mod texts;
mod wires;
mod xml;

/// A function that reads what others write.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const ALL: [(&str, Target); 20] = [
    ("framer", xml::framer),
    ("header", xml::header),
    ("features", xml::features),
    ("dialback", xml::dialback),
    ("management", xml::management),
    ("receiving", machines::receiving),
    ("initiating", machines::initiating),
    ("open", machines::open),
    ("table", table::table),
    ("sasl", texts::sasl),
    ("keys", texts::keys),
    ("domain", texts::domain),
    ("config", texts::config),
    ("posh", published::posh),
    ("dns_data", published::dns_data),
    ("certificate", published::certificate),
    ("crl", published::crl),
    ("dns_message", wires::dns_message),
    ("proxy_protocol", wires::proxy_protocol),
    ("admin", admin::admin),
];

/// The target of this name.
pub fn find(name: &str) -> Option<Target> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}
