//! The GraphQL operations that failfirst sends. That the texts and the answers are GitHub's is checked
//! against its schema, see `contract.mjs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use git2::{Oid, Signature};
use serde_json::{Value, json};

use super::http::{Answer, Request};
use super::world::{Comment, Issue, Token, World};

pub(crate) fn is_write(request: &Request) -> bool {
    request.body["query"].as_str().is_some_and(|query| query.trim_start().starts_with("mutation"))
}

pub(crate) fn answer(world: &mut World, request: &Request, token: Option<&Token>) -> Answer {
    let Some(token) = token else { return Answer::error(401, "Bad credentials") };
    let query = request.body["query"].as_str().unwrap_or_default();
    let variables = &request.body["variables"];
    let name = query.split_once("Failfirst").map(|(_, rest)| rest.split('(').next().unwrap_or_default());
    let data = match name {
        Some("State") => state(world, variables, token),
        Some("Comments") => older(world, variables, token),
        Some("Commit") => match commit(world, &variables["input"], token) {
            Ok(data) => data,
            Err((kind, message)) => {
                return Answer::of(
                    200,
                    json!({ "data": null, "errors": [{ "type": kind, "message": message }] }),
                );
            }
        },
        _ => return Answer::of(200, json!({ "errors": [{ "message": "an unknown operation" }] })),
    };
    world.graphql.push(json!({ "query": query, "variables": variables, "data": data }));
    Answer::of(200, json!({ "data": data }))
}

fn state(world: &World, variables: &Value, token: &Token) -> Value {
    let text = |name: &str| variables[name].as_str().unwrap_or_default();
    if !format!("{}/{}", text("owner"), text("repo")).eq_ignore_ascii_case(&world.name) {
        return json!({ "viewer": { "login": token.login }, "repository": null });
    }
    let number = variables["number"].as_u64().unwrap_or(0);
    let item = world.issues.get(&number).map(|issue| match issue.pull {
        Some(_) => {
            let mut value = pull(world, number, token);
            value["__typename"] = "PullRequest".into();
            value
        }
        None => json!({
            "__typename": "Issue", "id": format!("I_{number}"), "number": number,
            "state": if issue.open { "OPEN" } else { "CLOSED" }, "labels": labels(issue),
            "comments": comments(&issue.comments, None, token),
        }),
    });
    let pulls = |branch: &str| {
        let mut found: Vec<u64> = world
            .issues
            .iter()
            .filter(|(_, issue)| issue.pull.as_ref().is_some_and(|pull| pull.head == branch))
            .map(|(number, _)| *number)
            .collect();
        found.reverse();
        json!({ "nodes": found.into_iter().take(10).map(|number| pull(world, number, token)).collect::<Vec<_>>() })
    };
    json!({
        "viewer": { "login": token.login },
        "repository": {
            "nameWithOwner": world.name, "isArchived": world.settings.archived,
            "defaultBranchRef": { "name": world.default_branch },
            "issueOrPullRequest": item,
            "ref": tip(world, text("ref")), "otherRef": tip(world, text("otherRef")),
            "pulls": pulls(text("branch")), "otherPulls": pulls(text("other")),
        },
    })
}

fn tip(world: &World, name: &str) -> Value {
    let repository = world.repository();
    let Ok(oid) = repository.refname_to_id(name) else { return Value::Null };
    let mut walk = repository.revwalk().unwrap();
    walk.push(oid).unwrap();
    let nodes: Vec<Value> = walk
        .take(3)
        .map(|oid| oid.unwrap().to_string())
        .map(|oid| json!({ "oid": oid, "tree": { "oid": world.tree_of(&oid) } }))
        .collect();
    json!({ "target": { "__typename": "Commit", "oid": oid.to_string(), "history": { "nodes": nodes } } })
}

fn labels(issue: &Issue) -> Value {
    json!({ "nodes": issue.labels.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>() })
}

/// The last hundred before a cursor, as GitHub cuts them.
fn comments(all: &[Comment], before: Option<usize>, token: &Token) -> Value {
    let end = before.unwrap_or(all.len());
    let start = end.saturating_sub(100);
    let nodes: Vec<Value> = all[start..end]
        .iter()
        .map(|one| json!({ "databaseId": one.id, "viewerDidAuthor": one.author == token.login, "body": one.body }))
        .collect();
    let cursor = (!nodes.is_empty()).then(|| format!("c{start}"));
    json!({ "pageInfo": { "hasPreviousPage": start > 0, "startCursor": cursor }, "nodes": nodes })
}

fn pull(world: &World, number: u64, token: &Token) -> Value {
    let issue = &world.issues[&number];
    let pull = issue.pull.as_ref().unwrap();
    let reviews: Vec<Value> = pull
        .reviews
        .iter()
        .map(|one| json!({ "databaseId": one.id, "viewerDidAuthor": one.author == token.login, "body": one.body }))
        .collect();
    json!({
        "id": format!("PR_{number}"), "number": number, "pullState": if issue.open { "OPEN" } else { "CLOSED" },
        "isDraft": pull.draft, "title": issue.title, "body": issue.body, "viewerDidAuthor": issue.author == token.login,
        "isCrossRepository": pull.fork.is_some(), "headRefOid": world.head_of(number), "baseRefName": pull.base,
        "labels": labels(issue), "comments": comments(&issue.comments, None, token), "reviews": { "nodes": reviews },
    })
}

fn older(world: &World, variables: &Value, token: &Token) -> Value {
    let id = variables["id"].as_str().unwrap_or_default();
    let number: u64 = id.rsplit('_').next().unwrap().parse().unwrap();
    let before: usize = variables["before"].as_str().unwrap_or_default()[1..].parse().unwrap();
    let issue = &world.issues[&number];
    let kind = if issue.pull.is_some() { "PullRequest" } else { "Issue" };
    json!({ "node": { "__typename": kind, "comments": comments(&issue.comments, Some(before), token) } })
}

fn commit(world: &mut World, input: &Value, token: &Token) -> Result<Value, (&'static str, String)> {
    if token.permissions.get("contents").map(String::as_str) != Some("write") {
        return Err(("FORBIDDEN", "Resource not accessible by integration".to_owned()));
    }
    let branch = input["branch"]["branchName"].as_str().unwrap();
    let expected = input["expectedHeadOid"].as_str().unwrap();
    let Some(head) = world.tip(branch) else {
        return Err(("NOT_FOUND", format!("The branch {branch} does not exist")));
    };
    if head != expected {
        return Err(("STALE_DATA", format!("Expected branch to point to \"{expected}\" but it did not.")));
    }
    let repository = world.repository();
    let parent = repository.find_commit(Oid::from_str(&head).unwrap()).unwrap();
    let base = parent.tree().unwrap();
    let mut builder = git2::build::TreeUpdateBuilder::new();
    let list = |name: &str| input["fileChanges"][name].as_array().cloned().unwrap_or_default();
    if list("additions").iter().any(|one| one["path"].as_str().unwrap().starts_with(".github/workflows/")) {
        return Err((
            "FORBIDDEN",
            "refusing to allow a GitHub App to create or update workflow without `workflows` permission"
                .to_owned(),
        ));
    }
    for one in list("additions") {
        let bytes = STANDARD.decode(one["contents"].as_str().unwrap()).unwrap();
        // It knows no modes: everything becomes an ordinary file.
        builder.upsert(one["path"].as_str().unwrap(), repository.blob(&bytes).unwrap(), git2::FileMode::Blob);
    }
    for one in list("deletions") {
        builder.remove(one["path"].as_str().unwrap());
    }
    let tree = builder
        .create_updated(&repository, &base)
        .map_err(|error| ("UNPROCESSABLE", error.message().to_owned()))?;
    let tree = repository.find_tree(tree).unwrap();
    let who = Signature::now(&token.login, "bot@example.org").unwrap();
    let message = format!(
        "{}\n\n{}",
        input["message"]["headline"].as_str().unwrap(),
        input["message"]["body"].as_str().unwrap_or_default()
    );
    let name = format!("refs/heads/{branch}");
    let oid = repository.commit(Some(&name), &who, &who, &message, &tree, &[&parent]).unwrap();
    Ok(
        json!({ "createCommitOnBranch": { "commit": { "oid": oid.to_string(), "tree": { "oid": tree.id().to_string() } } } }),
    )
}
