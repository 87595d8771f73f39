//! Git objects: revisions, trees and their differences, without ever touching the user's repository.
//!
//! libgit2 reads and writes objects in a scratch object database that borrows the user's objects.
//! No git command runs inside a tree that an agent or a pull request can write to.

mod path;
mod store;

pub use path::{InvalidPath, RepoPath};
pub use store::{Change, ChangeKind, Commit, Edit, Entry, GitError, Mode, Oid, Store, TreeId};
