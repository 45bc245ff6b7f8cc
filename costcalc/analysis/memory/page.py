"""Page of a network's memory: tensors alive at the peak, one bar per operation, and the plan of the arena."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from ...errors import listed
from ...metrics.memory import spans
from ...model.planning import Span, planned
from ...records import NamedTuple
from ...render.figures import drawing, plain, saved
from ...render.sheet import Column, Sheet
from ...render.text import printable, shape_text
from ..report.columns import stamped
from ..report.document import heading

if TYPE_CHECKING:
    from .memory import Living, Memory

BAR = 30  # characters of the longest bar
SHOWN = 6  # unknown operations in a note
MOST_BARS = 60  # above this, bars are shown per block
BINARY = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


class Placed(NamedTuple):
    """A buffer in the arena: its offset, its size, and the first and last operation that need it."""

    name: str
    offset: int
    bytes: int
    first: str
    last: str


class MemoryPage:
    """The peak, the tensors alive there and the schedule; with `arena`, the plan instead."""

    def __init__(self, found: Memory, arena: bool = False) -> None:
        self.found, self.arena = found, arena
        self.title = f"{found.model.name}: memory"

    def heads(self) -> list[str]:
        """The peak and its operation."""
        peak = self.found.peak
        return (
            [f"peak {self._least()}{human(peak.bytes)} at {printable(peak.operation)}"]
            if peak
            else ["no operation needs memory"]
        )

    def sheets(self) -> list[Sheet]:
        """Tensors alive at the peak, and the schedule or the plan."""
        heads = ("tensor", "shape", "bytes", "made by", "still read by")
        columns = tuple(
            Column(
                head, head == "bytes", spare=2 * (head == "still read by"), folds=head in ("tensor", "still read by")
            )
            for head in heads
        )
        rows = [_living(one) for one in self.found.tensors]
        foot = ("total", "", f"{self.found.peak_bytes:,}", "", "")
        if self.found.workspace:
            rows.append(("workspace", "", f"{self.found.workspace:,}", "", ""))
        return [Sheet(columns, rows, foot), self._plan() if self.arena else self._bars()]

    def _least(self) -> str:
        return ">= " if self.found.unknown else ""

    def _bars(self) -> Sheet:
        levels = blocks(self.found) if len(self.found.lives.live) > MOST_BARS else self.found.schedule
        most = self.found.peak_bytes or 1
        rows = [(printable(name), f"{size:,}", "#" * -(-BAR * size // most)) for size, name in levels]
        return Sheet(
            (Column("operation", folds=True), Column("live bytes", True), Column("", spare=1)), rows, (), "schedule"
        )

    def _plan(self) -> Sheet:
        heads = ("buffer", "offset", "bytes", "from", "to")
        columns = tuple(Column(head, head in ("offset", "bytes"), folds=head == "buffer") for head in heads)
        rows = [
            (printable(one.name), f"{one.offset:,}", f"{one.bytes:,}", printable(one.first), printable(one.last))
            for one in plan(self.found)
        ]
        return Sheet(columns, rows, (), "arena")

    def notes(self) -> list[str]:
        """The other figures, possible reductions, and the meaning of the figures."""
        found, order, next_, least = self.found, self.found.order, self.found.plateau, self._least()
        lines = [
            f"arena {least}{human(found.arena_bytes)} planned largest first; other allocators may differ",
            f"floor {least}{human(found.floor_bytes)}: the largest inputs and outputs of one operation, in any order",
            f"weights {least}{human(found.weights_bytes)}; with the peak {least}{human(found.resident_bytes)}",
        ]
        if found.unknown:
            lines.append(f"lower bounds (>=): the tensors of {listed(found.unknown[:SHOWN])} are unknown")
        if next_ and not found.unknown:
            lines.append(f"next lower {human(next_.bytes)} at {printable(next_.operation)}")
        if order and not found.unknown:
            names = ", ".join(map(printable, order.branches))
            lines.append(
                f"peak {human(order.peak_bytes)} if the branches of {printable(order.join)} end in the order {names}"
            )
        return [*lines, stamped(found.model, found.convention, found.lives.walked.inputs, found.values, ["peak_bytes"])]

    def records(self) -> tuple[list[str], list[dict]]:
        """For CSV: the operations and their memory, or the plan."""
        if self.arena:
            return list(Placed._fields), [one._asdict() for one in plan(self.found)]
        names = ["operation", "live_bytes", "floor_bytes", "workspace_bytes"]
        lives = self.found.lives
        rows = zip((row.name for row in lives.walked.rows), lives.live, lives.floors, lives.workspace, strict=True)
        return names, [dict(zip(names, row, strict=True)) for row in rows]

    def document(self) -> Mapping[str, Any]:
        """For JSON: the figures, the peak with its tensors, the plan and the schedule."""
        found, peak, order = self.found, self.found.peak, self.found.order
        figures = ("peak_bytes", "arena_bytes", "floor_bytes", "weights_bytes", "resident_bytes")
        return {
            **heading(found.model, found.convention, found.lives.walked.inputs, found.values),
            "policy": {"name": found.storage.name, "text": found.storage.text, **found.storage._asdict()},
            "complete": not found.unknown,
            **{name: getattr(found, name) for name in figures},
            "peak": peak and {**peak._asdict(), "workspace": found.workspace, "tensors": self._tensors()},
            "next": found.plateau and found.plateau._asdict(),
            "order": order and order._asdict(),
            "arena": [one._asdict() for one in plan(found)],
            "schedule": [{"operation": name, "live_bytes": size} for size, name in found.schedule],
        }

    def _tensors(self) -> list[dict[str, Any]]:
        return [one._asdict() for one in self.found.tensors]


def _living(one: Living) -> tuple[str, ...]:
    read = ", ".join(map(printable, one.read_by)) or "output"
    return printable(one.name), shape_text(one.shape), f"{one.bytes:,}", one.made_by, read


def human(size: int) -> str:
    """`1,204,224 B (1.148 MiB)`."""
    for scale, unit in BINARY:
        if size >= scale:
            return f"{size:,} B ({size / scale:.4g} {unit})"
    return f"{size:,} B"


def blocks(found: Memory) -> Sequence[tuple[int, str]]:
    """(most bytes, name) of each run of operations in the same block, in execution order."""
    levels: list[tuple[int, str]] = []
    for row, size in zip(found.lives.walked.rows, found.lives.live, strict=True):
        name = row.frame.path[0]
        if levels and levels[-1][1] == name:
            levels[-1] = max(levels[-1][0], size), name
        else:
            levels.append((size, name))
    return levels


def plan(found: Memory) -> list[Placed]:
    """Position of every buffer in the arena, by offset."""
    ends, sizes = spans(found.lives)
    offsets = planned([Span(size, first, last) for size, (first, last) in zip(sizes, ends, strict=True)])
    rows, buffers = found.lives.walked.rows, found.lives.buffers
    names = [rows[made].name if type(made) is int else made for made in (one.tensors[-1].made for one in buffers)]
    names += [f"{rows[first].name}: workspace" for first, _ in ends[len(buffers) :]]
    placed = [
        Placed(name, offset, size, rows[first].name, rows[last].name)
        for name, offset, size, (first, last) in zip(names, offsets, sizes, ends, strict=True)
    ]
    return sorted(placed, key=lambda one: one.offset)


NOTE = 140  # characters of a line under the axes


def picture(found: Memory, format: str) -> bytes:
    """A PNG or SVG chart of the memory of every operation, with the peak marked. Raises OptionError."""
    from matplotlib.ticker import EngFormatter

    with drawing() as pyplot:
        figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
        live = found.lives.live
        axes.bar(range(len(live)), live, width=1.0, color="0.7")
        if live:
            axes.bar([found.at], [found.peak_bytes], width=1.0, color="tab:red")
            operation = found.schedule[found.at].operation
            axes.set_title(plain(f"{found.model.name}: {found.peak_bytes:,} B at {operation}"))
        axes.set_xlabel(fill(f"operations in execution order; {found.storage.text}", NOTE), fontsize=8)
        axes.set_ylabel("live tensors")
        axes.yaxis.set_major_formatter(EngFormatter("B", sep=" "))
        data = io.BytesIO()
        saved(figure, data, format)
        pyplot.close(figure)
    return data.getvalue()
