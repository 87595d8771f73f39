//! Tests of the shop in the form of each language, with a body of one's own.

use crate::harness::repository::put;
use crate::harness::story::{Story, go, go_total, javascript, jest, python, rust};

/// The imports of a node:test file.
pub(crate) const NODE: &str = "import test from 'node:test';\nimport assert from 'node:assert';\nimport * as shop from '../src/shop.js';\n";

/// A unittest file whose test has this body; `total` and `shop` are there.
pub(crate) fn unittest(body: &str) -> Story {
    let body: String = body.lines().map(|line| format!("        {line}\n")).collect();
    let head = "import unittest\nimport shop\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    \
                def test_total(self):\n";
    python().test([put("tests/test_shop.py", format!("{head}{body}"))])
}

/// A node:test file whose test has this body; `shop`, `total` and `assert` are there.
pub(crate) fn node(body: &str) -> Story {
    node_file(&format!("const {{ total }} = shop;\n\ntest('total', async () => {{\n  {body}\n}});\n"))
}

/// A node:test file with these lines after the imports of `test`, `assert` and `shop`.
pub(crate) fn node_file(text: &str) -> Story {
    javascript().test([put("test/shop.test.js", format!("{NODE}{text}"))])
}

/// A jest file with this text.
pub(crate) fn jest_file(text: &str) -> Story {
    jest().test([put("test/shop.test.js", text)])
}

/// A Rust test with this body.
pub(crate) fn rust_test(body: &str) -> Story {
    rust().test([put("tests/shop.rs", format!("#[test]\nfn total() {{\n    {body}\n}}\n"))])
}

/// A Go test with this body and these imports besides `testing`.
pub(crate) fn go_test(imports: &[&str], body: &str) -> Story {
    let imports: String = imports.iter().map(|name| format!("import \"{name}\"\n")).collect();
    let text = format!(
        "package shop\n\n{imports}import \"testing\"\n\nfunc TestTotal(t *testing.T) {{\n\t{body}\n}}\n"
    );
    go().test([put("shop_test.go", text)])
}

/// Sums in JavaScript that leave out what `skip` says, after `before`.
pub(crate) fn js_total(skip: &str, before: &str) -> String {
    format!(
        "export function total(prices) {{\n  {before}\n  return prices.slice({skip}).reduce((a, b) => a + b, 0);\n}}\n"
    )
}

/// Sums in Rust that leave out what `skip` says, after `before`.
pub(crate) fn rust_total(skip: &str, before: &str) -> String {
    format!(
        "pub fn total(prices: &[u32]) -> u32 {{\n    {before}\n    prices.iter().skip({skip}).sum()\n}}\n"
    )
}

/// With production that fails on the buggy code before any assertion decides: three prices are too many.
pub(crate) fn failing(story: Story) -> Story {
    let shops = [
        put(
            "shop.py",
            "def total(prices):\n    if len(prices) == 3:\n        raise ValueError('three')\n    return sum(prices)\n",
        ),
        put("src/shop.js", js_total("0", "if (prices.length === 3) throw new RangeError('three');")),
        put("src/lib.rs", rust_total("0", "if prices.len() == 3 {\n        panic!(\"three\");\n    }")),
        put("shop.go", go_total("0", "\tif len(prices) == 3 {\n\t\tpanic(\"three\")\n\t}\n")),
    ];
    let shop = shops.into_iter().find(|shop| story.has(shop.path())).unwrap();
    story.base([shop])
}
