//! Modules, packages, build tags, data files, canaries.

use std::collections::BTreeMap;
use std::path::PathBuf;

use failfirst::git::RepoPath;
use failfirst::lang::{Canaries, Cause, Project as _, Selection, Status, TestId};

use crate::harness::{CART, FILE, Tree, cart, innermost, test_file};

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
    assert_eq!(without.reading.load_failures[0].file, RepoPath::new(FILE).ok());
    assert!(without.reading.load_failures[0].failure.message.contains("`-tags`"), "{}", without.show());
    let tree = tree.with_command("go test -tags slow {tests}");
    let with = tree.files(&[FILE]);
    with.is_whole();
    assert_eq!(with.ids(), ["./cart:TestTagged"]);
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

#[test]
fn a_build_runs_no_code_of_the_project() {
    let tree = cart(
        "import \"os\"\n\nfunc init() { os.WriteFile(\"ran\", nil, 0o644) }\n\nfunc TestA(t *testing.T) {}",
    );
    let runner = tree.runner();
    let home = tempfile::tempdir().unwrap();
    let selection = Selection::Tests(vec![TestId::from("./cart:TestA")]);
    let build = runner.build(&selection);
    assert_eq!(build.len(), 1);
    let output = tree.execute(runner.as_ref(), &build[0], home.path());
    assert!(output.status.success(), "{output:?}");
    assert!(!tree.folder.path().join("cart/ran").exists());
    tree.run(&selection).is_whole();
    assert!(tree.folder.path().join("cart/ran").exists());
}
