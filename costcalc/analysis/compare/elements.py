"""A network as a sequence of comparable elements: a layer with the norms and activations after it.

The key of an element leaves out its input: a layer keeps its key when the layer before it becomes wider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from ...metrics.chances import EXPECTED, added
from ...metrics.metrics import Metric, folded
from ...metrics.pricing import MAC
from ...model.expr import Expr
from ...model.network import Block, Include, Step
from ...model.rows import Row
from ...model.scope import SHAPE_NAMES, Frame
from ...num import prod
from ...num.values import Shape
from ...records import NamedTuple
from ..report.report import Line, Report


class Element(NamedTuple):
    """One layer in a comparison; its cost, params and moved values are sums over all its rows."""

    name: str
    type: str
    key: tuple
    source: Callable[[], tuple]  # the key as written in the spec, without the values of variables
    label: tuple | None  # the user-given name, if any
    rows: tuple  # rows of the trace: the layer, then the layers fused with it
    cost: Any
    params: Any
    moved: Any  # values read and written per sample
    more: Mapping[str, Any] = {}  # further metrics of the report, by name
    complete: bool = True  # else its figures are lower bounds

    @property
    def first(self) -> Row:
        """Row of the layer itself."""
        return self.rows[0]

    @property
    def spot(self) -> tuple[str, int, int]:
        """Place of the layer in its file: (path, line, column)."""
        place = self.first.place
        return place.source.path, place.line, place.column

    def is_in(self, glob: str) -> bool:
        """Whether a glob matches the element or a block that contains it."""
        return fnmatchcase(self.name, glob) or fnmatchcase(self.name, f"{glob}/*")

    @property
    def level(self) -> Frame | None:
        """Block or branch that contains the layer."""
        return self.first.frame.parent

    @property
    def output(self) -> Shape:
        """Shape of the output."""
        return self.rows[-1].layer.shape


def elements(rows: Sequence[Row], report: Report) -> list[Element]:
    """Elements of a traced network, in order."""
    parts: list = []
    for row, line in zip(rows, report.lines, strict=True):
        if parts and row.follows and not MAC.keys() & row.layer.terms.keys():
            parts[-1].append((row, line))
        else:
            parts.append([(row, line)])
    reader = _Reader()
    return [_element(group, reader, report.more) for group in parts]


def _element(group: list[tuple[Row, Line]], reader: _Reader, metrics: Iterable[Metric]) -> Element:
    rows = tuple(row for row, _ in group)
    line = group[0][1]
    named = [frame.base for frame in _levels(rows[0].frame)]
    given = rows[0].frame.base != rows[0].op.name
    return Element(
        line.name,
        line.type,
        tuple(reader.key(row) for row in rows),
        partial(_source, rows),
        tuple(named) if given else None,
        rows,
        sum(line.cost for _, line in group),
        sum(line.params for _, line in group),
        moved(rows),
        {one.name: _together(one, [line.more[one.name] for _, line in group]) for one in metrics},
        all(line.complete for _, line in group),
    )


def _together(one: Metric, found: list[Any]) -> Any:
    """Exact sum of the amounts of one element."""
    return added(found) if one.case == EXPECTED else folded(one, found)


def sums(elements: Sequence[Element], metrics: Sequence[Metric]) -> dict[str, Any]:
    """Cost, params, moved values and further metrics of elements, by name, and whether they are complete."""
    totals: dict[str, Any] = {name: sum(getattr(one, name) for one in elements) for name in ("cost", "params", "moved")}
    totals["complete"] = all(one.complete for one in elements)
    return {**totals, **{one.name: folded(one, [each.more[one.name] for each in elements]) for one in metrics}}


def _levels(frame: Frame) -> Iterator[Frame]:
    while frame.parent is not None:
        yield frame
        frame = frame.parent


def moved(rows: tuple[Row, ...]) -> int:
    """Values that a layer reads and writes: its input, weights and output, each once.

    Norms and activations right after a layer count as part of it and move nothing. Layers without arithmetic, such as
    reshape, move only their weights.
    """
    first = rows[0]
    held = sum(sum(row.layer.params.values()) for row in rows if row.shared is None)
    if not first.layer.terms.keys() - {"move"}:
        return held
    flowing = sum(prod(shape) for shape in first.inputs) + prod(first.layer.shape)
    return flowing * first.times + held


def _source(rows: tuple[Row, ...]) -> tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]:
    return tuple((row.op.name, tuple(_options(row))) for row in rows)


def _options(row: Row) -> Iterator[tuple[str, Any]]:
    for name, arg in row.written.items():
        yield name, _branches(arg) if name in row.op.branches else _written(arg, row.frame.parent)


def _branches(arg: tuple[tuple[Step, ...], ...]) -> int:
    return len(arg) if type(arg) is tuple else 1


def _written(arg: Any, frame: Any) -> Any:
    """An argument as written in the spec, with the arguments given for the block parameters that it reads."""
    if type(arg) is tuple:
        return tuple(_written(item, frame) for item in arg)
    if type(arg) is not Expr:
        return arg
    frame = _of_block(frame)
    if frame.call is None:
        return arg.text
    block, row = frame.call
    given = (
        (name, _written(row[name], frame.parent) if name in row else _written(block.defaults[name], frame))
        for name in sorted(arg.names.intersection(block.params))
    )
    return (arg.text, *given)


def _of_block(frame: Frame) -> Frame:
    """Level of the enclosing block, or the outermost level if there is none."""
    while frame.call is None and frame.parent is not None:
        frame = frame.parent
    return frame


class _Reader:
    """Distinguishes options that follow from the input from those that the user set."""

    def __init__(self) -> None:
        self.known: dict[Any, Any] = {}

    def key(self, row: Row) -> Any:
        """The operation and its options: values if set, texts if derived from the input."""
        options = tuple((name, self.option(row, name, arg)) for name, arg in row.written.items())
        return row.op.name, row.times if type(row.times) is int else None, bool(row.shared), options

    def option(self, row: Row, name: str, arg: Any) -> Any:
        if name in row.op.branches:
            return _branches(arg)
        names, relative = self.block(row.frame.parent)
        texts = tuple(_texts(arg, names, relative))
        return texts or row.options.get(name)

    def block(self, frame: Any) -> tuple[frozenset[str], ...]:
        """(parameters, those derived from the input) of the enclosing block of a level."""
        frame = _of_block(frame)
        if frame.call is None:
            return frozenset(), frozenset()
        if id(frame) not in self.known:
            self.known[id(frame)] = self.parameters(*frame.call, *self.block(frame.parent))
        return self.known[id(frame)]

    def parameters(
        self,
        block: Block | Include,
        row: Mapping[str, Any],
        outer: frozenset[str],
        outer_relative: frozenset[Any],
    ) -> tuple[frozenset[str], frozenset[str]]:
        own = frozenset(block.params)
        relative: frozenset[str] = frozenset()
        for param in block.params:
            if param in row:
                follows = any(_texts(row[param], outer, outer_relative))
            else:
                follows = any(_texts(block.defaults.get(param), own, relative))
            relative |= {param} if follows else set()
        return own, relative


def _texts(arg: Any, names: frozenset[str], relative: frozenset[str]) -> Iterator[str]:
    """Texts of the expressions in an argument that read sizes of the input."""
    if type(arg) is tuple:
        for item in arg:
            yield from _texts(item, names, relative)
    elif type(arg) is Expr and (arg.names & relative or arg.names & (SHAPE_NAMES - names) or arg.layers):
        yield arg.text
