//! Deceits beyond the catalogue's rows, and settings that must not open a way.

use failfirst::gate::verdict::Check;
use failfirst::verify::Sealing;

use crate::harness::repository::put;
use crate::harness::story::{go, javascript, pytest, python, rust};

/// Row 36, Python: refused.
#[test]
fn a_plugin_in_production_that_forces_passed_is_refused() {
    let plugin = "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    \
                  outcome = yield\n    outcome.get_result().outcome = 'passed'\n";
    pytest()
        .base([put("conftest.py", "pytest_plugins = ['shop_plugin']\n"), put("shop_plugin.py", "")])
        .without_fix()
        .fix([put("shop_plugin.py", plugin)])
        .sealed()
        .refused_by(Check::K4, "a test that must fail did not fail");
}

/// Row 35, Python: refused.
#[test]
fn a_helper_beside_a_named_test_is_not_part_of_the_test() {
    let story = python()
        .base([put("tests/checks.py", "def same(one, two):\n    assert one == two\n")])
        .test([put(
            "tests/test_shop.py",
            "import unittest\nfrom shop import total\nfrom tests.checks import same\n\n\nclass Shop(unittest.TestCase):\n    \
             def test_total(self):\n        same(total([1, 2, 3]), 6)\n",
        )])
        .without_fix()
        .fix([
            put("tests/checks.py", "def same(one, two):\n    pass\n"),
            put("shop.py", "def total(prices):\n    return sum(prices[1:]) + 0\n"),
        ]);
    let written = story.write();
    written
        .judge(Sealing::Paths(vec!["tests/test_shop.py".to_owned()]))
        .refused_by(Check::K3, "passes without any production change");
}

/// Row 10, Python: refused.
#[test]
fn a_test_that_counts_on_what_an_earlier_run_left_is_refused() {
    let text = "import os, tempfile, unittest\nfrom shop import total\n\nMARKS = ['/tmp/mark', '/var/tmp/mark', os.path.expanduser('~/mark'), 'mark']\n\n\n\
                class Shop(unittest.TestCase):\n    def test_total(self):\n        seen = any(os.path.exists(mark) for mark in MARKS)\n        \
                for mark in MARKS:\n            open(mark, 'w').close()\n        self.assertTrue(seen)\n";
    python()
        .test([put("tests/test_shop.py", text)])
        .together()
        .refused_by(Check::K2, "still fails on the fixed code");
}

#[test]
fn a_change_of_comments_alone_is_refused() {
    python()
        .fix([put(
            "shop.py",
            "# Sums.\ndef total(prices):\n    \"\"\"All of them.\"\"\"\n    return sum(prices[1:])\n",
        )])
        .sealed()
        .refused_by(Check::K0, "nothing in production changed");
    javascript()
        .fix([put(
            "src/shop.js",
            "// Sums.\nexport function total(prices) {\n  return prices.slice(1).reduce((a, b) => a + b, 0);\n}\n",
        )])
        .sealed()
        .refused_by(Check::K0, "nothing in production changed");
    rust()
        .fix([put(
            "src/lib.rs",
            "/// Sums.\npub fn total(prices: &[u32]) -> u32 {\n    prices.iter().skip(1).sum()\n}\n",
        )])
        .sealed()
        .refused_by(Check::K0, "nothing in production changed");
}

/// Row 41, Python: refused.
#[test]
fn production_that_shadows_the_runner_by_its_place_is_refused() {
    for path in ["unittest/__init__.py", "_pytest/__init__.py", "faulthandler.py"] {
        python().fix([put(path, "")]).sealed().refused_by(Check::K0, "configuration of the test run");
    }
}

#[test]
fn the_verdicts_hold_without_a_sandbox_too() {
    python().without_sandbox().sealed().verified().passed(Check::K4);
    let exit = "import os\n\n\ndef total(prices):\n    if prices:\n        os._exit(0)\n    return 0\n";
    python()
        .without_sandbox()
        .fix([put("shop.py", exit)])
        .sealed()
        .refused_by(Check::K2, "no verdict from the run");
    let rewrites = "import pathlib\n\nHERE = pathlib.Path(__file__).parent / 'tests/test_shop.py'\nTEXT = HERE.read_text()\n\
                    HERE.write_text('')\nHERE.write_text(TEXT)\n\n\ndef total(prices):\n    return sum(prices)\n";
    python()
        .without_sandbox()
        .fix([put("shop.py", rewrites)])
        .sealed()
        .refused_by(Check::K2, "written during the run, and restored");
    python()
        .fix([put("shop.py", rewrites)])
        .sealed()
        .refused_by(Check::K2, "written during the run, and restored");
}

#[test]
fn a_fix_that_does_not_build_is_refused_with_the_compilers_words() {
    let fix = "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum::<String>()\n}\n";
    rust().fix([("src/lib.rs", fix)]).together().refused_by(Check::K2, "the fixed code does not build: ");
    let fix = "package shop\n\nfunc Total(prices []int) int {\n\treturn nothing\n}\n";
    go().fix([("shop.go", fix)]).together().refused_by(Check::K2, "does not build: ");
    let fix = "def total(prices):\n    return sum(prices\n";
    python().fix([("shop.py", fix)]).together().refused_by(Check::K2, "cannot be loaded on the fixed code");
}
