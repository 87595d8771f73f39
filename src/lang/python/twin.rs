//! Assertions of Python: `assert`, the methods of `TestCase`, `pytest.raises`.

use tree_sitter::Node;

use crate::lang::grammar::{ancestors, call, children, descendants, is_string, text};
use crate::lang::twin::{Assertions, Change, TwinRed, Variant, longer_string, other_number};

/// As [`Assertions`].
pub(super) struct PythonAssertions;

/// Which operand of a comparison is made wrong where both could be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Right,
    Left,
}

impl Assertions for PythonAssertions {
    fn variants(&self, node: Node<'_>, source: &str, nonce: &str) -> Vec<Variant> {
        let mut variants: Vec<Variant> = Vec::new();
        if node.kind() == "assert_statement" {
            let Some(condition) = children(node).into_iter().next() else { return variants };
            for which in [Which::Right, Which::Left] {
                let changes =
                    Twister { source, nonce, which }.falsify(condition).filter(|changes| !changes.is_empty());
                let variant = changes.map(Variant::asserting);
                variants.extend(variant.filter(|variant| !variants.contains(variant)));
            }
            return variants;
        }
        if let Some(call) = call(node, source) {
            for which in [Which::Right, Which::Left] {
                let variant = Twister { source, nonce, which }.call(&call);
                variants.extend(variant.filter(|variant| !variants.contains(variant)));
            }
        }
        variants
    }

    fn trip(&self, node: Node<'_>, _source: &str, nonce: &str) -> Option<Change> {
        let statement = match node.kind() {
            "assert_statement" => node,
            _ => node.parent().filter(|above| above.kind() == "expression_statement")?,
        };
        Some(Change::of(statement, format!("raise AssertionError('{nonce}')")))
    }

    fn is_test(&self, function: Node<'_>, source: &str) -> bool {
        function.kind() == "function_definition"
            && function.child_by_field_name("name").is_some_and(|name| text(name, source).starts_with("test"))
            && !ancestors(function).any(|above| above.kind() == "function_definition")
    }
}

struct Twister<'a> {
    source: &'a str,
    nonce: &'a str,
    which: Which,
}

/// A value that nothing honest equals.
const UNIQUE: &str = "object()";

impl Twister<'_> {
    fn text(&self, node: Node<'_>) -> &str {
        text(node, self.source)
    }

    /// Changes by which a condition that holds ceases to hold.
    fn falsify(&self, node: Node<'_>) -> Option<Vec<Change>> {
        match node.kind() {
            "parenthesized_expression" => self.falsify(*children(node).first()?),
            "boolean_operator" => {
                let mut changes = self.falsify(node.child_by_field_name("left")?)?;
                changes.extend(self.falsify(node.child_by_field_name("right")?)?);
                Some(changes)
            }
            "not_operator" => Some(vec![Change::of(
                node,
                format!("({})", self.text(node.child_by_field_name("argument")?)),
            )]),
            "comparison_operator" => self.comparison(node),
            // A constant is no expectation.
            "true" | "integer" | "string" | "tuple" => Some(Vec::new()),
            _ => Some(self.negated(node)),
        }
    }

    fn negated(&self, node: Node<'_>) -> Vec<Change> {
        vec![Change::before(node, "(not ("), Change::behind(node, "))")]
    }

    fn comparison(&self, node: Node<'_>) -> Option<Vec<Change>> {
        let sides = children(node);
        let mut cursor = node.walk();
        let operators: Vec<_> = node.children_by_field_name("operators", &mut cursor).collect();
        let ([left, right], [operator]) = (sides.as_slice(), operators.as_slice()) else {
            return Some(self.negated(node));
        };
        match self.text(*operator) {
            "==" => self.equality(*left, *right),
            "!=" => Some(vec![Change::of(*operator, "==")]),
            "in" if is_string(*left) => {
                Some(vec![Change::of(*left, longer_string(self.text(*left), self.nonce)?)])
            }
            _ => Some(self.negated(node)),
        }
    }

    /// What is expected is a literal where there is one; else either side may be it.
    fn equality(&self, left: Node<'_>, right: Node<'_>) -> Option<Vec<Change>> {
        for side in [right, left] {
            if let Some(changed) = self.literal(side) {
                return Some(vec![Change::of(side, changed)]);
            }
        }
        let side = if self.which == Which::Right { right } else { left };
        let other = if self.which == Which::Right { left } else { right };
        // What a test means to equal everything tells nothing.
        let wild = self.text(other).contains("ANY") || self.text(other).contains("Any");
        (!wild).then(|| vec![Change::of(side, UNIQUE)])
    }

    /// Another literal of the same kind.
    fn literal(&self, node: Node<'_>) -> Option<String> {
        let text = self.text(node);
        match node.kind() {
            "integer" | "float" => Some(other_number(text)),
            "unary_operator"
                if children(node)
                    .first()
                    .is_some_and(|inner| matches!(inner.kind(), "integer" | "float")) =>
            {
                Some(other_number(text))
            }
            "string" => longer_string(text, self.nonce),
            "true" => Some("False".to_owned()),
            "false" => Some("True".to_owned()),
            "none" | "dictionary" | "set" => Some(UNIQUE.to_owned()),
            "list" => Some(format!("[*{text}, '{}']", self.nonce)),
            "tuple" => Some(format!("(*{text}, '{}')", self.nonce)),
            _ => None,
        }
    }

    fn call(&self, call: &crate::lang::grammar::Call<'_>) -> Option<Variant> {
        let argument =
            |at: usize| call.arguments.get(at).copied().filter(|node| node.kind() != "keyword_argument");
        let (owner, name) = call.callee.rsplit_once('.').unwrap_or(("", &call.callee));
        if matches!((owner, name), ("pytest" | "", "raises"))
            || owner == "self" && matches!(name, "assertRaises" | "assertRaisesRegex")
        {
            let expected = argument(0)?;
            let other = format!("type('Other{}', (Exception,), {{}})", self.nonce);
            return Some(Variant { changes: vec![Change::of(expected, other)], red: TwinRed::AnyFailure });
        }
        if owner != "self" && owner != "cls" {
            return None;
        }
        let renamed = |to: &str| {
            let method = call.node.child_by_field_name("function")?.child_by_field_name("attribute")?;
            Some(vec![Change::of(method, to)])
        };
        let changes = match name {
            "assertEqual" | "assertEquals" => self.equality(argument(0)?, argument(1)?)?,
            "assertListEqual"
            | "assertDictEqual"
            | "assertTupleEqual"
            | "assertSetEqual"
            | "assertSequenceEqual"
            | "assertCountEqual"
            | "assertMultiLineEqual" => {
                let (left, right) = (argument(0)?, argument(1)?);
                let literal = [right, left].into_iter().find_map(|side| Some((side, self.literal(side)?)));
                match literal {
                    Some((side, changed)) if side.kind() != "dictionary" && side.kind() != "set" => {
                        vec![Change::of(side, changed)]
                    }
                    _ => {
                        let method =
                            call.node.child_by_field_name("function")?.child_by_field_name("attribute")?;
                        vec![Change::of(method, "assertNotEqual")]
                    }
                }
            }
            "assertTrue" | "assertFalse" => self.negated(argument(0)?),
            "assertIs" => renamed("assertIsNot")?,
            "assertIsNot" => renamed("assertIs")?,
            "assertIsNone" => renamed("assertIsNotNone")?,
            "assertIsNotNone" => renamed("assertIsNone")?,
            "assertIn" => renamed("assertNotIn")?,
            "assertNotIn" => renamed("assertIn")?,
            "assertIsInstance" => renamed("assertNotIsInstance")?,
            "assertNotIsInstance" => renamed("assertIsInstance")?,
            "assertNotEqual" => renamed("assertEqual")?,
            "assertAlmostEqual" => renamed("assertNotAlmostEqual")?,
            "assertGreater" => renamed("assertLessEqual")?,
            "assertLessEqual" => renamed("assertGreater")?,
            "assertLess" => renamed("assertGreaterEqual")?,
            "assertGreaterEqual" => renamed("assertLess")?,
            "assertRegex" => renamed("assertNotRegex")?,
            "assertNotRegex" => renamed("assertRegex")?,
            _ => return None,
        };
        // An assertion within a lambda or a default is not where the test fails.
        let plain = !descendants(call.node).skip(1).any(|inner| inner.kind() == "yield");
        plain.then(|| Variant::asserting(changes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::grammar::Grammar;
    use crate::lang::twin::{Twins, twins};

    fn of(source: &str, line: u32) -> Twins {
        twins(Grammar::Python, &PythonAssertions, source, line, "q7x").unwrap()
    }

    /// The altered line of each twin of the only assertion.
    fn lines(assertion: &str) -> Vec<String> {
        let source = format!("def test_a():\n    {assertion}\n");
        let twins = of(&source, 2);
        twins.at.iter().map(|twin| twin.content.lines().nth(1).unwrap().trim().to_owned()).collect()
    }

    #[test]
    fn expectations_are_made_wrong() {
        assert_eq!(lines("assert f() == 6"), ["assert f() == (-(6) - 1000003)"]);
        assert_eq!(lines("assert 180 == f()"), ["assert (-(180) - 1000003) == f()"]);
        assert_eq!(lines("assert f() == 'a', 'why'"), ["assert f() == 'aq7x', 'why'"]);
        assert_eq!(lines("assert f() == [1]"), ["assert f() == [*[1], 'q7x']"]);
        assert_eq!(lines("assert a == b"), ["assert a == object()", "assert object() == b"]);
        assert_eq!(lines("assert a == mock.ANY"), ["assert a == object()"]);
        assert_eq!(lines("assert a != b"), ["assert a == b"]);
        assert_eq!(lines("assert x in y"), ["assert (not (x in y))"]);
        assert_eq!(lines("assert 'x' in y"), ["assert 'xq7x' in y"]);
        assert_eq!(lines("assert x is None"), ["assert (not (x is None))"]);
        assert_eq!(lines("assert not x"), ["assert (x)"]);
        assert_eq!(lines("assert f() == 6 or True"), ["assert f() == (-(6) - 1000003) or True"]);
        assert_eq!(lines("self.assertEqual(f(), 6)"), ["self.assertEqual(f(), (-(6) - 1000003))"]);
        assert_eq!(lines("self.assertIsNone(f())"), ["self.assertIsNotNone(f())"]);
        assert_eq!(lines("self.assertTrue(f())"), ["self.assertTrue((not (f())))"]);
        assert_eq!(lines("assert True"), Vec::<String>::new());
        assert_eq!(lines("check(f(), 6)"), Vec::<String>::new());
    }

    #[test]
    fn an_expected_exception_is_another_one() {
        let twins = of("def test_a():\n    with pytest.raises(ValueError, match='x'):\n        f()\n", 2);
        assert_eq!(twins.at.len(), 1);
        assert_eq!(twins.at[0].red, TwinRed::AnyFailure);
        assert!(twins.at[0].content.contains("raises(type('Otherq7x', (Exception,), {}), match='x')"));
        assert_eq!(twins.trip, None);
    }

    #[test]
    fn assertions_behind_a_call_are_made_wrong_together() {
        let source = "def test_a():\n    assert ready()\n    x = f()\n    assert x == 1\n    for y in x:\n        assert y\n\n\ndef test_b():\n    assert g()\n";
        let twins = of(source, 3);
        assert_eq!(twins.at, []);
        let after = twins.after.unwrap().content;
        assert!(after.contains("assert ready()") && after.contains("assert g()"), "{after}");
        assert!(after.contains("x == (-(1) - 1000003)") && after.contains("assert (not (y))"), "{after}");
    }

    #[test]
    fn an_assertion_of_several_lines_keeps_the_lines_behind_it() {
        let source = "def test_a():\n    assert f() == {\n        'a': 1,\n    }\n    g()\n";
        let twin = of(source, 2).at.remove(0);
        assert_eq!(twin.content.lines().count(), source.lines().count(), "{}", twin.content);
        assert_eq!(
            of(source, 3).trip.unwrap().content,
            "def test_a():\n    raise AssertionError('q7x'\n\n)\n    g()\n"
        );
    }
}
