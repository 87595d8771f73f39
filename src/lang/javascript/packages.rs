//! The packages of a project: where its package.json files lie and what is installed for them.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::Project;
use super::roles;
use crate::git::RepoPath;

/// A package.json.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    /// Its folder, `""` at the root.
    pub(super) folder: String,
    value: Map<String, Value>,
}

impl Manifest {
    /// An absent package.json at the root.
    pub(super) fn empty() -> Self {
        Self { folder: String::new(), value: Map::new() }
    }

    /// All of the base tree, the root's first. Those of installed or vendored packages and of test
    /// fixtures are left out.
    pub(super) fn all(project: &dyn Project) -> Vec<Self> {
        project
            .paths()
            .iter()
            .filter(|path| path.file_name() == "package.json")
            .filter(|path| {
                !path.folders().any(|folder| matches!(folder, "node_modules" | "vendor" | "third_party"))
            })
            .filter(|path| !roles::is_for_tests(path))
            .filter_map(|path| {
                let Value::Object(value) = serde_json::from_str(&project.text(path.as_str())?).ok()? else {
                    return None;
                };
                Some(Self { folder: path.parent().to_owned(), value })
            })
            .collect()
    }

    /// The scripts.
    pub(super) fn scripts(&self) -> Map<String, Value> {
        match self.value.get("scripts") {
            Some(Value::Object(scripts)) => scripts.clone(),
            _ => Map::new(),
        }
    }

    /// True when it has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value.contains_key(key)
    }

    /// True when files ending in `.js` are ES modules.
    pub(super) fn is_module(&self) -> bool {
        self.value.get("type").and_then(Value::as_str) == Some("module")
    }

    /// True when it lists the package among its dependencies.
    pub(super) fn depends_on(&self, package: &str) -> bool {
        ["devDependencies", "dependencies", "peerDependencies", "optionalDependencies"]
            .iter()
            .any(|key| self.value.get(*key).and_then(|list| list.get(package)).is_some())
    }
}

/// True when `path` lies in the folder or below it.
pub(super) fn is_below(path: &RepoPath, folder: &str) -> bool {
    folder.is_empty() || path.as_str().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The path relative to a folder above it.
pub(super) fn relative_to<'a>(path: &'a RepoPath, folder: &str) -> &'a str {
    if folder.is_empty() { path.as_str() } else { &path.as_str()[folder.len() + 1..] }
}

/// A program of an installed package, as Node finds it from `folder`: in the nearest `node_modules`.
pub(super) fn program(root: &Path, folder: &str, name: &str) -> Option<PathBuf> {
    installed(root, folder, &format!(".bin/{name}"))
}

/// An installed file or folder below the nearest `node_modules` that has it.
pub(super) fn installed(root: &Path, folder: &str, below: &str) -> Option<PathBuf> {
    let mut folder = Some(folder);
    while let Some(here) = folder {
        let file = root.join(here).join("node_modules").join(below);
        if file.exists() {
            return Some(file);
        }
        folder = match here.rsplit_once('/') {
            Some((parent, _)) => Some(parent),
            None if !here.is_empty() => Some(""),
            None => None,
        };
    }
    None
}

/// The version of an installed package.
pub(super) fn version(root: &Path, folder: &str, package: &str) -> Option<String> {
    let file = installed(root, folder, &format!("{package}/package.json"))?;
    let value: Value = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
    Some(value.get("version")?.as_str()?.to_owned())
}
