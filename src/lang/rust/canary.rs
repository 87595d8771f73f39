//! A passing and a failing test beside the sealed ones, in the same program.

use sha2::{Digest, Sha256};

use super::super::Canaries;
use crate::git::RepoPath;

/// The file `beside` with a module of two tests at its end. Which of them passes follows from a
/// digest of the nonce, and the text of both has the same form.
///
/// They use one of the macros that the file uses, by its bare name: where production code puts its
/// own `assert_eq!` in the place of the standard one, the canary that must fail shows it. They import
/// nothing, since a file's own `use pretty_assertions::assert_eq` would make the name ambiguous.
pub(super) fn beside(path: &RepoPath, source: &str, nonce: &str, bare: bool) -> Canaries {
    let digest = Sha256::digest(nonce.as_bytes());
    let word = |at: usize| digest[at..at + 4].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (one, other) = (format!("part_{nonce}_{}", word(0)), format!("part_{nonce}_{}", word(4)));
    let first_passes = digest[8] % 2 == 0;
    let (rounds, step) = (u32::from(digest[9]) + 300, u32::from(digest[10]) + 2);
    let shift = u32::from(digest[11] % 7) + 1;
    let used: Vec<&str> =
        ["assert_eq!(", "assert!(", "assert_ne!("].into_iter().filter(|name| source.contains(name)).collect();
    let assertion = used.get(usize::from(digest[12]) % used.len().max(1)).copied().unwrap_or("assert_eq!(");
    // A macro of the crate may bear the attribute's name.
    let root = if bare { "core" } else { "std" };
    let test = |name: &str, passes: bool, rounds: u32| {
        let sum = rounds * step;
        let check = match assertion {
            "assert!(" => format!("assert!(n_{nonce} == {})", if passes { sum } else { sum + shift }),
            "assert_ne!(" => format!("assert_ne!(n_{nonce}, {})", if passes { sum + shift } else { sum }),
            _ => format!("assert_eq!(n_{nonce}, {})", if passes { sum } else { sum + shift }),
        };
        format!(
            "    #[::{root}::prelude::v1::test]\n    fn {name}() {{\n        let mut n_{nonce} = 0u32;\n        let mut \
             i_{nonce} = 0u32;\n        while i_{nonce} < {rounds} {{\n            n_{nonce} += {step};\n            \
             i_{nonce} += 1;\n        }}\n        {check};\n    }}\n"
        )
    };
    let mut content = source.to_owned();
    if !content.is_empty() && !content.ends_with('\n') {
        content.push('\n');
    }
    content.push_str(&format!(
        "\n#[cfg(test)]\nmod part_{nonce} {{\n{}\n{}}}\n",
        test(&one, first_passes, rounds),
        test(&other, !first_passes, rounds + 1)
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
