//! What Prometheus is told, and when it calls somebody.
//!
//! The files that operators are given are checked as files, and then used: a real Prometheus
//! scrapes proxies in a world of their own, and a fault is staged for every alert.

mod alarms;
mod books;
mod faults;
mod files;
mod ledger;
mod promtool;
mod scale;
mod story;
mod street;
mod watch;
