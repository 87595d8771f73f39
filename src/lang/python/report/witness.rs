//! Other witnesses of a session: the exit code, and the report that the runner writes itself.

use std::path::Path;

use super::events::{Event, Log, PhaseData};
use crate::lang::{Output, Reading, Status};

/// What the runner itself says about the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::lang::python) enum Witness {
    /// The totals of `junit.xml`, which pytest writes.
    Junit,
    /// unittest's closing line (`FAILED (failures=1)`).
    Summary,
}

/// Each contradiction as a fragment.
pub(super) fn compare(
    witness: Witness,
    log: &Log,
    reading: &Reading,
    output: &Output,
    out: &Path,
) -> Vec<String> {
    let mut found = Vec::new();
    if log.foreign > 0 {
        found.push(format!("the report holds {} lines that the session did not write", log.foreign));
    }
    let (mut finishes, mut exits) = (Vec::new(), Vec::new());
    for event in &log.events {
        match event {
            Event::Finish { exit } => finishes.push(*exit),
            Event::Exit { code } => exits.push(*code),
            _ => {}
        }
    }
    if finishes.len() > 1 || exits.len() > 1 {
        found.push("the report was closed more than once".to_owned());
    }
    if !matches!(log.events.last(), None | Some(Event::Exit { .. })) && !exits.is_empty() {
        found.push("the report goes on after it was closed".to_owned());
    }
    let Some(code) = output.code else { return found };
    for told in finishes.iter().chain(&exits) {
        if *told != code {
            found.push(format!("the exit code is {code}, the report says {told}"));
        }
    }
    found.extend(against_code(log, reading, code));
    if !finishes.is_empty() {
        match witness {
            Witness::Junit => found.extend(against_junit(log, out)),
            Witness::Summary => found.extend(against_summary(reading, output)),
        }
    }
    found.dedup();
    found
}

/// pytest's exit codes, which the unittest script uses too: 0 all passed, 1 some failed, 5 none ran.
fn against_code(log: &Log, reading: &Reading, code: i32) -> Option<String> {
    // A strict xfail that passes makes the exit code 1, one that is not strict does not.
    let failed = phases(log).any(|phase| phase.outcome == "failed")
        || reading.cases.iter().any(|case| case.status == Status::Failed)
        || !reading.load_failures.is_empty()
        // unittest fails on an unexpected success.
        || reading.cases.iter().any(|case| case.status == Status::UnexpectedPass);
    let strictly = failed_strictly(log, reading);
    match code {
        0 if strictly => Some("the exit code is 0 although tests failed".to_owned()),
        1 if !failed => Some("the exit code is 1 although no test failed".to_owned()),
        5 if !reading.cases.is_empty() => Some("the exit code says that no test ran".to_owned()),
        _ => None,
    }
}

fn failed_strictly(log: &Log, reading: &Reading) -> bool {
    phases(log).any(|phase| phase.outcome == "failed") || !reading.load_failures.is_empty()
}

fn phases(log: &Log) -> impl Iterator<Item = &PhaseData> {
    log.events.iter().filter_map(|event| match event {
        Event::Phase(phase) => Some(phase),
        _ => None,
    })
}

/// How many results of each kind a report counts.
#[derive(Default, PartialEq, Eq, Debug)]
struct Totals {
    failures: u64,
    errors: u64,
}

fn against_junit(log: &Log, out: &Path) -> Option<String> {
    let Some(junit) = std::fs::read(out.join("junit.xml")).ok().as_deref().and_then(totals) else {
        return Some("pytest's own report is absent or broken".to_owned());
    };
    let mut ours = Totals::default();
    for event in &log.events {
        match event {
            Event::Load { .. } => ours.errors += 1,
            Event::Phase(phase) if phase.outcome == "failed" && phase.when == "call" => ours.failures += 1,
            Event::Phase(phase) if phase.outcome == "failed" => ours.errors += 1,
            _ => {}
        }
    }
    (ours != junit).then(|| {
        format!(
            "the session reported {} failures and {} errors, pytest's own report has {} and {}",
            ours.failures, ours.errors, junit.failures, junit.errors
        )
    })
}

fn totals(xml: &[u8]) -> Option<Totals> {
    let mut reader = quick_xml::Reader::from_reader(xml);
    let mut buffer = Vec::new();
    let (mut totals, mut suites, mut ended) = (Totals::default(), 0, false);
    loop {
        match reader.read_event_into(&mut buffer).ok()? {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)
                if tag.name().as_ref() == "testsuite" =>
            {
                suites += 1;
                for attribute in tag.attributes().flatten() {
                    let number = || attribute.value.parse::<u64>().ok();
                    match attribute.key.as_ref() {
                        "failures" => totals.failures += number()?,
                        "errors" => totals.errors += number()?,
                        _ => {}
                    }
                }
            }
            quick_xml::events::Event::End(tag) if tag.name().as_ref() == "testsuites" => ended = true,
            _ => {}
        }
        buffer.clear();
    }
    (suites > 0 && ended).then_some(totals)
}

fn against_summary(reading: &Reading, output: &Output) -> Option<String> {
    let closing = output.stderr.lines().rfind(|line| {
        *line == "OK"
            || line.starts_with("OK (")
            || line.starts_with("FAILED (")
            || line.starts_with("NO TESTS RAN")
    })?;
    let bad = |case: &crate::lang::Case| matches!(case.status, Status::Failed | Status::UnexpectedPass);
    let failed = reading.cases.iter().any(bad);
    (closing.starts_with("FAILED") != failed)
        .then(|| format!("unittest closed with `{closing}`, which its report contradicts"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::python::modules::Modules;
    use crate::lang::python::report::fold;

    const START: &str = "{\"e\":\"start\",\"main\":1}\n";
    const PASSED: &str = "{\"e\":\"collected\",\"ids\":[\"t.py::a\"]}\n\
        {\"e\":\"begin\",\"id\":\"t.py::a\",\"file\":\"t.py\"}\n\
        {\"e\":\"phase\",\"id\":\"t.py::a\",\"when\":\"call\",\"outcome\":\"passed\"}\n\
        {\"e\":\"end\",\"id\":\"t.py::a\"}\n";
    const CLOSE: &str = "{\"e\":\"finish\",\"exit\":0}\n{\"e\":\"exit\",\"code\":0}\n";
    const JUNIT: &str = "<testsuites><testsuite errors=\"0\" failures=\"0\" tests=\"1\"/></testsuites>";

    fn read(report: &str, junit: &str, code: i32) -> Reading {
        let out = tempfile::tempdir().unwrap();
        std::fs::write(out.path().join("junit.xml"), junit).unwrap();
        let output = Output {
            code: Some(code),
            timed_out: false,
            stdout: String::new(),
            stderr: String::new(),
            took: std::time::Duration::ZERO,
            cut: 0,
        };
        let log = Log::parse(report.as_bytes());
        let mut reading = fold::fold(&log, &output, out.path(), Path::new("/p"), &Modules::default());
        let found = compare(Witness::Junit, &log, &reading, &output, out.path());
        reading.disagreements.extend(found);
        reading
    }

    #[test]
    fn agreeing_witnesses_make_a_whole_reading() {
        let reading = read(&format!("{START}{PASSED}{CLOSE}"), JUNIT, 0);
        assert!(reading.complete && reading.disagreements.is_empty(), "{reading:?}");
    }

    #[test]
    fn each_contradiction_is_named() {
        let whole = format!("{START}{PASSED}{CLOSE}");
        let failed = PASSED.replace("passed", "failed");
        for (report, junit, code, what) in [
            (whole.clone(), JUNIT, 1, "the exit code is 1, the report says 0"),
            (format!("{whole}{PASSED}"), JUNIT, 0, "the report goes on after it was closed"),
            (format!("{whole}{CLOSE}"), JUNIT, 0, "the report was closed more than once"),
            (format!("{whole}hello\n"), JUNIT, 0, "the report holds 1 lines that the session did not write"),
            (whole.clone(), "<testsuites>", 0, "pytest's own report is absent or broken"),
            (
                whole.clone(),
                "<testsuites><testsuite errors=\"0\" failures=\"1\"/></testsuites>",
                0,
                "the session reported 0 failures and 0 errors, pytest's own report has 1 and 0",
            ),
            (format!("{START}{failed}{CLOSE}"), JUNIT, 0, "the exit code is 0 although tests failed"),
            (format!("{START}{CLOSE}"), JUNIT, 1, "the exit code is 1 although no test failed"),
        ] {
            let reading = read(&report, junit, code);
            assert!(reading.disagreements.iter().any(|found| found == what), "{what}: {reading:?}");
        }
    }

    #[test]
    fn a_report_that_stops_is_incomplete() {
        for report in [String::new(), START.to_owned(), format!("{START}{PASSED}")] {
            assert!(!read(&report, JUNIT, 0).complete, "{report}");
        }
        let torn = format!("{START}{PASSED}{{\"e\":\"fin");
        let reading = read(&torn, JUNIT, 0);
        assert!(!reading.complete && reading.disagreements.is_empty(), "{reading:?}");
        let unfinished = PASSED.replace("t.py::a\"]", "t.py::a\", \"t.py::b\"]");
        let reading = read(&format!("{START}{unfinished}{CLOSE}"), JUNIT, 0);
        assert_eq!(reading.disagreements, ["not every test that was collected has run"]);
        assert!(!reading.complete);
    }
}
