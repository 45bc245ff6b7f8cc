"""Which files a check is about: a path or a glob below the directory of costcalc.yaml, and nothing outside it."""

import os
import re

from ..errors import FileError, Problem, nearest
from ..files import Folder, check_path
from .run import Task

WILD = frozenset("*?")
FILES = 100_000  # below one directory
STARS = 8  # in one glob: each more makes matching slower


def tasks(config, wanted=()):
    """The tasks of a file of checks; with `wanted`, those on these paths. Raises FileError with all that is wrong."""
    folder, problems, found = config.folder or ".", [], []
    below = None
    for check in config.checks:
        try:
            if WILD & set(check.spec) and below is None:
                below = _below(folder)
            for name in _names(check.spec, folder, below):
                found.append(Task(check, os.path.normpath(os.path.join(folder, name))))
        except FileError as error:
            problems += [problem._replace(place=check.place) for problem in error.problems]
    if problems:
        raise FileError(*problems)
    if not wanted:
        return found
    return [task for task in found if any(_is_in(task.path, path) for path in wanted)]


def _names(spec, folder, below):
    check_path(spec)
    if spec.count("*") > STARS:
        raise FileError(Problem("limit", f"a glob has at most {STARS} `*`"))
    if not WILD & set(spec):
        if Folder(folder).real(spec) is None:
            help = nearest(spec, _below(folder)) or "take the check out, or correct the path"
            raise FileError(Problem("no-file", f"there is no file {spec!r}", help=help))
        return [spec]
    matches = matcher(spec)
    names = [name for name in below if matches(name)]
    if not names:
        raise FileError(Problem("unmatched-glob", f"no file matches {spec!r}", help="paths are relative to this file"))
    for name in names:
        Folder(folder).real(name)  # refuses a link that leaves
    return names


def matcher(glob):
    """A function that tells whether a path matches: `*` and `?` stay in one directory, `**/` is any number of them."""
    pattern = re.escape(glob).replace(r"\*\*/", "(?:[^/]+/)*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(pattern).fullmatch


def _below(folder):
    """The YAML files below a directory, hidden ones left out."""
    found: list = []
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names = (name for name in sorted(files) if name.endswith((".yaml", ".yml")) and not name.startswith("."))
        found += (os.path.relpath(os.path.join(top, name), folder).replace(os.sep, "/") for name in names)
        if len(found) > FILES:
            raise FileError(Problem("limit", f"more than {FILES:,} files are below {folder!r}"))
    return found


def _is_in(path, wanted):
    path, wanted = os.path.realpath(path), os.path.realpath(wanted)
    return path == wanted or path.startswith(os.path.join(wanted, ""))
