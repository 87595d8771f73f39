//! Splitting and grafting.

use proptest::prelude::*;

use super::super::syntax;
use super::container::{Container, Show};
use super::{graft, split, test_lines};
use crate::lang::Inline;

const MIXED: &str = "\
//! Crate.

#[cfg(test)]
use std::fmt;

pub fn a() -> u32 {
    1
}

pub mod inner {
    pub fn b() {}

    // kept with production
    /// Checks b.
    #[cfg(all(test, feature = \"std\"))]
    mod checks {
        #[test]
        fn b() {}
    }
}

impl S {
    pub fn c(&self) {}

    #[cfg(test)]
    fn count(&self) -> u32 {
        0
    }
}

#[test]
// why
#[ignore]
fn bare() {}

#[cfg(test)]
mod tests;
";

#[test]
fn test_items_are_told_from_the_rest_with_what_stands_in_front_of_them() {
    let inline = split(MIXED).unwrap();
    assert_eq!(inline.items.len(), 5);
    assert_eq!(inline.items[0], "#[cfg(test)]\nuse std::fmt;");
    assert!(inline.items[1].starts_with("/// Checks b.\n    #[cfg(all(test"), "{}", inline.items[1]);
    assert!(inline.items[2].starts_with("#[cfg(test)]\n    fn count"));
    assert_eq!(inline.items[3], "#[test]\n// why\n#[ignore]\nfn bare() {}");
    assert_eq!(inline.items[4], "#[cfg(test)]\nmod tests;");
    assert_eq!(
        inline.production,
        "//! Crate.\n\npub fn a() -> u32 {\n    1\n}\n\npub mod inner {\n    pub fn b() {}\n\n    // kept with \
         production\n}\n\nimpl S {\n    pub fn c(&self) {}\n}\n"
    );
    assert_eq!(test_lines(MIXED), [3..5, 14..20, 25..29, 31..35, 36..38]);
    assert_eq!(split("pub fn a() {}\n#[cfg(not(test))]\nfn b() {}\n"), None);
    assert_eq!(split("macro_rules! t { () => { #[test] fn x() {} } }\nt!();\n"), None);
}

#[test]
fn a_file_under_cfg_test_is_only_test() {
    let inline = split("#![cfg(test)]\nfn help() {}\n").unwrap();
    assert_eq!(inline.production, "");
    assert_eq!(graft("fn a() {}", "#![cfg(test)]\nfn b() {}\n").unwrap(), "#![cfg(test)]\nfn b() {}\n");
}

#[test]
fn equal_production_gives_the_donor_byte_by_byte() {
    let base = "pub fn a() {}\n";
    let tests = "pub fn a() {}\n\n\n#[cfg(test)] // note\nmod tests { }\n";
    assert_eq!(graft(base, tests).as_deref(), Some(tests));
    let no_end = "#[cfg(test)]\nmod t {}";
    assert_eq!(graft("", no_end).as_deref(), Some(no_end));
}

#[test]
fn items_take_the_place_of_their_counterparts_and_production_stays() {
    let base = "use x::Y;\n\npub fn a() {\n    1\n}\n\n#[cfg(test)]\nmod tests {\n    fn old() {}\n}\n";
    let tests = "use x::{Y, Z};\n\npub fn a() {\n    2\n}\n\nfn b() {}\n\n#[cfg(test)]\nmod tests {\n    fn old() \
                 {}\n    fn new() {}\n}\n";
    assert_eq!(
        graft(base, tests).unwrap(),
        "use x::Y;\n\npub fn a() {\n    1\n}\n\n#[cfg(test)]\nmod tests {\n    fn old() {}\n    fn new() {}\n}\n"
    );
}

#[test]
fn nested_items_go_to_their_module_and_a_module_that_is_not_there_is_no_graft() {
    let base = "mod m {\n    pub fn a() { 1 }\n}\n";
    let tests = "mod m {\n    pub fn a() { 2 }\n\n    #[test]\n    fn t() {}\n}\n";
    assert_eq!(
        graft(base, tests).unwrap(),
        "mod m {\n    pub fn a() { 1 }\n\n    #[test]\n    fn t() {}\n}\n"
    );
    assert_eq!(graft("pub fn a() {}\n", tests), None);
    assert_eq!(graft("mod m;\npub fn a() {}\n", tests), None);
}

#[test]
fn removed_test_items_are_removed() {
    let base = "fn a() { 1 }\n\n#[test]\nfn t() {}\n\nfn b() {}\n";
    assert_eq!(graft(base, "fn a() { 2 }\n\nfn b() {}\n").unwrap(), "fn a() { 1 }\n\nfn b() {}\n");
}

#[test]
fn a_file_without_a_last_line_end_takes_items_on_lines_of_their_own() {
    let tests = "fn a() { 2 }\n#[test]\nfn t() {}\n";
    assert_eq!(graft("fn a() { 1 }", tests).unwrap(), "fn a() { 1 }\n#[test]\nfn t() {}\n");
}

#[test]
fn a_file_whose_structure_is_lost_has_no_items_that_can_be_trusted() {
    assert_eq!(split("fn a() {\n#[cfg(test)]\nmod tests { fn x() {} }\n"), None);
}

/// Items of production and test code, nested at random.
fn source() -> impl Strategy<Value = String> {
    let production = prop_oneof![
        Just("pub fn a() { let x = \"#[test]\"; }".to_owned()),
        Just("/// Doc.\n#[inline]\nfn b() {}".to_owned()),
        Just("use std::fmt;".to_owned()),
        Just("// a comment".to_owned()),
        Just("macro_rules! m { ($x:expr) => { #[test] fn q() {} } }".to_owned()),
        Just("#[cfg(not(test))] const X: u8 = 1;".to_owned()),
        Just("struct S { #[cfg(test)] n: u8 }".to_owned()),
    ];
    let test = prop_oneof![
        Just("#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {}\n}".to_owned()),
        Just("#[test]\nfn bare() {}".to_owned()),
        Just("/// Doc.\n#[cfg(test)]\nuse a::b;".to_owned()),
        Just("#[cfg(test)] mod more;".to_owned()),
    ];
    let gap = prop_oneof![Just("\n"), Just("\n\n"), Just(" "), Just("\r\n"), Just("\n  \n"), Just("\n    ")];
    let leaf = prop_oneof![3 => production, 2 => test];
    let list = prop::collection::vec((leaf, gap.clone()), 0..6)
        .prop_map(|parts| parts.into_iter().map(|(item, gap)| item + gap).collect::<String>());
    (list.clone(), prop::option::of(list), prop::bool::ANY).prop_map(|(outer, inner, at_end)| {
        // A comment swallows what stands on its line.
        let fix = |text: String| text.replace("// a comment ", "// a comment\n");
        let outer = fix(outer);
        match inner.map(fix) {
            None => outer,
            Some(inner) if at_end => format!("{outer}mod nested {{{inner}}}"),
            Some(inner) => format!("mod nested {{\n{inner}}}\n{outer}"),
        }
    })
}

proptest! {
    #[test]
    fn nothing_is_lost_by_splitting(source in source()) {
        let tree = syntax::parse(&source).unwrap();
        let file = Container::of_file(tree.root_node(), &source).unwrap();
        prop_assert_eq!(file.text(Show::All), source.clone());
        if let Some(inline) = split(&source) {
            for item in &inline.items {
                prop_assert!(source.contains(item.as_str()));
            }
            prop_assert_eq!(split(&inline.production), None, "production still holds tests");
        }
    }

    #[test]
    fn a_graft_onto_the_own_production_gives_the_file_back(source in source()) {
        let production = split(&source).map_or_else(|| source.clone(), |inline| inline.production);
        prop_assert_eq!(graft(&production, &source), Some(source));
    }

    #[test]
    fn a_graft_has_the_items_of_one_and_the_production_of_the_other(base in source(), tests in source()) {
        if let Some(grafted) = graft(&base, &tests) {
            let halves = |text: &str| {
                let inline = split(text).unwrap_or(Inline { items: Vec::new(), production: text.to_owned() });
                let production: Vec<String> =
                    inline.production.split_whitespace().map(str::to_owned).collect();
                let mut items = inline.items;
                items.sort();
                (items, production)
            };
            prop_assert_eq!(halves(&grafted).0, halves(&tests).0);
            prop_assert_eq!(halves(&grafted).1, halves(&base).1);
        }
    }
}
