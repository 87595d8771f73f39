//! failfirst turns a bug report into a *proven* fix.
//!
//! A case goes from an [`issue`] through the stages that the [`pipeline`] orders: [`agent`]s work, the
//! [`gate`]s judge, and everything is written to the [`record`]. [`github`] stands at the two ends: an event
//! starts a case, and its result is published.
//!
//! Dependencies point down: [`cli`] → [`github`] → {[`pipeline`], [`report`]} → {[`agent`], [`record`]} → [`gate`] → [`lab`] →
//! [`lang`] → [`git`].

pub mod agent;
pub mod cli;
pub mod config;
pub mod exit_code;
pub mod gate;
pub mod git;
pub mod github;
pub mod issue;
pub mod lab;
pub mod lang;
pub mod pipeline;
pub mod record;
pub mod report;
pub mod schema;
pub mod verify;
