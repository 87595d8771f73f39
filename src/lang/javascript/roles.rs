//! What a file of a JavaScript project is for, by its path.

use super::super::{Role, protected};
use crate::git::RepoPath;

const SOURCES: [&str; 8] = ["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];

/// True for files that Node, a loader or a bundler can run.
pub(super) fn is_source(path: &RepoPath) -> bool {
    path.extension().is_some_and(|extension| SOURCES.contains(&extension)) && !is_declaration(path)
}

fn is_declaration(path: &RepoPath) -> bool {
    let name = path.file_name();
    name.ends_with(".d.ts") || name.ends_with(".d.mts") || name.ends_with(".d.cts")
}

/// True for tests and their helpers.
pub(super) fn is_for_tests(path: &RepoPath) -> bool {
    matches!(role(path), Some(Role::Test | Role::TestSupport))
}

/// The role of a file.
pub(super) fn role(path: &RepoPath) -> Option<Role> {
    let name = path.file_name();
    let lower = name.to_ascii_lowercase();
    if is_runner_configuration(&lower) {
        return Some(Role::Protected(protected::Class::Runner));
    }
    let below_tests = path.folders().any(is_test_folder);
    let support_folder = path.folders().any(|folder| {
        matches!(
            folder,
            "fixtures"
                | "fixture"
                | "__fixtures__"
                | "__mocks__"
                | "__snapshots__"
                | "helpers"
                | "__helpers__"
        )
    });
    if lower.ends_with(".snap")
        || path.folders().any(|folder| matches!(folder, "__mocks__" | "__snapshots__" | "__fixtures__"))
    {
        return Some(Role::TestSupport);
    }
    if is_source(path) {
        if is_test_name(&lower) {
            return Some(Role::Test);
        }
        if below_tests {
            let stem = lower.split('.').next().unwrap_or(&lower);
            let helper = support_folder
                || stem.contains("helper")
                || stem.contains("fixture")
                || stem.contains("setup");
            return Some(if helper { Role::TestSupport } else { Role::Test });
        }
    } else if below_tests {
        return Some(Role::TestSupport);
    }
    if matches!(
        lower.as_str(),
        "package.json" | "deno.json" | "lerna.json" | "nx.json" | "turbo.json" | "pnpm-workspace.yaml"
    ) || is_build_configuration(path, &lower)
    {
        return Some(Role::Other);
    }
    if is_source(path)
        || is_declaration(path)
        || matches!(path.extension(), Some("vue" | "svelte" | "node" | "wasm"))
    {
        return Some(Role::Production);
    }
    let shipped = matches!(
        path.extension(),
        Some(
            "json"
                | "css"
                | "scss"
                | "html"
                | "graphql"
                | "txt"
                | "yml"
                | "yaml"
                | "peg"
                | "pegjs"
                | "ejs"
                | "hbs"
        )
    );
    (shipped
        && path
            .folders()
            .next()
            .is_some_and(|top| matches!(top, "src" | "lib" | "data" | "app" | "packages" | "source")))
    .then_some(Role::Production)
}

fn is_test_folder(folder: &str) -> bool {
    matches!(folder, "test" | "tests" | "spec" | "specs" | "__tests__" | "__test__" | "e2e" | "cypress")
}

/// `a.test.ts`, `a.spec.js`, `a_test.js`, `a-test.mjs`, `test-a.js`, `test.js`.
fn is_test_name(lower: &str) -> bool {
    let stem = lower.rsplit_once('.').map_or(lower, |(stem, _)| stem);
    stem.ends_with(".test")
        || stem.ends_with(".spec")
        || stem.ends_with("_test")
        || stem.ends_with("-test")
        || stem.ends_with("_spec")
        || stem.ends_with("-spec")
        || stem.ends_with(".test-d")
        || stem.ends_with(".test.node")
        || stem.starts_with("test-")
        || stem == "test"
        || stem == "tests"
}

fn is_runner_configuration(lower: &str) -> bool {
    const STEMS: [&str; 14] = [
        "jest.config",
        "jest.preset",
        "vitest.config",
        "vitest.workspace",
        "vitest.projects",
        "vite.config",
        ".mocharc",
        "babel.config",
        ".babelrc",
        ".swcrc",
        "jest.setup",
        "vitest.setup",
        ".c8rc",
        ".nycrc",
    ];
    let starts = |stem: &str| {
        lower.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    STEMS.iter().any(|stem| starts(stem))
        || (lower.starts_with("tsconfig") && lower.ends_with(".json"))
        || (lower.starts_with("jest") && lower.contains(".config."))
        || (lower.starts_with("vitest") && lower.contains(".config."))
        || matches!(
            lower,
            "jsconfig.json" | "setupjest.js" | "setuptests.js" | "setuptests.ts" | "mocha.opts" | ".taprc"
        )
}

fn is_build_configuration(path: &RepoPath, lower: &str) -> bool {
    const TOOLS: [&str; 18] = [
        "eslint",
        ".eslintrc",
        "prettier",
        ".prettierrc",
        "rollup",
        "webpack",
        "tsup",
        "tsdown",
        "build.config",
        "karma",
        "postcss",
        "tailwind",
        "gulpfile",
        "gruntfile",
        "commitlint",
        "lint-staged",
        ".lintstagedrc",
        "biome",
    ];
    let stem_matches = TOOLS.iter().any(|tool| {
        lower.strip_prefix(tool).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    });
    stem_matches
        || lower.contains(".config.") && is_source(path)
        || path.folders().next().is_some_and(|top| {
            matches!(top, "scripts" | "bench" | "benchmark" | "benchmarks" | "examples" | "example" | "tools")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<Role> {
        role(&RepoPath::new(path).unwrap())
    }

    #[test]
    fn tests_are_known_by_name_or_folder() {
        for path in [
            "src/cart.test.ts",
            "src/a.spec.mjs",
            "src/__tests__/cart.tsx",
            "test/cart.js",
            "packages/a/tests/x.cjs",
            "spec/cart.js",
            "test.js",
            "lib/cart_test.js",
            "test/test-x.js",
        ] {
            assert_eq!(of(path), Some(Role::Test), "{path}");
        }
        for path in [
            "test/fixtures/a.js",
            "src/__mocks__/fs.js",
            "src/__snapshots__/a.test.ts.snap",
            "test/helpers.js",
            "test/data/words.txt",
            "test/setup.ts",
            "tests/cart.snap",
        ] {
            assert_eq!(of(path), Some(Role::TestSupport), "{path}");
        }
    }

    #[test]
    fn configuration_of_the_run_is_protected() {
        for path in [
            "jest.config.js",
            "packages/a/vitest.config.mts",
            "vitest.workspace.ts",
            "vite.config.ts",
            ".mocharc.yml",
            ".mocharc",
            "babel.config.js",
            ".babelrc",
            "tsconfig.json",
            "tsconfig.build.json",
            ".swcrc",
            "jest.setup.ts",
            "test/vitest.setup.ts",
            ".c8rc.json",
            ".nycrc",
            "jest-unit.config.js",
        ] {
            assert_eq!(of(path), Some(Role::Protected(protected::Class::Runner)), "{path}");
        }
    }

    #[test]
    fn the_rest_is_production_or_build() {
        for path in
            ["src/cart.ts", "index.js", "lib/data.json", "types/index.d.ts", "bin/cli.mjs", "src/contest.js"]
        {
            assert_eq!(of(path), Some(Role::Production), "{path}");
        }
        for path in
            ["package.json", "eslint.config.mjs", ".prettierrc.js", "rollup.config.js", "scripts/build.js"]
        {
            assert_eq!(of(path), Some(Role::Other), "{path}");
        }
        assert_eq!(of("README.md"), None);
    }
}
