//! Insertions into Rust functions.

use std::ops::Range;

use tree_sitter::Node;

use super::mutation::RustGrammar;
use super::syntax::{self, text};
use crate::git::RepoPath;
use crate::lang::mutation::{Mutation, mutations};
use crate::lang::surgery::{Default, Entry, Function, Insertion, OtherBody, Prologue, Surgery, lines_of};

/// Rust.
pub(super) struct RustSurgery;

impl Surgery for RustSurgery {
    fn functions(&self, path: &RepoPath, source: &str) -> Option<Vec<Function>> {
        if path.extension() != Some("rs") {
            return None;
        }
        let tree = syntax::parse(source)?;
        let root = tree.root_node();
        if root.has_error() {
            return None;
        }
        let mut found = Vec::new();
        if !syntax::file_is_only_test(root, source) {
            collect(root, source, "", &mut found);
        }
        Some(found)
    }

    fn at_entry(
        &self,
        _path: &RepoPath,
        _source: &str,
        function: &Function,
        prologue: &Prologue,
    ) -> Option<Vec<Insertion>> {
        let Entry::Block(at) = function.entry else { return None };
        if function.constant {
            return None;
        }
        // What follows stays reachable for the compiler, which may be told to deny the opposite.
        let statement = match prologue {
            Prologue::Raise(message) => {
                format!("if ::core::hint::black_box(true) {{ ::core::panic!(\"{{}}\", {message:?}); }}")
            }
            Prologue::Return(default) => {
                let value = default_of(function.returns.as_deref(), *default)?;
                format!("if ::core::hint::black_box(true) {{ return {value}; }}")
            }
            Prologue::Mark(file) => mark(file),
        };
        Some(vec![Insertion::new(at, format!(" {statement} "))])
    }

    fn at_statement(
        &self,
        _path: &RepoPath,
        _source: &str,
        statement: &Range<usize>,
        file: &str,
    ) -> Vec<Insertion> {
        vec![Insertion::new(statement.start, format!("{} ", mark(file)))]
    }

    fn mutations(&self, _path: &RepoPath, source: &str, lines: &[u32]) -> Vec<Mutation> {
        let tree = syntax::parse(source).filter(|tree| !tree.root_node().has_error());
        tree.map_or_else(Vec::new, |tree| mutations(&RustGrammar, &tree, source, lines))
    }

    /// The bodies stand at the function's start, each in a branch that returns; the variable is read once
    /// for each function, by a function inside it.
    fn behind_switch(
        &self,
        _source: &str,
        name: &str,
        switch: &str,
        bodies: &[OtherBody<'_>],
    ) -> Option<Vec<Insertion>> {
        let mut found = Vec::new();
        let mut seen: Vec<&Function> = Vec::new();
        for OtherBody { function, value, body } in bodies {
            let at = function.inside()?.start;
            if !seen.contains(function) {
                seen.push(function);
                found.push(Insertion::new(at, chooser(name, switch)));
            }
            let branch = format!("\n#[allow(unused)]\nif {name}({value:?}) {{\nreturn {{{body}\n}};\n}}\n");
            found.push(Insertion::new(at, branch));
        }
        Some(found)
    }

    fn with_idle_text(&self, _path: &RepoPath, source: &str, text: &str) -> Option<String> {
        // Code that is never compiled.
        Some(format!("{source}\n#[cfg(any())]\nmod kept_text {{\n{text}\n}}\n"))
    }
}

/// Also where the crate does without the standard library: tests have it.
fn mark(file: &str) -> String {
    format!("{{ extern crate std as mark_std; let _ = mark_std::fs::write({file:?}, \"\"); }}")
}

/// A function `name` that tells whether the variable `switch` holds a value, and reads it once: tests may change
/// their environment. Also where the crate does without the standard library.
fn chooser(name: &str, switch: &str) -> String {
    format!(
        " #[allow(unused)] fn {name}(value: &str) -> bool {{ extern crate std as switch_std; \
         static READ: switch_std::sync::Once = switch_std::sync::Once::new(); \
         static HELD: switch_std::sync::Mutex<switch_std::string::String> = \
         switch_std::sync::Mutex::new(switch_std::string::String::new()); \
         READ.call_once(|| if let (Ok(mut held), Ok(now)) = (HELD.lock(), switch_std::env::var({switch:?})) {{ *held = now; }}); \
         HELD.lock().map_or(false, |held| *held == value) }} "
    )
}

/// A value of a type that is known by its name; `None` for others.
pub(super) fn default_of(returns: Option<&str>, default: Default) -> Option<String> {
    let Some(kind) = returns.map(str::trim) else { return Some(String::new()) };
    let usual = default == Default::Usual;
    let pick = |one: &str, other: &str| Some(if usual { one } else { other }.to_owned());
    let head = kind.split('<').next().unwrap_or(kind).trim();
    let argument = || first_argument(kind);
    match head.rsplit("::").next().unwrap_or(head) {
        "()" => pick("", ""),
        "bool" => pick("false", "true"),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => {
            pick("0", "113")
        }
        "f32" | "f64" => pick("0.0", "113.5"),
        "char" => pick("'\\0'", "'\u{2603}'"),
        "String" => pick("::std::string::String::new()", "::std::string::String::from(\"other\")"),
        "&str" | "&'static str" => pick("\"\"", "\"other\""),
        "Option" => match (usual, argument()) {
            (true, _) => Some("::core::option::Option::None".to_owned()),
            (false, argument) => {
                Some(format!("::core::option::Option::Some({})", default_of(argument, Default::Unusual)?))
            }
        },
        "Vec" => pick("::std::vec::Vec::new()", "::std::vec::Vec::new()"),
        "Result" => {
            let inner = default_of(argument(), default)?;
            let inner = if inner.is_empty() { "()" } else { &inner };
            Some(format!("::core::result::Result::Ok({inner})"))
        }
        _ => None,
    }
}

/// `A` of `Name<A, B>`.
fn first_argument(kind: &str) -> Option<&str> {
    let inner = kind.split_once('<')?.1.strip_suffix('>')?;
    let mut depth = 0_i32;
    let end = inner.char_indices().find(|(_, c)| {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        *c == ',' && depth == 0
    });
    Some(end.map_or(inner, |(at, _)| &inner[..at]).trim())
}

fn collect(container: Node<'_>, source: &str, prefix: &str, found: &mut Vec<Function>) {
    for item in syntax::items(container, source) {
        if item.only_test {
            continue;
        }
        let node = item.node;
        let field = |name: &str| node.child_by_field_name(name);
        match node.kind() {
            "function_item" => found.extend(function(node, &item.range, source, prefix)),
            "mod_item" | "trait_item" => {
                if let (Some(name), Some(body)) = (field("name"), field("body")) {
                    collect(body, source, &format!("{prefix}{}::", text(name, source)), found);
                }
            }
            "impl_item" => {
                if let (Some(kind), Some(body)) = (field("type"), field("body")) {
                    let name = text(kind, source);
                    let name = field("trait")
                        .map_or_else(|| name.to_owned(), |of| format!("<{name} as {}>", text(of, source)));
                    collect(body, source, &format!("{prefix}{name}::"), found);
                }
            }
            _ => {}
        }
    }
}

fn function(node: Node<'_>, whole: &Range<usize>, source: &str, prefix: &str) -> Option<Function> {
    let name = text(node.child_by_field_name("name")?, source);
    let body = node.child_by_field_name("body")?;
    let mut cursor = node.walk();
    let constant = node
        .named_children(&mut cursor)
        .any(|child| child.kind() == "function_modifiers" && text(child, source).contains("const"));
    let mut statements = Vec::new();
    statements_of(body, &mut statements);
    let mut entry = body.start_byte() + 1;
    let mut inner = body.walk();
    for child in body.named_children(&mut inner) {
        match child.kind() {
            "inner_attribute_item" => entry = child.end_byte(),
            "line_comment" | "block_comment" => {}
            _ => break,
        }
    }
    let void = node.child_by_field_name("return_type").is_none();
    Some(Function {
        name: format!("{prefix}{name}"),
        span: whole.clone(),
        lines: lines_of(node),
        entry: Entry::Block(entry),
        returns: node.child_by_field_name("return_type").map(|kind| text(kind, source).to_owned()),
        constant,
        yields: false,
        void,
        statements,
    })
}

fn statements_of(node: Node<'_>, found: &mut Vec<Range<usize>>) {
    let mut cursor = node.walk();
    let mut attributed = false;
    for child in node.named_children(&mut cursor) {
        match child.kind() {
            "attribute_item" => {
                attributed = true;
                continue;
            }
            "line_comment" | "block_comment" | "inner_attribute_item" | "label" => continue,
            // What the compiler runs can leave no mark.
            "const_block" | "const_item" | "static_item" => {}
            _ => {
                if node.kind() == "block" && !attributed {
                    found.push(child.byte_range());
                }
                statements_of(child, found);
            }
        }
        attributed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::surgery::insert;

    const SOURCE: &str = "\
//! Doc.
pub struct S;
/// Doc.
#[inline]
pub fn f(x: u32) -> Option<u32> { #[cfg(unix)] let y = 1; if x > 1 { return None; } Some(x) }
impl<T> S { const fn k() -> u8 { 1 } pub fn m(&self) -> Result<Vec<u8>, String> { unsafe { g() } } }
impl Clone for S { fn clone(&self) -> Self { S } }
trait Q { fn a(&self); fn b(&self) {} }
mod inner { pub async fn z() -> Self {} }
#[cfg(test)] mod tests { #[test] fn t() {} }
";

    fn path() -> RepoPath {
        RepoPath::new("a.rs").unwrap()
    }

    #[test]
    fn functions_are_named_with_their_types_and_tests_left_out() {
        let found = RustSurgery.functions(&path(), SOURCE).unwrap();
        let names: Vec<_> = found.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["f", "S::k", "S::m", "<S as Clone>::clone", "Q::b", "inner::z"]);
        assert!(found[1].constant && !found[2].constant);
    }

    #[test]
    fn what_is_inserted_parses() {
        let found = RustSurgery.functions(&path(), SOURCE).unwrap();
        for prologue in [
            Prologue::Raise("non\"ce {}".to_owned()),
            Prologue::Return(Default::Usual),
            Prologue::Return(Default::Unusual),
            Prologue::Mark("/p/.x".to_owned()),
        ] {
            let all =
                found.iter().filter_map(|f| RustSurgery.at_entry(&path(), SOURCE, f, &prologue)).flatten();
            let text = insert(SOURCE, all.collect());
            assert!(RustSurgery.functions(&path(), &text).is_some(), "{text}");
        }
        let marks = found.iter().flat_map(|f| &f.statements);
        let marks = marks.flat_map(|s| RustSurgery.at_statement(&path(), SOURCE, s, "/p/.x"));
        let text = insert(SOURCE, marks.collect());
        assert!(RustSurgery.functions(&path(), &text).is_some(), "{text}");
    }

    #[test]
    fn defaults_are_known_for_plain_types_only() {
        let usual = |kind: &str| default_of(Some(kind), Default::Usual);
        assert_eq!(
            usual("Result<Option<u8>, Error<A, B>>").as_deref(),
            Some("::core::result::Result::Ok(::core::option::Option::None)")
        );
        assert_eq!(usual("io::Result<()>").as_deref(), Some("::core::result::Result::Ok(())"));
        assert_eq!(usual("Self"), None);
        assert_eq!(default_of(None, Default::Unusual).as_deref(), Some(""));
        assert_eq!(
            default_of(Some("Option<u8>"), Default::Unusual).as_deref(),
            Some("::core::option::Option::Some(113)")
        );
    }
}
