//! The verdict: what the gates found, and the table that turns their outcomes into one word.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::git::{Oid, RepoPath};
pub use crate::lab::SandboxReport;
use crate::lang::TestId;

/// The name and version of the JSON form.
pub const SCHEMA: &str = "failfirst/verdict/1";

/// The one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// Every mandatory gate ran and passed.
    Verified,
    /// A gate found that the evidence does not hold.
    Refused,
    /// Nothing disproves the fix, but a person must look at what is named.
    NeedsHuman,
    /// A mandatory question could not be answered.
    Inconclusive,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::NeedsHuman => "needs-human",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// The check of the catalogue that a gate answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Check {
    /// Scope: the change touches only what its author may touch.
    K0,
    /// Red: the test fails on the buggy code, for an accepted reason, each time.
    K1,
    /// Green: the same bytes pass on the fixed code, each time.
    K2,
    /// Inert: without its production hunks the change leaves the test red.
    K3,
    /// Canaries: in the same session a must-fail test fails and a must-pass test passes.
    K4,
    /// Twin: the test with a perturbed expectation is red on the fixed code.
    K5,
    /// Reach: the test executes changed production code.
    K6,
    /// Poison: changed functions that raise or return defaults turn the test red.
    K7,
    /// Unfix: with the old bodies bound in place of the fixed text the test is red again.
    K8,
    /// Mutants of the changed lines.
    K9,
    /// Neutral: still green without any sign of a test runner.
    K10,
    /// Siblings: further tests written from the issue alone.
    K11,
    /// Regressions: what passed before still passes.
    K12,
    /// Smells in the test and in the patch.
    K13,
    /// Clones: a test-side function contains production logic.
    K14,
    /// Stability: the same result in every repetition.
    K15,
}

impl Check {
    /// All checks in the catalogue's order.
    pub const ALL: [Self; 16] = [
        Self::K0,
        Self::K1,
        Self::K2,
        Self::K3,
        Self::K4,
        Self::K5,
        Self::K6,
        Self::K7,
        Self::K8,
        Self::K9,
        Self::K10,
        Self::K11,
        Self::K12,
        Self::K13,
        Self::K14,
        Self::K15,
    ];

    /// The gate's short name (`red`).
    pub fn name(self) -> &'static str {
        match self {
            Self::K0 => "scope",
            Self::K1 => "red",
            Self::K2 => "green",
            Self::K3 => "inert",
            Self::K4 => "canaries",
            Self::K5 => "twin",
            Self::K6 => "reach",
            Self::K7 => "poison",
            Self::K8 => "unfix",
            Self::K9 => "mutants",
            Self::K10 => "neutral",
            Self::K11 => "siblings",
            Self::K12 => "regressions",
            Self::K13 => "smells",
            Self::K14 => "clones",
            Self::K15 => "stability",
        }
    }

    /// The question that the gate answers, for a maintainer.
    pub fn question(self) -> &'static str {
        match self {
            Self::K0 => "Does the change touch only what it may?",
            Self::K1 => "Does the test fail on the buggy code, for the right reason?",
            Self::K2 => "Does the same test pass on the fixed code?",
            Self::K3 => "Is the test still red without the production change?",
            Self::K4 => "Can tests still fail in this session?",
            Self::K5 => "Would the test notice a wrong expectation?",
            Self::K6 => "Does the test reach the changed code?",
            Self::K7 => "Does breaking the changed functions turn the test red?",
            Self::K8 => "Does the test fail again when the fix is taken out?",
            Self::K9 => "Which small changes of the fix go unnoticed?",
            Self::K10 => "Does the fix work outside the test runner?",
            Self::K11 => "Do other tests of the same issue pass?",
            Self::K12 => "Does everything that passed before still pass?",
            Self::K13 => "Is anything suspicious in the test or the patch?",
            Self::K14 => "Does the test carry its own copy of the logic?",
            Self::K15 => "Is the result the same every time?",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// How a gate ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// What must hold was observed.
    Pass,
    /// The opposite was observed.
    Fail,
    /// The question could not be answered; never shown as green.
    Inconclusive,
    /// A person must decide.
    Human,
    /// The question was not asked; the reason says why.
    Skipped,
}

/// The failure classes of the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
pub enum FailureClass {
    /// An assertion of the test failed, or its own expression failed on a value that production gave.
    A1,
    /// An exception whose innermost frame in the repository is production code.
    A2,
    /// The test needs an API that the base does not have.
    B,
    /// The test itself is broken.
    C,
    /// Infrastructure: network, time, an absent module, disk.
    D,
    /// The test did not run.
    E,
    /// The runner's reports contradict each other or are incomplete.
    F,
}

impl FailureClass {
    /// True for the classes that are accepted as red.
    pub fn is_red(self) -> bool {
        matches!(self, Self::A1 | Self::A2)
    }

    /// For sentences.
    pub fn describe(self) -> &'static str {
        match self {
            Self::A1 => "an assertion of the test failed",
            Self::A2 => "production code raised an error",
            Self::B => "the test needs an API that the base does not have",
            Self::C => "the test itself is broken",
            Self::D => "the surroundings failed",
            Self::E => "the test did not run",
            Self::F => "the runner's reports do not agree",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A piece of evidence. All texts are data from hostile sources: reports must quote them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// A sentence.
    Note {
        /// The sentence.
        text: String,
    },
    /// A path of the change and what is wrong with it.
    Path {
        /// Where.
        path: RepoPath,
        /// What, as a fragment.
        what: String,
    },
    /// A test and how it ended.
    Test {
        /// Which test.
        id: TestId,
        /// On which tree, in words (`base + test`).
        tree: String,
        /// How it ended (`failed`, `passed`, `skipped`, `absent`).
        status: String,
        /// The failure class, where it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<FailureClass>,
        /// The exception and its message, shortened.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The runner's rendering, shortened.
        #[serde(skip_serializing_if = "Option::is_none")]
        excerpt: Option<String>,
    },
    /// The end of what a run printed.
    Log {
        /// On which tree, in words.
        tree: String,
        /// The command.
        command: String,
        /// The last lines of its output.
        tail: String,
    },
    /// A piece of a diff.
    Patch {
        /// Unified diff.
        text: String,
    },
    /// A function of the test beside the production function that it resembles.
    Clone {
        /// In the test.
        test: Excerpt,
        /// In production.
        production: Excerpt,
        /// Which part of the production function the test holds, in percent.
        percent: u8,
    },
    /// A small change of the fix that the test does not notice.
    Mutant {
        /// Where, in the fixed code.
        path: RepoPath,
        /// Which line, counted from 1.
        line: u32,
        /// The kind of change (`boundary`).
        operator: String,
        /// What stands there, shortened.
        before: String,
        /// What can stand there instead without the test noticing, shortened; empty where it is left out.
        after: String,
    },
}

/// Some lines of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Excerpt {
    /// Where.
    pub path: RepoPath,
    /// The first line, counted from 1.
    pub first: u32,
    /// The last line.
    pub last: u32,
    /// Their text, shortened where it is long.
    pub text: String,
}

impl Excerpt {
    /// `shop.py:3-9`.
    pub fn place(&self) -> String {
        format!("{}:{}-{}", self.path, self.first, self.last)
    }
}

/// What one gate found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// The catalogue's number.
    pub id: Check,
    /// The short name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The failure class that decided, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// One sentence for a maintainer.
    pub reason: String,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// How many test runs it needed beyond those that other gates had already made.
    pub runs: u32,
    /// How long those took, in seconds.
    pub seconds: f64,
}

impl GateReport {
    /// A report without evidence or cost yet.
    pub fn new(id: Check, outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            id,
            name: id.name().to_owned(),
            outcome,
            class: None,
            reason: reason.into(),
            evidence: Vec::new(),
            runs: 0,
            seconds: 0.0,
        }
    }

    /// With a failure class.
    #[must_use]
    pub fn class(mut self, class: FailureClass) -> Self {
        self.class = Some(class);
        self
    }

    /// With evidence.
    #[must_use]
    pub fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// A sealed file (or the sealed test items of a production file).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SealedFile {
    /// Where.
    pub path: RepoPath,
    /// The blob of its bytes; for test items inside a production file, the blob of their text.
    pub oid: Oid,
    /// True when only the test items of the file are sealed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inline: bool,
}

/// The verdict on a change: the stable JSON form of `failfirst verify`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The one word.
    pub verdict: Word,
    /// One sentence.
    pub summary: String,
    /// The commit with the bug.
    pub base: Oid,
    /// The commit with the fix.
    pub head: Oid,
    /// What was frozen.
    pub sealed: Vec<SealedFile>,
    /// SHA-256 over the sealed paths and bytes, in hexadecimal digits.
    pub sealed_digest: String,
    /// The replication tests.
    pub tests: Vec<TestId>,
    /// Every gate, in the catalogue's order.
    pub gates: Vec<GateReport>,
    /// How the runs were isolated.
    pub sandbox: SandboxReport,
    /// The languages and runners (`python: pytest 8.4`).
    pub languages: Vec<String>,
    /// Wall-clock time in seconds.
    pub took: f64,
}

/// The word that the outcomes of the gates amount to.
///
/// A refusal outweighs everything; then what could not be answered; then what a person must see.
/// A mandatory gate that was skipped leaves the verdict inconclusive.
pub fn decide(gates: &[GateReport]) -> Word {
    let any = |outcome| gates.iter().any(|gate| gate.outcome == outcome);
    if any(Outcome::Fail) {
        return Word::Refused;
    }
    let unanswered = |check: &Check| {
        gates.iter().find(|gate| gate.id == *check).is_none_or(|gate| gate.outcome == Outcome::Skipped)
    };
    if any(Outcome::Inconclusive) || MANDATORY.iter().any(unanswered) {
        return Word::Inconclusive;
    }
    if any(Outcome::Human) {
        return Word::NeedsHuman;
    }
    Word::Verified
}

/// The gates without which nothing is verified. K12 may be switched off in the configuration; then
/// it reports so itself.
pub const MANDATORY: [Check; 7] =
    [Check::K0, Check::K1, Check::K2, Check::K3, Check::K4, Check::K8, Check::K15];

#[cfg(test)]
mod tests {
    use super::*;

    fn gates(changed: &[(Check, Outcome)]) -> Vec<GateReport> {
        Check::ALL
            .iter()
            .map(|&check| {
                let outcome = changed
                    .iter()
                    .find(|(id, _)| *id == check)
                    .map_or(Outcome::Pass, |(_, outcome)| *outcome);
                GateReport::new(check, outcome, "because")
            })
            .collect()
    }

    #[test]
    fn only_answered_mandatory_gates_verify() {
        assert_eq!(decide(&gates(&[])), Word::Verified);
        assert_eq!(decide(&gates(&[(Check::K9, Outcome::Skipped)])), Word::Verified);
        for check in MANDATORY {
            assert_eq!(decide(&gates(&[(check, Outcome::Skipped)])), Word::Inconclusive, "{check}");
        }
        assert_eq!(decide(&[]), Word::Inconclusive);
    }

    #[test]
    fn a_refusal_outweighs_what_is_open() {
        let all =
            [(Check::K3, Outcome::Fail), (Check::K12, Outcome::Human), (Check::K1, Outcome::Inconclusive)];
        assert_eq!(decide(&gates(&all)), Word::Refused);
        assert_eq!(decide(&gates(&all[1..])), Word::Inconclusive);
        assert_eq!(decide(&gates(&all[1..2])), Word::NeedsHuman);
    }
}
