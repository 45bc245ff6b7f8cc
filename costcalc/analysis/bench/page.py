"""Page of timed networks: one row per network, mult-adds beside times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...render.sheet import Column, Page, Sheet
from ...render.text import printable

if TYPE_CHECKING:
    from .bench import Bench


_PROFILE = "layers: kernels by the profiler of onnxruntime; norms and activations are part of the layer before them"


class BenchPage(Page):
    """Networks timed one after another on one machine."""

    title = "costcalc bench"

    def __init__(self, found: Sequence[Bench]) -> None:
        self.found = found

    def sheets(self) -> list[Sheet]:
        """One row per network, then one per layer, then the training passes if they were timed; in milliseconds."""
        sheets = [self._networks(), *(self._layers(one) for one in self.found if one.layers)]
        return [*sheets, *([self._passes()] if any(one.backward for one in self.found) else [])]

    def _networks(self) -> Sheet:
        names = ["mult-adds", "least ms", "median ms", "mean ms", "deviation", "runs", "G mult-adds/s at the least"]
        bounded = any(one.roofline for one in self.found)
        names[1:1] = ["floor ms", "per layer ms"] * bounded
        columns = (Column("network", folds=True), *(Column(name, True) for name in names), Column("steady"))
        return Sheet(columns, [self._cells(one) for one in self.found])

    def _cells(self, one: Bench) -> tuple[str, ...]:
        times, roof = one.times, one.roofline
        sizes = (times.least, times.median, times.mean, times.deviation)
        return (
            printable(one.report.model.name),
            f"{_cost(one):,}",
            *(() if roof is None else (_ms(roof.floor), _ms(roof.per_layer))),
            *map(_ms, sizes),
            f"{len(times.runs):,}",
            f"{_cost(one) / times.least / 1e9:.1f}",
            "yes" if times.is_steady else "no verdict",
        )

    def _layers(self, one: Bench) -> Sheet:
        bounded = one.roofline is not None
        names = ["mult-adds", *(["bound ms"] if bounded else []), "least ms", "median ms", "share", "G mult-adds/s"]
        whole = sum(part.median for part in one.layers)
        rows = [
            (
                printable(part.name),
                f"{part.mult_adds:,}" if part.mult_adds else "-",
                *([_ms(part.bound or 0)] if bounded else []),
                _ms(part.least),
                _ms(part.median),
                f"{100 * part.median / whole:.1f} %" if whole else "-",
                f"{part.mult_adds / part.least / 1e9:.1f}" if part.mult_adds and part.least else "-",
            )
            for part in one.layers
        ]
        columns = (Column("layer", folds=True), *(Column(name, True) for name in names))
        return Sheet(columns, rows, title=f"{printable(one.report.model.name)}, by layer")

    def _passes(self) -> Sheet:
        names = ("training mult-adds", "forward ms", "deviation", "forward-backward ms", "deviation", "runs")
        columns = (Column("network", folds=True), *(Column(name, True) for name in names), Column("steady"))
        rows = [
            (
                printable(one.report.model.name),
                f"{one.backward.mult_adds:,}",
                *map(_ms, (one.backward.forward.mean, one.backward.forward.deviation)),
                *map(_ms, (one.backward.both.mean, one.backward.both.deviation)),
                f"{len(one.backward.both.runs):,}",
                "yes" if one.backward.both.is_steady else "no verdict",
            )
            for one in self.found
            if one.backward is not None
        ]
        return Sheet(columns, rows, title="training passes, means")

    def notes(self) -> list[str]:
        """Runtime, threads and machine."""
        first = self.found[0]
        unsteady = [one for one in self.found if not one.times.is_steady]
        noisy = ["no verdict: the median is more than 1.3 times the least, the machine was busy"] if unsteady else []
        ran = f"{first.runtime}, {first.threads} thread{'s' if first.threads > 1 else ''}, batch 1, 10 warm-ups"
        roof, passes = first.roofline, first.backward
        floor = [f"floor, per layer: bounds of {roof.device.title}, not predictions"] if roof is not None else []
        profile = [_PROFILE] if any(one.layers for one in self.found) else []
        trained = [f"training passes: {passes.runtime}, as many threads, batch 1, 10 warm-ups"] if passes else []
        stamp = f"{ran}; {first.machine}; times of this machine at this moment; costcalc {__version__}"
        return [*noisy, *floor, *profile, *trained, stamp]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Column names and rows of a CSV file, in seconds."""
        rows = [_record(one) for one in self.found]
        return [*rows[0]], rows

    def document(self) -> dict[str, Any]:
        """The machine, then the networks."""
        first = self.found[0]
        about = {"costcalc": __version__, "runtime": first.runtime, "threads": first.threads, "machine": first.machine}
        networks = [{**row, **_more(one)} for row, one in zip(self.records()[1], self.found, strict=True)]
        return {**about, "networks": networks}


def _ms(seconds: Any) -> str:
    return f"{1000 * float(seconds):.3g}" if float(seconds) < 0.001 else f"{1000 * float(seconds):.2f}"


def _cost(one: Bench) -> int:
    return one.report.totals["mult_adds"]


def _record(one: Bench) -> dict[str, Any]:
    times = one.times
    return {
        "network": one.report.model.name,
        "mult_adds": _cost(one),
        "params": one.report.totals["params"],
        "complete": one.report.complete,
        "least": times.least,
        "median": times.median,
        "mean": times.mean,
        "deviation": times.deviation,
        "runs": len(times.runs),
        "steady": times.is_steady,
        **_bounds(one),
    }


def _bounds(one: Bench) -> dict[str, float]:
    roof = one.roofline
    return {} if roof is None else {"floor_seconds": float(roof.floor), "per_layer_seconds": float(roof.per_layer)}


def _more(one: Bench) -> dict[str, Any]:
    """The layers and the training passes, if they were timed."""
    document: dict[str, Any] = {}
    if one.layers:
        parts = [part._replace(bound=None if part.bound is None else float(part.bound)) for part in one.layers]  # type: ignore[arg-type]
        document["layers"] = [part._asdict() for part in parts]
    if one.backward is not None:
        passes = {"forward": one.backward.forward, "forward_backward": one.backward.both}
        document["backward"] = {
            "runtime": one.backward.runtime,
            "training_mult_adds": one.backward.mult_adds,
            **{name: _said(times) for name, times in passes.items()},
        }
    return document


def _said(times: Any) -> dict[str, Any]:
    names = ("least", "median", "mean", "deviation")
    return {**{name: getattr(times, name) for name in names}, "runs": len(times.runs), "steady": times.is_steady}
