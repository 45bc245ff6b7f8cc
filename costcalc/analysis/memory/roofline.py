"""What bounds every layer on a device: its operations or its bytes. Bounds are no predictions of time."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ...errors import listed
from ...metrics.devices import Device, Rate, device
from ...metrics.pricing import MAC, total
from ...model.lives import Lives
from ...model.network import Model
from ...model.trace import trace
from ...model.traffic import traffic
from ...model.variables import settle
from ...num import prod
from ...records import NamedTuple
from ...render.sheet import Column, Sheet
from ...render.text import printable
from ..report.analyze import scaled
from ..report.columns import shipped

SHOWN = 6  # unknown layers in a note
UNITS = ((Fraction(1), "s"), (Fraction(1, 10**3), "ms"), (Fraction(1, 10**6), "us"), (Fraction(1, 10**9), "ns"))


class Bound(NamedTuple):
    """One layer: its mult-adds, bytes, and the least seconds that each of both takes."""

    name: str
    mult_adds: int
    bytes: int
    compute: Fraction
    memory: Fraction
    complete: bool  # whether all of the layer is known: else its numbers are lower bounds
    used: Fraction | None = None  # mult-adds by those with channels padded to the vectors of the device

    @property
    def intensity(self) -> float:
        """Operations a byte."""
        return 2 * self.mult_adds / self.bytes if self.bytes else 0.0

    @property
    def by(self) -> str:
        """What takes longer; `unknown` where something of the layer is."""
        if not self.complete:
            return "unknown"
        return "compute" if self.compute > self.memory else "memory"


class Roofline:
    """The bounds of a network on a device, under the policy and the widths of its model."""

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
        """The bytes of a `png` or `svg` of the roofs and the layers. Needs the extra `plot`."""
        from .roof_picture import picture

        return picture(self, format)

    @property
    def per_layer(self) -> Fraction:
        """The least seconds without fusion across layers: the sum of what bounds each."""
        return sum((max(one.compute, one.memory) for one in self.bounds), Fraction(0))

    @property
    def floor(self) -> Fraction:
        """The least seconds of any implementation that loads the weights once."""
        walked, storage, sharer = self.lives.walked, self.lives.storage, self.lives.sharer
        rows = zip(walked.rows, self.lives.products, strict=True)
        held = [storage.bytes(_numbers(row), bits) for row, (bits, _) in rows if not row.shared]
        outside = sum(map(sharer.size, walked.inputs)) + sum(map(sharer.size, walked.outputs))
        bytes = sum(held) + outside
        compute = sum((one.compute for one in self.bounds), Fraction(0))
        return max(compute, bytes / self.device.bandwidth.value)


def bounded(model: Model, given: Mapping[str, Any], rho: float | None, name: str) -> Roofline:
    """The bounds of a model at given settings on a device, shipped or in a file. Raises CostcalcError."""
    walked = trace(model, settle(model, scaled(model, given, rho)))
    return Roofline(model, Lives(walked, model.storage), device(name))


def _numbers(row: Any) -> int:
    """Weights and biases that a layer reads at least: of an embedding, the rows that are looked up."""
    if row.op.name == "embedding":
        return prod(row.layer.shape)
    return row.layer.params.get("weight", 0) + row.layer.params.get("bias", 0)


class RooflinePage:
    """The layers that do or move something, each with its two bounds."""

    def __init__(self, found: Roofline) -> None:
        self.found = found
        self.title = f"{found.model.name} on {found.device.name}"
        self.rows = [one for one in found.bounds if one.bytes or one.mult_adds or not one.complete]

    def heads(self) -> list[str]:
        """Nothing: the table is the answer."""
        return []

    def sheets(self) -> list[Sheet]:
        """One row a layer."""
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
        """The bounds of the network, and where the figures of the device come from."""
        found = self.found
        unknown = [one.name for one in self.rows if not one.complete]
        lower = [f"lower bounds (>=): the cost of {listed(unknown[:SHOWN])} is not known"] if unknown else []
        return [
            *lower,
            f"at least {seconds(found.per_layer)} layer by layer; {seconds(found.floor)} for any implementation that "
            "loads the weights once. These are bounds, no predictions",
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
        """For CSV."""
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
        """For programs."""
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
    """Which part of the mult-adds of a layer a device does that pads channels to its vectors; None if none are known.

    The channels are those of one group: a depthwise convolution has one of each.
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
