"""Format values as text: shapes, and names without control characters."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..num.values import Shape


def plain(value: int | str | tuple[int, ...]) -> Any:
    """A value for a file: shapes become text, others are unchanged."""
    return shape_text(value) if type(value) is tuple else value


def shape_text(shape: Shape) -> str:
    """`112x112x64`."""
    return "x".join(map(str, shape))


_COMMAND = re.compile(r"##\[|^(?P<blank>\s*)::", re.MULTILINE)  # old style anywhere, new style at the start of a line


def typed(*words: str) -> str:
    """Quote a command line for a shell; file names stay one word and are not taken for options."""
    import shlex

    words = tuple(f"./{word}" if word.startswith("-") else word for word in words)
    return shlex.join(map(printable, words))


def inert(text: str) -> str:
    """Escape workflow commands if in a job of GitHub Actions, whose runner executes them from the log."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    return _COMMAND.sub(lambda found: "# #[" if found["blank"] is None else f"{found['blank']}: :", text)


def printable(text: str) -> str:
    """Escape the control characters of a name from a spec, so that it cannot control a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
