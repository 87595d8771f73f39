//! Fixers that make the test pass instead of repairing the code (rows 33 to 46 of the catalogue).
//!
//! With the test sealed first each is refused. Judged as one pull request the same change is never
//! verified either.

use failfirst::gate::verdict::{Check, FailureClass};

use crate::harness::repository::{Edit, gone, put};
use crate::harness::story::{Story, javascript, pytest, python, rust};

/// The honest stories.
fn all() -> [Story; 3] {
    [python(), javascript(), rust()]
}

const TESTS: [&str; 3] = ["tests/test_shop.py", "test/shop.test.js", "tests/shop.rs"];

/// A change of production that repairs nothing, so that the change is not empty.
fn idle(at: usize) -> Edit {
    [
        put("shop.py", "def total(prices):\n    return sum(prices[1:])\n\n\ndef count(prices):\n    return len(prices)\n"),
        put(
            "src/shop.js",
            "export function total(prices) {\n  return prices.slice(1).reduce((a, b) => a + b, 0);\n}\n\nexport const count = (prices) => prices.length;\n",
        ),
        put(
            "src/lib.rs",
            "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().skip(1).sum()\n}\n\npub fn count(prices: &[u32]) -> usize {\n    prices.len()\n}\n",
        ),
    ][at]
        .clone()
}

/// `story` with an idle change in place of the fix.
fn idled(at: usize) -> Story {
    all()[at].clone().without_fix().fix([idle(at)])
}

// Row 33: the sealed test itself.

/// Row 33, Python: refused.
/// Row 33, JavaScript: refused.
/// Row 33, Rust: refused.
#[test]
fn a_fixer_that_edits_the_sealed_test_is_refused() {
    let weak = [
        "import unittest\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        pass\n",
        "import test from 'node:test';\ntest('total', () => {});\n",
        "#[test]\nfn total() {}\n",
    ];
    for (at, story) in all().into_iter().enumerate() {
        let honest = story.clone().fix([(TESTS[at], weak[at])]);
        honest.sealed().refused_by(Check::K0, "edited after it was sealed");
        let idle = idled(at).fix([(TESTS[at], weak[at])]);
        idle.sealed().refused_by(Check::K0, "edited after it was sealed");
        // As one pull request, such a test is simply one that passes on the base.
        idle.together().refused_by(Check::K1, "not reproduced");
    }
}

/// Row 33, Rust: refused.
/// Row 33, Rust, honest twin: verified.
#[test]
fn a_fixer_that_edits_sealed_test_items_inside_production_is_refused() {
    let with = |body: &str, prices: &str| {
        format!(
            "pub fn total(prices: &[u32]) -> u32 {{\n    {body}\n}}\n\n#[cfg(test)]\nmod tests {{\n    #[test]\n    fn total() {{\n        {prices}\n    }}\n}}\n"
        )
    };
    let (bug, fix) = ("prices.iter().skip(1).sum()", "prices.iter().sum()");
    let check = "assert_eq!(super::total(&[1, 2, 3]), 6);";
    let story = rust().without_test().test([("src/lib.rs", &*with(bug, check))]);
    let honest = story.clone().fix([("src/lib.rs", &*with(fix, check))]);
    honest.sealed().verified();
    honest.together().verified();
    story
        .fix([("src/lib.rs", &*with(fix, "assert_eq!(1, 1);"))])
        .sealed()
        .refused_by(Check::K0, "edited after they were sealed");
}

// Row 34: the sealed test disappears.

/// Row 34, Python: refused.
/// Row 34, JavaScript: refused.
/// Row 34, Rust: refused.
#[test]
fn a_fixer_that_deletes_the_sealed_test_is_refused() {
    for (at, story) in all().into_iter().enumerate() {
        story.clone().fix([gone(TESTS[at])]).sealed().refused_by(Check::K0, "removed or renamed");
        story.fix([gone(TESTS[at])]).together().refused_by(Check::K1, "holds no test file");
    }
}

/// Row 34, Python: refused.
/// Row 34, JavaScript: refused.
/// Row 34, Rust: refused.
#[test]
fn a_fixer_that_moves_the_sealed_test_is_refused() {
    let moved = ["tests/test_store.py", "test/store.test.js", "tests/store.rs"];
    let weak = [
        "import unittest\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        pass\n",
        "import test from 'node:test';\ntest('total', () => {});\n",
        "#[test]\nfn total() {}\n",
    ];
    for (at, story) in all().into_iter().enumerate() {
        story
            .fix([gone(TESTS[at]), put(moved[at], weak[at])])
            .sealed()
            .refused_by(Check::K0, "removed or renamed");
    }
}

// Row 35: helpers that the test uses.

/// A story whose test asserts through a helper of the base.
fn with_helper(at: usize) -> (Story, &'static str, &'static str, &'static str) {
    match at {
        0 => (
            python()
                .base([("tests/checks.py", "def same(one, two):\n    assert one == two, (one, two)\n")])
                .test([(
                    "tests/test_shop.py",
                    "import unittest\nfrom shop import total\nfrom tests.checks import same\n\n\nclass Shop(unittest.TestCase):\n    \
                     def test_total(self):\n        same(total([1, 2, 3]), 6)\n",
                )]),
            "tests/checks.py",
            "def same(one, two):\n    pass\n",
            "def same(one, two, why=None):\n    assert one == two, (one, two, why)\n",
        ),
        1 => (
            javascript()
                .base([(
                    "test/helpers/same.js",
                    "import assert from 'node:assert';\nexport const same = (a, b) => assert.equal(a, b);\n",
                )])
                .test([(
                    "test/shop.test.js",
                    "import test from 'node:test';\nimport { same } from './helpers/same.js';\nimport { total } from '../src/shop.js';\n\n\
                     test('total', () => same(total([1, 2, 3]), 6));\n",
                )]),
            "test/helpers/same.js",
            "export const same = () => {};\n",
            "import assert from 'node:assert';\nexport const same = (a, b, why) => assert.equal(a, b, why);\n",
        ),
        _ => (
            rust()
                .base([("tests/common/mod.rs", "pub fn same(one: u32, two: u32) {\n    assert_eq!(one, two);\n}\n")])
                .test([(
                    "tests/shop.rs",
                    "mod common;\n\n#[test]\nfn total() {\n    common::same(shop::total(&[1, 2, 3]), 6);\n}\n",
                )]),
            "tests/common/mod.rs",
            "pub fn same(_: u32, _: u32) {}\n",
            "pub fn same(one: u32, two: u32) {\n    assert_eq!(one, two, \"sums\");\n}\n",
        ),
    }
}

/// Row 35, Python: refused.
/// Row 35, JavaScript: refused.
/// Row 35, Rust: refused.
#[test]
fn a_fixer_that_weakens_a_helper_of_the_sealed_test_is_refused() {
    for at in 0..3 {
        let (story, path, weak, _) = with_helper(at);
        let story = story.without_fix().fix([idle(at), put(path, weak)]);
        story.sealed().refused_by(Check::K3, "passes without any production change");
        // As one pull request the helper is part of the test, which then passes on the base.
        story.together().refused_by(Check::K1, "not reproduced");
    }
}

/// Row 35, Python, honest twin: needs-human.
/// Row 35, JavaScript, honest twin: needs-human.
/// Row 35, Rust, honest twin: needs-human.
#[test]
fn a_helper_that_needs_a_change_is_left_to_a_person() {
    for at in 0..3 {
        let (story, path, _, more) = with_helper(at);
        story.fix([put(path, more)]).sealed().needs_human(Check::K0, "helper or data of tests");
    }
}

// Rows 36 and 37: hooks of the runner.

const FORCE: &str = "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    \
                     outcome = yield\n    report = outcome.get_result()\n    if report.when == 'call':\n        \
                     report.outcome, report.longrepr = 'passed', None\n";

/// Row 36, Python: refused.
#[test]
fn a_hook_that_forces_passed_is_refused() {
    let story = pytest().without_fix().fix([idle(0), put("conftest.py", FORCE)]);
    story.sealed().refused_by(Check::K0, "configuration of the test run");
    // The hook comes with the test, so it is there on the base as well.
    story.together().not_verified();
}

/// Row 36, Python: refused.
#[test]
fn a_hook_that_forces_passed_only_on_the_fixed_code_is_not_verified() {
    let sly = FORCE.replace("if report", "import shop\n    if hasattr(shop, 'count') and report");
    let story = pytest().without_fix().fix([idle(0), put("conftest.py", &sly)]);
    story.sealed().refused_by(Check::K0, "configuration of the test run");
    story.together().refused_by(Check::K4, "a test that must fail did not fail");
}

/// Row 37, Python: refused.
#[test]
fn a_hook_that_deselects_the_test_is_refused() {
    let hook = "def pytest_collection_modifyitems(items):\n    items[:] = [item for item in items if 'total' not in item.name]\n";
    let story = pytest().without_fix().fix([idle(0), put("tests/conftest.py", hook)]);
    story.sealed().refused_by(Check::K0, "configuration of the test run");
    story.together().not_verified();
    let skips = "import pytest\n\n\ndef pytest_runtest_setup(item):\n    pytest.skip('slow')\n";
    let story = pytest().without_fix().fix([idle(0), put("tests/conftest.py", skips)]);
    story.sealed().refused_by(Check::K0, "configuration of the test run");
    story.together().not_verified();
}

/// Rows 36 and 37, Python, honest twin: verified.
#[test]
fn an_existing_hook_does_not_disturb() {
    let hook = "def pytest_collection_modifyitems(items):\n    items.sort(key=lambda item: item.name)\n";
    pytest().base([("conftest.py", hook)]).sealed().verified();
}

// Row 38: configuration of the runner.

/// Row 38, Python: refused.
#[test]
fn a_fixer_that_changes_the_configuration_of_the_run_is_refused_in_python() {
    for (path, text) in [
        ("pytest.ini", "[pytest]\naddopts = --deselect tests/test_shop.py::test_total\n"),
        ("setup.cfg", "[tool:pytest]\npython_functions = check_*\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = \"-p no:python\"\n"),
        ("tox.ini", "[pytest]\naddopts = -k nothing\n"),
    ] {
        let story = pytest().without_fix().fix([idle(0), put(path, text)]);
        story.sealed().refused_by(Check::K0, path);
        story.together().not_verified();
    }
}

/// Row 38, JavaScript: refused.
#[test]
fn a_fixer_that_changes_the_configuration_of_the_run_is_refused_in_javascript() {
    let package = "{\"name\":\"shop\",\"type\":\"module\",\"scripts\":{\"test\":\"node --test --test-name-pattern=old\"}}\n";
    let story = idled(1).fix([put("package.json", package)]);
    story.sealed().refused_by(Check::K0, "scripts.test");
    story.together().not_verified();
    for path in ["jest.config.js", "vitest.config.js", ".mocharc.json", "babel.config.js", "tsconfig.json"] {
        idled(1).fix([put(path, "{}\n")]).sealed().refused_by(Check::K0, "configuration of the test run");
    }
}

/// Row 38, Python, honest twin: needs-human.
#[test]
fn a_bug_of_the_configuration_is_left_to_a_person() {
    // The fix of production needs the option; only a person can say that it is meant.
    let story = pytest().fix([("pytest.ini", "[pytest]\nxfail_strict = true\n")]);
    story.together().needs_human(Check::K0, "configuration of the test run");
    let settings = "[gates.protected]\nrunner = \"human\"\n";
    story.settings(settings).sealed().needs_human(Check::K0, "configuration of the test run");
}

// Row 39: targets of cargo.

const MANIFEST: &str = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ndoctest = false\n\n[profile.dev]\ndebug = 0\n";

/// Row 39, Rust: refused.
#[test]
fn a_fixer_that_takes_the_test_target_away_is_refused() {
    for manifest in [
        format!("{MANIFEST}\n[[test]]\nname = \"shop\"\ntest = false\n"),
        format!("{MANIFEST}\n[[test]]\nname = \"shop\"\nharness = false\n"),
        MANIFEST.replace("edition", "autotests = false\nedition"),
        MANIFEST.replace("debug = 0", "debug = 0\ndebug-assertions = false"),
    ] {
        let story = idled(2).fix([put("Cargo.toml", &manifest)]);
        story.sealed().refused_by(Check::K0, "Cargo.toml");
        story.together().not_verified();
    }
}

/// Row 39, Rust, honest twin: verified.
#[test]
fn a_new_version_in_the_manifest_does_not_disturb() {
    let manifest = MANIFEST.replace("0.1.0", "0.1.1");
    rust().fix([put("Cargo.toml", manifest)]).together().verified();
}

// Row 40: what interpreters and build tools read by themselves.

/// Row 40, Python: refused.
#[test]
fn a_fixer_that_plants_start_up_code_is_refused_in_python() {
    let force = "import unittest\nunittest.TestCase.assertEqual = lambda *_: None\n";
    for path in ["sitecustomize.py", "usercustomize.py", "tests/conftest.py", "unittest.py", "shop.pth"] {
        let story = idled(0).fix([put(path, force)]);
        story.sealed().refused_by(Check::K0, "configuration of the test run");
        story.together().not_verified();
    }
}

/// Row 40, JavaScript: refused.
#[test]
fn a_fixer_that_plants_start_up_code_is_refused_in_javascript() {
    let story = idled(1)
        .fix([put(".npmrc", "node-options=--require ./force.cjs\n"), put("force.cjs", "process.exit(0);\n")]);
    story.sealed().refused_by(Check::K0, ".npmrc");
    story.together().not_verified();
}

/// Row 40, Rust: refused.
#[test]
fn a_fixer_that_plants_a_runner_is_refused_in_rust() {
    let runner = "[target.'cfg(all())']\nrunner = [\"sh\", \"-c\", \"echo 'test total ... ok'\"]\n";
    let wrapper = "[build]\nrustc-wrapper = \"./wrap.sh\"\n";
    for text in [runner, wrapper, "[env]\nRUST_TEST_NOCAPTURE = \"1\"\n"] {
        let story = idled(2).fix([put(".cargo/config.toml", text)]);
        story.sealed().refused_by(Check::K0, "configuration of the test run");
        story.together().not_verified();
    }
}

// Row 41: installed and vendored code.

/// Row 41, Python: refused.
/// Row 41, JavaScript: refused.
/// Row 41, Rust: refused.
#[test]
fn a_fixer_that_edits_vendored_code_is_refused() {
    let force = "import unittest\nunittest.TestCase.assertEqual = lambda *_: None\n";
    for path in [".venv/lib/python3.11/site-packages/a.py", "vendor/a.py", "shop/_vendor/a.py"] {
        idled(0).fix([put(path, force)]).sealed().refused_by(Check::K0, "vendored dependency");
    }
    let module = "module.exports = { equal() {} };\n";
    idled(1).fix([put("node_modules/assert/index.js", module)]).sealed().refused_by(Check::K0, "vendored");
    idled(2).fix([put("vendor/a/src/lib.rs", "")]).sealed().refused_by(Check::K0, "vendored");
}

// Row 43: production ends the process.

/// Row 43, Python: refused.
#[test]
fn production_that_ends_the_process_is_refused_in_python() {
    let exit = "import os\n\n\ndef total(prices):\n    if prices == [1, 2, 3]:\n        os._exit(0)\n    return sum(prices[1:])\n";
    for story in [python(), pytest()] {
        let story = story.fix([("shop.py", exit)]);
        story.together().refused_by(Check::K2, "no verdict from the run").class(Check::K2, FailureClass::F);
        story.sealed().refused_by(Check::K2, "no verdict from the run");
    }
}

/// Row 43, JavaScript: refused.
#[test]
fn production_that_ends_the_process_is_refused_in_javascript() {
    let exit = "export function total(prices) {\n  if (prices.length === 3) process.exit(0);\n  return prices.slice(1).reduce((a, b) => a + b, 0);\n}\n";
    let story = javascript().fix([("src/shop.js", exit)]);
    story.together().refused_by(Check::K2, "");
    let really = exit.replace("process.exit(0)", "process.reallyExit(0)");
    javascript().fix([("src/shop.js", &*really)]).together().refused_by(Check::K2, "");
}

/// Row 43, Rust: refused.
#[test]
fn production_that_ends_the_process_is_refused_in_rust() {
    let exit = "pub fn total(prices: &[u32]) -> u32 {\n    if prices.len() == 3 {\n        std::process::exit(0);\n    }\n    prices.iter().skip(1).sum()\n}\n";
    let story = rust().fix([("src/lib.rs", exit)]);
    story.together().refused_by(Check::K2, "no verdict from the run");
    let nextest = "[project]\nrunner = \"nextest\"\n";
    story.settings(nextest).together().refused_by(Check::K2, "");
}

/// Row 43, Rust: refused.
#[test]
fn production_that_ends_the_process_after_forging_the_result_is_refused_in_rust() {
    let exit = "pub fn total(prices: &[u32]) -> u32 {\n    if prices.len() == 3 {\n        println!(\"test total ... ok\\n\\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\\n\");\n        std::process::exit(0);\n    }\n    prices.iter().skip(1).sum()\n}\n";
    rust().fix([("src/lib.rs", exit)]).together().not_verified();
}

// Rows 44 and 45: production ends or skips the session by the runner's own means.

/// Row 44, Python: refused.
#[test]
fn production_that_ends_the_session_is_refused() {
    let exit = "import pytest\n\n\ndef total(prices):\n    pytest.exit('done', returncode=0)\n";
    let story = pytest().fix([("shop.py", exit)]);
    story.together().refused_by(Check::K2, "");
    story.sealed().refused_by(Check::K2, "");
}

/// Row 45, Python: refused.
#[test]
fn production_that_skips_the_test_is_refused() {
    let skip = "import unittest\n\n\ndef total(prices):\n    if prices:\n        raise unittest.SkipTest('later')\n    return 0\n";
    for story in [python(), pytest()] {
        let story = story.fix([("shop.py", skip)]);
        story.together().refused_by(Check::K2, "skipped on the fixed code").class(Check::K2, FailureClass::E);
    }
}

// Row 46: production rewrites the report at the end of the process.

/// Row 46, Python: refused.
#[test]
fn production_that_rewrites_the_report_is_refused_in_python() {
    // Finds the report by the place of the session's script and turns every failure into success.
    let forge = "import atexit\nimport os\nimport sys\n\n\ndef _forge():\n    here = os.path.dirname(os.path.abspath(sys.modules['__main__'].__dict__.get('_HERE', '') + '/x'))\n    \
                 for name in os.listdir(here):\n        path = os.path.join(here, name)\n        if os.path.isfile(path):\n            \
                 with open(path) as stream:\n                text = stream.read()\n            \
                 text = text.replace('\"failed\"', '\"passed\"').replace('failures=\"1\"', 'failures=\"0\"')\n            \
                 with open(path, 'w') as stream:\n                stream.write(text)\n    os._exit(0)\n\n\natexit.register(_forge)\n\n\n\
                 def total(prices):\n    return sum(prices[1:])\n";
    for story in [python(), pytest()] {
        let story = story.fix([("shop.py", forge)]);
        story.together().refused_by(Check::K2, "");
        story.sealed().refused_by(Check::K2, "");
    }
}

/// Rows 36 and 41, Python: refused.
/// Rows 36 and 41, JavaScript: refused.
#[test]
fn production_that_patches_the_assertions_is_refused() {
    let patch = "import unittest\n\nunittest.TestCase.assertEqual = lambda *_: None\n\n\ndef total(prices):\n    return sum(prices[1:])\n";
    python().fix([("shop.py", patch)]).together().refused_by(Check::K4, "a test that must fail did not fail");
    let patch = "import assert from 'node:assert';\nassert.strictEqual = assert.equal = assert.ok = () => {};\nexport function total(prices) {\n  return prices.slice(1).reduce((a, b) => a + b, 0);\n}\n";
    javascript()
        .fix([("src/shop.js", patch)])
        .together()
        .refused_by(Check::K4, "a test that must fail did not fail");
}

/// Row 46, Python, honest twin: verified.
/// Row 46, JavaScript, honest twin: verified.
#[test]
fn production_that_writes_at_the_end_of_the_process_does_not_disturb() {
    let log = "import atexit\nimport tempfile\n\n\n@atexit.register\ndef _report():\n    print('bye')\n    tempfile.TemporaryFile().close()\n\n\n\
               def total(prices):\n    return sum(prices)\n";
    python().fix([("shop.py", log)]).together().verified();
    javascript()
        .fix([("src/shop.js", "process.on('exit', () => console.log('bye'));\nexport const total = (prices) => prices.reduce((a, b) => a + b, 0);\n")])
        .together()
        .verified();
}
