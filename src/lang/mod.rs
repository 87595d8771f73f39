//! Languages and their test runners.
//!
//! A [`Language`] knows which files are tests and which are production; a [`Runner`] composes the
//! command for a selection of tests and reads what it reported. Neither runs anything: the lab does.
//! Adding one is a file here, a line in [`LANGUAGES`] and a test (see CONTRIBUTING.md).

mod case;
mod command;
mod go;
pub mod grammar;
mod javascript;
pub mod mutation;
pub mod protected;
mod python;
mod rust;
pub mod surgery;
mod twin;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use case::{Case, Cause, Failure, Frame, LoadFailure, Phase, Place, Reading, Status, TestId};
pub use command::{Invocation, Output, Template};
pub use twin::{Twin, TwinRed, Twins};

use crate::git::RepoPath;

/// All languages, in order of detection.
pub static LANGUAGES: &[&dyn Language] = &[&python::Python, &javascript::JavaScript, &rust::Rust, &go::Go];

/// What a file is for, as far as its path and the language's customs tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A file in which the runner looks for tests.
    Test,
    /// Helpers, fixtures and data of tests.
    TestSupport,
    /// Code or data that ships, or takes part in what ships.
    Production,
    /// Documentation, changelogs, licences: nothing that runs.
    Docs,
    /// A file of a protected class (see [`protected`]).
    Protected(protected::Class),
    /// Anything else: build files, scripts.
    Other,
}

/// What an adapter may look at: the file names of one tree, their content, and the prepared
/// checkout with its ignored files (`.venv`, `node_modules`, `target`).
pub trait Project {
    /// All paths of the base tree, sorted.
    fn paths(&self) -> &[RepoPath];
    /// The content of a file of the base tree; `None` where absent or not UTF-8.
    fn text(&self, path: &str) -> Option<String>;
    /// The prepared checkout, which is also the path at which every variant runs.
    fn root(&self) -> &Path;
    /// True when the tree has the file.
    fn has(&self, path: &str) -> bool {
        self.paths().binary_search_by(|known| known.as_str().cmp(path)).is_ok()
    }
}

/// The settings of `failfirst.toml` that adapters obey.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunnerSettings {
    /// `project.runner`.
    pub runner: Option<String>,
    /// `test.command`, with `{tests}` where the selection goes.
    pub command: Option<Template>,
    /// `test.suite`.
    pub suite: Option<Template>,
}

/// Which tests a run is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// All tests that these files define (for Rust: also the inline tests of a production file).
    Files(Vec<RepoPath>),
    /// These tests and no others.
    Tests(Vec<TestId>),
    /// Every test of the project.
    Suite,
}

/// Why an adapter cannot serve a project.
#[derive(Debug, thiserror::Error)]
pub enum LangError {
    /// No language was recognised.
    #[error(
        "no supported language was recognised in the base tree; set `language` under [project] in failfirst.toml ({known})"
    )]
    NoLanguage {
        /// The known names, joined.
        known: String,
    },
    /// `project.language` names no known language.
    #[error("`language = \"{name}\"` under [project] in failfirst.toml is unknown; known are {known}")]
    UnknownLanguage {
        /// As written.
        name: String,
        /// The known names, joined.
        known: String,
    },
    /// `project.runner` names no runner of the language.
    #[error(
        "`runner = \"{name}\"` under [project] in failfirst.toml is unknown for {language}; known are {known}"
    )]
    UnknownRunner {
        /// As written.
        name: String,
        /// The language.
        language: &'static str,
        /// The known names, joined.
        known: &'static str,
    },
    /// The runner's program is absent.
    #[error("{what}; {way_out}")]
    RunnerMissing {
        /// What was looked for, and where.
        what: String,
        /// What to do.
        way_out: String,
    },
    /// A setting that the adapter cannot use.
    #[error("`{setting}` in failfirst.toml: {what}")]
    BadSetting {
        /// The key.
        setting: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

/// A programming language: file roles, detection, inline tests.
pub trait Language: Send + Sync {
    /// Its name in `failfirst.toml` (`python`).
    fn name(&self) -> &'static str;

    /// How sure the language is that the project is written in it: 0 no, 100 its manifest stands
    /// at the root; lower for weaker signs, such as the share of source files.
    fn detect(&self, project: &dyn Project) -> u8;

    /// The role of a file by the language's customs; `None` where it has none to say.
    fn role(&self, path: &RepoPath) -> Option<Role>;

    /// The project's test runner, at work order.
    ///
    /// # Errors
    /// No runner is installed or the setting names an unknown one.
    fn runner(&self, project: &dyn Project, settings: &RunnerSettings) -> Result<Box<dyn Runner>, LangError>;

    /// Splits a production file that also holds tests; `None` where it holds none or the language
    /// has no such custom.
    fn inline_tests(&self, _path: &RepoPath, _source: &str) -> Option<Inline> {
        None
    }

    /// `base` with its test items replaced by those of `tests` (both are versions of one file).
    /// `None` where the items cannot be placed.
    fn graft(&self, _path: &RepoPath, _base: &str, _tests: &str) -> Option<String> {
        None
    }

    /// What of the runner's configuration or of the dependencies a change of a mixed file
    /// (`pyproject.toml`, `package.json`, `Cargo.toml`) touches; `None` where it touches neither.
    fn runner_settings_changed(
        &self,
        _path: &RepoPath,
        _old: Option<&str>,
        _new: Option<&str>,
    ) -> Option<SettingChange> {
        None
    }

    /// True when a change of a protected test-side file (`conftest.py`) only adds fixtures or plain
    /// helpers: no hook, nothing that applies by itself, nothing that was there changed.
    fn only_adds_fixtures(&self, _path: &RepoPath, _old: Option<&str>, _new: Option<&str>) -> bool {
        false
    }

    /// The source of a test file with a beginning that hides the test runner from the production files
    /// `from` (as they are found at `root`), and from nobody else; with no files it hides nothing, so that
    /// it can be seen whether the test bears such a beginning. `None` where the language has no such means.
    fn neutral(&self, _path: &RepoPath, _source: &str, _root: &Path, _from: &[RepoPath]) -> Option<String> {
        None
    }

    /// How behaviour is changed in source of this language.
    fn surgery(&self) -> &'static dyn surgery::Surgery;

    /// The test file with one expectation made wrong, for the assertion at a line (counted from 1) or
    /// behind it. `nonce` is a random identifier. `None` where the file does not parse, or the language
    /// knows no assertions.
    fn twins(&self, _path: &RepoPath, _source: &str, _line: u32, _nonce: &str) -> Option<Twins> {
        None
    }

    /// The source with comments, docstrings and layout set aside: two files with the same essence
    /// behave alike. `None` where the file is not source of this language or does not parse.
    fn essence(&self, path: &RepoPath, source: &str) -> Option<String>;
}

/// A change inside a file that configures several things.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettingChange {
    /// The runner's configuration; a fragment for "PATH …" (`changes [tool.pytest.ini_options]`).
    Runner(String),
    /// The dependencies, likewise.
    Dependencies(String),
}

/// The test items of a production file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inline {
    /// The items' text in order, which is what gets sealed.
    pub items: Vec<String>,
    /// The rest of the file.
    pub production: String,
}

/// A test runner: composes commands and reads reports.
pub trait Runner: Send + Sync {
    /// Its name in `failfirst.toml` (`pytest`).
    fn name(&self) -> &'static str;

    /// For people, with versions where known (`pytest 8.4 on Python 3.11`).
    fn label(&self) -> String;

    /// The commands that build a variant once before it is run any number of times; empty for
    /// interpreted languages. A failing build is no error: the runs will report it.
    fn build(&self, _selection: &Selection) -> Vec<Invocation> {
        Vec::new()
    }

    /// The commands that run the selection, in order. Report files go to `out`, an empty folder
    /// outside the tree that exists when they run.
    fn run(&self, selection: &Selection, out: &Path) -> Vec<Invocation>;

    /// Reads what the commands of [`Runner::run`] left behind. `root` is the path at which the
    /// variant ran.
    fn read(&self, selection: &Selection, outputs: &[Output], out: &Path, root: &Path) -> Reading;

    /// Two extra tests that run in the same session as the tests of `beside`: one that must pass
    /// and one that must fail. `source` is the content of `beside`. Names and text must not give
    /// away which is which to code that looks at names; `nonce` is a random identifier.
    fn canaries(&self, beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries>;

    /// Folders of the machine that a run must be able to write to (build caches). Each is
    /// mounted copy-on-write, so nothing reaches the real one.
    fn writable_caches(&self) -> Vec<std::path::PathBuf> {
        Vec::new()
    }

    /// Variables that runs need besides the allow-list, such as where toolchains live.
    fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// A file with one passing and one failing test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Canaries {
    /// Where the file goes; may be the sealed test's own path, then `content` is that file with the
    /// canaries appended.
    pub path: RepoPath,
    /// Its whole content.
    pub content: String,
    /// A part of the id of the test that must pass.
    pub passes: String,
    /// A part of the id of the test that must fail.
    pub fails: String,
}

fn known_names() -> String {
    LANGUAGES.iter().map(|language| language.name()).collect::<Vec<_>>().join(", ")
}

/// The language that `setting` names, or the one that is surest of the project.
///
/// # Errors
/// [`LangError::UnknownLanguage`], [`LangError::NoLanguage`].
pub fn detect(project: &dyn Project, setting: Option<&str>) -> Result<&'static dyn Language, LangError> {
    if let Some(name) = setting {
        let name = if name == "typescript" { "javascript" } else { name };
        return LANGUAGES
            .iter()
            .copied()
            .find(|language| language.name() == name)
            .ok_or_else(|| LangError::UnknownLanguage { name: name.to_owned(), known: known_names() });
    }
    let mut best: Option<(u8, &'static dyn Language)> = None;
    for &language in LANGUAGES {
        let sureness = language.detect(project);
        if sureness > 0 && best.is_none_or(|(sure, _)| sureness > sure) {
            best = Some((sureness, language));
        }
    }
    best.map(|(_, language)| language).ok_or_else(|| LangError::NoLanguage { known: known_names() })
}
