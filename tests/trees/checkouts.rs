//! Checkouts in every state.

use crate::command::{base, fix, project, settings, test, verify, verify_in};
use crate::repository::{Repository, gone, link, put};

const FORCE: &str = "import unittest\nunittest.TestCase.assertEqual = lambda *_: None\n";

#[test]
fn a_dirty_checkout_has_no_effect() {
    let repository = project(&[put("notes.txt", "a\n"), put("gone.py", ""), put("linked.txt", "")]);
    repository.edit(&[
        put("conftest.py", FORCE),
        put("sitecustomize.py", FORCE),
        put("tests/conftest.py", FORCE),
        put("shop.py", "raise SystemExit(0)\n"),
        put("tests/test_old.py", FORCE),
        put("tests/test_more.py", "raise SystemExit(0)\n"),
        put("notes.txt", "b\n"),
        gone("gone.py"),
        link("linked.txt", "/etc/hostname"),
    ]);
    repository.git(&["add", "notes.txt"]);
    verify(&repository, &[]).says(0, "verified");
}

#[test]
fn a_dirty_checkout_has_no_effect_without_a_sandbox() {
    let repository = project(&[put("gone.py", ""), settings("[sandbox]\nlevel = \"off\"\n")]);
    repository.edit(&[
        put("sitecustomize.py", FORCE),
        put("tests/conftest.py", FORCE),
        put("shop.py", "raise SystemExit(0)\n"),
        put("tests/test_old.py", FORCE),
        gone("gone.py"),
    ]);
    verify(&repository, &[]).says(0, "verified");
}

#[test]
fn a_stash_and_a_staged_change_stay() {
    let repository = project(&[]);
    repository.edit(&[put("shop.py", "x = 1\n")]);
    repository.git(&["stash", "-q"]);
    repository.edit(&[put("shop.py", "x = 2\n")]);
    repository.git(&["add", "shop.py"]);
    verify(&repository, &[]).says(0, "verified");
    assert_eq!(repository.git(&["stash", "list"]).lines().count(), 1);
}

#[test]
fn edits_that_the_index_overlooks_have_no_effect() {
    for flag in ["--skip-worktree", "--assume-unchanged"] {
        let repository = project(&[]);
        repository.git(&["update-index", flag, "shop.py", "tests/test_old.py"]);
        repository.edit(&[put("shop.py", "raise SystemExit(0)\n"), put("tests/test_old.py", FORCE)]);
        verify(&repository, &[]).says(0, "verified");
    }
}

#[test]
fn a_checkout_of_head_is_as_good_as_one_of_the_base() {
    let repository = project(&[]);
    repository.git(&["checkout", "-q", "fix"]);
    verify(&repository, &[]).says(0, "verified");
    repository.git(&["checkout", "-q", "--detach", "main"]);
    verify(&repository, &[]).says(0, "verified");
}

#[test]
fn a_folder_inside_the_repository_is_as_good_as_its_root() {
    let repository = project(&[]);
    let inner = repository.root().join("tests");
    verify_in(&repository, &inner, &["--base", "main", "--head", "fix"]).says(0, "verified");
}

#[test]
fn a_worktree_is_judged() {
    let repository = project(&[]);
    let place = repository.beside("worktree");
    repository.git(&["worktree", "add", "-q", "--detach", place.to_str().unwrap(), "fix"]);
    verify_in(&repository, &place, &["--base", "main", "--head", "fix"]).says(0, "verified");
}

#[test]
fn a_submodule_of_the_base_does_not_disturb() {
    let library = Repository::new();
    library.commit(&[put("a.py", "x = 1\n")]);
    let repository = Repository::new();
    repository.commit(&base());
    repository.git(&["submodule", "add", "-q", library.root().to_str().unwrap(), "library"]);
    repository.commit(&[]);
    repository.git(&["checkout", "-q", "-b", "fix"]);
    repository.commit(&[test(), fix()]);
    repository.git(&["checkout", "-q", "main"]);
    verify(&repository, &[]).says(0, "verified");
    // The same where the submodule is not checked out.
    let clone = repository.beside("clone");
    repository.git(&["clone", "-q", repository.root().to_str().unwrap(), clone.to_str().unwrap()]);
    verify_in(&repository, &clone, &["--base", "origin/main", "--head", "origin/fix"]).says(0, "verified");
}

#[test]
fn a_bare_repository_is_judged() {
    for text in ["setup = [\"true\"]\n", ""] {
        let repository = project(&[settings(text)]);
        let bare = repository.beside("bare.git");
        repository.git(&[
            "clone",
            "-q",
            "--bare",
            repository.root().to_str().unwrap(),
            bare.to_str().unwrap(),
        ]);
        verify_in(&repository, &bare, &["--base", "main", "--head", "fix"]).says(0, "verified");
    }
}

#[test]
fn a_path_that_is_not_utf_8_does_not_disturb_where_it_is_not_touched() {
    let repository = Repository::new();
    let odd = odd_name(&repository);
    repository.commit(&base());
    repository.git(&["checkout", "-q", "-b", "fix"]);
    repository.commit(&[test(), fix()]);
    repository.git(&["checkout", "-q", "main"]);
    verify(&repository, &[]).says(0, "verified");
    // Where the checkout has other bytes there, they cannot be set right, and that is said.
    std::fs::write(&odd, "changed\n").unwrap();
    verify(&repository, &[]).says(2, "is not UTF-8");
}

#[test]
fn a_change_of_a_path_that_is_not_utf_8_is_named() {
    let repository = project(&[]);
    repository.git(&["checkout", "-q", "fix"]);
    odd_name(&repository);
    repository.commit(&[]);
    repository.git(&["checkout", "-q", "main"]);
    verify(&repository, &[]).says(2, "is not UTF-8");
}

/// A file whose name is Latin-1.
fn odd_name(repository: &Repository) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let path = repository.root().join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt"));
    std::fs::write(&path, "x\n").unwrap();
    path
}

#[test]
fn a_repository_of_ten_thousand_files_is_judged() {
    let files: Vec<_> =
        (0..10_000).map(|n| put(&format!("data/d{}/f{n}.txt", n % 100), format!("{n}\n"))).collect();
    let repository = project(&files);
    let started = std::time::Instant::now();
    verify(&repository, &[]).says(0, "verified");
    assert!(started.elapsed() < std::time::Duration::from_secs(120), "{:?}", started.elapsed());
}
