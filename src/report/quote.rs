//! Untrusted text as Markdown that renders as exactly that text and does nothing.
//!
//! Escaping alone does not hold on GitHub: mentions, references and links are found in the
//! *rendered* text, so `\@user` still notifies. Text inside code is left alone there. Whatever could
//! become a mention, a reference, a link, an emoji or a formula is therefore shown as code; every other
//! character that means something in Markdown is escaped. No HTML and no invisible character is used.

use super::visible::{cut, visible, visible_line};

/// What stands around the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A paragraph or a list item.
    Line,
    /// A table cell, where `|` ends the cell even inside code.
    Cell,
}

/// The longest line inside a [`block`], in characters.
const BLOCK_LINE: usize = 1000;

/// One line of prose. Parts in backticks stay code; white space becomes single spaces.
pub fn line(text: &str, place: Place) -> String {
    let pieces = pieces(&visible_line(text));
    let mut out = String::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) => out.push_str(&escape(text, out.is_empty())),
            Piece::Code(text) => out.push_str(&code(text, place)),
        }
    }
    out
}

/// Prose of several lines as a block quote.
pub fn quotation(text: &str) -> String {
    let text = visible(text);
    let lines = text.trim().lines().map(|text| format!("> {}", line(text, Place::Line)));
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// One line as a code span.
pub fn code(text: &str, place: Place) -> String {
    let mut text = visible_line(text);
    if text.is_empty() {
        return String::new();
    }
    if place == Place::Cell {
        // A backslash before the pipe would be read as part of the pipe's own escape.
        text = text.replace("\\|", "\\ |").replace('|', "\\|");
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Several lines as a fenced block. `language` is ours, never taken from the text.
pub fn block(text: &str, language: &str) -> String {
    let text = visible(text);
    let lines: Vec<String> = text.trim_end().lines().map(|line| cut(line, BLOCK_LINE)).collect();
    // A text of ours that quotes a marker must not look like the marker to whoever searches for it.
    let text = lines.join("\n").replace("<!-- failfirst", "<!-- (failfirst)");
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

enum Piece {
    Text(String),
    Code(String),
}

/// Splits a line into what is escaped and what is shown as code.
fn pieces(line: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let inner = &rest[start + 1..];
        let Some(end) = inner.find('`') else { break };
        if end == 0 {
            // An empty pair is no code; both backticks are shown.
            words(&rest[..start + 2], &mut out);
        } else {
            words(&rest[..start], &mut out);
            push(&mut out, Piece::Code(inner[..end].to_owned()));
        }
        rest = &inner[end + 1..];
    }
    words(rest, &mut out);
    out
}

fn words(text: &str, out: &mut Vec<Piece>) {
    for word in text.split_inclusive(' ') {
        let (word, space) = word.strip_suffix(' ').map_or((word, ""), |word| (word, " "));
        if acts(word) || looks_like_code(word) {
            let core = word.trim_end_matches(['.', ',', ';', '!', '?', ')', '"', '\'']);
            let core = core.trim_start_matches(['(', '"', '\'']);
            let from = word.find(core).unwrap_or(0);
            push(out, Piece::Text(word[..from].to_owned()));
            push(out, Piece::Code(core.to_owned()));
            push(out, Piece::Text(word[from + core.len()..].to_owned()));
        } else {
            push(out, Piece::Text(word.to_owned()));
        }
        push(out, Piece::Text(space.to_owned()));
    }
}

/// Adds a piece, joined to the one before it where both are of one kind: two code spans that touch
/// would be read as one with a longer fence.
fn push(out: &mut Vec<Piece>, piece: Piece) {
    match (out.last_mut(), piece) {
        (_, Piece::Text(text) | Piece::Code(text)) if text.is_empty() => {}
        (Some(Piece::Text(before)), Piece::Text(text)) | (Some(Piece::Code(before)), Piece::Code(text)) => {
            before.push_str(&text);
        }
        (_, piece) => out.push(piece),
    }
}

/// True for a word that GitHub could turn into something other than text.
fn acts(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word.contains(['@', '#', '$'])
        || lower.contains("://")
        || lower.contains("www.")
        || lower.contains("mailto:")
        || lower.contains("xmpp:")
        || is_shortcode(word)
        || is_ticket(word)
        || is_object_name(word)
}

/// `:tada:` anywhere in the word.
fn is_shortcode(word: &str) -> bool {
    let parts: Vec<&str> = word.split(':').collect();
    parts.len() > 2
        && parts[1..parts.len() - 1].iter().any(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
        })
}

/// `GH-12`, `ABC-7`: references of GitHub and of trackers that a repository links to.
fn is_ticket(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.windows(3).any(|w| w[0].is_ascii_alphanumeric() && w[1] == b'-' && w[2].is_ascii_digit())
}

/// Seven or more hexadecimal digits: may name a commit.
fn is_object_name(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|part| part.len() >= 7 && part.chars().all(|c| c.is_ascii_hexdigit()))
}

/// Names and paths, which read better as code.
fn looks_like_code(word: &str) -> bool {
    word.contains('_')
        || word.contains("::")
        || (word.contains('/') && word.contains('.'))
        || (word.trim_end_matches(['.', ',', ';', ')']).ends_with('(') && word.ends_with(')'))
}

fn escape(text: &str, at_start: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let numbered = digits > 0 && text[digits..].starts_with(['.', ')']);
    let numbered = numbered && text[digits + 1..].chars().next().is_none_or(char::is_whitespace);
    for (at, c) in text.char_indices() {
        let always = matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&');
        // What would open a heading, a list, a quote, a table or a rule there.
        let opens = at_start
            && (at == 0 && c.is_ascii_punctuation() && !matches!(c, '(' | '"' | '\'')
                || numbered && at == digits);
        if always || opens {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use super::*;

    /// What GitHub turns into something else outside code.
    static ACTS: LazyLock<regex::Regex> = LazyLock::new(|| {
        regex::Regex::new(
            r"(?i-u)@[a-z0-9]|#[0-9]|\bgh-[0-9]|://|\bwww\.|\b[0-9a-f]{7,40}\b|\$|:[a-z0-9_+-]+:|[a-z]+-[0-9]",
        )
        .unwrap()
    });

    /// The text and the code of a rendered document; panics at anything else.
    #[derive(Default, Debug)]
    struct Plain {
        /// All text, code included.
        all: String,
        /// The text outside code.
        prose: Vec<String>,
    }

    fn parse(markdown: &str) -> Plain {
        let mut plain = Plain::default();
        let mut in_code = false;
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_GFM
            | Options::ENABLE_MATH
            | Options::ENABLE_HEADING_ATTRIBUTES;
        for event in Parser::new_ext(markdown, options) {
            match event {
                Event::Text(text) => {
                    plain.all.push_str(&text);
                    if !in_code {
                        match plain.prose.last_mut() {
                            Some(last) => last.push_str(&text),
                            None => plain.prose.push(text.to_string()),
                        }
                    }
                }
                Event::Code(text) => {
                    plain.all.push_str(&text);
                    plain.prose.push(String::new());
                }
                Event::SoftBreak => {
                    plain.all.push('\n');
                    plain.prose.push(String::new());
                }
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::End(TagEnd::Paragraph | TagEnd::TableCell) => plain.prose.push(String::new()),
                Event::Start(
                    Tag::Paragraph
                    | Tag::BlockQuote(None)
                    | Tag::Table(_)
                    | Tag::TableHead
                    | Tag::TableRow
                    | Tag::TableCell,
                )
                | Event::End(_) => {}
                other => panic!("{other:?} came out of {markdown:?}"),
            }
        }
        for prose in &plain.prose {
            assert!(!ACTS.is_match(prose), "{prose:?} would act in {markdown:?}");
            assert!(!prose.contains(crate::report::visible::is_hidden), "{prose:?} hides something");
        }
        plain
    }

    fn hostile() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "@user",
            "@org/team",
            "#12",
            "GH-12",
            "owner/repo#1",
            "Fixes",
            "closes:",
            "https://evil.example/x",
            "www.evil.example",
            "a@b.example",
            "![x](http://e/i.png)",
            "[x](y)",
            "<img src=x>",
            "<!-- c -->",
            "-->",
            "</details>",
            "`",
            "``",
            "```",
            "```\n",
            "~~~",
            "\\",
            "\\`",
            "|",
            "\\|",
            "---",
            "===",
            "\n",
            "\n\n",
            "    ",
            "\t",
            "* ",
            "- ",
            "1. ",
            "> ",
            "# ",
            "\u{202e}",
            "\u{200b}",
            "\u{e0041}",
            "\x1b[31m",
            "$x$",
            "$`",
            "`$",
            ":tada:",
            "&#64;user",
            "&lt;",
            "deadbeef1234",
            "[^1]",
            "[ ]",
            "[!NOTE]",
            "_a_",
            "**b**",
            "~~c~~",
            "é",
            "漢字",
            "👩\u{200d}👩",
            "word",
            " ",
            "(",
            ")",
            "\r",
            "\r\n",
            "+",
            "=",
            ":--",
            "{#id}",
            "^x^",
            "[[w]]",
            "ABC-1",
            ":",
            "0",
        ]);
        prop_oneof![
            prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat()),
            any::<String>(),
            "[\\x20-\\x7e\\n]{0,40}",
        ]
    }

    fn shown(text: &str) -> String {
        visible_line(text)
    }

    /// Pairs of backticks become code, so they are not compared.
    fn without_ticks(text: &str) -> String {
        shown(text).replace(['`', ' '], "")
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_quoted_line_renders_as_itself_and_does_nothing(text in hostile()) {
            let plain = parse(&line(&text, Place::Line));
            prop_assert_eq!(without_ticks(&plain.all), without_ticks(&text));
        }

        #[test]
        fn a_quoted_line_stays_in_its_cell(text in hostile()) {
            let markdown = format!("| a | b |\n|---|---|\n| {} | {} |\n", line(&text, Place::Cell), code(&text, Place::Cell));
            let cells = Parser::new_ext(&markdown, Options::ENABLE_TABLES)
                .filter(|event| matches!(event, Event::Start(Tag::TableCell))).count();
            prop_assert_eq!(cells, 4, "{}", markdown);
            let plain = parse(&markdown);
            let expected = format!("ab{}{}", without_ticks(&text), without_ticks(&text));
            prop_assert_eq!(without_ticks(&plain.all), expected);
        }

        #[test]
        fn a_quotation_renders_as_text_only(text in hostile()) {
            let plain = parse(&quotation(&text));
            prop_assert_eq!(without_ticks(&plain.all), without_ticks(&text));
        }

        #[test]
        fn a_code_span_holds_all_of_its_text(text in hostile()) {
            let plain = parse(&code(&text, Place::Line));
            prop_assert_eq!(plain.prose.concat(), "");
            prop_assert_eq!(plain.all, shown(&text));
        }

        #[test]
        fn a_block_holds_all_of_its_text(text in hostile()) {
            let plain = parse(&format!("before\n\n{}\n\nafter", block(&text, "text")));
            let inside = plain.all.strip_prefix("before").unwrap().strip_suffix("after").unwrap();
            let expected = visible(&text).trim_end().replace("\r", "");
            prop_assert_eq!(inside.trim_end(), expected);
        }
    }

    #[test]
    fn prose_stays_pleasant_to_read() {
        let text = "`tests/test_cart.py::test_total` fails: AssertionError: 200 != 180 (see #12, cc @bob). Fixes GH-7!";
        insta::assert_snapshot!(line(text, Place::Line), @"`tests/test_cart.py::test_total` fails: AssertionError: 200 != 180 (see `#12`, cc `@bob`). Fixes `GH-7`!");
    }

    #[test]
    fn a_fence_outgrows_every_run_of_backticks_inside() {
        assert_eq!(block("````\nx", "text"), "`````text\n````\nx\n`````");
        assert_eq!(code("a``b", Place::Line), "```a``b```");
        assert_eq!(code("`x`", Place::Line), "`` `x` ``");
    }

    #[test]
    fn a_quoted_marker_is_no_marker() {
        assert!(!block("<!-- failfirst v1 case=1 -->", "text").contains("<!-- failfirst v1"));
    }
}
