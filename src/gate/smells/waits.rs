//! Sleeps and limits of time: a test that needs them depends on time, a fix that adds them may only
//! hide a race.

use tree_sitter::Node;

use super::scene::{Scene, SourceFile, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, ancestors, is_number};

/// The rule for tests.
pub(super) struct WaitsInTest;

/// The rule for fixes.
pub(super) struct WaitsInFix;

impl Rule for WaitsInTest {
    fn id(&self) -> &'static str {
        "sleep"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Does the test wait for a fixed time?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        sleeps(view)
            .map(|node| Hit::at(node, view, Weight::Note, "the test waits for a fixed time"))
            .collect()
    }
}

impl Rule for WaitsInFix {
    fn id(&self) -> &'static str {
        "sleep-in-fix"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix wait for a fixed time, or set a limit of time?"
    }

    fn look(&self, view: &View<'_>, scene: &Scene<'_>) -> Vec<Hit> {
        let (weight, waiting, limiting) = if is_all(scene) {
            let longer = "the fix does nothing but wait for another time";
            (Weight::Human, "the fix does nothing but wait for a fixed time", longer)
        } else {
            (Weight::Note, "the fix waits for a fixed time", "the fix sets a limit of time")
        };
        let waits = sleeps(view).map(|node| Hit::at(node, view, weight, waiting));
        let limits = limits(view)
            .filter_map(|number| number.parent())
            .map(|node| Hit::at(node, view, weight, limiting));
        waits.chain(limits).collect()
    }
}

/// True when the whole fix is sleeps and other numbers for limits of time: what was wrong then is still
/// there, only later.
fn is_all(scene: &Scene<'_>) -> bool {
    // A file that is no source could hold the rest of the fix.
    scene.fix.len() == scene.changed_paths.len() && scene.fix.iter().all(only_waits)
}

fn only_waits(file: &SourceFile) -> bool {
    let view = file.now();
    let (waits, limits): (Vec<_>, Vec<_>) = (sleeps(&view).collect(), limits(&view).collect());
    let lines: Vec<_> = view.text.lines().collect();
    let mut gone: Vec<_> =
        file.removed_lines().into_iter().filter(|line| !is_idle(line)).map(without_numbers).collect();
    let mut any = false;
    for row in file.added_rows() {
        let line = lines.get(row).copied().unwrap_or_default();
        if is_idle(line) {
            continue;
        }
        any = true;
        let on_row = |node: &&Node<'_>| node.start_position().row == row;
        if let Some(wait) = waits.iter().find(on_row) {
            // Nothing else is called on that line: what is around the wait is only what it is waited with.
            let others = view.calls().filter(|call| on_row(&&call.node));
            let (from, to) = (wait.start_byte(), wait.end_byte());
            let apart = |node: Node<'_>| node.end_byte() <= from || node.start_byte() >= to;
            if others.into_iter().any(|call| apart(call.node)) {
                return false;
            }
        } else if limits.iter().any(|limit| on_row(&limit)) {
            // The same line with another number.
            let Some(at) = gone.iter().position(|old| *old == without_numbers(line)) else { return false };
            gone.swap_remove(at);
        } else {
            return false;
        }
    }
    any && gone.is_empty()
}

/// True for lines without effect of their own.
fn is_idle(line: &str) -> bool {
    let line = line.trim();
    ["#", "//", "import ", "from ", "use "].iter().any(|start| line.starts_with(start))
        || !line.contains(char::is_alphanumeric)
}

fn without_numbers(line: &str) -> String {
    line.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_digit() && !matches!(c, '.' | '_')).collect()
}

fn sleeps<'a>(view: &'a View<'a>) -> impl Iterator<Item = Node<'a>> {
    view.calls()
        .filter(|call| match view.grammar {
            Grammar::Python => {
                matches!(call.callee.as_str(), "time.sleep" | "sleep" | "asyncio.sleep" | "anyio.sleep")
                // Giving way to other tasks is no wait.
                && call.arguments.first().is_none_or(|time| view.text(*time) != "0")
            }
            Grammar::Go => call.callee == "time.Sleep",
            Grammar::Rust => {
                matches!(call.callee.as_str(), "thread::sleep" | "std::thread::sleep" | "tokio::time::sleep")
            }
            _ => {
                matches!(call.callee.as_str(), "sleep" | "delay" | "setTimeout" | "timers.setTimeout")
                    && call
                        .arguments
                        .get(usize::from(call.callee.ends_with("setTimeout")))
                        .is_some_and(|time| is_number(*time) && view.text(*time) != "0")
            }
        })
        .map(|call| call.node)
}

/// Numbers that limit time.
fn limits<'a>(view: &'a View<'a>) -> impl Iterator<Item = Node<'a>> {
    view.nodes().filter(|node| is_number(*node) && names_a_limit(*node, view))
}

/// True for the number in `timeout=30`, `TIMEOUT = 30`, `{ timeout: 30 }`.
fn names_a_limit(number: Node<'_>, view: &View<'_>) -> bool {
    ancestors(number).take(2).any(|above| {
        let name = ["name", "left", "key"].iter().find_map(|field| above.child_by_field_name(field));
        name.is_some_and(|name| name != number && view.text(name).to_lowercase().ends_with("timeout"))
    })
}
