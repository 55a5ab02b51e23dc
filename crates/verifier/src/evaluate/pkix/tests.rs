use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyIdMethod, KeyUsagePurpose, NameConstraints, RevokedCertParams,
    SerialNumber,
};

use super::*;
use crate::evaluate::evaluate;
use crate::evidence::{Evidence, Published, Tlsa, TlsaAt};
use crate::mint::{self, Authority, common_name, day, domain, now, seconds, self_signed};
use crate::{Endpoint, Prooftype, Request, Role, Transport, Verdict};

/// A root that we trust, an authority below it, and no evidence but what the tests add.
struct World {
    root: Authority,
    authority: Authority,
}

impl World {
    fn new() -> Self {
        let root = Authority::root("Root");
        let authority = root.authority("Authority", |_| ());
        Self { root, authority }
    }

    /// A chain with everything in order but what `change` does to the leaf.
    fn chain(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Vec<CertificateDer<'static>> {
        vec![self.authority.leaf(names, change), self.authority.certificate.clone()]
    }

    fn terms(&self) -> Terms {
        Terms {
            prooftypes: vec![Prooftype::Pkix],
            tlsa_usages: Vec::new(),
            roots: Roots::new(vec![self.root.certificate.clone()]),
        }
    }

    #[track_caller]
    fn check(&self, request: &Request, expect: &str) {
        assert_eq!(outcome(&evaluate(request, &unpublished(), &self.terms())), expect);
    }

    /// Checks a leaf of the authority, for `v.test`.
    #[track_caller]
    fn check_leaf(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
        expect: &str,
    ) {
        self.check(&mint::request("v.test", self.chain(names, change)), expect);
    }
}

fn outcome(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Proven(association) => {
            let left = association.expires().duration_since(now()).unwrap();
            format!("{} for {} days", association.prooftype(), left.as_secs() / 86_400)
        }
        Verdict::Unproven(reason) => reason.finding.label().to_owned(),
        Verdict::Refuted(reason) => format!("refuted, {}", reason.finding.label()),
        Verdict::Undetermined(reason) => format!("undetermined, {}", reason.finding.label()),
    }
}

fn unpublished() -> Evidence {
    Evidence { endpoints: Published::Absent, tlsa: Vec::new(), posh: Published::Absent }
}

const GOOD: &str = "pkix for 60 days";

#[test]
fn a_chain_to_a_trusted_root_proves_the_names_in_the_leaf() {
    let world = World::new();
    world.check_leaf(&["dns:v.test"], |_| (), GOOD);
    world.check_leaf(&["dns:a.test", "dns:V.Test."], |_| (), GOOD);
    world.check_leaf(&["srv:_xmpp-server.v.test"], |_| (), GOOD);
    world.check_leaf(&["xmpp:v.test"], |_| (), GOOD);
    world.check(&mint::request("x.v.test", world.chain(&["dns:*.v.test"], |_| ())), GOOD);
    world.check(
        &mint::request("bücher.test", world.chain(&["dns:xn--bcher-kva.test"], |_| ())),
        GOOD,
    );
}

#[test]
fn a_chain_proves_no_other_names() {
    let world = World::new();
    world.check_leaf(&["dns:a.test"], |_| (), "cert.name");
    world.check_leaf(&["dns:*.v.test"], |_| (), "cert.name");
    world.check_leaf(&["dns:*.test"], |_| (), "cert.name");
    world.check_leaf(&["dns:v*.test"], |_| (), "cert.name");
    world.check_leaf(&["dns:*"], |_| (), "cert.name");
    world.check_leaf(&["srv:_xmpp-client.v.test"], |_| (), "cert.name");
    world.check_leaf(&["srv:_imaps.v.test"], |_| (), "cert.name");
    world.check_leaf(&["srv:_xmpp-server._tcp.v.test"], |_| (), "cert.name");
    world.check_leaf(&["xmpp:m@v.test"], |_| (), "cert.name");
    world.check_leaf(&["xmpp:v.test/x"], |_| (), "cert.name");
    world.check_leaf(&["xmpp:v.test\0"], |_| (), "cert.name");
    world.check_leaf(&["dns:v.test\0.a.test"], |_| (), "cert.name");
    world.check(&mint::request("x.y.v.test", world.chain(&["dns:*.v.test"], |_| ())), "cert.name");
}

#[test]
fn the_common_name_is_never_used() {
    let world = World::new();
    let named = |it: &mut CertificateParams| it.distinguished_name = common_name("v.test");
    world.check_leaf(&["dns:a.test"], named, "cert.name");
    world.check_leaf(&[], named, "cert.name");
}

#[test]
fn a_leaf_that_cannot_be_read_proves_nothing() {
    let world = World::new();
    let request = mint::request("v.test", vec![CertificateDer::from(vec![0x30, 0])]);
    world.check(&request, "cert.malformed");
}

#[test]
fn no_certificate_proves_nothing() {
    World::new().check(&mint::request("v.test", Vec::new()), "cert.none");
}

#[test]
fn a_leaf_is_believed_only_between_its_dates() {
    let world = World::new();
    let expired = |it: &mut CertificateParams| it.not_after = seconds(-1);
    world.check_leaf(&["dns:v.test"], expired, "cert.expired");
    let early = |it: &mut CertificateParams| it.not_before = seconds(3600);
    world.check_leaf(&["dns:v.test"], early, "cert.expired");
    let just = |it: &mut CertificateParams| it.not_after = day(1);
    world.check_leaf(&["dns:v.test"], just, "pkix for 1 days");
}

#[test]
fn a_proof_lasts_no_longer_than_any_certificate_of_its_path() {
    let world = World::new();
    let brief = world.root.authority("Brief", |it| it.not_after = day(7));
    let chain = vec![brief.leaf(&["dns:v.test"], |_| ()), brief.certificate];
    world.check(&mint::request("v.test", chain), "pkix for 7 days");
}

#[test]
fn an_expired_authority_vouches_for_nobody_unless_another_path_does() {
    let world = World::new();
    let expired = world.root.authority("Authority", |it| it.not_after = day(-1));
    let leaf = expired.leaf(&["dns:v.test"], |_| ());
    world.check(&mint::request("v.test", vec![leaf, expired.certificate.clone()]), "cert.expired");

    let leaf = world.authority.leaf(&["dns:v.test"], |_| ());
    let chain = vec![leaf, expired.certificate, world.authority.certificate.clone()];
    world.check(&mint::request("v.test", chain), GOOD);
}

#[test]
fn only_authorities_that_we_trust_vouch() {
    let world = World::new();
    world.check(&mint::request("v.test", vec![self_signed(&["dns:v.test"], |_| ())]), "cert.chain");
    let stranger = Authority::root("Root");
    let chain = vec![stranger.leaf(&["dns:v.test"], |_| ()), stranger.certificate];
    world.check(&mint::request("v.test", chain), "cert.chain");
}

#[test]
fn a_chain_may_be_in_any_order_and_have_more_than_it_needs_but_not_less() {
    let world = World::new();
    let leaf = world.authority.leaf(&["dns:v.test"], |_| ());
    let (authority, root) = (world.authority.certificate.clone(), world.root.certificate.clone());
    let other = Authority::root("Other").certificate;
    let chain = vec![leaf.clone(), root, other, authority];
    world.check(&mint::request("v.test", chain), GOOD);
    world.check(&mint::request("v.test", vec![leaf]), "cert.chain");
}

#[test]
fn a_leaf_is_no_authority_and_an_authority_no_leaf() {
    let world = World::new();
    let is_authority = |it: &mut CertificateParams| {
        it.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    };
    world.check_leaf(&["dns:v.test"], is_authority, "cert.chain");

    let a = world.authority.authority("a.test", |it| it.is_ca = IsCa::ExplicitNoCa);
    let leaf = a.leaf(&["dns:v.test"], |_| ());
    let chain = vec![leaf, a.certificate, world.authority.certificate.clone()];
    world.check(&mint::request("v.test", chain), "cert.chain");
}

#[test]
fn an_authority_needs_the_key_usage_of_one() {
    let world = World::new();
    let signer = world.root.authority("Signer", |it| {
        it.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    let chain = vec![signer.leaf(&["dns:v.test"], |_| ()), signer.certificate];
    world.check(&mint::request("v.test", chain), "cert.chain");
}

#[test]
fn an_authority_may_be_bound_in_depth() {
    let world = World::new();
    let bound = world.root.authority("Bound", |it| {
        it.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let below = bound.authority("Below", |_| ());
    let chain = vec![below.leaf(&["dns:v.test"], |_| ()), below.certificate, bound.certificate];
    world.check(&mint::request("v.test", chain), "cert.constraint");
}

/// An authority that may vouch for some names only.
fn constrained(world: &World, permitted: &[&str], excluded: &[&str]) -> Authority {
    let names =
        |names: &[&str]| names.iter().map(|it| GeneralSubtree::DnsName((*it).to_owned())).collect();
    world.root.authority("Constrained", |it| {
        it.name_constraints = Some(NameConstraints {
            permitted_subtrees: names(permitted),
            excluded_subtrees: names(excluded),
        });
    })
}

#[test]
fn an_authority_may_be_bound_to_names() {
    let world = World::new();
    let check = |authority: Authority, names: &[&str], domain: &str, expect| {
        let chain = vec![authority.leaf(names, |_| ()), authority.certificate];
        world.check(&mint::request(domain, chain), expect);
    };
    check(constrained(&world, &["v.test"], &[]), &["dns:v.test"], "v.test", GOOD);
    check(constrained(&world, &["a.test"], &[]), &["dns:v.test"], "v.test", "cert.constraint");
    check(constrained(&world, &[], &["v.test"]), &["dns:*.v.test"], "x.v.test", "cert.constraint");
}

#[test]
fn an_authority_bound_to_dns_names_cannot_escape_by_other_names() {
    let world = World::new();
    for name in ["srv:_xmpp-server.v.test", "xmpp:v.test"] {
        let authority = constrained(&world, &["a.test"], &[]);
        let leaf = authority.leaf(&["dns:a.test", name], |_| ());
        let request = mint::request("v.test", vec![leaf, authority.certificate]);
        world.check(&request, "cert.name");
    }
}

#[test]
fn between_servers_either_tls_usage_will_do() {
    use ExtendedKeyUsagePurpose::*;
    let world = World::new();
    let check = |usages: &[ExtendedKeyUsagePurpose], server, client| {
        let chain = world.chain(&["dns:v.test"], |it| it.extended_key_usages = usages.to_vec());
        let mut request = mint::request("v.test", chain);
        world.check(&request, server);
        request.service = Service::Client;
        world.check(&request, client);
    };
    check(&[], GOOD, GOOD);
    check(&[Any], GOOD, GOOD);
    check(&[ServerAuth], GOOD, GOOD);
    check(&[ClientAuth], GOOD, "cert.eku");
    check(&[ServerAuth, ClientAuth], GOOD, GOOD);
    check(&[EmailProtection, ServerAuth], GOOD, GOOD);
    check(&[EmailProtection], "cert.eku", "cert.eku");
    check(&[CodeSigning, TimeStamping], "cert.eku", "cert.eku");
}

#[test]
fn a_leaf_needs_a_key_usage_that_tls_has_a_use_for() {
    let world = World::new();
    let check = |usage, expect| {
        world.check_leaf(&["dns:v.test"], |it| it.key_usages = vec![usage], expect);
    };
    check(KeyUsagePurpose::DigitalSignature, GOOD);
    check(KeyUsagePurpose::KeyAgreement, GOOD);
    check(KeyUsagePurpose::ContentCommitment, "cert.eku");
}

#[test]
fn each_service_has_its_own_srv_id() {
    let world = World::new();
    let mut request = mint::request("v.test", world.chain(&["srv:_xmpp-server.v.test"], |_| ()));
    request.service = Service::Client;
    world.check(&request, "cert.name");
    request = mint::request("v.test", world.chain(&["srv:_xmpp-client.v.test"], |_| ()));
    request.service = Service::Client;
    world.check(&request, GOOD);
}

fn endpoint(target: &str, port: u16, secure: bool) -> Endpoint {
    Endpoint { target: domain(target), port, transport: Transport::StartTls, secure }
}

#[test]
fn a_host_that_the_domain_securely_points_to_will_do() {
    let world = World::new();
    let until = now() + std::time::Duration::from_secs(2 * 86_400);
    let check = |names: &[&str], met: Option<Endpoint>, published: Vec<Endpoint>, expect: &str| {
        let mut request = mint::request("v.test", world.chain(names, |_| ()));
        request.endpoint = met;
        let evidence = Evidence { endpoints: Published::Here(published, until), ..unpublished() };
        assert_eq!(outcome(&evaluate(&request, &evidence, &world.terms())), expect, "{names:?}");
    };
    let host = || vec![endpoint("x.host.test", 5269, true), endpoint("y.host.test", 5269, true)];
    let met = || Some(endpoint("x.host.test", 5269, true));
    let two_days = "pkix for 2 days";

    check(&["dns:x.host.test"], met(), host(), two_days);
    check(&["dns:*.host.test"], met(), host(), two_days);
    check(&["srv:_xmpp-server.x.host.test"], met(), host(), two_days);
    check(&["xmpp:x.host.test"], met(), host(), "cert.name");
    check(&["dns:v.test"], met(), host(), GOOD);
    // Not the host that we met.
    check(&["dns:y.host.test"], met(), host(), "cert.name");
    check(&["dns:x.host.test"], Some(endpoint("x.host.test", 5270, true)), host(), "cert.name");
    // Who connects to us may be any of them.
    check(&["dns:y.host.test"], None, host(), two_days);
    check(&["dns:z.host.test"], None, host(), "cert.name");
    // What was met counts as far as it is published now, whatever it was when we connected.
    let insecure = || vec![endpoint("x.host.test", 5269, false)];
    check(&["dns:x.host.test"], met(), insecure(), "cert.name");
    check(&["dns:x.host.test"], None, insecure(), "cert.name");
    check(&["dns:x.host.test"], met(), Vec::new(), "cert.name");
}

#[test]
fn where_dns_is_forged_no_certificate_helps() {
    let world = World::new();
    let request = mint::request("v.test", world.chain(&["dns:v.test"], |_| ()));
    let evidence = Evidence { endpoints: Published::Bogus(Finding::DnsBogus), ..unpublished() };
    assert_eq!(outcome(&evaluate(&request, &evidence, &world.terms())), "refuted, dns.bogus");
}

/// A list of what an authority has revoked, long due for the next one.
fn revoked_by(authority: &Authority, serials: &[u64]) -> String {
    let revoked = |number: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*number),
        revocation_time: day(-4),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: day(-3),
        next_update: day(-1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(&authority.issuer()).unwrap().pem().unwrap()
}

/// The root that we trust, and these lists.
fn revoking(world: &World, test: &str, lists: &[String]) -> Result<Roots, crate::SetupError> {
    let path = std::env::temp_dir().join(format!("ligase-{}-{test}.crl", std::process::id()));
    std::fs::write(&path, lists.concat()).unwrap();
    let roots = world.terms().roots.revoking(&path);
    std::fs::remove_file(&path).unwrap();
    roots
}

fn numbered(serial: u64) -> impl FnOnce(&mut CertificateParams) {
    move |it| it.serial_number = Some(SerialNumber::from(serial))
}

#[test]
fn a_revoked_certificate_proves_nothing() {
    let world = World::new();
    // The first of several lists is not the one that counts, and those of strangers do not.
    let stranger = Authority::root("Stranger");
    let lists = [
        revoked_by(&stranger, &[667]),
        revoked_by(&world.root, &[667, 42]),
        revoked_by(&world.authority, &[666]),
    ];
    let roots = revoking(&world, "leaf", &lists).unwrap();
    let terms = Terms { roots, ..world.terms() };
    let check = |chain, expect| {
        let request = mint::request("v.test", chain);
        assert_eq!(outcome(&evaluate(&request, &unpublished(), &terms)), expect);
    };
    check(world.chain(&["dns:v.test"], numbered(666)), "cert.revoked");
    check(world.chain(&["dns:v.test"], numbered(667)), GOOD);

    // What a revoked authority has signed is worth no more than it is.
    for (serial, expect) in [(42, "cert.revoked"), (43, GOOD), (666, GOOD)] {
        let authority = world.root.authority("Another", numbered(serial));
        check(vec![authority.leaf(&["dns:v.test"], |_| ()), authority.certificate], expect);
    }
    let above = world.root.authority("Above", numbered(42));
    let below = above.authority("Below", |_| ());
    let leaf = below.leaf(&["dns:v.test"], |_| ());
    check(vec![leaf, below.certificate, above.certificate], "cert.revoked");
}

#[test]
fn tlsa_records_count_on_revocation_where_they_count_on_authorities() {
    let world = World::new();
    let own_root = Authority::root("Own Root");
    let lists = [revoked_by(&world.authority, &[666]), revoked_by(&own_root, &[666])];
    let roots = revoking(&world, "tlsa", &lists).unwrap();
    let tlsa_usages = vec![0, 1, 2, 3];
    let terms = Terms { prooftypes: vec![Prooftype::Dane], tlsa_usages, roots };
    let met = endpoint("x.host.test", 5269, true);
    let until = now() + std::time::Duration::from_secs(3600);
    for (usage, revoked) in [(0, false), (1, false), (2, false), (3, true)] {
        for (serial, is_good) in [(666, revoked), (667, true)] {
            let (authority, anchor) = match usage {
                2 => (&own_root, &own_root.certificate),
                _ => (&world.authority, &world.root.certificate),
            };
            let chain = vec![
                authority.leaf(&["dns:v.test"], numbered(serial)),
                authority.certificate.clone(),
            ];
            let described = if [0, 2].contains(&usage) { anchor } else { &chain[0] };
            let tlsa = Tlsa { usage, selector: 0, matching: 0, data: described.to_vec() };
            let (endpoint, base) = (met.clone(), met.target.clone());
            let records = Published::Here(vec![tlsa], until);
            let evidence = Evidence {
                endpoints: Published::Here(vec![met.clone()], until),
                tlsa: vec![TlsaAt { endpoint, base, records }],
                posh: Published::Absent,
            };
            let request = mint::request("v.test", chain);
            let request = Request { endpoint: Some(met.clone()), role: Role::Receiving, ..request };
            let found = evaluate(&request, &evidence, &terms);
            assert_eq!(matches!(found, Verdict::Proven(_)), is_good, "{usage}: {found:?}");
        }
    }
}

#[test]
fn a_file_without_revocation_lists_is_none() {
    let world = World::new();
    let list = revoked_by(&world.authority, &[666]);
    let is_read = |text: &str| revoking(&world, "file", &[text.to_owned()]).is_ok();
    assert!(is_read(&list));
    assert!(!is_read(""));
    assert!(!is_read("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"));
    let certificate = list.replace("X509 CRL", "CERTIFICATE");
    assert!(!is_read(&certificate));
    assert!(is_read(&(certificate + &list)));
}

/// Those of one name that are too many are left out, and nobody else is.
#[test]
fn of_many_authorities_of_one_name_a_few_are_tried() {
    let authority = |name| Authority::root(name).certificate.clone();
    let mut candidates: Vec<_> = (0..=NAMESAKES_MAX).map(|_| authority("Same")).collect();
    candidates.push(authority("Other"));
    let few = few_of_a_name(&candidates);
    assert_eq!(few.len(), NAMESAKES_MAX + 1);
    assert_eq!(few[..NAMESAKES_MAX], candidates[..NAMESAKES_MAX]);
    assert_eq!(few.last(), candidates.last());
}
