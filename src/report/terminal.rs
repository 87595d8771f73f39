//! The report for a person at a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::page::{in_table, reason, skipped, test_sentence};
use super::visible::{cut_lines, sentence, side_by_side, visible};
use super::{Case, PatchView, Report, wording};
use crate::gate::verdict::{Check, Evidence, GateReport, Outcome, Verdict};

/// How the terminal is written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Whether colours are used; the caller heeds `NO_COLOR`.
    pub colour: Colour,
    /// Columns; 60 to 120 are used.
    pub width: u16,
}

impl Default for Style {
    /// No colours, 100 columns.
    fn default() -> Self {
        Self { colour: Colour::Off, width: 100 }
    }
}

/// Whether colours are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// Escape sequences are printed.
    On,
    /// None are.
    Off,
}

/// Lines of one piece of output.
const OUTPUT_LINES: usize = 24;
/// Pieces of evidence of one gate.
const EVIDENCE: usize = 8;
/// Entries of a list.
const LIST: usize = 20;
/// Characters of a sentence.
const SENTENCE: usize = 1_000;

/// The report.
pub fn render(report: &Report, style: Style) -> String {
    let width = usize::from(style.width.clamp(60, 120));
    let mut screen = Screen { out: String::new(), style, width };
    screen.headline(report);
    if let Some(case) = &report.case {
        screen.case(case, report);
    }
    if let Some(verdict) = &report.verdict {
        screen.gates(verdict);
        screen.evidence(verdict);
        screen.not_checked(verdict);
    }
    if let Some(case) = &report.case {
        screen.details_of_case(case);
    }
    if let Some(patch) = &report.patch {
        screen.patch(patch);
    }
    if let Some(verdict) = &report.verdict {
        screen.facts(verdict, report.case.as_ref());
    }
    screen.reproduce(&report.reproduce);
    screen.out
}

/// A tint by meaning.
#[derive(Clone, Copy)]
enum Tint {
    Outcome(Outcome),
    Quiet,
    Bold,
}

struct Screen {
    out: String,
    style: Style,
    width: usize,
}

impl Screen {
    fn tint(&self, text: &str, tint: Tint) -> String {
        let code = match tint {
            Tint::Outcome(Outcome::Pass) => "32",
            Tint::Outcome(Outcome::Fail) => "1;31",
            Tint::Outcome(Outcome::Human) => "1;33",
            Tint::Outcome(Outcome::Inconclusive) => "1;35",
            Tint::Outcome(Outcome::Skipped) | Tint::Quiet => "2",
            Tint::Bold => "1",
        };
        match self.style.colour {
            Colour::On if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// A paragraph, indented, within the width.
    fn paragraph(&mut self, indent: usize, text: &str, tint: Option<Tint>) {
        let text = sentence(text, SENTENCE);
        for line in wrap(&text, self.width - indent) {
            let line = tint.map_or_else(|| line.clone(), |tint| self.tint(&line, tint));
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    /// Lines as they are, behind a bar.
    fn block(&mut self, indent: usize, text: &str) {
        let text = visible(&cut_lines(text, OUTPUT_LINES, 1_000));
        let room = self.width - indent - 2;
        let bar = self.tint("│", Tint::Quiet);
        for line in text.lines() {
            let line = fit(&line.replace('\t', "    "), room);
            self.line(&format!("{:indent$}{bar} {line}", ""));
        }
    }

    fn section(&mut self, title: &str) {
        self.out.push('\n');
        self.paragraph(0, title, Some(Tint::Bold));
    }

    /// A name and its value, the value hanging.
    fn field(&mut self, name: &str, value: &str) {
        self.hanging(&format!("{name:<11}"), value);
    }

    /// A start, then a text whose further lines stand below its first word.
    fn hanging(&mut self, start: &str, text: &str) {
        let indent = start.width();
        let mut start = self.tint(start, Tint::Quiet);
        for line in wrap(&sentence(text, SENTENCE), self.width - indent) {
            self.line(&format!("{start}{line}"));
            start = " ".repeat(indent);
        }
    }

    /// The command stays on one line, so that it can be copied.
    fn reproduce(&mut self, command: &str) {
        if self.out.lines().count() < 6 {
            self.out.push('\n');
        }
        let name = self.tint("reproduce  ", Tint::Quiet);
        self.line(&format!("{name}{}", sentence(command, SENTENCE)));
    }

    fn list(&mut self, name: &str, entries: impl ExactSizeIterator<Item = String>) {
        let more = entries.len().saturating_sub(LIST);
        let mut name = name;
        for entry in entries.take(LIST) {
            self.field(name, &entry);
            name = "";
        }
        if more > 0 {
            self.field("", &format!("… and {more} more"));
        }
    }

    fn headline(&mut self, report: &Report) {
        let standing = wording::standing(report);
        let mut text = format!("{} {}", wording::mark(standing), wording::headline(report));
        if let Some(verdict) = &report.verdict {
            text.push_str(&format!(" ({}..{})", verdict.base.short(), verdict.head.short()));
        }
        let text = self.tint(&text, Tint::Outcome(standing));
        self.line(&text);
        if let Some(verdict) = &report.verdict {
            self.paragraph(2, &wording::sentence(&verdict.summary), None);
        }
    }

    fn case(&mut self, case: &Case, report: &Report) {
        let number = case.number.map(|number| format!("issue {number}: ")).unwrap_or_default();
        self.paragraph(2, &format!("{number}{}", case.title), Some(Tint::Bold));
        if case.replayed {
            self.paragraph(2, wording::REPLAYED, Some(Tint::Quiet));
        }
        for line in report.explanation().lines() {
            self.paragraph(2, line, None);
        }
    }

    /// One entry a gate: number, answer and question on a line, the reason below.
    fn gates(&mut self, verdict: &Verdict) {
        const ANSWER: usize = 7;
        const QUESTION: usize = 25;
        self.out.push('\n');
        for gate in in_table(verdict) {
            let answer = format!("{} {:<16}", wording::mark(gate.outcome), wording::answer_of(gate));
            let answer = self.tint(&answer, Tint::Outcome(gate.outcome));
            let mut start = format!("  {:<w$}{answer}", gate.id.to_string(), w = ANSWER - 2);
            for line in wrap(gate.id.question(), self.width - QUESTION) {
                self.line(&format!("{start}{line}"));
                start = " ".repeat(QUESTION);
            }
            self.paragraph(QUESTION, &reason(gate), Some(Tint::Quiet));
        }
    }

    fn evidence(&mut self, verdict: &Verdict) {
        let shown = |gate: &&GateReport| {
            let decisive = matches!(gate.outcome, Outcome::Fail | Outcome::Human | Outcome::Inconclusive);
            // What was read decides nothing and is there to be looked at.
            let read = matches!(gate.id, Check::K13 | Check::K14) && gate.outcome == Outcome::Pass;
            let survives = |evidence: &Evidence| matches!(evidence, Evidence::Mutant { .. });
            (decisive || read || gate.evidence.iter().any(survives)) && !gate.evidence.is_empty()
        };
        for gate in verdict.gates.iter().filter(shown) {
            self.section(&format!("What {} saw: {}", gate.id, gate.id.question()));
            for evidence in gate.evidence.iter().take(EVIDENCE) {
                self.item(evidence);
            }
            if gate.evidence.len() > EVIDENCE {
                self.paragraph(
                    2,
                    &format!("… and {} more", gate.evidence.len() - EVIDENCE),
                    Some(Tint::Quiet),
                );
            }
        }
    }

    fn item(&mut self, evidence: &Evidence) {
        match evidence {
            Evidence::Note { text } => self.paragraph(2, text, None),
            Evidence::Path { path, what } => self.paragraph(2, &format!("{path}: {what}"), None),
            Evidence::Test { id, excerpt, .. } => {
                self.paragraph(2, id.as_str(), None);
                self.paragraph(4, &test_sentence(evidence).unwrap_or_default(), None);
                self.block(4, excerpt.as_deref().unwrap_or_default());
            }
            Evidence::Log { tree, command, tail } => {
                self.paragraph(2, command, None);
                self.paragraph(4, &format!("on {tree}; the end of what it printed:"), None);
                self.block(4, tail);
            }
            Evidence::Patch { text } => self.block(2, text),
            Evidence::Clone { test, production, percent } => {
                self.paragraph(2, &wording::clone_pair(test, production, *percent), None);
                let width = (self.width - 7) / 2;
                self.block(2, &side_by_side(&test.text, &production.text, width));
            }
            Evidence::Mutant { path, line, operator, before, after } => {
                let what = wording::mutant(operator, before, after);
                self.paragraph(2, &format!("{path}:{line}: {what}"), None);
            }
        }
    }

    fn not_checked(&mut self, verdict: &Verdict) {
        let groups = skipped(verdict);
        if groups.is_empty() {
            return;
        }
        self.section(wording::NOT_CHECKED);
        for (reason, checks) in groups {
            self.paragraph(2, &format!("{}:", wording::capital(reason)), None);
            for check in checks {
                self.hanging(&format!("    {:<5}", check.to_string()), check.question());
            }
        }
    }

    fn details_of_case(&mut self, case: &Case) {
        if let Some(cause) = &case.root_cause {
            self.section("Root cause, in the analyst's words");
            for line in cause.trim().lines() {
                self.paragraph(2, line, None);
            }
            for place in case.locations.iter().take(LIST) {
                self.paragraph(2, &place.to_string(), Some(Tint::Quiet));
            }
        }
        if !case.refused_attempts.is_empty() {
            self.section("Attempts that were refused");
            for attempt in case.refused_attempts.iter().take(LIST) {
                let gate = attempt.gate.map(|gate| format!(" ({gate} {})", gate.name())).unwrap_or_default();
                self.paragraph(
                    2,
                    &format!("{} {}{gate}: {}", attempt.role, attempt.number, attempt.reason),
                    None,
                );
            }
        }
        if !case.remarks.is_empty() {
            self.section("Remarks of the reviewing agent (it can lower a verdict, never raise one)");
            for remark in case.remarks.iter().take(LIST) {
                let at = remark.at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
                self.paragraph(2, &format!("{at}{}", remark.text), None);
            }
        }
    }

    fn patch(&mut self, patch: &PatchView) {
        self.out.push('\n');
        let entries: Vec<String> = (patch.files.iter())
            .map(|file| {
                let lines = match (file.added, file.removed) {
                    (Some(added), Some(removed)) => format!("+{added} −{removed}"),
                    _ => "binary".to_owned(),
                };
                {
                    let role = if file.role.is_empty() { String::new() } else { format!("{}, ", file.role) };
                    format!("{} ({role}{lines})", file.path)
                }
            })
            .collect();
        self.list("changed", entries.into_iter());
    }

    fn facts(&mut self, verdict: &Verdict, case: Option<&Case>) {
        if !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
        self.list("tests", verdict.tests.iter().map(ToString::to_string));
        let sealed: Vec<String> =
            (verdict.sealed.iter())
                .map(|file| {
                    if file.inline {
                        format!("{} (its test items)", file.path)
                    } else {
                        file.path.to_string()
                    }
                })
                .collect();
        self.list("sealed", sealed.into_iter());
        self.field("runner", &verdict.languages.join(", "));
        self.field("sandbox", &wording::sandbox(&verdict.sandbox));
        if let Some(case) = case {
            self.field("agents", &case.agents.join("; "));
            if let Some(cost) = &case.cost {
                self.field("cost", &wording::cost(cost));
            }
        }
        self.field("took", &wording::timing(verdict));
    }
}

/// Breaks a line between words so that each part fits; a longer word is broken where it must be.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            if line.width() + c.width().unwrap_or(0) > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// As much of a line as fits.
fn fit(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in line.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(c);
    }
    out + "…"
}

#[cfg(test)]
mod tests;
