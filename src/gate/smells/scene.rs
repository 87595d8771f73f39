//! What the rules look at: the added code of the test and of the fix, and what both are about.

use std::collections::BTreeSet;
use std::time::Duration;

use tree_sitter::{Node, Tree};

use crate::gate::overlay::{Item, Overlay};
use crate::gate::roles::Roles;
use crate::git::{Change, GitError, RepoPath, Store, TreeId};
use crate::lang::Role;
use crate::lang::grammar::{self, Grammar, descendants, text};

/// A version of a source file.
pub struct View<'a> {
    /// Where.
    pub path: &'a RepoPath,
    /// How it is read.
    pub grammar: Grammar,
    /// Its text.
    pub text: &'a str,
    /// Its syntax tree.
    pub root: Node<'a>,
}

impl<'a> View<'a> {
    /// All nodes in the order of the source.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'a>> {
        descendants(self.root)
    }

    /// All calls in the order of the source.
    pub fn calls(&self) -> impl Iterator<Item = grammar::Call<'a>> {
        let text = self.text;
        self.nodes().filter_map(move |node| grammar::call(node, text))
    }

    /// The text of a node.
    pub fn text(&self, node: Node<'_>) -> &'a str {
        text(node, self.text)
    }

    /// The name or title of the test around a node (or below the mark that the node is), where the
    /// node stands in a test and not in a helper.
    pub fn test_around(&self, node: Node<'a>) -> Option<String> {
        std::iter::once(node).chain(grammar::ancestors(node)).find_map(|above| {
            let marked = match above.kind() {
                "decorator" => above.parent()?.child_by_field_name("definition"),
                "attribute_item" => {
                    std::iter::successors(above.next_named_sibling(), Node::next_named_sibling)
                        .find(|next| next.kind() != "attribute_item")
                }
                _ => Some(above),
            }?;
            if let Some(call) = grammar::call(marked, self.text) {
                let first = call.callee.split('.').next().unwrap_or_default();
                let title = call.arguments.first().filter(|title| grammar::is_string(**title))?;
                return matches!(first, "it" | "test" | "xit" | "xtest" | "fit" | "specify")
                    .then(|| grammar::string_value(*title, self.text).to_owned());
            }
            let function = grammar::function(marked, self.text)?;
            let name = function.name?;
            let is_test = match self.grammar {
                Grammar::Rust => std::iter::successors(marked.prev_named_sibling(), Node::prev_named_sibling)
                    .take_while(|before| before.kind() == "attribute_item")
                    .any(|attribute| self.text(attribute).contains("test")),
                _ => name.starts_with("test") || name.starts_with("Test"),
            };
            is_test.then_some(name)
        })
    }
}

/// A source file of one side, with its version on the base.
pub struct SourceFile {
    /// Where.
    pub path: RepoPath,
    grammar: Grammar,
    text: String,
    tree: Tree,
    /// By line: true where it is new and of this side.
    added: Vec<bool>,
    old: Option<(String, Tree)>,
}

impl SourceFile {
    /// Of the two versions; `mine` says which lines of the new one (counted from 0) are of this side.
    /// `None` where the path is no source of a known language.
    pub fn new(
        path: &RepoPath,
        old: Option<String>,
        new: String,
        mine: &dyn Fn(usize) -> bool,
    ) -> Option<Self> {
        let grammar = Grammar::of(path)?;
        let tree = grammar.parse(&new)?;
        let mut added = added_lines(old.as_deref().unwrap_or_default(), &new);
        for (row, added) in added.iter_mut().enumerate() {
            *added &= mine(row);
        }
        let old = old.and_then(|old| grammar.parse(&old).map(|tree| (old, tree)));
        Some(Self { path: path.clone(), grammar, text: new, tree, added, old })
    }

    /// The version with the change.
    pub fn now(&self) -> View<'_> {
        View { path: &self.path, grammar: self.grammar, text: &self.text, root: self.tree.root_node() }
    }

    /// The version of the base.
    pub fn before(&self) -> Option<View<'_>> {
        let (text, tree) = self.old.as_ref()?;
        Some(View { path: &self.path, grammar: self.grammar, text, root: tree.root_node() })
    }

    /// True when a line of the node is new.
    pub fn is_added(&self, rows: std::ops::RangeInclusive<usize>) -> bool {
        self.added.get(rows).is_some_and(|rows| rows.contains(&true))
    }

    /// True when a line (counted from 0) is new.
    pub fn is_row_added(&self, row: usize) -> bool {
        self.added.get(row).copied().unwrap_or(false)
    }

    /// The lines (counted from 0) that are new.
    pub fn added_rows(&self) -> impl Iterator<Item = usize> {
        self.added.iter().enumerate().filter(|(_, added)| **added).map(|(row, _)| row)
    }

    /// The lines of the base that are gone.
    pub fn removed_lines(&self) -> Vec<&str> {
        let old = self.old.as_ref().map(|(text, _)| text.as_str()).unwrap_or_default();
        let gone = added_lines(&self.text, old);
        old.lines().zip(gone).filter(|(_, gone)| *gone).map(|(line, _)| line).collect()
    }
}

/// By line of `new`: whether it is new. Indentation does not count.
fn added_lines(old: &str, new: &str) -> Vec<bool> {
    let trimmed = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let (old, new) = (trimmed(old), trimmed(new));
    let mut added = vec![false; new.len()];
    let deadline = std::time::Instant::now() + Duration::from_secs(2);
    let steps =
        similar::capture_diff_slices_deadline(similar::Algorithm::Patience, &old, &new, Some(deadline));
    for step in steps {
        let (tag, _, range) = step.as_tag_tuple();
        if matches!(tag, similar::DiffTag::Insert | similar::DiffTag::Replace) {
            added[range].fill(true);
        }
    }
    added
}

/// Both sides of a change.
pub struct Scene<'a> {
    /// T.
    pub tests: Vec<SourceFile>,
    /// P.
    pub fix: Vec<SourceFile>,
    /// The names of the functions that P changes or adds.
    pub changed: BTreeSet<String>,
    /// The names on the lines that P adds.
    pub used: BTreeSet<String>,
    /// The production files that P touches.
    pub changed_paths: Vec<RepoPath>,
    /// The production files of the fixed tree.
    pub production: Vec<RepoPath>,
    /// The ids of the replication tests; empty where they are not known.
    pub ids: Vec<String>,
    /// The report, in lower case.
    pub issue: Option<String>,
    store: &'a Store,
    fixed: TreeId,
}

impl<'a> Scene<'a> {
    /// Reads both sides from the trees.
    ///
    /// # Errors
    /// An object is missing.
    pub fn read(
        store: &'a Store,
        roles: &Roles,
        base: TreeId,
        fixed: TreeId,
        test: &Overlay,
        production: &[Change],
    ) -> Result<Self, GitError> {
        let read = |tree, path: &RepoPath| -> Result<Option<String>, GitError> {
            Ok(store.file(tree, path)?.and_then(|bytes| String::from_utf8(bytes).ok()))
        };
        let language = roles.language();
        let test_rows = |path: &RepoPath, source: &str| {
            language
                .inline_tests(path, source)
                .map(|inline| rows_of(&inline.items, source))
                .unwrap_or_default()
        };
        let mut tests = Vec::new();
        for item in &test.items {
            let path = item.path();
            if matches!(item, Item::Gone(_)) || Grammar::of(path).is_none() {
                continue;
            }
            let Some(new) = read(fixed, path)? else { continue };
            let old = read(base, path)?;
            let rows = matches!(item, Item::Inline { .. }).then(|| test_rows(path, &new));
            let mine = |row: usize| rows.as_ref().is_none_or(|rows| rows.contains(&row));
            tests.extend(SourceFile::new(path, old, new, &mine));
        }
        let mut fix = Vec::new();
        for change in production.iter().filter(|change| Grammar::of(&change.path).is_some()) {
            let Some(new) = read(fixed, &change.path)? else { continue };
            let old = read(base, &change.path)?;
            let rows = test_rows(&change.path, &new);
            fix.extend(SourceFile::new(&change.path, old, new, &|row| !rows.contains(&row)));
        }
        let mut changed = BTreeSet::new();
        let mut used = BTreeSet::new();
        for file in &fix {
            names_of(file, &mut changed, &mut used);
        }
        let files = store.list(fixed)?.into_iter().filter_map(|(path, _)| RepoPath::from_bytes(&path).ok());
        let production_files = files.filter(|path| roles.of(path) == Role::Production).collect();
        Ok(Self {
            tests,
            fix,
            changed,
            used,
            changed_paths: production.iter().map(|change| change.path.clone()).collect(),
            production: production_files,
            ids: Vec::new(),
            issue: None,
            store,
            fixed,
        })
    }

    /// True when a production file of the language defines the name.
    pub fn defines(&self, grammar: Grammar, name: &str) -> bool {
        let words = match grammar {
            Grammar::Python => vec![format!("def {name}("), format!("class {name}"), format!("\n{name} =")],
            Grammar::Go => vec![format!("func {name}("), format!(") {name}("), format!("var {name} ")],
            Grammar::Rust => vec![format!("fn {name}"), format!("struct {name}")],
            _ => vec![
                format!("function {name}"),
                format!("class {name}"),
                format!("const {name} ="),
                format!("\n  {name}("),
                format!("\n  async {name}("),
            ],
        };
        let related = |path: &&RepoPath| {
            Grammar::of(path).is_some_and(|other| other.is_script() == grammar.is_script())
        };
        self.production.iter().filter(related).take(4_000).any(|path| {
            let bytes = self.store.file(self.fixed, path).ok().flatten();
            bytes.and_then(|bytes| String::from_utf8(bytes).ok()).is_some_and(|source| {
                let source = format!("\n{source}");
                words.iter().any(|word| source.contains(word))
            })
        })
    }

    /// True when the report names it.
    pub fn in_issue(&self, word: &str) -> bool {
        self.issue.as_ref().is_some_and(|issue| issue.contains(&word.to_lowercase()))
    }
}

/// The lines (counted from 0) of texts that stand in the source in this order.
fn rows_of(items: &[String], source: &str) -> BTreeSet<usize> {
    let mut rows = BTreeSet::new();
    let mut from = 0;
    for item in items {
        let Some(at) = source.get(from..).and_then(|rest| rest.find(item.as_str())) else { continue };
        let start = from + at;
        let first = source[..start].matches('\n').count();
        rows.extend(first..=first + item.matches('\n').count());
        from = start + item.len();
    }
    rows
}

fn names_of(file: &SourceFile, changed: &mut BTreeSet<String>, used: &mut BTreeSet<String>) {
    let view = file.now();
    for node in view.nodes() {
        let row = node.start_position().row;
        if node.child_count() > 0 || !file.is_row_added(row) {
            continue;
        }
        if matches!(
            node.kind(),
            "identifier" | "property_identifier" | "field_identifier" | "type_identifier"
        ) {
            used.insert(view.text(node).to_owned());
        }
        if !grammar::is_comment(node)
            && let Some(name) = grammar::enclosing(node, view.text).and_then(|function| function.name)
        {
            changed.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_only_moved_inwards_are_not_new() {
        let old = "def f():\n    a()\n    b()\n";
        let new = "def f():\n    with lock:\n        a()\n        b()\n        c()\n";
        assert_eq!(added_lines(old, new), [false, true, false, false, true]);
    }

    #[test]
    fn the_test_around_a_node_is_named() {
        for (path, source, word, name) in [
            ("a.py", "@skip\ndef test_a():\n    x = 1\n", "1", Some("test_a")),
            ("a.py", "@skip\ndef test_a():\n    x = 1\n", "skip", Some("test_a")),
            ("a.py", "def helper():\n    x = 1\n", "1", None),
            ("a.js", "it('adds', () => { f(1) })", "1", Some("adds")),
            ("a.js", "test.skip('adds', () => { f(1) })", "1", Some("adds")),
            ("a.rs", "#[test]\n#[ignore]\nfn adds() { f(1) }", "ignore", Some("adds")),
            ("a.rs", "fn helper() { f(1) }", "1", None),
            ("a.go", "package a\nfunc TestA(t *testing.T) { f(1) }", "1", Some("TestA")),
        ] {
            let file =
                SourceFile::new(&RepoPath::new(path).unwrap(), None, source.to_owned(), &|_| true).unwrap();
            let view = file.now();
            let node = view.nodes().find(|node| node.child_count() == 0 && view.text(*node) == word).unwrap();
            assert_eq!(view.test_around(node).as_deref(), name, "{source}");
        }
    }
}
