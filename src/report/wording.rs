//! Every sentence of a report that is ours, in one place.
//!
//! A maintainer must understand each of them without knowing the catalogue.

use super::{CaseOutcome, Cost, Report};
use crate::gate::verdict::{Check, Evidence, Excerpt, GateReport, Outcome, SandboxReport, Verdict, Word};

/// The verdict as a sentence; the first line of every report.
pub fn verdict_headline(word: Word) -> &'static str {
    match word {
        Word::Verified => "Verified: the test fails without the fix and passes with it",
        Word::Refused => "Refused: the evidence for this fix does not hold",
        Word::NeedsHuman => "A person must decide: nothing disproves the fix, but something needs your eyes",
        Word::Inconclusive => "Inconclusive: failfirst could not tell whether the fix works",
    }
}

/// The outcome of a case as a sentence.
pub fn case_headline(outcome: CaseOutcome) -> &'static str {
    match outcome {
        CaseOutcome::Fixed => "A fix was found",
        CaseOutcome::NotReproduced => "Not reproduced: no test could be made to fail as the issue says",
        CaseOutcome::NotFixed => "Not fixed: a test shows the bug, but no change that holds was found",
        CaseOutcome::NeedsInfo => "One question must be answered first",
        CaseOutcome::AlreadyFixed => "Already fixed: the bug is not there any more",
        CaseOutcome::Disputed => "Disputed: the fixer says that the test is wrong, and that was not settled",
        CaseOutcome::OverBudget => "Stopped: the budget ran out before there was a result",
        CaseOutcome::Aborted => "Stopped before there was a result",
    }
}

/// The first line of a report.
pub fn headline(report: &Report) -> &'static str {
    match (&report.case, &report.verdict) {
        (Some(case), _) if case.outcome != CaseOutcome::Fixed => case_headline(case.outcome),
        (_, Some(verdict)) => verdict_headline(verdict.verdict),
        (Some(case), None) => case_headline(case.outcome),
        (None, None) => verdict_headline(Word::Inconclusive),
    }
}

/// How the report as a whole stands.
pub fn standing(report: &Report) -> Outcome {
    match (&report.case, &report.verdict) {
        (Some(case), _) if case.outcome != CaseOutcome::Fixed => match case.outcome {
            CaseOutcome::NotFixed => Outcome::Fail,
            CaseOutcome::NeedsInfo | CaseOutcome::Disputed => Outcome::Human,
            _ => Outcome::Inconclusive,
        },
        (_, Some(verdict)) => match verdict.verdict {
            Word::Verified => Outcome::Pass,
            Word::Refused => Outcome::Fail,
            Word::NeedsHuman => Outcome::Human,
            Word::Inconclusive => Outcome::Inconclusive,
        },
        _ => Outcome::Inconclusive,
    }
}

/// One character for an outcome.
pub fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "✓",
        Outcome::Fail => "✗",
        Outcome::Inconclusive => "?",
        Outcome::Human => "!",
        Outcome::Skipped => "–",
    }
}

/// What can be changed at a line without the test noticing, as a fragment. The texts are data.
pub fn mutant(operator: &str, before: &str, after: &str) -> String {
    let instead = if after.trim().is_empty() { "nothing".to_owned() } else { format!("`{after}`") };
    format!("with {instead} instead of `{before}` the test still passes ({operator})")
}

/// The answer to the gate's question.
pub fn answer(check: Check, outcome: Outcome) -> &'static str {
    let bad_is_yes = matches!(check, Check::K13 | Check::K14);
    match outcome {
        Outcome::Pass if check == Check::K9 => "none",
        Outcome::Fail if check == Check::K9 => "some",
        Outcome::Pass if bad_is_yes => "no",
        Outcome::Fail if bad_is_yes => "yes",
        Outcome::Pass => "yes",
        Outcome::Fail => "no",
        Outcome::Inconclusive => "could not tell",
        Outcome::Human => "you decide",
        Outcome::Skipped => "not asked",
    }
}

/// The answer of a gate, where what it shows says more than how it ended.
pub fn answer_of(gate: &GateReport) -> &'static str {
    let copies = gate.evidence.iter().any(|evidence| matches!(evidence, Evidence::Clone { .. }));
    let survives = gate.evidence.iter().any(|evidence| matches!(evidence, Evidence::Mutant { .. }));
    match (gate.id, gate.outcome) {
        (Check::K14, Outcome::Pass) if copies => "look below",
        (Check::K9, Outcome::Pass) if survives => "some",
        (Check::K13, Outcome::Pass) if !gate.evidence.is_empty() => "nothing grave",
        (check, outcome) => answer(check, outcome),
    }
}

/// What the verdict means for whoever must act on it.
pub fn advice(word: Word) -> &'static str {
    match word {
        Word::Verified => {
            "What the test observes was changed by the production code of this change and by nothing else. \
             Whether the test asks for the right behaviour is still yours to judge."
        }
        Word::Refused => "Do not merge on the strength of this test. What was seen is shown below.",
        Word::NeedsHuman => {
            "Nothing disproves the fix. What is shown below is for a person to judge, not for a machine."
        }
        Word::Inconclusive => {
            "This is neither a yes nor a no. What kept failfirst from telling is shown below; \
             put it right and judge again."
        }
    }
}

/// Said wherever the agents of a case were replayed.
pub const REPLAYED: &str =
    "Replayed: the agents' replies come from a recording. The gates and the tests really ran.";

/// What stands above the gates that were not asked.
pub const NOT_CHECKED: &str = "Not checked";

/// What is cut first when a text must be shorter, and how it is named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// The diff.
    Diff,
    /// The source of the sealed tests.
    Sources,
    /// Evidence of gates that passed.
    PassedEvidence,
    /// Output of tests and commands.
    Output,
    /// Evidence of the other gates.
    Evidence,
    /// Lists of tests and files.
    Lists,
    /// Long prose.
    Prose,
}

impl Part {
    /// For a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Diff => "parts of the diff",
            Self::Sources => "parts of the test's source",
            Self::PassedEvidence => "evidence of questions that were answered well",
            Self::Output => "parts of what tests and commands printed",
            Self::Evidence => "some evidence",
            Self::Lists => "parts of long lists",
            Self::Prose => "parts of long texts",
        }
    }
}

/// Says what was cut.
pub fn left_out(parts: impl IntoIterator<Item = Part>) -> String {
    let parts: Vec<_> = parts.into_iter().map(Part::describe).collect();
    format!(
        "Shortened to fit. Left out: {}. The command below shows more with `--format html`.",
        join(&parts)
    )
}

/// `12 test runs, 3.4 s`.
pub fn timing(verdict: &Verdict) -> String {
    let runs: u32 = verdict.gates.iter().map(|gate| gate.runs).sum();
    let runs = if runs == 1 { "1 test run".to_owned() } else { format!("{runs} test runs") };
    format!("{runs}, {}", seconds(verdict.took))
}

/// `3.4 s`, `2 min 05 s`.
pub fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let (minutes, rest) = ((seconds / 60.0).floor(), seconds % 60.0);
    format!("{minutes:.0} min {:02.0} s", rest.floor())
}

/// A fragment as a sentence: a capital letter at its start, a mark at its end.
pub fn sentence(text: &str) -> String {
    let mut out = capital(text);
    if !out.is_empty() && !out.ends_with(['.', '!', '?', ':', '…']) {
        out.push('.');
    }
    out
}

/// A fragment with a capital letter at its start, unless it starts with a name such as `a.py`.
pub fn capital(text: &str) -> String {
    let text = text.trim();
    let word = text.split(char::is_whitespace).next().unwrap_or_default().trim_end_matches([',', ':']);
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    if plain { text[..1].to_ascii_uppercase() + &text[1..] } else { text.to_owned() }
}

/// How the runs were isolated, with what is missing.
pub fn sandbox(report: &SandboxReport) -> String {
    let mut text = match report.kind.as_str() {
        "" | "none" => "none: the code ran with the rights of whoever started failfirst".to_owned(),
        kind if report.layers.is_empty() => kind.to_owned(),
        kind => format!("{kind} ({})", report.layers.join(", ")),
    };
    if let Some(missing) = &report.missing {
        text.push_str("; missing: ");
        text.push_str(missing);
    }
    text
}

/// What the agents used.
pub fn cost(cost: &Cost) -> String {
    let mut parts = Vec::new();
    parts.extend(cost.usd.map(|usd| format!("{usd:.2} USD")));
    parts.push(format!(
        "{} tokens read and {} written",
        thousands(cost.input_tokens),
        thousands(cost.output_tokens)
    ));
    parts.push(format!("{} requests", thousands(cost.requests)));
    join(&parts)
}

/// `a`, `a and b`, `a, b and c`.
pub fn join(parts: &[impl AsRef<str>]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// What stands above a pair of texts that resemble each other.
pub fn clone_pair(test: &Excerpt, production: &Excerpt, percent: u8) -> String {
    format!(
        "{} (left) holds {percent} % of what {} (right) is made of, names and literals aside:",
        test.place(),
        production.place()
    )
}

/// `one file`, `3 files`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_was_not_answered_well_never_reads_as_answered_well() {
        for check in Check::ALL {
            let good = answer(check, Outcome::Pass);
            for outcome in [Outcome::Fail, Outcome::Inconclusive, Outcome::Human, Outcome::Skipped] {
                assert_ne!(answer(check, outcome), good, "{check} {outcome:?}");
                assert_ne!(mark(outcome), mark(Outcome::Pass));
            }
        }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(seconds(0.04), "0.0 s");
        assert_eq!(seconds(125.9), "2 min 05 s");
        assert_eq!(sentence("the fix holds"), "The fix holds.");
        assert_eq!(sentence("a_b fails!"), "a_b fails!");
        assert_eq!(thousands(1_234_567), "1 234 567");
        assert_eq!(join(&["a", "b", "c"]), "a, b and c");
        let spent = Cost { usd: Some(0.4), input_tokens: 12_000, output_tokens: 900, requests: 7 };
        assert_eq!(cost(&spent), "0.40 USD, 12 000 tokens read and 900 written and 7 requests");
    }
}
