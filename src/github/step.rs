//! The writes that a plan may list, as data and as words.

use std::fmt;

/// A thread that is written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The issue.
    Issue(u64),
    /// The pull request; its number may not be known before it is opened.
    Pull(Option<u64>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issue(number) => write!(f, "issue #{number}"),
            Self::Pull(Some(number)) => write!(f, "pull request #{number}"),
            Self::Pull(None) => f.write_str("the new pull request"),
        }
    }
}

/// A comment that is kept up to date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The analysis, on the issue.
    Analysis,
    /// The sticky summary, on the pull request.
    Summary,
}

/// One write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A branch at a commit that is there.
    Branch {
        /// Its name.
        name: String,
        /// Where.
        at: String,
    },
    /// A commit upon a branch.
    Commit {
        /// The branch.
        branch: String,
        /// Which part of the publication.
        part: usize,
        /// The commit that must be the branch's head; the one just made, where it is not known.
        upon: Option<String>,
    },
    /// A pull request.
    Open {
        /// Its branch.
        branch: String,
        /// The branch it is to be merged into.
        base: String,
        /// Whether as a draft.
        draft: bool,
    },
    /// A review.
    Review {
        /// On which pull request.
        pull: Option<u64>,
        /// Whether with comments on lines.
        anchors: bool,
    },
    /// A check run with its first annotations.
    Run {
        /// How many annotations.
        annotations: usize,
    },
    /// More annotations, and the end of the check run after the last.
    RunMore {
        /// Which run; the one just made, where it is not known.
        id: Option<u64>,
        /// From which annotation.
        from: usize,
        /// To before which.
        to: usize,
    },
    /// A commit status.
    Status,
    /// A new comment.
    Comment {
        /// Where.
        place: Place,
        /// Which.
        kind: Kind,
    },
    /// A comment's new text.
    Edit {
        /// Which comment.
        id: u64,
        /// Where.
        place: Place,
        /// Which.
        kind: Kind,
    },
    /// A label.
    Label {
        /// Where.
        place: Place,
        /// Which.
        name: String,
    },
    /// A label of ours that does not hold any more.
    Unlabel {
        /// Where.
        place: Place,
        /// Which.
        name: String,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch { name, at } => write!(f, "create the branch {name} at {}", short(at)),
            Self::Commit { branch, part, .. } => {
                write!(f, "commit {} to {branch}", if *part == 0 { "the sealed test" } else { "the fix" })
            }
            Self::Open { branch, base, draft } => {
                let what = if *draft { "draft pull request" } else { "pull request" };
                write!(f, "open a {what} from {branch} to {base}")
            }
            Self::Review { pull, .. } => write!(f, "review {}", Place::Pull(*pull)),
            Self::Run { annotations } => write!(f, "write a check run with {annotations} annotations"),
            Self::RunMore { from, to, .. } if from == to => f.write_str("end the check run"),
            Self::RunMore { from, to, .. } => {
                write!(f, "add the annotations {} to {to} to the check run", from + 1)
            }
            Self::Status => f.write_str("set the commit status"),
            Self::Comment { place, kind } => write!(f, "post the {} on {place}", kind.name()),
            Self::Edit { place, kind, .. } => write!(f, "update the {} on {place}", kind.name()),
            Self::Label { place, name } => write!(f, "add the label {name} to {place}"),
            Self::Unlabel { place, name } => write!(f, "remove the label {name} from {place}"),
        }
    }
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Analysis => "analysis",
            Self::Summary => "summary",
        }
    }
}

pub(super) fn short(sha: &str) -> &str {
    sha.get(..10).unwrap_or(sha)
}
