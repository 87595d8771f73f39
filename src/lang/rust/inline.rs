//! Tests inside production files: telling them apart, and moving them between versions of a file.
//!
//! Test items are items that exist only in test builds (`#[cfg(test)]`, also within `all(…)`) and
//! test functions, in the file itself, in modules that ship, and in `impl` blocks. Their attributes
//! and doc comments belong to them. A test that a macro call writes stays production text: only its
//! expansion is a test.

use std::ops::Range;

use tree_sitter::Node;

use super::super::Inline;
use super::syntax;

/// The test items of a file and the rest of it; `None` where there are none.
pub(super) fn split(source: &str) -> Option<Inline> {
    let tree = syntax::parse(source)?;
    if syntax::file_is_only_test(tree.root_node(), source) {
        return Some(Inline { items: vec![source.to_owned()], production: String::new() });
    }
    let file = Container::of_file(tree.root_node(), source)?;
    let mut items = Vec::new();
    file.collect_items(&mut items);
    if items.is_empty() {
        return None;
    }
    let mut production = String::with_capacity(source.len());
    file.write(&mut production, Show::Production);
    Some(Inline { items, production })
}

/// `base` with its test items replaced by those of `tests`.
///
/// Where the production text of both is equal the result is `tests`, byte by byte. Elsewhere a test
/// item goes behind the production item that it follows in `tests`, or to the end of its module.
pub(super) fn graft(base: &str, tests: &str) -> Option<String> {
    let base_tree = syntax::parse(base)?;
    let tests_tree = syntax::parse(tests)?;
    if syntax::file_is_only_test(tests_tree.root_node(), tests) {
        return Some(tests.to_owned());
    }
    let mut file = Container::of_file(base_tree.root_node(), base)?;
    let donor = Container::of_file(tests_tree.root_node(), tests)?;
    let mut wanted = Vec::new();
    donor.collect_items(&mut wanted);
    if file.text(Show::Production) == donor.text(Show::Production) {
        return Some(tests.to_owned());
    }
    let production = file.text(Show::Production);
    file.take_items_of(&donor)?;
    let grafted = file.text(Show::All);

    // What was put together must read back as its two halves; anything else is no graft.
    let (items, rest) = match split(&grafted) {
        Some(again) => (again.items, again.production),
        None => (Vec::new(), grafted.clone()),
    };
    let same_items = {
        let (mut found, mut wanted) = (items, wanted);
        found.sort();
        wanted.sort();
        found == wanted
    };
    (same_items && words(&rest) == words(&production)).then_some(grafted)
}

/// The lines (counted from 1) that test items cover.
pub(super) fn test_lines(source: &str) -> Vec<Range<u32>> {
    fn line(number: usize) -> u32 {
        u32::try_from(number).unwrap_or(u32::MAX)
    }
    fn visit(container: Node<'_>, source: &str, lines: &mut Vec<Range<u32>>) {
        for item in syntax::items(container, source) {
            if item.only_test {
                let before = source[..item.range.start].matches('\n').count();
                let within = source[item.range.clone()].matches('\n').count();
                lines.push(line(before + 1)..line(before + within + 2));
            } else if let Some(body) = nested_body(item.node) {
                visit(body, source, lines);
            }
        }
    }
    let mut lines = Vec::new();
    if let Some(tree) = syntax::parse(source) {
        if syntax::file_is_only_test(tree.root_node(), source) {
            return std::iter::once(1..u32::MAX).collect();
        }
        visit(tree.root_node(), source, &mut lines);
    }
    lines
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn nested_body(node: Node<'_>) -> Option<Node<'_>> {
    matches!(node.kind(), "mod_item" | "impl_item").then(|| node.child_by_field_name("body")).flatten()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    All,
    Production,
}

/// A file or a body: production members with gaps around them. All test items lie in gaps.
struct Container {
    /// One more than there are members.
    gaps: Vec<Gap>,
    members: Vec<Member>,
    /// True for the file itself, which has no closing brace.
    is_file: bool,
}

#[derive(Default)]
struct Gap {
    /// The gap without test items.
    text: String,
    /// Test items and where in `text` they go, in order.
    tests: Vec<Planted>,
}

struct Planted {
    at: usize,
    /// The item with the blank lines in front of it and its line end.
    extent: String,
    /// Where in `extent` the item itself is.
    item: Range<usize>,
}

struct Member {
    /// What it is called, to find it again in another version of the file.
    key: String,
    body: Body,
}

enum Body {
    Plain(String),
    Nested { open: String, inner: Container, close: String },
}

impl Container {
    fn of_file(root: Node<'_>, source: &str) -> Option<Self> {
        Self::read(root, source, 0..source.len(), true)
    }

    /// `None` where the parser lost the structure at this level, so that items cannot be trusted.
    fn read(node: Node<'_>, source: &str, range: Range<usize>, is_file: bool) -> Option<Self> {
        let mut cursor = node.walk();
        if node.children(&mut cursor).any(|child| child.is_error() || child.is_missing()) {
            return None;
        }
        let mut container = Self { gaps: vec![Gap::default()], members: Vec::new(), is_file };
        let mut at = range.start;
        for item in syntax::items(node, source) {
            if item.only_test {
                let extent = extent(source, &item.range, at..range.end);
                let gap = container.gaps.last_mut()?;
                gap.text.push_str(&source[at..extent.start]);
                gap.tests.push(Planted {
                    at: gap.text.len(),
                    item: item.range.start - extent.start..item.range.end - extent.start,
                    extent: source[extent.clone()].to_owned(),
                });
                at = extent.end;
                continue;
            }
            container.gaps.last_mut()?.text.push_str(&source[at..item.range.start]);
            at = item.range.end;
            let body = match nested_body(item.node) {
                Some(body) => {
                    let inside = body.start_byte() + 1..body.end_byte() - 1;
                    Body::Nested {
                        open: source[item.range.start..inside.start].to_owned(),
                        close: source[inside.end..item.range.end].to_owned(),
                        inner: Self::read(body, source, inside, false)?,
                    }
                }
                None => Body::Plain(source[item.range.clone()].to_owned()),
            };
            container.members.push(Member { key: key(item.node, source), body });
            container.gaps.push(Gap::default());
        }
        container.gaps.last_mut()?.text.push_str(&source[at..range.end]);
        Some(container)
    }

    fn text(&self, show: Show) -> String {
        let mut out = String::new();
        self.write(&mut out, show);
        out
    }

    fn write(&self, out: &mut String, show: Show) {
        for (index, gap) in self.gaps.iter().enumerate() {
            gap.write(out, show);
            match self.members.get(index).map(|member| &member.body) {
                Some(Body::Plain(text)) => out.push_str(text),
                Some(Body::Nested { open, inner, close }) => {
                    out.push_str(open);
                    inner.write(out, show);
                    out.push_str(close);
                }
                None => {}
            }
        }
    }

    fn collect_items(&self, items: &mut Vec<String>) {
        for (index, gap) in self.gaps.iter().enumerate() {
            items.extend(gap.tests.iter().map(|test| test.extent[test.item.clone()].to_owned()));
            if let Some(Member { body: Body::Nested { inner, .. }, .. }) = self.members.get(index) {
                inner.collect_items(items);
            }
        }
    }

    fn holds_items(&self) -> bool {
        self.gaps.iter().any(|gap| !gap.tests.is_empty())
            || self
                .members
                .iter()
                .any(|member| matches!(&member.body, Body::Nested { inner, .. } if inner.holds_items()))
    }

    fn drop_items(&mut self) {
        for gap in &mut self.gaps {
            gap.tests.clear();
        }
        for member in &mut self.members {
            if let Body::Nested { inner, .. } = &mut member.body {
                inner.drop_items();
            }
        }
    }

    /// Replaces the test items by those of `donor`. `None` where a module or `impl` block of the
    /// donor that holds test items is not here.
    fn take_items_of(&mut self, donor: &Self) -> Option<()> {
        self.drop_items();
        let matched = align(&donor.members, &self.members);
        for (index, member) in donor.members.iter().enumerate() {
            let Body::Nested { inner: from, .. } = &member.body else { continue };
            if !from.holds_items() {
                continue;
            }
            let home = matched[index].or_else(|| {
                (0..self.members.len())
                    .find(|at| self.members[*at].key == member.key && !matched.contains(&Some(*at)))
            })?;
            let Body::Nested { inner, .. } = &mut self.members.get_mut(home)?.body else { return None };
            inner.take_items_of(from)?;
        }
        for (index, gap) in donor.gaps.iter().enumerate() {
            for test in &gap.tests {
                let (home, at) = self.place(donor, index, test.at, &matched);
                let opens_line = home == 0 && self.is_file;
                self.gaps.get_mut(home)?.plant(at, test, opens_line);
            }
        }
        Some(())
    }

    /// Where a test item of the donor's gap goes: (gap, offset in its text).
    fn place(&self, donor: &Self, gap: usize, at: usize, matched: &[Option<usize>]) -> (usize, usize) {
        let before = matched[..gap].iter().rev().flatten().next();
        let after = matched[gap..].iter().flatten().next();
        let home = match (before, after) {
            (Some(member), _) => member + 1,
            (None, Some(member)) => *member,
            (None, None) => self.members.len(),
        };
        let text = &self.gaps[home].text;
        if *text == donor.gaps[gap].text {
            return (home, at);
        }
        if before.is_some() {
            return (home, after_line_end(text));
        }
        let line_start = text.rfind('\n').map_or(0, |newline| newline + 1);
        let indent_only = text[line_start..].trim().is_empty();
        let last = home == self.members.len();
        if last && self.is_file {
            return (home, text.len());
        }
        (home, if indent_only { line_start } else { text.len() })
    }
}

impl Gap {
    fn write(&self, out: &mut String, show: Show) {
        if show == Show::Production {
            out.push_str(&self.text);
            return;
        }
        let mut at = 0;
        for test in &self.tests {
            out.push_str(&self.text[at..test.at]);
            out.push_str(&test.extent);
            at = test.at;
        }
        out.push_str(&self.text[at..]);
    }

    /// Puts in a test item behind those that are there, on lines of its own.
    fn plant(&mut self, at: usize, test: &Planted, opens_line: bool) {
        let at = self.tests.last().map_or(at, |last| last.at.max(at));
        let mut extent = test.extent.clone();
        let mut item = test.item.clone();
        let line_open = !(self.text[..at].ends_with('\n') || (at == 0 && opens_line));
        let behind_open_line = match self.tests.last() {
            Some(last) if last.at == at => !last.extent.ends_with('\n'),
            _ => line_open,
        };
        if behind_open_line && !extent.starts_with('\n') && !extent.starts_with("\r\n") {
            extent.insert(0, '\n');
            item = item.start + 1..item.end + 1;
        }
        if !extent.ends_with('\n') && at < self.text.len() && !self.text[at..].starts_with('\n') {
            extent.push('\n');
        }
        self.tests.push(Planted { at, extent, item });
    }
}

/// Behind the first line end of a gap, when nothing but a comment stands before it.
fn after_line_end(gap: &str) -> usize {
    match gap.find('\n') {
        Some(newline) => {
            let rest = gap[..newline].trim();
            if rest.is_empty() || rest.starts_with("//") { newline + 1 } else { 0 }
        }
        None if gap.trim().is_empty() || gap.trim_start().starts_with("//") => gap.len(),
        None => 0,
    }
}

/// The item with its indentation, the blank lines in front and its line end, where it stands on
/// lines of its own; else just the item. Never reaches beyond `limits`.
fn extent(source: &str, item: &Range<usize>, limits: Range<usize>) -> Range<usize> {
    let before = &source[limits.start..item.start];
    let indent = before.trim_end_matches([' ', '\t']);
    let at_line_start = indent.ends_with('\n')
        || (indent.is_empty() && (limits.start == 0 || source[..limits.start].ends_with('\n')));
    if !at_line_start {
        return item.clone();
    }
    let mut start = limits.start + indent.len();
    // Blank lines in front: as long as the line that ends at `start` is blank.
    while start > limits.start {
        let line = &source[limits.start..start - 1];
        let line_start = match line.rfind('\n') {
            Some(newline) => limits.start + newline + 1,
            None if limits.start == 0 || source[..limits.start].ends_with('\n') => limits.start,
            None => break,
        };
        if !source[line_start..start].trim().is_empty() {
            break;
        }
        start = line_start;
    }
    let behind = &source[item.end..limits.end];
    let spaces = behind.len() - behind.trim_start_matches([' ', '\t', '\r']).len();
    let end = match behind[spaces..].chars().next() {
        Some('\n') => item.end + spaces + 1,
        None if limits.end == source.len() => limits.end,
        _ => item.end,
    };
    start..end
}

fn key(node: Node<'_>, source: &str) -> String {
    let kind = node.kind();
    let end = node.child_by_field_name("body").map_or(node.end_byte(), |body| body.start_byte());
    if kind == "mod_item" {
        let name = node.child_by_field_name("name").map_or("", |name| syntax::text(name, source));
        let form = if node.child_by_field_name("body").is_some() { "mod" } else { "mod-file" };
        return format!("{form} {name}");
    }
    if kind != "impl_item"
        && let Some(name) = node.child_by_field_name("name")
    {
        return format!("{kind} {}", syntax::text(name, source));
    }
    let header: Vec<&str> = source[node.start_byte()..end].split_whitespace().collect();
    format!("{kind} {}", header.join(" "))
}

/// For each member of `from`, its counterpart in `to`: a longest common subsequence of the keys.
fn align(from: &[Member], to: &[Member]) -> Vec<Option<usize>> {
    let from: Vec<&str> = from.iter().map(|member| member.key.as_str()).collect();
    let to: Vec<&str> = to.iter().map(|member| member.key.as_str()).collect();
    let mut matched = vec![None; from.len()];
    for operation in similar::capture_diff_slices(similar::Algorithm::Myers, &from, &to) {
        if let similar::DiffOp::Equal { old_index, new_index, len } = operation {
            for offset in 0..len {
                matched[old_index + offset] = Some(new_index + offset);
            }
        }
    }
    matched
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        let gap =
            prop_oneof![Just("\n"), Just("\n\n"), Just(" "), Just("\r\n"), Just("\n  \n"), Just("\n    ")];
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
}
