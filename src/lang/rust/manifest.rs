//! Cargo manifests, read from the tree: packages and the targets that cargo would find.

use toml::{Table, Value};

use super::super::Project;
use crate::git::RepoPath;

/// What cargo builds tests from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Kind {
    /// The library, procedural macros included.
    Lib,
    /// A program.
    Bin,
    /// An integration test.
    Test,
    /// An example.
    Example,
    /// A benchmark.
    Bench,
    /// The library's documentation tests.
    Doc,
}

/// A package of the tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Package {
    /// As in its manifest.
    pub(super) name: String,
    /// Its folder, `""` at the root of the tree.
    pub(super) folder: String,
    /// The outermost folder above it with a manifest: where cargo is started.
    pub(super) home: String,
    /// True when its manifest is also a workspace's and names default members.
    pub(super) has_default_members: bool,
    /// Its targets.
    pub(super) targets: Vec<Target>,
}

/// A target of a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Target {
    /// What it is.
    pub(super) kind: Kind,
    /// Its name; for the library the crate's name.
    pub(super) name: String,
    /// The file of its root module.
    pub(super) root: RepoPath,
    /// False where the target brings its own test program (`harness = false`).
    pub(super) harness: bool,
}

/// All packages of the tree, by folder.
pub(super) fn packages(project: &dyn Project) -> Vec<Package> {
    let folders: Vec<&str> = project
        .paths()
        .iter()
        .filter(|path| path.file_name() == "Cargo.toml" && !is_vendored(path))
        .map(RepoPath::parent)
        .collect();
    let mut found = Vec::new();
    for folder in &folders {
        let Some(text) = project.text(&join(folder, "Cargo.toml")) else { continue };
        let Ok(manifest) = text.parse::<Table>() else { continue };
        let Some(name) = table(&manifest, "package").and_then(|package| package.get("name")) else {
            continue;
        };
        let Some(name) = name.as_str() else { continue };
        let home = folders
            .iter()
            .filter(|other| within(folder, other))
            .min_by_key(|other| other.len())
            .unwrap_or(folder);
        found.push(Package {
            name: name.to_owned(),
            folder: (*folder).to_owned(),
            home: (*home).to_owned(),
            has_default_members: table(&manifest, "workspace")
                .is_some_and(|workspace| workspace.contains_key("default-members")),
            targets: targets(project, folder, name, &manifest),
        });
    }
    found
}

/// The folders in which cargo is started for the whole suite: those with a manifest and none above.
pub(super) fn homes(project: &dyn Project) -> Vec<String> {
    let folders: Vec<&str> = project
        .paths()
        .iter()
        .filter(|path| path.file_name() == "Cargo.toml" && !is_vendored(path))
        .map(RepoPath::parent)
        .collect();
    folders
        .iter()
        .filter(|folder| !folders.iter().any(|other| other != *folder && within(folder, other)))
        .map(|folder| (*folder).to_owned())
        .collect()
}

/// `folder/name`, or `name` at the root.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// True when `path` is `folder` or lies below it.
pub(super) fn within(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_vendored(path: &RepoPath) -> bool {
    path.folders().any(|folder| matches!(folder, "vendor" | "third_party" | "target" | "node_modules"))
}

fn table<'table>(parent: &'table Table, key: &str) -> Option<&'table Table> {
    parent.get(key).and_then(Value::as_table)
}

fn text<'table>(table: &'table Table, key: &str) -> Option<&'table str> {
    table.get(key).and_then(Value::as_str)
}

fn flag(table: Option<&Table>, key: &str) -> bool {
    table.and_then(|table| table.get(key)).and_then(Value::as_bool).unwrap_or(true)
}

fn targets(project: &dyn Project, folder: &str, package: &str, manifest: &Table) -> Vec<Target> {
    let settings = table(manifest, "package");
    let mut found = Vec::new();
    let lib = table(manifest, "lib");
    let root = lib.and_then(|lib| text(lib, "path")).unwrap_or("src/lib.rs");
    if let Some(root) = existing(project, folder, root) {
        let name = lib.and_then(|lib| text(lib, "name")).unwrap_or(package).replace('-', "_");
        found.push(Target { kind: Kind::Lib, name, root, harness: flag(lib, "harness") });
    }
    for (kind, key, auto, home) in [
        (Kind::Bin, "bin", "autobins", "src/bin"),
        (Kind::Test, "test", "autotests", "tests"),
        (Kind::Example, "example", "autoexamples", "examples"),
        (Kind::Bench, "bench", "autobenches", "benches"),
    ] {
        let mut named: Vec<Target> = Vec::new();
        let declared = manifest.get(key).and_then(Value::as_array).into_iter().flatten();
        for entry in declared.filter_map(Value::as_table) {
            let Some(name) = text(entry, "name") else { continue };
            let customary = [format!("{home}/{name}.rs"), format!("{home}/{name}/main.rs")];
            let root = match text(entry, "path") {
                Some(path) => existing(project, folder, path),
                None => customary.iter().find_map(|path| existing(project, folder, path)).or_else(|| {
                    (kind == Kind::Bin).then(|| existing(project, folder, "src/main.rs")).flatten()
                }),
            };
            let Some(root) = root else { continue };
            named.push(Target { kind, name: name.to_owned(), root, harness: flag(Some(entry), "harness") });
        }
        if flag(settings, auto) {
            let main = (kind == Kind::Bin).then(|| existing(project, folder, "src/main.rs")).flatten();
            let main = main.map(|root| (package.to_owned(), root));
            for (name, root) in main.into_iter().chain(discovered(project, folder, home)) {
                if !named.iter().any(|known| known.name == name || known.root == root) {
                    named.push(Target { kind, name, root, harness: true });
                }
            }
        }
        found.append(&mut named);
    }
    found
}

fn existing(project: &dyn Project, folder: &str, path: &str) -> Option<RepoPath> {
    let path = RepoPath::new(join(folder, path.trim_start_matches("./"))).ok()?;
    project.has(path.as_str()).then_some(path)
}

/// `home/NAME.rs` and `home/NAME/main.rs`.
fn discovered<'a>(
    project: &'a dyn Project,
    folder: &str,
    home: &str,
) -> impl Iterator<Item = (String, RepoPath)> + 'a {
    let prefix = format!("{}/", join(folder, home));
    project.paths().iter().filter_map(move |path| {
        let name = target_name(path.as_str().strip_prefix(&prefix)?)?;
        Some((name.to_owned(), path.clone()))
    })
}

/// The target that a file right in `tests/` (or `src/bin/` …) is the root of.
pub(super) fn target_name(inside: &str) -> Option<&str> {
    let name = inside.strip_suffix("/main.rs").or_else(|| inside.strip_suffix(".rs"))?;
    (!name.contains('/') && !name.is_empty()).then_some(name)
}
