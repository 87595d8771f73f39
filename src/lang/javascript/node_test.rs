//! Node's own test runner.

use std::collections::BTreeMap;

use super::dialect::{Dialect, Job, escape, numbered, with_common};

/// `node --test`.
pub(super) struct NodeTest;

impl Dialect for NodeTest {
    fn name(&self) -> &'static str {
        "node:test"
    }

    fn package(&self) -> Option<&'static str> {
        None
    }

    fn binaries(&self) -> &'static [&'static str] {
        &[]
    }

    fn valued(&self) -> &'static [&'static str] {
        &[
            "require",
            "r",
            "import",
            "loader",
            "experimental-loader",
            "conditions",
            "C",
            "test-name-pattern",
            "test-skip-pattern",
            "test-reporter",
            "test-reporter-destination",
            "test-shard",
            "test-coverage-include",
            "test-coverage-exclude",
        ]
    }

    fn dropped(&self) -> &'static [&'static str] {
        &[
            "test",
            "test-only",
            "test-reporter",
            "test-reporter-destination",
            "test-name-pattern",
            "test-skip-pattern",
            "test-shard",
            "test-update-snapshots",
            "test-rerun-failures",
            "experimental-test-coverage",
            "test-coverage-include",
            "test-coverage-exclude",
            "test-coverage-lines",
            "test-coverage-branches",
            "test-coverage-functions",
            "watch",
            "inspect",
            "inspect-brk",
        ]
    }

    fn reporter(&self) -> &'static str {
        include_str!("reporters/node_test.cjs")
    }

    fn flags(&self, job: &Job<'_>) -> Vec<String> {
        let mut flags = vec![
            "--test".to_owned(),
            format!("--require={}", job.file("g.cjs")),
            format!("--test-reporter={}", job.file(".cjs")),
            "--test-reporter-destination=stdout".to_owned(),
        ];
        // Older versions match each title alone and enter only subtests whose parents match too, so
        // every part of the name is given; what else matches is left out when the report is read.
        let mut titles: Vec<String> = Vec::new();
        for parts in job.names {
            for start in 0..parts.len() {
                for end in start + 1..=parts.len() {
                    titles.push(numbered(&escape(&parts[start..end].join(" > "))));
                }
            }
        }
        titles.sort();
        titles.dedup();
        if !titles.is_empty() {
            flags.push(format!("--test-name-pattern=/^(?:{})$/", titles.join("|")));
        }
        flags
    }

    fn files(&self, job: &Job<'_>) -> BTreeMap<String, String> {
        BTreeMap::from([
            (format!("{}.cjs", job.stem), with_common(self.reporter())),
            (format!("{}g.cjs", job.stem), with_common(include_str!("reporters/node_guard.cjs"))),
        ])
    }
}
