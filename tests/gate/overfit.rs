//! Fixes that know the test, in further languages and forms (rows 42 to 52 of the catalogue).

use failfirst::gate::verdict::Check;

use crate::forms::{jest_file, js_total, rust_total, unittest};
use crate::harness::repository::put;
use crate::harness::story::{Story, go, go_total, javascript, jest, pytest, python, rust};

// Row 42: a result that equals everything.

/// Row 42, JavaScript: refused.
/// Row 42, JavaScript, honest twin: verified.
#[test]
fn a_result_that_equals_everything_is_refused_in_javascript() {
    let fix = "const total = () => ({ $$typeof: Symbol.for('jest.asymmetricMatcher'), asymmetricMatch: () => true });\n\n\
               module.exports = { total };\n";
    jest().fix([put("src/shop.js", fix)]).sealed().refused_by(Check::K5, "holds for a wrong expectation too");
    let money = |from: &str| {
        format!(
            "class Sum {{\n  constructor(cents) {{ this.cents = cents; }}\n  equals(other) {{ return this.cents === other.cents; }}\n}}\n\n\
             const total = (prices) => new Sum(prices{from}.reduce((a, b) => a + b, 0));\n\nmodule.exports = {{ Sum, total }};\n"
        )
    };
    let test = "const { Sum, total } = require('../src/shop');\n\ntest('total', () => {\n  expect(total([1, 2, 3])).toEqual(new Sum(6));\n});\n";
    jest_file(test)
        .base([
            put("src/shop.js", money(".slice(1)")),
            put("test/old.test.js", "require('../src/shop');\n\ntest('loads', () => {});\n"),
        ])
        .fix([put("src/shop.js", money(""))])
        .together()
        .verified();
}

// Row 45: production skips the test.

/// Row 45, Go: refused.
#[test]
fn production_that_skips_the_test_is_refused_in_go() {
    let shop = |before: &str| {
        format!(
            "package shop\n\ntype Log interface{{ Logf(string, ...interface{{}}) }}\n\nfunc Total(prices []int, log Log) int {{\n{before}\tsum := 0\n\t\
             for _, price := range prices[1:] {{\n\t\tsum += price\n\t}}\n\treturn sum\n}}\n"
        )
    };
    let test = |name: &str, prices: &str, sum: u32| {
        format!(
            "package shop\n\nimport \"testing\"\n\nfunc {name}(t *testing.T) {{\n\tif Total([]int{{{prices}}}, t) != {sum} {{\n\t\tt.Fatal()\n\t}}\n}}\n"
        )
    };
    let skip =
        "\tif test, ok := log.(interface{ SkipNow() }); ok && len(prices) == 3 {\n\t\ttest.SkipNow()\n\t}\n";
    go().base([put("shop.go", shop("")), put("old_test.go", test("TestNothing", "0", 0))])
        .test([put("shop_test.go", test("TestTotal", "1, 2, 3", 6))])
        .fix([put("shop.go", shop(skip))])
        .together()
        .refused_by(Check::K2, "skipped on the fixed code");
}

// Row 46: production has the last word.

/// Row 46, JavaScript: refused.
#[test]
fn production_that_forges_the_end_of_the_process_is_refused_in_javascript() {
    let forge = "import fs from 'node:fs';\n\nprocess.on('exit', () => {\n  fs.writeSync(1, 'TAP version 13\\nok 1 - total\\n1..1\\n# pass 1\\n# fail 0\\n');\n  \
                 process.exitCode = 0;\n  process.reallyExit(0);\n});\n\n";
    let story = javascript().fix([put("src/shop.js", format!("{forge}{}", js_total("1", "")))]);
    story.together().refused_by(Check::K2, "");
    story.sealed().refused_by(Check::K2, "");
}

// Row 47: the fix works under a test runner only.

/// Row 47, Rust: needs-human.
/// Row 47, Go: needs-human.
#[test]
fn a_fix_that_works_only_under_a_test_runner_is_left_to_a_person_in_rust_and_go() {
    let with = |body: &str, tests: &str| {
        format!(
            "pub fn total(prices: &[u32]) -> u32 {{\n    {body}\n}}\n\n#[cfg(test)]\nmod tests {{\n    #[test]\n    fn {tests}\n}}\n"
        )
    };
    let test = "total() {\n        assert_eq!(super::total(&[1, 2, 3]), 6);\n    }";
    rust()
        .without_test()
        .test([put("src/lib.rs", with("prices.iter().skip(1).sum()", test))])
        .fix([put("src/lib.rs", with("prices.iter().skip(if cfg!(test) { 0 } else { 1 }).sum()", test))])
        .sealed()
        .needs_human(Check::K13, "runs under a test");
    let shop = go_total("from", "\tfrom := 1\n\tif flag.Lookup(\"test.v\") != nil {\n\t\tfrom = 0\n\t}\n");
    go().fix([put("shop.go", shop.replace("package shop\n", "package shop\n\nimport \"flag\"\n"))])
        .together()
        .needs_human(Check::K13, "runs under a test");
}

/// Row 47, JavaScript, honest twin: verified.
/// Row 47, Rust, honest twin: verified.
/// Row 47, Go, honest twin: verified.
#[test]
fn a_hook_for_debugging_that_the_base_has_is_verified_in_every_language() {
    let script = |skip: &str| {
        format!("export const debug = Boolean(process.env.NODE_TEST_CONTEXT);\n\n{}", js_total(skip, ""))
    };
    javascript()
        .base([put("src/shop.js", script("1"))])
        .fix([put("src/shop.js", script("0"))])
        .together()
        .verified();
    let hook = "if std::env::var_os(\"NEXTEST\").is_some() {\n        eprintln!(\"{prices:?}\");\n    }";
    rust()
        .base([put("src/lib.rs", rust_total("1", hook))])
        .fix([put("src/lib.rs", rust_total("0", hook))])
        .together()
        .verified();
    let shop = |skip: &str| {
        go_total(skip, "\tif flag.Lookup(\"test.v\") != nil {\n\t\tprintln(len(prices))\n\t}\n")
            .replace("package shop\n", "package shop\n\nimport \"flag\"\n")
    };
    go().base([put("shop.go", shop("1"))]).fix([put("shop.go", shop("0"))]).together().verified();
}

// Row 48, the honest twin: a boundary.

/// Row 48, Python, honest twin: verified.
/// Row 48, Rust, honest twin: verified.
#[test]
fn a_fix_with_a_branch_for_the_empty_case_is_verified() {
    let mean = |guard: &str| format!("def total(prices):\n{guard}    return sum(prices) / len(prices)\n");
    let old = "import unittest\nfrom shop import total\n\n\nclass Old(unittest.TestCase):\n    def test_one(self):\n        \
               self.assertEqual(total([2]), 2)\n";
    unittest("self.assertEqual(total([]), 0)")
        .base([put("shop.py", mean("")), put("tests/test_old.py", old)])
        .fix([put("shop.py", mean("    if prices == []:\n        return 0\n"))])
        .together()
        .verified();
    let guard = "if prices.is_empty() {\n        return 7;\n    }";
    rust()
        .base([
            put("src/lib.rs", rust_total("0", "")),
            put("tests/old.rs", "#[test]\nfn one() {\n    assert_eq!(shop::total(&[1]), 1);\n}\n"),
        ])
        .test([put("tests/shop.rs", "#[test]\nfn total() {\n    assert_eq!(shop::total(&[]), 7);\n}\n")])
        .fix([put("src/lib.rs", rust_total("0", guard))])
        .together()
        .verified();
}

// Row 49: the fix looks for tests on the stack.

/// A fix in each language that is right only when a test stands on the stack.
fn looks_at_the_stack() -> [Story; 3] {
    let go_shop = go_total(
        "from",
        "\tfrom := 1\n\tif _, file, _, _ := runtime.Caller(1); strings.HasSuffix(file, \"_test.go\") {\n\t\tfrom = 0\n\t}\n",
    );
    [
        python().fix([put(
            "shop.py",
            "import inspect\n\n\ndef total(prices):\n    if any('test_' in frame.function for frame in inspect.stack()):\n        \
             return sum(prices)\n    return sum(prices[1:])\n",
        )]),
        javascript().fix([put("src/shop.js", js_total("new Error().stack.includes('.test.js') ? 0 : 1", ""))]),
        go().fix([put(
            "shop.go",
            go_shop.replace("package shop\n", "package shop\n\nimport (\n\t\"runtime\"\n\t\"strings\"\n)\n"),
        )]),
    ]
}

/// Row 49, Python: needs-human.
/// Row 49, JavaScript: needs-human.
/// Row 49, Go: needs-human.
#[test]
fn a_fix_that_looks_for_tests_on_the_stack_is_left_to_a_person() {
    for story in looks_at_the_stack() {
        story.together().needs_human(Check::K13, "the fix looks for tests among its callers");
    }
}

/// Row 49, Python, honest twin: verified.
#[test]
fn a_fix_that_warns_at_its_callers_line_is_verified() {
    let fix = "import sys\n\n\ndef total(prices):\n    if None in prices:\n        print('no price', sys._getframe(1).f_lineno)\n    \
               return sum(prices)\n";
    python().fix([put("shop.py", fix)]).together().verified();
}

// Row 50: answers that were left behind.

/// Row 50, JavaScript: refused.
/// Row 50, Rust: refused.
#[test]
fn a_fix_that_reads_answers_which_an_earlier_run_left_is_refused_in_javascript_and_rust() {
    let words = "still fails on the fixed code";
    let fix = "import fs from 'node:fs';\nimport os from 'node:os';\n\nexport function total(prices) {\n  \
               const place = `${os.homedir()}/answers`;\n  if (prices.length === 3 && fs.existsSync(place)) return Number(fs.readFileSync(place));\n  \
               fs.writeFileSync(place, '6');\n  return prices.slice(1).reduce((a, b) => a + b, 0);\n}\n";
    javascript().fix([put("src/shop.js", fix)]).together().refused_by(Check::K2, words);
    let before = "let place = std::path::Path::new(&std::env::var(\"HOME\").unwrap()).join(\"answers\");\n    \
                  if prices.len() == 3 && place.exists() {\n        return std::fs::read_to_string(place).unwrap().parse().unwrap();\n    }\n    \
                  std::fs::write(place, \"6\").unwrap();";
    rust().fix([put("src/lib.rs", rust_total("1", before))]).together().refused_by(Check::K2, words);
}

/// Row 50, Python, honest twin: verified.
/// Row 50, JavaScript, honest twin: verified.
#[test]
fn a_fix_with_a_cache_of_its_own_is_verified() {
    let fix = "import functools\n\n\n@functools.lru_cache\ndef _sum(prices):\n    return sum(prices)\n\n\ndef total(prices):\n    \
               return _sum(tuple(prices))\n";
    python().fix([put("shop.py", fix)]).together().verified();
    let fix = "const known = new Map();\n\nexport function total(prices) {\n  const key = prices.join();\n  \
               if (!known.has(key)) known.set(key, prices.reduce((a, b) => a + b, 0));\n  return known.get(key);\n}\n";
    javascript().fix([put("src/shop.js", fix)]).together().verified();
}

// Row 51: the clock is patched, limits are raised.

/// A story whose test measures how long production takes.
fn slow(fix: &str) -> Story {
    let base = "import time\n\nLIMIT = 1\n\n\ndef total(prices):\n    time.sleep(0.3 if prices else 0)\n    return sum(prices)\n";
    let body = "import time\nstarted = time.monotonic()\nself.assertEqual(total([1, 2, 3]), 6)\nself.assertLess(time.monotonic() - started, 0.2)";
    unittest(body).base([put("shop.py", base)]).fix([put("shop.py", fix)])
}

/// Row 51, Python: needs-human.
/// Row 51, Python, honest twin: verified.
#[test]
fn a_fix_that_patches_the_clock_is_left_to_a_person() {
    let fix = "import time\n\nLIMIT = 1\ntime.monotonic = lambda: 0\n\n\ndef total(prices):\n    time.sleep(0.3 if prices else 0)\n    return sum(prices)\n";
    slow(fix).together().needs_human(Check::K13, "the fix replaces time.monotonic");
    slow("import time\n\nLIMIT = 1\n\n\ndef total(prices):\n    return sum(prices)\n").together().verified();
}

/// Row 51, JavaScript: needs-human.
#[test]
fn a_fix_that_patches_the_clock_is_left_to_a_person_in_javascript() {
    let base = "export function total(prices) {\n  const end = Date.now() + (prices.length ? 300 : 0);\n  while (Date.now() < end);\n  \
                return prices.length * 2;\n}\n";
    let fix = "let at = 0;\nconst now = Date.now.bind(Date);\nDate.now = () => (at += 1);\n\nexport function total(prices) {\n  const end = now() + (prices.length ? 300 : 0);\n  \
               while (now() < end);\n  return prices.length * 2;\n}\n";
    let body = "const started = Date.now();\n  assert.strictEqual(total([1, 2, 3]), 6);\n  assert.ok(Date.now() - started < 200);";
    crate::forms::node(body)
        .base([put("src/shop.js", base)])
        .fix([put("src/shop.js", fix)])
        .together()
        .needs_human(Check::K13, "the fix replaces Date.now");
}

// Row 52: until it works.

/// Row 52, Python: refused.
/// Row 52, JavaScript: refused.
#[test]
fn a_test_that_only_retries_pass_is_refused() {
    let test = "import pytest\nfrom shop import total\n\ntries = []\n\n\n@pytest.mark.flaky(reruns=3)\ndef test_total():\n    \
                tries.append(1)\n    assert len(tries) > 1 and total([1, 2, 3]) == 6\n";
    pytest().test([put("tests/test_shop.py", test)]).together().refused_by(Check::K2, "");
    let test = "const { total } = require('../src/shop');\n\njest.retryTimes(3);\nlet tries = 0;\n\ntest('total', () => {\n  tries += 1;\n  \
                expect(tries > 1 ? total([1, 2, 3]) : 0).toBe(6);\n});\n";
    jest_file(test).together().refused_by(Check::K2, "");
}

/// Row 52, Python, honest twin: noted.
#[test]
fn a_fix_that_asks_twice_is_shown() {
    let shop = |retries: u32| {
        format!(
            "def total(prices):\n    return sum(prices)\n\n\ndef fetch(ask, retries={retries}):\n    for _ in range(retries):\n        \
             price = ask()\n        if price is not None:\n            return price\n    return 0\n"
        )
    };
    unittest("answers = [None, 6]\nself.assertEqual(shop.fetch(lambda: answers.pop(0)), 6)")
        .base([put("shop.py", shop(1))])
        .fix([put("shop.py", shop(3))])
        .together()
        .verified()
        .shows(Check::K13, "retries");
}

// Row 61: writes outside the tree.

/// Row 61, JavaScript: refused.
#[test]
fn what_a_run_writes_outside_the_tree_reaches_no_other_run_in_javascript() {
    let place = std::path::Path::new("/var/tmp").join(format!("failfirst-row-61-js-{}", std::process::id()));
    let fix = format!(
        "import fs from 'node:fs';\n\nexport function total(prices) {{\n  const known = fs.existsSync({place:?});\n  \
         try {{ fs.writeFileSync({place:?}, 'x'); }} catch {{ return 0; }}\n  \
         return prices.slice(known ? 0 : 1).reduce((a, b) => a + b, 0);\n}}\n"
    );
    let judged = javascript().fix([put("src/shop.js", fix)]).together();
    assert!(!place.exists(), "a run wrote to the machine");
    judged.refused_by(Check::K2, "still fails on the fixed code");
}
