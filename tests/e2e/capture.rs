//! How our server is brought to the proxy: by the packet filter, and by DNS as in a pod.

mod dns;
mod rules;
