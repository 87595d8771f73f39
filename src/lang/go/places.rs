//! Where a source file that Go names lies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::events::Index;
use super::manifest::{Module, join};
use super::toolchain::Toolchain;
use crate::git::RepoPath;
use crate::lang::Place;

/// Turns the file names of one command into places.
pub(super) struct Places<'a> {
    /// The path at which the variant ran, and what it resolves to.
    pub(super) roots: [PathBuf; 2],
    /// The module in whose folder the command ran.
    pub(super) module: &'a Module,
    /// Every module.
    pub(super) modules: &'a [Module],
    /// The toolchain, whose files and downloads are none of the project's.
    pub(super) toolchain: &'a Toolchain,
    /// The Go files of the base tree.
    pub(super) sources: &'a BTreeSet<RepoPath>,
    /// The test files of the variant.
    pub(super) index: &'a Index,
}

impl Places<'_> {
    /// A file as the compiler or a stack names it: absolute, relative to the folder of the command, or
    /// (`-trimpath`) below an import path.
    pub(super) fn of(&self, file: &str) -> Place {
        let outside = || Place::Outside(file.to_owned());
        let path = Path::new(file);
        if path.is_absolute() {
            if self.toolchain.owns(path) {
                return outside();
            }
            let inside = self.roots.iter().find_map(|root| RepoPath::below(root, path));
            return inside.map_or_else(outside, Place::Tree);
        }
        // Files that the toolchain makes up for a test binary.
        if matches!(file, "_testmain.go" | "_cgo_gotypes.go") || file.contains('<') {
            return outside();
        }
        for module in self.modules.iter().rev() {
            let Some(inside) = module.folder_of(file).filter(|_| file.starts_with(&module.path)) else {
                continue;
            };
            return RepoPath::new(inside).map_or_else(|_| outside(), Place::Tree);
        }
        if file.split('/').next().is_some_and(|first| {
            first.contains('@') || first.contains('.') && first != "." && first != ".." && file.contains('/')
        }) {
            return outside();
        }
        let mut folders: Vec<&str> = self.module.folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in file.split('/') {
            match part {
                "." => {}
                ".." => {
                    if folders.pop().is_none() {
                        return outside();
                    }
                }
                part => folders.push(part),
            }
        }
        RepoPath::new(folders.join("/")).map_or_else(|_| outside(), Place::Tree)
    }

    /// A file of which the testing package printed the bare name, for a test of the package in
    /// `folder`.
    pub(super) fn of_name(&self, name: &str, folder: &str) -> Place {
        if name.contains('/') {
            return self.of(name);
        }
        let is_known = |path: &RepoPath| {
            self.sources.contains(path) || self.index.test_files(path.parent()).contains(path)
        };
        let beside = RepoPath::new(join(folder, name))
            .ok()
            .filter(|path| name.ends_with("_test.go") || is_known(path));
        if let Some(path) = beside {
            return Place::Tree(path);
        }
        // A helper of another package, if only one file has that name.
        let mut namesakes = self.sources.iter().filter(|path| path.file_name() == name);
        match (namesakes.next(), namesakes.next()) {
            (Some(path), None) => Place::Tree(path.clone()),
            _ => Place::Outside(name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_file_name_is_understood() {
        let module = |folder: &str, path: &str| Module { folder: folder.to_owned(), path: path.to_owned() };
        let modules = [module("", "example.com/m"), module("sub", "example.com/m/sub")];
        let sources = ["p/a.go", "util/check.go"].map(|path| RepoPath::new(path).unwrap()).into();
        let index = Index::default();
        let toolchain: Toolchain =
            serde_json::from_str(r#"{"GOROOT": "/usr/lib/go", "GOMODCACHE": "/r/.cache/mod"}"#).unwrap();
        let places = Places {
            roots: ["/r".into(), "/real".into()],
            module: &modules[1],
            modules: &modules,
            toolchain: &toolchain,
            sources: &sources,
            index: &index,
        };
        let tree = |path: &str| Place::Tree(RepoPath::new(path).unwrap());
        for (file, path) in [
            ("/r/p/a.go", "p/a.go"),
            ("/real/p/a.go", "p/a.go"),
            ("./q/b.go", "sub/q/b.go"),
            ("q/b.go", "sub/q/b.go"),
            ("../p/a.go", "p/a.go"),
            ("example.com/m/sub/q/b.go", "sub/q/b.go"),
            ("example.com/m/p/a.go", "p/a.go"),
        ] {
            assert_eq!(places.of(file), tree(path), "{file}");
        }
        for file in [
            "/usr/lib/go/src/testing/testing.go",
            "/r/.cache/mod/x@v1/y.go",
            "/elsewhere/a.go",
            "_testmain.go",
            "github.com/x/y@v1.0.0/z.go",
            "../../a.go",
        ] {
            assert_eq!(places.of(file), Place::Outside(file.to_owned()));
        }
        assert_eq!(places.of_name("a.go", "p"), tree("p/a.go"));
        assert_eq!(places.of_name("new_test.go", "p"), tree("p/new_test.go"));
        assert_eq!(places.of_name("check.go", "p"), tree("util/check.go"));
        assert_eq!(places.of_name("testing.go", "p"), Place::Outside("testing.go".to_owned()));
    }
}
