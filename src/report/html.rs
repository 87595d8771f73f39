//! HTML: one self-contained page that loads nothing and runs nothing.

use super::page::{Passed, Room, page};
use super::{Report, templates};

const ROOM: Room = Room {
    diff: 20_000,
    source: 2_000,
    passed: Passed::Shown,
    output: 400,
    width: 2_000,
    evidence: 200,
    list: 1_000,
    prose: 60_000,
    sentence: 4_000,
};

/// The page.
pub fn render(report: &Report) -> String {
    templates::html(page(report, ROOM))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn hostile_text_is_escaped_and_nothing_is_loaded() {
        let loads = regex::Regex::new(r"<[a-z][^>]*\s(src|srcset|on\w+|action)=|@import|url\(").unwrap();
        for (name, report) in fixture::all().into_iter().chain([("copy", fixture::with_copy())]) {
            let html = render(&report);
            for bad in ["<img", "<script", "<iframe", "javascript:", "\u{202e}", "\x1b", "onerror=\""] {
                assert!(!html.contains(bad), "{name}: {bad:?}");
            }
            assert!(html.contains("default-src 'none'"));
            assert!(!loads.is_match(&html), "{name} loads something");
        }
        let html = render(&fixture::refused());
        assert!(html.contains("&lt;img src=x"), "the text itself is shown");
    }

    #[test]
    fn the_page_is_whole_and_its_tags_are_closed() {
        for (name, report) in fixture::all() {
            let html = render(&report);
            assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"), "{name}");
            for tag in ["details", "ul", "li", "pre", "section", "blockquote", "dl", "dd", "code", "span"] {
                let count = |what: String| html.matches(&what).count();
                let opened = count(format!("<{tag}>")) + count(format!("<{tag} "));
                assert_eq!(opened, count(format!("</{tag}>")), "{name}: {tag}");
            }
        }
    }
}
