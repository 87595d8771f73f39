//! Constants: numbers one more and one less, empty texts, the other truth.

/// What kind of constant a node is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::lang) enum Literal {
    /// A whole number or one with a fraction, as written.
    Number,
    /// A text; with the expression for an empty one.
    Text(&'static str),
    /// True or false; with the word for the other.
    Truth(&'static str),
}

/// What a constant can be changed into.
pub(super) fn others(literal: &Literal, text: &str) -> Vec<String> {
    match literal {
        Literal::Number => numbers(text),
        Literal::Text(empty) if text != *empty => vec![(*empty).to_owned()],
        // An empty text becomes one that nobody expects; the quotes are the language's own.
        Literal::Text(empty) => {
            let half = empty.len() - 1;
            vec![format!("{}other{}", &empty[..half], &empty[half..])]
        }
        Literal::Truth(other) => vec![(*other).to_owned()],
    }
}

/// A number plus and minus one, with the suffix that it is written with. Numbers that are not plain
/// decimal are left alone; so is a minus one, which types without a sign do not have.
fn numbers(text: &str) -> Vec<String> {
    let digits = |c: char| c.is_ascii_digit() || c == '_';
    let whole_end = text.find(|c: char| !digits(c)).unwrap_or(text.len());
    let whole: String = text[..whole_end].chars().filter(|c| *c != '_').collect();
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return Vec::new();
    }
    let rest = &text[whole_end..];
    let fraction = rest.starts_with('.');
    // A suffix of the type is kept; what is left of a hexadecimal or complex number is not one.
    let suffix = rest.trim_start_matches('.').trim_start_matches(digits);
    if !matches!(suffix.chars().next(), None | Some('u' | 'i' | 'n' | 'f')) || (fraction && suffix == "n") {
        return Vec::new();
    }
    let Ok(number) = whole.parse::<u128>() else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(more) = number.checked_add(1) {
        found.push(format!("{more}{rest}"));
    }
    if number > 0 {
        found.push(format!("{}{rest}", number - 1));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_form() {
        assert_eq!(numbers("1"), ["2", "0"]);
        assert_eq!(numbers("0"), ["1"]);
        assert_eq!(numbers("1_000u64"), ["1001u64", "999u64"]);
        assert_eq!(numbers("2.5"), ["3.5", "1.5"]);
        assert_eq!(numbers("2.5f32"), ["3.5f32", "1.5f32"]);
        assert_eq!(numbers("7n"), ["8n", "6n"]);
        for left_alone in ["0x10", "0b1", "1e9", "3j", "007", ".5"] {
            assert_eq!(numbers(left_alone), Vec::<String>::new(), "{left_alone}");
        }
    }

    #[test]
    fn texts_are_emptied_and_empty_ones_filled() {
        assert_eq!(others(&Literal::Text("\"\""), "'a'"), ["\"\""]);
        assert_eq!(others(&Literal::Text("\"\""), "\"\""), ["\"other\""]);
        assert_eq!(others(&Literal::Truth("False"), "True"), ["False"]);
    }
}
