//! What a test runner reported, in one form for all runners.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::git::RepoPath;

/// A test as its runner names it (`tests/test_a.py::test_x[1]`, `src/a.test.js > sum > adds`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TestId(pub String);

impl TestId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl From<&str> for TestId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// How a test ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It ran and passed.
    Passed,
    /// It ran and failed, or its set-up or tear-down did.
    Failed,
    /// It did not run: skipped, ignored, todo, deselected.
    Skipped,
    /// It failed and is marked as expected to fail; runners count that as success.
    ExpectedFailure,
    /// It passed although marked as expected to fail.
    UnexpectedPass,
}

/// Which part of a test failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Loading the test file: import, collection, compilation.
    Load,
    /// Set-up: fixtures, `beforeEach`.
    Setup,
    /// The test's own body.
    Call,
    /// Tear-down.
    Teardown,
}

/// Where a stack frame's source file lies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In the project's tree.
    Tree(RepoPath),
    /// Elsewhere: the standard library, an installed package, the runner.
    Outside(String),
}

/// A stack frame.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Frame {
    /// The source file.
    pub place: Place,
    /// Its line, counted from 1; 0 where the runner gives none.
    pub line: u32,
    /// The function, where the runner tells.
    pub function: Option<String>,
}

/// What went wrong, as far as the runner's own words tell. The gates turn it into a failure class
/// of the catalogue (A1 … F), for which they also need to know which files are production.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// An assertion failed.
    Assertion,
    /// Another exception, panic or error was raised; the frames tell where.
    Raised,
    /// The test uses a name that does not exist: import, attribute, arity, compile error.
    Unresolved {
        /// The bare name that is missing (`add`, `Cart.total`), as the runner words it.
        symbol: String,
    },
    /// The test itself is broken: syntax, missing fixture, misuse of the runner.
    Broken {
        /// What, as a fragment (`fixture 'db' not found`).
        what: String,
    },
    /// The surroundings failed: a module that is not installed, network, disk.
    Infrastructure {
        /// What, as a fragment.
        what: String,
    },
    /// The test ran until its time was over.
    TimedOut,
}

/// Why a test failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// In which part.
    pub phase: Phase,
    /// What went wrong.
    pub cause: Cause,
    /// The exception's type (`AssertionError`, `ValueError`, `panic`).
    pub exception: String,
    /// The exception's message.
    pub message: String,
    /// The stack, outermost first; the last frame raised. Empty where the runner gives none.
    pub frames: Vec<Frame>,
    /// The runner's own rendering, for people.
    pub excerpt: String,
}

/// One test of a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Which test.
    pub id: TestId,
    /// The file that defines it, where the runner tells.
    pub file: Option<RepoPath>,
    /// How it ended.
    pub status: Status,
    /// Why, where it failed.
    pub failure: Option<Failure>,
    /// How long it took, in seconds; 0 where the runner gives none.
    pub seconds: f64,
}

/// All that a runner's output says about one run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Reading {
    /// The tests, in the order in which they ended; each id once.
    pub cases: Vec<Case>,
    /// Failures that belong to no test: a file that could not be loaded, a build that failed.
    pub load_failures: Vec<LoadFailure>,
    /// True when the report is whole: the runner's own closing mark was seen.
    pub complete: bool,
    /// Where exit code, report and stream contradict each other; each entry one sentence fragment.
    pub disagreements: Vec<String>,
    /// Source files outside the tree that the run loaded and that look like the project's own
    /// (absolute paths), where the runner can tell.
    pub loaded_outside: Vec<PathBuf>,
}

/// A file or target that could not be loaded or built.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LoadFailure {
    /// The test file or target, where it is known.
    pub file: Option<RepoPath>,
    /// Why.
    pub failure: Failure,
}

impl Reading {
    /// The case of `id`.
    pub fn case(&self, id: &TestId) -> Option<&Case> {
        self.cases.iter().find(|case| &case.id == id)
    }
}
