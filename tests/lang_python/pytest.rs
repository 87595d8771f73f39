//! Through pytest.

use std::time::Duration;

use failfirst::git::RepoPath;
use failfirst::lang::{Cause, Phase, Selection, Status};

use crate::harness::{Fixture, Run};

const CART: &str = "def total(prices):\n    return sum(prices) + 1\n\n\ndef crash():\n    raise KeyError('sku')\n\n\ndef spin():\n    while True:\n        pass\n";

fn project(test: &str) -> Fixture {
    Fixture::new(&[("shop/__init__.py", ""), ("shop/cart.py", CART), ("tests/test_cart.py", test)])
}

fn run(test: &str) -> Run {
    let project = project(test);
    let runner = project.pytest();
    project.file(&*runner, "tests/test_cart.py")
}

#[test]
fn each_way_of_ending_has_its_status() {
    let run = run("
import pytest, warnings
from shop import cart

def test_passes():
    assert cart.total([1]) == 2

def test_fails():
    assert cart.total([1]) == 1, 'one item'

def test_skips():
    pytest.skip('later')

@pytest.mark.skip
def test_is_marked():
    raise SystemError

@pytest.mark.xfail
def test_xfails():
    assert False

@pytest.mark.xfail
def test_xpasses():
    pass

@pytest.mark.xfail(strict=True)
def test_xpasses_strictly():
    pass

@pytest.mark.xfail(run=False)
def test_is_not_run():
    pass

class TestGroup:
    @pytest.mark.parametrize('word', ['a b', 'x::y', 'é[1]', ''])
    def test_words(self, word):
        assert word != 'x::y'

@pytest.fixture
def leaky():
    yield
    raise ValueError('left open')

def test_tears_down(leaky):
    pass

@pytest.fixture
def unready():
    raise ValueError('not ready')

def test_sets_up(unready):
    pass
")
    .sound();
    assert_eq!(run.output.code, Some(1));
    for (end, status) in [
        ("test_passes", Status::Passed),
        ("test_fails", Status::Failed),
        ("test_skips", Status::Skipped),
        ("test_is_marked", Status::Skipped),
        ("test_xfails", Status::ExpectedFailure),
        ("test_xpasses", Status::UnexpectedPass),
        ("test_xpasses_strictly", Status::UnexpectedPass),
        ("test_is_not_run", Status::Skipped),
        ("TestGroup::test_words[a b]", Status::Passed),
        ("TestGroup::test_words[x::y]", Status::Failed),
        ("test_tears_down", Status::Failed),
        ("test_sets_up", Status::Failed),
    ] {
        assert_eq!(run.status(end), status, "{end}: {run}");
    }
    let phase = |end| run.case(end).failure.as_ref().unwrap().phase;
    assert_eq!(phase("test_fails"), Phase::Call);
    assert_eq!(phase("test_tears_down"), Phase::Teardown);
    assert_eq!(phase("test_sets_up"), Phase::Setup);
    let failure = run.case("test_fails").failure.as_ref().unwrap();
    assert_eq!((failure.exception.as_str(), &failure.cause), ("AssertionError", &Cause::Assertion));
    assert!(failure.message.starts_with("one item\nassert 2 == 1"), "{}", failure.message);
    assert!(failure.excerpt.contains("cart.total([1]) == 1"), "{}", failure.excerpt);
    assert_eq!(run.case("test_passes").file, RepoPath::new("tests/test_cart.py").ok());
}

#[test]
fn failures_tell_their_cause_and_their_place() {
    let run = run("
import socket, pytest
from shop import cart
import shop

class Cart:
    pass

def test_production_raises():
    cart.crash()

def test_raises_itself():
    raise RuntimeError('x')

def test_typo():
    carrt.total([])

def test_lacks_function():
    cart.subtotal([])

def test_lacks_import():
    from shop.cart import subtotal

def test_lacks_module():
    import shop.tax

def test_lacks_package():
    import surely_not_installed

def test_lacks_argument():
    cart.total([], tax=1)

def test_too_many():
    cart.total(1, 2)

def test_none():
    None.total()

def test_did_not_raise():
    with pytest.raises(ValueError):
        cart.total([])

def test_network():
    raise socket.gaierror(-3, 'Temporary failure in name resolution')

def test_fixture(nowhere):
    pass

def test_exits():
    raise SystemExit(0)
")
    .sound();
    let unresolved = |symbol: &str| Cause::Unresolved { symbol: symbol.to_owned() };
    let lines = |end| run.innermost(end);
    assert_eq!(run.cause("test_production_raises"), &Cause::Raised);
    assert_eq!(lines("test_production_raises"), ("shop/cart.py".to_owned(), 6));
    assert_eq!(run.case("test_production_raises").failure.as_ref().unwrap().exception, "KeyError");
    assert_eq!(run.cause("test_raises_itself"), &Cause::Raised);
    assert_eq!(lines("test_raises_itself").0, "tests/test_cart.py");
    assert_eq!(run.cause("test_typo"), &unresolved("carrt"));
    assert_eq!(run.cause("test_lacks_function"), &unresolved("subtotal"));
    assert_eq!(run.cause("test_lacks_import"), &unresolved("subtotal"));
    assert_eq!(run.cause("test_lacks_module"), &unresolved("shop.tax"));
    assert!(matches!(run.cause("test_lacks_package"), Cause::Infrastructure { .. }));
    assert_eq!(run.cause("test_lacks_argument"), &unresolved("tax"));
    assert_eq!(run.cause("test_too_many"), &unresolved("total"));
    assert_eq!(run.cause("test_none"), &Cause::Raised);
    assert_eq!(run.cause("test_did_not_raise"), &Cause::Assertion);
    assert!(matches!(run.cause("test_network"), Cause::Infrastructure { .. }));
    assert_eq!(run.cause("test_fixture"), &Cause::Broken { what: "fixture 'nowhere' not found".to_owned() });
    assert_eq!(run.cause("test_exits"), &Cause::Raised);
}

#[test]
fn a_file_that_cannot_be_loaded_says_why() {
    for (test, cause) in [
        ("from shop.cart import subtotal\n", Cause::Unresolved { symbol: "subtotal".to_owned() }),
        ("from shop.tax import rate\n", Cause::Unresolved { symbol: "shop.tax".to_owned() }),
        (
            "import numpy_of_nowhere\n",
            Cause::Infrastructure { what: "module 'numpy_of_nowhere' is not installed".to_owned() },
        ),
        ("raise RuntimeError('x')\n", Cause::Raised),
    ] {
        let run = run(test).sound();
        assert_eq!(run.output.code, Some(1), "{run}");
        assert_eq!(run.reading.cases.len(), 0);
        let [load] = run.reading.load_failures.as_slice() else { panic!("{run}") };
        assert_eq!(load.failure.cause, cause, "{run}");
        assert_eq!(load.file, RepoPath::new("tests/test_cart.py").ok());
        assert_eq!(load.failure.phase, Phase::Load);
    }
    let run = run("def test_x(:\n").sound();
    let cause = &run.reading.load_failures[0].failure.cause;
    assert!(
        matches!(cause, Cause::Broken { what } if what.starts_with("SyntaxError in tests/test_cart.py line 1")),
        "{run}"
    );
}

#[test]
fn a_conftest_that_cannot_be_loaded_is_a_load_failure() {
    let project = Fixture::new(&[
        ("shop.py", "x = 1\n"),
        ("conftest.py", "from shop import y\n"),
        ("test_a.py", "def test_a(): pass\n"),
    ]);
    let run = project.file(&*project.pytest(), "test_a.py").sound();
    let [load] = run.reading.load_failures.as_slice() else { panic!("{run}") };
    assert_eq!(load.failure.cause, Cause::Unresolved { symbol: "y".to_owned() }, "{run}");
    assert_eq!(load.file, RepoPath::new("conftest.py").ok());
}

#[test]
fn a_process_that_ends_early_leaves_an_incomplete_reading() {
    let exit = run("import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\ndef test_c(): pass\n");
    assert_eq!(exit.output.code, Some(0));
    assert!(!exit.reading.complete, "{exit}");
    assert_eq!(
        exit.reading.disagreements,
        ["the process ended with exit code 0 inside `tests/test_cart.py::test_b`"]
    );

    let load = run("import os\nos._exit(0)\n");
    assert!(!load.reading.complete && load.reading.cases.is_empty(), "{load}");

    let asked = run(
        "import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('bye', returncode=0)\ndef test_c(): pass\n",
    );
    assert_eq!(asked.output.code, Some(0));
    assert!(!asked.reading.complete, "{asked}");

    let atexit = run("import atexit, os\natexit.register(os._exit, 0)\ndef test_a(): assert 0\n");
    assert_eq!(atexit.output.code, Some(0));
    assert!(!atexit.reading.disagreements.is_empty(), "{atexit}");

    let stopped = run("import sys\nsys.exit(0)\n");
    assert!(!stopped.reading.complete || !stopped.reading.load_failures.is_empty(), "{stopped}");
}

#[test]
fn a_crash_of_the_interpreter_is_a_failure_of_the_running_test() {
    let run = run("import faulthandler\ndef test_a(): pass\ndef test_b(): faulthandler._sigsegv()\n");
    assert_eq!((run.output.code, run.status("test_b")), (None, Status::Failed), "{run}");
    assert!(!run.reading.complete);
    assert_eq!(run.innermost("test_b").0, "tests/test_cart.py");
}

#[test]
fn named_tests_run_alone() {
    let project = project(
        "import pytest\n@pytest.mark.parametrize('w', ['a b', 'x::y', 'é[1]'])\ndef test_w(w): pass\ndef test_other(): assert 0\n",
    );
    let ids = [
        "tests/test_cart.py::test_w[x::y]",
        "tests/test_cart.py::test_w[a b]",
        "tests/test_cart.py::test_w[\\xe9[1]]",
        "tests/test_cart.py::test_gone",
    ];
    let run = project.named(&*project.pytest(), &ids).sound();
    assert_eq!(run.output.code, Some(0), "{run}");
    let ran: Vec<_> = run.reading.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ran, [ids[1], ids[0], ids[2]]);

    let none = project.named(&*project.pytest(), &["tests/test_cart.py::test_gone"]).sound();
    assert_eq!((none.output.code, none.reading.cases.len()), (Some(5), 0));
    let absent = project.named(&*project.pytest(), &["tests/test_gone.py::test_gone"]);
    assert_eq!((absent.output.code, absent.reading.cases.len()), (Some(4), 0), "{absent}");
    assert!(absent.reading.complete && absent.reading.load_failures.is_empty(), "{absent}");
}

#[test]
fn long_selections_fit() {
    let test = format!(
        "import pytest\n@pytest.mark.parametrize('n', range(900))\ndef test_{}(n): pass\n",
        "x".repeat(160)
    );
    let project = project(&test);
    let all = project.file(&*project.pytest(), "tests/test_cart.py").sound();
    assert_eq!(all.reading.cases.len(), 900);
    let ids: Vec<_> = all.reading.cases.iter().map(|case| case.id.clone()).collect();
    let run = project.run(&*project.pytest(), &Selection::Tests(ids)).sound();
    assert_eq!(run.reading.cases.len(), 900);
}

#[test]
fn options_of_the_project_hide_nothing() {
    let test = "
import pytest
COUNT = []

@pytest.mark.slow
def test_slow(): assert 0

@pytest.mark.flaky(reruns=5)
def test_marked():
    COUNT.append(1)
    assert len(COUNT) > 1

def test_last(): pass
";
    let addopts = "--reruns 3 -k last -m 'not slow' -x --lf --cov=shop --cov-fail-under=100 -n 2 --strict-markers \
                   --deselect tests/test_cart.py::test_last --junitxml=mine.xml";
    let ini = format!("[pytest]\nmarkers = slow\naddopts = {addopts}\n");
    let project = Fixture::new(&[
        ("shop/__init__.py", ""),
        ("shop/cart.py", CART),
        ("tests/test_cart.py", test),
        ("pytest.ini", &ini),
    ]);
    let before = names(&project);
    let run = project.file(&*project.pytest(), "tests/test_cart.py").sound();
    assert_eq!(run.reading.cases.len(), 3, "{run}");
    assert_eq!(run.status("test_slow"), Status::Failed);
    assert_eq!(run.status("test_marked"), Status::Failed);
    assert_eq!(run.status("test_last"), Status::Passed);
    // Caches, coverage data and reports stay out of the tree.
    assert_eq!(names(&project), before);
}

fn names(project: &Fixture) -> Vec<String> {
    use failfirst::lang::Project;
    let mut names = Vec::new();
    let mut waiting = vec![project.root().to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            names.push(path.display().to_string());
            if path.is_dir() {
                waiting.push(path);
            }
        }
    }
    names.sort();
    names
}

#[test]
fn the_project_may_switch_parts_of_pytest_off() {
    let project = Fixture::new(&[
        ("shop.py", ""),
        ("test_a.py", "def test_a(): assert 'caf\\udce9' == ''\n"),
        (
            "pytest.ini",
            "[pytest]\naddopts = -p no:cacheprovider -p no:faulthandler --strict-config --tb=no -qq -s\n",
        ),
    ]);
    let run = project.file(&*project.pytest(), "test_a.py").sound();
    assert_eq!(run.cause("test_a"), &Cause::Assertion);
}

#[test]
fn one_file_that_cannot_be_loaded_does_not_hide_the_others() {
    let project = Fixture::new(&[
        ("shop.py", ""),
        ("tests/test_a.py", "import shop.nothing\n"),
        ("tests/test_b.py", "def test_b(): pass\n"),
    ]);
    let run = project.run(&*project.pytest(), &Selection::Suite).sound();
    assert_eq!((run.reading.load_failures.len(), run.status("test_b")), (1, Status::Passed), "{run}");
}

#[test]
fn the_suite_may_run_in_workers() {
    let project = Fixture::new(&[
        ("shop/__init__.py", ""),
        ("shop/cart.py", CART),
        ("tests/test_a.py", "def test_a(): pass\ndef test_b(): assert 1 == 2\n"),
        ("tests/test_b.py", "import shop.cart\ndef test_c(): shop.cart.crash()\n"),
        ("pytest.ini", "[pytest]\naddopts = -n 2 --reruns 2 -m 'not slow'\nmarkers = slow\n"),
    ]);
    let run = project.run(&*project.pytest(), &Selection::Suite).sound();
    assert_eq!(run.reading.cases.len(), 3, "{run}");
    assert_eq!(run.status("test_a"), Status::Passed);
    assert_eq!(run.cause("test_b"), &Cause::Assertion);
    assert_eq!(run.cause("test_c"), &Cause::Raised);
}

#[test]
fn a_hang_shows_where_it_hangs() {
    let project = project("import shop.cart\ndef test_a(): assert 0\ndef test_b(): shop.cart.spin()\n")
        .timeout(Duration::from_secs(8));
    let run = project.file(&*project.pytest(), "tests/test_cart.py");
    assert!(run.output.timed_out && !run.reading.complete, "{run}");
    assert_eq!(run.cause("test_a"), &Cause::Assertion);
    assert_eq!(run.cause("test_b"), &Cause::TimedOut);
    assert_eq!(run.innermost("test_b").0, "shop/cart.py");
}

#[test]
fn a_hang_while_loading_shows_where_it_hangs() {
    let project = project("import shop.cart\nshop.cart.spin()\n").timeout(Duration::from_secs(8));
    let run = project.file(&*project.pytest(), "tests/test_cart.py");
    let [load] = run.reading.load_failures.as_slice() else { panic!("{run}") };
    assert_eq!(load.failure.cause, Cause::TimedOut);
    assert!(!load.failure.frames.is_empty(), "{run}");
}

#[test]
fn a_hook_that_forces_success_is_reported_as_it_reports() {
    let hook = "
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = 'passed'
";
    let project =
        Fixture::new(&[("shop.py", ""), ("conftest.py", hook), ("test_a.py", "def test_a(): assert 0\n")]);
    let run = project.file(&*project.pytest(), "test_a.py").sound();
    assert_eq!(run.status("test_a"), Status::Passed);
}

#[test]
fn an_exit_code_that_is_forced_is_noticed() {
    let hook = "def pytest_sessionfinish(session): session.exitstatus = 0\n";
    let project =
        Fixture::new(&[("shop.py", ""), ("conftest.py", hook), ("test_a.py", "def test_a(): assert 0\n")]);
    let run = project.file(&*project.pytest(), "test_a.py");
    assert_eq!(run.output.code, Some(0));
    assert_eq!(run.reading.disagreements, ["the exit code is 0 although tests failed"]);
}

#[test]
fn unittest_classes_and_async_tests_run_through_pytest() {
    let run = run("
import asyncio, unittest, pytest

class Old(unittest.TestCase):
    def test_fails(self):
        self.assertEqual(1, 2)

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

class Late(unittest.IsolatedAsyncioTestCase):
    async def test_waits(self):
        await asyncio.sleep(0)

@pytest.mark.asyncio
async def test_marked():
    await asyncio.sleep(0)
    assert 1 == 2
")
    .sound();
    for (end, status) in [
        ("Old::test_fails", Status::Failed),
        ("Old::test_expected", Status::ExpectedFailure),
        ("Old::test_unexpected", Status::UnexpectedPass),
        ("Old::test_parts", Status::Failed),
        ("Late::test_waits", Status::Passed),
        ("test_marked", Status::Failed),
    ] {
        assert_eq!(run.status(end), status, "{end}: {run}");
    }
    assert_eq!(run.cause("Old::test_parts"), &Cause::Assertion);
}

#[test]
fn ids_are_relative_to_the_tree_even_where_pytest_roots_itself_deeper() {
    let project = Fixture::new(&[
        ("shop.py", ""),
        ("sub/pytest.ini", "[pytest]\n"),
        ("sub/tests/test_a.py", "def test_a(): assert 0\n"),
    ]);
    let run = project.file(&*project.pytest(), "sub/tests/test_a.py").sound();
    assert_eq!(run.reading.cases[0].id.as_str(), "sub/tests/test_a.py::test_a");
    let run = project.named(&*project.pytest(), &["sub/tests/test_a.py::test_a"]).sound();
    assert_eq!(run.reading.cases.len(), 1);
}

#[test]
fn the_session_leaves_no_trace_of_itself_to_children_and_to_the_path() {
    let project = project(
        "
import os, subprocess, sys

def test_path():
    assert sys.path.count(os.getcwd()) == 1 or sys.path[1] == os.getcwd()
    assert not [entry for entry in sys.path if 'session' in entry or 'report' in entry]
    assert 'session' not in sys.argv[0]
    assert not [name for name in os.environ if 'FAILFIRST' in name]
    assert 'PYTHONPATH' not in os.environ

def test_child():
    code = 'import sys, shop.cart; print(len(sys.path))'
    subprocess.run([sys.executable, '-c', code], check=True)

def work(n):
    return n + 1

def test_spawn():
    import multiprocessing
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        assert pool.map(work, [1]) == [2]

def test_fork():
    import multiprocessing
    with multiprocessing.get_context('fork').Pool(1) as pool:
        assert pool.map(work, [1]) == [2]
",
    )
    .timeout(Duration::from_secs(30));
    let run = project.file(&*project.pytest(), "tests/test_cart.py").sound();
    assert_eq!(run.output.code, Some(0), "{run}");
}

#[test]
fn canaries_pass_and_fail_in_the_same_session() {
    let project = project("def test_a(): pass\n");
    let runner = project.pytest();
    let beside = RepoPath::new("tests/test_cart.py").unwrap();
    let made = runner.canaries(&beside, "", "q7zk3").unwrap();
    use failfirst::lang::Project;
    std::fs::write(made.path.under(project.root()), &made.content).unwrap();
    let run = project.run(&*runner, &Selection::Files(vec![beside, made.path.clone()])).sound();
    assert_eq!(run.status(&made.passes), Status::Passed);
    assert_eq!(run.status(&made.fails), Status::Failed);
}

#[test]
fn a_copy_that_is_loaded_from_elsewhere_is_named() {
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("shop");
    std::fs::create_dir(&copy).unwrap();
    std::fs::write(copy.join("__init__.py"), "").unwrap();
    std::fs::write(copy.join("cart.py"), CART).unwrap();
    let project = Fixture::new(&[
        ("src/shop/__init__.py", ""),
        ("src/shop/cart.py", CART),
        ("tests/test_a.py", "import shop.cart\ndef test_a(): assert shop.cart.total([]) == 1\n"),
    ])
    .env("PYTHONPATH", elsewhere.path().to_str().unwrap());
    let run = project.file(&*project.pytest(), "tests/test_a.py").sound();
    assert_eq!(run.reading.loaded_outside, [copy.join("__init__.py"), copy.join("cart.py")]);
    let project = project.env("PYTHONPATH", "src");
    let run = project.file(&*project.pytest(), "tests/test_a.py").sound();
    assert_eq!(run.reading.loaded_outside, Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_project_in_a_folder_of_the_tree_runs_from_there() {
    let project = Fixture::new(&[
        ("web/index.js", ""),
        ("py/pyproject.toml", "[project]\nname = 'shop'\n"),
        ("py/cart.py", CART),
        ("py/tests/test_a.py", "import cart\ndef test_a(): assert cart.total([1]) == 1\n"),
    ]);
    let runner = project.pytest();
    let id = "py/tests/test_a.py::test_a";
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

#[test]
fn an_edit_of_the_same_size_and_time_is_run() {
    use failfirst::lang::Project;
    let project = project("from shop import cart\ndef test_a(): assert cart.total([1]) == 2\n");
    let runner = project.pytest();
    assert_eq!(project.file(&*runner, "tests/test_cart.py").sound().output.code, Some(0));
    let file = project.root().join("shop/cart.py");
    let when = std::fs::metadata(&file).unwrap().modified().unwrap();
    std::fs::write(&file, CART.replace("+ 1", "+ 2")).unwrap();
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(when).unwrap();
    assert_eq!(project.file(&*runner, "tests/test_cart.py").sound().output.code, Some(1));
}

#[test]
fn parts_of_a_test_belong_to_it() {
    let run = run("
def test_parts(subtests):
    for n in range(3):
        with subtests.test(n=n):
            assert n != 1

def test_good_parts(subtests):
    with subtests.test('one'):
        pass
")
    .sound();
    assert_eq!(run.status("test_parts"), Status::Failed, "{run}");
    assert_eq!(run.cause("test_parts"), &Cause::Assertion);
    assert_eq!(run.status("test_good_parts"), Status::Passed);
    assert_eq!(run.reading.cases.len(), 2);
}
