//! Which small changes of the fix does the test not notice? (Rows 29 and 75 of the catalogue.)

use failfirst::gate::verdict::{Check, Evidence, Outcome};

use crate::harness::judged::Judged;
use crate::harness::story::{Story, go, go_total, javascript, python, rust};

/// A total and its fee.
type Case = (u32, u32);
/// The path of a file and its text.
type File = (&'static str, String);

/// The fix: from 100 on there is no fee. The test looks at these totals and what they cost.
struct Fee {
    language: &'static str,
    story: Story,
    path: &'static str,
    /// The line with the limit.
    line: u32,
    test: fn(&[Case]) -> File,
}

fn python_fee() -> Fee {
    Fee {
        language: "python",
        story: python()
            .base([("shop.py", "def total(prices):\n    return sum(prices)\n\n\ndef fee(total):\n    return 5\n")])
            .fix([(
                "shop.py",
                "def total(prices):\n    return sum(prices)\n\n\ndef fee(total):\n    if total >= 100:\n        \
                 return 0\n    return 5\n",
            )]),
        path: "shop.py",
        line: 6,
        test: |cases| {
            let lines = cases.iter().map(|(total, fee)| format!("        self.assertEqual(fee({total}), {fee})\n"));
            let text = format!(
                "import unittest\nfrom shop import fee\n\n\nclass Shop(unittest.TestCase):\n    def test_fee(self):\n{}",
                lines.collect::<String>()
            );
            ("tests/test_shop.py", text)
        },
    }
}

fn javascript_fee() -> Fee {
    let base = "export const total = (prices) => prices.reduce((a, b) => a + b, 0);\n\n\
                export function fee(total) {\n  return 5;\n}\n";
    Fee {
        language: "javascript",
        story: javascript().base([("src/shop.js", base)]).fix([(
            "src/shop.js",
            &*base.replace("  return 5", "  if (total >= 100) {\n    return 0;\n  }\n  return 5"),
        )]),
        path: "src/shop.js",
        line: 4,
        test: |cases| {
            let lines =
                cases.iter().map(|(total, fee)| format!("  assert.strictEqual(fee({total}), {fee});\n"));
            let text = format!(
                "import test from 'node:test';\nimport assert from 'node:assert';\nimport {{ fee }} from '../src/shop.js';\n\n\
                 test('fee', () => {{\n{}}});\n",
                lines.collect::<String>()
            );
            ("test/shop.test.js", text)
        },
    }
}

fn rust_fee() -> Fee {
    let base = "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum()\n}\n\n\
                #[allow(unused_variables)]\npub fn fee(total: u32) -> u32 {\n    5\n}\n";
    Fee {
        language: "rust",
        story: rust().base([("src/lib.rs", base)]).fix([(
            "src/lib.rs",
            &*base.replace("    5\n", "    if total >= 100 {\n        return 0;\n    }\n    5\n"),
        )]),
        path: "src/lib.rs",
        line: 7,
        test: |cases| {
            let lines =
                cases.iter().map(|(total, fee)| format!("    assert_eq!(shop::fee({total}), {fee});\n"));
            ("tests/shop.rs", format!("#[test]\nfn fee() {{\n{}}}\n", lines.collect::<String>()))
        },
    }
}

fn go_fee() -> Fee {
    let base = format!("{}\nfunc Fee(total int) int {{\n\treturn 5\n}}\n", go_total("0", ""));
    let fixed = base.replace("\treturn 5", "\tif total >= 100 {\n\t\treturn 0\n\t}\n\treturn 5");
    let line = fixed.lines().position(|line| line.contains(">= 100")).unwrap() + 1;
    Fee {
        language: "go",
        story: go().base([("shop.go", &*base)]).fix([("shop.go", &*fixed)]),
        path: "shop.go",
        line: u32::try_from(line).unwrap(),
        test: |cases| {
            let lines = cases.iter().map(|(total, fee)| {
                format!("\tif got := Fee({total}); got != {fee} {{\n\t\tt.Fatal(got)\n\t}}\n")
            });
            let text = format!(
                "package shop\n\nimport \"testing\"\n\nfunc TestFee(t *testing.T) {{\n{}}}\n",
                lines.collect::<String>()
            );
            ("shop_test.go", text)
        },
    }
}

/// Line, before and after of the mutants that the test does not notice.
fn survivors(judged: &Judged) -> Vec<(String, u32, String, String)> {
    let gate = judged.verdict.gates.iter().find(|gate| gate.id == Check::K9).unwrap();
    let survivors = gate.evidence.iter().filter_map(|evidence| match evidence {
        Evidence::Mutant { path, line, before, after, .. } => {
            Some((path.to_string(), *line, before.clone(), after.clone()))
        }
        _ => None,
    });
    survivors.collect()
}

fn reason(judged: &Judged) -> String {
    judged.verdict.gates.iter().find(|gate| gate.id == Check::K9).unwrap().reason.clone()
}

/// How many of how many were noticed.
fn counts(judged: &Judged) -> (usize, usize) {
    let reason = reason(judged);
    let numbers: Vec<usize> = reason.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers.len(), 2, "{reason}: {judged:?}");
    (numbers[0], numbers[1])
}

fn all_fees() -> [Fee; 4] {
    [python_fee(), javascript_fee(), rust_fee(), go_fee()]
}

/// Row 75, Python, honest twin: verified.
/// Row 75, JavaScript, honest twin: verified.
/// Row 75, Rust, honest twin: verified.
/// Row 75, Go, honest twin: verified.
#[test]
fn a_test_that_looks_at_both_sides_of_the_limit_notices_every_mutant() {
    for Fee { language, story, test, .. } in all_fees() {
        let (path, text) = test(&[(99, 5), (100, 0)]);
        let judged = story.test([(path, &*text)]).mutants(20).together().verified().passed(Check::K9);
        assert_eq!(survivors(&judged), [], "{language}");
        let (noticed, all) = counts(&judged);
        assert!(noticed == all && all >= 7, "{language}: {}", reason(&judged));
        // Where code is built one build serves all, and one run shows that it does no harm.
        let gate = judged.verdict.gates.iter().find(|gate| gate.id == Check::K9).unwrap();
        let runs = if matches!(language, "rust" | "go") { all + 1 } else { all };
        assert_eq!(gate.runs as usize, runs, "{language}");
    }
}

/// Row 75, Python: noted.
/// Row 75, JavaScript: noted.
/// Row 75, Rust: noted.
/// Row 75, Go: noted.
#[test]
fn a_test_that_looks_far_away_from_the_limit_leaves_survivors_at_its_line_and_stays_verified() {
    for Fee { language, story, path: production, line, test } in all_fees() {
        let (path, text) = test(&[(150, 0)]);
        let judged = story.test([(path, &*text)]).mutants(20).together().verified().passed(Check::K9);
        let judged = judged.shows(Check::K9, ">= 101");
        let found = survivors(&judged);
        for (before, after) in [(">= 100", "> 100"), (">= 100", ">= 101"), (">= 100", ">= 99")] {
            let shown = |one: &(String, u32, String, String)| {
                one.0 == production && one.1 == line && one.2.contains(before) && one.3.contains(after)
            };
            assert!(found.iter().any(shown), "{language}, {after}: {found:?}");
        }
        let (noticed, all) = counts(&judged);
        assert_eq!(all - noticed, found.len(), "{language}");
        assert!(noticed >= 4, "{language}: {}", reason(&judged));
    }
}

/// Row 29, Python: noted.
#[test]
fn a_test_that_only_asserts_that_a_mock_was_called_leaves_survivors_and_stays_verified() {
    let story = python()
        .base([("shop.py", "def pay(total, send):\n    pass\n"), ("tests/test_old.py", "import unittest\n")])
        .test([(
            "tests/test_shop.py",
            "import unittest\nfrom unittest import mock\nfrom shop import pay\n\n\nclass Shop(unittest.TestCase):\n    \
             def test_pay(self):\n        send = mock.Mock()\n        pay(3, send)\n        send.assert_called_once()\n",
        )])
        .fix([("shop.py", "def pay(total, send):\n    send('paid', total * 2)\n")]);
    let judged = story.mutants(20).together().verified().shows(Check::K9, "total / 2");
    let after: Vec<_> = survivors(&judged).into_iter().map(|(.., after)| after).collect();
    assert!(after.iter().any(|text| text.contains("total / 2")), "{after:?}");
    assert!(after.iter().any(|text| text.contains("\"\"")), "{after:?}");
    // That nothing is sent at all, it does notice.
    assert!(!after.contains(&String::new()), "{after:?}");
}

/// The honest twin: the test says what the mock must be called with.
///
/// Row 29, Python, honest twin: verified.
#[test]
fn a_test_that_says_what_a_mock_is_called_with_notices_every_mutant() {
    let story = python()
        .base([("shop.py", "def pay(total, send):\n    pass\n"), ("tests/test_old.py", "import unittest\n")])
        .test([(
            "tests/test_shop.py",
            "import unittest\nfrom unittest import mock\nfrom shop import pay\n\n\nclass Shop(unittest.TestCase):\n    \
             def test_pay(self):\n        send = mock.Mock()\n        pay(3, send)\n        \
             send.assert_called_once_with('paid', 6)\n",
        )])
        .fix([("shop.py", "def pay(total, send):\n    send('paid', total * 2)\n")]);
    let judged = story.mutants(20).together().verified().passed(Check::K9);
    assert_eq!(survivors(&judged), []);
}

#[test]
fn a_mutant_that_does_not_compile_is_not_counted_and_spoils_no_other() {
    let stories = [
        rust()
            .base([(
                "src/lib.rs",
                "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum()\n}\n\n\
                 pub fn name(first: String, n: u32) -> String {\n    first\n}\n",
            )])
            .test([(
                "tests/shop.rs",
                "#[test]\nfn name() {\n    assert_eq!(shop::name(\"a\".into(), 1), \"a2\");\n}\n",
            )])
            .fix([(
                "src/lib.rs",
                "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum()\n}\n\n\
                 pub fn name(first: String, n: u32) -> String {\n    let n = n + 1;\n    first + &n.to_string()\n}\n",
            )]),
        go()
            .base([("shop.go", &*format!("{}\nfunc Name(first string, last string) string {{\n\treturn first\n}}\n", go_total("0", "")))])
            .test([(
                "shop_test.go",
                "package shop\n\nimport \"testing\"\n\nfunc TestName(t *testing.T) {\n\tif got := Name(\"a\", \"b\"); got != \"ab\" {\n\t\t\
                 t.Fatal(got)\n\t}\n}\n",
            )])
            .fix([("shop.go", &*format!("{}\nfunc Name(first string, last string) string {{\n\treturn first + last\n}}\n", go_total("0", "")))]),
    ];
    for story in stories {
        let judged = story
            .mutants(20)
            .together()
            .verified()
            .passed(Check::K9)
            .shows(Check::K9, "1 further mutants could not be built");
        let (noticed, all) = counts(&judged);
        assert!(noticed == all && all >= 2, "{}", reason(&judged));
    }
}

#[test]
fn values_outside_functions_are_altered_too() {
    let lib = |limit: &str| {
        format!(
            "pub const LIMIT: u32 = {limit};\n\npub fn total(prices: &[u32]) -> u32 {{\n    prices.iter().sum::<u32>().min(LIMIT)\n}}\n"
        )
    };
    let rust = rust()
        .base([("src/lib.rs", &*lib("5"))])
        .test([("tests/shop.rs", "#[test]\nfn total() {\n    assert_eq!(shop::total(&[10]), 7);\n}\n")])
        .fix([("src/lib.rs", &*lib("7"))]);
    let python_file =
        |rate: &str| format!("RATE = {rate}\n\n\ndef total(prices):\n    return RATE * sum(prices)\n");
    let python = python().base([("shop.py", &*python_file("2"))]).fix([("shop.py", &*python_file("1"))]);
    for story in [rust, python] {
        let judged = story.mutants(20).together().verified().passed(Check::K9);
        assert_eq!(counts(&judged), (2, 2));
    }
}

#[test]
fn a_mutant_that_never_ends_is_noticed() {
    let story = python().fix([(
        "shop.py",
        "def total(prices):\n    sum, at = 0, 0\n    while at < len(prices):\n        sum += prices[at]\n        at += 1\n    return sum\n",
    )]);
    let judged =
        story.mutants(20).together().verified().shows(Check::K9, "made the test run into its time limit");
    let (noticed, all) = counts(&judged);
    assert!(noticed > 3 && all >= noticed, "{}", reason(&judged));
}

#[test]
fn how_many_are_tried_is_a_setting() {
    let Fee { story, test, .. } = python_fee();
    let (path, text) = test(&[(99, 5), (100, 0)]);
    let story = story.test([(path, &*text)]);
    let few = story.clone().mutants(2).together().verified();
    assert_eq!(counts(&few), (2, 2));
    few.shows(Check::K9, "further mutants were not tried");
    let none = story.mutants(0).together().verified();
    let gate = none.verdict.gates.iter().find(|gate| gate.id == Check::K9).unwrap();
    assert_eq!((gate.outcome, gate.runs), (Outcome::Skipped, 0));
    assert!(gate.reason.contains("`mutants = 0` under [gates]"), "{}", gate.reason);
}
