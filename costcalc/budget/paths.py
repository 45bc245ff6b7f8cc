"""Find the files of a check: a path or a glob below the directory of costcalc.yaml, and nothing outside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ..errors import FileError, Problem, nearest
from ..files import Folder, check_path, copied, note_read, unresolved
from ..read.loading import READERS
from .exempting import by_path
from .run import Task

if TYPE_CHECKING:
    from .config import Config


WILD = frozenset("*?")
SUFFIXES = tuple(READERS)  # suffixes of all readable network formats
FILES = 100_000  # maximum files below one directory


def tasks(config: Config, wanted: Sequence[str] = ()) -> list[Task]:
    """Tasks of a file of checks, one per spec; with `wanted`, only those for these paths.

    Raises FileError with all problems.
    """
    folder, problems = config.folder or ".", []
    checks: dict[Any, Any] = {}
    below, count = None, 0
    for check in config.checks:
        try:
            if WILD & set(check.spec) and below is None:
                below = [name for name in _below(folder) if name != os.path.basename(config.path)]
            for name in _names(check.spec, folder, below):
                count += 1
                if count > FILES:
                    raise FileError(Problem("limit", f"more than {FILES:,} checks on files"))
                checks.setdefault(os.path.normpath(os.path.join(folder, name)), []).append(check)
        except FileError as error:
            problems += [problem._replace(place=check.place) for problem in error.problems]
    if problems:
        raise FileError(*problems)
    allowed = by_path(config.exceptions)
    found = [Task(path, tuple(each), top=folder, exceptions=allowed.get(path, ())) for path, each in checks.items()]
    return [task for task in found if any(is_in(task.path, path) for path in wanted)] if wanted else found


def _names(spec: str, folder: str, below: Any) -> list[str]:
    check_path(spec, SUFFIXES, copied)
    if not WILD & set(spec):
        if Folder(folder).real(spec) is None:
            help = nearest(spec, _below(folder)) or copied(spec) or "remove the check, or correct the path"
            raise FileError(Problem("no-file", f"there is no file {spec!r}", help=help))
        return [spec]
    matches = matcher(spec)
    names = [name for name in below if matches(name)]
    if not names:
        raise FileError(Problem("unmatched-glob", f"no file matches {spec!r}", help="paths are relative to this file"))
    for name in names:
        Folder(folder).real(name)  # refuses a link that leads outside
    return names


def matcher(glob: str) -> Callable[..., Any]:
    """A function that matches paths: `*` and `?` stay within a directory, `**/` matches any number of directories.

    Names are matched case-sensitively with fnmatch, without backtracking; all directory positions are tracked together.
    """
    parts = [part.replace("[", "[[]") for part in glob.split("/")]

    def matches(path: str) -> bool:
        *folders, name = path.split("/")
        at = _past_any({0}, parts)
        for folder in folders:
            on = {number + 1 for number in at if parts[number] != "**" and fnmatchcase(folder, parts[number])}
            stay = {number for number in at if parts[number] == "**"}
            at = _past_any(stay | on - {len(parts)}, parts)
        return len(parts) - 1 in at and fnmatchcase(name, parts[-1])

    return matches


def _past_any(at: set[int], parts: list[str]) -> set[int]:
    """Positions in a glob, including those after a `**`, which may match no directory; the last part is never one."""
    for number, part in enumerate(parts):
        if number in at and part == "**":
            at.add(number + 1)
    return at


def _below(folder: str) -> list[str]:
    """Files below a directory that may contain a network, except hidden ones."""
    paths: list = []
    for top, folders, files in os.walk(folder):
        note_read(top)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names = (name for name in sorted(files) if name.lower().endswith(SUFFIXES) and name[0] != ".")
        paths += (os.path.relpath(os.path.join(top, name), folder).replace(os.sep, "/") for name in names)
        if len(paths) > FILES:
            raise FileError(Problem("limit", f"more than {FILES:,} files are below {folder!r}"))
    return paths


def is_in(path: str, wanted: str) -> bool:
    """Whether a file is `wanted` or below it. A link and its target are different files."""
    path = _itself(path)
    return path == _itself(wanted) or path.startswith(os.path.join(os.path.realpath(wanted), ""))


def _itself(path: str) -> str:
    folder, name = os.path.split(unresolved(path))
    return os.path.join(os.path.realpath(folder), name)
