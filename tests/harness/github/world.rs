//! What the fake holds: accounts, threads, checks, and a real git repository.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository};
use serde_json::Value;

/// What an account is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Person,
    App,
}

/// Who a token belongs to and what it may.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) login: String,
    pub(crate) kind: Kind,
    /// `contents` → `write`, …
    pub(crate) permissions: BTreeMap<String, String>,
    pub(crate) limit: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) event: String,
    pub(crate) commit: String,
    pub(crate) comments: Vec<Value>,
}

#[derive(Clone, Debug)]
pub(crate) struct Pull {
    pub(crate) head: String,
    pub(crate) base: String,
    pub(crate) draft: bool,
    /// The fork's name, for a head from elsewhere.
    pub(crate) fork: Option<String>,
    pub(crate) reviews: Vec<Review>,
}

#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) author: String,
    pub(crate) open: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) pull: Option<Pull>,
}

#[derive(Clone, Debug)]
pub(crate) struct CheckRun {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) name: String,
    pub(crate) external_id: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) text: String,
    pub(crate) annotations: Vec<Value>,
}

#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) sha: String,
    pub(crate) state: String,
    pub(crate) context: String,
    pub(crate) description: String,
}

/// What goes wrong, once, at the `at`-th write (counted from 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// The write happens, its answer never comes.
    LoseAnswer,
    /// The write happens, and the answer is 502.
    BadGateway,
    /// The write happens, and the process that asked is killed.
    Kill,
    /// The write does not happen: a secondary limit with this `Retry-After`, if any.
    Limit(Option<u32>),
    /// Before the write somebody else removes failfirst's labels.
    StealLabels,
    /// Before the write somebody else pushes a commit onto the case's branch.
    Push,
    /// The write does not happen, and the primary limit is said to be used up until a second from now.
    UsedUp,
}

/// Settings of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) actions_may_open_pulls: bool,
    pub(crate) drafts: bool,
    pub(crate) archived: bool,
    /// The most content that may be created in a minute.
    pub(crate) content_per_minute: usize,
}

/// One exchange, for whoever counts.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) write: bool,
    pub(crate) body: Value,
}

pub(crate) struct World {
    pub(crate) name: String,
    pub(crate) default_branch: String,
    pub(crate) settings: Settings,
    pub(crate) tokens: BTreeMap<String, Token>,
    /// Permission and role by login.
    pub(crate) people: BTreeMap<String, (String, String)>,
    pub(crate) issues: BTreeMap<u64, Issue>,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) checks: Vec<CheckRun>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) log: Vec<Exchange>,
    pub(crate) problems: Vec<String>,
    pub(crate) graphql: Vec<Value>,
    pub(crate) faults: VecDeque<(usize, Fault)>,
    pub(crate) writes: usize,
    pub(crate) victim: Option<u32>,
    pub(crate) created: VecDeque<std::time::Instant>,
    pub(crate) git: PathBuf,
    pub(crate) clock: u64,
    pub(crate) next: u64,
}

impl World {
    pub(crate) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The time, which moves on by a second at each look.
    pub(crate) fn now(&mut self) -> String {
        self.clock += 1;
        format!("2026-03-01T{:02}:{:02}:{:02}Z", self.clock / 3600, self.clock / 60 % 60, self.clock % 60)
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::open_bare(&self.git).unwrap()
    }

    pub(crate) fn tip(&self, branch: &str) -> Option<String> {
        let repository = self.repository();
        repository.refname_to_id(&format!("refs/heads/{branch}")).ok().map(|oid| oid.to_string())
    }

    /// The commit that a pull request's head is now.
    pub(crate) fn head_of(&self, number: u64) -> String {
        let repository = self.repository();
        let pull = self.issues[&number].pull.as_ref().unwrap();
        let name = match pull.fork {
            Some(_) => format!("refs/pull/{number}/head"),
            None => format!("refs/heads/{}", pull.head),
        };
        repository.refname_to_id(&name).map(|oid| oid.to_string()).unwrap_or_default()
    }

    pub(crate) fn tree_of(&self, commit: &str) -> String {
        let repository = self.repository();
        repository.find_commit(Oid::from_str(commit).unwrap()).unwrap().tree_id().to_string()
    }

    pub(crate) fn has(&self, oid: &str, kind: ObjectType) -> bool {
        let repository = self.repository();
        Oid::from_str(oid).ok().and_then(|oid| repository.find_object(oid, Some(kind)).ok()).is_some()
    }

    /// The lines of a diff that may be commented upon: (path, side, line, hunk).
    pub(crate) fn anchors(&self, number: u64) -> BTreeSet<(String, String, u64, usize)> {
        let repository = self.repository();
        let pull = self.issues[&number].pull.as_ref().unwrap();
        let head = Oid::from_str(&self.head_of(number)).unwrap();
        let base = Oid::from_str(&self.tip(&pull.base).unwrap()).unwrap();
        let fork_point = repository.merge_base(head, base).unwrap();
        let tree = |oid| repository.find_commit(oid).unwrap().tree().unwrap();
        let diff = repository.diff_tree_to_tree(Some(&tree(fork_point)), Some(&tree(head)), None).unwrap();
        let mut out = BTreeSet::new();
        for index in 0..diff.deltas().len() {
            let Some(patch) = git2::Patch::from_diff(&diff, index).unwrap() else { continue };
            let path = patch.delta().new_file().path().unwrap().to_str().unwrap().to_owned();
            for hunk in 0..patch.num_hunks() {
                for line in 0..patch.num_lines_in_hunk(hunk).unwrap() {
                    let line = patch.line_in_hunk(hunk, line).unwrap();
                    if let Some(number) = line.new_lineno() {
                        out.insert((path.clone(), "RIGHT".to_owned(), u64::from(number), hunk));
                    } else if let Some(number) = line.old_lineno() {
                        out.insert((path.clone(), "LEFT".to_owned(), u64::from(number), hunk));
                    }
                }
            }
        }
        out
    }

    /// Somebody else pushes an empty tree onto a branch.
    pub(crate) fn push(&self, branch: &str) {
        let repository = self.repository();
        let tip =
            repository.find_branch(branch, git2::BranchType::Local).unwrap().get().peel_to_commit().unwrap();
        let tree = repository.find_tree(repository.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let who = git2::Signature::now("eve", "eve@example.org").unwrap();
        let name = format!("refs/heads/{branch}");
        repository.commit(Some(&name), &who, &who, "sneak", &tree, &[&tip]).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        &self.git
    }
}
