//! From files and test ids to cargo targets, and back.
//!
//! A test id is `BINARY NAME`, where `BINARY` is what nextest calls the binary id: `pkg` for the
//! library's unit tests, `pkg::cli` for the integration test `cli`, `pkg::bin/tool`,
//! `pkg::example/x`, `pkg::bench/x`, and `pkg::doc/pkg` for documentation tests; `NAME` is the
//! test's module path. All parts can be read back from the text. Documentation tests are numbered
//! within the item that they document (`src/lib.rs - add #2`), since their line numbers move.

use std::path::{Path, PathBuf};

use super::super::{Place, Project, Role, Selection, TestId};
use super::manifest::{self, Kind, Package, join, within};
use super::modules::{self, Module};
use crate::git::RepoPath;

/// The packages of a tree with their targets and files.
pub(super) struct Workspace {
    /// By folder.
    pub(super) packages: Vec<Package>,
    /// Where cargo is started for the whole suite.
    pub(super) homes: Vec<String>,
    /// The files of each target: (package, target, its modules).
    files: Vec<(usize, usize, Vec<Module>)>,
    /// All paths of the base tree, sorted.
    known: Vec<RepoPath>,
    /// Files of crates without the standard library.
    bare: Vec<RepoPath>,
}

/// A test program to run and which of its tests are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unit {
    /// Which package, as an index.
    pub(super) package: usize,
    /// Which kind of target.
    pub(super) kind: Kind,
    /// The target's name.
    pub(super) target: String,
    /// Which tests.
    pub(super) filter: Filter,
}

/// The tests of a unit that are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Filter {
    /// Those that these files define, by file and module path.
    Files(Vec<(RepoPath, String)>),
    /// Those with these names.
    Names(Vec<String>),
}

impl Workspace {
    pub(super) fn read(project: &dyn Project) -> Self {
        let packages = manifest::packages(project);
        let mut files = Vec::new();
        let mut bare = Vec::new();
        for (index, package) in packages.iter().enumerate() {
            for (number, target) in package.targets.iter().enumerate() {
                let modules = modules::of_target(project, &target.root);
                if project.text(target.root.as_str()).is_some_and(|text| is_bare(&text)) {
                    bare.extend(modules.iter().map(|module| module.file.clone()));
                }
                files.push((index, number, modules));
            }
        }
        let known = project.paths().to_vec();
        Self { homes: manifest::homes(project), packages, files, known, bare }
    }

    /// True when the file belongs to a crate that does not link the standard library.
    pub(super) fn is_bare(&self, file: &RepoPath) -> bool {
        self.bare.contains(file)
    }

    /// The test programs that hold the selected tests; none for the whole suite.
    pub(super) fn units(&self, selection: &Selection) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        match selection {
            Selection::Suite => {}
            Selection::Files(files) => {
                for file in files.iter().filter(|file| may_hold_tests(file)) {
                    for (package, kind, target, module) in self.homes_of(file) {
                        let entry = (file.clone(), module);
                        match units.iter_mut().find(|unit| unit.is(package, kind, &target)) {
                            Some(Unit { filter: Filter::Files(entries), .. }) => entries.push(entry),
                            _ => {
                                units.push(Unit { package, kind, target, filter: Filter::Files(vec![entry]) })
                            }
                        }
                    }
                }
            }
            Selection::Tests(ids) => {
                for id in ids {
                    let Some((package, kind, target, name)) = self.parse(id) else { continue };
                    match units.iter_mut().find(|unit| unit.is(package, kind, &target)) {
                        Some(Unit { filter: Filter::Names(names), .. }) => names.push(name),
                        _ => units.push(Unit { package, kind, target, filter: Filter::Names(vec![name]) }),
                    }
                }
            }
        }
        units
    }

    /// The id of a test.
    pub(super) fn id(&self, package: usize, kind: Kind, target: &str, name: &str) -> TestId {
        TestId(format!("{} {name}", binary_id(&self.packages[package].name, kind, target)))
    }

    /// The parts of an id: package, kind, target, name.
    pub(super) fn parse(&self, id: &TestId) -> Option<(usize, Kind, String, String)> {
        let (binary, name) = id.as_str().split_once(' ')?;
        let (package, rest) = match binary.split_once("::") {
            Some((package, rest)) => (package, Some(rest)),
            None => (binary, None),
        };
        let package = self.packages.iter().position(|known| known.name == package)?;
        let (kind, target) = match rest {
            None => {
                let lib = self.packages[package].targets.iter().find(|target| target.kind == Kind::Lib);
                (Kind::Lib, lib.map(|lib| lib.name.clone()).unwrap_or_default())
            }
            Some(rest) => match rest.split_once('/') {
                Some(("bin", name)) => (Kind::Bin, name.to_owned()),
                Some(("example", name)) => (Kind::Example, name.to_owned()),
                Some(("bench", name)) => (Kind::Bench, name.to_owned()),
                Some(("doc", name)) => (Kind::Doc, name.to_owned()),
                _ => (Kind::Test, rest.to_owned()),
            },
        };
        Some((package, kind, target, name.to_owned()))
    }

    /// The package whose manifest lies in `folder`.
    pub(super) fn package_in(&self, folder: &str) -> Option<usize> {
        self.packages.iter().position(|package| package.folder == folder)
    }

    /// The package with this library, as cargo names it for documentation tests.
    pub(super) fn package_of_crate(&self, home: &str, name: &str) -> Option<usize> {
        let has = |package: &Package| {
            package.home == home
                && (package.name == name
                    || package
                        .targets
                        .iter()
                        .any(|target| target.kind == Kind::Lib && target.name == name.replace('-', "_")))
        };
        self.packages.iter().position(has)
    }

    /// True when the base tree's manifest gives the target a test program of its own.
    pub(super) fn is_custom(&self, package: usize, kind: Kind, target: &str) -> bool {
        self.packages[package]
            .targets
            .iter()
            .any(|known| known.kind == kind && (known.name == target || kind == Kind::Lib) && !known.harness)
    }

    /// The file that defines a test, judged by its module path.
    pub(super) fn file_of(&self, package: usize, kind: Kind, target: &str, name: &str) -> Option<RepoPath> {
        let modules = self.modules(package, kind, target)?;
        owner(modules, name).map(|module| module.file.clone())
    }

    /// True when one of the entries' files defines the test.
    pub(super) fn is_meant(&self, unit: &Unit, name: &str) -> bool {
        match &unit.filter {
            Filter::Names(names) => names.iter().any(|wanted| wanted == name),
            Filter::Files(entries) => entries.iter().any(|(file, module)| {
                let modules = self.modules(unit.package, unit.kind, &unit.target).unwrap_or_default();
                let new = !modules.iter().any(|known| known.file == *file);
                match owner(modules, name) {
                    Some(owner) if owner.file == *file => true,
                    // A new file's tests look as if they were those of the file above it.
                    _ => new && in_module(name, module),
                }
            }),
        }
    }

    /// The files whose tests a unit runs.
    pub(super) fn files_of(&self, unit: &Unit) -> Vec<RepoPath> {
        match &unit.filter {
            Filter::Files(entries) => entries.iter().map(|(file, _)| file.clone()).collect(),
            Filter::Names(names) => names
                .iter()
                .filter_map(|name| self.file_of(unit.package, unit.kind, &unit.target, name))
                .collect(),
        }
    }

    fn modules(&self, package: usize, kind: Kind, target: &str) -> Option<&[Module]> {
        self.files.iter().find_map(|(index, number, modules)| {
            let known = &self.packages[*index].targets[*number];
            (*index == package && known.kind == kind && (known.name == target || kind == Kind::Lib))
                .then_some(modules.as_slice())
        })
    }

    /// The targets that hold a file: package, kind, target, module path.
    fn homes_of(&self, file: &RepoPath) -> Vec<(usize, Kind, String, String)> {
        let mut found = Vec::new();
        let home = |package: usize, number: usize, path: &str| {
            let target = &self.packages[package].targets[number];
            (package, target.kind, target.name.clone(), path.to_owned())
        };
        for (package, number, modules) in &self.files {
            for module in modules.iter().filter(|module| module.file == *file) {
                found.push(home(*package, *number, &module.path));
            }
        }
        if !found.is_empty() {
            return found;
        }
        // A file that the base tree does not have, or that nothing there declares.
        let Some((folder, name)) = module_name(file) else { return found };
        // Files right in `tests/` are targets of their own unless another one declares them.
        if let Some(target) = self.new_target(file) {
            return vec![target];
        }
        for (package, number, modules) in &self.files {
            for module in modules.iter().filter(|module| module.children == folder) {
                found.push(home(*package, *number, &modules::child(&module.path, &name)));
            }
        }
        found
    }

    /// The target that cargo would find for a new file.
    fn new_target(&self, file: &RepoPath) -> Option<(usize, Kind, String, String)> {
        let package = self
            .packages
            .iter()
            .enumerate()
            .filter(|(_, package)| within(file.as_str(), &package.folder))
            .max_by_key(|(_, package)| package.folder.len())
            .map(|(index, _)| index)?;
        let folder = &self.packages[package].folder;
        for (kind, home) in [
            (Kind::Test, "tests"),
            (Kind::Bin, "src/bin"),
            (Kind::Example, "examples"),
            (Kind::Bench, "benches"),
        ] {
            let prefix = format!("{}/", join(folder, home));
            if let Some(name) = file.as_str().strip_prefix(&prefix).and_then(manifest::target_name) {
                return Some((package, kind, name.to_owned(), String::new()));
            }
        }
        None
    }
}

impl Unit {
    fn is(&self, package: usize, kind: Kind, target: &str) -> bool {
        self.package == package && self.kind == kind && self.target == target
    }

    /// The cargo option that selects the target.
    pub(super) fn option(&self) -> Vec<String> {
        let flag = match self.kind {
            Kind::Lib => return vec!["--lib".to_owned()],
            Kind::Doc => return vec!["--doc".to_owned()],
            Kind::Bin => "--bin",
            Kind::Test => "--test",
            Kind::Example => "--example",
            Kind::Bench => "--bench",
        };
        vec![flag.to_owned(), self.target.clone()]
    }

    /// What the test program is to filter by: whole names, or parts of names.
    pub(super) fn arguments(&self) -> Vec<String> {
        match &self.filter {
            Filter::Names(names) if self.kind == Kind::Doc => {
                let mut items: Vec<String> = names.iter().map(|name| doc_item(name).to_owned()).collect();
                items.sort();
                items.dedup();
                items
            }
            Filter::Names(names) => {
                std::iter::once("--exact".to_owned()).chain(names.iter().cloned()).collect()
            }
            // The root module's tests have no common part: all run, and the reader picks.
            Filter::Files(entries) if entries.iter().any(|(_, module)| module.is_empty()) => Vec::new(),
            Filter::Files(entries) => entries.iter().map(|(_, module)| format!("{module}::")).collect(),
        }
    }
}

/// What nextest calls a binary id.
pub(super) fn binary_id(package: &str, kind: Kind, target: &str) -> String {
    match kind {
        Kind::Lib => package.to_owned(),
        Kind::Test => format!("{package}::{target}"),
        Kind::Bin => format!("{package}::bin/{target}"),
        Kind::Example => format!("{package}::example/{target}"),
        Kind::Bench => format!("{package}::bench/{target}"),
        Kind::Doc => format!("{package}::doc/{target}"),
    }
}

/// The documented item of a documentation test's name, without its number.
fn doc_item(name: &str) -> &str {
    name.rsplit_once(" #").map_or(name, |(item, _)| item)
}

fn in_module(name: &str, module: &str) -> bool {
    module.is_empty() || name.strip_prefix(module).is_some_and(|rest| rest.starts_with("::"))
}

/// The module with the longest path that the name lies in.
fn owner<'a>(modules: &'a [Module], name: &str) -> Option<&'a Module> {
    modules.iter().filter(|module| in_module(name, &module.path)).max_by_key(|module| module.path.len())
}

/// The folder in which a file would be looked for, and the name of its module.
fn module_name(file: &RepoPath) -> Option<(String, String)> {
    let inside = file.as_str().strip_suffix("/mod.rs").or_else(|| file.as_str().strip_suffix(".rs"))?;
    Some(match inside.rsplit_once('/') {
        Some((folder, name)) => (folder.to_owned(), name.to_owned()),
        None => (String::new(), inside.to_owned()),
    })
}

fn may_hold_tests(file: &RepoPath) -> bool {
    file.extension() == Some("rs") && super::role(file) != Some(Role::TestSupport)
}

fn is_bare(root: &str) -> bool {
    root.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("#![") && line.contains("no_std")
    })
}

/// Turns paths that cargo, the compiler and programs print into places.
#[derive(Clone, Debug)]
pub(super) struct Places<'a> {
    /// All paths of the base tree, sorted.
    known: &'a [RepoPath],
    root: &'a Path,
    /// Where cargo was started.
    home: &'a str,
    /// The package's folder: the working folder of its tests.
    folder: &'a str,
}

impl Workspace {
    /// For a package's output.
    pub(super) fn places<'a>(&'a self, root: &'a Path, home: &'a str, folder: &'a str) -> Places<'a> {
        Places { known: &self.known, root, home, folder }
    }
}

impl Places<'_> {
    /// The place of a file. The compiler writes paths relative to the workspace (`src/a.rs`), stack
    /// traces relative to the test's working folder (`./src/a.rs`).
    pub(super) fn of(&self, file: &str) -> Place {
        let path = PathBuf::from(file);
        if path.is_absolute() {
            let below = path.strip_prefix(self.root).ok().and_then(Path::to_str);
            return match below.and_then(modules::normal).map(RepoPath::new) {
                Some(Ok(path)) if !is_build_output(&path) => Place::Tree(path),
                _ => Place::Outside(file.to_owned()),
            };
        }
        let bare = file.strip_prefix("./");
        let folders = if bare.is_some() { [self.folder, self.home] } else { [self.home, self.folder] };
        let candidates: Vec<RepoPath> = folders
            .iter()
            .filter_map(|folder| modules::normal(&join(folder, bare.unwrap_or(file))))
            .filter_map(|path| RepoPath::new(path).ok())
            .collect();
        let known = candidates.iter().find(|path| self.known.binary_search(path).is_ok());
        let looks_like_std = ["library/", "core/src/", "std/src/", "alloc/src/", "<"];
        match known.or(candidates.first()) {
            Some(path) if known.is_some() || !looks_like_std.iter().any(|start| file.starts_with(start)) => {
                Place::Tree(path.clone())
            }
            _ => Place::Outside(file.to_owned()),
        }
    }

    /// The file in the tree, if it is there.
    pub(super) fn in_tree(&self, file: &str) -> Option<RepoPath> {
        match self.of(file) {
            Place::Tree(path) => Some(path),
            Place::Outside(_) => None,
        }
    }
}

fn is_build_output(path: &RepoPath) -> bool {
    path.folders().next() == Some("target")
}
