//! Whole cases through the command line: the founding story, played by scripted agents and judged for real.

use std::process::{Command, Output};

use serde_json::Value;

const DEMO: &[&str] = &["demo", "--format", "json"];

fn failfirst(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_failfirst"));
    command.args(arguments);
    command
}

fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Every attempt of the story ends as it must, whatever isolates the runs.
fn assert_story(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json(output);
    assert_eq!(report["verdict"]["verdict"], "verified");
    assert_eq!(report["replayed"], true);
    let refused: Vec<_> = report["refused_attempts"]
        .as_array()
        .expect("refused attempts")
        .iter()
        .map(|attempt| {
            let text = |key: &str| attempt[key].as_str().unwrap_or_default().to_owned();
            (text("role"), text("gate"), text("reason"))
        })
        .collect();
    assert_eq!(refused.len(), 3, "{refused:?}");
    let expected = [
        ("analyst", "K1", "not reproduced: the test passes on the buggy code"),
        ("fixer", "K0", "tests/test_race.py is the sealed test and was edited after it was sealed"),
        ("fixer", "K3", "passes without any production change: what turns it green lies outside production"),
    ];
    for ((role, gate, reason), (expected_role, expected_gate, part)) in refused.iter().zip(expected) {
        assert_eq!((role.as_str(), gate.as_str()), (expected_role, expected_gate), "{reason}");
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn the_founding_story_ends_in_a_verified_fix_after_three_refusals() {
    let output = failfirst(DEMO).output().expect("the demo runs");
    assert_story(&output);
    assert_eq!(json(&output)["verdict"]["sandbox"]["kind"], "namespaces");
}

#[test]
fn the_founding_story_ends_the_same_without_namespaces_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("off.toml");
    std::fs::write(&config, "[sandbox]\nlevel = \"off\"\n").expect("a file");
    let output = failfirst(DEMO).arg("--config").arg(&config).output().expect("the demo runs");
    assert_story(&output);
    let sandbox = &json(&output)["verdict"]["sandbox"];
    assert_eq!(sandbox["kind"], "none");
    assert!(sandbox["missing"].as_str().is_some_and(|why| why.contains("level")), "{sandbox}");
}

#[test]
fn a_dry_run_prints_the_review_and_posts_nothing() {
    let output = failfirst(&["demo"]).output().expect("the demo runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Dry run: nothing was posted"), "{text}");
    assert!(text.contains("### ✓ Verified"), "{text}");
    assert!(text.contains("agents are replayed"), "{text}");
}

#[test]
fn a_run_of_a_scripted_agent_can_be_shown_again_from_its_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = failfirst(DEMO).arg("--folder").arg(folder.path()).output().expect("the demo runs");
    assert_story(&demo);
    let shown = failfirst(&["show", "--format", "json"])
        .arg(folder.path().join("record"))
        .output()
        .expect("show runs");
    assert_eq!(shown.status.code(), Some(0));
    assert_eq!(json(&shown)["verdict"], json(&demo)["verdict"]);
}
