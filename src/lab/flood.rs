//! Ends a command that fills the disk.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Stop;

/// What a workspace may grow to: 4 GiB, or so many files.
const MOST_BYTES: u64 = 4 << 30;
const MOST_FILES: u64 = 400_000;

/// A watch over a folder. It ends when this is dropped.
pub(super) struct Flood {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    /// Looks at the folder every second and a half, and asks `stop` to end the command when it holds too much.
    pub(super) fn watch(folder: &Path, stop: &Stop) -> Self {
        let (done, wait) = channel();
        let (folder, stop) = (folder.to_owned(), stop.clone());
        let thread = std::thread::spawn(move || {
            while wait.recv_timeout(Duration::from_millis(1500)) == Err(RecvTimeoutError::Timeout) {
                if is_too_much(&folder) {
                    let most = MOST_BYTES >> 30;
                    stop.at(
                        Instant::now(),
                        format!("it wrote more than {most} GiB or {MOST_FILES} files to the disk"),
                    );
                    break;
                }
            }
        });
        Self { done: Some(done), thread: Some(thread) }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            // It only watches; that it failed would change nothing.
            let _ = thread.join();
        }
    }
}

fn is_too_much(folder: &Path) -> bool {
    let (mut bytes, mut files) = (0_u64, 0_u64);
    let mut waiting: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let Ok(items) = std::fs::read_dir(&folder) else { continue };
        for item in items.flatten() {
            let Ok(meta) = item.metadata() else { continue };
            bytes = bytes.saturating_add(meta.blocks().saturating_mul(512));
            files += 1;
            if bytes > MOST_BYTES || files > MOST_FILES {
                return true;
            }
            if meta.is_dir() {
                waiting.push(item.path());
            }
        }
    }
    false
}
