//! Without a sandbox one checkout is switched between variants: nothing may leak from one to the next.

use crate::command::{base, fix, settings, test, test_with, verify};
use crate::repository::{Edit, Repository, put};

const OFF: &str = "[sandbox]\nlevel = \"off\"\n";

/// A project judged without a sandbox.
fn project(more: &[Edit], head: &[Edit]) -> Repository {
    let repository = Repository::new();
    let mut edits = base();
    edits.push(settings(OFF));
    edits.extend(more.iter().cloned());
    repository.commit(&edits);
    repository.git(&["checkout", "-q", "-b", "fix"]);
    repository.commit(head);
    repository.git(&["checkout", "-q", "main"]);
    repository
}

#[test]
fn an_honest_fix_is_verified_without_a_sandbox() {
    verify(&project(&[], &[test(), fix()]), &[]).says(0, "verified");
}

#[test]
fn a_test_that_passes_on_the_base_is_refused_without_a_sandbox() {
    let test = test_with("self.assertEqual(total([0, 1]), 1)");
    verify(&project(&[], &[test, fix()]), &[]).says(1, "not reproduced");
}

#[test]
fn a_fix_that_repairs_nothing_is_refused_without_a_sandbox() {
    let idle = put("shop.py", "def total(prices):\n    return sum(prices[1:]) + 0\n");
    verify(&project(&[], &[test(), idle]), &[]).says(1, "still fails on the fixed code");
}

#[test]
fn tracked_files_that_a_run_dirties_do_not_leak_into_the_next_variant() {
    // Every run spoils production, a helper and an old test for whoever comes next.
    let spoil = "for name in ('shop.py', 'helper.py', 'tests/test_old.py'):\n    open(name, 'w').write('raise SystemExit(0)\\n')\n\
                 import os\nos.remove('data.txt')\nopen('conftest.py', 'w').write('raise SystemExit(0)')\n\
                 os.makedirs('unittest')\nopen('unittest/__init__.py', 'w').write('raise SystemExit(0)')\n\
                 self.assertEqual(total([1, 2, 3]), 6)";
    let more = [put("helper.py", ""), put("data.txt", "1\n")];
    verify(&project(&more, &[test_with(spoil), fix()]), &[]).says(0, "verified");
}

#[test]
fn a_fix_that_a_run_plants_does_not_leak_into_the_next_variant() {
    // The fix repairs nothing; the test's run on the base leaves a repaired file of the same size and
    // time behind.
    let plant = "import os, shop\nold = os.stat(shop.__file__)\ntext = open(shop.__file__).read()\n\
                 open(shop.__file__, 'w').write(text.replace('[1:]', '[0:]'))\nos.utime(shop.__file__, ns=(old.st_atime_ns, old.st_mtime_ns))\n\
                 self.assertEqual(total([1, 2, 3]), 6)";
    let idle = put(
        "shop.py",
        "def total(prices):\n    return sum(prices[1:])\n\n\ndef count(prices):\n    return len(prices)\n",
    );
    verify(&project(&[], &[test_with(plant), idle]), &[]).says(1, "still fails on the fixed code");
}

#[test]
fn files_that_become_folders_are_switched() {
    let package = [
        crate::repository::gone("shop.py"),
        put("shop/__init__.py", "def total(prices):\n    return sum(prices)\n"),
    ];
    verify(&project(&[], &[&package[..], &[test()]].concat()), &[]).says(0, "verified");
    let sandboxed = project(&[settings("")], &[&package[..], &[test()]].concat());
    verify(&sandboxed, &[]).says(0, "verified");
}
