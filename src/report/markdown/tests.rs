//! Tests of the Markdown report.

use super::*;
use crate::gate::verdict::{Evidence, Excerpt, GateReport};
use crate::git::RepoPath;
use crate::report::{SourceView, fixture};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Checks that nothing of the hostile texts acts, and returns the HTML that the template writes.
fn harmless(markdown: &str) {
    let acts = regex::Regex::new(r"(?i)@[a-z0-9]|#\d|\bgh-\d|://|\bwww\.").unwrap();
    let (mut in_code, mut html) = (false, String::new());
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code => {
                assert!(!acts.is_match(&text), "{text:?} would act in\n{markdown}");
            }
            Event::Start(Tag::Image { .. }) => panic!("an image in\n{markdown}"),
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(dest_url.starts_with("https://github.com/acme/hotel/blob/"), "{dest_url}");
            }
            Event::Html(text) | Event::InlineHtml(text) => html.push_str(&text),
            _ => {}
        }
    }
    let tags = regex::Regex::new(r"</?(details|summary|b)( open)?>").unwrap();
    let comments = regex::Regex::new(r"(?s)<!--.*?-->").unwrap();
    let rest = tags.replace_all(&html, "");
    assert!(!comments.replace_all(&rest, "").contains('<'), "foreign tags: {html}");
    assert_eq!(html.matches("<details").count(), html.matches("</details>").count());
    assert_eq!(comments.find_iter(&html).count(), 1, "one marker: {html}");
    assert!(!markdown.contains(crate::report::visible::is_hidden));
}

#[test]
fn nothing_untrusted_acts_in_any_report() {
    for (name, report) in fixture::all() {
        let text = render(&report);
        harmless(&text);
        assert!(text.starts_with("### "), "{name}");
        assert!(text.contains("Reproduce it locally"), "{name}");
    }
    // The hostile texts in every field that takes one.
    let mut report = fixture::refused();
    let hostile = fixture::HOSTILE;
    report.case = fixture::fixed_case().case.map(|mut case| {
        case.title = hostile.into();
        case.explanation = hostile.into();
        case.root_cause = Some(hostile.into());
        case.agents = vec![hostile.into()];
        case.remarks[0].text = hostile.into();
        case.remarks[0].at.as_mut().unwrap().path = RepoPath::new("](x) `@a` #1 <b>").unwrap();
        case.locations[0].path = RepoPath::new("](x) `@a` #1 <b>)").unwrap();
        case.refused_attempts[0].reason = hostile.into();
        case.refused_attempts[0].role = hostile.into();
        case
    });
    report.reproduce = hostile.into();
    report.sealed_sources[0].text = hostile.into();
    report.sealed_sources[0].path = RepoPath::new("``` @a").unwrap();
    let verdict = report.verdict.as_mut().unwrap();
    verdict.summary = hostile.into();
    verdict.sealed_digest = hostile.into();
    verdict.tests.push(hostile.into());
    verdict.languages.push(hostile.into());
    verdict.sandbox.missing = Some(hostile.into());
    for gate in &mut verdict.gates {
        gate.reason = hostile.into();
        gate.evidence.push(Evidence::Note { text: hostile.into() });
        gate.evidence.push(Evidence::Patch { text: hostile.into() });
        let path = RepoPath::new("](x) `@a` #1 <b>").unwrap();
        let excerpt = Excerpt { path, first: 1, last: 2, text: hostile.into() };
        gate.evidence.push(Evidence::Clone { test: excerpt.clone(), production: excerpt, percent: 90 });
    }
    let patch = report.patch.as_mut().unwrap();
    patch.diff = hostile.into();
    patch.files[0].path = RepoPath::new("a `` @b\n# x").unwrap();
    let text = render(&report);
    harmless(&text);
    assert_eq!(Marker::find(&text).unwrap().case, "issue-42");
}

#[test]
fn a_copy_stands_beside_what_it_resembles() {
    let text = render(&fixture::with_copy());
    harmless(&text);
    let line = text.lines().find(|line| line.contains("def book_with_lock(hotel):")).unwrap();
    assert!(line.contains("│ def book(self):"), "{line}");
    assert!(text.contains("look below"), "{text}");
}

#[test]
fn a_report_of_any_size_fits_and_says_what_was_cut() {
    for (size, unit) in [(10, "x "), (2_000, "漢字 `a` "), (30_000, "ab\n"), (3, "`".repeat(29_999).as_str())]
    {
        let long = unit.repeat(size);
        let mut report = fixture::refused();
        report.sealed_sources =
            (0..size.min(60)).map(|n| SourceView { path: path(n), text: long.clone() }).collect();
        let patch = report.patch.as_mut().unwrap();
        patch.diff = long.clone();
        let verdict = report.verdict.as_mut().unwrap();
        verdict.summary = long.clone();
        verdict.tests = (0..size.min(5_000)).map(|n| format!("t{n}::test").as_str().into()).collect();
        for gate in &mut verdict.gates {
            gate.reason = long.clone();
            gate.evidence = (0..size.min(5)).map(|_| excerpt(&long)).collect();
        }
        let text = render(&report);
        assert!(fits(&text), "{size}: {} characters", text.chars().count());
        assert!(text.starts_with("### ✗ Refused"));
        assert!(text.contains("Is the test still red without the production change?"));
        assert!(text.contains("Reproduce it locally"));
        assert!(Marker::find(&text).is_some());
        assert_eq!(text.contains("*Shortened to fit. Left out: "), size != 10, "{size}: {text}");
    }
    assert!(!render(&fixture::refused()).contains("Shortened"));
}

fn path(n: usize) -> RepoPath {
    RepoPath::new(format!("tests/test_{n}.py")).unwrap()
}

fn excerpt(text: &str) -> Evidence {
    Evidence::Test {
        id: text.into(),
        tree: "base + test".into(),
        status: "failed".into(),
        class: None,
        message: Some(text.to_owned()),
        excerpt: Some(text.to_owned()),
    }
}

#[test]
fn the_least_important_is_cut_first() {
    let mut report = fixture::refused();
    report.patch.as_mut().unwrap().diff = "+ a line of the change\n".repeat(20_000);
    report.verdict.as_mut().unwrap().gates[2] =
        GateReport::new(crate::gate::verdict::Check::K2, crate::gate::verdict::Outcome::Pass, "green")
            .evidence([excerpt(&format!("ok {}\n", "x".repeat(280)).repeat(20_000))]);
    let text = render(&report);
    assert!(fits(&text));
    assert!(
        text.contains(
            "Left out: parts of the diff, parts of what tests and commands printed and parts of long texts."
        ),
        "{text}"
    );
    assert!(text.contains("makes it pass"), "what decides stays");
}

#[test]
fn a_marker_is_found_only_in_the_last_line() {
    let marker = Marker { kind: "verdict".into(), case: "acme/hotel/42".into() };
    assert_eq!(Marker::find(&format!("text\n\n{marker}\n")), Some(marker.clone()));
    assert_eq!(Marker::find(&format!("{marker}\n\nmore text")), None);
    let sly = Marker { kind: "a --> @b kind=c".into(), case: "x\n-->".into() };
    assert_eq!(sly.to_string(), "<!-- failfirst v1 case=x- kind=a-bkindc -->");
    assert_eq!(Marker::find("no marker"), None);
}

#[test]
fn a_verified_change() {
    insta::assert_snapshot!(render(&fixture::verified()), @r#"
    ### ✓ Verified: the test fails without the fix and passes with it

    The test is red on the base and green on the head, and only `src/booking.py` makes it so.

    What the test observes was changed by the production code of this change and by nothing else. Whether the test asks for the right behaviour is still yours to judge.

    | | question | answer | what was seen |
    |---|---|---|---|
    | K0 | Does the change touch only what it may? | yes | 1 production file changed, 2 test files sealed, nothing protected touched. |
    | K1 | Does the test fail on the buggy code, for the right reason? | yes | The test fails on the buggy code in each of 3 runs (an assertion of the test failed). |
    | K2 | Does the same test pass on the fixed code? | yes | The test passes on the fixed code in each of 3 runs, with unchanged bytes. |
    | K3 | Is the test still red without the production change? | yes | Still red with everything but `src/booking.py`. |
    | K4 | Can tests still fail in this session? | yes | A test that must fail failed, and one that must pass passed. |
    | K6 | Does the test reach the changed code? | yes | The test runs 1 of 1 changed functions and 2 of 2 changed statements in them. |
    | K7 | Does breaking the changed functions turn the test red? | yes | The test fails when the changed functions (`Hotel.book`) raise an error, and when they return a default. |
    | K8 | Does the test fail again when the fix is taken out? | yes | The test fails again when the fix is taken out and its text is left. |
    | K12 | Does everything that passed before still pass? | yes | All 212 tests that passed before still pass. |
    | K15 | Is the result the same every time? | yes | 3 runs on either side gave the same result. |

    <details>
    <summary>How the test fails without the fix</summary>

    - `tests/test_booking.py::test_two_guests_never_get_the_same_room` failed on base + test (an assertion of the test failed): AssertionError: assert \[7, 7\] == \[7, None\]

    ```text
        def test_two_guests_never_get_the_same_room():
            hotel = Hotel(rooms=[7])
    >       assert sorted(booked, key=str) == [7, None]
    E       assert [7, 7] == [7, None]
    ```

    </details>

    <details>
    <summary>The sealed test</summary>

    `tests/test_booking.py`

    ```python
    def test_two_guests_never_get_the_same_room():
        hotel = Hotel(rooms=[7])
        booked = together(hotel.book, hotel.book)
        assert sorted(booked, key=str) == [7, None]
    ```

    </details>

    <details>
    <summary>The change: 3 files, 19 lines added, 2 removed</summary>

    - `src/booking.py (production, +4 −2)`
    - `tests/test_booking.py (test, +14 −0)`
    - `CHANGELOG.md (docs, +1 −0)`

    ```diff
    --- a/src/booking.py
    +++ b/src/booking.py
    @@ -12,5 +12,7 @@ class Hotel:
         def book(self):
    -        for room in self.free():
    -            self.take(room)
    +        with self.lock:
    +            for room in self.free():
    +                self.take(room)
    +                return room
    ```

    </details>

    <details>
    <summary>What was judged, and how</summary>

    - Without the fix: `1a2b3c4d5e`; with the fix: `9f8e7d6c5b`
    - python: pytest 8.4 on Python 3.11; 14 test runs, 4.3 s
    - Isolation of the runs: namespaces (mount, pid, network)
    - Sealed, so that nobody can change it unseen (`c0ffeec0ffeec0ff`):
      - `tests/test_booking.py`
      - `tests/helpers.py`
    - Tests that show the bug:
      - `tests/test_booking.py::test_two_guests_never_get_the_same_room`

    </details>

    **Not checked**

    - This version of failfirst does not ask this question yet: K5 *Would the test notice a wrong expectation?*, K9 *Which small changes of the fix go unnoticed?*, K10 *Does the fix work outside the test runner?*, K11 *Do other tests of the same issue pass?*, K13 *Is anything suspicious in the test or the patch?*, K14 *Does the test carry its own copy of the logic?*

    Reproduce it locally:

    ```sh
    failfirst verify --base 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d --head 9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c
    ```

    <!-- failfirst v1 case=1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d..9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c kind=verdict verdict=verified base=1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d head=9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c sealed=c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeeabcd -->
    "#);
}

#[test]
fn a_change_refused_by_k3_with_hostile_evidence() {
    insta::assert_snapshot!(render(&fixture::refused()), @r#"
    ### ✗ Refused: the evidence for this fix does not hold

    Nothing in production is needed to turn the test green.

    Do not merge on the strength of this test. What was seen is shown below.

    | | question | answer | what was seen |
    |---|---|---|---|
    | K0 | Does the change touch only what it may? | yes | 1 production file changed, 2 test files sealed, nothing protected touched. |
    | K1 | Does the test fail on the buggy code, for the right reason? | yes | The test fails on the buggy code in each of 3 runs (an assertion of the test failed). |
    | K2 | Does the same test pass on the fixed code? | yes | The test passes on the fixed code in each of 3 runs, with unchanged bytes. |
    | K3 | Is the test still red without the production change? | **no** | Without the production change the test passes all the same: `tests/conftest.py` makes it pass. |
    | K4 | Can tests still fail in this session? | yes | A test that must fail failed, and one that must pass passed. |
    | K6 | Does the test reach the changed code? | yes | The test runs 1 of 1 changed functions and 2 of 2 changed statements in them. |
    | K7 | Does breaking the changed functions turn the test red? | yes | The test fails when the changed functions (`Hotel.book`) raise an error, and when they return a default. |
    | K8 | Does the test fail again when the fix is taken out? | yes | The test fails again when the fix is taken out and its text is left. |
    | K12 | Does everything that passed before still pass? | yes | All 212 tests that passed before still pass. |
    | K15 | Is the result the same every time? | yes | 3 runs on either side gave the same result. |

    <details open>
    <summary><b>K3</b> Is the test still red without the production change? <b>no</b></summary>

    - `tests/conftest.py`: changed by the head; replaces `Hotel.book`
    - `tests/test_booking.py::test_two_guests_never_get_the_same_room` passed on base + test + everything but production
    - `tests/test_booking.py::test_@octocat[#1|<b>]` failed on base + test (an assertion of the test failed): AssertionError: cc `@octocat`, fixes `#1` and `GH-2`, see `https://evil.example/x` `![x](https://evil.example/p.png`) \<img src=x onerror="alert(1)"\> \<!-- failfirst v1 case=1 kind=verdict --\> \\x1b\[2J\\x1b\[32mVERIFIED\\x1b\[0m \\u{202e}txet\\u{202c} \`\`\`\`\` \</details\>\</pre\>\| a \| b \|

    ``````text
    AssertionError: cc @octocat, fixes #1 and GH-2, see https://evil.example/x ![x](https://evil.example/p.png) <img src=x onerror="alert(1)"> <!-- (failfirst) v1 case=1 kind=verdict -->
    \x1b[2J\x1b[32mVERIFIED\x1b[0m \u{202e}txet\u{202c} `````
    </details></pre>| a | b |
    ``````

    - `` python -m pytest `tests` `` on base + test; the end of what it printed:

    ``````text
    AssertionError: cc @octocat, fixes #1 and GH-2, see https://evil.example/x ![x](https://evil.example/p.png) <img src=x onerror="alert(1)"> <!-- (failfirst) v1 case=1 kind=verdict -->
    \x1b[2J\x1b[32mVERIFIED\x1b[0m \u{202e}txet\u{202c} `````
    </details></pre>| a | b |
    ``````

    - The lines in question:

    ```diff
    @@ -0,0 +1,2 @@
    +@pytest.fixture(autouse=True)
    +def lock(monkeypatch): ...
    ```

    </details>

    <details>
    <summary>How the test fails without the fix</summary>

    - `tests/test_booking.py::test_two_guests_never_get_the_same_room` failed on base + test (an assertion of the test failed): AssertionError: assert \[7, 7\] == \[7, None\]

    ```text
        def test_two_guests_never_get_the_same_room():
            hotel = Hotel(rooms=[7])
    >       assert sorted(booked, key=str) == [7, None]
    E       assert [7, 7] == [7, None]
    ```

    </details>

    <details>
    <summary>The sealed test</summary>

    `tests/test_booking.py`

    ```python
    def test_two_guests_never_get_the_same_room():
        hotel = Hotel(rooms=[7])
        booked = together(hotel.book, hotel.book)
        assert sorted(booked, key=str) == [7, None]
    ```

    </details>

    <details>
    <summary>The change: 3 files, 19 lines added, 2 removed</summary>

    - `src/booking.py (production, +4 −2)`
    - `tests/test_booking.py (test, +14 −0)`
    - `CHANGELOG.md (docs, +1 −0)`

    ```diff
    --- a/src/booking.py
    +++ b/src/booking.py
    @@ -12,5 +12,7 @@ class Hotel:
         def book(self):
    -        for room in self.free():
    -            self.take(room)
    +        with self.lock:
    +            for room in self.free():
    +                self.take(room)
    +                return room
    ```

    </details>

    <details>
    <summary>What was judged, and how</summary>

    - Without the fix: `1a2b3c4d5e`; with the fix: `9f8e7d6c5b`
    - python: pytest 8.4 on Python 3.11; 13 test runs, 4.3 s
    - Isolation of the runs: namespaces (mount, pid, network)
    - Sealed, so that nobody can change it unseen (`c0ffeec0ffeec0ff`):
      - `tests/test_booking.py`
      - `tests/helpers.py`
    - Tests that show the bug:
      - `tests/test_booking.py::test_two_guests_never_get_the_same_room`

    </details>

    **Not checked**

    - This version of failfirst does not ask this question yet: K5 *Would the test notice a wrong expectation?*, K9 *Which small changes of the fix go unnoticed?*, K10 *Does the fix work outside the test runner?*, K11 *Do other tests of the same issue pass?*, K13 *Is anything suspicious in the test or the patch?*, K14 *Does the test carry its own copy of the logic?*

    Reproduce it locally:

    ```sh
    failfirst verify --base 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d --head 9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c
    ```

    <!-- failfirst v1 case=1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d..9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c kind=verdict verdict=refused base=1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d head=9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c sealed=c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeeabcd -->
    "#);
}

#[test]
fn a_change_that_a_person_must_judge() {
    insta::assert_snapshot!(render(&fixture::needs_human()), @r#"
    ### ! A person must decide: nothing disproves the fix, but something needs your eyes

    The fix holds, but two other tests changed their result.

    Nothing disproves the fix. What is shown below is for a person to judge, not for a machine.

    | | question | answer | what was seen |
    |---|---|---|---|
    | K0 | Does the change touch only what it may? | **you decide** | The change also edits tests that are not the replication test. |
    | K1 | Does the test fail on the buggy code, for the right reason? | yes | The test fails on the buggy code in each of 3 runs (an assertion of the test failed). |
    | K2 | Does the same test pass on the fixed code? | yes | The test passes on the fixed code in each of 3 runs, with unchanged bytes. |
    | K3 | Is the test still red without the production change? | yes | Still red with everything but `src/booking.py`. |
    | K4 | Can tests still fail in this session? | yes | A test that must fail failed, and one that must pass passed. |
    | K6 | Does the test reach the changed code? | yes | The test runs 1 of 1 changed functions and 2 of 2 changed statements in them. |
    | K7 | Does breaking the changed functions turn the test red? | yes | The test fails when the changed functions (`Hotel.book`) raise an error, and when they return a default. |
    | K8 | Does the test fail again when the fix is taken out? | yes | The test fails again when the fix is taken out and its text is left. |
    | K12 | Does everything that passed before still pass? | **you decide** | 2 tests passed on the base and fail on the head. |
    | K15 | Is the result the same every time? | yes | 3 runs on either side gave the same result. |

    <details open>
    <summary><b>K0</b> Does the change touch only what it may? <b>you decide</b></summary>

    - `tests/test_prices.py`: 1 assertion fewer than on the base

    </details>

    <details open>
    <summary><b>K12</b> Does everything that passed before still pass? <b>you decide</b></summary>

    - `tests/test_prices.py::test_weekend` failed on head (an assertion of the test failed): AssertionError: assert 180 == 200

    ```text
        def test_weekend():
    >       assert price(2) == 200
    E       assert 180 == 200
    ```

    </details>

    <details>
    <summary>How the test fails without the fix</summary>

    - `tests/test_booking.py::test_two_guests_never_get_the_same_room` failed on base + test (an assertion of the test failed): AssertionError: assert \[7, 7\] == \[7, None\]

    ```text
        def test_two_guests_never_get_the_same_room():
            hotel = Hotel(rooms=[7])
    >       assert sorted(booked, key=str) == [7, None]
    E       assert [7, 7] == [7, None]
    ```

    </details>

    <details>
    <summary>What was judged, and how</summary>

    - Without the fix: `1a2b3c4d5e`; with the fix: `9f8e7d6c5b`
    - python: pytest 8.4 on Python 3.11; 12 test runs, 4.3 s
    - Isolation of the runs: namespaces (mount, pid); missing: network: allow unprivileged user namespaces, or run as root
    - Sealed, so that nobody can change it unseen (`c0ffeec0ffeec0ff`):
      - `tests/test_booking.py`
      - `tests/helpers.py`
    - Tests that show the bug:
      - `tests/test_booking.py::test_two_guests_never_get_the_same_room`

    </details>

    **Not checked**

    - This version of failfirst does not ask this question yet: K5 *Would the test notice a wrong expectation?*, K9 *Which small changes of the fix go unnoticed?*, K10 *Does the fix work outside the test runner?*, K11 *Do other tests of the same issue pass?*, K13 *Is anything suspicious in the test or the patch?*, K14 *Does the test carry its own copy of the logic?*

    Reproduce it locally:

    ```sh
    failfirst verify --base 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d --head 9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c
    ```

    <!-- failfirst v1 case=1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d..9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c kind=verdict verdict=needs-human base=1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d head=9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c sealed=c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeeabcd -->
    "#);
}

#[test]
fn a_replayed_case() {
    insta::assert_snapshot!(render(&fixture::fixed_case()), @r#"
    ### ✓ Verified: the test fails without the fix and passes with it

    The test is red on the base and green on the head, and only `src/booking.py` makes it so.

    **issue 42: Two guests got room 7 `<b>@octocat</b>`**

    *Replayed: the agents' replies come from a recording. The gates and the tests really ran.*

    What the test observes was changed by the production code of this change and by nothing else. Whether the test asks for the right behaviour is still yours to judge.

    | | question | answer | what was seen |
    |---|---|---|---|
    | K0 | Does the change touch only what it may? | yes | 1 production file changed, 2 test files sealed, nothing protected touched. |
    | K1 | Does the test fail on the buggy code, for the right reason? | yes | The test fails on the buggy code in each of 3 runs (an assertion of the test failed). |
    | K2 | Does the same test pass on the fixed code? | yes | The test passes on the fixed code in each of 3 runs, with unchanged bytes. |
    | K3 | Is the test still red without the production change? | yes | Still red with everything but `src/booking.py`. |
    | K4 | Can tests still fail in this session? | yes | A test that must fail failed, and one that must pass passed. |
    | K6 | Does the test reach the changed code? | yes | The test runs 1 of 1 changed functions and 2 of 2 changed statements in them. |
    | K7 | Does breaking the changed functions turn the test red? | yes | The test fails when the changed functions (`Hotel.book`) raise an error, and when they return a default. |
    | K8 | Does the test fail again when the fix is taken out? | yes | The test fails again when the fix is taken out and its text is left. |
    | K12 | Does everything that passed before still pass? | yes | All 212 tests that passed before still pass. |
    | K15 | Is the result the same every time? | yes | 3 runs on either side gave the same result. |

    #### Root cause, in the analyst's words

    > `Hotel.book` asks whether the room is free and then takes it.
    > Nothing holds the room in between, see `#12`.

    - [`src/booking.py:14-17`](https://github.com/acme/hotel/blob/1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d/src/booking.py#L14-L17)

    <details>
    <summary>How the test fails without the fix</summary>

    - `tests/test_booking.py::test_two_guests_never_get_the_same_room` failed on base + test (an assertion of the test failed): AssertionError: assert \[7, 7\] == \[7, None\]

    ```text
        def test_two_guests_never_get_the_same_room():
            hotel = Hotel(rooms=[7])
    >       assert sorted(booked, key=str) == [7, None]
    E       assert [7, 7] == [7, None]
    ```

    </details>

    <details>
    <summary>The sealed test</summary>

    `tests/test_booking.py`

    ```python
    def test_two_guests_never_get_the_same_room():
        hotel = Hotel(rooms=[7])
        booked = together(hotel.book, hotel.book)
        assert sorted(booked, key=str) == [7, None]
    ```

    </details>

    <details open>
    <summary>Remarks of the reviewing agent (it can lower a verdict, never raise one)</summary>

    `src/booking.py:12`

    > The lock is held while the guest is e-mailed.

    </details>

    <details>
    <summary>Attempts that were refused</summary>

    - fixer, attempt 1: *Does the change touch only what it may?* it edits the sealed test `tests/test_booking.py`

    </details>

    <details>
    <summary>The change: 3 files, 19 lines added, 2 removed</summary>

    - `src/booking.py (production, +4 −2)`
    - `tests/test_booking.py (test, +14 −0)`
    - `CHANGELOG.md (docs, +1 −0)`

    ```diff
    --- a/src/booking.py
    +++ b/src/booking.py
    @@ -12,5 +12,7 @@ class Hotel:
         def book(self):
    -        for room in self.free():
    -            self.take(room)
    +        with self.lock:
    +            for room in self.free():
    +                self.take(room)
    +                return room
    ```

    </details>

    <details>
    <summary>What was judged, and how</summary>

    - Without the fix: `1a2b3c4d5e`; with the fix: `9f8e7d6c5b`
    - python: pytest 8.4 on Python 3.11; 14 test runs, 4.3 s
    - Isolation of the runs: namespaces (mount, pid, network)
    - Agents: analyst: replay; fixer: replay
    - Cost: 0.31 USD, 48 210 tokens read and 3 377 written and 19 requests
    - Sealed, so that nobody can change it unseen (`c0ffeec0ffeec0ff`):
      - `tests/test_booking.py`
      - `tests/helpers.py`
    - Tests that show the bug:
      - `tests/test_booking.py::test_two_guests_never_get_the_same_room`

    </details>

    **Not checked**

    - This version of failfirst does not ask this question yet: K5 *Would the test notice a wrong expectation?*, K9 *Which small changes of the fix go unnoticed?*, K10 *Does the fix work outside the test runner?*, K11 *Do other tests of the same issue pass?*, K13 *Is anything suspicious in the test or the patch?*, K14 *Does the test carry its own copy of the logic?*

    Reproduce it locally:

    ```sh
    failfirst verify --base 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d --head 9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c
    ```

    <!-- failfirst v1 case=issue-42 kind=verdict verdict=verified base=1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d head=9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c sealed=c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeeabcd -->
    "#);
}

#[test]
fn what_the_test_does_not_notice_is_shown_with_its_line_though_the_change_is_verified() {
    let text = render(&fixture::survivor()).replace('\n', " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("some"), "{text}");
    assert!(text.contains("src/booking.py:14"), "{text}");
    assert!(text.contains("`self.free() <= 1` instead of `self.free() < 1` the test still passes"), "{text}");
    assert!(text.contains("with nothing instead of"), "{text}");
}
