// Mocha's configuration as the project has it, without what would select, hide or repeat tests.
// Mocha adds the `spec` of its configuration to the files of the command line, so it is taken out here.
'use strict';
const fs = require('fs');
const path = require('path');
const { config, keepSpec } = FAILFIRST;

// Mocha's own reader of configuration is what requires this file; else it is looked for.
function reader() {
  const own = module.parent && module.parent.exports;
  if (own && own.loadConfig && own.findConfig) return own;
  for (let folder = path.dirname(fs.realpathSync(process.argv[1])); ; folder = path.dirname(folder)) {
    for (const name of ['lib/cli/config.js', 'lib/cli/config.cjs']) {
      const file = path.join(folder, name);
      if (fs.existsSync(file)) return require(file);
    }
    if (folder === path.dirname(folder)) throw new Error('mocha has no lib/cli/config');
  }
}

const { findConfig, loadConfig } = reader();
const found = config === null ? findConfig() : path.resolve(config);
const own = found ? loadConfig(found) : {};

let packaged = {};
for (let folder = process.cwd(); ; folder = path.dirname(folder)) {
  const file = path.join(folder, 'package.json');
  if (fs.existsSync(file)) {
    packaged = JSON.parse(fs.readFileSync(file, 'utf8')).mocha ?? {};
    break;
  }
  if (folder === path.dirname(folder)) break;
}

const merged = { ...packaged, ...own };
const lists = ['require', 'import', 'file', 'ignore', 'exclude', 'extension', 'node-option', 'spec'];
for (const key of lists) {
  if (key in packaged && key in own) merged[key] = [own[key], packaged[key]].flat();
}
const drop = [
  'reporter', 'R', 'reporter-option', 'reporter-options', 'reporterOption', 'reporterOptions', 'O',
  'grep', 'g', 'fgrep', 'f', 'invert', 'i', 'watch', 'w', 'bail', 'b', 'retries', 'config', 'package',
  'forbid-only', 'forbidOnly', 'forbid-pending', 'forbidPending', 'dry-run', 'dryRun', 'color', 'colors', 'c',
  'diff', 'pass-on-failing-test-suite', 'passOnFailingTestSuite', 'fail-zero', 'failZero',
];
for (const key of drop) delete merged[key];
if (!keepSpec) {
  delete merged.spec;
  delete merged._;
}
// Tests that read the arguments of their process must not find ours there.
process.argv.splice(2);
module.exports = merged;
