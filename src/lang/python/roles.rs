//! What a file of a Python project is for, and how surely a project is one.

use crate::git::RepoPath;
use crate::lang::protected::{self, Class};
use crate::lang::{Project, Role};

/// Folders whose files are helpers and data of tests.
const TEST_FOLDERS: [&str; 2] = ["tests", "test"];

/// Top folders that ship nothing.
const ASIDE: [&str; 11] = [
    "scripts",
    "tools",
    "bin",
    "ci",
    "docker",
    "examples",
    "example",
    "benchmarks",
    "benchmark",
    "bench",
    "requirements",
];

/// As [`crate::lang::Language::role`].
pub(super) fn role(path: &RepoPath) -> Option<Role> {
    let name = path.file_name();
    if steers_the_run(path) {
        return Some(Role::Protected(Class::Runner));
    }
    if matches!(path.extension(), Some("so" | "pyd" | "dylib" | "whl" | "egg")) {
        return Some(Role::Protected(Class::Dependencies));
    }
    if is_test_file(name) {
        return Some(Role::Test);
    }
    if below_tests(path) {
        // unittest looks for `test*.py`; outside a folder of tests that would take in `testing.py`.
        let by_unittest = name.starts_with("test") && name.ends_with(".py");
        return Some(if by_unittest { Role::Test } else { Role::TestSupport });
    }
    if protected::is_docs(path) {
        return None;
    }
    if path.parent().is_empty() && matches!(name, "pyproject.toml" | "setup.py") {
        return Some(Role::Other);
    }
    if matches!(path.extension(), Some("py" | "pyi" | "pyx" | "pxd" | "pxi" | "pyw")) {
        return Some(Role::Production);
    }
    let top = path.folders().next()?;
    let aside = ASIDE.contains(&top) || top.starts_with('.');
    Some(if aside { Role::Other } else { Role::Production })
}

/// True where the name alone makes the runners look for tests in the file.
pub(super) fn is_test_file(name: &str) -> bool {
    name.strip_suffix(".py").is_some_and(|stem| {
        stem.starts_with("test_") || stem.ends_with("_test") || matches!(stem, "test" | "tests")
    })
}

fn below_tests(path: &RepoPath) -> bool {
    let mut folders = path.folders();
    // `testing` is a folder of tests at the root only; inside a package it usually ships.
    folders.next().is_some_and(|top| top == "testing" || TEST_FOLDERS.contains(&top))
        || folders.any(|folder| TEST_FOLDERS.contains(&folder))
}

fn steers_the_run(path: &RepoPath) -> bool {
    let name = path.file_name();
    // A module of this name ahead of the real one on the import path takes the runner over.
    let shadows = |part: &str| {
        let stem = part.strip_suffix(".py").unwrap_or(part);
        matches!(stem, "pytest" | "_pytest" | "pluggy" | "unittest" | "faulthandler")
    };
    let inner = path.as_str().strip_prefix("src/").unwrap_or(path.as_str());
    matches!(
        name,
        "pytest.ini"
            | ".pytest.ini"
            | "pytest.toml"
            | ".pytest.toml"
            | "tox.ini"
            | "tox.toml"
            | "setup.cfg"
            | "conftest.py"
            | "sitecustomize.py"
            | "usercustomize.py"
            | ".coveragerc"
            | "pyvenv.cfg"
    ) || matches!(path.extension(), Some("pth" | "pyc" | "pyo"))
        || path.folders().any(|folder| matches!(folder, "sitecustomize" | "usercustomize" | "__pycache__"))
        || name.ends_with(".py") && shadows(inner.split('/').next().unwrap_or(inner))
}

const MANIFESTS: [&str; 5] = ["pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini"];

/// As [`crate::lang::Language::detect`].
pub(super) fn detect(project: &dyn Project) -> u8 {
    let (mut python, mut others) = (0_usize, 0_usize);
    for path in project.paths() {
        match path.extension() {
            Some("py" | "pyx") => python += 1,
            Some(
                "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "rs" | "go" | "java" | "kt" | "rb" | "php"
                | "cs",
            ) => others += 1,
            _ => {}
        }
    }
    let manifest = MANIFESTS.iter().any(|name| project.has(name));
    // A manifest often serves only a tool (a linter, a binding) of a project in another language.
    match (manifest, python) {
        (false, 0) => 0,
        (true, 0) => 10,
        (true, _) if python * 4 >= others => 100,
        (true, _) => 60,
        (false, _) => u8::try_from((python * 50 / (python + others)).max(1)).unwrap_or(50),
    }
}

/// The folder in which the tests are meant to be started: the one below which they all lie and which
/// has a manifest of its own, where the root has none; else the root (`""`).
pub(super) fn home(project: &dyn Project) -> String {
    let has_manifest = |folder: &str| {
        MANIFESTS.iter().any(|name| match folder {
            "" => project.has(name),
            _ => project.has(&format!("{folder}/{name}")),
        })
    };
    if has_manifest("") {
        return String::new();
    }
    let mut homes = project.paths().iter().filter(|path| is_test_file(path.file_name())).map(|path| {
        let mut folder = path.parent();
        while !folder.is_empty() && !has_manifest(folder) {
            folder = folder.rsplit_once('/').map_or("", |(outer, _)| outer);
        }
        folder
    });
    let first = homes.next().unwrap_or_default();
    if homes.all(|home| home == first) { first.to_owned() } else { String::new() }
}

/// True where tests or configuration are plainly written for pytest.
pub(super) fn needs_pytest(project: &dyn Project) -> bool {
    if ["pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"].iter().any(|name| project.has(name)) {
        return true;
    }
    let says = |file: &str, words: &str| project.text(file).is_some_and(|text| text.contains(words));
    if says("pyproject.toml", "[tool.pytest")
        || says("setup.cfg", "[tool:pytest]")
        || says("tox.ini", "[pytest]")
    {
        return true;
    }
    let tests = project.paths().iter().filter(|path| path.extension() == Some("py"));
    tests
        .filter(|path| path.file_name() == "conftest.py" || is_test_file(path.file_name()))
        .take(500)
        .filter_map(|path| project.text(path.as_str()))
        .any(|text| {
            text.lines().any(|line| {
                let inner = line.trim_start();
                inner.starts_with("import pytest")
                    || inner.starts_with("from pytest")
                    || line.starts_with("def test_")
                    || line.starts_with("async def test_")
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<Role> {
        role(&RepoPath::new(path).unwrap())
    }

    #[test]
    fn tests_and_their_helpers_are_told_apart() {
        for path in [
            "test_a.py",
            "pkg/tests/test_a.py",
            "a_test.py",
            "shop/tests.py",
            "src/pkg/test_a.py",
            "tests/testcart.py",
        ] {
            assert_eq!(of(path), Some(Role::Test), "{path}");
        }
        for path in ["tests/helper.py", "tests/data/a.json", "pkg/test/util.py", "testing/readme.md"] {
            assert_eq!(of(path), Some(Role::TestSupport), "{path}");
        }
    }

    #[test]
    fn what_steers_the_run_is_protected() {
        for path in [
            "conftest.py",
            "pkg/tests/conftest.py",
            "pytest.ini",
            "tox.ini",
            "setup.cfg",
            "sub/sitecustomize.py",
            "x.pth",
            ".coveragerc",
            "pytest.py",
            "src/_pytest/runner.py",
            "pkg/__pycache__/a.cpython-311.pyc",
        ] {
            assert_eq!(of(path), Some(Role::Protected(Class::Runner)), "{path}");
        }
        assert_eq!(
            of("pkg/fast.cpython-311-x86_64-linux-gnu.so"),
            Some(Role::Protected(Class::Dependencies))
        );
    }

    #[test]
    fn code_and_data_of_packages_are_production() {
        for path in
            ["pkg/a.py", "a.py", "src/pkg/data/words.json", "pkg/templates/a.html", "pkg/testing/api.py"]
        {
            assert_eq!(of(path), Some(Role::Production), "{path}");
        }
        assert_eq!(of("pyproject.toml"), Some(Role::Other));
        assert_eq!(of("setup.py"), Some(Role::Other));
        assert_eq!(of("scripts/build.sh"), Some(Role::Other));
        assert_eq!(of("docs/conf.py"), None);
        assert_eq!(of("Makefile"), None);
    }
}
