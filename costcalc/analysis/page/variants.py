"""The same network made otherwise: with standard or separable convolutions, as it is trained and as it is deployed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...allowance import OutOfTime
from ...errors import CostcalcError
from ...metrics.pricing import Convention
from ...model.network import Model
from ...model.trace import trace
from ...records import NamedTuple
from ...render.html_file import embedded
from ...rewrite.deploying import PHASES, phased
from ...rewrite.rewriting import Rewriting
from ...write.spec import as_spec, is_spec
from ..report.report import Report, report
from .structure import Columns

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_LAYERS = 6_000  # of a graph that is made a spec first
CONVOLUTIONS = {"standard": "standard convolutions", "separable": "separable convolutions"}


class Variant(NamedTuple):
    """A network made otherwise: which question it answers, its title, and its model."""

    group: str  # conv or phase
    title: str
    model: Model
    takes: bool  # whether it has the variables of the network


def variants(model: Model, start: Mapping[str, Any], layers: int) -> list[Variant]:
    """The variants that a network has: those that cannot be made are left out."""
    takes = is_spec(model)
    if not takes and layers > MOST_LAYERS:
        return []
    written = model if takes else _made(lambda: as_spec(model, dict(start)))
    if written is None:
        return []
    made = [("conv", title, _rewriting(written, conv)) for conv, title in CONVOLUTIONS.items()]
    made += [("phase", phase, _phase(written, phase)) for phase in PHASES]
    return [
        Variant(group, title, found, takes)
        for group, title, make in made
        for found in (_made(make),)
        if found is not None
    ]


def _rewriting(model: Model, conv: str) -> Callable[[], Model]:
    return lambda: Rewriting(conv=conv).apply(model).model


def _phase(model: Model, phase: str) -> Callable[[], Model]:
    return lambda: phased(model, phase)


def _made(make: Callable[[], Any]) -> Any:
    """What is made; nothing where the network cannot be so."""
    try:
        return make()
    except OutOfTime:
        raise
    except CostcalcError:
        return None


def document(found: Variant, settings: Sequence[Any], convention: Convention) -> dict[str, Any]:
    """A variant for JSON: totals at every setting (null where there is none), and its layer types."""
    reports = [
        _reported(found, values, convention) if found.takes or not number else None
        for number, values in enumerate(settings)
    ]
    return {
        "group": found.group,
        "title": found.title,
        "totals": [one and [embedded(total) for total in one.totals.values()] for one in reports],
        "complete": [one and one.complete for one in reports],
        "types": _types(reports),
    }


def _reported(found: Variant, values: Any, convention: Convention) -> Report | None:
    """The report of a variant at the values of all variables; None where it cannot be."""
    if values is None:
        return None
    own = values if found.takes else {}

    def make() -> Report:
        one = report(found.model, trace(found.model, own), own, convention)
        one.totals  # noqa: B018 (raises where they are too large)
        return one

    return _made(make)


def _types(reports: Sequence[Report | None]) -> dict[str, Any]:
    """Layer types, largest first at the first setting: their cost, params and number of layers at every setting."""
    groups = [{line.name: line for line in one.by_type()} if one else {} for one in reports]
    columns, names = Columns(), list(dict.fromkeys(name for group in groups for name in group))
    rows = [
        [
            columns.add([getattr(group[name], field) if name in group else 0 for group in groups])
            for field in ("cost", "params", "layers")
        ]
        for name in names
    ]
    return {"names": [embedded(name) for name in names], "rows": rows, "columns": columns.found}
