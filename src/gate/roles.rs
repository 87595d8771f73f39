//! What each changed file is: test, production, or something else.

use crate::config::PathGlobs;
use crate::git::RepoPath;
use crate::lang::{Language, Role, protected};

/// Tells roles by the settings first, then by protected names, then by the language's customs.
pub struct Roles {
    language: &'static dyn Language,
    globs: PathGlobs,
}

impl Roles {
    /// For a language and the `[paths]` settings.
    pub fn new(language: &'static dyn Language, globs: PathGlobs) -> Self {
        Self { language, globs }
    }

    /// The language.
    pub fn language(&self) -> &'static dyn Language {
        self.language
    }

    /// The role of a path.
    pub fn of(&self, path: &RepoPath) -> Role {
        let text = path.as_str();
        if self.globs.protected.is_match(text) {
            return Role::Protected(protected::Class::Configured);
        }
        if self.globs.production.is_match(text) {
            return Role::Production;
        }
        if self.globs.tests.is_match(text) {
            return match self.language.role(path) {
                Some(role @ (Role::Test | Role::TestSupport | Role::Protected(_))) => role,
                // A data file below a test glob holds no tests itself.
                _ if self.language.role(path) == Some(Role::Production)
                    || self.language.essence(path, "").is_some() =>
                {
                    Role::Test
                }
                _ => Role::TestSupport,
            };
        }
        if let Some(class) = protected::classify(path) {
            return Role::Protected(class);
        }
        match self.language.role(path) {
            Some(role @ (Role::Test | Role::TestSupport | Role::Protected(_))) => role,
            _ if protected::is_docs(path) => Role::Docs,
            Some(role) => role,
            None => Role::Other,
        }
    }

    /// True for files that belong to tests.
    pub fn is_test_side(&self, path: &RepoPath) -> bool {
        matches!(self.of(path), Role::Test | Role::TestSupport)
    }
}
