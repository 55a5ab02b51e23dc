mod counting;

use std::sync::Arc;
use std::time::Duration;

use ligase_metrics::Metrics;

use super::Observer;
use crate::binding::{ConnectionId, Mode, Side};
use crate::connection::event::{Ending, Event, Facts, Totals};
use crate::logging::tests::said_by;
use crate::stream::{Condition, Loss, Setback, Way};
use crate::tests::pair;

fn facts() -> Facts {
    Facts {
        id: ConnectionId(7),
        side: Side::Public,
        outbound: true,
        transport: None,
        peer: "192.0.2.7:5269".parse().unwrap(),
    }
}

/// What is said of these events, but for their debug lines.
fn said(events: impl IntoIterator<Item = Event>) -> Vec<String> {
    let observer = Observer::new(Arc::new(Metrics::new("0", "test")));
    let said = said_by(|| events.into_iter().for_each(|it| observer.tell(it)));
    said.into_iter().filter(|line| !line.starts_with("DEBUG")).collect()
}

#[test]
fn a_pair_that_is_authenticated_is_one_line() {
    let bound = Event::Bound {
        facts: facts(),
        pair: pair("montague.example", "capulet.example"),
        comes: false,
        mode: Mode::ServerName,
        grounds: "dane",
        took: Duration::from_secs(1),
    };
    assert_eq!(
        said([Event::Opened(facts()), bound]),
        ["INFO  pair authenticated conn=7 side=public direction=outbound local=montague.example \
          remote=capulet.example proof=dane mode=server-name transport=plain"]
    );
}

#[test]
fn a_connection_that_ends_tells_what_it_carried() {
    let totals = Totals {
        bytes_in: 3,
        bytes_out: 4_096,
        stanzas_in: 0,
        stanzas_out: 12,
        lasted: Duration::from_millis(61_900),
    };
    let carried = "bytes_in=3 bytes_out=4096 stanzas_in=0 stanzas_out=12 seconds=61";
    let facts = facts();
    let where_from = "conn=7 side=public direction=outbound peer=192.0.2.7:5269";
    let refused = Ending::Refused(Condition::HostUnknown, "nobody is hosted here by that name");
    assert_eq!(
        said([
            Event::Ended(facts, Ending::Closed, totals),
            Event::Ended(facts, refused, totals),
            Event::Ended(facts, Ending::Broken, totals),
        ]),
        [
            format!("INFO  connection ended {where_from} reason=closed {carried}"),
            format!(
                "INFO  connection ended {where_from} reason=host-unknown \
                 because=\"nobody is hosted here by that name\" {carried}"
            ),
            format!("INFO  connection ended {where_from} reason=broken {carried}"),
        ]
    );
}

#[test]
fn a_failure_is_news_again_once_the_pair_has_worked() {
    let pair = || pair("montague.example", "capulet.example");
    let failed =
        || Event::Failed { pair: pair(), side: Side::Public, setback: Setback::NotListening };
    let bound = Event::Bound {
        facts: facts(),
        pair: pair(),
        comes: false,
        mode: Mode::DomainName,
        grounds: "pkix",
        took: Duration::ZERO,
    };
    let lost = Event::lost(facts(), pair(), Way::Outbound, Loss::PeerRevoked);
    let said = said([failed(), failed(), bound, lost, failed()]);
    let news = said.iter().filter(|line| line.starts_with("WARN  no way out for a pair"));
    assert_eq!((said.len(), news.count()), (4, 2), "{said:?}");
}
