//! Reads the stacks that `faulthandler` wrote shortly before the time limit.

use std::path::Path;

use super::FrameData;

/// The frames of the main thread, outermost first; empty where there is no dump.
pub(super) fn frames(text: &str, main: Option<u64>) -> Vec<FrameData> {
    let mut threads: Vec<(Option<u64>, Vec<FrameData>)> = Vec::new();
    for line in text.lines() {
        if let Some(id) = thread(line) {
            threads.push((id, Vec::new()));
        } else if let (Some(frame), Some((_, frames))) = (frame(line), threads.last_mut()) {
            frames.push(frame);
        }
    }
    // Of several dumps the last is the hang; a thread without a known id is better than nothing.
    let found =
        threads.iter().rposition(|(id, _)| main.is_some() && *id == main).or(threads.len().checked_sub(1));
    let mut frames = found.map(|at| threads.swap_remove(at).1).unwrap_or_default();
    frames.reverse();
    frames
}

/// As [`frames`], from a file.
pub(super) fn read(file: &Path, main: Option<u64>) -> (Vec<FrameData>, String) {
    let bytes = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (frames(&text, main), text)
}

/// `Thread 0x00007f… [name] (most recent call first):`, also `Current thread 0x…`.
fn thread(line: &str) -> Option<Option<u64>> {
    let rest = line.strip_prefix("Current thread ").or_else(|| line.strip_prefix("Thread "))?;
    let id = rest.strip_prefix("0x")?.split(' ').next()?;
    Some(u64::from_str_radix(id, 16).ok())
}

/// `  File "/a/b.py", line 3 in name`.
fn frame(line: &str) -> Option<FrameData> {
    let rest = line.strip_prefix("  File \"")?;
    let (file, rest) = rest.rsplit_once("\", line ")?;
    let (number, function) = rest.split_once(" in ")?;
    Some(FrameData {
        file: file.to_owned(),
        line: number.parse().unwrap_or(0),
        function: Some(function.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_threads_stack_is_found_among_others() {
        let text = "Timeout (0:00:01)!\nThread 0x00007f01 (most recent call first):\n  File \"/x/pool.py\", line 9 in wait\n\n\
                    Thread 0x00007f02 [main] (most recent call first):\n  File \"/p/a b.py\", line 3 in spin\n  \
                    File \"/p/test_a.py\", line 7 in test_spin\n";
        let found = frames(text, Some(0x7f02));
        let names: Vec<_> = found.iter().map(|frame| (frame.file.as_str(), frame.line)).collect();
        assert_eq!(names, [("/p/test_a.py", 7), ("/p/a b.py", 3)]);
        assert_eq!(frames("", None).len(), 0);
    }
}
