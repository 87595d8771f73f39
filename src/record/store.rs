//! The record on disk.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Entry, Event};

const EVENTS: &str = "events.jsonl";
const BLOBS: &str = "blobs";

/// The SHA-256 of some bytes, in hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Digest {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // It becomes a file name.
        let good = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if good { Ok(Self(text)) } else { Err(format!("{text:?} is no SHA-256")) }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

/// Why a record cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file operation failed.
    #[error("record {path}: {source}; choose another folder with --record")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The folder holds a record already, or something else.
    #[error("record {path}: the folder is not empty; choose another with --record")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// Another process writes to it.
    #[error("record {path}: another failfirst is writing to it")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds no record.
    #[error("record {path}: there is no {EVENTS} in it")]
    NoRecord {
        /// The folder.
        path: PathBuf,
    },
    /// The log was changed or is of another version.
    #[error("record {path}, line {line}: {what}; the record cannot be trusted")]
    Broken {
        /// The log.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A blob is absent or not what its name says.
    #[error("record {path}: {what}; the record cannot be trusted")]
    Blob {
        /// The blob.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
}

/// A record that is being written.
pub struct Record {
    folder: PathBuf,
    log: Mutex<Log>,
}

struct Log {
    file: Flock<File>,
    next: u64,
    prev: Digest,
    /// Blobs that may not be on the disk yet.
    unsynced: Vec<PathBuf>,
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> RecordError {
    move |source| RecordError::Io { path: path.to_owned(), source }
}

/// A new folder's name for a run that starts now, below the user's state folder.
///
/// # Errors
/// Neither `XDG_STATE_HOME` nor `HOME` is set: a fragment that says so.
pub fn default_folder(now: Timestamp) -> Result<PathBuf, String> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .ok_or("neither XDG_STATE_HOME nor HOME is set; name a folder with --record")?;
    let id = format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), crate::lab::nonce(3));
    Ok(state.join("failfirst/runs").join(id))
}

impl Record {
    /// Starts a record in a folder that is absent or empty.
    ///
    /// # Errors
    /// [`RecordError::NotEmpty`], [`RecordError::Io`].
    pub fn create(folder: &Path) -> Result<Self, RecordError> {
        // Prompts and replies may hold what is not for everybody on the machine.
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder).map_err(io(folder))?;
        if fs::read_dir(folder).map_err(io(folder))?.next().is_some() {
            return Err(RecordError::NotEmpty { path: folder.to_owned() });
        }
        let blobs = folder.join(BLOBS);
        builder.recursive(false).create(&blobs).map_err(io(&blobs))?;
        Self::hold(folder, true).map(|(record, _)| record)
    }

    /// Opens a record to go on with it, and tells what it holds. A torn last line is cut off.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn resume(folder: &Path) -> Result<(Self, Vec<Entry>), RecordError> {
        Self::hold(folder, false)
    }

    /// Reads a record without changing it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn read(folder: &Path) -> Result<Vec<Entry>, RecordError> {
        let path = folder.join(EVENTS);
        let file = File::open(&path).map_err(|source| absent(folder, &path, source))?;
        read_entries(&file, &path).map(|(entries, _, _)| entries)
    }

    fn hold(folder: &Path, new: bool) -> Result<(Self, Vec<Entry>), RecordError> {
        let path = folder.join(EVENTS);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(new)
            .mode(0o600)
            .open(&path)
            .map_err(|source| absent(folder, &path, source))?;
        let mut file = Flock::lock(file, FlockArg::LockExclusiveNonblock)
            .map_err(|_| RecordError::InUse { path: folder.to_owned() })?;
        let (entries, whole, prev) = read_entries(&file, &path)?;
        file.set_len(whole).map_err(io(&path))?;
        file.seek(SeekFrom::End(0)).map_err(io(&path))?;
        let log = Log { file, next: entries.len() as u64, prev, unsynced: Vec::new() };
        Ok((Self { folder: folder.to_owned(), log: Mutex::new(log) }, entries))
    }

    /// Where the record lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds an event.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn append(&self, event: Event) -> Result<(), RecordError> {
        let path = self.folder.join(EVENTS);
        let mut log = self.log();
        let entry = Entry { seq: log.next, at: Timestamp::now(), prev: log.prev.clone(), event };
        let mut line = serde_json::to_vec(&entry).expect("events hold nothing that JSON cannot say");
        let prev = Digest::of(&line);
        line.push(b'\n');
        log.file.write_all(&line).map_err(io(&path))?;
        log.prev = prev;
        log.next += 1;
        Ok(())
    }

    /// Stores bytes and names them.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn store(&self, bytes: &[u8]) -> Result<Digest, RecordError> {
        let digest = Digest::of(bytes);
        let path = blob_path(&self.folder, &digest);
        let mut log = self.log();
        if path.exists() {
            return Ok(digest);
        }
        let folder = path.parent().unwrap_or(&self.folder);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io(folder))?;
        let part = path.with_extension("part");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .map_err(io(&part))?;
        file.write_all(bytes).map_err(io(&part))?;
        drop(file);
        fs::rename(&part, &path).map_err(io(&path))?;
        log.unsynced.push(path);
        Ok(digest)
    }

    /// Stores a text and names it.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn store_text(&self, text: &str) -> Result<Digest, RecordError> {
        self.store(text.as_bytes())
    }

    /// Waits until all is on the disk: blobs first, then the events that name them.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn sync(&self) -> Result<(), RecordError> {
        let path = self.folder.join(EVENTS);
        let mut log = self.log();
        for blob in std::mem::take(&mut log.unsynced) {
            File::open(&blob).and_then(|file| file.sync_data()).map_err(io(&blob))?;
        }
        log.file.sync_data().map_err(io(&path))
    }

    /// The bytes that `digest` names in the record at `folder`.
    ///
    /// # Errors
    /// [`RecordError::Blob`].
    pub fn load(folder: &Path, digest: &Digest) -> Result<Vec<u8>, RecordError> {
        let path = blob_path(folder, digest);
        let bytes =
            fs::read(&path).map_err(|_| RecordError::Blob { path: path.clone(), what: "is missing" })?;
        if Digest::of(&bytes) != *digest {
            return Err(RecordError::Blob { path, what: "was changed" });
        }
        Ok(bytes)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn absent(folder: &Path, path: &Path, source: std::io::Error) -> RecordError {
    if source.kind() == std::io::ErrorKind::NotFound {
        RecordError::NoRecord { path: folder.to_owned() }
    } else {
        RecordError::Io { path: path.to_owned(), source }
    }
}

fn blob_path(folder: &Path, digest: &Digest) -> PathBuf {
    let (first, rest) = digest.as_str().split_at(2);
    folder.join(BLOBS).join(first).join(rest)
}

/// The entries of a log, how many of its bytes are whole, and the hash of its last line.
fn read_entries(file: &File, path: &Path) -> Result<(Vec<Entry>, u64, Digest), RecordError> {
    let mut reader = BufReader::new(file);
    let (mut entries, mut whole, mut prev) = (Vec::new(), 0, Digest::of(b""));
    loop {
        let mut line = Vec::new();
        reader.by_ref().read_until(b'\n', &mut line).map_err(io(path))?;
        // A line without its end was being written when the process died.
        if line.pop() != Some(b'\n') {
            return Ok((entries, whole, prev));
        }
        let number = entries.len() + 1;
        let broken = |what: String| RecordError::Broken { path: path.to_owned(), line: number, what };
        let entry: Entry = serde_json::from_slice(&line).map_err(|error| broken(error.to_string()))?;
        if entry.prev != prev || entry.seq != entries.len() as u64 {
            return Err(broken("does not follow from the line before".to_owned()));
        }
        prev = Digest::of(&line);
        whole += line.len() as u64 + 1;
        entries.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str) -> Event {
        Event::NoReview { reason: text.to_owned() }
    }

    fn reasons(entries: &[Entry]) -> Vec<String> {
        let reason = |entry: &Entry| match &entry.event {
            Event::NoReview { reason } => reason.clone(),
            other => format!("{other:?}"),
        };
        entries.iter().map(reason).collect()
    }

    fn three() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("runs/a");
        let record = Record::create(&place).unwrap();
        for text in ["one", "two", "three"] {
            record.append(note(text)).unwrap();
        }
        record.sync().unwrap();
        (folder, place)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let (_folder, place) = three();
        assert_eq!(reasons(&Record::read(&place).unwrap()), ["one", "two", "three"]);
        assert!(matches!(Record::create(&place), Err(RecordError::NotEmpty { .. })));
        assert!(matches!(Record::read(&place.join("blobs")), Err(RecordError::NoRecord { .. })));
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_the_record_goes_on() {
        let (_folder, place) = three();
        let log = place.join(EVENTS);
        let text = fs::read_to_string(&log).unwrap();
        for cut in [1, 10, 60] {
            fs::write(&log, &text[..text.len() - cut]).unwrap();
            assert_eq!(reasons(&Record::read(&place).unwrap()), ["one", "two"]);
        }
        let (record, entries) = Record::resume(&place).unwrap();
        assert_eq!(entries.len(), 2);
        record.append(note("again")).unwrap();
        drop(record);
        assert_eq!(reasons(&Record::read(&place).unwrap()), ["one", "two", "again"]);
    }

    #[test]
    fn a_changed_past_shows() {
        let (_folder, place) = three();
        let log = place.join(EVENTS);
        let text = fs::read_to_string(&log).unwrap();
        fs::write(&log, text.replace("one", "eno")).unwrap();
        let error = Record::read(&place).unwrap_err().to_string();
        assert!(error.contains("line 2: does not follow from the line before"), "{error}");
        let without: Vec<_> = text.lines().skip(1).collect();
        fs::write(&log, without.join("\n") + "\n").unwrap();
        assert!(Record::read(&place).unwrap_err().to_string().contains("line 1: does not follow"));
        fs::write(&log, format!("nonsense\n{text}")).unwrap();
        assert!(Record::read(&place).unwrap_err().to_string().contains("line 1: expected"));
    }

    #[test]
    fn two_processes_do_not_write_one_record() {
        let (_folder, place) = three();
        let (_held, _) = Record::resume(&place).unwrap();
        assert!(matches!(Record::resume(&place), Err(RecordError::InUse { .. })));
        assert_eq!(Record::read(&place).unwrap().len(), 3);
    }

    #[test]
    fn blobs_are_named_by_their_content_and_checked() {
        let (_folder, place) = three();
        let (record, _) = Record::resume(&place).unwrap();
        let digest = record.store_text("hello").unwrap();
        assert_eq!(record.store(b"hello").unwrap(), digest);
        record.sync().unwrap();
        assert_eq!(Record::load(&place, &digest).unwrap(), b"hello");
        fs::write(blob_path(&place, &digest), "hullo").unwrap();
        assert!(Record::load(&place, &digest).unwrap_err().to_string().contains("was changed"));
        assert!(Record::load(&place, &Digest::of(b"x")).unwrap_err().to_string().contains("is missing"));
        assert!(serde_json::from_str::<Digest>("\"../../../etc/passwd\"").is_err());
    }
}
