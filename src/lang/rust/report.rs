//! What a libtest program printed.
//!
//! Tests and their child processes can write into the same stream, also between `test a ... ` and
//! its `ok`. What is read is therefore held against the number of tests that the program announced,
//! against the counts of its closing line and against its own list of failures.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::super::Status;

/// The output of one test program.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Report {
    /// The tests and how they ended, in order.
    pub(super) results: Vec<(String, Status)>,
    /// What failed tests printed.
    pub(super) printed: BTreeMap<String, String>,
    /// A test that was begun and did not end (programs with one thread print the name first).
    pub(super) unfinished: Option<String>,
    /// Tests that libtest said to run for long.
    pub(super) slow: Vec<String>,
    /// True when the closing line was seen and every announced test has ended.
    pub(super) complete: bool,
    /// How many tests the closing line says failed.
    pub(super) failed: u32,
    /// What does not fit together.
    pub(super) disagreements: Vec<String>,
}

static RUNNING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^running (\d+) tests?$").expect("a valid pattern"));
static CLOSING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; (\d+) measured; \d+ filtered out",
    )
    .expect("a valid pattern")
});
static TEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?<noise>.*?)test (?<name>\S.*?)(?: - should panic| - compile fail| - compile)? \.\.\. (?<rest>.*)$",
    )
    .expect("a valid pattern")
});
static SLOW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^test (\S.*) has been running for over \d+ seconds$").expect("a valid pattern")
});
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[\w:#]+$").expect("a valid pattern"));

/// Splits the output of several programs, run one after the other, at their announcements. Text in
/// front of the first one belongs to it.
pub(super) fn blocks(text: &str) -> Vec<&str> {
    let mut starts = Vec::new();
    let mut at = 0;
    let mut open = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        if !open && RUNNING.is_match(bare) {
            starts.push(at);
            open = true;
        } else if CLOSING.is_match(bare) {
            open = false;
        }
        at += line.len();
    }
    (0..starts.len())
        .map(|index| &text[starts[index]..starts.get(index + 1).copied().unwrap_or(text.len())])
        .collect()
}

/// Reads the output of one test program.
pub(super) fn read(text: &str) -> Report {
    let lines: Vec<&str> = text.lines().collect();
    let mut report = Report::default();
    let announced: Option<usize> = lines
        .iter()
        .find_map(|line| RUNNING.captures(line.trim_end()))
        .and_then(|found| found[1].parse().ok());
    let closing = lines.iter().rposition(|line| CLOSING.is_match(line));
    let begin = lines.iter().position(|line| RUNNING.is_match(line.trim_end())).map_or(0, |at| at + 1);
    let end = closing.unwrap_or(lines.len());

    // A test whose line other output broke up, with the verdict that the last line seems to end in.
    let mut pending: Option<(String, Option<Status>)> = None;
    let mut failures_at = None;
    for (at, line) in lines.iter().enumerate().take(end).skip(begin) {
        let waiting = matches!(pending, Some((_, Some(_))));
        let all_seen = announced.is_none_or(|count| report.results.len() + usize::from(waiting) >= count);
        if *line == "failures:" && all_seen && (waiting || pending.is_none()) {
            failures_at = Some(at);
            break;
        }
        if let Some(found) = SLOW.captures(line) {
            report.slow.push(found[1].to_owned());
            continue;
        }
        if let Some(found) = TEST.captures(line) {
            let name = found["name"].to_owned();
            let ended = verdict(&found["rest"]);
            // Behind other output only what surely is a test's line counts.
            if found["noise"].is_empty() || (NAME.is_match(&name) && ended.is_some()) {
                if let Some((name, Some(status))) = pending.take() {
                    report.results.push((name, status));
                }
                match ended {
                    Some(status) => report.results.push((name, status)),
                    None => pending = Some((name, closing_verdict(&found["rest"]))),
                }
                continue;
            }
        }
        if let Some((_, tentative)) = &mut pending
            && let Some(status) = closing_verdict(line)
        {
            *tentative = Some(status);
        }
    }
    match pending {
        Some((name, Some(status))) if closing.is_some() => report.results.push((name, status)),
        Some((name, _)) if !report.results.iter().any(|(known, _)| *known == name) => {
            report.unfinished = Some(name);
        }
        _ => {}
    }
    if let Some(at) = failures_at {
        read_failures(&lines[at..end], &mut report);
    }
    check(&lines, closing, announced, &mut report);
    report
}

fn verdict(rest: &str) -> Option<Status> {
    let rest = rest.trim_end();
    match rest {
        "ok" => Some(Status::Passed),
        "FAILED" => Some(Status::Failed),
        "ignored" => Some(Status::Skipped),
        _ if rest.starts_with("ignored, ") => Some(Status::Skipped),
        _ if rest.starts_with("bench: ") => Some(Status::Passed),
        _ => None,
    }
}

fn closing_verdict(line: &str) -> Option<Status> {
    let line = line.trim_end();
    if line.ends_with("FAILED") {
        Some(Status::Failed)
    } else if line.ends_with("ok") {
        Some(Status::Passed)
    } else if line.ends_with("ignored") {
        Some(Status::Skipped)
    } else {
        None
    }
}

/// The sections `---- NAME stdout ----` of the tests that failed.
fn read_failures(lines: &[&str], report: &mut Report) {
    let failed: Vec<&str> = report
        .results
        .iter()
        .filter(|(_, status)| *status == Status::Failed)
        .map(|(name, _)| name.as_str())
        .collect();
    let header = |line: &str| -> Option<String> {
        let name = line.strip_prefix("---- ")?.strip_suffix(" stdout ----")?;
        failed.contains(&name).then(|| name.to_owned())
    };
    let list = lines.iter().rposition(|line| *line == "failures:").filter(|at| *at > 0);
    let mut printed: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in &lines[..list.unwrap_or(lines.len())] {
        // A name's first section counts: a test may print a header of its own.
        if let Some(name) = header(line).filter(|name| !printed.contains_key(name)) {
            printed.insert(name.clone(), String::new());
            current = Some(name);
        } else if let Some(text) = current.as_ref().and_then(|name| printed.get_mut(name)) {
            text.push_str(line);
            text.push('\n');
        }
    }
    let listed: Vec<&str> = list
        .map_or(&[][..], |at| &lines[at + 1..])
        .iter()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    for (name, status) in &report.results {
        if (*status == Status::Failed) != listed.contains(&name.as_str()) && !listed.is_empty() {
            report.disagreements.push(format!(
                "`{name}` is reported as {} and {} in the list of failures",
                if *status == Status::Failed { "failed" } else { "not failed" },
                if listed.contains(&name.as_str()) { "stands" } else { "does not stand" },
            ));
        }
    }
    report.printed = printed;
}

fn check(lines: &[&str], closing: Option<usize>, announced: Option<usize>, report: &mut Report) {
    let mut seen: BTreeMap<&str, Status> = BTreeMap::new();
    let mut twice = Vec::new();
    for (name, status) in &report.results {
        if seen.insert(name, *status).is_some() {
            twice.push(format!("`{name}` is reported more than once"));
        }
    }
    report.disagreements.extend(twice);
    let Some(counts) = closing.and_then(|at| CLOSING.captures(lines[at])) else { return };
    let count = |index: usize| counts[index].parse::<usize>().unwrap_or(usize::MAX);
    let of = |status: Status| report.results.iter().filter(|(_, other)| *other == status).count();
    report.failed = u32::try_from(count(2)).unwrap_or(u32::MAX);
    let (passed, failed, ignored) = (of(Status::Passed), of(Status::Failed), of(Status::Skipped));
    if passed != count(1) + count(4) || failed != count(2) || ignored != count(3) {
        report.disagreements.push(format!(
            "the closing line counts {} passed, {} failed and {} ignored, the test lines {passed}, {failed} and \
             {ignored}",
            count(1) + count(4),
            count(2),
            count(3)
        ));
    }
    report.complete = announced == Some(report.results.len());
    if !report.complete {
        report.disagreements.push(format!(
            "{} tests were announced and {} reported",
            announced.map_or_else(|| "no".to_owned(), |count| count.to_string()),
            report.results.len()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(report: &Report) -> Vec<(&str, Status)> {
        report.results.iter().map(|(name, status)| (name.as_str(), *status)).collect()
    }

    #[test]
    fn output_that_tests_write_themselves_does_not_hide_results() {
        let text = "\nrunning 4 tests\nraw texttest tests::f ... ok\ntest tests::g ... no newlineok\ntest tests::h ... \
                    child says\nmore\nFAILED\ntest tests::i - should panic ... ok\n\nfailures:\n\n---- tests::h stdout \
                    ----\nwhy\n---- tests::f stdout ----\nfailures:\n\n\nfailures:\n    tests::h\n\ntest result: FAILED. \
                    3 passed; 1 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.02s\n\n";
        let report = read(text);
        assert_eq!(
            statuses(&report),
            [
                ("tests::f", Status::Passed),
                ("tests::g", Status::Passed),
                ("tests::h", Status::Failed),
                ("tests::i", Status::Passed)
            ]
        );
        assert!(report.complete && report.disagreements.is_empty(), "{report:?}");
        assert!(report.printed["tests::h"].starts_with("why\n---- tests::f"));
    }

    #[test]
    fn a_forged_result_line_is_a_disagreement() {
        let text = "running 1 test\ntest tests::h ... ok\ntest tests::h ... FAILED\n\nfailures:\n\nfailures:\n    \
                    tests::h\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let report = read(text);
        assert!(!report.disagreements.is_empty());
        assert!(!report.complete);
    }

    #[test]
    fn a_program_that_ends_early_leaves_its_test_unfinished() {
        let report = read("running 3 tests\ntest a ... ok\ntest b ... ");
        assert_eq!(report.unfinished.as_deref(), Some("b"));
        assert!(!report.complete);
        let report = read("running 2 tests\ntest a ... ok\ntest b has been running for over 60 seconds\n");
        assert_eq!(report.slow, ["b"]);
    }

    #[test]
    fn the_outputs_of_several_programs_are_split() {
        let one = "\nrunning 1 test\ntest src/lib.rs - a (line 3) - compile ... ok\n\ntest result: ok. 1 passed; 0 \
                   failed; 0 ignored; 0 measured; 0 filtered out\n";
        let text = format!("{one}\n{one}");
        let blocks = blocks(&text);
        assert_eq!(blocks.len(), 2);
        let report = read(blocks[1]);
        assert_eq!(statuses(&report), [("src/lib.rs - a (line 3)", Status::Passed)]);
        assert!(report.complete);
    }
}
