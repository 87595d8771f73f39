//! Two extra tests in the package of a test file.

use super::essence::parse;
use crate::git::RepoPath;
use crate::lang::Canaries;

/// A test file with one test that passes and one that fails, in the package of `beside`, so that
/// they run in the same test binary. Their file's name sorts anywhere among the package's own, and
/// which of the two comes first depends on the nonce.
pub(super) fn of(beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
    let package = package_clause(source)?;
    let nonce: String = nonce.chars().filter(char::is_ascii_alphanumeric).collect();
    let seed = nonce.bytes().fold(17_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let first_fails = seed.is_multiple_of(2);
    let letter = |n: u32| char::from(b'a' + (n % 26) as u8);
    let names = [
        format!("Test{}{nonce}", letter(seed / 2).to_ascii_uppercase()),
        format!("Test{}{nonce}", letter(seed / 2 + 1).to_ascii_uppercase()),
    ];
    // Both compare a product with a number; it is the right one in only one of them.
    let (a, b) = (seed / 7 % 89 + 11, seed / 11 % 83 + 13);
    let bound = |fails: bool| if fails { a * b + 1 + seed % 5 } else { a * b };
    let file = beside.sibling(&format!("{}{nonce}x_test.go", letter(seed / 3))).ok()?;
    let constraints: String = source
        .lines()
        .take_while(|line| !line.starts_with("package "))
        .filter(|line| line.starts_with("//go:build ") || line.starts_with("// +build "))
        .map(|line| format!("{line}\n"))
        .collect();
    let separator = if constraints.is_empty() { "" } else { "\n" };
    let test = |name: &str, bound: u32| {
        format!(
            "func {name}(t *t{nonce}.T) {{\n\tif got := product{nonce}({a}, {b}); got != {bound} {{\n\t\tt.Errorf(\"got %d, want %d\", got, {bound})\n\t}}\n}}\n"
        )
    };
    let content = format!(
        "{constraints}{separator}package {package}\n\nimport t{nonce} \"testing\"\n\nfunc product{nonce}(a, b int) int {{\n\treturn a * b\n}}\n\n{}\n{}",
        test(&names[0], bound(first_fails)),
        test(&names[1], bound(!first_fails)),
    );
    let [first, second] = names;
    let (passes, fails) = if first_fails { (second, first) } else { (first, second) };
    Some(Canaries { path: file, content, passes, fails })
}

/// The name in the package clause.
fn package_clause(source: &str) -> Option<String> {
    let tree = parse(source)?;
    let root = tree.root_node();
    let mut cursor = root.walk();
    let clause = root.children(&mut cursor).find(|node| node.kind() == "package_clause")?;
    let name = clause.named_child(0).filter(|node| node.kind() == "package_identifier")?;
    Some(source[name.byte_range()].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside() -> RepoPath {
        RepoPath::new("cart/cart_test.go").unwrap()
    }

    #[test]
    fn canaries_stand_in_the_package_of_the_test() {
        let source = "// Copyright\n\n//go:build linux\n\n// package x\npackage cart_test\n";
        let canaries = of(&beside(), source, "3fa9").unwrap();
        assert_eq!(canaries.path.parent(), "cart");
        assert!(canaries.path.file_name().ends_with("_test.go"));
        assert!(canaries.content.starts_with("//go:build linux\n\npackage cart_test\n"));
        assert_ne!(canaries.passes, canaries.fails);
        assert!(!parse(&canaries.content).unwrap().root_node().has_error());
    }

    #[test]
    fn which_canary_fails_does_not_follow_from_its_place() {
        let first = |nonce: &str| {
            let canaries = of(&beside(), "package cart\n", nonce).unwrap();
            let at = |name: &str| canaries.content.find(&format!("func {name}(")).unwrap();
            at(&canaries.passes) < at(&canaries.fails)
        };
        let orders: Vec<bool> = (0..20).map(|n| first(&format!("a{n}"))).collect();
        assert!(orders.contains(&true) && orders.contains(&false), "{orders:?}");
    }

    #[test]
    fn a_file_without_a_package_gets_none() {
        assert_eq!(of(&beside(), "not go", "1"), None);
    }
}
