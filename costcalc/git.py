"""Read history with git, without fetching and without running programs named in a git configuration."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import OptionError, Problem

SECONDS = 60  # for one call of git
PIECE = 2**16  # bytes read at once from a long output
LONGEST = 2**20  # bytes of one entry
OLDEST = (2, 38)  # the first version with safe.bareRepository

_SETTINGS = (
    "safe.bareRepository=explicit",  # ignore a bare repository committed among the files
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "protocol.allow=never",
)
_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",  # since 2.39.4 and 2.45; the next line blocks fetching in every version
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

    Variables that name another repository, index or program are removed. Variables that select the user's
    configuration stay, because it may set safe.directory.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)}
    return {**own, **_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": os.path.dirname(root)}


def command(root: str, *args: str) -> list[str]:
    """The command line that runs git on the repository at `root`. Raises OptionError if git is not installed."""
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    return [program(), "--no-pager", "--no-replace-objects", *settings, "-C", root, *args]


def program(environ: Mapping[str, str] = os.environ) -> str:
    """The path of git. Searches only the absolute directories of PATH, so never the working directory."""
    folders = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder)]
    path = shutil.which("git", path=os.pathsep.join(folders)) if folders else None
    if path is None or not os.path.isabs(path):  # Windows looks in the working directory first
        raise OptionError(Problem("no-git", "there is no program `git`", help="costcalc needs git to read the history"))
    return path


def output(root: str, *args: str) -> bytes | None:
    """The output of git, or None if it fails. Raises OptionError if git is not installed or times out."""
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
    """Yield the NUL-terminated entries of git's output, with one entry at a time in memory.

    Raises OptionError if git fails, is not installed or times out.
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
        process.stdout.close()  # stops a git that is still writing
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
    """The error for a git command that failed."""
    return OptionError(Problem("git-failed", f"git {what} failed in {root!r}", help="git fsck may say why"))


def _unstarted() -> OptionError:
    return OptionError(
        Problem("no-git", "the program `git` cannot be started", help="costcalc needs git to read the history")
    )


def _late() -> OptionError:
    return OptionError(Problem("limit", f"git took longer than {SECONDS} seconds"))


def check_version(root: str) -> None:
    """Refuse a version of git without safe.bareRepository. Raises OptionError."""
    said = (output(root, "version") or b"").decode(errors="replace").strip()
    version = re.match(r"git version (\d{1,4})\.(\d{1,4})", said)
    if version and (int(version[1]), int(version[2])) >= OLDEST:
        return
    oldest = ".".join(map(str, OLDEST))
    number = said.removeprefix("git version ")[:40]
    shown = f"git {number} is too old" if version else "the version of git cannot be read"
    message = f"{shown}: before {oldest}, git reads a bare repository that is committed among the files"
    raise OptionError(Problem("old-git", message, help=f"install git {oldest} or later"))
