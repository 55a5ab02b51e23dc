//! What strangers cost who come by the thousand, and whether anybody else notices.
//!
//! A proxy is besieged while another proxy's server goes on talking with its own: how long that
//! takes, how much memory the strangers take and when they are gone is measured, and held to bounds.
//! There are few of them, and they may stay for seconds only, unless `LIGASE_TESTS_SIEGE=full`.

mod form;
mod mixture;
mod scene;
mod strangers;
