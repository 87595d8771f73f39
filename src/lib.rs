//! failfirst turns a bug report into a *proven* fix.
//!
//! Dependencies point down: [`gate`] → [`lang`] → [`git`].

pub mod agent;
pub mod config;
pub mod exit_code;
pub mod gate;
pub mod git;
pub mod issue;
pub mod lang;
pub mod schema;
