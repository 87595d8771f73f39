"""Writes what happens in a test session, one JSON object a line. PYTEST_DONT_REWRITE

This text stands at the head of both session scripts; it runs on every Python since 3.7 and
imports nothing that the project could have replaced, since the project is not on the path yet.
"""
import faulthandler
import json
import os
import sys
import threading
import time

_HERE = os.path.dirname(os.path.abspath(__file__))

# How long, in seconds, a session may take to end once all tests have their results.
_GRACE = 2
_START = os.getcwd()
_LIMIT = 8000


def _request():
    with open(os.path.join(_HERE, "request.json"), encoding="utf-8") as stream:
        return json.load(stream)


def _root(request):
    """The root of the tree; the session may start in a folder below it."""
    up = [os.pardir] * len([part for part in request["home"].split("/") if part])
    return os.path.normpath(os.path.join(_START, *up))


def _cut(text, limit=_LIMIT):
    """The text without its middle, if it is too long to be read by anyone."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return text[:half] + "\n[...]\n" + text[-half:]


def _printable(value):
    """`str(value)`, whatever the object does when it is asked."""
    try:
        text = str(value)
    except BaseException as error:
        return "<%s whose text cannot be made: %s>" % (type(value).__name__, type(error).__name__)
    return text if isinstance(text, str) else "<unprintable>"


class Recorder:
    """The report file. Every event is flushed, so that a killed session leaves what it did."""

    def __init__(self, root):
        self.root = root
        self.pid = os.getpid()
        self._lock = threading.RLock()
        self._told = 0
        self._path = os.path.join(_HERE, "report.jsonl")
        self._dump = None
        self._deadline = None

    def emit(self, event, **fields):
        # A fork of the session (multiprocessing, os.fork) is not the session.
        if os.getpid() != self.pid:
            return
        fields["e"] = event
        if fields.get("error") is not None:
            self._shorten(fields)
        # Lone surrogates, as undecodable file names have them, are no valid JSON.
        data = (json.dumps(fields, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        with self._lock:
            # Opened anew each time: tests close descriptors that are not theirs.
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                while data:
                    data = data[os.write(file, data) :]
            finally:
                os.close(file)

    def _shorten(self, fields):
        """Nobody reads the thousandth failure of a session in full."""
        self._told += 1
        if self._told > 300:
            error = fields["error"]
            error["frames"] = error["frames"][-20:]
            error["message"] = _cut(error["message"], 500)
            fields["excerpt"] = _cut(fields.get("excerpt", ""), 500)

    def start(self, runner):
        self.emit(
            "start",
            runner=runner,
            python="%d.%d.%d" % sys.version_info[:3],
            root=self.root,
            main=threading.main_thread().ident,
            prefixes=sorted({sys.prefix, sys.base_prefix}),
        )

    def arm(self):
        """Has the stacks of all threads written shortly before the time limit.

        Called again and again, since pytest and others take the only alarm away.
        """
        after = os.environ.pop("FAILFIRST_DUMP_AFTER", None)
        if after:
            try:
                self._deadline = time.monotonic() + float(after)
                self._dump = open(os.path.join(_HERE, "hang.txt"), "w")
            except (ValueError, OSError):
                self._deadline = None
        if self._dump is None or os.getpid() != self.pid:
            return
        # Past its time the session lives on for a moment; the last dump is the one that is read.
        left = max(self._deadline - time.monotonic(), 0.3)
        faulthandler.dump_traceback_later(left, file=self._dump, exit=False)

    def leave(self, code):
        """Closes the report, and ends the process soon even if threads of the project never end.

        All tests have their results by now; waiting for the time limit would teach nothing.
        """
        self.emit("exit", code=code)

        def end():
            time.sleep(_GRACE)
            os._exit(code)

        threading.Thread(target=end, daemon=True).start()

    def loaded(self, names):
        """Reports the source files outside the root of modules that the tree has too.

        `names` maps top-level module names of the tree to the folders that hold them.
        """
        outside = []
        for name, module in sorted(sys.modules.items()):
            top = name.partition(".")[0]
            file = getattr(module, "__file__", None)
            if top not in names or not isinstance(file, str) or not os.path.isabs(file):
                continue
            if _is_project_file(file, self.root):
                continue
            parts = name.split(".")
            stem = os.path.splitext(os.path.basename(file))[0].partition(".")[0]
            if stem == "__init__":
                parts.append("__init__")
            for folder in names[top]:
                twin = os.path.join(self.root, folder, *parts) + ".py"
                if os.path.isfile(twin):
                    outside.append(file)
                    break
        self.emit("loaded", outside=outside)


def _is_project_file(file, root):
    real, home = os.path.realpath(file), os.path.realpath(root)
    if not real.startswith(home + os.sep):
        return False
    # A virtual environment may lie in the project's folder; what is installed in it is not the tree's.
    return not {"site-packages", "dist-packages"} & set(real[len(home) :].split(os.sep))


def _absolute(file):
    """A source file's name as it was meant when the session began."""
    return file if file.startswith("<") else os.path.normpath(os.path.join(_START, file))


def _frames(traceback):
    frames = []
    while traceback is not None and len(frames) < 2000:
        code = traceback.tb_frame.f_code
        frames.append(
            {
                "file": _absolute(code.co_filename),
                "line": traceback.tb_lineno or 0,
                "function": getattr(code, "co_qualname", code.co_name),
            }
        )
        traceback = traceback.tb_next
    if len(frames) > 100:
        frames = frames[:50] + frames[-50:]
    return frames


def _owner(obj):
    """What an attribute was looked up on, in words that decide whether it is the project's."""
    kind = type(obj)
    if kind is type(sys):
        return {"kind": "module", "name": getattr(obj, "__name__", "")}
    named = obj if isinstance(obj, type) else kind
    return {
        "kind": "class" if isinstance(obj, type) else "instance",
        "name": named.__name__,
        "module": str(getattr(named, "__module__", "")),
    }


def _chain(error):
    """The exceptions behind an exception: type names and error numbers."""
    seen, names = set(), []
    while error is not None and id(error) not in seen and len(names) < 20:
        seen.add(id(error))
        number = getattr(error, "errno", None)
        names.append({"type": type(error).__name__, "errno": number if isinstance(number, int) else None})
        error = error.__cause__ or error.__context__
    return names


def describe(error, traceback):
    """An exception as data."""
    frames = _frames(traceback)
    # A task group wraps a single failure; what failed is inside.
    inner = getattr(error, "exceptions", None)
    while isinstance(inner, (tuple, list)) and len(inner) == 1 and isinstance(inner[0], BaseException):
        error = inner[0]
        frames += _frames(error.__traceback__)
        inner = getattr(error, "exceptions", None)
    kind = type(error)
    fields = {
        "type": kind.__name__,
        "module": str(getattr(kind, "__module__", "")),
        "bases": [base.__name__ for base in kind.__mro__],
        "message": _cut(_printable(error)),
        "frames": frames,
        "chain": _chain(error),
    }
    try:
        if isinstance(error, (ImportError, NameError, AttributeError)):
            name = getattr(error, "name", None)
            fields["name"] = name if isinstance(name, str) else None
        if isinstance(error, AttributeError) and getattr(error, "name", None) is not None:
            fields["owner"] = _owner(getattr(error, "obj", None))
        if isinstance(error, SyntaxError) and isinstance(error.filename, str):
            fields["syntax"] = {"file": _absolute(error.filename), "line": error.lineno or 0}
        argument = getattr(error, "argname", None)
        if kind.__name__ == "FixtureLookupError" and isinstance(argument, str):
            fields["fixture"] = argument
    except Exception:
        # A hostile exception class does not take the report away; its type and message are known.
        pass
    return fields


def _in_library(path, _libraries=[]):
    if not _libraries:
        _libraries.append(os.path.join(os.path.dirname(os.__file__), ""))
        for entry in sys.path:
            if os.path.basename(entry) in ("site-packages", "dist-packages"):
                _libraries.append(os.path.join(entry, ""))
    return path.startswith(tuple(_libraries))


def _separate_caches():
    """Gives the tree's modules a bytecode cache of this run alone.

    A same-size edit within a second leaves a stale cache behind, and a tree may bring its own. The
    caches of the standard library and of installed packages are used as they are: compiling those
    anew takes longer than most tests. Child processes have no such exception.
    """
    prefix = os.path.join(_HERE, "pycache")
    os.environ["PYTHONPYCACHEPREFIX"] = prefix
    sys.pycache_prefix = prefix
    bootstrap = sys.modules.get("_frozen_importlib_external")
    original = getattr(bootstrap, "cache_from_source", None)
    tag = sys.implementation.cache_tag
    if original is None or tag is None:
        return

    def cache_from_source(path, debug_override=None, *, optimization=None):
        path = os.fspath(path)
        plain = debug_override is None and optimization in (None, "")
        if not plain or sys.flags.optimize:
            return original(path, debug_override, optimization=optimization)
        head, tail = os.path.split(path)
        name = os.path.splitext(tail)[0] + "." + tag + ".pyc"
        if _in_library(path):
            return os.path.join(head, "__pycache__", name)
        return os.path.join(prefix, os.path.abspath(head).lstrip(os.sep), name)

    bootstrap.cache_from_source = cache_from_source


def _enter(root):
    """Makes the interpreter look as `python -m` leaves it: the working folder leads the path."""
    # With -P or PYTHONSAFEPATH neither the script's folder nor the working folder is on it.
    if sys.path and os.path.realpath(sys.path[0]) == os.path.realpath(_HERE):
        sys.path[0] = root
