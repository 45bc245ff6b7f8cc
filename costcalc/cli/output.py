"""Where results go: standard output, or a file that is written beside and then renamed."""

import os
import sys

from ..errors import FileError, OptionError, Problem
from ..render import SUFFIXES


def deliver(text, path=None):
    """Write a result to standard output, or to a file that is whole or not there at all."""
    if path is None or path == "-":
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    _replace(path, text.encode("utf-8", "backslashreplace"))


def _replace(path, data):
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name[:200]}.{os.getpid()}.tmp")
    try:
        try:
            with open(beside, "xb") as file:
                file.write(data)
            os.replace(beside, path)
        finally:
            if os.path.exists(beside):
                os.unlink(beside)
    except OSError as error:
        raise FileError(Problem("unwritable", f"cannot write {path!r}: {error.strerror}")) from None


def format_for(format, path):
    """The format asked for, or the one the file's ending says, or `table`."""
    if format:
        return format
    if path in (None, "-"):
        return "table"
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise OptionError(
            Problem("unknown-format", f"no format ends in `{suffix}`", help=f"known: {known}; or --format")
        )
    return SUFFIXES[suffix]
