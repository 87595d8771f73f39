//! Go: `go test`.

mod build;
mod canaries;
mod crash;
mod essence;
mod events;
mod failure;
mod go_test;
mod id;
mod manifest;
mod mutation;
mod outcome;
mod package;
mod places;
mod reader;
#[cfg(test)]
mod recorded;
mod surgery;
mod toolchain;
mod twin;

use super::{LangError, Language, Project, Role, Runner, RunnerSettings, SettingChange, protected};
use crate::git::RepoPath;
use crate::lang::grammar::Grammar;
use crate::lang::surgery::Surgery;

/// Go.
pub(super) struct Go;

impl Language for Go {
    fn name(&self) -> &'static str {
        "go"
    }

    fn detect(&self, project: &dyn Project) -> u8 {
        if project.has("go.mod") {
            return 90;
        }
        if project.has("go.work") {
            return 80;
        }
        let paths = project.paths();
        let sources = paths.iter().filter(|path| path.extension() == Some("go")).count();
        // The share of Go files, between 10 (a few) and 50 (all).
        match sources * 40 / paths.len().max(1) {
            _ if sources == 0 => 0,
            share => 10 + u8::try_from(share).unwrap_or(40),
        }
    }

    fn role(&self, path: &RepoPath) -> Option<Role> {
        let name = path.file_name();
        if path.folders().any(|folder| matches!(folder, "testdata" | "_test" | "_testdata")) {
            return Some(Role::TestSupport);
        }
        if name.ends_with("_test.go") {
            return Some(Role::Test);
        }
        match name {
            "go.work" | ".go-version" => return Some(Role::Protected(protected::Class::Runner)),
            "go.work.sum" => return Some(Role::Protected(protected::Class::Dependencies)),
            "go.mod" => return Some(Role::Other),
            _ => {}
        }
        if path.folders().any(is_test_folder) {
            return Some(Role::TestSupport);
        }
        if path.folders().any(|folder| matches!(folder, "examples" | "example" | "_examples")) {
            return Some(Role::Other);
        }
        if path.extension() == Some("go") {
            return Some(Role::Production);
        }
        data_role(path)
    }

    fn runner(&self, project: &dyn Project, settings: &RunnerSettings) -> Result<Box<dyn Runner>, LangError> {
        Ok(Box::new(go_test::GoTestRunner::find(project, settings)?))
    }

    fn surgery(&self) -> &'static dyn Surgery {
        &surgery::GoSurgery
    }

    fn twins(&self, path: &RepoPath, source: &str, line: u32, nonce: &str) -> Option<crate::lang::Twins> {
        let grammar = Grammar::of(path)?;
        crate::lang::twin::twins(grammar, &twin::GoAssertions, source, line, nonce)
    }

    fn essence(&self, path: &RepoPath, source: &str) -> Option<String> {
        (path.extension() == Some("go")).then(|| essence::of(path, source)).flatten()
    }

    fn runner_settings_changed(
        &self,
        path: &RepoPath,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Option<SettingChange> {
        (path.file_name() == "go.mod").then(|| manifest::change(old, new)).flatten()
    }
}

/// Folders that by custom hold packages for tests only. A fix in them is no fix of production.
fn is_test_folder(name: &str) -> bool {
    matches!(
        name,
        "test"
            | "tests"
            | "testutil"
            | "testutils"
            | "testhelper"
            | "testhelpers"
            | "testsupport"
            | "testkit"
            | "testlib"
            | "testtools"
            | "testfixtures"
            | "fixtures"
            | "mocks"
            | "e2e"
    )
}

/// Files that are no Go source: they ship where a package can embed them or links them in.
fn data_role(path: &RepoPath) -> Option<Role> {
    let name = path.file_name().to_ascii_lowercase();
    let tooling = |folder: &str| {
        folder.starts_with('.') || matches!(folder, "scripts" | "hack" | "tools" | "build" | "deploy" | "ci")
    };
    if protected::is_docs(path) {
        return None;
    }
    if name.starts_with('.')
        || path.folders().any(tooling)
        || name.starts_with("docker")
        || matches!(
            name.as_str(),
            "package.json" | "codecov.yml" | "renovate.json" | "mkdocs.yml" | "netlify.toml"
        )
        || matches!(path.extension(), None | Some("sh" | "bash" | "py" | "ps1" | "bat" | "mk"))
    {
        return Some(Role::Other);
    }
    Some(Role::Production)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    struct Tree(Vec<RepoPath>);

    impl Tree {
        fn of(paths: &[&str]) -> Self {
            let mut paths: Vec<_> = paths.iter().map(|path| RepoPath::new(*path).unwrap()).collect();
            paths.sort();
            Self(paths)
        }
    }

    impl Project for Tree {
        fn paths(&self) -> &[RepoPath] {
            &self.0
        }
        fn text(&self, _path: &str) -> Option<String> {
            None
        }
        fn root(&self) -> &Path {
            Path::new("/")
        }
    }

    #[test]
    fn a_manifest_at_the_root_is_the_surest_sign() {
        assert_eq!(Go.detect(&Tree::of(&["go.mod", "a.py"])), 90);
        assert_eq!(Go.detect(&Tree::of(&["go.work", "m/go.mod"])), 80);
        assert_eq!(Go.detect(&Tree::of(&["a.go"])), 50);
        assert_eq!(Go.detect(&Tree::of(&["a.go", "b.py", "c.py", "d.py"])), 20);
        assert_eq!(Go.detect(&Tree::of(&["a.py"])), 0);
        assert_eq!(Go.detect(&Tree::of(&[])), 0);
    }

    #[test]
    fn roles_follow_the_customs_of_go() {
        let runner = Role::Protected(protected::Class::Runner);
        for (path, role) in [
            ("cart/cart.go", Role::Production),
            ("cart/cart_test.go", Role::Test),
            ("cart/export_test.go", Role::Test),
            ("cart/testdata/a_test.go", Role::TestSupport),
            ("cart/testdata/golden.json", Role::TestSupport),
            ("_test/extra.txt", Role::TestSupport),
            ("internal/testutil/assert.go", Role::TestSupport),
            ("httptest/server.go", Role::Production),
            ("cart/prices.json", Role::Production),
            ("cart/asm_amd64.s", Role::Production),
            ("examples/one/main.go", Role::Other),
            ("examples/one/main_test.go", Role::Test),
            ("go.mod", Role::Other),
            ("go.work", runner),
            (".golangci.yml", Role::Other),
            ("scripts/build.sh", Role::Other),
            ("Dockerfile", Role::Other),
        ] {
            assert_eq!(Go.role(&RepoPath::new(path).unwrap()), Some(role), "{path}");
        }
        for path in ["README.md", "docs/guide.yml", "LICENSE"] {
            assert_eq!(Go.role(&RepoPath::new(path).unwrap()), None, "{path}");
        }
    }
}
