//! Hands upon a plain folder, without isolation: for tests.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{Hands, Terms};
use crate::git::RepoPath;
use crate::lang::{Invocation, Output};

pub(crate) struct Folder {
    root: tempfile::TempDir,
    desk: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), desk: tempfile::tempdir().unwrap() }
    }
}

impl Folder {
    /// Every file and its text.
    pub(crate) fn files(&self) -> std::collections::BTreeMap<String, String> {
        let mut files = std::collections::BTreeMap::new();
        for entry in ignore::WalkBuilder::new(self.root.path()).standard_filters(false).build() {
            let path = entry.unwrap().into_path();
            if path.is_file() {
                let name = path.strip_prefix(self.root.path()).unwrap().to_str().unwrap().to_owned();
                files.insert(name, String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned());
            }
        }
        files
    }
}

impl Hands for Folder {
    fn root(&self) -> &Path {
        self.root.path()
    }

    fn desk(&self) -> &Path {
        self.desk.path()
    }

    fn run(&self, invocation: &Invocation, terms: &Terms) -> Result<Output, String> {
        let began = Instant::now();
        let mut child = Command::new(&invocation.argv[0])
            .args(&invocation.argv[1..])
            .env_clear()
            .envs(&invocation.env)
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut timed_out = false;
        while child.try_wait().map_err(|error| error.to_string())?.is_none() {
            if began.elapsed() >= terms.timeout || terms.bounds.stop.due().is_some() {
                timed_out = true;
                child.kill().map_err(|error| error.to_string())?;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        Ok(Output {
            code: output.status.code(),
            timed_out,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: began.elapsed(),
            cut: 0,
        })
    }

    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, String> {
        Ok(std::fs::read(path.under(self.root.path())).ok())
    }

    fn write(&self, path: &RepoPath, content: &[u8]) -> Result<(), String> {
        let file = path.under(self.root.path());
        std::fs::create_dir_all(file.parent().unwrap()).map_err(|error| error.to_string())?;
        std::fs::write(file, content).map_err(|error| error.to_string())
    }

    fn remove(&self, path: &RepoPath) -> Result<(), String> {
        std::fs::remove_file(path.under(self.root.path())).map_err(|error| error.to_string())
    }
}
