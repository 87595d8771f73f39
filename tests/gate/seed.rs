//! The failures that this project was founded on (rows 1, 2 and 33 of the catalogue).

use failfirst::gate::verdict::Check;

use crate::harness::story::{Story, javascript, python, rust};

/// A test in each language that passes on the buggy code, and what makes it a real one.
fn passing_on_the_base() -> [Story; 3] {
    [
        python().test([(
            "tests/test_shop.py",
            "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    \
             def test_total(self):\n        self.assertEqual(total([0, 1, 2]), 3)\n",
        )]),
        javascript().test([(
            "test/shop.test.js",
            "import test from 'node:test';\nimport assert from 'node:assert';\nimport { total } from '../src/shop.js';\n\n\
             test('total', () => assert.strictEqual(total([0, 1, 2]), 3));\n",
        )]),
        rust().test([("tests/shop.rs", "#[test]\nfn total() {\n    assert_eq!(shop::total(&[0, 1, 2]), 3);\n}\n")]),
    ]
}

/// A test in each language that asserts the buggy behaviour, with the note of the founding case.
fn asserting_the_bug() -> [Story; 3] {
    [
        python().test([(
            "tests/test_shop.py",
            "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    \
             def test_total(self):\n        # Shows the bug; the fix is to flip this to 6.\n        \
             self.assertEqual(total([1, 2, 3]), 5)\n",
        )]),
        javascript().test([(
            "test/shop.test.js",
            "import test from 'node:test';\nimport assert from 'node:assert';\nimport { total } from '../src/shop.js';\n\n\
             // Shows the bug; the fix is to flip this to 6.\n\
             test('total', () => assert.strictEqual(total([1, 2, 3]), 5));\n",
        )]),
        rust().test([(
            "tests/shop.rs",
            "#[test]\nfn total() {\n    // Shows the bug; the fix is to flip this to 6.\n    \
             assert_eq!(shop::total(&[1, 2, 3]), 5);\n}\n",
        )]),
    ]
}

/// Row 1, Python: refused.
#[test]
fn a_test_that_passes_on_the_base_is_refused_in_python() {
    let [python, ..] = passing_on_the_base();
    python.together().refused_by(Check::K1, "not reproduced");
    python.sealed().refused_by(Check::K1, "not reproduced");
}

/// Row 1, JavaScript: refused.
#[test]
fn a_test_that_passes_on_the_base_is_refused_in_javascript() {
    let [_, javascript, _] = passing_on_the_base();
    javascript.together().refused_by(Check::K1, "not reproduced");
    javascript.sealed().refused_by(Check::K1, "not reproduced");
}

/// Row 1, Rust: refused.
#[test]
fn a_test_that_passes_on_the_base_is_refused_in_rust() {
    let [.., rust] = passing_on_the_base();
    rust.together().refused_by(Check::K1, "not reproduced");
    rust.sealed().refused_by(Check::K1, "not reproduced");
}

/// Row 2, Python: refused.
#[test]
fn a_test_that_asserts_the_bug_is_refused_in_python() {
    let [python, ..] = asserting_the_bug();
    python.sealed().refused_by(Check::K1, "not reproduced");
}

/// Row 2, JavaScript: refused.
#[test]
fn a_test_that_asserts_the_bug_is_refused_in_javascript() {
    let [_, javascript, _] = asserting_the_bug();
    javascript.sealed().refused_by(Check::K1, "not reproduced");
}

/// Row 2, Rust: refused.
#[test]
fn a_test_that_asserts_the_bug_is_refused_in_rust() {
    let [.., rust] = asserting_the_bug();
    rust.sealed().refused_by(Check::K1, "not reproduced");
}

/// Row 33, Python: refused.
/// Row 33, Python, honest twin: verified.
#[test]
fn a_fixer_that_flips_the_sealed_test_is_refused_in_python() {
    let [story, ..] = asserting_the_bug();
    let flipped = python().write();
    let text = flipped.repository.git(&["show", &format!("{}:tests/test_shop.py", flipped.test)]);
    let story = story.fix([("tests/test_shop.py", &*text)]);
    story.sealed().refused_by(Check::K0, "edited after it was sealed");
    // Judged as one pull request it is an honest one: a test that fails first, and a fix.
    story.together().verified();
}

/// Row 33, JavaScript: refused.
#[test]
fn a_fixer_that_flips_the_sealed_test_is_refused_in_javascript() {
    let [_, story, _] = asserting_the_bug();
    story
        .fix([("test/shop.test.js", "import test from 'node:test';\ntest('total', () => {});\n")])
        .sealed()
        .refused_by(Check::K0, "edited after it was sealed");
}

/// Row 33, Rust: refused.
#[test]
fn a_fixer_that_flips_the_sealed_test_is_refused_in_rust() {
    let [.., story] = asserting_the_bug();
    story
        .fix([("tests/shop.rs", "#[test]\nfn total() {}\n")])
        .sealed()
        .refused_by(Check::K0, "edited after it was sealed");
}
