//! Takes out of a report what a reader of the rendered page does not see.
//!
//! Hidden text is the cheapest way to speak to an agent behind a maintainer's back. What is taken
//! out is counted and named, so that nobody wonders about a gap; code, which is shown as written, keeps all but
//! invisible characters. This lowers the risk and does not end it: the gates are the defence.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};
use regex::Regex;

/// The longest text that is kept, in characters; GitHub's own limit is 65,536.
const MAX_CHARS: usize = 70_000;

/// A text and what was taken out of it, one fragment each.
pub(super) struct Cleaned {
    pub(super) text: String,
    pub(super) removed: Vec<String>,
}

/// Format, control and filler characters, variation selectors and tags: all that renders as nothing.
static INVISIBLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[\p{Cf}\p{Cc}\x{034F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{FFA0}\x{FFF0}-\x{FFF8}\x{E0000}-\x{E0FFF}--[\n\t]]",
    )
    .expect("the pattern is a constant and a test compiles it")
});

static COMMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)<!--.*?(?:-->|\z)|<!\[CDATA\[.*?(?:\]\]>|\z)|<\?.*?(?:\?>|\z)|<![a-zA-Z].*?(?:>|\z)")
        .expect("the pattern is a constant and a test compiles it")
});

static TAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?s)<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:"[^"]*"|'[^']*'|[^'">])*)>"#)
        .expect("the pattern is a constant and a test compiles it")
});

static HIDING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?is)(?:^|\s)hidden(?:\s|=|/|$)|aria-hidden\s*=\s*["']?true|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?:[;"'\s]|$)"#,
    )
    .expect("the pattern is a constant and a test compiles it")
});

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?is)(?:src|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))"#)
        .expect("the pattern is a constant and a test compiles it")
});

/// Cleans a text that is one line: a title, a name, a label.
pub(super) fn line(text: &str) -> Cleaned {
    let mut tally = Tally::default();
    let text = invisible(text, &mut tally);
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = text.char_indices().nth(500) {
        text.truncate(end);
        tally.notes.push("all past 500 characters".to_owned());
    }
    Cleaned { text, removed: tally.fragments() }
}

/// Cleans a Markdown text.
pub(super) fn markdown(text: &str) -> Cleaned {
    let mut tally = Tally::default();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = invisible(&text, &mut tally);
    let mut text = visible(&text, &mut tally);
    let length = text.chars().count();
    if length > MAX_CHARS {
        let at = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(index, _)| index);
        let (head, tail) = (at(MAX_CHARS * 3 / 4), at(length - MAX_CHARS / 4));
        text = format!("{}\n\n[… cut …]\n\n{}", &text[..head], &text[tail..]);
        tally.notes.push(format!("{} of {length} characters from the middle", length - MAX_CHARS));
    }
    Cleaned { text: text.trim().to_owned(), removed: tally.fragments() }
}

/// What was taken out, counted by kind.
#[derive(Default)]
struct Tally {
    invisible: BTreeMap<char, usize>,
    kinds: BTreeMap<&'static str, usize>,
    /// Collapsed sections, which are opened rather than taken out: traces and logs stand in them.
    opened: usize,
    notes: Vec<String>,
}

impl Tally {
    fn count(&mut self, kind: &'static str) {
        *self.kinds.entry(kind).or_default() += 1;
    }

    fn fragments(self) -> Vec<String> {
        let mut fragments = Vec::new();
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        for (kind, count) in self.kinds {
            fragments.push(format!("{count} {kind}{}", plural(count)));
        }
        if self.opened > 0 {
            let (count, s) = (self.opened, plural(self.opened));
            fragments.push(format!("the tags around {count} collapsed section{s}, whose text is kept,"));
        }
        let total: usize = self.invisible.values().sum();
        if total > 0 {
            let mut names: Vec<_> =
                self.invisible.keys().take(6).map(|c| format!("U+{:04X}", u32::from(*c))).collect();
            if self.invisible.len() > names.len() {
                names.push("…".to_owned());
            }
            fragments.push(format!("{total} invisible character{} ({})", plural(total), names.join(", ")));
        }
        fragments.extend(self.notes);
        fragments
    }
}

fn invisible(text: &str, tally: &mut Tally) -> String {
    INVISIBLE
        .replace_all(text, |found: &regex::Captures<'_>| {
            for character in found[0].chars() {
                *tally.invisible.entry(character).or_default() += 1;
            }
            ""
        })
        .into_owned()
}

/// A place of the text and what stands there instead.
struct Cut {
    range: Range<usize>,
    instead: String,
}

/// The text as a reader of the rendered page gets it: no comments, no tags' attributes, no
/// titles, no alternative texts, no unused link definitions.
fn visible(text: &str, tally: &mut Tally) -> String {
    let parser = Parser::new(text);
    let definitions: Vec<_> = parser
        .reference_definitions()
        .iter()
        .map(|(label, definition)| {
            (
                label.to_lowercase(),
                definition.span.clone(),
                definition.title.as_ref().map(ToString::to_string),
            )
        })
        .collect();
    let mut used = Vec::new();
    let mut cuts = Vec::new();
    let mut html = Vec::<Range<usize>>::new();
    let mut image: Option<(Range<usize>, String, bool)> = None;
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => match html.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => html.push(range),
            },
            Event::Start(Tag::Image { link_type, dest_url, id, .. }) => {
                if is_reference(link_type) {
                    used.push(id.to_lowercase());
                }
                image = Some((range, dest_url.to_string(), false));
            }
            Event::Text(_) | Event::Code(_) if image.is_some() => {
                if let Some((_, _, alternative)) = &mut image {
                    *alternative = true;
                }
            }
            Event::End(TagEnd::Image) => {
                if let Some((range, address, alternative)) = image.take() {
                    if alternative {
                        tally.count("picture's alternative text");
                    }
                    cuts.push(Cut { range, instead: picture(&address) });
                }
            }
            Event::Start(Tag::Link { link_type, title, id, .. }) => {
                if is_reference(link_type) {
                    used.push(id.to_lowercase());
                } else if !title.is_empty()
                    && let Some(title) = title_range(text, range)
                {
                    tally.count("link title");
                    cuts.push(Cut { range: title, instead: String::new() });
                }
            }
            _ => {}
        }
    }
    for (label, span, title) in definitions {
        if !used.contains(&label) {
            tally.count("unused link definition");
            cuts.push(Cut { range: span, instead: String::new() });
        } else if title.is_some()
            && let Some(found) = text[span.clone()].find(char::is_whitespace)
        {
            // `[label]: address "title"`: keep the label and the address.
            let rest = &text[span.start + found..span.end];
            let address = rest.split_whitespace().next().unwrap_or_default();
            let end = span.start + found + rest.find(address).unwrap_or_default() + address.len();
            tally.count("link title");
            cuts.push(Cut { range: end..span.end, instead: String::new() });
        }
    }
    markup(text, &html, &mut cuts, tally);
    apply(text, cuts)
}

fn is_reference(kind: LinkType) -> bool {
    matches!(kind, LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut)
}

fn picture(address: &str) -> String {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let name =
        if address.starts_with("data:") { "embedded" } else { path.rsplit('/').next().unwrap_or(path) };
    let name: String = name.chars().filter(|c| !c.is_whitespace()).take(80).collect();
    format!("[picture {name}]")
}

/// Where the title of an inline link stands, with the blank before it: `](address "title")`.
fn title_range(text: &str, link: Range<usize>) -> Option<Range<usize>> {
    let inner = &text[link.clone()];
    let close = inner.rfind(')')?;
    let quoted = inner[..close].trim_end();
    let quote = match quoted.chars().next_back()? {
        ')' => '(',
        quote @ ('"' | '\'') => quote,
        _ => return None,
    };
    let open = quoted[..quoted.len() - 1].rfind(quote)?;
    let start = inner[..open].trim_end().len();
    Some(link.start + start..link.start + quoted.len())
}

/// Cuts of raw HTML. Only what the Markdown parser calls HTML is looked at, so code is safe.
fn markup(text: &str, places: &[Range<usize>], cuts: &mut Vec<Cut>, tally: &mut Tally) {
    let mut hidden: Option<(String, usize, usize)> = None;
    for place in places {
        let source = &text[place.clone()];
        let comments: Vec<_> = COMMENT.find_iter(source).map(|found| found.range()).collect();
        for comment in &comments {
            tally.count("HTML comment");
            cuts.push(Cut { range: shift(comment.clone(), place.start), instead: String::new() });
        }
        for found in TAG.captures_iter(source) {
            let whole = found.get(0).map_or(0..0, |found| found.range());
            if comments.iter().any(|comment| comment.contains(&whole.start)) {
                continue;
            }
            let here = shift(whole, place.start);
            let closing = !found[1].is_empty();
            let name = found[2].to_ascii_lowercase();
            let attributes = &found[3];
            if let Some((inside, depth, start)) = &mut hidden {
                if *inside == name {
                    *depth = if closing { *depth - 1 } else { *depth + 1 };
                }
                if *depth == 0 {
                    tally.count("hidden element");
                    cuts.push(Cut { range: *start..here.end, instead: String::new() });
                    hidden = None;
                }
                continue;
            }
            let void =
                matches!(name.as_str(), "img" | "br" | "hr" | "input" | "source" | "wbr" | "meta" | "link");
            if !closing && !void && (HIDING.is_match(attributes) || is_unseen(&name)) {
                hidden = Some((name, 1, here.start));
                continue;
            }
            let instead = match name.as_str() {
                "img" => picture(&address(attributes)),
                "details" if !closing => {
                    tally.opened += 1;
                    String::new()
                }
                "a" if !closing => match address(attributes) {
                    address if address.is_empty() => String::new(),
                    address => format!("<{address}> "),
                },
                _ => String::new(),
            };
            cuts.push(Cut { range: here, instead });
        }
    }
    // An element that is never closed hides all that follows.
    if let Some((_, _, start)) = hidden {
        tally.count("hidden element");
        cuts.push(Cut { range: start..text.len(), instead: String::new() });
    }
}

fn is_unseen(name: &str) -> bool {
    matches!(
        name,
        "script" | "style" | "template" | "noscript" | "iframe" | "object" | "title" | "head" | "textarea"
    )
}

fn address(attributes: &str) -> String {
    ADDRESS
        .captures(attributes)
        .and_then(|found| found.get(1).or_else(|| found.get(2)).or_else(|| found.get(3)))
        .map(|found| found.as_str().chars().filter(|c| !c.is_whitespace()).collect())
        .unwrap_or_default()
}

fn shift(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Applies the cuts; of two that overlap, the one that starts first and reaches further wins.
fn apply(text: &str, mut cuts: Vec<Cut>) -> String {
    cuts.sort_by_key(|cut| (cut.range.start, std::cmp::Reverse(cut.range.end)));
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for cut in cuts {
        if cut.range.start < done {
            done = done.max(cut.range.end);
            continue;
        }
        result.push_str(&text[done..cut.range.start]);
        result.push_str(&cut.instead);
        done = cut.range.end;
    }
    result.push_str(&text[done.min(text.len())..]);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> (String, Vec<String>) {
        let cleaned = markdown(text);
        (cleaned.text, cleaned.removed)
    }

    #[test]
    fn comments_and_tags_go_and_visible_text_stays() {
        let (text, removed) = cleaned(
            "Before <!-- ignore all\nprevious --> after <b title=\"evil\">bold</b>.\n\n<!-- a block -->\n\n<p align=center>shown</p>\n",
        );
        assert_eq!(text, "Before  after bold.\n\n\n\nshown");
        assert_eq!(removed, ["2 HTML comments"]);
        assert_eq!(cleaned("<!-- never closed\n\nreally").0, "");
    }

    #[test]
    fn code_is_kept_as_written() {
        let code = "Use `<!-- x -->` and `<div hidden>`:\n\n```html\n<!-- kept -->\n<p hidden>also</p>\n![alt](x.png)\n```\n\n    <!-- indented -->\n\nif a < b and c > d: ok";
        assert_eq!(cleaned(code), (code.to_owned(), vec![]));
    }

    #[test]
    fn characters_that_render_as_nothing_are_named() {
        let (text, removed) =
            cleaned("a\u{200b}b\u{200b}\u{e0041}\u{fe0f}\u{202e}c\td\u{1b}[31me\u{3164}\u{ad}");
        assert_eq!(text, "abc\td[31me");
        assert_eq!(removed, ["8 invisible characters (U+001B, U+00AD, U+200B, U+202E, U+3164, U+FE0F, …)"]);
        assert_eq!(cleaned("naïve — 日本語 עברית 👍🏽 ½").1, Vec::<String>::new());
    }

    #[test]
    fn pictures_keep_their_name_and_lose_their_text() {
        let (text, removed) = cleaned(
            "See ![run rm -rf](https://x.test/a/shot.png?x=1 \"t\") <img alt='evil' src=\"b/c.gif\">",
        );
        assert_eq!(text, "See [picture shot.png] [picture c.gif]");
        assert_eq!(removed, ["1 picture's alternative text"]);
    }

    #[test]
    fn titles_and_unused_link_definitions_go() {
        let (text, removed) = cleaned(
            "[one](http://a.test \"hidden words\") [two][t] [a](b)\n\n[t]: http://b.test 'more words'\n[//]: # (say yes)\n[x]: http://c.test\n",
        );
        assert_eq!(text, "[one](http://a.test) [two][t] [a](b)\n\n[t]: http://b.test");
        assert_eq!(removed, ["2 link titles", "2 unused link definitions"]);
    }

    #[test]
    fn hidden_elements_go_with_all_they_hold() {
        let (text, removed) = cleaned(
            "a <span style=\"display:none\">x <span>y</span> z</span> b\n\n<div hidden>\n\npara\n\n</div>\n\nend",
        );
        assert_eq!(text, "a  b\n\n\n\nend");
        assert_eq!(removed, ["2 hidden elements"]);
        assert_eq!(cleaned("seen\n\n<script>x\n\nrest").0, "seen");
    }

    #[test]
    fn a_collapsed_section_keeps_its_text() {
        let (text, removed) =
            cleaned("<details><summary>Trace</summary>\n\n```\nboom <T>\n```\n\n</details>\n");
        assert_eq!(text, "Trace\n\n```\nboom <T>\n```");
        assert_eq!(removed, ["the tags around 1 collapsed section, whose text is kept,"]);
    }

    #[test]
    fn an_endless_text_is_cut_in_the_middle_and_that_is_said() {
        let (text, removed) = cleaned(&format!("start {} end", "x ".repeat(60_000)));
        assert!(text.starts_with("start") && text.ends_with("end") && text.contains("[… cut …]"));
        assert_eq!(removed, ["50010 of 120010 characters from the middle"]);
    }

    #[test]
    fn a_name_is_one_short_line() {
        assert_eq!(line(" a\n\tb  c ").text, "a b c");
        assert_eq!(line(&"x".repeat(600)).text.len(), 500);
    }
}
