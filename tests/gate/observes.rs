//! Tests that call production and look away (rows 27, 30 and 31 of the catalogue).

use failfirst::gate::verdict::Check;

use crate::forms::{NODE, failing, go_test, node, rust_test, unittest};
use crate::harness::repository::put;
use crate::harness::story::{go, javascript, rust};

// Row 27: production is called, and other values are looked at.

/// Row 27, JavaScript: needs-human.
/// Row 27, Rust: needs-human.
/// Row 27, Go: needs-human.
#[test]
fn a_test_that_looks_at_other_values_is_left_to_a_person() {
    let words = "stays green whatever they return";
    failing(node("total([1, 2, 3]);\n  assert.strictEqual([1, 2, 3].length, 3);"))
        .together()
        .needs_human(Check::K7, words);
    failing(rust_test("shop::total(&[1, 2, 3]);\n    assert_eq!([1, 2, 3].len(), 3);"))
        .together()
        .needs_human(Check::K7, words);
    failing(go_test(&[], "Total([]int{1, 2, 3})\n\tif len([]int{1, 2, 3}) != 3 {\n\t\tt.Fatal()\n\t}"))
        .together()
        .needs_human(Check::K7, words);
}

/// Row 27, JavaScript, honest twin: verified.
/// Row 27, Rust, honest twin: verified.
/// Row 27, Go, honest twin: verified.
#[test]
fn a_fix_of_a_function_without_a_result_is_verified_in_every_language() {
    let shop = |guard: &str| {
        format!(
            "export const prices = [1, 2, 3];\n\nexport function total(prices) {{\n  return prices.length;\n}}\n\n\
             export function tidy(name) {{\n  if ({guard}) {{\n    prices.length = 0;\n  }}\n}}\n"
        )
    };
    let test = format!(
        "{NODE}test('tidy', () => {{\n  shop.tidy('other');\n  assert.deepStrictEqual(shop.prices, [1, 2, 3]);\n}});\n"
    );
    javascript()
        .base([put("src/shop.js", shop("true"))])
        .test([put("test/shop.test.js", test)])
        .fix([put("src/shop.js", shop("name === 'prices'"))])
        .together()
        .verified();
    let shop = |guard: &str| {
        format!(
            "pub fn total(prices: &[u32]) -> u32 {{\n    prices.iter().skip(1).sum()\n}}\n\n\
             pub fn tidy(prices: &mut Vec<u32>, name: &str) {{\n    if {guard} {{\n        prices.clear();\n    }}\n}}\n"
        )
    };
    let test = "#[test]\nfn tidy() {\n    let mut prices = vec![1];\n    shop::tidy(&mut prices, \"other\");\n    assert_eq!(prices, [1]);\n}\n";
    rust()
        .base([put("src/lib.rs", shop("!name.is_empty()"))])
        .test([put("tests/shop.rs", test)])
        .fix([put("src/lib.rs", shop("name == \"prices\""))])
        .together()
        .verified();
    let shop = |guard: &str| {
        format!(
            "package shop\n\nfunc Total(prices []int) int {{\n\treturn len(prices) - 1\n}}\n\nfunc Tidy(prices map[string]int, name string) {{\n\t\
             if {guard} {{\n\t\tdelete(prices, \"a\")\n\t}}\n}}\n"
        )
    };
    let test = "package shop\n\nimport \"testing\"\n\nfunc TestTidy(t *testing.T) {\n\tprices := map[string]int{\"a\": 1}\n\tTidy(prices, \"other\")\n\t\
                if len(prices) != 1 {\n\t\tt.Fatal(prices)\n\t}\n}\n";
    go().base([put("shop.go", shop("name != \"\""))])
        .test([put("shop_test.go", test)])
        .fix([put("shop.go", shop("name == \"a\""))])
        .together()
        .verified();
}

// Row 30: production computes what is expected of it.

/// Row 30, Python: needs-human.
/// Row 30, JavaScript: refused, needs-human.
/// Row 30, Rust: refused, needs-human.
#[test]
fn a_test_that_compares_production_with_itself_is_not_verified() {
    let words = "stays green whatever they return";
    let python = unittest("self.assertEqual(total([1, 2, 3]), total([1, 2, 3]))");
    failing(python).together().needs_human(Check::K7, words);
    let node = || node("assert.strictEqual(total([1, 2, 3]), total([1, 2, 3]));");
    node().together().refused_by(Check::K1, "not reproduced");
    failing(node()).together().needs_human(Check::K7, words);
    let rust = || rust_test("assert_eq!(shop::total(&[1, 2, 3]), shop::total(&[1, 2, 3]));");
    rust().together().refused_by(Check::K1, "not reproduced");
    failing(rust()).together().needs_human(Check::K7, words);
}

/// Row 30, Python, honest twin: verified.
#[test]
fn a_test_that_reads_back_what_was_written_is_verified() {
    let shop = |from: &str| {
        format!(
            "def total(prices):\n    return sum(prices)\n\n\ndef write(text):\n    return 'v1:' + text\n\n\n\
             def read(text):\n    return text[{from}:]\n"
        )
    };
    unittest("self.assertEqual(shop.read(shop.write('abc')), 'abc')")
        .base([put("shop.py", shop("4"))])
        .fix([put("shop.py", shop("3"))])
        .together()
        .verified();
}

// Row 31: an assertion that never runs.

/// Row 31, JavaScript: needs-human.
#[test]
fn an_assertion_that_never_runs_is_left_to_a_person_in_javascript() {
    let loops = "total([1, 2, 3]);\n  for (const price of []) {\n    assert.strictEqual(price, 6);\n  }";
    failing(node(loops)).together().not_verified().asks(Check::K5, "no assertion of");
    let callback = "total([1, 2, 3]);\n  [].forEach((price) => assert.strictEqual(price, 6));";
    failing(node(callback)).together().not_verified().asks(Check::K5, "no assertion of");
}

/// Row 31, JavaScript, honest twin: verified.
#[test]
fn an_assertion_in_a_loop_is_verified_in_javascript() {
    let body = "for (const [prices, sum] of [[[0, 1], 1], [[1, 2, 3], 6]]) {\n    assert.strictEqual(total(prices), sum);\n  }";
    node(body).together().verified();
}
