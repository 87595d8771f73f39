//! The Go adapter against a real `go test`: small modules, written to a temporary folder, tested by
//! the adapter's own commands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use failfirst::git::RepoPath;
use failfirst::lang::{
    Canaries, Case, Cause, Failure, Output, Phase, Place, Project, Reading, Runner, RunnerSettings,
    Selection, Status, Template, TestId,
};

/// A Go module (or several) on disk.
struct Tree {
    folder: tempfile::TempDir,
    paths: Vec<RepoPath>,
    settings: RunnerSettings,
    env: BTreeMap<String, String>,
}

/// What a run left.
struct Run {
    reading: Reading,
    outputs: Vec<Output>,
}

impl Tree {
    /// A module `example.com/m` with these files.
    fn new(files: &[(&str, &str)]) -> Self {
        let found = Command::new("go").arg("version").output();
        assert!(
            found.is_ok_and(|output| output.status.success()),
            "Go is not installed: run scripts/test-tools/go"
        );
        let folder = tempfile::tempdir().unwrap();
        let settings = RunnerSettings::default();
        let mut tree = Self { folder, paths: Vec::new(), settings, env: BTreeMap::new() };
        tree.write("go.mod", "module example.com/m\n\ngo 1.19\n");
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    fn with_command(mut self, command: &str) -> Self {
        self.settings.command = Some(Template::parse(command).unwrap());
        self
    }

    fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn write(&mut self, path: &str, text: &str) {
        let file = self.folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        let path = RepoPath::new(path).unwrap();
        if let Err(at) = self.paths.binary_search(&path) {
            self.paths.insert(at, path);
        }
    }

    fn runner(&self) -> Box<dyn Runner> {
        failfirst::lang::detect(self, None).unwrap().runner(self, &self.settings).unwrap()
    }

    fn run(&self, selection: &Selection) -> Run {
        self.run_with(self.runner().as_ref(), selection)
    }

    fn run_with(&self, runner: &dyn Runner, selection: &Selection) -> Run {
        let out = tempfile::tempdir().unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut outputs = Vec::new();
        for invocation in runner.run(selection, out.path()) {
            for (name, content) in &invocation.files {
                std::fs::write(out.path().join(name), content).unwrap();
            }
            let started = Instant::now();
            let output = Command::new(&invocation.argv[0])
                .args(&invocation.argv[1..])
                .current_dir(self.folder.path().join(&invocation.cwd))
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap())
                .env("HOME", home.path())
                .envs(runner.environment())
                .envs(&self.env)
                .envs(&invocation.env)
                .output()
                .unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            outputs.push(Output {
                code: output.status.code(),
                timed_out: false,
                stdout: text(&output.stdout),
                stderr: text(&output.stderr),
                took: started.elapsed(),
                cut: 0,
            });
        }
        let reading = runner.read(selection, &outputs, out.path(), self.folder.path());
        Run { reading, outputs }
    }

    fn files(&self, paths: &[&str]) -> Run {
        self.run(&Selection::Files(paths.iter().map(|path| RepoPath::new(*path).unwrap()).collect()))
    }

    fn tests(&self, ids: &[&str]) -> Run {
        self.run(&Selection::Tests(ids.iter().map(|id| TestId::from(*id)).collect()))
    }
}

impl Project for Tree {
    fn paths(&self) -> &[RepoPath] {
        &self.paths
    }
    fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join(path)).ok()
    }
    fn root(&self) -> &Path {
        self.folder.path()
    }
}

impl Run {
    fn case(&self, id: &str) -> &Case {
        self.reading.case(&TestId::from(id)).unwrap_or_else(|| panic!("{id} is absent: {}", self.show()))
    }

    fn failure(&self, id: &str) -> &Failure {
        self.case(id).failure.as_ref().unwrap_or_else(|| panic!("{id} has no failure: {}", self.show()))
    }

    fn ids(&self) -> Vec<&str> {
        self.reading.cases.iter().map(|case| case.id.as_str()).collect()
    }

    /// Nothing is missing and nothing contradicts.
    #[track_caller]
    fn is_whole(&self) {
        assert!(self.reading.complete, "{}", self.show());
        assert_eq!(self.reading.disagreements, [""; 0], "{}", self.show());
    }

    fn show(&self) -> String {
        format!("{:#?}\n{:#?}", self.reading, self.outputs)
    }
}

/// `path:line` of the innermost frame in the tree.
fn innermost(failure: &Failure) -> String {
    let frame = failure.frames.iter().rev().find_map(|frame| match &frame.place {
        Place::Tree(path) => Some(format!("{path}:{}", frame.line)),
        Place::Outside(_) => None,
    });
    frame.unwrap_or_default()
}

const CART: &str = "package cart

// Total adds up.
func Total(prices []int) int {
	sum := 0
	for _, price := range prices {
		sum += price
	}
	return sum
}

// First is the first price.
func First(prices []int) int {
	return prices[0]
}
";

fn test_file(body: &str) -> String {
    format!("package cart\n\nimport \"testing\"\n\n{body}\n")
}

fn cart(body: &str) -> Tree {
    Tree::new(&[("cart/cart.go", CART), ("cart/cart_test.go", &test_file(body))])
}

const FILE: &str = "cart/cart_test.go";

#[test]
fn a_passing_test_passes() {
    let tree =
        cart("func TestTotal(t *testing.T) {\n\tif Total([]int{1, 2}) != 3 {\n\t\tt.Fatal(\"no\")\n\t}\n}");
    for run in [tree.files(&[FILE]), tree.tests(&["./cart:TestTotal"]), tree.run(&Selection::Suite)] {
        run.is_whole();
        assert_eq!(run.ids(), ["./cart:TestTotal"]);
        assert_eq!(run.case("./cart:TestTotal").status, Status::Passed);
        assert_eq!(run.case("./cart:TestTotal").file, RepoPath::new(FILE).ok());
        assert!(run.outputs[0].stdout.contains("--- PASS: TestTotal"), "{}", run.outputs[0].stdout);
    }
}

#[test]
fn a_failed_assertion_is_found_at_its_line_and_logs_are_not_taken_for_it() {
    let tree = cart(
        "func TestTotal(t *testing.T) {\n\tt.Log(\"before\")\n\tif got := Total([]int{1, 2}); got != 4 {\n\t\tt.Errorf(\"got %d\\nwant 4\", got)\n\t}\n\tt.Logf(\"after\")\n}",
    );
    let run = tree.files(&[FILE]);
    run.is_whole();
    let failure = run.failure("./cart:TestTotal");
    assert_eq!((&failure.cause, failure.phase), (&Cause::Assertion, Phase::Call));
    assert_eq!(failure.message, "got 3\nwant 4");
    assert_eq!(innermost(failure), "cart/cart_test.go:8");
}

#[test]
fn an_assertion_in_a_helper_of_the_package_is_found_there() {
    let mut tree = cart("func TestTotal(t *testing.T) {\n\tcheck(t, Total(nil), 1)\n}");
    tree.write(
        "cart/help_test.go",
        &test_file("func check(t *testing.T, got, want int) {\n\tif got != want {\n\t\tt.Fatalf(\"%d\", got)\n\t}\n}"),
    );
    let run = tree.files(&[FILE]);
    assert_eq!(innermost(run.failure("./cart:TestTotal")), "cart/help_test.go:7");
}

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
fn an_undefined_symbol_is_unresolved_and_stops_every_file_of_the_package() {
    let mut tree = cart("func TestSum(t *testing.T) {\n\tSum(nil)\n\tTotal(nil, 1)\n}");
    tree.write("cart/other_test.go", &test_file("func TestOther(t *testing.T) {}"));
    let run = tree.files(&[FILE, "cart/other_test.go"]);
    run.is_whole();
    assert_eq!(run.ids(), [""; 0]);
    let loads = &run.reading.load_failures;
    let seen: Vec<_> = loads
        .iter()
        .map(|load| {
            (load.file.as_ref().unwrap().as_str(), load.failure.cause.clone(), innermost(&load.failure))
        })
        .collect();
    let unresolved = |symbol: &str| Cause::Unresolved { symbol: symbol.to_owned() };
    assert_eq!(
        seen,
        [
            (FILE, unresolved("Sum"), "cart/cart_test.go:6".to_owned()),
            (FILE, unresolved("Total"), "cart/cart_test.go:7".to_owned()),
            ("cart/other_test.go", unresolved("Sum"), "cart/cart_test.go:6".to_owned()),
        ]
    );
    assert!(loads.iter().all(|load| load.failure.phase == Phase::Load));
    let suite = tree.run(&Selection::Suite);
    suite.is_whole();
    assert_eq!(suite.reading.load_failures.len(), 3);
}

#[test]
fn a_syntax_error_and_an_unused_import_break_the_test() {
    let run = cart("func TestSum(t *testing.T) {\n\tif {\n}").files(&[FILE]);
    assert!(matches!(run.reading.load_failures[0].failure.cause, Cause::Broken { .. }), "{}", run.show());
    assert_eq!(run.reading.load_failures[0].file, RepoPath::new(FILE).ok());
    run.is_whole();
    let run = cart("import \"os\"\n\nfunc TestSum(t *testing.T) {}").files(&[FILE]);
    assert!(matches!(run.reading.load_failures[0].failure.cause, Cause::Broken { .. }), "{}", run.show());
}

#[test]
fn what_vet_finds_in_a_test_breaks_the_test() {
    let run = cart("func TestSum(t *testing.T) {\n\tt.Errorf(\"%d\", \"x\")\n}").files(&[FILE]);
    run.is_whole();
    let load = &run.reading.load_failures[0];
    assert!(matches!(&load.failure.cause, Cause::Broken { what } if what.contains("Errorf format")));
    assert_eq!(innermost(&load.failure), "cart/cart_test.go:6");
}

#[test]
fn production_that_does_not_build_is_no_failure_of_the_test() {
    let mut tree = cart("func TestSum(t *testing.T) {}");
    tree.write("cart/more.go", "package cart\n\nfunc More() int { return \"x\" }\n");
    let run = tree.files(&[FILE]);
    run.is_whole();
    let load = &run.reading.load_failures[0];
    assert_eq!(load.file, RepoPath::new(FILE).ok());
    assert!(
        matches!(&load.failure.cause, Cause::Infrastructure { what } if what.starts_with("cart/more.go does not build"))
    );
}

#[test]
fn an_absent_module_is_infrastructure_and_an_absent_package_of_the_project_is_unresolved() {
    let run = cart("import \"github.com/x/y\"\n\nfunc TestSum(t *testing.T) { y.Y() }").files(&[FILE]);
    let cause = &run.reading.load_failures[0].failure.cause;
    assert!(
        matches!(cause, Cause::Infrastructure { what } if what.contains("github.com/x/y")),
        "{}",
        run.show()
    );
    let run = cart("import \"example.com/m/tax\"\n\nfunc TestSum(t *testing.T) { tax.Of(1) }").files(&[FILE]);
    let cause = &run.reading.load_failures[0].failure.cause;
    assert_eq!(*cause, Cause::Unresolved { symbol: "example.com/m/tax".to_owned() });
}

#[test]
fn a_skipped_test_is_no_passed_test() {
    let run = cart("func TestTotal(t *testing.T) {\n\tt.Skip(\"later\")\n}").files(&[FILE]);
    run.is_whole();
    assert_eq!(run.case("./cart:TestTotal").status, Status::Skipped);
}

#[test]
fn subtests_with_odd_and_doubled_names_are_found_again() {
    let tree = cart(
        "func TestTotal(t *testing.T) {\n\tfor _, name := range []string{\"a b\", \"a b\", \"x/y\", \"q[1]|(é)\", \"z: .*\"} {\n\t\tt.Run(name, func(t *testing.T) {\n\t\t\tif name := t.Name(); name[len(name)-1] == 'y' {\n\t\t\t\tt.Fatal(name)\n\t\t\t}\n\t\t})\n\t}\n}",
    );
    let all = tree.files(&[FILE]);
    all.is_whole();
    let ids = all.ids();
    assert_eq!(ids.len(), 6, "{ids:?}");
    for id in &ids {
        let one = tree.tests(&[id]);
        one.is_whole();
        assert_eq!(one.ids(), [*id]);
        assert_eq!(one.case(id).status, all.case(id).status, "{id}");
    }
    assert!(ids.contains(&"./cart:TestTotal/a_b#01") && ids.contains(&"./cart:TestTotal/x/y"), "{ids:?}");
    // The parent failed for no reason of its own.
    assert_eq!(all.failure("./cart:TestTotal"), all.failure("./cart:TestTotal/x/y"));
    // Two subtests of which one fails: the sibling's result is not lost, the others are not reported.
    let two = tree.tests(&["./cart:TestTotal/a_b", "./cart:TestTotal/x/y"]);
    two.is_whole();
    assert_eq!(two.ids().len(), 2);
}

#[test]
fn parallel_table_tests_keep_their_own_failures() {
    let tree = cart(
        "func TestTable(t *testing.T) {\n\tfor name, want := range map[string]int{\"one\": 1, \"two\": 2, \"three\": 3} {\n\t\tname, want := name, want\n\t\tt.Run(name, func(t *testing.T) {\n\t\t\tt.Parallel()\n\t\t\tif got := Total([]int{2}); got != want {\n\t\t\t\tt.Errorf(\"%s: got %d\", name, got)\n\t\t\t}\n\t\t})\n\t}\n}",
    );
    let run = tree.files(&[FILE]);
    run.is_whole();
    assert_eq!(run.case("./cart:TestTable/two").status, Status::Passed);
    assert_eq!(run.failure("./cart:TestTable/one").message, "one: got 2");
    assert_eq!(run.failure("./cart:TestTable/three").message, "three: got 2");
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
fn an_external_test_package_runs_with_its_namesake() {
    let mut tree = cart("func TestInside(t *testing.T) {}");
    tree.write(
        "cart/outside_test.go",
        "package cart_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/m/cart\"\n)\n\nfunc TestOutside(t *testing.T) {\n\tif cart.Total(nil) != 1 {\n\t\tt.Error(\"no\")\n\t}\n}\n",
    );
    let run = tree.files(&["cart/outside_test.go"]);
    run.is_whole();
    assert_eq!(run.ids(), ["./cart:TestOutside"]);
    assert_eq!(innermost(run.failure("./cart:TestOutside")), "cart/outside_test.go:11");
    let missing = "package cart_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/m/cart\"\n)\n\nfunc TestOutside(t *testing.T) {\n\tcart.Sum()\n}\n";
    tree.write("cart/outside_test.go", missing);
    let run = tree.files(&["cart/outside_test.go"]);
    let cause = &run.reading.load_failures[0].failure.cause;
    assert_eq!(*cause, Cause::Unresolved { symbol: "cart.Sum".to_owned() }, "{}", run.show());
}

#[test]
fn several_packages_and_modules_run_side_by_side() {
    let test = |package: &str, body: &str| {
        format!("package {package}\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {{ {body} }}\n")
    };
    let tree = Tree::new(&[
        ("root_test.go", &test("m", "")),
        ("a/b/b_test.go", &test("b", "t.Fatal(\"no\")")),
        ("none/none.go", "package none\n"),
        ("sub/go.mod", "module example.com/other\n\ngo 1.19\n"),
        ("sub/c/c_test.go", &test("c", "panic(1)")),
    ]);
    for run in [
        tree.files(&["root_test.go", "a/b/b_test.go", "sub/c/c_test.go"]),
        tree.tests(&[".:TestA", "./a/b:TestA", "./sub/c:TestA"]),
        tree.run(&Selection::Suite),
    ] {
        run.is_whole();
        let mut seen: Vec<_> = run.reading.cases.iter().map(|case| (case.id.as_str(), case.status)).collect();
        seen.sort_by_key(|(id, _)| *id);
        let [passed, failed] = [Status::Passed, Status::Failed];
        assert_eq!(seen, [("./a/b:TestA", failed), ("./sub/c:TestA", failed), (".:TestA", passed)]);
        assert_eq!(innermost(run.failure("./sub/c:TestA")), "sub/c/c_test.go:5");
    }
}

#[test]
fn build_tags_of_the_command_are_kept() {
    let body = "func TestTagged(t *testing.T) {}";
    let source = format!("//go:build slow\n\n{}", test_file(body));
    let tree = Tree::new(&[("cart/cart.go", CART), (FILE, &source)]);
    let without = tree.files(&[FILE]);
    assert_eq!(without.ids(), [""; 0], "{}", without.show());
    let tree = tree.with_command("go test -tags slow {tests}");
    let with = tree.files(&[FILE]);
    with.is_whole();
    assert_eq!(with.ids(), ["./cart:TestTagged"]);
}

#[test]
fn an_example_that_prints_something_else_fails_at_its_declaration() {
    let source = "package cart\n\nimport \"fmt\"\n\nfunc ExampleTotal() {\n\tfmt.Println(Total([]int{1, 2}))\n\t// Output: 4\n}\n";
    let tree = Tree::new(&[("cart/cart.go", CART), (FILE, source)]);
    let run = tree.files(&[FILE]);
    run.is_whole();
    let failure = run.failure("./cart:ExampleTotal");
    assert_eq!(failure.cause, Cause::Assertion);
    assert_eq!(failure.message, "got:\n3\nwant:\n4");
    assert_eq!(innermost(failure), "cart/cart_test.go:5");
}

#[test]
fn seeds_of_a_fuzz_test_are_cases() {
    let tree = cart(
        "func FuzzTotal(f *testing.F) {\n\tf.Add(1)\n\tf.Add(3)\n\tf.Fuzz(func(t *testing.T, n int) {\n\t\tif n == 3 {\n\t\t\tt.Errorf(\"three\")\n\t\t}\n\t})\n}",
    );
    let run = tree.files(&[FILE]);
    run.is_whole();
    assert_eq!(run.case("./cart:FuzzTotal/seed#0").status, Status::Passed);
    assert_eq!(run.failure("./cart:FuzzTotal/seed#1").message, "three");
}

#[test]
fn a_test_reads_its_data_from_the_package_folder() {
    let mut tree = cart(
        "import \"os\"\n\nfunc TestData(t *testing.T) {\n\tif data, _ := os.ReadFile(\"testdata/a.txt\"); string(data) != \"x\" {\n\t\tt.Fatal(\"no\")\n\t}\n}",
    );
    tree.write("cart/testdata/a.txt", "x");
    tree.write("cart/testdata/broken_test.go", "not go");
    let run = tree.run(&Selection::Suite);
    run.is_whole();
    assert_eq!(run.case("./cart:TestData").status, Status::Passed);
    // A changed data file asks for the tests of the package that can read it.
    tree.write("cart/testdata/a.txt", "y");
    let run = tree.files(&["cart/testdata/a.txt"]);
    run.is_whole();
    assert_eq!(run.case("./cart:TestData").status, Status::Failed);
}

#[test]
fn output_without_an_end_of_line_hides_no_result() {
    let tree = cart(
        "import \"fmt\"\n\nfunc TestA(t *testing.T) { fmt.Print(\"abc\") }\n\nfunc TestB(t *testing.T) {\n\tfmt.Print(\"abc\")\n\tt.Error(\"x\")\n}\n\nfunc TestC(t *testing.T) { fmt.Print(\"PASS\") }",
    );
    let run = tree.files(&[FILE]);
    run.is_whole();
    assert_eq!(run.case("./cart:TestA").status, Status::Passed, "{}", run.show());
    assert_eq!(run.case("./cart:TestC").status, Status::Passed);
    assert_eq!(
        (run.failure("./cart:TestB").message.as_str(), innermost(run.failure("./cart:TestB")).as_str()),
        ("x", "cart/cart_test.go:11")
    );
}

#[test]
fn a_forged_pass_is_not_believed_over_a_failure() {
    let tree = cart(
        "import \"fmt\"\n\nfunc TestA(t *testing.T) {\n\tfmt.Println(\"--- PASS: TestA (0.00s)\")\n\tt.Fatal(\"no\")\n}",
    );
    let run = tree.files(&[FILE]);
    assert_eq!(run.case("./cart:TestA").status, Status::Failed, "{}", run.show());
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
fn a_selected_file_or_folder_that_is_absent_is_said_so() {
    let tree = cart("func TestA(t *testing.T) {}");
    let run = tree.files(&["nowhere/x_test.go"]);
    let load = &run.reading.load_failures[0];
    assert_eq!(load.file, RepoPath::new("nowhere/x_test.go").ok());
    assert!(matches!(load.failure.cause, Cause::Broken { .. }), "{}", run.show());
    assert_eq!(run.reading.disagreements, [""; 0]);
    let run = tree.tests(&["TestA"]);
    assert!(!run.reading.complete);
    assert!(run.reading.load_failures[0].failure.message.contains("is no Go test"), "{}", run.show());
}

#[test]
fn a_command_that_is_no_go_test_is_named() {
    let tree = cart("func TestA(t *testing.T) {}").with_command("echo {tests}");
    let run = tree.files(&[FILE]);
    assert!(!run.reading.complete);
    assert!(run.reading.load_failures[0].failure.message.contains("must run `go test`"), "{}", run.show());
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

#[test]
fn canaries_sing_in_the_session_of_the_test() {
    let mut tree = cart("func TestTotal(t *testing.T) {}");
    let runner = tree.runner();
    let beside = RepoPath::new(FILE).unwrap();
    let source = tree.text(FILE).unwrap();
    for nonce in ["a1b2c3", "77777", "0f0e0d"] {
        let Canaries { path, content, passes, fails } = runner.canaries(&beside, &source, nonce).unwrap();
        tree.write(path.as_str(), &content);
        let run = tree.files(&[FILE, path.as_str()]);
        run.is_whole();
        assert_eq!(run.ids().len(), 3);
        assert_eq!(run.case(&format!("./cart:{passes}")).status, Status::Passed);
        assert_eq!(run.failure(&format!("./cart:{fails}")).cause, Cause::Assertion);
        std::fs::remove_file(tree.folder.path().join(path.as_str())).unwrap();
    }
}

#[test]
fn the_surroundings_of_a_run_are_its_own() {
    let tree = cart("");
    let runner = tree.runner();
    assert!(runner.label().starts_with("go test (Go 1."), "{}", runner.label());
    let env: BTreeMap<String, String> = runner.environment().into_iter().collect();
    assert_eq!(env["GOPROXY"], "off");
    assert_eq!(env["GOFLAGS"], "");
    assert_eq!(runner.writable_caches(), [PathBuf::from(&env["GOCACHE"])]);
}
