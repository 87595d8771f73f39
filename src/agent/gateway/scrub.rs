//! Takes the key out of what a provider says: some errors repeat it.

use secrecy::{ExposeSecret, SecretString};

const INSTEAD: &[u8] = b"[key]";

/// Removes a key from a stream of bytes, also where it is torn between two pieces.
pub(super) struct Scrubber {
    key: Option<SecretString>,
    held: Vec<u8>,
}

impl Scrubber {
    /// For a key; without one everything passes.
    pub(super) fn new(key: Option<SecretString>) -> Self {
        Self { key: key.filter(|key| !key.expose_secret().is_empty()), held: Vec::new() }
    }

    /// The bytes that can be passed on. Held back is only an end that may be the beginning of the key.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(key) = &self.key else { return bytes.to_vec() };
        let key = key.expose_secret().as_bytes();
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(bytes);
        if text.len() >= key.len() {
            text = replace(&text, key);
        }
        let most = (key.len() - 1).min(text.len());
        let hold = (1..=most).rev().find(|&length| text.ends_with(&key[..length])).unwrap_or(0);
        self.held = text.split_off(text.len() - hold);
        text
    }

    /// What was held back, at the end.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// A whole text without the key.
    pub(super) fn text(&self, text: &str) -> String {
        match &self.key {
            Some(key) => text.replace(key.expose_secret(), "[key]"),
            None => text.to_owned(),
        }
    }

    /// Whole bytes without the key.
    pub(super) fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        match &self.key {
            Some(key) => replace(bytes, key.expose_secret().as_bytes()),
            None => bytes.to_vec(),
        }
    }
}

fn replace(text: &[u8], key: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest, key) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(INSTEAD);
        rest = &rest[at + key.len()..];
    }
    clean.extend_from_slice(rest);
    clean
}

pub(super) fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(pieces: &[&str]) -> String {
        let mut scrubber = Scrubber::new(Some("sk-secret".to_owned().into()));
        let mut out: Vec<u8> = pieces.iter().flat_map(|piece| scrubber.pass(piece.as_bytes())).collect();
        out.extend(scrubber.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_key_is_taken_out_however_it_is_torn() {
        assert_eq!(through(&["bad key sk-secret, sorry"]), "bad key [key], sorry");
        assert_eq!(through(&["bad key sk-s", "ecre", "t, sorry"]), "bad key [key], sorry");
        assert_eq!(through(&["sk-sk-sk-secretsk-secret"]), "sk-sk-[key][key]");
        assert_eq!(through(&["ends in sk-se"]), "ends in sk-se");
    }

    #[test]
    fn nothing_is_held_back_that_is_no_beginning_of_the_key() {
        let mut scrubber = Scrubber::new(Some("sk-secret".to_owned().into()));
        assert_eq!(scrubber.pass(b"data: hello\n\n"), b"data: hello\n\n");
        assert_eq!(Scrubber::new(None).pass(b"x"), b"x");
    }
}
