//! Which runner a project's tests are written for, and how it is started.

use std::process::Command;

use super::super::command::find_program;
use super::super::{LangError, Project, Role, Runner, RunnerSettings, Template};
use super::dialect::{DIALECTS, Dialect, KNOWN};
use super::packages::{Manifest, installed, is_below, program, version};
use super::runner::{JavaScriptRunner, Package};
use super::script::{Launch, unreadable};
use super::{build, roles, source};
use crate::git::RepoPath;

/// How many test files are looked at for what they import.
const LOOKED_AT: usize = 24;

/// The runner of a project.
///
/// # Errors
/// The setting names no known runner, or nothing that runs the tests is installed.
pub(super) fn choose(project: &dyn Project, settings: &RunnerSettings) -> Result<Box<dyn Runner>, LangError> {
    let declared = settings.runner.as_deref().map(declared).transpose()?;
    let Some(node) = node_version() else {
        return Err(LangError::RunnerMissing {
            what: "`node` is not on the PATH".to_owned(),
            way_out: "install Node.js 20 or newer, or put it on the PATH of failfirst".to_owned(),
        });
    };
    let mut manifests = Manifest::all(project);
    if !manifests.first().is_some_and(|manifest| manifest.folder.is_empty()) {
        manifests.insert(0, Manifest::empty());
    }
    let template = settings.command.as_ref().or(settings.suite.as_ref());
    let named = declared.or_else(|| template.and_then(|template| of_template(template, &manifests[0])));
    let mut packages = Vec::new();
    for manifest in &manifests {
        let own = Launch::of_scripts(&manifest.scripts(), named);
        let launch = match own {
            Some(launch) => Some(launch),
            None => configured(project, manifest, named).map(Launch::plain),
        };
        let evident = launch.is_some();
        let launch = match launch {
            Some(launch) => launch,
            None if manifest.folder.is_empty() => match named.or_else(|| guess(project, manifest)) {
                Some(dialect) => Launch::plain(dialect),
                None => continue,
            },
            None => continue,
        };
        packages.push(package(project, manifest, launch, evident, node.0));
    }
    if packages.is_empty() {
        return Err(unknown(&manifests));
    }
    if template.is_none() && packages.iter().all(|package| package.program.is_none()) {
        return Err(missing(&packages[0]));
    }
    let primary = packages.iter().find(|package| package.evident).unwrap_or(&packages[0]);
    let dialect = named.unwrap_or(primary.launch.dialect);
    let label = label(project, primary, dialect, &node.1);
    Ok(Box::new(JavaScriptRunner {
        root: project.root().to_owned(),
        dialect,
        label,
        packages,
        settings: settings.clone(),
        node_major: node.0,
        scripts: manifests[0].scripts(),
        module: manifests[0].is_module(),
        modules: manifests.iter().map(|manifest| (manifest.folder.clone(), manifest.is_module())).collect(),
    }))
}

fn declared(name: &str) -> Result<&'static dyn Dialect, LangError> {
    let wanted = if name == "node" { "node:test" } else { name };
    DIALECTS.iter().copied().find(|dialect| dialect.name() == wanted).ok_or_else(|| {
        LangError::UnknownRunner { name: name.to_owned(), language: "javascript", known: KNOWN }
    })
}

/// The runner that the words of a template start, directly or through a script of the root.
fn of_template(template: &Template, root: &Manifest) -> Option<&'static dyn Dialect> {
    let words: Vec<String> =
        template.words().iter().filter(|word| word.as_str() != "{tests}").cloned().collect();
    Launch::of_words(&words, &root.scripts()).map(|launch| launch.dialect)
}

/// The runner whose configuration lies in the package's own folder.
fn configured(
    project: &dyn Project,
    manifest: &Manifest,
    named: Option<&'static dyn Dialect>,
) -> Option<&'static dyn Dialect> {
    let starts = |name: &str, stem: &str| {
        name.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let found = |stem: &str| {
        project.paths().iter().any(|path| path.parent() == manifest.folder && starts(path.file_name(), stem))
    };
    DIALECTS.iter().copied().find(|dialect| {
        named.is_none_or(|named| named.name() == dialect.name())
            && match dialect.name() {
                "jest" => found("jest.config") || manifest.has("jest"),
                "vitest" => found("vitest.config") || found("vitest.workspace"),
                "mocha" => found(".mocharc") || manifest.has("mocha"),
                _ => false,
            }
    })
}

/// The runner that the tests import, or that is listed among the dependencies, or installed.
fn guess(project: &dyn Project, manifest: &Manifest) -> Option<&'static dyn Dialect> {
    let mut imports = [0_usize; 4];
    let tests = project.paths().iter().filter(|path| roles::role(path) == Some(Role::Test));
    for path in tests.take(LOOKED_AT) {
        let Some(text) = project.text(path.as_str()) else { continue };
        for (index, dialect) in DIALECTS.iter().enumerate() {
            imports[index] += usize::from(source::imports_api(&text, dialect.name()));
        }
    }
    let most = (0..DIALECTS.len()).rev().max_by_key(|index| imports[*index])?;
    if imports[most] > 0 {
        return Some(DIALECTS[most]);
    }
    let with_package = || DIALECTS.iter().copied().filter(|dialect| dialect.package().is_some());
    with_package()
        .find(|dialect| dialect.package().is_some_and(|package| manifest.depends_on(package)))
        .or_else(|| with_package().find(|dialect| installed_program(project, manifest, *dialect).is_some()))
}

fn installed_program(
    project: &dyn Project,
    manifest: &Manifest,
    dialect: &'static dyn Dialect,
) -> Option<std::path::PathBuf> {
    dialect.binaries().first().and_then(|name| program(project.root(), &manifest.folder, name))
}

fn package(
    project: &dyn Project,
    manifest: &Manifest,
    mut launch: Launch,
    evident: bool,
    node_major: u32,
) -> Package {
    let root = project.root();
    let folder = manifest.folder.clone();
    let of_path = |name: &String| {
        program(root, &folder, name).map_or_else(|| name.clone(), |file| file.display().to_string())
    };
    if let Some(first) = launch.before.first_mut()
        && first != "node"
    {
        *first = of_path(first);
    }
    let program = if launch.dialect.package().is_none() {
        if launch.before.is_empty() {
            launch.before = vec!["node".to_owned()];
            launch.options.splice(0..0, loader(project, &folder, node_major));
        }
        Some("node".to_owned())
    } else if !launch.before.is_empty() {
        // Node runs the file as the script writes it, `node_modules/jest/bin/jest.js`.
        launch.program.clone()
    } else {
        let name = match &launch.program {
            Some(written) if !launch.command.is_empty() => written.as_str(),
            _ => launch.dialect.binaries()[0],
        };
        program(root, &folder, name).map(|file| file.display().to_string())
    };
    let tests =
        project.paths().iter().any(|path| is_below(path, &folder) && roles::role(path) == Some(Role::Test));
    let steps = build::steps(&manifest.scripts(), &launch);
    Package { folder, launch, program, evident, tests, steps }
}

/// What lets Node run TypeScript where the project does not say.
fn loader(project: &dyn Project, folder: &str, node_major: u32) -> Vec<String> {
    let typed = |path: &RepoPath| {
        is_below(path, folder)
            && roles::role(path) == Some(Role::Test)
            && matches!(path.extension(), Some("ts" | "mts" | "cts" | "tsx"))
    };
    if !project.paths().iter().any(typed) {
        return Vec::new();
    }
    if installed(project.root(), folder, "tsx/package.json").is_some() {
        return vec!["--import".to_owned(), "tsx".to_owned()];
    }
    if node_major == 22 { vec!["--experimental-strip-types".to_owned()] } else { Vec::new() }
}

fn label(project: &dyn Project, package: &Package, dialect: &'static dyn Dialect, node: &str) -> String {
    match dialect.package() {
        None => format!("node:test on Node {node}"),
        Some(name) => match version(project.root(), &package.folder, name) {
            Some(version) => format!("{name} {version} on Node {node}"),
            None => format!("{name} on Node {node}"),
        },
    }
}

fn unknown(manifests: &[Manifest]) -> LangError {
    match manifests.iter().find_map(|manifest| unreadable(&manifest.scripts())) {
        Some(name) => LangError::RunnerMissing {
            what: format!("package.json runs its tests with `{name}`, whose reports failfirst cannot read"),
            way_out: format!(
                "set `runner` under [project] in failfirst.toml if the tests also run with {KNOWN}"
            ),
        },
        None => LangError::RunnerMissing {
            what: format!("neither package.json nor the test files tell which of {KNOWN} runs the tests"),
            way_out:
                "set `runner` under [project] in failfirst.toml, and run `npm ci` in the checkout or list it \
                      under `setup`"
                    .to_owned(),
        },
    }
}

fn missing(package: &Package) -> LangError {
    let folder = if package.folder.is_empty() { "the checkout" } else { package.folder.as_str() };
    LangError::RunnerMissing {
        what: format!(
            "`{}` is not installed in {folder} (no node_modules/.bin has it)",
            package.launch.dialect.name()
        ),
        way_out: "run `npm ci` in the checkout, or list it under `setup` in failfirst.toml".to_owned(),
    }
}

/// The major version of Node, and the whole of it.
fn node_version() -> Option<(u32, String)> {
    let output =
        Command::new(find_program("node")?).arg("--version").env_remove("NODE_OPTIONS").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.trim().strip_prefix('v')?.to_owned();
    Some((version.split('.').next()?.parse().ok()?, version))
}
