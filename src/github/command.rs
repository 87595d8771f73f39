//! Slash commands in comments: `/failfirst fix` at the start of a line.
//!
//! A command counts only where a reader of the rendered comment sees it as plain text: not in code,
//! not in a quotation of somebody else's comment, not in an HTML comment.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};

/// What a comment asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Find the cause and write a failing test.
    Analyse,
    /// The same: a failing test is what an analysis rests on.
    Test,
    /// The whole way to a proven fix.
    Fix,
    /// Judge a pull request.
    Verify,
    /// Work on the issue once more.
    Retry,
    /// End what is under way.
    Stop,
}

impl Verb {
    /// All verbs, as they are written.
    pub const ALL: [(&'static str, Self); 6] = [
        ("analyse", Self::Analyse),
        ("test", Self::Test),
        ("fix", Self::Fix),
        ("verify", Self::Verify),
        ("retry", Self::Retry),
        ("stop", Self::Stop),
    ];
}

/// A command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// What is asked for.
    pub verb: Verb,
    /// The start of a commit's name, to which an approval is bound.
    pub commit: Option<String>,
}

/// Why a comment holds no command that can be followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoCommand {
    /// It does not speak to failfirst.
    None,
    /// The word after `/failfirst` is unknown, or what follows it is.
    Unknown,
    /// It holds commands that differ.
    Several,
}

/// The command in a comment.
///
/// # Errors
/// [`NoCommand`].
pub fn parse(body: &str) -> Result<Command, NoCommand> {
    let hidden = hidden(body);
    let mut found: Option<Command> = None;
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some(rest) = line.strip_prefix("/failfirst") else { continue };
        if hidden.iter().any(|range| range.contains(&start)) {
            continue;
        }
        // `/failfirsts` and `/failfirst/x` speak to somebody else.
        if rest.chars().next().is_some_and(|c| !c.is_whitespace()) {
            continue;
        }
        let command = command(rest).ok_or(NoCommand::Unknown)?;
        if found.as_ref().is_some_and(|known| *known != command) {
            return Err(NoCommand::Several);
        }
        found = Some(command);
    }
    found.ok_or(NoCommand::None)
}

fn command(rest: &str) -> Option<Command> {
    let mut words = rest.split_whitespace();
    let word = words.next()?;
    let verb = Verb::ALL.iter().find(|(name, _)| *name == word)?.1;
    let commit = match words.next() {
        None => None,
        Some(text) => {
            let hex = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            if !hex || !(7..=40).contains(&text.len()) || verb != Verb::Verify {
                return None;
            }
            Some(text.to_owned())
        }
    };
    words.next().is_none().then_some(Command { verb, commit })
}

/// Where a line is not plain text.
fn hidden(body: &str) -> Vec<Range<usize>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_GFM | Options::ENABLE_FOOTNOTES;
    Parser::new_ext(body, options)
        .into_offset_iter()
        .filter_map(|(event, range)| match event {
            Event::Start(
                Tag::CodeBlock(_)
                | Tag::BlockQuote(_)
                | Tag::HtmlBlock
                | Tag::Link { .. }
                | Tag::Image { .. },
            )
            | Event::Code(_)
            | Event::Html(_)
            | Event::InlineHtml(_) => Some(range),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verb(body: &str) -> Result<Verb, NoCommand> {
        parse(body).map(|command| command.verb)
    }

    #[test]
    fn a_command_stands_at_the_start_of_a_line() {
        assert_eq!(verb("/failfirst fix"), Ok(Verb::Fix));
        assert_eq!(verb("Please:\n\n/failfirst analyse \r\nthanks"), Ok(Verb::Analyse));
        assert_eq!(verb("/failfirst retry\n/failfirst retry"), Ok(Verb::Retry));
        for body in [
            "please /failfirst fix",
            " /failfirst fix",
            "/failfirsts fix",
            "/Failfirst fix",
            "",
            "- /failfirst fix",
        ] {
            assert_eq!(verb(body), Err(NoCommand::None), "{body:?}");
        }
    }

    #[test]
    fn quoted_fenced_and_hidden_commands_do_not_count() {
        for body in [
            "> /failfirst fix",
            "> quoted\n/failfirst fix",
            "```\n/failfirst fix\n```",
            "~~~~\n/failfirst fix",
            "<!--\n/failfirst fix\n-->",
            "text `a\n/failfirst fix\nb` text",
            "<pre>\n/failfirst fix\n</pre>",
            "![a\n/failfirst fix\n](http://x.example)",
        ] {
            assert_eq!(verb(body), Err(NoCommand::None), "{body:?}");
        }
        assert_eq!(verb("> quoted\n\n/failfirst fix"), Ok(Verb::Fix));
    }

    #[test]
    fn what_cannot_be_followed_is_told_apart_from_silence() {
        for body in [
            "/failfirst",
            "/failfirst deploy",
            "/failfirst fix now",
            "/failfirst fix $(id)",
            "/failfirst verify main",
        ] {
            assert_eq!(verb(body), Err(NoCommand::Unknown), "{body:?}");
        }
        assert_eq!(verb("/failfirst fix\n/failfirst stop"), Err(NoCommand::Several));
    }

    #[test]
    fn an_approval_names_its_commit() {
        let command = parse("/failfirst verify 1a2b3c4d5e").unwrap();
        assert_eq!(command.commit.as_deref(), Some("1a2b3c4d5e"));
        assert_eq!(parse("/failfirst verify 1a2b3c"), Err(NoCommand::Unknown));
    }
}
