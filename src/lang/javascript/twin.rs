//! Assertions of JavaScript: node's `assert`, `expect` of jest and vitest, chai.

use tree_sitter::Node;

use crate::lang::grammar::{Call, ancestors, call, children, descendants, function, is_string, text};
use crate::lang::twin::{Assertions, Change, TwinRed, Variant, longer_string, other_number};

/// As [`Assertions`].
pub(super) struct ScriptAssertions;

impl Assertions for ScriptAssertions {
    fn variants(&self, node: Node<'_>, source: &str, nonce: &str) -> Vec<Variant> {
        let twister = Twister { source, nonce };
        if let Some(call) = call(node, source).filter(|_| node.kind() == "call_expression") {
            return twister.call(&call);
        }
        // chai's properties: `expect(x).to.be.true`.
        let ends = node.kind() == "member_expression"
            && node
                .parent()
                .is_some_and(|above| matches!(above.kind(), "expression_statement" | "await_expression"));
        if ends && twister.text(node).starts_with("expect(") {
            return twister.negated(node).map(Variant::asserting).into_iter().collect();
        }
        Vec::new()
    }

    fn trip(&self, node: Node<'_>, _source: &str, nonce: &str) -> Option<Change> {
        let alone = node.parent().is_some_and(|above| {
            matches!(
                above.kind(),
                "expression_statement" | "await_expression" | "return_statement" | "arrow_function"
            )
        });
        alone.then(|| Change::of(node, format!("(() => {{ throw new Error('{nonce}'); }})()")))
    }

    fn is_test(&self, node: Node<'_>, source: &str) -> bool {
        let of_test = |above: Node<'_>| {
            call(above, source).is_some_and(|call| {
                let first = call.callee.split(['.', '(']).next().unwrap_or_default();
                matches!(first, "it" | "test" | "specify" | "t")
            })
        };
        function(node, source).is_some() && node.parent().and_then(|list| list.parent()).is_some_and(of_test)
    }
}

struct Twister<'a> {
    source: &'a str,
    nonce: &'a str,
}

impl Twister<'_> {
    fn text(&self, node: Node<'_>) -> &str {
        text(node, self.source)
    }

    fn call(&self, call: &Call<'_>) -> Vec<Variant> {
        let (owner, name) = call.callee.rsplit_once('.').unwrap_or(("", &call.callee));
        if owner.starts_with("expect(") {
            return self.expectation(call, name);
        }
        let library = matches!(owner, "assert" | "assert.strict" | "t.assert" | "chai.assert");
        if call.callee == "assert" || library && name == "ok" {
            let Some(condition) = call.arguments.first() else { return Vec::new() };
            let changes = self.falsify(*condition);
            return if changes.is_empty() { Vec::new() } else { vec![Variant::asserting(changes)] };
        }
        if !library {
            return Vec::new();
        }
        let renamed = |to: &str| {
            let method = call
                .node
                .child_by_field_name("function")
                .and_then(|callee| callee.child_by_field_name("property"));
            method.map(|method| vec![Change::of(method, to)])
        };
        let sides = call.arguments.first().copied().zip(call.arguments.get(1).copied());
        let changes = match name {
            "equal" | "strictEqual" | "deepEqual" | "deepStrictEqual" | "partialDeepStrictEqual" => {
                return sides.map(|(left, right)| self.equality(left, right)).unwrap_or_default();
            }
            "notEqual" => renamed("equal"),
            "notStrictEqual" => renamed("strictEqual"),
            "notDeepEqual" => renamed("deepEqual"),
            "notDeepStrictEqual" => renamed("deepStrictEqual"),
            "match" => renamed("doesNotMatch"),
            "doesNotMatch" => renamed("match"),
            "throws" => renamed("doesNotThrow"),
            "rejects" => renamed("doesNotReject"),
            "isTrue" => renamed("isFalse"),
            "isFalse" => renamed("isTrue"),
            _ => None,
        };
        // `doesNotThrow` takes other arguments, and what it lets through may end the test.
        let red = if matches!(name, "throws" | "rejects") { TwinRed::AnyFailure } else { TwinRed::Assertion };
        changes.map(|changes| Variant { changes, red }).into_iter().collect()
    }

    /// Changes by which a condition that holds ceases to hold; constants are no expectations.
    fn falsify(&self, node: Node<'_>) -> Vec<Change> {
        let sides = node.child_by_field_name("left").zip(node.child_by_field_name("right"));
        let operator = node.child_by_field_name("operator").map(|operator| self.text(operator));
        match (node.kind(), operator, sides) {
            ("parenthesized_expression", ..) => {
                children(node).into_iter().flat_map(|inner| self.falsify(inner)).collect()
            }
            ("binary_expression", Some("&&" | "||"), Some((left, right))) => {
                let mut changes = self.falsify(left);
                changes.extend(self.falsify(right));
                changes
            }
            ("binary_expression", Some("==" | "==="), Some((left, right))) => self
                .equality(left, right)
                .into_iter()
                .next()
                .map(|variant| variant.changes)
                .unwrap_or_default(),
            ("true" | "number" | "string", ..) => Vec::new(),
            _ => vec![Change::before(node, "!("), Change::behind(node, ")")],
        }
    }

    /// What is expected is a literal where there is one; else either side may be it.
    fn equality(&self, left: Node<'_>, right: Node<'_>) -> Vec<Variant> {
        if let Some((side, changed)) =
            [right, left].into_iter().find_map(|side| Some((side, self.literal(side)?)))
        {
            return vec![Variant::asserting(vec![Change::of(side, changed)])];
        }
        let unique = format!("Symbol('{}')", self.nonce);
        [right, left]
            .into_iter()
            .map(|side| Variant::asserting(vec![Change::of(side, unique.clone())]))
            .collect()
    }

    fn literal(&self, node: Node<'_>) -> Option<String> {
        let text = self.text(node);
        let unique = || format!("Symbol('{}')", self.nonce);
        match node.kind() {
            "number" if text.ends_with('n') => None,
            "number" => Some(other_number(text)),
            "unary_expression" if children(node).first().is_some_and(|inner| inner.kind() == "number") => {
                Some(other_number(text))
            }
            "string" => longer_string(text, self.nonce),
            "template_string" if !descendants(node).any(|inner| inner.kind() == "template_substitution") => {
                longer_string(text, self.nonce)
            }
            "true" => Some("false".to_owned()),
            "false" => Some("true".to_owned()),
            "array" => Some(format!("[...{text}, '{}']", self.nonce)),
            "null" | "undefined" | "object" => Some(unique()),
            _ => None,
        }
    }

    /// `expect(x).toBe(y)`, `expect(x).to.equal(y)`.
    fn expectation(&self, call: &Call<'_>, name: &str) -> Vec<Variant> {
        let Some(head) = subject(call.node, self.source) else { return Vec::new() };
        let is_negated = call.callee.contains(").not.") || call.callee.contains(".not.");
        // A snapshot must match; jest refuses to ask for the contrary.
        if name.contains("Snapshot") {
            return Vec::new();
        }
        let equality = matches!(
            name,
            "toBe"
                | "toEqual"
                | "toStrictEqual"
                | "toHaveLength"
                | "equal"
                | "equals"
                | "eq"
                | "eql"
                | "eqls"
                | "deepEqual"
        );
        if equality
            && !is_negated
            && let Some(expected) = call.arguments.first()
        {
            if let Some(changed) = self.literal(*expected) {
                return vec![Variant::asserting(vec![Change::of(*expected, changed)])];
            }
            if name == "toHaveLength" {
                return self.negated(call.node).map(Variant::asserting).into_iter().collect();
            }
            let unique = format!("Symbol('{}')", self.nonce);
            let mut variants = vec![Variant::asserting(vec![Change::of(*expected, unique.clone())])];
            let wild = ["expect.any", "Any", "ANY", "asymmetric"]
                .iter()
                .any(|word| self.text(*expected).contains(word));
            let asynchronous = call.callee.contains(".resolves") || call.callee.contains(".rejects");
            if let Some(actual) = head.arguments.first().filter(|_| !wild && !asynchronous) {
                variants.push(Variant::asserting(vec![Change::of(*actual, unique)]));
            }
            return variants;
        }
        self.negated(call.node).map(Variant::asserting).into_iter().collect()
    }

    /// With `.not` behind `expect(…)`, or without it.
    fn negated(&self, node: Node<'_>) -> Option<Vec<Change>> {
        let head = subject(node, self.source)?;
        let not = descendants(node).find(|inner| {
            inner.kind() == "property_identifier"
                && self.text(*inner) == "not"
                && inner.start_byte() >= head.node.end_byte()
        });
        match not {
            // The property and the dot before it.
            Some(not) => {
                Some(vec![Change { from: not.start_byte() - 1, to: not.end_byte(), text: String::new() }])
            }
            None => Some(vec![Change::behind(head.node, ".not")]),
        }
    }
}

/// The `expect(…)` at the head of a chain.
fn subject<'t>(node: Node<'t>, source: &str) -> Option<Call<'t>> {
    let start = node.start_byte();
    descendants(node)
        .filter(|inner| inner.start_byte() == start && inner.kind() == "call_expression")
        .filter_map(|inner| call(inner, source))
        .find(|call| call.callee == "expect")
        .filter(|call| {
            !ancestors(call.node).take(1).any(|above| above.kind() == "arguments") || !is_string(node)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::grammar::Grammar;
    use crate::lang::twin::twins;

    fn lines(assertion: &str) -> Vec<String> {
        let source = format!("test('a', async () => {{\n  {assertion};\n}});\n");
        let twins = twins(Grammar::JavaScript, &ScriptAssertions, &source, 2, "q7x").unwrap();
        let line = |content: &str| content.lines().nth(1).unwrap().trim().trim_end_matches(';').to_owned();
        twins.at.iter().map(|twin| line(&twin.content)).collect()
    }

    #[test]
    fn expectations_are_made_wrong() {
        assert_eq!(lines("assert.strictEqual(f(), 6)"), ["assert.strictEqual(f(), (-(6) - 1000003))"]);
        assert_eq!(lines("assert.equal('a', f())"), ["assert.equal('aq7x', f())"]);
        assert_eq!(
            lines("assert.deepStrictEqual(f(), b)"),
            ["assert.deepStrictEqual(f(), Symbol('q7x'))", "assert.deepStrictEqual(Symbol('q7x'), b)"]
        );
        assert_eq!(lines("assert.ok(f())"), ["assert.ok(!(f()))"]);
        assert_eq!(lines("assert(f())"), ["assert(!(f()))"]);
        assert_eq!(lines("assert(f() === 6 || true)"), ["assert(f() === (-(6) - 1000003) || true)"]);
        assert_eq!(lines("expect(f()).toBe(6)"), ["expect(f()).toBe((-(6) - 1000003))"]);
        assert_eq!(lines("expect(f()).toEqual({ a: 1 })"), ["expect(f()).toEqual(Symbol('q7x'))"]);
        assert_eq!(
            lines("await expect(f()).resolves.toBe('x')"),
            ["await expect(f()).resolves.toBe('xq7x')"]
        );
        assert_eq!(lines("expect(f()).toContain(1)"), ["expect(f()).not.toContain(1)"]);
        assert_eq!(lines("expect(f()).not.toBe(1)"), ["expect(f()).toBe(1)"]);
        assert_eq!(lines("expect(() => f()).toThrow('x')"), ["expect(() => f()).not.toThrow('x')"]);
        assert_eq!(lines("expect(f()).to.equal(6)"), ["expect(f()).to.equal((-(6) - 1000003))"]);
        assert_eq!(lines("expect(f()).to.be.true"), ["expect(f()).not.to.be.true"]);
        assert_eq!(lines("assert.throws(() => f(), /x/)"), ["assert.doesNotThrow(() => f(), /x/)"]);
        assert_eq!(lines("expect(f()).toMatchSnapshot()"), Vec::<String>::new());
        assert_eq!(lines("check(f(), 6)"), Vec::<String>::new());
    }

    #[test]
    fn assertions_of_other_tests_stay() {
        let source = "describe('x', () => {\n  test('a', () => {\n    const x = f();\n    assert.equal(x, 1);\n  });\n  test('b', () => {\n    assert.equal(g(), 2);\n  });\n});\n";
        let twins = twins(Grammar::JavaScript, &ScriptAssertions, source, 3, "q7x").unwrap();
        let after = twins.after.unwrap().content;
        assert!(after.contains("(-(1) - 1000003)") && after.contains("assert.equal(g(), 2)"), "{after}");
    }
}
