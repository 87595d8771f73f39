//! Revisions that cannot be judged.

use crate::command::{project, verify, verify_in};
use crate::repository::Repository;

#[test]
fn an_unknown_revision_is_named() {
    let repository = project(&[]);
    let run = |arguments: &[&str]| verify_in(&repository, repository.root(), arguments);
    run(&["--base", "nope", "--head", "fix"]).says(2, "revision `nope` is unknown");
    run(&["--base", "main", "--head", "v9"]).says(2, "revision `v9` is unknown");
    run(&["--base", "main", "--head", "fix", "--test-rev", "sealed"]).says(2, "revision `sealed` is unknown");
    run(&["--base", "", "--head", "fix"]).says(2, "revision `` is unknown");
    run(&["--base", "main:shop.py", "--head", "fix"]).says(2, "revision `main:shop.py` is unknown");
}

#[test]
fn an_empty_change_is_said_to_be_empty() {
    let repository = project(&[]);
    verify_in(&repository, repository.root(), &["--base", "main", "--head", "main"])
        .says(2, "there is no change to judge");
    repository.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
    verify_in(&repository, repository.root(), &["--base", "main~1", "--head", "main"])
        .says(2, "there is no change to judge");
}

#[test]
fn a_head_that_was_merged_already_is_said_to_be_empty() {
    let repository = project(&[]);
    repository.git(&["merge", "-q", "--ff-only", "fix"]);
    verify(&repository, &[]).says(2, "there is no change to judge");
}

#[test]
fn a_head_without_a_test_is_refused() {
    let repository = project(&[]);
    repository.git(&["checkout", "-q", "-b", "bare-fix", "main"]);
    repository.commit(&[crate::command::fix()]);
    repository.git(&["checkout", "-q", "main"]);
    verify_in(&repository, repository.root(), &["--base", "main", "--head", "bare-fix"])
        .says(1, "holds no test file");
    verify_in(
        &repository,
        repository.root(),
        &["--base", "main", "--head", "fix", "--test", "tests/absent.py"],
    )
    .says(2, "names no file of head");
}

#[test]
fn a_folder_without_a_repository_is_named() {
    let repository = project(&[]);
    let folder = repository.beside("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    verify_in(&repository, &folder, &["--base", "main", "--head", "fix"]).says(2, "no git repository at");
}

#[test]
fn an_empty_repository_is_judged_by_its_lack_of_revisions() {
    let repository = Repository::new();
    verify(&repository, &[]).says(2, "revision `fix` is unknown");
}

#[test]
fn a_base_that_moved_on_counts_from_where_head_forked_off() {
    let repository = project(&[]);
    repository.commit(&[crate::repository::put("later.py", "x = 1\n")]);
    verify(&repository, &[]).says(0, "verified");
}

#[test]
fn a_shallow_clone_without_the_base_says_what_to_fetch() {
    let repository = project(&[]);
    let base = repository.git(&["rev-parse", "main"]);
    let from = format!("file://{}", repository.root().display());
    let clone = repository.beside("clone");
    repository.git(&["clone", "-q", "--depth", "1", "--branch", "fix", &from, clone.to_str().unwrap()]);
    verify_in(&repository, &clone, &["--base", &base, "--head", "HEAD"]).says(2, "the clone is shallow");
    let both = repository.beside("both");
    repository.git(&["clone", "-q", "--depth", "1", "--no-single-branch", &from, both.to_str().unwrap()]);
    verify_in(&repository, &both, &["--base", "origin/main", "--head", "origin/fix"]).says(0, "verified");
}
