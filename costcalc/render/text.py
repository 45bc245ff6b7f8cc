"""Values as text: shapes, and names without control characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..num.values import Shape


def plain(value: int | str | tuple[int, ...]) -> Any:
    """A value for a file: shapes become text, numbers are unchanged."""
    return shape_text(value) if type(value) is tuple else value


def shape_text(shape: Shape) -> str:
    """`112x112x64`."""
    return "x".join(map(str, shape))


def printable(text: str) -> str:
    """A name from a spec with control characters made visible, so that it cannot control a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
