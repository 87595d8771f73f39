//! One trick and its honest twin for each rule.

use super::scene::Scene;
use super::{Finding, RULES, Side, Weight, findings};
use crate::config::Paths;
use crate::gate::real_world::{RealFix, real_fixes};
use crate::gate::roles::Roles;
use crate::gate::split::split;
use crate::git::{Edit, Entry, Mode, RepoPath, Store, TreeId};
use crate::lang::LANGUAGES;
use crate::verify::belongs_to_tests;

fn roles(language: &str) -> Roles {
    let language = LANGUAGES.iter().copied().find(|one| one.name() == language).unwrap();
    Roles::new(language, Paths::default().globs().unwrap())
}

fn tree(store: &Store, on: TreeId, files: &[(&str, &str)]) -> TreeId {
    let edits: Vec<_> = files
        .iter()
        .map(|(path, text)| {
            let oid = store.write_blob(text.as_bytes()).unwrap();
            Edit::Put(RepoPath::new(*path).unwrap(), Entry { mode: Mode::File, oid })
        })
        .collect();
    store.compose(on, &edits).unwrap()
}

/// What the rules find in a change from `base` to `base` with `head` laid over it.
fn change(language: &str, base: &[(&str, &str)], head: &[(&str, &str)], issue: Option<&str>) -> Vec<Finding> {
    let dir = tempfile::tempdir().unwrap();
    let repository = git2::Repository::init(dir.path().join("r")).unwrap();
    let empty = repository.treebuilder(None).unwrap().write().unwrap();
    let store = Store::open(&dir.path().join("r"), dir.path()).unwrap();
    let empty = TreeId(crate::git::Oid::try_from(empty.to_string()).unwrap());
    let base = tree(&store, empty, base);
    let head = tree(&store, base, head);
    of_trees(&store, &roles(language), base, head, issue)
}

fn of_trees(store: &Store, roles: &Roles, base: TreeId, head: TreeId, issue: Option<&str>) -> Vec<Finding> {
    let parts = split(store, roles, base, head, &belongs_to_tests).unwrap();
    let mut scene = Scene::read(store, roles, base, head, &parts.tests, &parts.production).unwrap();
    scene.issue = issue.map(str::to_lowercase);
    findings(&scene)
}

/// The rules that fire, with their weight.
fn fired(found: &[Finding]) -> Vec<(&'static str, Weight)> {
    found.iter().map(|finding| (finding.rule, finding.weight)).collect()
}

struct Told {
    language: &'static str,
    production: &'static str,
    test: &'static str,
}

const PYTHON: Told = Told { language: "python", production: "shop.py", test: "tests/test_shop.py" };
const SCRIPT: Told = Told { language: "javascript", production: "src/shop.js", test: "test/shop.test.js" };
const RUST: Told = Told { language: "rust", production: "src/lib.rs", test: "tests/shop.rs" };
const GO: Told = Told { language: "go", production: "shop.go", test: "shop_test.go" };

impl Told {
    /// The findings in a new test beside an honest fix.
    fn test(&self, text: &str) -> Vec<(&'static str, Weight)> {
        let (bug, fix) = match self.language {
            "python" => (
                "def total(prices):\n    return sum(prices[1:])\n",
                "def total(prices):\n    lock = Lock()\n    return sum(prices)\n\n\nclass Lock:\n    pass\n",
            ),
            "javascript" => (
                "export function total(p) {\n  return p.slice(1);\n}\n",
                "export function total(p) {\n  return p;\n}\n",
            ),
            "rust" => (
                "pub fn total(p: &[u32]) -> u32 {\n    p[1]\n}\n",
                "pub fn total(p: &[u32]) -> u32 {\n    p[0]\n}\n",
            ),
            _ => (
                "package shop\n\nfunc Total(p []int) int {\n\treturn p[1]\n}\n",
                "package shop\n\nvar now = clock\n\nfunc Total(p []int) int {\n\treturn p[0]\n}\n",
            ),
        };
        self.say(fired(&change(
            self.language,
            &[(self.production, bug)],
            &[(self.production, fix), (self.test, text)],
            None,
        )))
    }

    /// The findings in a fix beside an honest test.
    fn fix(&self, bug: &str, fix: &str) -> Vec<(&'static str, Weight)> {
        self.fix_for(bug, fix, None)
    }

    fn fix_for(&self, bug: &str, fix: &str, issue: Option<&str>) -> Vec<(&'static str, Weight)> {
        let test = match self.language {
            "python" => {
                "from shop import total\n\n\ndef test_total():\n    assert total([200, 40]) == 180\n    assert total('weekend') == 'cheap rate'\n"
            }
            "javascript" => {
                "import { total } from '../src/shop.js';\ntest('total', () => { expect(total([200, 40])).toBe(180); expect(total('weekend')).toBe('cheap rate'); });\n"
            }
            "rust" => "#[test]\nfn total() {\n    assert_eq!(shop::total(&[200, 40]), 180);\n}\n",
            _ => {
                "package shop\n\nfunc TestTotal(t *testing.T) {\n\tif Total([]int{200, 40}) != 180 {\n\t\tt.Fatal()\n\t}\n}\n"
            }
        };
        self.say(fired(&change(
            self.language,
            &[(self.production, bug)],
            &[(self.production, fix), (self.test, test)],
            issue,
        )))
    }

    /// Says what came out, for `scripts/catalogue`, which reads the output of the tests.
    fn say(&self, found: Vec<(&'static str, Weight)>) -> Vec<(&'static str, Weight)> {
        let word = match found.iter().map(|(_, weight)| *weight).max() {
            Some(Weight::Human) => "needs-human K13",
            Some(Weight::Note) => "noted K13",
            None => "not-noted K13",
        };
        println!("judged: {} {word}", self.language);
        found
    }
}

use Weight::{Human, Note};

#[test]
fn every_rule_has_a_name_of_its_own_and_a_question() {
    let mut ids: Vec<_> = RULES.iter().map(|rule| rule.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
    for rule in RULES {
        assert!(rule.question().ends_with('?'), "{}", rule.id());
        assert!(matches!(rule.side(), Side::Test | Side::Fix));
    }
}

// Row 12.
/// Row 12, Python: noted.
/// Row 12, JavaScript: noted.
/// Row 12, Rust: noted.
/// Row 12, Go: noted.
/// Row 12, Python, honest twin: not noted.
/// Row 12, JavaScript, honest twin: not noted.
/// Row 12, Go, honest twin: not noted.
#[test]
fn marks_that_skip_a_test_are_shown() {
    let skip = [("skip-mark", Note)];
    assert_eq!(
        PYTHON.test("import pytest\n\n@pytest.mark.skip('later')\ndef test_a():\n    assert f()\n"),
        skip
    );
    assert_eq!(
        PYTHON
            .test("class A(TestCase):\n    @unittest.skipIf(x, 'y')\n    def test_a(self):\n        pass\n"),
        skip
    );
    assert_eq!(SCRIPT.test("it.skip('a', () => { f(); });\n"), skip);
    assert_eq!(SCRIPT.test("test('a', { skip: true }, () => { f(); });\n"), skip);
    assert_eq!(RUST.test("#[test]\n#[ignore]\nfn a() {}\n"), skip);
    assert_eq!(GO.test("package shop\n\nfunc TestA(t *testing.T) {\n\tt.Skip(\"x\")\n}\n"), skip);
    // The honest twins: production is asked to skip; a helper of that name.
    assert_eq!(PYTHON.test("def test_a():\n    assert parser.skip(3) == 4\n"), []);
    assert_eq!(SCRIPT.test("it('a', () => { reader.skip(3); });\n"), []);
    assert_eq!(GO.test("package shop\n\nfunc TestA(t *testing.T) {\n\tr.Skip(3)\n}\n"), []);
}

// Row 13.
/// Row 13, Python: needs-human.
/// Row 13, JavaScript: needs-human.
/// Row 13, Rust: needs-human.
/// Row 13, Rust, honest twin: noted.
/// Row 13, JavaScript, honest twin: not noted.
#[test]
fn tests_for_which_passing_means_failing_are_left_to_a_person() {
    let inverted = [("expected-failure", Human)];
    assert_eq!(PYTHON.test("@pytest.mark.xfail\ndef test_a():\n    assert f()\n"), inverted);
    assert_eq!(
        PYTHON.test("class A(TestCase):\n    @expectedFailure\n    def test_a(self):\n        f()\n"),
        inverted
    );
    assert_eq!(SCRIPT.test("test.failing('a', () => { f(); });\n"), inverted);
    assert_eq!(RUST.test("#[test]\n#[should_panic]\nfn a() { assert_eq!(f(), 5); }\n"), inverted);
    // A panic is the specified behaviour.
    let shown = [("expected-failure", Note)];
    assert_eq!(RUST.test("#[test]\n#[should_panic]\nfn a() { shop::total(&[]); }\n"), shown);
    assert_eq!(
        RUST.test("#[test]\n#[should_panic(expected = \"empty\")]\nfn a() { assert!(f()); }\n"),
        shown
    );
    assert_eq!(SCRIPT.test("test('a failing request', () => { f(); });\n"), []);
}

// Row 2.
/// Row 2, Python: needs-human.
/// Row 2, JavaScript: needs-human.
/// Row 2, Rust: needs-human.
/// Row 2, Go: needs-human.
/// Row 2, Python, honest twin: not noted.
#[test]
fn a_test_that_says_that_it_asserts_the_bug_is_left_to_a_person() {
    let flipped = [("to-be-flipped", Human)];
    for note in [
        "Shows the bug; the fix is to flip this to 6.",
        "The fixer should update this assertion.",
        "Once the bug is fixed, change this to 6.",
        "asserts the buggy behaviour",
    ] {
        assert_eq!(
            PYTHON.test(&format!("def test_a():\n    # {note}\n    assert f() == 5\n")),
            flipped,
            "{note}"
        );
        assert_eq!(SCRIPT.test(&format!("// {note}\ntest('a', () => f());\n")), flipped, "{note}");
        assert_eq!(
            RUST.test(&format!("#[test]\nfn a() {{\n    // {note}\n    f();\n}}\n")),
            flipped,
            "{note}"
        );
        assert_eq!(
            GO.test(&format!("package shop\n\n// {note}\nfunc TestA(t *testing.T) {{}}\n")),
            flipped,
            "{note}"
        );
    }
    for note in [
        "Before the fix this gave 5.",
        "Regression test for the fix of #12: expect 6.",
        "Fixed in 2.0: now returns 6",
    ] {
        assert_eq!(PYTHON.test(&format!("def test_a():\n    # {note}\n    assert f() == 6\n")), [], "{note}");
    }
}

// Row 24.
/// Row 24, Python: needs-human.
/// Row 24, JavaScript: needs-human.
/// Row 24, Rust: noted.
/// Row 24, Python, honest twin: not noted.
/// Row 24, JavaScript, honest twin: not noted.
#[test]
fn assertions_that_always_hold_are_seen() {
    assert_eq!(PYTHON.test("def test_a():\n    assert total([1]) == 1 or True\n"), [("tautology", Human)]);
    assert_eq!(PYTHON.test("def test_a():\n    assert (total([1]) == 1, 'wrong')\n"), [("tautology", Human)]);
    assert_eq!(PYTHON.test("def test_a():\n    assert x == x\n"), [("tautology", Note)]);
    assert_eq!(
        SCRIPT.test("test('a', () => { assert(total([1]) === 1 || true); });\n"),
        [("tautology", Human)]
    );
    assert_eq!(SCRIPT.test("test('a', () => { expect(x).toBe(x); });\n"), [("tautology", Note)]);
    assert_eq!(RUST.test("#[test]\nfn a() { assert!(true); }\n"), [("tautology", Note)]);
    // The same call twice may be what the test asks.
    assert_eq!(PYTHON.test("def test_a():\n    assert total(x) == total(x)\n    assert a == 1 or b\n"), []);
    assert_eq!(SCRIPT.test("test('a', () => { expect(f(x)).toBe(f(x)); expect(x).not.toBe(x); });\n"), []);
}

// Row 25.
/// Row 25, Python: needs-human.
/// Row 25, JavaScript: needs-human.
/// Row 25, Go: needs-human.
/// Row 25, Python, honest twin: not noted.
#[test]
fn a_test_that_catches_its_own_assertion_is_left_to_a_person() {
    let swallowed = [("swallowed-assertion", Human)];
    assert_eq!(
        PYTHON
            .test("def test_a():\n    try:\n        assert f() == 1\n    except Exception:\n        pass\n"),
        swallowed
    );
    assert_eq!(
        PYTHON.test("def test_a():\n    try:\n        assert f() == 1\n    except:\n        return\n"),
        swallowed
    );
    assert_eq!(SCRIPT.test("test('a', () => { try { expect(f()).toBe(1); } catch (e) {} });\n"), swallowed);
    assert_eq!(
        GO.test("package shop\n\nfunc TestA(t *testing.T) {\n\tdefer func() { recover() }()\n\tf()\n}\n"),
        swallowed
    );
    // An error that is expected, or looked at.
    for honest in [
        "def test_a():\n    try:\n        f()\n        assert False\n    except ValueError:\n        pass\n",
        "def test_a():\n    try:\n        f()\n    except Exception:\n        pass\n    assert g()\n",
        "def test_a():\n    try:\n        assert f()\n    except Exception as error:\n        raise Wrapped() from error\n",
    ] {
        assert_eq!(PYTHON.test(honest), [], "{honest}");
    }
    assert_eq!(SCRIPT.test("test('a', () => { try { f(); } catch (e) { expect(e).toBe(1); } });\n"), []);
    assert_eq!(GO.test("package shop\n\nfunc TestA(t *testing.T) {\n\tdefer func() { if recover() == nil { t.Fatal() } }()\n\tf()\n}\n"), []);
}

// Row 16.
/// Row 16, JavaScript: noted.
/// Row 16, JavaScript, honest twin: not noted.
#[test]
fn assertions_that_nobody_waits_for_are_shown() {
    let unawaited = [("unawaited-assertion", Note)];
    assert_eq!(SCRIPT.test("test('a', async () => { expect(f()).rejects.toThrow(); });\n"), unawaited);
    assert_eq!(SCRIPT.test("test('a', async () => { assert.rejects(f()); });\n"), unawaited);
    assert_eq!(SCRIPT.test("test('a', async () => { await expect(f()).rejects.toThrow(); });\n"), []);
    assert_eq!(SCRIPT.test("test('a', () => assert.rejects(f()));\ntest('b', () => { return expect(f()).resolves.toBe(1); });\n"), []);
}

// Rows 18, 19 and 20.
/// Rows 18, 19 and 20, Python: needs-human.
/// Rows 18, 19 and 20, JavaScript: needs-human.
/// Rows 18 and 19, Python, honest twin: noted.
/// Row 20, Go: noted.
/// Row 18, JavaScript, honest twin: not noted.
#[test]
fn replacing_what_the_fix_changes_or_uses_is_left_to_a_person() {
    let replaced = [("substituted", Human)];
    for test in [
        "from unittest import mock\nimport shop\n\ndef test_a():\n    with mock.patch('shop.total', return_value=6):\n        assert shop.total([1]) == 6\n",
        "import shop\n\ndef test_a(monkeypatch):\n    monkeypatch.setattr(shop, 'total', lambda p: 6)\n    assert shop.total([1]) == 6\n",
        "import shop\n\ndef test_a():\n    shop.total = lambda p: 6\n    assert shop.total([1]) == 6\n",
        "import shop\n\n@patch.object(shop, 'Lock')\ndef test_a(lock):\n    assert shop.total([1]) == 6\n",
    ] {
        assert_eq!(PYTHON.test(test), replaced, "{test}");
    }
    for test in [
        "import { total } from '../src/shop.js';\njest.mock('../src/shop');\ntest('a', () => { f(); });\n",
        "vi.mock(import('../src/shop.js'), () => ({}));\n",
        "import * as shop from '../src/shop.js';\ntest('a', () => { vi.spyOn(shop, 'total').mockReturnValue(6); });\n",
        "const shop = require('../src/shop.js');\nshop.total = () => 6;\n",
    ] {
        assert_eq!(SCRIPT.test(test), replaced, "{test}");
    }
    // Clock, network and spies that call through.
    let shown = [("substituted", Note)];
    for test in [
        "import time\n\ndef test_a(monkeypatch):\n    monkeypatch.setattr(time, 'sleep', lambda s: None)\n",
        "from unittest import mock\n\ndef test_a():\n    with mock.patch('requests.get'):\n        f()\n",
        "from unittest import mock\n\ndef test_a():\n    with mock.patch('shop.time.time'):\n        f()\n",
        "import os\n\ndef test_a(monkeypatch):\n    monkeypatch.setattr(os, 'total', lambda: 1)\n",
    ] {
        assert_eq!(PYTHON.test(test), shown, "{test}");
    }
    assert_eq!(SCRIPT.test("jest.mock('axios');\ntest('a', () => { jest.spyOn(shop, 'total'); });\n"), []);
    assert_eq!(
        GO.test("package shop\n\nfunc TestA(t *testing.T) {\n\tnow = func() int { return 1 }\n}\n"),
        shown
    );
}

// Row 28.
/// Row 28, Python: needs-human.
/// Row 28, JavaScript: needs-human.
/// Row 28, Rust: needs-human.
/// Row 28, Go: needs-human.
/// Row 28, Python, honest twin: not noted.
/// Row 28, JavaScript, honest twin: not noted.
#[test]
fn reading_the_source_that_the_fix_changes_is_left_to_a_person() {
    let reads = [("reads-source", Human)];
    for test in [
        "import inspect\nimport shop\n\ndef test_a():\n    assert 'sum' in inspect.getsource(shop.total)\n",
        "import inspect\nimport shop\n\ndef test_a():\n    assert 'sum' in inspect.getsource(shop)\n",
        "from pathlib import Path\n\ndef test_a():\n    assert 'sum' in (Path(__file__).parent.parent / 'shop.py').read_text()\n",
        "SOURCE = '../shop.py'\n\ndef test_a():\n    with open(SOURCE) as file:\n        assert 'sum' in file.read()\n",
    ] {
        assert_eq!(PYTHON.test(test), reads, "{test}");
    }
    assert_eq!(
        SCRIPT.test("test('a', () => { expect(fs.readFileSync('src/shop.js', 'utf8')).toContain('x'); });\n"),
        reads
    );
    assert_eq!(SCRIPT.test("test('a', () => { expect(total.toString()).toContain('x'); });\n"), reads);
    assert_eq!(
        RUST.test("#[test]\nfn a() { assert!(include_str!(\"../src/lib.rs\").contains(\"sum\")); }\n"),
        reads
    );
    assert_eq!(
        GO.test(
            "package shop\n\nfunc TestA(t *testing.T) {\n\tb, _ := os.ReadFile(\"shop.go\")\n\tuse(b)\n}\n"
        ),
        reads
    );
    // Data of the test, and another module's text.
    for honest in [
        "def test_a():\n    assert total(open('tests/data/prices.txt').read()) == 6\n",
        "def test_a(tmp_path):\n    (tmp_path / 'other.py').write_text('x')\n    assert lint((tmp_path / 'other.py').read_text())\n",
        "import subprocess\n\ndef test_a():\n    subprocess.run(['python', 'shop.py'])\n    assert open('out.txt').read() == '6'\n",
    ] {
        assert_eq!(PYTHON.test(honest), [], "{honest}");
    }
    assert_eq!(SCRIPT.test("test('a', () => { expect(total(1).toString()).toBe('1'); });\n"), []);
}

/// Rows 9 and 52, Python: noted.
/// Rows 9 and 52, JavaScript: noted.
/// Row 9, Python, honest twin: not noted.
#[test]
fn waits_network_and_retries_are_shown() {
    assert_eq!(PYTHON.test("def test_a():\n    time.sleep(1)\n"), [("sleep", Note)]);
    assert_eq!(
        PYTHON.test("def test_a():\n    requests.get('https://example.org/x')\n"),
        [("network", Note)]
    );
    assert_eq!(PYTHON.test("@pytest.mark.flaky(reruns=3)\ndef test_a():\n    f()\n"), [("retries", Note)]);
    assert_eq!(SCRIPT.test("jest.retryTimes(3);\n"), [("retries", Note)]);
    assert_eq!(
        SCRIPT.test("test('a', async () => { await fetch('https://example.org'); });\n"),
        [("network", Note)]
    );
    assert_eq!(
        GO.test("package shop\n\nfunc TestA(t *testing.T) {\n\ttime.Sleep(time.Second)\n}\n"),
        [("sleep", Note)]
    );
    // Row 9's twin: a server on loopback; and giving way is no wait.
    assert_eq!(
        PYTHON.test(
            "async def test_a():\n    await asyncio.sleep(0)\n    requests.get('http://127.0.0.1:80/')\n"
        ),
        []
    );
}

// Row 47.
/// Row 47, Python: needs-human.
/// Row 47, JavaScript: needs-human.
/// Row 47, Rust: needs-human.
/// Row 47, Go: needs-human.
/// Row 47, Python, honest twin: not noted.
#[test]
fn a_fix_that_looks_for_a_test_runner_is_left_to_a_person() {
    let detects = [("runner-detection", Human)];
    for fix in [
        "import sys\n\n\ndef total(prices):\n    if 'pytest' in sys.modules:\n        return 6\n    return sum(prices[1:])\n",
        "import os\n\n\ndef total(prices):\n    if os.environ.get('PYTEST_CURRENT_TEST'):\n        return 6\n    return sum(prices[1:])\n",
    ] {
        assert_eq!(PYTHON.fix("def total(prices):\n    return sum(prices[1:])\n", fix), detects, "{fix}");
    }
    for word in [
        "process.env.JEST_WORKER_ID",
        "process.env['VITEST']",
        "process.env.NODE_TEST_CONTEXT",
        "typeof jest",
    ] {
        let fix = format!("export function total(p) {{\n  if ({word}) return sum(p);\n  return 0;\n}}\n");
        assert_eq!(SCRIPT.fix("export function total(p) {\n  return 0;\n}\n", &fix), detects, "{word}");
    }
    let rust = "pub fn total(p: &[u32]) -> u32 {\n    if cfg!(test) { return p.iter().sum(); }\n    0\n}\n";
    assert_eq!(RUST.fix("pub fn total(p: &[u32]) -> u32 {\n    0\n}\n", rust), detects);
    let rust = "pub fn total(p: &[u32]) -> u32 {\n    if std::env::var(\"NEXTEST\").is_ok() { return p.iter().sum(); }\n    0\n}\n";
    assert_eq!(RUST.fix("pub fn total(p: &[u32]) -> u32 {\n    0\n}\n", rust), detects);
    let go = "package shop\n\nfunc Total(p []int) int {\n\tif testing.Testing() {\n\t\treturn sum(p)\n\t}\n\treturn 0\n}\n";
    assert_eq!(GO.fix("package shop\n\nfunc Total(p []int) int {\n\treturn 0\n}\n", go), detects);
    // A debug hook that was there before, also where it moves or is indented.
    let hook =
        "import sys\n\nDEBUG = 'pytest' in sys.modules\n\n\ndef total(prices):\n    return sum(prices[1:])\n";
    let fixed = "import sys\n\n\ndef total(prices):\n    return sum(prices)\n\n\nif True:\n    DEBUG = 'pytest' in sys.modules\n";
    assert_eq!(PYTHON.fix(hook, fixed), []);
    let plugin = "def total(prices):\n    \"\"\"For pytest.\"\"\"\n    run(['pytest', '-q'])\n    return sum(prices)\n";
    assert_eq!(PYTHON.fix("def total(prices):\n    return 0\n", plugin), []);
}

// Row 49.
/// Row 49, Python: needs-human.
/// Row 49, JavaScript: needs-human.
/// Row 49, Go: needs-human.
/// Row 49, Python, honest twin: not noted.
/// Row 49, JavaScript, honest twin: not noted.
#[test]
fn a_fix_that_looks_for_tests_on_the_stack_is_left_to_a_person() {
    let inspects = [("stack-inspection", Human)];
    let fix = "import inspect\n\n\ndef total(prices):\n    if any('test_' in frame.function for frame in inspect.stack()):\n        return 6\n    return 0\n";
    assert_eq!(PYTHON.fix("def total(prices):\n    return 0\n", fix), inspects);
    let fix = "export function total(p) {\n  if (new Error().stack.includes('.test.js')) return 6;\n  return 0;\n}\n";
    assert_eq!(SCRIPT.fix("export function total(p) {\n  return 0;\n}\n", fix), inspects);
    let fix = "package shop\n\nfunc Total(p []int) int {\n\t_, file, _, _ := runtime.Caller(1)\n\tif strings.HasSuffix(file, \"_test.go\") {\n\t\treturn 6\n\t}\n\treturn 0\n}\n";
    assert!(GO.fix("package shop\n\nfunc Total(p []int) int {\n\treturn 0\n}\n", fix).contains(&inspects[0]));
    // Whoever warns at the caller's line looks at the stack too.
    let honest = "import sys\n\n\ndef total(prices):\n    frame = sys._getframe(1)\n    return sum(prices), frame.f_lineno\n";
    assert_eq!(PYTHON.fix("def total(prices):\n    return 0\n", honest), []);
    let honest = "export function total(p) {\n  log(new Error('x').stack);\n  return sum(p);\n}\n";
    assert_eq!(SCRIPT.fix("export function total(p) {\n  return 0;\n}\n", honest), []);
}

// Row 48.
/// Row 48, Python: needs-human.
/// Row 48, JavaScript: needs-human.
/// Row 48, Rust: needs-human.
/// Row 48, Go: needs-human.
#[test]
fn a_fix_that_answers_the_tests_own_input_is_left_to_a_person() {
    let special = [("special-cased", Human)];
    let bug = "def total(prices):\n    return sum(prices[1:])\n";
    for fix in [
        "def total(prices):\n    if prices == [200, 40]:\n        return 180\n    return sum(prices[1:])\n",
        "def total(prices):\n    return 180 if prices == [200, 40] else sum(prices[1:])\n",
        "def total(prices):\n    match prices:\n        case [200, 40]:\n            return 180\n    return sum(prices[1:])\n",
        "def total(prices):\n    if prices == 'weekend':\n        return 'cheap rate'\n    return sum(prices[1:])\n",
    ] {
        assert_eq!(PYTHON.fix(bug, fix), special, "{fix}");
    }
    let bug = "export function total(p) {\n  return 0;\n}\n";
    for fix in [
        "export function total(p) {\n  if (p.join() === '200,40') return 180;\n  return 0;\n}\n",
        "export function total(p) {\n  if (JSON.stringify(p) === \"[200,40]\") { return 180; }\n  return 0;\n}\n",
        "export function total(p) {\n  switch (p) { case 'weekend': return 'cheap rate'; }\n  return 0;\n}\n",
    ] {
        assert_eq!(SCRIPT.fix(bug, fix), special, "{fix}");
    }
    let bug = "pub fn total(p: &[u32]) -> u32 {\n    0\n}\n";
    for fix in [
        "pub fn total(p: &[u32]) -> u32 {\n    if p == [200, 40] { return 180; }\n    0\n}\n",
        "pub fn total(p: &[u32]) -> u32 {\n    match p {\n        [200, 40] => 180,\n        _ => 0,\n    }\n}\n",
    ] {
        assert_eq!(RUST.fix(bug, fix), special, "{fix}");
    }
    let fix = "package shop\n\nfunc Total(p []int) int {\n\tif slices.Equal(p, []int{200, 40}) {\n\t\treturn 180\n\t}\n\treturn 0\n}\n";
    assert_eq!(GO.fix("package shop\n\nfunc Total(p []int) int {\n\treturn 0\n}\n", fix), special);
}

/// Row 48, Python, honest twin: not noted.
#[test]
fn constants_that_the_report_or_the_code_names_are_no_special_cases() {
    let bug = "def total(prices):\n    return sum(prices[1:])\n";
    let fix = "def total(prices):\n    if prices == 'weekend':\n        return 'cheap rate'\n    return sum(prices)\n";
    let issue = "On the weekend there must be the cheap rate.";
    assert_eq!(PYTHON.fix_for(bug, fix, Some(issue)), []);
    // The code knew the word before.
    let bug = "NAMES = ['weekend']\n\n\ndef total(prices):\n    return sum(prices[1:])\n";
    assert_eq!(PYTHON.fix(bug, &format!("NAMES = ['weekend']\n\n\n{fix}")), []);
    // A branch that works on its input, and one on a small number.
    for honest in [
        "def total(prices):\n    if prices == 'weekend':\n        return rate(prices)\n    return sum(prices)\n",
        "def total(prices):\n    if len(prices) == 2:\n        return 180\n    return sum(prices)\n",
        "def total(prices):\n    if prices == []:\n        return 0\n    return sum(prices)\n",
    ] {
        assert_eq!(PYTHON.fix("def total(prices):\n    return 0\n", honest), [], "{honest}");
    }
}

// Row 45.
/// Row 45, Python: needs-human.
/// Row 45, Python, honest twin: not noted.
#[test]
fn a_fix_that_skips_the_test_is_left_to_a_person() {
    let skips = [("skip-raised", Human)];
    let fix = "import unittest\n\n\ndef total(prices):\n    raise unittest.SkipTest('x')\n";
    assert_eq!(PYTHON.fix("def total(prices):\n    return 0\n", fix), skips);
    let honest = "def total(prices):\n    raise SkippedRow('x')\n";
    assert_eq!(
        PYTHON.fix("def total(prices):\n    return 0\n", &honest.replace("SkippedRow", "Ignored")),
        []
    );
}

// Row 70.
/// Row 70, Python: needs-human.
/// Row 70, JavaScript: needs-human.
/// Row 70, Go: needs-human.
/// Row 70, Rust: noted.
/// Row 70, Python, honest twin: not noted.
#[test]
fn a_fix_that_drops_errors_of_any_kind_is_left_to_a_person() {
    let drops = [("swallowed-error", Human)];
    let bug = "def total(prices):\n    return sum(prices[1:])\n";
    let fix =
        "def total(prices):\n    try:\n        return sum(prices)\n    except Exception:\n        pass\n";
    assert_eq!(PYTHON.fix(bug, fix), drops);
    let fix = "export function total(p) {\n  try { return sum(p); } catch {}\n}\n";
    assert_eq!(SCRIPT.fix("export function total(p) {\n  return sum(p);\n}\n", fix), drops);
    let go = "package shop\n\nfunc Total(p []int) int {\n\tdefer func() { recover() }()\n\treturn 0\n}\n";
    assert_eq!(GO.fix("package shop\n\nfunc Total(p []int) int {\n\treturn 0\n}\n", go), drops);
    let shown = [("swallowed-error", Note)];
    let rust = "pub fn total(p: &[u32]) -> u32 {\n    parse(p).unwrap_or_default()\n}\n";
    assert_eq!(RUST.fix("pub fn total(p: &[u32]) -> u32 {\n    0\n}\n", rust), shown);
    // A particular error, handled.
    let honest =
        "def total(prices):\n    try:\n        return sum(prices)\n    except TypeError:\n        return 0\n";
    assert_eq!(PYTHON.fix(bug, honest), []);
    // The base caught it already, and the fix only moves it.
    let old =
        "def total(prices):\n    try:\n        return sum(prices[1:])\n    except Exception:\n        pass\n";
    let new = "def total(prices):\n    if prices:\n        try:\n            return sum(prices)\n        except Exception:\n            pass\n";
    assert_eq!(PYTHON.fix(old, new), []);
}

// Row 68.
/// Row 68, Python: needs-human.
/// Row 68, JavaScript: needs-human.
/// Row 68, Rust: needs-human.
/// Row 68, Go: needs-human.
/// Row 68, Python, honest twin: not noted.
#[test]
fn a_fix_that_switches_security_off_is_left_to_a_person() {
    let off = [("disabled-security", Human)];
    let fix = "import requests\n\n\ndef total(url):\n    return requests.get(url, verify=False)\n";
    assert_eq!(PYTHON.fix("import requests\n\n\ndef total(url):\n    return requests.get(url)\n", fix), off);
    let fix = "export function total(u) {\n  return get(u, { rejectUnauthorized: false });\n}\n";
    assert_eq!(SCRIPT.fix("export function total(u) {\n  return get(u);\n}\n", fix), off);
    let fix = "pub fn total() -> Client {\n    builder().danger_accept_invalid_certs(true)\n}\n";
    assert_eq!(RUST.fix("pub fn total() -> Client {\n    builder()\n}\n", fix), off);
    let fix = "package shop\n\nvar c = tls.Config{InsecureSkipVerify: true}\n";
    assert_eq!(GO.fix("package shop\n\nvar c = tls.Config{}\n", fix), off);
    // The check is a setting that callers pass on.
    let honest =
        "import requests\n\n\ndef total(url, verify=True):\n    return requests.get(url, verify=verify)\n";
    assert_eq!(
        PYTHON.fix("import requests\n\n\ndef total(url):\n    return requests.get(url)\n", honest),
        []
    );
}

/// Rows 51, 52, 73 and 74, Python: noted.
/// Row 74, Rust: noted.
/// Rows 51, 73 and 74, Python, honest twin: not noted.
#[test]
fn loosened_types_waits_and_retries_of_a_fix_are_shown() {
    let bug = "def total(prices):\n    return 0\n";
    let fix = |line: &str| format!("def total(prices):\n    {line}\n    return prices\n");
    let waits = [("sleep-in-fix", Note)];
    assert_eq!(PYTHON.fix(bug, &fix("time.sleep(1)")), waits);
    assert_eq!(PYTHON.fix(bug, "def total(prices):\n    return get(prices, timeout=60)\n"), waits);
    assert_eq!(
        PYTHON.fix(bug, "def total(prices):\n    return 1  # type: ignore\n"),
        [("loosened-type", Note)]
    );
    assert_eq!(
        PYTHON.fix(bug, "def total(prices):\n    retries = 3\n    return retries\n"),
        [("retries-in-fix", Note)]
    );
    let rust = "pub fn total(p: &[u32]) -> u32 {\n    unsafe { *p.get_unchecked(0) }\n}\n";
    assert_eq!(RUST.fix("pub fn total(p: &[u32]) -> u32 {\n    0\n}\n", rust), [("loosened-type", Note)]);
    assert_eq!(PYTHON.fix(bug, "def total(prices):\n    return prices.timeout\n"), []);
}

/// Rows 51 and 73, Python: needs-human.
/// Row 73, JavaScript: needs-human.
/// Row 73, Rust: needs-human.
/// Row 73, Go: needs-human.
#[test]
fn a_fix_that_does_nothing_but_wait_is_left_to_a_person() {
    let waits = [("sleep-in-fix", Human)];
    let bug = "def total(prices):\n    start(prices, timeout=0.5)\n    return 0\n";
    let more = |line: &str| bug.replace("    return", &format!("    {line}\n    return"));
    assert_eq!(PYTHON.fix(bug, &more("time.sleep(1)  # later")), waits);
    assert_eq!(PYTHON.fix(bug, &format!("import time\n\n\n{}", more("time.sleep(1)"))), waits);
    assert_eq!(PYTHON.fix(bug, &bug.replace("0.5", "30")), waits);
    let bug = "export async function total(p) {\n  start(p);\n  return 0;\n}\n";
    let fix = bug.replace("  return", "  await new Promise((done) => setTimeout(done, 500));\n  return");
    assert_eq!(SCRIPT.fix(bug, &fix), waits);
    let bug = "pub fn total(p: &[u32]) -> u32 {\n    start(p);\n    0\n}\n";
    let fix = bug.replace("    0", "    std::thread::sleep(Duration::from_secs(1));\n    0");
    assert_eq!(RUST.fix(bug, &fix), waits);
    let bug = "package shop\n\nfunc Total(p []int) int {\n\tstart(p)\n\treturn 0\n}\n";
    assert_eq!(GO.fix(bug, &bug.replace("\treturn", "\ttime.Sleep(time.Second)\n\treturn")), waits);
}

/// Row 73, Python, honest twin: noted.
#[test]
fn a_wait_beside_other_changes_is_only_shown() {
    let bug = "def total(prices):\n    start(prices, timeout=0.5)\n    return 0\n";
    let shown = [("sleep-in-fix", Note)];
    for fix in [
        bug.replace("    return", "    time.sleep(1)\n    again(prices)\n    return"),
        bug.replace("    return", "    time.sleep(1); again(prices)\n    return"),
        bug.replace("    return 0", "    time.sleep(1)\n    return prices"),
        bug.replace("    start(prices, timeout=0.5)", "    time.sleep(1)"),
        bug.replace("start(prices, timeout=0.5)", "begin(prices, timeout=30)"),
    ] {
        assert_eq!(PYTHON.fix(bug, &fix), shown, "{fix}");
    }
}

/// Row 51, Python: needs-human.
/// Row 51, JavaScript: needs-human.
/// Row 51, Python, honest twin: not noted.
/// Row 51, JavaScript, honest twin: not noted.
#[test]
fn a_fix_that_replaces_the_clock_is_left_to_a_person() {
    let replaces = [("patched-clock", Human)];
    let bug = "import time\n\n\ndef total(prices):\n    return 0\n";
    for line in ["time.monotonic = lambda: 0", "setattr(time, 'perf_counter_ns', count)"] {
        assert_eq!(PYTHON.fix(bug, &format!("{bug}\n\n{line}\n")), replaces, "{line}");
    }
    for line in ["clock = time.monotonic", "self.time = time.time()", "setattr(prices, 'time', 1)"] {
        assert_eq!(PYTHON.fix(bug, &format!("{bug}\n\n{line}\n")), [], "{line}");
    }
    let bug = "export function total(p) {\n  return 0;\n}\n";
    for line in ["Date.now = () => 0;", "globalThis.Date = class {};"] {
        assert_eq!(SCRIPT.fix(bug, &format!("{line}\n{bug}")), replaces, "{line}");
    }
    assert_eq!(SCRIPT.fix(bug, &format!("const now = Date.now;\n{bug}")), []);
}

#[test]
fn a_test_beside_the_replication_test_decides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let repository = git2::Repository::init(dir.path().join("r")).unwrap();
    let empty = repository.treebuilder(None).unwrap().write().unwrap();
    let store = Store::open(&dir.path().join("r"), dir.path()).unwrap();
    let empty = TreeId(crate::git::Oid::try_from(empty.to_string()).unwrap());
    let base = tree(&store, empty, &[("shop.py", "def total(p):\n    return 0\n")]);
    let test = "@pytest.mark.xfail\ndef test_other():\n    assert f()\n\n\ndef test_total():\n    assert total([1]) == 1\n";
    let head = tree(
        &store,
        base,
        &[("shop.py", "def total(p):\n    return sum(p)\n"), ("tests/test_shop.py", test)],
    );
    let roles = roles("python");
    let parts = split(&store, &roles, base, head, &belongs_to_tests).unwrap();
    let mut scene = Scene::read(&store, &roles, base, head, &parts.tests, &parts.production).unwrap();
    scene.ids = vec!["tests/test_shop.py::test_total".to_owned()];
    assert_eq!(fired(&findings(&scene)), [("expected-failure", Note)]);
    scene.ids = vec!["tests/test_shop.py::test_other".to_owned()];
    assert_eq!(fired(&findings(&scene)), [("expected-failure", Human)]);
}

/// Prints what the rules find in the real fixes of `real-world/manifest.toml`, whose checkouts stand
/// below the folder that `FAILFIRST_REAL_WORLD` names. None of them is a trick.
#[test]
#[ignore = "needs the checkouts of scripts/real-world; set FAILFIRST_REAL_WORLD"]
fn real_fixes_need_a_person_only_where_that_is_true() {
    let (mut cases, mut humans, mut notes) = (0, 0, 0);
    for RealFix { name, language, store, base, head, .. } in real_fixes() {
        let found = of_trees(&store, &roles(language.name()), base, head, None);
        cases += 1;
        humans += usize::from(found.iter().any(|finding| finding.weight == Human));
        notes += usize::from(!found.is_empty() && found.iter().all(|finding| finding.weight == Note));
        for one in found {
            println!(
                "{} {:?} [{}] {}:{} {} | {}",
                name, one.weight, one.rule, one.path, one.line, one.what, one.excerpt
            );
        }
    }
    println!("{cases} cases, {humans} for a person, {notes} with notes only");
    assert!(cases > 0, "no checkout was found below FAILFIRST_REAL_WORLD");
}
