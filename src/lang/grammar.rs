//! Syntax trees by file name, and what all grammars have in common: functions, calls, literals.
//!
//! The checks that read source without running it work on this.

use std::ops::Range;

use tree_sitter::{Node, Parser, Tree};

use crate::git::RepoPath;

/// The grammar of a source file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grammar {
    /// `.py`.
    Python,
    /// `.js`, `.jsx`, `.mjs`, `.cjs`.
    JavaScript,
    /// `.ts`, `.mts`, `.cts`.
    TypeScript,
    /// `.tsx`.
    Tsx,
    /// `.rs`.
    Rust,
    /// `.go`.
    Go,
}

impl Grammar {
    /// The grammar for a path, by its ending; `None` for what is no source of a known language.
    pub fn of(path: &RepoPath) -> Option<Self> {
        Some(match path.extension()? {
            "py" | "pyw" => Self::Python,
            "js" | "jsx" | "mjs" | "cjs" => Self::JavaScript,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "tsx" => Self::Tsx,
            "rs" => Self::Rust,
            "go" => Self::Go,
            _ => return None,
        })
    }

    /// The syntax tree; `None` only when the grammar does not load. Broken source has error nodes.
    pub fn parse(self, source: &str) -> Option<Tree> {
        let language = match self {
            Self::Python => tree_sitter_python::LANGUAGE,
            Self::JavaScript => tree_sitter_javascript::LANGUAGE,
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
            Self::Rust => tree_sitter_rust::LANGUAGE,
            Self::Go => tree_sitter_go::LANGUAGE,
        };
        let mut parser = Parser::new();
        parser.set_language(&language.into()).ok()?;
        parser.parse(source, None)
    }

    /// True for JavaScript and TypeScript.
    pub fn is_script(self) -> bool {
        matches!(self, Self::JavaScript | Self::TypeScript | Self::Tsx)
    }
}

/// The text of a node.
pub fn text<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    source.get(node.byte_range()).unwrap_or_default()
}

/// The text of a node without any white space, to compare what is written differently.
pub fn squeezed(node: Node<'_>, source: &str) -> String {
    text(node, source).split_whitespace().collect()
}

/// A node and everything below it, in the order of the source.
pub fn descendants<'t>(root: Node<'t>) -> impl Iterator<Item = Node<'t>> {
    let mut waiting = vec![root];
    std::iter::from_fn(move || {
        let node = waiting.pop()?;
        let mut cursor = node.walk();
        let children: Vec<_> = node.children(&mut cursor).collect();
        waiting.extend(children.into_iter().rev());
        Some(node)
    })
}

/// The nodes above a node, innermost first.
pub fn ancestors<'t>(node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
    std::iter::successors(node.parent(), |above| above.parent())
}

/// The named children of a node without comments.
pub fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !is_comment(*child)).collect()
}

/// True for comments of any grammar.
pub fn is_comment(node: Node<'_>) -> bool {
    matches!(node.kind(), "comment" | "line_comment" | "block_comment" | "html_comment")
}

/// True for a string of any grammar.
pub fn is_string(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "string"
            | "template_string"
            | "string_literal"
            | "raw_string_literal"
            | "interpreted_string_literal"
            | "concatenated_string"
    )
}

/// The content of a string without prefix and quotes; escapes stay as they are written.
pub fn string_value<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    let text = text(node, source);
    let Some(open) = text.find(['"', '\'', '`']) else { return text };
    let inner = text[open..].trim_end_matches('#');
    for fence in ["\"\"\"", "'''"] {
        if let Some(inner) = inner.strip_prefix(fence).and_then(|inner| inner.strip_suffix(fence)) {
            return inner;
        }
    }
    inner.get(1..inner.len().saturating_sub(1)).unwrap_or_default()
}

/// True for a number of any grammar.
pub fn is_number(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "integer" | "float" | "number" | "integer_literal" | "float_literal" | "int_literal"
    )
}

/// A call: what is called, as it is written without white space and generic arguments, and the
/// arguments. A macro call of Rust counts, with its tokens as the only argument.
#[derive(Clone, Debug)]
pub struct Call<'t> {
    /// The whole call.
    pub node: Node<'t>,
    /// `pkg.name`, `Type::name`, `name!`; `?.` is written as `.`.
    pub callee: String,
    /// The arguments.
    pub arguments: Vec<Node<'t>>,
}

impl Call<'_> {
    /// The last name of the callee, without the mark of a macro.
    pub fn name(&self) -> &str {
        let callee = self.callee.trim_end_matches('!');
        callee.rsplit(['.', ':']).next().unwrap_or(callee)
    }
}

/// The call that a node is, if it is one.
pub fn call<'t>(node: Node<'t>, source: &str) -> Option<Call<'t>> {
    let (callee, arguments) = match node.kind() {
        "call" | "call_expression" => {
            (node.child_by_field_name("function")?, node.child_by_field_name("arguments"))
        }
        "new_expression" => (node.child_by_field_name("constructor")?, node.child_by_field_name("arguments")),
        "macro_invocation" => {
            let name = format!("{}!", squeezed(node.child_by_field_name("macro")?, source));
            let arguments = children(node).into_iter().filter(|child| child.kind() == "token_tree").collect();
            return Some(Call { node, callee: name, arguments });
        }
        _ => return None,
    };
    let callee = match callee.kind() {
        "generic_function" => callee.child_by_field_name("function").unwrap_or(callee),
        _ => callee,
    };
    let arguments = arguments.map(|list| match list.kind() {
        // A call with a template string or a generator expression.
        "template_string" | "generator_expression" => vec![list],
        _ => children(list),
    });
    Some(Call {
        node,
        callee: squeezed(callee, source).replace("?.", "."),
        arguments: arguments.unwrap_or_default(),
    })
}

/// A function, method or closure.
#[derive(Clone, Debug)]
pub struct Function<'t> {
    /// Its name; for a closure the name that it is bound to; `None` where it has none.
    pub name: Option<String>,
    /// The whole definition.
    pub node: Node<'t>,
    /// The body.
    pub body: Node<'t>,
}

impl Function<'_> {
    /// The lines, counted from 1, the last one included.
    pub fn lines(&self) -> Range<usize> {
        self.node.start_position().row + 1..self.node.end_position().row + 2
    }
}

/// The function that a node defines, if it does.
pub fn function<'t>(node: Node<'t>, source: &str) -> Option<Function<'t>> {
    let named = matches!(
        node.kind(),
        "function_definition"
            | "function_declaration"
            | "generator_function_declaration"
            | "method_definition"
            | "function_item"
            | "method_declaration"
    );
    let anonymous = matches!(
        node.kind(),
        "lambda"
            | "arrow_function"
            | "function_expression"
            | "generator_function"
            | "closure_expression"
            | "func_literal"
    );
    if !named && !anonymous {
        return None;
    }
    let body = node.child_by_field_name("body")?;
    let name = node.child_by_field_name("name").or_else(|| bound_name(node));
    Some(Function { name: name.map(|name| text(name, source).to_owned()), node, body })
}

/// The name that a closure is bound to where it is defined.
fn bound_name(node: Node<'_>) -> Option<Node<'_>> {
    let above = node.parent()?;
    let name = match above.kind() {
        "variable_declarator" => above.child_by_field_name("name"),
        "assignment" | "assignment_expression" => above.child_by_field_name("left"),
        "let_declaration" => above.child_by_field_name("pattern"),
        "pair" => above.child_by_field_name("key"),
        "public_field_definition" | "field_definition" => {
            above.child_by_field_name("name").or_else(|| above.child_by_field_name("property"))
        }
        "expression_list" => {
            let statement = above.parent()?;
            matches!(statement.kind(), "short_var_declaration" | "assignment_statement")
                .then(|| statement.child_by_field_name("left"))
                .flatten()
        }
        _ => None,
    }?;
    match name.kind() {
        // The last name of `module.exports.total`.
        "member_expression" => name.child_by_field_name("property"),
        "attribute" => name.child_by_field_name("attribute"),
        _ => Some(name),
    }
}

/// All functions of a tree, outer ones first.
pub fn functions<'t>(root: Node<'t>, source: &str) -> Vec<Function<'t>> {
    descendants(root).filter_map(|node| function(node, source)).collect()
}

/// The innermost named function around a node.
pub fn enclosing<'t>(node: Node<'t>, source: &str) -> Option<Function<'t>> {
    ancestors(node).filter_map(|above| function(above, source)).find(|function| function.name.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, source: &str) -> Vec<Option<String>> {
        let tree = Grammar::of(&RepoPath::new(path).unwrap()).unwrap().parse(source).unwrap();
        functions(tree.root_node(), source).into_iter().map(|function| function.name).collect()
    }

    fn calls(path: &str, source: &str) -> Vec<(String, usize)> {
        let tree = Grammar::of(&RepoPath::new(path).unwrap()).unwrap().parse(source).unwrap();
        descendants(tree.root_node())
            .filter_map(|node| call(node, source))
            .map(|call| (call.callee, call.arguments.len()))
            .collect()
    }

    fn some(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|name| (!name.is_empty()).then(|| (*name).to_owned())).collect()
    }

    #[test]
    fn functions_and_the_names_of_closures_are_found() {
        assert_eq!(names("a.py", "class A:\n    def f(self):\n        g = lambda x: x\n"), some(&["f", "g"]));
        let script = "const f = (a) => a; class A { m() {} }\nexports.g = function () {}; it('x', () => {})";
        assert_eq!(names("a.js", script), some(&["f", "m", "g", ""]));
        assert_eq!(names("a.ts", "const f = (a: number): number => a"), some(&["f"]));
        assert_eq!(names("a.rs", "impl A { fn f(&self) { let g = |x| x; } }"), some(&["f", "g"]));
        assert_eq!(names("a.go", "package a\nfunc (a A) F() { g := func() {}; g() }"), some(&["F", "g"]));
    }

    #[test]
    fn calls_are_read_alike_in_all_languages() {
        let of = |name: &str, arguments| vec![(name.to_owned(), arguments)];
        assert_eq!(calls("a.py", "mock.patch( 'a.b', 1)"), of("mock.patch", 2));
        assert_eq!(calls("a.js", "jest?.mock('./a')"), of("jest.mock", 1));
        assert_eq!(calls("a.rs", "fn f() { a::b::<u8>(1) }"), of("a::b", 1));
        assert_eq!(calls("a.rs", "fn f() { assert_eq!(1, 2) }"), of("assert_eq!", 1));
        assert_eq!(calls("a.go", "package a\nfunc f() { t.Skip(\"x\") }"), of("t.Skip", 1));
    }

    #[test]
    fn strings_are_read_without_their_quotes() {
        for (path, source) in [
            ("a.py", "x = 'a b'"),
            ("a.py", "x = r'''a b'''"),
            ("a.js", "x = `a b`"),
            ("a.rs", "const X: &str = r#\"a b\"#;"),
            ("a.go", "package a\nvar x = `a b`"),
        ] {
            let tree = Grammar::of(&RepoPath::new(path).unwrap()).unwrap().parse(source).unwrap();
            let string = descendants(tree.root_node()).find(|node| is_string(*node)).unwrap();
            assert_eq!(string_value(string, source), "a b", "{source}");
        }
    }
}
