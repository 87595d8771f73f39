//! The form of a Go test's id: `./folder:TestName/subtest`.
//!
//! The folder is relative to the root of the repository, `.` for the root itself. A folder of a Go
//! package cannot hold a colon, so the first one ends it. The name stands as `go test` prints it:
//! the testing package has turned spaces into `_` and appended `#01` to a name that came before.

use std::collections::BTreeSet;

use crate::lang::TestId;

/// A test of a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct GoTest {
    /// The package's folder, relative to the root of the repository; empty for the root.
    pub(super) folder: String,
    /// The test's name with its subtests (`TestTotal/empty_cart`).
    pub(super) name: String,
}

impl GoTest {
    /// Reads an id; `None` where it has another form.
    pub(super) fn parse(id: &TestId) -> Option<Self> {
        let (folder, name) = id.as_str().split_once(':')?;
        let folder = match folder {
            "." => "",
            _ => folder.strip_prefix("./")?,
        };
        (!name.is_empty()).then(|| Self { folder: folder.to_owned(), name: name.to_owned() })
    }

    /// The id of `name` in `folder`.
    pub(super) fn id(folder: &str, name: &str) -> TestId {
        if folder.is_empty() { TestId(format!(".:{name}")) } else { TestId(format!("./{folder}:{name}")) }
    }
}

/// The function that a test or subtest belongs to.
pub(super) fn function(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

/// True for `inner` being a subtest of `outer`, at any depth.
pub(super) fn is_subtest(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// The argument of `-run` for these tests of one package. `go test` matches level by level, so
/// subtests of several parents select more than was asked for, and a test that is selected whole
/// makes the others whole as well; the reader drops what was not selected.
pub(super) fn pattern(names: &[&str]) -> String {
    let depth = names.iter().map(|name| name.split('/').count()).min().unwrap_or(1);
    let whole = levels(names, depth);
    // One argument of a command may hold 128 KiB.
    if whole.len() < 100_000 { whole } else { levels(names, 1) }
}

fn levels(names: &[&str], depth: usize) -> String {
    let mut levels = vec![BTreeSet::new(); depth];
    for name in names {
        for (level, part) in levels.iter_mut().zip(name.split('/')) {
            level.insert(regex::escape(part));
        }
    }
    let level = |parts: &BTreeSet<String>| {
        format!("^({})$", parts.iter().map(String::as_str).collect::<Vec<_>>().join("|"))
    };
    levels.iter().map(level).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_as_it_was_made() {
        for (folder, name) in
            [("", "TestA"), ("a.Test/b", "TestX/sub:1/y"), ("v1.2", "Test/#00"), ("x", "TestT/a_b#01")]
        {
            let id = GoTest::id(folder, name);
            assert_eq!(
                GoTest::parse(&id),
                Some(GoTest { folder: folder.to_owned(), name: name.to_owned() }),
                "{id}"
            );
        }
        assert_eq!(GoTest::id("", "TestA").as_str(), ".:TestA");
        for bad in ["TestA", "pkg:TestA", "./pkg:", "example.com/m.TestA"] {
            assert_eq!(GoTest::parse(&TestId::from(bad)), None, "{bad}");
        }
    }

    #[test]
    fn subtests_are_selected_level_by_level() {
        assert_eq!(pattern(&["TestA"]), "^(TestA)$");
        assert_eq!(pattern(&["TestA/b_c", "TestA/q[1]"]), r"^(TestA)$/^(b_c|q\[1\])$");
        assert_eq!(pattern(&["TestA/b", "TestB"]), "^(TestA|TestB)$");
        assert_eq!(pattern(&["TestA/x/y", "TestB/z"]), "^(TestA|TestB)$/^(x|z)$");
    }

    #[test]
    fn a_pattern_too_long_for_an_argument_selects_whole_tests() {
        let names: Vec<String> = (0..20_000).map(|n| format!("TestA/case_{n:010}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(pattern(&names), "^(TestA)$");
    }

    #[test]
    fn subtests_are_told_from_namesakes() {
        assert!(is_subtest("TestA/b/c", "TestA"));
        assert!(!is_subtest("TestAb", "TestA"));
        assert!(!is_subtest("TestA", "TestA"));
        assert_eq!(function("TestA/b/c"), "TestA");
    }
}
