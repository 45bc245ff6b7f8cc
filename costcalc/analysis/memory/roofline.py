"""Bounds of every layer on a device: by its operations or by its bytes. Bounds do not predict times."""

from __future__ import annotations

import io
from collections.abc import Mapping
from fractions import Fraction
from textwrap import fill
from typing import TYPE_CHECKING, Any

from ...errors import OptionError, Problem, listed
from ...metrics.devices import Device, Rate, device
from ...metrics.pricing import MAC, total
from ...model.lives import Lives
from ...model.network import Model
from ...model.trace import trace
from ...model.traffic import traffic
from ...model.variables import settle
from ...num import prod
from ...records import NamedTuple
from ...render.figures import drawing, plain, saved
from ...render.sheet import Column, Page, Sheet
from ...render.text import printable
from ..report.analyze import scaled
from ..report.columns import shipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 6  # unknown layers in a note
UNITS = ((Fraction(1), "s"), (Fraction(1, 10**3), "ms"), (Fraction(1, 10**6), "us"), (Fraction(1, 10**9), "ns"))


class Bound(NamedTuple):
    """One layer: its mult-adds and bytes, and the least seconds that each takes."""

    name: str
    mult_adds: int
    bytes: int
    compute: Fraction
    memory: Fraction
    complete: bool  # if false, part of the layer is unknown and its figures are lower bounds
    used: Fraction | None = None  # mult-adds divided by those with channels padded to the vectors of the device

    @property
    def intensity(self) -> float:
        """FLOPs per byte."""
        return 2 * self.mult_adds / self.bytes if self.bytes else 0.0

    @property
    def by(self) -> str:
        """The larger bound: `compute` or `memory`; `unknown` if part of the layer is unknown."""
        if not self.complete:
            return "unknown"
        return "compute" if self.compute > self.memory else "memory"


class Roofline:
    """Bounds of a network on a device, under the policy and bit widths of its model."""

    def __init__(self, model: Model, lives: Lives, device: Device) -> None:
        self.model, self.lives, self.device = model, lives, device
        macs = [total(MAC, row.op.name, row.layer.terms) * row.times * lives.storage.batch for row in lives.walked.rows]
        widths = [bits for one, (_, bits) in zip(macs, lives.products, strict=True) if one]
        self.peaks = {bits: device.peak_for(bits) for bits in sorted({*widths} or {lives.storage.activations})}
        rows = zip(lives.walked.rows, macs, traffic(lives), lives.products, strict=True)
        self.bounds = [self._bound(row, many, size, bits) for row, many, size, (_, bits) in rows]

    def _bound(self, row: Any, macs: int, size: int, bits: int) -> Bound:
        compute = 2 * macs / self.peaks[bits].value if macs else Fraction(0)
        used = utilisation(row, self.device.align) if macs and self.device.align else None
        return Bound(row.name, macs, size, compute, size / self.device.bandwidth.value, not row.layer.unknown, used)

    def drawn(self, format: str = "png") -> bytes:
        """A `png` or `svg` chart of the roofs and the layers. Needs the extra `plot`."""
        return picture(self, format)

    @property
    def per_layer(self) -> Fraction:
        """Least seconds without fusion across layers: the sum of the layers' bounds."""
        return sum((max(one.compute, one.memory) for one in self.bounds), Fraction(0))

    @property
    def floor(self) -> Fraction:
        """Least seconds of any implementation that loads the weights once."""
        walked, storage, sharer = self.lives.walked, self.lives.storage, self.lives.sharer
        rows = zip(walked.rows, self.lives.products, strict=True)
        held = [storage.bytes(_numbers(row), bits) for row, (bits, _) in rows if not row.shared]
        outside = sum(map(sharer.size, walked.inputs)) + sum(map(sharer.size, walked.outputs))
        bytes = sum(held) + outside
        compute = sum((one.compute for one in self.bounds), Fraction(0))
        return max(compute, bytes / self.device.bandwidth.value)


def bounded(model: Model, given: Mapping[str, Any], rho: float | None, name: str) -> Roofline:
    """Bounds of a model at given settings on a device, shipped or from a file. Raises CostcalcError."""
    walked = trace(model, settle(model, scaled(model, given, rho)))
    return Roofline(model, Lives(walked, model.storage), device(name))


def _numbers(row: Any) -> int:
    """Minimum number of weights and biases that a layer reads; for an embedding, the rows looked up."""
    if row.op.name == "embedding":
        return prod(row.layer.shape)
    return row.layer.params.get("weight", 0) + row.layer.params.get("bias", 0)


class RooflinePage(Page):
    """Layers with operations or bytes, each with its two bounds."""

    def __init__(self, found: Roofline) -> None:
        self.found = found
        self.title = f"{found.model.name} on {found.device.name}"
        self.rows = [one for one in found.bounds if one.bytes or one.mult_adds or not one.complete]

    def sheets(self) -> list[Sheet]:
        """One row per layer."""
        heads: tuple[str, ...] = (
            "layer",
            "mult-adds",
            "bytes",
            "FLOP/B",
            "bound by",
            "compute",
            "memory",
            "utilisation",
        )
        heads = heads if self.found.device.align else heads[:-1]
        columns = tuple(Column(head, head not in ("layer", "bound by"), folds=head == "layer") for head in heads)
        return [Sheet(columns, [_cells(one)[: len(heads)] for one in self.rows])]

    def notes(self) -> list[str]:
        """Bounds of the network, and the source of the device's figures."""
        found = self.found
        unknown = [one.name for one in self.rows if not one.complete]
        lower = [f"lower bounds (>=): the cost of {listed(unknown[:SHOWN])} is unknown"] if unknown else []
        return [
            *lower,
            f"at least {seconds(found.per_layer)} layer by layer; {seconds(found.floor)} for any implementation that "
            "loads the weights once. These are bounds, not predictions",
            *(self._roof(bits, peak) for bits, peak in found.peaks.items()),
            f"{shipped(found.model) or printable(found.model.name)}; tensors stored {found.lives.storage.text}",
        ]

    def _roof(self, bits: int, peak: Rate) -> str:
        device = self.found.device
        return (
            f"{device.title}: {float(peak.value):.4g} FLOP/s at {bits} bits ({peak.source}), "
            f"{float(device.bandwidth.value):.4g} B/s ({device.bandwidth.source}); "
            f"ridge {float(peak.value / device.bandwidth.value):.4g} FLOP/B"
        )

    def records(self) -> tuple[list[str], list[dict]]:
        """Column names and rows of a CSV file."""
        names = [
            "name",
            "mult_adds",
            "bytes_moved",
            "intensity",
            "bound_by",
            "compute_seconds",
            "memory_seconds",
            "complete",
            "utilisation",
        ]
        names = names if self.found.device.align else names[:-1]
        return names, [dict(zip(names, _plain(one), strict=False)) for one in self.rows]

    def document(self) -> Mapping[str, Any]:
        """The JSON document."""
        found = self.found
        return {
            "spec": {"name": found.model.name, "path": found.model.source.path, "shipped": found.model.source.shipped},
            "device": found.device.name,
            "complete": all(one.complete for one in found.bounds),
            "storage": found.lives.storage.text,
            "peak_flops": float(max(rate.value for rate in found.peaks.values())),
            "bandwidth": float(found.device.bandwidth.value),
            "per_layer_seconds": float(found.per_layer),
            "floor_seconds": float(found.floor),
            "layers": self.records()[1],
        }


def _plain(one: Bound) -> tuple[Any, ...]:
    return (
        one.name,
        one.mult_adds,
        one.bytes,
        one.intensity,
        one.by,
        float(one.compute),
        float(one.memory),
        one.complete,
        None if one.used is None else float(one.used),
    )


def _cells(one: Bound) -> tuple[str, ...]:
    least = "" if one.complete else ">= "
    numbers = (f"{least}{one.mult_adds:,}", f"{least}{one.bytes:,}", f"{one.intensity:.2f}" if one.complete else "-")
    used = "" if one.used is None else f"{float(one.used):.2%}"
    times = f"{least}{seconds(one.compute)}", f"{least}{seconds(one.memory)}"
    return printable(one.name), *numbers, one.by, *times, used


def utilisation(row: Any, align: Mapping[str, int]) -> Fraction | None:
    """Share of useful mult-adds on a device that pads channels to its vectors; None for other operations.

    The channels are those of one group: a depthwise convolution has one per group.
    """
    if row.op.name not in ("conv", "dwconv", "conv_transpose", "linear"):
        return None
    groups = row.inputs[0][-1] if row.op.name == "dwconv" else row.layer.detail.get("groups", 1)
    found = Fraction(1)
    for channels, vector in ((row.inputs[0][-1], align["in"]), (row.layer.shape[-1], align["out"])):
        size = max(channels // groups, 1)
        found *= Fraction(size, -(-size // vector) * vector)
    return found


def seconds(value: Fraction) -> str:
    """`12.3 us`."""
    scale, unit = next((pair for pair in UNITS if value >= pair[0]), UNITS[-1])
    return f"{float(value / scale):.3g} {unit}"


NAMED = 40  # maximum number of layers labelled in a chart
NOTE = 100  # characters of a line under the axes
KINDS = (("compute", "tab:red", "o"), ("memory", "tab:blue", "s"))


class _Point(NamedTuple):
    """A layer: FLOP/B, attainable FLOP/s, its bound, its name."""

    intensity: float
    rate: float
    by: str
    name: str


def picture(found: Roofline, format: str) -> bytes:
    """A PNG or SVG chart: the roofs, and one mark per layer at its intensity and attainable FLOP/s.

    Raises OptionError without matplotlib, or if no layer has mult-adds.
    """
    points = _points(found)
    if not points:
        raise OptionError(Problem("bad-value", "no layer has known mult-adds: there is nothing to draw"))
    with drawing(grid=True) as pyplot:
        figure, axes = pyplot.subplots(figsize=(7, 5), layout="constrained")
        _roofs(axes, found, [one.intensity for one in points])
        _marks(axes, points)
        _named(axes, points)
        axes.set(xscale="log", yscale="log", ylabel="attainable FLOP/s (1 mult-add = 2 FLOPs)")
        axes.set_title(plain(f"{found.model.name} on {found.device.name}"))
        axes.set_xlabel(fill(f"FLOP/B; {found.lives.storage.text}; bounds, not predictions", NOTE), fontsize=8)
        axes.legend(loc="lower right", fontsize=9)
        data = io.BytesIO()
        saved(figure, data, format)
        pyplot.close(figure)
    return data.getvalue()


def _points(found: Roofline) -> list[_Point]:
    """Layers with mult-adds whose figures are all known."""
    known = [one for one in found.bounds if one.complete and one.mult_adds and one.bytes]
    rates = [float(2 * one.mult_adds / max(one.compute, one.memory)) for one in known]
    return [_Point(one.intensity, rate, one.by, one.name) for one, rate in zip(known, rates, strict=True)]


def _named(axes: Axes, points: list[_Point]) -> None:
    """Label the marks of layers if there are few; labels alternate between above and below the roof."""
    for number, one in enumerate(points if len(points) <= NAMED else ()):
        place, side = ((3, -3), "left") if number % 2 else ((-3, 3), "right")
        how: dict[str, Any] = {"textcoords": "offset points", "fontsize": 4, "color": "0.3", "ha": side, "gid": "layer"}
        axes.annotate(plain(one.name), (one.intensity, one.rate), place, **how)


def _roofs(axes: Axes, found: Roofline, intensities: list[float]) -> None:
    bandwidth = float(found.device.bandwidth.value)
    ridges = [float(rate.value) / bandwidth for rate in found.peaks.values()]
    left, right = min([*intensities, *ridges]) / 2, max([*intensities, *ridges]) * 2
    axes.plot(
        [left, max(ridges)], [left * bandwidth, max(ridges) * bandwidth], color="0.3", label=_rate(bandwidth, "B/s")
    )
    for bits, rate in found.peaks.items():
        value = float(rate.value)
        axes.plot(
            [value / bandwidth, right], [value, value], color="0.3", label=f"{_rate(value, 'FLOP/s')} at {bits} bits"
        )


def _marks(axes: Axes, points: list[_Point]) -> None:
    for kind, color, mark in KINDS:
        part = [(one.intensity, one.rate) for one in points if one.by == kind]
        if part:
            label = f"{len(part)} layers bound by {kind}"
            axes.scatter(
                [x for x, _ in part], [y for _, y in part], s=24, color=color, marker=mark, label=label, zorder=3
            )


def _rate(value: float, unit: str) -> str:
    from matplotlib.ticker import EngFormatter

    return EngFormatter(unit, places=1)(value)
