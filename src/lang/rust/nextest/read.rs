//! Reading what a nextest process left behind.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::super::build::Program;
use super::super::manifest::Kind;
use super::super::report;
use super::reports::{JunitTest, read_junit, read_list};
use super::{Job, JobFiles, Nextest};
use crate::lang::{Case, Cause, Output, Reading, Status, TestId};

impl Nextest {
    pub(super) fn read_job(&self, job: &Job, files: &JobFiles<'_>, root: &Path, reading: &mut Reading) {
        let JobFiles { list, run, junit } = files;
        let listed = list.and_then(|list| read_list(&list.stdout));
        let meant = |id: &TestId| -> bool {
            let Some((package, kind, target, name)) = self.cargo.workspace.parse(id) else { return false };
            job.package.is_none()
                || job.units.iter().any(|unit| {
                    unit.package == package
                        && unit.kind == kind
                        && (unit.target == target || kind == Kind::Lib)
                        && self.cargo.workspace.is_meant(unit, &name)
                })
        };
        let before = reading.cases.len();
        let Some(found) = junit.as_deref().and_then(read_junit) else {
            if run.code == Some(4) {
                // "no tests to run": complete, and empty.
            } else {
                reading.complete = false;
                self.read_lines(run, listed.as_ref(), &meant, root, reading);
            }
            self.add_ignored(listed.as_ref(), &meant, before, reading);
            return;
        };
        let mut failed = 0;
        for test in &found.tests {
            let id = TestId(format!("{} {}", test.binary, test.name));
            failed += u32::from(test.failure.is_some());
            if meant(&id) {
                self.read_test(test, id, run.timed_out, root, reading);
            }
        }
        if found.count != found.tests.len() || found.failures != failed as usize {
            reading.disagreements.push(format!(
                "the report counts {} tests and {} failures and holds {} and {failed}",
                found.count,
                found.failures,
                found.tests.len()
            ));
        }
        match run.code {
            Some(0) if failed > 0 => {
                reading.disagreements.push(format!("exit code 0 with {failed} failed tests"));
            }
            Some(100) if failed == 0 => {
                reading.disagreements.push("exit code 100 without a failed test".to_owned());
            }
            Some(0 | 4 | 100) => {}
            _ => reading.complete = false,
        }
        if let Some(listed) = &listed {
            let missing = listed
                .iter()
                .filter(|(id, ignored)| !**ignored && !found.has(id))
                .map(|(id, _)| format!("`{id}` was to run and is not in the report"));
            reading.disagreements.extend(missing);
        }
        reading.complete &= !run.timed_out;
        self.add_ignored(listed.as_ref(), &meant, before, reading);
    }

    fn read_test(&self, test: &JunitTest, id: TestId, timed_out: bool, root: &Path, reading: &mut Reading) {
        let Some((package, kind, target, name)) = self.cargo.workspace.parse(&id) else { return };
        let program = Program { package, kind, target };
        let own = report::read(&test.stdout);
        let printed = format!("{}\n{}", test.stdout.trim_end(), test.stderr.trim_end());
        let mut case = match &test.failure {
            None => {
                let agrees = own.complete
                    && own.disagreements.is_empty()
                    && own.results == [(name.clone(), Status::Passed)];
                if agrees {
                    self.cargo.case(&program, &name, Status::Passed, "", root)
                } else {
                    reading.disagreements.push(format!(
                        "nextest takes `{id}` for passed, but its process ended with exit code 0 before the test did"
                    ));
                    let how = "the process ended with exit code 0 before the test did";
                    self.cargo.cut_off(&program, &name, Cause::Raised, how, &printed)
                }
            }
            Some(kind) if kind.contains("timeout") => {
                let how = "did not end within nextest's own time limit";
                self.cargo.cut_off(&program, &name, Cause::TimedOut, how, &printed)
            }
            // What was still running when the time limit came.
            Some(kind) if timed_out && kind.contains("abort") => {
                let how = "did not end within the time limit";
                self.cargo.cut_off(&program, &name, Cause::TimedOut, how, &printed)
            }
            Some(kind) if own.complete && !kind.contains("abort") => {
                self.cargo.case(&program, &name, Status::Failed, &printed, root)
            }
            Some(kind) => self.cargo.cut_off(&program, &name, Cause::Raised, kind, &printed),
        };
        case.seconds = test.seconds;
        reading.cases.push(case);
    }

    /// What nextest printed until it was killed.
    fn read_lines(
        &self,
        run: &Output,
        listed: Option<&BTreeMap<TestId, bool>>,
        meant: &dyn Fn(&TestId) -> bool,
        root: &Path,
        reading: &mut Reading,
    ) {
        static LINE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?m)^ +(PASS|FAIL|SIG[A-Z]+|TIMEOUT|ABORT) \[[^\]]*\] (?:\([^)]*\) )?(\S+) (.+)$")
                .expect("a valid pattern")
        });
        let mut ended: Vec<TestId> = Vec::new();
        for found in LINE.captures_iter(&run.stderr) {
            let id = TestId(format!("{} {}", &found[2], &found[3]));
            let Some((package, kind, target, name)) = self.cargo.workspace.parse(&id) else { continue };
            if !meant(&id) || ended.contains(&id) {
                continue;
            }
            ended.push(id);
            let program = Program { package, kind, target };
            reading.cases.push(match &found[1] {
                "PASS" => self.cargo.case(&program, &name, Status::Passed, "", root),
                "FAIL" => self.cargo.case(&program, &name, Status::Failed, "", root),
                how => self.cargo.cut_off(&program, &name, Cause::Raised, how, ""),
            });
        }
        let missing: Vec<&TestId> = listed
            .into_iter()
            .flatten()
            .filter(|(id, ignored)| !**ignored && meant(id) && !ended.contains(id))
            .map(|(id, _)| id)
            .collect();
        if run.timed_out && missing.len() <= 4 {
            for id in missing {
                let Some((package, kind, target, name)) = self.cargo.workspace.parse(id) else { continue };
                let program = Program { package, kind, target };
                let how = "did not end within the time limit";
                reading.cases.push(self.cargo.cut_off(&program, &name, Cause::TimedOut, how, &run.stderr));
            }
        }
    }

    /// Ignored tests stand in the list only.
    fn add_ignored(
        &self,
        listed: Option<&BTreeMap<TestId, bool>>,
        meant: &dyn Fn(&TestId) -> bool,
        from: usize,
        reading: &mut Reading,
    ) {
        for (id, ignored) in listed.into_iter().flatten() {
            if *ignored && meant(id) && !reading.cases[from..].iter().any(|case| case.id == *id) {
                let Some((package, kind, target, name)) = self.cargo.workspace.parse(id) else { continue };
                reading.cases.push(Case {
                    id: id.clone(),
                    file: self.cargo.workspace.file_of(package, kind, &target, &name),
                    status: Status::Skipped,
                    failure: None,
                    seconds: 0.0,
                });
            }
        }
    }
}
