//! What is given to those who run ligase in Kubernetes, the chart and the manifests, held to each
//! other and to what Kubernetes, Helm and the program itself take.
//!
//! There is no cluster here: manifests are rendered by the real tools and checked as manifests.

mod chart;
mod cluster;
mod components;
mod examples;
mod golden;
mod guide;
mod helm;
mod injected;
mod library;
mod manifest;
mod matrix;
mod mounted;
mod readme;
mod schema;
mod valid;
mod wrong;
