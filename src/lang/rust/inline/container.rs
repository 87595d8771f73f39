//! A file as production members with gaps between them, in which the test items lie.

use std::ops::Range;

use tree_sitter::Node;

use super::super::syntax;

/// What of a container is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// Everything.
    All,
    /// All but the test items.
    Production,
}

/// A file or a body: production members with gaps around them. All test items lie in gaps.
pub(super) struct Container {
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
    pub(super) fn of_file(root: Node<'_>, source: &str) -> Option<Self> {
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

    pub(super) fn text(&self, show: Show) -> String {
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

    pub(super) fn collect_items(&self, items: &mut Vec<String>) {
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
    pub(super) fn take_items_of(&mut self, donor: &Self) -> Option<()> {
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

/// The body of a module or an `impl` block.
pub(super) fn nested_body(node: Node<'_>) -> Option<Node<'_>> {
    matches!(node.kind(), "mod_item" | "impl_item").then(|| node.child_by_field_name("body")).flatten()
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
