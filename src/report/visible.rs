//! Untrusted text without anything that hides: control, invisible and text-direction characters.
//!
//! Such characters steer terminals, reorder what a reader sees, or carry text that only a machine
//! reads. They are shown as what they are (`\x1b`, `\u{202e}`), never dropped in silence.

use unicode_width::UnicodeWidthStr;

/// True for characters that are not seen, or that change how others are seen: Unicode categories
/// Cc (but line feed and tab) and Cf, variation selectors, fillers, and separators of lines.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        '\u{ad}'
        | '\u{34f}'
        | '\u{600}'..='\u{605}'
        | '\u{61c}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'..='\u{891}'
        | '\u{8e2}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}'
        | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// The text with hidden characters shown as escapes. Line ends become `\n`. Long runs of hidden
/// characters are counted instead, so that the result is never much longer than the text.
///
/// The joiners and selectors inside an emoji are left out: there they are neither seen nor missed.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        if c == '\r' && chars.peek() == Some(&'\n') {
            continue;
        }
        if !is_hidden(c) {
            out.push(c);
            before = c;
            continue;
        }
        let joins = matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{200d}');
        if joins
            && is_pictograph(before)
            && chars.peek().is_none_or(|next| !is_hidden(*next) || *next == '\u{200d}')
        {
            continue;
        }
        let mut run = vec![c];
        while let Some(next) = chars.next_if(|next| is_hidden(*next) && *next != '\r') {
            run.push(next);
        }
        if run.len() <= 4 {
            run.iter().for_each(|c| out.push_str(&escape(*c)));
        } else {
            out.push_str(&format!("[{} hidden characters]", run.len()));
        }
        before = ' ';
    }
    out
}

/// Two texts beside each other, each at most `width` characters wide, with hidden characters shown.
pub fn side_by_side(left: &str, right: &str, width: usize) -> String {
    let lines = |text: &str| {
        let shown = visible(text).replace('\t', "    ");
        shown.lines().map(|line| cut(line.trim_end(), width)).collect::<Vec<_>>()
    };
    let (left, right) = (lines(left), lines(right));
    let room = left.iter().map(|line| line.width()).max().unwrap_or(0);
    let mut out = String::new();
    for at in 0..left.len().max(right.len()) {
        let one = left.get(at).map_or("", String::as_str);
        let other = right.get(at).map_or("", String::as_str);
        let gap = " ".repeat(room.saturating_sub(one.width()));
        out.push_str(format!("{one}{gap} │ {other}").trim_end());
        out.push('\n');
    }
    out
}

/// As [`visible`], on one line: white space of any kind and length becomes one space.
pub fn visible_line(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As [`visible_line`], at most `chars` characters long; of a huge text only the start is read.
pub fn sentence(text: &str, chars: usize) -> String {
    cut(&visible_line(&cut(text, chars.saturating_mul(4))), chars)
}

/// The first `chars` characters, with an ellipsis where something is missing.
pub fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some(_) => text.chars().take(chars.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// At most `lines` lines of at most `chars` characters: the head and, since errors stand at the
/// end, twice as much of the tail. The gap says how many lines are missing.
pub fn cut_lines(text: &str, lines: usize, chars: usize) -> String {
    let text = text.trim_end();
    let all: Vec<&str> = text.lines().collect();
    let shorten = |line: &&str| cut(line, chars);
    if all.len() <= lines {
        return all.iter().map(shorten).collect::<Vec<_>>().join("\n");
    }
    let kept = lines.saturating_sub(1);
    let head = kept / 3;
    let tail = kept - head;
    let missing = all.len() - kept;
    let mut out: Vec<String> = all[..head].iter().map(shorten).collect();
    out.push(format!("… {missing} lines left out …"));
    out.extend(all[all.len() - tail..].iter().map(shorten));
    out.join("\n")
}

/// True where a selector or a joiner belongs to what stands before it.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{1f000}'..='\u{1faff}')
}

fn escape(c: char) -> String {
    match c {
        '\r' => "\\r".to_owned(),
        c if u32::from(c) < 0x100 => format!("\\x{:02x}", u32::from(c)),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_covers_the_whole_of_unicode_category_cf_and_cc() {
        let category = regex::Regex::new(r"^[\p{Cf}\p{Cc}\p{Variation_Selector}\p{Zl}\p{Zp}]$");
        let category =
            category.unwrap_or_else(|_| regex::Regex::new(r"^[\p{Cf}\p{Cc}\p{Zl}\p{Zp}]$").unwrap());
        for c in '\0'..=char::MAX {
            if c != '\n' && c != '\t' && category.is_match(c.encode_utf8(&mut [0; 4])) {
                assert!(is_hidden(c), "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn terminal_and_bidi_tricks_are_shown_as_escapes() {
        assert_eq!(visible("\x1b[2Jgone\u{202e}txt\r\n\u{9b}31m\r"), "\\x1b[2Jgone\\u{202e}txt\n\\x9b31m\\r");
        let tags: String = ('\u{e0041}'..='\u{e0060}').collect();
        assert_eq!(visible(&format!("ok{tags}!")), "ok[32 hidden characters]!");
    }

    #[test]
    fn two_texts_stand_beside_each_other() {
        assert_eq!(side_by_side("a\n\tb\nc", "x\n漢字", 8), "a     │ x\n    b │ 漢字\nc     │\n");
        assert_eq!(side_by_side("abcdefgh", "\x1b[2J", 4), "abc… │ \\x1…\n");
    }

    #[test]
    fn an_emoji_keeps_its_look() {
        assert_eq!(visible("❤\u{fe0f} 👩\u{200d}👩 done"), "❤ 👩👩 done");
        assert_eq!(visible("a\u{fe0f}b"), "a\\u{fe0f}b");
    }

    #[test]
    fn long_output_keeps_its_end() {
        let text = (1..=100).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(cut_lines(&text, 4, 80), "1\n… 97 lines left out …\n99\n100");
        assert_eq!(cut_lines("abcdef\n", 4, 4), "abc…");
        assert_eq!(cut("über", 4), "über");
    }
}
