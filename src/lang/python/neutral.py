# Hides the test runner from the given source files, and from nobody else.
def hide(files):
    import os
    import sys

    runners = ("pytest", "_pytest", "unittest", "nose", "pluggy", "xdist", "testtools")
    between = (os.__file__, "<frozen os>", "<frozen _collections_abc>", sys.modules["_collections_abc"].__file__)

    def hidden_name(name):
        return isinstance(name, str) and name.startswith(runners)

    def hidden_variable(name):
        return isinstance(name, str) and name.startswith(("PYTEST", "UNITTEST", "NOSE", "TOX_", "FAILFIRST"))

    def looks_in():
        frame = sys._getframe(2)
        for _ in range(8):
            if frame is None:
                return False
            name = frame.f_code.co_filename
            if name in files:
                return True
            if name != __file_of_this__ and name not in between:
                return False
            frame = frame.f_back
        return False

    class Modules(dict):
        def __init__(self, real):
            self.real = real

        def __getitem__(self, name):
            if hidden_name(name) and looks_in():
                raise KeyError(name)
            return self.real[name]

        def __contains__(self, name):
            return name in self.real and not (hidden_name(name) and looks_in())

        def get(self, name, default=None):
            return default if hidden_name(name) and looks_in() else self.real.get(name, default)

        def __iter__(self):
            if looks_in():
                return iter([name for name in self.real if not hidden_name(name)])
            return iter(self.real)

        def keys(self):
            return list(iter(self)) if looks_in() else self.real.keys()

        def items(self):
            return [(name, self.real[name]) for name in iter(self)] if looks_in() else self.real.items()

        def values(self):
            return [self.real[name] for name in iter(self)] if looks_in() else self.real.values()

        def copy(self):
            return dict(self.items())

        def __len__(self):
            return len(self.real)

        def __setitem__(self, name, value):
            self.real[name] = value

        def __delitem__(self, name):
            del self.real[name]

        def pop(self, *arguments):
            return self.real.pop(*arguments)

        def popitem(self):
            return self.real.popitem()

        def setdefault(self, *arguments):
            return self.real.setdefault(*arguments)

        def update(self, *arguments, **named):
            self.real.update(*arguments, **named)

        def clear(self):
            self.real.clear()

        def __reversed__(self):
            return reversed(self.real)

        def __repr__(self):
            return repr(self.real)

        def __eq__(self, other):
            return self.real == other

        __hash__ = None

    class Environment(os._Environ):
        def __getitem__(self, name):
            if hidden_variable(name) and looks_in():
                raise KeyError(name)
            return super().__getitem__(name)

        def __iter__(self):
            names = list(super().__iter__())
            return iter([name for name in names if not hidden_variable(name)] if looks_in() else names)

    __file_of_this__ = hide.__code__.co_filename
    if not type(sys.modules).__name__ == "Modules":
        sys.modules = Modules(sys.modules)
        os.environ.__class__ = Environment


hide(FILES)
del hide
