"""Values as text: shapes, and names without control characters."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..num.values import Shape


def plain(value: int | str | tuple[int, ...]) -> Any:
    """A value for a file: shapes become text, numbers are unchanged."""
    return shape_text(value) if type(value) is tuple else value


def shape_text(shape: Shape) -> str:
    """`112x112x64`."""
    return "x".join(map(str, shape))


_COMMAND = re.compile(r"##\[|^(?P<blank>\s*)::", re.MULTILINE)  # of the old kind anywhere, of the new one at the start


def typed(*words: str) -> str:
    """A command line as a shell reads it: the name of a file stays one word, and is no option."""
    import shlex

    words = tuple(f"./{word}" if word.startswith("-") else word for word in words)
    return shlex.join(map(printable, words))


def inert(text: str) -> str:
    """The text, in a job of GitHub without workflow commands: its runner does what a line of the log says."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    return _COMMAND.sub(lambda found: "# #[" if found["blank"] is None else f"{found['blank']}: :", text)


def printable(text: str) -> str:
    """A name from a spec with control characters made visible, so that it cannot control a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
