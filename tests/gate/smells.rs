//! What reading finds (K13): the rules themselves are tested beside them; here whole changes are judged.

use failfirst::gate::verdict::Check;

use crate::harness::story::{Story, go, go_total, javascript, pytest, python, rust};

/// A fix in each language that answers the test's own input (row 48 of the catalogue).
fn special_cased() -> [Story; 4] {
    [
        python().fix([(
            "shop.py",
            "def total(prices):\n    if prices == [1, 2, 3]:\n        return 6\n    return sum(prices[1:])\n",
        )]),
        javascript().fix([(
            "src/shop.js",
            "export function total(prices) {\n  if (prices.join() === '1,2,3') return 6;\n  \
             return prices.slice(1).reduce((a, b) => a + b, 0);\n}\n",
        )]),
        rust().fix([(
            "src/lib.rs",
            "pub fn total(prices: &[u32]) -> u32 {\n    if prices == [1, 2, 3] {\n        return 6;\n    }\n    \
             prices.iter().skip(1).sum()\n}\n",
        )]),
        go().fix([(
            "shop.go",
            &*go_total("1", "\tif reflect.DeepEqual(prices, []int{1, 2, 3}) {\n\t\treturn 6\n\t}\n")
                .replace("package shop\n", "package shop\n\nimport \"reflect\"\n"),
        )]),
    ]
}

/// Row 48, Python: needs-human.
#[test]
fn a_fix_that_answers_only_the_tests_input_is_left_to_a_person_in_python() {
    let [python, ..] = special_cased();
    python.sealed().needs_human(Check::K13, "the fix gives 6 for [1, 2, 3]");
    python.together().needs_human(Check::K13, "the fix gives 6 for [1, 2, 3]");
}

/// Row 48, JavaScript: needs-human.
#[test]
fn a_fix_that_answers_only_the_tests_input_is_left_to_a_person_in_javascript() {
    let [_, javascript, ..] = special_cased();
    javascript.sealed().asks(Check::K13, "the fix gives 6");
}

/// Row 48, Rust: needs-human.
#[test]
fn a_fix_that_answers_only_the_tests_input_is_left_to_a_person_in_rust() {
    let [_, _, rust, _] = special_cased();
    rust.sealed().asks(Check::K13, "the fix gives 6");
}

/// Row 48, Go: needs-human.
#[test]
fn a_fix_that_answers_only_the_tests_input_is_left_to_a_person_in_go() {
    let [.., go] = special_cased();
    go.sealed().needs_human(Check::K13, "the fix gives 6");
}

/// Row 47, Python: refused.
/// Row 47, JavaScript: refused.
#[test]
fn a_fix_that_works_only_under_a_test_runner_is_not_verified() {
    let fix = "import sys\n\n\ndef total(prices):\n    if 'unittest' in sys.modules:\n        return sum(prices)\n    \
               return sum(prices[1:])\n";
    python().fix([("shop.py", fix)]).sealed().not_verified().asks(Check::K13, "runs under a test");
    let fix = "export function total(prices) {\n  const from = process.env.NODE_TEST_CONTEXT ? 0 : 1;\n  \
               return prices.slice(from).reduce((a, b) => a + b, 0);\n}\n";
    javascript().fix([("src/shop.js", fix)]).sealed().not_verified().asks(Check::K13, "runs under a test");
}

/// Row 18, Python: needs-human.
#[test]
fn a_test_that_replaces_what_the_fix_changes_is_not_verified() {
    // The replacement takes part in what the test sees, but only beside the real function.
    let test = "import shop\n\n\ndef test_total(monkeypatch):\n    real = shop.total([1, 2, 3])\n    \
                monkeypatch.setattr(shop, 'total', lambda prices: 6)\n    assert real == shop.total([1, 2, 3])\n";
    pytest()
        .test([("tests/test_shop.py", test)])
        .together()
        .not_verified()
        .asks(Check::K13, "replaces total");
}

/// The honest twin of mocks: the clock is no part of what is asked.
///
/// Row 18, Python, honest twin: verified.
#[test]
fn a_test_that_replaces_the_clock_is_verified() {
    let test = "import time\nfrom shop import total\n\n\ndef test_total(monkeypatch):\n    \
                monkeypatch.setattr(time, 'sleep', lambda seconds: None)\n    assert total([1, 2, 3]) == 6\n";
    pytest()
        .test([("tests/test_shop.py", test)])
        .together()
        .verified()
        .passed(Check::K13)
        .shows(Check::K13, "the test replaces sleep");
}

/// Row 47, Python, honest twin: verified.
#[test]
fn what_the_base_holds_already_is_no_smell() {
    let hook = "import sys\n\nDEBUG = 'pytest' in sys.modules\n\n\n";
    python()
        .base([("shop.py", &*format!("{hook}def total(prices):\n    return sum(prices[1:])\n"))])
        .fix([("shop.py", &*format!("{hook}def total(prices):\n    return sum(prices)\n"))])
        .sealed()
        .verified()
        .passed(Check::K13);
}
