//! JavaScript and TypeScript: node:test, jest, vitest and mocha.
//!
//! Each runner is driven with a reporter of failfirst's own, all of which write the same lines of
//! JSON; one reader turns them into a [`Reading`](super::Reading).

mod build;
mod canary;
mod cause;
mod choose;
mod dialect;
mod essence;
mod jest;
mod mocha;
mod mutation;
mod neutral;
mod node_test;
mod packages;
mod report;
mod roles;
mod runner;
mod script;
mod settings;
mod source;
mod stack;
mod surgery;
mod twin;
mod vitest;

use std::path::Path;

use super::{LangError, Language, Project, Role, Runner, RunnerSettings, SettingChange};
use crate::git::RepoPath;
use crate::lang::grammar::Grammar;
use crate::lang::surgery::Surgery;

/// JavaScript and TypeScript.
pub(super) struct JavaScript;

impl Language for JavaScript {
    fn name(&self) -> &'static str {
        "javascript"
    }

    fn detect(&self, project: &dyn Project) -> u8 {
        let share = share(project);
        if share == 0 {
            // A package.json without any source is a matter of tools.
            return 0;
        }
        let sure =
            |floor: u32, ceiling: u32| u8::try_from(floor + (ceiling - floor) * share / 100).unwrap_or(100);
        if project.has("package.json") {
            // Beside the manifest of another language the share of the sources decides.
            if OTHER_MANIFESTS.iter().any(|name| project.has(name)) { sure(70, 99) } else { sure(90, 99) }
        } else if project.has("tsconfig.json") || project.has("deno.json") || project.has("jsconfig.json") {
            sure(40, 80)
        } else {
            sure(0, 60).max(1)
        }
    }

    fn role(&self, path: &RepoPath) -> Option<Role> {
        roles::role(path)
    }

    fn runner(&self, project: &dyn Project, settings: &RunnerSettings) -> Result<Box<dyn Runner>, LangError> {
        choose::choose(project, settings)
    }

    fn neutral(&self, path: &RepoPath, source: &str, _root: &Path, from: &[RepoPath]) -> Option<String> {
        neutral::neutral(path, source, !from.is_empty())
    }

    fn surgery(&self) -> &'static dyn Surgery {
        &surgery::JavaScriptSurgery
    }

    fn twins(&self, path: &RepoPath, source: &str, line: u32, nonce: &str) -> Option<crate::lang::Twins> {
        let grammar = Grammar::of(path)?;
        crate::lang::twin::twins(grammar, &twin::ScriptAssertions, source, line, nonce)
    }

    fn essence(&self, path: &RepoPath, source: &str) -> Option<String> {
        essence::essence(path, source)
    }

    fn runner_settings_changed(
        &self,
        path: &RepoPath,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Option<SettingChange> {
        settings::changed(path, old, new)
    }
}

const OTHER_MANIFESTS: [&str; 10] = [
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Cargo.toml",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "Gemfile",
    "composer.json",
    "mix.exs",
];

const OTHER_SOURCES: [&str; 16] =
    ["py", "rs", "go", "java", "kt", "rb", "php", "c", "cc", "cpp", "h", "hpp", "cs", "swift", "ex", "scala"];

/// How many of a hundred source files are this language's; at least 1 where there are any.
fn share(project: &dyn Project) -> u32 {
    let (mut own, mut others) = (0_usize, 0_usize);
    for path in project.paths() {
        if path
            .folders()
            .any(|folder| matches!(folder, "node_modules" | "vendor" | "third_party" | "docs" | "doc"))
        {
            continue;
        }
        if roles::is_source(path) && !path.file_name().ends_with(".min.js") {
            own += 1;
        } else if path.extension().is_some_and(|extension| OTHER_SOURCES.contains(&extension)) {
            others += 1;
        }
    }
    if own == 0 { 0 } else { u32::try_from(own * 100 / (own + others)).unwrap_or(100).max(1) }
}
