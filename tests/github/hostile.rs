//! What strangers and agents try.

use failfirst::github::publish::{PublishError, Publisher};
use failfirst::github::secrets::Scanner;

use crate::case::Case;
use crate::fake::{ACTIONS, Fault};

#[test]
fn on_a_long_thread_the_own_comment_is_found_on_the_oldest_page_and_a_pasted_marker_is_not_ours() {
    let case = Case::new(0, 0);
    let client = case.github.client(ACTIONS);
    let mut publisher = Publisher::new(&client, Scanner::default());
    publisher.publish(&case.publication()).unwrap();
    {
        let mut world = case.github.world();
        let own = world.issues[&7].comments[0].body.clone();
        for number in 0..250 {
            world.comment(7, "guest", &format!("me too {number}"));
        }
        // A stranger and another bot paste our comment with its marker.
        world.comment(7, "eve", &own);
        world.comment(7, "evil[bot]", &own.replace("needs", "verified"));
    }
    let before = case.github.standing();
    let again = publisher.publish(&case.publication()).unwrap();
    assert!(again.confirmed && again.done.is_empty(), "{again:#?}");
    assert_eq!(case.github.standing(), before);
    case.github.assert_contract();
}

#[test]
fn a_marker_pasted_before_the_first_publish_does_not_take_our_place() {
    let case = Case::new(0, 0);
    let marker = "### ✓ Verified\n\n<!-- failfirst v1 case=issue-7 kind=analysis verdict=verified -->";
    case.github.world().comment(7, "eve", marker);
    let client = case.github.client(ACTIONS);
    let published = Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap();
    assert!(published.confirmed);
    let world = case.github.world();
    assert_eq!(world.issues[&7].comments.len(), 2);
    assert_eq!(world.issues[&7].comments[0].body, marker);
    assert_eq!(world.issues[&7].comments[1].author, "github-actions[bot]");
}

fn stale(case: &Case) -> String {
    let client = case.github.client(ACTIONS);
    let before = case.github.standing();
    let error = Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap_err();
    assert!(matches!(error, PublishError::Stale(_)), "{error}");
    assert_eq!(case.github.standing(), before, "nothing may be written");
    error.to_string()
}

#[test]
fn a_closed_issue_and_a_withdrawn_label_stop_the_publication() {
    let case = Case::new(0, 0);
    case.github.world().issues.get_mut(&7).unwrap().labels.clear();
    assert!(stale(&case).contains("the order was withdrawn"));
    case.github.world().issues.get_mut(&7).unwrap().open = false;
    assert!(stale(&case).contains("issue #7 is closed"));
}

#[test]
fn a_push_onto_the_branch_after_the_verdict_stops_the_publication() {
    let case = Case::new(0, 0);
    let client = case.github.client(ACTIONS);
    Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap();
    case.github.world().push("failfirst/issue-7");
    assert!(stale(&case).contains("after the verdict"));
}

#[test]
fn a_title_with_commands_and_mentions_stays_a_title() {
    let title =
        "$(touch /tmp/x) `id` \n::set-output name=x::y\nfixes #1 @octocat [x](http://evil.example) \u{202e}";
    let case = Case::with(title, 1, 0, |_| {});
    let client = case.github.client(ACTIONS);
    let published = Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap();
    assert!(published.confirmed, "{published:#?}");
    let world = case.github.world();
    let pull = &world.issues[&published.pull.unwrap()];
    assert!(!pull.title.contains(['\n', '@', '#', '\u{202e}']), "{:?}", pull.title);
    for text in [&pull.body, &pull.comments[0].body, &world.issues[&7].comments[0].body] {
        assert!(!text.contains("\n::"), "{text}");
        // What is ours: the issue's number in `Closes #7`, the pull request's in the analysis.
        let ours =
            text.replace("Closes #7", "").replace(&format!("pull request #{}", published.pull.unwrap()), "");
        let outside_code: String = ours.split('`').step_by(2).collect();
        assert!(!outside_code.contains("@octocat") && !outside_code.contains("#1"), "{text}");
        assert!(!outside_code.contains("](http://evil"), "{text}");
    }
    drop(world);
    case.github.assert_contract();
}

#[test]
fn a_text_that_holds_a_token_is_not_sent() {
    use base64::Engine as _;
    let token = format!("gh{}_{}", "p", "Zz9".repeat(13));
    let encoded = base64::engine::general_purpose::STANDARD.encode(&token);
    for leak in [token, encoded, ACTIONS.to_owned()] {
        let case = Case::with("t", 1, 0, |record| {
            record.opinion.as_mut().unwrap().summary = format!("by the way: {leak}");
        });
        let client = case.github.client(ACTIONS);
        let published = Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap();
        assert!(!published.confirmed);
        let told = format!("{:?}", published.failed);
        assert!(told.contains("so it was not sent"), "{told}");
        assert!(!told.contains(&leak));
        assert!(!case.github.standing().contains(&leak), "it reached GitHub");
    }
}

#[test]
fn a_file_that_holds_a_token_is_not_committed() {
    let case = Case::new(0, 0);
    let mut publication = case.publication();
    let file = &mut publication.parts[1].files[0];
    file.text = Some(format!("KEY = 'gh{}_{}'\n", "s", "Zz9".repeat(13)));
    let client = case.github.client(ACTIONS);
    let published = Publisher::new(&client, Scanner::default()).publish(&publication).unwrap();
    assert!(
        !published.confirmed
            && format!("{:?}", published.failed).contains("a file of it holds a GitHub token")
    );
    assert!(published.pull.is_none());
}

#[test]
fn a_commit_whose_tree_is_not_the_proven_one_stops_there() {
    let case = Case::new(0, 0);
    let mut publication = case.publication();
    publication.parts[1].files[0].text = Some("other = 1\n".into());
    let client = case.github.client(ACTIONS);
    let published = Publisher::new(&client, Scanner::default()).publish(&publication).unwrap();
    assert!(!published.confirmed);
    assert!(format!("{:?}", published.failed).contains("and not the proven"), "{published:#?}");
    assert!(published.pull.is_none(), "no pull request for what was not proven");
}

#[test]
fn a_refused_person_is_told_once() {
    use failfirst::github::authorise::Subject;
    let case = Case::new(0, 0);
    let client = case.github.client(ACTIONS);
    let publisher = Publisher::new(&client, Scanner::default());
    let told = || {
        publisher
            .explain("acme/hotel", Subject::Issue(7), "eve", "it needs the permission to write.")
            .unwrap()
    };
    assert!(told());
    assert!(!told());
    let world = case.github.world();
    assert_eq!(world.issues[&7].comments.len(), 1);
    assert!(world.issues[&7].comments[0].body.contains("`eve`"));
    drop(world);
    case.github.assert_contract();
}

#[test]
fn labels_that_somebody_else_removes_meanwhile_are_put_right() {
    let mut case = Case::new(0, 0);
    let client = case.github.client(ACTIONS);
    Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap();
    case.signoff.verdict.as_mut().unwrap().verdict = failfirst::gate::verdict::Word::NeedsHuman;
    // The writes: review, check, summary, two labels on, one off (gone by then), and the same on the issue.
    case.github.fault(5, Fault::StealLabels);
    let published = Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap();
    assert!(published.confirmed, "{published:#?}");
    let world = case.github.world();
    assert_eq!(world.issues[&7].labels, ["failfirst", "failfirst:needs-human"]);
    assert_eq!(world.issues[&published.pull.unwrap()].labels, ["failfirst:needs-human"]);
}

#[test]
fn a_push_between_look_and_commit_is_not_built_upon() {
    // The second write is the commit of the test, the third that of the fix.
    for at in [2, 3] {
        let case = Case::new(0, 0);
        case.github.fault(at, Fault::Push);
        let client = case.github.client(ACTIONS);
        let published = Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap();
        assert!(published.confirmed, "{published:#?}");
        let world = case.github.world();
        let head = &world.issues[&published.pull.unwrap()].pull.as_ref().unwrap().head;
        assert!(head.starts_with("failfirst/issue-7-"), "{head}");
        let repository = world.repository();
        let tip = repository.find_branch("failfirst/issue-7", git2::BranchType::Local).unwrap();
        assert_eq!(
            tip.get().peel_to_commit().unwrap().message().ok(),
            Some("sneak"),
            "what was pushed stands"
        );
    }
}
