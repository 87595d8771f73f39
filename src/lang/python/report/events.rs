//! The lines of `report.jsonl`, as `recorder.py` and the session scripts write them.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One line.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "e", rename_all = "kebab-case")]
pub(super) enum Event {
    /// The script is about to start the runner.
    Start {
        /// The id of the main thread, as in a dump of stacks.
        main: Option<u64>,
    },
    /// A file could not be loaded.
    Load {
        /// What the runner calls it; may be empty.
        id: String,
        file: Option<String>,
        error: Option<ErrorData>,
        #[serde(default)]
        excerpt: String,
    },
    /// A file was skipped as a whole.
    LoadSkip {},
    /// These tests are about to run.
    Collected {
        ids: Vec<String>,
    },
    Begin {
        id: String,
        file: Option<String>,
    },
    Phase(PhaseData),
    End {
        id: String,
    },
    /// The session was ended by request (`pytest.exit`, an interrupt).
    Interrupted {
        message: String,
    },
    /// The runner itself failed.
    Internal {
        message: String,
    },
    /// Modules that were loaded from outside the tree although the tree has them.
    Loaded {
        outside: Vec<PathBuf>,
    },
    /// The runner's own closing mark.
    Finish {
        exit: i32,
    },
    /// The script's last act.
    Exit {
        code: i32,
    },
}

/// One phase of one test.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PhaseData {
    pub(super) id: String,
    pub(super) when: String,
    pub(super) outcome: String,
    pub(super) xfail: Option<String>,
    #[serde(default)]
    pub(super) seconds: f64,
    pub(super) error: Option<ErrorData>,
    #[serde(default)]
    pub(super) excerpt: String,
}

/// An exception.
#[derive(Debug, Clone, Default, Deserialize)]
pub(in crate::lang::python) struct ErrorData {
    #[serde(rename = "type")]
    pub(in crate::lang::python) kind: String,
    #[serde(default)]
    pub(in crate::lang::python) bases: Vec<String>,
    #[serde(default)]
    pub(in crate::lang::python) message: String,
    #[serde(default)]
    pub(in crate::lang::python) frames: Vec<FrameData>,
    #[serde(default)]
    pub(in crate::lang::python) chain: Vec<LinkData>,
    /// Of an import, name or attribute error: the name.
    pub(in crate::lang::python) name: Option<String>,
    /// Of an attribute error: on what.
    pub(in crate::lang::python) owner: Option<OwnerData>,
    /// Of a syntax error: where.
    pub(in crate::lang::python) syntax: Option<SyntaxData>,
    /// Of a fixture that is missing: its name.
    pub(in crate::lang::python) fixture: Option<String>,
}

/// A frame of a traceback.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::lang::python) struct FrameData {
    pub(in crate::lang::python) file: String,
    pub(in crate::lang::python) line: u32,
    pub(in crate::lang::python) function: Option<String>,
}

/// An exception of the chain that led to one.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::lang::python) struct LinkData {
    #[serde(rename = "type")]
    pub(in crate::lang::python) kind: String,
    pub(in crate::lang::python) errno: Option<i64>,
}

/// What an attribute was looked up on.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::lang::python) struct OwnerData {
    pub(in crate::lang::python) kind: String,
    pub(in crate::lang::python) name: String,
    #[serde(default)]
    pub(in crate::lang::python) module: String,
}

/// Where source does not parse.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::lang::python) struct SyntaxData {
    pub(in crate::lang::python) file: String,
    pub(in crate::lang::python) line: u32,
}

/// The whole report file.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) events: Vec<Event>,
    /// Whole lines that are no event. A torn last line is no such line: the process was killed.
    pub(super) foreign: usize,
}

/// More than the session scripts write for 100,000 tests; what lies beyond is not read.
const LARGEST: u64 = 256 << 20;

impl Log {
    pub(super) fn read(file: &Path) -> Self {
        std::fs::File::open(file)
            .map(|stream| Self::parse(BufReader::new(stream.take(LARGEST))))
            .unwrap_or_default()
    }

    pub(super) fn parse(mut stream: impl BufRead) -> Self {
        let mut log = Self::default();
        let mut line = Vec::new();
        // What was read before an error still counts; the missing end shows as incomplete.
        while stream.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            match serde_json::from_slice(&line) {
                Ok(event) => log.events.push(event),
                Err(_) if line.ends_with(b"\n") => log.foreign += 1,
                Err(_) => {}
            }
            line.clear();
        }
        log
    }
}
