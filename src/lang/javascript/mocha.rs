//! Mocha.

use std::collections::BTreeMap;

use super::dialect::{Dialect, Job, with_common};

/// `mocha`.
pub(super) struct Mocha;

impl Dialect for Mocha {
    fn name(&self) -> &'static str {
        "mocha"
    }

    fn package(&self) -> Option<&'static str> {
        Some("mocha")
    }

    fn binaries(&self) -> &'static [&'static str] {
        &["mocha", "_mocha"]
    }

    fn valued(&self) -> &'static [&'static str] {
        &[
            "require",
            "r",
            "import",
            "config",
            "reporter",
            "R",
            "reporter-option",
            "reporter-options",
            "O",
            "ui",
            "u",
            "timeout",
            "timeouts",
            "t",
            "slow",
            "s",
            "grep",
            "g",
            "fgrep",
            "f",
            "file",
            "ignore",
            "exclude",
            "extension",
            "retries",
            "jobs",
            "j",
            "spec",
            "loader",
            "experimental-loader",
            "node-option",
            "n",
            "package",
            "global",
            "globals",
            "watch-files",
            "watch-ignore",
        ]
    }

    fn dropped(&self) -> &'static [&'static str] {
        &[
            "config",
            "package",
            "reporter",
            "R",
            "reporter-option",
            "reporter-options",
            "O",
            "grep",
            "g",
            "fgrep",
            "f",
            "invert",
            "i",
            "watch",
            "w",
            "watch-files",
            "watch-ignore",
            "bail",
            "b",
            "retries",
            "forbid-only",
            "forbid-pending",
            "fail-zero",
            "dry-run",
            "color",
            "colors",
            "c",
            "diff",
            "full-trace",
            "inspect",
            "inspect-brk",
            "pass-on-failing-test-suite",
        ]
    }

    fn reporter(&self) -> &'static str {
        include_str!("reporters/mocha.cjs")
    }

    fn flags(&self, job: &Job<'_>) -> Vec<String> {
        let mut flags = vec![
            format!("--config={}", job.file("c.js")),
            "--no-package".to_owned(),
            format!("--reporter={}", job.file(".cjs")),
            "--retries=0".to_owned(),
            "--no-bail".to_owned(),
            "--forbid-only".to_owned(),
            "--full-trace".to_owned(),
            "--no-color".to_owned(),
        ];
        if let Some(pattern) = job.pattern() {
            flags.push(format!("--grep={pattern}"));
        }
        flags
    }

    fn files(&self, job: &Job<'_>) -> BTreeMap<String, String> {
        let settings = serde_json::json!({ "config": job.config, "keepSpec": job.files.is_empty() });
        let configuration =
            include_str!("reporters/mocha_config.cjs").replace("FAILFIRST;", &format!("{settings};"));
        BTreeMap::from([
            (format!("{}.cjs", job.stem), with_common(self.reporter())),
            (format!("{}c.js", job.stem), configuration),
        ])
    }
}
