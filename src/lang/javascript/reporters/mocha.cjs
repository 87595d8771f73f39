// Reporter for mocha. Runs in the process of the tests, unless mocha runs them in parallel.
module.exports = function Reporter(runner) {
  const keys = new WeakMap();
  const broken = new Map();
  let last = 0;
  const retried = new Map();
  const key = (test) => {
    if (!keys.has(test)) keys.set(test, (last += 1));
    return keys.get(test);
  };
  const titles = (runnable) => {
    try {
      return runnable.titlePath();
    } catch {
      return [runnable.title];
    }
  };
  const line = (test, status, more) => ({
    t: 'test',
    key: key(test),
    file: path(test.file),
    path: titles(test),
    status,
    ms: test.duration ?? 0,
    tries: 1 + (retried.get(titles(test).join('\u0000')) ?? 0),
    ...more,
  });
  const seen = new Set();

  emit({ t: 'begin' });
  runner.on('test', (test) => emit({ t: 'start', file: path(test.file), path: titles(test) }));
  runner.on('retry', (test) => {
    const name = titles(test).join('\u0000');
    retried.set(name, (retried.get(name) ?? 0) + 1);
  });
  runner.on('pass', (test) => {
    seen.add(key(test));
    emit(line(test, 'pass'));
  });
  runner.on('pending', (test) => {
    seen.add(key(test));
    emit(line(test, 'skip'));
  });
  runner.on('fail', (runnable, error) => {
    const errors = [thrown(error)];
    if (runnable.type !== 'hook') {
      seen.add(key(runnable));
      emit(line(runnable, 'fail', { errors }));
      return;
    }
    const each = /^"(before|after) each"/.exec(runnable.title);
    const test = each && runnable.ctx ? runnable.ctx.currentTest : undefined;
    const phase = /^"after/.test(runnable.title) ? 'teardown' : 'setup';
    if (test) {
      seen.add(key(test));
      emit(line(test, 'fail', { errors, phase }));
      if (runnable.parent) broken.set(runnable.parent, errors);
    } else {
      if (runnable.parent && phase === 'setup') broken.set(runnable.parent, errors);
      emit({ t: 'suite', file: path(runnable.file), path: titles(runnable).slice(0, -1), phase, errors });
    }
  });
  // Mocha lets an assertion pass unseen when nobody awaits its promise.
  const rejected = new WeakSet();
  process.on('unhandledRejection', (reason) => {
    if (reason === null || typeof reason !== 'object' || rejected.has(reason)) return;
    rejected.add(reason);
    const error = thrown(reason);
    if (error.assertion) emit({ t: 'stray', error });
  });
  runner.once('end', () => {
    // Mocha says nothing of the tests that a failed hook kept from running.
    if (broken.size > 0 && runner.suite) {
      runner.suite.eachTest((test) => {
        if (seen.has(key(test)) || test.pending) return;
        for (let suite = test.parent; suite; suite = suite.parent) {
          if (broken.has(suite)) {
            emit(line(test, 'fail', { errors: broken.get(suite), phase: 'setup', unrun: true }));
            return;
          }
        }
      });
    }
    emit({ t: 'end', failed: runner.failures ?? (runner.stats ? runner.stats.failures : 0) });
  });
};
