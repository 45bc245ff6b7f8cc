"""Where results go: standard output, or a file that is written beside and then renamed."""

import os
import sys
from contextlib import contextmanager

from ..errors import FileError, OptionError, Problem
from ..render import SUFFIXES


def deliver(text, path=None):
    """Write a result to standard output, or to a file that is whole or not there at all."""
    with writing(path) as out:
        out.write(text)


@contextmanager
def writing(path=None, binary=False):
    """A file to write a result to: standard output, or one beside `path` that takes its place at the end.

    When something fails on the way, what was at `path` stays as it was.
    """
    if path is None or path == "-":
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        yield getattr(sys.stdout, "buffer", sys.stdout) if binary else sys.stdout
        sys.stdout.flush()
        return
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name[:200]}.{os.getpid()}.tmp")
    text = {} if binary else {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    try:
        with open(beside, "xb" if binary else "x", **text) as file:
            yield file
        os.replace(beside, path)
    except OSError as error:
        raise FileError(Problem("unwritable", f"cannot write {path!r}: {error.strerror}")) from None
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)


def format_for(format, path, more=()):
    """The format asked for, or the one the file's ending says, or `table`; `more` adds endings."""
    if format:
        return format
    if path in (None, "-"):
        return "table"
    suffix = os.path.splitext(path)[1].lower()
    suffixes = {**SUFFIXES, **dict(more)}
    if suffix not in suffixes:
        known = ", ".join(suffixes)
        raise OptionError(
            Problem("unknown-format", f"no format ends in `{suffix}`", help=f"known: {known}; or --format")
        )
    return suffixes[suffix]
