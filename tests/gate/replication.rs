//! Tests that are no valid replication, in further languages and forms (rows 7 to 15 of the catalogue).

use failfirst::gate::verdict::{Check, FailureClass};

use crate::forms::{NODE, go_test, jest_file, js_total, node, node_file, rust_test, rust_total, unittest};
use crate::harness::repository::put;
use crate::harness::story::{javascript, jest, python, rust};

// Row 7: a third-party module that is not installed.

/// Row 7, Rust: refused.
/// Row 7, Go: refused.
#[test]
fn a_test_that_needs_a_crate_or_module_which_nobody_installed_is_refused() {
    rust_test("assert_eq!(shop::total(&[1, 2, 3]), no_such_crate::six());")
        .together()
        .refused_by(Check::K1, "");
    let body = "if Total([]int{1, 2, 3}) != module.Six() {\n\t\tt.Fatal()\n\t}";
    go_test(&["example.org/no/such/module"], body).together().refused_by(Check::K1, "");
}

// Row 9: the network.

/// Row 9, JavaScript: refused.
#[test]
fn a_test_that_needs_the_network_is_refused_in_javascript() {
    let body = "const { connect } = await import('node:net');\n  \
                await new Promise((done, failed) => connect(80, '192.0.2.1', done).on('error', failed));\n  \
                assert.strictEqual(total([1, 2, 3]), 6);";
    node(body).together().refused_by(Check::K1, "");
}

/// Row 9, JavaScript, honest twin: verified.
#[test]
fn a_test_with_a_server_of_its_own_is_verified_in_javascript() {
    let body = "const { createServer } = await import('node:http');\n  \
                const server = createServer((_, reply) => reply.end(String(total([1, 2, 3]))));\n  \
                await new Promise((done) => server.listen(0, '127.0.0.1', done));\n  \
                const reply = await fetch(`http://127.0.0.1:${server.address().port}/`);\n  \
                const text = await reply.text();\n  server.closeAllConnections();\n  server.close();\n  \
                assert.strictEqual(text, '6');";
    node(body).together().verified();
}

// Row 10: order.

/// Row 10, JavaScript: refused.
#[test]
fn a_test_that_counts_on_another_test_before_it_is_refused_in_javascript() {
    let text = "let seen = false;\n\ntest('first', () => {\n  seen = true;\n});\n\n\
                test('total', () => assert.strictEqual(seen ? shop.total([1, 2, 3]) : 0, 6));\n";
    node_file(text).together().refused_by(Check::K2, "still fails on the fixed code");
}

// Row 11: something else than the issue.

/// Row 11, Python: refused.
#[test]
fn a_test_of_the_documentation_beside_the_fix_is_refused() {
    let body = "import pathlib\nself.assertIn('sums', pathlib.Path('README.md').read_text())";
    unittest(body)
        .base([put("README.md", "# Shop\n")])
        .fix([put("README.md", "# Shop\n\nIt sums.\n")])
        .together()
        .refused_by(Check::K3, "passes without any production change");
}

/// Row 11, Python: noted.
/// Row 11, JavaScript: noted.
#[test]
fn a_test_of_another_part_of_the_change_is_shown_not_to_need_the_rest() {
    let shop = |skip: &str, version: u32| {
        format!(
            "def version():\n    return {version}\n\n\ndef total(prices):\n    return sum(prices[{skip}:])\n"
        )
    };
    unittest("self.assertEqual(shop.version(), 2)")
        .base([put("shop.py", shop("1", 1))])
        .fix([put("shop.py", shop("0", 2))])
        .together()
        .verified()
        .says(Check::K8, "does not need the change of `total`");
    let shop = |skip: &str, version: u32| {
        js_total(skip, "") + &format!("\nexport function version() {{\n  return {version};\n}}\n")
    };
    node("assert.strictEqual(shop.version(), 2);")
        .base([put("src/shop.js", shop("1", 1))])
        .fix([put("src/shop.js", shop("0", 2))])
        .together()
        .verified()
        .says(Check::K8, "does not need the change of `total`");
}

// Row 13: passing means failing.

/// Row 13, Python: refused.
/// Row 13, JavaScript: refused.
/// Row 13, Rust: needs-human.
#[test]
fn a_test_that_must_fail_on_the_fixed_code_is_not_verified() {
    python()
        .test([put(
            "tests/test_shop.py",
            "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    @unittest.expectedFailure\n    \
             def test_total(self):\n        self.assertEqual(total([1, 2, 3]), 5)\n",
        )])
        .together()
        .refused_by(Check::K1, "");
    let text = "const { total } = require('../src/shop');\n\n\
                test.failing('total', () => { expect(total([1, 2, 3])).toBe(5); });\n";
    jest_file(text).together().refused_by(Check::K1, "");
    rust()
        .test([put(
            "tests/shop.rs",
            "#[test]\n#[should_panic]\nfn total() {\n    assert_eq!(shop::total(&[1, 2, 3]), 5);\n}\n",
        )])
        .together()
        .needs_human(Check::K5, "")
        .asks(Check::K13, "");
}

/// Row 13, Rust, honest twin: verified.
/// Row 13, JavaScript, honest twin: verified.
#[test]
fn an_error_that_is_the_specified_behaviour_is_verified() {
    let guard = "assert!(!prices.is_empty(), \"nothing to sum\");";
    rust()
        .base([
            put("src/lib.rs", rust_total("0", "")),
            put("tests/old.rs", "#[test]\nfn one() {\n    assert_eq!(shop::total(&[1]), 1);\n}\n"),
        ])
        .test([put(
            "tests/shop.rs",
            "#[test]\n#[should_panic(expected = \"nothing to sum\")]\nfn nothing() {\n    shop::total(&[]);\n}\n",
        )])
        .fix([put("src/lib.rs", rust_total("0", guard))])
        .together()
        .verified();
    let guard = "if (prices.length === 0) throw new RangeError('nothing to sum');";
    node("assert.throws(() => total([]), /nothing to sum/);")
        .base([
            put("src/shop.js", js_total("0", "")),
            put(
                "test/old.test.js",
                format!("{NODE}test('one', () => assert.strictEqual(shop.total([1]), 1));\n"),
            ),
        ])
        .fix([put("src/shop.js", js_total("0", guard))])
        .together()
        .verified();
}

// Row 14: an expectation that no right fix meets.

/// Row 14, JavaScript: refused.
/// Row 14, Rust: refused.
#[test]
fn a_test_that_fails_after_a_right_fix_is_refused_in_javascript_and_rust() {
    let words = "still fails on the fixed code";
    node("assert.strictEqual(total([1, 2, 3]), 7);").together().refused_by(Check::K2, words);
    rust_test("assert_eq!(shop::total(&[1, 2, 3]), 7);").together().refused_by(Check::K2, words);
}

// Row 15: a snapshot that records itself.

const SNAPSHOT: &str = "const { total } = require('../src/shop');\n\n\
                        test('total', () => { expect(total([1, 2, 3])).toMatchSnapshot(); });\n";

/// Row 15, JavaScript: refused.
#[test]
fn a_snapshot_that_records_itself_is_refused_in_javascript() {
    jest_file(SNAPSHOT).together().refused_by(Check::K2, "still fails on the fixed code");
    let own = "const fs = await import('node:fs');\n  const place = 'test/snapshot.txt';\n  \
               if (!fs.existsSync(place)) fs.writeFileSync(place, String(total([1, 2, 3])));\n  \
               assert.strictEqual(fs.readFileSync(place, 'utf8'), String(total([1, 2, 3])));";
    node(own).together().refused_by(Check::K1, "not reproduced");
}

/// Row 15, JavaScript, honest twin: verified.
#[test]
fn a_snapshot_that_is_part_of_the_test_is_verified_in_javascript() {
    let snapshot =
        "// Jest Snapshot v1, https://jestjs.io/docs/snapshot-testing\n\nexports[`total 1`] = `6`;\n";
    jest_file(SNAPSHOT).test([put("test/__snapshots__/shop.test.js.snap", snapshot)]).together().verified();
}

/// The story of jest is an honest one.
#[test]
fn an_honest_fix_with_jest_is_verified() {
    jest().together().verified();
    jest().sealed().verified();
}

// Row 8: time.

/// Row 8, Go: refused.
#[test]
fn a_test_that_sleeps_is_refused_in_go() {
    go_test(&["time"], "time.Sleep(100 * time.Second)")
        .settings_timeout("10s")
        .together()
        .refused_by(Check::K1, "")
        .class(Check::K1, FailureClass::D);
}

/// Row 14, JavaScript, honest twin: verified.
#[test]
fn a_test_that_leaves_room_for_other_right_fixes_is_verified() {
    let text = "test('total', () => assert.ok(Math.abs(shop.total([1, 2, 3]) - 6) < 0.01));\n";
    javascript().test([put("test/shop.test.js", format!("{NODE}{text}"))]).together().verified();
}
