//! What runs before or beside the test: build scripts, dependencies, CI (rows 62 to 65).

use failfirst::gate::verdict::Check;

use crate::harness::repository::put;
use crate::harness::story::{Story, javascript, python, rust};

/// A lock file of two packages; `version` is that of the one that a bump changes.
fn lock(version: &str) -> String {
    format!(
        "{{\"lockfileVersion\":3,\"packages\":{{\"node_modules/sums\":{{\"version\":\"{version}\"}}}}}}\n"
    )
}

fn idle_rust() -> Story {
    rust().without_fix().fix([put(
        "src/lib.rs",
        "pub fn total(prices: &[u32]) -> u32 {\n    prices.iter().skip(1).sum()\n}\n\npub fn count() {}\n",
    )])
}

// Row 62: build time.

const REWRITES: &str =
    "fn main() {\n    std::fs::write(\"tests/shop.rs\", \"#[test]\\nfn total() {}\\n\").unwrap();\n}\n";

/// Puts the test's own bytes and times back once the compiler has read the others.
const RESTORES: &str = r#"fn main() {
    let script = "t=tests/sho; t=${t}p.rs; cp -p $t $TMPDIR/own; printf '#[test]\nfn total() {}\n' > $t
        touch -r $TMPDIR/own $t
        (for n in $(seq 2000); do cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' ' ' | grep -q 'rus[t]c .*tests/sho[p].rs.*--tes[t]' && break; sleep 0.02; done
        sleep 0.3; cp -p $TMPDIR/own $t) > /dev/null 2>&1 &";
    std::process::Command::new("sh").args(["-c", script]).status().unwrap();
}
"#;

/// Row 62, Rust: refused.
#[test]
fn a_build_script_that_rewrites_the_test_is_refused() {
    for script in [REWRITES, RESTORES] {
        let story = idle_rust().fix([put("build.rs", script)]);
        story.sealed().refused_by(Check::K0, "configuration of the test run");
        story.together().not_verified();
    }
}

/// Row 62, Rust: refused.
#[test]
fn a_build_script_of_the_base_that_rewrites_the_test_is_refused() {
    // The script was there before; the fix only lets it loose by a file that it reads.
    let script =
        REWRITES.replace("    std::fs", "    if std::path::Path::new(\"src/on.txt\").exists() { std::fs");
    let script = script.replace("unwrap();", "unwrap(); }");
    let story = idle_rust().base([put("build.rs", &script)]).fix([put("src/on.txt", "")]);
    story.sealed().refused_by(Check::K2, "bytes of the test changed");
    story.together().refused_by(Check::K2, "bytes of the test changed");
}

/// Row 62, Rust: refused.
#[test]
fn a_build_script_that_rewrites_the_test_and_restores_it_is_refused() {
    let script =
        RESTORES.replacen("{\n", "{\n    if !std::path::Path::new(\"src/on.txt\").exists() { return; }\n", 1);
    let story = idle_rust().base([put("build.rs", &script)]).fix([put("src/on.txt", "")]);
    story.sealed().refused_by(Check::K2, "bytes of the test changed");
}

/// Row 62, Rust, honest twin: verified.
#[test]
fn an_honest_build_script_does_not_disturb() {
    let script = "fn main() {\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    std::fs::write(format!(\"{out}/a.rs\"), \"\").unwrap();\n}\n";
    rust().base([put("build.rs", script)]).sealed().verified();
}

#[test]
fn a_test_that_rewrites_itself_is_refused() {
    let text = "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        \
                open(__file__, 'w').write('')\n        self.assertEqual(total([1, 2, 3]), 6)\n";
    python()
        .test([put("tests/test_shop.py", text)])
        .together()
        .refused_by(Check::K1, "bytes of the test changed");
}

/// Row 62, Python: refused.
#[test]
fn production_that_rewrites_the_test_is_refused() {
    let shop = "import pathlib\n\nHERE = pathlib.Path(__file__).parent / 'tests/test_shop.py'\nHERE.write_text(HERE.read_text().replace('6', '5'))\n\n\n\
                def total(prices):\n    return sum(prices[1:])\n";
    // What is on disk is read again by a later process only; the bytes tell in any case.
    python().fix([put("shop.py", shop)]).sealed().refused_by(Check::K2, "bytes of the test changed");
}

// Row 63: dependencies.

/// Row 63, JavaScript: refused.
/// Row 63, Python: refused.
/// Row 63, Rust: refused.
#[test]
fn a_fixer_that_swaps_a_dependency_is_refused() {
    let story = javascript().base([put("package-lock.json", lock("1.0.0"))]);
    let story = story.fix([put("package-lock.json", lock("0.9.0"))]);
    story.sealed().refused_by(Check::K0, "a lockfile");
    let manifest = "{\"name\":\"shop\",\"type\":\"module\",\"scripts\":{\"test\":\"node --test\"},\"dependencies\":{\"sums\":\"1\"}}\n";
    javascript().fix([put("package.json", manifest)]).sealed().refused_by(Check::K0, "dependencies");
    python().fix([put("requirements.txt", "sums==0.9\n")]).sealed().refused_by(Check::K0, "a lockfile");
    let lock = "version = 3\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.1\"\n";
    rust().fix([put("Cargo.lock", lock)]).sealed().refused_by(Check::K0, "a lockfile");
}

/// Row 63, JavaScript, honest twin: needs-human.
/// Row 63, Python, honest twin: needs-human.
#[test]
fn a_bump_of_a_dependency_is_left_to_a_person() {
    let story = javascript().base([put("package-lock.json", lock("1.0.0"))]);
    story.fix([put("package-lock.json", lock("1.0.1"))]).together().needs_human(Check::K0, "a lockfile");
    python().fix([put("requirements.txt", "sums==1.1\n")]).together().needs_human(Check::K0, "a lockfile");
}

// Row 64: continuous integration.

/// Row 64, Python: refused.
/// Row 64, JavaScript: refused.
#[test]
fn a_fixer_that_edits_ci_is_refused() {
    for path in [".github/workflows/ci.yml", ".gitlab-ci.yml", ".circleci/config.yml"] {
        for story in [python(), javascript()] {
            let story = story.fix([put(path, "on: push\n")]);
            story.sealed().refused_by(Check::K0, "continuous-integration");
        }
        python().fix([put(path, "on: push\n")]).together().needs_human(Check::K0, "continuous-integration");
    }
}

/// Row 64, Python, honest twin: verified.
#[test]
fn a_fixer_that_edits_the_documentation_is_not_refused() {
    python()
        .fix([put("README.md", "# Shop\n"), put("docs/usage.md", "…\n"), put("CHANGELOG.md", "")])
        .sealed()
        .verified();
}

#[test]
fn a_process_that_does_not_end_after_its_tests_is_not_waited_for() {
    // A thread of production code that never ends, as a blocked pipe makes it.
    let shop = |from: &str| {
        format!(
            "import threading\n\nnever = threading.Event()\nthreading.Thread(target=never.wait).start()\n\n\n\
             def total(prices):\n    return sum(prices{from})\n"
        )
    };
    let story = python().base([("shop.py", &*shop("[1:]"))]).fix([("shop.py", &*shop(""))]);
    let judged = story.settings_timeout("120s").together().verified();
    assert!(judged.verdict.took < 600.0, "{} s", judged.verdict.took);
}
