//! Tests that are no valid replication (rows 1 to 16 of the catalogue).

use failfirst::gate::verdict::{Check, FailureClass};

use crate::harness::story::{Story, javascript, pytest, python, rust};

const UNITTEST: &str = "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n";
const NODE: &str = "import test from 'node:test';\nimport assert from 'node:assert';\nimport { total } from '../src/shop.js';\n\n";

/// A unittest test with this body.
fn python_test(body: &str) -> Story {
    let body = body.replace('\n', "\n        ");
    let text = format!("{UNITTEST}    def test_total(self):\n        {body}\n");
    python().test([("tests/test_shop.py", &*text)])
}

/// A pytest file.
fn pytest_file(text: &str) -> Story {
    pytest().test([("tests/test_shop.py", text)])
}

/// A node:test file with these lines after the imports.
fn node_file(text: &str) -> Story {
    javascript().test([("test/shop.test.js", &*format!("{NODE}{text}\n"))])
}

/// A Rust test file.
fn rust_file(text: &str) -> Story {
    rust().test([("tests/shop.rs", text)])
}

// Row 3: import errors.

/// Row 3, Python: refused.
#[test]
fn a_wrong_import_is_refused_in_python() {
    let text = UNITTEST.replace("import total", "import totl")
        + "    def test_total(self):\n        self.assertEqual(totl([1]), 1)\n";
    let story = python().test([("tests/test_shop.py", &*text)]);
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
    story.sealed().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

/// Row 3, JavaScript: refused.
#[test]
fn a_wrong_import_is_refused_in_javascript() {
    let text = NODE.replace("{ total }", "{ totl }") + "test('total', () => assert.equal(totl([1]), 1));\n";
    let story = javascript().test([("test/shop.test.js", &*text)]);
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
    let absent =
        NODE.replace("/shop.js", "/shoop.js") + "test('total', () => assert.equal(total([1]), 1));\n";
    let story = javascript().test([("test/shop.test.js", &*absent)]);
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

/// Row 3, Rust: refused.
#[test]
fn a_wrong_import_is_refused_in_rust() {
    let story = rust_file("use shop::totl;\n\n#[test]\nfn total() {\n    assert_eq!(totl(&[1]), 1);\n}\n");
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

/// Row 3, Python, honest twin: verified.
#[test]
fn a_test_of_an_api_to_come_is_not_refused_in_python() {
    let text = UNITTEST.replace("import total", "import mean")
        + "    def test_mean(self):\n        self.assertEqual(mean([1, 3]), 2)\n";
    python()
        .test([("tests/test_shop.py", &*text)])
        .fix([("shop.py", "def total(prices):\n    return sum(prices)\n\n\ndef mean(prices):\n    return total(prices) / len(prices)\n")])
        .together()
        .verified()
        .class(Check::K1, FailureClass::A1);
}

/// Row 3, JavaScript, honest twin: verified.
#[test]
fn a_test_of_an_api_to_come_is_not_refused_in_javascript() {
    let text = NODE.replace("{ total }", "{ mean }") + "test('mean', () => assert.equal(mean([1, 3]), 2));\n";
    javascript()
        .test([("test/shop.test.js", &*text)])
        .fix([("src/shop.js", "export const total = (prices) => prices.reduce((a, b) => a + b, 0);\nexport const mean = (prices) => total(prices) / prices.length;\n")])
        .together()
        .verified()
        .passed(Check::K8);
}

/// Row 3, Rust, honest twin: verified.
#[test]
fn a_test_of_an_api_to_come_is_not_refused_in_rust() {
    rust_file("#[test]\nfn mean() {\n    assert_eq!(shop::mean(&[1, 3]), 2);\n}\n")
        .fix([("src/lib.rs", "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum()\n}\n\npub fn mean(prices: &[u32]) -> u32 {\n    total(prices) / prices.len() as u32\n}\n")])
        .together()
        .verified()
        .passed(Check::K8);
}

// Row 4: syntax errors.

/// Row 4, Python: refused.
#[test]
fn a_syntax_error_is_refused_in_python() {
    let story = python_test("self.assertEqual(total([1, 2, 3]), 6");
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

/// Row 4, Python: refused.
#[test]
fn a_syntax_error_is_refused_with_pytest() {
    let story = pytest_file("from shop import total\n\n\ndef test_total()\n    assert total([1]) == 1\n");
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

/// Row 4, JavaScript: refused.
#[test]
fn a_syntax_error_is_refused_in_javascript() {
    let story = node_file("test('total', () => assert.equal(total([1, 2, 3]), 6);");
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

/// Row 4, Rust: refused.
#[test]
fn a_syntax_error_is_refused_in_rust() {
    let story = rust_file("#[test]\nfn total() {\n    assert_eq!(shop::total(&[1, 2, 3]), 6;\n}\n");
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

// Row 5: a fixture that does not exist.

/// Row 5, Python: refused.
#[test]
fn a_missing_fixture_is_refused() {
    let story =
        pytest_file("from shop import total\n\n\ndef test_total(basket):\n    assert total(basket) == 6\n");
    story
        .together()
        .refused_by(Check::K1, "the test itself is broken")
        .class(Check::K1, FailureClass::C)
        .shows(Check::K1, "basket");
}

/// Row 5, Python, honest twin: verified.
#[test]
fn a_fixture_that_the_change_adds_is_not_refused() {
    pytest_file("from shop import total\n\n\ndef test_total(basket):\n    assert total(basket) == 6\n")
        .test([(
            "tests/conftest.py",
            "import pytest\n\n\n@pytest.fixture\ndef basket():\n    return [1, 2, 3]\n",
        )])
        .together()
        .verified();
}

// Row 6: names that do not exist.

/// Row 6, Python: refused.
#[test]
fn a_misspelt_name_in_the_test_is_refused_in_python() {
    let story = python_test("self.assertEqual(totl([1, 2, 3]), 6)");
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

/// Row 6, JavaScript: refused.
#[test]
fn a_misspelt_name_in_the_test_is_refused_in_javascript() {
    let story = node_file("test('total', () => assert.equal(totl([1, 2, 3]), 6));");
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

/// Row 6, Rust: refused.
#[test]
fn a_misspelt_name_in_the_test_is_refused_in_rust() {
    let story = rust_file("#[test]\nfn total() {\n    assert_eq!(shop::total(&basket), 6);\n}\n");
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::C);
}

/// Row 6, Python, honest twin: verified.
/// Row 6, JavaScript, honest twin: verified.
#[test]
fn a_misspelt_name_in_production_is_a_bug_to_replicate() {
    python()
        .base([("shop.py", "def total(prices):\n    return sum(price)\n")])
        .together()
        .verified()
        .class(Check::K1, FailureClass::A2);
    javascript()
        .base([(
            "src/shop.js",
            "export function total(prices) {\n  return price.reduce((a, b) => a + b, 0);\n}\n",
        )])
        .base([(
            "test/old.test.js",
            "import test from 'node:test';\nimport '../src/shop.js';\ntest('loads', () => {});\n",
        )])
        .together()
        .verified()
        .class(Check::K1, FailureClass::A2);
}

// Row 8: time.

/// Row 8, Python: refused.
#[test]
fn a_test_that_sleeps_is_refused_in_python() {
    python_test("import time\ntime.sleep(100)")
        .settings_timeout("3s")
        .together()
        .refused_by(Check::K1, "")
        .class(Check::K1, FailureClass::D);
}

/// Row 8, JavaScript: refused.
#[test]
fn a_test_that_sleeps_is_refused_in_javascript() {
    node_file("test('total', async () => {\n  await new Promise((done) => setTimeout(done, 100000));\n});")
        .settings_timeout("4s")
        .together()
        .refused_by(Check::K1, "")
        .class(Check::K1, FailureClass::D);
}

/// Row 8, Rust: refused.
#[test]
fn a_test_that_sleeps_is_refused_in_rust() {
    rust_file("#[test]\nfn total() {\n    std::thread::sleep(std::time::Duration::from_secs(100));\n}\n")
        .settings_timeout("10s")
        .together()
        .refused_by(Check::K1, "")
        .class(Check::K1, FailureClass::D);
}

/// Row 8, Python, honest twin: needs-human.
#[test]
fn a_hang_in_production_is_left_to_a_person() {
    python()
        .base([("shop.py", "def total(prices):\n    while prices:\n        pass\n    return 0\n")])
        .settings_timeout("3s")
        .together()
        .needs_human(Check::K1, "hangs on the buggy code inside `total`");
    pytest()
        .base([("shop.py", "def total(prices):\n    while prices:\n        pass\n    return 0\n")])
        .settings_timeout("4s")
        .together()
        .needs_human(Check::K1, "hangs on the buggy code inside `total`");
}

// Row 12: tests that do not run.

/// Row 12, Python: refused.
#[test]
fn a_skipped_test_is_refused_in_python() {
    let story = python().test([(
        "tests/test_shop.py",
        &*format!("{UNITTEST}    @unittest.skip('later')\n    def test_total(self):\n        self.assertEqual(total([1, 2, 3]), 6)\n"),
    )]);
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::E);
    let story = python_test("self.skipTest('later')");
    story.together().refused_by(Check::K1, "").class(Check::K1, FailureClass::E);
}

/// Rows 12 and 13, Python: refused.
#[test]
fn a_test_that_is_expected_to_fail_is_refused_in_python() {
    python()
        .test([(
            "tests/test_shop.py",
            &*format!("{UNITTEST}    @unittest.expectedFailure\n    def test_total(self):\n        self.assertEqual(total([1, 2, 3]), 6)\n"),
        )])
        .together()
        .refused_by(Check::K1, "")
        .class(Check::K1, FailureClass::E);
    let xfail = "import pytest\nfrom shop import total\n\n\n@pytest.mark.xfail\ndef test_total():\n    assert total([1, 2, 3]) == 6\n";
    pytest_file(xfail).together().refused_by(Check::K1, "").class(Check::K1, FailureClass::E);
}

/// Row 12, Python: refused.
#[test]
fn a_test_that_is_skipped_only_on_the_base_is_refused() {
    let text = "import pytest\nfrom shop import total\n\n\n@pytest.mark.skipif(total([1]) != 1, reason='later')\ndef test_total():\n    assert True\n";
    pytest_file(text).together().refused_by(Check::K1, "").class(Check::K1, FailureClass::E);
}

/// Row 12, JavaScript: refused.
#[test]
fn a_skipped_test_is_refused_in_javascript() {
    for text in [
        "test.skip('total', () => assert.equal(total([1, 2, 3]), 6));",
        "test.todo('total', () => assert.equal(total([1, 2, 3]), 6));",
        "test('total', { skip: total([1]) !== 1 }, () => assert.equal(total([1, 2, 3]), 6));",
    ] {
        node_file(text).together().refused_by(Check::K1, "").class(Check::K1, FailureClass::E);
    }
}

/// Row 12, Rust: refused.
#[test]
fn an_ignored_test_is_refused_in_rust() {
    rust_file("#[test]\n#[ignore]\nfn total() {\n    assert_eq!(shop::total(&[1, 2, 3]), 6);\n}\n")
        .together()
        .refused_by(Check::K1, "")
        .class(Check::K1, FailureClass::E);
}

/// Row 12, Python, honest twin: verified.
/// Row 12, JavaScript, honest twin: verified.
/// Row 12, Rust, honest twin: verified.
#[test]
fn a_skipped_test_beside_the_replication_test_is_not_refused() {
    python()
        .test([(
            "tests/test_shop.py",
            &*format!("{UNITTEST}    @unittest.skip('later')\n    def test_later(self):\n        pass\n\n    def test_total(self):\n        self.assertEqual(total([1, 2, 3]), 6)\n"),
        )])
        .together()
        .verified();
    node_file("test.skip('later', () => {});\ntest('total', () => assert.equal(total([1, 2, 3]), 6));")
        .together()
        .verified();
    rust_file("#[test]\n#[ignore]\nfn later() {}\n\n#[test]\nfn total() {\n    assert_eq!(shop::total(&[1, 2, 3]), 6);\n}\n")
        .together()
        .verified();
}

// Row 16: the report says success, the exit code does not.

/// Row 16, JavaScript: refused.
#[test]
fn an_assertion_that_nobody_awaits_is_refused_in_javascript() {
    node_file("test('total', () => {\n  setTimeout(() => assert.equal(total([1, 2, 3]), 6), 20);\n});")
        .together()
        .refused_by(Check::K1, "");
    // Red and green for real, and beside it an assertion that fails on the fix unseen.
    node_file(
        "test('total', () => {\n  setTimeout(() => assert.equal(total([1, 2, 3]), 5), 20);\n  assert.equal(total([1, 2, 3]), 6);\n});",
    )
    .together()
    .refused_by(Check::K2, "");
}

/// Row 16, Python: refused.
#[test]
fn an_exit_code_that_belies_the_report_is_refused_in_python() {
    let text = format!(
        "import atexit\nimport os\n{UNITTEST}    def test_total(self):\n        self.assertEqual(total([1, 2, 3]), 6)\n        atexit.register(os._exit, 3)\n"
    );
    python()
        .test([("tests/test_shop.py", &*text)])
        .together()
        .refused_by(Check::K2, "no verdict from the run")
        .class(Check::K2, FailureClass::F);
}

/// Row 16, JavaScript, honest twin: verified.
#[test]
fn an_awaited_assertion_is_verified() {
    node_file("test('total', async () => {\n  const sum = await Promise.resolve(total([1, 2, 3]));\n  assert.equal(sum, 6);\n});")
        .together()
        .verified();
}
