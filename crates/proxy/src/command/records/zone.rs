//! Records as zone files have them (RFC 1035 §5), with everything else in comments.

use std::fmt::{Display, Write as _};
use std::path::Path;

use crate::posh;
use crate::published::{Published, Tenant, key_name, line, service_name};

/// The text to take the lines from for each zone. All names are whole.
pub(super) fn render(published: &Published) -> String {
    let mut text = Text::default();
    let name = published.server_name.ascii();
    text.comment(format_args!(
        "{name} is the target of all: it needs A or AAAA records, no CNAME."
    ));
    text.comment(
        "Its keys count only where its zone is signed (DNSSEC). Publish all of them: a peer",
    );
    text.comment("may be shown any, and a next key has to be known before it is used.");
    for port in &published.ports {
        for key in &published.keys {
            let chain = shown(&key.chain);
            let which = if key.is_next { "the key after that of" } else { "the key of" };
            text.comment(format_args!("{which} {chain}"));
            text.record(&key_name(*port, &published.server_name), "TLSA", &key.data());
        }
    }
    text.comment(format_args!(
        "POSH, if domains refer to it: {}",
        posh::url(&published.server_name)
    ));
    text.comment(&published.document);
    for tenant in &published.hosted {
        render_tenant(&mut text, published, tenant);
    }
    text.0
}

fn render_tenant(text: &mut Text, published: &Published, tenant: &Tenant) {
    let domain = &tenant.domain;
    let chain = shown(&tenant.certificate.chain);
    text.gap();
    text.comment(format_args!("{}, served with {chain}", domain.ascii()));
    if !tenant.certificate.is_for {
        text.comment("which does not name it: peers need the signed records or the POSH document.");
    }
    for service in &tenant.services {
        let name = service_name(service.service, domain);
        text.record(&name, "SRV", &service.data(&published.server_name));
    }
    text.comment(format_args!("POSH: {}", posh::url(domain)));
    text.comment(&tenant.document);
    if let Some(reference) = &tenant.reference {
        text.comment("or, in its place, a reference that never changes:");
        text.comment(reference);
    }
}

/// A path, which its owner may have called anything, on one line.
fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

/// Writing into it cannot fail.
#[derive(Default)]
struct Text(String);

impl Text {
    fn gap(&mut self) {
        self.0.push('\n');
    }

    fn comment(&mut self, text: impl Display) {
        let _ = writeln!(self.0, "; {text}");
    }

    fn record(&mut self, name: &str, kind: &str, data: &str) {
        let _ = writeln!(self.0, "{}", line(name, kind, data));
    }
}
