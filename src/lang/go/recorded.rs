//! The reader over recorded reports, among them those of toolchains that the tests do not install.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::go_test::GoTestRunner;
use crate::git::RepoPath;
use crate::lang::{
    Cause, Output, Place, Project, Reading, Runner, RunnerSettings, Selection, Status, TestId,
};

const ROOT: &str = "/nowhere/m";

struct Tree(Vec<RepoPath>);

impl Project for Tree {
    fn paths(&self) -> &[RepoPath] {
        &self.0
    }
    fn text(&self, path: &str) -> Option<String> {
        (path == "go.mod").then(|| "module e.com/m\n".to_owned())
    }
    fn root(&self) -> &Path {
        Path::new("/")
    }
}

/// What is read from the report of one package `p`, with an exit code.
fn read(selection: &Selection, report: &str, index: &str, code: i32, stderr: &str) -> Reading {
    let paths = ["go.mod", "p/p.go", "p/p_test.go"].map(|path| RepoPath::new(path).unwrap());
    let runner = GoTestRunner::find(&Tree(paths.into()), &RunnerSettings::default()).unwrap();
    let out = tempfile::tempdir().unwrap();
    std::fs::write(out.path().join("go-0.json"), report).unwrap();
    std::fs::write(out.path().join("go-0.index"), index).unwrap();
    let output = Output {
        code: (code >= 0).then_some(code),
        timed_out: code < 0,
        stdout: String::new(),
        stderr: stderr.to_owned(),
        took: Duration::ZERO,
        cut: 0,
    };
    runner.read(selection, &[output], out.path(), Path::new(ROOT))
}

fn file() -> Selection {
    Selection::Files(vec![RepoPath::new("p/p_test.go").unwrap()])
}

/// A report: lines of `action test output`, the last two optional; `!` and `|` before the output mark
/// errors and frames as toolchains do from Go 1.26 on.
fn report(lines: &[(&str, &str, &str)]) -> String {
    let mut text = String::new();
    for (action, test, output) in lines {
        let mut event = json!({ "Action": action, "Package": "e.com/m/p" });
        if !test.is_empty() {
            event["Test"] = json!(test);
        }
        if *action == "output" {
            let (kind, output) = match output.split_at_checked(1) {
                Some(("!", rest)) => ("error", rest),
                Some(("|", rest)) => ("frame", rest),
                _ => ("", *output),
            };
            event["Output"] = json!(format!("{output}\n"));
            if !kind.is_empty() {
                event["OutputType"] = json!(kind);
            }
        }
        text += &format!("{event}\n");
    }
    text
}

const INDEX: &str =
    "./p/p_test.go:5:func TestA(t *testing.T) {\n./p/p_test.go:9:func TestB(t *testing.T) {\n";

fn case<'a>(reading: &'a Reading, name: &str) -> &'a crate::lang::Case {
    reading.case(&TestId(format!("./p:{name}"))).unwrap_or_else(|| panic!("{name}: {reading:#?}"))
}

#[test]
fn newer_toolchains_say_which_lines_are_errors() {
    let report = report(&[
        ("start", "", ""),
        ("run", "TestA", ""),
        ("output", "TestA", "|=== RUN   TestA"),
        ("output", "TestA", "--- PASS: TestA (0.00s)"),
        ("output", "TestA", "    p_test.go:6: only a log"),
        ("output", "TestA", "!    p_test.go:7: wrong"),
        ("output", "TestA", "|--- FAIL: TestA (0.00s)"),
        ("fail", "TestA", ""),
        ("output", "", "|FAIL"),
        ("output", "", "|FAIL\te.com/m/p\t0.002s"),
        ("fail", "", ""),
    ]);
    let reading = read(&file(), &report, INDEX, 1, "");
    assert_eq!(reading.disagreements, [""; 0]);
    assert!(reading.complete);
    let failure = case(&reading, "TestA").failure.as_ref().unwrap();
    assert_eq!((failure.message.as_str(), failure.frames[0].line), ("wrong", 7));
}

#[test]
fn a_forged_end_followed_by_a_silent_exit_is_no_pass_where_the_toolchain_tells() {
    let report = report(&[
        ("run", "TestA", ""),
        ("output", "TestA", "|=== RUN   TestA"),
        ("output", "TestA", "--- PASS: TestA (0.00s)"),
        ("output", "TestA", "PASS"),
        ("output", "TestA", "ok  \te.com/m/p\t0.003s"),
        ("pass", "TestA", ""),
    ]);
    let reading = read(&file(), &report, INDEX, 0, "");
    assert!(!reading.complete);
    assert!(reading.cases.is_empty(), "{reading:#?}");
    assert_eq!(reading.disagreements, ["e.com/m/p is reported as passed although its TestA never ended"]);
}

#[test]
fn newer_toolchains_report_builds_as_events() {
    let import = "e.com/m/p [e.com/m/p.test]";
    let lines = ["# e.com/m/p [e.com/m/p.test]\n", "p/p_test.go:6:2: undefined: Sum\n"];
    let mut text = String::new();
    for line in lines {
        text += &format!("{}\n", json!({ "ImportPath": import, "Action": "build-output", "Output": line }));
    }
    text += &format!("{}\n", json!({ "ImportPath": import, "Action": "build-fail" }));
    text +=
        &report(&[("start", "", ""), ("output", "", "|FAIL\te.com/m/p [build failed]"), ("fail", "", "")]);
    let reading = read(&file(), &text, INDEX, 1, "");
    assert!(reading.complete, "{reading:#?}");
    assert_eq!(reading.load_failures.len(), 1);
    assert_eq!(reading.load_failures[0].failure.cause, Cause::Unresolved { symbol: "Sum".to_owned() });
}

#[test]
fn with_trimmed_paths_a_panic_is_still_placed() {
    let report = report(&[
        ("run", "TestA", ""),
        ("output", "TestA", "--- FAIL: TestA (0.00s)"),
        ("output", "TestA", "panic: boom [recovered, repanicked]"),
        ("output", "TestA", ""),
        ("output", "TestA", "goroutine 6 [running]:"),
        ("output", "TestA", "panic({0x1, 0x2})"),
        ("output", "TestA", "\truntime/panic.go:884 +0x212"),
        ("output", "TestA", "e.com/m/p.(*Cart).Total(...)"),
        ("output", "TestA", "\te.com/m/p/p.go:3"),
        ("output", "TestA", "e.com/m/p.TestA(0x0?)"),
        ("output", "TestA", "\te.com/m/p/p_test.go:6 +0x1d"),
        ("fail", "TestA", ""),
        ("output", "", "FAIL\te.com/m/p\t0.002s"),
        ("fail", "", ""),
    ]);
    let selection = Selection::Tests(vec![TestId::from("./p:TestA")]);
    let reading = read(&selection, &report, INDEX, 1, "");
    assert!(reading.complete, "{reading:#?}");
    let failure = case(&reading, "TestA").failure.as_ref().unwrap();
    assert_eq!(failure.message, "boom");
    let last = failure.frames.last().unwrap();
    assert_eq!(last.place, Place::Tree(RepoPath::new("p/p.go").unwrap()));
    assert_eq!(last.function.as_deref(), Some("e.com/m/p.(*Cart).Total"));
    // Of the whole file TestB is missing.
    assert!(!read(&file(), &report, INDEX, 1, "").complete);
}

#[test]
fn a_run_that_the_lab_ended_has_a_test_that_timed_out() {
    let report = report(&[
        ("run", "TestA", ""),
        ("output", "TestA", "--- PASS: TestA (0.00s)"),
        ("pass", "TestA", ""),
        ("run", "TestB", ""),
        ("run", "TestB/x", ""),
    ]);
    let reading = read(&file(), &report, INDEX, -1, "");
    assert!(!reading.complete);
    assert_eq!(case(&reading, "TestA").status, Status::Passed);
    for name in ["TestB", "TestB/x"] {
        assert_eq!(case(&reading, name).failure.as_ref().unwrap().cause, Cause::TimedOut);
    }
}

#[test]
fn a_cut_report_shows_nothing_it_does_not_hold() {
    let whole = report(&[
        ("run", "TestA", ""),
        ("output", "TestA", "--- PASS: TestA (0.00s)"),
        ("pass", "TestA", ""),
        ("output", "", "PASS"),
        ("output", "", "ok  \te.com/m/p\t0.002s"),
        ("pass", "", ""),
    ]);
    assert!(read(&file(), &whole, INDEX, 0, "").complete);
    for end in 0..whole.len() - 2 {
        let reading = read(&file(), &whole[..end], INDEX, 0, "");
        assert!(!reading.complete, "{}", &whole[..end]);
    }
}

#[test]
fn testify_tells_where_its_assertion_was_called() {
    let report = report(&[
        ("run", "TestA", ""),
        ("output", "TestA", "    p_test.go:20: "),
        ("output", "TestA", "        \tError Trace:\t/nowhere/m/p/p_test.go:20"),
        ("output", "TestA", "        \t            \t\t\t\t/nowhere/m/p/p_test.go:6"),
        ("output", "TestA", "        \tError:      \tNot equal: "),
        ("output", "TestA", "        \t            \texpected: 1"),
        ("output", "TestA", "        \t            \tactual  : 2"),
        ("output", "TestA", "        \tTest:       \tTestA"),
        ("output", "TestA", "        \tMessages:   \tsum"),
        ("output", "TestA", "--- FAIL: TestA (0.00s)"),
        ("fail", "TestA", ""),
        ("output", "", "FAIL"),
        ("output", "", "FAIL\te.com/m/p\t0.002s"),
        ("fail", "", ""),
    ]);
    let reading = read(&file(), &report, INDEX, 1, "");
    let failure = case(&reading, "TestA").failure.as_ref().unwrap();
    assert_eq!(failure.message, "Not equal:\nexpected: 1\nactual  : 2\nsum");
    assert_eq!(failure.frames.iter().map(|frame| frame.line).collect::<Vec<_>>(), [6, 20]);
}

#[test]
fn the_exit_code_must_agree_with_the_events() {
    let passed = report(&[
        ("run", "TestA", ""),
        ("output", "TestA", "--- PASS: TestA (0.00s)"),
        ("pass", "TestA", ""),
        ("output", "", "PASS"),
        ("pass", "", ""),
    ]);
    let reading = read(&file(), &passed, INDEX, 1, "");
    assert_eq!(reading.disagreements, ["`go test` ended with exit code 1 although no test failed"]);
    let contradicting = passed.replace(
        "\"Action\":\"pass\",\"Package\":\"e.com/m/p\",\"Test\"",
        "\"Action\":\"fail\",\"Package\":\"e.com/m/p\",\"Test\"",
    );
    let reading = read(&file(), &contradicting, INDEX, 0, "");
    assert_eq!(case(&reading, "TestA").status, Status::Failed);
    assert!(
        reading.disagreements.iter().any(|what| what.contains("both as passed and as failed")),
        "{reading:#?}"
    );
    let paths: BTreeSet<_> = reading.cases.iter().filter_map(|case| case.file.clone()).collect();
    assert_eq!(paths.len(), 1);
}

#[test]
fn what_go_itself_says_is_shown() {
    let stderr = "go: e.com/dep@v1.0.0: module lookup disabled by GOPROXY=off\n";
    let reading = read(&Selection::Suite, "", "", 1, stderr);
    assert!(!reading.complete);
    let failure = &reading.load_failures[0].failure;
    assert!(matches!(&failure.cause, Cause::Infrastructure { what } if what.contains("GOPROXY=off")));
}
