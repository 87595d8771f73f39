//! Mutants: small changes of source that a good test notices.
//!
//! One walk over the syntax tree serves all languages. What differs between them, such as which node is a
//! comparison and how a condition is negated, is a grammar of the language. The operators are
//! those of the field: relational, boundary, arithmetic, boolean, constant, returned value, statement,
//! guard.

mod literal;
mod swap;
mod walk;

use std::fmt;
use std::ops::Range;

use tree_sitter::Node;

pub(super) use literal::Literal;
pub(super) use swap::is_talk;
pub(super) use walk::mutations;

/// A family of small changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operator {
    /// A comparison becomes its opposite (`<` to `>=`).
    Relational,
    /// A comparison takes its limit in or leaves it out (`<` to `<=`).
    Boundary,
    /// And becomes or, a negation is dropped, a condition is negated.
    Boolean,
    /// Another value is returned: nothing, zero, a default.
    ReturnValue,
    /// A sum becomes a difference and the like.
    Arithmetic,
    /// A statement is left out.
    Statement,
    /// The guard of a match arm always or never holds.
    Guard,
    /// A number is one more or one less, a text is empty, true is false.
    Constant,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relational => "relational",
            Self::Boundary => "boundary",
            Self::Boolean => "boolean",
            Self::ReturnValue => "return value",
            Self::Arithmetic => "arithmetic",
            Self::Statement => "statement",
            Self::Guard => "guard",
            Self::Constant => "constant",
        })
    }
}

/// A small change of a source text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutation {
    /// Its family.
    pub operator: Operator,
    /// What is replaced, in bytes.
    pub range: Range<usize>,
    /// By what.
    pub replacement: String,
    /// The expression or statement around it that shows a reader what changes, in bytes.
    pub shown: Range<usize>,
}

impl Mutation {
    /// The source with the change made.
    pub fn apply(&self, source: &str) -> String {
        format!("{}{}{}", &source[..self.range.start], self.replacement, &source[self.range.end..])
    }

    /// What a reader is shown: before and after.
    pub fn shown(&self, source: &str) -> (String, String) {
        let Range { start, end } = self.shown;
        let after = format!(
            "{}{}{}",
            &source[start..self.range.start],
            self.replacement,
            &source[self.range.end..end]
        );
        (source[start..end].to_owned(), after)
    }
}

/// A swap of an operator's token for another.
pub(super) type Swap = (&'static str, Operator);

/// What the walk has to know of a language.
pub(super) trait Grammar {
    /// True for what is not looked into: comments, types, imports, what is only said to people.
    fn skips(&self, node: Node<'_>, source: &str) -> bool;

    /// The tokens of the operators of an operation, comparison or compound assignment.
    fn operators<'t>(&self, node: Node<'t>) -> Vec<Node<'t>>;

    /// What an operator's token can be swapped for, besides [`swap::common`].
    fn swaps(&self, token: &str) -> &'static [Swap];

    /// The argument of a negation (`not x`).
    fn negated<'t>(&self, node: Node<'t>) -> Option<Node<'t>>;

    /// The condition on which `node` branches or loops, where it can be negated.
    fn condition<'t>(&self, node: Node<'t>) -> Option<Node<'t>>;

    /// An expression for the opposite of another.
    fn negate(&self, text: &str) -> String;

    /// What kind of constant a node is.
    fn literal(&self, node: Node<'_>, source: &str) -> Option<Literal>;

    /// Other values for what a function returns at this node, and the range that they replace.
    fn returned(&self, node: Node<'_>, source: &str) -> Vec<(Range<usize>, String)>;

    /// What stands in the place of a statement that is left out; `None` where it cannot be, and for
    /// what is no statement.
    fn left_out(&self, node: Node<'_>, source: &str) -> Option<&'static str>;

    /// True for a statement after which the next one is not reached.
    fn is_jump(&self, node: Node<'_>) -> bool;

    /// Changes that only this language has.
    fn special(&self, _node: Node<'_>, _source: &str) -> Vec<Mutation> {
        Vec::new()
    }
}
