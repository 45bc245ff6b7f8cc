"""Notes under a table: omitted rows, unknown costs, published figures, conditions of the figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...metrics.chances import EXPECTED
from ...num import prod
from ...ops import INDEX
from ...render.text import printable
from .columns import selected, stamp

if TYPE_CHECKING:
    from ...model.accounting import Accounting
    from ...model.network import Claim
    from .columns import View
    from .report import Line, Report


MOST_KINDS = 10  # kinds of layers with unknown cost in a note


_CASES = "max: the most expensive path through layers that do not always run; min: the cheapest; expected: by `prob`"


def notes(report: Report, view: View, shown: int) -> list[str]:
    """Notes under the tables; the last gives the conditions of the figures."""
    lines = []
    hidden = len(selected(report, view._replace(top=0, sort=""))) - shown if view.top else 0
    if hidden:
        lines.append(f"{hidden:,} more {view.by}{' is' if hidden == 1 else 's are'} not shown (--top {view.top})")
    if any(one.case == EXPECTED for one in report.metrics):
        lines.append(_CASES)
    lines += [
        f"{one.title}: {_figure(report.figures[one.name])}" for one in report.metrics if one.name in report.figures
    ]
    lines += [f"not included: {printable(one)}" for one in report.model.left_out]
    lines += gaps(report) + _law(report.accounting) + _everywhere(report)
    lines += [_published(claim) for claim in _claims(report)]
    for metric, cap in report.model.budget.items():
        have = report.totals.get(metric)
        if have is not None:
            state = "within" if have <= cap.value else "over"
            lines.append(f"budget: {metric} {have:,} of {cap.value:,}, {state}")
    return [*lines, stamp(report)]


def _figure(value: Any) -> str:
    """Format a figure of the whole network."""
    return f"{value:,}" if type(value) is int else f"{value:,.10g}"


def _everywhere(report: Report) -> list[Any]:
    """The note that the network ends in a fully connected layer at every position of a grid.

    Inside a network, for example before a residual sum, this is deliberate: a 1x1 convolution by another name. At the
    end it usually means a missing pool or `flatten`.
    """
    line = next((line for line in reversed(report.lines) if not _is_pointwise(line)), None)
    if line is None or line.op != "linear" or len(line.output) < 3 or line.output[:-1] != report.output[:-1]:
        return []
    *grid, _ = line.output
    if prod(grid) == 1:
        return []
    text = f"{printable(line.name)} is applied at each of {'x'.join(map(str, grid))} positions"
    return [f"{text}: for one answer from the whole grid, put `avgpool: global` or `flatten` before it"]


def _is_pointwise(line: Line) -> bool:
    return INDEX[line.op] in ("pointwise", "norm") and len(line.inputs) == 1


def gaps(report: Report) -> list[str]:
    """Notes on what the totals leave out: unknown costs, and work that the convention counts 0 for."""
    return [*bounds(unknown(report)), *unpriced(report.uncounted)]


def bounds(unknown: Sequence[str]) -> list[str]:
    """The note that figures are lower bounds because of unknown costs; empty if there are none."""
    return [f"lower bounds (>=): the cost of {printable('; '.join(unknown))} is unknown"] if unknown else []


_WORK = {
    "mac": "mult-adds",
    "mac_attention": "mult-adds of queries, keys and values",
    "scan": "values of the state",
}


def unpriced(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Notes on work that counts 0 because a convention has no price for it, with amounts if there are any."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for one in found:
        amount, layers = f"{one['amount']:,} of " if "amount" in one else "", one.get("layers", 1)
        many = f"{layers:,}, the first is {one['first']}" if layers > 1 else one["first"]
        text = f"{amount}{one['type']} ({many})"
        kinds.setdefault((one["convention"], one["quantity"]), []).append(printable(text))
    return [
        f"`{printable(name)}` counts 0 for {_WORK[kind]}: {'; '.join(_few(texts))}"
        for (name, kind), texts in kinds.items()
    ]


def _few(texts: list[str]) -> list[str]:
    more = [f"{len(texts) - MOST_KINDS:,} more kinds"] if len(texts) > MOST_KINDS else []
    return texts[:MOST_KINDS] + more


def unknown(report: Report) -> list[str]:
    """Causes of unknown cost: kinds of layers with their number and first name, and missing parameters."""
    kinds: dict = {}
    for line in (line for line in report.lines if not line.complete):
        kinds.setdefault(line.type, []).append(line.name)
    shown = [f"{kind} ({_first(names)})" for kind, names in list(kinds.items())[:MOST_KINDS]]
    shown += [f"{len(kinds) - MOST_KINDS:,} more kinds"] if len(kinds) > MOST_KINDS else []
    shown += [f"pairs outside a window ({_first(report.windowed)})"] if report.windowed else []
    return shown + _missing(report.accounting)


def _law(accounting: Accounting | None) -> list[str]:
    """The note on how many parameters of a network are accounted for; empty for a spec."""
    if accounting is None:
        return []
    stored = accounting.stored
    what = "parameters and moving statistics" if stored.whole else "parameters"
    if stored.total is None:
        return [f"{what}: {accounting.in_rows:,} in rows; the configuration has no count to check them against"]
    parts = f"{accounting.in_rows:,} in rows + {accounting.unread:,} that no layer reads"
    return [f"{what}: {parts} {'=' if accounting.is_closed else 'of'} {stored.total:,}"]


def _missing(accounting: Accounting | None) -> list[str]:
    """Parameters that a layer reads but no row holds, each with its reader."""
    if accounting is None or accounting.is_closed:
        return []
    named = [f"`{name}`, read by `{user}`" for name, user in accounting.stored.missing.items()]
    more = [f"{len(named) - MOST_KINDS:,} more parameters"] if len(named) > MOST_KINDS else []
    return [*(named[:MOST_KINDS] or ["parameters"]), *more]


def _first(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names):,}, the first is {names[0]}"


def _claims(report: Report) -> Iterator[Claim]:
    """Published totals for exactly these values of the variables, under this convention."""
    variables = report.model.variables
    for claim in report.model.published:
        setting = {**{name: variable.default for name, variable in variables.items()}, **claim.at}
        ours = claim.convention == report.convention.name
        if ours and not claim.of and not claim.is_rewritten and setting == dict(report.values):
            yield claim


def _published(claim: Claim) -> str:
    figures = ", ".join(f"{name} {figure}" for name, figure in claim.figures.items())
    return f"published: {printable(figures)} ({printable(claim.source)})"
