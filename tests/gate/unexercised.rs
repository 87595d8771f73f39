//! Tests that do not exercise production code, in further languages (rows 17 to 26 of the catalogue).

use failfirst::gate::verdict::Check;

use crate::forms::{failing, go_test, jest_file, js_total, node, node_file, rust_test, unittest};
use crate::harness::repository::{gone, put};
use crate::harness::story::{go, go_total, jest, pytest, python, rust};

const NOT_REPRODUCED: &str = "not reproduced";
const NOT_EXERCISED: &str = "does not exercise production code";

// Rows 17 and 26: logic of the test's own.

/// Rows 17 and 26, JavaScript: refused.
#[test]
fn a_test_that_re_implements_the_logic_is_refused_in_javascript() {
    let own = "const totalOfAll = (prices) => prices.reduce((a, b) => a + b, 0);\n\n";
    let test = format!("{own}test('total', () => assert.strictEqual(totalOfAll([1, 2, 3]), 6));\n");
    node_file(&test).together().refused_by(Check::K1, NOT_REPRODUCED);
    // Red on the base for want of the new name only.
    let test = format!(
        "{own}test('total', () => {{\n  assert.ok('addUp' in shop);\n  assert.strictEqual(totalOfAll([1, 2, 3]), 6);\n}});\n"
    );
    let fix = "export const addUp = (prices) => prices.reduce((a, b) => a + b, 0);\n\nexport function total(prices) {\n  \
               return addUp(prices);\n}\n";
    node_file(&test).fix([put("src/shop.js", fix)]).together().refused_by(Check::K8, NOT_EXERCISED);
}

/// Row 17, JavaScript, honest twin: verified.
/// Row 17, Rust, honest twin: verified.
/// Row 17, Go, honest twin: verified.
#[test]
fn a_reference_oracle_is_verified_in_every_language() {
    let own = "const own = (prices) => prices.reduce((a, b) => a + b, 0);\n\n";
    let test =
        format!("{own}test('total', () => assert.strictEqual(shop.total([1, 2, 3]), own([1, 2, 3])));\n");
    node_file(&test).together().verified();
    rust_test("let own = |prices: &[u32]| prices.iter().sum::<u32>();\n    assert_eq!(shop::total(&[1, 2, 3]), own(&[1, 2, 3]));")
        .together()
        .verified();
    let body = "own := 0\n\tfor _, price := range []int{1, 2, 3} {\n\t\town += price\n\t}\n\tif sum := Total([]int{1, 2, 3}); sum != own {\n\t\t\
                t.Fatal(sum)\n\t}";
    go_test(&[], body).together().verified();
}

// Row 18: the unit is mocked.

/// Row 18, JavaScript: refused.
#[test]
fn a_test_that_mocks_the_unit_is_refused_in_javascript() {
    let test = "jest.mock('../src/shop', () => ({ total: () => 6 }));\nconst { total } = require('../src/shop');\n\n\
                test('total', () => { expect(total([1, 2, 3])).toBe(6); });\n";
    jest_file(test).together().refused_by(Check::K1, NOT_REPRODUCED);
}

/// Row 18, JavaScript, honest twin: verified.
#[test]
fn a_test_that_mocks_the_clock_is_verified_in_javascript() {
    let test = "const { total } = require('../src/shop');\n\ntest('total', () => {\n  jest.spyOn(Date, 'now').mockReturnValue(0);\n  \
                expect(total([1, 2, 3])).toBe(6);\n});\n";
    jest_file(test).together().verified();
}

// Row 19: the fix's own mechanism is replaced.

/// Row 19, Python: needs-human.
/// Row 19, Python, honest twin: verified.
#[test]
fn a_test_that_replaces_the_lock_of_the_fix_is_left_to_a_person() {
    let shop = |take: &str| {
        format!(
            "import threading\n\npause = lambda: None\nleft = [1]\n\n\nclass ShopLock:\n    held = threading.Lock()\n\n    \
             def __enter__(self):\n        self.held.acquire()\n\n    def __exit__(self, *error):\n        self.held.release()\n\n\n\
             def total(prices):\n    return sum(prices[1:])\n\n\ndef take():\n{take}\n"
        )
    };
    let bad = "    if left:\n        pause()\n        return left.pop() if left else 'gone'";
    let good = "    with ShopLock():\n        if left:\n            pause()\n            return left.pop() if left else 'gone'";
    let test = |replace: &str| {
        format!(
            "import threading\nimport unittest\nimport unittest.mock\nimport shop\n\nLOCK = threading.Lock()\n\n\n\
             class Shop(unittest.TestCase):\n{replace}    def test_take(self):\n        barrier = threading.Barrier(2)\n\n        \
             def pause():\n            try:\n                barrier.wait(1)\n            except threading.BrokenBarrierError:\n                \
             pass\n\n        shop.pause = pause\n        seen = []\n        \
             threads = [threading.Thread(target=lambda: seen.append(shop.take())) for _ in range(2)]\n        \
             for thread in threads:\n            thread.start()\n        for thread in threads:\n            thread.join()\n        \
             self.assertEqual(sorted(map(str, seen)), ['1', 'None'])\n"
        )
    };
    let story = python().base([put("shop.py", shop(bad))]).fix([put("shop.py", shop(good))]);
    let local = "    @unittest.mock.patch('shop.ShopLock', lambda: LOCK)\n";
    story
        .clone()
        .test([put("tests/test_shop.py", test(local))])
        .together()
        .needs_human(Check::K13, "the test replaces ShopLock, which the fix uses");
    story.test([put("tests/test_shop.py", test(""))]).together().verified();
}

// Row 20: production is patched while the test runs.

/// Row 20, JavaScript: refused.
/// Row 20, Go: refused.
#[test]
fn a_test_that_patches_production_is_refused_in_javascript_and_go() {
    let test = "const fs = require('fs');\nconst shop = require('../src/shop');\n\ntest('total', () => {\n  \
                const text = fs.readFileSync(require.resolve('../src/shop'), 'utf8');\n  \
                if (text.includes('fixed')) shop.total = (prices) => prices.reduce((a, b) => a + b, 0);\n  \
                expect(shop.total([1, 2, 3])).toBe(6);\n});\n";
    let fix = "function total(prices) {\n  const fixed = prices;\n  return fixed.reduce((a, b) => a + b, 0);\n}\n\nmodule.exports = { total };\n";
    jest_file(test).fix([put("src/shop.js", fix)]).together().refused_by(Check::K8, NOT_EXERCISED);
    let shop = |skip: &str| {
        format!(
            "package shop\n\nvar add = func(a, b int) int {{ return a + b }}\n\nvar sum = func(prices []int) int {{\n\tall := 0\n\t\
             for _, price := range prices[{skip}:] {{\n\t\tall = add(all, price)\n\t}}\n\treturn all\n}}\n\n\
             func Total(prices []int) int {{\n\treturn sum(prices)\n}}\n"
        )
    };
    let body =
        "sum = func(prices []int) int { return 6 }\n\tif Total([]int{1, 2, 3}) != 6 {\n\t\tt.Fatal()\n\t}";
    go_test(&[], body)
        .base([put("shop.go", shop("1"))])
        .fix([put("shop.go", shop("0"))])
        .together()
        .refused_by(Check::K1, NOT_REPRODUCED);
}

// Row 21, the honest twin: a source folder of its own.

/// Row 21, Python, honest twin: verified.
#[test]
fn a_source_folder_of_its_own_is_verified() {
    pytest()
        .settings("env = { PYTHONPATH = \"src\" }\n")
        .base([gone("shop.py"), put("src/shop.py", "def total(prices):\n    return sum(prices[1:])\n")])
        .without_fix()
        .fix([put("src/shop.py", "def total(prices):\n    return sum(prices)\n")])
        .together()
        .verified();
}

// Row 22: the build is pointed at other code.

/// Row 22, JavaScript: refused.
/// Row 22, JavaScript, honest twin: verified.
#[test]
fn a_module_name_mapper_in_the_place_of_a_fix_is_refused() {
    let package = |mapper: &str| {
        format!(
            "{{\"name\":\"shop\",\"scripts\":{{\"test\":\"jest\"}},\"jest\":{{\"moduleNameMapper\":{{{mapper}}}}}}}\n"
        )
    };
    let story = jest().without_fix().fix([
        put("package.json", package("\"src/shop$\":\"<rootDir>/lib/other.js\"")),
        put("lib/other.js", "exports.total = (prices) => prices.reduce((a, b) => a + b, 0);\n"),
    ]);
    story.sealed().refused_by(Check::K0, "package.json");
    story.together().not_verified();
    let own = "\"^@/(.*)$\":\"<rootDir>/src/$1\"";
    jest_file("const { total } = require('@/shop');\n\ntest('total', () => { expect(total([1, 2, 3])).toBe(6); });\n")
        .base([put("package.json", package(own))])
        .together()
        .verified();
}

/// Row 22, Rust: refused.
/// Row 22, Rust, honest twin: verified.
#[test]
fn a_dependency_that_is_pointed_elsewhere_is_refused_in_rust() {
    let manifest = |path: &str| {
        format!(
            "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ndoctest = false\n\n[profile.dev]\ndebug = 0\n\n\
             [dependencies]\nsums = {{ path = \"{path}\" }}\n"
        )
    };
    let sums = |skip: &str| {
        format!("pub fn sum(prices: &[u32]) -> u32 {{\n    prices.iter().skip({skip}).sum()\n}}\n")
    };
    let own = "[package]\nname = \"sums\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let lock = "version = 3\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\n \"sums\",\n]\n\n[[package]]\n\
                name = \"sums\"\nversion = \"0.1.0\"\n";
    let story = rust().without_fix().base([
        put("Cargo.toml", manifest("sums")),
        put("Cargo.lock", lock),
        put("src/lib.rs", "pub fn total(prices: &[u32]) -> u32 {\n    sums::sum(prices)\n}\n"),
        put("sums/Cargo.toml", own),
        put("sums/src/lib.rs", sums("1")),
    ]);
    story.clone().fix([put("sums/src/lib.rs", sums("0"))]).together().verified();
    let trick = story.fix([
        put("Cargo.toml", manifest("tests/sums")),
        put("tests/sums/Cargo.toml", own),
        put("tests/sums/src/lib.rs", sums("0")),
    ]);
    trick.sealed().refused_by(Check::K0, "");
    trick.together().not_verified();
}

/// Row 22, Go, honest twin: verified.
#[test]
fn a_replace_directive_of_the_base_does_not_disturb() {
    let sums =
        |skip: &str| go_total(skip, "").replace("package shop", "package sums").replace("Total", "Sum");
    go().base([
        put("go.mod", "module shop\n\ngo 1.19\n\nrequire sums v0.0.0\n\nreplace sums => ./sums\n"),
        put("sums/go.mod", "module sums\n\ngo 1.19\n"),
        put("sums/sums.go", sums("1")),
        put("shop.go", "package shop\n\nimport \"sums\"\n\nfunc Total(prices []int) int {\n\treturn sums.Sum(prices)\n}\n"),
    ])
    .without_fix()
    .fix([put("sums/sums.go", sums("0"))])
    .together()
    .verified();
}

// Row 23: a copy of the class lies beside the test.

/// Row 23, Python: refused.
/// Row 23, JavaScript: refused.
/// Row 23, Rust: refused.
/// Row 23, Go: refused.
#[test]
fn a_test_of_a_copy_beside_it_is_refused() {
    unittest("from tests.basket import total as copy\nself.assertEqual(copy([1, 2, 3]), 6)")
        .test([put("tests/basket.py", "def total(prices):\n    return sum(prices)\n")])
        .together()
        .refused_by(Check::K1, NOT_REPRODUCED);
    node("const copy = await import('./helpers/shop.js');\n  assert.strictEqual(copy.total([1, 2, 3]), 6);")
        .test([put("test/helpers/shop.js", js_total("0", ""))])
        .together()
        .refused_by(Check::K1, NOT_REPRODUCED);
    let copy = "mod common;\n\n#[test]\nfn total() {\n    assert_eq!(common::total(&[1, 2, 3]), 6);\n}\n";
    rust()
        .test([
            put("tests/shop.rs", copy),
            put("tests/common/mod.rs", "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum()\n}\n"),
        ])
        .together()
        .refused_by(Check::K1, NOT_REPRODUCED);
    go_test(&[], "if copyTotal([]int{1, 2, 3}) != 6 {\n\t\tt.Fatal()\n\t}")
        .test([put("copy_test.go", go_total("0", "").replace("Total", "copyTotal"))])
        .together()
        .refused_by(Check::K1, NOT_REPRODUCED);
}

/// Row 23, Python, honest twin: verified.
#[test]
fn a_class_of_the_test_that_production_is_given_is_verified() {
    unittest("from tests.basket import Basket\nself.assertEqual(total(Basket([1, 2, 3])), 6)")
        .test([put(
            "tests/basket.py",
            "class Basket(list):\n    \"\"\"As a shop's customer fills it.\"\"\"\n",
        )])
        .together()
        .verified();
}

// Row 24: what always holds.

/// Row 24, JavaScript: refused.
/// Row 24, Rust: needs-human.
/// Row 24, Go: needs-human.
#[test]
fn an_assertion_that_always_holds_is_not_verified_in_every_language() {
    let node = failing(node("assert.ok(total([1, 2, 3]) === 6 || true);"));
    node.together().refused_by(Check::K5, "wrong expectation too");
    let words = "stays green whatever they return";
    let rust = failing(rust_test("assert!(shop::total(&[1, 2, 3]) == 6 || true);"));
    rust.together().needs_human(Check::K7, words);
    let go = failing(go_test(&[], "if Total([]int{1, 2, 3}) != 6 && false {\n\t\tt.Fatal()\n\t}"));
    go.together().needs_human(Check::K7, words);
}

// Row 25: errors are swallowed.

/// Row 25, JavaScript: refused.
/// Row 25, Go: refused.
#[test]
fn a_test_that_swallows_everything_is_refused_in_javascript_and_go() {
    node("try {\n    assert.strictEqual(total([1, 2, 3]), 6);\n  } catch {}")
        .together()
        .refused_by(Check::K1, NOT_REPRODUCED);
    go_test(
        &[],
        "defer func() { recover() }()\n\tif Total([]int{1, 2, 3}) != 6 {\n\t\tpanic(\"wrong\")\n\t}",
    )
    .together()
    .refused_by(Check::K1, NOT_REPRODUCED);
}

// Row 32: an installed copy is tested.

/// Row 32, JavaScript: refused.
#[test]
fn a_test_of_a_stale_build_is_refused_in_javascript() {
    let body =
        "const copy = await import('../dist/shop.js');\n  assert.strictEqual(copy.total([1, 2, 3]), 6);";
    let written = node(body).base([put(".gitignore", "dist/\n")]).write();
    let dist = written.repository.root().join("dist");
    std::fs::create_dir(&dist).unwrap();
    std::fs::write(dist.join("shop.js"), js_total("0", "")).unwrap();
    written.judge(failfirst::verify::Sealing::Found).refused_by(Check::K1, NOT_REPRODUCED);
}

/// Row 28, Python, honest twin: verified.
#[test]
fn a_test_of_code_that_reads_text_is_verified() {
    let shop = |from: &str| {
        format!(
            "import pathlib\n\n\ndef total(prices):\n    return sum(prices)\n\n\ndef long_lines(path):\n    \
             lines = pathlib.Path(path).read_text().splitlines()\n    return [n for n, line in enumerate(lines, {from}) if len(line) > 80]\n"
        )
    };
    let body = "import os\nimport tempfile\nplace = os.path.join(tempfile.mkdtemp(), 'long.py')\n\
                with open(place, 'w') as stream:\n    stream.write('x' * 100)\nself.assertEqual(shop.long_lines(place), [1])";
    unittest(body).base([put("shop.py", shop("0"))]).fix([put("shop.py", shop("1"))]).together().verified();
}
