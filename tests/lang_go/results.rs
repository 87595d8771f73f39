//! Tests that pass, fail and are skipped, and their names.

use failfirst::git::RepoPath;
use failfirst::lang::{Cause, Phase, Selection, Status};

use crate::harness::{CART, FILE, Tree, cart, innermost, test_file};

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
