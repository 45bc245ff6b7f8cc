"""Write a page: a network, or the output of another command, as one self-contained HTML document.

In a notebook, the page of a report is an iframe under a plain table. Untrusted notebooks, and the sites that show them,
drop scripts and frames; the table stays. Scripts in the iframe cannot reach anything outside it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...arguments import mapping, names
from ...errors import OptionError, Problem
from ...metrics.conventions import Prices, price_list
from ...model.lives import Lives
from ...model.network import Model
from ...model.uncollected import uncollected
from ...model.variables import unknown_variable
from ...read.anything import Inputs, Network, load
from ...render import Result
from ...render.html_file import bundle, html_file, of_page
from ...replacing import replacing
from .axes import METRICS, Points, Wanted, axes_of, document, plans, point
from .structure import LIVE, Point, least_bytes

if TYPE_CHECKING:
    import pandas

    from ..report.report import Report

BYTES = 400_000  # maximum bytes of one page
ROWS = 12_000  # layers times settings, which takes some seconds
MOST_POINTS = 256
FRAME = "width:100%;height:720px;border:1px solid #8884;border-radius:6px"


class NetworkPage:
    """A page: `html` is its text, `document` its embedded data, `save` writes a file; notebooks show it in a frame."""

    def __init__(self, document: Mapping[str, Any], shown: Result) -> None:
        self.document, self.shown = document, shown

    def frame(self) -> pandas.DataFrame:
        """Rows of the page's content; for a network, the layers at the initial setting."""
        return self.shown.frame()

    @cached_property
    def html(self) -> str:
        """The whole file."""
        return html_file(self.document)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file."""
        with replacing(os.fspath(path)) as file:
            file.write(self.html)

    def __repr__(self) -> str:
        size = len(self.html.encode())
        return f"page of {self.document['title']}: {size:,} bytes; .save(path) writes it"

    def _repr_html_(self) -> str:
        return framed(self.html)


def framed(html: str) -> str:
    """Embed a page in an iframe: its scripts run but cannot reach anything outside the frame."""
    for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;")):
        html = html.replace(char, name)
    return f"<iframe sandbox='allow-scripts' title='costcalc' style='{FRAME}' srcdoc='{html}'></iframe>"


def page(
    spec: Network | Result,
    output: str | os.PathLike[str] | None = None,
    *,
    metrics: str | Sequence[str] = (),
    convention: Prices = "paper",
    input: Inputs | None = None,
    settings: Mapping[str, Any] | None = None,
    **axes: Any,
) -> NetworkPage:
    """Write a network as one interactive HTML file: `page("mobilenet", "page.html")`.

    spec, input  what `costcalc.load` takes; or a result of `compare`, `check` or another function of the library
    output       file to write the page to
    metrics      further metrics, beside the cost, params, activations, weights_bytes, bytes_moved and peak_bytes
    axes         values of a variable: several make a slider, a single one holds for all. The default is its `choices`,
                 the values in published rows, or usual ones (`alpha`, `res`)
    convention, settings  as in `analyze`

    The file is smaller than 400 kB and loads nothing. All figures are exact integers for the settings of the sliders.
    If there are too many settings, only one variable moves at a time, and the page says so. Raises CostcalcError.
    """
    if isinstance(spec, Result):
        found = NetworkPage(of_page(spec.page()), spec)
    else:
        given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **axes}
        found = of_network(load(spec, input), given, names(metrics, "metrics"), convention)
    if output is not None:
        found.save(output)
    return found


def of_network(
    model: Model, given: Mapping[str, Any], metrics: Sequence[str], convention: Prices = "paper"
) -> NetworkPage:
    """Page of a model; `given` has one value or a list of values per variable."""
    for name in given:
        if name not in model.variables:
            raise unknown_variable(name, model)
    with uncollected():
        axes, fixed = axes_of(model, {name: _listed(name, values) for name, values in given.items()})
        wanted = Wanted(model, price_list(convention), tuple(dict.fromkeys((*METRICS, *metrics))), fixed)
        start = {axis.name: axis.values[axis.start] for axis in axes}
        first = point(wanted, start)
        fits(model, first)
        most = min(MOST_POINTS, max(ROWS // max(len(first.report.lines), 1), 1))
        for points in plans(axes, lambda size: size <= most):
            at_start = first if points.axes else point(wanted._replace(fixed={**fixed, **start}), {})
            one = wanted if points.axes else wanted._replace(fixed={**fixed, **start})
            found = NetworkPage(document(one, points, at_start), first.report)
            if len(found.html.encode()) <= BYTES:
                return found
    raise _too_large(model, len(first.report.lines))


def fits(model: Model, first: Point) -> None:
    """Refuse a network that is too large for a page before the page is built. Raises OptionError."""
    layers = len(first.report.lines)
    is_single = 2 * layers > ROWS  # only pages of a single setting contain these bytes
    if is_single and least_bytes(first) > BYTES - sum(map(len, bundle())):
        raise _too_large(model, layers)


def _listed(name: str, values: Any) -> list[Any]:
    found = [values] if isinstance(values, str) or not hasattr(values, "__iter__") else list(values)
    plain = [value.item() if hasattr(value, "item") else value for value in found]
    if not plain:
        raise OptionError(Problem("empty-range", f"`{name}` has no values"))
    return plain


def _too_large(model: Model, layers: int) -> OptionError:
    message = f"a page of {model.name}, with {layers:,} layers, has more than {BYTES:,} bytes"
    help = "`costcalc analyze SPEC --by block -o blocks.html` shows it by block"
    return OptionError(Problem("limit", message, help=help))


SAVED = 300_000  # bytes of a frame, which is saved with the notebook


def live(report: Report) -> str:
    """A closed disclosure with the page of a report; empty if it would be too large."""
    with uncollected():
        names = tuple(one.name for one in report.metrics[2:])
        wanted = Wanted(report.model, report.convention, (*names, LIVE), report.values)
        first = point(wanted, {}) if LIVE not in names else Point(report, _lives(report))
        frame = framed(html_file(document(wanted, Points((), True), first)))
    if len(frame.encode()) > SAVED:
        return ""
    return f"<details><summary>Blocks, graph and memory</summary>{frame}</details>"


def _lives(report: Report) -> Lives:
    return Lives(report.trace, report.model.storage)
