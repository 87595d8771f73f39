//! From what should be on GitHub and what is there to the writes that are missing. Pure.
//!
//! The plan is what `--dry-run` prints. Publishing is: look, plan, write, look again, until nothing is
//! left to plan. So a publisher that was killed, or a write whose answer got lost, needs no special
//! care: the next look finds what is there.

use super::authorise::Subject;
use super::bundle::{Part, PartKind};
use super::diff::{Diff, Side};
use super::remote::{Check, Own, Pull, Remote, Thread, Tip};
use super::step::short;
pub use super::step::{Kind, Place, Step};
use crate::git::Oid;
use crate::record::{Digest, Outcome};
use crate::report::github::{self as texts, Inline, Standing};
use crate::report::markdown::Marker;
use crate::report::{Report, Repository};

/// The most annotations of one request.
pub const ANNOTATIONS: usize = 50;
/// What the names of failfirst's labels start with.
const LABEL_PREFIX: &str = "failfirst:";

/// What should be on GitHub.
#[derive(Clone, PartialEq, Debug)]
pub struct Publication {
    /// `owner/repo`.
    pub repository: String,
    /// The issue or the pull request.
    pub subject: Subject,
    /// The commit that everything is based on.
    pub base: Oid,
    /// The commits to be; none where a pull request was judged, or there is no fix.
    pub parts: Vec<Part>,
    /// The judged head of a pull request.
    pub head: Option<String>,
    /// What is told.
    pub report: Report,
    /// The change, to which comments are anchored.
    pub diff: Diff,
    /// A label that must still be on the issue; without it the order was withdrawn.
    pub trigger: Option<String>,
    /// The address of the run with its artifacts.
    pub run: Option<String>,
    /// The server's web address.
    pub web: String,
}

/// What GitHub lets this token do, as far as it turned out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abilities {
    /// May open pull requests.
    pub pulls: bool,
    /// May open drafts.
    pub drafts: bool,
    /// May write check runs; else a commit status says the same.
    pub runs: bool,
    /// May anchor comments to lines.
    pub anchors: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self { pulls: true, drafts: true, runs: true, anchors: true }
    }
}

/// Why nothing may be written any more.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Stale {
    /// The issue is closed or gone.
    #[error("issue #{0} is closed or gone")]
    Closed(u64),
    /// The order was withdrawn.
    #[error("the label `{label}` is no longer on issue #{number}: the order was withdrawn")]
    Withdrawn {
        /// The issue.
        number: u64,
        /// The label.
        label: String,
    },
    /// The pull request is closed or gone.
    #[error("pull request #{0} is closed or gone")]
    PullClosed(u64),
    /// Something was pushed after the verdict.
    #[error("{place} moved on to {now} after the verdict on {judged}; judge it again")]
    Moved {
        /// What moved.
        place: String,
        /// Its head now.
        now: String,
        /// The judged commit or tree.
        judged: String,
    },
    /// Both branches of the case hold something else.
    #[error("the branches {0} and {1} hold other commits; delete one of them")]
    Occupied(String, String),
}

/// The writes that are missing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// The facts that texts depend on, which become known bit by bit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// The branch that is used.
    pub branch: String,
    /// The head commit on GitHub.
    pub head: Option<String>,
    /// The pull request.
    pub pull: Option<u64>,
    /// The default branch.
    pub default_branch: String,
    /// The check run that was just made.
    pub run: Option<u64>,
    /// Whether texts are only shown: what is not known yet gets a place holder.
    pub dry: bool,
}

impl Publication {
    /// What the texts belong to.
    pub fn case(&self) -> String {
        match self.subject {
            Subject::Issue(number) => format!("issue-{number}"),
            Subject::Pull(number) => format!("pull-{number}"),
        }
    }

    /// The branch of the case, and the one that is used when other commits stand on it: its name
    /// depends on the fix alone, so a second run finds it again.
    pub fn branches(&self) -> (String, String) {
        let name = format!("{}{}", super::BRANCH_PREFIX, self.case());
        let tree = self.parts.last().map(|part| part.tree.to_string()).unwrap_or_default();
        let other = format!("{name}-{}", tree.get(..8).unwrap_or("none"));
        (name, other)
    }

    /// The report with the head that is on GitHub: its tree is the one that was judged, which
    /// publishing checks.
    pub fn report(&self, known: &Known) -> Report {
        let mut report = self.report.clone();
        if let (Some(verdict), Some(head)) = (&mut report.verdict, &known.head)
            && let Ok(head) = Oid::try_from(head.clone())
        {
            verdict.head = head;
        }
        report
    }

    /// Where the texts stand.
    pub fn standing(&self, known: &Known, abilities: Abilities) -> Standing {
        let mut standing =
            Standing { case: self.case(), pull: known.pull, run: self.run.clone(), ..Standing::default() };
        if let Subject::Issue(number) = self.subject {
            standing.issue = Some(number);
            standing.closes = true;
            standing.ours = true;
            if !self.parts.is_empty() && !abilities.pulls && known.pull.is_none() {
                standing.compare = Repository::new(&self.web, &self.repository).map(|repository| {
                    format!(
                        "{}/compare/{}...{}?expand=1",
                        repository.url(),
                        known.default_branch,
                        known.branch
                    )
                });
            }
        }
        standing
    }

    /// The remarks that may be anchored, and those that may not.
    pub fn inline(&self, abilities: Abilities) -> (Vec<Inline>, Vec<Inline>) {
        let (mut anchored, mut floating): (Vec<_>, Vec<_>) =
            texts::inline(&self.report).into_iter().partition(|remark| {
                abilities.anchors && self.diff.holds(&remark.path, Side::Right, None, remark.line)
            });
        if anchored.len() > texts::MAX_INLINE {
            floating.extend(anchored.split_off(texts::MAX_INLINE));
        }
        (anchored, floating)
    }

    /// What our check run on a head is recognised by.
    pub fn external_id(&self, known: &Known, abilities: Abilities) -> String {
        let check = texts::check(&self.report(known), &self.standing(known, abilities));
        let digest = Digest::of(format!("{}\n{}", check.summary, check.text).as_bytes());
        format!("failfirst:v1:{}:{}", self.case(), &digest.as_str()[..16])
    }

    /// The label that says how it ended.
    fn label(&self) -> String {
        let outcome = self.report.case.as_ref().map(|case| case.outcome);
        match (outcome, &self.report.verdict) {
            (None | Some(Outcome::Fixed), Some(verdict)) => format!("{LABEL_PREFIX}{}", verdict.verdict),
            (Some(outcome), _) => format!("{LABEL_PREFIX}{outcome}"),
            (None, None) => format!("{LABEL_PREFIX}{}", Outcome::Aborted),
        }
    }
}

/// What is known from a look at GitHub.
pub fn known(publication: &Publication, remote: &Remote) -> Result<Known, Stale> {
    let mut known = Known { default_branch: remote.default_branch.clone(), ..Known::default() };
    match publication.subject {
        Subject::Pull(number) => {
            let pull = remote.pull.as_ref().ok_or(Stale::PullClosed(number))?;
            known.pull = Some(number);
            known.head = Some(pull.head.clone());
        }
        Subject::Issue(_) if publication.parts.is_empty() => {}
        Subject::Issue(_) => {
            let (first, other) = publication.branches();
            let (name, tip) = choose(publication, remote, &first, &other)?;
            let wanted = publication.parts.last().map(|part| part.tree.to_string());
            known.head =
                tip.head().filter(|(_, tree)| Some(tree) == wanted.as_ref()).map(|(oid, _)| oid.clone());
            known.pull = pulls(remote, name == first).first().map(|pull| pull.thread.number);
            known.branch = name;
        }
    }
    Ok(known)
}

/// The pull requests from the chosen branch that lie in the repository itself.
fn pulls(remote: &Remote, first: bool) -> Vec<&Pull> {
    let list = if first { &remote.pulls } else { &remote.other_pulls };
    list.iter().filter(|pull| !pull.foreign).collect()
}

/// The branch to use: the first, unless it holds something else.
fn choose<'a>(
    publication: &Publication,
    remote: &'a Remote,
    first: &str,
    other: &str,
) -> Result<(String, &'a Tip), Stale> {
    for (name, tip) in [(first, &remote.branch), (other, &remote.other)] {
        match progress(publication, tip) {
            Progress::Usable => return Ok((name.to_owned(), tip)),
            Progress::Moved(now) => {
                let judged = publication.parts.last().map(|part| part.tree.to_string()).unwrap_or_default();
                return Err(Stale::Moved {
                    place: format!("the branch {name}"),
                    now: short(&now).to_owned(),
                    judged: format!("the tree {}", short(&judged)),
                });
            }
            Progress::Other => {}
        }
    }
    Err(Stale::Occupied(first.to_owned(), other.to_owned()))
}

enum Progress {
    Usable,
    Moved(String),
    Other,
}

fn progress(publication: &Publication, tip: &Tip) -> Progress {
    let Tip::At(commits) = tip else { return Progress::Usable };
    let trees: Vec<String> = publication.parts.iter().map(|part| part.tree.to_string()).collect();
    let Some((head, tree)) = commits.first() else { return Progress::Other };
    if *head == publication.base.to_string() || trees.contains(tree) {
        return Progress::Usable;
    }
    match trees.last() {
        Some(last) if commits.iter().any(|(_, tree)| tree == last) => Progress::Moved(head.clone()),
        _ => Progress::Other,
    }
}

/// The writes that are missing.
///
/// # Errors
/// [`Stale`].
pub fn plan(publication: &Publication, remote: &Remote, abilities: Abilities) -> Result<Plan, Stale> {
    let known = known(publication, remote)?;
    let mut plan = Plan::default();
    match publication.subject {
        Subject::Issue(number) => {
            let issue = remote.issue.as_ref().filter(|issue| issue.open).ok_or(Stale::Closed(number))?;
            if let Some(label) = &publication.trigger
                && !issue.labels.iter().any(|own| own.eq_ignore_ascii_case(label))
            {
                return Err(Stale::Withdrawn { number, label: label.clone() });
            }
            if !publication.parts.is_empty() {
                fix(publication, remote, abilities, &known, &mut plan);
            }
            thread(
                publication,
                abilities,
                &known,
                Place::Issue(number),
                Kind::Analysis,
                Some(issue),
                &mut plan,
            );
        }
        Subject::Pull(number) => {
            let pull =
                remote.pull.as_ref().filter(|pull| pull.thread.open).ok_or(Stale::PullClosed(number))?;
            if let Some(judged) = &publication.head
                && *judged != pull.head
            {
                return Err(Stale::Moved {
                    place: format!("pull request #{number}"),
                    now: short(&pull.head).to_owned(),
                    judged: short(judged).to_owned(),
                });
            }
            on_pull(publication, remote, abilities, &known, Some(pull), &mut plan);
        }
    }
    Ok(plan)
}

fn fix(publication: &Publication, remote: &Remote, abilities: Abilities, known: &Known, plan: &mut Plan) {
    let (first, _) = publication.branches();
    let is_first = known.branch == first;
    let tip = if is_first { &remote.branch } else { &remote.other };
    if !is_first {
        plan.notes.push(format!("the branch {first} holds other commits; {} is used", known.branch));
    }
    let branch = || known.branch.clone();
    let done = match tip.head() {
        None => {
            plan.steps.push(Step::Branch { name: branch(), at: publication.base.to_string() });
            0
        }
        Some((_, tree)) => publication
            .parts
            .iter()
            .position(|part| part.tree.to_string() == *tree)
            .map_or(0, |position| position + 1),
    };
    for part in done..publication.parts.len() {
        let upon = if part == done {
            Some(tip.head().map_or_else(|| publication.base.to_string(), |(oid, _)| oid.clone()))
        } else {
            None
        };
        plan.steps.push(Step::Commit { branch: branch(), part, upon });
    }
    let found = pulls(remote, is_first).into_iter().next();
    match found {
        Some(pull) if !pull.thread.open => {
            plan.notes.push(format!("pull request #{} was closed; it is left alone", pull.thread.number));
        }
        Some(pull) => on_pull(publication, remote, abilities, known, Some(pull), plan),
        None if abilities.pulls => {
            let base = known.default_branch.clone();
            plan.steps.push(Step::Open { branch: branch(), base, draft: abilities.drafts });
            on_pull(publication, remote, abilities, known, None, plan);
        }
        None => {
            plan.notes
                .push("pull requests may not be opened here; the analysis links to the branch".to_owned());
            check(publication, remote, abilities, known, plan);
        }
    }
}

fn on_pull(
    publication: &Publication,
    remote: &Remote,
    abilities: Abilities,
    known: &Known,
    pull: Option<&Pull>,
    plan: &mut Plan,
) {
    let report = publication.report(known);
    let standing = publication.standing(known, abilities);
    let reviewed = match (pull, &known.head) {
        (Some(pull), Some(head)) => {
            let wanted = texts::review_marker(&standing, head, &report);
            pull.reviews.iter().any(|own| same(&own.marker, &wanted))
        }
        _ => false,
    };
    if !reviewed {
        let anchors = !publication.inline(abilities).0.is_empty();
        plan.steps.push(Step::Review { pull: known.pull, anchors });
    }
    check(publication, remote, abilities, known, plan);
    let place = Place::Pull(known.pull);
    thread(publication, abilities, known, place, Kind::Summary, pull.map(|pull| &pull.thread), plan);
}

fn check(publication: &Publication, remote: &Remote, abilities: Abilities, known: &Known, plan: &mut Plan) {
    let total = texts::annotations(&publication.report).len();
    if !abilities.runs {
        let wanted = texts::check(&publication.report(known), &publication.standing(known, abilities));
        let is_there = match &remote.check {
            Check::Status { state, description } => {
                state == wanted.state && *description == status_description(&wanted.title)
            }
            _ => false,
        };
        if !is_there {
            plan.steps.push(Step::Status);
        }
        return;
    }
    let id = publication.external_id(known, abilities);
    let (run, from) = match &remote.check {
        Check::Run { id: run, external_id, completed, annotations } if *external_id == id => {
            if *completed {
                return;
            }
            (Some(*run), (*annotations).min(total))
        }
        _ => {
            let first = total.min(ANNOTATIONS);
            plan.steps.push(Step::Run { annotations: first });
            if first == total {
                return;
            }
            (None, first)
        }
    };
    let mut from = from;
    loop {
        let to = total.min(from + ANNOTATIONS);
        plan.steps.push(Step::RunMore { id: run, from, to });
        if to == total {
            return;
        }
        from = to;
    }
}

/// The description of a commit status.
pub fn status_description(title: &str) -> String {
    crate::report::visible::cut(title, 140)
}

/// A comment and a label on a thread.
fn thread(
    publication: &Publication,
    abilities: Abilities,
    known: &Known,
    place: Place,
    kind: Kind,
    thread: Option<&Thread>,
    plan: &mut Plan,
) {
    let (marker, body) = comment(publication, known, abilities, kind);
    let own: Option<&Own> =
        thread.and_then(|thread| thread.comments.iter().rev().find(|own| same(&own.marker, &marker)));
    match own {
        None => plan.steps.push(Step::Comment { place, kind }),
        Some(own) if !same_text(&own.body, &body) => plan.steps.push(Step::Edit { id: own.id, place, kind }),
        Some(_) => {}
    }
    let name = publication.label();
    let labels = thread.map(|thread| thread.labels.as_slice()).unwrap_or_default();
    if !labels.iter().any(|label| label.eq_ignore_ascii_case(&name)) {
        plan.steps.push(Step::Label { place, name: name.clone() });
    }
    for old in
        labels.iter().filter(|label| label.starts_with(LABEL_PREFIX) && !label.eq_ignore_ascii_case(&name))
    {
        plan.steps.push(Step::Unlabel { place, name: old.clone() });
    }
}

/// A comment's marker and text.
pub fn comment(
    publication: &Publication,
    known: &Known,
    abilities: Abilities,
    kind: Kind,
) -> (Marker, String) {
    let report = publication.report(known);
    let standing = publication.standing(known, abilities);
    match kind {
        Kind::Analysis => (texts::analysis_marker(&standing), texts::analysis(&report, &standing)),
        Kind::Summary => (texts::summary_marker(&standing), texts::summary(&report, &standing)),
    }
}

/// Markers are compared as they are written.
fn same(one: &Marker, two: &Marker) -> bool {
    one.to_string() == two.to_string()
}

fn same_text(one: &str, two: &str) -> bool {
    one.replace("\r\n", "\n").trim() == two.trim()
}

/// The message of a commit: a headline and a body.
pub fn message(publication: &Publication, part: &Part) -> (String, String) {
    let number = publication.subject.number();
    match part.kind {
        PartKind::Test => (
            format!("Add a test that shows the bug of issue {number}"),
            "The test fails on this commit. It was sealed before the fix was written.".to_owned(),
        ),
        PartKind::Fix => (
            format!("Fix the bug of issue {number}"),
            "The test of the commit before passes with this change, and not without it.".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests;
