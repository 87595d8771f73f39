//! Copies of production code in the test (K14; rows 17, 23, 26 and 72 of the catalogue).

use failfirst::gate::verdict::Check;

use crate::harness::story::{Story, javascript, python, rust};

/// Production with logic worth a copy; `bug` stands where the bug is.
fn branches(bug: &str) -> String {
    format!(
        "class Taken(Exception):\n    pass\n\n\ndef create_branch(name, registry, log):\n    wanted = name.strip().lower()\n    \
         for known in registry.names():\n        if known.lower() == wanted:\n            log.append('taken: ' + known)\n            \
         raise Taken(known)\n    branch = {{'name': wanted, 'open': True}}\n    {bug}\n    log.append('made: ' + wanted)\n    \
         return branch\n\n\nclass Registry:\n    def __init__(self):\n        self.all = []\n\n    def names(self):\n        \
         return [one['name'] for one in self.all]\n\n    def add(self, branch):\n        self.all.append(branch)\n"
    )
}

/// The copy of the founding case: a helper of the test that does what the fixed function does.
const COPY: &str = "def create_branch_with_lock(name, registry, log):\n    with LOCK:\n        wanted = name.strip().lower()\n        \
                    for known in registry.names():\n            if known.lower() == wanted:\n                log.append('taken: ' + known)\n                \
                    raise Taken(known)\n        branch = {'name': wanted, 'open': True}\n        registry.add(branch)\n        \
                    log.append('made: ' + wanted)\n        return branch\n";

fn story(test: &str) -> Story {
    let head = "import threading\nimport unittest\nfrom shop import Registry, Taken, create_branch\n\nLOCK = threading.Lock()\n\n\n";
    let class =
        "\n\nclass Branches(unittest.TestCase):\n    def test_twice(self):\n        registry = Registry()\n";
    python()
        .base([
            ("shop.py", &*branches("pass")),
            ("tests/test_old.py", "import unittest\nimport shop\n\n\nclass Old(unittest.TestCase):\n    def test_empty(self):\n        self.assertEqual(shop.Registry().names(), [])\n"),
        ])
        .test([("tests/test_shop.py", &*format!("{head}{COPY}{class}{test}"))])
        .fix([("shop.py", &*branches("registry.add(branch)"))])
}

// Row 17.
/// Row 17, Python: refused.
#[test]
fn a_test_with_its_own_copy_is_refused_and_the_copy_is_shown() {
    let test = "        create_branch_with_lock('a', registry, [])\n        \
                self.assertRaises(Taken, create_branch_with_lock, 'A', registry, [])\n";
    story(test)
        .sealed()
        .refused_by(Check::K1, "not reproduced")
        .shows(Check::K14, "def create_branch_with_lock(")
        .shows(Check::K14, "def create_branch(");
}

/// The honest twin: the copy is an oracle, and production is compared with it.
///
/// Row 17, Python, honest twin: verified.
#[test]
fn a_reference_oracle_is_verified_and_shown() {
    let test = "        other = Registry()\n        create_branch_with_lock('a', other, [])\n        \
                create_branch('a', registry, [])\n        self.assertEqual(registry.names(), other.names())\n";
    story(test).sealed().verified().passed(Check::K14).shows(Check::K14, "def create_branch(");
}

#[test]
fn an_ordinary_test_shows_no_copy() {
    for story in [python(), javascript(), rust()] {
        let judged = story.sealed().verified().passed(Check::K14);
        let gate = judged.verdict.gates.iter().find(|gate| gate.id == Check::K14).unwrap();
        assert!(gate.evidence.is_empty(), "{:?}", gate.evidence);
    }
}

// Row 72.
/// Row 72, Python: noted.
/// Row 72, Python, honest twin: verified.
#[test]
fn another_place_with_the_same_bug_is_shown() {
    let function = |name: &str, from: &str| {
        format!(
            "def {name}(prices, rates):\n    return sum(round(price * rates.find(price), 2) for price in prices{from})\n"
        )
    };
    let rates = "\n\nclass Rates:\n    def find(self, price):\n        return 1\n";
    let file = |total: &str| format!("{}\n\n{}{rates}", function("total", total), function("gross", "[1:]"));
    let test = "import unittest\nfrom shop import Rates, total\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        \
                self.assertEqual(total([1, 2, 3], Rates()), 6)\n";
    let story = python()
        .base([("shop.py", &*file("[1:]")), ("tests/test_old.py", "")])
        .test([("tests/test_shop.py", test)]);
    let half = story.clone().fix([("shop.py", &*file(""))]);
    half.sealed().verified().shows(Check::K14, "gross still holds a statement that the fix takes away");
    let whole = file("").replace("[1:]", "");
    let judged = story.fix([("shop.py", &*whole)]).sealed().verified();
    let gate = judged.verdict.gates.iter().find(|gate| gate.id == Check::K14).unwrap();
    assert!(gate.evidence.is_empty(), "{:?}", gate.evidence);
}
