"""Format one finding as lines: the message, its place with the source line and a caret, and its notes."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Place, brief

EXCERPT = 120  # characters shown of a line around a place
MESSAGE = 500  # characters shown of a message


def framed(
    kind: str,
    code: str | None,
    message: str,
    place: Place | None,
    notes: Iterable[tuple[str, str]] = (),
    color: bool = False,
) -> list[str]:
    """Format one finding: the message, its place with the source line and a caret, and its notes."""
    red, blue, off = ("\x1b[1;31m", "\x1b[1;34m", "\x1b[0m") if color else ("", "", "")
    gutter = " "
    lines = [f"{red}{kind}{f'[{code}]' if code else ''}{off}: {printed(brief(message, MESSAGE))}"]
    if place:
        gutter, bar = " " * len(str(place.line)), f"{blue}|{off}"
        text, blanks, caret = _excerpt(place)
        lines += [
            f"{gutter}{blue}-->{off} {printed(place.source.path)}:{place.line}:{place.column}",
            f"{gutter} {bar}",
            f"{place.line} {bar} {text}".rstrip(),
            f"{gutter} {bar} {' ' * blanks}{red}{'^' * caret}{off}",
        ]
    for about, text in notes:
        lines.append(f"{gutter} {blue}={off} {about}: {printed(brief(text, MESSAGE))}")
    return [*lines, ""] if place else lines


def _excerpt(place: Place) -> tuple[str, int, int]:
    """(line or the part around the column, offset of the caret, width of the caret)."""
    line, at = place.excerpt(), place.column - 1
    start = max(min(at - EXCERPT // 2, len(line) - EXCERPT), 0)
    before = "..." if start else ""
    part = "".join(char if char.isprintable() else " " for char in line[start : start + EXCERPT])
    text = before + part + ("..." if start + EXCERPT < len(line) else "")
    caret = _cells(part[at - start : at - start + place.width])
    return text, _cells(before + part[: at - start]), max(caret, 1)


def _cells(text: str) -> int:
    """Width of a text in terminal columns."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def printed(text: str) -> str:
    """Escape the control characters of an external text."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
