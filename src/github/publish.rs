//! Carries out what [`plan`] lists, looks again, and says what stands and what does not.

mod request;

use std::collections::BTreeSet;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::authorise::Subject;
use super::bundle::{FileMode, Part};
use super::client::{Client, ClientError, Count};
use super::plan::{self, Abilities, Known, Place, Plan, Publication, Stale, Step};
use super::queries;
use super::remote::{self, Look, Remote};
use super::secrets::Scanner;
use crate::report::github as texts;
use request::{commit_input, show};

/// How often GitHub is looked at before failfirst gives up.
const ROUNDS: usize = 6;

/// Why nothing could be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It may not be published any more.
    #[error("nothing was published: {0}")]
    Stale(#[from] Stale),
    /// GitHub could not be read.
    #[error("GitHub could not be read: {0}")]
    Client(#[from] ClientError),
}

/// What was published.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Published {
    /// The writes that were made.
    pub done: Vec<String>,
    /// The writes that failed, with the reason.
    pub failed: Vec<(String, String)>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// The pull request.
    pub pull: Option<u64>,
    /// The head commit on GitHub.
    pub head: Option<String>,
    /// True when a last look found everything in place.
    pub confirmed: bool,
    /// How many requests it took.
    pub count: Count,
}

/// A publisher with one token.
pub struct Publisher<'a> {
    client: &'a Client,
    scanner: Scanner,
    abilities: Abilities,
}

/// Why a step was not carried out.
enum Trouble {
    /// Whether it happened is not known: look again.
    Look(String),
    /// It cannot be done as planned, but otherwise: plan again.
    Otherwise(String),
    /// It failed.
    Failed(String),
}

impl<'a> Publisher<'a> {
    /// With a client; `scanner` keeps secrets out of what is written.
    pub fn new(client: &'a Client, scanner: Scanner) -> Self {
        let scanner = match client.token() {
            Some(token) => scanner.with("the token of GitHub", token),
            None => scanner,
        };
        // Only Apps may write check runs, and the tokens of Apps start with `ghs_`; other forms that are
        // not known are tried.
        let personal = ["ghp_", "gho_", "ghu_", "github_pat_"];
        let runs = !client.token().is_some_and(|token| personal.iter().any(|start| token.starts_with(start)));
        Self { client, scanner, abilities: Abilities { runs, ..Abilities::default() } }
    }

    /// The writes that are missing, without making them.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn plan(&self, publication: &Publication) -> Result<(Plan, Known), PublishError> {
        let remote = self.look(publication)?;
        let plan = plan::plan(publication, &remote, self.abilities)?;
        let known = plan::known(publication, &remote)?;
        Ok((plan, known))
    }

    /// The texts of a plan, for a dry run.
    pub fn text_of(&self, publication: &Publication, known: &Known, step: &Step) -> String {
        let mut known = Known { dry: true, ..known.clone() };
        if known.head.is_none() {
            known.head = publication.report.verdict.as_ref().map(|verdict| verdict.head.to_string());
        }
        match self.request(publication, &known, step) {
            Some((_, _, body)) => show(&body),
            None => String::new(),
        }
    }

    /// Publishes.
    ///
    /// # Errors
    /// [`PublishError`] where nothing was written. Later failures are told in [`Published`].
    pub fn publish(&mut self, publication: &Publication) -> Result<Published, PublishError> {
        let mut out = Published::default();
        // Steps that failed for good are not tried again.
        let mut given_up: BTreeSet<String> = BTreeSet::new();
        for round in 0..ROUNDS {
            let looked = self.look(publication).map_err(PublishError::from).and_then(|remote| {
                let plan = plan::plan(publication, &remote, self.abilities)?;
                Ok((plan, plan::known(publication, &remote)?))
            });
            let (plan, mut known) = match looked {
                Ok(found) => found,
                Err(error) if round == 0 => return Err(error),
                Err(error) => {
                    out.failed.push(("look at what was written".to_owned(), error.to_string()));
                    break;
                }
            };
            out.notes = plan.notes;
            (out.pull, out.head) = (known.pull, known.head.clone());
            let steps: Vec<Step> =
                plan.steps.into_iter().filter(|step| !given_up.contains(&step.to_string())).collect();
            if steps.is_empty() {
                out.confirmed = given_up.is_empty();
                break;
            }
            self.carry_out(publication, &steps, &mut known, &mut out, &mut given_up);
            if out.pull.is_none() {
                out.pull = known.pull;
            }
        }
        out.count = self.client.count();
        Ok(out)
    }

    fn carry_out(
        &mut self,
        publication: &Publication,
        steps: &[Step],
        known: &mut Known,
        out: &mut Published,
        given_up: &mut BTreeSet<String>,
    ) {
        for step in steps {
            if given_up.contains(&step.to_string()) {
                continue;
            }
            match self.step(publication, known, step) {
                Ok(()) => out.done.push(step.to_string()),
                Err(Trouble::Look(why)) => {
                    tracing::warn!("{step}: {why}; looking again");
                    self.client.pause();
                    return;
                }
                Err(Trouble::Otherwise(why)) => {
                    out.notes.push(format!("{step}: {why}"));
                    tracing::warn!("{step}: {why}");
                    return;
                }
                Err(Trouble::Failed(why)) => {
                    given_up.insert(step.to_string());
                    out.failed.push((step.to_string(), why));
                    // What a later step needs of this one is missing; the others go on.
                    if matches!(step, Step::Branch { .. } | Step::Commit { .. } | Step::Open { .. }) {
                        for later in steps.iter().filter(|later| needs_change(later)) {
                            given_up.insert(later.to_string());
                        }
                    }
                }
            }
        }
    }

    fn look(&self, publication: &Publication) -> Result<Remote, ClientError> {
        let (branch, other) = publication.branches();
        let look = Look {
            repository: &publication.repository,
            subject: publication.subject,
            branch: &branch,
            other: &other,
            case: &publication.case(),
        };
        let mut remote = remote::read(self.client, &look)?;
        if let Ok(known) = plan::known(publication, &remote)
            && let Some(head) = &known.head
        {
            remote.check =
                remote::read_check(self.client, &publication.repository, head, self.abilities.runs)?;
        }
        Ok(remote)
    }

    fn step(&mut self, publication: &Publication, known: &mut Known, step: &Step) -> Result<(), Trouble> {
        if given_up_for_lack(step, known) {
            return Err(Trouble::Failed("what it needs is missing".to_owned()));
        }
        if let Step::Commit { branch, part, upon } = step {
            let upon = upon.clone().or_else(|| known.head.clone());
            let upon = upon.ok_or_else(|| Trouble::Failed("the commit before it is missing".to_owned()))?;
            let head = self.commit(publication, branch, &publication.parts[*part], &upon)?;
            known.head = Some(head);
            return Ok(());
        }
        let Some((method, route, body)) = self.request(publication, known, step) else {
            return Err(Trouble::Failed("what it needs is missing".to_owned()));
        };
        self.guard(&body)?;
        match self.client.write(&method, &route, &body) {
            Ok(answer) => {
                match step {
                    Step::Open { .. } => known.pull = answer["number"].as_u64(),
                    Step::Run { .. } => known.run = answer["id"].as_u64(),
                    _ => {}
                }
                Ok(())
            }
            Err(error) => Err(self.trouble(step, error)),
        }
    }

    /// What a refusal means for the plan.
    fn trouble(&mut self, step: &Step, error: ClientError) -> Trouble {
        if matches!(error, ClientError::Unknown { .. }) {
            return Trouble::Look(error.to_string());
        }
        let (status, said) = (error.status(), error.said());
        match (step, status) {
            // Somebody was faster.
            (Step::Branch { .. }, Some(422)) if said.contains("already exists") => {
                Trouble::Look(error.to_string())
            }
            (Step::Open { .. }, Some(422)) if said.contains("already exists") => {
                Trouble::Look(error.to_string())
            }
            (Step::Unlabel { .. }, Some(404)) => Trouble::Look(error.to_string()),
            (Step::Edit { .. }, Some(404)) => Trouble::Look(error.to_string()),
            (Step::Open { .. }, Some(422)) if self.abilities.drafts && said.contains("draft") => {
                self.abilities.drafts = false;
                Trouble::Otherwise("drafts are not to be had here; the title says so instead".to_owned())
            }
            (Step::Open { .. }, Some(403)) if self.abilities.pulls => {
                self.abilities.pulls = false;
                Trouble::Otherwise(format!("{error}; the analysis links to the branch instead"))
            }
            (Step::Review { .. }, Some(422)) if self.abilities.anchors => {
                self.abilities.anchors = false;
                Trouble::Otherwise(format!("{error}; the remarks go into the review's text"))
            }
            (Step::Run { .. } | Step::RunMore { .. }, Some(403 | 404)) if self.abilities.runs => {
                self.abilities.runs = false;
                Trouble::Otherwise(
                    "this token may not write check runs; a commit status says the same".to_owned(),
                )
            }
            _ => Trouble::Failed(error.to_string()),
        }
    }

    /// No secret leaves in a text or a file.
    fn guard(&self, body: &Value) -> Result<(), Trouble> {
        match strings(body).into_iter().find_map(|text| self.scanner.find(text)) {
            Some(what) => Err(Trouble::Failed(format!("it holds {what}, so it was not sent"))),
            None => Ok(()),
        }
    }

    /// Makes a commit upon `upon`, if the branch still stands there, and checks its tree.
    fn commit(
        &self,
        publication: &Publication,
        branch: &str,
        part: &Part,
        upon: &str,
    ) -> Result<String, Trouble> {
        for text in part.files.iter().filter_map(|file| file.text.as_deref()) {
            if let Some(what) = self.scanner.find(text) {
                return Err(Trouble::Failed(format!("a file of it holds {what}, so it was not sent")));
            }
        }
        let (oid, tree) = if part.files.iter().any(|file| file.mode == FileMode::Executable) {
            // The other way cannot keep a program a program.
            self.commit_by_objects(publication, branch, part, upon)?
        } else {
            let input = commit_input(publication, branch, part, upon);
            let made: Made = self
                .client
                .mutate(queries::COMMIT, json!({ "input": input["input"] }))
                .map_err(|error| match error {
                    ClientError::Unknown { .. } => Trouble::Look(error.to_string()),
                    // The branch moved on.
                    _ if error.status() == Some(409) || error.said().contains("expected branch to point") => {
                        Trouble::Look(error.to_string())
                    }
                    _ => Trouble::Failed(error.to_string()),
                })?;
            let commit = made.create_commit_on_branch.commit;
            (commit.oid, commit.tree.oid)
        };
        if tree != part.tree.to_string() {
            return Err(Trouble::Failed(format!(
                "the commit {oid} has the tree {tree}, and not the proven {}; do not merge it",
                part.tree
            )));
        }
        Ok(oid)
    }

    fn commit_by_objects(
        &self,
        publication: &Publication,
        branch: &str,
        part: &Part,
        upon: &str,
    ) -> Result<(String, String), Trouble> {
        let failed = |error: ClientError| match error {
            ClientError::Unknown { .. } => Trouble::Look(error.to_string()),
            _ => Trouble::Failed(error.to_string()),
        };
        let route = |rest: &str| format!("/repos/{}/git/{rest}", publication.repository);
        let text = |value: &Value| value["sha"].as_str().unwrap_or_default().to_owned();
        let parent: Value = self.client.get(&route(&format!("commits/{upon}"))).map_err(failed)?;
        let entries: Vec<Value> = part
            .files
            .iter()
            .map(|file| {
                let mode = if file.mode == FileMode::Executable { "100755" } else { "100644" };
                match &file.text {
                    Some(text) => json!({ "path": file.path, "mode": mode, "type": "blob", "content": text }),
                    None => json!({ "path": file.path, "mode": mode, "type": "blob", "sha": null }),
                }
            })
            .collect();
        let body = json!({ "base_tree": parent["tree"]["sha"], "tree": entries });
        let tree = text(&self.client.write(&Method::POST, &route("trees"), &body).map_err(failed)?);
        let (headline, more) = plan::message(publication, part);
        let body = json!({ "message": format!("{headline}\n\n{more}"), "tree": tree, "parents": [upon] });
        let commit = text(&self.client.write(&Method::POST, &route("commits"), &body).map_err(failed)?);
        // Not forced: it fails when the branch moved on.
        let body = json!({ "sha": commit, "force": false });
        self.client.write(&Method::PATCH, &route(&format!("refs/heads/{branch}")), &body).map_err(failed)?;
        Ok((commit, tree))
    }

    /// Tells a person once why nothing was done.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn explain(
        &self,
        repository: &str,
        subject: Subject,
        person: &str,
        reason: &str,
    ) -> Result<bool, ClientError> {
        let case = match subject {
            Subject::Issue(number) => format!("issue-{number}"),
            Subject::Pull(number) => format!("pull-{number}"),
        };
        let standing = texts::Standing { case: case.clone(), ..texts::Standing::default() };
        let text = texts::refusal(person, reason, &standing);
        let wanted = crate::report::markdown::Marker::find(&text);
        let look =
            Look { repository, subject, branch: "failfirst/none", other: "failfirst/none", case: &case };
        for _ in 0..3 {
            let remote = remote::read(self.client, &look)?;
            let thread = remote.issue.or(remote.pull.map(|pull| pull.thread)).unwrap_or_default();
            if thread.comments.iter().any(|own| Some(&own.marker) == wanted.as_ref()) {
                return Ok(false);
            }
            let route = format!("/repos/{repository}/issues/{}/comments", subject.number());
            match self.client.write(&Method::POST, &route, &json!({ "body": text })) {
                Ok(_) => return Ok(true),
                Err(ClientError::Unknown { .. }) => self.client.pause(),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    create_commit_on_branch: MadeCommit,
}

#[derive(Deserialize)]
struct MadeCommit {
    commit: CommitParts,
}

#[derive(Deserialize)]
struct CommitParts {
    oid: String,
    tree: TreeParts,
}

#[derive(Deserialize)]
struct TreeParts {
    oid: String,
}

fn needs_change(step: &Step) -> bool {
    !matches!(
        step,
        Step::Comment { place: Place::Issue(_), .. }
            | Step::Edit { place: Place::Issue(_), .. }
            | Step::Label { place: Place::Issue(_), .. }
            | Step::Unlabel { place: Place::Issue(_), .. }
    )
}

/// True for a step on a pull request or a head that is not there.
fn given_up_for_lack(step: &Step, known: &Known) -> bool {
    match step {
        Step::Open { .. } | Step::Run { .. } | Step::Status => known.head.is_none(),
        Step::Review { pull, .. } => known.head.is_none() || pull.or(known.pull).is_none(),
        Step::Comment { place: Place::Pull(pull), .. } | Step::Label { place: Place::Pull(pull), .. } => {
            pull.or(known.pull).is_none()
        }
        _ => false,
    }
}

fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}
