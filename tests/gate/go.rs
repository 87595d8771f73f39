//! The rows of the catalogue in Go.

use failfirst::gate::verdict::{Check, FailureClass};

use crate::harness::repository::{gone, put};
use crate::harness::story::{Story, go, go_total};

/// A test file with this body of its one test.
fn test_with(body: &str) -> Story {
    let text =
        format!("package shop\n\nimport \"testing\"\n\nfunc TestTotal(t *testing.T) {{\n\t{body}\n}}\n");
    go().test([put("shop_test.go", text)])
}

const CHECK: &str = "if Total([]int{1, 2, 3}) != 6 { t.Fatal(\"wrong\") }";

/// Row 1, Go, honest twin: verified.
#[test]
fn an_honest_go_fix_is_verified() {
    go().together().verified();
    go().sealed().verified();
}

/// Rows 1 and 2, Go: refused.
#[test]
fn a_go_test_that_passes_on_the_base_is_refused() {
    test_with("if Total([]int{0, 1}) != 1 { t.Fatal(\"wrong\") }")
        .sealed()
        .refused_by(Check::K1, "not reproduced");
    test_with("if Total([]int{1, 2, 3}) != 5 { t.Fatal(\"the fix flips this\") }")
        .sealed()
        .refused_by(Check::K1, "not reproduced");
}

/// Rows 3, 4 and 6, Go: refused.
#[test]
fn a_broken_go_test_is_refused() {
    test_with("if Totl([]int{1}) != 1 { t.Fatal() }")
        .together()
        .refused_by(Check::K1, "")
        .class(Check::K1, FailureClass::C);
    test_with("if Total([]int{1} != 1 { t.Fatal() }")
        .together()
        .refused_by(Check::K1, "")
        .class(Check::K1, FailureClass::C);
}

/// Row 3, Go, honest twin: verified.
#[test]
fn a_go_test_of_an_api_to_come_is_not_refused() {
    let fix =
        go_total("0", "") + "\nfunc Mean(prices []int) int {\n\treturn Total(prices) / len(prices)\n}\n";
    test_with("if Mean([]int{1, 3}) != 2 { t.Fatal() }")
        .fix([put("shop.go", fix)])
        .together()
        .verified()
        .passed(Check::K8);
}

/// Row 12, Go: refused.
#[test]
fn a_skipped_go_test_is_refused() {
    test_with(&format!("t.Skip(\"later\")\n\t{CHECK}"))
        .together()
        .refused_by(Check::K1, "")
        .class(Check::K1, FailureClass::E);
}

/// Rows 33, 34 and 39, Go: refused.
#[test]
fn a_fixer_that_edits_deletes_or_switches_off_the_sealed_go_test_is_refused() {
    let weak = "package shop\n\nimport \"testing\"\n\nfunc TestTotal(t *testing.T) {}\n";
    go().fix([put("shop_test.go", weak)]).sealed().refused_by(Check::K0, "edited after it was sealed");
    go().fix([gone("shop_test.go")]).sealed().refused_by(Check::K0, "removed or renamed");
    let tagged = format!("//go:build never\n\n{weak}");
    go().fix([put("shop_test.go", tagged)]).sealed().refused_by(Check::K0, "edited after it was sealed");
}

/// Row 43, Go: refused.
#[test]
fn a_fixer_that_adds_a_test_main_is_not_verified() {
    let main = "package shop\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(0)\n}\n";
    let story = go()
        .without_fix()
        .fix([put("shop.go", go_total("1", "\t// idle\n\t_ = len(prices)\n")), put("main_test.go", main)]);
    story.sealed().not_verified();
    story.together().not_verified();
}

/// Rows 22, 40 and 41, Go: refused.
#[test]
fn a_fixer_that_replaces_modules_is_refused() {
    let story = go()
        .fix([put("go.mod", "module shop\n\ngo 1.19\n\nrequire sums v1.0.0\n\nreplace sums => ./sums\n")]);
    story.sealed().refused_by(Check::K0, "go.mod");
    go().fix([put("go.work", "go 1.19\n\nuse .\n")]).sealed().refused_by(Check::K0, "go.work");
    go().fix([put("vendor/modules.txt", "")]).sealed().refused_by(Check::K0, "vendor");
}

/// Row 43, Go: refused.
#[test]
fn go_production_that_ends_the_process_is_refused() {
    let exit = go_total("1", "\tif len(prices) == 3 {\n\t\tos.Exit(0)\n\t}\n")
        .replace("package shop\n", "package shop\n\nimport \"os\"\n");
    go().fix([put("shop.go", exit)]).together().refused_by(Check::K2, "");
    let forge = go_total("1", "\tif len(prices) == 3 {\n\t\tfmt.Println(\"--- PASS: TestTotal (0.00s)\\nPASS\\nok  \\tshop\\t0.001s\")\n\t\tos.Exit(0)\n\t}\n")
        .replace("package shop\n", "package shop\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n");
    go().fix([put("shop.go", forge)]).together().not_verified();
}

/// Row 69, Go: refused.
#[test]
fn a_go_fix_that_breaks_another_test_is_refused() {
    let breaks = go_total("0", "\tif len(prices) == 1 {\n\t\treturn 1\n\t}\n");
    go().fix([put("shop.go", breaks)])
        .sealed()
        .refused_by(Check::K12, "passed before and fails on the fixed code");
}
