"""Values as YAML: on one line where it fits, else one entry per line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

WIDTH = 116
_PLAIN = re.compile(r"[A-Za-z_0-9.(][\w .()+*/<>=%-]*")
_AMBIGUOUS = re.compile(r"(?i)(null|~|)")


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return "" if value is None else scalar(value)


def scalar(value: int | str) -> str:
    """A text, quoted where YAML would read something else."""
    if type(value) is bool:
        return str(value).lower()
    text = str(value)
    if _PLAIN.fullmatch(text) and text == text.strip() and not _AMBIGUOUS.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in escaped) + '"'


def lines(value: Iterable[Any], indent: int = 0) -> Iterator[str]:
    """A list or map as lines, at an indent."""
    pad = " " * indent
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _entry(f"{pad}{scalar(key)}:", one, indent + 2)
    else:
        for one in value:
            yield from _listed(pad, one, indent)


def _entry(head: str, value: Any, indent: int) -> Iterator[str]:
    short = f"{head} {flow(value)}".rstrip()
    if not isinstance(value, (dict, list)) or (len(short) <= WIDTH and not _is_deep(value)):
        yield short
    else:
        yield head
        yield from lines(value, indent)


def _listed(pad: str, value: Any, indent: int) -> Iterator[str]:
    if isinstance(value, dict) and len(value) == 1 and len(pad) + 2 + len(flow(value)) - 2 <= WIDTH:
        ((key, one),) = value.items()
        if not _is_deep(one):
            yield f"{pad}- {scalar(key)}: {flow(one)}".rstrip()
            return
    short = f"{pad}- {flow(value)}"
    if not isinstance(value, (dict, list)) or not value or (len(short) <= WIDTH and not _is_deep(value)):
        yield short
        return
    first, *rest = lines(value, indent + 2)
    yield f"{pad}- {first.strip()}"
    yield from rest


def _is_deep(value: Any) -> bool:
    """Whether layers stand inside layers, which one line would hide."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return _depth(value) > 3 or any(_depth(one) > 2 for one in inner)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
