//! What is published, how often, and what happens when it is interrupted.

use failfirst::github::publish::{Published, Publisher};
use failfirst::github::secrets::Scanner;

use crate::case::Case;
use crate::fake::{ACTIONS, Fault, PERSON};

fn publish_as(case: &Case, token: &str) -> Published {
    let client = case.github.client(token);
    Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap()
}

fn publish(case: &Case) -> Published {
    publish_as(case, ACTIONS)
}

#[track_caller]
fn assert_whole(case: &Case, published: &Published) {
    assert!(published.confirmed && published.failed.is_empty(), "{published:#?}");
    let world = case.github.world();
    let pull = published.pull.unwrap();
    let issue = &world.issues[&pull];
    let own = issue.pull.as_ref().unwrap();
    assert!(own.draft && own.head == "failfirst/issue-7" && own.base == "main");
    assert!(issue.body.starts_with("### ") && issue.body.contains("Closes #7"), "{}", issue.body);
    assert_eq!((own.reviews.len(), issue.comments.len(), world.issues[&7].comments.len()), (1, 1, 1));
    assert_eq!(own.reviews[0].event, "COMMENT");
    assert_eq!(Some(&own.reviews[0].commit), world.tip("failfirst/issue-7").as_ref());
    assert_eq!(world.tree_of(&world.head_of(pull)), case.bundle.parts[1].tree.to_string());
    assert!(world.issues[&7].comments[0].body.contains(&format!("pull request #{pull}")));
}

#[test]
fn a_full_report_needs_few_requests_and_a_second_run_none_that_writes() {
    let case = Case::new(20, 40);
    let first = publish(&case);
    assert_whole(&case, &first);
    {
        let world = case.github.world();
        let pull = &world.issues[&first.pull.unwrap()];
        assert_eq!(pull.pull.as_ref().unwrap().reviews[0].comments.len(), 20);
        assert_eq!(world.checks.len(), 1);
        assert_eq!((world.checks[0].annotations.len(), world.checks[0].status.as_str()), (60, "completed"));
        assert_eq!(world.checks[0].conclusion.as_deref(), Some("action_required"));
        assert_eq!(pull.labels, ["failfirst:needs-human"]);
        assert_eq!(world.issues[&7].labels, ["failfirst", "failfirst:needs-human"]);
    }
    let (requests, writes) = case.github.count(0);
    println!("a full publish: {requests} requests, {writes} of them write");
    assert!(requests <= 15, "{requests}");
    let (before, from) = (case.github.standing(), requests);
    let second = publish(&case);
    assert!(second.confirmed && second.done.is_empty(), "{second:#?}");
    let (requests, writes) = case.github.count(from);
    println!("a second publish: {requests} requests, {writes} of them write");
    assert!(requests <= 8 && writes == 0, "{requests} {writes}");
    assert_eq!(case.github.standing(), before);
    case.github.assert_contract();
}

#[test]
fn an_answer_that_is_lost_after_any_write_makes_no_duplicate() {
    let reference = Case::new(3, 60);
    publish(&reference);
    let writes = reference.github.world().writes;
    assert!(writes >= 11, "{writes}");
    for at in 1..=writes {
        for fault in [Fault::LoseAnswer, Fault::BadGateway] {
            let case = Case::new(3, 60);
            case.github.fault(at, fault);
            let published = publish(&case);
            assert_whole(&case, &published);
            let world = case.github.world();
            assert_eq!(world.checks.len(), 1, "{fault:?} at {at}");
            assert_eq!(world.checks[0].annotations.len(), 63, "{fault:?} at {at}");
            assert!(world.problems.is_empty(), "{:?}", world.problems);
        }
    }
}

#[test]
fn a_limited_write_waits_and_is_sent_again() {
    for fault in [Fault::Limit(Some(1)), Fault::Limit(None), Fault::UsedUp] {
        let case = Case::new(1, 0);
        for at in [1, 4] {
            case.github.fault(at, fault);
        }
        let published = publish(&case);
        assert_whole(&case, &published);
    }
}

#[test]
fn a_person_s_token_sets_a_commit_status_instead_of_a_check_run() {
    let case = Case::new(2, 0);
    let published = publish_as(&case, PERSON);
    assert_whole(&case, &published);
    {
        let world = case.github.world();
        assert!(world.checks.is_empty());
        assert_eq!(world.statuses.len(), 1);
        assert_eq!(world.statuses[0].state, "success");
    }
    let before = case.github.standing();
    assert!(publish_as(&case, PERSON).done.is_empty());
    assert_eq!(case.github.standing(), before);
    case.github.assert_contract();
}

#[test]
fn where_actions_may_not_open_pull_requests_the_analysis_links_to_the_branch() {
    let case = Case::new(2, 0);
    case.github.world().settings.actions_may_open_pulls = false;
    for _ in 0..2 {
        let published = publish(&case);
        assert!(published.failed.is_empty() && published.pull.is_none(), "{published:#?}");
        let world = case.github.world();
        let comments = &world.issues[&7].comments;
        assert_eq!(comments.len(), 1);
        assert!(
            comments[0].body.contains("/acme/hotel/compare/main...failfirst/issue-7"),
            "{}",
            comments[0].body
        );
        assert_eq!(world.checks.len(), 1);
    }
    case.github.assert_contract();
}

#[test]
fn where_there_are_no_drafts_the_title_says_so() {
    let case = Case::new(0, 0);
    case.github.world().settings.drafts = false;
    let published = publish(&case);
    assert!(published.confirmed, "{published:#?}");
    let title = case.github.world().issues[&published.pull.unwrap()].title.clone();
    assert!(title.starts_with("[draft] Fix: "), "{title}");
    assert!(publish(&case).done.is_empty());
}

#[test]
fn a_token_without_a_permission_fails_by_name_and_the_rest_is_published() {
    let case = Case::new(0, 0);
    case.github.world().tokens.get_mut(ACTIONS).unwrap().permissions.insert("checks".into(), "read".into());
    let published = publish(&case);
    assert!(published.confirmed, "a commit status says the same: {published:#?}");
    assert_eq!(case.github.world().statuses.len(), 1);

    let case = Case::new(0, 0);
    case.github.world().tokens.get_mut(ACTIONS).unwrap().permissions.insert("contents".into(), "read".into());
    let published = publish(&case);
    assert!(!published.confirmed);
    let told = format!("{:?}", published.failed);
    assert!(told.contains("create the branch") && told.contains("`contents=write`"), "{told}");
    assert_eq!(case.github.world().issues[&7].comments.len(), 1, "the analysis is there all the same");
}

#[test]
fn a_changed_result_replaces_the_sticky_summary_and_the_labels() {
    let mut case = Case::new(2, 0);
    publish(&case);
    let verdict = case.signoff.verdict.as_mut().unwrap();
    verdict.verdict = failfirst::gate::verdict::Word::NeedsHuman;
    verdict.summary = "somebody must look".into();
    let published = publish(&case);
    assert!(published.confirmed, "{published:#?}");
    let world = case.github.world();
    let pull = &world.issues[&published.pull.unwrap()];
    assert_eq!(pull.comments.len(), 1);
    assert!(pull.comments[0].body.contains("A person must decide"));
    assert_eq!(pull.labels, ["failfirst:needs-human"]);
    assert_eq!(pull.pull.as_ref().unwrap().reviews.len(), 2, "another result is another review");
}

#[test]
fn another_fix_of_the_same_issue_gets_a_branch_of_its_own() {
    let case = Case::new(0, 0);
    {
        let world = case.github.world();
        let repository = world.repository();
        let base =
            repository.find_commit(git2::Oid::from_str(&case.bundle.base.to_string()).unwrap()).unwrap();
        let tree = repository.find_tree(repository.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let who = git2::Signature::now("ada", "ada@example.org").unwrap();
        repository.commit(Some("refs/heads/failfirst/issue-7"), &who, &who, "mine", &tree, &[&base]).unwrap();
    }
    let before = case.github.world().tip("failfirst/issue-7");
    let published = publish(&case);
    assert!(published.confirmed, "{published:#?}");
    let tree = case.bundle.parts[1].tree.to_string();
    let name = format!("failfirst/issue-7-{}", &tree[..8]);
    let world = case.github.world();
    assert_eq!(world.issues[&published.pull.unwrap()].pull.as_ref().unwrap().head, name);
    assert_eq!(world.tip("failfirst/issue-7"), before, "a person's commit is never overwritten");
    drop(world);
    assert!(publish(&case).done.is_empty());
}

#[test]
fn a_program_keeps_its_mode() {
    let mut case = Case::new(0, 0);
    let repository = &case.repository;
    // The same story upon a base that holds a program.
    repository.edit(&[("run.sh", "#!/bin/sh\necho bug\n").into()]);
    std::fs::set_permissions(
        repository.root().join("run.sh"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let base = repository.commit(&[]);
    let test = repository.commit(&[("tests/test_run.py", "def test_run():\n    assert False\n").into()]);
    repository.edit(&[("run.sh", "#!/bin/sh\necho fix\n").into()]);
    std::fs::set_permissions(
        repository.root().join("run.sh"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let head = repository.commit(&[]);
    repository.git(&["checkout", "-q", "-B", "main", &base]);
    let scratch = tempfile::tempdir().unwrap();
    let store = failfirst::git::Store::open(repository.root(), scratch.path()).unwrap();
    let commit = |rev: &str| store.resolve(rev).unwrap();
    let diff = |from: &str, to: &str| store.patch_text(commit(from).tree, commit(to).tree, &[]).unwrap();
    let mut record = case.bundle.record.clone();
    record.sealed.as_mut().unwrap().patch = diff(&base, &test);
    record.fix = Some(diff(&test, &head));
    case.bundle = failfirst::github::bundle::Bundle::of_record(
        &store,
        commit(&base),
        crate::fake::REPOSITORY,
        7,
        record,
    )
    .unwrap();
    case.github = crate::fake::GitHub::start(repository.root());
    let published = publish(&case);
    assert!(published.confirmed && published.failed.is_empty(), "{published:#?}");
    let tip = case.github.world().tip("failfirst/issue-7").unwrap();
    assert_eq!(case.github.world().tree_of(&tip), store.resolve(&head).unwrap().tree.to_string());
    case.github.assert_contract();
}

#[test]
fn an_ending_without_a_fix_is_told_on_the_issue_alone() {
    let mut case = Case::new(0, 0);
    case.bundle.parts.clear();
    case.bundle.record.ending = Some(failfirst::record::Ending {
        outcome: failfirst::record::Outcome::NeedsInfo,
        explanation: "Which version, @octocat?".into(),
    });
    case.signoff.verdict = None;
    let published = publish(&case);
    assert!(published.confirmed && published.pull.is_none(), "{published:#?}");
    let world = case.github.world();
    assert_eq!(world.issues.len(), 1);
    assert!(world.issues[&7].comments[0].body.starts_with("### ! One question must be answered first"));
    assert_eq!(world.issues[&7].labels, ["failfirst", "failfirst:needs-info"]);
    drop(world);
    assert!(publish(&case).done.is_empty());
    case.github.assert_contract();
}
