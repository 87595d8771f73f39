//! Changes that git shows otherwise than they are (rows 53 to 59 of the catalogue).

use failfirst::gate::verdict::Check;
use failfirst::verify::Sealing;

use crate::harness::repository::{gone, link, put};
use crate::harness::story::{Written, javascript, python, rust};

const WEAK: &str =
    "import unittest\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        pass\n";

fn sealed(written: &Written) -> Sealing {
    Sealing::Revision(written.test.clone())
}

// Row 53: attributes that hide a diff.

/// Row 53, Python: refused.
/// Row 53, Python: needs-human.
#[test]
fn a_fixer_that_hides_a_diff_by_attributes_is_refused() {
    let hidden = ".gitattributes";
    let story = python().fix([put(hidden, "*.py -diff\n"), put("tests/test_shop.py", WEAK)]);
    story
        .sealed()
        .refused_by(Check::K0, "")
        .shows(Check::K0, "edited after it was sealed")
        .shows(Check::K0, "steers git");
    python().fix([put(hidden, "*.py -diff\n")]).sealed().refused_by(Check::K0, "a file that steers git");
    python().fix([put(hidden, "*.py -diff\n")]).together().needs_human(Check::K0, "a file that steers git");
}

/// Row 53, Python, honest twin: verified.
/// Row 53, Python: refused.
#[test]
fn attributes_of_the_base_hide_nothing() {
    let base = [put(".gitattributes", "*.py -diff binary\n")];
    let story = python().base(base);
    story.clone().sealed().verified();
    story.fix([put("tests/test_shop.py", WEAK)]).sealed().refused_by(Check::K0, "edited after it was sealed");
}

// Row 54: attributes that change the checked-out bytes.

/// Row 54, Python: refused.
/// Row 54, Python, honest twin: verified.
#[test]
fn an_encoding_of_the_working_tree_does_not_change_the_test() {
    let written = python().write();
    let info = written.repository.root().join(".git/info");
    std::fs::create_dir_all(&info).unwrap();
    std::fs::write(
        info.join("attributes"),
        "tests/test_shop.py working-tree-encoding=UTF-16\n*.py ident eol=crlf\n",
    )
    .unwrap();
    written.judge(sealed(&written)).verified();
    let story = python().fix([put(".gitattributes", "tests/*.py working-tree-encoding=ISO-8859-1\n")]);
    story.sealed().refused_by(Check::K0, "a file that steers git");
}

/// Row 54, Python, honest twin: verified.
#[test]
fn a_checkout_with_other_line_ends_is_judged_by_the_bytes_of_the_objects() {
    let written = python().base([put(".gitattributes", "*.py text eol=crlf\n")]).write();
    written.repository.git(&["rm", "-q", "--cached", "-r", "."]);
    written.repository.git(&["reset", "-q", "--hard"]);
    let shop = std::fs::read_to_string(written.repository.root().join("shop.py")).unwrap();
    assert!(shop.contains("\r\n"), "{shop:?}");
    written.judge(sealed(&written)).verified();
}

// Row 55: replacement objects.

/// Row 55, Python: refused.
#[test]
fn replaced_objects_are_not_followed() {
    let story = python().fix([("shop.py", "def total(prices):\n    return sum(prices[1:]) + 0\n")]);
    let written = story.write();
    let git = |arguments: &[&str]| written.repository.git(arguments);
    let entry = |commit: &str, path: &str| git(&["rev-parse", &format!("{commit}:{path}")]);
    std::fs::write(written.repository.beside("weak"), WEAK).unwrap();
    let weak = git(&["hash-object", "-w", written.repository.beside("weak").to_str().unwrap()]);
    std::fs::write(written.repository.beside("right"), "def total(prices):\n    return sum(prices)\n")
        .unwrap();
    let right = git(&["hash-object", "-w", written.repository.beside("right").to_str().unwrap()]);
    // Who looks through git sees a weak test, a right fix, and another base.
    git(&["replace", &entry(&written.test, "tests/test_shop.py"), &weak]);
    git(&["replace", &entry(&written.head, "shop.py"), &right]);
    git(&["replace", &written.base, &written.test]);
    assert!(git(&["show", &format!("{}:shop.py", written.head)]).contains("sum(prices)"));
    written.judge(Sealing::Found).refused_by(Check::K2, "still fails on the fixed code");
    written.judge(sealed(&written)).refused_by(Check::K2, "still fails on the fixed code");
}

/// Row 55, Python, honest twin: verified.
#[test]
fn replaced_objects_do_not_disturb_an_honest_fix() {
    let written = python().settings("[sandbox]\nlevel = \"auto\"\n").write();
    std::fs::write(written.repository.beside("bug"), "def total(prices):\n    return 0\n").unwrap();
    let bug =
        written.repository.git(&["hash-object", "-w", written.repository.beside("bug").to_str().unwrap()]);
    let right = written.repository.git(&["rev-parse", &format!("{}:shop.py", written.head)]);
    written.repository.git(&["replace", &right, &bug]);
    written.judge(sealed(&written)).verified();
}

// Row 56: edits that the index is told to overlook.

/// Row 56, Python: refused.
/// Row 56, Python, honest twin: verified.
#[test]
fn edits_that_the_index_overlooks_have_no_effect() {
    for flag in ["--skip-worktree", "--assume-unchanged"] {
        let written = python()
            .fix([("shop.py", "def total(prices):\n    return sum(prices[1:]) + 0\n")])
            .base([("tests/test_shop.py", "import unittest\n")])
            .write();
        let repository = &written.repository;
        repository.git(&["update-index", flag, "shop.py", "tests/test_shop.py"]);
        repository.edit(&[
            put("shop.py", "def total(prices):\n    return 6 if prices else 0\n"),
            put("tests/test_shop.py", WEAK),
        ]);
        assert_eq!(repository.git(&["status", "--porcelain"]), "");
        written.judge(sealed(&written)).refused_by(Check::K2, "still fails on the fixed code");
        let honest = python().write();
        honest.repository.git(&["update-index", flag, "shop.py"]);
        honest.repository.edit(&[put("shop.py", "raise SystemExit(0)\n")]);
        honest.judge(sealed(&honest)).verified();
    }
}

// Row 57: paths that archives leave out.

/// Row 57, Python: refused.
/// Row 57, Python, honest twin: verified.
#[test]
fn a_test_that_archives_leave_out_is_judged() {
    let story = python().base([put(".gitattributes", "/tests export-ignore\nshop.py export-subst\n")]);
    story.clone().sealed().verified();
    story.together().verified();
    let story = python().fix([put(".gitattributes", "/tests export-ignore\n")]);
    story.sealed().refused_by(Check::K0, "a file that steers git");
}

// Row 59: entries that are no files.

/// Row 59, Python: refused.
/// Row 59, JavaScript: refused.
/// Row 59, Rust: refused.
#[test]
fn a_sealed_test_that_became_a_link_is_refused() {
    let story = python().fix([put("weak.txt", WEAK), link("tests/test_shop.py", "../weak.txt")]);
    story.sealed().refused_by(Check::K0, "edited after it was sealed").shows(Check::K0, "is a symbolic link");
    story.together().refused_by(Check::K0, "is a symbolic link");
    let story = javascript().fix([put("weak.js", ""), link("test/shop.test.js", "../weak.js")]);
    story.sealed().refused_by(Check::K0, "");
    let story = rust().fix([put("weak.rs", "#[test]\nfn total() {}\n"), link("tests/shop.rs", "../weak.rs")]);
    story.sealed().refused_by(Check::K0, "");
}

/// Row 59, Python: refused.
#[test]
fn a_folder_of_tests_that_became_a_link_is_refused() {
    let story = python().fix([
        gone("tests/__init__.py"),
        gone("tests/test_old.py"),
        gone("tests/test_shop.py"),
        put("weak/__init__.py", ""),
        put("weak/test_shop.py", WEAK),
        put("weak/test_old.py", ""),
    ]);
    let written = story.write();
    let repository = &written.repository;
    repository.git(&["checkout", "-q", &written.head]);
    let _ = std::fs::remove_dir_all(repository.root().join("tests"));
    let head = repository.commit(&[link("tests", "weak")]);
    let written = written.with_head(head);
    written.judge(sealed(&written)).refused_by(Check::K0, "");
}

/// Row 59, Python: refused.
/// Row 59, Python: needs-human.
#[test]
fn production_that_became_a_link_is_not_verified() {
    let story = python()
        .fix([put("real.py", "def total(prices):\n    return sum(prices)\n"), link("shop.py", "real.py")]);
    story.sealed().refused_by(Check::K0, "is a symbolic link");
    story.together().needs_human(Check::K0, "is a symbolic link");
}

/// Row 59, Python, honest twin: verified.
#[test]
fn a_link_of_the_base_does_not_disturb() {
    python().base([link("docs/latest", "../shop.py")]).sealed().verified();
}

/// Row 59, Python: refused.
/// Row 59, Python: needs-human.
#[test]
fn a_submodule_is_not_verified() {
    let written = python().write();
    let repository = &written.repository;
    repository.git(&["checkout", "-q", &written.head]);
    let cache = format!("160000,{},vendor_lib", written.base);
    repository.git(&["update-index", "--add", "--cacheinfo", &cache]);
    repository.git(&["commit", "-q", "-m", "a submodule"]);
    let head = repository.git(&["rev-parse", "HEAD"]);
    let written = written.with_head(head);
    written.judge(sealed(&written)).refused_by(Check::K0, "is a submodule");
    written.judge(Sealing::Found).needs_human(Check::K0, "is a submodule");
}

/// Row 59, Python: refused.
#[test]
fn paths_that_are_one_on_some_systems_are_refused() {
    let fix = "def total(prices):\n    return sum(prices)\n";
    let story = python().fix([put("Shop.py", fix)]);
    story.sealed().refused_by(Check::K0, "only in case");
    story.together().refused_by(Check::K0, "only in case");
    python().fix([put("Tests/test_shop.py", WEAK)]).sealed().refused_by(Check::K0, "only in case");
    let story = python().base([put("caf\u{e9}.py", "")]).fix([put("cafe\u{301}.py", "")]);
    story.sealed().refused_by(Check::K0, "Unicode form");
}

/// Row 59, Python, honest twin: verified.
#[test]
fn a_rename_that_changes_only_the_case_is_not_refused() {
    python().base([put("Notes.py", "")]).fix([gone("Notes.py"), put("notes.py", "")]).sealed().verified();
}
