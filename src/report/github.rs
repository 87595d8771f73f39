//! The texts that stand on GitHub, each a pure function within GitHub's limits.
//!
//! All start with the verdict in words. Untrusted parts come from the report's templates, which quote
//! them, or are quoted here.

use super::markdown::{self, Marker};
use super::quote::{self, Place};
use super::visible::cut;
use super::{Report, wording};
use crate::gate::verdict::{Evidence, Outcome, Word};
use crate::record::Digest;

/// The most characters of a check run's summary or text.
const MAX_CHECK: usize = 65_000;
/// The most inline comments of a review.
pub const MAX_INLINE: usize = 30;
/// The most annotations that are written.
const MAX_ANNOTATIONS: usize = 200;

/// Where the texts will stand, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// What the texts belong to (`issue-7`, `pull-9`).
    pub case: String,
    /// The issue that a pull request is for.
    pub issue: Option<u64>,
    /// Whether merging the pull request closes the issue.
    pub closes: bool,
    /// The pull request.
    pub pull: Option<u64>,
    /// Where a pull request could be opened by hand, when it may not be opened by machine.
    pub compare: Option<String>,
    /// The run with its artifacts.
    pub run: Option<String>,
    /// Whether the pull request is ours.
    pub ours: bool,
}

/// A remark at a line of the changed tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inline {
    /// The file.
    pub path: String,
    /// The line.
    pub line: u32,
    /// The text, quoted.
    pub body: String,
}

/// An annotation of a check run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annotation {
    /// The file.
    pub path: String,
    /// The line.
    pub line: u32,
    /// `notice`, `warning`, `failure`.
    pub level: &'static str,
    /// What it is about.
    pub title: String,
    /// The text; GitHub shows it as it is.
    pub message: String,
}

/// The content of a check run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckText {
    /// One line.
    pub title: String,
    /// The short text.
    pub summary: String,
    /// The long text.
    pub text: String,
    /// How it ended, in GitHub's words.
    pub conclusion: &'static str,
    /// The state of a commit status that says the same.
    pub state: &'static str,
}

fn marker(standing: &Standing, kind: &str) -> Marker {
    Marker { kind: kind.to_owned(), case: standing.case.clone() }
}

/// The marker of the analysis on the issue.
pub fn analysis_marker(standing: &Standing) -> Marker {
    marker(standing, "analysis")
}

/// The marker of the sticky summary.
pub fn summary_marker(standing: &Standing) -> Marker {
    marker(standing, "summary")
}

/// The marker of the review of a head: another head, or another result, is another review.
pub fn review_marker(standing: &Standing, head: &str, report: &Report) -> Marker {
    let digest = Digest::of(summary_text(report, false).as_bytes());
    marker(standing, &format!("review-{}-{}", first(head, 12), first(digest.as_str(), 12)))
}

fn first(text: &str, count: usize) -> &str {
    text.get(..count).unwrap_or(text)
}

/// The comment on the issue: everything, and where the fix is.
pub fn analysis(report: &Report, standing: &Standing) -> String {
    let mut tail = String::new();
    match (standing.pull, &standing.compare) {
        (Some(pull), _) => tail.push_str(&format!("The fix is in pull request #{pull}.\n")),
        (None, Some(address)) => tail.push_str(&format!(
            "The fix is on a branch. This repository does not let Actions open pull requests (Settings → Actions → \
             General), so please [open it yourself]({address}).\n"
        )),
        (None, None) => {}
    }
    run_link(standing, &mut tail);
    markdown::render_framed(report, &tail, &analysis_marker(standing), 0)
}

fn run_link(standing: &Standing, tail: &mut String) {
    if let Some(run) = &standing.run {
        tail.push_str(&format!("\nThe whole record is an artifact of [this run]({run}).\n"));
    }
}

/// The title of a pull request.
pub fn pull_title(report: &Report, draft: bool) -> String {
    let case = report.case.as_ref();
    let title = case.map(|case| case.title.as_str()).unwrap_or_default();
    let title: String = super::visible::visible_line(title);
    // GitHub finds mentions and references in titles, where nothing can be quoted.
    let title = safe_title(&title);
    let title = if title.is_empty() { "a bug".to_owned() } else { title };
    let mark = if draft { "" } else { "[draft] " };
    cut(&format!("{mark}Fix: {title}"), 200)
}

/// Words of a title that could mention or refer are parted from their signs.
fn safe_title(title: &str) -> String {
    title.replace('@', "(at)").replace('#', "no. ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of a pull request.
pub fn pull_body(report: &Report, standing: &Standing) -> String {
    let mut tail = String::new();
    if let Some(issue) = standing.issue {
        // Only a merge into the default branch closes an issue.
        tail.push_str(&format!("{} #{issue}\n", if standing.closes { "Closes" } else { "Refs" }));
    }
    tail.push_str(
        "\nThe first commit is the sealed test, which fails by itself; the second is the fix. Any further push makes \
         the verdict stale. If this was opened with the token of GitHub Actions, its checks wait for your approval; \
         with the token of an App they do not.\n",
    );
    run_link(standing, &mut tail);
    markdown::render_framed(report, &tail, &marker(standing, "pull"), 0)
}

/// The comment that stays one and is replaced: the answers, without the evidence.
pub fn summary(report: &Report, standing: &Standing) -> String {
    let mut text = summary_text(report, true);
    run_link(standing, &mut text);
    format!("{text}\n{}\n", summary_marker(standing))
}

fn summary_text(report: &Report, whole: bool) -> String {
    let mark = wording::mark(wording::standing(report));
    let mut out = format!("### {mark} {}\n\n", wording::headline(report));
    if let Some(verdict) = &report.verdict {
        out.push_str(&quote::line(&cut(&wording::sentence(&verdict.summary), 1000), Place::Line));
        out.push_str("\n\n| | question | answer | what was seen |\n|---|---|---|---|\n");
        for gate in super::page::in_table(verdict) {
            let reason = cut(&super::page::reason(gate), 240);
            out.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                gate.id,
                quote::line(gate.id.question(), Place::Cell),
                wording::answer(gate.id, gate.outcome),
                quote::line(&reason, Place::Cell),
            ));
        }
        let skipped: usize = verdict.gates.iter().filter(|gate| gate.outcome == Outcome::Skipped).count();
        if skipped > 0 && whole {
            out.push_str(&format!(
                "\n{skipped} further questions were not asked; the full report lists them.\n"
            ));
        }
        out.push_str(&format!(
            "\nThis holds for {} upon {} and nothing else: any push makes it stale.\n",
            quote::code(&verdict.head.short(), Place::Line),
            quote::code(&verdict.base.short(), Place::Line),
        ));
    } else if let Some(case) = &report.case {
        out.push_str(&quote::quotation(&cut(&case.explanation, 2000)));
        out.push('\n');
    }
    if whole && !report.reproduce.is_empty() {
        out.push_str(&format!(
            "\nReproduce it locally:\n\n{}\n",
            quote::block(&cut(&report.reproduce, 1000), "sh")
        ));
    }
    out
}

/// The remarks that may become inline comments or annotations.
pub fn inline(report: &Report) -> Vec<Inline> {
    let remarks = report.case.iter().flat_map(|case| &case.remarks);
    remarks
        .filter_map(|remark| {
            let at = remark.at.as_ref()?;
            Some(Inline {
                path: at.path.to_string(),
                line: at.line?,
                body: quote::quotation(&cut(&remark.text, 4000)),
            })
        })
        .collect()
}

/// The text of a review; `floating` are the remarks that could not be anchored.
pub fn review(report: &Report, standing: &Standing, head: &str, floating: &[Inline]) -> String {
    let mut out = summary_text(report, false);
    if !floating.is_empty() {
        out.push_str("\nRemarks on lines that the change does not touch:\n");
        for remark in floating.iter().take(MAX_INLINE) {
            let place = quote::code(&format!("{}:{}", remark.path, remark.line), Place::Line);
            out.push_str(&format!("\n{place}\n\n{}\n", remark.body));
            if out.chars().count() > 50_000 {
                out.push_str("\n… and more in the record.\n");
                break;
            }
        }
    }
    format!("{out}\n{}\n", review_marker(standing, head, report))
}

/// The annotations: the reviewer's remarks, and what the gates object to.
pub fn annotations(report: &Report) -> Vec<Annotation> {
    let plain = |text: &str| cut(&super::visible::visible(text), 4000);
    let mut out = Vec::new();
    let remarks = report.case.iter().flat_map(|case| &case.remarks);
    for remark in remarks {
        if let Some((path, line)) = remark.at.as_ref().and_then(|at| Some((at.path.to_string(), at.line?))) {
            out.push(Annotation {
                path,
                line,
                level: "notice",
                title: "Remark of the reviewing agent".to_owned(),
                message: plain(&remark.text),
            });
        }
    }
    let gates = report.verdict.iter().flat_map(|verdict| &verdict.gates);
    for gate in gates.filter(|gate| matches!(gate.outcome, Outcome::Fail | Outcome::Human)) {
        for evidence in &gate.evidence {
            if let Evidence::Path { path, what } = evidence {
                out.push(Annotation {
                    path: path.to_string(),
                    line: 1,
                    level: if gate.outcome == Outcome::Fail { "failure" } else { "warning" },
                    title: format!("{}: {}", gate.id, gate.id.question()),
                    message: plain(what),
                });
            }
        }
    }
    out.retain(|annotation| !annotation.message.trim().is_empty());
    out.truncate(MAX_ANNOTATIONS);
    out
}

/// The content of the check run.
pub fn check(report: &Report, standing: &Standing) -> CheckText {
    let (conclusion, state) = match report.verdict.as_ref().map(|verdict| verdict.verdict) {
        Some(Word::Verified) => ("success", "success"),
        Some(Word::Refused) => ("failure", "failure"),
        // Neither is green: `neutral` would satisfy a required check.
        Some(Word::NeedsHuman | Word::Inconclusive) | None => ("action_required", "error"),
    };
    CheckText {
        title: wording::headline(report).to_owned(),
        summary: summary_text(report, true),
        text: markdown::render_framed(
            report,
            "",
            &marker(standing, "check"),
            markdown::MAX_CHARS - MAX_CHECK,
        ),
        conclusion,
        state,
    }
}

/// What a person is told who may not do what they asked for. `reason` is one of ours.
pub fn refusal(person: &str, reason: &str, standing: &Standing) -> String {
    let name = quote::code(person, Place::Line);
    format!(
        "failfirst did nothing for {name}: {reason}\n\n{}\n",
        marker(standing, &format!("refusal-{person}"))
    )
}

#[cfg(test)]
mod tests;
