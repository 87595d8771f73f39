//! Who may make failfirst work, and on what.
//!
//! Two pure steps with one question to GitHub between them: [`intent`] reads what an event asks for,
//! [`decide`] compares the permission of the *sender* with what that needs. Neither
//! `author_association` nor a name decides anything.

use std::fmt;

use super::command::{self, NoCommand, Verb};
use super::event::{Account, Event};

/// What a repository allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// The label that starts a case.
    pub label: String,
    /// The least permission of a sender.
    pub permission: Permission,
}

/// A permission on a repository, least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Permission {
    /// None, also for strangers on public repositories.
    #[default]
    None,
    /// May read.
    Read,
    /// May triage issues.
    Triage,
    /// May push.
    Write,
    /// May maintain.
    Maintain,
    /// May do everything.
    Admin,
}

impl Permission {
    /// From the answer of the collaborators' API: `permission` knows four words, `role_name` is finer but
    /// may be a custom role.
    pub fn of_answer(permission: &str, role: &str) -> Self {
        let of = |word: &str| match word {
            "admin" => Some(Self::Admin),
            "maintain" => Some(Self::Maintain),
            "write" | "push" => Some(Self::Write),
            "triage" => Some(Self::Triage),
            "read" | "pull" => Some(Self::Read),
            _ => None,
        };
        of(role).or_else(|| of(permission)).unwrap_or_default()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        })
    }
}

/// What failfirst is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Find the cause and write a failing test.
    Analyse,
    /// The whole way to a proven fix.
    Fix,
    /// Judge a pull request.
    Verify,
    /// End what is under way on the same subject.
    Stop,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Analyse => "analyse",
            Self::Fix => "fix",
            Self::Verify => "verify",
            Self::Stop => "stop",
        })
    }
}

/// On what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// An issue.
    Issue(u64),
    /// A pull request.
    Pull(u64),
}

impl Subject {
    /// Its number.
    pub fn number(self) -> u64 {
        match self {
            Self::Issue(number) | Self::Pull(number) => number,
        }
    }
}

/// What an event asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    /// What to do.
    pub mode: Mode,
    /// On what.
    pub subject: Subject,
    /// Who asks; `None` where only those who may push can ask (a dispatch, a schedule), and where
    /// nothing is spent or published on a stranger's word (a pull request's own event).
    pub sender: Option<String>,
    /// The commit that an approval is bound to: whole, from the event, or the start of its name, from a
    /// comment.
    pub commit: Option<String>,
    /// When it was asked for; what was written later is no part of it.
    pub at: Option<jiff::Timestamp>,
    /// Whether it changes nothing on GitHub.
    pub dry: bool,
}

/// Why nothing is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The event is none that failfirst acts upon.
    NotForUs,
    /// A bot did it.
    Bot,
    /// An edit: what a maintainer read may be gone.
    Edited,
    /// The issue or pull request is closed.
    Closed,
    /// The command is unknown.
    UnknownCommand,
    /// The comment holds commands that differ.
    SeveralCommands,
    /// The command does not fit: `verify` on an issue, the others on a pull request.
    WrongSubject,
    /// The sender lacks the permission.
    Permission,
    /// The pull request comes from elsewhere, and the approval names no commit.
    NeedsCommit,
    /// The approval names another commit than the head.
    OtherCommit,
    /// The inputs of a dispatch cannot be used.
    Inputs,
}

impl Reason {
    /// Its name in outputs of the action.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotForUs => "not-for-us",
            Self::Bot => "bot",
            Self::Edited => "edited",
            Self::Closed => "closed",
            Self::UnknownCommand => "unknown-command",
            Self::SeveralCommands => "several-commands",
            Self::WrongSubject => "wrong-subject",
            Self::Permission => "permission",
            Self::NeedsCommit => "needs-commit",
            Self::OtherCommit => "other-commit",
            Self::Inputs => "inputs",
        }
    }

    /// The reason of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::EXPLAINED.into_iter().find(|reason| reason.name() == name)
    }

    /// The reasons that a person is told, once.
    pub const EXPLAINED: [Self; 6] = [
        Self::UnknownCommand,
        Self::SeveralCommands,
        Self::WrongSubject,
        Self::Permission,
        Self::NeedsCommit,
        Self::OtherCommit,
    ];
}

/// A refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// Who is told, where somebody should be.
    pub person: Option<String>,
    /// Where.
    pub subject: Option<Subject>,
}

impl Refused {
    fn silent(reason: Reason) -> Self {
        Self { reason, person: None, subject: None }
    }
}

/// What an event asks for.
///
/// # Errors
/// [`Refused`].
pub fn intent(event: &Event, rules: &Rules) -> Result<Intent, Refused> {
    let payload = &event.payload;
    let action = payload.action.as_deref().unwrap_or_default();
    match event.name.as_str() {
        "issues" => {
            let asked = action == "labeled"
                && payload.label.as_ref().is_some_and(|label| label.name.eq_ignore_ascii_case(&rules.label));
            if !asked {
                return Err(Refused::silent(Reason::NotForUs));
            }
            let issue = payload.issue.as_ref().ok_or(Refused::silent(Reason::NotForUs))?;
            let sender = person(payload.sender.as_ref())?;
            open(issue.state.as_deref())?;
            if issue.pull_request.is_some() {
                return Err(Refused::silent(Reason::NotForUs));
            }
            Ok(Intent {
                mode: Mode::Fix,
                subject: Subject::Issue(issue.number),
                sender: Some(sender),
                commit: None,
                at: None,
                dry: false,
            })
        }
        "issue_comment" => of_comment(event),
        "pull_request" => {
            if !matches!(action, "opened" | "synchronize" | "reopened" | "ready_for_review") {
                return Err(Refused::silent(Reason::NotForUs));
            }
            let pull = payload.pull_request.as_ref().ok_or(Refused::silent(Reason::NotForUs))?;
            // Also a bot's: a verdict needs neither model nor secret. Our own are judged already.
            if pull.head.name.starts_with(super::BRANCH_PREFIX) && from_here(event) {
                return Err(Refused::silent(Reason::Bot));
            }
            Ok(Intent {
                mode: Mode::Verify,
                subject: Subject::Pull(pull.number),
                sender: None,
                commit: Some(pull.head.sha.clone()),
                at: None,
                dry: false,
            })
        }
        "workflow_dispatch" | "schedule" => of_inputs(event),
        _ => Err(Refused::silent(Reason::NotForUs)),
    }
}

/// True for a pull request whose branch lies in the same repository.
fn from_here(event: &Event) -> bool {
    let head = event.payload.pull_request.as_ref().and_then(|pull| pull.head.repo.as_ref());
    match (head, &event.payload.repository) {
        (Some(head), Some(own)) => !own.full_name.is_empty() && head.full_name == own.full_name,
        _ => false,
    }
}

fn of_comment(event: &Event) -> Result<Intent, Refused> {
    let payload = &event.payload;
    let nothing = || Refused::silent(Reason::NotForUs);
    let comment = payload.comment.as_ref().ok_or_else(nothing)?;
    let body = comment.body.as_deref().unwrap_or_default();
    let parsed = command::parse(body);
    if parsed == Err(NoCommand::None) {
        return Err(nothing());
    }
    match payload.action.as_deref() {
        Some("created") => {}
        Some("edited") => return Err(Refused::silent(Reason::Edited)),
        _ => return Err(nothing()),
    }
    let issue = payload.issue.as_ref().ok_or_else(nothing)?;
    let sender = person(payload.sender.as_ref())?;
    let subject = match issue.pull_request {
        Some(_) => Subject::Pull(issue.number),
        None => Subject::Issue(issue.number),
    };
    let tell = |reason| Refused { reason, person: Some(sender.clone()), subject: Some(subject) };
    let command = parsed.map_err(|error| match error {
        NoCommand::Several => tell(Reason::SeveralCommands),
        NoCommand::Unknown | NoCommand::None => tell(Reason::UnknownCommand),
    })?;
    open(issue.state.as_deref())?;
    let mode = match (command.verb, subject) {
        (Verb::Stop, _) => Mode::Stop,
        (Verb::Analyse | Verb::Test, Subject::Issue(_)) => Mode::Analyse,
        (Verb::Fix | Verb::Retry, Subject::Issue(_)) => Mode::Fix,
        (Verb::Verify | Verb::Retry, Subject::Pull(_)) => Mode::Verify,
        _ => return Err(tell(Reason::WrongSubject)),
    };
    Ok(Intent {
        mode,
        subject,
        sender: Some(sender),
        commit: command.commit,
        at: comment.created_at,
        dry: false,
    })
}

fn of_inputs(event: &Event) -> Result<Intent, Refused> {
    let wrong = || Refused::silent(Reason::Inputs);
    let inputs = event.payload.inputs.as_ref().ok_or_else(wrong)?;
    let text = |name: &str| inputs[name].as_str().map(str::trim).filter(|text| !text.is_empty());
    let number = |name: &str| text(name).map(|text| text.parse::<u64>().map_err(|_| wrong())).transpose();
    let dry = matches!(text("dry-run"), Some("true")) || inputs["dry-run"].as_bool() == Some(true);
    let (mode, subject) = match (number("issue")?, number("pull")?) {
        (Some(issue), None) => {
            let mode = match text("mode") {
                None | Some("fix") => Mode::Fix,
                Some("analyse") => Mode::Analyse,
                Some(_) => return Err(wrong()),
            };
            (mode, Subject::Issue(issue))
        }
        (None, Some(pull)) => (Mode::Verify, Subject::Pull(pull)),
        _ => return Err(wrong()),
    };
    Ok(Intent { mode, subject, sender: None, commit: None, at: None, dry })
}

fn person(sender: Option<&Account>) -> Result<String, Refused> {
    let sender = sender.ok_or(Refused::silent(Reason::NotForUs))?;
    if sender.is_bot() || !is_login(&sender.login) {
        return Err(Refused::silent(Reason::Bot));
    }
    Ok(sender.login.clone())
}

fn open(state: Option<&str>) -> Result<(), Refused> {
    if state == Some("closed") { Err(Refused::silent(Reason::Closed)) } else { Ok(()) }
}

/// True for what GitHub lets a person be called. It goes into a path and a text.
pub fn is_login(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// What is known of a pull request when it is approved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PullFacts {
    /// The head commit now.
    pub head: String,
    /// Whether the head lies in another repository.
    pub foreign: bool,
}

/// Whether an intent is followed. Gives the commit that it is bound to.
///
/// # Errors
/// [`Refused`].
pub fn decide(
    intent: &Intent,
    rules: &Rules,
    permission: Permission,
    pull: Option<&PullFacts>,
) -> Result<Option<String>, Refused> {
    let tell = |reason| Refused { reason, person: intent.sender.clone(), subject: Some(intent.subject) };
    if intent.sender.is_some() && permission < rules.permission {
        return Err(tell(Reason::Permission));
    }
    let Some(pull) = pull else { return Ok(None) };
    match &intent.commit {
        // A head that moved on after the event is judged by its own event, or asked for again.
        Some(commit) if pull.head.starts_with(commit.as_str()) => Ok(Some(pull.head.clone())),
        Some(_) => Err(tell(Reason::OtherCommit)),
        // Between reading and starting, the author of a foreign branch could push something else.
        None if pull.foreign && intent.sender.is_some() => Err(tell(Reason::NeedsCommit)),
        None => Ok(Some(pull.head.clone())),
    }
}

#[cfg(test)]
mod tests;
