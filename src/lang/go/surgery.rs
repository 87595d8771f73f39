//! Insertions into Go functions.

use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::mutation::GoGrammar;
use crate::git::RepoPath;
use crate::lang::mutation::{Mutation, mutations};
use crate::lang::surgery::{
    Default, Entry, Function, Insertion, OtherBody, Prologue, Surgery, as_comments, lines_of,
};

/// Go.
pub(super) struct GoSurgery;

impl Surgery for GoSurgery {
    fn functions(&self, path: &RepoPath, source: &str) -> Option<Vec<Function>> {
        if path.extension() != Some("go") {
            return None;
        }
        let tree = parse(source)?;
        let mut found = Vec::new();
        let root = tree.root_node();
        let mut cursor = root.walk();
        for child in root.named_children(&mut cursor) {
            match child.kind() {
                "function_declaration" | "method_declaration" => found.extend(function(child, source)),
                "var_declaration" => variables(child, source, &mut found),
                _ => {}
            }
        }
        Some(found)
    }

    fn at_entry(
        &self,
        _path: &RepoPath,
        source: &str,
        function: &Function,
        prologue: &Prologue,
    ) -> Option<Vec<Insertion>> {
        let Entry::Block(at) = function.entry else { return None };
        let statement = match prologue {
            Prologue::Raise(message) => format!("panic({})", serde_json::Value::from(message.as_str())),
            Prologue::Return(default) => returned(function.returns.as_deref(), *default),
            Prologue::Mark(file) => return mark(source, at, file),
        };
        Some(vec![Insertion::new(at, format!(" {statement}; "))])
    }

    fn at_statement(
        &self,
        _path: &RepoPath,
        source: &str,
        statement: &Range<usize>,
        file: &str,
    ) -> Vec<Insertion> {
        mark(source, statement.start, file).unwrap_or_default()
    }

    fn mutations(&self, _path: &RepoPath, source: &str, lines: &[u32]) -> Vec<Mutation> {
        parse(source).map_or_else(Vec::new, |tree| mutations(&GoGrammar, &tree, source, lines))
    }

    /// The bodies stand at the function's start, each in a function literal with the same results, whose
    /// names and labels are its own. The variable is read when the package starts.
    fn behind_switch(
        &self,
        source: &str,
        name: &str,
        switch: &str,
        bodies: &[OtherBody<'_>],
    ) -> Option<Vec<Insertion>> {
        let mut found = Vec::new();
        if !bodies.is_empty() {
            found.push(Insertion::new(package_end(source)?, "; import switchos \"os\""));
            let read = format!("\n\nvar {name} = switchos.Getenv({switch:?})\n");
            found.push(Insertion::new(source.len(), read));
        }
        for OtherBody { function, value, body } in bodies {
            let at = function.inside()?.start;
            let branch = match &function.returns {
                Some(results) => format!("return func() {results} {{{body}\n}}()\n"),
                None => format!("func() {{{body}\n}}()\nreturn\n"),
            };
            found.push(Insertion::new(at, format!("\nif {name} == {value:?} {{\n{branch}}}\n")));
        }
        Some(found)
    }

    fn with_idle_text(&self, _path: &RepoPath, source: &str, text: &str) -> Option<String> {
        if source.trim().is_empty() {
            // A file of the package without any declaration.
            let clause = text.lines().find(|line| line.starts_with("package "))?;
            return Some(as_comments(&format!("{clause}\n"), text, "// "));
        }
        Some(as_comments(source, text, "// "))
    }
}

fn parse(source: &str) -> Option<Tree> {
    super::essence::parse(source).filter(|tree| !tree.root_node().has_error())
}

/// `return` with a value for each result: the zero value of its type, which Go gives to any type, or
/// another where the type is a plain one.
fn returned(results: Option<&str>, default: Default) -> String {
    let Some(results) = results else { return "if true { return }".to_owned() };
    let values: Vec<_> = types_of(results)
        .into_iter()
        .map(|kind| match (default, kind.as_str()) {
            (Default::Unusual, kind) => other_of(kind).map_or_else(|| format!("*new({kind})"), str::to_owned),
            _ => format!("*new({kind})"),
        })
        .collect();
    format!("if true {{ return {} }}", values.join(", "))
}

/// A value of a plain type that nobody expects; `None` for other types.
pub(super) fn other_of(kind: &str) -> Option<&'static str> {
    match kind {
        "string" => Some("\"other\""),
        "bool" => Some("true"),
        "int" | "int8" | "int16" | "int32" | "int64" | "uint" | "uint8" | "uint16" | "uint32" | "uint64"
        | "byte" | "rune" | "float32" | "float64" | "uintptr" => Some("113"),
        _ => None,
    }
}

/// The types of a result list as written (`error`, `(int, error)`, `(n int, err error)`).
pub(super) fn types_of(results: &str) -> Vec<String> {
    let Some(tree) = parse(&format!("package p\nfunc f() {results} {{}}\n")) else {
        return vec![results.to_owned()];
    };
    let source = format!("package p\nfunc f() {results} {{}}\n");
    let mut found = Vec::new();
    let root = tree.root_node();
    let mut cursor = root.walk();
    let result = root.named_children(&mut cursor).find_map(|child| child.child_by_field_name("result"));
    let Some(result) = result else { return vec![results.to_owned()] };
    if result.kind() != "parameter_list" {
        return vec![source[result.byte_range()].to_owned()];
    }
    let mut inner = result.walk();
    for parameter in result.named_children(&mut inner) {
        let Some(kind) = parameter.child_by_field_name("type") else { continue };
        let mut names = parameter.walk();
        let count = parameter.children_by_field_name("name", &mut names).count().max(1);
        found.extend(std::iter::repeat_n(source[kind.byte_range()].to_owned(), count));
    }
    found
}

/// The end of the package clause.
fn package_end(source: &str) -> Option<usize> {
    let tree = parse(source)?;
    let root = tree.root_node();
    let mut cursor = root.walk();
    let clause = root.named_children(&mut cursor).find(|child| child.kind() == "package_clause")?;
    Some(clause.end_byte())
}

/// Creates a file; the package that does it is imported under a name of its own.
fn mark(source: &str, at: usize, file: &str) -> Option<Vec<Insertion>> {
    let file = serde_json::Value::from(file);
    Some(vec![
        Insertion::new(package_end(source)?, "; import markos \"os\""),
        Insertion::new(at, format!(" if f, e := markos.Create({file}); e == nil {{ f.Close() }}; ")),
    ])
}

fn variables(node: Node<'_>, source: &str, found: &mut Vec<Function>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if child.kind() == "func_literal" {
            let name = child
                .parent()
                .and_then(|list| list.parent())
                .and_then(|spec| spec.child_by_field_name("name"))
                .map_or("?", |name| &source[name.byte_range()]);
            found.extend(body_of(child, name.to_owned(), source));
        } else {
            variables(child, source, found);
        }
    }
}

fn function(node: Node<'_>, source: &str) -> Option<Function> {
    let name = &source[node.child_by_field_name("name")?.byte_range()];
    let name = match node.child_by_field_name("receiver") {
        Some(receiver) => {
            let text = source[receiver.byte_range()].trim_matches(['(', ')']);
            let kind = text.rsplit([' ', '*']).next().unwrap_or(text);
            format!("{kind}.{name}")
        }
        None => name.to_owned(),
    };
    body_of(node, name, source)
}

fn body_of(node: Node<'_>, name: String, source: &str) -> Option<Function> {
    let body = node.child_by_field_name("body")?;
    let mut statements = Vec::new();
    statements_of(body, &mut statements);
    let returns = node.child_by_field_name("result").map(|result| source[result.byte_range()].to_owned());
    let void = returns.is_none();
    Some(Function {
        name,
        span: node.byte_range(),
        lines: lines_of(node),
        entry: Entry::Block(body.start_byte() + 1),
        returns,
        constant: false,
        yields: false,
        void,
        statements,
    })
}

fn statements_of(node: Node<'_>, found: &mut Vec<Range<usize>>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if matches!(node.kind(), "block" | "statement_list")
            && !matches!(child.kind(), "comment" | "statement_list" | "empty_statement")
        {
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
package p

import \"fmt\"

var hook = func(a int) string { return \"\" }

func F(a, b int) (n int, err error) {
	if a > b {
		return 1, nil
	}
outer:
	for {
		break outer
	}
	return
}

func (s *S[T]) M() { fmt.Println() }
";

    fn path() -> RepoPath {
        RepoPath::new("a.go").unwrap()
    }

    #[test]
    fn functions_and_methods_are_found() {
        let found = GoSurgery.functions(&path(), SOURCE).unwrap();
        let names: Vec<_> = found.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["hook", "F", "S[T].M"]);
    }

    #[test]
    fn a_value_is_returned_for_each_result() {
        assert_eq!(types_of("(n, m int, err error)"), ["int", "int", "error"]);
        assert_eq!(types_of("map[string][]int"), ["map[string][]int"]);
        assert_eq!(
            returned(Some("(string, *T)"), Default::Unusual),
            "if true { return \"other\", *new(*T) }"
        );
        assert_eq!(returned(None, Default::Usual), "if true { return }");
    }

    #[test]
    fn what_is_inserted_parses() {
        let found = GoSurgery.functions(&path(), SOURCE).unwrap();
        for prologue in [
            Prologue::Raise("non\"ce".to_owned()),
            Prologue::Return(Default::Usual),
            Prologue::Return(Default::Unusual),
            Prologue::Mark("/p/.x".to_owned()),
        ] {
            let all = found.iter().flat_map(|f| GoSurgery.at_entry(&path(), SOURCE, f, &prologue).unwrap());
            let text = insert(SOURCE, all.collect());
            assert!(parse(&text).is_some(), "{text}");
        }
        let marks = found.iter().flat_map(|f| &f.statements);
        let marks = marks.flat_map(|s| GoSurgery.at_statement(&path(), SOURCE, s, "/p/.x"));
        let text = insert(SOURCE, marks.collect());
        assert!(parse(&text).is_some(), "{text}");
        assert_eq!(text.matches("import markos").count(), 1);
    }
}
