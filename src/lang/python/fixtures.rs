//! Whether a change of `conftest.py` only adds what tests have to ask for.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::essence;

/// As [`crate::lang::Language::only_adds_fixtures`], for the text of a `conftest.py`.
pub(super) fn only_adds_fixtures(old: Option<&str>, new: Option<&str>) -> bool {
    let Some(new) = new else { return false };
    let old = old.unwrap_or_default();
    let (Some(old_tree), Some(new_tree)) = (essence::parse(old), essence::parse(new)) else { return false };
    let before = statements(old_tree.root_node());
    let mut taken: BTreeSet<&str> = before.iter().flat_map(|node| bound(*node, old)).collect();
    let mut waiting =
        before.iter().map(|node| essence::of_node(*node, old)).filter(|text| !text.is_empty()).peekable();
    for node in statements(new_tree.root_node()) {
        let text = essence::of_node(node, new);
        if text.is_empty() || waiting.next_if_eq(&text).is_some() {
            continue;
        }
        if !is_plain(node, new) {
            return false;
        }
        for name in bound(node, new) {
            // What was there, or what pytest brings, must keep its meaning.
            if steers(name) || BUILT_IN.contains(&name) || !taken.insert(name) {
                return false;
            }
        }
    }
    waiting.next().is_none()
}

/// Fixtures that pytest itself defines.
const BUILT_IN: [&str; 20] = [
    "cache",
    "capfd",
    "capfdbinary",
    "caplog",
    "capsys",
    "capsysbinary",
    "capteesys",
    "doctest_namespace",
    "monkeypatch",
    "pytestconfig",
    "pytester",
    "record_property",
    "record_testsuite_property",
    "record_xml_attribute",
    "recwarn",
    "request",
    "subtests",
    "testdir",
    "tmp_path",
    "tmpdir",
];

/// Modules from which any name may be imported: none of them defines a fixture or a hook.
const HARMLESS: &str = " __future__ asyncio collections contextlib copy dataclasses datetime decimal enum functools io \
                        itertools json logging math operator os pathlib pytest pytest_asyncio random re shutil socket \
                        subprocess sys tempfile textwrap threading time types typing unittest ";

/// Names that pytest or Python acts upon by themselves.
fn steers(name: &str) -> bool {
    name.starts_with("pytest_") && name != "pytest_asyncio"
        || name.starts_with("collect_ignore")
        || name.starts_with("__")
}

fn statements(root: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = root.walk();
    root.named_children(&mut cursor).filter(|node| node.kind() != "comment").collect()
}

/// True for statements that only define something: imports of what cannot act by itself, functions,
/// fixtures that a test must name, simple classes, constants.
fn is_plain(node: Node<'_>, source: &str) -> bool {
    match node.kind() {
        "import_statement" | "future_import_statement" => true,
        "import_from_statement" => is_plain_import(node, source),
        "function_definition" => has_quiet_signature(node),
        "decorated_definition" => is_fixture(node, source),
        "class_definition" => is_plain_class(node, source),
        "expression_statement" => is_constant(node),
        _ => false,
    }
}

fn is_plain_import(node: Node<'_>, source: &str) -> bool {
    let module = node.child_by_field_name("module_name").map_or("", |name| text(name, source));
    let mut cursor = node.walk();
    if node.named_children(&mut cursor).any(|child| child.kind() == "wildcard_import") {
        return false;
    }
    let top = module.split('.').next().unwrap_or_default();
    // A function may be a fixture that applies by itself; a class is none.
    !top.is_empty() && HARMLESS.contains(&format!(" {top} "))
        || bound(node, source).iter().all(|name| name.starts_with(char::is_uppercase))
}

/// Defaults and annotations run when the file is loaded, so they must call nothing.
fn has_quiet_signature(node: Node<'_>) -> bool {
    let quiet = |field| node.child_by_field_name(field).is_none_or(|part| !holds(part, &["call", "lambda"]));
    quiet("parameters") && quiet("return_type")
}

fn is_fixture(node: Node<'_>, source: &str) -> bool {
    let Some(function) = node.child_by_field_name("definition") else { return false };
    if function.kind() != "function_definition" || !has_quiet_signature(function) {
        return false;
    }
    let decorators = decorators(node);
    let [decorator] = decorators.as_slice() else { return false };
    let Some(expression) = decorator.named_child(0) else { return false };
    let (name, arguments) = match expression.kind() {
        "call" => (expression.child_by_field_name("function"), expression.child_by_field_name("arguments")),
        _ => (Some(expression), None),
    };
    let known = name.is_some_and(|name| {
        matches!(
            text(name, source),
            "pytest.fixture"
                | "fixture"
                | "pytest_asyncio.fixture"
                | "contextmanager"
                | "contextlib.contextmanager"
        )
    });
    // `autouse` applies by itself, `name` can take another fixture's place.
    let silent = arguments.is_none_or(|arguments| {
        let words = text(arguments, source);
        !["autouse", "name", "**"].iter().any(|word| words.contains(word))
            && !holds(arguments, &["call", "lambda"])
    });
    known && silent
}

fn decorators(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() == "decorator").collect()
}

fn is_plain_class(node: Node<'_>, source: &str) -> bool {
    let Some(body) = node.child_by_field_name("body") else { return false };
    let quiet_bases = node
        .child_by_field_name("superclasses")
        .is_none_or(|bases| !holds(bases, &["call", "keyword_argument"]));
    let quiet_member = |inner: Node<'_>| match inner.kind() {
        "function_definition" => has_quiet_signature(inner),
        "decorated_definition" => {
            let known = |decorator: &Node<'_>| {
                matches!(text(*decorator, source).trim(), "@property" | "@staticmethod" | "@classmethod")
            };
            decorators(inner).iter().all(known)
                && inner.child_by_field_name("definition").is_some_and(has_quiet_signature)
        }
        "expression_statement" => is_constant(inner) || essence::of_node(inner, source).is_empty(),
        other => other == "pass_statement",
    };
    quiet_bases && statements(body).into_iter().all(quiet_member)
}

/// An assignment of something that calls nothing.
fn is_constant(node: Node<'_>) -> bool {
    let running = ["call", "await", "yield", "named_expression", "subscript", "lambda"];
    node.named_child_count() == 1
        && node.named_child(0).is_some_and(|child| {
            child.kind() == "assignment"
                && child.child_by_field_name("left").is_some_and(|left| left.kind() == "identifier")
                && !holds(child, &running)
        })
}

fn holds(node: Node<'_>, kinds: &[&str]) -> bool {
    let mut cursor = node.walk();
    kinds.contains(&node.kind()) || node.named_children(&mut cursor).any(|child| holds(child, kinds))
}

fn text<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    &source[node.byte_range()]
}

/// The names that a top-level statement binds.
fn bound<'s>(node: Node<'_>, source: &'s str) -> Vec<&'s str> {
    let field = |node: Node<'_>, name: &str| node.child_by_field_name(name).map(|child| text(child, source));
    match node.kind() {
        "function_definition" | "class_definition" => field(node, "name").into_iter().collect(),
        "decorated_definition" => {
            let inner = node.child_by_field_name("definition");
            inner.and_then(|inner| field(inner, "name")).into_iter().collect()
        }
        "import_statement" | "import_from_statement" | "future_import_statement" => {
            let mut cursor = node.walk();
            let name = |name: Node<'_>| match name.kind() {
                "aliased_import" => field(name, "alias"),
                _ => text(name, source).split('.').next(),
            };
            node.children_by_field_name("name", &mut cursor).filter_map(name).collect()
        }
        "expression_statement" => {
            let assignment = node.named_child(0).filter(|child| child.kind() == "assignment");
            assignment.and_then(|child| field(child, "left")).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "import pytest\n\n\n@pytest.fixture\ndef db():\n    return {}\n";

    fn added(text: &str) -> bool {
        only_adds_fixtures(Some(OLD), Some(&format!("{OLD}\n\n{text}")))
    }

    #[test]
    fn a_fixture_that_tests_must_name_is_plain() {
        for text in [
            "@pytest.fixture\ndef cart(db):\n    yield list(db)\n",
            "@pytest.fixture(scope='session', params=[1, 2])\ndef cart(request):\n    return request.param\n",
            "from pathlib import Path\nimport json\nRATE = 3\ndef helper(x=1): return x\n",
            "from shop.cart import Cart\nclass Fake:\n    '''Doc.'''\n    size = 1\n    def get(self): return 1\n",
            "# why\n'''words'''\n",
        ] {
            assert!(added(text), "{text}");
        }
        assert!(only_adds_fixtures(None, Some(OLD)));
        assert!(only_adds_fixtures(Some(OLD), Some(&format!("'''Doc.'''\nimport os\n{OLD}"))));
    }

    #[test]
    fn what_applies_by_itself_is_not() {
        for text in [
            "@pytest.fixture(autouse=True)\ndef cart(): pass\n",
            "@pytest.fixture(name='db')\ndef cart(): pass\n",
            "@pytest.fixture(**options)\ndef cart(): pass\n",
            "@pytest.fixture\ndef db(): pass\n",
            "@pytest.fixture\ndef tmp_path(): pass\n",
            "def pytest_runtest_makereport(item, call): pass\n",
            "@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call): yield\n",
            "pytest_plugins = ['helpers']\n",
            "collect_ignore = ['test_a.py']\n",
            "import sys\nsys.path.insert(0, 'x')\n",
            "from helpers import *\n",
            "from helpers import quietly\n",
            "from .helpers import quietly\n",
            "from helpers import pytest_runtest_setup\n",
            "RATE = compute()\n",
            "def helper(x=patch()): pass\n",
            "import shop.cart\nshop.cart.total = None\n",
            "if True:\n    def helper(): pass\n",
            "class Fake(metaclass=Meta): pass\n",
            "class Fake:\n    patch()\n",
            "def broken(:\n",
        ] {
            assert!(!added(text), "{text}");
        }
        assert!(!only_adds_fixtures(Some(OLD), None));
        assert!(!only_adds_fixtures(Some(OLD), Some("import pytest\n")));
        assert!(!only_adds_fixtures(Some(OLD), Some(&OLD.replace("{}", "[]"))));
    }
}
