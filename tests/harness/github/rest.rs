//! The REST routes, with the platform's rules.

use std::collections::BTreeSet;

use git2::{ObjectType, Oid, Signature};
use serde_json::{Value, json};

use super::contract::shape;
use super::http::{Answer, Request, decode};
use super::world::{CheckRun, Comment, Issue, Kind, Pull, Review, Status, Token, World};

type Result<T> = std::result::Result<T, Answer>;

const NOT_ACCESSIBLE: &str = "Resource not accessible by integration";
const MAX_BODY: usize = 65_536;

/// Answers a request, or says what is wrong with it.
pub(crate) fn answer(world: &mut World, request: &Request, token: Option<&Token>) -> Answer {
    route(world, request, token).unwrap_or_else(|refusal| refusal)
}

fn invalid(message: &str) -> Answer {
    let mut answer = Answer::error(422, "Validation Failed");
    answer.body["errors"] = json!([{ "resource": "x", "code": "custom", "field": "x", "message": message }]);
    answer
}

fn may(token: Option<&Token>, permission: &str, level: &str) -> Result<String> {
    let Some(token) = token else { return Err(Answer::error(401, "Requires authentication")) };
    let has = token.permissions.get(permission).map(String::as_str).unwrap_or_default();
    if has == "write" || has == level {
        return Ok(token.login.clone());
    }
    let needs = format!("{permission}={level}");
    Err(Answer::error(403, NOT_ACCESSIBLE).header("x-accepted-github-permissions", needs))
}

fn short_enough(body: &Value) -> Result<String> {
    let text = body["body"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return Err(invalid("body cannot be blank"));
    }
    if text.chars().count() > MAX_BODY || text.len() > 262_143 {
        return Err(invalid("body is too long (maximum is 65536 characters)"));
    }
    Ok(text.to_owned())
}

fn route(world: &mut World, request: &Request, token: Option<&Token>) -> Result<Answer> {
    let parts: Vec<String> = request.path.trim_matches('/').split('/').map(decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let body = &request.body;
    let not_found = || Answer::error(404, "Not Found");
    let ["repos", owner, repo, rest @ ..] = parts.as_slice() else { return Err(not_found()) };
    if !format!("{owner}/{repo}").eq_ignore_ascii_case(&world.name) {
        return Err(not_found());
    }
    let number = |text: &str| text.parse::<u64>().map_err(|_| not_found());
    let issue = |world: &World, number: u64| world.issues.get(&number).cloned().ok_or_else(not_found);
    match (request.method.as_str(), rest) {
        ("GET", ["collaborators", login, "permission"]) => {
            may(token, "metadata", "read")?;
            let (permission, role) = world
                .people
                .get(*login)
                .cloned()
                .ok_or_else(|| Answer::error(404, &format!("{login} is not a user")))?;
            Ok(Answer::of(
                200,
                shape(
                    "repository-collaborator-permission",
                    json!({ "permission": permission, "role_name": role }),
                ),
            ))
        }
        ("GET", ["issues", id]) => {
            let id = number(id)?;
            let found = issue(world, id)?;
            Ok(Answer::of(200, issue_json(id, &found)))
        }
        ("GET", ["issues", id, "comments"]) => {
            let found = issue(world, number(id)?)?;
            Ok(page(request, found.comments.iter().map(comment_json).collect()))
        }
        ("POST", ["issues", id, "comments"]) => {
            let author = may(token, "issues", "write")?;
            let id = number(id)?;
            issue(world, id)?;
            let body = short_enough(body)?;
            let comment = world.comment(id, &author, &body);
            Ok(Answer::of(201, comment_json(&comment)))
        }
        ("PATCH", ["issues", "comments", id]) => {
            let author = may(token, "issues", "write")?;
            let (id, body, now) = (number(id)?, short_enough(body)?, world.now());
            let comment = world
                .issues
                .values_mut()
                .flat_map(|issue| &mut issue.comments)
                .find(|comment| comment.id == id)
                .ok_or_else(not_found)?;
            if comment.author != author {
                return Err(Answer::error(403, "You cannot edit this comment"));
            }
            (comment.body, comment.updated_at) = (body, now);
            Ok(Answer::of(200, comment_json(&comment.clone())))
        }
        ("POST", ["issues", id, "labels"]) => {
            may(token, "issues", "write")?;
            let id = number(id)?;
            issue(world, id)?;
            let names: Vec<String> = body["labels"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            if names.iter().any(|name| name.chars().count() > 50) {
                return Err(invalid("name is too long (maximum is 50 characters)"));
            }
            let own = &mut world.issues.get_mut(&id).unwrap().labels;
            for name in names {
                world.labels.insert(name.clone());
                if !own.contains(&name) {
                    own.push(name);
                }
            }
            Ok(Answer::of(200, own.iter().map(|name| label(name)).collect()))
        }
        ("DELETE", ["issues", id, "labels", name]) => {
            may(token, "issues", "write")?;
            let id = number(id)?;
            issue(world, id)?;
            let own = &mut world.issues.get_mut(&id).unwrap().labels;
            let at = own
                .iter()
                .position(|one| one == name)
                .ok_or_else(|| Answer::error(404, "Label does not exist"))?;
            own.remove(at);
            Ok(Answer::of(200, own.iter().map(|name| label(name)).collect()))
        }
        ("GET", ["pulls", id]) => {
            let id = number(id)?;
            issue(world, id)?.pull.ok_or_else(not_found)?;
            Ok(Answer::of(200, pull_json(world, id)))
        }
        ("POST", ["pulls"]) => open_pull(world, body, token),
        ("POST", ["pulls", id, "reviews"]) => {
            let id = number(id)?;
            issue(world, id)?.pull.ok_or_else(not_found)?;
            review(world, id, body, token)
        }
        ("POST", ["git", "refs"]) => {
            may(token, "contents", "write")?;
            let name = body["ref"].as_str().unwrap_or_default();
            let sha = body["sha"].as_str().unwrap_or_default();
            if !name.starts_with("refs/")
                || name.matches('/').count() < 2
                || !git2::Reference::is_valid_name(name)
            {
                return Err(Answer::error(422, "Reference name must contain at least two slashes"));
            }
            if world.repository().find_reference(name).is_ok() {
                return Err(Answer::error(422, "Reference already exists"));
            }
            if !world.has(sha, ObjectType::Commit) {
                return Err(Answer::error(422, "Object does not exist"));
            }
            world.repository().reference(name, Oid::from_str(sha).unwrap(), false, "x").unwrap();
            Ok(Answer::of(201, ref_json(name, sha)))
        }
        ("PATCH", ["git", "refs", name @ ..]) => {
            may(token, "contents", "write")?;
            let name = format!("refs/{}", name.join("/"));
            let sha = body["sha"].as_str().unwrap_or_default();
            let repository = world.repository();
            let old = repository
                .refname_to_id(&name)
                .map_err(|_| Answer::error(422, "Reference does not exist"))?;
            if !world.has(sha, ObjectType::Commit) {
                return Err(Answer::error(422, "Object does not exist"));
            }
            let new = Oid::from_str(sha).unwrap();
            if body["force"] != true && !repository.graph_descendant_of(new, old).unwrap() && new != old {
                return Err(Answer::error(422, "Update is not a fast forward"));
            }
            repository.reference(&name, new, true, "x").unwrap();
            Ok(Answer::of(200, ref_json(&name, sha)))
        }
        ("GET", ["git", "commits", sha]) => {
            may(token, "contents", "read")?;
            if !world.has(sha, ObjectType::Commit) {
                return Err(not_found());
            }
            Ok(Answer::of(200, commit_json(world, sha)))
        }
        ("POST", ["git", "trees"]) => {
            may(token, "contents", "write")?;
            make_tree(world, body)
        }
        ("POST", ["git", "commits"]) => {
            let author = may(token, "contents", "write")?;
            let repository = world.repository();
            let oid = |value: &Value| Oid::from_str(value.as_str().unwrap_or_default()).ok();
            let tree = oid(&body["tree"]).and_then(|oid| repository.find_tree(oid).ok());
            let tree = tree.ok_or_else(|| Answer::error(422, "Tree SHA does not exist"))?;
            let parents: Vec<_> = body["parents"].as_array().into_iter().flatten().filter_map(oid).collect();
            let parents: Vec<_> = parents.iter().map(|oid| repository.find_commit(*oid).unwrap()).collect();
            let who = Signature::now(&author, "bot@example.org").unwrap();
            let message = body["message"].as_str().unwrap();
            let parents: Vec<_> = parents.iter().collect();
            let sha = repository.commit(None, &who, &who, message, &tree, &parents).unwrap();
            Ok(Answer::of(201, commit_json(world, &sha.to_string())))
        }
        ("POST", ["check-runs"]) => {
            checks_are_for_apps(token)?;
            let sha = body["head_sha"].as_str().unwrap_or_default();
            if !world.has(sha, ObjectType::Commit) {
                return Err(Answer::error(422, "No commit found for SHA"));
            }
            let mut run = CheckRun {
                id: world.id(),
                sha: sha.to_owned(),
                name: body["name"].as_str().unwrap().to_owned(),
                external_id: body["external_id"].as_str().unwrap_or_default().to_owned(),
                status: "queued".into(),
                conclusion: None,
                title: String::new(),
                summary: String::new(),
                text: String::new(),
                annotations: Vec::new(),
            };
            update_check(&mut run, body)?;
            world.checks.push(run.clone());
            Ok(Answer::of(201, check_json(&run)))
        }
        ("PATCH", ["check-runs", id]) => {
            checks_are_for_apps(token)?;
            let id = number(id)?;
            let run = world.checks.iter_mut().find(|run| run.id == id).ok_or_else(not_found)?;
            update_check(run, body)?;
            Ok(Answer::of(200, check_json(&run.clone())))
        }
        ("GET", ["commits", sha, "check-runs"]) => {
            may(token, "checks", "read")?;
            let name = request.query.get("check_name");
            let runs: Vec<Value> = world
                .checks
                .iter()
                .filter(|run| run.sha == *sha && name.is_none_or(|name| *name == run.name))
                .map(check_json)
                .collect();
            Ok(Answer::of(200, json!({ "total_count": runs.len(), "check_runs": runs })))
        }
        ("POST", ["statuses", sha]) => {
            may(token, "statuses", "write")?;
            let description = body["description"].as_str().unwrap_or_default().to_owned();
            if description.chars().count() > 140 {
                return Err(invalid("description is too long (maximum is 140 characters)"));
            }
            let status = Status {
                sha: (*sha).to_owned(),
                state: body["state"].as_str().unwrap().to_owned(),
                context: body["context"].as_str().unwrap_or("default").to_owned(),
                description,
            };
            world.statuses.push(status.clone());
            Ok(Answer::of(201, status_json(&status)))
        }
        ("GET", ["commits", sha, "statuses"]) => {
            may(token, "statuses", "read")?;
            let all =
                world.statuses.iter().rev().filter(|status| status.sha == *sha).map(status_json).collect();
            Ok(page(request, all))
        }
        _ => Err(not_found()),
    }
}

fn page(request: &Request, all: Vec<Value>) -> Answer {
    let number = |name: &str, default: usize| {
        request.query.get(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(default)
    };
    let (size, page) = (number("per_page", 30).min(100), number("page", 1).max(1));
    let more = all.len() > size * page;
    let some: Vec<Value> = all.into_iter().skip(size * (page - 1)).take(size).collect();
    let answer = Answer::of(200, some.into());
    if more {
        answer.header("link", format!("<https://api.github.com/next?page={}>; rel=\"next\"", page + 1))
    } else {
        answer
    }
}

fn open_pull(world: &mut World, body: &Value, token: Option<&Token>) -> Result<Answer> {
    let author = may(token, "pull_requests", "write")?;
    let app = token.is_some_and(|token| token.kind == Kind::App);
    if app && !world.settings.actions_may_open_pulls {
        return Err(Answer::error(
            403,
            "GitHub Actions is not permitted to create or approve pull requests.",
        ));
    }
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (head, base, title) = (text("head"), text("base"), text("title"));
    if title.trim().is_empty() || title.chars().count() > 256 {
        return Err(invalid("title is too long (maximum is 256 characters)"));
    }
    let body_text = short_enough(body)?;
    let (Some(head_oid), Some(base_oid)) = (world.tip(&head), world.tip(&base)) else {
        return Err(invalid("head or base is invalid"));
    };
    if head_oid == base_oid {
        return Err(invalid(&format!("No commits between {base} and {head}")));
    }
    let draft = body["draft"] == true;
    if draft && !world.settings.drafts {
        return Err(Answer::error(422, "Draft pull requests are not supported in this repository."));
    }
    let twin = world.issues.values().any(|issue| {
        issue.open
            && issue
                .pull
                .as_ref()
                .is_some_and(|pull| pull.head == head && pull.base == base && pull.fork.is_none())
    });
    if twin {
        return Err(invalid(&format!("A pull request already exists for acme:{head}.")));
    }
    let number = world.issues.keys().max().copied().unwrap_or(0) + 1;
    world.issues.insert(
        number,
        Issue {
            title,
            body: body_text,
            author,
            open: true,
            labels: Vec::new(),
            comments: Vec::new(),
            pull: Some(Pull { head, base, draft, fork: None, reviews: Vec::new() }),
        },
    );
    Ok(Answer::of(201, pull_json(world, number)))
}

fn review(world: &mut World, number: u64, body: &Value, token: Option<&Token>) -> Result<Answer> {
    let author = may(token, "pull_requests", "write")?;
    let event = body["event"].as_str().unwrap_or("PENDING").to_owned();
    if author == world.issues[&number].author && matches!(event.as_str(), "APPROVE" | "REQUEST_CHANGES") {
        let what = if event == "APPROVE" { "approve" } else { "request changes on" };
        return Err(Answer::error(
            422,
            &format!("Unprocessable Entity: Can not {what} your own pull request"),
        ));
    }
    let text = short_enough(body)?;
    let commit = body["commit_id"].as_str().map_or_else(|| world.head_of(number), str::to_owned);
    if !world.has(&commit, ObjectType::Commit) {
        return Err(Answer::error(422, "Unprocessable Entity: commit_id is not part of the pull request"));
    }
    let anchors = world.anchors(number);
    let comments: Vec<Value> = body["comments"].as_array().cloned().unwrap_or_default();
    for comment in &comments {
        let path = comment["path"].as_str().unwrap_or_default().to_owned();
        let side = comment["side"].as_str().unwrap_or("RIGHT").to_owned();
        let hunks = |line: u64| -> BTreeSet<usize> {
            anchors
                .iter()
                .filter(|one| one.0 == path && one.1 == side && one.2 == line)
                .map(|one| one.3)
                .collect()
        };
        let end = hunks(comment["line"].as_u64().unwrap_or(0));
        if end.is_empty() {
            return Err(Answer::error(
                422,
                "Unprocessable Entity: Pull request review thread line must be part of the diff",
            ));
        }
        if let Some(start) = comment["start_line"].as_u64()
            && (hunks(start).is_disjoint(&end) || start >= comment["line"].as_u64().unwrap_or(0))
        {
            return Err(Answer::error(
                422,
                "Unprocessable Entity: start_line must precede the end line in the same hunk",
            ));
        }
    }
    let id = world.id();
    let review = Review { id, author, body: text, event, commit, comments };
    let pull = world.issues.get_mut(&number).unwrap().pull.as_mut().unwrap();
    pull.reviews.push(review.clone());
    Ok(Answer::of(
        200,
        shape(
            "pull-request-review",
            json!({ "id": id, "body": review.body, "state": "COMMENTED", "commit_id": review.commit }),
        ),
    ))
}

fn checks_are_for_apps(token: Option<&Token>) -> Result<()> {
    if token.is_some_and(|token| token.kind == Kind::Person) {
        return Err(Answer::error(403, "You must authenticate via a GitHub App."));
    }
    may(token, "checks", "write").map(drop)
}

fn update_check(run: &mut CheckRun, body: &Value) -> Result<()> {
    let output = &body["output"];
    let annotations = output["annotations"].as_array().cloned().unwrap_or_default();
    if annotations.len() > 50 {
        return Err(Answer::error(422, "Invalid request.\n\nNo more than 50 items are allowed; annotations"));
    }
    for annotation in &annotations {
        if annotation["message"].as_str().unwrap_or_default().len() > 64 << 10
            || annotation["title"].as_str().unwrap_or_default().chars().count() > 255
        {
            return Err(Answer::error(422, "Invalid request.\n\nAn annotation is too long"));
        }
    }
    for (name, most) in [("summary", 65_535), ("text", 65_535), ("title", 255)] {
        if output[name].as_str().unwrap_or_default().chars().count() > most {
            return Err(Answer::error(
                422,
                &format!("Invalid request.\n\nOnly {most} characters are allowed; {name}"),
            ));
        }
    }
    if body["status"] == "completed" && body["conclusion"].is_null() {
        return Err(Answer::error(422, "Invalid request.\n\nconclusion is missing"));
    }
    run.annotations.extend(annotations);
    for (field, value) in [
        (&mut run.status, &body["status"]),
        (&mut run.title, &output["title"]),
        (&mut run.summary, &output["summary"]),
        (&mut run.text, &output["text"]),
    ] {
        if let Some(text) = value.as_str() {
            text.clone_into(field);
        }
    }
    if let Some(text) = body["conclusion"].as_str() {
        run.conclusion = Some(text.to_owned());
    }
    Ok(())
}

fn make_tree(world: &mut World, body: &Value) -> Result<Answer> {
    let repository = world.repository();
    let base = body["base_tree"].as_str().and_then(|sha| Oid::from_str(sha).ok());
    let base = base.and_then(|oid| repository.find_tree(oid).ok());
    let base = base.ok_or_else(|| Answer::error(422, "base_tree is not a valid tree oid"))?;
    let mut builder = git2::build::TreeUpdateBuilder::new();
    for entry in body["tree"].as_array().into_iter().flatten() {
        let path = entry["path"].as_str().unwrap();
        if entry["sha"].is_null() && entry["content"].is_null() {
            builder.remove(path);
            continue;
        }
        let mode = match entry["mode"].as_str() {
            Some("100755") => git2::FileMode::BlobExecutable,
            _ => git2::FileMode::Blob,
        };
        let blob = repository.blob(entry["content"].as_str().unwrap_or_default().as_bytes()).unwrap();
        builder.upsert(path, blob, mode);
    }
    let tree =
        builder.create_updated(&repository, &base).map_err(|error| Answer::error(422, error.message()))?;
    Ok(Answer::of(201, shape("git-tree", json!({ "sha": tree.to_string(), "tree": [] }))))
}

fn user(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    shape("simple-user", json!({ "login": login, "type": kind }))
}

fn label(name: &str) -> Value {
    shape("label", json!({ "name": name }))
}

fn issue_json(number: u64, issue: &Issue) -> Value {
    let mut fields = json!({
        "number": number, "title": issue.title, "body": issue.body, "state": if issue.open { "open" } else { "closed" },
        "user": user(&issue.author), "labels": issue.labels.iter().map(|name| label(name)).collect::<Vec<_>>(),
        "comments": issue.comments.len(),
    });
    if issue.pull.is_some() {
        fields["pull_request"] = json!({ "url": "x", "html_url": "x", "diff_url": "x", "patch_url": "x" });
    }
    shape("issue", fields)
}

fn comment_json(comment: &Comment) -> Value {
    shape(
        "issue-comment",
        json!({
            "id": comment.id, "body": comment.body, "user": user(&comment.author), "created_at": comment.created_at,
            "updated_at": comment.updated_at,
        }),
    )
}

fn pull_json(world: &World, number: u64) -> Value {
    let issue = &world.issues[&number];
    let pull = issue.pull.as_ref().unwrap();
    let head = world.head_of(number);
    let head_repo = pull.fork.clone().unwrap_or_else(|| world.name.clone());
    let side = |label: &str, sha: &str, repo: &str| json!({ "label": label, "ref": label, "sha": sha, "repo": { "full_name": repo, "name": "x" } });
    let mut value = shape(
        "pull-request",
        json!({
            "number": number, "title": issue.title, "body": issue.body, "state": if issue.open { "open" } else { "closed" },
            "draft": pull.draft, "user": user(&issue.author), "html_url": format!("https://github.com/{}/pull/{number}", world.name),
        }),
    );
    let repository = shape("repository", json!({}));
    for (name, label, sha, repo) in [
        ("head", &pull.head, head, head_repo),
        ("base", &pull.base, world.tip(&pull.base).unwrap(), world.name.clone()),
    ] {
        let mut own = side(label, &sha, &repo);
        let mut whole = repository.clone();
        whole["full_name"] = repo.into();
        own["repo"] = whole;
        own["user"] = user("acme");
        value[name] = own;
    }
    value
}

fn ref_json(name: &str, sha: &str) -> Value {
    shape("git-ref", json!({ "ref": name, "object": { "sha": sha, "type": "commit" } }))
}

fn commit_json(world: &World, sha: &str) -> Value {
    shape("git-commit", json!({ "sha": sha, "tree": { "sha": world.tree_of(sha), "url": "x" } }))
}

fn check_json(run: &CheckRun) -> Value {
    shape(
        "check-run",
        json!({
            "id": run.id, "head_sha": run.sha, "name": run.name, "external_id": run.external_id, "status": run.status,
            "conclusion": run.conclusion,
            "output": { "title": run.title, "summary": run.summary, "text": run.text,
                "annotations_count": run.annotations.len(), "annotations_url": "x" },
        }),
    )
}

fn status_json(status: &Status) -> Value {
    shape(
        "status",
        json!({ "state": status.state, "context": status.context, "description": status.description }),
    )
}
