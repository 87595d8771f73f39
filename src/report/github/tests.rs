use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;
use crate::report::{Location, Remark, fixture};

fn standing() -> Standing {
    Standing {
        case: "issue-7".into(),
        issue: Some(7),
        closes: true,
        pull: Some(12),
        compare: None,
        run: Some("https://github.com/acme/hotel/actions/runs/1".into()),
        ours: true,
    }
}

/// A report whose every foreign text is hostile and long.
fn hostile() -> Report {
    let mut report = fixture::all().into_iter().find(|(name, _)| *name == "fixed case").unwrap().1;
    let long = format!("{} ", fixture::HOSTILE).repeat(400);
    let case = report.case.as_mut().unwrap();
    case.title = fixture::HOSTILE.into();
    case.root_cause = Some(long.clone());
    case.explanation.clone_from(&long);
    let at = Some(Location {
        path: crate::git::RepoPath::new("src/a.py").unwrap(),
        line: Some(3),
        end_line: None,
    });
    case.remarks = vec![Remark { at, text: long.clone() }; 80];
    report.verdict.as_mut().unwrap().summary = long;
    report.verdict.as_mut().unwrap().gates[0].reason = fixture::HOSTILE.into();
    report
}

fn all(report: &Report) -> Vec<(&'static str, String)> {
    let remarks = inline(report);
    vec![
        ("analysis", analysis(report, &standing())),
        ("summary", summary(report, &standing())),
        ("pull body", pull_body(report, &standing())),
        ("review", review(report, &standing(), &"a".repeat(40), &remarks)),
        ("check summary", check(report, &standing()).summary),
        ("check text", check(report, &standing()).text),
        ("inline", remarks.first().map(|remark| remark.body.clone()).unwrap_or_default()),
        ("refusal", refusal("eve", "it takes more rights.", &standing())),
    ]
}

#[test]
fn every_text_keeps_the_limits_of_github() {
    for report in fixture::all().into_iter().map(|(_, report)| report).chain([hostile()]) {
        for (name, text) in all(&report) {
            assert!(markdown::fits(&text), "{name}: {} characters", text.chars().count());
        }
        let check = check(&report, &standing());
        assert!(check.title.chars().count() <= 255);
        assert!(check.summary.chars().count() <= 65_535 && check.text.chars().count() <= 65_535);
        assert!(pull_title(&report, true).chars().count() <= 256);
        for annotation in annotations(&report) {
            assert!(annotation.message.len() <= 64 << 10 && annotation.title.chars().count() <= 255);
        }
    }
}

#[test]
fn hostile_texts_act_in_none_of_them() {
    for (name, text) in all(&hostile()) {
        let mut code = false;
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
            match event {
                Event::Start(Tag::CodeBlock(_)) => code = true,
                Event::End(pulldown_cmark::TagEnd::CodeBlock) => code = false,
                Event::Start(Tag::Image { .. }) => panic!("{name} shows an image"),
                Event::Start(Tag::Link { dest_url, .. }) => {
                    assert!(
                        dest_url.starts_with("https://github.com/acme/hotel/"),
                        "{name} links to {dest_url}"
                    );
                }
                Event::Text(text) if !code => {
                    let ours = text.replace("Closes #7", "").replace("#12", "");
                    assert!(!ours.contains("@octocat") && !ours.contains("#1"), "{name}: {ours}");
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    let ours = [
                        "<details",
                        "</details",
                        "<summary",
                        "<b>",
                        "</b>",
                        "<!-- failfirst v1 case=issue-7 kind=",
                    ];
                    assert!(ours.iter().any(|start| html.trim().starts_with(start)), "{name}: {html}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn the_first_line_is_the_verdict_and_the_last_our_marker() {
    for (_, report) in fixture::all() {
        let headline = wording::headline(&report);
        for (name, text) in all(&report).into_iter().take(4) {
            assert!(text.lines().next().unwrap().ends_with(headline), "{name}: {text}");
            assert_eq!(Marker::find(&text).unwrap().case, "issue-7", "{name}");
        }
    }
}

#[test]
fn only_a_merge_into_the_default_branch_promises_to_close() {
    let report = fixture::verdicts().remove(0).1;
    assert!(pull_body(&report, &standing()).contains("\nCloses #7\n"));
    let text = pull_body(&report, &Standing { closes: false, ..standing() });
    assert!(text.contains("\nRefs #7\n") && !text.contains("Closes"));
}

#[test]
fn nothing_but_a_verified_fix_is_green() {
    for (name, report) in fixture::all() {
        let green = check(&report, &standing()).conclusion == "success";
        assert_eq!(
            green,
            report.verdict.as_ref().is_some_and(|verdict| verdict.verdict == Word::Verified),
            "{name}"
        );
    }
}
