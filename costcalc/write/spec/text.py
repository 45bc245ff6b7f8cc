"""Convert items to the maps and words of a spec."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...model.expr import Expr
from ...model.storage import UNSTATED
from ...ops import INDEX, find
from ...ops.base import Option
from ...read.spec.blocks import BODIES, CONTROLS, RESERVED
from ...records import NamedTuple
from .structure import Item, walk

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
    """A scalar, quoted if YAML would parse it as something else."""
    if type(value) is bool:
        return str(value).lower()
    text = str(value)
    if _PLAIN.fullmatch(text) and text == text.strip() and not _AMBIGUOUS.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in escaped) + '"'


def lines(value: Iterable[Any], indent: int = 0) -> Iterator[str]:
    """A list or map as lines with an indent."""
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
    """Whether layers are nested in layers, which is unreadable on one line."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return _depth(value) > 3 or any(_depth(one) > 2 for one in inner)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


_USUAL = ("conv", "dwconv", "conv_transpose", "linear")


class Style(NamedTuple):
    """How items are written: defaults of each operation, and the form of widths."""

    defaults: dict[str, tuple]  # operation -> (bias, the entries of `then`)
    relative: bool = True  # whether widths may be multiples of the input's channels
    width: str = ""  # function applied to widths
    widths: tuple[str, ...] = ("out",)  # options that may be multiples of each other
    words: frozenset[str] = frozenset((*INDEX, *RESERVED, *CONTROLS, *BODIES))  # names that blocks cannot have

    def length(self, item: Item) -> int:
        """Length of an item on one line. A call counts as one row."""
        return len(flow(rows_of(item))) + 2 if item.op == "call" else len(flow(entry(item, self))) + 3


def entries(items: list[Item], style: Style) -> list[Any]:
    """Convert a list of items. Adjacent calls of one block become rows."""
    found: list[Any] = []
    last = None
    for item in items:
        one = entry(item, style)
        if last is not None and item.op == last.op == "call" and item.block is last.block and _is_row(item, last):
            rows = found[-1][item.block.name]
            found[-1][item.block.name] = [*(rows if last.merged else [rows_of(last)]), rows_of(item)]
            item.merged = True
        else:
            item.merged = False
            found.append(one)
        last = item
    return found


def _is_row(item: Item, last: Item) -> Any:
    return item.options and all(
        one.repeat == 1 and one.origin is None and not one.label and one.times == 1 for one in (item, last)
    )


def entry(item: Item, style: Style) -> Any:
    """Convert an item to a word or a map."""
    controls = _controls(item)
    if item.op == "residual":
        return _bridged(item, style, controls)
    if item.op == "group":
        return {"layers": entries(item.branches[0], style), **controls}
    if item.op == "reuse":
        return {"reuse": item.branches[0].label, **controls}
    if item.op == "call":
        if not item.options and not controls:
            return item.block.name
        return {item.block.name: _call(item), **controls}
    return _operation(item, style, controls)


def _controls(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if item.repeat != 1:
        found["repeat"] = item.repeat
    if item.times != 1:
        found["times"] = value_text(item.times)
    if item.bits != UNSTATED:
        found["bits"] = {name: bits for name, bits in item.bits._asdict().items() if bits}
    if item.origin is not None:
        found["from"] = _name(item.origin)
    if item.label:
        found["as"] = item.label
    return found


def _bridged(item: Item, style: Style, controls: Mapping[str, Any]) -> dict[str, Any]:
    """A group with a residual. A single layer states `residual` itself."""
    inner, then = item.branches[0], [_word(one, style) for one in item.then]
    rest = {**controls, **({"then": then} if then else {})}
    only = inner[0] if len(inner) == 1 and not then else None
    if only is not None and not _controls(only) and only.op not in ("residual", "group", "reuse"):
        made = entry(only, style)
        return {**(made if isinstance(made, dict) else {made: None}), "residual": True, **rest}
    return {"residual": True, **rest, "layers": entries(inner, style)}


def _call(item: Item) -> Any:
    row = rows_of(item)
    return row[0] if isinstance(row, list) and len(row) == 1 and not isinstance(row[0], list) else row if row else None


def rows_of(item: Item) -> Any:
    """Arguments of a call, without trailing ones that equal their defaults."""
    values = [(name, value_text(item.options[name]), default) for name, default in item.block.params]
    while values and values[-1][2] is not None and str(values[-1][1]) == str(values[-1][2]):
        values.pop()
    if any(isinstance(value, list) for _, value, _ in values):
        return {name: value for name, value, _ in values}
    return [value for _, value, _ in values]


def _operation(item: Item, style: Style, controls: Mapping[str, Any]) -> Any:
    op = find(item.op)
    bias, then = style.defaults.get(item.op, (op.options["bias"].default if "bias" in op.options else None, []))
    own = [_word(one, style) for one in item.then]
    found: dict[Any, Any] = {item.op: None}
    for name, option in op.options.items():
        if name in op.branches:
            value = _branches(item, style)
            value = value[0] if option.kind.form == "branch" and value else value
            if not value:
                continue
        else:
            usual = bias if name == "bias" else option.default
            if not option.required and item.options[name] == usual and type(item.options[name]) is type(usual):
                continue
            value = _value(item, name, option, style)
        found[item.op if name == op.main else name] = value
    if item.holds is not None:
        found["params"] = item.holds if {*item.holds} - {"weight"} else item.holds.get("weight", 0)
    if item.table is not None:
        found["reuse"] = item.table.label
    found.update(controls)
    if own != then:
        found["then"] = own
    return item.op if list(found) == [item.op] and found[item.op] is None else found


def _word(item: Item, style: Style) -> Any:
    return entry(item, style._replace(defaults={}))


def _branches(item: Item, style: Style) -> list[Any]:
    return [entries(branch, style) if type(branch) is list else _name(branch) for branch in item.branches]


def _name(one: str | Item) -> str:
    return one.label if isinstance(one, Item) else one


def _value(item: Item, name: str, option: Option, style: Style) -> Any:
    value = item.options[name]
    if name == find(item.op).main and option.kind.name in ("kernel", "window") and type(value) is int and item.rank > 1:
        return "x".join([str(value)] * item.rank)
    if style.width and not item.kept and option.kind.name == "width":
        return f"{style.width}({value_text(value)})"
    if style.width and not item.kept and option.kind.name == "shape" and item.op == "reshape":
        return [*map(value_text, value[:-1]), f"{style.width}({value_text(value[-1])})"]
    return [*map(value_text, value)] if option.kind.form == "shape" else value_text(value)


def value_text(value: Any) -> Any:
    """A value as written in a spec."""
    if type(value) is tuple:
        flat = all(type(one) is int and 0 <= one < 10_000 for one in value) and len(value) > 1
        return "x".join(map(str, value)) if flat else [value_text(one) for one in value]
    if type(value) is Expr:
        return value.text
    return value if type(value) in (int, bool) else repr(value) if type(value) is float else str(value)


def defaults_of(items: list[Item]) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """Most common `bias` and `then` of each operation, if frequent enough for `defaults:`."""
    from collections import Counter

    plain = Style({})
    counts: dict[str, Counter] = {op: Counter() for op in _USUAL}
    for item in walk(items):
        if item.op in counts:
            counts[item.op][item.options["bias"], tuple(flow(_word(one, plain)) for one in item.then)] += 1
    found: dict[str, Any] = {}
    for op, counter in counts.items():
        if counter:
            (bias, then), count = counter.most_common(1)[0]
            if count > 2 and 2 * count > sum(counter.values()) and (not bias or then):
                found[op] = bias, then
    return found
