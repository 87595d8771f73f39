//! What Markdown and HTML show: the report in reading order, cut to a [`Room`].
//!
//! All strings are still raw here; the templates quote them.

mod build;

use std::collections::BTreeSet;

use serde::Serialize;

use super::visible::sentence;
use super::{Report, wording};
use crate::gate::verdict::{Check, Evidence, GateReport, MANDATORY, Outcome, Verdict, Word};
use build::Builder;

/// How much may be shown.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Lines of a diff.
    pub diff: usize,
    /// Lines of a sealed test's source.
    pub source: usize,
    /// Evidence of gates that passed, apart from the red run.
    pub passed: Passed,
    /// Lines of one piece of output.
    pub output: usize,
    /// Characters of one line of output.
    pub width: usize,
    /// Pieces of evidence of one gate.
    pub evidence: usize,
    /// Entries of one list.
    pub list: usize,
    /// Characters of a long text, such as the root cause.
    pub prose: usize,
    /// Characters of a reason or a message.
    pub sentence: usize,
}

/// Whether evidence of gates that passed is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passed {
    /// It is.
    Shown,
    /// It is not.
    LeftOut,
}

/// The report in reading order.
#[derive(Serialize, Debug)]
pub struct Page {
    /// The state's mark.
    pub mark: &'static str,
    /// `pass`, `fail`, `human`, `inconclusive`: for styles.
    pub standing: Outcome,
    /// The first line.
    pub headline: &'static str,
    /// Said when the agents were replayed.
    pub replayed: Option<&'static str>,
    /// The case, where there is one.
    pub case: Option<CasePart>,
    /// The verdict, where there is one.
    pub verdict: Option<VerdictPart>,
    /// The change.
    pub patch: Option<PatchPart>,
    /// The sealed tests' source.
    pub sources: Vec<Block>,
    /// The command.
    pub reproduce: String,
    /// What was cut, as a sentence.
    pub left_out: Option<String>,
    /// `owner/repo`, where it is known.
    pub repository: Option<String>,
    /// The version of failfirst.
    pub version: &'static str,
}

/// What agents did.
#[derive(Serialize, Debug)]
pub struct CasePart {
    /// `#12 title`, or the title.
    pub title: String,
    /// Why it ended so.
    pub explanation: String,
    /// The analyst's account.
    pub root_cause: Option<String>,
    /// Where the cause lies.
    pub locations: Vec<Link>,
    /// Refused attempts.
    pub attempts: Vec<AttemptPart>,
    /// The reviewer's remarks.
    pub remarks: Vec<RemarkPart>,
    /// The agents.
    pub agents: Vec<String>,
    /// What they used.
    pub cost: Option<String>,
}

/// A place with its address, where one is known.
#[derive(Serialize, Debug)]
pub struct Link {
    /// `path:line`.
    pub text: String,
    /// The address.
    pub url: Option<String>,
}

/// A refused attempt.
#[derive(Serialize, Debug)]
pub struct AttemptPart {
    /// `fixer, attempt 2`.
    pub who: String,
    /// The gate's question.
    pub question: Option<&'static str>,
    /// Why.
    pub reason: String,
}

/// A remark of the reviewer.
#[derive(Serialize, Debug)]
pub struct RemarkPart {
    /// Where.
    pub at: Option<Link>,
    /// The remark.
    pub text: String,
}

/// The verdict.
#[derive(Serialize, Debug)]
pub struct VerdictPart {
    /// What it means for the reader.
    pub advice: &'static str,
    /// One sentence from the gates.
    pub summary: String,
    /// Short name of the base.
    pub base: String,
    /// Short name of the head.
    pub head: String,
    /// The languages.
    pub languages: String,
    /// Runs and seconds.
    pub timing: String,
    /// The isolation.
    pub sandbox: String,
    /// True when isolation is missing in part or whole.
    pub sandbox_lacks: bool,
    /// The gates that were asked, and the mandatory ones.
    pub gates: Vec<GatePart>,
    /// The gates that were not asked.
    pub skipped: Vec<SkippedPart>,
    /// The replication tests.
    pub tests: List,
    /// The sealed files.
    pub sealed: List,
    /// The seal, shortened.
    pub digest: String,
}

/// A list that may be cut.
#[derive(Serialize, Debug)]
pub struct List {
    /// What is shown.
    pub shown: Vec<String>,
    /// How many there are.
    pub total: usize,
    /// How many are not shown.
    pub more: usize,
}

/// A gate.
#[derive(Serialize, Debug)]
pub struct GatePart {
    /// The number.
    pub id: String,
    /// The short name.
    pub name: &'static str,
    /// The question.
    pub question: &'static str,
    /// The mark of the outcome.
    pub mark: &'static str,
    /// The outcome.
    pub outcome: Outcome,
    /// The answer.
    pub answer: &'static str,
    /// The reason, with the failure class in words.
    pub reason: String,
    /// True when its evidence is what the verdict rests on.
    pub decisive: bool,
    /// What was seen.
    pub evidence: Vec<Item>,
    /// How many pieces are not shown.
    pub more: usize,
    /// Runs.
    pub runs: u32,
}

/// Gates that were not asked for one reason.
#[derive(Serialize, Debug)]
pub struct SkippedPart {
    /// Their numbers and questions.
    pub questions: Vec<(String, &'static str)>,
    /// Why.
    pub reason: String,
}

/// A piece of evidence.
#[derive(Serialize, Debug)]
pub struct Item {
    /// What it is about, shown as code.
    pub subject: Option<String>,
    /// What stands between the two.
    pub joint: &'static str,
    /// The sentence.
    pub text: String,
    /// Lines shown as they are.
    pub block: Option<Block>,
}

/// Lines shown as they are.
#[derive(Serialize, Debug)]
pub struct Block {
    /// What they are.
    pub title: String,
    /// The fence's language, ours.
    pub language: &'static str,
    /// The lines.
    pub text: String,
}

/// The change.
#[derive(Serialize, Debug)]
pub struct PatchPart {
    /// `3 files, 12 lines added, 4 removed`.
    pub size: String,
    /// The files.
    pub files: List,
    /// The diff.
    pub diff: Option<Block>,
}

/// The report cut to `room`.
pub fn page(report: &Report, room: Room) -> Page {
    let mut builder = Builder { room, left_out: BTreeSet::new() };
    let case = report.case.as_ref().map(|case| builder.case(case, report));
    let verdict = report.verdict.as_ref().map(|verdict| builder.verdict(verdict));
    let patch = report.patch.as_ref().map(|patch| builder.patch(patch));
    let sources = builder.sources(report);
    let standing = wording::standing(report);
    Page {
        mark: wording::mark(standing),
        standing,
        headline: wording::headline(report),
        replayed: report.case.as_ref().is_some_and(|case| case.replayed).then_some(wording::REPLAYED),
        case,
        verdict,
        patch,
        sources,
        reproduce: sentence(&report.reproduce, 1000),
        left_out: (!builder.left_out.is_empty()).then(|| wording::left_out(builder.left_out)),
        repository: report.repository.as_ref().map(|repository| repository.name().to_owned()),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// The gates that a reader sees in the table: those that were asked and, where that is why the
/// verdict is open, the mandatory ones that were not.
pub(super) fn in_table(verdict: &Verdict) -> impl Iterator<Item = &GateReport> {
    let open = verdict.verdict == Word::Inconclusive;
    let shown =
        move |gate: &&GateReport| gate.outcome != Outcome::Skipped || (open && MANDATORY.contains(&gate.id));
    verdict.gates.iter().filter(shown)
}

/// The gates that were not asked, those with one reason together.
pub(super) fn skipped(verdict: &Verdict) -> Vec<(&str, Vec<Check>)> {
    let mut out: Vec<(&str, Vec<Check>)> = Vec::new();
    for gate in verdict.gates.iter().filter(|gate| gate.outcome == Outcome::Skipped) {
        match out.iter_mut().find(|(reason, _)| *reason == gate.reason) {
            Some((_, checks)) => checks.push(gate.id),
            None => out.push((&gate.reason, vec![gate.id])),
        }
    }
    out
}

/// The sentence on a test of the evidence.
pub(super) fn test_sentence(evidence: &Evidence) -> Option<String> {
    let Evidence::Test { tree, status, class, message, .. } = evidence else { return None };
    let mut text = format!("{status} on {tree}");
    if let Some(class) = class {
        text.push_str(&format!(" ({})", class.describe()));
    }
    if let Some(message) = message {
        text.push_str(&format!(": {message}"));
    }
    Some(text)
}

/// The reason of a gate as a sentence, with the failure class in words where it does not say so.
pub(super) fn reason(gate: &GateReport) -> String {
    match gate.class {
        Some(class) if !gate.reason.contains(class.describe()) => {
            let reason = wording::capital(&gate.reason);
            format!("{} ({}).", reason.trim_end_matches('.'), class.describe())
        }
        _ => wording::sentence(&gate.reason),
    }
}

/// The hexadecimal digits of a digest, whatever else a hostile one holds.
pub(super) fn only_hex(text: &str) -> String {
    text.chars().filter(char::is_ascii_hexdigit).take(64).collect()
}
