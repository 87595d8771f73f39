//! The build in front of each run: its messages tell the test programs and why a build failed.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::super::{Cause, Failure, Invocation, LoadFailure, Output, Phase};
use super::diagnostics::{self, Message, Origin};
use super::manifest::Kind;
use super::targets::{Places, Workspace};
use crate::git::RepoPath;

/// Builds, keeps the compiler's messages in a file (they may be long), and after a failure also the
/// files that the messages name: the reader must know which of their lines are tests, and the
/// variant is gone by then.
const SCRIPT: &str = r#"out=$1
shift
mkdir -p "$out"
"$@" > "$out/messages.json"
code=$?
if [ "$code" -ne 0 ]; then
  grep -o '"file_name":"[^"]*"' "$out/messages.json" | sort -u | sed 's/^"file_name":"//; s/"$//' |
  while IFS= read -r file; do
    case $file in /* | *..*) continue ;; esac
    [ -f "$file" ] || continue
    mkdir -p "$out/sources/$(dirname "$file")" && cp "$file" "$out/sources/$file"
  done
fi
exit $code
"#;
const SCRIPT_NAME: &str = "build.sh";

/// The command that builds with `argv` (a `cargo … --no-run --message-format=json`) and keeps the
/// messages under `name` in the report folder.
pub(super) fn invocation(argv: Vec<String>, name: &str, out: &Path) -> Invocation {
    let script = out.join(SCRIPT_NAME).to_string_lossy().into_owned();
    let folder = out.join(name).to_string_lossy().into_owned();
    Invocation::new(["sh".to_owned(), script, folder].into_iter().chain(argv)).file(SCRIPT_NAME, SCRIPT)
}

/// What a build left behind.
#[derive(Default)]
pub(super) struct Built {
    /// The test programs, by file name.
    pub(super) programs: BTreeMap<String, Program>,
    /// Why it failed; empty when it did not.
    pub(super) stops: Vec<Stop>,
    /// True when cargo said how it ended.
    pub(super) complete: bool,
}

/// Why one or more targets could not be built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stop {
    /// The test file with the errors; `None` where they lie elsewhere, so that nothing can run.
    pub(super) file: Option<RepoPath>,
    /// The targets that were not built.
    pub(super) targets: Vec<Program>,
    /// Why.
    pub(super) failure: Failure,
}

/// The load failures of a build: which of the wanted files its stops keep from running.
pub(super) fn load_failures(stops: &[Stop], files: &dyn Fn(&Program) -> Vec<RepoPath>) -> Vec<LoadFailure> {
    let mut found = Vec::new();
    for stop in stops {
        let mut wanted: Vec<RepoPath> = stop.targets.iter().flat_map(files).collect();
        wanted.sort();
        wanted.dedup();
        let Some(file) = stop.file.as_ref().filter(|_| !wanted.is_empty()) else {
            found.push(LoadFailure { file: None, failure: stop.failure.clone() });
            continue;
        };
        // The target's other files are stopped too; where they have errors of their own, those count.
        let has_own = |other: &RepoPath| stops.iter().any(|stop| stop.file.as_ref() == Some(other));
        wanted.retain(|other| other == file || !has_own(other));
        let failures =
            wanted.into_iter().map(|file| LoadFailure { file: Some(file), failure: stop.failure.clone() });
        found.extend(failures);
    }
    found
}

/// A test program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Program {
    /// Which package, as an index.
    pub(super) package: usize,
    /// Which kind of target.
    pub(super) kind: Kind,
    /// The target's name.
    pub(super) target: String,
}

#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Line {
    CompilerMessage {
        message: Message,
        target: TargetLine,
        manifest_path: String,
    },
    CompilerArtifact {
        target: TargetLine,
        manifest_path: String,
        executable: Option<String>,
        profile: ProfileLine,
    },
    BuildFinished {
        success: bool,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct TargetLine {
    kind: Vec<String>,
    name: String,
}

#[derive(Deserialize)]
struct ProfileLine {
    test: bool,
}

impl TargetLine {
    fn name(&self, kind: Kind) -> String {
        if kind == Kind::Lib { self.name.replace('-', "_") } else { self.name.clone() }
    }

    fn kind(&self) -> Option<Kind> {
        Some(match self.kind.first()?.as_str() {
            "bin" => Kind::Bin,
            "test" => Kind::Test,
            "example" => Kind::Example,
            "bench" => Kind::Bench,
            "custom-build" => return None,
            _ => Kind::Lib,
        })
    }
}

/// Reads what the build under `name` left behind.
pub(super) fn read(
    workspace: &Workspace,
    places: &Places<'_>,
    output: &Output,
    out: &Path,
    name: &str,
    root: &Path,
) -> Built {
    let folder = out.join(name);
    // Lossily: a message may quote a source line that is not UTF-8.
    let bytes = std::fs::read(folder.join("messages.json")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut built = Built::default();
    let mut errors = Vec::new();
    let mut success = None;
    let package_of = |manifest: &str| {
        let file = RepoPath::below(root, Path::new(manifest))?;
        workspace.package_in(file.parent())
    };
    for line in text.lines().filter(|line| line.starts_with('{')) {
        match serde_json::from_str::<Line>(line) {
            Ok(Line::CompilerArtifact { target, manifest_path, executable, profile }) => {
                if let (Some(file), true) = (executable, profile.test)
                    && let (Some(kind), Some(package)) = (target.kind(), package_of(&manifest_path))
                    && let Some(name) = Path::new(&file).file_name().and_then(|name| name.to_str())
                {
                    built
                        .programs
                        .insert(name.to_owned(), Program { package, kind, target: target.name(kind) });
                }
            }
            Ok(Line::CompilerMessage { message, target, manifest_path }) => {
                if message.is_error() {
                    let target_of = |package| {
                        let kind = target.kind()?;
                        Some(Program { package, kind, target: target.name(kind) })
                    };
                    let origin = match RepoPath::below(root, Path::new(&manifest_path)) {
                        Some(_) => Origin::Tree(package_of(&manifest_path).and_then(target_of)),
                        None => Origin::Dependency(target.name.clone()),
                    };
                    errors.push((message, origin));
                }
            }
            Ok(Line::BuildFinished { success: ended }) => success = Some(ended),
            Ok(Line::Other) | Err(_) => {}
        }
    }
    if output.code == Some(0) && success == Some(true) {
        built.complete = true;
        return built;
    }
    let sources = folder.join("sources");
    built.stops = diagnostics::stops(&errors, places, &|file| {
        std::fs::read(sources.join(file)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    });
    if output.timed_out {
        built.stops.push(without_file(Cause::TimedOut, "the build ran out of time", output));
        return built;
    }
    if built.stops.is_empty() {
        let cause = diagnostics::cause_of_cargo(&output.stderr);
        let said = diagnostics::error_of_cargo(&output.stderr);
        built.stops.push(without_file(cause, &said, output));
    }
    // Cargo ends with its own error (`error: …`) also where it never came to compile.
    built.complete = success == Some(false) || output.stderr.contains("error: ");
    built
}

fn without_file(cause: Cause, message: &str, output: &Output) -> Stop {
    Stop {
        file: None,
        targets: Vec::new(),
        failure: Failure {
            phase: Phase::Load,
            cause,
            exception: "build".to_owned(),
            message: message.to_owned(),
            frames: Vec::new(),
            excerpt: super::panics::clip(output.stderr.trim(), 6000),
        },
    }
}
