//! pytest.

use std::path::Path;

use super::interpreter::Interpreter;
use super::modules::Modules;
use super::session::{self, Command};
use super::{canaries, report};
use crate::git::RepoPath;
use crate::lang::{Canaries, Invocation, Output, Reading, Runner, Selection};

/// pytest of one project.
pub(super) struct Pytest {
    pub(super) interpreter: Interpreter,
    pub(super) command: Command,
    pub(super) suite: Command,
    pub(super) modules: Modules,
}

impl Runner for Pytest {
    fn name(&self) -> &'static str {
        "pytest"
    }

    fn label(&self) -> String {
        match &self.interpreter.pytest {
            Some(version) => format!("pytest {version} on {}", self.interpreter.label()),
            None => format!("pytest on {}", self.interpreter.label()),
        }
    }

    fn run(&self, selection: &Selection, out: &Path) -> Vec<Invocation> {
        let command = if *selection == Selection::Suite { &self.suite } else { &self.command };
        let flags = [
            // The project's own cache is neither read nor written, and `cache` stays a fixture.
            "-o".to_owned(),
            format!("cache_dir={}", out.join("cache").display()),
            "-o".to_owned(),
            "junit_logging=no".to_owned(),
            format!("--junitxml={}", out.join("junit.xml").display()),
        ];
        vec![session::compose(command, &self.interpreter, &self.modules, selection, &flags, out)]
    }

    fn read(&self, _selection: &Selection, outputs: &[Output], out: &Path, root: &Path) -> Reading {
        report::read(report::Witness::Junit, outputs, out, root, &self.modules)
    }

    fn canaries(&self, beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
        canaries::functions(beside, source, nonce)
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.interpreter.variables()
    }
}
