//! Reading what `cargo test` printed for the whole suite.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::super::build::Built;
use super::super::report::{self, Report};
use super::Libtest;
use super::read::how_it_ended;
use crate::lang::{Cause, Output, Reading};

impl Libtest {
    /// The suite of one home. The streams come as one, so that cargo's announcements stand in front
    /// of what the programs print.
    pub(super) fn read_suite(
        &self,
        home: &str,
        built: &Built,
        output: &Output,
        root: &Path,
        reading: &mut Reading,
    ) {
        let mut open: BTreeSet<&str> = built.programs.keys().map(String::as_str).collect();
        let mut failed = 0;
        for section in sections(&output.stdout, built) {
            match section.of {
                SectionOf::Program(file) => {
                    open.remove(file);
                    let program = &built.programs[file];
                    let report = report::read(section.text);
                    let custom = self.workspace.is_custom(program.package, program.kind, &program.target);
                    reading.complete &= report.complete || custom;
                    failed += report.failed;
                    reading.disagreements.extend(report.disagreements.iter().cloned());
                    for (name, status) in &report.results {
                        let printed = report.printed.get(name).map(String::as_str).unwrap_or_default();
                        reading.cases.push(self.case(program, name, *status, printed, root));
                    }
                    if !report.complete
                        && let [name] = self.suspects(&report, None, output).as_slice()
                    {
                        let cause = if output.timed_out { Cause::TimedOut } else { Cause::Raised };
                        let how = how_it_ended(output);
                        reading.cases.push(self.cut_off(program, name, cause, &how, section.text));
                    }
                }
                SectionOf::Doc(name) => {
                    let reports: Vec<Report> =
                        report::blocks(section.text).into_iter().map(report::read).collect();
                    reading.complete &= !reports.is_empty() && reports.iter().all(|report| report.complete);
                    failed += reports.iter().map(|report| report.failed).sum::<u32>();
                    if let Some(package) = self.workspace.package_of_crate(home, name) {
                        self.read_doc(package, &name.replace('-', "_"), reports, root, reading);
                    }
                }
            }
        }
        open.retain(|file| {
            let program = &built.programs[*file];
            !self.workspace.is_custom(program.package, program.kind, &program.target)
        });
        if !open.is_empty() {
            reading.complete = false;
        }
        reading.complete &= !output.timed_out;
        if output.code == Some(0) && failed > 0 || output.code == Some(101) && failed == 0 && reading.complete
        {
            reading.disagreements.push(format!(
                "the suite ended with exit code {} and {failed} failed tests",
                output.code.unwrap_or_default()
            ));
        }
    }
}

struct Section<'a> {
    of: SectionOf<'a>,
    text: &'a str,
}

enum SectionOf<'a> {
    /// The file name of a test program.
    Program(&'a str),
    /// The name of a crate.
    Doc(&'a str),
}

/// Splits the output of `cargo test` at its announcements. A program's announcement counts once and
/// only when the build named the program: tests may print such lines.
fn sections<'a>(text: &'a str, built: &'a Built) -> Vec<Section<'a>> {
    static RUNNING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"     Running (?:unittests )?.+ \(([^()]+)\)$").expect("a valid pattern")
    });
    static DOC: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"   Doc-tests (\S+)$").expect("a valid pattern"));
    let mut heads: Vec<(usize, usize, SectionOf<'a>)> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        if let Some(found) = RUNNING.captures(bare) {
            let file = found[1].rsplit('/').next().unwrap_or_default();
            if let Some((file, _)) = built.programs.get_key_value(file)
                && seen.insert(file)
            {
                heads.push((at, at + line.len(), SectionOf::Program(file)));
            }
        } else if let Some(found) = DOC.captures(bare) {
            let name = found.get(1).map_or("", |name| name.as_str());
            heads.push((at, at + line.len(), SectionOf::Doc(name)));
        }
        at += line.len();
    }
    let starts: Vec<usize> = heads.iter().map(|(start, _, _)| *start).chain([text.len()]).collect();
    heads
        .into_iter()
        .enumerate()
        .map(|(index, (_, begin, of))| Section { of, text: &text[begin..starts[index + 1].max(begin)] })
        .collect()
}
