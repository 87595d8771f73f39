//! Rows of the catalogue that no other file holds, each with its honest twin where it has one.

use failfirst::gate::verdict::{Check, FailureClass};
use failfirst::verify::Sealing;

use crate::harness::repository::put;
use crate::harness::story::{Story, go, javascript, pytest, python, rust};

/// A unittest file whose test has this body; `total` and `shop` are there.
fn unittest(body: &str) -> Story {
    python().test([(
        "tests/test_shop.py",
        &*format!(
            "import unittest\nimport shop\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    \
             def test_total(self):\n{}\n",
            body.lines().map(|line| format!("        {line}\n")).collect::<String>()
        ),
    )])
}

// Row 7: a third-party module that is not installed.

/// Row 7, Python: refused.
/// Row 7, JavaScript: refused.
#[test]
fn a_test_that_needs_a_module_which_nobody_installed_is_refused() {
    let judged = unittest("import no_such_module_here\nself.assertEqual(total([1, 2, 3]), 6)").together();
    judged.refused_by(Check::K1, "").class(Check::K1, FailureClass::D);
    let test = "import test from 'node:test';\nimport assert from 'node:assert';\nimport nothing from 'no-such-package-here';\n\
                import { total } from '../src/shop.js';\n\ntest('total', () => assert.strictEqual(total([1, 2, 3]), nothing ?? 6));\n";
    javascript().test([("test/shop.test.js", test)]).together().refused_by(Check::K1, "");
}

// Row 9: the network.

/// Row 9, Python: refused.
#[test]
fn a_test_that_needs_the_network_is_refused() {
    let body = "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=3)\nself.assertEqual(total([1, 2, 3]), 6)";
    unittest(body).together().refused_by(Check::K1, "");
}

/// Row 9, Python, honest twin: verified.
#[test]
fn a_test_with_a_server_of_its_own_is_verified() {
    let body = "import socket\nimport threading\nserver = socket.create_server(('127.0.0.1', 0))\n\
                threading.Thread(target=lambda: server.accept()[0].sendall(str(total([1, 2, 3])).encode())).start()\n\
                with socket.create_connection(server.getsockname(), timeout=10) as client:\n    \
                self.assertEqual(client.recv(10), b'6')\nserver.close()";
    unittest(body).together().verified();
}

// Row 10: order and chance.

/// Row 10, Python: refused.
#[test]
fn a_test_that_counts_on_another_test_before_it_is_refused() {
    let test = "import unittest\nfrom shop import total\n\nseen = []\n\n\nclass Shop(unittest.TestCase):\n    \
                def test_a(self):\n        seen.append(1)\n\n    def test_total(self):\n        \
                self.assertEqual(total([1, 2, 3]) if seen else 0, 6)\n";
    python()
        .test([("tests/test_shop.py", test)])
        .together()
        .refused_by(Check::K2, "still fails on the fixed code");
}

/// Row 10, Python, honest twin: verified.
#[test]
fn a_race_that_a_barrier_makes_certain_is_verified() {
    let shop = |take: &str| {
        format!(
            "import threading\n\nlock = threading.Lock()\npause = lambda: None\nleft = [1]\n\n\ndef total(prices):\n    \
             return sum(prices[1:])\n\n\ndef take():\n{take}\n"
        )
    };
    let bad = "    if left:\n        pause()\n        return left.pop() if left else 'gone'";
    let good = "    with lock:\n        if left:\n            pause()\n            return left.pop() if left else 'gone'";
    let test = "import threading\nimport unittest\nimport shop\n\n\nclass Shop(unittest.TestCase):\n    def test_take(self):\n        \
                barrier = threading.Barrier(2)\n\n        def pause():\n            try:\n                barrier.wait(1)\n            \
                except threading.BrokenBarrierError:\n                pass\n\n        shop.pause = pause\n        seen = []\n        \
                threads = [threading.Thread(target=lambda: seen.append(shop.take())) for _ in range(2)]\n        \
                for thread in threads:\n            thread.start()\n        for thread in threads:\n            thread.join()\n        \
                self.assertEqual(sorted(map(str, seen)), ['1', 'None'])\n";
    let story = python().base([("shop.py", &*shop(bad))]).test([("tests/test_shop.py", test)]);
    story.fix([("shop.py", &*shop(good))]).together().verified();
}

// Row 14: an expectation that no right fix meets.

/// Row 14, Python: refused.
/// Row 14, Go: refused.
#[test]
fn a_test_that_fails_after_a_right_fix_is_refused() {
    let judged = unittest("self.assertEqual(total([1, 2, 3]), 7)").together();
    judged.refused_by(Check::K2, "still fails on the fixed code");
    let test = "package shop\n\nimport \"testing\"\n\nfunc TestTotal(t *testing.T) {\n\tif Total([]int{1, 2, 3}) != 7 {\n\t\t\
                t.Fatal(\"not 7\")\n\t}\n}\n";
    go().test([("shop_test.go", test)]).together().refused_by(Check::K2, "still fails on the fixed code");
}

// Row 15: a snapshot that records itself.

/// Row 15, Python: refused.
#[test]
fn a_snapshot_that_records_itself_is_refused() {
    let body = "import pathlib\nplace = pathlib.Path('tests/snapshot.txt')\nif not place.exists():\n    \
                place.write_text(str(total([1, 2, 3])))\nself.assertEqual(place.read_text(), str(total([1, 2, 3])))";
    unittest(body).together().refused_by(Check::K1, "not reproduced");
}

/// Row 15, Python, honest twin: verified.
#[test]
fn a_snapshot_that_is_part_of_the_test_is_verified() {
    let body = "import pathlib\nself.assertEqual(pathlib.Path('tests/snapshot.txt').read_text(), str(total([1, 2, 3])))";
    unittest(body).test([("tests/snapshot.txt", "6")]).together().verified();
}

// Row 18: the unit under test is mocked.

/// Row 18, Python: refused.
#[test]
fn a_test_that_mocks_the_unit_is_refused() {
    let body = "import unittest.mock\nwith unittest.mock.patch('shop.total', return_value=6):\n    \
                self.assertEqual(shop.total([1, 2, 3]), 6)";
    unittest(body).together().refused_by(Check::K1, "not reproduced");
}

// Row 21: another module in the place of the real one.

/// Row 21, Python: refused.
#[test]
fn a_module_that_shadows_production_is_not_verified() {
    // The shadow arrives with the fix, on the test's side.
    let story = python().fix([
        put("shop.py", "def total(prices):\n    return sum(prices[1:])  # still wrong\n"),
        put("tests/shop.py", "def total(prices):\n    return sum(prices)\n"),
        put("tests/__init__.py", "import os\nimport sys\n\nsys.path.insert(0, os.path.dirname(__file__))\n"),
    ]);
    story.together().not_verified();
    story.sealed().not_verified();
}

#[test]
fn a_fix_beside_the_module_that_the_test_loads_is_not_verified() {
    let story = python()
        .settings("env = { PYTHONPATH = \"src\" }\n")
        .base([put("src/shop.py", "def total(prices):\n    return sum(prices[1:])\n")])
        .without_fix()
        .fix([put("src/shop.py", "def total(prices):\n    return sum(prices)\n")]);
    let judged = story.together();
    // The module of the same name at the root comes first, and the change is elsewhere.
    judged.not_verified();
    let story = story.base([put("shop.py", "raise ImportError('the module is in src')\n")]);
    story.together().not_verified();
}

// Row 22: the build is pointed at other code.

/// Row 22, Go: refused.
#[test]
fn a_replace_directive_in_the_place_of_a_fix_is_not_verified() {
    let story = go()
        .base([
            put("go.mod", "module shop\n\ngo 1.19\n\nrequire sums v0.0.0\n\nreplace sums => ./sums\n"),
            put("sums/go.mod", "module sums\n\ngo 1.19\n"),
            put("sums/sums.go", "package sums\n\nfunc Sum(prices []int) int {\n\treturn len(prices)\n}\n"),
            put("shop.go", "package shop\n\nimport \"sums\"\n\nfunc Total(prices []int) int {\n\treturn sums.Sum(prices)\n}\n"),
            put(
                "old_test.go",
                "package shop\n\nimport \"testing\"\n\nfunc TestNothing(t *testing.T) {\n\tif Total(nil) != 0 {\n\t\tt.Fatal()\n\t}\n}\n",
            ),
        ])
        .without_fix()
        .fix([
            put("go.mod", "module shop\n\ngo 1.19\n\nrequire sums v0.0.0\n\nreplace sums => ./testdata/sums\n"),
            put("testdata/sums/go.mod", "module sums\n\ngo 1.19\n"),
            put(
                "testdata/sums/sums.go",
                "package sums\n\nfunc Sum(prices []int) int {\n\tsum := 0\n\tfor _, price := range prices {\n\t\tsum += price\n\t}\n\t\
                 return sum\n}\n",
            ),
        ]);
    story.together().not_verified();
}

// Row 25: errors are swallowed.

/// Row 25, Python: refused.
#[test]
fn a_test_that_swallows_everything_is_refused() {
    let body = "try:\n    self.assertEqual(total([1, 2, 3]), 6)\nexcept BaseException:\n    pass";
    unittest(body).together().refused_by(Check::K1, "not reproduced");
}

// Row 30: production computes what is expected of it.

/// Row 30, Python: refused.
#[test]
fn a_test_that_compares_production_with_itself_is_refused() {
    unittest("self.assertEqual(total([1, 2, 3]), total([1, 2, 3]))")
        .together()
        .refused_by(Check::K1, "not reproduced");
}

// Row 32: an installed copy is tested.

/// Row 32, Python: refused.
#[test]
fn a_test_of_an_installed_copy_is_not_verified() {
    // A copy of the fixed code in an ignored folder of the checkout, as a stale build or an installed package is.
    let body = "import sys\nsys.path.insert(0, 'build')\nsys.modules.pop('shop')\nimport shop as copy\n\
                self.assertEqual(copy.total([1, 2, 3]), 6)";
    let written = unittest(body).base([put(".gitignore", "build/\n")]).write();
    let build = written.repository.root().join("build");
    std::fs::create_dir(&build).unwrap();
    std::fs::write(build.join("shop.py"), "def total(prices):\n    return sum(prices)\n").unwrap();
    written.judge(Sealing::Found).refused_by(Check::K1, "not reproduced");
}

// Row 50: answers that were left behind.

/// Row 50, Python: refused.
#[test]
fn a_fix_that_reads_answers_which_an_earlier_run_left_is_refused() {
    let fix = "import os\nimport pathlib\n\n\ndef total(prices):\n    place = pathlib.Path(os.environ['HOME'], 'answers')\n    \
               if not place.exists():\n        place.write_text('6')\n        return sum(prices[1:])\n    return int(place.read_text())\n";
    python().fix([("shop.py", fix)]).together().refused_by(Check::K2, "still fails on the fixed code");
}

// Row 58: programs that git starts.

/// Row 58, Python, honest twin: verified.
#[test]
fn hooks_and_filters_of_the_repository_do_not_run_in_the_judge() {
    let written = python().write();
    let root = written.repository.root();
    let marker = root.join(".git/started");
    let script = root.join(".git/evil.sh");
    std::fs::write(&script, format!("#!/bin/sh\ntouch {}\ncat\n", marker.display())).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let evil = script.to_string_lossy().into_owned();
    for (key, value) in [
        ("core.fsmonitor", evil.as_str()),
        ("filter.evil.smudge", evil.as_str()),
        ("filter.evil.clean", evil.as_str()),
        ("diff.external", evil.as_str()),
        ("core.hooksPath", &root.join(".git/evil-hooks").to_string_lossy()),
    ] {
        let done = std::process::Command::new("git")
            .current_dir(root)
            .args(["config", key, value])
            .status()
            .unwrap();
        assert!(done.success());
    }
    std::fs::create_dir(root.join(".git/evil-hooks")).unwrap();
    std::fs::copy(&script, root.join(".git/evil-hooks/post-checkout")).unwrap();
    std::fs::write(root.join(".git/info/attributes"), "*.py filter=evil diff=evil\n").unwrap();
    written.judge(Sealing::Found).verified();
    assert!(!marker.exists(), "a program of the repository's configuration was started");
}

// Row 60: stale bytecode.

/// Row 60, Python: refused.
#[test]
fn bytecode_that_lies_in_the_checkout_is_not_run() {
    let story = python()
        .base([put(".gitignore", "__pycache__/\n*.pyc\n")])
        .without_fix()
        .fix([put("shop.py", "def total(prices):\n    return 0 + sum(prices[1:])\n")]);
    let written = story.write();
    let root = written.repository.root();
    // Bytecode of the fixed code that claims never to need a check.
    let script = "import importlib.util, pathlib, py_compile\n\
                  import tempfile\nd = tempfile.mkdtemp()\n\
                  source = pathlib.Path(d, 'shop.py')\nsource.write_text('def total(prices):\\n    return sum(prices)\\n')\n\
                  target = importlib.util.cache_from_source('shop.py')\n\
                  pathlib.Path(target).parent.mkdir(exist_ok=True)\n\
                  py_compile.compile(str(source), cfile=target, dfile='shop.py', invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)\n";
    let done = std::process::Command::new("python3").current_dir(root).args(["-c", script]).status().unwrap();
    assert!(done.success());
    let honest = std::process::Command::new("python3")
        .current_dir(root)
        .args(["-c", "import shop; print(shop.total([1, 2, 3]))"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&honest.stdout).trim(), "6", "the trick works outside the judge");
    written.judge(Sealing::Found).refused_by(Check::K2, "still fails on the fixed code");
}

// Row 61: writes outside the tree.

/// Row 61, Python: refused.
#[test]
fn what_a_run_writes_outside_the_tree_reaches_no_other_run() {
    let place = std::path::Path::new("/var/tmp").join(format!("failfirst-row-61-{}", std::process::id()));
    let fix = format!(
        "import pathlib\n\n\ndef total(prices):\n    place = pathlib.Path({place:?})\n    try:\n        known = place.exists()\n        \
         place.write_text('x')\n    except OSError:\n        known = False\n    return sum(prices) if known else sum(prices[1:])\n"
    );
    let judged = python().fix([("shop.py", &*fix)]).together();
    assert!(!place.exists(), "a run wrote to the machine");
    judged.refused_by(Check::K2, "still fails on the fixed code");
}

// Row 67: the feature is deleted.

/// Row 67, Python: refused.
#[test]
fn a_fix_that_deletes_the_feature_is_refused() {
    let base = "def total(prices, tax=None):\n    if tax:\n        return round(sum(prices) * tax)\n    return sum(prices[1:])\n";
    let old = "import unittest\nfrom shop import total\n\n\nclass Old(unittest.TestCase):\n    def test_tax(self):\n        \
               self.assertEqual(total([10], 2), 20)\n";
    let story = python().base([("shop.py", base), ("tests/test_old.py", old)]);
    story
        .fix([("shop.py", "def total(prices, tax=None):\n    return sum(prices)\n")])
        .together()
        .refused_by(Check::K12, "");
}

// Row 77: more than is needed.

/// Row 77, Python: noted.
/// Row 77, Rust: noted.
#[test]
fn functions_of_the_fix_that_the_test_does_not_need_are_named() {
    let shop = |skip: &str, mean: &str| {
        format!(
            "def total(prices):\n    return sum(prices[{skip}:])\n\n\ndef mean(prices):\n    return {mean}\n"
        )
    };
    let story = python()
        .base([("shop.py", &*shop("1", "sum(prices) / len(prices)"))])
        .fix([("shop.py", &*shop("0", "sum(prices) / max(len(prices), 1)"))]);
    story.together().verified().says(Check::K8, "does not need the change of `mean`");
    let both = |skip: &str| rust_with_two(skip, if skip == "1" { "1" } else { "0" });
    let story = rust().base([("src/lib.rs", &*both("1"))]).fix([("src/lib.rs", &*both("0"))]);
    story.together().verified().says(Check::K8, "does not need the change of `count`");
}

fn rust_with_two(skip: &str, more: &str) -> String {
    format!(
        "pub fn total(prices: &[u32]) -> u32 {{\n    prices.iter().skip({skip}).sum()\n}}\n\n\
         pub fn count(prices: &[u32]) -> usize {{\n    prices.iter().skip({more}).count()\n}}\n"
    )
}

// Row 36 and its kin in a conftest of the sealed test's author.

/// Rows 20 and 36, Python: needs-human.
#[test]
fn a_fixture_that_replaces_production_for_the_test_is_not_verified() {
    let story = pytest().test([
        put(
            "tests/conftest.py",
            "import pytest\nimport shop\n\n\n@pytest.fixture(autouse=True)\ndef fixed(monkeypatch):\n    \
             if 'prices[1:]' not in open(shop.__file__).read():\n        monkeypatch.setattr(shop, 'total', sum)\n",
        ),
        put("tests/test_shop.py", "import shop\n\n\ndef test_total():\n    assert shop.total([1, 2, 3]) == 6\n"),
    ]);
    let fix = "def total(prices):\n    return sum(prices[2:])\n";
    story.fix([("shop.py", fix)]).together().not_verified();
}
