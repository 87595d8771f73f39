//! The reports of nextest: its list of tests and its JUnit file.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use serde::Deserialize;

use crate::lang::TestId;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct List {
    rust_suites: BTreeMap<String, ListSuite>,
}

#[derive(Deserialize)]
struct ListSuite {
    #[serde(default)]
    testcases: BTreeMap<String, ListTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ListTest {
    ignored: bool,
    filter_match: FilterMatch,
}

#[derive(Deserialize)]
struct FilterMatch {
    status: String,
    #[serde(default)]
    reason: String,
}

/// The tests that `nextest list` names, and whether each is ignored.
pub(super) fn read_list(stdout: &str) -> Option<BTreeMap<TestId, bool>> {
    let start = stdout.find('{')?;
    let list: List = serde_json::from_str(stdout[start..].trim()).ok()?;
    let mut found = BTreeMap::new();
    for (binary, suite) in list.rust_suites {
        for (name, test) in suite.testcases {
            let ignored = test.ignored
                && (test.filter_match.reason == "ignored" || test.filter_match.reason.is_empty());
            if test.filter_match.status == "matches" || ignored {
                let runs = test.filter_match.status == "matches";
                found.insert(TestId(format!("{binary} {name}")), !runs);
            }
        }
    }
    Some(found)
}

/// nextest's JUnit report.
#[derive(Default)]
pub(super) struct Junit {
    pub(super) count: usize,
    pub(super) failures: usize,
    pub(super) tests: Vec<JunitTest>,
}

impl Junit {
    /// True when the report holds the test.
    pub(super) fn has(&self, id: &TestId) -> bool {
        self.tests.iter().any(|test| {
            id.as_str().strip_prefix(&test.binary).and_then(|rest| rest.strip_prefix(' ')) == Some(&test.name)
        })
    }
}

/// A test of the report.
#[derive(Default)]
pub(super) struct JunitTest {
    pub(super) binary: String,
    pub(super) name: String,
    pub(super) seconds: f64,
    /// How it failed, in nextest's words.
    pub(super) failure: Option<String>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    Some(quick_xml::escape::unescape(&attribute.value).ok()?.into_owned())
}

/// nextest's JUnit report; `None` where it is no whole XML document.
pub(super) fn read_junit(text: &str) -> Option<Junit> {
    let mut reader = Reader::from_str(text);
    let mut junit = Junit::default();
    let mut inside = Vec::new();
    let mut closed = false;
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                junit.open(&name, &tag);
                inside.push(name);
            }
            Event::Empty(tag) => {
                let name = tag.name().as_ref().to_owned();
                junit.open(&name, &tag);
            }
            Event::End(_) => closed = inside.pop()? == "testsuites",
            Event::Text(text) => junit.text(inside.last(), &text),
            Event::CData(text) => junit.text(inside.last(), &text),
            Event::GeneralRef(reference) => {
                let whole = format!("&{};", &*reference);
                let text = quick_xml::escape::unescape(&whole).ok()?.into_owned();
                junit.text(inside.last(), &text);
            }
            _ => {}
        }
    }
    closed.then_some(junit)
}

impl Junit {
    fn open(&mut self, element: &str, tag: &BytesStart<'_>) {
        let number = |name: &str| attribute(tag, name).and_then(|text| text.parse().ok());
        match element {
            "testsuites" => {
                self.count = number("tests").unwrap_or(usize::MAX);
                self.failures =
                    number("failures").unwrap_or(usize::MAX).saturating_add(number("errors").unwrap_or(0));
            }
            "testcase" => self.tests.push(JunitTest {
                binary: attribute(tag, "classname").unwrap_or_default(),
                name: attribute(tag, "name").unwrap_or_default(),
                seconds: attribute(tag, "time").and_then(|text| text.parse().ok()).unwrap_or(0.0),
                ..JunitTest::default()
            }),
            "failure" | "error" => {
                if let Some(test) = self.tests.last_mut() {
                    let how = [attribute(tag, "type"), attribute(tag, "message")];
                    let how: Vec<String> = how.into_iter().flatten().collect();
                    test.failure = Some(if how.is_empty() { "failed".to_owned() } else { how.join(": ") });
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, element: Option<&String>, text: &str) {
        let Some(test) = self.tests.last_mut() else { return };
        match element.map(String::as_str) {
            Some("system-out") => test.stdout.push_str(text),
            Some("system-err") => test.stderr.push_str(text),
            _ => {}
        }
    }
}
