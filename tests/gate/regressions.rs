//! Fixes that break what worked (row 69), and tests that are bent until they do not show it (row 76).

use failfirst::gate::verdict::Check;

use crate::harness::repository::{gone, put};
use crate::harness::story::{javascript, python, rust};

const OLD: &str = "import unittest\nfrom shop import total\n\n\nclass Old(unittest.TestCase):\n    def test_nothing(self):\n        \
                   self.assertEqual(total([]), 0)\n\n    def test_one(self):\n        self.assertEqual(total([7]), BUG)\n";

fn old(expected: &str) -> String {
    OLD.replace("BUG", expected)
}

const BREAKS: [&str; 3] = [
    "def total(prices):\n    return sum(prices) or 1\n",
    "export const total = (prices) => prices.reduce((a, b) => a + b, 0) || 1;\n",
    "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum::<u32>().max(1)\n}\n",
];

/// Row 69, Python: refused.
/// Row 69, JavaScript: refused.
/// Row 69, Rust: refused.
#[test]
fn a_fix_that_breaks_another_test_is_refused() {
    let stories = [(python(), "shop.py"), (javascript(), "src/shop.js"), (rust(), "src/lib.rs")];
    for ((story, path), breaks) in stories.into_iter().zip(BREAKS) {
        let story = story.fix([put(path, breaks)]);
        story.sealed().refused_by(Check::K12, "passed before and fails on the fixed code");
        story.together().refused_by(Check::K12, "passed before and fails on the fixed code");
    }
}

/// Row 67, Python: refused.
/// Row 67, Rust: refused.
#[test]
fn a_fix_that_breaks_the_build_of_other_code_is_refused() {
    python()
        .base([put("tests/test_names.py", "import unittest\nimport shop\n\n\nclass Names(unittest.TestCase):\n    def test_rate(self):\n        self.assertEqual(shop.RATE, 2)\n")])
        .base([put("shop.py", "RATE = 2\n\n\ndef total(prices):\n    return sum(prices[1:])\n")])
        .sealed()
        .refused_by(Check::K12, "passed before and fails on the fixed code");
    rust()
        .base([put("src/lib.rs", "pub const RATE: u32 = 2;\n\npub fn total(prices: &[u32]) -> u32 {\n    prices.iter().skip(1).sum()\n}\n")])
        .base([put("tests/names.rs", "#[test]\nfn rate() {\n    assert_eq!(shop::RATE, 2);\n}\n")])
        .sealed()
        .refused_by(Check::K12, "passed before and fails on the fixed code");
}

/// Row 69, Python, honest twin: needs-human.
#[test]
fn an_old_test_that_asserted_the_bug_is_left_to_a_person() {
    let story = python().base([put("tests/test_old.py", old("0"))]).fix([put("tests/test_old.py", old("7"))]);
    story.sealed().needs_human(Check::K0, "another test file");
    // Without the edit the old test is simply broken.
    let story = python().base([put("tests/test_old.py", old("0"))]);
    story.sealed().refused_by(Check::K12, "passed before and fails on the fixed code");
}

#[test]
fn an_old_test_that_fails_anyway_does_not_disturb() {
    python().base([put("tests/test_old.py", old("99"))]).together().verified();
}

/// Row 76, Python: needs-human.
#[test]
fn an_old_test_that_is_bent_to_fit_a_broken_fix_is_left_to_a_person() {
    let bent = old("7").replace("self.assertEqual(total([]), 0)", "total([])");
    let story = python()
        .base([put("tests/test_old.py", old("0"))])
        .fix([put("shop.py", BREAKS[0]), put("tests/test_old.py", bent)]);
    story.sealed().needs_human(Check::K0, "another test file");
    story.together().needs_human(Check::K12, "as it was before the change");
    // The same where the bent test and the replication test share a file.
    let both = |nothing: &str, more: &str| {
        format!(
            "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    def test_nothing(self):\n        {nothing}\n{more}"
        )
    };
    let total = "\n    def test_total(self):\n        self.assertEqual(total([1, 2, 3]), 6)\n";
    python()
        .base([put("tests/test_shop.py", both("self.assertEqual(total([]), 0)", ""))])
        .test([put("tests/test_shop.py", both("total([])", total))])
        .fix([put("shop.py", BREAKS[0])])
        .together()
        .not_verified();
}

/// Row 76, Python: needs-human.
#[test]
fn an_old_test_that_is_deleted_is_left_to_a_person() {
    let story = python().fix([gone("tests/test_old.py")]);
    story.sealed().needs_human(Check::K0, "another test file");
    story.together().needs_human(Check::K12, "is gone");
}

/// Row 76, Python, honest twin: verified.
#[test]
fn a_correct_edit_of_an_old_test_is_not_refused() {
    // New cases, and another way to say the same.
    let more = old("7").replace("total([]), 0", "0, total([])");
    python()
        .base([put("tests/test_old.py", old("0").replace("total([7]), 0", "total([0]), 0"))])
        .fix([put("tests/test_old.py", more)])
        .together()
        .verified();
}

/// Row 76, Python: needs-human.
#[test]
fn a_helper_that_is_bent_to_fit_a_broken_fix_is_left_to_a_person() {
    let old = "import unittest\nfrom shop import total\nfrom tests.checks import same\n\n\nclass Old(unittest.TestCase):\n    \
               def test_nothing(self):\n        same(total([]), 0)\n";
    let story = python()
        .base([
            put("tests/test_old.py", old),
            put("tests/checks.py", "def same(one, two):\n    assert one == two\n"),
        ])
        .fix([
            put("shop.py", BREAKS[0]),
            put("tests/checks.py", "def same(one, two):\n    assert one is not two\n"),
        ]);
    story.together().needs_human(Check::K12, "as it was before the change");
}

/// Rows 35 and 76, Python, honest twin: verified.
#[test]
fn a_helper_that_learns_more_is_not_refused() {
    let old = "import unittest\nfrom shop import total\nfrom tests.checks import same\n\n\nclass Old(unittest.TestCase):\n    \
               def test_nothing(self):\n        same(total([]), 0)\n";
    python()
        .base([
            put("tests/test_old.py", old),
            put("tests/checks.py", "def same(one, two):\n    assert one == two\n"),
        ])
        .fix([put("tests/checks.py", "def same(one, two, why=None):\n    assert one == two, why\n")])
        .together()
        .verified();
}
