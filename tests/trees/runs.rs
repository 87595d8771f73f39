//! Runs that flood, hang or write what nobody can read.

use crate::command::{Ended, base, fix, settings, test_with, verify};
use crate::repository::{Edit, Repository, put};

/// A project with this test, judged.
fn judged(text: &str, test: &str, more: &[Edit]) -> Ended {
    let repository = Repository::new();
    let mut edits = base();
    edits.push(settings(text));
    edits.extend(more.iter().cloned());
    repository.commit(&edits);
    repository.git(&["checkout", "-q", "-b", "fix"]);
    repository.commit(&[test_with(test), fix()]);
    repository.git(&["checkout", "-q", "main"]);
    verify(&repository, &[])
}

const CHECK: &str = "self.assertEqual(total([1, 2, 3]), 6)";

#[test]
fn a_log_of_a_hundred_megabytes_does_not_disturb() {
    let flood = format!(
        "import sys\nfor _ in range(100):\n    sys.stdout.write('x' * 1023 + '\\n' + ('y' * 1023 + '\\n') * 1023)\n{CHECK}"
    );
    judged("", &flood, &[]).says(0, "verified");
}

#[test]
fn a_test_that_never_ends_is_refused() {
    judged("[test]\ntimeout = \"3s\"\n", "import time\ntime.sleep(1000)", &[]).says(1, "refused");
    let off = "[test]\ntimeout = \"3s\"\n[sandbox]\nlevel = \"off\"\n";
    judged(off, "import time\ntime.sleep(1000)", &[]).says(1, "refused");
}

#[test]
fn processes_that_a_test_leaves_behind_are_ended() {
    let leave = format!("import subprocess\nsubprocess.Popen(['sleep', '1000'])\n{CHECK}");
    judged("", &leave, &[]).says(0, "verified");
    judged("[sandbox]\nlevel = \"off\"\n", &leave, &[]).says(0, "verified");
}

#[test]
fn output_that_is_no_text_does_not_disturb() {
    let binary = format!(
        "import os\nos.write(1, bytes(range(256)) * 10)\nos.write(2, b'\\xff\\x00\\x1b[31m')\n{CHECK}"
    );
    judged("", &binary, &[]).says(0, "verified");
    let binary = "self.assertEqual(total([1, 2, 3]), 6, '\\x00\\x1b[31m\\udcff\\u202e')";
    judged("", binary, &[]).says(0, "verified");
}

#[test]
fn a_test_that_takes_away_permissions_leaves_nothing_behind() {
    let lock = format!(
        "import os\nos.makedirs('deep/er')\nopen('deep/er/file', 'w').close()\nos.chmod('deep/er', 0)\nos.chmod('deep', 0)\n{CHECK}"
    );
    judged("", &lock, &[]).says(0, "verified");
    let home = format!(
        "import os\nos.makedirs(os.environ['HOME'] + '/a')\nos.chmod(os.environ['HOME'], 0)\n{CHECK}"
    );
    judged("", &home, &[]).says(0, "verified");
}

#[test]
fn a_test_that_writes_into_the_checkout_leaves_it_alone() {
    let write = format!("open('shop.pyc', 'w').write('x')\nopen('README', 'a').write('x')\n{CHECK}");
    judged("", &write, &[put("README", "a\n")]).says(0, "verified");
}

#[test]
fn a_test_that_removes_the_repository_harms_nobody() {
    let remove = format!("import shutil\nshutil.rmtree('.git', ignore_errors=True)\n{CHECK}");
    judged("", &remove, &[]).says(0, "verified");
    judged("[sandbox]\nlevel = \"off\"\n", &remove, &[]).says(0, "verified");
}
