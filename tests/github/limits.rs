//! The fake itself enforces what GitHub enforces.

use http::Method;
use serde_json::{Value, json};

use crate::case::Case;
use crate::fake::{ACTIONS, PERSON, READER};

fn published() -> (Case, u64, String) {
    use failfirst::github::{publish::Publisher, secrets::Scanner};
    let case = Case::new(0, 0);
    let client = case.github.client(ACTIONS);
    let done = Publisher::new(&client, Scanner::default()).publish(&case.publication()).unwrap();
    let head = case.github.world().tip("failfirst/issue-7").unwrap();
    (case, done.pull.unwrap(), head)
}

#[test]
fn the_platform_s_rules_hold() {
    let (case, pull, head) = published();
    let post = |token: &str, route: &str, body: Value| {
        let client = case.github.client(token);
        let error = client.write(&Method::POST, &format!("/repos/acme/hotel{route}"), &body).unwrap_err();
        (error.status().unwrap_or(0), error.to_string())
    };
    let refused = |(status, said): (u16, String), expected: u16, words: &str| {
        assert_eq!(status, expected, "{said}");
        assert!(said.contains(words), "{said:?} does not hold {words:?}");
    };
    let review = |event: &str, line: u64| json!({ "event": event, "body": "b", "commit_id": head, "comments": [{ "path": "src/shop.py", "line": line, "side": "RIGHT", "body": "b" }] });
    let reviews = format!("/pulls/{pull}/reviews");
    refused(post(ACTIONS, &reviews, review("APPROVE", 1)), 422, "your own pull request");
    refused(post(ACTIONS, &reviews, review("REQUEST_CHANGES", 1)), 422, "your own pull request");
    refused(post(ACTIONS, &reviews, review("COMMENT", 4000)), 422, "part of the diff");
    refused(post(ACTIONS, "/issues/7/comments", json!({ "body": "x".repeat(65_537) })), 422, "too long");
    refused(post(READER, "/issues/7/comments", json!({ "body": "x" })), 403, "`issues=write`");
    let annotations: Vec<Value> = (1..=51)
        .map(|line| json!({ "path": "a", "start_line": line, "end_line": line, "annotation_level": "notice", "message": "m" }))
        .collect();
    let check = json!({ "name": "n", "head_sha": head, "output": { "title": "t", "summary": "s", "annotations": annotations } });
    refused(post(ACTIONS, "/check-runs", check), 422, "50 items");
    refused(post(PERSON, "/check-runs", json!({ "name": "n", "head_sha": head })), 403, "GitHub App");
    refused(
        post(ACTIONS, "/git/refs", json!({ "ref": "refs/heads/main", "sha": head })),
        422,
        "already exists",
    );
    let twin = json!({ "title": "t", "head": "failfirst/issue-7", "base": "main", "body": "b" });
    refused(post(ACTIONS, "/pulls", twin), 422, "already exists");
    let client = case.github.client(ACTIONS);
    let gone =
        client.write(&Method::DELETE, "/repos/acme/hotel/issues/7/labels/none", &Value::Null).unwrap_err();
    assert_eq!(gone.status(), Some(404));
}

#[test]
fn pages_are_followed_and_an_unchanged_answer_is_not_sent_twice() {
    let case = Case::new(0, 0);
    for number in 0..201 {
        case.github.world().comment(7, "guest", &format!("{number}"));
    }
    let client = case.github.client(READER);
    let route = "/repos/acme/hotel/issues/7/comments";
    let (all, more): (Vec<Value>, bool) = client.list(route, 1000).unwrap();
    assert_eq!((all.len(), more), (201, false));
    let from = case.github.world().log.len();
    let (again, _): (Vec<Value>, bool) = client.list(route, 1000).unwrap();
    assert_eq!(again, all);
    assert!(case.github.world().log[from..].iter().all(|one| one.status == 304));
    let (some, more): (Vec<Value>, bool) = client.list(route, 150).unwrap();
    assert_eq!((some.len(), more), (150, true));
    case.github.assert_contract();
}

#[test]
fn a_used_up_limit_ends_in_words_and_not_in_an_endless_wait() {
    let case = Case::new(0, 0);
    case.github.world().tokens.get_mut(READER).unwrap().limit = 0;
    let client = case.github.client(READER);
    let error = client.get::<Value>("/repos/acme/hotel/issues/7").unwrap_err().to_string();
    assert!(error.contains("the rate limit is used up"), "{error}");
}

#[test]
fn what_github_does_not_describe_is_noticed() {
    let case = Case::new(0, 0);
    let client = case.github.client(ACTIONS);
    let _ = client.write(
        &Method::POST,
        "/repos/acme/hotel/issues/7/comments",
        &json!({ "body": "b", "colour": 1 }),
    );
    let _ = client.get::<Value>("/repos/acme/hotel/issues/7?deep=1");
    let _ = client.write(&Method::POST, "/repos/acme/hotel/issues/7/labels", &json!({ "labels": [1] }));
    let problems = case.github.world().problems.join("\n");
    for words in ["no field `colour`", "no parameter `deep`", "labels, request:"] {
        assert!(problems.contains(words), "{words}: {problems}");
    }
}
