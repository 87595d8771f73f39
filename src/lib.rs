//! failfirst turns a bug report into a *proven* fix.
//!
//! Dependencies point down: [`cli`] → [`report`] → [`gate`] → [`lab`] → [`lang`] → [`git`].

pub mod cli;
pub mod config;
pub mod exit_code;
pub mod gate;
pub mod git;
pub mod lab;
pub mod lang;
pub mod report;
pub mod schema;
pub mod verify;
