//! Which importable modules the tree holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use crate::git::RepoPath;
use crate::lang::Role;

/// The top-level modules of a tree, each with the folders that hold it (`""` for the root).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Modules(BTreeMap<String, BTreeSet<String>>);

/// Names that every other project has too; they say nothing about where a module belongs.
const COMMON: [&str; 12] = [
    "setup", "conf", "conftest", "test", "tests", "testing", "docs", "examples", "scripts", "tools",
    "noxfile", "tasks",
];

impl Modules {
    /// The modules of production files.
    pub(super) fn of(paths: &[RepoPath]) -> Self {
        let files: BTreeSet<&str> = paths.iter().map(RepoPath::as_str).collect();
        let mut modules = Self::default();
        for path in paths {
            if path.extension() != Some("py") || super::roles::role(path) != Some(Role::Production) {
                continue;
            }
            let mut folder = path.parent();
            let mut top = path.file_name().trim_end_matches(".py");
            while !folder.is_empty() && files.contains(format!("{folder}/__init__.py").as_str()) {
                (folder, top) = folder.rsplit_once('/').unwrap_or(("", folder));
            }
            if folder.is_empty() && top == "__init__" || COMMON.contains(&top) {
                continue;
            }
            // Without an `__init__.py` a folder may be a namespace package: `src/space/deep.py` is also
            // `space.deep`.
            for base in ["", "src", "lib"] {
                let inner = if base.is_empty() { Some(folder) } else { folder.strip_prefix(base) };
                let inner =
                    inner.map(|inner| inner.trim_start_matches('/')).filter(|inner| !inner.is_empty());
                if let Some(space) = inner.and_then(|inner| inner.split('/').next())
                    && !COMMON.contains(&space)
                    && !matches!(space, "src" | "lib")
                {
                    modules.0.entry(space.to_owned()).or_default().insert(base.to_owned());
                }
            }
            // A folder below another source file's package, such as examples or vendored code, is no
            // place from which the project itself is imported.
            if folder.split('/').all(|part| !COMMON.contains(&part) && !part.starts_with('_')) {
                modules.0.entry(top.to_owned()).or_default().insert(folder.to_owned());
            }
        }
        modules
    }

    /// True when the variant at `root` has the top-level module, whether or not the base had it.
    pub(super) fn owns(&self, top: &str, root: &Path) -> bool {
        if self.0.contains_key(top) {
            return true;
        }
        if top.is_empty() || top.contains(['/', '\\']) || top == ".." {
            return false;
        }
        let folders =
            self.0.values().flatten().map(String::as_str).chain(["", "src", "lib", "tests", "test"]);
        folders.collect::<BTreeSet<_>>().into_iter().any(|folder| {
            let place = root.join(folder);
            place.join(format!("{top}.py")).is_file() || place.join(top).is_dir()
        })
    }

    /// True when the root of the tree holds one of `names`.
    pub(super) fn at_root(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.get(*name).is_some_and(|folders| folders.contains("")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_at_the_root_and_in_source_folders() {
        let paths: Vec<RepoPath> = [
            "pkg/__init__.py",
            "pkg/sub/__init__.py",
            "pkg/sub/mod.py",
            "setup.py",
            "single.py",
            "src/other/__init__.py",
            "src/space/deep.py",
            "tests/test_a.py",
            "tests/helper.py",
        ]
        .map(|path| RepoPath::new(path).unwrap())
        .to_vec();
        let modules = Modules::of(&paths);
        let names: Vec<_> = modules.0.keys().map(String::as_str).collect();
        assert_eq!(names, ["deep", "other", "pkg", "single", "space"]);
        assert!(modules.at_root(&["pkg"]) && !modules.at_root(&["other"]));
    }
}
