use super::super::remote::{Own, Remote};
use super::*;
use crate::report::fixture;

fn publication() -> Publication {
    let report = fixture::verdicts().remove(0).1;
    Publication {
        repository: "acme/hotel".into(),
        subject: Subject::Pull(9),
        base: report.verdict.as_ref().unwrap().base,
        parts: Vec::new(),
        head: Some(report.verdict.as_ref().unwrap().head.to_string()),
        report,
        diff: Diff::default(),
        trigger: None,
        run: None,
        web: "https://github.com".into(),
    }
}

fn remote(publication: &Publication) -> Remote {
    let thread = Thread { number: 9, open: true, labels: vec!["bug".into()], comments: Vec::new() };
    let pull = Pull { thread, head: publication.head.clone().unwrap(), ..Pull::default() };
    Remote { pull: Some(pull), default_branch: "main".into(), ..Remote::default() }
}

fn steps(publication: &Publication, remote: &Remote) -> Vec<String> {
    let plan = plan(publication, remote, Abilities::default()).unwrap();
    plan.steps.iter().map(ToString::to_string).collect()
}

#[test]
fn a_judged_pull_request_gets_a_review_a_check_a_summary_and_a_label() {
    let publication = publication();
    assert_eq!(
        steps(&publication, &remote(&publication)),
        [
            "review pull request #9",
            "write a check run with 0 annotations",
            "post the summary on pull request #9",
            "add the label failfirst:verified to pull request #9",
        ]
    );
}

#[test]
fn what_is_there_is_not_planned_again_and_what_is_stale_is_replaced() {
    let publication = publication();
    let mut remote = remote(&publication);
    let known = known(&publication, &remote).unwrap();
    let standing = publication.standing(&known, Abilities::default());
    let (marker, body) = comment(&publication, &known, Abilities::default(), Kind::Summary);
    let head = publication.head.clone().unwrap();
    let pull = remote.pull.as_mut().unwrap();
    pull.thread.comments.push(Own { id: 5, marker, body: body.replace('\n', "\r\n") });
    let review = texts::review_marker(&standing, &head, &publication.report);
    pull.reviews.push(Own { id: 6, marker: review, body: String::new() });
    pull.thread.labels = vec!["failfirst:refused".into(), "bug".into()];
    let external_id = publication.external_id(&known, Abilities::default());
    remote.check = Check::Run { id: 1, external_id, completed: true, annotations: 0 };
    assert_eq!(
        steps(&publication, &remote),
        [
            "add the label failfirst:verified to pull request #9",
            "remove the label failfirst:refused from pull request #9",
        ]
    );
    remote.pull.as_mut().unwrap().thread.comments[0].body.push_str("changed");
    assert!(steps(&publication, &remote).contains(&"update the summary on pull request #9".to_owned()));
}

#[test]
fn a_check_run_goes_on_where_it_stopped() {
    let mut publication = publication();
    let case = fixture::all().into_iter().find(|(name, _)| *name == "fixed case").unwrap().1.case.unwrap();
    let mut case = case;
    let remark = case.remarks[0].clone();
    case.remarks = vec![remark; 120];
    publication.report.case = Some(case);
    let mut remote = remote(&publication);
    let checks = |remote: &Remote| -> Vec<String> {
        steps(&publication, remote).into_iter().filter(|step| step.contains("check run")).collect()
    };
    assert_eq!(
        checks(&remote),
        [
            "write a check run with 50 annotations",
            "add the annotations 51 to 100 to the check run",
            "add the annotations 101 to 120 to the check run",
        ]
    );
    let external_id = publication.external_id(&known(&publication, &remote).unwrap(), Abilities::default());
    let run =
        |annotations| Check::Run { id: 1, external_id: external_id.clone(), completed: false, annotations };
    remote.check = run(100);
    assert_eq!(checks(&remote), ["add the annotations 101 to 120 to the check run"]);
    remote.check = run(120);
    assert_eq!(checks(&remote), ["end the check run"]);
    remote.check = Check::Run {
        id: 1,
        external_id: "failfirst:v1:pull-9:other".into(),
        completed: true,
        annotations: 3,
    };
    assert_eq!(checks(&remote).len(), 3, "another result is another run");
}

#[test]
fn a_head_that_moved_on_is_not_written_about() {
    let publication = publication();
    let mut remote = remote(&publication);
    remote.pull.as_mut().unwrap().head = "f".repeat(40);
    let stale = plan(&publication, &remote, Abilities::default()).unwrap_err();
    assert!(matches!(stale, Stale::Moved { .. }), "{stale}");
    remote.pull.as_mut().unwrap().thread.open = false;
    assert_eq!(plan(&publication, &remote, Abilities::default()), Err(Stale::PullClosed(9)));
}
