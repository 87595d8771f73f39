//! Markdown: the text of a review, a comment, a pull request's body or a step summary.
//!
//! The text keeps within GitHub's limits by showing less and less, least important first, and says so.

use std::fmt;

use super::page::{Passed, Room, only_hex, page};
use super::{Report, templates, wording};

/// The most that GitHub takes, with a margin: characters.
pub const MAX_CHARS: usize = 65_000;
/// The most that GitHub takes, with a margin: bytes.
pub const MAX_BYTES: usize = 240_000;

/// What a hidden marker starts with.
const MARKER: &str = "<!-- failfirst v1 ";

/// What ever less room shows.
const ROOMS: [Room; 7] = [
    room(400, 200, Passed::Shown, [60, 400, 20, 50], [6000, 600]),
    room(120, 200, Passed::Shown, [40, 300, 12, 50], [4000, 600]),
    room(0, 120, Passed::LeftOut, [40, 300, 12, 50], [4000, 600]),
    room(0, 60, Passed::LeftOut, [20, 200, 8, 30], [2000, 400]),
    room(0, 0, Passed::LeftOut, [10, 160, 4, 15], [1000, 300]),
    room(0, 0, Passed::LeftOut, [4, 120, 2, 6], [400, 200]),
    room(0, 0, Passed::LeftOut, [0, 0, 0, 2], [120, 120]),
];

const fn room(diff: usize, source: usize, passed: Passed, some: [usize; 4], text: [usize; 2]) -> Room {
    let [output, width, evidence, list] = some;
    let [prose, sentence] = text;
    Room { diff, source, passed, output, width, evidence, list, prose, sentence }
}

/// What a text is, so that it can be found again and replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marker {
    /// The kind of text (`verdict`, `analysis`, `summary`).
    pub kind: String,
    /// The case (`owner/repo/12`), or what else the text belongs to.
    pub case: String,
}

impl fmt::Display for Marker {
    /// The marker as an HTML comment. Characters that could end the comment or part its fields are
    /// left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARKER}case={} kind={} -->", plain(&self.case), plain(&self.kind))
    }
}

impl Marker {
    /// The marker of a text that failfirst wrote: only the last line counts, where quoted text never
    /// stands. Whoever uses it must also check who wrote the text.
    pub fn find(text: &str) -> Option<Self> {
        let line = text.trim_end().lines().next_back()?;
        let fields = line.strip_prefix(MARKER)?.strip_suffix("-->")?;
        let field = |name: &str| {
            fields.split_whitespace().find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self { kind: field("kind")?.to_owned(), case: field("case")?.to_owned() })
    }
}

/// The text, marked as a verdict on its base and head.
pub fn render(report: &Report) -> String {
    let case = match (&report.case, &report.verdict) {
        (Some(super::Case { number: Some(number), .. }), _) => format!("issue-{number}"),
        (_, Some(verdict)) => format!("{}..{}", verdict.base, verdict.head),
        _ => "local".to_owned(),
    };
    render_marked(report, &Marker { kind: "verdict".to_owned(), case })
}

/// The text with the given marker at its end.
pub fn render_marked(report: &Report, marker: &Marker) -> String {
    render_framed(report, "", marker, 0)
}

/// The text with `tail`, Markdown of ours, below it and the marker at the end. It keeps within the
/// limits less `reserved` characters.
pub fn render_framed(report: &Report, tail: &str, marker: &Marker, reserved: usize) -> String {
    let end = match &report.verdict {
        Some(verdict) => {
            let marker = marker.to_string();
            let fields = marker.trim_end_matches("-->");
            format!(
                "{fields}verdict={} base={} head={} sealed={} -->\n",
                verdict.verdict,
                verdict.base,
                verdict.head,
                only_hex(&verdict.sealed_digest)
            )
        }
        None => format!("{marker}\n"),
    };
    for room in ROOMS {
        let text = tidy(&templates::markdown(page(report, room)));
        let gap = if tail.is_empty() { "" } else { "\n" };
        let text = format!("{text}{gap}{tail}\n{end}");
        if text.len() + reserved <= MAX_BYTES && text.chars().count() + reserved <= MAX_CHARS {
            return text;
        }
    }
    // Not reached with the texts of today; a report must never be refused for its length.
    format!("### {}\n\nThe rest does not fit here.\n\n{end}", wording::headline(report))
}

/// True when GitHub takes the text.
pub fn fits(text: &str) -> bool {
    text.len() <= MAX_BYTES && text.chars().count() <= MAX_CHARS
}

/// One empty line at most between paragraphs; lines inside fences stay as they are.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    let mut empty = 1;
    for line in text.trim_end().lines() {
        let run = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if run.len() >= open.len() && run.len() == line.len() => fence = None,
            None if run.len() >= 3 => fence = Some(run),
            _ => {}
        }
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty < 2 || fence.is_some() {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn plain(text: &str) -> String {
    let text: String =
        text.chars().filter(|c| c.is_ascii_alphanumeric() || "._/#:-".contains(*c)).take(200).collect();
    text.replace("--", "-")
}

#[cfg(test)]
mod tests;
