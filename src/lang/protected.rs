//! Files whose change can turn a test green without repairing anything.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::git::RepoPath;

/// Why a path is protected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Configuration of the test runner or of the interpreter that starts it.
    Runner,
    /// Lockfiles and vendored dependencies.
    Dependencies,
    /// Continuous integration.
    Ci,
    /// Git's own files (`.gitattributes`, `.gitmodules`, hooks).
    Git,
    /// Instructions for coding agents.
    AgentInstructions,
    /// Listed under `protected` in `[paths]` of `failfirst.toml`, or that file itself.
    Configured,
}

impl Class {
    /// For sentences: "…, which is {}".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Runner => "configuration of the test run",
            Self::Dependencies => "a lockfile or vendored dependency",
            Self::Ci => "a continuous-integration file",
            Self::Git => "a file that steers git",
            Self::AgentInstructions => "a file of instructions for agents",
            Self::Configured => "protected by failfirst.toml",
        }
    }
}

/// The class of a path that is protected in every language.
pub fn classify(path: &RepoPath) -> Option<Class> {
    let text = path.as_str();
    let name = path.file_name();
    let lower = name.to_ascii_lowercase();
    let top = text.split('/').next().unwrap_or(text);
    if matches!(name, "failfirst.toml" | ".failfirst.toml") || top == ".failfirst" {
        return Some(Class::Configured);
    }
    if matches!(name, ".gitattributes" | ".gitmodules" | ".gitconfig" | ".lfsconfig" | ".mailmap")
        || top == ".githooks"
        || top == ".husky"
    {
        return Some(Class::Git);
    }
    if matches!(
        lower.as_str(),
        "claude.md"
            | "agents.md"
            | "gemini.md"
            | ".cursorrules"
            | ".windsurfrules"
            | "copilot-instructions.md"
            | ".mcp.json"
            | ".aider.conf.yml"
    ) || path
        .folders()
        .any(|folder| matches!(folder, ".claude" | ".codex" | ".gemini" | ".cursor" | ".opencode"))
    {
        return Some(Class::AgentInstructions);
    }
    if text.starts_with(".github/workflows/")
        || text.starts_with(".github/actions/")
        || matches!(top, ".circleci" | ".buildkite" | ".gitlab" | ".woodpecker" | ".azure-pipelines" | ".ci")
        || matches!(
            lower.as_str(),
            ".gitlab-ci.yml"
                | ".travis.yml"
                | "appveyor.yml"
                | ".appveyor.yml"
                | "azure-pipelines.yml"
                | "jenkinsfile"
                | "bitbucket-pipelines.yml"
                | "action.yml"
                | "action.yaml"
                | "noxfile.py"
                | ".pre-commit-config.yaml"
        )
    {
        return Some(Class::Ci);
    }
    if path.folders().any(|folder| {
        matches!(
            folder,
            "node_modules" | "site-packages" | ".venv" | "venv" | "vendor" | "_vendor" | "third_party"
        )
    }) || matches!(
        lower.as_str(),
        "package-lock.json"
            | "npm-shrinkwrap.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "bun.lockb"
            | "bun.lock"
            | "poetry.lock"
            | "pdm.lock"
            | "uv.lock"
            | "pipfile.lock"
            | "cargo.lock"
            | "go.sum"
            | "gemfile.lock"
            | ".npmrc"
            | ".yarnrc"
            | ".yarnrc.yml"
            | ".pnpmfile.cjs"
            | "pip.conf"
    ) || (lower.starts_with("requirements") && lower.ends_with(".txt"))
    {
        return Some(Class::Dependencies);
    }
    if matches!(
        lower.as_str(),
        "makefile"
            | "gnumakefile"
            | "justfile"
            | ".justfile"
            | "taskfile.yml"
            | ".env"
            | ".envrc"
            | ".tool-versions"
            | ".nvmrc"
            | ".node-version"
            | ".python-version"
            | "rust-toolchain"
            | "rust-toolchain.toml"
    ) {
        return Some(Class::Runner);
    }
    None
}

/// True for files that never run: prose, pictures, licences.
pub fn is_docs(path: &RepoPath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or(&name);
    let first = path.folders().next();
    matches!(
        path.extension(),
        Some("md" | "rst" | "adoc" | "mdx" | "markdown" | "png" | "svg" | "jpg" | "jpeg" | "gif" | "webp")
    ) || matches!(
        stem,
        "changelog"
            | "changes"
            | "history"
            | "news"
            | "license"
            | "licence"
            | "copying"
            | "authors"
            | "contributors"
            | "notice"
            | "readme"
            | "security"
            | "codeowners"
    ) || matches!(
        first,
        Some(
            "docs"
                | "doc"
                | "newsfragments"
                | "changelog.d"
                | "changes"
                | "news"
                | ".changeset"
                | "changelogs"
        )
    ) || (matches!(path.extension(), Some("txt"))
        && path.parent().is_empty()
        && !name.contains("requirements")
        && name != "cmakelists.txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(path: &str) -> Option<Class> {
        classify(&RepoPath::new(path).unwrap())
    }

    #[test]
    fn protected_files_are_known_by_name() {
        assert_eq!(class(".github/workflows/ci.yml"), Some(Class::Ci));
        assert_eq!(class("Cargo.lock"), Some(Class::Dependencies));
        assert_eq!(class("sub/requirements-dev.txt"), Some(Class::Dependencies));
        assert_eq!(class("sub/.gitattributes"), Some(Class::Git));
        assert_eq!(class("CLAUDE.md"), Some(Class::AgentInstructions));
        assert_eq!(class(".claude/settings.json"), Some(Class::AgentInstructions));
        assert_eq!(class("failfirst.toml"), Some(Class::Configured));
        assert_eq!(class("src/vendor/x.py"), Some(Class::Dependencies));
        assert_eq!(class("src/cart.py"), None);
    }

    #[test]
    fn prose_is_told_from_code() {
        for path in
            ["CHANGES.rst", "docs/conf.py", "README", "LICENSE.txt", "notes.txt", "changelog.d/12.bugfix"]
        {
            assert!(is_docs(&RepoPath::new(path).unwrap()), "{path}");
        }
        for path in ["src/docs.py", "requirements.txt", "src/data/words.txt", "setup.py"] {
            assert!(!is_docs(&RepoPath::new(path).unwrap()), "{path}");
        }
    }
}
