//! Production code that knows the test's own inputs and answers.
//!
//! An added branch whose condition compares with a literal that stands in the test, and whose
//! consequence is nothing but another literal that stands there too. Both must be particular enough,
//! stand close together in the test, and be absent from the base's production code and from the report:
//! a constant that the report names, or that the code knows already, is no secret of the test.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{
    Grammar, ancestors, call, children, descendants, is_number, is_string, string_value,
};

/// The rule.
pub(super) struct SpecialCased;

impl Rule for SpecialCased {
    fn id(&self) -> &'static str {
        "special-cased"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix answer the test's own inputs one by one?"
    }

    fn look(&self, view: &View<'_>, scene: &Scene<'_>) -> Vec<Hit> {
        let mut hits = Vec::new();
        for node in view.nodes() {
            let Some((condition, consequence)) = branch(node, view.grammar) else { continue };
            let Some(answer) = answer(consequence, view).filter(|answer| answer.is_particular()) else {
                continue;
            };
            for input in compared(condition, view) {
                let ordinary = input == answer || !input.is_particular() || is_known(&input, &answer, scene);
                if !ordinary && stand_together(&input, &answer, scene) {
                    let what = format!(
                        "the fix gives {} for {}, both of which stand in the test and nowhere else",
                        answer.written, input.written
                    );
                    hits.push(Hit::at(condition, view, Weight::Human, what));
                    break;
                }
            }
        }
        hits
    }
}

/// A constant: a number, a string, or a collection of constants.
#[derive(Clone, Debug)]
struct Literal {
    /// As it is written.
    written: String,
    /// Without quotes, brackets and white space, so that `[1, 2]` and `"1,2"` are one.
    plain: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Number,
    Text,
    Collection,
}

impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        self.plain == other.plain
    }
}

impl Literal {
    fn of(node: Node<'_>, view: &View<'_>) -> Option<Self> {
        let plain = |text: &str| {
            text.chars().filter(|c| !c.is_whitespace() && !"[](){}\"'`&".contains(*c)).collect::<String>()
        };
        let text = view.text(node);
        if is_string(node) {
            let constant = !descendants(node)
                .any(|inner| matches!(inner.kind(), "interpolation" | "template_substitution"));
            let value = string_value(node, view.text);
            return constant.then(|| Self {
                written: text.to_owned(),
                plain: plain(value),
                kind: Kind::Text,
            });
        }
        if is_number(node) {
            let digits = text.trim_end_matches("usize").trim_end_matches("isize");
            let digits = match digits.find(['u', 'i', 'f']) {
                Some(at) if !digits.starts_with("0x") => &digits[..at],
                _ => digits,
            };
            return Some(Self {
                written: text.to_owned(),
                plain: digits.replace('_', ""),
                kind: Kind::Number,
            });
        }
        match node.kind() {
            "unary_operator" | "unary_expression" => {
                let inner = node
                    .child_by_field_name("argument")
                    .or_else(|| node.child_by_field_name("operand"))
                    .or_else(|| node.named_child(0))?;
                let inner = Self::of(inner, view)
                    .filter(|inner| inner.kind == Kind::Number && text.starts_with('-'))?;
                Some(Self {
                    written: text.to_owned(),
                    plain: format!("-{}", inner.plain),
                    kind: Kind::Number,
                })
            }
            "reference_expression" => Self::of(node.child_by_field_name("value")?, view),
            "composite_literal" => {
                let body = node.child_by_field_name("body")?;
                Self::of(body, view).map(|body| Self { written: text.to_owned(), ..body })
            }
            "list" | "tuple" | "set" | "dictionary" | "array" | "object" | "array_expression"
            | "tuple_expression" | "token_tree" | "literal_value" | "list_pattern" | "tuple_pattern"
            | "slice_pattern" => {
                let leaves = descendants(node).filter(|leaf| leaf.is_named() && leaf.child_count() == 0);
                let constant = |leaf: Node<'_>| {
                    is_number(leaf)
                        || is_string(leaf)
                        || matches!(
                            leaf.kind(),
                            "string_start" | "string_content" | "string_end" | "string_fragment"
                        )
                        || leaf.kind().ends_with("literal_content")
                        || matches!(
                            leaf.kind(),
                            "true" | "false" | "none" | "null" | "nil" | "escape_sequence"
                        )
                };
                let mut any = false;
                for leaf in leaves {
                    any = true;
                    if !constant(leaf) {
                        return None;
                    }
                }
                any.then(|| Self { written: text.to_owned(), plain: plain(text), kind: Kind::Collection })
            }
            _ => None,
        }
    }

    /// True when it is unlikely to be in two places by chance.
    fn is_particular(&self) -> bool {
        match self.kind {
            Kind::Number => {
                !matches!(self.plain.trim_start_matches('-'), "" | "0" | "1" | "2" | "0.0" | "1.0" | "-1")
            }
            Kind::Text => self.plain.chars().count() >= 3,
            Kind::Collection => !self.plain.is_empty(),
        }
    }
}

/// The condition of a branch and what it leads to.
fn branch<'t>(node: Node<'t>, grammar: Grammar) -> Option<(Node<'t>, Node<'t>)> {
    let field = |name| node.child_by_field_name(name);
    match node.kind() {
        "if_statement" | "elif_clause" | "if_expression" | "ternary_expression" => {
            Some((field("condition")?, field("consequence")?))
        }
        "conditional_expression" => {
            let parts = children(node);
            Some((*parts.get(1)?, *parts.first()?))
        }
        "case_clause" => Some((node.named_child(0)?, field("consequence")?)),
        "switch_case" => Some((field("value")?, field("body")?)),
        "match_arm" => Some((field("pattern")?, field("value")?)),
        "expression_case" if grammar == Grammar::Go => Some((
            field("value")?,
            children(node).into_iter().find(|child| child.kind() == "statement_list")?,
        )),
        _ => None,
    }
}

/// The constant that a branch leads to, where it leads to nothing else.
fn answer(consequence: Node<'_>, view: &View<'_>) -> Option<Literal> {
    let mut node = consequence;
    loop {
        if let Some(literal) = Literal::of(node, view) {
            return Some(literal);
        }
        let inner = children(node);
        let single = match node.kind() {
            "block"
            | "statement_block"
            | "statement_list"
            | "return_statement"
            | "return_expression"
            | "expression_statement"
            | "expression_list"
            | "parenthesized_expression" => inner.as_slice(),
            // `Some(6)`, `Decimal("180")`.
            "call" | "call_expression" => &call(node, view.text)?.arguments.clone(),
            _ => return None,
        };
        match single {
            [only] => node = *only,
            _ => return None,
        }
    }
}

/// The constants that a condition compares with.
fn compared(condition: Node<'_>, view: &View<'_>) -> Vec<Literal> {
    let is_pattern = !matches!(
        condition.kind(),
        "comparison_operator"
            | "binary_expression"
            | "boolean_operator"
            | "parenthesized_expression"
            | "call"
            | "call_expression"
    );
    let mut found = Vec::new();
    let mut waiting = vec![condition];
    while let Some(node) = waiting.pop() {
        let compares = match node.kind() {
            "comparison_operator" => true,
            "binary_expression" => node
                .child_by_field_name("operator")
                .is_some_and(|operator| matches!(view.text(operator), "==" | "===")),
            "call" | "call_expression" => call(node, view.text).is_some_and(|call| {
                let name = call.name().to_lowercase();
                name.contains("equal") || matches!(name.as_str(), "eq" | "is" | "includes" | "contains")
            }),
            _ => is_pattern,
        };
        if compares {
            let mut inner = vec![node];
            while let Some(node) = inner.pop() {
                match Literal::of(node, view) {
                    Some(literal) => found.push(literal),
                    None => inner.extend(children(node)),
                }
            }
        } else {
            waiting.extend(children(node));
        }
    }
    found
}

/// True when the report or the base's production code knows one of the two.
fn is_known(input: &Literal, answer: &Literal, scene: &Scene<'_>) -> bool {
    let squeeze = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let issue = scene.issue.as_deref().map(squeeze).unwrap_or_default();
    let named = |literal: &Literal| {
        let plain = literal.plain.to_lowercase();
        has_token(&issue, &plain)
    };
    if named(input) && named(answer) {
        return true;
    }
    scene.fix.iter().filter_map(|file| file.before()).any(|before| {
        let known: BTreeSet<String> = before
            .nodes()
            .filter_map(|node| Literal::of(node, &before))
            .map(|literal| literal.plain)
            .collect();
        known.contains(&input.plain) && (input.kind != Kind::Number || known.contains(&answer.plain))
    })
}

/// True when the text holds the word, and not only as a part of a longer number.
fn has_token(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        !(digit(text[..at].chars().next_back()) && word.starts_with(|c: char| c.is_ascii_digit())
            || digit(text[at + word.len()..].chars().next()) && word.ends_with(|c: char| c.is_ascii_digit()))
    })
}

/// True when new lines of the test hold both: in one function, and for a mere number in one statement.
fn stand_together(input: &Literal, answer: &Literal, scene: &Scene<'_>) -> bool {
    scene.tests.iter().any(|file| {
        let view = file.now();
        let places = |wanted: &Literal| {
            view.nodes()
                .filter(|node| file.is_row_added(node.start_position().row))
                .filter(|node| Literal::of(*node, &view).is_some_and(|literal| literal == *wanted))
                .map(|node| (statement(node), function(node, &view)))
                .collect::<Vec<_>>()
        };
        let answers = places(answer);
        !answers.is_empty()
            && places(input).iter().any(|(statement, function)| {
                answers.iter().any(|(other_statement, other_function)| match input.kind {
                    Kind::Number => statement == other_statement,
                    _ => function == other_function,
                })
            })
    })
}

fn statement(node: Node<'_>) -> usize {
    ancestors(node)
        .find(|above| {
            above.kind().ends_with("statement")
                || above.kind().ends_with("declaration")
                || above.kind() == "decorator"
        })
        .map_or(0, |above| above.id())
}

/// The test around a node: the outermost function or call with a body of its own below the file.
fn function(node: Node<'_>, view: &View<'_>) -> usize {
    let tests = ancestors(node).filter(|above| {
        crate::lang::grammar::function(*above, view.text).is_some() || above.kind() == "decorated_definition"
    });
    tests.last().map_or(0, |above| above.id())
}
