//! The pipeline: which stages work on a case, what they are told, and in which order.
//!
//! [`spec`] reads a pipeline from TOML, [`prompt`] renders what the agents read, and
//! [`engine`] is the only place that orders stages.

mod bench;
pub mod engine;
mod lab_bench;
pub mod prompt;
pub mod spec;

pub use bench::{Bench, Left};
pub use lab_bench::LabBench;

/// Where the files are that a repository may put in the place of failfirst's own: the base
/// commit, never the change under judgement.
pub trait Overrides {
    /// The text of a file of the base tree; `None` where there is none.
    fn text(&self, path: &str) -> Option<String>;
}

impl Overrides for crate::verify::Bench {
    fn text(&self, path: &str) -> Option<String> {
        let path = crate::git::RepoPath::new(path).ok()?;
        String::from_utf8(self.lab.store().file(self.base.tree, &path).ok()??).ok()
    }
}

/// No overrides: everything as failfirst brings it.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOverrides;

impl Overrides for NoOverrides {
    fn text(&self, _path: &str) -> Option<String> {
        None
    }
}
