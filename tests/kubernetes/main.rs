//! What is given to those who run ligase in Kubernetes: manifests, components, and what puts ligase
//! beside a server, held to each other and to what a cluster accepts.

mod components;
mod examples;
mod injected;
mod manifest;
mod schema;
