"""Record which test runs which code: lines of the mutated files, and functions of the others."""

import ast
import json
import re
import resource
import sys
import tempfile
import threading
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from .mutants import ROOT

STORE = Path(tempfile.gettempdir()) / f"costcalc-mutation-{sha256(str(ROOT).encode()).hexdigest()[:8]}.json"
PACKAGE = str(ROOT / "costcalc") + "/"


class Ran(NamedTuple):
    """The code run by one test: processor seconds, lines of each file, first lines of functions in other files.

    The seconds include child processes that it waited for.
    """

    passed: bool
    seconds: float
    lines: dict[str, list[int]]
    calls: dict[str, list[int]]


def processor_seconds() -> float:
    """Processor time of this process and its finished children, because a test of git mostly waits."""
    used = [resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class Recorder:
    """Traces the files of `paths` by line, and the rest of the package by call."""

    def __init__(self, paths):
        self.paths, self.lines, self.calls = {str(ROOT / path) for path in paths}, {}, {}

    def __enter__(self):
        self.start = processor_seconds()
        threading.settrace(self._call)
        sys.settrace(self._call)
        return self

    def __exit__(self, *_):
        sys.settrace(None)
        threading.settrace(None)
        self.seconds = processor_seconds() - self.start

    def _call(self, frame, event, _):
        name = frame.f_code.co_filename
        if name in self.paths:
            self.lines.setdefault(name, set()).add(frame.f_code.co_firstlineno)
            return self._line
        if name.startswith(PACKAGE):
            self.calls.setdefault(name, set()).add(frame.f_code.co_firstlineno)
        return None

    def _line(self, frame, event, _):
        if event == "line":
            self.lines[frame.f_code.co_filename].add(frame.f_lineno)
        return self._line

    def ran(self, passed):
        """The trace as a Ran."""
        parts = (
            {str(Path(k).relative_to(ROOT)): sorted(v) for k, v in one.items()} for one in (self.lines, self.calls)
        )
        return Ran(passed, self.seconds, *parts)


def covers(ran, mutant):
    """Whether a test runs a mutant: its lines, or, for code outside functions, users of the names it binds."""
    if mutant.inside:
        return any(mutant.begin <= line <= mutant.end for line in ran.lines.get(mutant.path, ()))
    return any(
        any(line in places for line in found.get(path, ()))
        for path, places in users(mutant.bound).items()
        for found in (ran.lines, ran.calls)
    )


def reads(text, mutant):
    """Whether a test mentions a name that a mutant outside functions binds, or a name derived from it.

    A test may read such a name without calling anything.
    """
    return bool(mutant.bound) and bool(_made_of(mutant.bound).search(text))


@lru_cache(None)
def users(names):
    """The first lines of the functions that use the names or names derived from them: {path: lines}."""
    pattern = _made_of(names)
    return {path: {line for text, line in functions if pattern.search(text)} for path, functions, _ in _parsed()}


@lru_cache(None)
def _made_of(names):
    """A pattern that matches the names, and names that module statements derive from them."""
    known, before = set(names), 0
    while len(known) != before:
        before = len(known)
        pattern = re.compile(rf"\b({'|'.join(map(re.escape, sorted(known)))})\b")
        for _, _, others in _parsed():
            for text, bound in others:
                if pattern.search(text):
                    known.update(bound)
    return pattern


@lru_cache(1)
def _parsed():
    """(path, [(text of a function, its first line)], [(text of a module statement, the names it binds)])."""
    found = []
    for path in sorted(Path(PACKAGE).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree, functions, others = ast.parse(text), [], []
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                functions.append((ast.get_source_segment(text, node), first))
        for node in tree.body:
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                bound = [
                    one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
                ]
                others.append((ast.get_source_segment(text, node), bound))
        found.append((str(path.relative_to(ROOT)), functions, others))
    return found


def forget():
    """Clear the cache of parsed files."""
    for one in (users, _made_of, _parsed, _digest):
        one.cache_clear()


class Store:
    """Coverage of earlier runs, valid while the test and the code it ran are unchanged."""

    def __init__(self):
        self.known = json.loads(STORE.read_text()) if STORE.exists() else {}

    def get(self, item, paths):
        """The Ran of a test, or None."""
        held = self.known.get(item)
        if not held or any(_digest(path) != digest for path, digest in held["of"].items()):
            return None
        return Ran(*held["ran"]) if set(paths) & set(held["ran"][3]) == set() else None

    def add(self, item, ran):
        """Store the Ran of a test."""
        paths = (item.partition("::")[0], "tests/conftest.py", *ran.lines, *ran.calls)
        self.known[item] = {"of": {path: _digest(path) for path in paths}, "ran": ran}

    def save(self):
        """Write the store to disk."""
        STORE.write_text(json.dumps(self.known))


@lru_cache(None)
def _digest(path):
    file = ROOT / path
    return sha256(file.read_bytes()).hexdigest() if file.exists() else ""
