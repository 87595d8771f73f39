//! Which mutants are tried: spread over functions and kinds of change, always the same ones.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::touched::{TouchedFile, changed_lines};
use super::super::trial::{Trial, clip};
use crate::git::RepoPath;
use crate::lab::LabError;
use crate::lang::mutation::{Mutation, Operator};

/// The fixed code with one small change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mutant {
    /// Which file of [`super::super::altered::Altered::files`].
    pub(super) file: usize,
    /// Where that is.
    pub(super) path: RepoPath,
    /// Its line, counted from 1.
    pub(super) line: u32,
    /// Its column, counted from 1, in characters.
    pub(super) column: u32,
    /// The kind of change.
    pub(super) operator: Operator,
    /// What stands there, on one line, shortened.
    pub(super) before: String,
    /// What stands there instead.
    pub(super) after: String,
    /// The whole file.
    pub(super) text: String,
    /// Which touched function of the file it lies in, and that function's body; `None` outside of bodies.
    pub(super) body: Option<(usize, String)>,
}

/// A reader sees this many characters of a change.
const SHOWN: usize = 100;

/// At most `most` mutants in the order of the source, and how many more there are.
pub(super) fn choose(trial: &Trial<'_>, most: usize) -> Result<(Vec<Mutant>, usize), LabError> {
    let language = trial.lab.language();
    let essence = |file: &TouchedFile, text: &str| language.essence(&file.path, text);
    let files = &trial.altered()?.files;
    let mut queues: Vec<VecDeque<(usize, Mutation)>> = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let Some(fixed) = file.fixed.as_deref().filter(|fixed| essence(file, fixed).is_some()) else {
            continue;
        };
        let surgery = language.surgery();
        let lines = lines_of(file, fixed, &surgery.functions(&file.path, fixed).unwrap_or_default());
        // By function; what lies outside of all comes last.
        let mut groups: BTreeMap<usize, BTreeMap<Operator, VecDeque<Mutation>>> = BTreeMap::new();
        for mutation in surgery.mutations(&file.path, fixed, &lines) {
            let function = file.functions.iter().position(|one| {
                one.function.span.start <= mutation.range.start && mutation.range.end <= one.function.span.end
            });
            let group = groups.entry(function.unwrap_or(usize::MAX)).or_default();
            group.entry(mutation.operator).or_default().push_back(mutation);
        }
        queues.extend(groups.into_values().map(|group| {
            let kinds = group.into_values().map(|kind| kind.into_iter().map(|one| (at, one)).collect());
            in_turn(kinds.collect()).into()
        }));
    }
    let mut queue: VecDeque<_> = in_turn(queues).into();
    let mut seen = BTreeSet::new();
    for (at, file) in files.iter().enumerate() {
        seen.extend(file.fixed.as_deref().and_then(|fixed| essence(file, fixed)).map(|known| (at, known)));
    }
    let mut chosen: Vec<(usize, Mutation, Mutant)> = Vec::new();
    while chosen.len() < most
        && let Some((at, mutation)) = queue.pop_front()
    {
        let file = &files[at];
        let Some(fixed) = file.fixed.as_deref() else { continue };
        // What does not parse, and what means the same as the fixed code or as another mutant, is none.
        let Some(known) = essence(file, &mutation.apply(fixed)) else { continue };
        if seen.insert((at, known)) {
            let mutant = mutant(at, file, fixed, &mutation);
            chosen.push((at, mutation, mutant));
        }
    }
    chosen
        .sort_by_key(|(at, mutation, _)| (*at, mutation.range.start, mutation.range.end, mutation.operator));
    Ok((chosen.into_iter().map(|(_, _, mutant)| mutant).collect(), queue.len()))
}

/// Changed lines that lie in touched functions or in none.
fn lines_of(file: &TouchedFile, fixed: &str, functions: &[crate::lang::surgery::Function]) -> Vec<u32> {
    let within = |(first, last): (u32, u32), line: u32| (first..=last).contains(&line);
    let mut lines = changed_lines(file.base.as_deref().unwrap_or_default(), fixed);
    lines.retain(|line| {
        file.functions.iter().any(|one| within(one.function.lines, *line))
            || !functions.iter().any(|function| within(function.lines, *line))
    });
    lines
}

/// One of each in turn until all are through.
fn in_turn<T>(mut queues: Vec<VecDeque<T>>) -> Vec<T> {
    let mut all = Vec::new();
    while queues.iter().any(|queue| !queue.is_empty()) {
        all.extend(queues.iter_mut().filter_map(VecDeque::pop_front));
    }
    all
}

fn mutant(at: usize, file: &TouchedFile, fixed: &str, mutation: &Mutation) -> Mutant {
    let start = mutation.range.start;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let line_start = fixed[..start].rfind('\n').map_or(0, |end| end + 1);
    let body = file.functions.iter().enumerate().find_map(|(number, one)| {
        let inside = one.function.inside()?;
        let fits = inside.start <= start && mutation.range.end <= inside.end;
        let text = || {
            format!(
                "{}{}{}",
                &fixed[inside.start..start],
                mutation.replacement,
                &fixed[mutation.range.end..inside.end]
            )
        };
        fits.then(|| (number, text()))
    });
    let (before, after) = shown(mutation, fixed);
    Mutant {
        file: at,
        path: file.path.clone(),
        line: count(fixed[..start].matches('\n').count() + 1),
        column: count(fixed[line_start..start].chars().count() + 1),
        operator: mutation.operator,
        before,
        after,
        text: mutation.apply(fixed),
        body,
    }
}

/// Before and after, each on one line; the change itself alone where what is around it is long.
fn shown(mutation: &Mutation, fixed: &str) -> (String, String) {
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // What a language needs in the place of a statement is nothing to a reader.
    if mutation.operator == Operator::Statement && matches!(&*mutation.replacement, "pass" | ";" | "{}" | "")
    {
        return (clip(&line(&fixed[mutation.range.clone()]), SHOWN), String::new());
    }
    let (before, after) = mutation.shown(fixed);
    let (before, after) = (line(&before), line(&after));
    if before.chars().count() <= SHOWN && after.chars().count() <= SHOWN {
        return (before, after);
    }
    (clip(&line(&fixed[mutation.range.clone()]), SHOWN), clip(&line(&mutation.replacement), SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_take_turns() {
        let queues = vec![VecDeque::from([1, 2, 3]), VecDeque::from([10]), VecDeque::from([20, 21])];
        assert_eq!(in_turn(queues), [1, 10, 20, 2, 21, 3]);
    }

    #[test]
    fn a_long_change_is_shown_by_itself() {
        let source = format!("{} < b\n", "a".repeat(200));
        let at = source.find('<').unwrap();
        let mutation = Mutation {
            operator: Operator::Boundary,
            range: at..at + 1,
            replacement: "<=".to_owned(),
            shown: 0..source.len(),
        };
        assert_eq!(shown(&mutation, &source), ("<".to_owned(), "<=".to_owned()));
    }
}
