//! How long the lab takes to lay out a variant: 5 changed files of a tree of 5,000.
//!
//! `scripts/bench` runs it in release mode, with overlays and without.

#![expect(clippy::print_stdout, reason = "its output is the result")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use failfirst::git::{Edit, Entry, Mode, RepoPath, Store};
use failfirst::lab::{Keep, Lab, Level, Options, Quiet, Scratch};
use failfirst::lang::RunnerSettings;

const FILES: usize = 5_000;
const TIMES: usize = 20;

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn main() {
    // The helper processes of the sandbox are this very program.
    failfirst::lab::run_if_asked();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for index in 0..FILES {
        let file = folder.path().join(format!("pkg{}/module_{index}.py", index / 100));
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(file, format!("VALUE = {index}\n").repeat(20)).expect("a file");
    }
    std::fs::write(folder.path().join("test_it.py"), "import unittest\n").expect("a file");
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message", "base"]);
    for (name, level) in [("overlay", Level::Required), ("switching", Level::Off)] {
        let opened = Instant::now();
        let scratch = Scratch::new(Keep::No).expect("a scratch folder");
        let store = Arc::new(Store::open(folder.path(), scratch.path()).expect("a store"));
        let base = store.resolve("HEAD").expect("a commit");
        let lab = Lab::open(Options {
            store: store.clone(),
            base,
            repository: folder.path().to_owned(),
            language: Some("python".to_owned()),
            runner: RunnerSettings { runner: Some("unittest".to_owned()), ..RunnerSettings::default() },
            setup: Vec::new(),
            env: std::collections::BTreeMap::new(),
            timeout: Duration::from_secs(60),
            level,
            jobs: 1,
            helper: std::env::current_exe().expect("this program"),
            scratch,
            hidden: Vec::new(),
            progress: Arc::new(Quiet),
        })
        .expect("a lab");
        println!("{name}: opened in {:.0} ms", opened.elapsed().as_secs_f64() * 1e3);
        let mut took = Vec::new();
        for round in 0..TIMES {
            let edits: Vec<_> = (0..5)
                .map(|n| {
                    let path = RepoPath::new(format!("pkg{n}/module_{}.py", n * 100)).expect("a path");
                    let oid =
                        store.write_blob(format!("VALUE = 'round {round}'\n").as_bytes()).expect("a blob");
                    Edit::Put(path, Entry { mode: Mode::File, oid })
                })
                .collect();
            let tree = store.compose(base.tree, &edits).expect("a tree");
            let started = Instant::now();
            lab.prepare(tree).expect("a variant");
            // The first switch also copies the checkout, which is paid once.
            if round > 0 {
                took.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
        took.sort_by(f64::total_cmp);
        let median = took[took.len() / 2];
        let worst = took[took.len() - 1];
        println!(
            "{name}: a variant of 5 changed files in {FILES}: median {median:.1} ms, slowest {worst:.1} ms"
        );
    }
}
