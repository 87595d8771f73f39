// Reporter for node:test. Runs in the parent process; test files run in processes of their own.
const { resolve } = require('path');

module.exports = async function* report(source) {
  const stack = [];
  const stderr = new Map();
  const running = new Map();
  const open = new Map();
  let failed = 0;
  emit({ t: 'begin' });
  const place = (data) => {
    stack.length = data.nesting;
    return [...stack, data.name];
  };
  // How many tests were announced and not yet reported, by file: what process.exit() cuts off.
  const count = (file, data, change) => {
    const names = open.get(file) ?? new Map();
    const name = `${data.nesting} ${data.name}`;
    names.set(name, (names.get(name) ?? 0) + change);
    open.set(file, names);
  };
  for await (const { type, data } of source) {
    const file = data?.file === undefined ? undefined : resolve(path(data.file));
    // A test file appears as a test of its own, named by its path.
    const isFile =
      file !== undefined && typeof data.name === 'string' && data.nesting === 0 && resolve(data.name) === file;
    if (type === 'test:stderr' && file !== undefined) {
      stderr.set(file, ((stderr.get(file) ?? '') + data.message).slice(-65536));
    } else if (type === 'test:enqueue' && isFile) {
      emit({ t: 'file', file });
    } else if (type === 'test:enqueue') {
      count(file, data, 1);
    } else if (type === 'test:dequeue' && !isFile) {
      const titles = running.get(file) ?? [];
      titles.length = Math.min(titles.length, data.nesting);
      titles.push(data.name);
      running.set(file, titles);
      emit({ t: 'start', file, path: titles });
    } else if (type === 'test:start') {
      stack.length = data.nesting;
      stack.push(data.name);
    } else if (type === 'test:diagnostic') {
      if (/generated asynchronous activity after the test ended/.test(data.message)) {
        emit({ t: 'stray', file, error: { name: 'Error', message: data.message } });
      }
    } else if (type === 'test:pass' || type === 'test:fail') {
      const error = data.details?.error;
      const skipped = data.skip !== undefined && data.skip !== false;
      const todo = data.todo !== undefined && data.todo !== false;
      const expected = data.expectFailure !== undefined && data.expectFailure !== false;
      const bad = type === 'test:fail';
      if (bad && !todo) failed += 1;
      if (isFile) {
        const line = { t: 'file-end', file, bad, text: stderr.get(file) };
        if (error) line.error = { ...thrown(error), kind: text(get(error, 'failureType')) };
        emit(line);
        continue;
      }
      count(file, data, -1);
      const line = {
        t: data.details?.type === 'suite' ? 'suite' : 'test',
        file,
        path: place(data),
        nesting: data.nesting,
        status: todo || skipped ? 'skip' : bad ? 'fail' : 'pass',
        ms: data.details?.duration_ms,
      };
      if (expected) line.status = bad ? 'xpass' : 'xfail';
      if (bad) {
        // The runner wraps what the test threw; its own words stay in `kind`.
        const own = error && get(error, 'cause');
        line.errors = [own !== undefined && own !== null ? thrown(own) : thrown(error)];
        line.errors[0].kind = text(error && get(error, 'failureType'));
        line.errors[0].wrapper = text(error && get(error, 'message'));
      }
      emit(line);
    }
  }
  for (const [file, names] of open) {
    if ([...names.values()].some((left) => left > 0)) emit({ t: 'unfinished', file });
  }
  emit({ t: 'end', failed });
};
