//! The whole story: traffic, and then one fault after the other.

use std::collections::BTreeSet;
use std::env;
use std::time::Duration;

use ligase_tests::OrFail;

use crate::alarms::Alarms;
use crate::books::series;
use crate::faults;
use crate::files::{panels, rules};
use crate::ledger::Ledger;
use crate::promtool::check_metrics;
use crate::street::Street;
use crate::watch::{SOON, Watch};

/// Two proxies under traffic are scraped, and what is counted is what was sent; then everything
/// goes wrong that somebody is to be called for, and somebody is.
#[test]
fn what_was_sent_is_counted_and_every_fault_raises_its_alert() {
    let mut street = Street::build();
    let (mut ledger, mut alarms) = (Ledger::default(), Alarms::default());
    ledger.converse_for(&street, how_long());
    ledger.meet_proven(&street);
    ledger.audit(&street.watch);
    every_family_is_scraped(&street);
    faults::none(&street.watch);
    ledger.meet_unproven(&street);
    ledger.audit(&street.watch);
    // Nothing more comes later.
    street.watch.look_again();
    ledger.audit(&street.watch);

    alarms.expect(&street.watch, "LigaseDialbackShareHigh", "info");
    faults::broken(&street, &mut alarms);
    faults::forged(&street, &mut alarms);
    faults::born(&street, &mut alarms);
    faults::careless(&mut street, &mut alarms);
    faults::distrusted(&mut street, &mut alarms);
    faults::deserted(&mut street, &mut alarms);
    faults::stuck(&street, &mut alarms);
    faults::unanswered(&street, &mut alarms);
    ledger.meet_proven(&street);
    everything_that_is_asked_is_answered(&street.watch);
    faults::lingering(&street, &mut alarms);
    faults::gone(&mut street, &mut alarms);
    alarms.assert_complete();
}

/// Prometheus has found all there is at each proxy, and promtool finds no fault with it.
fn every_family_is_scraped(street: &Street) {
    let ligases = [("montague", &street.montague.ligase), ("capulet", &street.capulet.ligase)];
    for (instance, ligase) in ligases {
        let names = series();
        let query = format!("count by (__name__) ({{instance='{instance}'}})");
        let complete = street.watch.wait(SOON, |watch| {
            let scraped = watch.ask(&query);
            let scraped: BTreeSet<_> = scraped.iter().map(|it| &it.labels["__name__"]).collect();
            let missing: Vec<_> = names.iter().filter(|it| !scraped.contains(it)).collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?}")) }
        });
        complete.or_fail(&format!("scrape all there is at {instance}'s"));
        check_metrics(&ligase.get("/metrics").1);
    }
}

/// Every rule that records, and every panel, finds something.
fn everything_that_is_asked_is_answered(watch: &Watch) {
    let recorded = rules().into_iter().filter(|it| it.alert.is_none());
    let recorded = recorded.map(|it| (it.name.clone(), format!("max_over_time({}[1h])", it.name)));
    let shown = panels().into_iter().map(|it| (it.place, it.expr));
    let unanswered: Vec<_> = recorded
        .chain(shown)
        .filter_map(|(place, query)| {
            // A scrape that failed takes all there was away until the next.
            let answered = watch.wait(SOON, |watch| {
                let found = watch.ask(&query);
                let is_empty = found.iter().all(|it| it.value.is_nan());
                if is_empty { Err(format!("{place}: {query}: {found:?}")) } else { Ok(()) }
            });
            answered.err()
        })
        .collect();
    assert!(unanswered.is_empty(), "{}", unanswered.join("\n"));
}

/// For how long the two houses talk: once, or as long as somebody wants it who has the time.
fn how_long() -> Duration {
    let seconds = env::var_os("LIGASE_TESTS_TRAFFIC_SECONDS");
    let seconds = seconds.and_then(|it| it.to_str()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}
