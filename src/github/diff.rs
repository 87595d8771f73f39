//! Where a review may be anchored: the lines of a unified diff, on both sides.
//!
//! One comment on a line that is not in the diff makes GitHub reject the whole review, and GitHub
//! itself gives no diff of large changes. So anchors are checked here, against the local diff.

use std::collections::BTreeMap;

/// A side of a diff.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// Removed lines, in the old file.
    Left,
    /// Added and context lines, in the new file.
    Right,
}

/// The hunks of a file: for each the lines of both sides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct File {
    hunks: Vec<(Vec<u32>, Vec<u32>)>,
}

/// A parsed diff.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diff {
    files: BTreeMap<String, File>,
}

impl Diff {
    /// Reads a unified diff. Lines that it cannot place are no anchors.
    pub fn parse(text: &str) -> Self {
        let mut files: BTreeMap<String, File> = BTreeMap::new();
        let mut current: Option<String> = None;
        let mut old_name = String::new();
        // What is left of the hunk, so that a removed line `-- x` is never taken for a file's header.
        let (mut old_left, mut new_left, mut old, mut new) = (0u32, 0u32, 0u32, 0u32);
        for line in text.lines() {
            if old_left > 0 || new_left > 0 {
                let Some(hunk) = current
                    .as_ref()
                    .and_then(|name| files.get_mut(name))
                    .and_then(|file| file.hunks.last_mut())
                else {
                    continue;
                };
                match line.as_bytes().first() {
                    Some(b'+') => {
                        hunk.1.push(new);
                        (new, new_left) = (new + 1, new_left.saturating_sub(1));
                    }
                    Some(b'-') => {
                        hunk.0.push(old);
                        (old, old_left) = (old + 1, old_left.saturating_sub(1));
                    }
                    Some(b'\\') => {}
                    _ => {
                        hunk.1.push(new);
                        (new, new_left) = (new + 1, new_left.saturating_sub(1));
                        (old, old_left) = (old + 1, old_left.saturating_sub(1));
                    }
                }
                continue;
            }
            if let Some(name) = line.strip_prefix("--- ") {
                old_name = strip(name, "a/");
            } else if let Some(name) = line.strip_prefix("+++ ") {
                let name = strip(name, "b/");
                let name = if name == "/dev/null" { old_name.clone() } else { name };
                files.entry(name.clone()).or_default();
                current = Some(name);
            } else if line.starts_with("diff --git ") {
                current = None;
            } else if let Some((first, second)) = header(line) {
                (old, old_left) = first;
                (new, new_left) = second;
                if let Some(file) = current.as_ref().and_then(|name| files.get_mut(name)) {
                    file.hunks.push((Vec::new(), Vec::new()));
                } else {
                    (old_left, new_left) = (0, 0);
                }
            }
        }
        Self { files }
    }

    /// True when a comment on `start..=line` of a side would be accepted: all in one hunk.
    pub fn holds(&self, path: &str, side: Side, start: Option<u32>, line: u32) -> bool {
        let Some(file) = self.files.get(path) else { return false };
        file.hunks.iter().any(|(left, right)| {
            let lines = if side == Side::Left { left } else { right };
            lines.contains(&line) && start.is_none_or(|start| start < line && lines.contains(&start))
        })
    }

    /// The paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

fn strip(name: &str, prefix: &str) -> String {
    let name = name.split('\t').next().unwrap_or(name);
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}

/// `@@ -a,b +c,d @@`.
fn header(line: &str) -> Option<((u32, u32), (u32, u32))> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| -> Option<(u32, u32)> {
        match text.split_once(',') {
            Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
            None => Some((text.parse().ok()?, 1)),
        }
    };
    Some((range(old)?, range(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n@@ -10,4 +10,4 @@ def f():\n one\n--- two\n\
        +++ deux\n three\n four\n@@ -30 +30,2 @@\n-old\n+new\n+newer\ndiff --git a/gone b/gone\n--- a/gone\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n";

    #[test]
    fn anchors_are_the_lines_of_hunks_on_their_side() {
        let diff = Diff::parse(DIFF);
        let right = |start, line| diff.holds("src/a.py", Side::Right, start, line);
        assert!(right(None, 10) && right(None, 11) && right(None, 13) && right(None, 31));
        assert!(!right(None, 9) && !right(None, 14) && !right(None, 32));
        assert!(diff.holds("src/a.py", Side::Left, None, 11));
        assert!(!diff.holds("src/a.py", Side::Left, None, 10), "context lines belong to the right");
        assert!(!diff.holds("src/b.py", Side::Right, None, 10));
        assert!(diff.holds("gone", Side::Left, None, 2));
    }

    #[test]
    fn a_range_stays_in_one_hunk_and_runs_forwards() {
        let diff = Diff::parse(DIFF);
        assert!(diff.holds("src/a.py", Side::Right, Some(10), 13));
        assert!(!diff.holds("src/a.py", Side::Right, Some(13), 30));
        assert!(!diff.holds("src/a.py", Side::Right, Some(11), 11));
    }

    #[test]
    fn content_that_looks_like_a_header_is_content() {
        let diff = Diff::parse(DIFF);
        assert_eq!(diff.paths().collect::<Vec<_>>(), ["gone", "src/a.py"]);
    }
}
