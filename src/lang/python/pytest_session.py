

REQUEST = _request()
HOME = _START
ROOT = _root(REQUEST)
_separate_caches()
if REQUEST["lead"]:
    # The project is pytest itself or a part of it, so the tree's own copy has to be loaded.
    _enter(HOME)

import importlib.util

import pytest


class Session:
    """A pytest plugin that reports, and that keeps the project's options from hiding results."""

    def __init__(self, recorder, request):
        self.recorder = recorder
        self.request = request
        self.narrow = request["mode"] != "suite"
        self.wanted = set(request["ids"]) if request["mode"] == "tests" else None
        self.files = set(request["files"]) if request["mode"] == "files" else None
        self.rootpath = recorder.root
        self.errors = {}

    # Options ---------------------------------------------------------------------------------

    @pytest.hookimpl(hookwrapper=True)
    def pytest_load_initial_conftests(self, early_config, args):
        names = [name for name, plugin in early_config.pluginmanager.list_name_plugin() if plugin]
        if any(name.startswith("pytest_cov") for name in names):
            args.append("--no-cov")
            early_config.known_args_namespace.no_cov = True
        outcome = yield
        self._note_start_failure(outcome)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_cmdline_parse(self, pluginmanager):
        outcome = yield
        if outcome.excinfo is None:
            self._relax(outcome.get_result())

    def _note_start_failure(self, outcome):
        """A conftest.py that cannot be imported ends pytest before there is a session."""
        if outcome.excinfo is None:
            return
        error = outcome.excinfo[1]
        cause = getattr(error, "cause", None)
        if cause is None:
            excinfo = getattr(error, "excinfo", None)
            cause = excinfo[1] if isinstance(excinfo, tuple) else error
        path = getattr(error, "path", None)
        self.recorder.emit(
            "load",
            id="",
            file=str(path) if path is not None else None,
            error=describe(cause, cause.__traceback__),
            excerpt=_cut(_printable(error)),
        )

    def _relax(self, config):
        option = config.option

        def put(name, value):
            if hasattr(option, name):
                setattr(option, name, value)

        for name, value in (
            ("maxfail", 0),
            ("lf", False),
            ("failedfirst", False),
            ("newfirst", False),
            ("stepwise", False),
            ("stepwise_skip", False),
            ("stepwise_reset", False),
            ("exitfirst", False),
            ("usepdb", False),
            ("trace", False),
            ("reruns", 0),
            ("retries", 0),
            ("force_flaky", False),
            ("collectonly", False),
            # A file that cannot be loaded must not keep the others from running.
            ("continue_on_collection_errors", True),
            ("setuponly", False),
            ("setupplan", False),
            ("no_cov", True),
            ("cov_fail_under", 0),
        ):
            put(name, value)
        if self.narrow:
            for name, value in (
                ("keyword", ""),
                ("markexpr", ""),
                ("deselect", None),
                ("ignore", None),
                ("ignore_glob", None),
                ("numprocesses", None),
                ("tx", []),
                ("dist", "no"),
                ("distload", False),
                ("looponfail", False),
                ("randomly_reorganize", False),
                ("randomly_seed", 1),
                ("random_order_bucket", "none"),
            ):
                put(name, value)
        if getattr(option, "dist", "no") != "no" or getattr(option, "numprocesses", None):
            # Workers have these plugins in any case and would miss their counterpart.
            return
        for name in ("rerunfailures", "flaky", "pytest-retry", "pytest_retry"):
            if config.pluginmanager.hasplugin(name):
                config.pluginmanager.unregister(name=name)
                # Their marker must stay known, else --strict-markers would fail the tests.
                config.addinivalue_line("markers", "flaky: retries are switched off in this session")

    def pytest_configure(self, config):
        self.rootpath = str(getattr(config, "rootpath", None) or config.rootdir)

    # Events ----------------------------------------------------------------------------------

    def _id(self, nodeid):
        """The node id with its path relative to the root of the tree instead of pytest's own root."""
        path, colons, rest = nodeid.partition("::")
        if not path or os.path.normpath(self.rootpath) == os.path.normpath(self.recorder.root):
            return nodeid
        full = os.path.join(self.rootpath, *path.split("/"))
        return os.path.relpath(full, self.recorder.root).replace(os.sep, "/") + colons + rest

    def pytest_sessionstart(self, session):
        self.recorder.arm()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector):
        outcome = yield
        report = outcome.get_result()
        if report.outcome == "failed":
            call = getattr(report, "call", None)
            if getattr(call, "excinfo", None) is not None:
                error = call.excinfo.value
                # pytest wraps what went wrong while a file was imported.
                if type(error).__name__ == "CollectError":
                    error = error.__cause__ or error.__context__ or error
                self.errors[report.nodeid] = describe(error, error.__traceback__)

    def pytest_collectreport(self, report):
        if report.outcome == "passed":
            return
        self.recorder.emit(
            "load" if report.outcome == "failed" else "load-skip",
            id=self._id(report.nodeid),
            file=self._id(report.nodeid).partition("::")[0],
            error=self.errors.pop(report.nodeid, None),
            excerpt=_cut(report.longreprtext),
        )

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection_modifyitems(self, config, items):
        yield
        # The project's own command may name more than what is asked for.
        gone = [item for item in items if not self._is_asked_for(self._id(item.nodeid))]
        if gone:
            items[:] = [item for item in items if self._is_asked_for(self._id(item.nodeid))]
            config.hook.pytest_deselected(items=gone)
        self.recorder.emit("collected", ids=[self._id(item.nodeid) for item in items])

    def _is_asked_for(self, id):
        if self.wanted is not None:
            return id in self.wanted
        return self.files is None or id.partition("::")[0] in self.files

    def pytest_runtest_logstart(self, nodeid, location):
        self.recorder.arm()
        self.recorder.emit("begin", id=self._id(nodeid), file=self._id(nodeid).partition("::")[0])

    def pytest_runtest_logfinish(self, nodeid, location):
        self.recorder.emit("end", id=self._id(nodeid))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        if call.excinfo is not None:
            report = outcome.get_result()
            self.errors[(report.nodeid, report.when)] = describe(call.excinfo.value, call.excinfo.tb)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_logreport(self, report):
        # pytest fails a test with failed parts only while others read the report; a hook that turns
        # a failure into a success is not followed.
        before = report.outcome
        yield
        outcome = before if before == "failed" else report.outcome
        xfail = getattr(report, "wasxfail", None)
        error = self.errors.pop((report.nodeid, report.when), None)
        failed = outcome in ("failed", "rerun")
        if error is None and failed:
            error = self._told(report)
        self.recorder.emit(
            "phase",
            id=self._id(report.nodeid),
            when=report.when,
            outcome=outcome,
            xfail=None if xfail is None else str(xfail),
            seconds=float(getattr(report, "duration", 0) or 0),
            error=error if failed else None,
            excerpt=_cut(report.longreprtext) if failed else "",
        )

    def _told(self, report):
        """What a report that came from another process tells of its exception."""
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is None:
            return None
        head = crash.message.partition("\n")[0]
        kind, colon, message = crash.message.partition(": ")
        if not colon or not kind.replace(".", "").replace("_", "").isalnum():
            kind, message = ("AssertionError" if head.startswith("assert") else "Exception"), crash.message
        frames = []
        for entry in getattr(getattr(report.longrepr, "reprtraceback", None), "reprentries", []):
            place = getattr(entry, "reprfileloc", None)
            if place is not None:
                path = place.path
                frames.append({"file": _absolute(path), "line": place.lineno, "function": None})
        kind = kind.rpartition(".")[2]
        return {"type": kind, "module": "", "bases": [kind], "message": message, "frames": frames, "chain": []}

    def pytest_keyboard_interrupt(self, excinfo):
        self.recorder.emit("interrupted", message=_cut(_printable(excinfo.value), 500))

    def pytest_internalerror(self, excrepr):
        self.recorder.emit("internal", message=_cut(_printable(excrepr)))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session):
        yield
        self.recorder.loaded(self.request["modules"])
        self.recorder.emit("finish", exit=int(session.exitstatus))


def _keep_plugin_caches():
    """The same exception for the modules of plugins, which pytest compiles itself."""
    rewrite = sys.modules.get("_pytest.assertion.rewrite")
    original = getattr(rewrite, "get_cache_dir", None)
    if original is not None:

        def get_cache_dir(file_path):
            if _in_library(str(file_path)):
                return file_path.parent / "__pycache__"
            return original(file_path)

        rewrite.get_cache_dir = get_cache_dir


def _pose(spec):
    """Makes `__main__` what `python -m pytest` makes it, also for processes that are spawned."""
    module = sys.modules["__main__"]
    module.__spec__ = spec
    module.__file__ = sys.argv[0] = spec.origin


def main():
    chosen = REQUEST["selection"]
    # A path that this variant does not have would end pytest before the others run.
    chosen = [path for path in chosen if os.path.lexists(path)] or chosen
    args = []
    for word in sys.argv[1:]:
        args.extend(chosen if word == "@selection" else [word])
    sys.argv[1:] = args
    _pose(importlib.util.find_spec("pytest.__main__"))
    if not REQUEST["lead"]:
        _enter(HOME)
    _keep_plugin_caches()
    recorder = Recorder(ROOT)
    recorder.start("pytest")
    recorder.arm()
    code = int(pytest.main(plugins=[Session(recorder, REQUEST)]))
    sys.stdout.flush()
    recorder.leave(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
