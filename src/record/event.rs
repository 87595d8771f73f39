//! What can happen in a run.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Digest;
use crate::agent::claims::Claims;
use crate::agent::gateway::{Provider, Usage};
use crate::agent::{Round, Stage};
use crate::gate::verdict::{Check, GateReport, Outcome as GateOutcome, Verdict, Word};
use crate::git::{Mode, Oid, RepoPath};
use crate::issue::Issue;
use crate::lang::TestId;

/// A line of the log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, counted from 0.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The hash of the line before; of nothing for the first.
    pub prev: Digest,
    /// What happened.
    pub event: Event,
}

/// Something that happened in a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// The run began.
    RunStarted {
        /// The version of failfirst.
        version: String,
        /// The pipeline's name.
        pipeline: String,
        /// The agents, by stage.
        agents: BTreeMap<Stage, String>,
        /// True when an agent plays a script or a recording.
        replayed: bool,
        /// The commit with the bug.
        base: Oid,
    },
    /// The bug report, sanitised and frozen.
    Issue {
        /// The report.
        issue: Box<Issue>,
    },
    /// An agent was asked.
    Prompt {
        /// For which stage.
        stage: Stage,
        /// Which attempt of the stage.
        attempt: u32,
        /// Whether only the reply was asked for again.
        round: Round,
        /// The prompt.
        prompt: Digest,
    },
    /// An agent answered.
    Reply {
        /// For which stage.
        stage: Stage,
        /// Which attempt of the stage.
        attempt: u32,
        /// Whether only the reply was asked for again.
        round: Round,
        /// The text.
        text: Digest,
        /// What the agent printed.
        transcript: Digest,
        /// The claims, where they were well formed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claims: Option<Box<Claims>>,
        /// What was wrong with them, where they were not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        problems: Vec<String>,
        /// How long the agent worked, in seconds.
        seconds: f64,
    },
    /// What an agent changed in its workspace, as failfirst found it.
    Patch {
        /// For which stage.
        stage: Stage,
        /// Which attempt of the stage.
        attempt: u32,
        /// A unified diff.
        patch: Digest,
        /// The files as they were left, so that it can be done again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<LeftFile>,
    },
    /// A gate answered outside a verdict.
    Gate {
        /// About which stage.
        stage: Stage,
        /// Which attempt of the stage.
        attempt: u32,
        /// The answer.
        report: Box<GateReport>,
    },
    /// A test was proven to fail and frozen.
    Sealed {
        /// Which attempt of the analyst.
        attempt: u32,
        /// The replication tests.
        tests: Vec<TestId>,
        /// SHA-256 over the sealed paths and bytes.
        digest: String,
        /// The test as a unified diff.
        patch: Digest,
    },
    /// The fixer holds the sealed test to be wrong; its fix is discarded.
    Disputed {
        /// Which attempt of the fixer.
        attempt: u32,
        /// Why.
        reason: String,
    },
    /// An attempt came to nothing.
    AttemptRefused {
        /// Of which stage.
        stage: Stage,
        /// Which attempt.
        attempt: u32,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// The gates judged a fix.
    Verdict {
        /// Which attempt of the fixer.
        attempt: u32,
        /// The verdict.
        verdict: Box<Verdict>,
    },
    /// The verdict's word was lowered after the gates had spoken.
    Lowered {
        /// To what.
        word: Word,
        /// Why, as a sentence.
        reason: String,
    },
    /// The review could not be had.
    NoReview {
        /// Why.
        reason: String,
    },
    /// A model was called, or the call was refused.
    Exchange {
        /// What went to and fro.
        exchange: Box<ExchangeRecord>,
    },
    /// An agent gave no reply.
    AgentFailed {
        /// Of which stage.
        stage: Stage,
        /// Which attempt.
        attempt: u32,
        /// In which round.
        round: Round,
        /// What that means for the run.
        failure: Failure,
        /// Why, as a sentence.
        reason: String,
    },
    /// A test run, for whoever resumes: nothing is run twice.
    TestRun {
        /// What was run: a hash of tree, command and environment.
        key: String,
        /// What came out.
        run: Digest,
    },
    /// The run ended.
    Ended {
        /// How.
        ending: Ending,
    },
}

/// A file as an agent left it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LeftFile {
    /// Where.
    pub path: RepoPath,
    /// What it is; `None` when it is gone.
    pub mode: Option<Mode>,
    /// Its bytes, or the target of a link; `None` when it is gone.
    pub content: Option<Digest>,
}

/// What it means for the run that an agent gave no reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The attempt came to nothing.
    Attempt,
    /// No attempt can come to anything.
    Run,
    /// A budget is used up.
    OverBudget,
}

/// A call of a model. Keys are never part of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ExchangeRecord {
    /// For which stage.
    pub stage: Stage,
    /// Which attempt of the stage.
    pub attempt: u32,
    /// With whom.
    pub provider: Provider,
    /// What was asked for (`messages`, `responses`, …).
    pub surface: String,
    /// Of which model.
    pub model: String,
    /// The HTTP status.
    pub status: u16,
    /// The type of the answer.
    pub content_type: String,
    /// The request's body.
    pub request: Digest,
    /// The answer's body.
    pub response: Digest,
    /// What it used.
    pub usage: Usage,
    /// What it cost in USD, where the price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Why the answer is not whole, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// Why the gateway refused it, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Why an attempt came to nothing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// Who refused it.
    pub by: Refuser,
    /// One sentence.
    pub reason: String,
    /// The gates that decided, with their evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateReport>,
}

/// Who refused an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Refuser {
    /// A gate.
    Gates,
    /// The claims were malformed, and still so after one repair.
    Claims,
    /// The agent gave no reply.
    Agent,
}

impl Refusal {
    /// A refusal by one gate.
    pub fn by_gate(report: GateReport) -> Self {
        Self { by: Refuser::Gates, reason: report.reason.clone(), gates: vec![report] }
    }

    /// A refusal by a verdict: its deciding gates.
    pub fn by_verdict(verdict: &Verdict) -> Self {
        let deciding = |outcome: GateOutcome| {
            matches!(
                (verdict.verdict, outcome),
                (Word::Refused, GateOutcome::Fail)
                    | (Word::Inconclusive, GateOutcome::Inconclusive)
                    | (Word::NeedsHuman, GateOutcome::Human)
            )
        };
        let gates = verdict.gates.iter().filter(|gate| deciding(gate.outcome)).cloned().collect();
        Self { by: Refuser::Gates, reason: verdict.summary.clone(), gates }
    }

    /// Malformed claims.
    pub fn by_claims(problems: &[String]) -> Self {
        Self {
            by: Refuser::Claims,
            reason: format!("the claims are malformed: {}", problems.join("; ")),
            gates: Vec::new(),
        }
    }

    /// An agent without a reply.
    pub fn by_agent(reason: impl Into<String>) -> Self {
        Self { by: Refuser::Agent, reason: reason.into(), gates: Vec::new() }
    }

    /// The gate that decided first.
    pub fn check(&self) -> Option<Check> {
        self.gates.first().map(|gate| gate.id)
    }
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ending {
    /// In one word.
    pub outcome: Outcome,
    /// One to three sentences; for `needs-info` the question itself.
    pub explanation: String,
}

/// How a case ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There is a fix that the gates let pass; the verdict says whether a person must look at it.
    Fixed,
    /// No test could be made to fail for the bug, or the analyst shows that it does not occur.
    NotReproduced,
    /// A proven failing test, and no fix that holds (or none was asked for).
    NotFixed,
    /// One question must be answered first.
    NeedsInfo,
    /// The bug was there and a commit has repaired it.
    AlreadyFixed,
    /// Analyst and fixer do not agree on what the test must demand.
    Disputed,
    /// A budget ran out.
    OverBudget,
    /// It could not be carried out; the explanation says why.
    Aborted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed => "fixed",
            Self::NotReproduced => "not-reproduced",
            Self::NotFixed => "not-fixed",
            Self::NeedsInfo => "needs-info",
            Self::AlreadyFixed => "already-fixed",
            Self::Disputed => "disputed",
            Self::OverBudget => "over-budget",
            Self::Aborted => "aborted",
        })
    }
}
