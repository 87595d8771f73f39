//! What the agents read: templates rendered strictly from typed contexts.
//!
//! The templates are embedded; a repository may replace each by a file of the same name below
//! `.failfirst/prompts` of the base commit. The filter `data` puts a text between delimiters that
//! nobody can guess, so that a stranger's words cannot pass for instructions.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::Overrides;
use crate::agent::Stage;
use crate::agent::claims::{Analyst, Claims, Fixer};
use crate::gate::verdict::{Evidence, GateReport, Verdict};
use crate::git::RepoPath;
use crate::issue::Issue;
use crate::lab::nonce;
use crate::lang::TestId;
use crate::record::{Refusal, Refuser};

/// Where a repository may put its own templates.
pub const FOLDER: &str = ".failfirst/prompts";

/// The longest text of one piece of evidence, and of one patch, in characters.
const MAX_EVIDENCE: usize = 6_000;
const MAX_PATCH: usize = 60_000;

/// The templates that failfirst brings.
const EMBEDDED: [(&str, &str); 8] = [
    ("analyst.md.j2", include_str!("../../prompts/analyst.md.j2")),
    ("fixer.md.j2", include_str!("../../prompts/fixer.md.j2")),
    ("reviewer.md.j2", include_str!("../../prompts/reviewer.md.j2")),
    ("parts/data.md.j2", include_str!("../../prompts/parts/data.md.j2")),
    ("parts/project.md.j2", include_str!("../../prompts/parts/project.md.j2")),
    ("parts/issue.md.j2", include_str!("../../prompts/parts/issue.md.j2")),
    ("parts/feedback.md.j2", include_str!("../../prompts/parts/feedback.md.j2")),
    ("parts/reply.md.j2", include_str!("../../prompts/parts/reply.md.j2")),
];

/// Why a prompt cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// There is no template of this name.
    #[error("prompt template `{name}` is unknown; put it into {FOLDER}/{name} or use one of {known}")]
    Unknown {
        /// As the pipeline names it.
        name: String,
        /// The embedded ones.
        known: String,
    },
    /// A template is broken or uses what the context does not have.
    #[error("prompt template {what}")]
    Template {
        /// Which, and what is wrong.
        what: String,
    },
}

/// What every prompt knows about the project.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProjectFacts {
    /// The commit with the bug, shortened.
    pub base: String,
    /// The language, for people.
    pub language: String,
    /// The runner with its version.
    pub runner: String,
    /// The command for named tests, with a placeholder that a reader understands.
    pub test_command: String,
    /// The command for the whole suite.
    pub suite_command: Option<String>,
    /// How often a result must repeat.
    pub repeats: u32,
    /// Whether the agent has the network.
    pub network: bool,
    /// The kinds of files that a fix may not touch, for sentences.
    pub protected: Vec<String>,
}

/// A sealed test, for those who must not touch it.
#[derive(Clone, PartialEq, Debug)]
pub struct SealedView {
    /// The replication tests.
    pub tests: Vec<TestId>,
    /// Its files.
    pub files: Vec<SealedText>,
    /// How it fails on the base.
    pub failure: GateReport,
    /// SHA-256 over the sealed paths and bytes.
    pub digest: String,
}

/// A sealed file's text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SealedText {
    /// Where.
    pub path: RepoPath,
    /// Its text, or that of its test items.
    pub text: String,
    /// True when only the test items of the file are sealed.
    pub inline: bool,
}

/// A refused attempt.
#[derive(Clone, PartialEq, Debug)]
pub struct Refused {
    /// Which attempt of the stage.
    pub attempt: u32,
    /// Why.
    pub refusal: Refusal,
    /// What it changed.
    pub patch: Option<String>,
}

/// A dispute that the analyst is to settle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Dispute {
    /// The fixer's reason.
    pub reason: String,
    /// The disputed test, as a unified diff.
    pub patch: String,
}

/// A reply that is asked for again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Repair {
    /// What was wrong with it.
    pub problems: Vec<String>,
    /// The reply, as it was.
    pub reply: String,
}

/// What a stage reads besides issue, project and feedback.
#[derive(Clone, PartialEq, Debug)]
pub enum Matter<'a> {
    /// The analyst.
    Analyst {
        /// A dispute to be settled.
        dispute: Option<&'a Dispute>,
    },
    /// The fixer.
    Fixer {
        /// The test.
        sealed: &'a SealedView,
        /// The analyst's claims.
        analysis: &'a Analyst,
        /// The analyst's answer to a dispute.
        upheld: Option<&'a str>,
    },
    /// The reviewer.
    Reviewer {
        /// The test.
        sealed: &'a SealedView,
        /// The analyst's claims.
        analysis: &'a Analyst,
        /// The fixer's claims.
        fix: &'a Fixer,
        /// The fix, as a unified diff.
        patch: &'a str,
        /// What the gates found.
        verdict: &'a Verdict,
    },
}

impl Matter<'_> {
    /// Whose it is.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Analyst { .. } => Stage::Analyst,
            Self::Fixer { .. } => Stage::Fixer,
            Self::Reviewer { .. } => Stage::Reviewer,
        }
    }
}

/// A prompt to be rendered.
#[derive(Clone, PartialEq, Debug)]
pub struct Prompt<'a> {
    /// The bug report.
    pub issue: &'a Issue,
    /// The project.
    pub project: &'a ProjectFacts,
    /// What the stage needs.
    pub matter: Matter<'a>,
    /// The refused attempts of the stage, oldest first.
    pub feedback: &'a [Refused],
    /// A reply that is asked for again.
    pub repair: Option<&'a Repair>,
}

/// What the templates see. Each stage's fields are there for it only, so that a template which uses
/// another's fails.
#[derive(Serialize)]
struct Context<'a> {
    fence: &'a str,
    issue: &'a Issue,
    project: &'a ProjectFacts,
    feedback: Vec<FeedbackView<'a>>,
    repair: Option<&'a Repair>,
    schema: String,
    #[serde(flatten)]
    matter: MatterView<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum MatterView<'a> {
    Analyst {
        dispute: Option<&'a Dispute>,
    },
    Fixer {
        sealed: SealedContext<'a>,
        analysis: &'a Analyst,
        upheld: Option<&'a str>,
    },
    Reviewer {
        sealed: SealedContext<'a>,
        analysis: &'a Analyst,
        fix: &'a Fixer,
        patch: String,
        verdict: VerdictView<'a>,
    },
}

#[derive(Serialize)]
struct SealedContext<'a> {
    tests: &'a [TestId],
    files: &'a [SealedText],
    failure: GateView<'a>,
}

#[derive(Serialize)]
struct VerdictView<'a> {
    word: String,
    summary: &'a str,
    gates: Vec<GateView<'a>>,
}

#[derive(Serialize)]
struct FeedbackView<'a> {
    attempt: u32,
    kind: &'static str,
    reason: &'a str,
    gates: Vec<GateView<'a>>,
    patch: Option<String>,
}

#[derive(Serialize)]
struct GateView<'a> {
    id: String,
    name: &'a str,
    question: &'static str,
    outcome: serde_json::Value,
    class: Option<String>,
    meaning: Option<&'static str>,
    reason: &'a str,
    evidence: Vec<EvidenceView>,
}

#[derive(Serialize)]
struct EvidenceView {
    title: String,
    text: String,
}

impl Prompt<'_> {
    /// Renders the template of this name.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn render(&self, template: &str, overrides: &dyn Overrides) -> Result<String, PromptError> {
        self.render_with(template, overrides, &nonce(6))
    }

    fn render_with(
        &self,
        template: &str,
        overrides: &dyn Overrides,
        fence: &str,
    ) -> Result<String, PromptError> {
        let sources = sources(template, overrides)?;
        let failed = |error: minijinja::Error| PromptError::Template { what: describe(&error) };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax =
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
        environment.set_syntax(syntax.map_err(failed)?);
        let own = fence.to_owned();
        environment.add_filter("data", move |text: String, what: String| fenced(&own, &text, &what));
        for (name, source) in &sources {
            environment.add_template(name, source).map_err(failed)?;
        }
        let text = environment
            .get_template(template)
            .and_then(|found| found.render(Serde(self.context(fence))))
            .map_err(failed)?;
        Ok(squeeze(&text, fence))
    }

    fn context<'a>(&'a self, fence: &'a str) -> Context<'a> {
        let matter = match &self.matter {
            Matter::Analyst { dispute } => MatterView::Analyst { dispute: *dispute },
            Matter::Fixer { sealed, analysis, upheld } => {
                MatterView::Fixer { sealed: sealed.view(), analysis, upheld: *upheld }
            }
            Matter::Reviewer { sealed, analysis, fix, patch, verdict } => MatterView::Reviewer {
                sealed: sealed.view(),
                analysis,
                fix,
                patch: clip(patch, MAX_PATCH),
                verdict: VerdictView {
                    word: verdict.verdict.to_string(),
                    summary: &verdict.summary,
                    gates: verdict.gates.iter().map(GateView::of).collect(),
                },
            },
        };
        Context {
            fence,
            issue: self.issue,
            project: self.project,
            feedback: self.feedback.iter().map(FeedbackView::of).collect(),
            repair: self.repair,
            schema: Claims::schema(self.matter.stage()),
            matter,
        }
    }
}

impl SealedView {
    fn view(&self) -> SealedContext<'_> {
        SealedContext { tests: &self.tests, files: &self.files, failure: GateView::of(&self.failure) }
    }
}

impl<'a> FeedbackView<'a> {
    fn of(refused: &'a Refused) -> Self {
        let kind = match refused.refusal.by {
            Refuser::Gates => "a check refused it",
            Refuser::Claims => "its reply was malformed",
            Refuser::Agent => "it ended without a reply",
        };
        Self {
            attempt: refused.attempt,
            kind,
            reason: &refused.refusal.reason,
            gates: refused.refusal.gates.iter().map(GateView::of).collect(),
            patch: refused
                .patch
                .as_deref()
                .filter(|patch| !patch.is_empty())
                .map(|patch| clip(patch, MAX_PATCH / 2)),
        }
    }
}

impl<'a> GateView<'a> {
    fn of(report: &'a GateReport) -> Self {
        Self {
            id: report.id.to_string(),
            name: &report.name,
            question: report.id.question(),
            outcome: serde_json::to_value(report.outcome).unwrap_or_default(),
            class: report.class.map(|class| class.to_string()),
            meaning: report.class.map(crate::gate::verdict::FailureClass::describe),
            reason: &report.reason,
            evidence: report.evidence.iter().map(EvidenceView::of).collect(),
        }
    }
}

impl EvidenceView {
    fn of(evidence: &Evidence) -> Self {
        let (title, text) = match evidence {
            Evidence::Note { text } => ("note".to_owned(), text.clone()),
            Evidence::Path { path, what } => ("path".to_owned(), format!("{path}: {what}")),
            Evidence::Test { id, tree, status, class, message, excerpt } => {
                let class = class.map(|class| format!(" (class {class})")).unwrap_or_default();
                let mut text = format!("{id}: {status}{class}");
                for more in [message, excerpt].into_iter().flatten() {
                    text.push('\n');
                    text.push_str(more);
                }
                (format!("test on {tree}"), text)
            }
            Evidence::Log { tree, command, tail } => {
                (format!("output on {tree}"), format!("$ {command}\n{tail}"))
            }
            Evidence::Patch { text } => ("difference".to_owned(), text.clone()),
            Evidence::Clone { test, production, percent } => {
                let text = format!(
                    "{}:\n{}\nholds {percent} % of what {} is made of:\n{}",
                    test.place(),
                    test.text,
                    production.place(),
                    production.text
                );
                ("code that resembles each other".to_owned(), text)
            }
            Evidence::Mutant { path, line, operator, before, after } => {
                ("unnoticed change".to_owned(), format!("{path}:{line} ({operator}): `{before}` → `{after}`"))
            }
        };
        Self { title, text: clip(&text, MAX_EVIDENCE) }
    }
}

/// The template and every part, each from the repository where it has its own.
fn sources(template: &str, overrides: &dyn Overrides) -> Result<BTreeMap<String, String>, PromptError> {
    let own = |name: &str| {
        let path = RepoPath::new(format!("{FOLDER}/{name}")).ok()?;
        overrides.text(path.as_str())
    };
    let mut sources = BTreeMap::new();
    for (name, text) in EMBEDDED {
        sources.insert(name.to_owned(), own(name).unwrap_or_else(|| text.to_owned()));
    }
    if !sources.contains_key(template) {
        let Some(text) = own(template) else {
            let known = EMBEDDED.map(|(name, _)| name).join(", ");
            return Err(PromptError::Unknown { name: template.to_owned(), known });
        };
        sources.insert(template.to_owned(), text);
    }
    Ok(sources)
}

fn fenced(fence: &str, text: &str, what: &str) -> String {
    // The label is a path or a name that a stranger may have chosen.
    let label: String =
        what.chars().map(|c| if "<>\"\n\r".contains(c) { ' ' } else { c }).take(200).collect();
    let text = text.replace(fence, "");
    let text = text.trim_end_matches('\n');
    format!("<data-{fence} of=\"{label}\">\n{text}\n</data-{fence}>")
}

fn clip(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let at = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(index, _)| index);
    let (head, tail) = (at(most * 2 / 3), at(count - most / 3));
    format!("{}\n[… {} characters left out …]\n{}", &text[..head], count - most, &text[tail..])
}

/// Runs of blank lines outside data become one; parts that render to nothing leave some behind.
fn squeeze(text: &str, fence: &str) -> String {
    let (open, close) = (format!("<data-{fence} of"), format!("</data-{fence}>"));
    let mut result = String::with_capacity(text.len());
    let (mut blank, mut inside) = (0, false);
    for line in text.lines() {
        if line.starts_with(&open) {
            inside = true;
        }
        if line.trim().is_empty() && !inside {
            blank += 1;
            continue;
        }
        if blank > 0 && !result.is_empty() {
            result.push('\n');
        }
        blank = 0;
        result.push_str(if inside { line } else { line.trim_end() });
        result.push('\n');
        if line == close {
            inside = false;
        }
    }
    result
}

fn describe(error: &minijinja::Error) -> String {
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("{name}, line {line}: "),
        (Some(name), None) => format!("{name}: "),
        _ => String::new(),
    };
    let detail = error.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let mut text = format!("{place}{}{detail}", error.kind());
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
