"""How long each layer takes, by the profiler of onnxruntime: the kernels that it runs, each with the layer it is of."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from ...metrics.pricing import MAC, total
from ...model.rows import Row
from ...records import NamedTuple

_ENDS = ("_kernel_time", "_nchwc")
_MOST_EVENTS = 10**6  # of a profile: the rest is left out
OTHER = "other kernels"  # such as changes of layout, which no layer asks for


class LayerTime(NamedTuple):
    """One layer with the norms and activations behind it: its mult-adds, its times in seconds, and its bound."""

    name: str
    mult_adds: int
    least: float
    median: float
    bound: Fraction | None  # the least seconds on a device: the larger of its two bounds


def profiled(make: Callable[[Any], Any], feeds: Mapping[str, Any], warm_ups: int, runs: int) -> dict[str, list[float]]:
    """The seconds of each kernel in each run but the first ones, by its name.

    make   gives a session for options that are ready for a profile, and has it profile
    feeds  the inputs of a run
    """
    with tempfile.TemporaryDirectory() as folder:
        session = make(os.path.join(folder, "profile"))
        for _ in range(warm_ups + runs):
            session.run(None, feeds)
        with open(session.end_profiling(), encoding="utf-8") as file:
            events = json.load(file)
    found: dict[str, list[float]] = {}
    for event in events[:_MOST_EVENTS]:
        if event.get("cat") == "Node" and str(event.get("name")).endswith(_ENDS[0]):
            found.setdefault(event["name"], []).append(event["dur"] / 1e6)
    return {_kernel(name): times[-runs:] for name, times in found.items() if len(times) >= runs}


def _kernel(name: str) -> str:
    for end in _ENDS:
        name = name.removesuffix(end)
    return name


def of_layers(
    rows: Iterable[Row], kernels: Mapping[str, list[float]], bounds: Mapping[str, Fraction] | None
) -> list[LayerTime]:
    """The times of layers: norms and activations that were written with a layer are part of it, as kernels fuse them.

    rows     of the network
    kernels  the seconds of each run by kernel
    bounds   the least seconds of each layer on a device, if one is given
    """
    owners, costs, least = _owners(rows, bounds or {})
    runs: dict[str, list[float]] = {}
    for kernel, times in kernels.items():
        owner = owners.get(_layer(kernel, owners), OTHER)
        before = runs.get(owner, [0.0] * len(times))
        runs[owner] = [one + other for one, other in zip(before, times, strict=True)]
    names = [name for name in (*costs, OTHER) if name in runs]
    return [
        LayerTime(
            name,
            costs.get(name, 0),
            min(runs[name]),
            statistics.median(runs[name]),
            least.get(name, Fraction(0)) if bounds is not None else None,
        )
        for name in names
    ]


def _owners(
    rows: Iterable[Row], bounds: Mapping[str, Fraction]
) -> tuple[dict[str, str], dict[str, int], dict[str, Fraction]]:
    """The layer that each row is part of, and of each layer its mult-adds and the sum of its bounds."""
    owners: dict[str, str] = {}
    costs: dict[str, int] = {}
    least: dict[str, Fraction] = {}
    owner = OTHER
    for row in rows:
        owner = owner if row.follows and owners else row.name
        owners[row.name] = owner
        costs[owner] = costs.get(owner, 0) + total(MAC, row.op.name, row.layer.terms) * row.times
        least[owner] = least.get(owner, Fraction(0)) + bounds.get(row.name, Fraction(0))
    return owners, costs, least


def _layer(kernel: str, owners: Mapping[str, str]) -> str:
    """The longest name of a row that a kernel's name begins with, up to a mark between words."""
    name = kernel
    while name and name not in owners:
        cut = max(name.rfind("_"), name.rfind("/"))
        name = name[:cut] if cut > 0 else ""
    return name
