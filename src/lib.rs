//! failfirst turns a bug report into a *proven* fix.
//!
//! Dependencies point down: [`cli`] → [`report`] → [`gate`] → [`lab`] → [`lang`] → [`git`].

pub mod agent;
pub mod cli;
pub mod config;
pub mod exit_code;
pub mod gate;
pub mod git;
pub mod issue;
pub mod lab;
pub mod lang;
pub mod record;
pub mod report;
pub mod schema;
pub mod verify;
