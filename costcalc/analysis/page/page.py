"""A page as a file: a network, or what another command shows, as one HTML document that loads nothing.

The page of one report, for a notebook: in a frame of its own, under the table that every notebook can show. Notebooks
that are not trusted, and the sites that show them, drop scripts and frames: the table stays. In the frame the scripts
of the page reach nothing outside it.
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

BYTES = 400_000  # of one page
ROWS = 12_000  # layers times settings: some seconds
MOST_POINTS = 256
FRAME = "width:100%;height:720px;border:1px solid #8884;border-radius:6px"


class NetworkPage:
    """A page: `html` is its text, `document` what is embedded, `save` writes a file; a notebook shows it in a frame."""

    def __init__(self, document: Mapping[str, Any], shown: Result) -> None:
        self.document, self.shown = document, shown

    def frame(self) -> pandas.DataFrame:
        """The rows of what it shows: of a network, the layers where its sliders start."""
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
    """A page inside another: its scripts run, and reach nothing outside the frame."""
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
    """A network as one HTML file to look at, move and send: `page("mobilenet", "page.html")`.

    spec, input  what `costcalc.load` takes; or what `compare`, `check` and other functions of the library give
    output       a file to write the page to
    metrics      further metrics, beside the cost, params, activations, weights_bytes, bytes_moved and peak_bytes
    axes         values of a variable: several make a slider, one holds for all. Without values a variable has those
                 of its `choices`, of published rows, or usual ones (`alpha`, `res`)
    convention, settings  as in `analyze`

    The file is below 400 kB and loads nothing. All figures are the engine's integers at the settings of the sliders;
    where these are too many, one variable moves at a time, and the page says so. Raises CostcalcError.
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
    """The page of a model; `given` has values by variable, one or a list of them."""
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
    """Refuse a network that no page has room for, before the page is built. Raises OptionError."""
    layers = len(first.report.lines)
    is_single = 2 * layers > ROWS  # pages of one setting alone have what is counted here
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


SAVED = 300_000  # bytes of a frame: each is saved in the notebook


def live(report: Report) -> str:
    """A closed disclosure with the page of a report; nothing where it would be too large."""
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
