use ligase_verifier::{Answer, Data, Domain, Endpoint, Failure, Security, Transport};

use super::judgment::Ours;

/// Where a domain's SRV records lead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Lead {
    /// To us.
    Here(Here),
    /// To somebody else: this is the first place.
    Elsewhere(String),
    /// Nowhere: they say that the domain takes no part in federation.
    Declined,
    /// There are none.
    Absent,
    /// Their signatures do not hold.
    Bogus,
    /// They could not be looked up.
    Unknown,
}

/// The places of ours that a domain's SRV records name, and whether they name others besides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Here {
    pub(super) endpoints: Vec<Endpoint>,
    /// How TLS begins at the first place of somebody else, and the place.
    pub(super) elsewhere: Option<(Transport, String)>,
}

/// Finds out where SRV records lead: those for STARTTLS, and those for TLS from the first byte.
pub(super) fn lead(ours: &Ours, answers: &[Answer; 2]) -> Lead {
    if answers.contains(&Err(Failure::Bogus)) {
        return Lead::Bogus;
    }
    let [Ok(starttls), Ok(direct_tls)] = answers else {
        return Lead::Unknown;
    };
    let [plain, direct] = [ours.public.starttls, ours.public.direct_tls];
    let both = [(starttls, Transport::StartTls, plain), (direct_tls, Transport::DirectTls, direct)];
    let (mut endpoints, mut elsewhere) = (Vec::new(), None);
    for (records, transport, port_of_ours) in both {
        let secure = records.security == Security::Secure;
        for data in &records.data {
            let Data::Srv { port, target, .. } = data else {
                continue;
            };
            // Where nobody can know the port, any will do.
            let is_port = port_of_ours == 0 || port_of_ours == *port;
            match target.parse::<Domain>() {
                Ok(target) if is_port && ours.is_ours(&target) => {
                    endpoints.push(Endpoint { target, port: *port, transport, secure });
                }
                Ok(target) => {
                    let place = || format!("{}:{port}", target.ascii());
                    elsewhere.get_or_insert_with(|| (transport, place()));
                }
                Err(_) => (),
            }
        }
    }
    if !endpoints.is_empty() {
        return Lead::Here(Here { endpoints, elsewhere });
    }
    if let Some((_, place)) = elsewhere {
        return Lead::Elsewhere(place);
    }
    if !starttls.data.is_empty() || !direct_tls.data.is_empty() {
        return Lead::Declined;
    }
    if !matches!(plain, 0 | PORT) || ours.domain != ours.server_name {
        return Lead::Absent;
    }
    let (target, secure) = (ours.domain.clone(), starttls.security == Security::Secure);
    let endpoints = vec![Endpoint { target, port: PORT, transport: Transport::StartTls, secure }];
    Lead::Here(Here { endpoints, elsewhere: None })
}

/// The service whose SRV records lead to those who begin TLS so (RFC 6120 §3.2.1, XEP-0368).
pub(super) fn service(transport: Transport) -> &'static str {
    match transport {
        Transport::StartTls => "xmpp-server",
        Transport::DirectTls => "xmpps-server",
    }
}

/// Where servers look for each other when nobody tells them (RFC 6120 §3.2.2).
const PORT: u16 = 5269;
