//! Variants of the fixed code in which what the change touches behaves otherwise.
//!
//! They are composed once for a trial, since the marks and messages in them are random: code under
//! test cannot know them.

use std::path::Path;

use super::overlay::OverlayError;
use super::touched::TouchedFile;
use super::trial::Trial;
use crate::git::{Edit, Entry, Mode, RepoPath, TreeId};
use crate::lab::{LabError, nonce};
use crate::lang::surgery::{Default, Insertion, Prologue, insert, replace};

/// The variants; `None` where one cannot be made.
#[derive(Debug)]
pub struct Altered {
    /// What the change touches.
    pub files: Vec<TouchedFile>,
    /// The base's code with the fixed text kept beside it without effect.
    pub unfixed: TreeId,
    /// The fixed text in which what is new does nothing and what was changed does as before.
    pub stubbed: Option<Stubbed>,
    /// The fixed code with a single changed function as it was, where several changed; the name comes first.
    pub without_one: Vec<(String, TreeId)>,
    /// Touched functions raise an error with [`Altered::message`].
    pub raising: Option<TreeId>,
    /// Touched functions return a default.
    pub usual: Option<TreeId>,
    /// Touched functions return something that nobody expects.
    pub unusual: Option<TreeId>,
    /// Touched functions and statements leave marks.
    pub marked: Option<TreeId>,
    /// The marks, in the order in which they stand in the files.
    pub marks: Vec<Mark>,
    /// What touched functions say when they raise.
    pub message: String,
}

/// The variant with a stubbed API.
#[derive(Clone, Debug)]
pub struct Stubbed {
    /// The variant.
    pub tree: TreeId,
    /// The new functions, by name.
    pub names: Vec<String>,
    /// True where a new function has a type for which no default is known, so that it raises instead.
    pub raises: bool,
}

/// A place that leaves a file behind when it is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The file's name in the root of the tree.
    pub name: String,
    /// Where the place is.
    pub path: RepoPath,
    /// Its line in the fixed text.
    pub line: u32,
    /// The function.
    pub function: String,
    /// True for a function's start, false for a changed statement in it.
    pub entry: bool,
    /// True where the function hands nothing back.
    pub void: bool,
}

/// Of more functions it is not asked which of them the test needs.
const MOST_SINGLE: usize = 6;

/// More marks tell nothing more.
const MOST_MARKS: usize = 200;

impl Altered {
    /// Composes the variants of a trial.
    ///
    /// # Errors
    /// Git failed.
    pub fn compose(trial: &Trial<'_>) -> Result<Self, LabError> {
        let files = TouchedFile::all(trial)?;
        let random = nonce(8);
        let message = format!("stopped {random}");
        let composer = Composer { trial, files: &files };
        let (marked, marks) = composer.marked(&random)?;
        let raise = Prologue::Raise(message.clone());
        Ok(Self {
            unfixed: composer.unfixed()?,
            stubbed: composer.stubbed(&message)?,
            without_one: composer.without_one()?,
            raising: composer.beginning_with(&raise)?,
            usual: composer.beginning_with(&Prologue::Return(Default::Usual))?,
            unusual: composer.beginning_with(&Prologue::Return(Default::Unusual))?,
            marked,
            marks,
            message,
            files,
        })
    }

    /// True when the change touches a function.
    pub fn touches_functions(&self) -> bool {
        self.files.iter().any(|file| !file.functions.is_empty())
    }

    /// True when the change does something outside functions.
    pub fn touches_more(&self, trial: &Trial<'_>) -> bool {
        let told =
            |path: &RepoPath| self.files.iter().any(|file| file.path == *path && !file.functions.is_empty());
        self.files.iter().any(|file| !file.loose.is_empty() || !file.values.is_empty())
            || trial.change.production.iter().any(|change| !told(&change.path))
    }

    /// The names of touched functions, shortened for a sentence.
    pub fn names(&self) -> String {
        let all: Vec<_> =
            self.files.iter().flat_map(|file| &file.functions).map(|one| &one.function.name).collect();
        let shown = all.iter().take(4).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        if all.len() > 4 { format!("{shown} and {} more", all.len() - 4) } else { shown }
    }
}

/// Makes trees out of changed texts.
pub(super) struct Composer<'a> {
    pub(super) trial: &'a Trial<'a>,
    pub(super) files: &'a [TouchedFile],
}

impl Composer<'_> {
    /// A tree with T's bytes laid over it again.
    ///
    /// # Errors
    /// Git failed.
    pub(super) fn tree(&self, start: TreeId, edits: &[Edit]) -> Result<TreeId, LabError> {
        let (store, language) = (self.trial.store(), self.trial.lab.language());
        let tree = store.compose(start, edits)?;
        self.trial.test.over(tree, store, language).map_err(|error| match error {
            OverlayError::Git(error) => LabError::Git(error),
            error @ OverlayError::NoPlace(_) => LabError::Internal(error.to_string()),
        })
    }

    /// `text` in the place of a file's.
    ///
    /// # Errors
    /// Git failed.
    pub(super) fn put(&self, file: &TouchedFile, text: &str) -> Result<Edit, LabError> {
        let oid = self.trial.store().write_blob(text.as_bytes())?;
        let mode = if file.entry.mode == Mode::Executable { Mode::Executable } else { Mode::File };
        Ok(Edit::Put(file.path.clone(), Entry { oid, mode }))
    }

    fn unfixed(&self) -> Result<TreeId, LabError> {
        let surgery = self.trial.lab.language().surgery();
        let language = self.trial.lab.language();
        let mut edits = Vec::new();
        for file in self.files {
            let Some(fixed) = &file.fixed else { continue };
            let base = file.base.as_deref().unwrap_or_default();
            // Test items stay where the base has them; a second copy would be tests, too.
            let kept = language
                .inline_tests(&file.path, fixed)
                .map_or_else(|| fixed.clone(), |parts| parts.production);
            // In data and templates a comment may well reach the reader.
            let is_source = language.essence(&file.path, "").is_some();
            let text = is_source.then(|| surgery.with_idle_text(&file.path, base, &kept)).flatten();
            if let Some(text) = text {
                edits.push(self.put(file, &text)?);
            }
        }
        // Everything else, such as files that cannot hold idle text, is as on the base.
        self.tree(self.trial.inert, &edits)
    }

    fn stubbed(&self, message: &str) -> Result<Option<Stubbed>, LabError> {
        let surgery = self.trial.lab.language().surgery();
        let (mut edits, mut names, mut raises) = (Vec::new(), Vec::new(), false);
        if self.files.len() != self.trial.change.production.len() {
            // What cannot be read cannot be emptied.
            return Ok(None);
        }
        for file in self.files {
            if !file.loose.is_empty() {
                return Ok(None);
            }
            let Some(fixed) = &file.fixed else { continue };
            if file.functions.is_empty() && file.values.is_empty() {
                continue;
            }
            // Pieces of the fixed text and what stands in their place.
            let mut swaps: Vec<(std::ops::Range<usize>, String)> = Vec::new();
            for value in &file.values {
                names.push(value.name.clone());
                swaps.push((value.expression.clone(), value.nothing.to_owned()));
            }
            for one in &file.functions {
                if let Some(before) = &one.before {
                    let new = one.new_names(fixed);
                    let text = match one.old_body_under_new_head(fixed) {
                        // A new parameter is an API, too.
                        Some(text) if !new.is_empty() => text,
                        _ => before.text.clone(),
                    };
                    names.extend(new);
                    swaps.push((one.function.span.clone(), text));
                    continue;
                }
                let default = Prologue::Return(Default::Usual);
                let insertions = surgery.at_entry(&file.path, fixed, &one.function, &default).or_else(|| {
                    raises = true;
                    surgery.at_entry(&file.path, fixed, &one.function, &Prologue::Raise(message.to_owned()))
                });
                let Some(insertions) = insertions else { return Ok(None) };
                names.push(one.function.name.clone());
                swaps.extend(insertions.into_iter().map(|Insertion { at, text }| (at..at, text)));
            }
            let text = replace(fixed, swaps);
            if self.trial.lab.language().essence(&file.path, &text).is_none() {
                return Ok(None);
            }
            edits.push(self.put(file, &text)?);
        }
        if names.is_empty() {
            return Ok(None);
        }
        Ok(Some(Stubbed { tree: self.tree(self.trial.fixed, &edits)?, names, raises }))
    }

    /// The fixed code with each changed function in turn as it was.
    fn without_one(&self) -> Result<Vec<(String, TreeId)>, LabError> {
        let changed = |file: &TouchedFile| file.functions.iter().filter(|one| one.before.is_some()).count();
        let count: usize = self.files.iter().map(changed).sum();
        let mut variants = Vec::new();
        if !(2..=MOST_SINGLE).contains(&count) {
            return Ok(variants);
        }
        for file in self.files {
            let Some(fixed) = &file.fixed else { continue };
            for one in &file.functions {
                let Some(before) = &one.before else { continue };
                let mut text = fixed.clone();
                text.replace_range(one.function.span.clone(), &before.text);
                let edit = self.put(file, &text)?;
                variants.push((one.function.name.clone(), self.tree(self.trial.fixed, &[edit])?));
            }
        }
        Ok(variants)
    }

    /// The fixed code, every touched function beginning with `prologue`; `None` where none can.
    fn beginning_with(&self, prologue: &Prologue) -> Result<Option<TreeId>, LabError> {
        let surgery = self.trial.lab.language().surgery();
        let mut edits = Vec::new();
        for file in self.files {
            let Some(fixed) = &file.fixed else { continue };
            let insertions: Vec<_> = file
                .functions
                .iter()
                .filter_map(|one| surgery.at_entry(&file.path, fixed, &one.function, prologue))
                .flatten()
                .collect();
            if !insertions.is_empty() {
                edits.push(self.put(file, &insert(fixed, insertions))?);
            }
        }
        if edits.is_empty() { Ok(None) } else { self.tree(self.trial.fixed, &edits).map(Some) }
    }

    fn marked(&self, random: &str) -> Result<(Option<TreeId>, Vec<Mark>), LabError> {
        let surgery = self.trial.lab.language().surgery();
        let root = self.trial.lab.root();
        let (mut edits, mut marks) = (Vec::new(), Vec::new());
        for file in self.files {
            let Some(fixed) = &file.fixed else { continue };
            let mut insertions = Vec::new();
            for one in &file.functions {
                if one.function.constant || marks.len() >= MOST_MARKS {
                    continue;
                }
                let mut mark = |line: u32, entry: bool| -> String {
                    let name = format!(".mark-{random}-{}", marks.len());
                    let function = one.function.name.clone();
                    let void = one.function.void;
                    marks.push(Mark {
                        name: name.clone(),
                        path: file.path.clone(),
                        line,
                        function,
                        entry,
                        void,
                    });
                    text_of(&root.join(name))
                };
                let place = mark(one.function.lines.0, true);
                let start = surgery.at_entry(&file.path, fixed, &one.function, &Prologue::Mark(place));
                insertions.extend(start.into_iter().flatten());
                for statement in &one.statements {
                    let line = fixed[..statement.start].matches('\n').count() + 1;
                    let place = mark(u32::try_from(line).unwrap_or(u32::MAX), false);
                    insertions.extend(surgery.at_statement(&file.path, fixed, statement, &place));
                }
            }
            if !insertions.is_empty() {
                edits.push(self.put(file, &insert(fixed, insertions))?);
            }
        }
        if edits.is_empty() {
            Ok((None, marks))
        } else {
            Ok((Some(self.tree(self.trial.fixed, &edits)?), marks))
        }
    }
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
