//! failfirst turns a bug report into a *proven* fix.
//!
//! Dependencies point down: [`report`] → [`gate`] → [`lang`] → [`git`].

pub mod exit_code;
pub mod gate;
pub mod git;
pub mod lang;
pub mod report;
