//! Copies that are found, and ordinary tests that are no copies.

use super::{Pair, Source, compare};
use crate::gate::real_world::{RealFix, real_fixes};
use crate::gate::roles::Roles;
use crate::gate::smells::scene::{Scene, SourceFile};
use crate::gate::split::split;
use crate::git::RepoPath;
use crate::lang::grammar::Grammar;
use crate::verify::belongs_to_tests;

fn source(path: &str, text: &str) -> Source {
    let path = RepoPath::new(path).unwrap();
    let grammar = Grammar::of(&path).unwrap();
    Source { tree: grammar.parse(text).unwrap(), path, grammar, text: text.to_owned(), tests: Vec::new() }
}

fn pairs(production: (&str, &str), test: (&str, &str)) -> Vec<Pair> {
    let file = SourceFile::new(&RepoPath::new(test.0).unwrap(), None, test.1.to_owned(), &|_| true).unwrap();
    compare(&[file], &[source(production.0, production.1)])
}

const BRANCH: &str = "async def create_branch(model, db, registry):\n    \"\"\"Create a branch.\"\"\"\n    existing = await registry.find(db, name=model.name)\n    if existing is not None:\n        raise ValueError(f'branch {model.name} exists')\n    branch = Branch(name=model.name, origin=model.origin or 'main')\n    await branch.save(db)\n    registry.add(branch)\n    for worker in registry.workers:\n        await worker.notify(branch.name)\n    return branch\n";

#[test]
fn the_founding_copy_is_found_under_another_name_and_with_a_lock() {
    let test = "import asyncio\n\nLOCK = asyncio.Lock()\n\n\nasync def create_branch_with_lock(wanted, database, known):\n    async with LOCK:\n        found = await known.find(database, name=wanted.name)\n        if found is not None:\n            raise ValueError(f'{wanted.name} is taken')\n        new = Branch(name=wanted.name, origin=wanted.origin or 'main')\n        await new.save(database)\n        known.add(new)\n        for worker in known.workers:\n            await worker.notify(new.name)\n        return new\n\n\nasync def test_two_branches(database):\n    results = await asyncio.gather(create_branch_with_lock('a', database, R), create_branch_with_lock('a', database, R))\n    assert len(results) == 1\n";
    let found = pairs(("infra/branch.py", BRANCH), ("tests/test_branch.py", test));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].test.place(), "tests/test_branch.py:6-16");
    assert_eq!(found[0].production.place(), "infra/branch.py:1-11");
    assert!(found[0].test.text.starts_with("async def create_branch_with_lock("));
    assert!(found[0].share > 0.8, "{}", found[0].share);
}

#[test]
fn a_test_that_calls_production_is_no_copy() {
    let test = "async def test_two_branches(database, registry):\n    model = Model(name='a', origin='main')\n    first = await create_branch(model, database, registry)\n    with pytest.raises(ValueError, match='exists'):\n        await create_branch(model, database, registry)\n    assert first.name == 'a'\n    assert registry.names() == ['a']\n    for worker in registry.workers:\n        assert worker.seen == ['a']\n";
    assert_eq!(pairs(("infra/branch.py", BRANCH), ("tests/test_branch.py", test)), []);
}

#[test]
fn copies_are_found_in_every_language() {
    let script = "export function total(prices, rate) {\n  let sum = 0;\n  for (const price of prices) {\n    if (price < 0) throw new RangeError('negative');\n    sum += Math.round(price * rate * 100) / 100;\n  }\n  return sum > 100 ? sum * 0.9 : sum;\n}\n";
    let copy = script
        .replace("export function total", "function expectedTotal")
        .replace("prices", "list")
        .replace("sum", "acc");
    assert_eq!(pairs(("src/shop.js", script), ("test/shop.test.js", &copy)).len(), 1);
    let rust = "pub fn total(prices: &[u32], rate: u32) -> u32 {\n    let mut sum = 0;\n    for price in prices {\n        if *price > 1_000 { continue; }\n        sum += price.saturating_mul(rate).checked_div(100).unwrap_or(0);\n    }\n    if sum > 100 { sum - sum / 10 } else { sum }\n}\n";
    let copy = format!(
        "#[test]\nfn total() {{}}\n\n{}",
        rust.replace("pub fn total", "fn oracle").replace("sum", "acc")
    );
    assert_eq!(pairs(("src/lib.rs", rust), ("tests/shop.rs", &copy)).len(), 1);
    let go = "package shop\n\nfunc Total(prices []int, rate int) int {\n\tsum := 0\n\tfor _, price := range prices {\n\t\tif price > 1000 {\n\t\t\tcontinue\n\t\t}\n\t\tsum += round(scale(price, rate))\n\t}\n\tif sum > 100 {\n\t\treturn sum - sum/10\n\t}\n\treturn sum\n}\n";
    let copy = go.replace("func Total", "func oracle").replace("sum", "acc");
    assert_eq!(pairs(("shop.go", go), ("shop_test.go", &copy)).len(), 1);
}

#[test]
fn a_short_function_resembles_nothing() {
    let short = "def total(prices):\n    return sum(prices)\n";
    assert_eq!(pairs(("shop.py", short), ("tests/test_shop.py", short)), []);
}

/// Prints the pairs in the real fixes of `real-world/manifest.toml`, whose checkouts stand below the
/// folder that `FAILFIRST_REAL_WORLD` names.
#[test]
#[ignore = "needs the checkouts of scripts/real-world; set FAILFIRST_REAL_WORLD"]
fn ordinary_tests_resemble_no_production_code() {
    let (mut cases, mut with_pair, mut with_sibling) = (0, 0, 0);
    for RealFix { name, language, store, base, head, .. } in real_fixes() {
        let roles = Roles::new(language, crate::config::Paths::default().globs().unwrap());
        let parts = split(&store, &roles, base, head, &belongs_to_tests).unwrap();
        let scene = Scene::read(&store, &roles, base, head, &parts.tests, &parts.production).unwrap();
        let started = std::time::Instant::now();
        let mut sources = Vec::new();
        for path in &scene.production {
            if Grammar::of(path).is_none() {
                continue;
            }
            let Some(text) = store.file(head, path).unwrap().and_then(|bytes| String::from_utf8(bytes).ok())
            else {
                continue;
            };
            let inline = language.inline_tests(path, &text).map(|inline| inline.items).unwrap_or_default();
            let grammar = Grammar::of(path).unwrap();
            sources.push(Source {
                path: path.clone(),
                grammar,
                tree: grammar.parse(&text).unwrap(),
                text,
                tests: inline,
            });
        }
        let found = compare(&scene.tests, &sources);
        let forgotten = super::siblings::of(&scene, &sources);
        cases += 1;
        with_pair += usize::from(!found.is_empty());
        with_sibling += usize::from(!forgotten.is_empty());
        for pair in found {
            println!("{} {:.2} {} ~ {}", name, pair.share, pair.test.place(), pair.production.place());
        }
        for one in forgotten {
            println!("{} {} {}", name, one.path, one.what);
        }
        println!("{} {:?}", name, started.elapsed());
    }
    println!("{cases} cases, {with_pair} with a pair, {with_sibling} with a sibling");
    assert!(cases > 0, "no checkout was found below FAILFIRST_REAL_WORLD");
}
