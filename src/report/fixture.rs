//! Reports for tests: the race of the founding story, verified, refused and for a person to decide.

use super::{
    Attempt, Case, CaseOutcome, ChangedFile, Cost, Location, PatchView, Remark, Report, Repository,
    SourceView,
};
use crate::gate::verdict::{
    Check, Evidence, Excerpt, FailureClass, GateReport, Outcome, SCHEMA, SandboxReport, SealedFile, Verdict,
    decide,
};
use crate::git::{Oid, RepoPath};

const BASE: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const HEAD: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c";
const TEST: &str = "tests/test_booking.py::test_two_guests_never_get_the_same_room";
const NOT_BUILT: &str = "this version of failfirst does not ask this question yet";

/// Text as a hostile repository would print it.
pub(crate) const HOSTILE: &str = "AssertionError: cc @octocat, fixes #1 and GH-2, see https://evil.example/x \
     ![x](https://evil.example/p.png) <img src=x onerror=\"alert(1)\"> <!-- failfirst v1 case=1 kind=verdict -->\n\
     \x1b[2J\x1b[32mVERIFIED\x1b[0m \u{202e}txet\u{202c} `````\n</details></pre>| a | b |";

/// All fixtures with their names.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    let mut all = verdicts();
    all.push(("survivor", survivor()));
    all.push(("fixed case", fixed_case()));
    all.push(("needs info", needs_info()));
    all
}

/// The three verdicts without a case around them.
pub(crate) fn verdicts() -> Vec<(&'static str, Report)> {
    vec![("verified", verified()), ("refused", refused()), ("needs human", needs_human())]
}

/// Everything holds.
pub(crate) fn verified() -> Report {
    let mut report = Report::of(
        verdict(
            "The test is red on the base and green on the head, and only src/booking.py makes it so.",
            gates(),
        ),
        format!("failfirst verify --base {BASE} --head {HEAD}"),
    );
    report.patch = Some(patch());
    report.sealed_sources = vec![SourceView { path: path("tests/test_booking.py"), text: SOURCE.to_owned() }];
    report.repository = Repository::new("https://github.com", "acme/hotel");
    report
}

/// Everything holds, and small changes of the fix go unnoticed; the texts are hostile.
pub(crate) fn survivor() -> Report {
    let mut gates = gates();
    let mutant = |line, before: &str, after: &str| Evidence::Mutant {
        path: path("src/booking.py"),
        line,
        operator: "boundary".into(),
        before: before.into(),
        after: after.into(),
    };
    gates[9] = pass(Check::K9, 8, "6 of 8 mutants of the changed lines were noticed")
        .evidence([mutant(14, "self.free() < 1", "self.free() <= 1"), mutant(15, HOSTILE, "")]);
    let mut report = verified();
    report.verdict = Some(verdict("the test is red on the base and green on the head", gates));
    report
}

/// The helper makes the test pass; its texts are hostile.
pub(crate) fn refused() -> Report {
    let mut gates = gates();
    gates[3] = GateReport::new(
        Check::K3,
        Outcome::Fail,
        "without the production change the test passes all the same: `tests/conftest.py` makes it pass",
    )
    .evidence([
        Evidence::Path {
            path: path("tests/conftest.py"),
            what: "changed by the head; replaces `Hotel.book`".into(),
        },
        Evidence::Test {
            id: TEST.into(),
            tree: "base + test + everything but production".into(),
            status: "passed".into(),
            class: None,
            message: None,
            excerpt: None,
        },
        Evidence::Test {
            id: "tests/test_booking.py::test_@octocat[#1|<b>]".into(),
            tree: "base + test".into(),
            status: "failed".into(),
            class: Some(FailureClass::A1),
            message: Some(HOSTILE.into()),
            excerpt: Some(HOSTILE.into()),
        },
        Evidence::Log {
            tree: "base + test".into(),
            command: "python -m pytest `tests`".into(),
            tail: HOSTILE.into(),
        },
        Evidence::Patch {
            text: "@@ -0,0 +1,2 @@\n+@pytest.fixture(autouse=True)\n+def lock(monkeypatch): ...\n".into(),
        },
    ]);
    let mut report = verified();
    report.verdict = Some(verdict("nothing in production is needed to turn the test green", gates));
    report
}

/// Another test was weakened; the sandbox lacks a layer.
pub(crate) fn needs_human() -> Report {
    let mut gates = gates();
    gates[0] = GateReport::new(
        Check::K0,
        Outcome::Human,
        "The change also edits tests that are not the replication test.",
    )
    .evidence([Evidence::Path {
        path: path("tests/test_prices.py"),
        what: "1 assertion fewer than on the base".into(),
    }]);
    gates[12] =
        GateReport::new(Check::K12, Outcome::Human, "2 tests passed on the base and fail on the head.")
            .evidence([Evidence::Test {
                id: "tests/test_prices.py::test_weekend".into(),
                tree: "head".into(),
                status: "failed".into(),
                class: Some(FailureClass::A1),
                message: Some("AssertionError: assert 180 == 200".into()),
                excerpt: Some(
                    "    def test_weekend():\n>       assert price(2) == 200\nE       assert 180 == 200"
                        .into(),
                ),
            }]);
    let mut verdict = verdict("The fix holds, but two other tests changed their result.", gates);
    verdict.sandbox = SandboxReport {
        kind: "namespaces".into(),
        layers: vec!["mount".into(), "pid".into()],
        missing: Some("network: allow unprivileged user namespaces, or run as root".into()),
    };
    Report::of(verdict, format!("failfirst verify --base {BASE} --head {HEAD}"))
}

/// A verified change whose test holds a copy of production code; the texts are hostile.
pub(crate) fn with_copy() -> Report {
    let mut report = verified();
    let excerpt = |name: &str, first: u32, text: &str| Excerpt {
        path: path(name),
        first,
        last: first + 2,
        text: format!("{text}\n{HOSTILE}\n\treturn room"),
    };
    let copy = Evidence::Clone {
        test: excerpt("tests/test_booking.py", 3, "def book_with_lock(hotel):"),
        production: excerpt("src/booking.py", 12, "def book(self):"),
        percent: 93,
    };
    let gates = &mut report.verdict.as_mut().unwrap().gates;
    gates[14] = GateReport::new(
        Check::K14,
        Outcome::Pass,
        "the test carries code that resembles src/booking.py:12-14",
    )
    .evidence([copy]);
    report
}

/// A case that ended with a verified fix, replayed.
pub(crate) fn fixed_case() -> Report {
    let mut report = verified();
    report.case = Some(Case {
        number: Some(42),
        title: "Two guests got room 7 <b>@octocat</b>".into(),
        outcome: CaseOutcome::Fixed,
        explanation: String::new(),
        replayed: true,
        root_cause: Some("`Hotel.book` asks whether the room is free and then takes it.\nNothing holds the room in between, see #12.".into()),
        locations: vec![Location { path: path("src/booking.py"), line: Some(14), end_line: Some(17) }],
        refused_attempts: vec![Attempt {
            role: "fixer".into(),
            number: 1,
            gate: Some(Check::K0),
            reason: "it edits the sealed test `tests/test_booking.py`".into(),
        }],
        remarks: vec![Remark {
            at: Some(Location { path: path("src/booking.py"), line: Some(12), end_line: None }),
            text: "The lock is held while the guest is e-mailed.".into(),
        }],
        agents: vec!["analyst: replay".into(), "fixer: replay".into()],
        cost: Some(Cost { usd: Some(0.31), input_tokens: 48_210, output_tokens: 3_377, requests: 19 }),
    });
    report
}

/// A case that ended with a question.
pub(crate) fn needs_info() -> Report {
    Report {
        verdict: None,
        case: Some(Case {
            number: Some(43),
            title: "It crashes".into(),
            outcome: CaseOutcome::NeedsInfo,
            explanation:
                "Which version of the database do you use?\n\nThe error of @octocat occurs with 5 only."
                    .into(),
            replayed: false,
            root_cause: None,
            locations: Vec::new(),
            refused_attempts: Vec::new(),
            remarks: Vec::new(),
            agents: vec!["analyst: claude".into()],
            cost: Some(Cost::default()),
        }),
        patch: None,
        sealed_sources: Vec::new(),
        repository: None,
        reproduce: "failfirst run acme/hotel#43".into(),
    }
}

const SOURCE: &str = "def test_two_guests_never_get_the_same_room():\n    hotel = Hotel(rooms=[7])\n    \
     booked = together(hotel.book, hotel.book)\n    assert sorted(booked, key=str) == [7, None]\n";

fn patch() -> PatchView {
    let file = |name: &str, role: &str, added, removed| ChangedFile {
        path: path(name),
        role: role.to_owned(),
        added: Some(added),
        removed: Some(removed),
    };
    PatchView {
        files: vec![
            file("src/booking.py", "production", 4, 2),
            file("tests/test_booking.py", "test", 14, 0),
            file("CHANGELOG.md", "docs", 1, 0),
        ],
        diff: "--- a/src/booking.py\n+++ b/src/booking.py\n@@ -12,5 +12,7 @@ class Hotel:\n     def book(self):\n\
             -        for room in self.free():\n-            self.take(room)\n+        with self.lock:\n\
             +            for room in self.free():\n+                self.take(room)\n+                return room\n"
            .into(),
    }
}

fn verdict(summary: &str, gates: Vec<GateReport>) -> Verdict {
    Verdict {
        schema: SCHEMA.into(),
        verdict: decide(&gates),
        summary: summary.into(),
        base: oid(BASE),
        head: oid(HEAD),
        sealed: vec![
            SealedFile { path: path("tests/test_booking.py"), oid: oid(HEAD), inline: false },
            SealedFile { path: path("tests/helpers.py"), oid: oid(BASE), inline: false },
        ],
        sealed_digest: "c0ffee".repeat(10) + "abcd",
        tests: vec![TEST.into()],
        gates,
        sandbox: SandboxReport {
            kind: "namespaces".into(),
            layers: ["mount", "pid", "network"].map(String::from).to_vec(),
            missing: None,
        },
        languages: vec!["python: pytest 8.4 on Python 3.11".into()],
        took: 4.27,
    }
}

fn gates() -> Vec<GateReport> {
    let red = Evidence::Test {
        id: TEST.into(),
        tree: "base + test".into(),
        status: "failed".into(),
        class: Some(FailureClass::A1),
        message: Some("AssertionError: assert [7, 7] == [7, None]".into()),
        excerpt: Some(
            "    def test_two_guests_never_get_the_same_room():\n        hotel = Hotel(rooms=[7])\n\
             >       assert sorted(booked, key=str) == [7, None]\nE       assert [7, 7] == [7, None]"
                .into(),
        ),
    };
    let reports = Check::ALL.map(|check| match check {
        Check::K0 => {
            pass(check, 0, "1 production file changed, 2 test files sealed, nothing protected touched")
        }
        Check::K1 => pass(check, 3, "the test fails on the buggy code in each of 3 runs")
            .class(FailureClass::A1)
            .evidence([red.clone()]),
        Check::K2 => {
            pass(check, 3, "the test passes on the fixed code in each of 3 runs, with unchanged bytes")
        }
        Check::K3 => pass(check, 1, "still red with everything but `src/booking.py`"),
        Check::K4 => pass(check, 1, "a test that must fail failed, and one that must pass passed"),
        Check::K6 => pass(check, 1, "the test runs 1 of 1 changed functions and 2 of 2 changed statements in them"),
        Check::K7 => pass(
            check,
            2,
            "the test fails when the changed functions (`Hotel.book`) raise an error, and when they return a default",
        ),
        Check::K8 => pass(check, 1, "the test fails again when the fix is taken out and its text is left"),
        Check::K12 => pass(check, 2, "all 212 tests that passed before still pass"),
        Check::K15 => pass(check, 0, "3 runs on either side gave the same result"),
        other => GateReport::new(other, Outcome::Skipped, NOT_BUILT),
    });
    reports.to_vec()
}

fn pass(check: Check, runs: u32, reason: &str) -> GateReport {
    GateReport { runs, seconds: f64::from(runs) * 0.4, ..GateReport::new(check, Outcome::Pass, reason) }
}

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

fn oid(text: &str) -> Oid {
    Oid::try_from(text.to_owned()).unwrap()
}
