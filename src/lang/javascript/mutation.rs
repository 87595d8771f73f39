//! What mutants have to know of JavaScript and TypeScript.

use std::ops::Range;

use tree_sitter::Node;

use crate::lang::mutation::Operator::{Arithmetic, Boolean, Relational};
use crate::lang::mutation::{Grammar, Literal, Swap, is_talk};

/// JavaScript; TypeScript where values have types.
pub(super) struct JavaScriptGrammar {
    /// True for TypeScript.
    pub(super) typed: bool,
}

impl Grammar for JavaScriptGrammar {
    fn skips(&self, node: Node<'_>, source: &str) -> bool {
        let text = |node: Node<'_>| &source[node.byte_range()];
        match node.kind() {
            "comment"
            | "html_comment"
            | "import_statement"
            | "import"
            | "decorator"
            | "type_annotation"
            | "type_arguments"
            | "type_parameters"
            | "type_predicate_annotation"
            | "literal_type"
            | "template_literal_type"
            | "interface_declaration"
            | "type_alias_declaration"
            | "ambient_declaration"
            | "enum_declaration"
            | "jsx_closing_element" => true,
            "call_expression" => node.child_by_field_name("function").is_some_and(|callee| {
                is_talk(text(callee)) || matches!(callee.kind(), "import") || text(callee) == "require"
            }),
            "string" | "template_string" => {
                let Some(parent) = node.parent() else { return false };
                match parent.kind() {
                    // A directive, the module of an export, a key.
                    "expression_statement" | "export_statement" => true,
                    "pair" => parent.child_by_field_name("key") == Some(node),
                    "arguments" => is_error(parent, source),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn operators<'t>(&self, node: Node<'t>) -> Vec<Node<'t>> {
        match node.kind() {
            "binary_expression" | "augmented_assignment_expression" => {
                node.child_by_field_name("operator").into_iter().collect()
            }
            // A loop that counts the other way does not end.
            "update_expression" if node.parent().is_none_or(|parent| parent.kind() != "for_statement") => {
                node.child_by_field_name("operator").into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn swaps(&self, token: &str) -> &'static [Swap] {
        match token {
            "===" => &[("!==", Relational)],
            "!==" => &[("===", Relational)],
            "??" => &[("&&", Boolean)],
            "**" => &[("*", Arithmetic)],
            "**=" => &[("*=", Arithmetic)],
            "&&=" => &[("||=", Boolean)],
            "||=" | "??=" => &[("&&=", Boolean)],
            _ => &[],
        }
    }

    fn negated<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        let is_not = node.kind() == "unary_expression"
            && node.child_by_field_name("operator").is_some_and(|token| token.kind() == "!");
        node.child_by_field_name("argument").filter(|_| is_not)
    }

    fn condition<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        match node.kind() {
            "if_statement" | "while_statement" | "do_statement" | "ternary_expression" => {
                node.child_by_field_name("condition")
            }
            _ => None,
        }
    }

    fn negate(&self, text: &str) -> String {
        format!("!({text})")
    }

    fn literal(&self, node: Node<'_>, _source: &str) -> Option<Literal> {
        match node.kind() {
            "number" => Some(Literal::Number),
            "true" => Some(Literal::Truth("false")),
            "false" => Some(Literal::Truth("true")),
            "string" => Some(Literal::Text("\"\"")),
            // One with a tag is the tag's affair.
            "template_string" if node.parent().is_none_or(|parent| parent.kind() != "call_expression") => {
                Some(Literal::Text("``"))
            }
            _ => None,
        }
    }

    fn returned(&self, node: Node<'_>, source: &str) -> Vec<(Range<usize>, String)> {
        let value = match node.kind() {
            "return_statement" => node.named_child(0),
            "arrow_function" => {
                node.child_by_field_name("body").filter(|body| body.kind() != "statement_block")
            }
            _ => None,
        };
        let value = value.filter(|value| !matches!(&source[value.byte_range()], "undefined" | "null"));
        let nothing = if self.typed { "undefined as any" } else { "undefined" };
        value.map(|value| (value.byte_range(), nothing.to_owned())).into_iter().collect()
    }

    fn left_out(&self, node: Node<'_>, source: &str) -> Option<&'static str> {
        let deletable = match node.kind() {
            "throw_statement" | "break_statement" | "continue_statement" => true,
            "return_statement" => is_early(node),
            "expression_statement" => {
                let inner = node.named_child(0)?;
                match inner.kind() {
                    "call_expression" => !self.skips(inner, source),
                    "await_expression"
                    | "assignment_expression"
                    | "augmented_assignment_expression"
                    | "update_expression"
                    | "new_expression"
                    | "unary_expression" => true,
                    _ => false,
                }
            }
            _ => false,
        };
        deletable.then_some(";")
    }

    fn is_jump(&self, node: Node<'_>) -> bool {
        matches!(
            node.kind(),
            "return_statement" | "throw_statement" | "break_statement" | "continue_statement"
        )
    }
}

/// True for the arguments of a new error.
fn is_error(arguments: Node<'_>, source: &str) -> bool {
    let maker = arguments.parent().and_then(|made| {
        made.child_by_field_name("constructor").or_else(|| made.child_by_field_name("function"))
    });
    maker.is_some_and(|maker| source[maker.byte_range()].ends_with("Error"))
}

/// True for a `return` in a branch or a loop of its function.
fn is_early(node: Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return false };
    if parent.kind() != "statement_block" {
        return true;
    }
    parent.parent().is_some_and(|outer| {
        !matches!(
            outer.kind(),
            "function_declaration"
                | "function_expression"
                | "generator_function"
                | "generator_function_declaration"
                | "arrow_function"
                | "method_definition"
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::git::RepoPath;
    use crate::lang::LANGUAGES;
    use crate::lang::mutation::Operator;

    fn changes_of(name: &str, operator: Operator, source: &str) -> Vec<String> {
        let path = RepoPath::new(name).unwrap();
        let lines: Vec<u32> = (1..=u32::try_from(source.lines().count()).unwrap()).collect();
        let found = LANGUAGES[1].surgery().mutations(&path, source, &lines);
        for one in &found {
            let text = one.apply(source);
            assert!(LANGUAGES[1].essence(&path, &text).is_some(), "{text}");
        }
        let found = found.into_iter().filter(|one| one.operator == operator);
        found.map(|one| format!("{} → {}", &source[one.range.clone()], one.replacement)).collect()
    }

    fn changes(operator: Operator, source: &str) -> Vec<String> {
        let plain = changes_of("a.js", operator, source);
        let typed = changes_of("a.ts", operator, source);
        assert_eq!(typed.iter().map(|one| one.replace(" as any", "")).collect::<Vec<_>>(), plain);
        plain
    }

    #[test]
    fn relational() {
        let source = "const f = (a, b) => [a === b, a !== b, a == b, a > b];\n";
        assert_eq!(changes(Operator::Relational, source), ["=== → !==", "!== → ===", "== → !=", "> → <="]);
    }

    #[test]
    fn boundary() {
        assert_eq!(
            changes(Operator::Boundary, "for (let i = 0; i < n; i++) { f(i >= 2); }\n"),
            ["< → <=", ">= → >"]
        );
    }

    #[test]
    fn boolean() {
        let source =
            "function f(a, b) {\n  if (a && b) g(!a);\n  while (h()) {}\n  return a ?? (b ? 1 : 2);\n}\n";
        let expected = ["a && b → !(a && b)", "&& → ||", "!a → a", "h() → !(h())", "?? → &&", "b → !(b)"];
        assert_eq!(changes(Operator::Boolean, source), expected);
    }

    #[test]
    fn arithmetic() {
        let source = "function f(a, b) {\n  a += b;\n  b--;\n  for (let i = 0; i < 1; i++) {}\n  return a * b - 1 + 'x' + (a ** 2);\n}\n";
        assert_eq!(
            changes(Operator::Arithmetic, source),
            ["+= → -=", "-- → ++", "* → /", "- → +", "+ → -", "** → *"]
        );
    }

    #[test]
    fn constant() {
        let source = "'use strict';\nconst x = { 'key': 1, b: 'text', c: `a${x}`, d: true };\nthrow new TypeError('no');\n";
        let expected = ["1 → 2", "1 → 0", "'text' → \"\"", "`a${x}` → ``", "true → false"];
        assert_eq!(changes(Operator::Constant, source), expected);
    }

    #[test]
    fn return_value() {
        let source = "function f(a) {\n  if (a) return null;\n  return a.map((x) => x);\n}\n";
        let expected = ["a.map((x) => x) → undefined", "x → undefined"];
        assert_eq!(changes(Operator::ReturnValue, source), expected);
        assert_eq!(
            changes_of("a.ts", Operator::ReturnValue, "const f = (a: string): string => a;\n"),
            ["a → undefined as any"]
        );
    }

    #[test]
    fn statement() {
        let source = "function f(a) {\n  let b = 1;\n  a.b = b;\n  g();\n  if (a) return 1;\n  throw a;\n}\n";
        let expected = ["a.b = b; → ;", "g(); → ;", "return 1; → ;", "throw a; → ;"];
        assert_eq!(changes(Operator::Statement, source), expected);
    }

    #[test]
    fn what_only_tells_people_something_is_left_alone() {
        let source = "import x from 'y';\nconst z = require('z');\nconsole.log(1 + 2, 'a');\n// 1 < 2\n";
        for operator in [Operator::Arithmetic, Operator::Constant, Operator::Statement] {
            assert_eq!(changes(operator, source), Vec::<String>::new(), "{operator}");
        }
        let typed = "interface A { b: 'one' | 2 }\ntype C = 'x';\nlet d: Array<1> = e;\n";
        assert_eq!(changes_of("a.ts", Operator::Constant, typed), Vec::<String>::new());
    }
}
