"""git as a reader of history: nothing is fetched, and no program that a configuration names is run."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import OptionError, Problem

SECONDS = 60  # for one call of git
PIECE = 2**16  # bytes of a long answer that are read at once
LONGEST = 2**20  # bytes of one entry of it
OLDEST = (2, 38)  # the first that knows safe.bareRepository

_SETTINGS = (
    "safe.bareRepository=explicit",  # a bare repository among the files is not used
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "protocol.allow=never",
)
_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",  # since 2.39.4 and 2.45; no version can fetch with the next one
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
_KEPT = re.compile(r"GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|PARAMETERS|COUNT|(KEY|VALUE)_\d+)")


def environment(root: str) -> dict[str, str]:
    """The environment of git for the repository at `root`.

    Variables that name another repository, index or program are left out. Those that name the configuration of the
    user stay: safe.directory may be in it.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)}
    return {**own, **_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": os.path.dirname(root)}


def command(root: str, *args: str) -> list[str]:
    """The command line of a git that reads the repository at `root`. Raises OptionError where there is no git."""
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    return [program(), "--no-pager", "--no-replace-objects", *settings, "-C", root, *args]


def program(environ: Mapping[str, str] = os.environ) -> str:
    """The path of git: the first in the absolute directories of PATH, so never a file of the working directory."""
    folders = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder)]
    found = shutil.which("git", path=os.pathsep.join(folders)) if folders else None
    if found is None or not os.path.isabs(found):  # Windows looks in the working directory first
        raise OptionError(Problem("no-git", "there is no program `git`", help="costcalc reads the history with it"))
    return found


def output(root: str, *args: str) -> bytes | None:
    """What git prints, or None when it refuses. Raises OptionError where there is no git, or it does not end."""
    try:
        done = subprocess.run(
            command(root, *args),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env=environment(root),
        )
    except OSError:
        raise _unstarted() from None
    except subprocess.TimeoutExpired:
        raise _late() from None
    return done.stdout if done.returncode == 0 else None


def entries(root: str, *args: str) -> Iterator[bytes]:
    """What git prints, entry by entry, each without the NUL at its end: as much of it is held as one entry.

    Raises OptionError where git refuses, is not there or does not end.
    """
    process, late = _started(root, *args), threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(SECONDS, end)
    timer.start()
    try:
        yield from _split(process.stdout)
    finally:
        timer.cancel()
        process.stdout.close()  # a git that has more to say ends
        process.wait()
    if late.is_set():
        raise _late()
    if process.returncode != 0:
        raise failed(root, args[0])


def _started(root: str, *args: str) -> Any:
    null = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            command(root, *args), stdin=null, stdout=subprocess.PIPE, stderr=null, env=environment(root)
        )
    except OSError:
        raise _unstarted() from None


def _split(stream: Any) -> Iterator[bytes]:
    left = b""
    while piece := stream.read(PIECE):
        *whole, left = (left + piece).split(b"\0")
        yield from whole
        if len(left) > LONGEST:
            raise OptionError(Problem("limit", f"git gives a name of more than {LONGEST:,} bytes"))


def failed(root: str, what: str) -> OptionError:
    """The error for a git that refuses."""
    return OptionError(Problem("git-failed", f"git {what} failed in {root!r}", help="git fsck may say why"))


def _unstarted() -> OptionError:
    return OptionError(Problem("no-git", "the program `git` cannot be started", help="costcalc reads history with it"))


def _late() -> OptionError:
    return OptionError(Problem("limit", f"git took longer than {SECONDS} seconds"))


def check_version(root: str) -> None:
    """Refuse a git that lacks a protection. Raises OptionError."""
    said = (output(root, "version") or b"").decode(errors="replace").strip()
    found = re.match(r"git version (\d{1,4})\.(\d{1,4})", said)
    if found and (int(found[1]), int(found[2])) >= OLDEST:
        return
    oldest = ".".join(map(str, OLDEST))
    number = said.removeprefix("git version ")[:40]
    shown = f"git {number} is too old" if found else "the version of git cannot be read"
    message = f"{shown}: before {oldest}, git reads a bare repository that is committed among the files"
    raise OptionError(Problem("old-git", message, help=f"install git {oldest} or later"))
