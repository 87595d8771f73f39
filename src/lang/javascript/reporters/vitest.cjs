// Reporter for vitest 1 and newer. Runs in the main process.
let done = false;

function walk(task, file, titles, project, cut = false) {
  const result = task.result ?? {};
  const errors = (result.errors ?? (result.error ? [result.error] : [])).map((error) => thrown(error));
  const skipped = ['skip', 'todo'].includes(task.mode) || ['skip', 'todo'].includes(result.state);
  if (task.type === 'suite') {
    const isFile = task.filepath !== undefined;
    const path = isFile ? titles : [...titles, task.name];
    if (isFile && errors.length > 0 && task.tasks.length === 0) {
      emit({ t: 'load', file, error: errors[0] });
    }
    const children = task.tasks ?? [];
    const stopped = errors.length > 0 && children.some((child) => !['pass', 'fail'].includes(child.result?.state));
    for (const child of children) walk(child, file, path, project, cut || stopped);
    if (errors.length > 0 && children.length > 0) {
      emit({ t: 'suite', file, path, phase: stopped ? 'setup' : 'teardown', errors });
    }
    return;
  }
  let status = 'skip';
  if (result.state === 'pass') status = task.fails ? 'xfail' : 'pass';
  else if (result.state === 'fail') status = task.fails ? 'xpass' : 'fail';
  else if (cut || !skipped) status = 'unrun';
  const hooks = result.hooks ?? {};
  const phase = ['beforeEach', 'afterEach'].find((hook) => hooks[hook] === 'fail');
  emit({
    t: 'test',
    file,
    path: [...titles, task.name],
    status,
    ms: result.duration ?? 0,
    tries: 1 + (result.retryCount ?? 0),
    project: project || undefined,
    phase: phase === undefined ? undefined : phase === 'beforeEach' ? 'setup' : 'teardown',
    errors,
  });
}

function finish(files, unhandled, reason) {
  if (done) return;
  done = true;
  for (const file of files) {
    walk(file, path(file.filepath), [], file.projectName);
  }
  for (const error of unhandled ?? []) {
    emit({ t: 'stray', file: path(get(error, 'VITEST_TEST_PATH')), test: text(get(error, 'VITEST_TEST_NAME')), error: thrown(error) });
  }
  emit({ t: 'end', interrupted: reason === 'interrupted' });
}

module.exports = class {
  onInit(context) {
    this.context = context;
    emit({ t: 'begin' });
  }

  // Versions before 3 tell of a start only so.
  onTaskUpdate(packs) {
    for (const [id, result] of this.ready ? [] : packs) {
      const task = result?.state === 'run' ? this.context?.state?.idMap?.get(id) : undefined;
      if (task === undefined || task.type === 'suite') continue;
      const titles = [task.name];
      for (let suite = task.suite; suite && suite.name; suite = suite.suite) {
        if (suite.filepath === undefined) titles.unshift(suite.name);
      }
      emit({ t: 'start', file: path(task.file?.filepath), path: titles });
    }
  }

  onTestCaseReady(test) {
    this.ready = true;
    const titles = [test.name];
    for (let parent = test.parent; parent && parent.type === 'suite'; parent = parent.parent) titles.unshift(parent.name);
    emit({ t: 'start', file: path(test.module.moduleId), path: titles });
  }

  onTestRunEnd(modules, unhandled, reason) {
    finish(modules.map((module) => module.task), unhandled, reason);
  }

  onFinished(files, unhandled) {
    finish(files ?? [], unhandled);
  }
};
