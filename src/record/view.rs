//! The record as reports see it.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, Ending, Entry, Event, ExchangeRecord, Outcome, Record, RecordError, Refusal};
use crate::agent::Stage;
use crate::agent::claims::{Analyst, Claims, Reviewer};
use crate::gate::verdict::{GateReport, Verdict};
use crate::git::Oid;
use crate::issue::Issue;
use crate::lang::TestId;
use crate::report::Cost;

/// Everything that a report on a case is made from.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RunRecord {
    /// The bug report.
    pub issue: Option<Issue>,
    /// The pipeline.
    pub pipeline: String,
    /// The commit with the bug.
    pub base: Option<Oid>,
    /// The agents, by stage.
    pub agents: BTreeMap<Stage, String>,
    /// True when an agent played a script or a recording.
    pub replayed: bool,
    /// Every attempt, in order of time.
    pub attempts: Vec<AttemptRecord>,
    /// The test that was sealed last.
    pub sealed: Option<SealedRecord>,
    /// The fix that was judged last, as a unified diff.
    pub fix: Option<String>,
    /// The verdict on it; its word is the final one.
    pub verdict: Option<Verdict>,
    /// Why the word is lower than what the gates found, where it is.
    pub lowered: Option<String>,
    /// The review.
    pub opinion: Option<Reviewer>,
    /// Why there is no review, where one was wanted.
    pub no_review: Option<String>,
    /// How the case ended; `None` while it runs or when it was killed.
    pub ending: Option<Ending>,
    /// What the agents used; `None` where no model was called through the gateway.
    pub cost: Option<Cost>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// How long it took, in seconds.
    pub took: f64,
}

/// One attempt of a stage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// Of which stage.
    pub stage: Stage,
    /// Its number within the stage, counted from 1.
    pub number: u32,
    /// The claims, where they were well formed.
    pub claims: Option<Claims>,
    /// What the agent changed, as a unified diff.
    pub patch: Option<String>,
    /// Gates that answered outside a verdict.
    pub gates: Vec<GateReport>,
    /// How it ended.
    pub end: AttemptEnd,
    /// How long the agent worked, in seconds.
    pub seconds: f64,
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptEnd {
    /// It is under way, or the run was killed during it.
    Open,
    /// The run went on from it, or ended with what it found.
    Accepted,
    /// It came to nothing.
    Refused(Refusal),
    /// The fixer disputed the test.
    Disputed(String),
}

/// A sealed test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealedRecord {
    /// The replication tests.
    pub tests: Vec<TestId>,
    /// SHA-256 over the sealed paths and bytes.
    pub digest: String,
    /// The test as a unified diff.
    pub patch: String,
}

impl RunRecord {
    /// Reads the record in a folder.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn read(folder: &Path) -> Result<Self, RecordError> {
        Self::from_entries(&Record::read(folder)?, |digest| {
            Record::load(folder, digest).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        })
    }

    /// What the entries amount to; `text` gives the blobs.
    ///
    /// # Errors
    /// A blob cannot be read.
    pub fn from_entries(
        entries: &[Entry],
        text: impl Fn(&Digest) -> Result<String, RecordError>,
    ) -> Result<Self, RecordError> {
        let mut view = Self::default();
        for entry in entries {
            view.apply(&entry.event, &text)?;
        }
        if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
            view.started_at = Some(first.at);
            view.took = last.at.duration_since(first.at).as_secs_f64();
        }
        Ok(view)
    }

    fn apply(
        &mut self,
        event: &Event,
        text: &impl Fn(&Digest) -> Result<String, RecordError>,
    ) -> Result<(), RecordError> {
        match event {
            Event::RunStarted { pipeline, agents, replayed, base, .. } => {
                self.pipeline.clone_from(pipeline);
                self.agents.clone_from(agents);
                self.replayed = *replayed;
                self.base = Some(*base);
            }
            Event::Issue { issue } => self.issue = Some((**issue).clone()),
            Event::Prompt { stage, attempt, .. } => {
                self.attempt(*stage, *attempt);
            }
            Event::Reply { stage, attempt, claims, seconds, .. } => {
                let own = self.attempt(*stage, *attempt);
                own.seconds += seconds;
                own.claims = claims.as_deref().cloned();
                if let Some(Claims::Reviewer(opinion)) = claims.as_deref() {
                    own.end = AttemptEnd::Accepted;
                    self.opinion = Some(opinion.clone());
                }
            }
            Event::Patch { stage, attempt, patch, .. } => {
                let patch = text(patch)?;
                if *stage == Stage::Fixer {
                    self.fix = Some(patch.clone());
                }
                self.attempt(*stage, *attempt).patch = Some(patch);
            }
            Event::Gate { stage, attempt, report } => {
                self.attempt(*stage, *attempt).gates.push((**report).clone());
            }
            Event::Sealed { attempt, tests, digest, patch } => {
                self.attempt(Stage::Analyst, *attempt).end = AttemptEnd::Accepted;
                let (tests, digest) = (tests.clone(), digest.clone());
                self.sealed = Some(SealedRecord { tests, digest, patch: text(patch)? });
                (self.fix, self.verdict) = (None, None);
            }
            Event::Disputed { attempt, reason } => {
                self.attempt(Stage::Fixer, *attempt).end = AttemptEnd::Disputed(reason.clone());
                // A dispute discards the fix.
                (self.fix, self.verdict) = (None, None);
            }
            Event::AttemptRefused { stage, attempt, refusal } => {
                self.attempt(*stage, *attempt).end = AttemptEnd::Refused((**refusal).clone());
            }
            // A refused attempt is told by the event that follows.
            Event::Verdict { attempt, verdict } => {
                self.attempt(Stage::Fixer, *attempt).end = AttemptEnd::Accepted;
                self.verdict = Some((**verdict).clone());
            }
            Event::Lowered { word, reason } => {
                if let Some(verdict) = &mut self.verdict {
                    verdict.verdict = *word;
                    verdict.summary.clone_from(reason);
                }
                self.lowered = Some(reason.clone());
            }
            Event::NoReview { reason } => self.no_review = Some(reason.clone()),
            Event::Exchange { exchange } => self.count(exchange),
            Event::TestRun { .. } | Event::AgentFailed { .. } => {}
            Event::Ended { ending } => {
                let found = matches!(
                    ending.outcome,
                    Outcome::NeedsInfo | Outcome::AlreadyFixed | Outcome::NotReproduced
                );
                if let Some(last) = self.attempts.last_mut()
                    && found
                    && last.end == AttemptEnd::Open
                {
                    last.end = AttemptEnd::Accepted;
                }
                self.ending = Some(ending.clone());
            }
        }
        Ok(())
    }

    fn count(&mut self, exchange: &ExchangeRecord) {
        // What the gateway refused or only passed on cost nothing and was no call of a model.
        if exchange.refused.is_some() || matches!(exchange.surface.as_str(), "models" | "count-tokens") {
            return;
        }
        let cost = self.cost.get_or_insert(Cost { usd: Some(0.0), ..Cost::default() });
        cost.requests += 1;
        cost.input_tokens = cost.input_tokens.saturating_add(exchange.usage.read());
        cost.output_tokens = cost.output_tokens.saturating_add(exchange.usage.output);
        let known = exchange.usd.or_else(|| (exchange.usage.total() == 0).then_some(0.0));
        cost.usd = cost.usd.zip(known).map(|(sum, one)| sum + one);
    }

    fn attempt(&mut self, stage: Stage, number: u32) -> &mut AttemptRecord {
        let known = self.attempts.iter().position(|one| one.stage == stage && one.number == number);
        let index = known.unwrap_or_else(|| {
            self.attempts.push(AttemptRecord {
                stage,
                number,
                claims: None,
                patch: None,
                gates: Vec::new(),
                end: AttemptEnd::Open,
                seconds: 0.0,
            });
            self.attempts.len() - 1
        });
        &mut self.attempts[index]
    }

    /// The analyst's last claims: those that the run went on from, else the last that were made.
    pub fn analysis(&self) -> Option<&Analyst> {
        let claims = |accepted: bool| {
            self.attempts.iter().rev().find_map(move |attempt| match &attempt.claims {
                Some(Claims::Analyst(claims)) if !accepted || attempt.end == AttemptEnd::Accepted => {
                    Some(claims)
                }
                _ => None,
            })
        };
        claims(true).or_else(|| claims(false))
    }

    /// The attempts that came to nothing.
    pub fn refused(&self) -> impl Iterator<Item = (&AttemptRecord, &Refusal)> {
        self.attempts.iter().filter_map(|attempt| match &attempt.end {
            AttemptEnd::Refused(refusal) => Some((attempt, refusal)),
            _ => None,
        })
    }
}
