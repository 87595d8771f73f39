"""Branches of a repository, kept in a store."""


class BranchExists(Exception):
    """A branch of that name is there already."""


class MemoryStore:
    """Keeps the names of branches in memory."""

    def __init__(self):
        self._names = []

    def names(self):
        return list(self._names)

    def add(self, name):
        self._names.append(name)


class Branches:
    """What the API offers for branches; one object serves all requests."""

    def __init__(self, store):
        self._store = store

    def create(self, name):
        """Creates a branch; its name must be new."""
        if name in self._store.names():
            raise BranchExists(name)
        self._store.add(name)
        return name
