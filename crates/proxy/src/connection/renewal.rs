//! Every proof has an end (F-50). Then it is looked at again, with what the far end presented when
//! it was first made, and what does not hold any more is taken back.

use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Finding as Found, Reason, Verdict};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::event::Event;
use super::rooms::Rooms;
use super::tables::Ended;
use crate::binding::{Finding, Name};
use crate::stream::Action;

impl Rooms {
    /// Looks again at every proof that ends, for ever.
    pub async fn renew_proofs(self: Arc<Self>) {
        let mut renewals = JoinSet::new();
        loop {
            tokio::select! {
                () = self.next_end() => (),
                // A sooner end came in.
                () = self.tables.sooner() => (),
                Some(_) = renewals.join_next() => (),
            }
            for (ended, name) in self.tables.take_ended(self.now()) {
                renewals.spawn(Arc::clone(&self).renew(ended, name));
            }
        }
    }

    async fn next_end(&self) {
        match self.tables.look(crate::binding::Table::next_end) {
            // The clock may be set while we sleep.
            Some(end) => sleep(end.duration_since(self.now()).unwrap_or_default().min(NAP)).await,
            None => std::future::pending().await,
        }
    }

    async fn renew(self: Arc<Self>, ended: Ended, name: Name) {
        let Ended { facts, endpoint, presented } = ended;
        let (rooms, of) = (Arc::clone(&self), name.clone());
        // A mistake of ours on the way must not leave the right without an end, so it is made apart.
        let mut judging = JoinSet::new();
        judging.spawn(async move { rooms.judge(facts, &of, endpoint, presented, true).await });
        // Whoever cannot prove in this time that the proof still holds has none.
        let judged = timeout(GRACE, judging.join_next()).await;
        let found = judged.ok().flatten().and_then(Result::ok).unwrap_or_else(|| {
            let reason = Reason { prooftype: None, finding: Found::DnsLimit };
            Finding::Verdict(Verdict::Undetermined(reason))
        });
        let mut step = self.tables.renewed(facts.id, name, found);
        self.follow(&mut step);
        for action in step.actions {
            if let Action::Lost(pair, way, loss) = action {
                (self.tell)(Event::lost(facts, pair, way, loss));
            }
        }
    }
}

/// How long a pair is still carried after its proof has ended, while that is looked at again.
const GRACE: Duration = Duration::from_secs(4);

/// How long we sleep at a time while a proof is to end.
const NAP: Duration = Duration::from_secs(60);
