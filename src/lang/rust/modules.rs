//! Which file holds which module of which target.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::super::Project;
use super::{manifest, syntax};
use crate::git::RepoPath;

/// A file of a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Module {
    /// The file.
    pub(super) file: RepoPath,
    /// The module's path in the crate (`a::b`), empty for the root.
    pub(super) path: String,
    /// The folder in which its child modules are looked for.
    pub(super) children: String,
}

/// The files of a target, found by following `mod` declarations from its root.
pub(super) fn of_target(project: &dyn Project, root: &RepoPath) -> Vec<Module> {
    let first = Module { file: root.clone(), path: String::new(), children: root.parent().to_owned() };
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![first];
    while let Some(module) = waiting.pop() {
        if !seen.insert((module.file.clone(), module.path.clone())) {
            continue;
        }
        if let Some(source) = project.text(module.file.as_str())
            && may_declare(&source)
            && let Some(tree) = syntax::parse(&source)
        {
            let scope = Scope { project, module: &module, source: &source };
            scope.visit(tree.root_node(), &[], &mut waiting);
        }
        found.push(module);
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// The crate module `name` below `parent`.
pub(super) fn child(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}::{name}") }
}

/// True when the text has `mod name;`: most files have none and need not be parsed.
fn may_declare(source: &str) -> bool {
    source.match_indices("mod ").any(|(at, word)| {
        let rest = source[at + word.len()..].trim_start();
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '#').unwrap_or(rest.len());
        rest[name..].trim_start().starts_with(';')
    })
}

struct Scope<'a> {
    project: &'a dyn Project,
    module: &'a Module,
    source: &'a str,
}

impl Scope<'_> {
    fn visit(&self, node: Node<'_>, inline: &[&str], waiting: &mut Vec<Module>) {
        let mut path_attribute = None;
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "attribute_item" => {
                    path_attribute = path_value(syntax::text(child, self.source)).or(path_attribute.take());
                }
                "line_comment" | "block_comment" => {}
                "mod_item" => {
                    let attribute = path_attribute.take();
                    let Some(name) = child.child_by_field_name("name") else { continue };
                    let name = syntax::text(name, self.source).trim_start_matches("r#");
                    match child.child_by_field_name("body") {
                        Some(body) => {
                            let inner: Vec<&str> = inline.iter().copied().chain([name]).collect();
                            self.visit(body, &inner, waiting);
                        }
                        None => waiting.extend(self.file_of(name, attribute.as_deref(), inline)),
                    }
                }
                // `cfg_if! { … mod x; … }` and its like declare modules too.
                "macro_invocation" => self.visit_macro(child, inline, waiting),
                "expression_statement" => {
                    if let Some(call) = child.named_child(0).filter(|call| call.kind() == "macro_invocation")
                    {
                        self.visit_macro(call, inline, waiting);
                    }
                }
                _ => path_attribute = None,
            }
        }
    }

    fn visit_macro(&self, call: Node<'_>, inline: &[&str], waiting: &mut Vec<Module>) {
        let text = syntax::text(call, self.source);
        for (at, word) in text.match_indices("mod ") {
            let rest = text[at + word.len()..].trim_start();
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            if rest[end..].trim_start().starts_with(';') {
                waiting.extend(self.file_of(&rest[..end], None, inline));
            }
        }
    }

    fn file_of(&self, name: &str, attribute: Option<&str>, inline: &[&str]) -> Option<Module> {
        let path =
            inline.iter().chain([&name]).fold(self.module.path.clone(), |path, name| child(&path, name));
        if let Some(attribute) = attribute {
            let folder = if inline.is_empty() {
                self.module.file.parent().to_owned()
            } else {
                inline.iter().fold(self.module.children.clone(), |folder, name| manifest::join(&folder, name))
            };
            let file = RepoPath::new(normal(&manifest::join(&folder, attribute))?).ok()?;
            // A file named by attribute looks for its children beside itself.
            let children = file.parent().to_owned();
            return self.project.has(file.as_str()).then_some(Module { file, path, children });
        }
        let folder =
            inline.iter().fold(self.module.children.clone(), |folder, name| manifest::join(&folder, name));
        let children = manifest::join(&folder, name);
        [format!("{children}.rs"), format!("{children}/mod.rs")]
            .into_iter()
            .find(|file| self.project.has(file))
            .and_then(|file| Some(Module { file: RepoPath::new(file).ok()?, path, children }))
    }
}

/// The value of `#[path = "…"]`.
fn path_value(attribute: &str) -> Option<String> {
    let inner = attribute.strip_prefix("#[")?.strip_suffix(']')?.trim();
    let value = inner.strip_prefix("path")?.trim_start().strip_prefix('=')?.trim();
    Some(value.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// A path without `.` and `..` parts; `None` when it leaves the tree.
pub(super) fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
