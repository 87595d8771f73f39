//! unittest of the standard library.

use std::path::Path;

use super::session::Setup;
use super::{canaries, report};
use crate::git::RepoPath;
use crate::lang::{Canaries, Invocation, Output, Reading, Runner, Selection};

/// unittest of one project.
pub(super) struct Unittest(pub(super) Setup);

impl Runner for Unittest {
    fn name(&self) -> &'static str {
        "unittest"
    }

    fn label(&self) -> String {
        format!("unittest on {}", self.0.interpreter.label())
    }

    fn run(&self, selection: &Selection, out: &Path) -> Vec<Invocation> {
        vec![self.0.compose(selection, &[], out)]
    }

    fn read(&self, _selection: &Selection, outputs: &[Output], out: &Path, root: &Path) -> Reading {
        report::read(report::Witness::Summary, outputs, out, root, &self.0.modules)
    }

    fn canaries(&self, beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
        canaries::methods(beside, source, nonce)
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.0.interpreter.variables()
    }
}
