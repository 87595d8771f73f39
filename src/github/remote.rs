//! What there is on GitHub about a case, read in as few requests as possible.

use serde::Deserialize;
use serde_json::json;

use super::authorise::Subject;
use super::client::{Client, ClientError};
use super::queries;
use crate::report::markdown::Marker;

/// No thread is followed further back, in pages of 100.
const MAX_PAGES: usize = 50;
/// The name of our check run and commit status.
pub const CHECK: &str = "failfirst";

/// What there is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Remote {
    /// Who asks.
    pub viewer: String,
    /// The default branch.
    pub default_branch: String,
    /// The issue; absent where the subject is a pull request, or there is none.
    pub issue: Option<Thread>,
    /// The pull request that is judged, or that was opened for the case.
    pub pull: Option<Pull>,
    /// The branch of the case.
    pub branch: Tip,
    /// The branch that is used when other commits stand on the first.
    pub other: Tip,
    /// The pull requests from the first branch, newest first.
    pub pulls: Vec<Pull>,
    /// The pull requests from the other.
    pub other_pulls: Vec<Pull>,
    /// The check on the head, where it was looked for.
    pub check: Check,
}

/// A branch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Tip {
    /// It is not there.
    #[default]
    Absent,
    /// Its last commits with their trees, newest first.
    At(Vec<(String, String)>),
}

impl Tip {
    /// The last commit.
    pub fn head(&self) -> Option<&(String, String)> {
        match self {
            Self::Absent => None,
            Self::At(commits) => commits.first(),
        }
    }
}

/// An issue, or the thread of a pull request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Thread {
    /// Its number.
    pub number: u64,
    /// Whether it is open.
    pub open: bool,
    /// The labels.
    pub labels: Vec<String>,
    /// Our own marked comments, oldest first. What others marked is theirs.
    pub comments: Vec<Own>,
}

/// A text that the viewer wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Own {
    /// Its number.
    pub id: u64,
    /// What it is.
    pub marker: Marker,
    /// The text.
    pub body: String,
}

/// A pull request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pull {
    /// Number, state, labels, comments.
    pub thread: Thread,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// Whether the viewer opened it.
    pub mine: bool,
    /// Whether its head lies in another repository.
    pub foreign: bool,
    /// The head commit.
    pub head: String,
    /// The branch it is to be merged into.
    pub base: String,
    /// Our own marked reviews.
    pub reviews: Vec<Own>,
}

/// The check on a commit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Check {
    /// There is none of ours.
    #[default]
    Absent,
    /// A check run.
    Run {
        /// Its number.
        id: u64,
        /// What it belongs to.
        external_id: String,
        /// Whether it has ended.
        completed: bool,
        /// How many annotations it has.
        annotations: usize,
    },
    /// A commit status.
    Status {
        /// `success`, `failure`, …
        state: String,
        /// Its text.
        description: String,
    },
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    /// `owner/repo`.
    pub repository: &'a str,
    /// The issue or pull request.
    pub subject: Subject,
    /// The branch of the case.
    pub branch: &'a str,
    /// The branch that is used when other commits stand on the first.
    pub other: &'a str,
    /// The kinds of text that are looked for in old pages, too.
    pub case: &'a str,
}

#[derive(Deserialize)]
struct State {
    viewer: Login,
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Login {
    login: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repository {
    name_with_owner: String,
    is_archived: bool,
    default_branch_ref: Option<Name>,
    issue_or_pull_request: Option<Item>,
    #[serde(rename = "ref")]
    branch: Option<Ref>,
    other_ref: Option<Ref>,
    pulls: Nodes<PullParts>,
    other_pulls: Nodes<PullParts>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Deserialize)]
#[serde(tag = "__typename")]
enum Item {
    Issue(IssueParts),
    PullRequest(Box<PullParts>),
}

#[derive(Deserialize)]
struct IssueParts {
    id: String,
    number: u64,
    state: String,
    labels: Option<Nodes<Name>>,
    comments: Comments,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullParts {
    id: String,
    number: u64,
    pull_state: String,
    title: String,
    body: String,
    viewer_did_author: bool,
    is_cross_repository: bool,
    head_ref_oid: String,
    base_ref_name: String,
    labels: Option<Nodes<Name>>,
    comments: Comments,
    reviews: Option<Nodes<Text>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comments {
    page_info: PageInfo,
    nodes: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_previous_page: bool,
    start_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    database_id: Option<u64>,
    viewer_did_author: bool,
    body: String,
}

#[derive(Deserialize)]
struct Ref {
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    history: Option<Nodes<HistoryCommit>>,
}

#[derive(Deserialize)]
struct HistoryCommit {
    oid: String,
    tree: Oid,
}

#[derive(Deserialize)]
struct Oid {
    oid: String,
}

#[derive(Deserialize)]
struct Older {
    node: Option<OlderNode>,
}

#[derive(Deserialize)]
struct OlderNode {
    comments: Comments,
}

#[derive(Deserialize)]
struct CheckRuns {
    check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
struct CheckRun {
    id: u64,
    name: String,
    external_id: Option<String>,
    status: String,
    output: CheckOutput,
}

#[derive(Deserialize)]
struct CheckOutput {
    annotations_count: usize,
}

#[derive(Deserialize)]
struct Status {
    context: Option<String>,
    state: String,
    description: Option<String>,
}

/// Reads what there is, without the check.
///
/// # Errors
/// [`ClientError`].
pub fn read(client: &Client, look: &Look<'_>) -> Result<Remote, ClientError> {
    let wrong = |what: &str| ClientError::Answer { route: "/graphql".to_owned(), what: what.to_owned() };
    let (owner, repo) = look.repository.split_once('/').unwrap_or((look.repository, ""));
    let variables = json!({
        "owner": owner, "repo": repo, "number": look.subject.number(), "branch": look.branch, "other": look.other,
        "ref": format!("refs/heads/{}", look.branch), "otherRef": format!("refs/heads/{}", look.other),
    });
    let state: State = client.query(queries::STATE, variables)?;
    let found = state.repository.ok_or_else(|| wrong("there is no such repository, or it is not visible"))?;
    if found.is_archived {
        return Err(wrong("the repository is archived and cannot be written to"));
    }
    if !found.name_with_owner.eq_ignore_ascii_case(look.repository) {
        return Err(wrong(&format!("the repository is now called {}", found.name_with_owner)));
    }
    let mut remote = Remote {
        viewer: state.viewer.login,
        default_branch: found.default_branch_ref.map(|name| name.name).unwrap_or_default(),
        branch: tip(found.branch),
        other: tip(found.other_ref),
        ..Remote::default()
    };
    match (look.subject, found.issue_or_pull_request) {
        (Subject::Issue(_), Some(Item::Issue(issue))) => {
            let comments = all_comments(client, &issue.id, issue.comments, look.case)?;
            remote.issue = Some(Thread {
                number: issue.number,
                open: issue.state == "OPEN",
                labels: names(issue.labels),
                comments,
            });
        }
        (Subject::Pull(_), Some(Item::PullRequest(parts))) => {
            remote.pull = Some(pull(client, *parts, look.case)?);
        }
        _ => {}
    }
    for parts in found.pulls.nodes {
        remote.pulls.push(pull(client, parts, look.case)?);
    }
    for parts in found.other_pulls.nodes {
        remote.other_pulls.push(pull(client, parts, look.case)?);
    }
    Ok(remote)
}

/// Reads our check on a commit; `runs` says whether check runs may be written with this token.
///
/// # Errors
/// [`ClientError`].
pub fn read_check(client: &Client, repository: &str, head: &str, runs: bool) -> Result<Check, ClientError> {
    if runs {
        let route = format!("/repos/{repository}/commits/{head}/check-runs?check_name={CHECK}&per_page=100");
        let found: Option<CheckRuns> = client.find(&route)?;
        let ours = found.into_iter().flat_map(|found| found.check_runs).filter(|run| run.name == CHECK);
        // Names are anybody's; only runs with our form of external id are ours.
        let ours =
            ours.filter(|run| run.external_id.as_deref().is_some_and(|id| id.starts_with("failfirst:")));
        return Ok(ours.max_by_key(|run| run.id).map_or(Check::Absent, |run| Check::Run {
            id: run.id,
            external_id: run.external_id.unwrap_or_default(),
            completed: run.status == "completed",
            annotations: run.output.annotations_count,
        }));
    }
    let (statuses, _): (Vec<Status>, _) =
        client.list(&format!("/repos/{repository}/commits/{head}/statuses"), 1000)?;
    let ours = statuses.into_iter().find(|status| status.context.as_deref() == Some(CHECK));
    Ok(ours.map_or(Check::Absent, |status| Check::Status {
        state: status.state,
        description: status.description.unwrap_or_default(),
    }))
}

fn tip(found: Option<Ref>) -> Tip {
    match found {
        None => Tip::Absent,
        Some(found) => Tip::At(
            found
                .target
                .and_then(|target| target.history)
                .map(|history| history.nodes.into_iter().map(|one| (one.oid, one.tree.oid)).collect())
                .unwrap_or_default(),
        ),
    }
}

fn names(labels: Option<Nodes<Name>>) -> Vec<String> {
    labels.into_iter().flat_map(|labels| labels.nodes).map(|label| label.name).collect()
}

fn pull(client: &Client, parts: PullParts, case: &str) -> Result<Pull, ClientError> {
    let comments = all_comments(client, &parts.id, parts.comments, case)?;
    Ok(Pull {
        thread: Thread {
            number: parts.number,
            open: parts.pull_state == "OPEN",
            labels: names(parts.labels),
            comments,
        },
        title: parts.title,
        body: parts.body,
        mine: parts.viewer_did_author,
        foreign: parts.is_cross_repository,
        head: parts.head_ref_oid,
        base: parts.base_ref_name,
        reviews: parts.reviews.into_iter().flat_map(|reviews| reviews.nodes).filter_map(own).collect(),
    })
}

fn own(text: Text) -> Option<Own> {
    // A marker that a stranger pasted is the stranger's text.
    if !text.viewer_did_author {
        return None;
    }
    Some(Own { id: text.database_id?, marker: Marker::find(&text.body)?, body: text.body })
}

/// Our comments, further back as long as none of the case was found.
fn all_comments(client: &Client, id: &str, first: Comments, case: &str) -> Result<Vec<Own>, ClientError> {
    let mut page = first;
    let mut all: Vec<Own> = Vec::new();
    for _ in 0..MAX_PAGES {
        let mut older: Vec<Own> = page.nodes.into_iter().filter_map(own).collect();
        older.append(&mut all);
        all = older;
        let found = all.iter().any(|own| own.marker.case == case);
        let Some(before) = page.page_info.start_cursor.filter(|_| page.page_info.has_previous_page && !found)
        else {
            break;
        };
        let answer: Older = client.query(queries::COMMENTS, json!({ "id": id, "before": before }))?;
        match answer.node {
            Some(node) => page = node.comments,
            None => break,
        }
    }
    Ok(all)
}
