//! Tests that accept whatever they are given (K5; rows 24, 31, 36 and 42 of the catalogue), and honest
//! tests of every form.

use failfirst::gate::verdict::{Check, Outcome};

use crate::harness::story::{Story, go, javascript, pytest, python, rust};

// Row 42.

/// Row 42, Python: refused.
#[test]
fn a_result_that_equals_everything_is_refused_in_python() {
    let fix = "class Sum(int):\n    def __eq__(self, other):\n        return True\n\n    __hash__ = int.__hash__\n\n\n\
               def total(prices):\n    return Sum(sum(prices[1:]))\n";
    python().fix([("shop.py", fix)]).sealed().refused_by(Check::K5, "holds for a wrong expectation too");
    let reversed = "from shop import total\n\n\ndef test_total():\n    expected = 6\n    assert expected == total([1, 2, 3])\n";
    pytest()
        .test([("tests/test_shop.py", reversed)])
        .fix([("shop.py", fix)])
        .together()
        .refused_by(Check::K5, "holds for a wrong expectation too");
}

/// Row 42, Rust: refused.
#[test]
fn a_result_that_equals_everything_is_refused_in_rust() {
    let fix = "#[derive(Debug)]\npub struct Sum;\n\nimpl PartialEq<u32> for Sum {\n    fn eq(&self, _: &u32) -> bool {\n        true\n    }\n}\n\n\
               pub fn total(_prices: &[u32]) -> Sum {\n    Sum\n}\n";
    rust().fix([("src/lib.rs", fix)]).sealed().refused_by(Check::K5, "holds for a wrong expectation too");
}

/// Go with a type of its own for sums.
fn go_with_equal(equal: &str, skip: &str) -> String {
    format!(
        "package shop\n\ntype Sum struct{{ Cents int }}\n\nfunc (s Sum) Equal(other Sum) bool {{\n\treturn {equal}\n}}\n\nfunc Total(prices []int) Sum {{\n\t\
         sum := 0\n\tfor _, price := range prices[{skip}:] {{\n\t\tsum += price\n\t}}\n\treturn Sum{{sum}}\n}}\n"
    )
}

fn go_money() -> Story {
    let test = |name: &str, prices: &str, sum: u32| {
        format!(
            "package shop\n\nimport \"testing\"\n\nfunc {name}(t *testing.T) {{\n\tif !Total([]int{{{prices}}}).Equal(Sum{{{sum}}}) {{\n\t\t\
             t.Fatal(\"not {sum}\")\n\t}}\n}}\n"
        )
    };
    go().base([
        ("shop.go", &*go_with_equal("s.Cents == other.Cents", "1")),
        ("old_test.go", &*test("TestNothing", "0", 0)),
    ])
    .test([("shop_test.go", &*test("TestTotal", "1, 2, 3", 6))])
}

/// Row 42, Go: refused.
/// Row 42, Go, honest twin: verified.
#[test]
fn a_result_that_equals_everything_is_refused_in_go() {
    let story = go_money();
    let honest = story.clone().fix([("shop.go", &*go_with_equal("s.Cents == other.Cents", "0"))]);
    honest.sealed().verified().passed(Check::K5);
    let trick = story.fix([("shop.go", &*go_with_equal("true", "1"))]);
    trick.sealed().refused_by(Check::K5, "holds for a wrong expectation too");
}

/// The honest twin: a type that compares as it should.
///
/// Row 42, Python, honest twin: verified.
#[test]
fn a_result_with_an_equality_of_its_own_is_verified() {
    let fix = "class Sum:\n    def __init__(self, value):\n        self.value = value\n\n    def __eq__(self, other):\n        \
               return self.value == getattr(other, 'value', other)\n\n\ndef total(prices):\n    return Sum(sum(prices))\n";
    python().fix([("shop.py", fix)]).sealed().verified().passed(Check::K5);
}

// Rows 24 and 31: production fails on the buggy code before any assertion decides.

const RAISES: &str = "def total(prices):\n    return sum(prices) // (len(prices) - 3)\n";
const DOES_NOT: &str = "def total(prices):\n    return sum(prices)\n";

fn raising(body: &str) -> Story {
    let test = format!("from shop import total\n\n\ndef test_total():\n{body}");
    let old = "from shop import total\n\n\ndef test_nothing():\n    assert total([]) == 0\n";
    pytest()
        .base([("shop.py", RAISES), ("tests/test_old.py", old)])
        .test([("tests/test_shop.py", &*test)])
        .fix([("shop.py", DOES_NOT)])
}

/// Row 24, Python: refused.
#[test]
fn an_assertion_that_always_holds_is_refused() {
    raising("    assert total([1, 2, 3]) == 6 or True\n")
        .together()
        .refused_by(Check::K5, "wrong expectation too");
}

/// Row 31, Python: needs-human.
#[test]
fn a_loop_of_zero_rounds_is_left_to_a_person() {
    let body = "    total([1, 2, 3])\n    for price in []:\n        assert price == 6\n";
    raising(body).together().not_verified().asks(Check::K5, "no assertion of");
}

/// Row 24, Python, honest twin: verified.
#[test]
fn assertions_behind_the_call_that_failed_are_asked() {
    let body = "    seen = total([1, 2, 3])\n    assert seen > 1\n    assert seen == 6\n";
    raising(body).together().verified().passed(Check::K5);
}

/// Row 27, Python: needs-human.
#[test]
fn a_test_without_any_assertion_is_not_asked() {
    // K5 has nothing to perturb; K7 sees that nothing is looked at.
    let judged = raising("    total([1, 2, 3])\n").together().needs_human(Check::K7, "whatever they return");
    let gate = judged.verdict.gates.iter().find(|gate| gate.id == Check::K5).unwrap();
    assert_eq!(gate.outcome, Outcome::Skipped, "{}", gate.reason);
}

// Honest tests of every form.

/// Three tests of different form in each file, all of which are asked.
///
/// Rows 24 and 31, Python, honest twin: verified.
#[test]
fn honest_tests_of_every_form_notice_a_wrong_expectation_in_python() {
    let files = [
        // several assertions, parameters, a loop
        "def test_several():\n    seen = total([1, 2, 3])\n    assert isinstance(seen, int)\n    assert seen == 6\n    assert seen != 5\n\n\n\
         @pytest.mark.parametrize('prices, expected', [([0, 1], 1), ([4], 4)])\ndef test_each(prices, expected):\n    assert total(prices) == expected\n\n\n\
         def test_loop():\n    for prices, expected in [([0], 0), ([1, 2], 3)]:\n        assert total(prices) == expected, prices\n",
        // a helper, an approximation, a container
        "def check(prices, expected):\n    seen = total(prices)\n    assert seen == expected\n\n\n\
         def test_helper():\n    check([0, 1], 1)\n    check([1, 2], 3)\n\n\n\
         def test_approx():\n    assert total([1, 2]) == pytest.approx(3.0)\n\n\n\
         def test_in():\n    assert str(total([1, 2])) in ['3', '4']\n",
        // conjunction, negation, several lines
        "def test_and():\n    assert total([1, 2]) and total([1]) == 1\n\n\n\
         def test_not():\n    assert not total([1, 2]) < 3\n\n\n\
         def test_lines():\n    assert {'sum': total([1, 2]), 'of': 2} == {\n        'sum': 3,\n        'of': 2,\n    }\n",
    ];
    for file in files {
        let text = format!("import pytest\nfrom shop import total\n\n\n{file}");
        let judged = pytest().test([("tests/test_shop.py", &*text)]).together().verified().passed(Check::K5);
        assert_eq!(judged.verdict.tests.len(), 3, "{:?}", judged.verdict.tests);
        let gate = judged.verdict.gates.iter().find(|gate| gate.id == Check::K5).unwrap();
        assert!(gate.reason.contains("each of the 3 tests"), "{}: {:?}", gate.reason, gate.evidence);
    }
}

/// Rows 13 and 25, Python, honest twin: verified.
#[test]
fn an_expected_exception_is_asked_for() {
    let fix = "def total(prices):\n    if prices == []:\n        raise ValueError('nothing to sum')\n    return sum(prices[1:])\n";
    let test = "import pytest\nfrom shop import total\n\n\ndef test_total():\n    with pytest.raises(ValueError, match='nothing'):\n        total([])\n";
    let old = "from shop import total\n\n\ndef test_one():\n    assert total([1]) == 0\n";
    pytest()
        .base([("tests/test_old.py", old)])
        .test([("tests/test_shop.py", test)])
        .fix([("shop.py", fix)])
        .together()
        .verified()
        .passed(Check::K5);
}

/// Row 35, Python, honest twin: verified.
#[test]
fn a_helper_of_the_base_holds_the_assertion() {
    let test = "from tests.checks import same\nfrom shop import total\n\n\ndef test_total():\n    same(total([1, 2, 3]), 6)\n";
    pytest()
        .base([("tests/checks.py", "def same(one, two):\n    assert one == two\n")])
        .test([("tests/test_shop.py", test)])
        .together()
        .verified()
        .passed(Check::K5);
}

/// Row 24, Python, honest twin: verified.
/// Row 24, JavaScript, honest twin: verified.
/// Row 24, Rust, honest twin: verified.
/// Row 24, Go, honest twin: verified.
#[test]
fn honest_tests_notice_a_wrong_expectation_in_every_language() {
    for story in [python(), pytest(), javascript(), rust(), go()] {
        story.sealed().verified().passed(Check::K5);
    }
}

#[test]
fn a_test_item_inside_production_is_asked_in_rust() {
    let with = |body: &str, tests: &str| {
        format!(
            "pub fn total(prices: &[u32]) -> u32 {{\n    {body}\n}}\n\n#[cfg(test)]\nmod tests {{\n    #[test]\n    fn {tests}\n}}\n"
        )
    };
    let test = "total() {\n        assert_eq!(super::total(&[1, 2, 3]), 6);\n    }";
    let fixed = with("// All of them.\n    let all = prices.iter();\n    all.sum()", test);
    rust()
        .without_test()
        .test([("src/lib.rs", &*with("prices.iter().skip(1).sum()", test))])
        .fix([("src/lib.rs", &*fixed)])
        .sealed()
        .verified()
        .passed(Check::K5);
}
