"""A network over the settings of its sliders as a JSON document: what the page shows, in the engine's own integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...allowance import OutOfTime
from ...errors import CostcalcError
from ...metrics.metrics import storage_note
from ...metrics.pricing import Convention
from ...metrics.walk import Walk
from ...model.network import Claim, Model
from ...model.trace import trace
from ...model.variables import settings_of, settle
from ...quantities import ACCURACIES
from ...quantities import value as figure
from ...records import NamedTuple
from ...render.html_file import embedded
from ...render.text import printable
from ..report.columns import phase_of, setting, shipped
from ..report.document import heading
from ..report.notes import notes
from ..report.report import report
from ..report.view import View
from .axes import Axis, Chosen, Points
from .structure import FIELDS, Point, of_metric, signature, structure
from .variants import document as of_variant
from .variants import variants

METRICS = ("activations", "weights_bytes", "bytes_moved", "peak_bytes")
MOST_CLAIMS = 64


class Wanted(NamedTuple):
    """What a page is of: a model, how it is counted, and the values that are the same at all settings."""

    model: Model
    convention: Convention
    metrics: tuple[str, ...]
    fixed: Mapping[str, Any]


def point(wanted: Wanted, values: Mapping[str, Any]) -> Point:
    """A network at one setting. Raises CostcalcError where it cannot be."""
    settled = settle(wanted.model, {**wanted.fixed, **values})
    walked = trace(wanted.model, settled)
    walk = Walk(wanted.model, walked, settled)  # its lives are made once, for the metrics and for the page
    found = report(wanted.model, walked, settled, wanted.convention, wanted.metrics, walk)
    found.totals  # noqa: B018 (raises where they are too large)
    return Point(found, walk.lives)


PARTS = frozenset({"variants", "published"})  # of a document, which take longer than the rest of it


def document(wanted: Wanted, points: Points | Chosen, first: Point, parts: frozenset[str] = PARTS) -> dict[str, Any]:
    """The document of a network at some settings, the first of which is `first`; parts left out are null."""
    found, errors = _points(wanted, points, first)
    groups: dict[Any, list[int]] = {}
    for number, one in enumerate(found):
        if one is not None:
            groups.setdefault(signature(one), []).append(number)
    one_of = {number: group for group, members in enumerate(groups.values()) for number in members}
    return {
        **_head(wanted, first),
        "axes": [_axis(axis) for axis in points.axes],
        "fixed": {name: embedded(value) for name, value in settings_of(first.report.values).items()},
        "grid": points.is_grid,
        "limit": points.note,
        "points": [
            {"at": at, **(_point(each, one_of[number]) if each else {"error": errors[number]})}
            for number, (at, each) in enumerate(zip(points.indices, found, strict=True))
        ],
        "fields": FIELDS,
        "structures": [structure([one for n in members if (one := found[n])]) for members in groups.values()],
        "members": list(groups.values()),
        "variants": _variants(wanted, found, first) if "variants" in parts else None,
        "published": _published(wanted) if "published" in parts else None,
    }


def _points(wanted: Wanted, points: Points | Chosen, first: Point) -> tuple[list[Point | None], dict[int, str]]:
    """(the network at every setting, why there is none, by the number of the setting)."""
    found: list[Point | None] = []
    errors: dict[int, str] = {}
    for number, at in enumerate(points.indices):
        try:
            found.append(point(wanted, points.setting(at)) if number else first)
        except OutOfTime:
            raise
        except CostcalcError as error:
            found.append(None)
            errors[number] = printable(error.problems[0].message)
    return found, errors


def _head(wanted: Wanted, first: Point) -> dict[str, Any]:
    one, priced = first.report, wanted.convention
    metrics = [of_metric(each, one.figures) for each in one.metrics]
    stored = storage_note(wanted.model, [each.name for each in one.metrics])
    head = heading(wanted.model, priced, one.inputs, {})
    before = (f"convention {priced.name}: {priced.title}", shipped(wanted.model), phase_of(wanted.model))
    return {
        "kind": "network",
        "version": head["costcalc"],
        "title": printable(wanted.model.name),
        "spec": {name: printable(str(value)) for name, value in head["spec"].items() if name in ("path", "sha256")},
        "given": [printable(f"{name}={value}") for name, value in settings_of(wanted.fixed).items()],
        "convention": {"name": priced.name, "title": priced.title, "cost": priced.cost},
        "stamp": ["; ".join(filter(None, before)), "; ".join(filter(None, (stored, f"costcalc {head['costcalc']}")))],
        "metrics": metrics,
    }


def _axis(axis: Axis) -> dict[str, Any]:
    values = [embedded(value) for value in axis.values]
    return {"name": axis.name, "values": values, "start": axis.start, "help": printable(axis.help)}


def _point(one: Point, group: int) -> dict[str, Any]:
    """One setting for JSON: its structure, its totals as `analyze` gives them, and what is to be said of them."""
    said = notes(one.report, View(), len(one.report.shown()))[:-1]
    unknown = any(row.layer.unknown for row in one.report.trace.rows)
    return {
        "structure": group,
        "setting": printable(setting(one.report.inputs, one.report.values)),
        "totals": [embedded(total) for total in one.report.totals.values()],
        **({} if one.report.complete else {"complete": False}),
        **({"unknown": True} if unknown else {}),
        **({"notes": said} if said else {}),
    }


def _variants(wanted: Wanted, found: Sequence[Point | None], first: Point) -> list[dict[str, Any]]:
    """The variants that differ from the network, or phases that differ from each other."""
    settings = [one and one.report.values for one in found]
    made = variants(wanted.model, first.report.values, len(first.report.lines))
    starts = [of_variant(one, settings[:1], wanted.convention)["totals"][0] for one in made]
    phases = [start for one, start in zip(made, starts, strict=True) if one.group == "phase"]
    shown = [embedded(first.report.totals[name]) for name in (wanted.convention.cost, "params")]
    same = {"conv": [None, shown], "phase": [None, *(phases if len(phases) < 2 or phases[0] == phases[1] else ())]}
    kept = [one for one, start in zip(made, starts, strict=True) if start not in same[one.group]]
    return [of_variant(one, settings, wanted.convention) for one in kept]


def _published(wanted: Wanted) -> list[dict[str, Any]]:
    """Published rows of the whole network under this convention, each with the engine's totals at its setting."""
    claims = [
        claim
        for claim in wanted.model.published
        if not claim.of and not claim.is_rewritten and claim.convention == wanted.convention.name
    ]
    made = (_claim(wanted, claim) for claim in claims[:MOST_CLAIMS])
    return [one for one in made if one is not None]


def _claim(wanted: Wanted, claim: Claim) -> dict[str, Any] | None:
    try:
        found = point(wanted._replace(fixed={}), claim.at).report
    except OutOfTime:
        raise
    except CostcalcError:
        return None
    return {
        "title": printable(claim.notes.get("model", "")),
        "source": printable(claim.source),
        "setting": printable(setting({}, found.values)),
        "values": {name: embedded(value) for name, value in settings_of(found.values).items()},
        "totals": [embedded(total) for total in found.totals.values()],
        "figures": {name: printable(text) for name, text in claim.figures.items()},
        "accuracies": {name: figure(text) for name, text in claim.figures.items() if name in ACCURACIES},
    }
