//! Fills the parts of a page, within its room.

use std::collections::BTreeSet;

use super::{
    AttemptPart, Block, CasePart, GatePart, Item, Link, List, Passed, PatchPart, RemarkPart, Room,
    SkippedPart, VerdictPart, in_table, only_hex, reason, skipped, test_sentence,
};
use crate::gate::verdict::{Check, Evidence, GateReport, Outcome, Verdict};
use crate::report::visible::{cut, cut_lines, sentence, side_by_side};
use crate::report::wording::{self, Part};
use crate::report::{Case, PatchView, Report};

/// Builds the parts, and remembers what did not fit.
pub(super) struct Builder {
    pub(super) room: Room,
    pub(super) left_out: BTreeSet<Part>,
}

impl Builder {
    fn text(&mut self, text: &str, chars: usize) -> String {
        let short = cut(text, chars);
        if short != text {
            self.left_out.insert(Part::Prose);
        }
        short
    }

    fn sentence(&mut self, text: &str) -> String {
        let chars = self.room.sentence;
        let short = sentence(text, chars);
        if short.ends_with('…') && short.chars().count() == chars {
            self.left_out.insert(Part::Prose);
        }
        short
    }

    fn prose(&mut self, text: &str) -> String {
        let lines = cut_lines(text, self.room.prose / 20 + 1, self.room.prose);
        self.text(&lines, self.room.prose)
    }

    fn block(
        &mut self,
        title: impl Into<String>,
        language: &'static str,
        text: &str,
        lines: usize,
        part: Part,
    ) -> Option<Block> {
        if text.trim().is_empty() {
            return None;
        }
        if lines == 0 {
            self.left_out.insert(part);
            return None;
        }
        let short = cut_lines(text, lines, self.room.width);
        if short != text.trim_end() && short.lines().count() < text.trim_end().lines().count() {
            self.left_out.insert(part);
        }
        Some(Block { title: title.into(), language, text: short })
    }

    fn list(&mut self, entries: impl ExactSizeIterator<Item = String>) -> List {
        let total = entries.len();
        let shown: Vec<String> =
            entries.take(self.room.list).map(|entry| sentence(&entry, self.room.sentence)).collect();
        let more = total - shown.len();
        if more > 0 {
            self.left_out.insert(Part::Lists);
        }
        List { shown, total, more }
    }

    fn link(&self, place: &crate::report::Location, report: &Report) -> Link {
        let base = report.verdict.as_ref().map(|verdict| verdict.base);
        let url =
            report.repository.as_ref().zip(base).map(|(repository, base)| repository.lines_url(base, place));
        Link { text: cut(&place.to_string(), self.room.sentence), url: url.filter(|url| url.len() <= 1000) }
    }

    pub(super) fn case(&mut self, case: &Case, report: &Report) -> CasePart {
        let number = case.number.map(|number| format!("issue {number}: ")).unwrap_or_default();
        if case.locations.len() > self.room.list
            || case.remarks.len() > self.room.list
            || case.refused_attempts.len() > self.room.list
        {
            self.left_out.insert(Part::Lists);
        }
        CasePart {
            title: self.sentence(&format!("{number}{}", case.title)),
            explanation: self.prose(report.explanation()),
            root_cause: case.root_cause.as_ref().map(|text| self.prose(text)),
            locations: case
                .locations
                .iter()
                .take(self.room.list)
                .map(|place| self.link(place, report))
                .collect(),
            attempts: (case.refused_attempts.iter().take(self.room.list))
                .map(|attempt| AttemptPart {
                    who: format!("{}, attempt {}", sentence(&attempt.role, 100), attempt.number),
                    question: attempt.gate.map(Check::question),
                    reason: self.sentence(&attempt.reason),
                })
                .collect(),
            remarks: (case.remarks.iter().take(self.room.list))
                .map(|remark| RemarkPart {
                    // Remarks are on the changed tree, which has no address before it is pushed.
                    at: remark
                        .at
                        .as_ref()
                        .map(|at| Link { text: cut(&at.to_string(), self.room.sentence), url: None }),
                    text: self.prose(&remark.text),
                })
                .collect(),
            agents: case.agents.iter().take(self.room.list).map(|agent| sentence(agent, 100)).collect(),
            cost: case.cost.as_ref().map(wording::cost),
        }
    }

    pub(super) fn verdict(&mut self, verdict: &Verdict) -> VerdictPart {
        let gates: Vec<_> = in_table(verdict).map(|gate| self.gate(gate)).collect();
        let skipped = skipped(verdict)
            .into_iter()
            .map(|(reason, checks)| SkippedPart {
                questions: checks.iter().map(|check| (check.to_string(), check.question())).collect(),
                reason: self.sentence(&wording::capital(reason)),
            })
            .collect();
        let sealed = verdict.sealed.iter().map(|file| {
            if file.inline { format!("{} (its test items)", file.path) } else { file.path.to_string() }
        });
        VerdictPart {
            advice: wording::advice(verdict.verdict),
            summary: self.sentence(&wording::sentence(&verdict.summary)),
            base: verdict.base.short(),
            head: verdict.head.short(),
            languages: self.sentence(&verdict.languages.join(", ")),
            timing: wording::timing(verdict),
            sandbox: self.sentence(&wording::sandbox(&verdict.sandbox)),
            sandbox_lacks: verdict.sandbox.missing.is_some()
                || matches!(verdict.sandbox.kind.as_str(), "" | "none"),
            gates,
            skipped,
            tests: self.list(verdict.tests.iter().map(ToString::to_string)),
            sealed: self.list(sealed.collect::<Vec<_>>().into_iter()),
            digest: only_hex(&verdict.sealed_digest).chars().take(16).collect(),
        }
    }

    fn gate(&mut self, gate: &GateReport) -> GatePart {
        let decisive = matches!(gate.outcome, Outcome::Fail | Outcome::Human | Outcome::Inconclusive);
        // The red output shows what the bug looks like, so it stays longer than other good news.
        let wanted = decisive || gate.id == Check::K1 || self.room.passed == Passed::Shown;
        let shown = if wanted { gate.evidence.len().min(self.room.evidence) } else { 0 };
        let more = gate.evidence.len() - shown;
        if more > 0 {
            self.left_out.insert(if decisive { Part::Evidence } else { Part::PassedEvidence });
        }
        GatePart {
            id: gate.id.to_string(),
            name: gate.id.name(),
            question: gate.id.question(),
            mark: wording::mark(gate.outcome),
            outcome: gate.outcome,
            answer: wording::answer_of(gate),
            reason: self.sentence(&reason(gate)),
            decisive,
            evidence: gate.evidence.iter().take(shown).map(|evidence| self.item(evidence)).collect(),
            more,
            runs: gate.runs,
        }
    }

    fn item(&mut self, evidence: &Evidence) -> Item {
        let lines = self.room.output;
        match evidence {
            Evidence::Note { text } => {
                Item { subject: None, joint: "", text: self.sentence(text), block: None }
            }
            Evidence::Path { path, what } => Item {
                subject: Some(self.sentence(path.as_str())),
                joint: ": ",
                text: self.sentence(what),
                block: None,
            },
            Evidence::Test { id, excerpt, .. } => {
                let text = test_sentence(evidence).unwrap_or_default();
                let excerpt = excerpt.as_deref().unwrap_or_default();
                Item {
                    subject: Some(self.sentence(id.as_str())),
                    joint: " ",
                    text: self.sentence(&text),
                    block: self.block("", "text", excerpt, lines, Part::Output),
                }
            }
            Evidence::Log { tree, command, tail } => Item {
                subject: Some(self.sentence(command)),
                joint: " ",
                text: self.sentence(&format!("on {tree}; the end of what it printed:")),
                block: self.block("", "text", tail, lines, Part::Output),
            },
            Evidence::Mutant { path, line, operator, before, after } => Item {
                subject: Some(self.sentence(&format!("{path}:{line}"))),
                joint: ": ",
                text: self.sentence(&wording::mutant(operator, before, after)),
                block: None,
            },
            Evidence::Patch { text } => Item {
                subject: None,
                joint: "",
                text: "The lines in question:".to_owned(),
                block: self.block("", "diff", text, lines, Part::Output),
            },
            Evidence::Clone { test, production, percent } => {
                let columns = side_by_side(&test.text, &production.text, 60);
                Item {
                    subject: None,
                    joint: "",
                    text: self.sentence(&wording::clone_pair(test, production, *percent)),
                    block: self.block("", "text", &columns, lines, Part::Output),
                }
            }
        }
    }

    pub(super) fn patch(&mut self, patch: &PatchView) -> PatchPart {
        let sum = |of: fn(&crate::report::ChangedFile) -> Option<usize>| {
            patch.files.iter().filter_map(of).sum::<usize>()
        };
        let size = format!(
            "{}, {} added, {} removed",
            wording::count(patch.files.len(), "file", "files"),
            wording::count(sum(|file| file.added), "line", "lines"),
            sum(|file| file.removed)
        );
        let files = patch.files.iter().map(|file| {
            let lines = match (file.added, file.removed) {
                (Some(added), Some(removed)) => format!("+{added} −{removed}"),
                _ => "binary".to_owned(),
            };
            {
                let role = if file.role.is_empty() { String::new() } else { format!("{}, ", file.role) };
                format!("{} ({role}{lines})", file.path)
            }
        });
        PatchPart {
            size,
            files: self.list(files.collect::<Vec<_>>().into_iter()),
            diff: self.block("", "diff", &patch.diff, self.room.diff, Part::Diff),
        }
    }

    pub(super) fn sources(&mut self, report: &Report) -> Vec<Block> {
        let room = self.room;
        if report.sealed_sources.len() > room.list {
            self.left_out.insert(Part::Lists);
        }
        (report.sealed_sources.iter().take(room.list))
            .filter_map(|source| {
                let language = fence_language(source.path.extension());
                self.block(
                    cut(source.path.as_str(), room.sentence),
                    language,
                    &source.text,
                    room.source,
                    Part::Sources,
                )
            })
            .collect()
    }
}

fn fence_language(extension: Option<&str>) -> &'static str {
    match extension {
        Some("py") => "python",
        Some("js" | "mjs" | "cjs" | "jsx") => "javascript",
        Some("ts" | "mts" | "cts" | "tsx") => "typescript",
        Some("rs") => "rust",
        Some("go") => "go",
        _ => "text",
    }
}
