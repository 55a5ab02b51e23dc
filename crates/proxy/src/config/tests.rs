use std::path::Path;

use super::Config;
use super::Overrides;

/// The least that can be written.
const LEAST: &str = "\
server_name: xmpp1.hosting.example
hosts: [montague.example]
certificates: [{chain: tls.crt, key: tls.key}]
";

fn parse(text: &str) -> Result<Config, Vec<String>> {
    Config::parse(text, Path::new("/etc/ligase"), &Overrides::default())
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

#[test]
fn the_least_is_enough() {
    let config = parse(LEAST).unwrap();
    assert_eq!(config.server_name.as_str(), "xmpp1.hosting.example");
}
