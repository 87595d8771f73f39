//! An agent's hands upon a workspace of the lab.

use std::path::Path;

use super::{Hands, Terms};
use crate::git::{Mode, RepoPath};
use crate::lab::{LabError, Workspace};
use crate::lang::{Invocation, Output};

impl Hands for Workspace<'_> {
    fn root(&self) -> &Path {
        Workspace::root(self)
    }

    fn desk(&self) -> &Path {
        Workspace::desk(self)
    }

    fn is_isolated(&self) -> bool {
        Workspace::is_isolated(self)
    }

    fn run(&self, invocation: &Invocation, terms: &Terms) -> Result<Output, String> {
        Workspace::run(self, invocation, terms.timeout, terms.network, &terms.bounds).map_err(words)
    }

    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, String> {
        Workspace::read(self, path).map_err(words)
    }

    fn write(&self, path: &RepoPath, content: &[u8]) -> Result<(), String> {
        Workspace::write(self, path, content).map_err(words)
    }

    fn put(&self, path: &RepoPath, content: &[u8], mode: Mode) -> Result<(), String> {
        Workspace::put(self, path, content, mode).map_err(words)
    }

    fn remove(&self, path: &RepoPath) -> Result<(), String> {
        Workspace::remove(self, path).map_err(words)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in for a closure in `map_err`")]
fn words(error: LabError) -> String {
    error.to_string()
}
