//! Source with comments, docstrings and layout set aside.

use tree_sitter::{Node, Parser, Tree};

/// The essence of Python source; `None` where it does not parse.
///
/// It is the syntax tree written out, so that parentheses which change nothing can be left away and
/// indentation is kept where it means something.
pub(super) fn essence(source: &str) -> Option<String> {
    let tree = parse(source)?;
    let mut out = coding(source).unwrap_or_default();
    Writer { source }.write(tree.root_node(), &mut out);
    Some(out)
}

/// The syntax tree of source without errors.
pub(super) fn parse(source: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    parser.parse(source, None).filter(|tree| !tree.root_node().has_error())
}

/// The essence of a part of a tree; empty for a statement that does nothing.
pub(super) fn of_node(node: Node<'_>, source: &str) -> String {
    let mut out = String::new();
    if !is_idle(node) {
        Writer { source }.write(node, &mut out);
    }
    out
}

/// Another encoding than UTF-8 lets a comment hold code (`# coding: utf-7`).
fn coding(source: &str) -> Option<String> {
    source.lines().take(2).find_map(|line| {
        let comment = line.trim_start().strip_prefix('#')?;
        let (_, name) = comment.split_once("coding")?;
        let name = name.strip_prefix([':', '='])?.trim_start();
        let name: String =
            name.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
        let plain = name.to_ascii_lowercase().replace('_', "-");
        (!name.is_empty() && !matches!(plain.as_str(), "utf-8" | "utf8" | "ascii" | "us-ascii"))
            .then(|| format!("#{plain}\n"))
    })
}

struct Writer<'a> {
    source: &'a str,
}

impl Writer<'_> {
    fn write(&self, node: Node<'_>, out: &mut String) {
        match node.kind() {
            "comment" | "line_continuation" | ";" => return,
            "parenthesized_expression" => {
                // Exactly one expression stands between the parentheses, comments aside.
                for child in self.children(node) {
                    if child.is_named() {
                        self.write(child, out);
                    }
                }
                return;
            }
            "string" => return self.token(&self.string(node), out),
            _ => {}
        }
        let children = self.children(node);
        if children.is_empty() {
            // An empty module or block holds nothing, everything else without children is a token.
            if !matches!(node.kind(), "module" | "block") {
                self.token(self.text(node), out);
            }
            return;
        }
        out.push('(');
        // Operators of one kind are told apart by their tokens, blocks by nothing but their kind.
        out.push_str(node.kind());
        let from_import = matches!(node.kind(), "import_from_statement" | "future_import_statement");
        for (at, child) in children.iter().enumerate() {
            if is_idle(*child) || from_import && matches!(child.kind(), "(" | ")") {
                continue;
            }
            if child.kind() == "," && is_trailing(node, &children, at) {
                continue;
            }
            out.push(' ');
            self.write(*child, out);
        }
        out.push(')');
    }

    fn children<'t>(&self, node: Node<'t>) -> Vec<Node<'t>> {
        let mut cursor = node.walk();
        node.children(&mut cursor).filter(|child| child.kind() != "comment").collect()
    }

    fn text(&self, node: Node<'_>) -> &str {
        &self.source[node.byte_range()]
    }

    /// The length keeps a token's own spaces and parentheses apart from the form.
    fn token(&self, text: &str, out: &mut String) {
        out.push_str(&text.len().to_string());
        out.push(':');
        out.push_str(text);
    }

    /// A string without its style of quotes, where that changes nothing.
    fn string(&self, node: Node<'_>) -> String {
        let text = self.text(node);
        let Some(quote) = text.find(['"', '\'']) else { return text.to_owned() };
        let (prefix, quoted) = text.split_at(quote);
        let prefix = prefix.to_ascii_lowercase().replace('u', "");
        let mark = &quoted[..1];
        let fence = if quoted.starts_with(&mark.repeat(3)) && quoted.len() >= 6 { 3 } else { 1 };
        let inner = quoted.get(fence..quoted.len() - fence).unwrap_or_default();
        if inner.contains(['\\', '"', '\'', '{', '}']) {
            format!("{prefix}{quoted}")
        } else {
            format!("{prefix}'{inner}'")
        }
    }
}

/// Statements that do nothing: docstrings and other bare constants, and `pass`.
fn is_idle(node: Node<'_>) -> bool {
    match node.kind() {
        "comment" | "line_continuation" | ";" | "pass_statement" => true,
        "expression_statement" => {
            let mut cursor = node.walk();
            let mut children = node.named_children(&mut cursor).filter(|child| child.kind() != "comment");
            let only = children.next();
            only.is_some_and(is_constant) && children.next().is_none()
        }
        _ => false,
    }
}

fn is_constant(node: Node<'_>) -> bool {
    let plain = |node: Node<'_>| {
        let mut cursor = node.walk();
        !node.children(&mut cursor).any(|child| child.kind() == "interpolation")
    };
    match node.kind() {
        "string" => plain(node),
        "concatenated_string" => {
            let mut cursor = node.walk();
            node.named_children(&mut cursor).all(|child| child.kind() != "string" || plain(child))
        }
        "integer" | "float" | "true" | "false" | "none" | "ellipsis" => true,
        _ => false,
    }
}

/// A comma before a closing bracket, unless it makes a tuple of one element.
fn is_trailing(node: Node<'_>, children: &[Node<'_>], at: usize) -> bool {
    let last = children.get(at + 1).is_none_or(|next| matches!(next.kind(), ")" | "]" | "}"));
    let makes_tuple = matches!(
        node.kind(),
        "tuple" | "tuple_pattern" | "expression_list" | "pattern_list" | "subscript" | "type_parameter"
    );
    last && (!makes_tuple || children[..at].iter().any(|child| child.kind() == ","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, two: &str) -> bool {
        let (one, two) = (essence(one).expect(one), essence(two).expect(two));
        one == two
    }

    #[test]
    fn comments_docstrings_and_layout_are_set_aside() {
        assert!(same("x = 1\n", "# why\nx  =  1  # because\n\n\n"));
        assert!(same("def f():\n    return 1\n", "def f():\n    '''Doc.'''\n    # a\n    return (1)\n"));
        assert!(same("class A:\n    pass\n", "class A:\n    \"\"\"Doc.\"\"\"\n"));
        assert!(same("'''Module.'''\nimport a\n", "import a\n"));
        assert!(same("f(a, b)\n", "f(\n    a,\n    b,\n)\n"));
        assert!(same("x = 'a'\n", "x = \"a\"\n"));
        assert!(same("from a import b, c\n", "from a import (\n    b,\n    c,\n)\n"));
        assert!(same("x = a + \\\n    b\n", "x = (a +\n     b)\n"));
        assert!(same("a = 1; b = 2\n", "a = 1\nb = 2\n"));
        assert!(same("", "# nothing\n"));
        assert!(same("if a:\n  f()\n", "if a:\n        f()\n"));
    }

    #[test]
    fn what_changes_behaviour_changes_the_essence() {
        for (one, two) in [
            ("x = 1\n", "x = 2\n"),
            ("x = 'a b'\n", "x = 'a  b'\n"),
            ("x = (1,)\n", "x = (1)\n"),
            ("x = 1,\n", "x = 1\n"),
            ("x = a[1,]\n", "x = a[1]\n"),
            ("x: tuple[int,] = y\n", "x: tuple[int] = y\n"),
            ("x = (a + b) * c\n", "x = a + b * c\n"),
            ("if a:\n    f()\ng()\n", "if a:\n    f()\n    g()\n"),
            ("x = f'{a}'\n", "x = '{a}'\n"),
            ("x = f'{a=}'\n", "x = f'{a = }'\n"),
            ("assert (a, 'b')\n", "assert a, 'b'\n"),
            ("x = b'a'\n", "x = 'a'\n"),
            ("x = r'\\n'\n", "x = '\\n'\n"),
            ("f'{g()}'\n", ""),
            ("# coding: utf-7\nx = 1\n", "x = 1\n"),
            ("def f():\n    yield\n", "def f():\n    pass\n"),
            ("(a < b) < c\n", "a < b < c\n"),
            ("not a == b\n", "(not a) == b\n"),
            ("x = -1 ** 2\n", "x = (-1) ** 2\n"),
            ("async def f(): await g()\n", "def f(): g()\n"),
            ("for x, in y:\n    f()\n", "for x in y:\n    f()\n"),
        ] {
            assert!(!same(one, two), "{one:?} {two:?}");
        }
    }

    #[test]
    fn broken_source_has_no_essence() {
        assert_eq!(essence("def f(:\n"), None);
    }
}
