//! Assertions of Go: an `if` whose body calls `t.Error` or its kin, and testify.

use tree_sitter::Node;

use crate::lang::grammar::{Call, ancestors, call, children, descendants, is_string, text};
use crate::lang::twin::{Assertions, Change, Variant, longer_string, other_integer};

/// As [`Assertions`].
pub(super) struct GoAssertions;

impl Assertions for GoAssertions {
    fn variants(&self, node: Node<'_>, source: &str, nonce: &str) -> Vec<Variant> {
        if node.kind() == "if_statement" {
            return condition(node, source, nonce).map(Variant::asserting).into_iter().collect();
        }
        match call(node, source) {
            Some(call) => testify(&call, source, nonce).map(Variant::asserting).into_iter().collect(),
            None => Vec::new(),
        }
    }

    fn trip(&self, node: Node<'_>, _source: &str, nonce: &str) -> Option<Change> {
        let statement = std::iter::once(node)
            .chain(ancestors(node))
            .find(|above| matches!(above.kind(), "if_statement" | "expression_statement"))?;
        // The `if` of an `else` is no statement of its own.
        let alone =
            statement.parent().is_some_and(|above| matches!(above.kind(), "block" | "statement_list"));
        alone.then(|| Change::before(statement, format!("panic(\"{nonce}\"); ")))
    }

    fn is_test(&self, function: Node<'_>, source: &str) -> bool {
        function.kind() == "function_declaration"
            && function.child_by_field_name("name").is_some_and(|name| text(name, source).starts_with("Test"))
    }
}

/// An `if` that fails the test: a wrong literal where it compares with one, else its contrary.
fn condition(node: Node<'_>, source: &str, nonce: &str) -> Option<Vec<Change>> {
    let body = node.child_by_field_name("consequence")?;
    let fails = children(body).into_iter().flat_map(|child| {
        // Only what the body does itself, not what an inner `if` decides.
        let list = if child.kind() == "statement_list" { children(child) } else { vec![child] };
        list.into_iter().filter(|statement| statement.kind() == "expression_statement")
    });
    let fails =
        fails.filter_map(|statement| call(children(statement).into_iter().next()?, source)).any(|call| {
            matches!(call.name(), "Error" | "Errorf" | "Fatal" | "Fatalf" | "Fail" | "FailNow")
                && call.callee.len() <= 10
        });
    if !fails {
        return None;
    }
    let condition = node.child_by_field_name("condition")?;
    let compared = comparison(condition, source).and_then(|side| literal(side, source, nonce));
    Some(match compared {
        Some(change) => vec![change],
        None => vec![Change::before(condition, "!("), Change::behind(condition, ")")],
    })
}

/// The side of `got != want`, or the argument of `!got.Equal(want)`, that is written out.
fn comparison<'t>(condition: Node<'t>, source: &str) -> Option<Node<'t>> {
    match condition.kind() {
        "parenthesized_expression" => comparison(children(condition).into_iter().next()?, source),
        "binary_expression" => {
            let operator = condition.child_by_field_name("operator").map(|operator| text(operator, source));
            (operator == Some("!=")).then_some(())?;
            let sides = [condition.child_by_field_name("right")?, condition.child_by_field_name("left")?];
            sides.into_iter().find(|side| is_written_out(*side))
        }
        "unary_expression" if text(condition, source).starts_with('!') => {
            let call = call(condition.child_by_field_name("operand")?, source)?;
            let compares = matches!(call.name(), "Equal" | "DeepEqual" | "Eq" | "Equals");
            call.arguments.into_iter().rev().find(|argument| compares && is_written_out(*argument))
        }
        _ => None,
    }
}

/// True for literals, alone and in composites.
fn is_written_out(node: Node<'_>) -> bool {
    is_string(node)
        || matches!(node.kind(), "int_literal" | "float_literal" | "composite_literal" | "true" | "false")
}

fn literal(node: Node<'_>, source: &str, nonce: &str) -> Option<Change> {
    let inner = if node.kind() == "composite_literal" { node.child_by_field_name("body")? } else { node };
    descendants(inner).find_map(|leaf| {
        let text = text(leaf, source);
        let changed = match leaf.kind() {
            "int_literal" => other_integer(text),
            "interpreted_string_literal" | "raw_string_literal" => longer_string(text, nonce),
            "true" => Some("false".to_owned()),
            "false" => Some("true".to_owned()),
            _ => None,
        };
        changed.map(|changed| Change::of(leaf, changed))
    })
}

/// `assert.Equal(t, want, got)`, `require.NoError(t, err)`.
fn testify(call: &Call<'_>, source: &str, nonce: &str) -> Option<Vec<Change>> {
    let (owner, name) = call.callee.rsplit_once('.')?;
    if !matches!(owner, "assert" | "require") || call.arguments.len() < 2 {
        return None;
    }
    if matches!(name, "Equal" | "EqualValues" | "Equalf" | "Exactly") {
        let sides = [call.arguments.get(1)?, call.arguments.get(2)?];
        if let Some(change) = sides
            .into_iter()
            .find(|side| is_written_out(**side))
            .and_then(|side| literal(*side, source, nonce))
        {
            return Some(vec![change]);
        }
    }
    let contrary = match name {
        "Equal" | "EqualValues" => "NotEqual",
        "NotEqual" => "Equal",
        "True" => "False",
        "False" => "True",
        "NoError" => "Error",
        "Error" => "NoError",
        "Nil" => "NotNil",
        "NotNil" => "Nil",
        "Empty" => "NotEmpty",
        "NotEmpty" => "Empty",
        "Contains" => "NotContains",
        "NotContains" => "Contains",
        _ => return None,
    };
    let method = call.node.child_by_field_name("function")?.child_by_field_name("field")?;
    Some(vec![Change::of(method, contrary)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::grammar::Grammar;
    use crate::lang::twin::twins;

    fn lines(body: &str, line: u32) -> Vec<String> {
        let source = format!("package a\n\nfunc TestA(t *testing.T) {{\n{body}\n}}\n");
        let twins = twins(Grammar::Go, &GoAssertions, &source, line, "q7x").unwrap();
        twins.at.iter().map(|twin| twin.content.lines().nth(3).unwrap().trim().to_owned()).collect()
    }

    #[test]
    fn expectations_are_made_wrong() {
        assert_eq!(
            lines("if got := f(); got != 6 {\n\tt.Fatalf(\"%d\", got)\n}", 5),
            ["if got := f(); got != 7 {"]
        );
        assert_eq!(lines("if got != want {\n\tt.Error(got)\n}", 5), ["if !(got != want) {"]);
        assert_eq!(lines("if err != nil {\n\tt.Fatal(err)\n}", 5), ["if !(err != nil) {"]);
        assert_eq!(
            lines("if !reflect.DeepEqual(got, []int{1}) {\n\tt.Fatal(got)\n}", 5),
            ["if !reflect.DeepEqual(got, []int{0}) {"]
        );
        assert_eq!(lines("assert.Equal(t, 6, f())", 4), ["assert.Equal(t, 7, f())"]);
        assert_eq!(lines("require.NoError(t, err)", 4), ["require.Error(t, err)"]);
        assert_eq!(lines("if x {\n\tf()\n}", 5), Vec::<String>::new());
    }
}
