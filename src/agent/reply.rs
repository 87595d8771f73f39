//! Finding the JSON object in what an agent said.

use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::Value;

/// No claims are longer.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// The last JSON object of a text that is not inside another one.
pub(super) fn last_object(text: &str) -> Option<Value> {
    let mut start = text.len().saturating_sub(MAX_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let text = &text[start..];
    let mut last = None;
    let mut at = 0;
    while let Some(found) = text[at..].find('{') {
        at += found;
        // Nesting is limited to 128 by serde_json, so a wrong start costs little however many braces
        // an agent prints.
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                last = Some(value);
                at += values.byte_offset();
            }
            _ => at += 1,
        }
    }
    last
}

/// The text of a reply file; `None` where there is none.
///
/// The agent could have put anything there: a link to a secret, a pipe that never ends.
pub(super) fn read_file(path: &Path) -> Option<String> {
    use nix::fcntl::OFlag;
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_outermost_object_counts() {
        let found = |text: &str| last_object(text).map(|value| value.to_string());
        assert_eq!(
            found("a {\"x\":{\"y\":1}} b {\"z\":[{\"w\":2}]} } {"),
            Some("{\"z\":[{\"w\":2}]}".to_owned())
        );
        assert_eq!(found("fn main() { {} }"), Some("{}".to_owned()));
        assert_eq!(found("no object"), None);
        assert_eq!(found(&"{\"a\":".repeat(5_000)), None);
        assert_eq!(found(&format!("{}{{\"a\":1}}", "é".repeat(MAX_BYTES))), Some("{\"a\":1}".to_owned()));
    }

    #[test]
    fn a_link_or_a_folder_is_no_reply() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, link) = (folder.path().join("secret"), folder.path().join("reply.json"));
        std::fs::write(&secret, "{}").unwrap();
        std::os::unix::fs::symlink(&secret, &link).unwrap();
        assert_eq!(read_file(&link), None);
        assert_eq!(read_file(folder.path()), None);
        assert_eq!(read_file(&folder.path().join("absent")), None);
        assert_eq!(read_file(&secret).as_deref(), Some("{}"));
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read_file(&pipe), None);
    }
}
