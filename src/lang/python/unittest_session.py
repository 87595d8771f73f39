

import argparse
import fnmatch
import importlib.util
import unittest

REQUEST = _request()
HOME = _START
ROOT = _root(REQUEST)
_separate_caches()


def _relative(path):
    return os.path.relpath(path, ROOT).replace(os.sep, "/")


class Loader:
    """Loads test files as `unittest discover` does, and keeps what went wrong in each."""

    def __init__(self, recorder, top):
        self.recorder = recorder
        self.top = top
        self.loader = unittest.TestLoader()
        self.files = {}
        self.failures = 0

    def load(self, path):
        """The tests of one file, or none and a report of why it cannot be loaded."""
        folder, name = os.path.split(os.path.join(ROOT, path))
        top, parts = folder, [os.path.splitext(name)[0]]
        while os.path.isfile(os.path.join(top, "__init__.py")):
            top, package = os.path.split(top)
            parts.insert(0, package)
        if self.top is not None and os.path.join(folder, "").startswith(os.path.join(self.top, "")):
            inner = os.path.relpath(folder, self.top)
            top = self.top
            parts = ([] if inner == os.curdir else inner.split(os.sep)) + parts[-1:]
        module = ".".join(parts)
        if top not in sys.path:
            sys.path.insert(0, top)
        known = sys.modules.get(module)
        if known is not None and not _same(known, os.path.join(folder, name)):
            # Two files of the same name in folders that are no packages.
            module = os.path.splitext(path)[0].replace("/", ".")
        try:
            loaded = importlib.import_module(module)
            tests = self.loader.loadTestsFromModule(loaded)
        except unittest.SkipTest as skip:
            self.recorder.emit("load-skip", id=path, file=path, error=None, excerpt=_printable(skip))
            return unittest.TestSuite()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._failed(path, error)
            return unittest.TestSuite()
        if not _same(loaded, os.path.join(folder, name)):
            message = "module %r was loaded from %s" % (module, getattr(loaded, "__file__", None))
            error = ImportError(message)
            error.name = module
            self._failed(path, error)
            return unittest.TestSuite()
        return self._checked(tests, path)

    def _checked(self, tests, path):
        """Takes the stand-ins of unittest for what cannot be loaded out of a suite."""
        kept = []
        for test in _flat(tests):
            if type(test).__name__ == "_FailedTest":
                error = getattr(test, "_exception", None) or ImportError(test.id())
                self._failed(path, error)
            else:
                self.files[id(test)] = path
                kept.append(test)
        return unittest.TestSuite(kept)

    def _failed(self, path, error):
        import traceback

        self.failures += 1
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        sys.stderr.write("%s cannot be loaded\n%s\n" % (path, text))
        described = describe(error, error.__traceback__)
        # The first frames are this script and the import system, which say nothing.
        frames = described["frames"]
        while frames and (frames[0]["file"].startswith("<") or not _is_project_file(frames[0]["file"], ROOT)):
            frames.pop(0)
        self.recorder.emit("load", id=path, file=path, error=described, excerpt=_cut(text))

    def id(self, test):
        """`path::Class::method`, as pytest has it."""
        kind = type(test)
        path = self.files.get(id(test))
        method = getattr(test, "_testMethodName", None)
        if method is None:
            return "%s::%s" % (path, test.id())
        return "%s::%s::%s" % (path, kind.__qualname__.replace(".", "::"), method)

    def file(self, test):
        return self.files.get(id(test))


def _same(module, path):
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and os.path.realpath(file) == os.path.realpath(path)


def _flat(tests):
    if isinstance(tests, unittest.BaseTestSuite):
        for test in tests:
            yield from _flat(test)
    elif tests is not None:
        yield tests


def _phase(traceback):
    """Which part of a test the exception comes from."""
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_name
        if name in ("_callSetUp", "setUp", "asyncSetUp", "setUpClass", "setUpModule"):
            return "setup"
        if name in ("_callTearDown", "_callCleanup", "doCleanups", "tearDown", "asyncTearDown"):
            return "teardown"
        if name == "_callTestMethod":
            return "call"
        traceback = traceback.tb_next
    return "call"


class Result(unittest.TextTestResult):
    """Reports each test, and prints what unittest prints."""

    recorder = loader = None
    tests = ()

    def startTest(self, test):
        super().startTest(test)
        self.recorder.arm()
        self._started = time.monotonic()
        self.recorder.emit("begin", id=self.loader.id(test), file=self.loader.file(test))

    def stopTest(self, test):
        self.recorder.emit("end", id=self.loader.id(test))
        self._last = test
        super().stopTest(test)

    def _tell(self, test, outcome, when="call", xfail=None, err=None, excerpt=""):
        error = None
        if err is not None:
            error = describe(err[1], err[2])
            frames = error["frames"]
            while frames and not _is_project_file(frames[0]["file"], ROOT):
                frames.pop(0)
        self.recorder.emit(
            "phase",
            id=self.loader.id(test),
            when=when,
            outcome=outcome,
            xfail=xfail,
            seconds=time.monotonic() - getattr(self, "_started", time.monotonic()),
            error=error,
            excerpt=_cut(excerpt),
        )

    def addSuccess(self, test):
        super().addSuccess(test)
        self._tell(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._tell(test, "failed", _phase(err[2]), err=err, excerpt=self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        excerpt = self.errors[-1][1]
        if isinstance(test, unittest.TestCase):
            self._tell(test, "failed", _phase(err[2]), err=err, excerpt=excerpt)
            return
        hit, when = self._group(test.id())
        for other in hit:
            self._tell(other, "failed", when, err=err, excerpt=excerpt)
        if not hit:
            self.recorder.emit(
                "load", id=test.id(), file=None, error=describe(err[1], err[2]), excerpt=_cut(excerpt)
            )

    def _group(self, name):
        """The tests that a failed fixture of a class or a module belongs to."""
        fixture, _, owner = name.partition(" (")
        owner = owner.rstrip(")")
        last = getattr(self, "_last", None)
        if fixture.startswith("tearDown"):
            return ([last] if last is not None else []), "teardown"
        per_class = fixture == "setUpClass"
        hit = [
            test
            for test in self.tests
            if owner
            == (
                "%s.%s" % (type(test).__module__, type(test).__qualname__)
                if per_class
                else type(test).__module__
            )
        ]
        return hit, "setup"

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        hit = [test] if isinstance(test, unittest.TestCase) else self._group(test.id())[0]
        for other in hit:
            self._tell(other, "skipped", excerpt=_printable(reason))

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._tell(test, "skipped", xfail="expectedFailure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._tell(test, "passed", xfail="expectedFailure")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            entries = self.failures if issubclass(err[0], test.failureException) else self.errors
            self._tell(test, "failed", _phase(err[2]), err=err, excerpt=entries[-1][1] if entries else "")


def _options(words):
    """The words that follow `-m unittest` in the project's own command."""
    parser = argparse.ArgumentParser(prog="unittest", add_help=False)
    parser.add_argument("-s", "--start-directory", default=None)
    parser.add_argument("-t", "--top-level-directory", default=None)
    parser.add_argument("-p", "--pattern", default="test*.py")
    parser.add_argument("-b", "--buffer", action="store_true")
    parser.add_argument("-W", "--warnings", default=None)
    options, _ = parser.parse_known_args([word for word in words if word != "discover"])
    return options


_PASSED_OVER = {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"}


def _discover(start, pattern):
    """The test files below `start`, in order."""
    for folder, folders, names in os.walk(start):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _PASSED_OVER
            and not os.path.isfile(os.path.join(folder, name, "pyvenv.cfg"))
        )
        for name in sorted(names):
            if fnmatch.fnmatch(name, pattern) and name.endswith(".py"):
                yield _relative(os.path.join(folder, name))


def _suite_files(options):
    if options.start_directory is not None:
        return list(_discover(os.path.join(HOME, options.start_directory), options.pattern))
    for folder in ("tests", "test"):
        found = list(_discover(os.path.join(HOME, folder), options.pattern))
        if found:
            return found
    return list(_discover(HOME, options.pattern))


def _pose():
    module = sys.modules["__main__"]
    spec = importlib.util.find_spec("unittest.__main__")
    module.__spec__ = spec
    module.__file__ = sys.argv[0] = spec.origin


def main():
    options = _options(sys.argv[1:])
    _pose()
    _enter(HOME)
    recorder = Recorder(ROOT)
    recorder.start("unittest")
    recorder.arm()
    top = options.top_level_directory
    loader = Loader(recorder, None if top is None else os.path.normpath(os.path.join(HOME, top)))
    files = _suite_files(options) if REQUEST["mode"] == "suite" else REQUEST["files"]
    suite = unittest.TestSuite(
        loader.load(path) for path in files if os.path.isfile(os.path.join(ROOT, path))
    )
    tests = list(_flat(suite))
    if REQUEST["mode"] == "tests":
        wanted = set(REQUEST["ids"])
        tests = [test for test in tests if loader.id(test) in wanted]
    recorder.emit("collected", ids=[loader.id(test) for test in tests])
    Result.recorder, Result.loader, Result.tests = recorder, loader, tests
    runner = unittest.TextTestRunner(
        verbosity=2, resultclass=Result, buffer=options.buffer, warnings=options.warnings
    )
    result = runner.run(unittest.TestSuite(tests))
    if loader.failures or not result.wasSuccessful():
        code = 1
    else:
        code = 0 if tests else 5
    recorder.loaded(REQUEST["modules"])
    recorder.emit("finish", exit=code)
    sys.stdout.flush()
    recorder.leave(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
