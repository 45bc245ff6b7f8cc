"""Files that are whole or as they were: written beside, then renamed."""

import os
import sys
from contextlib import contextmanager

from .errors import FileError, Problem


@contextmanager
def replacing(path, binary=False):
    """A file to write to, that takes the place of the one at `path` at the end.

    When something fails on the way, what was at `path` stays as it was. A device or a pipe stays what it is, and is
    written to. Raises FileError.
    """
    special = os.path.exists(path) and not os.path.isfile(path)
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
