"""The working behind the numbers of layers: symbols, then numbers, then the product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...arguments import mapping
from ...metrics.conventions import Prices, find, price_list
from ...metrics.gradients import Gradient, gradients
from ...metrics.pricing import Convention
from ...metrics.walk import Walk
from ...model.rows import Row, called
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render.result import Result
from ..report.analyze import scaled
from ..report.columns import stamp
from ..report.report import Report, report
from .field import field_text
from .legend import legend
from .worked import pair_text, row_text, total_text
from .working import separable

if TYPE_CHECKING:
    from ...render.sheet import Page


class _Chosen(NamedTuple):
    layer: str | None  # the name or glob, None for all
    rows: Sequence[Row]  # those of the network that have that name
    report: Report  # of the whole network
    convention: Convention | None  # whose cost is shown quantity by quantity
    gradients: Mapping[int, Gradient]  # by the identity of the row, where the backward pass is shown


class Explanation(Result, _Chosen):
    """The layers that were requested, each with its working; `report` is that of the whole network."""

    def __str__(self) -> str:
        parts = [text for row in self.rows if (text := row_text(row, self.convention, self.gradients.get(id(row))))]
        parts += [pair_text(*pair) for pair in separable(self.rows)]
        parts = parts or [f"{self.layer or self.report.model.name}: no mult-adds and no weights"]
        parts += [field_text(self.report, self.rows[-1])] if self.layer else [total_text(self.report)]
        parts = [part for part in parts if part]
        notes = [legend(self.rows), stamp(self.report)]
        return "\n\n".join([*parts, "\n".join(filter(None, notes))])

    __repr__ = __str__

    def page(self) -> Page:
        """One row per layer that has mult-adds or weights."""
        from .page import ExplanationPage

        return ExplanationPage(self)


def explain(
    spec: Network,
    layer: str | None = None,
    *,
    convention: Prices | None = None,
    backward: bool = False,
    input: Inputs | None = None,
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> Explanation:
    """The working behind the numbers of layers: `print(explain("mobilenet", "separable_7"))`.

    spec, input  what `costcalc.load` takes
    layer        a layer or block by its name in the report, or a glob; without it, every layer and the totals
    convention   also what this convention counts, quantity by quantity
    backward     also the gradients that training computes
    rho, settings, values  as in `analyze`

    Raises CostcalcError.
    """
    priced = price_list(convention) if convention else None
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
    with uncollected():
        model = load(spec, input)
        settled = settle(model, scaled(model, given, rho))
        walk = trace(model, settled)
        rows = walk.rows if layer is None else called(walk.rows, layer)
        counted = report(model, walk, settled, priced or find("paper"))  # a working counts as `paper` does
        each = gradients(Walk(model, walk, settled)) if backward else []
    return Explanation(layer, rows, counted, priced, dict(zip(map(id, walk.rows), each, strict=False)))
