//! What mutants have to know of Python.

use std::ops::Range;

use tree_sitter::Node;

use crate::lang::mutation::Operator::{Arithmetic, Boolean, Relational, Statement};
use crate::lang::mutation::{Grammar, Literal, Mutation, Swap, is_talk};

/// Python.
pub(super) struct PythonGrammar;

impl Grammar for PythonGrammar {
    fn skips(&self, node: Node<'_>, source: &str) -> bool {
        let text = |node: Node<'_>| source[node.byte_range()].trim();
        match node.kind() {
            "comment"
            | "type"
            | "import_statement"
            | "import_from_statement"
            | "future_import_statement"
            | "decorator"
            | "type_alias_statement" => true,
            // A docstring, or another constant that stands alone.
            "expression_statement" => {
                node.named_child_count() == 1
                    && node.named_child(0).is_some_and(|child| matches!(child.kind(), "string" | "ellipsis"))
            }
            "call" => node.child_by_field_name("function").is_some_and(|callee| is_talk(text(callee))),
            // The message of an assertion or of an error.
            "string" | "concatenated_string" => is_message(node),
            // What only type checkers read.
            "if_statement" => node
                .child_by_field_name("condition")
                .is_some_and(|condition| text(condition).ends_with("TYPE_CHECKING")),
            "assignment" => node
                .child_by_field_name("left")
                .is_some_and(|left| matches!(text(left), "__all__" | "__slots__" | "__match_args__")),
            _ => false,
        }
    }

    fn operators<'t>(&self, node: Node<'t>) -> Vec<Node<'t>> {
        let mut cursor = node.walk();
        match node.kind() {
            "comparison_operator" => node.children_by_field_name("operators", &mut cursor).collect(),
            "binary_operator" | "boolean_operator" | "augmented_assignment" => {
                node.child_by_field_name("operator").into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn swaps(&self, token: &str) -> &'static [Swap] {
        match token {
            "in" => &[("not in", Relational)],
            "not in" => &[("in", Relational)],
            "is" => &[("is not", Relational)],
            "is not" => &[("is", Relational)],
            "and" => &[("or", Boolean)],
            "or" => &[("and", Boolean)],
            "//" => &[("*", Arithmetic)],
            "**" => &[("*", Arithmetic)],
            "//=" => &[("*=", Arithmetic)],
            "**=" => &[("*=", Arithmetic)],
            _ => &[],
        }
    }

    fn negated<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        match node.kind() {
            "not_operator" => node.child_by_field_name("argument"),
            _ => None,
        }
    }

    fn condition<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        match node.kind() {
            "if_statement" | "elif_clause" | "while_statement" => node.child_by_field_name("condition"),
            "conditional_expression" => node.named_child(1),
            "if_clause" => node.named_child(0),
            _ => None,
        }
    }

    fn negate(&self, text: &str) -> String {
        format!("not ({text})")
    }

    fn literal(&self, node: Node<'_>, source: &str) -> Option<Literal> {
        match node.kind() {
            "integer" | "float" => Some(Literal::Number),
            "true" => Some(Literal::Truth("False")),
            "false" => Some(Literal::Truth("True")),
            "concatenated_string" => Some(Literal::Text("\"\"")),
            // The parts of a concatenation are emptied together.
            "string" if node.parent().is_some_and(|parent| parent.kind() == "concatenated_string") => None,
            "string" => {
                let prefix = source[node.byte_range()].split(['"', '\'']).next().unwrap_or_default();
                let bytes = prefix.contains(['b', 'B']);
                Some(Literal::Text(if bytes { "b\"\"" } else { "\"\"" }))
            }
            _ => None,
        }
    }

    fn returned(&self, node: Node<'_>, _source: &str) -> Vec<(Range<usize>, String)> {
        let value = match node.kind() {
            "return_statement" => node.named_child(0),
            "lambda" => node.child_by_field_name("body"),
            _ => None,
        };
        let value = value.filter(|value| value.kind() != "none");
        value.map(|value| (value.byte_range(), "None".to_owned())).into_iter().collect()
    }

    fn left_out(&self, node: Node<'_>, source: &str) -> Option<&'static str> {
        let deletable = match node.kind() {
            "raise_statement" | "delete_statement" | "continue_statement" | "break_statement" => true,
            // One after which something else happens; the last one is a matter of its value.
            "return_statement" => is_early(node),
            "expression_statement" => {
                let inner = node.named_child(0)?;
                match inner.kind() {
                    "call" => !self.skips(inner, source),
                    "await" | "augmented_assignment" => true,
                    "assignment" => inner.child_by_field_name("left").is_some_and(|left| {
                        inner.child_by_field_name("right").is_some()
                            && (matches!(left.kind(), "attribute" | "subscript")
                                || is_bound_before(left, source))
                    }),
                    _ => false,
                }
            }
            _ => false,
        };
        deletable.then_some("pass")
    }

    fn is_jump(&self, node: Node<'_>) -> bool {
        matches!(
            node.kind(),
            "return_statement" | "raise_statement" | "break_statement" | "continue_statement"
        )
    }

    /// A block that is entered without its context (a lock).
    fn special(&self, node: Node<'_>, source: &str) -> Vec<Mutation> {
        let Some(body) = node.child_by_field_name("body").filter(|_| node.kind() == "with_statement") else {
            return Vec::new();
        };
        let head = &source[node.start_byte()..body.start_byte()];
        let Some(colon) = head.rfind(':') else { return Vec::new() };
        if head.contains(" as ") {
            return Vec::new();
        }
        let range = node.start_byte()..node.start_byte() + colon + 1;
        vec![Mutation {
            operator: Statement,
            shown: range.clone(),
            range,
            replacement: "if True:".to_owned(),
        }]
    }
}

/// True for a text that is given to an error which is raised, or that explains an assertion.
fn is_message(node: Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return false };
    match parent.kind() {
        "assert_statement" => parent.named_child(0) != Some(node),
        "argument_list" => parent
            .parent()
            .and_then(|call| call.parent())
            .is_some_and(|raised| raised.kind() == "raise_statement"),
        _ => false,
    }
}

/// True for a `return` in a branch or a loop of its function.
fn is_early(node: Node<'_>) -> bool {
    let outer = node.parent().and_then(|block| block.parent());
    outer.is_some_and(|outer| !matches!(outer.kind(), "function_definition" | "module"))
}

/// True for a name that its function holds already, as a parameter or from before.
fn is_bound_before(left: Node<'_>, source: &str) -> bool {
    if left.kind() != "identifier" {
        return false;
    }
    let mut function = left.parent();
    while let Some(node) = function
        && node.kind() != "function_definition"
    {
        function = node.parent();
    }
    let Some(function) = function else { return false };
    let name = &source[left.byte_range()];
    let before = &source[function.start_byte()..left.start_byte()];
    before.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use crate::git::RepoPath;
    use crate::lang::LANGUAGES;
    use crate::lang::mutation::Operator;

    /// `before → after` of every mutation of the source by an operator.
    fn changes(operator: Operator, source: &str) -> Vec<String> {
        let surgery = LANGUAGES[0].surgery();
        let path = RepoPath::new("a.py").unwrap();
        let lines: Vec<u32> = (1..=u32::try_from(source.lines().count()).unwrap()).collect();
        let found = surgery.mutations(&path, source, &lines);
        for one in &found {
            let text = one.apply(source);
            assert!(LANGUAGES[0].essence(&path, &text).is_some(), "{text}");
        }
        let found = found.into_iter().filter(|one| one.operator == operator);
        found.map(|one| format!("{} → {}", &source[one.range.clone()], one.replacement)).collect()
    }

    #[test]
    fn relational() {
        let source = "def f(a, b):\n    return a == b, a != b, a < b, a >= b, a in b, a is not b\n";
        let expected = ["== → !=", "!= → ==", "< → >=", ">= → <", "in → not in", "is not → is"];
        assert_eq!(changes(Operator::Relational, source), expected);
    }

    #[test]
    fn boundary() {
        assert_eq!(changes(Operator::Boundary, "def f(a):\n    return 1 < a <= 3\n"), ["< → <=", "<= → <"]);
    }

    #[test]
    fn boolean() {
        let source = "def f(a, b):\n    if a and b:\n        return not a\n    while g(a):\n        pass\n    return 1 if b else 2\n";
        let expected =
            ["a and b → not (a and b)", "and → or", "not a → a", "g(a) → not (g(a))", "b → not (b)"];
        assert_eq!(changes(Operator::Boolean, source), expected);
    }

    #[test]
    fn a_condition_with_an_opposite_of_its_own_is_not_negated_twice() {
        assert_eq!(changes(Operator::Boolean, "if a < b:\n    x = 1\n"), Vec::<String>::new());
        assert_eq!(changes(Operator::Boolean, "if not b:\n    x = 1\n"), ["not b → b"]);
    }

    #[test]
    fn arithmetic() {
        let source = "def f(a, b):\n    a += b\n    a -= 0\n    return a + b, a // b, a ** 2, a * 1, 'x' + a, '%s' % b\n";
        assert_eq!(changes(Operator::Arithmetic, source), ["+= → -=", "+ → -", "// → *", "** → *"]);
    }

    #[test]
    fn constant() {
        let source = "X = 3\nY = 'a' 'b'\nZ = b'x'\nW = f'{X + 0}'\ndef f(a=True):\n    '''Doc 1.'''\n    raise E('no 1')\n";
        let expected = [
            "3 → 4",
            "3 → 2",
            "'a' 'b' → \"\"",
            "b'x' → b\"\"",
            "f'{X + 0}' → \"\"",
            "0 → 1",
            "True → False",
        ];
        assert_eq!(changes(Operator::Constant, source), expected);
    }

    #[test]
    fn return_value() {
        let source = "def f(a):\n    if a:\n        return None\n    g(lambda x: x)\n    return a\n";
        assert_eq!(changes(Operator::ReturnValue, source), ["x → None", "a → None"]);
    }

    #[test]
    fn statement() {
        let source = "def f(a, lock):\n    with lock:\n        a.b = 1\n    new = g()\n    a = new\n    if a:\n        return 1\n    \
                      raise E\n";
        let expected = [
            "with lock: → if True:",
            "a.b = 1 → pass",
            "a = new → pass",
            "return 1 → pass",
            "raise E → pass",
        ];
        assert_eq!(changes(Operator::Statement, source), expected);
    }

    #[test]
    fn what_only_tells_people_something_is_left_alone() {
        let source = "import a\n@deco(1)\ndef f(x: 'T[1]') -> 'T':\n    # 1 < 2\n    print(1 + x)\n    log.info('%s', 1)\n    \
                      assert x, 'one'\n    return\n    x = 1\n";
        for operator in [Operator::Arithmetic, Operator::Constant, Operator::Statement, Operator::ReturnValue]
        {
            assert_eq!(changes(operator, source), Vec::<String>::new(), "{operator}");
        }
    }

    #[test]
    fn only_the_lines_asked_for_are_changed() {
        let source = "def f(a):\n    a += 1\n    return (a <\n        2)\n";
        let path = RepoPath::new("a.py").unwrap();
        let found = LANGUAGES[0].surgery().mutations(&path, source, &[4]);
        let found: Vec<_> = found.iter().map(|one| one.replacement.as_str()).collect();
        assert_eq!(found, ["3", "1"]);
    }
}
