//! Twins: a test with one expectation made wrong.
//!
//! Each language says which syntax is an assertion and how what it expects is perturbed; finding the
//! assertions of a test and writing the twins is common to all.

use tree_sitter::Node;

use super::grammar::{Grammar, ancestors, descendants, function};

/// A test file with a wrong expectation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Twin {
    /// The whole file.
    pub content: String,
    /// What was altered: `line 12: 6 became 1000009`.
    pub what: String,
    /// How it must fail to have noticed.
    pub red: TwinRed,
}

/// How a twin must fail to have noticed the wrong expectation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TwinRed {
    /// By an assertion.
    Assertion,
    /// In any way: it expects another exception than the one that is raised, which then ends the test.
    AnyFailure,
}

/// What can be altered in a test.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Twins {
    /// The assertion at the line, each with another of its sides made wrong. All must be noticed.
    pub at: Vec<Twin>,
    /// The file with a failure (whose message holds the nonce) in place of that assertion: whether it
    /// runs at all.
    pub trip: Option<Twin>,
    /// All assertions behind the line in the same test, made wrong together.
    pub after: Option<Twin>,
}

/// One replacement of text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) text: String,
}

impl Change {
    pub(super) fn of(node: Node<'_>, text: impl Into<String>) -> Self {
        Self { from: node.start_byte(), to: node.end_byte(), text: text.into() }
    }

    pub(super) fn before(node: Node<'_>, text: impl Into<String>) -> Self {
        Self { from: node.start_byte(), to: node.start_byte(), text: text.into() }
    }

    pub(super) fn behind(node: Node<'_>, text: impl Into<String>) -> Self {
        Self { from: node.end_byte(), to: node.end_byte(), text: text.into() }
    }
}

/// A way to make an assertion wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Variant {
    pub(super) changes: Vec<Change>,
    pub(super) red: TwinRed,
}

impl Variant {
    /// That an assertion must notice.
    pub(super) fn asserting(changes: Vec<Change>) -> Self {
        Self { changes, red: TwinRed::Assertion }
    }
}

/// What a language knows about assertions.
pub(super) trait Assertions {
    /// The ways to make the assertion that a node is wrong; empty where it is none, or none is known.
    /// `nonce` makes values that nothing else has.
    fn variants(&self, node: Node<'_>, source: &str, nonce: &str) -> Vec<Variant>;

    /// A failure in place of the assertion, with the nonce in its message.
    fn trip(&self, node: Node<'_>, source: &str, nonce: &str) -> Option<Change>;

    /// True for the function of a test.
    fn is_test(&self, function: Node<'_>, source: &str) -> bool;
}

/// The twins of a test for an assertion at or behind a line, which is counted from 1.
pub(super) fn twins(
    grammar: Grammar,
    assertions: &dyn Assertions,
    source: &str,
    line: u32,
    nonce: &str,
) -> Option<Twins> {
    let tree = grammar.parse(source).filter(|tree| !tree.root_node().has_error())?;
    let row = usize::try_from(line).ok()?.checked_sub(1)?;
    let found: Vec<(Node<'_>, Vec<Variant>)> = descendants(tree.root_node())
        .map(|node| (node, assertions.variants(node, source, nonce)))
        .filter(|(_, variants)| !variants.is_empty())
        .collect();
    let spans = |node: Node<'_>| node.start_position().row <= row && row <= node.end_position().row;
    // The innermost that spans the line.
    let at = found
        .iter()
        .filter(|(node, _)| spans(*node))
        .min_by_key(|(node, _)| node.end_byte() - node.start_byte());
    let twin = |changes: &[Change], red| {
        let content = apply(source, changes)?;
        // Text that does not parse would fail for that reason alone.
        let whole = grammar.parse(&content).is_some_and(|tree| !tree.root_node().has_error());
        whole.then(|| Twin { what: describe(source, changes), content, red })
    };
    let mut twins = Twins::default();
    if let Some((node, variants)) = at {
        twins.at = variants.iter().filter_map(|variant| twin(&variant.changes, variant.red)).collect();
        twins.trip =
            assertions.trip(*node, source, nonce).and_then(|change| twin(&[change], TwinRed::AnyFailure));
    }
    let place = descendants(tree.root_node())
        .filter(|node| node.start_position().row == row)
        .find(|node| node.is_named() && node.parent().is_some());
    let test = place.and_then(|place| {
        let functions: Vec<_> = std::iter::once(place)
            .chain(ancestors(place))
            .filter(|above| function(*above, source).is_some())
            .collect();
        let own = functions.iter().find(|function| assertions.is_test(**function, source));
        own.or(functions.last()).copied()
    });
    if let Some(test) = test {
        let behind = found.iter().filter(|(node, _)| {
            node.start_position().row > row
                && test.start_byte() <= node.start_byte()
                && node.end_byte() <= test.end_byte()
        });
        let mut changes: Vec<Change> = Vec::new();
        let mut red = TwinRed::Assertion;
        for (_, variants) in behind {
            let variant = &variants[0];
            let overlaps = variant
                .changes
                .iter()
                .any(|new| changes.iter().any(|old| new.from < old.to && old.from < new.to));
            if !overlaps {
                red = red.max(variant.red);
                changes.extend(variant.changes.iter().cloned());
            }
        }
        if !changes.is_empty() {
            twins.after = twin(&changes, red);
        }
    }
    Some(twins)
}

fn apply(source: &str, changes: &[Change]) -> Option<String> {
    let mut ordered: Vec<_> = changes.iter().collect();
    ordered.sort_by_key(|change| (change.from, change.to));
    let mut out = String::with_capacity(source.len() + 64);
    let mut from = 0;
    for change in ordered {
        out.push_str(source.get(from..change.from)?);
        out.push_str(&change.text);
        // The lines behind keep their numbers.
        let lost = source.get(change.from..change.to)?.matches('\n').count();
        let kept = change.text.matches('\n').count();
        if lost > kept && change.text.ends_with([')', ']', '}']) {
            let mut text = out.pop().map(String::from).unwrap_or_default();
            text.insert_str(0, &"\n".repeat(lost - kept));
            out.push_str(&text);
        }
        from = change.to;
    }
    out.push_str(source.get(from..)?);
    Some(out)
}

fn describe(source: &str, changes: &[Change]) -> String {
    let one = |change: &Change| {
        let line = source[..change.from].matches('\n').count() + 1;
        let old = source[change.from..change.to].split_whitespace().collect::<Vec<_>>().join(" ");
        let short = |text: &str| text.chars().take(80).collect::<String>();
        if old.is_empty() {
            format!("line {line}: {} was put in", short(change.text.trim()))
        } else {
            format!("line {line}: {} became {}", short(&old), short(&change.text))
        }
    };
    let shown: Vec<_> = changes.iter().take(3).map(one).collect();
    let more = if changes.len() > 3 { format!(", and {} more", changes.len() - 3) } else { String::new() };
    format!("{}{more}", shown.join("; "))
}

/// A number that is not this one, also where numbers are coarse: `1e20 + 1` is `1e20`. For languages
/// without limits to numbers.
pub(super) fn other_number(text: &str) -> String {
    format!("(-({text}) - 1000003)")
}

/// A whole number that is not this one and that fits wherever this one fits; `None` for numbers that a
/// float could not tell from their neighbour.
pub(super) fn other_integer(text: &str) -> Option<String> {
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '_').collect();
    let number: u128 = digits.replace('_', "").parse().ok()?;
    let plain = !text.starts_with("0x") && !text.starts_with("0b") && !text.starts_with("0o");
    (plain && number < 1 << 23).then(|| format!("{}{}", number ^ 1, &text[digits.len()..]))
}

/// A string literal with a text put in before its closing quotes.
pub(super) fn longer_string(text: &str, nonce: &str) -> Option<String> {
    let hashes = text.len() - text.trim_end_matches('#').len();
    let body = &text[..text.len() - hashes];
    let fence = ["\"\"\"", "'''", "\"", "'", "`"].into_iter().find(|fence| body.ends_with(fence))?;
    let cut = body.len() - fence.len();
    Some(format!("{}{nonce}{}", &text[..cut], &text[cut..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_become_others_of_their_kind() {
        assert_eq!(other_integer("6").as_deref(), Some("7"));
        assert_eq!(other_integer("255u8").as_deref(), Some("254u8"));
        assert_eq!(other_integer("1_000").as_deref(), Some("1001"));
        assert_eq!(other_integer("0xff"), None);
        assert_eq!(other_integer("9007199254740992"), None);
        assert_eq!(longer_string("'a'", "q7").as_deref(), Some("'aq7'"));
        assert_eq!(longer_string("r#\"a\"#", "q7").as_deref(), Some("r#\"aq7\"#"));
        assert_eq!(longer_string("\"\"\"a\"\"\"", "q7").as_deref(), Some("\"\"\"aq7\"\"\""));
    }
}
