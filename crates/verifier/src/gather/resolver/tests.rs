//! The resolver against a small signed DNS on loopback, which the tests bend.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Mutex;

use hickory_resolver::proto::dnssec::crypto::EcdsaSigningKey;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC, RRSIG};
use hickory_resolver::proto::dnssec::{Algorithm, DigestType, DnssecSigner, PublicKey, SigningKey};
use hickory_resolver::proto::op::{MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, NS, NULL, SOA, SRV, TLSA};
use hickory_resolver::proto::rr::{DNSClass, RecordSet};
use hickory_resolver::proto::serialize::binary::BinEncodable;
use time::OffsetDateTime;
use tokio::net::{TcpListener, UdpSocket};

use super::signed::{Keys, Seconds};
use super::*;
use crate::observation::{Asked, Observation, Reply};

/// A signed root zone in which everything is, but for what is below `unsigned.`.
pub(super) struct World {
    pub(super) signer: DnssecSigner,
    /// A key that will sign some day.
    next: Option<DNSKEY>,
    /// Where validation starts.
    anchored: Name,
    records: BTreeMap<Name, Vec<RData>>,
    unsigned: BTreeMap<Name, Vec<RData>>,
}

pub(super) fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

pub(super) fn address(last: u8) -> RData {
    RData::A(A(Ipv4Addr::new(192, 0, 2, last)))
}

pub(super) fn alias(target: &str) -> RData {
    RData::CNAME(CNAME(name(target)))
}

/// An alias for all names below one (RFC 6672).
pub(super) fn alias_for_tree(target: &str) -> RData {
    let rdata = NULL::with(name(target).to_bytes().unwrap());
    RData::Unknown { code: RecordType::DNAME, rdata }
}

fn srv(target: &str) -> RData {
    RData::SRV(SRV::new(10, 20, 5269, name(target)))
}

pub(super) fn soa() -> RData {
    RData::SOA(SOA::new(name("ns."), name("host."), 1, 3600, 600, 86400, 60))
}

impl World {
    pub(super) fn new() -> Self {
        let algorithm = Algorithm::ECDSAP256SHA256;
        let pkcs8 = EcdsaSigningKey::generate_pkcs8(algorithm).unwrap();
        let key = EcdsaSigningKey::from_pkcs8(&pkcs8, algorithm).unwrap();
        let dnskey = DNSKEY::from_key(&key.to_public_key().unwrap());
        let week = Duration::from_secs(7 * 24 * 3600);
        let signer = DnssecSigner::new(dnskey.clone(), Box::new(key), Name::root(), week);
        let mut world = Self {
            signer,
            next: None,
            anchored: Name::root(),
            records: BTreeMap::new(),
            unsigned: BTreeMap::new(),
        };
        world.add(".", soa());
        world.add(".", RData::NS(NS(name("ns."))));
        world.add(".", RData::DNSSEC(DNSSECRData::DNSKEY(dnskey)));
        world.add("unsigned.", RData::NS(NS(name("ns.unsigned."))));
        world.add("v.test.", address(1));
        world.add("_xmpp-server._tcp.v.test.", srv("x.v.test."));
        world.add("x.v.test.", address(2));
        world.add("x.v.test.", address(3));
        world.add(
            "_5269._tcp.x.v.test.",
            RData::TLSA(TLSA::new(3.into(), 1.into(), 1.into(), vec![7; 32])),
        );
        world.add("alias.test.", alias("x.v.test."));
        world.add("out.test.", alias("x.unsigned."));
        world.add("nowhere.test.", alias("none.v.test."));
        world.add("tree.test.", alias_for_tree("v.test."));
        world.add("loop.test.", alias("pool.test."));
        world.add("pool.test.", alias("loop.test."));
        world.add("*.wild.test.", address(9));
        world.add("y.wild.test.", address(8));
        let servers = vec![RData::NS(NS(name("ns.unsigned.")))];
        world.unsigned.insert(name("unsigned."), servers);
        world.unsigned.insert(name("x.unsigned."), vec![address(4)]);
        world.unsigned.insert(name("in.unsigned."), vec![alias("x.v.test.")]);
        world
    }

    fn add(&mut self, owner: &str, data: RData) {
        self.records.entry(name(owner)).or_default().push(data);
    }

    /// The anchor of this world, in a file.
    fn anchor(&self) -> PathBuf {
        let mut text = String::new();
        for key in [self.signer.to_dnskey()].into_iter().chain(self.next.clone()) {
            let octets = key.public_key().public_bytes();
            let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, octets);
            text += &format!("{} IN DNSKEY 256 3 13 {base64}\n", self.anchored);
        }
        let tag = self.signer.calculate_key_tag().unwrap();
        let path = std::env::temp_dir().join(format!("ligase-{}-{tag}.key", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Records of a name and type with their signature. What a wildcard makes is signed as such.
    fn signed(&self, owner: &Name, from: &Name, kind: RecordType) -> Vec<Record> {
        let mut set = RecordSet::with_ttl(from.clone(), kind, 300);
        for data in self.records.get(from).into_iter().flatten() {
            if data.record_type() == kind {
                set.add_rdata(data.clone());
            }
        }
        self.sign(owner, set)
    }

    pub(super) fn sign(&self, owner: &Name, set: RecordSet) -> Vec<Record> {
        if set.is_empty() {
            return Vec::new();
        }
        let inception = OffsetDateTime::from(crate::mint::now()) - time::Duration::hours(1);
        let rrsig = RRSIG::from_rrset(&set, DNSClass::IN, inception, &self.signer).unwrap();
        let rrsig = RData::DNSSEC(DNSSECRData::RRSIG(rrsig));
        let mut records: Vec<Record> = set.records_without_rrsigs().cloned().collect();
        records.push(Record::from_rdata(owner.clone(), 300, rrsig));
        for record in &mut records {
            record.name = owner.clone();
        }
        records
    }

    /// These records of a name, signed, to live for so many seconds.
    pub(super) fn signed_for(&self, ttl: u32, owner: &str, data: &[RData]) -> Vec<Record> {
        let kind = data.first().map_or(RecordType::A, RData::record_type);
        let mut set = RecordSet::with_ttl(name(owner), kind, ttl);
        for data in data {
            set.add_rdata(data.clone());
        }
        self.sign(&name(owner), set)
    }

    /// The keys of this world, as those below its anchor learn them.
    pub(super) fn keys(&self, zone: &str) -> Arc<Keys> {
        let ends = Seconds::of(crate::mint::now()).farthest();
        Keys::new(name(zone), [self.signer.to_dnskey()].iter(), ends)
    }

    /// The signed proof of what lies at, or around, a name.
    fn denial(&self, name: &Name) -> Vec<Record> {
        let (owner, data) = self.records.range(..=name.clone()).next_back().unwrap();
        let next = self.records.range(owner.clone()..).nth(1);
        let next = next.map_or_else(Name::root, |(next, _)| next.clone());
        let types = data.iter().map(RData::record_type);
        let nsec = NSEC::new_cover_self(next, types);
        let mut set = RecordSet::with_ttl(owner.clone(), RecordType::NSEC, 60);
        set.add_rdata(RData::DNSSEC(DNSSECRData::NSEC(nsec)));
        self.sign(owner, set)
    }

    fn wildcard_of(name: &Name) -> Name {
        name.base_name().prepend_label("*").unwrap()
    }

    /// What an honest server says.
    fn answer(&self, query: &Query, response: &mut Message) {
        let (asked, kind) = (query.name(), query.query_type());
        let below = name("unsigned.");
        if below.zone_of(asked) && !(*asked == below && kind == RecordType::DS) {
            return self.answer_unsigned(query, response);
        }
        let exists =
            self.records.contains_key(asked) || self.records.keys().any(|it| asked.zone_of(it));
        let wildcard = Self::wildcard_of(asked);
        let from = match !exists && self.records.contains_key(&wildcard) {
            true => &wildcard,
            false => asked,
        };
        for kind in [kind, RecordType::CNAME] {
            if response.answers.is_empty() {
                response.answers = self.signed(asked, from, kind);
            }
        }
        let tree = name("tree.test.");
        if tree.zone_of(asked) && tree != *asked {
            // What the server makes of it itself is nobody's to sign.
            let lie = Record::from_rdata(asked.clone(), 300, alias("x.unsigned."));
            response.answers = self.signed(&tree, &tree, RecordType::DNAME);
            response.answers.push(lie);
        }
        if response.answers.is_empty() {
            response.authorities = self.signed(&Name::root(), &Name::root(), RecordType::SOA);
            response.authorities.extend(self.denial(asked));
            if !exists && from == asked {
                response.metadata.response_code = ResponseCode::NXDomain;
                // No name here is so deep that the wildcard to deny is not that of its parent
                // or of the root.
                response.authorities.extend(self.denial(&name("*.")));
                response.authorities.extend(self.denial(&wildcard));
            }
        } else if from != asked {
            response.authorities = self.denial(asked);
        }
    }

    fn answer_unsigned(&self, query: &Query, response: &mut Message) {
        let record = |data: &RData| Record::from_rdata(query.name().clone(), 300, data.clone());
        let is_meant = |it: &&RData| {
            it.record_type() == query.query_type() || it.record_type() == RecordType::CNAME
        };
        let found = self.unsigned.get(query.name());
        response.answers = found.into_iter().flatten().filter(is_meant).map(record).collect();
        if response.answers.is_empty() {
            response.authorities = vec![Record::from_rdata(name("unsigned."), 60, soa())];
        }
    }
}

/// A UDP and a TCP socket with one address.
async fn sockets() -> (UdpSocket, TcpListener, SocketAddr) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = tcp.local_addr().unwrap();
        if let Ok(socket) = UdpSocket::bind(server).await {
            return (socket, tcp, server);
        }
    }
}

/// Asks a question of a server that answers as `bend` has it.
async fn ask_bent(
    world: &World,
    dnssec: Dnssec,
    owner: &str,
    kind: Kind,
    bend: impl Fn(&Query, &mut Message),
) -> Answer {
    let question = Question { name: owner.to_owned(), kind };
    ask_with(world, dnssec, bend, async |resolver| {
        resolver.look_up(&question, crate::mint::now()).await
    })
    .await
}

/// Does something with a resolver in front of a server that answers as `bend` has it.
async fn ask_with<T>(
    world: &World,
    dnssec: Dnssec,
    bend: impl Fn(&Query, &mut Message),
    work: impl AsyncFnOnce(&Resolver) -> T,
) -> T {
    ask_and_tell(world, dnssec, Arc::default(), bend, work).await
}

/// The same, with somebody who is told of every query.
async fn ask_and_tell<T>(
    world: &World,
    dnssec: Dnssec,
    observer: Arc<Observer>,
    bend: impl Fn(&Query, &mut Message),
    work: impl AsyncFnOnce(&Resolver) -> T,
) -> T {
    let (socket, tcp, server) = sockets().await;
    let anchor = world.anchor();
    let settings = Settings {
        servers: Servers::These(vec![server]),
        dnssec,
        trust_anchor: Some(anchor.clone()),
        ..Settings::default()
    };
    let resolver = Resolver::new(&settings, observer).unwrap();
    std::fs::remove_file(anchor).unwrap();
    let respond = |request: &[u8], over_tcp: bool| {
        let request = Message::from_vec(request).unwrap();
        let query = request.queries.first().unwrap().clone();
        let mut response = Message::new(request.metadata.id, MessageType::Response, OpCode::Query);
        world.answer(&query, &mut response);
        response.metadata.recursion_available = true;
        response.metadata.authentic_data = request.metadata.authentic_data;
        response.add_query(query.clone());
        bend(&query, &mut response);
        if over_tcp {
            response.metadata.truncation = false;
        } else if response.metadata.truncation {
            response.answers.clear();
            response.authorities.clear();
        }
        response.to_bytes().unwrap()
    };
    let serve = async {
        let mut buffer = [0; 4096];
        loop {
            let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
            let response = respond(&buffer[..length], false);
            socket.send_to(&response, peer).await.unwrap();
        }
    };
    let serve_tcp = async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut stream, _) = tcp.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut request = vec![0; length.into()];
            stream.read_exact(&mut request).await.unwrap();
            let response = respond(&request, true);
            stream.write_u16(u16::try_from(response.len()).unwrap()).await.unwrap();
            stream.write_all(&response).await.unwrap();
        }
    };
    tokio::select! {
        done = work(&resolver) => done,
        () = serve => panic!("the server stopped"),
        () = serve_tcp => panic!("the server stopped"),
    }
}

fn spell(answer: Answer) -> String {
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) => return format!("{failure:?}").to_lowercase(),
    };
    let data: Vec<String> = answer
        .data
        .iter()
        .map(|it| match it {
            Data::Address(address) => address.to_string(),
            Data::Srv { priority, weight, port, target } => {
                format!("{priority} {weight} {port} {target}")
            }
            Data::Tlsa(it) => {
                format!("{} {} {} {}", it.usage, it.selector, it.matching, it.data.len())
            }
        })
        .collect();
    format!("{:?}: {} at {}", answer.security, data.join(", "), answer.owner).to_lowercase()
}

/// RFC 4035 §5.3.1: what was signed before a name was given away, or is signed in spite of that.
#[tokio::test]
async fn a_zone_signs_nothing_of_those_below_it() {
    let mut world = World::new();
    let digest = DS::new(1, Algorithm::ECDSAP256SHA256, DigestType::SHA256, vec![7; 32]);
    world.add("v.test.", RData::DNSSEC(DNSSECRData::DS(digest)));
    for (owner, kind) in
        [("v.test", Kind::A), ("x.v.test", Kind::A), ("_xmpp-server._tcp.v.test", Kind::Srv)]
    {
        let answer = ask_bent(&world, Dnssec::Validate, owner, kind, |_, _| ()).await;
        assert_eq!(spell(answer), "bogus", "{owner}");
    }
}

async fn check(owner: &str, kind: Kind, bend: impl Fn(&Query, &mut Message), expect: &str) {
    let answer = ask_bent(&World::new(), Dnssec::Validate, owner, kind, bend).await;
    assert_eq!(spell(answer), expect, "{owner} {kind:?}");
}

fn honest(_: &Query, _: &mut Message) {}

const SRV_NAME: &str = "_xmpp-server._tcp.v.test";
const TLSA_NAME: &str = "_5269._tcp.x.v.test";

#[tokio::test]
async fn signed_records_are_secure() {
    check(SRV_NAME, Kind::Srv, honest, &format!("secure: 10 20 5269 x.v.test at {SRV_NAME}")).await;
    check("x.v.test", Kind::A, honest, "secure: 192.0.2.2, 192.0.2.3 at x.v.test").await;
    check(TLSA_NAME, Kind::Tlsa, honest, &format!("secure: 3 1 1 32 at {TLSA_NAME}")).await;
}

#[tokio::test]
async fn of_a_large_answer_as_much_is_kept_as_we_care_to_remember() {
    let add = |world: &mut World, length: usize, fill: u8| {
        let data = TLSA::new(3.into(), 0.into(), 0.into(), vec![fill; length]);
        world.add("_1._tcp.v.test.", RData::TLSA(data));
    };
    let ask = async |world: &World| {
        let bend = |_: &Query, it: &mut Message| it.metadata.truncation = true;
        spell(ask_bent(world, Dnssec::Validate, "_1._tcp.v.test", Kind::Tlsa, bend).await)
    };
    let mut world = World::new();
    for fill in 0..9 {
        add(&mut world, 1000, fill);
    }
    let seven = ["3 0 0 1000"; 7].join(", ");
    assert_eq!(ask(&world).await, format!("secure: {seven} at _1._tcp.v.test"));
    let mut world = World::new();
    add(&mut world, 9000, 0);
    assert_eq!(ask(&world).await, "failed");
}

#[tokio::test]
async fn absence_is_secure_when_it_is_proven() {
    check("x.v.test", Kind::Aaaa, honest, "secure:  at x.v.test").await;
    check("none.v.test", Kind::A, honest, "secure:  at none.v.test").await;
    let long = format!("{}.test", ["a"; 124].join("."));
    check(
        &format!("_xmpp-server._tcp.{long}"),
        Kind::Srv,
        honest,
        &format!("insecure:  at _xmpp-server._tcp.{long}"),
    )
    .await;
}

#[tokio::test]
async fn what_is_below_an_unsigned_delegation_is_insecure() {
    check("x.unsigned", Kind::A, honest, "insecure: 192.0.2.4 at x.unsigned").await;
    check("none.unsigned", Kind::A, honest, "insecure:  at none.unsigned").await;
}

#[tokio::test]
async fn aliases_are_as_secure_as_their_weakest_link() {
    check("alias.test", Kind::A, honest, "secure: 192.0.2.2, 192.0.2.3 at x.v.test").await;
    check("out.test", Kind::A, honest, "insecure: 192.0.2.4 at x.unsigned").await;
    check("in.unsigned", Kind::A, honest, "insecure: 192.0.2.2, 192.0.2.3 at x.v.test").await;
    check("nowhere.test", Kind::A, honest, "secure:  at none.v.test").await;
    check("alias.test", Kind::Srv, honest, "secure:  at x.v.test").await;
    check("loop.test", Kind::A, honest, "failed").await;
}

#[tokio::test]
async fn an_alias_for_a_tree_leads_where_its_owner_says() {
    check("x.tree.test", Kind::A, honest, "secure: 192.0.2.2, 192.0.2.3 at x.v.test").await;
    let expect = "secure: 10 20 5269 x.v.test at _xmpp-server._tcp.v.test";
    check("_xmpp-server._tcp.tree.test", Kind::Srv, honest, expect).await;
    check("none.tree.test", Kind::A, honest, "secure:  at none.v.test").await;
    check("tree.test", Kind::A, honest, "secure:  at tree.test").await;
    let bend = only("x.tree.test", |it| {
        it.answers.retain(|it| it.record_type() != RecordType::RRSIG);
    });
    check("x.tree.test", Kind::A, bend, "bogus").await;
    let forged = only("x.tree.test", |it| {
        for record in &mut it.answers {
            if record.record_type() == RecordType::DNAME {
                record.data = alias_for_tree("unsigned.");
            }
        }
    });
    check("x.tree.test", Kind::A, forged, "bogus").await;
}

#[tokio::test]
async fn keys_that_do_not_sign_each_other_sign_nothing() {
    let strip = |query: &Query, it: &mut Message| {
        if query.query_type() == RecordType::DNSKEY {
            it.answers.retain(|it| it.record_type() != RecordType::RRSIG);
        }
    };
    check("x.v.test", Kind::A, strip, "bogus").await;
    check("none.v.test", Kind::A, strip, "bogus").await;
    check("x.unsigned", Kind::A, strip, "bogus").await;
}

#[tokio::test]
async fn what_a_server_repeats_or_shuffles_is_the_same() {
    let expect = "secure: 192.0.2.2, 192.0.2.3 at x.v.test";
    let repeat = only("x.v.test", |it| {
        let all = it.answers.clone();
        it.answers.extend(all.into_iter().rev());
        it.answers[0].ttl += 7;
    });
    check("x.v.test", Kind::A, repeat, expect).await;
}

#[tokio::test]
async fn a_wildcard_is_secure_where_no_closer_name_is() {
    check("z.wild.test", Kind::A, honest, "secure: 192.0.2.9 at z.wild.test").await;
    check("y.wild.test", Kind::A, honest, "secure: 192.0.2.8 at y.wild.test").await;
    // A wildcard's records instead of those of a name that exists.
    let world = World::new();
    let (wildcard, victim) = (name("*.wild.test."), name("y.wild.test."));
    for denied in [None, Some(name("z.wild.test.")), Some(wildcard.clone()), Some(name("."))] {
        for extra in [None, Some(Record::from_rdata(name("unsigned."), 60, soa()))] {
            let bend = |query: &Query, response: &mut Message| {
                if *query.name() == victim {
                    response.answers = world.signed(&victim, &wildcard, RecordType::A);
                    let denial = denied.as_ref().map(|it| world.denial(it));
                    response.authorities = denial.into_iter().flatten().collect();
                    response.authorities.extend(extra.clone());
                }
            };
            let answer = ask_bent(&world, Dnssec::Validate, "y.wild.test", Kind::A, bend).await;
            assert_eq!(spell(answer), "bogus", "{denied:?} {extra:?}");
        }
    }
}

/// Changes what is said about one name, and nothing else.
fn only(owner: &str, bend: impl Fn(&mut Message)) -> impl Fn(&Query, &mut Message) {
    let owner = name(&format!("{owner}."));
    move |query, response| {
        if *query.name() == owner && query.query_type() != RecordType::DS {
            bend(response);
        }
    }
}

#[tokio::test]
async fn forged_records_are_bogus() {
    let is_signature = |it: &Record| it.record_type() == RecordType::RRSIG;
    let strip = only(TLSA_NAME, move |it| it.answers.retain(|it| !is_signature(it)));
    check(TLSA_NAME, Kind::Tlsa, strip, "bogus").await;

    let other = World::new();
    let owner = name(&format!("{TLSA_NAME}."));
    let resign = only(TLSA_NAME, |it| it.answers = other.signed(&owner, &owner, RecordType::TLSA));
    check(TLSA_NAME, Kind::Tlsa, resign, "bogus").await;

    let change = only("x.v.test", |it| it.answers[0].data = address(66));
    check("x.v.test", Kind::A, change, "bogus").await;

    let lead_away = only(TLSA_NAME, |it| {
        let owner = name(&format!("{TLSA_NAME}."));
        it.answers = vec![Record::from_rdata(owner, 60, alias("x.unsigned."))];
    });
    check(TLSA_NAME, Kind::Tlsa, lead_away, "bogus").await;
}

#[tokio::test]
async fn a_stripped_answer_is_no_absence() {
    let foreign_soa = || Record::from_rdata(name("unsigned."), 60, soa());
    let foreign_ns = || Record::from_rdata(name("unsigned."), 60, RData::NS(NS(name("ns."))));
    for authorities in [vec![], vec![foreign_soa()], vec![foreign_ns()]] {
        for code in [ResponseCode::NoError, ResponseCode::NXDomain] {
            let bend = only(TLSA_NAME, |it| {
                it.answers.clear();
                it.authorities.clone_from(&authorities);
                it.metadata.response_code = code;
            });
            check(TLSA_NAME, Kind::Tlsa, bend, "bogus").await;
        }
    }
}

#[tokio::test]
async fn proof_about_another_name_denies_nothing() {
    let world = World::new();
    for other in ["v.test.", "none.v.test.", "z.wild.test.", "unsigned."] {
        let bend = only(TLSA_NAME, |it| {
            it.answers.clear();
            it.authorities = world.signed(&Name::root(), &Name::root(), RecordType::SOA);
            it.authorities.extend(world.denial(&name(other)));
        });
        let answer = ask_bent(&world, Dnssec::Validate, TLSA_NAME, Kind::Tlsa, bend).await;
        assert_eq!(spell(answer), "bogus", "{other}");
    }
}

#[tokio::test]
async fn records_of_another_name_answer_nothing() {
    let world = World::new();
    for other in ["x.v.test.", "x.unsigned."] {
        let bend = only("v.test", |it| {
            it.answers = match other {
                "x.unsigned." => vec![Record::from_rdata(name(other), 60, address(66))],
                _ => world.signed(&name(other), &name(other), RecordType::A),
            };
            it.authorities = vec![Record::from_rdata(name("unsigned."), 60, soa())];
        });
        let answer = ask_bent(&world, Dnssec::Validate, "v.test", Kind::A, bend).await;
        assert_eq!(spell(answer), "bogus", "{other}");
    }
}

#[tokio::test]
async fn a_server_that_fails_is_no_absence() {
    for code in [ResponseCode::ServFail, ResponseCode::Refused] {
        for dnssec in [Dnssec::Validate, Dnssec::Off] {
            let bend = move |_: &Query, it: &mut Message| {
                it.answers.clear();
                it.metadata.response_code = code;
            };
            let answer = ask_bent(&World::new(), dnssec, "x.v.test", Kind::A, bend).await;
            assert_eq!(spell(answer), "failed", "{code} {dnssec:?}");
        }
    }
}

#[tokio::test]
async fn keys_that_nobody_sends_are_no_forgery() {
    // Whoever finds fault with an answer is asked once more to let us see for ourselves.
    let found = "secure: 192.0.2.2, 192.0.2.3 at x.v.test";
    for (failures, expect) in [(1, found), (1000, "failed")] {
        let asked = std::cell::Cell::new(0);
        let bend = |query: &Query, response: &mut Message| {
            if query.query_type() == RecordType::DNSKEY {
                asked.set(asked.get() + 1);
                if asked.get() <= failures {
                    response.answers.clear();
                    response.metadata.response_code = ResponseCode::ServFail;
                }
            }
        };
        check("x.v.test", Kind::A, bend, expect).await;
        assert_eq!(asked.get(), 2);
    }
}

#[tokio::test]
async fn keys_that_are_out_of_date_are_fetched_anew() {
    let (mut before, after) = (World::new(), World::new());
    before.next = Some(after.signer.to_dnskey());
    let is_after = std::cell::Cell::new(false);
    let asked = std::cell::Cell::new(0);
    let bend = |query: &Query, response: &mut Message| {
        if is_after.get() {
            response.answers.clear();
            response.authorities.clear();
            after.answer(query, response);
        }
        asked.set(asked.get() + 1);
    };
    ask_with(&before, Dnssec::Validate, bend, async |resolver| {
        let ask = async |name: &str, seconds| {
            let question = Question { name: name.to_owned(), kind: Kind::A };
            let at = crate::mint::now() + Duration::from_secs(seconds);
            spell(resolver.look_up(&question, at).await)
        };
        let found = "secure: 192.0.2.2, 192.0.2.3 at x.v.test";
        assert_eq!(ask("x.v.test", 0).await, found);
        // The question, the key, and whether that zone holds the name; then the question.
        assert_eq!(asked.replace(0), 5);
        assert_eq!(ask("x.v.test", 10).await, found);
        assert_eq!(asked.replace(0), 1);
        is_after.set(true);
        // The question, whether somebody else signs it, the question again, and the new key, for the
        // name and for whether the zone holds it.
        assert_eq!(ask("x.v.test", 20).await, found);
        assert_eq!(asked.replace(0), 6);
        is_after.set(false);
        // What was learnt just now is not asked for again.
        assert_eq!(ask("x.v.test", 24).await, "bogus");
        assert_eq!(ask("x.v.test", 26).await, found);
    })
    .await;
}

/// The key of the zone, and hundreds of others that bear the same tag.
fn key_ring(world: &World) -> Vec<Record> {
    let algorithm = Algorithm::ECDSAP256SHA256;
    let tag = world.signer.calculate_key_tag().unwrap();
    let mut set = RecordSet::with_ttl(Name::root(), RecordType::DNSKEY, 300);
    set.add_rdata(RData::DNSSEC(DNSSECRData::DNSKEY(world.signer.to_dnskey())));
    while set.records_without_rrsigs().count() < 200 {
        let pkcs8 = EcdsaSigningKey::generate_pkcs8(algorithm).unwrap();
        let key = EcdsaSigningKey::from_pkcs8(&pkcs8, algorithm).unwrap();
        let key = key.to_public_key().unwrap();
        let with = |flags: u16| {
            let key = DNSKEY::with_flags(flags, key.clone());
            (key.calculate_key_tag().ok() == Some(tag)).then_some(key)
        };
        // Flags that nobody knows change the tag at will.
        let near =
            tag.wrapping_sub(DNSKEY::with_flags(0, key.clone()).calculate_key_tag().unwrap());
        let made = [near, near.wrapping_sub(1), near.wrapping_add(1)].into_iter().find_map(with);
        if let Some(key) = made.filter(|it| it.zone_key() && !it.revoke()) {
            set.add_rdata(RData::DNSSEC(DNSSECRData::DNSKEY(key)));
        }
    }
    world.sign(&Name::root(), set)
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is the question")]
async fn keys_of_one_tag_and_signatures_by_the_hundred_cost_little() {
    let world = World::new();
    let ring = key_ring(&world);
    let owner = name("x.v.test.");
    let signed = world.signed(&owner, &owner, RecordType::A);
    let signatures = signed.iter().filter_map(|it| it.try_borrow::<RRSIG>());
    let genuine = signatures.map(|it| it.data().clone()).next().unwrap();
    let forged = |number: u8| {
        let forged = RRSIG::from_sig(genuine.input().clone(), vec![number | 1; 64]);
        Record::from_rdata(owner.clone(), 300, RData::DNSSEC(DNSSECRData::RRSIG(forged)))
    };
    let bend = |query: &Query, response: &mut Message| {
        response.metadata.truncation = true;
        if query.query_type() == RecordType::DNSKEY {
            response.answers.clone_from(&ring);
        } else if *query.name() == owner && query.query_type() == RecordType::A {
            response.answers.retain(|it| it.record_type() == RecordType::A);
            response.answers.extend((0..=127).map(forged));
            // As many that deny something.
            response.authorities = (0..=127)
                .flat_map(|it| {
                    let nsec = NSEC::new_cover_self(name("z."), [RecordType::A]);
                    let nsec = RData::DNSSEC(DNSSECRData::NSEC(nsec));
                    let mut signature = genuine.input().clone();
                    signature.type_covered = RecordType::NSEC;
                    let signature = RRSIG::from_sig(signature, vec![it | 1; 64]);
                    let signature = RData::DNSSEC(DNSSECRData::RRSIG(signature));
                    [nsec, signature].map(|it| Record::from_rdata(name("a."), 300, it))
                })
                .collect();
        }
    };
    let start = std::time::Instant::now();
    check("x.v.test", Kind::A, bend, "bogus").await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

/// A signature that nobody made, by whom it is said to be.
fn claimed(owner: &Name, kind: RecordType, signer: &Name) -> Record {
    let world = World::new();
    let mut set = RecordSet::with_ttl(owner.clone(), RecordType::A, 300);
    set.add_rdata(address(66));
    let signed = world.sign(owner, set);
    let genuine = signed.iter().find_map(|it| it.try_borrow::<RRSIG>()).unwrap();
    let mut input = genuine.data().input().clone();
    (input.signer_name, input.type_covered) = (signer.clone(), kind);
    let forged = RRSIG::from_sig(input, vec![1; 64]);
    Record::from_rdata(owner.clone(), 300, RData::DNSSEC(DNSSECRData::RRSIG(forged)))
}

/// Who is told to believe one zone only, and nobody about all others, is not to believe those about
/// that zone.
#[tokio::test]
async fn nobody_above_the_anchor_can_say_that_a_zone_is_unsigned() {
    let world = World { anchored: name("v.test."), ..World::new() };
    let ask = async |kind, bend: &dyn Fn(&Query, &mut Message)| {
        spell(ask_bent(&world, Dnssec::Validate, "x.v.test", kind, bend).await)
    };
    let forged = |owner: &'static str, data: RData, signer: &'static str| {
        move |query: &Query, response: &mut Message| {
            if query.query_type() != RecordType::DNSKEY {
                let (owner, kind) = (name(owner), data.record_type());
                let record = Record::from_rdata(owner.clone(), 300, data.clone());
                response.answers = vec![record, claimed(&owner, kind, &name(signer))];
                response.authorities.clear();
            }
        }
    };
    for signer in [".", "test.", "v.test.", "x.v.test."] {
        let records = forged("x.v.test.", address(66), signer);
        assert_eq!(ask(Kind::A, &records).await, "bogus", "records, {signer}");
        let alias = forged("x.v.test.", alias("x.unsigned."), signer);
        assert_eq!(ask(Kind::A, &alias).await, "bogus", "an alias, {signer}");
        let absence = |query: &Query, response: &mut Message| {
            if query.query_type() != RecordType::DNSKEY {
                response.answers.clear();
                let nsec = claimed(&name("x.v.test."), RecordType::NSEC, &name(signer));
                response.authorities = vec![nsec];
            }
        };
        assert_eq!(ask(Kind::Tlsa, &absence).await, "bogus", "an absence, {signer}");
    }
    for owner in [".", "test."] {
        let tree = forged(owner, alias_for_tree("unsigned."), owner);
        assert_eq!(ask(Kind::A, &tree).await, "bogus", "an alias for {owner}");
    }
}

/// A peer's name may be as costly as the peer likes, but at nobody else's expense.
#[tokio::test]
async fn who_has_spent_all_effort_does_not_keep_others_from_a_zone() {
    let deep = format!("{}evil", "a.".repeat(60));
    let mut world = World::new();
    world.add(&format!("{deep}."), alias("x.unsigned."));
    let owner = name(&format!("{deep}."));
    let bend = |query: &Query, response: &mut Message| {
        if *query.name() == owner && query.query_type() == RecordType::A {
            // Said to be a zone of its own, which takes a question for each label to find out.
            response.answers.insert(0, claimed(&owner, RecordType::CNAME, &owner));
        }
    };
    let question = |name: &str| Question { name: name.to_owned(), kind: Kind::A };
    let (costly, other) = (question(&deep), question("x.unsigned"));
    let now = crate::mint::now();
    let (costly, other) = ask_with(&world, Dnssec::Validate, bend, async |resolver| {
        (resolver.look_up(&costly, now).await, resolver.look_up(&other, now).await)
    })
    .await;
    assert_eq!(costly, Err(Failure::Failed));
    assert_eq!(spell(other), "insecure: 192.0.2.4 at x.unsigned");
}

/// Servers that tarry on purpose keep nobody but those who ask about them.
#[tokio::test]
async fn zones_that_nobody_tells_of_keep_no_other_waiting() {
    let mut world = World::new();
    let slow = (0..300).map(|it| format!("slow{it}.test"));
    let questions: Vec<_> = slow.map(|name| Question { name, kind: Kind::A }).collect();
    for question in &questions {
        world.add(&format!("{}.", question.name), address(5));
    }
    let (held, all_held) = (std::cell::Cell::new(0), tokio::sync::Notify::new());
    let bend = |query: &Query, response: &mut Message| {
        if !query.name().to_ascii().starts_with("slow") {
            return;
        }
        // Without a signature it is asked whether somebody else signs there; and that nobody tells.
        response.answers.retain(|it| it.record_type() == RecordType::A);
        if query.query_type() == RecordType::DS {
            response.metadata.id ^= 1;
            held.set(held.get() + 1);
            if held.get() == 256 {
                all_held.notify_one();
            }
        }
    };
    let now = crate::mint::now();
    let other = ask_with(&world, Dnssec::Validate, bend, async |resolver| {
        let slow = questions.iter().map(|it| resolver.look_up(it, now)).collect();
        let other = async {
            all_held.notified().await;
            let question = Question { name: "x.unsigned".into(), kind: Kind::A };
            let answer = timeout(Duration::from_secs(1), resolver.look_up(&question, now)).await;
            answer.unwrap_or(Err(Failure::TimedOut))
        };
        tokio::select! {
            _ = crate::gather::all(slow) => None,
            other = other => Some(other),
        }
    })
    .await;
    assert_eq!(spell(other.expect("the slow ones are over")), "insecure: 192.0.2.4 at x.unsigned");
}

async fn trusting(owner: &str, bend: impl Fn(&Query, &mut Message)) -> String {
    spell(ask_bent(&World::new(), Dnssec::TrustAd, owner, Kind::A, bend).await)
}

#[tokio::test]
async fn a_server_on_this_machine_may_be_trusted_to_validate() {
    let both = "192.0.2.2, 192.0.2.3 at x.v.test";
    assert_eq!(trusting("x.v.test", honest).await, format!("secure: {both}"));
    assert_eq!(trusting("alias.test", honest).await, format!("secure: {both}"));
    assert_eq!(trusting("none.v.test", honest).await, "secure:  at none.v.test");
    let unsure = |_: &Query, it: &mut Message| it.metadata.authentic_data = false;
    assert_eq!(trusting("x.v.test", unsure).await, format!("insecure: {both}"));
    // One link of two.
    let half = only("x.v.test", |it| it.metadata.authentic_data = false);
    assert_eq!(trusting("alias.test", half).await, format!("insecure: {both}"));
}

#[tokio::test]
async fn without_dnssec_nothing_is_secure() {
    let answer = ask_bent(&World::new(), Dnssec::Off, "x.v.test", Kind::A, honest).await;
    assert_eq!(spell(answer), "insecure: 192.0.2.2, 192.0.2.3 at x.v.test");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_again() {
    let cut = |_: &Query, it: &mut Message| it.metadata.truncation = true;
    let expect = "secure: 192.0.2.2, 192.0.2.3 at x.v.test";
    assert_eq!(trusting("x.v.test", cut).await, expect);
    check("x.v.test", Kind::A, only("x.v.test", |it| it.metadata.truncation = true), expect).await;
}

/// Somebody who is told of queries, and what they were told.
fn witness() -> (Arc<Observer>, impl Fn() -> Vec<(Asked, Reply)>) {
    let (observer, told) = (Arc::<Observer>::default(), Arc::<Mutex<Vec<_>>>::default());
    let seen = Arc::clone(&told);
    observer.listen(move |it| {
        let Observation::Queried(exchange) = it else { panic!("{it:?} is none of a resolver's") };
        seen.lock().unwrap().push((exchange.asked, exchange.reply));
    });
    (observer, move || std::mem::take(&mut *told.lock().unwrap()))
}

#[tokio::test]
async fn every_query_is_told_with_what_came_of_it() {
    let look = async |kind, code| {
        let (observer, told) = witness();
        let question = Question { name: "v.test".to_owned(), kind };
        let bend = |query: &Query, response: &mut Message| {
            if query.query_type() == record_type(kind) {
                response.metadata.response_code = code;
            }
        };
        let at = crate::mint::now();
        let _ = ask_and_tell(&World::new(), Dnssec::TrustAd, observer, bend, async |resolver| {
            resolver.look_up(&question, at).await
        })
        .await;
        told()
    };
    for (kind, code, expect) in [
        (Kind::A, ResponseCode::NoError, vec![(Asked::A, Reply::NoError)]),
        (Kind::Srv, ResponseCode::NXDomain, vec![(Asked::Srv, Reply::NoName)]),
        // Whether it is forged or lost is asked once more.
        (Kind::Tlsa, ResponseCode::ServFail, vec![(Asked::Tlsa, Reply::Failure); 2]),
        (Kind::Aaaa, ResponseCode::Refused, vec![(Asked::Aaaa, Reply::Refused); 2]),
        (Kind::A, ResponseCode::NotImp, vec![(Asked::A, Reply::Other); 2]),
    ] {
        assert_eq!(look(kind, code).await, expect);
    }
}

#[tokio::test]
async fn queries_about_keys_are_told_like_any_other() {
    let (observer, told) = witness();
    let question = Question { name: "x.unsigned".to_owned(), kind: Kind::A };
    let at = crate::mint::now();
    let untouched = |_: &Query, _: &mut Message| ();
    let world = World::new();
    let answer = ask_and_tell(&world, Dnssec::Validate, observer, untouched, async |resolver| {
        resolver.look_up(&question, at).await
    });
    assert!(answer.await.is_ok());
    let told = told();
    assert_eq!(told.first(), Some(&(Asked::A, Reply::NoError)), "{told:?}");
    assert!(told.contains(&(Asked::Dnskey, Reply::NoError)), "{told:?}");
    assert!(told.contains(&(Asked::Ds, Reply::NoError)), "{told:?}");
}

#[tokio::test]
async fn a_query_that_is_given_up_is_told_as_one_without_an_answer() {
    let (_socket, _tcp, server) = sockets().await;
    let (observer, told) = witness();
    let mut settings = Settings {
        servers: Servers::These(vec![server]),
        dnssec: Dnssec::Off,
        ..Settings::default()
    };
    settings.limits.lookup_patience = Duration::from_millis(20);
    let resolver = Resolver::new(&settings, observer).unwrap();
    let question = Question { name: "v.test".to_owned(), kind: Kind::A };
    assert_eq!(resolver.look_up(&question, crate::mint::now()).await, Err(Failure::TimedOut));
    assert_eq!(told(), [(Asked::A, Reply::Nothing)]);
}
