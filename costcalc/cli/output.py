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


def show(page, format, as_json, output, color):
    """Deliver a page in the format asked for, or in the one that the output's ending says."""
    from ..render import render_page
    from .terminal import screen

    format = "json" if as_json else format_for(format, output)
    deliver(render_page(page, format, screen(color) if output in (None, "-") else None), output)


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
    special = os.path.exists(path) and not os.path.isfile(path)  # a device or a pipe: it must stay what it is
    target = path if special else os.path.realpath(path)
    beside = target if special else _beside(target)
    _stop_cleanly()
    mode, text = ("wb", {}) if binary else ("w", {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""})
    try:
        with open(beside, mode if special else mode.replace("w", "x"), **text) as file:
            yield file
        if not special:
            _put(beside, target)
    except OSError as error:
        raise FileError(Problem("unwritable", f"cannot write {path!r}: {error.strerror}", help=_help(path))) from None
    finally:
        if not special and os.path.lexists(beside):
            os.unlink(beside)


def _stop_cleanly():
    """Let a request to end unwind as Ctrl-C does, so that no unfinished file stays behind."""
    import signal
    import threading

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _beside(path):
    """The name of a file that does not exist yet, in the same directory."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name[:60]}.{os.getpid()}.tmp")


def _put(beside, path):
    """Let a finished file take the place of another, with the rights that one had."""
    if os.path.exists(path):
        os.chmod(beside, os.stat(path).st_mode & 0o7777)
    os.replace(beside, path)


def _help(path):
    folder = os.path.dirname(path)
    return f"there is no directory {folder!r}" if folder and not os.path.isdir(folder) else None


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
