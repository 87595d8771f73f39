//! Vitest.

use super::dialect::{Dialect, Job};

/// `vitest run`.
pub(super) struct Vitest;

impl Dialect for Vitest {
    fn name(&self) -> &'static str {
        "vitest"
    }

    fn package(&self) -> Option<&'static str> {
        Some("vitest")
    }

    fn binaries(&self) -> &'static [&'static str] {
        &["vitest"]
    }

    fn subcommands(&self) -> &'static [&'static str] {
        &["run", "watch", "dev", "related", "bench", "list"]
    }

    fn valued(&self) -> &'static [&'static str] {
        &[
            "config",
            "c",
            "root",
            "r",
            "dir",
            "environment",
            "pool",
            "project",
            "workspace",
            "mode",
            "reporter",
            "outputFile",
            "testNamePattern",
            "t",
            "testTimeout",
            "hookTimeout",
            "teardownTimeout",
            "maxWorkers",
            "minWorkers",
            "maxConcurrency",
            "retry",
            "bail",
            "shard",
            "exclude",
            "browser",
            "sequence",
            "changed",
        ]
    }

    fn dropped(&self) -> &'static [&'static str] {
        &[
            "run",
            "watch",
            "w",
            "ui",
            "open",
            "coverage",
            "reporter",
            "outputFile",
            "testNamePattern",
            "t",
            "retry",
            "bail",
            "shard",
            "changed",
            "silent",
            "allowOnly",
            "passWithNoTests",
            "update",
            "u",
            "typecheck",
            "cache",
            "clearCache",
            "dangerouslyIgnoreUnhandledErrors",
            "standalone",
            "logHeapUsage",
            "hideSkippedTests",
            "color",
            "segfault-retry",
            "inspect",
            "inspect-brk",
        ]
    }

    fn repeats_options(&self) -> bool {
        false
    }

    fn environment(&self) -> Vec<(String, String)> {
        // It has no option against writing new snapshots; it leaves that be in continuous
        // integration. Nothing else gets the variable, since projects read it too.
        vec![("CI".to_owned(), "true".to_owned())]
    }

    fn command(&self) -> &'static [&'static str] {
        &["run"]
    }

    fn reporter(&self) -> &'static str {
        include_str!("reporters/vitest.cjs")
    }

    fn flags(&self, job: &Job<'_>) -> Vec<String> {
        let mut flags = vec![
            format!("--reporter={}", job.file(".cjs")),
            "--coverage.enabled=false".to_owned(),
            "--watch=false".to_owned(),
            "--passWithNoTests".to_owned(),
            "--bail=0".to_owned(),
            "--retry=0".to_owned(),
            "--allowOnly=false".to_owned(),
            "--dangerouslyIgnoreUnhandledErrors=false".to_owned(),
            "--no-cache".to_owned(),
        ];
        // Types are checked only where they are what is tested: it takes the compiler's time.
        if job.files.iter().any(|file| file.contains("-d.")) {
            flags.push("--typecheck".to_owned());
        }
        if let Some(pattern) = job.pattern() {
            flags.push(format!("--testNamePattern={pattern}"));
        }
        flags
    }
}
