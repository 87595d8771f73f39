//! The runner of a JavaScript project: one command for each package that the selection touches.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{
    Canaries, Invocation, Output, Reading, Runner, RunnerSettings, Selection, Template, TestId,
};
use super::canary;
use super::dialect::{Dialect, Job};
use super::packages::{is_below, relative_to};
use super::report::{Run, read};
use super::script::Launch;
use super::stack::Ground;
use crate::git::RepoPath;

/// A folder with a runner of its own.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) folder: String,
    pub(super) launch: Launch,
    /// The runner's program; `None` when it is not installed.
    pub(super) program: Option<String>,
    /// True when the package itself says how its tests run.
    pub(super) evident: bool,
    /// True when test files lie in it.
    pub(super) tests: bool,
    /// What is built before its tests run.
    pub(super) steps: Vec<String>,
}

/// node:test, jest, vitest or mocha, as each package of the project has it.
pub(super) struct JavaScriptRunner {
    pub(super) root: PathBuf,
    pub(super) dialect: &'static dyn Dialect,
    pub(super) label: String,
    pub(super) packages: Vec<Package>,
    pub(super) settings: RunnerSettings,
    pub(super) node_major: u32,
    /// The scripts of the root's package.json.
    pub(super) scripts: serde_json::Map<String, serde_json::Value>,
    /// True when the root's package.json makes `.js` files ES modules.
    pub(super) module: bool,
    /// The same for every folder with a package.json.
    pub(super) modules: Vec<(String, bool)>,
}

impl Runner for JavaScriptRunner {
    fn name(&self) -> &'static str {
        self.dialect.name()
    }

    fn label(&self) -> String {
        self.label.clone()
    }

    fn build(&self, selection: &Selection) -> Vec<Invocation> {
        let template = match selection {
            Selection::Suite => self.settings.suite.as_ref().or(self.settings.command.as_ref()),
            _ => self.settings.command.as_ref(),
        };
        // Package managers run what stands before a script's runner themselves.
        if template
            .is_some_and(|template| template.words().iter().any(|word| word != "npx" && is_manager(word)))
        {
            return Vec::new();
        }
        self.packages_of(selection)
            .into_iter()
            .flat_map(|package| {
                package.steps.iter().map(|step| {
                    Invocation::new(["sh", "-c", step])
                        .cwd(package.folder.clone())
                        .env("PATH", self.search_path(&package.folder))
                })
            })
            .collect()
    }

    fn run(&self, selection: &Selection, out: &Path) -> Vec<Invocation> {
        self.plan(selection, out).into_iter().map(|planned| planned.invocation).collect()
    }

    fn read(&self, selection: &Selection, outputs: &[Output], out: &Path, root: &Path) -> Reading {
        let planned = self.plan(selection, out);
        let mut whole = Reading { complete: planned.len() == outputs.len(), ..Reading::default() };
        for (planned, output) in planned.iter().zip(outputs) {
            let ground = Ground::new(root, &planned.invocation.cwd);
            // The guard in the test processes of node:test writes a file of its own.
            let lines: String = ["", "g"]
                .iter()
                .filter_map(|part| std::fs::read(out.join(format!("{}{part}.jsonl", planned.stem))).ok())
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .collect();
            let run = Run {
                dialect: planned.dialect,
                lines: &lines,
                output,
                ground: &ground,
                files: &planned.files,
            };
            let part = read(&run);
            whole.complete &= part.complete;
            whole.cases.extend(part.cases);
            whole.load_failures.extend(part.load_failures);
            whole.disagreements.extend(part.disagreements);
        }
        keep_selected(&mut whole, selection);
        whole
    }

    fn canaries(&self, beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
        let package = self.package_of(beside);
        let dialect = self.template_dialect().unwrap_or(package.launch.dialect);
        let module = self
            .modules
            .iter()
            .filter(|(folder, _)| is_below(beside, folder))
            .max_by_key(|(folder, _)| folder.len())
            .map_or(self.module, |(_, module)| *module);
        canary::beside(beside, source, nonce, dialect.name(), module)
    }
}

struct Planned {
    invocation: Invocation,
    dialect: &'static dyn Dialect,
    /// The stem of its files in the folder for reports.
    stem: String,
    /// The selected files; empty for all.
    files: Vec<RepoPath>,
}

impl JavaScriptRunner {
    fn plan(&self, selection: &Selection, out: &Path) -> Vec<Planned> {
        let (files, names) = match selection {
            Selection::Files(files) => (files.clone(), Vec::new()),
            Selection::Tests(ids) => {
                let mut files = Vec::new();
                let mut names = Vec::new();
                for (file, parts) in ids.iter().filter_map(split) {
                    if !files.contains(&file) {
                        files.push(file.clone());
                    }
                    names.push((file, parts));
                }
                (files, names)
            }
            Selection::Suite => return self.plan_suite(out),
        };
        if files.is_empty() {
            return Vec::new();
        }
        if let Some(template) = self.settings.command.as_ref().or_else(|| self.fallback_template()) {
            let names: Vec<Vec<String>> = names.into_iter().map(|(_, parts)| parts).collect();
            return vec![self.fill(template, files, &names, out)];
        }
        let mut groups: Vec<(&Package, Vec<RepoPath>)> = Vec::new();
        for file in files {
            let package = self.package_of(&file);
            match groups.iter_mut().find(|(known, _)| std::ptr::eq(*known, package)) {
                Some((_, files)) => files.push(file),
                None => groups.push((package, vec![file])),
            }
        }
        let mut planned = Vec::new();
        for (index, (package, files)) in groups.into_iter().enumerate() {
            let names: Vec<Vec<String>> = names
                .iter()
                .filter(|(file, _)| files.contains(file))
                .map(|(_, parts)| parts.clone())
                .collect();
            planned.push(self.of_package(package, files, &names, out, index));
        }
        planned
    }

    fn plan_suite(&self, out: &Path) -> Vec<Planned> {
        if let Some(template) = self.settings.suite.as_ref().or(self.settings.command.as_ref()) {
            return vec![self.fill(template, Vec::new(), &[], out)];
        }
        self.packages_of(&Selection::Suite)
            .into_iter()
            .enumerate()
            .map(|(index, package)| self.of_package(package, Vec::new(), &[], out, index))
            .collect()
    }

    /// The packages that a selection touches.
    fn packages_of(&self, selection: &Selection) -> Vec<&Package> {
        let mut chosen: Vec<&Package> = Vec::new();
        let mut choose = |file: &RepoPath| {
            let package = self.package_of(file);
            if !chosen.iter().any(|known| std::ptr::eq(*known, package)) {
                chosen.push(package);
            }
        };
        match selection {
            Selection::Files(files) => files.iter().for_each(&mut choose),
            Selection::Tests(ids) => ids.iter().filter_map(split).for_each(|(file, _)| choose(&file)),
            Selection::Suite => {
                // A root that says how its tests run is taken to speak for all packages.
                let root = self.packages.iter().find(|package| package.folder.is_empty() && package.evident);
                let own = self.packages.iter().filter(|package| package.evident && package.tests);
                chosen = root.map_or_else(|| own.collect(), |root| vec![root]);
                if chosen.is_empty() {
                    chosen.extend(self.packages.first());
                }
            }
        }
        chosen
    }

    /// The nearest package that says how its tests run.
    fn package_of(&self, file: &RepoPath) -> &Package {
        self.packages
            .iter()
            .filter(|package| is_below(file, &package.folder))
            .max_by_key(|package| package.folder.len())
            .unwrap_or(&self.packages[0])
    }

    /// The options that the user's command states, also those of the script behind it.
    fn stated(&self, words: &[String]) -> Vec<String> {
        let words: Vec<String> = words.iter().filter(|word| word.as_str() != "{tests}").cloned().collect();
        Launch::of_words(&words, &self.scripts).map(|launch| launch.stated).unwrap_or_default()
    }

    fn fallback_template(&self) -> Option<&Template> {
        self.packages.iter().all(|package| package.program.is_none()).then_some(())?;
        self.settings.suite.as_ref()
    }

    fn template_dialect(&self) -> Option<&'static dyn Dialect> {
        self.settings.command.as_ref().map(|_| self.dialect)
    }

    fn of_package(
        &self,
        package: &Package,
        files: Vec<RepoPath>,
        names: &[Vec<String>],
        out: &Path,
        index: usize,
    ) -> Planned {
        let launch = &package.launch;
        let stem = format!("r{index}");
        let relative: Vec<String> =
            files.iter().map(|file| relative_to(file, &package.folder).to_owned()).collect();
        let job = Job { out, stem: &stem, files: &relative, names, config: launch.config.as_deref() };
        let missing = || {
            let folder = self.root.join(&package.folder).join("node_modules/.bin");
            folder.join(launch.dialect.name()).display().to_string()
        };
        let mut argv = launch.before.clone();
        if launch.dialect.package().is_some() {
            argv.push(package.program.clone().unwrap_or_else(missing));
            argv.extend(launch.command.iter().cloned());
            argv.extend(launch.dialect.command().iter().map(|word| (*word).to_owned()));
        }
        argv.extend(launch.options.iter().cloned());
        argv.extend(launch.dialect.flags(&job));
        let specs = if relative.is_empty() { launch.specs.as_slice() } else { relative.as_slice() };
        let argv = if relative.is_empty() && self.shell_expands(launch.dialect, specs) {
            with_shell(argv, specs)
        } else {
            argv.extend(specs.iter().cloned());
            argv
        };
        let mut invocation = Invocation::new(argv).cwd(package.folder.clone());
        invocation.env = launch.env.iter().cloned().collect();
        // As npm does for its scripts: tests may start installed programs by name.
        invocation.env.insert("PATH".to_owned(), self.search_path(&package.folder));
        invocation.env.extend(launch.dialect.environment());
        invocation.files = launch.dialect.files(&job);
        Planned { invocation, dialect: launch.dialect, stem, files }
    }

    fn search_path(&self, folder: &str) -> String {
        let own = self.root.join(folder).join("node_modules/.bin");
        let root = self.root.join("node_modules/.bin");
        if own == root {
            format!("{}:{{env:PATH}}", root.display())
        } else {
            format!("{}:{}:{{env:PATH}}", own.display(), root.display())
        }
    }

    /// Node expands patterns itself only since version 21; before, the shell of npm did.
    fn shell_expands(&self, dialect: &dyn Dialect, specs: &[String]) -> bool {
        dialect.package().is_none()
            && self.node_major < 21
            && specs.iter().any(|spec| spec.contains(['*', '?', '[']))
            && specs.iter().all(|spec| {
                spec.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./*?[]{},@+!".contains(letter))
            })
    }

    fn fill(&self, template: &Template, files: Vec<RepoPath>, names: &[Vec<String>], out: &Path) -> Planned {
        let stem = "r0".to_owned();
        let dialect = self.dialect;
        let relative: Vec<String> = files.iter().map(|file| file.as_str().to_owned()).collect();
        let words = template.words();
        let config = config_of(words);
        let job = Job { out, stem: &stem, files: &relative, names, config: config.as_deref() };
        let mut flags = dialect.flags(&job);
        if !dialect.repeats_options() {
            let stated = self.stated(words);
            flags.retain(|flag| !stated.iter().any(|name| name == option_name(flag)));
        }
        let assigned = words.iter().take_while(|word| is_assignment(word)).count();
        let program = words.get(assigned).map_or("", String::as_str);
        let mut env: BTreeMap<String, String> = words[..assigned]
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let own_node = matches!(program.rsplit('/').next(), Some("node" | "tsx"));
        let mut argv = if dialect.package().is_none() && !own_node {
            // Behind npm and its like, options that follow the first file would be taken for files.
            let options =
                env.entry("NODE_OPTIONS".to_owned()).or_insert_with(|| "{env:NODE_OPTIONS}".to_owned());
            let allowed =
                |flag: &&String| flag.as_str() != "--test" && !flag.starts_with("--test-name-pattern");
            for flag in flags.iter().filter(allowed) {
                options.push(' ');
                options.push_str(&quoted(flag));
            }
            template.fill(&[], &relative)
        } else {
            template.fill(&flags, &relative)
        };
        argv.drain(..assigned);
        env.extend(dialect.environment());
        if is_manager(program) {
            env.insert("npm_config_cache".to_owned(), out.join("npm-cache").display().to_string());
            env.insert("npm_config_update_notifier".to_owned(), "false".to_owned());
            env.insert("npm_config_fund".to_owned(), "false".to_owned());
            env.insert("npm_config_audit".to_owned(), "false".to_owned());
        }
        let mut invocation = Invocation::new(argv);
        invocation.env = env;
        invocation.files = dialect.files(&job);
        Planned { invocation, dialect, stem, files }
    }
}

/// `coverage` of `--coverage.enabled=false`.
fn option_name(flag: &str) -> &str {
    flag.trim_start_matches('-').split(['=', '.']).next().unwrap_or(flag)
}

/// File and titles of an id.
fn split(id: &TestId) -> Option<(RepoPath, Vec<String>)> {
    let mut parts = id.as_str().split(" > ").map(str::to_owned);
    let file = RepoPath::new(parts.next()?).ok()?;
    Some((file, parts.collect()))
}

/// Runners match files and names more loosely than asked for.
fn keep_selected(reading: &mut Reading, selection: &Selection) {
    match selection {
        Selection::Suite => {}
        Selection::Tests(ids) => reading.cases.retain(|case| ids.contains(&case.id)),
        Selection::Files(files) => {
            reading.cases.retain(|case| case.file.as_ref().is_none_or(|file| files.contains(file)));
            reading.load_failures.retain(|load| load.file.as_ref().is_none_or(|file| files.contains(file)));
        }
    }
}

fn config_of(words: &[String]) -> Option<String> {
    words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix("--config") {
        Some("") => words.get(at + 1).cloned(),
        Some(rest) => rest.strip_prefix('=').map(str::to_owned),
        None => None,
    })
}

fn is_manager(program: &str) -> bool {
    matches!(program, "npm" | "npx" | "pnpm" | "yarn")
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(key, _)| {
        !key.is_empty()
            && key
                .chars()
                .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
    })
}

/// A word of NODE_OPTIONS.
fn quoted(word: &str) -> String {
    if word.contains([' ', '"', '\\']) {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        word.to_owned()
    }
}

fn with_shell(argv: Vec<String>, specs: &[String]) -> Vec<String> {
    let line = format!("exec {} {}", shell_words::join(&argv), specs.join(" "));
    vec!["sh".to_owned(), "-c".to_owned(), line]
}
