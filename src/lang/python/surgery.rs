//! Insertions into Python functions.

use std::ops::Range;

use tree_sitter::Node;

use super::essence::parse;
use super::mutation::PythonGrammar;
use crate::git::RepoPath;
use crate::lang::mutation::{Mutation, mutations};
use crate::lang::surgery::{
    Default, Entry, Function, Insertion, Prologue, Surgery, Value, as_comments, lines_of,
};

/// Python.
pub(super) struct PythonSurgery;

impl Surgery for PythonSurgery {
    fn functions(&self, path: &RepoPath, source: &str) -> Option<Vec<Function>> {
        if !matches!(path.extension(), Some("py" | "pyw")) {
            return None;
        }
        let tree = parse(source)?;
        let mut found = Vec::new();
        collect(tree.root_node(), source, "", &mut found);
        Some(found)
    }

    fn values(&self, _path: &RepoPath, source: &str) -> Vec<Value> {
        let Some(tree) = parse(source) else { return Vec::new() };
        let root = tree.root_node();
        let mut cursor = root.walk();
        let statements =
            root.named_children(&mut cursor).filter(|child| child.kind() == "expression_statement");
        let value = |statement: Node<'_>| {
            let assignment = statement.named_child(0).filter(|child| child.kind() == "assignment")?;
            let name = assignment.child_by_field_name("left").filter(|left| left.kind() == "identifier")?;
            let expression = assignment.child_by_field_name("right")?.byte_range();
            let name = source[name.byte_range()].to_owned();
            Some(Value { name, lines: lines_of(statement), expression, nothing: "None" })
        };
        statements.filter_map(value).collect()
    }

    fn at_entry(
        &self,
        _path: &RepoPath,
        source: &str,
        function: &Function,
        prologue: &Prologue,
    ) -> Option<Vec<Insertion>> {
        let statement = match prologue {
            Prologue::Raise(message) => format!("raise RuntimeError({message:?})"),
            Prologue::Return(Default::Usual) => "return".to_owned(),
            Prologue::Return(Default::Unusual) if function.yields => "yield ...; return".to_owned(),
            // One and the same each time: a test that compares production with itself does not look at it.
            Prologue::Return(Default::Unusual) => "return ...".to_owned(),
            Prologue::Mark(file) => mark(file),
        };
        let Entry::Block(at) = function.entry else { return None };
        Some(vec![in_front(source, at, &statement)])
    }

    fn at_statement(
        &self,
        _path: &RepoPath,
        source: &str,
        statement: &Range<usize>,
        file: &str,
    ) -> Vec<Insertion> {
        vec![in_front(source, statement.start, &mark(file))]
    }

    fn mutations(&self, _path: &RepoPath, source: &str, lines: &[u32]) -> Vec<Mutation> {
        parse(source).map_or_else(Vec::new, |tree| mutations(&PythonGrammar, &tree, source, lines))
    }

    fn with_idle_text(&self, _path: &RepoPath, source: &str, text: &str) -> Option<String> {
        let mut kept = source.to_owned();
        if !kept.is_empty() && !kept.ends_with('\n') {
            kept.push('\n');
        }
        // Code that never runs, so that also those who read the syntax tree find it.
        kept.push_str("if 0:\n pass\n");
        for line in text.lines() {
            kept.push(' ');
            kept.push_str(line);
            kept.push('\n');
        }
        if !text.contains("__future__") && parse(&kept).is_some() {
            return Some(kept);
        }
        Some(as_comments(source, text, "# "))
    }
}

fn mark(file: &str) -> String {
    format!("open({file:?}, 'a').close()")
}

/// A statement before the one at byte `at`: on a line of its own, or on the same line after a colon.
fn in_front(source: &str, at: usize, statement: &str) -> Insertion {
    let start = source[..at].rfind('\n').map_or(0, |end| end + 1);
    let indent = &source[start..at];
    if indent.trim().is_empty() {
        Insertion::new(at, format!("{statement}\n{indent}"))
    } else {
        Insertion::new(at, format!("{statement}; "))
    }
}

fn collect(node: Node<'_>, source: &str, prefix: &str, found: &mut Vec<Function>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        match child.kind() {
            "function_definition" => found.extend(function(child, child, source, prefix)),
            "decorated_definition" => {
                let Some(inner) = child.child_by_field_name("definition") else { continue };
                if inner.kind() == "function_definition" {
                    found.extend(function(inner, child, source, prefix));
                } else {
                    class(inner, source, prefix, found);
                }
            }
            "class_definition" => class(child, source, prefix, found),
            // Definitions that depend on a condition.
            "if_statement" | "else_clause" | "elif_clause" | "try_statement" | "except_clause"
            | "finally_clause" | "with_statement" | "block" => collect(child, source, prefix, found),
            _ => {}
        }
    }
}

fn class(node: Node<'_>, source: &str, prefix: &str, found: &mut Vec<Function>) {
    let (Some(name), Some(body)) = (node.child_by_field_name("name"), node.child_by_field_name("body"))
    else {
        return;
    };
    collect(body, source, &format!("{prefix}{}.", &source[name.byte_range()]), found);
}

fn function(node: Node<'_>, whole: Node<'_>, source: &str, prefix: &str) -> Option<Function> {
    let name = &source[node.child_by_field_name("name")?.byte_range()];
    let body = node.child_by_field_name("body")?;
    let mut statements = Vec::new();
    statements_of(body, &mut statements);
    let mut cursor = body.walk();
    let mut direct = body.named_children(&mut cursor).filter(|child| child.kind() != "comment");
    let first = direct.next()?;
    let is_docstring = first.kind() == "expression_statement"
        && first.named_child_count() == 1
        && first.named_child(0).is_some_and(|child| child.kind() == "string");
    let entry = match (is_docstring, direct.next()) {
        (true, Some(second)) => second.start_byte(),
        // A function of nothing but a docstring does nothing anyway.
        _ => first.start_byte(),
    };
    let returns = node.child_by_field_name("return_type").map(|kind| source[kind.byte_range()].to_owned());
    Some(Function {
        name: format!("{prefix}{name}"),
        span: whole.byte_range(),
        lines: lines_of(whole),
        entry: Entry::Block(entry),
        returns,
        constant: false,
        yields: yields(body),
        void: !yields(body) && !returns_value(body),
        statements,
    })
}

/// True when a `return` with a value belongs to this block and not to a function inside it.
fn returns_value(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|child| match child.kind() {
        "return_statement" => child.named_child(0).is_some_and(|value| value.kind() != "none"),
        "function_definition" | "lambda" | "class_definition" => false,
        _ => returns_value(child),
    })
}

/// True when a `yield` belongs to this block and not to a function inside it.
fn yields(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|child| match child.kind() {
        "yield" => true,
        "function_definition" | "lambda" | "class_definition" => false,
        _ => yields(child),
    })
}

/// Statements of a block and of the blocks in it.
fn statements_of(node: Node<'_>, found: &mut Vec<Range<usize>>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if node.kind() == "block" && child.kind() != "comment" {
            found.push(child.byte_range());
        }
        statements_of(child, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::surgery::insert;

    const SOURCE: &str = "\
import a

@deco(1)
def f(x):
    '''Doc.'''
    if x: return 1
    for y in x:
        g(y)

class C:
    @property
    def p(self) -> int: return self._p

    async def q(self):
        def inner():
            pass
        yield 1
try:
    import b
except ImportError:
    def b(): pass
";

    fn path() -> RepoPath {
        RepoPath::new("a.py").unwrap()
    }

    #[test]
    fn outermost_functions_are_found_wherever_they_are_defined() {
        let found = PythonSurgery.functions(&path(), SOURCE).unwrap();
        let names: Vec<_> = found.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["f", "C.p", "C.q", "b"]);
        assert_eq!(found.iter().map(|f| f.yields).collect::<Vec<_>>(), [false, false, true, false]);
        assert_eq!(found.iter().map(|f| f.void).collect::<Vec<_>>(), [false, false, false, true]);
        assert_eq!(found[0].lines, (3, 8));
        assert!(SOURCE[found[0].span.clone()].starts_with("@deco(1)"));
        assert_eq!(PythonSurgery.functions(&path(), "def f(:\n"), None);
    }

    #[test]
    fn what_is_inserted_parses_and_stands_after_the_docstring() {
        for prologue in [
            Prologue::Raise("no\"nce".to_owned()),
            Prologue::Return(Default::Usual),
            Prologue::Return(Default::Unusual),
            Prologue::Mark("/p/.x".to_owned()),
        ] {
            let found = PythonSurgery.functions(&path(), SOURCE).unwrap();
            let all =
                found.iter().flat_map(|f| PythonSurgery.at_entry(&path(), SOURCE, f, &prologue).unwrap());
            let text = insert(SOURCE, all.collect());
            assert!(parse(&text).is_some(), "{text}");
            let doc = text.find("'''Doc.'''").unwrap();
            let at = text.find(if matches!(prologue, Prologue::Mark(_)) { "open(" } else { "r" }).unwrap();
            assert!(
                at < doc || text[doc..].lines().nth(1).is_some_and(|line| line.starts_with("    ")),
                "{text}"
            );
        }
        let found = PythonSurgery.functions(&path(), SOURCE).unwrap();
        let text = insert(
            SOURCE,
            found
                .iter()
                .flat_map(|f| &f.statements)
                .flat_map(|statement| PythonSurgery.at_statement(&path(), SOURCE, statement, "/p/.x"))
                .collect(),
        );
        assert!(parse(&text).is_some(), "{text}");
        assert!(text.contains("if x: open(\"/p/.x\", 'a').close(); return 1"), "{text}");
    }

    #[test]
    fn text_is_kept_as_code_that_never_runs() {
        let kept = PythonSurgery
            .with_idle_text(&path(), "x = 1", "def f():\n    with lock:\n        pass\n")
            .unwrap();
        assert!(kept.starts_with("x = 1\nif 0:\n") && kept.contains("with lock:"), "{kept}");
        let kept =
            PythonSurgery.with_idle_text(&path(), "x = 1", "from __future__ import annotations\n").unwrap();
        assert!(kept.ends_with("x = 1\n# from __future__ import annotations\n"), "{kept}");
    }
}
