//! Two extra tests for a session: one that must pass and one that must fail.
//!
//! Only working out a sum over the nonce tells which is which.

use crate::git::RepoPath;
use crate::lang::Canaries;

/// Plain functions, for pytest.
pub(super) fn functions(beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
    let (right, wrong) = sums(nonce);
    let (first, second) = if right % 2 == 0 { (right, wrong) } else { (wrong, right) };
    let text = format!(
        "def _{nonce}(text):\n    return sum(position * ord(letter) for position, letter in enumerate(text, 1))\n\n\n\
         def test_{nonce}_a():\n    assert _{nonce}(\"{nonce}\") == {first}\n\n\n\
         def test_{nonce}_b():\n    assert _{nonce}(\"{nonce}\") == {second}\n"
    );
    placed(beside, source, nonce, &text, first == right)
}

/// Methods of a `TestCase`, for unittest.
pub(super) fn methods(beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
    let (right, wrong) = sums(nonce);
    let (first, second) = if right % 2 == 0 { (right, wrong) } else { (wrong, right) };
    let text = format!(
        "import unittest as _unittest_{nonce}\n\n\n\
         class Test{nonce}(_unittest_{nonce}.TestCase):\n    \
         def value(self, text):\n        return sum(position * ord(letter) for position, letter in enumerate(text, 1))\n\n    \
         def test_{nonce}_a(self):\n        self.assertEqual(self.value(\"{nonce}\"), {first})\n\n    \
         def test_{nonce}_b(self):\n        self.assertEqual(self.value(\"{nonce}\"), {second})\n"
    );
    placed(beside, source, nonce, &text, first == right)
}

/// The sum that the tests work out, and one that is off by a little.
fn sums(nonce: &str) -> (u64, u64) {
    let right: u64 = (1_u64..).zip(nonce.chars()).map(|(at, letter)| at * u64::from(u32::from(letter))).sum();
    (right, right + 1 + right % 7)
}

fn placed(beside: &RepoPath, source: &str, nonce: &str, text: &str, a_passes: bool) -> Option<Canaries> {
    let identifier = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if nonce.is_empty() || !nonce.chars().all(identifier) {
        return None;
    }
    let stem = beside.file_name().strip_suffix(".py")?;
    // The runner finds the new file by the pattern by which it finds the test's own.
    let (path, content) = if stem.starts_with("test_") {
        (beside.sibling(&format!("test_{nonce}.py")).ok()?, text.to_owned())
    } else if stem.ends_with("_test") {
        (beside.sibling(&format!("{nonce}_test.py")).ok()?, text.to_owned())
    } else {
        (beside.clone(), format!("{}\n\n\n{text}", source.trim_end()))
    };
    let (a, b) = (format!("test_{nonce}_a"), format!("test_{nonce}_b"));
    let (passes, fails) = if a_passes { (a, b) } else { (b, a) };
    Some(Canaries { path, content, passes, fails })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_file_is_named_in_the_style_of_its_sibling() {
        let place = |path: &str| {
            functions(&RepoPath::new(path).unwrap(), "X = 1\n", "q7x").map(|made| made.path.to_string())
        };
        assert_eq!(place("tests/test_a.py").unwrap(), "tests/test_q7x.py");
        assert_eq!(place("pkg/a_test.py").unwrap(), "pkg/q7x_test.py");
        assert_eq!(place("shop/tests.py").unwrap(), "shop/tests.py");
        assert_eq!(place("tests/data.json"), None);
        let appended = functions(&RepoPath::new("tests.py").unwrap(), "X = 1\n", "q7x").unwrap();
        assert!(appended.content.starts_with("X = 1\n\n\ndef "), "{}", appended.content);
    }

    #[test]
    fn which_of_the_two_passes_depends_on_the_nonce() {
        let path = RepoPath::new("test_a.py").unwrap();
        let passing: std::collections::BTreeSet<bool> = ["aa", "ab", "ba", "bb", "ca"]
            .iter()
            .map(|nonce| functions(&path, "", nonce).unwrap().passes.ends_with("_a"))
            .collect();
        assert_eq!(passing.len(), 2);
    }
}
