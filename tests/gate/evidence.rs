//! Does the test call production code, and does its verdict depend on the fix? (Section 2 of the catalogue.)

use failfirst::gate::verdict::{Check, FailureClass};

use crate::harness::repository::put;
use crate::harness::story::{Story, go, go_total, javascript, pytest, python, rust};

#[test]
fn honest_fixes_pass_every_question_of_evidence() {
    for story in [python(), pytest(), javascript(), rust(), go()] {
        let judged = story.together().verified().passed(Check::K6).passed(Check::K7).passed(Check::K8);
        judged.shows(Check::K6, "otal").shows(Check::K7, "stopped");
    }
}

/// The founding case in miniature: production forgets the lock, the test brings its own function with a lock.
fn branches(test: &str) -> Story {
    const BASE: &str = "branches = []\n\n\ndef create_branch(name):\n    if name not in branches:\n        \
                        branches.append(name)\n    return branches\n";
    const FIXED: &str = "import threading\n\nbranches = []\nbranch_lock = threading.Lock()\n\n\ndef create_branch(name):\n    \
                         with branch_lock:\n        if name not in branches:\n            branches.append(name)\n    \
                         return branches\n";
    pytest()
        .base([("branches.py", BASE)])
        .test([("tests/test_shop.py", "# nothing here\n"), ("tests/test_branches.py", test)])
        .fix([("shop.py", "def total(prices):\n    return sum(prices[1:])\n"), ("branches.py", FIXED)])
}

/// A test with its own `create_branch_with_lock`, and `before` in front of it.
fn own_copy(import: &str, before: &str) -> String {
    format!(
        "import threading\n{import}\n\n\ndef create_branch_with_lock(name, known, lock):\n    with lock:\n        \
         if name not in known:\n            known.append(name)\n        return known\n\n\n\
         def test_create_branch():\n    {before}\n    known = []\n    lock = threading.Lock()\n    \
         threads = [threading.Thread(target=create_branch_with_lock, args=('a', known, lock)) for _ in range(2)]\n    \
         for thread in threads:\n        thread.start()\n    for thread in threads:\n        thread.join()\n    \
         assert known == ['a']\n"
    )
}

/// Rows 17 and 26, Python: refused.
#[test]
fn a_test_that_re_implements_the_logic_and_only_imports_the_new_name_is_refused() {
    let test =
        own_copy("from branches import branch_lock", "assert branch_lock is not create_branch_with_lock");
    branches(&test).together().refused_by(Check::K1, "passes when that API is there and empty");
}

/// Rows 17 and 26, Python: refused.
#[test]
fn a_test_that_re_implements_the_logic_and_asks_for_the_new_name_is_refused() {
    // Red on the base by an assertion of its own, green on the fix, and production never runs.
    let test = own_copy("import branches", "assert hasattr(branches, 'branch_lock')");
    branches(&test).together().refused_by(Check::K8, "does not exercise production code");
}

/// Row 17, Python: refused.
#[test]
fn a_test_that_re_implements_the_logic_and_nothing_else_is_refused() {
    let test = own_copy("import branches", "assert branches.create_branch");
    branches(&test).together().refused_by(Check::K1, "not reproduced");
}

/// Row 28, Python: refused.
/// Row 28, JavaScript: refused.
/// Row 28, Rust: refused.
/// Row 28, Go: refused.
#[test]
fn a_test_that_reads_the_source_is_refused() {
    let reads = [
        python().test([(
            "tests/test_shop.py",
            "import pathlib\nimport unittest\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        \
             self.assertIn('return sum(prices)', pathlib.Path('shop.py').read_text())\n",
        )]),
        javascript().test([(
            "test/shop.test.js",
            "import test from 'node:test';\nimport assert from 'node:assert';\nimport { readFileSync } from 'node:fs';\n\n\
             test('total', () => {\n  assert.match(readFileSync('src/shop.js', 'utf8'), /return prices.reduce/);\n});\n",
        )]),
        rust().test([(
            "tests/shop.rs",
            "#[test]\nfn total() {\n    assert!(include_str!(\"../src/lib.rs\").contains(\"prices.iter().sum()\"));\n}\n",
        )]),
        go().test([(
            "shop_test.go",
            "package shop\n\nimport (\n\t\"os\"\n\t\"strings\"\n\t\"testing\"\n)\n\nfunc TestTotal(t *testing.T) {\n\t\
             text, _ := os.ReadFile(\"shop.go\")\n\tif !strings.Contains(string(text), \"range prices[0:]\") {\n\t\t\
             t.Fatal(\"not fixed\")\n\t}\n}\n",
        )]),
    ];
    for story in reads {
        story.together().refused_by(Check::K8, "does not exercise production code");
    }
}

/// Row 20, Python: refused.
#[test]
fn a_test_that_replaces_production_when_the_fix_is_there_is_refused() {
    let story = python()
        .test([(
            "tests/test_shop.py",
            "import pathlib\nimport unittest\nimport shop\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        \
             if 'fixed' in pathlib.Path(shop.__file__).read_text():\n            shop.total = sum\n        \
             self.assertEqual(shop.total([1, 2, 3]), 6)\n",
        )])
        .fix([("shop.py", "def total(prices):\n    fixed = prices\n    return sum(fixed)\n")]);
    story.together().refused_by(Check::K8, "does not exercise production code");
}

/// Rows 3 and 26, Python, honest twin: verified.
/// Rows 3 and 26, JavaScript, honest twin: verified.
/// Rows 3 and 26, Rust, honest twin: verified.
/// Rows 3 and 26, Go, honest twin: verified.
#[test]
fn a_test_for_a_new_function_is_verified_where_it_fails_with_that_function_empty() {
    let stories = [
        python()
            .test([(
                "tests/test_shop.py",
                "import unittest\nfrom shop import mean\n\n\nclass Shop(unittest.TestCase):\n    def test_mean(self):\n        \
                 self.assertEqual(mean([1, 2, 3]), 2)\n",
            )])
            .fix([(
                "shop.py",
                "def total(prices):\n    return sum(prices)\n\n\ndef mean(prices):\n    return total(prices) / len(prices)\n",
            )]),
        javascript()
            .test([(
                "test/shop.test.js",
                "import test from 'node:test';\nimport assert from 'node:assert';\nimport { mean } from '../src/shop.js';\n\n\
                 test('mean', () => {\n  assert.strictEqual(mean([1, 2, 3]), 2);\n});\n",
            )])
            .fix([(
                "src/shop.js",
                "export function total(prices) {\n  return prices.reduce((a, b) => a + b, 0);\n}\n\n\
                 export const mean = (prices) => total(prices) / prices.length;\n",
            )]),
        rust()
            .test([("tests/shop.rs", "#[test]\nfn mean() {\n    assert_eq!(shop::mean(&[1, 2, 3]), 2);\n}\n")])
            .fix([(
                "src/lib.rs",
                "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum()\n}\n\n\
                 pub fn mean(prices: &[u32]) -> u32 {\n    total(prices) / prices.len() as u32\n}\n",
            )]),
        go().test([(
            "shop_test.go",
            "package shop\n\nimport \"testing\"\n\nfunc TestMean(t *testing.T) {\n\tif Mean([]int{1, 2, 3}) != 2 {\n\t\t\
             t.Fatal(\"not the mean\")\n\t}\n}\n",
        )])
        .fix([(
            "shop.go",
            &*format!("{}\nfunc Mean(prices []int) int {{\n\treturn Total(prices) / len(prices)\n}}\n", go_total("0", "")),
        )]),
    ];
    for story in stories {
        story.together().verified().passed(Check::K1).passed(Check::K8);
    }
}

/// Rows 17 and 26, Python: refused.
/// Rows 17 and 26, Rust: refused.
/// Rows 17 and 26, Go: refused.
#[test]
fn a_test_that_only_needs_the_new_name_is_refused() {
    let stories = [
        python()
            .test([(
                "tests/test_shop.py",
                "import unittest\nfrom shop import mean\n\n\ndef own(prices):\n    return sum(prices) / len(prices)\n\n\n\
                 class Shop(unittest.TestCase):\n    def test_mean(self):\n        self.assertTrue(mean)\n        \
                 self.assertEqual(own([1, 2, 3]), 2)\n",
            )])
            .fix([(
                "shop.py",
                "def total(prices):\n    return sum(prices)\n\n\ndef mean(prices):\n    return total(prices) / len(prices)\n",
            )]),
        rust()
            .test([(
                "tests/shop.rs",
                "#[allow(unused_imports)]\nuse shop::mean;\nfn own(prices: &[u32]) -> u32 {\n    \
                 prices.iter().sum::<u32>() / prices.len() as u32\n}\n\n#[test]\nfn works() {\n    assert_eq!(own(&[1, 2, 3]), 2);\n}\n",
            )])
            .fix([(
                "src/lib.rs",
                "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum()\n}\n\n\
                 pub fn mean(prices: &[u32]) -> u32 {\n    total(prices) / prices.len() as u32\n}\n",
            )]),
        go().test([(
            "shop_test.go",
            "package shop\n\nimport \"testing\"\n\nfunc own(a, b int) int { return (a + b) / 2 }\n\n\
             func TestMean(t *testing.T) {\n\t_ = Mean\n\tif own(1, 3) != 2 {\n\t\tt.Fatal(\"not the mean\")\n\t}\n}\n",
        )])
        .fix([(
            "shop.go",
            &*format!("{}\nfunc Mean(prices []int) int {{\n\treturn Total(prices) / len(prices)\n}}\n", go_total("0", "")),
        )]),
    ];
    for story in stories {
        let judged = story.together();
        judged
            .refused_by(Check::K1, "passes when that API is there and empty")
            .class(Check::K1, FailureClass::B);
    }
}

/// Row 26, Python: refused.
#[test]
fn a_test_that_is_red_only_for_want_of_a_name_is_refused() {
    // On the base the assertion on the name fails, so the test is red there by an assertion of its own.
    let story = python()
        .test([(
            "tests/test_shop.py",
            "import unittest\nimport shop\n\n\ndef own(prices):\n    return sum(prices)\n\n\nclass Shop(unittest.TestCase):\n    \
             def test_total(self):\n        self.assertTrue(hasattr(shop, 'add_up'))\n        self.assertEqual(own([1, 2, 3]), 6)\n",
        )])
        .fix([("shop.py", "def add_up(prices):\n    return sum(prices)\n\n\ndef total(prices):\n    return add_up(prices)\n")]);
    story.together().refused_by(Check::K8, "does not exercise production code");
}

/// Row 27, Python: needs-human.
#[test]
fn a_test_that_calls_production_and_looks_away_is_left_to_a_person() {
    // Red on the base since `total` raises there; nothing that it returns is looked at.
    let story = python()
        .base([("shop.py", "def total(prices):\n    return sum(prices[1:]) + undefined\n")])
        .test([(
            "tests/test_shop.py",
            "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        \
             total([1, 2, 3])\n        self.assertEqual(sum([1, 2, 3]), 6)\n",
        ), ("tests/test_old.py", "import unittest\n")]);
    story.together().needs_human(Check::K7, "stays green whatever they return");
}

#[test]
fn a_changed_constant_is_weak_evidence_and_said_so() {
    let base = "RATE = 2\n\n\ndef total(prices):\n    return RATE * sum(prices)\n";
    let story = python().base([("shop.py", base)]).fix([("shop.py", &*base.replace("RATE = 2", "RATE = 1"))]);
    story.together().verified().passed(Check::K8);
}

#[test]
fn code_that_runs_in_another_process_is_seen_to_be_reached() {
    let story = python()
        .base([("shop.py", "import sys\n\n\ndef main():\n    print(sum(int(p) for p in sys.argv[2:]))\n\n\nif __name__ == '__main__':\n    main()\n"),
            ("tests/test_old.py", "import unittest\n")])
        .test([(
            "tests/test_shop.py",
            "import subprocess\nimport sys\nimport unittest\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        \
             out = subprocess.run([sys.executable, 'shop.py', '1', '2'], capture_output=True, env={})\n        \
             self.assertEqual(out.stdout.strip(), b'3')\n",
        )])
        .fix([("shop.py", "import sys\n\n\ndef main():\n    print(sum(int(p) for p in sys.argv[1:]))\n\n\nif __name__ == '__main__':\n    main()\n")]);
    story.together().verified().passed(Check::K6).shows(Check::K6, "`main`");
}

// Row 47: the fix works under a test runner only.

/// Row 47, Python: refused.
#[test]
fn a_fix_that_works_only_under_a_test_runner_is_refused_in_python() {
    let fix = |sees: &str| {
        format!(
            "import os\nimport sys\n\n\ndef total(prices):\n    return sum(prices) if {sees} else sum(prices[1:])\n"
        )
    };
    let words = "works only where it sees a test runner";
    for sees in [
        "'unittest' in sys.modules",
        "sys.modules.get('unittest') is not None",
        "any(name.startswith('unittest') for name in sys.modules)",
    ] {
        python().fix([("shop.py", &*fix(sees))]).together().refused_by(Check::K10, words);
    }
    for sees in
        ["'PYTEST_CURRENT_TEST' in os.environ", "os.getenv('PYTEST_CURRENT_TEST')", "'pytest' in sys.modules"]
    {
        pytest().fix([("shop.py", &*fix(sees))]).together().refused_by(Check::K10, words);
    }
}

/// Row 47, JavaScript: refused.
#[test]
fn a_fix_that_works_only_under_a_test_runner_is_refused_in_javascript() {
    let fix = "export function total(prices) {\n  const from = process.env.NODE_TEST_CONTEXT ? 0 : 1;\n  \
               return prices.slice(from).reduce((a, b) => a + b, 0);\n}\n";
    let judged = javascript().fix([("src/shop.js", fix)]).together();
    judged.refused_by(Check::K10, "works only where it sees a test runner");
}

/// Row 47, Python, honest twin: verified.
#[test]
fn a_hook_for_debugging_that_the_base_has_is_not_refused() {
    let total = |from: &str| {
        format!(
            "import sys\n\nDEBUG = 'unittest' in sys.modules\n\n\ndef total(prices):\n    return sum(prices{from})\n"
        )
    };
    let story = python().base([("shop.py", &*total("[1:]"))]).fix([("shop.py", &*total(""))]);
    story.together().verified().passed(Check::K10);
}

// Row 27, the honest twin: the changed function hands nothing back.

/// Row 27, Python, honest twin: verified.
#[test]
fn a_fix_of_a_function_without_a_result_is_not_left_to_a_person() {
    let shop = |guard: &str| {
        format!(
            "prices = [1, 2, 3]\n\n\ndef total(prices):\n    return sum(prices[1:])\n\n\ndef tidy(name):\n    if {guard}:\n        \
             prices.clear()\n"
        )
    };
    let story = python()
        .base([("shop.py", &*shop("True"))])
        .test([(
            "tests/test_shop.py",
            "import unittest\nimport shop\n\n\nclass Shop(unittest.TestCase):\n    def test_tidy(self):\n        \
             shop.tidy('other')\n        self.assertEqual(shop.prices, [1, 2, 3])\n",
        )])
        .fix([("shop.py", &*shop("name == 'prices'"))]);
    story.together().verified().says(Check::K7, "hand nothing back");
}

/// Row 25, Python, honest twin: verified.
#[test]
fn a_test_that_expects_an_error_of_any_kind_is_not_left_to_a_person() {
    let shop = |check: &str| format!("def total(prices):\n{check}    return sum(prices)\n");
    let story = python()
        .base([("shop.py", &*shop(""))])
        .test([(
            "tests/test_shop.py",
            "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        \
             with self.assertRaises(Exception):\n            total([-1])\n",
        )])
        .fix([("shop.py", &*shop("    if min(prices, default=0) < 0:\n        raise ValueError('negative')\n"))]);
    story.together().verified().says(Check::K7, "takes any error");
}

#[test]
fn a_process_of_its_own_in_the_test_file_does_not_disturb() {
    let test = "const test = require('node:test');\nconst assert = require('node:assert');\nconst process = require('node:process');\n\
                const { total } = require('../src/shop.cjs');\n\ntest('total', () => assert.strictEqual(total([process.argv.length * 0, 6]), 6));\n";
    let shop = |from: &str| format!("exports.total = (prices) => prices{from}.reduce((a, b) => a + b, 0);\n");
    let story = javascript()
        .base([put("src/shop.cjs", shop(".slice(1, 1)"))])
        .without_test()
        .test([put("test/more.test.cjs", test)])
        .without_fix()
        .fix([put("src/shop.cjs", shop(""))]);
    story.together().verified().passed(Check::K10);
}

// Row 28, the honest twins: what is read is data.

#[test]
fn a_template_whose_text_is_tested_is_not_refused() {
    let shop =
        "import pathlib\n\n\ndef page():\n    return pathlib.Path('templates/page.html').read_text()\n";
    let story = python()
        .base([put("shop.py", shop), put("templates/page.html", "<p>Sum</p>\n"), put("tests/test_old.py", "import unittest\n")])
        .test([(
            "tests/test_shop.py",
            "import unittest\nfrom shop import page\n\n\nclass Shop(unittest.TestCase):\n    def test_page(self):\n        \
             self.assertIn('<b>Total</b>', page())\n",
        )])
        .without_fix()
        .fix([put("templates/page.html", "<p><b>Total</b></p>\n")]);
    story.together().verified().says(Check::K8, "weak evidence");
}

#[test]
fn a_test_for_a_new_parameter_is_verified_where_it_fails_with_that_parameter_without_effect() {
    let base = "def total(prices):\n    return sum(prices)\n";
    let fixed = "def total(prices, tax=1):\n    return sum(prices) * tax\n";
    let test = |check: &str| {
        format!(
            "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        {check}\n"
        )
    };
    let story = python().base([("shop.py", base)]).fix([("shop.py", fixed)]);
    let honest =
        story.clone().test([("tests/test_shop.py", &*test("self.assertEqual(total([1, 2], tax=2), 6)"))]);
    honest.together().verified().says(Check::K1, "`tax`");
    let idle =
        story.test([("tests/test_shop.py", &*test("total([1, 2], tax=2); self.assertEqual(3 * 2, 6)"))]);
    idle.together().refused_by(Check::K1, "passes when that API is there and empty");
}

#[test]
fn a_test_that_hangs_where_production_is_broken_is_not_waited_for() {
    // The test polls for a result that a broken function never brings.
    let shop = |skip: &str| format!("def total(prices):\n    return sum(prices[{skip}:])\n");
    let test = "import time\nimport unittest\nimport shop\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        \
                while True:\n            try:\n                seen = shop.total([1, 2, 3])\n                break\n            \
                except RuntimeError:\n                time.sleep(0.1)\n        self.assertEqual(seen, 6)\n";
    let story = python()
        .base([("shop.py", &*shop("1"))])
        .test([("tests/test_shop.py", test)])
        .fix([("shop.py", &*shop("0"))]);
    let judged = story.settings_timeout("300s").together().verified().passed(Check::K7);
    assert!(judged.verdict.took < 200.0, "{} s", judged.verdict.took);
}
