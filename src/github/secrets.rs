//! Keeps tokens out of what is published: every outgoing text and file is looked through.
//!
//! Known forms are found by their look; secrets of this process by their value, also where they are
//! broken up by white space or punctuation, or written in base64 or hexadecimal digits.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use regex::Regex;

/// What a token of a well-known kind looks like.
static KINDS: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    [
        ("a GitHub token", r"(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})"),
        ("an Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
        ("an OpenAI key", r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,}"),
        ("a Google key", r"\bAIza[A-Za-z0-9_-]{35}"),
        ("an AWS key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        ("a Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
        ("a private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    ]
    .into_iter()
    .map(|(name, pattern)| (name, Regex::new(pattern).expect("the pattern is valid (tested)")))
    .collect()
});

/// A stretch that may be base64.
static BASE64: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9+/_-]{24,}").expect("the pattern is valid (tested)"));

/// The shortest value that counts as a secret; shorter ones would be found everywhere, in bytes.
const SHORTEST: usize = 12;

/// Looks for secrets.
#[derive(Clone, Default)]
pub struct Scanner {
    /// Values, with what they are called.
    values: Vec<(String, String)>,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scanner({} values)", self.values.len())
    }
}

impl Scanner {
    /// With the values of variables whose names say that they are secret.
    pub fn from_environment() -> Self {
        let secret = |name: &str| {
            let name = name.to_ascii_uppercase();
            ["TOKEN", "SECRET", "PASSWORD", "API_KEY", "PRIVATE_KEY", "ACCESS_KEY"]
                .iter()
                .any(|part| name.contains(part))
        };
        let values = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, value)| secret(name) && value.len() >= SHORTEST && !value.starts_with('/'))
            .map(|(name, value)| (format!("the value of {name}"), value))
            .collect();
        Self { values }
    }

    /// With a value more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if value.len() >= SHORTEST {
            self.values.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// What kind of secret a text holds, if any. The secret itself is not given.
    pub fn find(&self, text: &str) -> Option<String> {
        if let Some(found) = self.plain(text) {
            return Some(found);
        }
        // Broken up by spaces, line breaks, quotes or invisible characters.
        let joined: String =
            text.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
        for (name, value) in &self.values {
            let value: String =
                value.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
            if value.len() >= SHORTEST && joined.contains(&value) {
                return Some(format!("{name} in pieces"));
            }
        }
        for stretch in BASE64.find_iter(text) {
            let stretch = stretch.as_str().replace('-', "+").replace('_', "/");
            // A token may start at any of four places within the groups of base64.
            for from in 0..4.min(stretch.len()) {
                let part = &stretch[from..];
                let part = &part[..part.len() - part.len() % 4];
                let Ok(bytes) = STANDARD_NO_PAD.decode(part.as_bytes()) else { continue };
                if let Some(found) = self.plain(&String::from_utf8_lossy(&bytes)) {
                    return Some(format!("{found} in base64"));
                }
            }
        }
        let lower = text.to_ascii_lowercase();
        self.values.iter().find_map(|(name, value)| {
            let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
            lower.contains(&hex).then(|| format!("{name} in hexadecimal digits"))
        })
    }

    fn plain(&self, text: &str) -> Option<String> {
        if let Some((name, _)) = self.values.iter().find(|(_, value)| text.contains(value.as_str())) {
            return Some(name.clone());
        }
        KINDS.iter().find(|(_, kind)| kind.is_match(text)).map(|(name, _)| (*name).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that no scanner of this repository takes it for a real one.
    fn token() -> String {
        format!("gh{}_{}", "p", "Ab1".repeat(12))
    }

    #[test]
    fn tokens_are_found_raw_and_in_base64_at_every_offset() {
        let scanner = Scanner::default();
        assert_eq!(scanner.find(&format!("see {}!", token())).as_deref(), Some("a GitHub token"));
        for before in ["", "x", "xy", "xyz"] {
            let text = STANDARD_NO_PAD.encode(format!("{before}{}", token()));
            let found = scanner.find(&format!("data: {text}."));
            assert_eq!(found.as_deref(), Some("a GitHub token in base64"), "{before:?}");
        }
    }

    #[test]
    fn a_known_value_is_found_in_pieces_and_in_hexadecimal_digits() {
        let scanner = Scanner::default().with("the model key", "s3cret-value-0123456789");
        for text in ["s3cret-value-0123456789", "s3cret-\nvalue-\u{200b}012345 6789"] {
            assert!(scanner.find(text).is_some_and(|found| found.contains("the model key")), "{text:?}");
        }
        let hex: String = "s3cret-value-0123456789".bytes().map(|byte| format!("{byte:02X}")).collect();
        assert!(scanner.find(&hex).is_some());
    }

    #[test]
    fn ordinary_texts_with_hashes_and_paths_pass() {
        let scanner = Scanner::default().with("a value", "s3cret-value-0123456789").with("short", "a");
        for text in [
            "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
            "tests/test_booking.py::test_two_guests_never_get_the_same_room",
            "sk-learn and ghp_short",
            &"c0ffee".repeat(20),
        ] {
            assert_eq!(scanner.find(text), None, "{text}");
        }
    }
}
