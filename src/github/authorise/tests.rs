use serde_json::{Value, json};

use super::*;

fn rules() -> Rules {
    Rules { label: "failfirst".into(), permission: Permission::Write }
}

fn event(name: &str, payload: &Value) -> Event {
    Event::parse(name, payload.to_string().as_bytes()).unwrap()
}

fn labelled(label: &str, sender: &str, kind: &str) -> Value {
    json!({
        "action": "labeled", "label": { "name": label }, "sender": { "login": sender, "type": kind },
        "issue": { "number": 7, "title": "t", "body": null, "state": "open" },
    })
}

fn comment(body: &str, on_pull: bool) -> Value {
    let mut issue = json!({ "number": 7, "title": "t", "state": "open" });
    if on_pull {
        issue["pull_request"] = json!({ "url": "x" });
    }
    json!({
        "action": "created", "issue": issue, "sender": { "login": "ada", "type": "User" },
        "comment": { "body": body, "created_at": "2026-01-02T03:04:05Z", "author_association": "OWNER" },
    })
}

fn reason(name: &str, payload: &Value) -> Reason {
    intent(&event(name, payload), &rules()).unwrap_err().reason
}

#[test]
fn the_label_of_the_settings_starts_a_case_and_no_other_does() {
    let asked = intent(&event("issues", &labelled("FailFirst", "ada", "User")), &rules()).unwrap();
    assert_eq!((asked.mode, asked.subject), (Mode::Fix, Subject::Issue(7)));
    assert_eq!(asked.sender.as_deref(), Some("ada"));
    assert_eq!(reason("issues", &labelled("bug", "ada", "User")), Reason::NotForUs);
    let mut removed = labelled("failfirst", "ada", "User");
    removed["action"] = "unlabeled".into();
    assert_eq!(reason("issues", &removed), Reason::NotForUs);
}

#[test]
fn bots_edits_and_closed_issues_start_nothing() {
    assert_eq!(reason("issues", &labelled("failfirst", "x[bot]", "Bot")), Reason::Bot);
    assert_eq!(reason("issues", &labelled("failfirst", "x[bot]", "User")), Reason::Bot);
    let mut edited = comment("/failfirst fix", false);
    edited["action"] = "edited".into();
    assert_eq!(reason("issue_comment", &edited), Reason::Edited);
    let mut closed = comment("/failfirst fix", false);
    closed["issue"]["state"] = "closed".into();
    assert_eq!(reason("issue_comment", &closed), Reason::Closed);
    let mut bot = comment("/failfirst fix", false);
    bot["sender"]["type"] = "Bot".into();
    assert_eq!(reason("issue_comment", &bot), Reason::Bot);
}

#[test]
fn a_label_by_a_reader_is_refused_and_explained_to_that_person() {
    let asked = intent(&event("issues", &labelled("failfirst", "eve", "User")), &rules()).unwrap();
    for permission in [Permission::None, Permission::Read, Permission::Triage] {
        let refused = decide(&asked, &rules(), permission, None).unwrap_err();
        assert_eq!(refused.reason, Reason::Permission);
        assert_eq!(refused.person.as_deref(), Some("eve"));
    }
    for permission in [Permission::Write, Permission::Maintain, Permission::Admin] {
        assert_eq!(decide(&asked, &rules(), permission, None), Ok(None));
    }
}

#[test]
fn the_association_that_a_comment_claims_counts_for_nothing() {
    let asked = intent(&event("issue_comment", &comment("/failfirst fix", false)), &rules()).unwrap();
    assert_eq!(decide(&asked, &rules(), Permission::Read, None).unwrap_err().reason, Reason::Permission);
}

#[test]
fn commands_fit_the_subject_or_are_explained() {
    for (body, on_pull, expected) in [
        ("/failfirst verify", false, Reason::WrongSubject),
        ("/failfirst fix", true, Reason::WrongSubject),
        ("/failfirst dance", false, Reason::UnknownCommand),
        ("/failfirst fix\n/failfirst stop", false, Reason::SeveralCommands),
        ("hello", false, Reason::NotForUs),
    ] {
        assert_eq!(reason("issue_comment", &comment(body, on_pull)), expected, "{body}");
    }
    for (body, on_pull, expected) in [
        ("/failfirst test", false, Mode::Analyse),
        ("/failfirst retry", false, Mode::Fix),
        ("/failfirst retry", true, Mode::Verify),
        ("/failfirst stop", true, Mode::Stop),
    ] {
        let asked = intent(&event("issue_comment", &comment(body, on_pull)), &rules()).unwrap();
        assert_eq!(asked.mode, expected, "{body}");
        assert!(asked.at.is_some());
    }
}

#[test]
fn an_approval_of_a_foreign_branch_is_bound_to_its_commit() {
    let head = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
    let facts = |foreign| PullFacts { head: head.to_owned(), foreign };
    let asked = |body: &str| intent(&event("issue_comment", &comment(body, true)), &rules()).unwrap();
    let ask = |body: &str, foreign| decide(&asked(body), &rules(), Permission::Write, Some(&facts(foreign)));
    assert_eq!(ask("/failfirst verify", true).unwrap_err().reason, Reason::NeedsCommit);
    assert_eq!(ask("/failfirst verify 1a2b3c4", true), Ok(Some(head.to_owned())));
    assert_eq!(ask("/failfirst verify", false), Ok(Some(head.to_owned())));
    // Pushed after the maintainer had looked.
    assert_eq!(ask("/failfirst verify 9f8e7d6", true).unwrap_err().reason, Reason::OtherCommit);
}

#[test]
fn a_pull_request_is_judged_at_the_commit_of_its_event() {
    let payload = json!({
        "action": "synchronize", "repository": { "full_name": "o/r" }, "sender": { "login": "eve", "type": "User" },
        "pull_request": { "number": 9, "head": { "sha": "abc", "ref": "$(id)", "repo": null }, "base": { "sha": "b", "ref": "main" } },
    });
    let asked = intent(&event("pull_request", &payload), &rules()).unwrap();
    assert_eq!((asked.mode, asked.subject, asked.sender.as_deref()), (Mode::Verify, Subject::Pull(9), None));
    let moved = PullFacts { head: "def".into(), foreign: true };
    assert_eq!(
        decide(&asked, &rules(), Permission::None, Some(&moved)).unwrap_err().reason,
        Reason::OtherCommit
    );
    let mut labelled = payload.clone();
    labelled["action"] = "labeled".into();
    assert_eq!(reason("pull_request", &labelled), Reason::NotForUs);
    let mut own = payload;
    own["pull_request"]["head"] =
        json!({ "sha": "abc", "ref": "failfirst/issue-7", "repo": { "full_name": "o/r" } });
    assert_eq!(reason("pull_request", &own), Reason::Bot);
}

#[test]
fn a_dispatch_names_one_subject_and_may_be_dry() {
    let ask = |inputs: Value| intent(&event("workflow_dispatch", &json!({ "inputs": inputs })), &rules());
    let asked = ask(json!({ "issue": "12", "dry-run": "true" })).unwrap();
    assert_eq!((asked.subject, asked.dry, asked.mode), (Subject::Issue(12), true, Mode::Fix));
    assert_eq!(ask(json!({ "issue": "12", "mode": "analyse" })).unwrap().mode, Mode::Analyse);
    assert_eq!(ask(json!({ "pull": "3", "issue": "" })).unwrap().subject, Subject::Pull(3));
    for inputs in [
        json!({}),
        json!({ "issue": "$(id)" }),
        json!({ "issue": "1", "pull": "2" }),
        json!({ "issue": "1", "mode": "x" }),
    ] {
        assert_eq!(ask(inputs.clone()).unwrap_err().reason, Reason::Inputs, "{inputs}");
    }
}

#[test]
fn roles_are_read_from_both_fields_of_the_answer() {
    assert_eq!(Permission::of_answer("write", "maintain"), Permission::Maintain);
    assert_eq!(Permission::of_answer("read", "triage"), Permission::Triage);
    assert_eq!(Permission::of_answer("write", "my custom role"), Permission::Write);
    assert_eq!(Permission::of_answer("", ""), Permission::None);
}
