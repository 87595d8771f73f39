//! `go.mod`: the modules of a repository, and what a change of the file means.

use std::collections::BTreeSet;

use crate::lang::{Project, SettingChange};

/// A module of the repository.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Module {
    /// The folder of its `go.mod`; empty for the root.
    pub(super) folder: String,
    /// Its import path; empty where the file does not say.
    pub(super) path: String,
}

impl Module {
    /// True for a folder of the repository at or below the module's own.
    pub(super) fn holds(&self, folder: &str) -> bool {
        self.relative(folder).is_some()
    }

    /// A folder or file of the repository, relative to the module's folder.
    pub(super) fn relative<'a>(&self, path: &'a str) -> Option<&'a str> {
        below(path, &self.folder)
    }

    /// The folder of the repository that holds the package `import`.
    pub(super) fn folder_of(&self, import: &str) -> Option<String> {
        below(import, &self.path).filter(|_| !self.path.is_empty()).map(|rest| join(&self.folder, rest))
    }
}

/// The modules of a tree, outermost first; those inside of test data and vendored code are left out.
pub(super) fn modules(project: &dyn Project) -> Vec<Module> {
    let mut modules: Vec<Module> = project
        .paths()
        .iter()
        .filter(|path| path.file_name() == "go.mod" && path.folders().all(is_package_folder))
        .map(|path| Module {
            folder: path.parent().to_owned(),
            path: module_path(&project.text(path.as_str()).unwrap_or_default()),
        })
        .collect();
    modules.sort_by_key(|module| (module.folder.matches('/').count(), module.folder.len()));
    modules
}

/// False for the folders that `go test ./...` passes over.
pub(super) fn is_package_folder(name: &str) -> bool {
    !name.starts_with(['.', '_']) && !matches!(name, "vendor" | "testdata" | "node_modules")
}

/// The import path that a `go.mod` declares; empty where it declares none.
pub(super) fn module_path(text: &str) -> String {
    directives(text)
        .into_iter()
        .find_map(|directive| directive.strip_prefix("module ").map(|path| path.trim_matches('"').to_owned()))
        .unwrap_or_default()
}

/// What the change of a `go.mod` means for the test run, as a fragment that follows the file's name.
pub(super) fn change(old: Option<&str>, new: Option<&str>) -> Option<SettingChange> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (None, None) => return None,
        // A module of its own cuts its folder out of the packages around it.
        (None, Some(_)) => {
            let what = "makes a module of its folder, which `go test ./...` then passes over";
            return Some(SettingChange::Runner(what.to_owned()));
        }
        (Some(_), None) => {
            return Some(SettingChange::Runner("is removed, and the module with it".to_owned()));
        }
    };
    let old: BTreeSet<String> = directives(old).into_iter().collect();
    let new: BTreeSet<String> = directives(new).into_iter().collect();
    let changed: Vec<&String> = old.symmetric_difference(&new).collect();
    let (requires, others): (Vec<&String>, Vec<&String>) =
        changed.into_iter().partition(|directive| directive.starts_with("require "));
    let listed = |directives: &[&String]| {
        let named = directives.iter().map(|directive| format!("`{directive}`")).collect::<Vec<_>>();
        format!("changes {}", named.join(", "))
    };
    if !others.is_empty() {
        return Some(SettingChange::Runner(listed(&others)));
    }
    (!requires.is_empty()).then(|| SettingChange::Dependencies(listed(&requires)))
}

/// The directives, one a line, blocks taken apart, comments and spacing set aside. A `retract` says
/// something about published versions only and is left out.
fn directives(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or(line);
        let words: Vec<&str> = code.split_whitespace().collect();
        match (words.as_slice(), &block) {
            ([], _) => {}
            ([")"], _) => block = None,
            ([verb, "("], None) => block = Some((*verb).to_owned()),
            (words, Some(verb)) => found.push(format!("{verb} {}", words.join(" "))),
            (words, None) => found.push(words.join(" ")),
        }
    }
    found.retain(|directive| !directive.starts_with("retract"));
    found
}

/// `path` relative to `folder`, if it lies at or below it.
pub(super) fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// Two parts of a path, either of which may be empty.
pub(super) fn join(folder: &str, rest: &str) -> String {
    match (folder, rest) {
        ("", rest) => rest.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, rest) => format!("{folder}/{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "module example.com/m // the module\n\ngo 1.19\n\nrequire (\n\tgithub.com/a/b v1.0.0 // indirect\n)\n";

    #[test]
    fn the_module_path_is_read() {
        assert_eq!(module_path(OLD), "example.com/m");
        assert_eq!(module_path("module (\n\t\"example.com/q\"\n)\n"), "example.com/q");
        assert_eq!(module_path("go 1.19\n"), "");
    }

    #[test]
    fn layout_and_comments_of_go_mod_change_nothing() {
        let new = "module example.com/m\ngo 1.19\n// why\nrequire github.com/a/b v1.0.0\nretract v0.9.0\n";
        assert_eq!(change(Some(OLD), Some(new)), None);
    }

    #[test]
    fn a_new_version_of_a_dependency_is_told_from_a_replacement() {
        let bumped = OLD.replace("v1.0.0", "v1.0.1");
        let Some(SettingChange::Dependencies(what)) = change(Some(OLD), Some(&bumped)) else { panic!() };
        assert_eq!(what, "changes `require github.com/a/b v1.0.0`, `require github.com/a/b v1.0.1`");
        for line in [
            "replace github.com/a/b => ./fake",
            "exclude github.com/a/b v1.0.0",
            "toolchain go1.22.0",
            "godebug x=1",
        ] {
            let new = format!("{bumped}{line}\n");
            assert_eq!(
                change(Some(&bumped), Some(&new)),
                Some(SettingChange::Runner(format!("changes `{line}`"))),
                "{line}"
            );
            assert!(matches!(change(Some(OLD), Some(&new)), Some(SettingChange::Runner(_))), "{line}");
        }
        let newer = OLD.replace("go 1.19", "go 1.22");
        assert!(matches!(change(Some(OLD), Some(&newer)), Some(SettingChange::Runner(_))));
    }

    #[test]
    fn a_module_that_appears_or_goes_changes_the_run() {
        assert!(matches!(change(None, Some(OLD)), Some(SettingChange::Runner(_))));
        assert!(matches!(change(Some(OLD), None), Some(SettingChange::Runner(_))));
    }

    #[test]
    fn packages_are_found_below_their_module() {
        let module = Module { folder: "sub".to_owned(), path: "example.com/m/sub".to_owned() };
        assert_eq!(module.folder_of("example.com/m/sub/a"), Some("sub/a".to_owned()));
        assert_eq!(module.folder_of("example.com/m/sub"), Some("sub".to_owned()));
        assert_eq!(module.folder_of("example.com/m/subway"), None);
        assert!(module.holds("sub") && module.holds("sub/x") && !module.holds("subway"));
    }
}
