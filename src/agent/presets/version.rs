//! Versions of programs.

use std::fmt;

/// A version: three numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version(pub u64, pub u64, pub u64);

impl Version {
    /// The first version in what a program prints.
    pub fn find(text: &str) -> Option<Self> {
        let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
        words.map(|word| word.split('.').map(str::parse).collect::<Vec<_>>()).find_map(|parts| {
            match parts.as_slice() {
                [Ok(major), Ok(minor), Ok(patch), ..] => Some(Self(*major, *minor, *patch)),
                _ => None,
            }
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_print() {
        for (text, version) in [
            ("2.1.330 (Claude Code)", Version(2, 1, 330)),
            ("WARNING: no PATH aliases under /tmp\ncodex-cli 0.169.0", Version(0, 169, 0)),
            ("mini-swe-agent version v2.4.6.", Version(2, 4, 6)),
        ] {
            assert_eq!(Version::find(text), Some(version));
        }
        assert_eq!(Version::find("no version 2.0 here"), None);
        assert!(Version(2, 10, 0) > Version(2, 9, 9));
    }
}
