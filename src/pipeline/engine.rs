//! The engine: the only place that orders stages.
//!
//! ```text
//! analyst → prove → fixer → verify → reviewer → ending
//!    ↑________|       ↑________|         a refusal is the next attempt's feedback
//!    ↑________________|                  a dispute discards the fix
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Overrides;
use super::bench::Bench;
use super::prompt::{Dispute, Matter, ProjectFacts, Prompt, PromptError, Refused, Repair, SealedView};
use super::spec::Pipeline;
use crate::agent::claims::{Analyst, AnalystOutcome, Claims, Fixer, FixerOutcome, Reviewer, Stance};
use crate::agent::gateway::{Gateway, Ledger};
use crate::agent::{self, Agent, AgentError, Origin, Reply, Round, Stage, Task};
use crate::config::Config;
use crate::gate::verdict::{Check, GateReport, MANDATORY, Outcome as GateOutcome, Verdict, Word};
use crate::issue::Issue;
use crate::lab::LabError;
use crate::record::{Ending, Event, Failure, LeftFile, Outcome, Record, RecordError, Refusal};

/// How often the test may be disputed. After that a person has to say what the issue means.
const MAX_DISPUTES: u32 = 1;

/// Why a case could not be worked on to an end.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The lab failed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The record could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A prompt could not be rendered.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// An agent cannot be used at all.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// The agents of a pipeline, by stage.
pub type Agents = BTreeMap<Stage, Box<dyn Agent>>;

/// Opens the agents that a pipeline names. A pipeline may go without a reviewer's agent; then the
/// report says that nobody reviewed.
///
/// # Errors
/// A stage has no agent, or its agent cannot be used.
pub fn open_agents(
    pipeline: &Pipeline,
    config: &Config,
    gateway: Option<&Arc<Gateway>>,
) -> Result<Agents, AgentError> {
    let mut agents = Agents::new();
    for spec in &pipeline.stages {
        match &spec.agent {
            Some(name) => drop(agents.insert(spec.name, agent::open(name, config, gateway)?)),
            None if spec.name == Stage::Reviewer => {}
            None => return Err(AgentError::Nobody { stage: spec.name }),
        }
    }
    Ok(agents)
}

/// A case to be worked on.
pub struct Case<'a, B: Bench> {
    /// The lab and the gates.
    pub bench: &'a B,
    /// The bug report.
    pub issue: &'a Issue,
    /// Which stages, and how often each may try.
    pub pipeline: &'a Pipeline,
    /// Who works.
    pub agents: &'a Agents,
    /// Templates that the repository brings.
    pub overrides: &'a dyn Overrides,
    /// What happens is written here.
    pub record: &'a Record,
    /// Is told of every event after it was written.
    pub watcher: &'a dyn Fn(&Event),
    /// How long the whole case may take.
    pub time: Option<Duration>,
    /// The books of what the agents use.
    pub ledger: Option<&'a Ledger>,
}

/// How a case ended, with the proof where there is one.
pub struct Finished<V> {
    /// How.
    pub ending: Ending,
    /// The verdict on the last fix that was judged; its word is the final one.
    pub verdict: Option<Verdict>,
    /// The proof. Absent when the final word is anything but verified.
    pub verified: Option<V>,
}

/// Works on a case until it ends. Everything that happens is in the record, also when this fails.
///
/// # Errors
/// The lab, the record, a template or the set-up of an agent failed. That agents fail is an ending.
pub fn run<B: Bench>(case: &Case<'_, B>) -> Result<Finished<B::Verified>, EngineError> {
    let mut engine = Engine {
        case,
        facts: case.bench.facts(),
        began: Instant::now(),
        attempts: BTreeMap::new(),
        granted: 0,
        feedback: BTreeMap::new(),
        verdict: None,
        verified: None,
    };
    let ending = match engine.work() {
        Ok(ending) | Err(Stop::Ending(ending)) => ending,
        Err(Stop::Error(error)) => {
            // The record should say how it ended; if it cannot be written, the first error counts.
            let ending = Ending { outcome: Outcome::Aborted, explanation: error.to_string() };
            let _ = engine.log(Event::Ended { ending }).and_then(|()| engine.sync());
            return Err(error);
        }
    };
    engine.log(Event::Ended { ending: ending.clone() })?;
    engine.sync()?;
    let word = engine.verdict.as_ref().map(|verdict| verdict.verdict);
    let verified = engine.verified.filter(|_| word == Some(Word::Verified));
    Ok(Finished { ending, verdict: engine.verdict, verified })
}

/// Why the work stops.
enum Stop {
    /// The case has ended.
    Ending(Ending),
    /// Something is broken.
    Error(EngineError),
}

impl<E: Into<EngineError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

fn end(outcome: Outcome, explanation: impl Into<String>) -> Stop {
    Stop::Ending(Ending { outcome, explanation: explanation.into() })
}

/// What an agent came to in one attempt.
enum Answer {
    Claims(Claims),
    Nothing(Refusal),
}

/// A proven test and what the analyst says about it.
struct Red<P> {
    proven: P,
    analysis: Analyst,
    sealed: SealedView,
    patch: String,
}

/// What the fixer came to.
enum Repaired<C> {
    /// A fix that is verified or needs a person.
    Judged { change: C, patch: String, claims: Fixer },
    /// The test is disputed.
    Disputed(String),
}

struct Engine<'a, B: Bench> {
    case: &'a Case<'a, B>,
    facts: ProjectFacts,
    began: Instant,
    attempts: BTreeMap<Stage, u32>,
    /// Attempts on top of what the pipeline allows, for both sides of a dispute.
    granted: u32,
    feedback: BTreeMap<Stage, Vec<Refused>>,
    verdict: Option<Verdict>,
    verified: Option<B::Verified>,
}

impl<B: Bench> Engine<'_, B> {
    fn work(&mut self) -> Result<Ending, Stop> {
        self.begin()?;
        let mut dispute: Option<Dispute> = None;
        let mut disputes = 0;
        loop {
            let red = self.analyse(dispute.as_ref())?;
            if self.case.pipeline.stage(Stage::Fixer).is_none() {
                let text =
                    "a test is proven to fail because of the bug; this pipeline asks nobody to repair it";
                return Err(end(Outcome::NotFixed, text));
            }
            let upheld = dispute.as_ref().map(|_| red.analysis.cause.as_str());
            match self.fix(&red, upheld)? {
                Repaired::Disputed(reason) if disputes >= MAX_DISPUTES => {
                    let text = format!("the fixer still holds that the test is wrong: {reason}");
                    return Err(end(Outcome::Disputed, text));
                }
                Repaired::Disputed(reason) => {
                    disputes += 1;
                    // To be heard must not depend on how many attempts were used up before.
                    self.granted = 1;
                    // What was refused by the disputed test says nothing about the next one.
                    self.feedback.remove(&Stage::Fixer);
                    dispute = Some(Dispute { reason, patch: red.patch });
                }
                Repaired::Judged { change, patch, claims } => {
                    match self.review(&red, &change, &patch, &claims) {
                        // The gates have spoken; a review could only have lowered what they say.
                        Err(Stop::Ending(Ending { outcome: Outcome::OverBudget, explanation })) => {
                            self.log(Event::NoReview { reason: explanation })?;
                        }
                        other => other?,
                    }
                    let explanation =
                        self.verdict.as_ref().map(|verdict| verdict.summary.clone()).unwrap_or_default();
                    return Ok(Ending { outcome: Outcome::Fixed, explanation });
                }
            }
        }
    }

    fn begin(&mut self) -> Result<(), Stop> {
        let case = self.case;
        let replayed = case.agents.values().any(|agent| agent.origin() == Origin::Replayed);
        self.log(Event::RunStarted {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pipeline: case.pipeline.name.clone(),
            agents: case.agents.iter().map(|(stage, agent)| (*stage, agent.name().to_owned())).collect(),
            replayed,
            base: case.bench.base(),
        })?;
        self.log(Event::Issue { issue: Box::new(case.issue.clone()) })?;
        if case.pipeline.stage(Stage::Analyst).is_none() {
            let text = format!(
                "the pipeline `{}` has no stages; choose another with --pipeline",
                case.pipeline.name
            );
            return Err(end(Outcome::Aborted, text));
        }
        Ok(())
    }

    /// The analyst's attempts, until a test is proven to fail.
    fn analyse(&mut self, dispute: Option<&Dispute>) -> Result<Red<B::Proven>, Stop> {
        let stage = Stage::Analyst;
        while let Some(number) = self.next(stage)? {
            let workspace = self.case.bench.analyst_workspace()?;
            let answer = self.ask(number, &workspace, &Matter::Analyst { dispute })?;
            let claims = match answer {
                Answer::Claims(Claims::Analyst(claims)) => claims,
                Answer::Claims(_) => return Err(internal("claims of another stage")),
                Answer::Nothing(refusal) => {
                    let patch = self.collect(stage, number, &workspace)?.ok().map(|(_, patch)| patch);
                    self.refuse(stage, number, refusal, patch)?;
                    continue;
                }
            };
            if let Some(ending) = without_a_test(&claims) {
                return Err(Stop::Ending(ending));
            }
            let (change, patch) = match self.collect(stage, number, &workspace)? {
                Ok(found) => found,
                Err(report) => {
                    self.refuse(stage, number, Refusal::by_gate(report), None)?;
                    continue;
                }
            };
            drop(workspace);
            let proof = if patch.trim().is_empty() {
                let reason = "no file was changed, so there is no test that could fail";
                Err(GateReport::new(Check::K1, GateOutcome::Fail, reason))
            } else {
                self.case.bench.prove(&change, &claims)?
            };
            match proof {
                Ok(proven) => {
                    let sealed = self.case.bench.sealed(&proven)?;
                    let stored = self.case.record.store_text(&patch)?;
                    self.log(Event::Gate {
                        stage,
                        attempt: number,
                        report: Box::new(sealed.failure.clone()),
                    })?;
                    self.log(Event::Sealed {
                        attempt: number,
                        tests: sealed.tests.clone(),
                        digest: sealed.digest.clone(),
                        patch: stored,
                    })?;
                    self.sync()?;
                    return Ok(Red { proven, analysis: claims, sealed, patch });
                }
                Err(report) => {
                    self.log(Event::Gate { stage, attempt: number, report: Box::new(report.clone()) })?;
                    self.refuse(stage, number, Refusal::by_gate(report), Some(patch))?;
                }
            }
        }
        Err(match dispute {
            Some(dispute) => {
                let text = format!(
                    "the fixer disputes the test, and the analyst came to no other that fails: {}",
                    dispute.reason
                );
                end(Outcome::Disputed, text)
            }
            None => end(
                Outcome::NotReproduced,
                self.exhausted(stage, "no test could be made to fail because of the bug"),
            ),
        })
    }

    /// The fixer's attempts, until a fix is verified or needs a person, or the test is disputed.
    fn fix(&mut self, red: &Red<B::Proven>, upheld: Option<&str>) -> Result<Repaired<B::Change>, Stop> {
        let stage = Stage::Fixer;
        while let Some(number) = self.next(stage)? {
            let workspace = self.case.bench.fixer_workspace(&red.proven)?;
            let matter = Matter::Fixer { sealed: &red.sealed, analysis: &red.analysis, upheld };
            let answer = self.ask(number, &workspace, &matter)?;
            let claims = match answer {
                Answer::Claims(Claims::Fixer(claims)) => claims,
                Answer::Claims(_) => return Err(internal("claims of another stage")),
                Answer::Nothing(refusal) => {
                    let patch = self.collect(stage, number, &workspace)?.ok().map(|(_, patch)| patch);
                    self.refuse(stage, number, refusal, patch)?;
                    continue;
                }
            };
            if claims.outcome == FixerOutcome::DisputesTest {
                let reason = claims.dispute_reason.unwrap_or_default();
                self.log(Event::Disputed { attempt: number, reason: reason.clone() })?;
                (self.verdict, self.verified) = (None, None);
                return Ok(Repaired::Disputed(reason));
            }
            let (change, patch) = match self.collect(stage, number, &workspace)? {
                Ok(found) => found,
                Err(report) => {
                    self.refuse(stage, number, Refusal::by_gate(report), None)?;
                    continue;
                }
            };
            drop(workspace);
            if patch.trim().is_empty() {
                let reason = "no file was changed, so the test fails as before";
                let report = GateReport::new(Check::K2, GateOutcome::Fail, reason);
                self.refuse(stage, number, Refusal::by_gate(report), None)?;
                continue;
            }
            let word = self.judge(number, red, &change)?;
            match word {
                Word::Verified | Word::NeedsHuman => {
                    return Ok(Repaired::Judged { change, patch, claims });
                }
                Word::Refused | Word::Inconclusive => {
                    let refusal = self.verdict.as_ref().map(Refusal::by_verdict);
                    let refusal = refusal.ok_or_else(|| internal("a judgement without a verdict"))?;
                    self.refuse(stage, number, refusal, Some(patch))?;
                }
            }
        }
        Err(end(Outcome::NotFixed, self.exhausted(stage, "the test is proven to fail and no fix held")))
    }

    /// Asks the gates about a fix and keeps the verdict.
    fn judge(&mut self, number: u32, red: &Red<B::Proven>, change: &B::Change) -> Result<Word, Stop> {
        let (verdict, verified) = match self.case.bench.verify(&red.proven, change)? {
            Ok(verified) => (B::verdict(&verified).clone(), Some(verified)),
            Err(verdict) => (verdict, None),
        };
        self.log(Event::Verdict { attempt: number, verdict: Box::new(verdict.clone()) })?;
        let open = self.unanswered(&verdict);
        (self.verdict, self.verified) = (Some(verdict), verified);
        if let Some(check) = open {
            let reason = format!(
                "the pipeline `{}` demands {check} ({}), which was not answered",
                self.case.pipeline.name,
                check.name()
            );
            self.lower(Word::Inconclusive, &reason)?;
            self.sync()?;
            // Another attempt would meet the same gap.
            return Err(end(Outcome::NotFixed, reason));
        }
        self.sync()?;
        Ok(self.verdict.as_ref().map_or(Word::Inconclusive, |verdict| verdict.verdict))
    }

    /// A gate that the pipeline adds to the mandatory ones and that did not answer.
    fn unanswered(&self, verdict: &Verdict) -> Option<Check> {
        let passes = matches!(verdict.verdict, Word::Verified | Word::NeedsHuman);
        let added = |check: &&Check| !MANDATORY.contains(check) && **check != Check::K12;
        let answered = |check: &Check| {
            verdict.gates.iter().any(|gate| gate.id == *check && gate.outcome != GateOutcome::Skipped)
        };
        let gates = &self.case.pipeline.gates;
        gates.iter().filter(added).find(|check| passes && !answered(check)).copied()
    }

    /// Asks for a review. It can lower the verdict and nothing else; that it cannot be had changes nothing.
    fn review(
        &mut self,
        red: &Red<B::Proven>,
        change: &B::Change,
        patch: &str,
        claims: &Fixer,
    ) -> Result<(), Stop> {
        let stage = Stage::Reviewer;
        if self.case.pipeline.stage(stage).is_none() {
            return Ok(());
        }
        if !self.case.agents.contains_key(&stage) {
            let reason = "no agent is named for the reviewer".to_owned();
            return Ok(self.log(Event::NoReview { reason })?);
        }
        let Some(verdict) = self.verdict.clone() else { return Err(internal("a review without a verdict")) };
        let mut last = String::new();
        while let Some(number) = self.next(stage)? {
            let workspace = self.case.bench.reviewer_workspace(&red.proven, change)?;
            let matter = Matter::Reviewer {
                sealed: &red.sealed,
                analysis: &red.analysis,
                fix: claims,
                patch,
                verdict: &verdict,
            };
            match self.ask(number, &workspace, &matter)? {
                Answer::Claims(Claims::Reviewer(opinion)) => return self.heed(&opinion),
                Answer::Claims(_) => return Err(internal("claims of another stage")),
                Answer::Nothing(refusal) => {
                    last.clone_from(&refusal.reason);
                    self.refuse(stage, number, refusal, None)?;
                }
            }
        }
        Ok(self.log(Event::NoReview { reason: last })?)
    }

    fn heed(&mut self, opinion: &Reviewer) -> Result<(), Stop> {
        let word = self.verdict.as_ref().map(|verdict| verdict.verdict);
        if opinion.stance == Stance::Reject && word == Some(Word::Verified) {
            let reason = format!("the gates verify the fix and the reviewer rejects it: {}", opinion.summary);
            self.lower(Word::NeedsHuman, &reason)?;
        }
        Ok(())
    }

    /// Lowers the verdict. The proof goes with it.
    fn lower(&mut self, word: Word, reason: &str) -> Result<(), Stop> {
        self.verified = None;
        if let Some(verdict) = &mut self.verdict {
            verdict.verdict = word;
            reason.clone_into(&mut verdict.summary);
        }
        Ok(self.log(Event::Lowered { word, reason: reason.to_owned() })?)
    }

    /// Lets the agent of the stage work on the matter, with one repair of malformed claims.
    fn ask(&mut self, number: u32, workspace: &B::Workspace, matter: &Matter<'_>) -> Result<Answer, Stop> {
        let first = match self.act(number, workspace, matter, None)? {
            Ok(reply) => reply,
            Err(refusal) => return Ok(Answer::Nothing(refusal)),
        };
        let problems = match self.read(number, Round::First, matter.stage(), &first)? {
            Ok(claims) => return Ok(Answer::Claims(claims)),
            Err(problems) => problems,
        };
        let repair = Repair { problems, reply: tail(&first.text) };
        let second = match self.act(number, workspace, matter, Some(&repair))? {
            Ok(reply) => reply,
            Err(refusal) => return Ok(Answer::Nothing(refusal)),
        };
        Ok(match self.read(number, Round::Repair, matter.stage(), &second)? {
            Ok(claims) => Answer::Claims(claims),
            Err(problems) => Answer::Nothing(Refusal::by_claims(&problems)),
        })
    }

    fn act(
        &mut self,
        number: u32,
        workspace: &B::Workspace,
        matter: &Matter<'_>,
        repair: Option<&Repair>,
    ) -> Result<Result<Reply, Refusal>, Stop> {
        let stage = matter.stage();
        self.check_budget(stage)?;
        let case = self.case;
        let spec = case.pipeline.stage(stage).ok_or_else(|| internal("a stage that is not there"))?;
        let agent = case.agents.get(&stage).ok_or(AgentError::Nobody { stage })?;
        let feedback = self.feedback.get(&stage).map_or(&[][..], Vec::as_slice);
        let prompt =
            Prompt { issue: case.issue, project: &self.facts, matter: matter.clone(), feedback, repair };
        let prompt = prompt.render(&spec.prompt, case.overrides)?;
        let round = if repair.is_some() { Round::Repair } else { Round::First };
        let stored = case.record.store_text(&prompt)?;
        self.log(Event::Prompt { stage, attempt: number, round, prompt: stored })?;
        let task = Task { stage, attempt: number, round, prompt, schema: Claims::schema(stage) };
        match agent.act(&task, workspace) {
            Ok(reply) => Ok(Ok(reply)),
            Err(error) => {
                let kind = match error {
                    AgentError::OverBudget { .. } => Failure::OverBudget,
                    _ if error.is_an_attempt() => Failure::Attempt,
                    _ => Failure::Run,
                };
                let reason = error.to_string();
                let event = Event::AgentFailed {
                    stage,
                    attempt: number,
                    round,
                    failure: kind,
                    reason: reason.clone(),
                };
                self.log(event)?;
                match kind {
                    Failure::Attempt => Ok(Err(Refusal::by_agent(reason))),
                    // No other attempt would go better. What was done so far stays in the record.
                    Failure::Run | Failure::OverBudget => {
                        self.collect(stage, number, workspace)?.ok();
                        let outcome =
                            if kind == Failure::Run { Outcome::Aborted } else { Outcome::OverBudget };
                        Err(end(outcome, reason))
                    }
                }
            }
        }
    }

    fn read(
        &mut self,
        attempt: u32,
        round: Round,
        stage: Stage,
        reply: &Reply,
    ) -> Result<Result<Claims, Vec<String>>, Stop> {
        let mut claims = Claims::parse(stage, &reply.text, self.case.issue);
        if let Ok(Claims::Analyst(Analyst {
            outcome: AnalystOutcome::AlreadyFixed,
            commit: Some(commit),
            ..
        })) = &claims
            && !self.case.bench.contains_commit(commit.trim())?
        {
            let problem = format!("`commit` is \"{commit}\", which is no commit that this one contains");
            claims = Err(vec![problem]);
        }
        let text = self.case.record.store_text(&reply.text)?;
        let transcript = self.case.record.store_text(&reply.transcript)?;
        let (good, problems) = match &claims {
            Ok(claims) => (Some(Box::new(claims.clone())), Vec::new()),
            Err(problems) => (None, problems.clone()),
        };
        let seconds = reply.took.as_secs_f64();
        self.log(Event::Reply { stage, attempt, round, text, transcript, claims: good, problems, seconds })?;
        Ok(claims)
    }

    /// What the agent changed, as failfirst finds it.
    fn collect(
        &mut self,
        stage: Stage,
        attempt: u32,
        workspace: &B::Workspace,
    ) -> Result<Result<(B::Change, String), GateReport>, Stop> {
        let change = match self.case.bench.collect(workspace)? {
            Ok(change) => change,
            Err(report) => {
                self.log(Event::Gate { stage, attempt, report: Box::new(report.clone()) })?;
                return Ok(Err(report));
            }
        };
        let patch = self.case.bench.patch(&change)?;
        let stored = self.case.record.store_text(&patch)?;
        let mut files = Vec::new();
        for (path, left) in self.case.bench.files(&change)? {
            let (mode, content) = match left {
                Some((mode, bytes)) => (Some(mode), Some(self.case.record.store(&bytes)?)),
                None => (None, None),
            };
            files.push(LeftFile { path, mode, content });
        }
        self.log(Event::Patch { stage, attempt, patch: stored, files })?;
        Ok(Ok((change, patch)))
    }

    fn refuse(
        &mut self,
        stage: Stage,
        attempt: u32,
        refusal: Refusal,
        patch: Option<String>,
    ) -> Result<(), Stop> {
        self.log(Event::AttemptRefused { stage, attempt, refusal: Box::new(refusal.clone()) })?;
        self.sync()?;
        self.feedback.entry(stage).or_default().push(Refused { attempt, refusal, patch });
        Ok(())
    }

    /// The number of the stage's next attempt, where it has one left.
    fn next(&mut self, stage: Stage) -> Result<Option<u32>, Stop> {
        self.check_budget(stage)?;
        let most = self.case.pipeline.stage(stage).map_or(0, |spec| spec.attempts + self.granted);
        let made = self.attempts.entry(stage).or_default();
        if *made >= most {
            return Ok(None);
        }
        *made += 1;
        Ok(Some(*made))
    }

    fn check_time(&self) -> Result<(), Stop> {
        match self.case.time {
            Some(most) if self.began.elapsed() >= most => {
                let text = format!("the case took longer than its {}s", most.as_secs());
                Err(end(Outcome::OverBudget, text))
            }
            _ => Ok(()),
        }
    }

    /// Ends the case when the stage may use nothing more.
    fn check_budget(&self, stage: Stage) -> Result<(), Stop> {
        self.check_time()?;
        match self.case.ledger.and_then(|ledger| ledger.over(stage)) {
            Some(text) => Err(end(Outcome::OverBudget, text)),
            None => Ok(()),
        }
    }

    fn exhausted(&self, stage: Stage, what: &str) -> String {
        let refused = self.feedback.get(&stage).map_or(&[][..], Vec::as_slice);
        let Some(last) = refused.last() else { return what.to_owned() };
        let count = refused.len();
        let attempts = if count == 1 { "1 attempt was".to_owned() } else { format!("{count} attempts were") };
        format!("{what}: {attempts} refused, the last because {}", last.refusal.reason)
    }

    fn log(&self, event: Event) -> Result<(), EngineError> {
        self.case.record.append(event.clone())?;
        (self.case.watcher)(&event);
        Ok(())
    }

    fn sync(&self) -> Result<(), EngineError> {
        Ok(self.case.record.sync()?)
    }
}

/// The ending of an analysis that needs no test.
fn without_a_test(claims: &Analyst) -> Option<Ending> {
    let evidence = claims.evidence.clone().unwrap_or_default();
    let (outcome, explanation) = match claims.outcome {
        AnalystOutcome::Reproduced => return None,
        AnalystOutcome::NeedsInfo => (Outcome::NeedsInfo, claims.question.clone().unwrap_or_default()),
        AnalystOutcome::NotReproduced => (Outcome::NotReproduced, evidence),
        AnalystOutcome::AlreadyFixed => {
            let commit = claims.commit.as_deref().unwrap_or_default().trim();
            (Outcome::AlreadyFixed, format!("fixed by {commit}: {evidence}"))
        }
    };
    Some(Ending { outcome, explanation })
}

fn internal(what: &str) -> Stop {
    Stop::Error(LabError::Internal(what.to_owned()).into())
}

/// The end of a reply, which is where its JSON stands.
fn tail(text: &str) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(8_000)).collect()
}

#[cfg(test)]
mod tests;
