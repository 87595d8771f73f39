//! The requests of the steps: method, route and body, and a body for a reader.

use http::Method;
use serde_json::{Value, json};

use super::Publisher;
use crate::github::bundle::Part;
use crate::github::plan::{self, Known, Place, Publication, Step};
use crate::github::remote::CHECK;
use crate::report::github::{self as texts, Annotation};

impl Publisher<'_> {
    /// The request of a step; `None` where something that it needs is not known.
    pub(super) fn request(
        &self,
        publication: &Publication,
        known: &Known,
        step: &Step,
    ) -> Option<(Method, String, Value)> {
        let report = publication.report(known);
        let standing = publication.standing(known, self.abilities);
        let route = |rest: String| format!("/repos/{}{rest}", publication.repository);
        let number = |place: &Place| match place {
            Place::Issue(number) => Some(*number),
            Place::Pull(number) => number.or(known.pull).or(known.dry.then_some(0)),
        };
        Some(match step {
            Step::Branch { name, at } => (
                Method::POST,
                route("/git/refs".into()),
                json!({ "ref": format!("refs/heads/{name}"), "sha": at }),
            ),
            Step::Commit { branch, part, upon } => {
                let upon = upon.clone().or_else(|| known.head.clone()).unwrap_or_default();
                let input = commit_input(publication, branch, &publication.parts[*part], &upon);
                (Method::POST, "/graphql".to_owned(), input)
            }
            Step::Open { branch, base, draft } => {
                let mut body = json!({
                    "title": texts::pull_title(&report, *draft), "head": branch, "base": base,
                    "body": texts::pull_body(&report, &standing), "maintainer_can_modify": true,
                });
                if *draft {
                    body["draft"] = true.into();
                }
                (Method::POST, route("/pulls".into()), body)
            }
            Step::Review { pull, .. } => {
                let pull = pull.or(known.pull).or(known.dry.then_some(0))?;
                let head = known.head.as_deref()?;
                let (anchored, floating) = publication.inline(self.abilities);
                let comments: Vec<Value> = anchored
                    .iter()
                    .map(|one| json!({ "path": one.path, "line": one.line, "side": "RIGHT", "body": one.body }))
                    .collect();
                let mut body = json!({
                    "commit_id": head, "event": "COMMENT", "body": texts::review(&report, &standing, head, &floating),
                });
                if !comments.is_empty() {
                    body["comments"] = comments.into();
                }
                (Method::POST, route(format!("/pulls/{pull}/reviews")), body)
            }
            Step::Run { annotations } => {
                let head = known.head.as_deref()?;
                let all = texts::annotations(&report);
                let mut body = json!({
                    "name": CHECK, "head_sha": head, "external_id": publication.external_id(known, self.abilities),
                });
                self.ending(publication, known, &all[..*annotations], *annotations == all.len(), &mut body);
                (Method::POST, route("/check-runs".into()), body)
            }
            Step::RunMore { id, from, to } => {
                let id = id.or(known.run).or(known.dry.then_some(0))?;
                let all = texts::annotations(&report);
                let mut body = json!({});
                self.ending(publication, known, all.get(*from..*to)?, *to == all.len(), &mut body);
                (Method::PATCH, route(format!("/check-runs/{id}")), body)
            }
            Step::Status => {
                let head = known.head.as_deref()?;
                let check = texts::check(&report, &standing);
                let mut body = json!({
                    "state": check.state, "context": CHECK, "description": plan::status_description(&check.title),
                });
                if let Some(run) = &publication.run {
                    body["target_url"] = run.clone().into();
                }
                (Method::POST, route(format!("/statuses/{head}")), body)
            }
            Step::Comment { place, kind } => {
                let (_, text) = plan::comment(publication, known, self.abilities, *kind);
                (Method::POST, route(format!("/issues/{}/comments", number(place)?)), json!({ "body": text }))
            }
            Step::Edit { id, kind, .. } => {
                let (_, text) = plan::comment(publication, known, self.abilities, *kind);
                (Method::PATCH, route(format!("/issues/comments/{id}")), json!({ "body": text }))
            }
            Step::Label { place, name } => (
                Method::POST,
                route(format!("/issues/{}/labels", number(place)?)),
                json!({ "labels": [name] }),
            ),
            Step::Unlabel { place, name } => {
                let name = crate::report::percent_encode(name);
                (Method::DELETE, route(format!("/issues/{}/labels/{name}", number(place)?)), Value::Null)
            }
        })
    }

    fn ending(
        &self,
        publication: &Publication,
        known: &Known,
        some: &[Annotation],
        last: bool,
        body: &mut Value,
    ) {
        let check = texts::check(&publication.report(known), &publication.standing(known, self.abilities));
        let annotations: Vec<Value> = some
            .iter()
            .map(|one| {
                json!({
                    "path": one.path, "start_line": one.line, "end_line": one.line, "annotation_level": one.level,
                    "title": one.title, "message": one.message,
                })
            })
            .collect();
        body["output"] = json!({ "title": check.title, "summary": check.summary, "text": check.text });
        if !annotations.is_empty() {
            body["output"]["annotations"] = annotations.into();
        }
        if last {
            body["status"] = "completed".into();
            body["conclusion"] = check.conclusion.into();
        } else {
            body["status"] = "in_progress".into();
        }
        if let Some(run) = &publication.run {
            body["details_url"] = run.clone().into();
        }
    }
}

/// The input of a commit upon a branch.
pub(super) fn commit_input(publication: &Publication, branch: &str, part: &Part, upon: &str) -> Value {
    let (headline, body) = plan::message(publication, part);
    let additions: Vec<Value> = part
        .files
        .iter()
        .filter_map(|file| Some(json!({ "path": file.path, "contents": file.base64()? })))
        .collect();
    let deletions: Vec<Value> = part
        .files
        .iter()
        .filter(|file| file.text.is_none())
        .map(|file| json!({ "path": file.path }))
        .collect();
    json!({ "input": {
        "branch": { "repositoryNameWithOwner": publication.repository, "branchName": branch },
        "message": { "headline": headline, "body": body },
        "expectedHeadOid": upon,
        "fileChanges": { "additions": additions, "deletions": deletions },
    } })
}

/// A request's body for a reader: texts as they are, everything else as JSON.
pub(super) fn show(body: &Value) -> String {
    let mut out = String::new();
    if let Some(fields) = body.as_object() {
        for (name, value) in fields {
            match value {
                Value::String(text) if text.contains('\n') => {
                    let text = crate::report::visible::visible(text);
                    out.push_str(&format!("{name}:\n"));
                    out.extend(text.lines().map(|line| format!("  {line}\n")));
                }
                Value::String(text) => {
                    out.push_str(&format!("{name}: {}\n", crate::report::visible::visible_line(text)));
                }
                Value::Null => {}
                other => {
                    let text = serde_json::to_string_pretty(other).unwrap_or_default();
                    out.push_str(&format!("{name}:\n"));
                    out.extend(text.lines().map(|line| format!("  {line}\n")));
                }
            }
        }
    }
    out
}
