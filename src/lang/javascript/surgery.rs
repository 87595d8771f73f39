//! Insertions into JavaScript and TypeScript functions.

use std::ops::Range;

use tree_sitter::Node;

use super::essence::parse;
use super::mutation::JavaScriptGrammar;
use crate::git::RepoPath;
use crate::lang::mutation::{Mutation, mutations};
use crate::lang::surgery::{
    Default, Entry, Function, Insertion, Prologue, Surgery, Value, as_comments, lines_of,
};

/// JavaScript and TypeScript.
pub(super) struct JavaScriptSurgery;

impl Surgery for JavaScriptSurgery {
    fn functions(&self, path: &RepoPath, source: &str) -> Option<Vec<Function>> {
        let tree = parse(path, source)?;
        let mut found = Vec::new();
        collect(tree.root_node(), source, "", &mut found);
        Some(found)
    }

    fn values(&self, path: &RepoPath, source: &str) -> Vec<Value> {
        let Some(tree) = parse(path, source) else { return Vec::new() };
        let root = tree.root_node();
        let mut found = Vec::new();
        let mut cursor = root.walk();
        for mut statement in root.named_children(&mut cursor) {
            if statement.kind() == "export_statement" {
                let Some(inner) = statement.child_by_field_name("declaration") else { continue };
                statement = inner;
            }
            if !matches!(statement.kind(), "lexical_declaration" | "variable_declaration")
                || statement.named_child_count() != 1
            {
                continue;
            }
            let value = |declarator: Node<'_>| {
                let name =
                    declarator.child_by_field_name("name").filter(|name| name.kind() == "identifier")?;
                let expression = declarator.child_by_field_name("value")?;
                // Functions and modules are no mere values.
                let text = &source[expression.byte_range()];
                if matches!(expression.kind(), "arrow_function" | "function_expression" | "class")
                    || text.contains("require(")
                {
                    return None;
                }
                let nothing = if is_typed(path) { "undefined as any" } else { "undefined" };
                let name = source[name.byte_range()].to_owned();
                Some(Value { name, lines: lines_of(statement), expression: expression.byte_range(), nothing })
            };
            found.extend(statement.named_child(0).and_then(value));
        }
        found
    }

    fn at_entry(
        &self,
        path: &RepoPath,
        _source: &str,
        function: &Function,
        prologue: &Prologue,
    ) -> Option<Vec<Insertion>> {
        let typed = is_typed(path);
        // The condition keeps what follows reachable for those who check that.
        let statement = match prologue {
            Prologue::Raise(message) => {
                format!(
                    "if (Math.abs(1) > 0) throw new Error({});",
                    serde_json::Value::from(message.as_str())
                )
            }
            Prologue::Return(default) => {
                // One and the same each time: a test that compares production with itself does not look at it.
                let value = if *default == Default::Usual { "undefined" } else { "Symbol.for('other')" };
                let cast = if typed { " as any" } else { "" };
                let hand_out = if function.yields && *default == Default::Unusual {
                    format!("yield {value}{cast}; return;")
                } else {
                    format!("return {value}{cast};")
                };
                format!("if (Math.abs(1) > 0) {{ {hand_out} }}")
            }
            Prologue::Mark(file) => mark(file, typed),
        };
        Some(match &function.entry {
            Entry::Block(at) => vec![Insertion::new(*at, format!(" {statement} "))],
            Entry::Expression(range) => vec![
                Insertion::new(range.start, format!("{{ {statement} return (")),
                Insertion::new(range.end, "); }"),
            ],
        })
    }

    fn at_statement(
        &self,
        path: &RepoPath,
        _source: &str,
        statement: &Range<usize>,
        file: &str,
    ) -> Vec<Insertion> {
        vec![Insertion::new(statement.start, format!("{} ", mark(file, is_typed(path))))]
    }

    fn mutations(&self, path: &RepoPath, source: &str, lines: &[u32]) -> Vec<Mutation> {
        let grammar = JavaScriptGrammar { typed: is_typed(path) };
        parse(path, source).map_or_else(Vec::new, |tree| mutations(&grammar, &tree, source, lines))
    }

    fn with_idle_text(&self, _path: &RepoPath, source: &str, text: &str) -> Option<String> {
        Some(as_comments(source, text, "// "))
    }
}

fn is_typed(path: &RepoPath) -> bool {
    matches!(path.extension(), Some("ts" | "mts" | "cts" | "tsx"))
}

/// Creates a file, in modules of either kind and whatever the runner made of `require`.
fn mark(file: &str, typed: bool) -> String {
    let file = serde_json::Value::from(file);
    let (global, require) = if typed {
        ("(globalThis as any)", "(globalThis as any).require")
    } else {
        ("globalThis", "require")
    };
    format!(
        ";try {{ const p = {global}.process; (p.getBuiltinModule ? p.getBuiltinModule('node:fs') : {require}('node:fs'))\
         .writeFileSync({file}, ''); }} catch {{}}"
    )
}

/// Functions below `node`, outermost first.
fn collect(node: Node<'_>, source: &str, prefix: &str, found: &mut Vec<Function>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        match child.kind() {
            "function_declaration"
            | "generator_function_declaration"
            | "function_expression"
            | "generator_function"
            | "arrow_function"
            | "method_definition" => {
                if is_wrapper(child, source) {
                    collect(child, source, prefix, found);
                } else {
                    found.extend(function(child, source, prefix));
                }
            }
            "class_declaration" | "class" | "abstract_class_declaration" => {
                let name = child.child_by_field_name("name").map(|name| &source[name.byte_range()]);
                let name = name.map_or_else(|| bound_name(child, source), str::to_owned);
                collect(child, source, &format!("{prefix}{name}."), found);
            }
            "variable_declarator" | "pair" | "assignment_expression"
                if ["value", "right"].iter().any(|field| {
                    child.child_by_field_name(field).is_some_and(|value| value.kind() == "object")
                }) =>
            {
                let field = if child.kind() == "variable_declarator" {
                    "name"
                } else if child.kind() == "pair" {
                    "key"
                } else {
                    "left"
                };
                let name = child.child_by_field_name(field).map_or("", |name| &source[name.byte_range()]);
                collect(child, source, &format!("{prefix}{name}."), found);
            }
            _ => collect(child, source, prefix, found),
        }
    }
}

/// A function that only wraps a module: called on the spot, or handed to a top-level call and as
/// long as most of the file.
fn is_wrapper(node: Node<'_>, source: &str) -> bool {
    let mut above = node.parent();
    while let Some(parent) = above {
        match parent.kind() {
            "parenthesized_expression" | "unary_expression" | "member_expression" => above = parent.parent(),
            "call_expression" => {
                let called = parent.child_by_field_name("function");
                return called.is_some_and(|called| called.byte_range().contains(&node.start_byte()));
            }
            "arguments" => return node.byte_range().len() * 10 > source.len() * 6,
            _ => return false,
        }
    }
    false
}

/// The name under which an anonymous function or class can be reached.
fn bound_name(node: Node<'_>, source: &str) -> String {
    let mut above = node.parent();
    while let Some(parent) = above {
        let field = match parent.kind() {
            "variable_declarator" => "name",
            "pair" => "key",
            "assignment_expression" => "left",
            "public_field_definition" | "field_definition" => {
                let name = ["name", "property"].iter().find_map(|field| parent.child_by_field_name(field));
                return name.map_or_else(|| "?".to_owned(), |name| source[name.byte_range()].to_owned());
            }
            "export_statement" => return "default".to_owned(),
            "parenthesized_expression"
            | "as_expression"
            | "satisfies_expression"
            | "call_expression"
            | "arguments" => {
                above = parent.parent();
                continue;
            }
            _ => return "?".to_owned(),
        };
        let name = parent.child_by_field_name(field);
        return name.map_or_else(|| "?".to_owned(), |name| source[name.byte_range()].to_owned());
    }
    "?".to_owned()
}

fn function(node: Node<'_>, source: &str, prefix: &str) -> Option<Function> {
    let body = node.child_by_field_name("body")?;
    let name = node.child_by_field_name("name").map(|name| source[name.byte_range()].to_owned());
    let name = name.unwrap_or_else(|| bound_name(node, source));
    let mut statements = Vec::new();
    let entry = if body.kind() == "statement_block" {
        statements_of(body, &mut statements);
        Entry::Block(after_directives(body, source))
    } else {
        Entry::Expression(body.byte_range())
    };
    let returns = node.child_by_field_name("return_type").map(|kind| source[kind.byte_range()].to_owned());
    Some(Function {
        name: format!("{prefix}{name}"),
        span: node.byte_range(),
        lines: lines_of(node),
        entry,
        returns,
        constant: false,
        void: body.kind() == "statement_block" && !returns_value(body),
        yields: node.kind().starts_with("generator_")
            || source[node.start_byte()..body.start_byte()]
                .trim_start_matches("static ")
                .trim_start_matches("async ")
                .starts_with('*'),
        statements,
    })
}

/// True when a `return` or a `yield` with a value belongs to this block and not to a function inside it.
fn returns_value(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|child| match child.kind() {
        "return_statement" | "yield_expression" => child.named_child_count() > 0,
        "function_declaration"
        | "generator_function_declaration"
        | "function_expression"
        | "generator_function"
        | "arrow_function"
        | "method_definition"
        | "class_declaration"
        | "class" => false,
        _ => returns_value(child),
    })
}

/// After `{` and directives such as `'use strict'`.
fn after_directives(block: Node<'_>, source: &str) -> usize {
    let mut at = block.start_byte() + 1;
    let mut cursor = block.walk();
    for child in block.named_children(&mut cursor) {
        if child.kind() == "comment" {
            continue;
        }
        let text = source[child.byte_range()].trim_end_matches(';');
        if child.kind() != "expression_statement"
            || !text.starts_with(['\'', '"'])
            || !text.ends_with(['\'', '"'])
        {
            break;
        }
        at = child.end_byte();
    }
    at
}

fn statements_of(node: Node<'_>, found: &mut Vec<Range<usize>>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        // A function declaration is hoisted; nothing is reached where it stands.
        if node.kind() == "statement_block" && !matches!(child.kind(), "comment" | "function_declaration") {
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
'use strict';
function f(a) { 'use strict'; if (a) { return 1; } return a; }
export const g = (x) => x + 1;
const o = { m() { return 2; }, n: function () { return 3; }, k: async y => ({ y }) };
class C extends D { constructor() { super(); } get p() { return 1; } static q = () => 2; *r() { yield 1; } }
module.exports.h = function () { return () => 1; };
export default function () { return 1; }
";

    #[test]
    fn functions_are_named_by_what_they_are_bound_to() {
        let path = RepoPath::new("a.js").unwrap();
        let found = JavaScriptSurgery.functions(&path, SOURCE).unwrap();
        let names: Vec<_> = found.iter().map(|function| function.name.as_str()).collect();
        let expected = [
            "f",
            "g",
            "o.m",
            "o.n",
            "o.k",
            "C.constructor",
            "C.p",
            "C.q",
            "C.r",
            "module.exports.h",
            "default",
        ];
        assert_eq!(names, expected);
        let yields = found.iter().filter(|f| f.yields).map(|f| f.name.as_str()).collect::<Vec<_>>();
        assert_eq!(yields, ["C.r"]);
    }

    #[test]
    fn a_function_around_a_whole_module_is_looked_into() {
        let path = RepoPath::new("a.js").unwrap();
        for source in [
            "(function () { function inner() { return 1; } exports.x = inner; })();",
            "define(['a'], function (a) { function inner() { return 1; } exports.x = inner; return 1; });",
            "(() => { const inner = () => 1; exports.x = inner; }).call(this);",
        ] {
            let found = JavaScriptSurgery.functions(&path, source).unwrap();
            assert_eq!(found.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["inner"], "{source}");
        }
    }

    #[test]
    fn what_is_inserted_parses() {
        let typed = "export class C<T> { private x?: number; m(a: T): number { return 1; } }\n\
                     export const f = async (a: string): Promise<void> => g(a);\n";
        for (path, source) in [("a.js", SOURCE), ("a.ts", typed)] {
            let path = RepoPath::new(path).unwrap();
            let found = JavaScriptSurgery.functions(&path, source).unwrap();
            for prologue in [
                Prologue::Raise("non'ce\"".to_owned()),
                Prologue::Return(Default::Usual),
                Prologue::Return(Default::Unusual),
                Prologue::Mark("/p/.x".to_owned()),
            ] {
                let all = found
                    .iter()
                    .flat_map(|f| JavaScriptSurgery.at_entry(&path, source, f, &prologue).unwrap());
                let text = insert(source, all.collect());
                assert!(parse(&path, &text).is_some(), "{text}");
            }
            let marks = found.iter().flat_map(|f| &f.statements);
            let marks = marks.flat_map(|s| JavaScriptSurgery.at_statement(&path, source, s, "/p/.x"));
            let text = insert(source, marks.collect());
            assert!(parse(&path, &text).is_some(), "{text}");
        }
    }
}
