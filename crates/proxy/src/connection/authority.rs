//! Asks those who must know: authoritative servers about keys, the verifier about peers, and our
//! own server about itself.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use ligase_verifier::{
    Domain, Endpoint, Leave, Pending, Presented, Request, Role as TlsRole, Service, Step, Taken,
    Unresolved, Verdict,
};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::driver::Found;
use super::establish::Dialed;
use super::event::{Event, Facts};
use super::rooms::Rooms;
use crate::binding::{DomainPair, Finding, Name, Side, StreamId};
use crate::stream::{Answer, DialbackError, Errand, Role, Rung, Setback};

impl Rooms {
    /// Finds out whether the far end of a connection goes by `name`, now (F-51); `again` where
    /// it has been proven to.
    pub async fn judge(
        self: &Arc<Self>,
        facts: Facts,
        name: &Name,
        endpoint: Option<Endpoint>,
        presented: Option<Presented>,
        again: bool,
    ) -> Finding {
        let domain = name.domain();
        if facts.side == Side::Backend && facts.outbound {
            // It is at the address that the operator configured.
            return Finding::OurServer(true);
        }
        if facts.side == Side::Backend {
            let ours = match presented {
                Some(presented) => self.is_backend(domain, &presented).await,
                None => false,
            };
            if ours {
                self.note_own(domain);
            }
            return Finding::OurServer(ours);
        }
        // Whoever is at the other end chooses what is looked up: on a stream for both directions, also
        // where we dialed.
        let is_new = !facts.outbound && !again;
        let shares = if again { &self.renewal_shares } else { &self.judge_shares };
        let share = shares.of(facts.peer.ip());
        let _turn = if is_new { None } else { share.acquire().await.ok() };
        let is_known = self.was_proven(domain);
        let leave = ByTurns { rooms: self, peer: facts.peer.ip(), is_new, is_known };
        let role = if facts.outbound { TlsRole::Receiving } else { TlsRole::Initiating };
        let domain = domain.clone();
        let request = Request {
            service: Service::Server,
            role,
            domain: domain.clone(),
            is_server_name: name.is_server(),
            endpoint,
            presented,
            at: self.now(),
        };
        let verdict = loop {
            let verifier = self.verifier.load_full();
            let verdict = verifier.verify_by_leave(request.clone(), &leave).await;
            // What we believe may have changed meanwhile, and all that was proven by it is looked at
            // again; but not what was not proven yet (F-51).
            if Arc::ptr_eq(&verifier, &self.verifier.load_full()) {
                break verdict;
            }
        };
        let (result, proof, reason) = match &verdict {
            Verdict::Proven(it) => ("proven", Some(it.prooftype().as_str()), ""),
            Verdict::Unproven(it) => ("unproven", None, it.finding.label()),
            Verdict::Refuted(it) => ("refuted", None, it.finding.label()),
            Verdict::Undetermined(it) => ("undetermined", None, it.finding.label()),
        };
        if proof.is_some() {
            self.note_proven(&domain);
        }
        let (side, outbound) = (facts.side, facts.outbound);
        let level = self.terms(Side::Public).level(Some(&domain));
        let is_short = matches!(verdict, Verdict::Unproven(_)) && !level.allows_dialback();
        if is_short && !name.is_server() {
            (self.tell)(Event::Barred { outbound, level });
        }
        (self.tell)(Event::Judged { side, outbound, domain, proof, result, reason });
        Finding::Verdict(verdict)
    }

    /// Asks whether a key is good that somebody sent us on the stream `id` of that connection
    /// (XEP-0220 §2.1.2).
    pub async fn ask_authority(
        self: &Arc<Self>,
        facts: Facts,
        pair: &DomainPair,
        id: StreamId,
        key: String,
    ) -> Answer {
        let ladder = self.settings.load().ladder;
        let errand = Errand::Verify(pair.clone(), id, key);
        let side = facts.side;
        let asked = timeout(ladder, async {
            match side {
                Side::Public => {
                    // Whom we ask is up to the peer, and how long that takes, too.
                    let is_known = self.was_proven(&pair.sender);
                    let _seat = self.authority_seats.take(facts.peer.ip(), is_known).await;
                    self.ask_peer(pair, errand, facts.peer.ip()).await
                }
                Side::Backend => self.ask_backend(errand).await,
            }
        });
        let answer = asked.await.unwrap_or(Answer::Unknown(DialbackError::RemoteServerTimeout));
        match (side, answer) {
            (Side::Backend, Answer::Valid) => self.note_own(&pair.sender),
            (Side::Public, Answer::Valid) => self.note_proven(&pair.sender),
            (Side::Backend | Side::Public, Answer::Invalid | Answer::Unknown(_)) => (),
        }
        let valid = match answer {
            Answer::Valid => Some(true),
            Answer::Invalid => Some(false),
            Answer::Unknown(_) => None,
        };
        if side == Side::Public {
            (self.tell)(Event::Dialback { role: Role::Receiving, valid });
        }
        answer
    }

    /// Asks the server that DNS names for the sender, on a connection of its own: never on the one
    /// that brought the key (F-43, L-07).
    async fn ask_peer(
        self: &Arc<Self>,
        pair: &DomainPair,
        errand: Errand,
        asker: IpAddr,
    ) -> Answer {
        let endpoints =
            match self.verifier.load_full().delegation(&pair.sender, Service::Server).await {
                Ok(endpoints) => endpoints,
                Err(error) => {
                    self.gone_astray(error);
                    return Answer::Unknown(unresolved(error));
                }
            };
        let mut last = DialbackError::RemoteServerTimeout;
        for endpoint in endpoints {
            let Ok(place) = self.locate(endpoint).await else { continue };
            let called = self.connect_for(asker, &place.addresses).await;
            // Kept until they have been heard.
            let Ok((socket, _leave)) = called else { continue };
            let dialed = Dialed::at(&place, socket);
            match self.run_errand(dialed, errand.clone()).await {
                Some(Found::Answer(Answer::Unknown(error))) => last = error,
                Some(Found::Answer(answer)) => return answer,
                Some(Found::Leaf(_)) | None => (),
            }
        }
        Answer::Unknown(last)
    }

    fn was_proven(&self, domain: &Domain) -> bool {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).holds(domain)
    }

    fn note_proven(&self, domain: &Domain) {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).note(domain.clone());
    }

    async fn ask_backend(self: &Arc<Self>, errand: Errand) -> Answer {
        match self.visit_backend(errand).await {
            Ok(Found::Answer(answer)) => answer,
            Ok(Found::Leaf(_)) | Err(_) => Answer::Unknown(DialbackError::RemoteServerTimeout),
        }
    }

    /// Whether our own server presents this very certificate for `domain` at the address that the
    /// operator configured. Whoever else knows our listener could show any certificate (L02).
    async fn is_backend(self: &Arc<Self>, domain: &Domain, presented: &Presented) -> bool {
        let digest = presented.sha256();
        let home = self.home(domain);
        let known = (home, domain.clone(), digest);
        let leaves = || self.backend_leaves.lock().unwrap_or_else(PoisonError::into_inner);
        if leaves().holds(&known) {
            return true;
        }
        // It may open a stream for each of its peers at once, and one look does for all of them.
        let turn = self.look(domain);
        let _turn = turn.acquire().await;
        if leaves().holds(&known) {
            return true;
        }
        let from = self.settings.load().backend.server_name.clone();
        let errand = Errand::Look(DomainPair::new(from, domain.clone()));
        let Ok(Found::Leaf(leaf)) = self.visit_backend(errand).await else {
            return false;
        };
        let is_its = leaf.sha256() == digest;
        if is_its {
            leaves().note(known);
        }
        is_its
    }

    /// The right to look what our own server presents for a domain, which one has at a time.
    fn look(&self, domain: &Domain) -> Arc<Semaphore> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if LOOKS_MAX <= looks.len() {
            looks.retain(|_, look| 1 < Arc::strong_count(look));
        }
        Arc::clone(looks.entry(domain.clone()).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }

    /// Does an errand at our own server.
    async fn visit_backend(self: &Arc<Self>, errand: Errand) -> Result<Found, Setback> {
        let ours = match &errand {
            Errand::Verify(pair, ..) => pair.sender.clone(),
            Errand::Carry(pair) | Errand::Look(pair) => pair.target.clone(),
        };
        let home = self.home(&ours);
        let dialed = self.dial_home(&home).await?;
        let found = timeout(self.settings.load().ladder, self.run_errand(dialed, errand)).await;
        // What an old home says of a domain that has moved meanwhile is nothing to go by.
        if self.home(&ours) != home {
            return Err(Setback::Unreachable);
        }
        found.ok().flatten().ok_or(Setback::TimedOut)
    }

    async fn run_errand(self: &Arc<Self>, dialed: Dialed, errand: Errand) -> Option<Found> {
        let (tell, found) = oneshot::channel();
        self.open(dialed, errand, Rung::DomainName, None, Some(tell)).ok()?;
        found.await.ok()
    }
}

/// The leave of a peer to have us look something up.
struct ByTurns<'a> {
    rooms: &'a Rooms,
    peer: IpAddr,
    /// Whether it has come to us, and nothing is known of it yet on this connection.
    is_new: bool,
    /// Whether the domain that it claims was proven before.
    is_known: bool,
}

impl Leave for ByTurns<'_> {
    fn take(&self, step: Step) -> Pending<'_, Taken> {
        let rooms = self.rooms;
        Box::pin(async move {
            let seats = match step {
                Step::Connect(address) => {
                    return Taken::until_dropped(rooms.leave_to_call(address).await);
                }
                Step::Dns | Step::Web if !self.is_new => return Taken::freely(),
                Step::Dns => &rooms.dns_seats,
                Step::Web => &rooms.web_seats,
            };
            Taken::until_dropped(seats.take(self.peer, self.is_known).await)
        })
    }
}

fn unresolved(error: Unresolved) -> DialbackError {
    match error {
        Unresolved::Declined
        | Unresolved::NotFound
        | Unresolved::Bogus
        | Unresolved::Failed
        | Unresolved::Forbidden => DialbackError::RemoteServerNotFound,
        Unresolved::TimedOut => DialbackError::RemoteServerTimeout,
    }
}

/// Domains whose looks are remembered though nobody looks; there are as many more as connections.
const LOOKS_MAX: usize = 4096;
