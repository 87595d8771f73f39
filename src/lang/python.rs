//! Python: pytest and unittest.

use super::{LangError, Language, Project, Role, Runner, RunnerSettings};
use crate::git::RepoPath;

/// Python.
pub(super) struct Python;

impl Language for Python {
    fn name(&self) -> &'static str {
        "python"
    }

    fn detect(&self, _project: &dyn Project) -> u8 {
        0
    }

    fn role(&self, _path: &RepoPath) -> Option<Role> {
        None
    }

    fn runner(
        &self,
        _project: &dyn Project,
        _settings: &RunnerSettings,
    ) -> Result<Box<dyn Runner>, LangError> {
        Err(LangError::RunnerMissing { what: String::new(), way_out: String::new() })
    }

    fn essence(&self, _path: &RepoPath, _source: &str) -> Option<String> {
        None
    }
}
