//! Stack traces of V8.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::super::{Frame, Place};
use crate::git::RepoPath;

/// Where a run took place, for turning file names into places.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    roots: Vec<PathBuf>,
    cwd: PathBuf,
}

impl Ground {
    /// The tree at `root`; relative file names are relative to `cwd` below it.
    pub(super) fn new(root: &Path, cwd: &str) -> Self {
        let mut roots = vec![root.to_owned()];
        if let Ok(real) = root.canonicalize()
            && real != root
        {
            roots.push(real);
        }
        Self { cwd: root.join(cwd), roots }
    }

    /// The path in the tree of a file name as runners write them.
    pub(super) fn path(&self, file: &str) -> Option<RepoPath> {
        let file = plain(file);
        // `node:fs`, `webpack-internal:///x`: names with a scheme are no files.
        if file.split('/').next().is_some_and(|first| first.contains(':')) {
            return None;
        }
        let file = PathBuf::from(file);
        let file = if file.is_absolute() { file } else { lexical(&self.cwd.join(file)) };
        self.roots
            .iter()
            .find_map(|root| RepoPath::below(root, &file))
            .filter(|path| !path.folders().any(|folder| folder == "node_modules"))
    }

    /// Where a file name lies.
    pub(super) fn place(&self, file: &str) -> Place {
        self.path(file).map_or_else(|| Place::Outside(plain(file)), Place::Tree)
    }

    /// `text` with the absolute path of the tree taken out, so that messages do not depend on it.
    pub(super) fn relative(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for root in &self.roots {
            if let Some(root) = root.to_str() {
                text = text.replace(&format!("file://{root}/"), "").replace(&format!("{root}/"), "");
            }
        }
        text
    }
}

/// The frames of a stack trace, outermost first.
pub(super) fn frames(stack: &str, ground: &Ground) -> Vec<Frame> {
    let mut frames: Vec<Frame> = stack.lines().filter_map(|line| frame(line, ground)).collect();
    frames.reverse();
    frames
}

/// The first `file:line` that stands on a line of its own, as Node prints it above a syntax error.
pub(super) fn headline(text: &str, ground: &Ground) -> Option<Frame> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:[^/\n]*: )?((?:file://)?/[^\n:]+):(\d+)(?::\d+)?(?::|$)").expect("a valid pattern")
    });
    text.lines().find_map(|line| {
        let found = HEAD.captures(line.trim())?;
        let place = ground.place(&found[1]);
        matches!(place, Place::Tree(_)).then(|| Frame {
            place,
            line: found[2].parse().unwrap_or(0),
            function: None,
        })
    })
}

/// Without the escape sequences that colour a terminal.
pub(super) fn plain_text(text: &str) -> String {
    static ESCAPES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\x1b\[[0-9;?]*[ -/]*[@-~]").expect("a valid pattern"));
    ESCAPES.replace_all(text, "").into_owned()
}

fn frame(line: &str, ground: &Ground) -> Option<Frame> {
    static NAMED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^at (?:async )?(.*?) \((.+):(\d+):(\d+)\)$").expect("a valid pattern"));
    static BARE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^at (?:async )?(\S.*?):(\d+):(\d+)$").expect("a valid pattern"));
    let line = line.trim();
    let (function, file, number) = if let Some(found) = NAMED.captures(line) {
        let function = found[1].to_owned();
        (Some(function), found[2].to_owned(), found[3].to_owned())
    } else {
        let found = BARE.captures(line)?;
        (None, found[1].to_owned(), found[2].to_owned())
    };
    // `eval at f (file:1:2), <anonymous>` and the like name no file of their own.
    if file.contains(" (") || file.starts_with('<') {
        return None;
    }
    Some(Frame { place: ground.place(&file), line: number.parse().ok()?, function })
}

/// A file name without URL scheme, query and the prefixes of bundlers.
fn plain(file: &str) -> String {
    let (file, from_url) = match file.strip_prefix("file://") {
        Some(path) => (path, true),
        None => (file, false),
    };
    let file = file.strip_prefix("/@fs").unwrap_or(file);
    let file = match file.split_once('?') {
        Some((path, _)) if from_url || path.contains('.') => path,
        _ => file,
    };
    if from_url { unescape(file) } else { file.to_owned() }
}

fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = code {
            plain.push(byte);
            at += 3;
        } else {
            plain.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

/// The path without `.` and `..`, without looking at the disk.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            std::path::Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground() -> Ground {
        Ground::new(Path::new("/srv/proj"), "packages/a")
    }

    fn tree(path: &str) -> Place {
        Place::Tree(RepoPath::new(path).unwrap())
    }

    #[test]
    fn all_forms_of_v8_frames_are_read_outermost_first() {
        let stack = "TypeError: nope is not a function\n\
            \x20   at total (file:///srv/proj/src/my%20cart.mjs:3:7)\n\
            \x20   at async Object.<anonymous> (/srv/proj/test/a.test.js:4:5)\n\
            \x20   at /srv/proj/test/b.test.ts?v=12:9:1\n\
            \x20   at Context.<anonymous> (test/c.js:1:2)\n\
            \x20   at eval (eval at run (/srv/proj/x.js:1:1), <anonymous>:1:1)\n\
            \x20   at new Promise (<anonymous>)\n\
            \x20   at async Promise.all (index 0)\n\
            \x20   at Test.run (node:internal/test_runner/test:796:25)\n\
            \x20   at run (/srv/proj/node_modules/jest/x.js:1:1)";
        let frames = frames(stack, &ground());
        let places: Vec<Place> = frames.iter().rev().map(|frame| frame.place.clone()).collect();
        assert_eq!(
            places,
            [
                tree("src/my cart.mjs"),
                tree("test/a.test.js"),
                tree("test/b.test.ts"),
                tree("packages/a/test/c.js"),
                Place::Outside("node:internal/test_runner/test".to_owned()),
                Place::Outside("/srv/proj/node_modules/jest/x.js".to_owned()),
            ]
        );
        assert_eq!(frames.last().unwrap().function.as_deref(), Some("total"));
        assert_eq!(frames.last().unwrap().line, 3);
    }

    #[test]
    fn the_place_above_a_syntax_error_is_found() {
        let text =
            " Exception during run: file:///srv/proj/test/h.mjs:1\nimport {nope}\n  ^^^^\nSyntaxError: x";
        assert_eq!(headline(text, &ground()).unwrap().place, tree("test/h.mjs"));
        assert_eq!(headline("/srv/proj/test/c.js:2\n\n\nSyntaxError: x", &ground()).unwrap().line, 2);
        assert!(headline("node:internal/modules:283\n throw", &ground()).is_none());
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(plain_text("\u{1b}[31mred\u{1b}[39m"), "red");
    }
}
