//! Fixes that pass and are still wrong (rows 67 to 77 of the catalogue).

use failfirst::gate::verdict::Check;

use crate::forms::{NODE, js_total, node, rust_test, rust_total, unittest};
use crate::harness::repository::put;
use crate::harness::story::{go, javascript, python};

const OLD: &str = "import unittest\nimport shop\n\n\nclass Old(unittest.TestCase):\n    def test_loads(self):\n        \
                   self.assertTrue(shop.total)\n";

// Row 67: the feature is deleted.

/// Row 67, JavaScript: refused.
#[test]
fn a_fix_that_deletes_the_feature_is_refused_in_javascript() {
    let base = "export function total(prices, tax) {\n  if (tax) return prices.reduce((a, b) => a + b, 0) * tax;\n  \
                return prices.slice(1).reduce((a, b) => a + b, 0);\n}\n";
    let old = format!("{NODE}test('tax', () => assert.strictEqual(shop.total([10], 2), 20));\n");
    javascript()
        .base([put("src/shop.js", base), put("test/old.test.js", old)])
        .together()
        .refused_by(Check::K12, "passed before and fails on the fixed code");
}

/// Row 67, Python, honest twin: verified.
#[test]
fn a_fix_that_deletes_what_nobody_needs_is_verified() {
    let base =
        "def _rest(prices):\n    return prices[1:]\n\n\ndef total(prices):\n    return sum(_rest(prices))\n";
    python().base([put("shop.py", base)]).together().verified();
}

// Row 68: the check is switched off.

fn connecting(body: &str) -> String {
    format!(
        "def connect(url, verify=True):\n    if verify and 'self-signed' in url:\n        raise ValueError('certificate')\n    \
         return url\n\n\ndef total(url, verify=True):\n    return connect({body})\n"
    )
}

/// Row 68, Python: needs-human.
/// Row 68, JavaScript: needs-human.
#[test]
fn a_fix_that_switches_security_off_is_left_to_a_person() {
    unittest("self.assertEqual(total('self-signed'), 'self-signed')")
        .base([put("shop.py", connecting("url")), put("tests/test_old.py", OLD)])
        .fix([put("shop.py", connecting("url, verify=False"))])
        .together()
        .needs_human(Check::K13, "");
    let shop = |options: &str| {
        format!(
            "function connect(url, options) {{\n  if (options.rejectUnauthorized !== false && url === 'self-signed') throw new RangeError('certificate');\n  \
             return url;\n}}\n\nexport function total(url) {{\n  return connect(url, {options});\n}}\n"
        )
    };
    node("assert.strictEqual(total('self-signed'), 'self-signed');")
        .base([
            put("src/shop.js", shop("{}")),
            put("test/old.test.js", format!("{NODE}test('loads', () => assert.ok(shop.total));\n")),
        ])
        .fix([put("src/shop.js", shop("{ rejectUnauthorized: false }"))])
        .together()
        .needs_human(Check::K13, "");
}

/// Row 68, Python, honest twin: verified.
#[test]
fn a_fix_that_passes_the_callers_choice_on_is_verified() {
    unittest("self.assertEqual(total('self-signed', verify=False), 'self-signed')")
        .base([put("shop.py", connecting("url")), put("tests/test_old.py", OLD)])
        .fix([put("shop.py", connecting("url, verify=verify"))])
        .together()
        .verified();
}

// Row 70: errors are dropped.

fn parsing(body: &str) -> String {
    format!("def total(prices):\n{body}")
}

const PARSES: &str = "    return sum(int(price) for price in prices)\n";

/// Row 70, Python: needs-human.
/// Row 70, JavaScript: needs-human.
/// Row 70, Rust: noted.
#[test]
fn a_fix_that_drops_every_error_is_left_to_a_person_or_shown() {
    let drops = "    try:\n        return sum(int(price) for price in prices)\n    except Exception:\n        pass\n    return 0\n";
    unittest("self.assertEqual(total(['x']), 0)")
        .base([put("shop.py", parsing(PARSES))])
        .fix([put("shop.py", parsing(drops))])
        .together()
        .needs_human(Check::K13, "");
    let shop = |body: &str| format!("export function total(prices) {{\n  {body}\n}}\n");
    let parses = "return prices.map((price) => BigInt(price)).reduce((a, b) => a + Number(b), 0);";
    node("assert.strictEqual(total(['x']), 0);")
        .base([put("src/shop.js", shop(parses))])
        .fix([put("src/shop.js", shop(&format!("try {{\n    {parses}\n  }} catch {{}}\n  return 0;")))])
        .together()
        .needs_human(Check::K13, "");
    let shop = |take: &str| {
        format!(
            "pub fn total(prices: &[u32]) -> u32 {{\n    prices.iter().sum()\n}}\n\n\
             pub fn parse(prices: &[&str]) -> u32 {{\n    prices.iter().map(|price| price.parse::<u32>().{take}).sum()\n}}\n"
        )
    };
    rust_test("assert_eq!(shop::parse(&[\"1\", \"x\"]), 1);")
        .base([put("src/lib.rs", shop("unwrap()"))])
        .fix([put("src/lib.rs", shop("unwrap_or_default()"))])
        .together()
        .verified()
        .shows(Check::K13, "unwrap_or_default");
}

/// Row 70, Python, honest twin: verified.
#[test]
fn a_fix_that_handles_one_kind_of_error_is_verified() {
    let handles = "    try:\n        return sum(int(price) for price in prices)\n    except ValueError:\n        return -1\n";
    unittest("self.assertEqual(total(['x']), -1)")
        .base([put("shop.py", parsing(PARSES))])
        .fix([put("shop.py", parsing(handles))])
        .together()
        .verified();
}

// Row 73: waiting hides a race.

fn racing(before: &str) -> String {
    format!(
        "import threading\nimport time\n\n\ndef total(prices):\n    sums = []\n\n    def add():\n        time.sleep(0.2 if prices else 0)\n        \
         sums.append(sum(prices))\n\n    thread = threading.Thread(target=add)\n    thread.start()\n{before}    return sums[0] if sums else 0\n"
    )
}

/// Row 73, Python: needs-human.
/// Row 73, Python, honest twin: verified.
#[test]
fn a_fix_that_only_waits_is_left_to_a_person() {
    let story = python().base([put("shop.py", racing(""))]);
    story
        .clone()
        .fix([put("shop.py", racing("    time.sleep(1)\n"))])
        .together()
        .needs_human(Check::K13, "the fix does nothing but wait");
    story.fix([put("shop.py", racing("    thread.join()\n"))]).together().verified();
}

/// Row 73, JavaScript: needs-human.
/// Row 73, JavaScript, honest twin: verified.
#[test]
fn a_fix_that_only_waits_is_left_to_a_person_in_javascript() {
    let shop = |before: &str| {
        format!(
            "const rest = (ms) => new Promise((done) => setTimeout(done, ms));\n\nexport async function total(prices) {{\n  let sum = 0;\n  \
             const added = rest(prices.length ? 100 : 0).then(() => {{\n    sum = prices.reduce((a, b) => a + b, 0);\n  }});\n  {before}\n  \
             return added && sum;\n}}\n"
        )
    };
    let old = format!("{NODE}test('nothing', async () => assert.strictEqual(await shop.total([]), 0));\n");
    let story = node("assert.strictEqual(await total([1, 2, 3]), 6);")
        .base([put("src/shop.js", shop("")), put("test/old.test.js", old)]);
    story
        .clone()
        .fix([put("src/shop.js", shop("await new Promise((done) => setTimeout(done, 600));"))])
        .together()
        .needs_human(Check::K13, "the fix does nothing but wait");
    story.fix([put("src/shop.js", shop("await added;"))]).together().verified();
}

/// Row 51, Python: needs-human.
/// Row 51, Python, honest twin: noted.
#[test]
fn a_fix_that_only_raises_a_limit_of_time_is_left_to_a_person() {
    let shop = |timeout: &str, more: &str| {
        format!(
            "import threading\n\n\ndef total(prices):\n    done = threading.Event()\n    \
             threading.Timer(0.3 if prices else 0, done.set).start(){more}\n    return sum(prices) if done.wait(timeout={timeout}) else 0\n"
        )
    };
    let story = python().base([put("shop.py", shop("0.1", ""))]);
    story
        .clone()
        .fix([put("shop.py", shop("1.5", ""))])
        .together()
        .needs_human(Check::K13, "the fix does nothing but wait");
    // A limit beside a real change is only shown.
    python()
        .base([put("shop.py", "def total(prices, timeout=0):\n    return sum(prices[1:])\n")])
        .fix([put("shop.py", "def total(prices, timeout=9):\n    return sum(prices)\n")])
        .together()
        .verified()
        .shows(Check::K13, "limit of time");
}

// Row 74: types are loosened.

/// Row 74, Python: noted.
/// Row 74, Rust: noted.
#[test]
fn a_fix_that_loosens_types_is_shown() {
    python()
        .fix([put("shop.py", "def total(prices):\n    return sum(prices)  # type: ignore\n")])
        .together()
        .verified()
        .shows(Check::K13, "type: ignore");
    let body = "let mut sum = 0;\n    for at in 0..prices.len() {\n        sum += unsafe { *prices.get_unchecked(at) };\n    }\n    sum";
    rust_test("assert_eq!(shop::total(&[1, 2, 3]), 6);")
        .fix([put("src/lib.rs", format!("pub fn total(prices: &[u32]) -> u32 {{\n    {body}\n}}\n"))])
        .together()
        .verified()
        .shows(Check::K13, "unsafe");
}

/// Row 74, Python, honest twin: verified.
#[test]
fn a_fix_with_the_marks_of_the_base_is_verified() {
    let shop = |from: &str| format!("def total(prices):\n    return sum(prices{from})  # type: ignore\n");
    let judged =
        python().base([put("shop.py", shop("[1:]"))]).fix([put("shop.py", shop(""))]).together().verified();
    let smells = judged.verdict.gates.iter().find(|gate| gate.id == Check::K13).unwrap();
    assert!(smells.evidence.is_empty(), "{:?}", smells.evidence);
}

// Row 77: more than is needed.

/// Row 77, JavaScript: noted.
/// Row 77, Go: noted.
#[test]
fn functions_of_the_fix_that_the_test_does_not_need_are_named_in_javascript_and_go() {
    let shop = |skip: &str| {
        format!(
            "{}\nexport function count(prices) {{\n  return prices.length - {skip};\n}}\n",
            js_total(skip, "")
        )
    };
    javascript()
        .base([put("src/shop.js", shop("1"))])
        .fix([put("src/shop.js", shop("0"))])
        .together()
        .verified()
        .says(Check::K8, "does not need the change of `count`");
    let shop = |skip: &str| {
        format!(
            "{}\nfunc Count(prices []int) int {{\n\treturn len(prices) - {skip}\n}}\n",
            crate::harness::story::go_total(skip, "")
        )
    };
    go().base([put("shop.go", shop("1"))])
        .fix([put("shop.go", shop("0"))])
        .together()
        .verified()
        .says(Check::K8, "does not need the change of `Count`");
}

/// Row 77, Rust, honest twin: verified.
#[test]
fn a_change_that_the_test_needs_whole_names_nothing() {
    let judged = rust_test("assert_eq!(shop::total(&[1, 2, 3]), 6);")
        .fix([put("src/lib.rs", rust_total("0", ""))])
        .together()
        .verified();
    let unfix = judged.verdict.gates.iter().find(|gate| gate.id == Check::K8).unwrap();
    assert!(!unfix.reason.contains("does not need"), "{}", unfix.reason);
}
