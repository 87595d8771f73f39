//! A bug, its test and its fix as three commits, told in one of the languages.
//!
//! All tell the same story: `total` forgets the first price. A test overrides what it is about and
//! leaves the rest honest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use failfirst::gate::judge::Extent;
use failfirst::lab::{Keep, Quiet};
use failfirst::verify::{Inputs, Sealing, verify};

use super::judged::Judged;
use super::repository::{Edit, Repository};

/// A base, a test and a fix.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    base: Vec<Edit>,
    test: Vec<Edit>,
    fix: Vec<Edit>,
    isolated: bool,
    modules: bool,
}

/// Settings that make the toy projects cheap to judge.
const SETTINGS: &str = "[gates]\nmutants = 0\n[test]\ntimeout = \"60s\"\n";

/// Python with unittest: `shop.py`, `tests/test_shop.py`.
pub(crate) fn python() -> Story {
    Story {
        base: vec![
            ("failfirst.toml", &*format!("[project]\nrunner = \"unittest\"\n{SETTINGS}")).into(),
            ("shop.py", "def total(prices):\n    return sum(prices[1:])\n").into(),
            ("tests/__init__.py", "").into(),
            (
                "tests/test_old.py",
                "import unittest\nfrom shop import total\n\n\nclass Old(unittest.TestCase):\n    \
                 def test_nothing(self):\n        self.assertEqual(total([]), 0)\n",
            )
                .into(),
        ],
        test: vec![
            (
                "tests/test_shop.py",
                "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    \
                 def test_total(self):\n        self.assertEqual(total([1, 2, 3]), 6)\n",
            )
                .into(),
        ],
        fix: vec![("shop.py", "def total(prices):\n    return sum(prices)\n").into()],
        isolated: true,
        modules: false,
    }
}

/// Python with pytest: as [`python`], with plain functions.
pub(crate) fn pytest() -> Story {
    let command = format!("[test]\ncommand = \"{} -m pytest {{tests}}\"\n", python_with_pytest().display());
    let settings = SETTINGS.replace("[test]\n", &command);
    python()
        .base([
            ("failfirst.toml", &*settings),
            (
                "tests/test_old.py",
                "from shop import total\n\n\ndef test_nothing():\n    assert total([]) == 0\n",
            ),
        ])
        .test([(
            "tests/test_shop.py",
            "from shop import total\n\n\ndef test_total():\n    assert total([1, 2, 3]) == 6\n",
        )])
}

/// JavaScript with node:test: `src/shop.js`, `test/shop.test.js`.
pub(crate) fn javascript() -> Story {
    let test = |name: &str, prices: &str, sum: u32| {
        format!(
            "import test from 'node:test';\nimport assert from 'node:assert';\nimport {{ total }} from '../src/shop.js';\n\n\
             test('{name}', () => {{\n  assert.strictEqual(total({prices}), {sum});\n}});\n"
        )
    };
    Story {
        base: vec![
            ("failfirst.toml", SETTINGS).into(),
            (
                "package.json",
                "{\"name\":\"shop\",\"type\":\"module\",\"scripts\":{\"test\":\"node --test\"}}\n",
            )
                .into(),
            (
                "src/shop.js",
                "export function total(prices) {\n  return prices.slice(1).reduce((a, b) => a + b, 0);\n}\n",
            )
                .into(),
            ("test/old.test.js", &*test("nothing", "[]", 0)).into(),
        ],
        test: vec![("test/shop.test.js", &*test("total", "[1, 2, 3]", 6)).into()],
        fix: vec![
            (
                "src/shop.js",
                "export function total(prices) {\n  return prices.reduce((a, b) => a + b, 0);\n}\n",
            )
                .into(),
        ],
        isolated: true,
        modules: false,
    }
}

/// JavaScript with jest: as [`javascript`], as CommonJS.
pub(crate) fn jest() -> Story {
    let test = |name: &str, prices: &str, sum: u32| {
        format!(
            "const {{ total }} = require('../src/shop');\n\n\ntest('{name}', () => {{\n  expect(total({prices})).toEqual({sum});\n}});\n"
        )
    };
    let shop = |prices: &str| {
        format!(
            "function total(prices) {{\n  return {prices}.reduce((a, b) => a + b, 0);\n}}\n\nmodule.exports = {{ total }};\n"
        )
    };
    Story {
        base: vec![
            ("failfirst.toml", SETTINGS).into(),
            ("package.json", "{\"name\":\"shop\",\"scripts\":{\"test\":\"jest\"}}\n").into(),
            (".gitignore", "node_modules\n").into(),
            ("src/shop.js", &*shop("prices.slice(1)")).into(),
            ("test/old.test.js", &*test("nothing", "[]", 0)).into(),
        ],
        test: vec![("test/shop.test.js", &*test("total", "[1, 2, 3]", 6)).into()],
        fix: vec![("src/shop.js", &*shop("prices")).into()],
        isolated: true,
        modules: true,
    }
}

/// Rust with cargo: `src/lib.rs`, `tests/shop.rs`.
pub(crate) fn rust() -> Story {
    Story {
        base: vec![
            ("failfirst.toml", SETTINGS).into(),
            (
                "Cargo.toml",
                "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ndoctest = false\n\n\
                 [profile.dev]\ndebug = 0\n",
            )
                .into(),
            ("Cargo.lock", "version = 3\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\n").into(),
            (".gitignore", "/target\n").into(),
            ("src/lib.rs", "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().skip(1).sum()\n}\n").into(),
            ("tests/old.rs", "#[test]\nfn nothing() {\n    assert_eq!(shop::total(&[]), 0);\n}\n").into(),
        ],
        test: vec![
            ("tests/shop.rs", "#[test]\nfn total() {\n    assert_eq!(shop::total(&[1, 2, 3]), 6);\n}\n").into(),
        ],
        fix: vec![("src/lib.rs", "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum()\n}\n").into()],
        isolated: true,
        modules: false,
    }
}

/// Go: `shop.go`, `shop_test.go`.
pub(crate) fn go() -> Story {
    let test = |name: &str, prices: &str, sum: u32| {
        format!(
            "package shop\n\nimport \"testing\"\n\nfunc {name}(t *testing.T) {{\n\tif sum := Total([]int{{{prices}}}); sum != {sum} {{\n\t\t\
             t.Fatalf(\"%d is not {sum}\", sum)\n\t}}\n}}\n"
        )
    };
    Story {
        base: vec![
            ("failfirst.toml", SETTINGS).into(),
            ("go.mod", "module shop\n\ngo 1.19\n").into(),
            ("shop.go", &*go_total("1", "")).into(),
            ("old_test.go", &*test("TestNothing", "0", 0)).into(),
        ],
        test: vec![("shop_test.go", &*test("TestTotal", "1, 2, 3", 6)).into()],
        fix: vec![("shop.go", &*go_total("0", "")).into()],
        isolated: true,
        modules: false,
    }
}

/// The Go file with `Total`, which leaves out the first `skip` prices, and `before` its loop.
pub(crate) fn go_total(skip: &str, before: &str) -> String {
    format!(
        "package shop\n\nfunc Total(prices []int) int {{\n{before}\tsum := 0\n\tfor _, price := range prices[{skip}:] {{\n\t\tsum += price\n\t}}\n\t\
         return sum\n}}\n"
    )
}

/// The interpreter with pytest and its plugins.
pub(crate) fn python_with_pytest() -> PathBuf {
    let place = std::env::var_os("FAILFIRST_TEST_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/python/bin/python"),
        PathBuf::from,
    );
    assert!(place.is_file(), "{} is absent; make it with scripts/test-tools/python", place.display());
    place
}

/// The installed JavaScript test runners.
fn node_modules() -> PathBuf {
    let place = std::env::var_os("FAILFIRST_TEST_JAVASCRIPT")
        .map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/javascript"),
            PathBuf::from,
        )
        .join("node_modules");
    assert!(place.is_dir(), "{} is absent; make it with scripts/test-tools/javascript", place.display());
    place
}

fn merge<E: Into<Edit>>(into: &mut Vec<Edit>, edits: impl IntoIterator<Item = E>) {
    for edit in edits {
        let edit = edit.into();
        into.retain(|known| known.path() != edit.path());
        into.push(edit);
    }
}

impl Story {
    /// With other files in the base.
    #[must_use]
    pub(crate) fn base<E: Into<Edit>>(mut self, edits: impl IntoIterator<Item = E>) -> Self {
        merge(&mut self.base, edits);
        self
    }

    /// With other files in the commit of the test.
    #[must_use]
    pub(crate) fn test<E: Into<Edit>>(mut self, edits: impl IntoIterator<Item = E>) -> Self {
        merge(&mut self.test, edits);
        self
    }

    /// With other files in the commit of the fix.
    #[must_use]
    pub(crate) fn fix<E: Into<Edit>>(mut self, edits: impl IntoIterator<Item = E>) -> Self {
        merge(&mut self.fix, edits);
        self
    }

    /// True when the base has this file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.base.iter().any(|edit| edit.path() == path)
    }

    /// Without the honest fix: production stays as it is.
    #[must_use]
    pub(crate) fn without_fix(mut self) -> Self {
        self.fix.clear();
        self
    }

    /// Without the test.
    #[must_use]
    pub(crate) fn without_test(mut self) -> Self {
        self.test.clear();
        self
    }

    /// With more settings in `failfirst.toml`; the text is put at its end.
    #[must_use]
    pub(crate) fn settings(mut self, text: &str) -> Self {
        for edit in &mut self.base {
            if let Edit::Put(path, bytes) = edit
                && path == "failfirst.toml"
            {
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        self
    }

    /// With mutants, which stories about other questions do without.
    #[must_use]
    pub(crate) fn mutants(mut self, most: u32) -> Self {
        for edit in &mut self.base {
            if let Edit::Put(path, bytes) = edit
                && path == "failfirst.toml"
            {
                let text =
                    String::from_utf8_lossy(bytes).replace("mutants = 0", &format!("mutants = {most}"));
                *bytes = text.into_bytes();
            }
        }
        self
    }

    /// With another limit for a run.
    #[must_use]
    pub(crate) fn settings_timeout(mut self, limit: &str) -> Self {
        for edit in &mut self.base {
            if let Edit::Put(path, bytes) = edit
                && path == "failfirst.toml"
            {
                *bytes = String::from_utf8_lossy(bytes).replace("60s", limit).into_bytes();
            }
        }
        self
    }

    /// Judged without a sandbox.
    #[must_use]
    pub(crate) fn without_sandbox(self) -> Self {
        Self { isolated: false, ..self }.settings("[sandbox]\nlevel = \"off\"\n")
    }

    /// As a repository on disk, with base, test and head.
    pub(crate) fn write(&self) -> Written {
        let repository = Repository::new();
        let base = repository.commit(&self.base);
        let test = repository.commit(&self.test);
        let head = repository.commit(&self.fix);
        repository.git(&["checkout", "-q", "-B", "main", &base]);
        if self.modules {
            std::os::unix::fs::symlink(node_modules(), repository.root().join("node_modules")).unwrap();
        }
        Written { repository, base, test, head, isolated: self.isolated }
    }

    /// The verdict where test and fix arrive together.
    pub(crate) fn together(&self) -> Judged {
        self.write().judge(Sealing::Found)
    }

    /// The verdict where the test was sealed first.
    pub(crate) fn sealed(&self) -> Judged {
        let written = self.write();
        let test = written.test.clone();
        written.judge(Sealing::Revision(test))
    }
}

/// A story on disk.
pub(crate) struct Written {
    pub(crate) repository: Repository,
    pub(crate) base: String,
    pub(crate) test: String,
    pub(crate) head: String,
    isolated: bool,
}

impl Written {
    /// With another commit as head.
    #[must_use]
    pub(crate) fn with_head(self, head: String) -> Self {
        Self { head, ..self }
    }

    /// The verdict on the difference between base and head.
    pub(crate) fn judge(&self, sealing: Sealing) -> Judged {
        let verdict = verify(Inputs {
            repository: self.repository.root().to_owned(),
            base: self.base.clone(),
            head: self.head.clone(),
            sealing,
            config: None,
            extent: Extent::UntilRefused,
            jobs: 2,
            keep: Keep::No,
            helper: PathBuf::from(env!("CARGO_BIN_EXE_failfirst")),
            progress: Arc::new(Quiet),
        });
        let verdict = verdict.unwrap_or_else(|error| panic!("no verdict: {error}"));
        let kind = if self.isolated { "namespaces" } else { "none" };
        assert_eq!(verdict.sandbox.kind, kind, "{:?}", verdict.sandbox.missing);
        Judged::new(verdict)
    }
}
