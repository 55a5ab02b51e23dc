use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;

use prometheus::core::Collector;
use prometheus::{
    CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry,
};

use crate::labels::Label;

/// What a family is called, and what it means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a>(pub(crate) &'a str, pub(crate) &'a str);

/// The metrics of one family, made beforehand for every combination of its labels; so counting
/// is one look into an array and one atomic addition, and no series ever appears later.
#[derive(Debug)]
pub(crate) struct Family<M, L> {
    metrics: Vec<M>,
    labels: PhantomData<fn(L)>,
}

/// A combination of labels.
pub(crate) trait Labels: Copy {
    /// Every combination, in the order of [`position`](Self::position).
    fn each() -> Vec<Self>;

    /// As they are written.
    fn values(self) -> Vec<&'static str>;

    /// Which of [`each`](Self::each) it is.
    fn position(self) -> usize;
}

impl<A: Label> Labels for (A,) {
    fn each() -> Vec<Self> {
        A::EACH.iter().map(|a| (*a,)).collect()
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.0.value()]
    }

    fn position(self) -> usize {
        self.0.index()
    }
}

impl<A: Label, B: Label> Labels for (A, B) {
    fn each() -> Vec<Self> {
        let pairs = |a: &A| B::EACH.iter().map(move |b| (*a, *b)).collect::<Vec<_>>();
        A::EACH.iter().flat_map(pairs).collect()
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.0.value(), self.1.value()]
    }

    fn position(self) -> usize {
        self.0.index() * B::EACH.len() + self.1.index()
    }
}

impl<A: Label, B: Label, C: Label> Labels for (A, B, C) {
    fn each() -> Vec<Self> {
        let bc = <(B, C)>::each();
        let triples = |a: &A| bc.iter().map(|(b, c)| (*a, *b, *c)).collect::<Vec<_>>();
        A::EACH.iter().flat_map(triples).collect()
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.0.value(), self.1.value(), self.2.value()]
    }

    fn position(self) -> usize {
        (self.0.index() * B::EACH.len() + self.1.index()) * C::EACH.len() + self.2.index()
    }
}

impl<M, L: Labels> Family<M, L> {
    fn of(make: impl Fn(&[&str]) -> prometheus::Result<M>) -> Self {
        let metrics = L::each().into_iter().map(|it| sound(make(&it.values())));
        Self { metrics: metrics.collect(), labels: PhantomData }
    }

    /// The metric of one combination.
    pub(crate) fn at(&self, labels: L) -> &M {
        &self.metrics[labels.position()]
    }
}

/// Where families are registered.
#[derive(Debug)]
pub(crate) struct Families(pub(crate) Registry);

impl Families {
    pub(crate) fn counters<L: Labels>(
        &self,
        name: Name<'_>,
        labels: &[&str],
    ) -> Family<IntCounter, L> {
        let family = sound(IntCounterVec::new(Opts::new(name.0, name.1), labels));
        let family = self.registered(family);
        Family::of(|values| family.get_metric_with_label_values(values))
    }

    /// Counters of seconds, which are seldom whole.
    pub(crate) fn float_counters<L: Labels>(
        &self,
        name: Name<'_>,
        labels: &[&str],
    ) -> Family<prometheus::Counter, L> {
        let family = sound(CounterVec::new(Opts::new(name.0, name.1), labels));
        let family = self.registered(family);
        Family::of(|values| family.get_metric_with_label_values(values))
    }

    pub(crate) fn gauges<L: Labels>(&self, name: Name<'_>, labels: &[&str]) -> Family<IntGauge, L> {
        let family = sound(IntGaugeVec::new(Opts::new(name.0, name.1), labels));
        let family = self.registered(family);
        Family::of(|values| family.get_metric_with_label_values(values))
    }

    pub(crate) fn histograms<L: Labels>(
        &self,
        name: Name<'_>,
        labels: &[&str],
        buckets: &[f64],
    ) -> Family<Histogram, L> {
        let options = HistogramOpts::new(name.0, name.1).buckets(buckets.to_vec());
        let family = self.registered(sound(HistogramVec::new(options, labels)));
        Family::of(|values| family.get_metric_with_label_values(values))
    }

    /// A family of which not every combination makes sense: only the listed ones are made.
    pub(crate) fn listed<K: Eq + Hash, const N: usize>(
        &self,
        name: Name<'_>,
        labels: &[&str; N],
        listed: impl Iterator<Item = (K, [&'static str; N])>,
    ) -> HashMap<K, IntCounter> {
        let family = sound(IntCounterVec::new(Opts::new(name.0, name.1), labels));
        let family = self.registered(family);
        let metric = |values: [&str; N]| sound(family.get_metric_with_label_values(&values));
        listed.map(|(key, values)| (key, metric(values))).collect()
    }

    pub(crate) fn counter(&self, name: Name<'_>) -> IntCounter {
        self.registered(sound(IntCounter::new(name.0, name.1)))
    }

    pub(crate) fn histogram(&self, name: Name<'_>, buckets: &[f64]) -> Histogram {
        let options = HistogramOpts::new(name.0, name.1).buckets(buckets.to_vec());
        self.registered(sound(Histogram::with_opts(options)))
    }

    pub(crate) fn gauge(&self, name: Name<'_>) -> IntGauge {
        self.registered(sound(IntGauge::new(name.0, name.1)))
    }

    pub(crate) fn float_gauge(&self, name: Name<'_>) -> Gauge {
        self.registered(sound(Gauge::new(name.0, name.1)))
    }

    pub(crate) fn float_counter(&self, name: Name<'_>) -> prometheus::Counter {
        self.registered(sound(prometheus::Counter::new(name.0, name.1)))
    }

    /// A gauge that is always 1, and tells something in its labels.
    pub(crate) fn fact(&self, name: Name<'_>, labels: &[(&str, &str)]) {
        let (names, values): (Vec<_>, Vec<_>) = labels.iter().copied().unzip();
        let family = self.registered(sound(GaugeVec::new(Opts::new(name.0, name.1), &names)));
        sound(family.get_metric_with_label_values(&values)).set(1.0);
    }

    fn registered<C: Collector + Clone + 'static>(&self, collector: C) -> C {
        sound(self.0.register(Box::new(collector.clone())));
        collector
    }
}

/// What can only fail if a name in this crate is unsound or used twice: a bug of ours, which every
/// test that makes a `Metrics` finds.
#[track_caller]
fn sound<T>(made: prometheus::Result<T>) -> T {
    match made {
        Ok(made) => made,
        Err(error) => panic!("a family of ours is unsound: {error}"),
    }
}
