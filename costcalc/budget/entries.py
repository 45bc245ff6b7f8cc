"""Add and remove entries of a list in a YAML file as lines; all other lines stay unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from ..records import NamedTuple

if TYPE_CHECKING:
    from yaml.nodes import Node

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unwritable(Exception):
    """A list in a form to which no entry can be added and from which none can be removed."""


class Span(NamedTuple):
    """Lines of an entry, from 0: the first, and the one after the last."""

    start: int
    stop: int


def without(lines: Sequence[str], key: str, at: Iterable[int]) -> list[str]:
    """Remove the entries that contain these line numbers (from 0). Raises Unwritable."""
    name, found = _list(lines, key)
    spans = _spans(lines, found)
    gone = {number for number, span in enumerate(spans) for line in at if span.start <= line < span.stop}
    dropped = {line for number in gone for line in range(*spans[number])}
    left = [line for number, line in enumerate(lines) if number not in dropped]
    if len(gone) < len(spans) or lines[name].strip() != f"{key}:":
        return left
    rest = left[name + 1 :]
    before = left[:name]
    if not rest and before and not before[-1].strip():
        before.pop()  # the blank line before the list
    return [*before, *rest]


def added(lines: Sequence[str], key: str, entries: Sequence[Sequence[str]]) -> list[str]:
    """Append entries to the list of a key, which is created if missing.

    An entry consists of lines without indentation and without `- `. Raises Unwritable.
    """
    end = next((line[len(line.rstrip("\r\n")) :] for line in lines if line.endswith(("\n", "\r"))), "\n")
    whole = [line if line.endswith(("\n", "\r")) else line + end for line in lines]
    root = _root(lines)
    pairs = {name.value: (name, value) for name, value in root.value}
    if key not in pairs:
        indent = " " * root.start_mark.column
        blank = [end] if whole and whole[-1].strip() else []
        return [*whole, *blank, f"{indent}{key}:{end}", *_written(entries, f"{indent}  ", end)]
    name, value = pairs[key]
    if isinstance(value, yaml.ScalarNode) and not value.value:
        at, indent = name.start_mark.line + 1, " " * (root.start_mark.column + 2)
    else:
        at, indent = _spans(lines, _block(value))[-1].stop, " " * value.start_mark.column
    return [*whole[:at], *_written(entries, indent, end), *whole[at:]]


def _written(entries: Sequence[Sequence[str]], indent: str, end: str) -> list[str]:
    return [f"{indent}{'  ' if number else '- '}{line}{end}" for entry in entries for number, line in enumerate(entry)]


def _root(lines: Sequence[str]) -> Any:
    root = yaml.compose("".join(lines), Loader=_LOADER)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise Unwritable
    return root


def _list(lines: Sequence[str], key: str) -> tuple[int, Any]:
    """Line of a key, and its list."""
    pairs = {name.value: (name.start_mark.line, value) for name, value in _root(lines).value}
    line, value = pairs[key]
    return line, _block(value)


def _block(value: Any) -> Any:
    if not isinstance(value, yaml.SequenceNode) or value.flow_style or not value.value:
        raise Unwritable
    return value


def _spans(lines: Sequence[str], found: Any) -> list[Span]:
    """Lines of each entry, from its `-` to the end of its last value."""
    spans: list[Span] = []
    for item in found.value:
        start, least = item.start_mark.line, spans[-1].stop if spans else found.start_mark.line
        while start > least and not lines[start].lstrip().startswith("-"):
            start -= 1
        spans.append(Span(start, _end(item) + 1))
    return spans


def _end(node: Node) -> int:
    """Last line of a node; a block node ends with its last value."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return max(_end(part) for part in node.value[-1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    mark = node.end_mark
    return mark.line - 1 if mark.column == 0 and mark.line > node.start_mark.line else mark.line
