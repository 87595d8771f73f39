//! A passing and a failing test beside the sealed ones, in the same program.

use sha2::{Digest, Sha256};

use super::super::Canaries;
use crate::git::RepoPath;

/// The file `beside` with a module of two tests at its end. Which of them passes follows from a
/// digest of the nonce, and the text of both has the same form.
pub(super) fn beside(path: &RepoPath, source: &str, nonce: &str, bare: bool) -> Canaries {
    let digest = Sha256::digest(nonce.as_bytes());
    let word = |at: usize| digest[at..at + 4].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (one, other) = (format!("part_{nonce}_{}", word(0)), format!("part_{nonce}_{}", word(4)));
    let first_passes = digest[8] % 2 == 0;
    let (base, step) = (u32::from(digest[9]) + 300, u32::from(digest[10]) + 2);
    let shift = u32::from(digest[11] % 7) + 1;
    let expected = |passes: bool, seed: u32| seed * step + if passes { 0 } else { shift };
    let test = |name: &str, passes: bool, seed: u32| {
        // Both bounds hold for the passing and the failing form alike; only the sum differs.
        format!(
            "    #[test]\n    fn {name}() {{\n        let mut sum = 0u32;\n        let mut round = 0u32;\n        \
             while round < {seed} {{\n            sum += {step};\n            round += 1;\n        }}\n        \
             {std}assert_eq!(sum, {});\n    }}\n",
            expected(passes, seed),
            std = if bare { "self::std::" } else { "::std::" },
        )
    };
    // A macro of the file must not stand in for the standard one, hence the full path.
    let import = if bare { "    extern crate std;\n\n" } else { "" };
    let mut content = source.to_owned();
    if !content.is_empty() && !content.ends_with('\n') {
        content.push('\n');
    }
    content.push_str(&format!(
        "\n#[cfg(test)]\nmod part_{nonce} {{\n{import}{}\n{}}}\n",
        test(&one, first_passes, base),
        test(&other, !first_passes, base + 1)
    ));
    let (passes, fails) = if first_passes { (one, other) } else { (other, one) };
    Canaries { path: path.clone(), content, passes, fails }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_of_the_passing_canary_depends_on_the_nonce() {
        let path = RepoPath::new("tests/a.rs").unwrap();
        let mut orders = std::collections::BTreeSet::new();
        for nonce in ["a1", "b2", "c3", "d4", "e5", "f6", "a7", "b8"] {
            let canaries = beside(&path, "#[test]\nfn t() {}", nonce, false);
            let at = |name: &str| canaries.content.find(&format!("fn {name}(")).unwrap();
            orders.insert(at(&canaries.passes) < at(&canaries.fails));
            assert!(canaries.content.starts_with("#[test]\nfn t() {}\n\n#[cfg(test)]\nmod part_"));
        }
        assert_eq!(orders.len(), 2);
    }
}
