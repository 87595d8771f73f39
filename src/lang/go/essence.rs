//! What of a Go file the compiler sees.

use tree_sitter::{Node, Parser};

use crate::git::RepoPath;

/// The tokens of `source` without comments and layout; `None` where it does not parse.
///
/// Comments that the toolchain reads stay: `//go:` directives, build constraints, `//line`,
/// `//export`, the C code before `import "C"`, and the expected output of an example in a test file.
pub(super) fn of(path: &RepoPath, source: &str) -> Option<String> {
    let tree = parse(source)?;
    if tree.root_node().has_error() {
        return None;
    }
    let mut walk = Walk {
        source,
        examples: path.file_name().ends_with("_test.go"),
        cgo: source.contains("\"C\""),
        tokens: Vec::new(),
    };
    walk.visit(tree.root_node());
    let mut tokens: Vec<&str> = Vec::new();
    for token in walk.tokens {
        // A closing bracket makes the separator before it a matter of layout.
        while matches!(token, "}" | ")") && matches!(tokens.last(), Some(&(";" | ","))) {
            tokens.pop();
        }
        let doubled = token == ";" && matches!(tokens.last(), None | Some(&(";" | "{" | "(")));
        if !doubled {
            tokens.push(token);
        }
    }
    Some(tokens.join("\n"))
}

/// The syntax tree of a Go file.
pub(super) fn parse(source: &str) -> Option<tree_sitter::Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_go::LANGUAGE.into()).ok()?;
    parser.parse(source, None)
}

struct Walk<'a> {
    source: &'a str,
    examples: bool,
    cgo: bool,
    tokens: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, node: Node<'_>) {
        let text = &self.source[node.byte_range()];
        match node.kind() {
            "comment" => {
                if self.is_read(node, text) {
                    self.tokens.push(text.trim_end());
                }
            }
            // A literal is one token, whatever the grammar sees in it.
            "interpreted_string_literal" | "raw_string_literal" | "rune_literal" => self.tokens.push(text),
            // A value given to nobody.
            "assignment_statement" | "var_declaration" | "const_declaration" if is_dead(text) => {}
            _ if node.child_count() == 0 => {
                let text = text.trim_matches([' ', '\t', '\r']);
                if !text.is_empty() {
                    self.tokens.push(if text.starts_with('\n') { ";" } else { text });
                }
            }
            _ => {
                let mut cursor = node.walk();
                for child in node.children(&mut cursor) {
                    self.visit(child);
                }
            }
        }
    }

    fn is_read(&self, comment: Node<'_>, text: &str) -> bool {
        ["//go:", "//line ", "/*line ", "//export ", "// +build", "//+build"]
            .iter()
            .any(|start| text.starts_with(start))
            || (self.cgo && self.belongs_to_import_c(comment))
            || (self.examples && in_example(comment, self.source))
    }

    fn belongs_to_import_c(&self, comment: Node<'_>) -> bool {
        let mut next = comment.next_sibling();
        while let Some(node) = next {
            match node.kind() {
                "comment" | "\n" => next = node.next_sibling(),
                "import_declaration" => return self.source[node.byte_range()].contains("\"C\""),
                _ => return false,
            }
        }
        false
    }
}

/// True for `_ = "text"` and its kin: a literal bound to the blank name.
fn is_dead(text: &str) -> bool {
    let text = text.trim_start_matches("var ").trim_start_matches("const ").trim();
    let Some(value) = text.strip_prefix("_ =") else { return false };
    let value = value.trim();
    let quoted = |quote: char| {
        value.len() > 1
            && value.starts_with(quote)
            && value.ends_with(quote)
            && !value[1..value.len() - 1].contains(quote)
    };
    quoted('"') || quoted('`') || (!value.is_empty() && value.chars().all(|c| c.is_ascii_digit()))
}

fn in_example(comment: Node<'_>, source: &str) -> bool {
    let mut node = comment.parent();
    while let Some(parent) = node {
        if parent.kind() == "function_declaration" {
            return parent
                .child_by_field_name("name")
                .is_some_and(|name| source[name.byte_range()].starts_with("Example"));
        }
        node = parent.parent();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn essence(source: &str) -> Option<String> {
        of(&RepoPath::new("a.go").unwrap(), source)
    }

    fn same(one: &str, other: &str) {
        assert!(essence(one).is_some(), "{one}");
        assert_eq!(essence(one), essence(other));
    }

    fn differ(one: &str, other: &str) {
        assert!(essence(one).is_some() && essence(other).is_some());
        assert_ne!(essence(one), essence(other));
    }

    const PLAIN: &str = "package a\n\nfunc F(x int) int {\n\treturn g(x, \"a b\")\n}\n";

    #[test]
    fn comments_and_layout_are_set_aside() {
        same(PLAIN, "// Package a.\npackage a\n/* x */\nfunc F( x int ) int { // y\nreturn g(x, \"a b\"); }");
        same(PLAIN, "package a\n\nfunc F(x int) int {\n\treturn g(\n\t\tx,\n\t\t\"a b\",\n\t)\n}\n");
        same("package a\r\nvar X = 1\r\n", "package a\nvar X = 1\n");
        assert_eq!(essence(""), Some(String::new()));
    }

    #[test]
    fn code_is_kept() {
        differ(PLAIN, &PLAIN.replace("a b", "a  b"));
        differ(PLAIN, &PLAIN.replace("g(x", "g(-x"));
        differ("package a\nvar X = `a\nb`\n", "package a\nvar X = `a\n b`\n");
        differ("package a\nfunc f() {\n\ta()\n\tb()\n}\n", "package a\nfunc f() {\n\tb()\n\ta()\n}\n");
    }

    #[test]
    fn comments_that_the_toolchain_reads_are_kept() {
        differ(PLAIN, &format!("//go:build linux\n\n{PLAIN}"));
        differ("package a\nvar s string\n", "package a\n//go:embed s.txt\nvar s string\n");
        differ(
            "package a\n// int f() { return 1; }\nimport \"C\"\n",
            "package a\n// int f() { return 2; }\nimport \"C\"\n",
        );
        let test = RepoPath::new("a_test.go").unwrap();
        let example = |wanted| format!("package a\nfunc ExampleF() {{\n\tF(1)\n\t// Output: {wanted}\n}}\n");
        assert_ne!(of(&test, &example("1")), of(&test, &example("2")));
        same(&example("1"), &example("2"));
    }

    #[test]
    fn a_dead_string_is_no_code() {
        same(
            "package a\nfunc f() {\n\ta()\n}\n",
            "package a\nvar _ = \"fixed\"\nfunc f() {\n\t_ = \"issue 12\"\n\ta()\n}\n",
        );
        differ("package a\nfunc f() {\n\ta()\n}\n", "package a\nfunc f() {\n\t_ = b()\n\ta()\n}\n");
    }

    #[test]
    fn source_that_does_not_parse_has_no_essence() {
        assert_eq!(essence("package a\nfunc {"), None);
    }
}
