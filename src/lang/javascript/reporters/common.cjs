// Shared by all reporters of failfirst: this text stands before each of them.
// A reporter appends JSON lines to the file beside itself, and nothing else.
'use strict';
const fs = require('fs');
const { fileURLToPath } = require('url');
const writeSync = fs.writeSync;
const openSync = fs.openSync;
const stringify = JSON.stringify;

let channel;
const waiting = [];

// Tests may replace parts of `fs` while they run, so what cannot be written now is written later.
function emit(line) {
  waiting.push(stringify(line) + '\n');
  try {
    if (channel === undefined) channel = openSync(__filename.replace(/\.cjs$/, '.jsonl'), 'a');
    while (waiting.length > 0) {
      writeSync(channel, waiting[0]);
      waiting.shift();
    }
  } catch {
    // Tried again with the next line.
  }
}

function text(value) {
  try {
    return typeof value === 'string' ? value : value === undefined || value === null ? undefined : String(value);
  } catch {
    return undefined;
  }
}

function get(object, key) {
  try {
    return object[key];
  } catch {
    return undefined;
  }
}

function path(file) {
  const name = text(file);
  try {
    return name !== undefined && name.startsWith('file:') ? fileURLToPath(name) : name;
  } catch {
    return name;
  }
}

// What was thrown, as plain data.
function thrown(error, depth = 0) {
  if (error === null || (typeof error !== 'object' && typeof error !== 'function')) {
    return { name: error === null ? 'null' : typeof error, message: text(error) ?? String(error), bare: true };
  }
  const name = text(get(error, 'name')) ?? text(get(get(error, 'constructor') ?? {}, 'name')) ?? 'Error';
  const code = text(get(error, 'code'));
  const matcher = get(error, 'matcherResult');
  const stacks = get(error, 'stacks');
  const cause = get(error, 'cause');
  const line = {
    name,
    message: text(get(error, 'message')) ?? '',
    code,
    stack: text(get(error, 'stack')),
    assertion:
      code === 'ERR_ASSERTION' || /AssertionError$/.test(name) || (matcher !== undefined && matcher !== null),
    kind: text(get(error, 'failureType')),
  };
  if (Array.isArray(stacks)) {
    line.frames = stacks.map((frame) => ({
      file: path(get(frame, 'file')),
      line: Number(get(frame, 'line')) || 0,
      function: text(get(frame, 'method')) || undefined,
    }));
  }
  if (cause !== undefined && cause !== null && depth < 3) line.cause = thrown(cause, depth + 1);
  const several = get(error, 'errors');
  if (cause === undefined && Array.isArray(several) && several.length > 0 && depth < 3) {
    line.cause = thrown(several[0], depth + 1);
  }
  return line;
}

