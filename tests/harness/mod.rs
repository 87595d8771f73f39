//! What the tests of verdicts share: small projects, their git history, and a verdict to look at.

#![allow(dead_code, reason = "each test binary uses a part of the harness")]

pub(crate) mod judged;
pub(crate) mod repository;
pub(crate) mod story;
