//! What the tests of verdicts share: small projects, their git history, and a verdict to look at.

pub(crate) mod judged;
pub(crate) mod repository;
pub(crate) mod story;
