"""Page of training: layers with their gradients, the peak memory of a step, and the stages of ZeRO."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...metrics.metrics import METRICS
from ...render.sheet import Column, Page, Sheet
from ...render.text import plain, printable, shape_text
from ..report.columns import stamped
from ..report.document import heading
from ..report.notes import unpriced

if TYPE_CHECKING:
    from .training import Line, Training

_PARTS = {
    "weights": "parameters and statistics of batch norm",
    "gradients": "of trained parameters",
    "optimizer": "state of the optimizer, with a 32-bit copy of the weights under bf16",
    "casts": "16-bit copies of weights that autocast makes",
    "saved": "tensors that the forward pass saves for the backward pass",
    "transient": "gradients of the input and output of the largest layer",
}
_FIELDS = ("forward", "inputs", "weights", "again", "saved")


class TrainingPage(Page):
    """A Training by layer or block; without `everything`, only layers that compute or keep something."""

    def __init__(self, found: Training, by: str = "layer", depth: int = 1, everything: bool = False):
        self.found, self.by = found, by
        self.title = f"{found.model.name}: training"
        lines = found.lines if by == "layer" else tuple(_grouped(found.lines, by, depth))
        self.lines = [line for line in lines if everything or line.costs]
        self.again = any(line.again for line in found.lines)

    def sheets(self) -> list[Sheet]:
        """The layers, the parts of the peak, and the stages of ZeRO if a number of devices is given."""
        found = self.found
        parts = [(name, f"{size:,}", _PARTS[name]) for name, size in found.parts]
        peak = Sheet(
            (Column("needed"), Column("bytes", True), Column("what", folds=True)),
            parts,
            ("training bytes", self._total("training_bytes"), "an estimate; an allocator adds 5 to 30 %"),
            "peak",
        )
        return [self._layers(), peak, *self._zero()]

    def _layers(self) -> Sheet:
        title = METRICS[self.found.convention.cost].title
        names = ["forward", "input gradients", "weight gradients", *(["again"] if self.again else []), "saved bytes"]
        columns = (
            Column(self.by, folds=True),
            *((Column("type", spare=2), Column("output", spare=3)) if self.by == "layer" else ()),
            *(Column(name, True, spare=int(name.endswith("gradients"))) for name in names),
        )
        rows = [(printable(line.name), *self._about(line), *self._cells(line)) for line in self.lines]
        sums = [self.found.sums[name] for name in self._fields()]
        blank = ("", "") if self.by == "layer" else ()
        return Sheet(
            columns, rows, (f"total {title}", *blank, *map(self._bound, sums[:-1]), self._bound(sums[-1], True))
        )

    def _about(self, line: Line) -> tuple[str, ...]:
        if self.by != "layer":
            return ()
        return (printable(line.type) + ("" if line.trained else ", frozen"), shape_text(line.output))

    def _fields(self) -> list[str]:
        return [name for name in _FIELDS if name != "again" or self.again]

    def _cells(self, line: Line) -> list[str]:
        """Figures of a line, with `>=` if part of it is unknown."""
        *costs, saved = self._numbers(line)
        known = [_number(one) if line.complete or not one else f">= {one:,}" for one in costs]
        return [*known, _number(saved) if line.complete and line.keeps else f">= {saved:,}"]

    def _numbers(self, line: Line) -> list[int]:
        return [getattr(line, name) for name in self._fields()]

    def _bound(self, value: int, bytes: bool = False) -> str:
        known = self.found.complete if bytes else all(line.complete for line in self.found.lines)
        return f"{value:,}" if known else f">= {value:,}"

    def _total(self, name: str) -> str:
        return self._bound(self.found.totals[name], name.endswith("_bytes"))

    def _zero(self) -> list[Sheet]:
        if not self.found.zero:
            return []
        columns = (Column("stage of ZeRO"), Column("bytes a device", True), Column("what", folds=True))
        rows = [(stage.name, f"{stage.bytes:,}", stage.what) for stage in self.found.zero]
        return [Sheet(columns, rows, title=f"{self.found.setup.ranks:,} devices")]

    def notes(self) -> list[str]:
        """Totals, policies, omitted and unknown costs, and the meaning of the figures."""
        found, setup = self.found, self.found.setup
        policy = setup.policy
        cost = found.convention.cost
        title = METRICS[cost].title
        totals = [
            f"backward {title}: {self._total(f'backward_{cost}')}; training: {self._total(f'training_{cost}')} "
            f"per sample, {self._total(f'step_{cost}')} per step"
        ]
        inside = [
            f"saved bytes: {self._total('saved_bytes')}, including {found.inside:,} inside one checkpointed block"
        ]
        masks = "as wide as values" if policy.masks is None else f"{policy.masks} B per value"
        how = (
            f"batch {policy.batch}, {policy.precision}, {setup.optimizer}, attention {policy.attention}, "
            f"dropout masks {masks}; saved: eager PyTorch, in-place or not, each storage once"
        )
        loss = [f"{printable(found.loss)} counts as part of the loss and saves nothing"] if found.loss else []
        rough = [printable(line.name) for line in found.lines if not line.complete]
        bounds = [f"lower bounds: the backward pass of {', '.join(rough[:5])} is unknown"] if rough else []
        more = [printable(line.name) for line in found.lines if line.complete and not line.keeps]
        bounds += [f"lower bounds of bytes: {', '.join(more[:5])} may save more than is known"] if more else []
        chances = ["mult-adds: the most expensive path through layers that do not always run; bytes: all layers"]
        bounds += chances if any(line.sometimes for line in found.lines) else []
        bounds += unpriced(found.uncounted)
        stamp = stamped(found.model, found.convention, found.inputs, found.values)
        return [*totals, *(inside if setup.checkpoint else []), *bounds, *loss, how, stamp]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Column names and rows of a CSV file."""
        rows = [self._record(line) for line in self.lines]
        return [*self._record(self.found.lines[0])], [
            {name: plain(value) for name, value in row.items()} for row in rows
        ]

    def _record(self, line: Line) -> dict[str, Any]:
        numbers = {"forward": line.forward, "input_gradients": line.inputs, "weight_gradients": line.weights}
        last = {"recomputed": line.again, "saved_bytes": line.saved}
        if self.by != "layer":
            return {"name": line.name, "layers": line.layers, **numbers, **last}
        about = {"name": line.name, "type": line.type, "output": line.output}
        return {**about, **numbers, **last, "trained": line.trained, "complete": line.complete and line.keeps}

    def document(self) -> dict[str, Any]:
        """Conditions of the figures, training setup, totals, parts of the peak and stages, then the rows."""
        found = self.found
        policy = found.setup.policy
        return {
            **heading(found.model, found.convention, found.inputs, found.values),
            "complete": found.complete,
            **({"uncounted": found.uncounted} if found.uncounted else {}),
            "training": {
                **policy._asdict(),
                "optimizer": found.setup.optimizer,
                "checkpoint": list(found.setup.checkpoint),
                "ranks": found.setup.ranks,
            },
            "totals": dict(found.totals),
            "peak": dict(found.parts),
            "zero": [stage._asdict() for stage in found.zero],
            "layers" if self.by == "layer" else f"by_{self.by}": [self._record(line) for line in self.lines],
        }


def _number(value: int) -> str:
    return f"{value:,}" if value else "-"


def _grouped(lines: Sequence[Line], by: str, depth: int) -> list[Line]:
    """One line per block or type, in order."""
    key: Callable[[Line], str] = (
        (lambda line: line.type) if by == "type" else lambda line: "/".join(line.name.split("/")[:depth])
    )
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return [_sum(name, group) for name, group in groups.items()]


def _sum(name: str, group: Sequence[Line]) -> Line:
    sums = {field: sum(getattr(line, field) for line in group) for field in _FIELDS}
    whole, keeps = (all(getattr(line, field) for line in group) for field in ("complete", "keeps"))
    return group[-1]._replace(name=name, **sums, complete=whole, keeps=keeps, layers=len(group))
