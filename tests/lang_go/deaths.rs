//! Panics, exits, hangs and races.

use std::time::{Duration, Instant};

use failfirst::git::RepoPath;
use failfirst::lang::{Cause, Phase, Place, Status};

use crate::harness::{FILE, Tree, cart, innermost};

#[test]
fn a_panic_in_production_is_raised_there() {
    let tree = cart("func TestFirst(t *testing.T) {\n\tFirst(nil)\n}\n\nfunc TestNext(t *testing.T) {}");
    let run = tree.tests(&["./cart:TestFirst"]);
    run.is_whole();
    assert_eq!(run.ids(), ["./cart:TestFirst"]);
    let failure = run.failure("./cart:TestFirst");
    assert_eq!(failure.cause, Cause::Raised);
    assert_eq!(failure.exception, "panic");
    assert_eq!(failure.message, "runtime error: index out of range [0] with length 0");
    assert_eq!(innermost(failure), "cart/cart.go:14");
    let last = failure.frames.last().unwrap();
    assert_eq!(last.function.as_deref(), Some("example.com/m/cart.First"));
    assert!(matches!(&failure.frames[0].place, Place::Outside(_)), "{:?}", failure.frames);

    // In the run of the whole file the panic keeps the second test from running.
    let run = tree.files(&[FILE]);
    assert!(!run.reading.complete, "{}", run.show());
    assert_eq!(run.ids(), ["./cart:TestFirst"]);
    assert_eq!(run.reading.disagreements, [""; 0]);
}

#[test]
fn a_panic_in_a_subtest_belongs_to_it_and_its_parent() {
    let tree = cart(
        "func TestFirst(t *testing.T) {\n\tt.Run(\"one\", func(t *testing.T) { First([]int{1}) })\n\tt.Run(\"no price\", func(t *testing.T) { First(nil) })\n}",
    );
    let run = tree.files(&[FILE]);
    run.is_whole();
    assert_eq!(run.case("./cart:TestFirst/one").status, Status::Passed);
    for id in ["./cart:TestFirst/no_price", "./cart:TestFirst"] {
        assert_eq!(innermost(run.failure(id)), "cart/cart.go:14", "{}", run.show());
    }
}

#[test]
fn a_panic_in_the_test_itself_is_raised_there() {
    let tree =
        cart("func TestFirst(t *testing.T) {\n\tvar m map[string]int\n\tm[\"a\"] = First([]int{1})\n}");
    let run = tree.files(&[FILE]);
    let failure = run.failure("./cart:TestFirst");
    assert_eq!(failure.cause, Cause::Raised);
    assert_eq!(innermost(failure), "cart/cart_test.go:7");
}

#[test]
fn a_panic_in_a_goroutine_of_production_belongs_to_the_test_that_ran() {
    let tree = Tree::new(&[
        (
            "p/p.go",
            "package p\n\nfunc Start() chan int {\n\tc := make(chan int)\n\tgo func() {\n\t\tpanic(\"boom\")\n\t}()\n\treturn c\n}\n",
        ),
        (
            "p/p_test.go",
            "package p\n\nimport \"testing\"\n\nfunc TestOk(t *testing.T) {}\n\nfunc TestStart(t *testing.T) {\n\t<-Start()\n}\n",
        ),
    ]);
    let run = tree.files(&["p/p_test.go"]);
    run.is_whole();
    assert_eq!(run.case("./p:TestOk").status, Status::Passed);
    let failure = run.failure("./p:TestStart");
    assert_eq!((failure.message.as_str(), innermost(failure).as_str()), ("boom", "p/p.go:6"));
}

#[test]
fn exit_with_code_0_is_a_failure() {
    let tree = cart("import \"os\"\n\nfunc TestTotal(t *testing.T) {\n\tos.Exit(0)\n}");
    let run = tree.files(&[FILE]);
    assert_eq!(run.failure("./cart:TestTotal").cause, Cause::Raised);
    assert_eq!(run.failure("./cart:TestTotal").message, "unexpected call to os.Exit(0) during test");
    assert_eq!(innermost(run.failure("./cart:TestTotal")), "cart/cart_test.go:8");
}

#[test]
fn a_process_that_ends_itself_silently_shows_nothing() {
    let tree = cart(
        "import \"syscall\"\n\nfunc TestTotal(t *testing.T) {\n\tsyscall.Exit(0)\n}\n\nfunc TestNext(t *testing.T) {}",
    );
    let run = tree.files(&[FILE]);
    assert!(!run.reading.complete);
    assert_eq!(run.ids(), [""; 0], "{}", run.show());
    assert!(run.reading.disagreements[0].contains("TestTotal never ended"), "{}", run.show());
}

#[test]
fn a_test_main_that_runs_nothing_shows_nothing() {
    let tree = cart(
        "import \"os\"\n\nfunc TestMain(m *testing.M) {\n\tos.Exit(0)\n}\n\nfunc TestTotal(t *testing.T) {}",
    );
    let run = tree.files(&[FILE]);
    assert!(!run.reading.complete);
    assert_eq!(run.ids(), [""; 0]);
}

#[test]
fn a_test_main_that_hides_a_failure_contradicts_the_report() {
    let tree = cart(
        "import \"os\"\n\nfunc TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(0)\n}\n\nfunc TestTotal(t *testing.T) {\n\tt.Fatal(\"no\")\n}",
    );
    let run = tree.files(&[FILE]);
    assert_eq!(run.case("./cart:TestTotal").status, Status::Failed);
    assert!(run.reading.disagreements.iter().any(|what| what.contains("exit code 0")), "{}", run.show());
}

#[test]
fn a_test_main_that_fails_after_the_tests_contradicts_the_report() {
    let tree = cart(
        "import \"os\"\n\nfunc TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(3)\n}\n\nfunc TestTotal(t *testing.T) {}",
    );
    let run = tree.files(&[FILE]);
    assert_eq!(run.case("./cart:TestTotal").status, Status::Passed);
    assert!(run.reading.disagreements[0].contains("none of its tests failed"), "{}", run.show());
}

#[test]
fn a_process_that_dies_during_a_test_fails_it() {
    let tree = cart(
        "import \"log\"\n\nfunc TestTotal(t *testing.T) {\n\tt.Run(\"x\", func(t *testing.T) { log.Fatal(\"no price\") })\n}",
    );
    let run = tree.files(&[FILE]);
    run.is_whole();
    for id in ["./cart:TestTotal", "./cart:TestTotal/x"] {
        let failure = run.failure(id);
        assert_eq!((failure.exception.as_str(), &failure.cause), ("exit", &Cause::Raised));
        assert!(failure.message.ends_with("no price"), "{}", failure.message);
    }
}

#[test]
fn a_panic_before_any_test_is_a_failure_to_load() {
    let mut tree = cart("func TestTotal(t *testing.T) {}");
    tree.write("cart/init.go", "package cart\n\nvar first = First(nil)\n");
    let run = tree.files(&[FILE]);
    let load = &run.reading.load_failures[0];
    assert_eq!(load.file, RepoPath::new(FILE).ok());
    assert_eq!((load.failure.phase, &load.failure.cause), (Phase::Load, &Cause::Raised));
    assert_eq!(innermost(&load.failure), "cart/cart.go:14");
}

#[test]
fn a_test_that_hangs_says_where() {
    let body = "func TestOk(t *testing.T) {}\n\nfunc TestWait(t *testing.T) {\n\tt.Run(\"forever\", func(t *testing.T) { Wait(make(chan int)) })\n}";
    let mut tree = cart(body).with_env("FAILFIRST_DUMP_AFTER", "1.0");
    tree.write("cart/wait.go", "package cart\n\nfunc Wait(c chan int) {\n\t<-c\n}\n");
    let started = Instant::now();
    let run = tree.files(&[FILE]);
    assert!(started.elapsed() < Duration::from_secs(60));
    run.is_whole();
    assert_eq!(run.case("./cart:TestOk").status, Status::Passed);
    for id in ["./cart:TestWait", "./cart:TestWait/forever"] {
        let failure = run.failure(id);
        assert_eq!(failure.cause, Cause::TimedOut, "{}", run.show());
        assert_eq!(innermost(failure), "cart/wait.go:4");
    }
}

#[test]
fn a_deadlock_is_raised_where_it_waits() {
    let mut tree = cart("func TestWait(t *testing.T) {\n\tWait(make(chan int))\n}");
    tree.write("cart/wait.go", "package cart\n\nfunc Wait(c chan int) {\n\t<-c\n}\n");
    // Without a timeout of its own the runtime sees that nothing can go on.
    let tree = tree.with_command("go test -timeout 0 {tests}");
    let run = tree.files(&[FILE]);
    let failure = run.failure("./cart:TestWait");
    assert_eq!((failure.exception.as_str(), &failure.cause), ("fatal error", &Cause::Raised));
    assert!(failure.message.contains("deadlock"), "{}", failure.message);
    assert_eq!(innermost(failure), "cart/wait.go:4");
}

#[test]
fn text_that_looks_like_a_panic_is_no_panic() {
    let tree = cart(
        "import \"fmt\"\n\nfunc TestA(t *testing.T) {\n\tfmt.Println(\"panic: boom\\n\\ngoroutine 7 [running]:\\nmain.main()\\n\\t/x.go:1\")\n\tt.Error(\"real\")\n}",
    );
    let run = tree.files(&[FILE]);
    run.is_whole();
    assert_eq!(run.failure("./cart:TestA").message, "real");
}

#[test]
fn a_race_is_raised_where_it_was_seen() {
    let tree = cart("func TestRace(t *testing.T) {\n\tc := make(chan bool)\n\tgo func() {\n\t\tInc()\n\t\tc <- true\n\t}()\n\tInc()\n\t<-c\n}")
        .with_command("go test -race {tests}");
    let mut tree = tree;
    tree.write("cart/inc.go", "package cart\n\nvar n int\n\nfunc Inc() {\n\tn++\n}\n");
    let run = tree.files(&[FILE]);
    run.is_whole();
    let failure = run.failure("./cart:TestRace");
    assert_eq!((failure.exception.as_str(), &failure.cause), ("data race", &Cause::Raised), "{}", run.show());
    assert_eq!(innermost(failure), "cart/inc.go:6");
}
