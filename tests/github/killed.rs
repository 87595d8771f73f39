//! The real program as the publisher, ended by a signal after each of its writes in turn.

use std::process::{Child, Command, Output, Stdio};

use crate::case::Case;
use crate::fake::{ACTIONS, Fault, GitHub, REPOSITORY};

/// The program in the environment of a runner.
pub(crate) fn program(github: &GitHub, token: &str) -> Command {
    let server = github.server();
    let mut command = Command::new(env!("CARGO_BIN_EXE_failfirst"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GITHUB_")) {
        command.env_remove(name);
    }
    command
        .env("GITHUB_API_URL", server.api)
        .env("GITHUB_GRAPHQL_URL", server.graphql)
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_REPOSITORY", REPOSITORY)
        .env("GITHUB_RUN_ID", "1")
        .env("GITHUB_TOKEN", token)
        .env("NO_PROXY", "127.0.0.1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn publish(case: &Case) -> Child {
    let (bundle, signoff, digest) = case.files();
    program(&case.github, ACTIONS)
        .args(["publish", "--pace", "0", "--trigger", "failfirst", "--digest", &digest, "--bundle"])
        .arg(bundle)
        .arg("--signoff")
        .arg(signoff)
        .spawn()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_publisher_that_is_killed_after_any_write_is_finished_by_the_next() {
    let reference = Case::new(3, 60);
    let output = publish(&reference).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let writes = reference.github.world().writes;
    let wanted = {
        let world = reference.github.world();
        (world.issues.len(), world.issues[&7].comments.len(), world.checks.len(), world.labels.clone())
    };
    for at in 1..=writes {
        let case = Case::new(3, 60);
        case.github.fault(at, Fault::Kill);
        let child = {
            // The fake must know its victim before the first request is answered.
            let mut world = case.github.world();
            let child = publish(&case);
            world.victim = Some(child.id());
            child
        };
        let killed = child.wait_with_output().unwrap();
        assert_eq!(killed.status.code(), None, "write {at}: {}", text(&killed));
        let output = publish(&case).wait_with_output().unwrap();
        assert!(output.status.success(), "write {at}: {}", text(&output));
        {
            let world = case.github.world();
            let own = (
                world.issues.len(),
                world.issues[&7].comments.len(),
                world.checks.len(),
                world.labels.clone(),
            );
            assert_eq!(own, wanted, "write {at}");
            let pull = world
                .issues
                .values()
                .find_map(|issue| issue.pull.as_ref().map(|pull| (issue, pull)))
                .unwrap();
            assert_eq!((pull.1.reviews.len(), pull.0.comments.len()), (1, 1), "write {at}");
            assert_eq!(
                (world.checks[0].annotations.len(), world.checks[0].status.as_str()),
                (63, "completed"),
                "write {at}"
            );
        }
        let before = case.github.standing();
        let output = publish(&case).wait_with_output().unwrap();
        assert!(text(&output).contains("nothing was written"), "write {at}: {}", text(&output));
        assert_eq!(case.github.standing(), before, "write {at}");
    }
    println!("killed after each of {writes} writes");
}

#[test]
fn a_dry_run_prints_every_step_and_text_and_writes_nothing() {
    let case = Case::new(3, 0);
    let (bundle, signoff, digest) = case.files();
    let output = program(&case.github, crate::fake::READER)
        .args(["publish", "--dry-run", "--digest", &digest, "--bundle"])
        .arg(bundle)
        .arg("--signoff")
        .arg(signoff)
        .output()
        .unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    for words in [
        "create the branch failfirst/issue-7",
        "commit the sealed test",
        "open a draft pull request from failfirst/issue-7 to main",
        "Closes #7",
        "review the new pull request",
        "look at line 3",
        "write a check run with 3 annotations",
        "post the summary",
        "post the analysis on issue #7",
        "add the label failfirst:verified",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(case.github.world().writes, 0);
}

#[test]
fn what_verify_did_not_sign_off_is_not_published() {
    let case = Case::new(0, 0);
    let (bundle, signoff, digest) = case.files();
    let ask = |bundle: &std::path::Path, signoff: &std::path::Path, digest: &str| {
        let output = program(&case.github, ACTIONS)
            .args(["publish", "--pace", "0", "--digest", digest, "--bundle"])
            .arg(bundle)
            .arg("--signoff")
            .arg(signoff)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        text(&output)
    };
    assert!(ask(&bundle, &signoff, &"0".repeat(64)).contains("verify signed off 000"));
    // The bundle is swapped after verify.
    let mut other = case.bundle.clone();
    other.parts[1].files[0].text = Some("evil = 1\n".into());
    let swapped = case.folder.path().join("swapped.json");
    failfirst::github::bundle::write(&other, &swapped).unwrap();
    assert!(ask(&swapped, &signoff, &digest).contains("another bundle"));
    // The sign-off is forged to fit it.
    let mut forged = case.signoff.clone();
    forged.bundle = Some(failfirst::record::Digest::of(&std::fs::read(&swapped).unwrap()));
    let forged_file = case.folder.path().join("forged.json");
    failfirst::github::bundle::write(&forged, &forged_file).unwrap();
    assert!(ask(&swapped, &forged_file, &digest).contains("its digest is"));
    assert_eq!(case.github.world().log.len(), 0, "nothing is even asked");
}
