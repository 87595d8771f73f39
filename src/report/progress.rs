//! What is said on standard error while a run is under way.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::visible::visible_line;
use super::wording;
use crate::lab::{Progress, RunEnd};

/// A line that moves where standard error is a terminal, else plain lines.
pub fn on_stderr() -> std::sync::Arc<dyn Progress> {
    if std::io::stderr().is_terminal() {
        std::sync::Arc::new(Moving::new())
    } else {
        std::sync::Arc::new(Lines::new(std::io::stderr()))
    }
}

/// One line an event, for logs: stages and ended runs.
#[derive(Debug)]
pub struct Lines<W> {
    out: Mutex<W>,
}

impl<W: Write + Send> Lines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out: Mutex::new(out) }
    }

    fn say(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // Progress that nobody can read is no reason to stop.
        let _ = writeln!(out, "{text}");
    }
}

impl<W: Write + Send> Progress for Lines<W> {
    fn stage(&self, text: &str) {
        self.say(&format!("{} …", visible_line(text)));
    }

    fn run_started(&self, _name: &str) {}

    fn run_finished(&self, name: &str, end: RunEnd, took: Duration) {
        self.say(&format!("  {}", finished(name, end, took)));
    }

    fn done(&self) {}
}

/// One line that moves: the stage, the runs under way, the runs done.
#[derive(Debug)]
pub struct Moving {
    bar: ProgressBar,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stage: String,
    running: Vec<String>,
    finished: u32,
}

impl Moving {
    /// Draws on standard error.
    pub fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed:>4}")
            .expect("the template is constant (tested)");
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, state: Mutex::default() }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        self.bar.set_message(state.to_string());
    }
}

impl Default for Moving {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.stage)?;
        if !self.running.is_empty() {
            write!(f, ": {}", self.running.join(" | "))?;
        }
        match self.finished {
            0 => Ok(()),
            1 => f.write_str(" (1 run done)"),
            n => write!(f, " ({n} runs done)"),
        }
    }
}

impl Progress for Moving {
    fn stage(&self, text: &str) {
        self.change(|state| state.stage = visible_line(text));
    }

    fn run_started(&self, name: &str) {
        self.change(|state| state.running.push(visible_line(name)));
    }

    fn run_finished(&self, name: &str, _end: RunEnd, _took: Duration) {
        let name = visible_line(name);
        self.change(|state| {
            if let Some(at) = state.running.iter().position(|running| *running == name) {
                state.running.remove(at);
            }
            state.finished += 1;
        });
    }

    fn done(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        // Also when an error ends the run early: the terminal is left clean.
        self.bar.finish_and_clear();
    }
}

fn finished(name: &str, end: RunEnd, took: Duration) -> String {
    let end = match end {
        RunEnd::Green => "green",
        RunEnd::Red => "red",
        RunEnd::Unclear => "no clear result",
    };
    format!("{}: {end}, {}", visible_line(name), wording::seconds(took.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(progress: &dyn Progress) {
        progress.stage("running the test on the base");
        progress.run_started("base + test, 1 of 3");
        progress.run_started("base + test, 2 of 3");
        progress.run_finished("base + test, 2 of 3", RunEnd::Red, Duration::from_millis(1200));
        progress.run_finished("base + test, 1 of 3\x1b[2J", RunEnd::Unclear, Duration::from_secs(61));
        progress.done();
    }

    #[test]
    fn plain_lines_name_stages_and_ended_runs() {
        let lines = Lines::new(Vec::new());
        play(&lines);
        let text = String::from_utf8(lines.out.into_inner().unwrap()).unwrap();
        insta::assert_snapshot!(text, @r#"
        running the test on the base …
          base + test, 2 of 3: red, 1.2 s
          base + test, 1 of 3\x1b[2J: no clear result, 1 min 01 s
        "#);
    }

    #[test]
    fn the_moving_line_shows_what_runs_and_how_much_is_done() {
        let moving = Moving::new();
        moving.stage("judging");
        moving.run_started("a");
        moving.run_started("b");
        assert_eq!(moving.bar.message(), "judging: a | b");
        moving.run_finished("a", RunEnd::Green, Duration::ZERO);
        assert_eq!(moving.bar.message(), "judging: b (1 run done)");
        moving.done();
        assert!(moving.bar.is_finished());
    }
}
