//! Through unittest.

use std::time::Duration;

use failfirst::git::RepoPath;
use failfirst::lang::{Cause, LangError, Phase, RunnerSettings, Selection, Status, Template};

use crate::harness::{Fixture, Run};

const CART: &str = "def total(prices):\n    return sum(prices) + 1\n\n\ndef crash():\n    raise KeyError('sku')\n\n\ndef spin():\n    while True:\n        pass\n";

fn project(test: &str) -> Fixture {
    Fixture::new(&[("shop/__init__.py", ""), ("shop/cart.py", CART), ("tests/test_cart.py", test)])
}

fn run(test: &str) -> Run {
    let project = project(test);
    project.file(&*project.unittest(), "tests/test_cart.py")
}

#[test]
fn each_way_of_ending_has_its_status() {
    let run = run("
import asyncio, unittest
from shop import cart

class Cart(unittest.TestCase):
    def test_passes(self):
        self.assertEqual(cart.total([1]), 2)

    def test_fails(self):
        self.assertEqual(cart.total([1]), 1)

    def test_production_raises(self):
        cart.crash()

    def test_typo(self):
        carrt.total()

    def test_skips(self):
        self.skipTest('later')

    @unittest.skip('never')
    def test_is_marked(self):
        pass

    @unittest.expectedFailure
    def test_expected(self):
        self.fail()

    @unittest.expectedFailure
    def test_unexpected(self):
        pass

    def test_parts(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertNotEqual(n, 1)

    def test_exits(self):
        raise SystemExit(0)

class Down(unittest.TestCase):
    def tearDown(self):
        raise ValueError('left open')

    def test_down(self):
        pass

class Up(unittest.TestCase):
    def setUp(self):
        raise ValueError('not ready')

    def test_up(self):
        pass

class Whole(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise ValueError('not ready')

    def test_one(self):
        pass

    def test_two(self):
        pass

class Late(unittest.IsolatedAsyncioTestCase):
    async def test_waits(self):
        await asyncio.sleep(0)
")
    .sound();
    assert_eq!(run.output.code, Some(1), "{run}");
    for (end, status) in [
        ("Cart::test_passes", Status::Passed),
        ("Cart::test_fails", Status::Failed),
        ("Cart::test_skips", Status::Skipped),
        ("Cart::test_is_marked", Status::Skipped),
        ("Cart::test_expected", Status::ExpectedFailure),
        ("Cart::test_unexpected", Status::UnexpectedPass),
        ("Cart::test_parts", Status::Failed),
        ("Cart::test_exits", Status::Failed),
        ("Late::test_waits", Status::Passed),
    ] {
        assert_eq!(run.status(end), status, "{end}: {run}");
    }
    let phase = |end| run.case(end).failure.as_ref().unwrap().phase;
    assert_eq!(phase("Down::test_down"), Phase::Teardown, "{run}");
    assert_eq!(phase("Up::test_up"), Phase::Setup, "{run}");
    assert_eq!((phase("Whole::test_one"), phase("Whole::test_two")), (Phase::Setup, Phase::Setup));
    assert_eq!(run.cause("test_fails"), &Cause::Assertion);
    assert_eq!(run.cause("test_parts"), &Cause::Assertion);
    assert_eq!(run.cause("test_typo"), &Cause::Unresolved { symbol: "carrt".to_owned() });
    assert_eq!(run.cause("test_production_raises"), &Cause::Raised);
    assert_eq!(run.innermost("test_production_raises"), ("shop/cart.py".to_owned(), 6));
    assert_eq!(run.innermost("test_fails").0, "tests/test_cart.py");
    let case = run.case("test_fails");
    assert_eq!(case.id.as_str(), "tests/test_cart.py::Cart::test_fails");
    assert_eq!(case.file, RepoPath::new("tests/test_cart.py").ok());
    assert!(case.failure.as_ref().unwrap().excerpt.contains("2 != 1"));
}

#[test]
fn a_file_that_cannot_be_loaded_says_why() {
    for (test, cause) in [
        ("from shop.cart import subtotal\n", Cause::Unresolved { symbol: "subtotal".to_owned() }),
        ("from shop.tax import rate\n", Cause::Unresolved { symbol: "shop.tax".to_owned() }),
        ("raise RuntimeError('x')\n", Cause::Raised),
    ] {
        let run = run(test).sound();
        assert_eq!(run.output.code, Some(1), "{run}");
        let [load] = run.reading.load_failures.as_slice() else { panic!("{run}") };
        assert_eq!(load.failure.cause, cause, "{run}");
        assert_eq!(load.file, RepoPath::new("tests/test_cart.py").ok());
    }
}

#[test]
fn a_process_that_ends_early_leaves_an_incomplete_reading() {
    let head = "import os, unittest\nclass A(unittest.TestCase):\n    ";
    let exit = run(&format!("{head}def test_a(self): os._exit(0)\n"));
    assert_eq!(exit.output.code, Some(0));
    assert!(!exit.reading.complete && !exit.reading.disagreements.is_empty(), "{exit}");

    let load = run("import os\nos._exit(0)\n");
    assert!(!load.reading.complete && load.reading.cases.is_empty(), "{load}");

    let atexit =
        run(&format!("{head}def test_a(self): self.fail()\nimport atexit\natexit.register(os._exit, 0)\n"));
    assert_eq!(atexit.output.code, Some(0));
    assert!(!atexit.reading.disagreements.is_empty(), "{atexit}");
}

#[test]
fn named_tests_run_alone() {
    let project = project(
        "import unittest\nclass A(unittest.TestCase):\n    def test_a(self): pass\n    def test_b(self): self.fail()\n",
    );
    let runner = project.unittest();
    let run = project.named(&*runner, &["tests/test_cart.py::A::test_a"]).sound();
    assert_eq!((run.output.code, run.reading.cases.len()), (Some(0), 1), "{run}");
    let run = project.named(&*runner, &["tests/test_cart.py::A::test_gone"]).sound();
    assert_eq!((run.output.code, run.reading.cases.len()), (Some(5), 0), "{run}");
}

#[test]
fn the_suite_is_what_discovery_finds() {
    let test = "import unittest\nclass A(unittest.TestCase):\n    def test_a(self): pass\n";
    let project = Fixture::new(&[
        ("shop.py", ""),
        ("tests/__init__.py", ""),
        ("tests/helper.py", ""),
        ("tests/test_a.py", &format!("from . import helper\nimport shop\n{test}")),
        ("tests/deep/__init__.py", ""),
        ("tests/deep/test_a.py", &format!("from tests import helper\n{test}")),
    ]);
    let run = project.run(&*project.unittest(), &Selection::Suite).sound();
    let ids: Vec<_> = run.reading.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["tests/test_a.py::A::test_a", "tests/deep/test_a.py::A::test_a"], "{run}");
}

#[test]
fn a_hang_shows_where_it_hangs() {
    let project = project(
        "import unittest, shop.cart\nclass A(unittest.TestCase):\n    def test_a(self): shop.cart.spin()\n",
    )
    .timeout(Duration::from_secs(6));
    let run = project.file(&*project.unittest(), "tests/test_cart.py");
    assert_eq!(run.cause("test_a"), &Cause::TimedOut, "{run}");
    assert_eq!(run.innermost("test_a").0, "shop/cart.py");
}

#[test]
fn canaries_pass_and_fail_in_the_same_session() {
    use failfirst::lang::Project;
    let project = project("import unittest\nclass A(unittest.TestCase):\n    def test_a(self): pass\n");
    let runner = project.unittest();
    let beside = RepoPath::new("tests/test_cart.py").unwrap();
    let made = runner.canaries(&beside, "", "q7zk3").unwrap();
    std::fs::write(made.path.under(project.root()), &made.content).unwrap();
    let run = project.run(&*runner, &Selection::Files(vec![beside, made.path.clone()])).sound();
    assert_eq!(run.status(&made.passes), Status::Passed);
    assert_eq!(run.status(&made.fails), Status::Failed);
}

#[test]
fn a_command_that_is_not_understood_names_the_way_out() {
    let project = project("");
    let command = Some(Template::parse("make test").unwrap());
    let settings = RunnerSettings { command, ..RunnerSettings::default() };
    let error = project.runner(&settings).err().unwrap();
    assert!(matches!(error, LangError::BadSetting { setting: "test.command", .. }), "{error}");
    let settings = RunnerSettings { runner: Some("nose".to_owned()), ..RunnerSettings::default() };
    assert!(matches!(project.runner(&settings).err().unwrap(), LangError::UnknownRunner { .. }));
}

fn with_bare_environment(project: Fixture) -> Fixture {
    use failfirst::lang::Project;
    let made = std::process::Command::new("python3")
        .args(["-m", "venv", "--without-pip", ".venv"])
        .current_dir(project.root())
        .status()
        .unwrap();
    assert!(made.success());
    project
}

#[test]
fn the_projects_own_environment_is_used() {
    use failfirst::lang::Project;
    let test = "import sys, unittest\nclass A(unittest.TestCase):\n    def test_a(self): self.assertIn('.venv', sys.prefix)\n";
    let project = with_bare_environment(project(test));
    let runner = project.runner(&RunnerSettings::default()).unwrap();
    assert_eq!(runner.name(), "unittest");
    let environment = runner.environment();
    let venv = project.root().join(".venv").display().to_string();
    assert!(environment.contains(&("VIRTUAL_ENV".to_owned(), venv)), "{environment:?}");
    let run = project.file(&*runner, "tests/test_cart.py").sound();
    assert_eq!(run.output.code, Some(0), "{run}");
}

#[test]
fn tests_that_need_pytest_are_not_run_without_it() {
    let project = with_bare_environment(project("import pytest\ndef test_a(): pass\n"));
    let error = project.runner(&RunnerSettings::default()).err().unwrap();
    let LangError::RunnerMissing { what, way_out } = error else { panic!("{error}") };
    assert!(what.contains(".venv/bin/python cannot import"), "{what}");
    assert!(way_out.contains("`.venv`") && way_out.contains("[test]"), "{way_out}");
}

#[test]
fn a_command_of_the_project_is_followed() {
    let project = Fixture::new(&[
        ("shop.py", ""),
        (
            "checks/test_a.py",
            "import unittest, shop\nclass A(unittest.TestCase):\n    def test_a(self): pass\n",
        ),
        ("test_b.py", "raise SystemExit(0)\n"),
    ]);
    let command = Some(Template::parse("python3 -X dev -m unittest discover -s checks {tests}").unwrap());
    let runner = project.runner(&RunnerSettings { command, ..RunnerSettings::default() }).unwrap();
    let run = project.run(&*runner, &Selection::Suite).sound();
    assert_eq!((run.output.code, run.reading.cases.len()), (Some(0), 1), "{run}");
}

#[test]
fn a_project_in_a_folder_of_the_tree_runs_from_there() {
    let project = Fixture::new(&[
        ("web/index.js", ""),
        ("py/pyproject.toml", "[project]\nname = 'shop'\n"),
        ("py/cart.py", CART),
        (
            "py/tests/test_a.py",
            "import unittest, cart\nclass A(unittest.TestCase):\n    def test_a(self): self.assertEqual(cart.total([1]), 1)\n",
        ),
    ]);
    let runner = project.unittest();
    let id = "py/tests/test_a.py::A::test_a";
    for run in [
        project.named(&*runner, &[id]),
        project.file(&*runner, "py/tests/test_a.py"),
        project.run(&*runner, &Selection::Suite),
    ] {
        let run = run.sound();
        let ids: Vec<_> = run.reading.cases.iter().map(|case| case.id.as_str()).collect();
        assert_eq!((ids, run.cause(id)), (vec![id], &Cause::Assertion), "{run}");
        assert_eq!(run.innermost(id).0, "py/tests/test_a.py");
    }
}
