//! Source code without comments, layout and the spelling of what means the same.

use tree_sitter::{Node, Parser, Tree};

use crate::git::RepoPath;

/// The syntax tree of a source file; `None` where it is not JavaScript or TypeScript, or has errors.
pub(super) fn parse(path: &RepoPath, source: &str) -> Option<Tree> {
    let language = match path.extension()? {
        "js" | "mjs" | "cjs" | "jsx" => tree_sitter_javascript::LANGUAGE,
        "ts" | "mts" | "cts" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
        "tsx" => tree_sitter_typescript::LANGUAGE_TSX,
        _ => return None,
    };
    let mut parser = Parser::new();
    parser.set_language(&language.into()).ok()?;
    parser.parse(source, None).filter(|tree| !tree.root_node().has_error())
}

/// The essence of a source file; `None` where it is not JavaScript or TypeScript, or does not parse.
pub(super) fn essence(path: &RepoPath, source: &str) -> Option<String> {
    let tree = parse(path, source)?;
    let mut essence = String::with_capacity(source.len());
    write(tree.root_node(), source, &mut essence);
    Some(essence)
}

/// Kinds and tokens in order. The kinds keep apart what only a line break tells apart, such as
/// `return` followed by a value on the next line.
fn write(root: Node<'_>, source: &str, essence: &mut String) {
    enum Step<'tree> {
        Open(Node<'tree>),
        Close,
    }
    let mut steps = vec![Step::Open(root)];
    while let Some(step) = steps.pop() {
        let node = match step {
            Step::Open(node) => node,
            Step::Close => {
                essence.push(')');
                continue;
            }
        };
        let text = &source[node.byte_range()];
        match node.kind() {
            "comment" | "html_comment" => {
                if steers(text) {
                    essence.push_str(text.trim());
                    essence.push('\n');
                }
                continue;
            }
            "string" | "template_string" | "jsx_text" | "regex" => {
                essence.push_str(&literal(node.kind(), text));
                essence.push('\n');
                // A template holds code, but its text is the whole of it already.
                continue;
            }
            ";" | "empty_statement" if !in_loop_head(node) => continue,
            "," if is_trailing(node) => continue,
            _ => {}
        }
        if node.child_count() == 0 {
            essence.push_str(text);
            essence.push('\n');
            continue;
        }
        essence.push('(');
        essence.push_str(node.kind());
        essence.push('\n');
        steps.push(Step::Close);
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
        steps.extend(children.into_iter().rev().map(Step::Open));
    }
}

/// Comments that tools read as instructions.
fn steers(text: &str) -> bool {
    ["@jest-", "@vitest-", "@jsx", "@ts-", "webpackChunkName", "# sourceMappingURL"]
        .iter()
        .any(|mark| text.contains(mark))
}

fn in_loop_head(node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| parent.kind() == "for_statement") && node.next_sibling().is_some()
}

/// A comma before a closing bracket, unless it makes a hole in an array.
fn is_trailing(node: Node<'_>) -> bool {
    let closes = node.next_sibling().is_some_and(|next| matches!(next.kind(), ")" | "]" | "}"));
    closes && node.prev_sibling().is_some_and(|previous| previous.is_named())
}

/// Strings without escapes and quotes inside are the same in either quotes.
fn literal(kind: &str, text: &str) -> String {
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    if kind == "string" && !inner.contains(['"', '\'', '\\']) {
        format!("\"{inner}\"")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, source: &str) -> String {
        essence(&RepoPath::new(path).unwrap(), source).unwrap_or_else(|| panic!("{source}"))
    }

    #[test]
    fn comments_and_layout_are_set_aside() {
        let one = "// a\nexport function f(a, b) {\n  /* b */ return a + 'x';\n}\n";
        let two = "export function f(\n  a,\n  b,\n) { return a + \"x\" }";
        assert_eq!(of("a.js", one), of("a.js", two));
        assert_eq!(of("a.ts", "const x: number = 1;"), of("a.ts", "const x:number=1"));
        assert_eq!(of("a.tsx", "const x = <A b='c' />;"), of("a.tsx", "const x = <A b=\"c\"/>"));
    }

    #[test]
    fn what_changes_behaviour_changes_the_essence() {
        for (one, two) in [
            ("f(`a  b`)", "f(`a b`)"),
            ("return_: { x }", "return_: { y }"),
            ("function f() { return\n1 }", "function f() { return 1 }"),
            ("[a,,b]", "[a,b]"),
            ("[,]", "[]"),
            ("x = `// no comment`", "x = ``"),
            ("for (;;) f()", "for (;x;) f()"),
            ("x = 'a'", "x = 'b'"),
            ("/** @jest-environment node */ f()", "f()"),
            ("a = b / c / d", "a = b"),
        ] {
            assert_ne!(of("a.js", one), of("a.js", two), "{one} | {two}");
        }
    }

    #[test]
    fn what_does_not_parse_has_no_essence() {
        assert_eq!(essence(&RepoPath::new("a.js").unwrap(), "function ("), None);
        assert_eq!(essence(&RepoPath::new("a.css").unwrap(), "a {}"), None);
    }
}
