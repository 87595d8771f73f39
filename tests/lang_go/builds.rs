//! Packages that do not build, and commands that run nothing.

use failfirst::git::RepoPath;
use failfirst::lang::{Cause, Phase, Selection};

use crate::harness::{FILE, cart, innermost, test_file};

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
