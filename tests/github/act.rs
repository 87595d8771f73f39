//! The example workflow, the reusable workflow and `action.yml`, run by a runner: act, on this machine
//! itself. Only GitHub's own actions are stood in for: they carry artifacts to GitHub's storage and fetch from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::action::{Runner, labelled, script};
use crate::fake::ACTIONS;

fn act() -> PathBuf {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/workflows/python/bin/act");
    assert!(place.is_file(), "act is absent; install it with scripts/test-tools/workflows");
    place
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = crate::harness::repository::hermetic("git", folder);
    let output =
        command.args(["-c", "commit.gpgsign=false"]).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder with these files, as a repository of its own.
fn stand_in(folder: &Path, files: &[(&str, String)]) {
    for (name, text) in files {
        let place = folder.join(name);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
    }
    git(folder, &["init", "-q", "-b", "main", "."]);
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "-q", "-m", "a stand-in"]);
}

fn copy(script: &str) -> String {
    format!(
        "name: stand-in\ninputs:\n  name: {{ default: '' }}\n  ref: {{ default: '' }}\n  fetch-depth: {{ default: '' }}\n  persist-credentials: {{ default: '' }}\n  path: {{ default: '' }}\n  retention-days: {{ default: '' }}\n  if-no-files-found: {{ default: '' }}\n\
         runs:\n  using: composite\n  steps:\n    - shell: bash\n      env:\n        NAME: ${{{{ inputs.name }}}}\n        PLACE: ${{{{ inputs.path }}}}\n        REF: ${{{{ inputs.ref }}}}\n      run: |\n        {script}\n"
    )
}

#[test]
fn a_runner_takes_the_example_workflow_from_a_label_to_a_draft_pull_request() {
    let runner = Runner::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    // This repository, as far as the action needs it.
    let own = runner.file("failfirst");
    std::fs::create_dir_all(own.join("scripts/action")).unwrap();
    for name in ["scripts/action/install", "scripts/action/run", "scripts/action/checksums"] {
        std::fs::copy(root.join(name), own.join(name)).unwrap();
    }
    let files = [
        ("action.yml", read("action.yml")),
        (".github/workflows/failfirst.yml", read(".github/workflows/failfirst.yml")),
        ("Cargo.toml", read("Cargo.toml")),
    ];
    stand_in(&own, &files);
    let artifacts = runner.file("artifacts");
    let shelf = artifacts.display();
    let (up, down) = (runner.file("upload"), runner.file("download"));
    stand_in(
        &up,
        &[(
            "action.yml",
            copy(&format!(
                "if [ -e \"$PLACE\" ]; then mkdir -p \"{shelf}/$NAME\"; cp -r \"$PLACE\" \"{shelf}/$NAME/\"; fi"
            )),
        )],
    );
    stand_in(
        &down,
        &[("action.yml", copy(&format!("mkdir -p \"$PLACE\"; cp -r \"{shelf}/$NAME/.\" \"$PLACE/\"")))],
    );
    let checkout = runner.file("checkout");
    let source = runner.repository.root().display();
    let fetch = format!(
        "git init -q . && git fetch -q \"{source}\" main && git checkout -q -f \"${{REF:-FETCH_HEAD}}\""
    );
    stand_in(&checkout, &[("action.yml", copy(&fetch))]);
    // The repository that uses it, with the example as it is but for the binary and the agent.
    let example = read("examples/workflows/failfirst.yml");
    let with = format!(
        "      setup: \"\"\n      binary-path: {}\n      agent: \"{}\"\n",
        env!("CARGO_BIN_EXE_failfirst"),
        script(&runner)
    );
    let caller = example.replace("      setup: \"\"\n", &with);
    assert_ne!(caller, example);
    let place = runner.file("caller.yml");
    std::fs::write(&place, caller).unwrap();
    let event = runner.file("event.json");
    let mut payload = labelled("ada");
    payload["repository"]["default_branch"] = "main".into();
    std::fs::write(&event, payload.to_string()).unwrap();
    let server = runner.github.server();
    let reusable = read(".github/workflows/failfirst.yml");
    let pinned = |name: &str| {
        let (_, rest) = reusable.split_once(&format!("actions/{name}@")).unwrap();
        format!("actions/{name}@{}", &rest[..40])
    };
    let output = Command::new(act())
        .arg("issues")
        .args(["--platform", "ubuntu-24.04=-self-hosted", "--workflows"])
        .arg(&place)
        .arg("--eventpath")
        .arg(&event)
        .args(["--local-repository", &format!("failfirst/failfirst@v1={}", own.display())])
        .args(["--local-repository", &format!("{}={}", pinned("upload-artifact"), up.display())])
        .args(["--local-repository", &format!("{}={}", pinned("download-artifact"), down.display())])
        .args(["--local-repository", &format!("{}={}", pinned("checkout"), checkout.display())])
        .args(["--secret", &format!("GITHUB_TOKEN={ACTIONS}")])
        .args(["--env", "GITHUB_REPOSITORY=acme/hotel", "--env", "NO_PROXY=127.0.0.1"])
        .args(["--env", &format!("GITHUB_SHA={}", runner.base)])
        .args(["--env", &format!("GITHUB_API_URL={}", server.api)])
        .args(["--env", &format!("GITHUB_GRAPHQL_URL={}", server.graphql)])
        .args(["--env", "GITHUB_SERVER_URL=https://github.com"])
        .env("XDG_CACHE_HOME", runner.file("cache"))
        .env("XDG_STATE_HOME", runner.file("state"))
        .current_dir(runner.repository.root())
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let world = runner.github.world();
    let pull = world.issues.get(&8).unwrap_or_else(|| panic!("no pull request: {said}"));
    assert!(pull.pull.as_ref().unwrap().draft && pull.labels == ["failfirst:verified"], "{pull:?}");
    assert_eq!(world.checks[0].conclusion.as_deref(), Some("success"));
    drop(world);
    runner.github.assert_contract();
}
