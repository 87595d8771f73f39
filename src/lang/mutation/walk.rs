//! One walk over a syntax tree that makes every mutation on some lines.

use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::{Grammar, Mutation, Operator, literal, swap};

/// What is shown around a change, at most, in bytes.
const SHOWN: usize = 60;

/// Every mutation of what stands on `lines` (counted from 1), in the order of the source.
pub(in crate::lang) fn mutations(
    grammar: &dyn Grammar,
    tree: &Tree,
    source: &str,
    lines: &[u32],
) -> Vec<Mutation> {
    let mut walk = Walk { grammar, source, lines, found: Vec::new() };
    walk.visit(tree.root_node());
    let mut found = walk.found;
    found.sort_by_key(|one| (one.range.start, one.range.end, one.operator));
    let mut unique: Vec<Mutation> = Vec::new();
    for one in found {
        let same = |other: &Mutation| other.range == one.range && other.replacement == one.replacement;
        if one.replacement != source[one.range.clone()] && !unique.iter().any(same) {
            unique.push(one);
        }
    }
    unique
}

struct Walk<'a> {
    grammar: &'a dyn Grammar,
    source: &'a str,
    lines: &'a [u32],
    found: Vec<Mutation>,
}

impl Walk<'_> {
    fn visit(&mut self, node: Node<'_>) {
        let rows = node.start_position().row + 1..=node.end_position().row + 1;
        let touched = self.lines.iter().any(|line| rows.contains(&(*line as usize)));
        if !touched || self.grammar.skips(node, self.source) {
            return;
        }
        self.operation(node);
        self.negation(node);
        self.condition(node);
        self.constant(node);
        if self.is_changed(node) {
            for (range, replacement) in self.grammar.returned(node, self.source) {
                self.push(Operator::ReturnValue, range, replacement, node);
            }
            if let Some(instead) = self.grammar.left_out(node, self.source) {
                self.push(Operator::Statement, node.byte_range(), instead.to_owned(), node);
            }
        }
        for mutation in self.grammar.special(node, self.source) {
            let row = self.source[..mutation.range.start].matches('\n').count() + 1;
            if self.lines.iter().any(|line| *line as usize == row) {
                self.found.push(mutation);
            }
        }
        let mut cursor = node.walk();
        let mut dead = false;
        for child in node.children(&mut cursor) {
            if !(dead && child.is_named()) {
                self.visit(child);
            }
            dead |= self.grammar.is_jump(child);
        }
    }

    /// True where a node begins on one of the lines.
    fn is_changed(&self, node: Node<'_>) -> bool {
        let row = node.start_position().row + 1;
        self.lines.iter().any(|line| *line as usize == row)
    }

    fn text(&self, node: Node<'_>) -> &str {
        &self.source[node.byte_range()]
    }

    fn operation(&mut self, node: Node<'_>) {
        for token in self.grammar.operators(node) {
            if !self.is_changed(token) {
                continue;
            }
            let text = token.kind();
            let side = |name| node.child_by_field_name(name);
            let right = side("right").map(|right| self.text(right).to_owned()).unwrap_or_default();
            // Texts can be joined, and nothing else.
            let is_text = |side: Option<Node<'_>>| {
                side.and_then(|side| self.grammar.literal(side, self.source))
                    .is_some_and(|literal| matches!(literal, literal::Literal::Text(_)))
            };
            let joined = is_text(side("left")) || is_text(side("right"));
            for (other, operator) in swap::common(text).iter().chain(self.grammar.swaps(text)) {
                if *operator == Operator::Arithmetic && (joined || swap::is_idle(text, &right)) {
                    continue;
                }
                self.push(*operator, token.byte_range(), (*other).to_owned(), node);
            }
        }
    }

    fn negation(&mut self, node: Node<'_>) {
        if let Some(argument) = self.grammar.negated(node)
            && self.is_changed(node)
        {
            let text = self.text(argument).to_owned();
            self.push(Operator::Boolean, node.byte_range(), text, node);
        }
    }

    fn condition(&mut self, node: Node<'_>) {
        let Some(mut condition) = self.grammar.condition(node) else { return };
        while condition.kind() == "parenthesized_expression"
            && let Some(inner) = condition.named_child(0)
        {
            condition = inner;
        }
        // These have an opposite of their own.
        let relational = self.grammar.operators(condition).iter().any(|token| {
            let swaps = swap::common(token.kind()).iter().chain(self.grammar.swaps(token.kind()));
            swaps.into_iter().any(|(_, operator)| *operator == Operator::Relational)
        });
        let truth = matches!(self.grammar.literal(condition, self.source), Some(literal::Literal::Truth(_)));
        if !self.is_changed(condition) || relational || truth || self.grammar.negated(condition).is_some() {
            return;
        }
        let text = self.grammar.negate(self.text(condition));
        self.push(Operator::Boolean, condition.byte_range(), text, condition);
    }

    fn constant(&mut self, node: Node<'_>) {
        if !self.is_changed(node) {
            return;
        }
        let Some(literal) = self.grammar.literal(node, self.source) else { return };
        for other in literal::others(&literal, self.text(node)) {
            self.push(Operator::Constant, node.byte_range(), other, self.around(node));
        }
    }

    /// The largest node around a small one that is still short and on one line.
    fn around<'t>(&self, node: Node<'t>) -> Node<'t> {
        let mut shown = node;
        while let Some(parent) = shown.parent() {
            let text = self.text(parent);
            if text.len() > SHOWN || text.contains('\n') {
                break;
            }
            shown = parent;
        }
        shown
    }

    fn push(&mut self, operator: Operator, range: Range<usize>, replacement: String, shown: Node<'_>) {
        let around = shown.byte_range();
        self.found.push(Mutation { operator, range, replacement, shown: around });
    }
}
