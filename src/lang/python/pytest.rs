//! pytest.

use std::path::Path;

use super::session::Setup;
use super::{canaries, report};
use crate::git::RepoPath;
use crate::lang::{Canaries, Invocation, Output, Reading, Runner, Selection};

/// pytest of one project.
pub(super) struct Pytest(pub(super) Setup);

impl Runner for Pytest {
    fn name(&self) -> &'static str {
        "pytest"
    }

    fn label(&self) -> String {
        match &self.0.interpreter.pytest {
            Some(version) => format!("pytest {version} on {}", self.0.interpreter.label()),
            None => format!("pytest on {}", self.0.interpreter.label()),
        }
    }

    fn run(&self, selection: &Selection, out: &Path) -> Vec<Invocation> {
        let flags = [
            // The project's own cache is neither read nor written, and `cache` stays a fixture.
            "-o".to_owned(),
            format!("cache_dir={}", out.join("cache").display()),
            "-o".to_owned(),
            "junit_logging=no".to_owned(),
            format!("--junitxml={}", out.join("junit.xml").display()),
        ];
        vec![self.0.compose(selection, &flags, out)]
    }

    fn read(&self, _selection: &Selection, outputs: &[Output], out: &Path, root: &Path) -> Reading {
        report::read(report::Witness::Junit, outputs, out, root, &self.0.modules)
    }

    fn canaries(&self, beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
        canaries::functions(beside, source, nonce)
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.0.interpreter.variables()
    }
}
