// Reporter for jest. Runs in the parent process.

// Results cross a process boundary as JSON, which keeps only own enumerable properties of errors,
// so name and message are read from the text of the stack.
function described(message, details) {
  const plain = text(message) ?? '';
  const at = plain.search(/\n\s+at /);
  const header = (at < 0 ? plain : plain.slice(0, at)).replace(/\u001b\[[0-9;]*m/g, '');
  const named = /^(?:thrown: )?((?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*)(?: \[(\w+)\])?: ?/.exec(header);
  const inner = get(details ?? {}, 'error') ?? details ?? {};
  const code = text(get(inner, 'code')) ?? (named ? named[2] : undefined);
  const matcher = get(inner, 'matcherResult');
  const line = {
    name: named ? named[1] : text(get(inner, 'name')) ?? 'Error',
    message: named ? header.slice(named[0].length) : header,
    code,
    stack: plain,
    assertion:
      code === 'ERR_ASSERTION' ||
      (matcher !== undefined && matcher !== null) ||
      (named !== null && /AssertionError$/.test(named[1])) ||
      /^assert(?:\.\w+)?\(received, expected\)/.test(header),
  };
  const cause = get(inner, 'cause');
  if (cause !== undefined && cause !== null) line.cause = thrown(cause);
  return line;
}

// Older versions do not say that `test.failing` was used; the test's own line does.
const sources = new Map();
function isFailing(file, result) {
  if (typeof result.failing === 'boolean') return result.failing;
  const line = result.location?.line;
  if (!line) return false;
  if (!sources.has(file)) {
    try {
      sources.set(file, fs.readFileSync(file, 'utf8').split('\n'));
    } catch {
      sources.set(file, []);
    }
  }
  return /\.\s*failing\b/.test(sources.get(file)[line - 1] ?? '');
}

const STATUS = { passed: 'pass', failed: 'fail' };

module.exports = class {
  constructor() {
    // Tests that run in this process and read its arguments must not find ours there.
    process.argv.splice(2);
  }

  onRunStart() {
    emit({ t: 'begin' });
  }

  onTestStart(test) {
    emit({ t: 'file', file: test.path });
  }

  onTestCaseStart(test, info) {
    emit({ t: 'start', file: test.path, path: [...info.ancestorTitles, info.title] });
  }

  onTestResult(test, result) {
    const file = result.testFilePath ?? test.path;
    if (result.testExecError) {
      const error = result.testExecError;
      emit({
        t: 'load',
        file,
        error: { ...described(error.stack || error.message || result.failureMessage, error), kind: text(error.type) },
        text: text(result.failureMessage),
        phase: result.testResults.length > 0 ? 'teardown' : 'load',
      });
    }
    for (const one of result.testResults) {
      const messages = one.failureMessages ?? [];
      const details = one.failureDetails ?? [];
      const failing = isFailing(file, one);
      let status = STATUS[one.status] ?? 'skip';
      if (failing && status !== 'skip') status = status === 'pass' ? 'xfail' : 'xpass';
      if (messages.some((message) => /Failing test passed even though/.test(message))) status = 'xpass';
      emit({
        t: 'test',
        file,
        path: [...one.ancestorTitles, one.title],
        status,
        ms: one.duration ?? 0,
        tries: one.invocations ?? 1,
        errors: messages.map((message, index) => described(message, details[index])),
      });
    }
    emit({ t: 'file-end', file, bad: result.numFailingTests > 0 || Boolean(result.testExecError) });
  }

  onRunComplete(_contexts, results) {
    if (results.runExecError) emit({ t: 'load', error: described(results.runExecError.stack ?? results.runExecError.message, results.runExecError) });
    emit({
      t: 'end',
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      interrupted: Boolean(results.wasInterrupted),
    });
  }
};
