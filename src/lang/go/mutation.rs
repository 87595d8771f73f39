//! What mutants have to know of Go.

use std::ops::Range;

use tree_sitter::Node;

use super::surgery::{other_of, types_of};
use crate::lang::mutation::Operator::Arithmetic;
use crate::lang::mutation::{Grammar, Literal, Swap, is_talk};

/// Go.
pub(super) struct GoGrammar;

impl Grammar for GoGrammar {
    fn skips(&self, node: Node<'_>, source: &str) -> bool {
        match node.kind() {
            "comment" | "package_clause" | "import_declaration" | "type_declaration" | "array_type"
            | "type_arguments" | "parameter_list" | "label_name" => true,
            "call_expression" => node
                .child_by_field_name("function")
                .is_some_and(|callee| is_talk(&source[callee.byte_range()])),
            "interpreted_string_literal" | "raw_string_literal" => is_message(node, source),
            _ => false,
        }
    }

    fn operators<'t>(&self, node: Node<'t>) -> Vec<Node<'t>> {
        match node.kind() {
            "binary_expression" | "assignment_statement" => {
                node.child_by_field_name("operator").into_iter().collect()
            }
            // A loop that counts the other way does not end.
            "inc_statement" | "dec_statement"
                if node.parent().is_none_or(|parent| parent.kind() != "for_clause") =>
            {
                node.child(1).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn swaps(&self, token: &str) -> &'static [Swap] {
        match token {
            "&^" => &[("&", Arithmetic)],
            "&^=" => &[("&=", Arithmetic)],
            _ => &[],
        }
    }

    fn negated<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        let is_not = node.kind() == "unary_expression"
            && node.child_by_field_name("operator").is_some_and(|token| token.kind() == "!");
        node.child_by_field_name("operand").filter(|_| is_not)
    }

    fn condition<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        match node.kind() {
            "if_statement" => node.child_by_field_name("condition"),
            // `for x {` loops on an expression.
            "for_statement" => node.named_child(0).filter(|child| {
                matches!(
                    child.kind(),
                    "identifier" | "call_expression" | "selector_expression" | "binary_expression"
                )
            }),
            _ => None,
        }
    }

    fn negate(&self, text: &str) -> String {
        format!("!({text})")
    }

    fn literal(&self, node: Node<'_>, _source: &str) -> Option<Literal> {
        match node.kind() {
            "int_literal" | "float_literal" => Some(Literal::Number),
            "true" => Some(Literal::Truth("false")),
            "false" => Some(Literal::Truth("true")),
            "interpreted_string_literal" | "raw_string_literal" => Some(Literal::Text("\"\"")),
            _ => None,
        }
    }

    /// The zero value for each result, and for each plain one a value that nobody expects.
    fn returned(&self, node: Node<'_>, source: &str) -> Vec<(Range<usize>, String)> {
        if node.kind() != "return_statement" {
            return Vec::new();
        }
        let Some(values) = node.named_child(0) else { return Vec::new() };
        let Some(results) = function_of(node).and_then(|function| function.child_by_field_name("result"))
        else {
            return Vec::new();
        };
        let types = types_of(&source[results.byte_range()]);
        let zero = |kind: &String| match kind.as_str() {
            "error" | "any" | "interface{}" => "nil".to_owned(),
            kind if kind.starts_with(['*', '[']) || kind.starts_with("map[") || kind.starts_with("func(") => {
                // An array has no nil.
                let array = kind.starts_with('[') && !kind.starts_with("[]");
                if array { format!("{kind}{{}}") } else { "nil".to_owned() }
            }
            "bool" => "false".to_owned(),
            "string" => "\"\"".to_owned(),
            kind if other_of(kind).is_some() => "0".to_owned(),
            kind => format!("*new({kind})"),
        };
        let zeros: Vec<String> = types.iter().map(zero).collect();
        let others: Vec<String> = (types.iter().zip(&zeros))
            .map(|(kind, zero)| other_of(kind).map_or_else(|| zero.clone(), str::to_owned))
            .collect();
        let written = source[values.byte_range()].replace([' ', '\n', '\t'], "");
        let mut found: Vec<String> = Vec::new();
        for list in [zeros.join(", "), others.join(", ")] {
            if list.replace(' ', "") != written && !found.contains(&list) {
                found.push(list);
            }
        }
        found.into_iter().map(|list| (values.byte_range(), list)).collect()
    }

    fn left_out(&self, node: Node<'_>, source: &str) -> Option<&'static str> {
        let in_block =
            node.parent().is_some_and(|parent| matches!(parent.kind(), "block" | "statement_list"));
        let deletable = match node.kind() {
            "assignment_statement"
            | "inc_statement"
            | "dec_statement"
            | "go_statement"
            | "defer_statement"
            | "send_statement"
            | "break_statement"
            | "continue_statement" => true,
            "expression_statement" => node.named_child(0).is_some_and(|inner| !self.skips(inner, source)),
            "return_statement" => is_early(node),
            _ => false,
        };
        (deletable && in_block).then_some("{}")
    }

    fn is_jump(&self, node: Node<'_>) -> bool {
        matches!(node.kind(), "return_statement" | "break_statement" | "continue_statement")
    }
}

/// The function or function literal around a node.
fn function_of(node: Node<'_>) -> Option<Node<'_>> {
    let mut outer = node.parent()?;
    while !matches!(outer.kind(), "function_declaration" | "method_declaration" | "func_literal") {
        outer = outer.parent()?;
    }
    Some(outer)
}

/// True for a `return` in a branch or a loop of its function.
fn is_early(node: Node<'_>) -> bool {
    let mut outer = node.parent();
    while let Some(list) = outer.filter(|outer| matches!(outer.kind(), "statement_list" | "block")) {
        outer = list.parent();
    }
    outer.is_some_and(|outer| {
        !matches!(outer.kind(), "function_declaration" | "method_declaration" | "func_literal")
    })
}

/// True for the text of an error.
fn is_message(node: Node<'_>, source: &str) -> bool {
    let call = node.parent().filter(|parent| parent.kind() == "argument_list").and_then(|list| list.parent());
    let callee = call.and_then(|call| call.child_by_field_name("function"));
    callee.is_some_and(|callee| {
        matches!(
            &source[callee.byte_range()],
            "errors.New" | "fmt.Errorf" | "panic" | "errors.Wrap" | "errors.Errorf"
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::git::RepoPath;
    use crate::lang::LANGUAGES;
    use crate::lang::mutation::Operator;

    fn changes(operator: Operator, body: &str) -> Vec<String> {
        let source = format!("package p\n\n{body}");
        let path = RepoPath::new("a.go").unwrap();
        let lines: Vec<u32> = (1..=u32::try_from(source.lines().count()).unwrap()).collect();
        let found = LANGUAGES[3].surgery().mutations(&path, &source, &lines);
        for one in &found {
            let text = one.apply(&source);
            assert!(LANGUAGES[3].essence(&path, &text).is_some(), "{text}");
        }
        let found = found.into_iter().filter(|one| one.operator == operator);
        found.map(|one| format!("{} → {}", &source[one.range.clone()], one.replacement)).collect()
    }

    #[test]
    fn relational_and_boundary() {
        let body = "func f(a int) bool {\n\tfor i := 0; i < a; i++ {\n\t}\n\treturn a == 1\n}\n";
        assert_eq!(changes(Operator::Relational, body), ["< → >=", "== → !="]);
        assert_eq!(changes(Operator::Boundary, body), ["< → <="]);
    }

    #[test]
    fn boolean() {
        let body = "func f(a, b bool) {\n\tif a && !b {\n\t\tg()\n\t}\n\tfor h() {\n\t}\n}\n";
        let expected = ["a && !b → !(a && !b)", "&& → ||", "!b → b", "h() → !(h())"];
        assert_eq!(changes(Operator::Boolean, body), expected);
    }

    #[test]
    fn arithmetic() {
        let body = "func f(a int) int {\n\ta += 2\n\ta++\n\ta = a * 1\n\ts := \"a\" + b\n\treturn a - s\n}\n";
        assert_eq!(changes(Operator::Arithmetic, body), ["+= → -=", "++ → --", "- → +"]);
    }

    #[test]
    fn constant() {
        let body = "const c = 2\n\nfunc f(a [4]int) error {\n\tg(\"a\", true, 1.5)\n\tfmt.Println(1)\n\treturn errors.New(\"b\")\n}\n";
        let expected = ["2 → 3", "2 → 1", "\"a\" → \"\"", "true → false", "1.5 → 2.5", "1.5 → 0.5"];
        assert_eq!(changes(Operator::Constant, body), expected);
    }

    #[test]
    fn return_value() {
        let body = "func f(a int) (n int, s T, err error) {\n\tif a > 1 {\n\t\treturn 0, *new(T), nil\n\t}\n\tg(func() bool { return a > 2 })\n\t\
                    return h()\n}\n\nfunc k() {\n\treturn\n}\n";
        let expected = [
            "0, *new(T), nil → 113, *new(T), nil",
            "a > 2 → false",
            "a > 2 → true",
            "h() → 0, *new(T), nil",
            "h() → 113, *new(T), nil",
        ];
        assert_eq!(changes(Operator::ReturnValue, body), expected);
    }

    #[test]
    fn statement() {
        let body = "func f(a int) int {\n\tmu.Lock()\n\tdefer mu.Unlock()\n\tlog.Println(1)\n\tb := 1\n\ta = b\n\tif a > 1 {\n\t\treturn 1\n\t}\n\t\
                    a++\n\treturn a\n}\n";
        let expected =
            ["mu.Lock() → {}", "defer mu.Unlock() → {}", "a = b → {}", "return 1 → {}", "a++ → {}"];
        assert_eq!(changes(Operator::Statement, body), expected);
    }
}
