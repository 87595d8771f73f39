//! A child process that is owned whole: its group is killed, its time and its output are limited.

use std::collections::VecDeque;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::Stop;
use crate::lang::Output;

/// How much of each output stream is kept at its beginning and at its end, in bytes.
const KEEP_HEAD: usize = 512 * 1024;
const KEEP_TAIL: usize = 1536 * 1024;

/// Runs a command in a process group of its own until it ends or `timeout` is over, then kills
/// what is left of the group.
///
/// # Errors
/// The command could not be started.
pub(crate) fn run(command: Command, timeout: Duration) -> std::io::Result<Output> {
    run_until(command, timeout, &Stop::default())
}

/// As [`run`], and ends the command early when `stop` says so; that counts as a time-out.
///
/// # Errors
/// The command could not be started.
pub(crate) fn run_until(mut command: Command, timeout: Duration, stop: &Stop) -> std::io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let started = Instant::now();
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().map(Capture::start);
    let stderr = child.stderr.take().map(Capture::start);
    let ended = wait(&mut child, started + timeout, stop);
    let timed_out = ended.is_none();
    kill_group(&child);
    let status = match ended {
        Some(status) => status,
        None => child.wait()?,
    };
    let took = started.elapsed();
    let (stdout, cut_out) = stdout.map(Capture::finish).unwrap_or_default();
    let (stderr, cut_err) = stderr.map(Capture::finish).unwrap_or_default();
    Ok(Output {
        // A signal has no exit code, and neither has a run that we ended ourselves.
        code: if timed_out || status.signal().is_some() { None } else { status.code() },
        timed_out,
        stdout,
        stderr,
        took,
        cut: cut_out + cut_err,
    })
}

fn wait(child: &mut Child, deadline: Instant, stop: &Stop) -> Option<std::process::ExitStatus> {
    let mut pause = Duration::from_micros(500);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if stop.due().is_some() {
            return None;
        }
        let left = deadline.checked_duration_since(Instant::now())?;
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

fn kill_group(child: &Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        // The group may be gone already, which is what is wanted.
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// Reads a stream to its end while keeping only its beginning and its end.
struct Capture {
    thread: std::thread::JoinHandle<(Vec<u8>, VecDeque<u8>, u64)>,
}

impl Capture {
    fn start(mut stream: impl Read + Send + 'static) -> Self {
        let thread = std::thread::spawn(move || {
            let (mut head, mut tail, mut cut) = (Vec::new(), VecDeque::new(), 0_u64);
            let mut buffer = vec![0_u8; 64 * 1024];
            while let Ok(n) = stream.read(&mut buffer) {
                if n == 0 {
                    break;
                }
                let into_head = n.min(KEEP_HEAD - head.len());
                head.extend_from_slice(&buffer[..into_head]);
                tail.extend(&buffer[into_head..n]);
                let over = tail.len().saturating_sub(KEEP_TAIL);
                tail.drain(..over);
                cut += over as u64;
            }
            (head, tail, cut)
        });
        Self { thread }
    }

    fn finish(self) -> (String, u64) {
        // A descendant that left the group may hold the pipe open for ever (only without a pid
        // namespace); what it says after the end is not waited for.
        let deadline = Instant::now() + Duration::from_secs(2);
        while !self.thread.is_finished() {
            if Instant::now() > deadline {
                return (String::new(), 0);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let Ok((head, mut tail, cut)) = self.thread.join() else { return Default::default() };
        let mut text = String::from_utf8_lossy(&head).into_owned();
        if cut > 0 {
            text.push_str(&format!("\n[failfirst: {cut} bytes of output cut here]\n"));
        }
        text.push_str(&String::from_utf8_lossy(tail.make_contiguous()));
        (text, cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn exit_code_and_both_streams_come_back() {
        let output = run(shell("echo out; echo err >&2; exit 3"), Duration::from_secs(5)).unwrap();
        assert_eq!((output.code, output.timed_out), (Some(3), false));
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
    }

    #[test]
    fn a_command_that_never_ends_is_killed_with_its_children() {
        let started = Instant::now();
        let output = run(shell("sleep 100 & sleep 100"), Duration::from_millis(200)).unwrap();
        assert!(output.timed_out && output.code.is_none());
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_flood_of_output_is_cut_in_its_middle() {
        let script = "echo first; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo last";
        let output = run(shell(script), Duration::from_secs(30)).unwrap();
        assert!(output.stdout.starts_with("first\n") && output.stdout.ends_with("last\n"));
        assert!(output.cut > 10_000_000 && output.stdout.len() < 3_000_000, "{}", output.cut);
    }
}
