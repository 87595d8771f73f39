//! Jest.

use super::dialect::{Dialect, Job};

/// `jest`.
pub(super) struct Jest;

impl Dialect for Jest {
    fn name(&self) -> &'static str {
        "jest"
    }

    fn package(&self) -> Option<&'static str> {
        Some("jest")
    }

    fn binaries(&self) -> &'static [&'static str] {
        &["jest"]
    }

    fn valued(&self) -> &'static [&'static str] {
        &[
            "config",
            "c",
            "env",
            "testEnvironment",
            "projects",
            "selectProjects",
            "ignoreProjects",
            "rootDir",
            "roots",
            "maxWorkers",
            "w",
            "testTimeout",
            "setupFiles",
            "setupFilesAfterEnv",
            "globalSetup",
            "globalTeardown",
            "outputFile",
            "reporters",
            "testNamePattern",
            "t",
            "testPathPattern",
            "testPathPatterns",
            "testPathIgnorePatterns",
            "testMatch",
            "testRegex",
            "shard",
            "seed",
            "coverageReporters",
            "collectCoverageFrom",
            "coverageDirectory",
            "coverageProvider",
            "coverageThreshold",
            "cacheDirectory",
            "changedSince",
            "maxConcurrency",
            "transform",
            "preset",
            "resolver",
            "runner",
            "testRunner",
            "moduleNameMapper",
        ]
    }

    fn dropped(&self) -> &'static [&'static str] {
        &[
            "ci",
            "coverage",
            "collectCoverage",
            "coverageReporters",
            "collectCoverageFrom",
            "coverageDirectory",
            "coverageProvider",
            "coverageThreshold",
            "watch",
            "watchAll",
            "silent",
            "verbose",
            "bail",
            "b",
            "passWithNoTests",
            "json",
            "outputFile",
            "reporters",
            "onlyChanged",
            "o",
            "onlyFailures",
            "f",
            "changedSince",
            "lastCommit",
            "findRelatedTests",
            "testNamePattern",
            "t",
            "testPathPattern",
            "testPathPatterns",
            "runTestsByPath",
            "u",
            "updateSnapshot",
            "shard",
            "randomize",
            "listTests",
            "cache",
            "cacheDirectory",
            "logHeapUsage",
            "notify",
            "color",
            "colors",
        ]
    }

    fn reporter(&self) -> &'static str {
        include_str!("reporters/jest.cjs")
    }

    fn flags(&self, job: &Job<'_>) -> Vec<String> {
        let mut flags = vec![
            "--ci".to_owned(),
            format!("--reporters={}", job.file(".cjs")),
            "--coverage=false".to_owned(),
            "--watchAll=false".to_owned(),
            "--watch=false".to_owned(),
            "--passWithNoTests".to_owned(),
            "--bail=0".to_owned(),
            "--silent=false".to_owned(),
            "--testLocationInResults".to_owned(),
            // Fresh, since the cache of an earlier run could carry code that is in no tree.
            format!("--cacheDirectory={}", job.file("cache")),
        ];
        if let Some(pattern) = job.pattern() {
            flags.push(format!("--testNamePattern={pattern}"));
        }
        if !job.files.is_empty() {
            flags.push("--runTestsByPath".to_owned());
        }
        flags
    }
}
