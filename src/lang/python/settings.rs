//! What a change of `pyproject.toml` or `setup.py` means for the test run.

use std::sync::LazyLock;

use regex::Regex;
use toml::{Table, Value};

use super::essence;
use crate::git::RepoPath;
use crate::lang::SettingChange;

/// As [`crate::lang::Language::runner_settings_changed`].
pub(super) fn runner_tables_changed(
    path: &RepoPath,
    old: Option<&str>,
    new: Option<&str>,
) -> Option<SettingChange> {
    match path.file_name() {
        "pyproject.toml" => pyproject(old.unwrap_or_default(), new.unwrap_or_default()),
        "setup.py" => setup_py(old.unwrap_or_default(), new.unwrap_or_default()),
        _ => None,
    }
}

/// Tables that steer a test run, by path.
const RUNNER: [&[&str]; 8] = [
    &["tool", "pytest"],
    &["tool", "coverage"],
    &["tool", "pytest-asyncio"],
    &["project", "entry-points", "pytest11"],
    &["tool", "poetry", "plugins", "pytest11"],
    &["tool", "setuptools", "data-files"],
    &["tool", "tox"],
    &["tool", "pytest_env"],
];

/// Tables that decide what is installed, and from where.
const DEPENDENCIES: [&[&str]; 12] = [
    &["build-system"],
    &["project", "dependencies"],
    &["project", "optional-dependencies"],
    &["project", "requires-python"],
    &["project", "dynamic"],
    &["dependency-groups"],
    &["tool", "poetry", "dependencies"],
    &["tool", "poetry", "dev-dependencies"],
    &["tool", "poetry", "group"],
    &["tool", "uv"],
    &["tool", "pdm"],
    &["tool", "hatch"],
];

fn pyproject(old: &str, new: &str) -> Option<SettingChange> {
    let (Ok(old), Ok(new)) = (old.parse::<Table>(), new.parse::<Table>()) else {
        return Some(SettingChange::Runner("does not parse, so its settings are unknown".to_owned()));
    };
    let differs = |keys: &&&[&str]| at(&old, keys) != at(&new, keys);
    let named = |keys: &&[&str]| format!("changes `{}`", keys.join("."));
    if let Some(keys) = RUNNER.iter().find(differs) {
        return Some(SettingChange::Runner(named(keys)));
    }
    // Plugins keep their settings in tables of their own (`[tool.pytest-watch]`).
    let plugin = |table: &Table| -> Vec<(String, Value)> {
        let tools = table.get("tool").and_then(Value::as_table);
        tools
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.starts_with("pytest"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    if plugin(&old) != plugin(&new) {
        return Some(SettingChange::Runner("changes the settings of a plugin of pytest".to_owned()));
    }
    DEPENDENCIES.iter().find(differs).map(|keys| SettingChange::Dependencies(named(keys)))
}

fn at<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
}

static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)\b(version|__version__|VERSION)\s*=\s*["'][^"'\n]*["']"#)
        .expect("the pattern is a constant")
});

/// A setup script runs when the project is installed; only its version and its comments are free.
fn setup_py(old: &str, new: &str) -> Option<SettingChange> {
    let bare = |text: &str| {
        let text = VERSION.replace_all(text, "version=''");
        essence::essence(&text).unwrap_or_else(|| text.into_owned())
    };
    if bare(old) == bare(new) {
        return None;
    }
    let lines = |text: &str| text.matches("pytest11").count();
    Some(if lines(old) == lines(new) {
        SettingChange::Dependencies("changes more of the installation than its version".to_owned())
    } else {
        SettingChange::Runner("changes which plugins of pytest it registers".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(file: &str, old: &str, new: &str) -> Option<SettingChange> {
        runner_tables_changed(&RepoPath::new(file).unwrap(), Some(old), Some(new))
    }

    #[test]
    fn only_tables_of_the_runner_count_as_its_settings() {
        let file = "pyproject.toml";
        let pytest = "[tool.pytest.ini_options]\naddopts = \"-q\"\n";
        assert_eq!(changed(file, "", "[project]\nversion = \"2\"\n[tool.ruff]\nx = 1\n"), None);
        assert_eq!(changed(file, pytest, "# why\n[tool.pytest.ini_options]\naddopts = '-q'\n"), None);
        assert_eq!(
            changed(file, pytest, "[tool.pytest.ini_options]\naddopts = \"-k x\"\n"),
            Some(SettingChange::Runner("changes `tool.pytest`".to_owned()))
        );
        assert_eq!(
            changed(file, "", "[project]\ndependencies = [\"a\"]\n"),
            Some(SettingChange::Dependencies("changes `project.dependencies`".to_owned()))
        );
        assert!(matches!(changed(file, "", "[tool"), Some(SettingChange::Runner(_))));
        assert!(matches!(
            runner_tables_changed(&RepoPath::new(file).unwrap(), Some(pytest), None),
            Some(SettingChange::Runner(_))
        ));
    }

    #[test]
    fn a_setup_script_may_change_its_version_and_its_comments() {
        let old = "from setuptools import setup\nsetup(name='a', version='1.0')\n";
        assert_eq!(changed("setup.py", old, &old.replace("1.0", "1.1")), None);
        assert_eq!(changed("setup.py", old, &format!("# hello\n{old}")), None);
        let more = old.replace("name=", "install_requires=['b'], name=");
        assert_eq!(
            changed("setup.py", old, &more),
            Some(SettingChange::Dependencies("changes more of the installation than its version".to_owned()))
        );
        let plugin = old.replace("name=", "entry_points={'pytest11': ['a = a']}, name=");
        assert!(matches!(changed("setup.py", old, &plugin), Some(SettingChange::Runner(_))));
    }
}
