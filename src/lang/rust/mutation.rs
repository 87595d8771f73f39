//! What mutants have to know of Rust.

use std::ops::Range;

use tree_sitter::Node;

use super::surgery::default_of;
use super::syntax::text;
use crate::lang::mutation::Operator::{Guard, ReturnValue, Statement};
use crate::lang::mutation::{Grammar, Literal, Mutation, Swap, is_talk};
use crate::lang::surgery::Default;

/// Rust.
pub(super) struct RustGrammar;

/// Of a type that is not known by its name.
const DEFAULT: &str = "::core::default::Default::default()";

impl Grammar for RustGrammar {
    /// The inside of a macro call is no syntax yet, so it is left alone with the call.
    fn skips(&self, node: Node<'_>, source: &str) -> bool {
        match node.kind() {
            "line_comment"
            | "block_comment"
            | "attribute_item"
            | "inner_attribute_item"
            | "token_tree"
            | "macro_definition"
            | "use_declaration"
            | "extern_crate_declaration"
            | "type_arguments"
            | "type_parameters"
            | "array_type"
            | "generic_type"
            | "reference_type"
            | "visibility_modifier" => true,
            "string_literal" | "raw_string_literal" => is_message(node, source),
            _ => false,
        }
    }

    fn operators<'t>(&self, node: Node<'t>) -> Vec<Node<'t>> {
        match node.kind() {
            "binary_expression" | "compound_assignment_expr" => {
                node.child_by_field_name("operator").into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn swaps(&self, _token: &str) -> &'static [Swap] {
        &[]
    }

    fn negated<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        let is_not =
            node.kind() == "unary_expression" && node.child(0).is_some_and(|token| token.kind() == "!");
        node.named_child(0).filter(|_| is_not)
    }

    fn condition<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        if !matches!(node.kind(), "if_expression" | "while_expression") {
            return None;
        }
        // A pattern cannot be negated.
        node.child_by_field_name("condition")
            .filter(|condition| !matches!(condition.kind(), "let_condition" | "let_chain"))
    }

    fn negate(&self, text: &str) -> String {
        format!("!({text})")
    }

    fn literal(&self, node: Node<'_>, source: &str) -> Option<Literal> {
        match node.kind() {
            "integer_literal" | "float_literal" => Some(Literal::Number),
            "boolean_literal" => {
                Some(Literal::Truth(if text(node, source) == "true" { "false" } else { "true" }))
            }
            // Bytes have their length in their type.
            "string_literal" | "raw_string_literal" if text(node, source).starts_with(['"', 'r']) => {
                Some(Literal::Text("\"\""))
            }
            _ => None,
        }
    }

    fn returned(&self, node: Node<'_>, source: &str) -> Vec<(Range<usize>, String)> {
        // The value at the end of a function lies on another line than the function: see `special`.
        let value = node.named_child(0).filter(|_| node.kind() == "return_expression");
        match (value, function_of(node)) {
            (Some(value), Some(function)) => self.defaults(function, source, &[value]),
            _ => Vec::new(),
        }
    }

    fn left_out(&self, node: Node<'_>, source: &str) -> Option<&'static str> {
        if node.kind() != "expression_statement" {
            return None;
        }
        let inner = node.named_child(0)?;
        let deletable = match inner.kind() {
            "macro_invocation" => inner.child_by_field_name("macro").is_some_and(|name| {
                let name = text(name, source);
                !is_talk(name) && !name.contains("assert")
            }),
            "call_expression"
            | "try_expression"
            | "await_expression"
            | "assignment_expression"
            | "compound_assignment_expr"
            | "break_expression"
            | "continue_expression" => true,
            "return_expression" => {
                let outer = node.parent().and_then(|block| block.parent());
                outer.is_some_and(|outer| outer.kind() != "function_item")
            }
            _ => false,
        };
        deletable.then_some(";")
    }

    fn is_jump(&self, node: Node<'_>) -> bool {
        node.kind() == "expression_statement"
            && node.named_child(0).is_some_and(|inner| {
                matches!(inner.kind(), "return_expression" | "break_expression" | "continue_expression")
            })
    }

    /// Guards of match arms, arms beside a wildcard, and the last expression of a function.
    fn special(&self, node: Node<'_>, source: &str) -> Vec<Mutation> {
        match node.kind() {
            "match_pattern" => {
                let guard = node.child_by_field_name("condition");
                let guard = guard.filter(|guard| !matches!(guard.kind(), "let_condition" | "let_chain"));
                let Some(guard) = guard else { return Vec::new() };
                let change = |truth: &str| Mutation {
                    operator: Guard,
                    range: guard.byte_range(),
                    replacement: truth.to_owned(),
                    shown: node.byte_range(),
                };
                vec![change("true"), change("false")]
            }
            "match_block" => {
                let mut cursor = node.walk();
                let arms: Vec<_> = node
                    .named_children(&mut cursor)
                    .filter(|child| child.kind() == "match_arm")
                    .filter_map(|arm| Some((arm, arm.child_by_field_name("pattern")?)))
                    .collect();
                if !arms.iter().any(|(_, pattern)| text(*pattern, source) == "_") {
                    return Vec::new();
                }
                let others = arms.iter().filter(|(_, pattern)| text(*pattern, source) != "_");
                others
                    .map(|(arm, pattern)| Mutation {
                        operator: Statement,
                        range: arm.byte_range(),
                        replacement: String::new(),
                        shown: pattern.start_byte()..arm.end_byte(),
                    })
                    .collect()
            }
            "function_item" => {
                let mut values = Vec::new();
                if let Some(body) = node.child_by_field_name("body") {
                    tails(body, &mut values);
                }
                let all = self.defaults(node, source, &values).into_iter();
                all.map(|(range, replacement)| Mutation {
                    operator: ReturnValue,
                    shown: range.clone(),
                    range,
                    replacement,
                })
                .collect()
            }
            _ => Vec::new(),
        }
    }
}

impl RustGrammar {
    /// Each value replaced by each default that is known for what the function returns.
    fn defaults(&self, function: Node<'_>, source: &str, values: &[Node<'_>]) -> Vec<(Range<usize>, String)> {
        let Some(kind) = function.child_by_field_name("return_type").map(|kind| text(kind, source)) else {
            return Vec::new();
        };
        let mut defaults: Vec<String> = [Default::Usual, Default::Unusual]
            .into_iter()
            .filter_map(|default| default_of(Some(kind), default))
            .filter(|value| !value.is_empty())
            .collect();
        defaults.dedup();
        if defaults.is_empty() {
            let is_result = kind.split('<').next().is_some_and(|head| head.trim().ends_with("Result"));
            defaults.push(if is_result {
                format!("::core::result::Result::Ok({DEFAULT})")
            } else {
                DEFAULT.to_owned()
            });
        }
        let plain =
            |text: &str| text.replace("::core::option::Option::", "").replace("::core::result::Result::", "");
        let mut found = Vec::new();
        for value in values {
            for default in &defaults {
                if plain(default) != plain(text(*value, source)) {
                    found.push((value.byte_range(), default.clone()));
                }
            }
        }
        found
    }
}

/// The function whose result a `return` gives; `None` in closures and async blocks.
fn function_of(node: Node<'_>) -> Option<Node<'_>> {
    let mut outer = node.parent()?;
    loop {
        match outer.kind() {
            "function_item" => return Some(outer),
            "closure_expression" | "async_block" | "const_block" | "gen_block" => return None,
            _ => outer = outer.parent()?,
        }
    }
}

/// The expressions that a block ends in, also in the branches of the last one.
fn tails<'t>(node: Node<'t>, found: &mut Vec<Node<'t>>) {
    let field = |name: &str| node.child_by_field_name(name);
    match node.kind() {
        "block" => {
            let mut cursor = node.walk();
            let last = node
                .named_children(&mut cursor)
                .filter(|child| !matches!(child.kind(), "line_comment" | "block_comment"))
                .last();
            let Some(last) = last else { return };
            // A branching expression at the end stands as a statement in the grammar.
            let inner = match last.kind() {
                "expression_statement" => last
                    .named_child(0)
                    .filter(|inner| {
                        matches!(
                            inner.kind(),
                            "if_expression" | "match_expression" | "block" | "unsafe_block"
                        )
                    })
                    .filter(|inner| inner.end_byte() == last.end_byte()),
                kind if kind.ends_with("_item") || kind.ends_with("_declaration") => None,
                _ => Some(last),
            };
            if let Some(inner) = inner {
                tails(inner, found);
            }
        }
        "if_expression" => {
            if let (Some(then), Some(other)) = (field("consequence"), field("alternative")) {
                tails(then, found);
                if let Some(other) = other.named_child(0) {
                    tails(other, found);
                }
            }
        }
        "match_expression" => {
            let Some(body) = field("body") else { return };
            let mut cursor = body.walk();
            for arm in body.named_children(&mut cursor).filter(|child| child.kind() == "match_arm") {
                if let Some(value) = arm.child_by_field_name("value") {
                    tails(value, found);
                }
            }
        }
        "unsafe_block" => {
            if let Some(block) = node.named_child(0) {
                tails(block, found);
            }
        }
        "return_expression"
        | "macro_invocation"
        | "loop_expression"
        | "while_expression"
        | "for_expression"
        | "break_expression"
        | "continue_expression" => {}
        _ => found.push(node),
    }
}

/// True for the text that `expect` and `context` give to an error.
fn is_message(node: Node<'_>, source: &str) -> bool {
    let Some(call) =
        node.parent().filter(|parent| parent.kind() == "arguments").and_then(|list| list.parent())
    else {
        return false;
    };
    let Some(field) =
        call.child_by_field_name("function").and_then(|callee| callee.child_by_field_name("field"))
    else {
        return false;
    };
    matches!(text(field, source), "expect" | "expect_err" | "context" | "wrap_err")
}

#[cfg(test)]
mod tests {
    use crate::git::RepoPath;
    use crate::lang::LANGUAGES;
    use crate::lang::mutation::Operator;

    fn changes(operator: Operator, source: &str) -> Vec<String> {
        let path = RepoPath::new("src/a.rs").unwrap();
        let lines: Vec<u32> = (1..=u32::try_from(source.lines().count()).unwrap()).collect();
        let found = LANGUAGES[2].surgery().mutations(&path, source, &lines);
        for one in &found {
            let text = one.apply(source);
            assert!(LANGUAGES[2].essence(&path, &text).is_some(), "{text}");
        }
        let found = found.into_iter().filter(|one| one.operator == operator);
        found.map(|one| format!("{} → {}", &source[one.range.clone()], one.replacement)).collect()
    }

    #[test]
    fn relational_and_boundary() {
        let source = "fn f(a: u8) { if a == 1 || a < 2 { g() } }\n";
        assert_eq!(changes(Operator::Relational, source), ["== → !=", "< → >="]);
        assert_eq!(changes(Operator::Boundary, source), ["< → <="]);
    }

    #[test]
    fn boolean() {
        let source =
            "fn f(a: bool, b: bool) { if a && !b { g() } while h(a) {} if let Some(x) = b { g() } }\n";
        let expected = ["a && !b → !(a && !b)", "&& → ||", "!b → b", "h(a) → !(h(a))"];
        assert_eq!(changes(Operator::Boolean, source), expected);
    }

    #[test]
    fn arithmetic() {
        let source = "fn f(mut a: u8) -> u8 { a += 2; a = a * 1; a - 3 % a }\n";
        assert_eq!(changes(Operator::Arithmetic, source), ["+= → -=", "- → +", "% → *"]);
    }

    #[test]
    fn constant() {
        let source = "fn f() { g(1_0u8, \"a\", b\"x\", r\"y\", true, 1.5); x.expect(\"why\"); println!(\"{}\", 1); }\n";
        let expected = [
            "1_0u8 → 11u8",
            "1_0u8 → 9u8",
            "\"a\" → \"\"",
            "r\"y\" → \"\"",
            "true → false",
            "1.5 → 2.5",
            "1.5 → 0.5",
        ];
        assert_eq!(changes(Operator::Constant, source), expected);
        assert!(changes(Operator::Constant, "fn f() -> [u8; 3] { g::<2>() }\n").is_empty());
    }

    #[test]
    fn return_value() {
        let source = "fn f(a: u8) -> Option<u8> { if a > 1 { return Some(1); } match a { 0 => None, _ => { Some(a) } } }\n\
                      fn g() -> T { h(|x| x + 1) }\nfn k() { l() }\n";
        let found = changes(Operator::ReturnValue, source);
        let expected = [
            "Some(1) → ::core::option::Option::None",
            "Some(1) → ::core::option::Option::Some(113)",
            "None → ::core::option::Option::Some(113)",
            "Some(a) → ::core::option::Option::None",
            "Some(a) → ::core::option::Option::Some(113)",
            "h(|x| x + 1) → ::core::default::Default::default()",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn statement() {
        let source =
            "fn f(mut a: u8) { let b = 1; a = b; g(a); h(a)?; println!(); bail!(); if a > 1 { return; } }\n";
        let expected = ["a = b; → ;", "g(a); → ;", "h(a)?; → ;", "bail!(); → ;", "return; → ;"];
        assert_eq!(changes(Operator::Statement, source), expected);
    }

    #[test]
    fn arms_and_guards_of_a_match() {
        let source = "fn f(a: u8) { match a { 1 if g() => h(), 2 => k(), _ => {} } }\n";
        assert_eq!(changes(Operator::Guard, source), ["g() → true", "g() → false"]);
        assert_eq!(changes(Operator::Statement, source), ["1 if g() => h(), → ", "2 => k(), → "]);
        assert!(changes(Operator::Statement, "fn f(a: E) { match a { A => h(), B => k() } }\n").is_empty());
    }
}
