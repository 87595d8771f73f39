//! unittest of the standard library.

use std::path::Path;

use super::interpreter::Interpreter;
use super::modules::Modules;
use super::session::{self, Command};
use super::{canaries, report};
use crate::git::RepoPath;
use crate::lang::{Canaries, Invocation, Output, Reading, Runner, Selection};

/// unittest of one project.
pub(super) struct Unittest {
    pub(super) interpreter: Interpreter,
    pub(super) command: Command,
    pub(super) suite: Command,
    pub(super) modules: Modules,
}

impl Runner for Unittest {
    fn name(&self) -> &'static str {
        "unittest"
    }

    fn label(&self) -> String {
        format!("unittest on {}", self.interpreter.label())
    }

    fn run(&self, selection: &Selection, out: &Path) -> Vec<Invocation> {
        let command = if *selection == Selection::Suite { &self.suite } else { &self.command };
        vec![session::compose(command, &self.interpreter, &self.modules, selection, &[], out)]
    }

    fn read(&self, _selection: &Selection, outputs: &[Output], out: &Path, root: &Path) -> Reading {
        report::read(report::Witness::Summary, outputs, out, root, &self.modules)
    }

    fn canaries(&self, beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
        canaries::methods(beside, source, nonce)
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.interpreter.variables()
    }
}
