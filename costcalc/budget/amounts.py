"""Write verdicts in words, with rounded amounts, or exact ones if rounding would hide a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..metrics.metrics import metric, unit_of
from ..render.text import printable, typed
from .exempting import shown
from .verdict import ALREADY, EXCEPTED, GREW, SAYS, SKIPPED, Outcome, Verdict

if TYPE_CHECKING:
    from fractions import Fraction

    from .config import Exemption


_UNITS = ((10**9, "G"), (10**6, "M"), (10**3, "k"))
_BINARY = ((2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki"))


def short(value: Any, verdict: Verdict) -> str:
    """`181.5M`: four digits; bytes as `17.9MB`, shares as `12.3%`."""
    if verdict.is_share:
        return f"{float(100 * value):.4g}%"
    return rounded(value, verdict.limit.metric, verdict.limit.text.endswith("iB"))  # limits in KiB are reported in KiB


def rounded(value: Any, name: str, binary: bool = False) -> str:
    """`181.5M`: an amount of a metric to four digits, with its unit."""
    byte = unit_of(name).symbol
    for size, unit in _BINARY if binary else _UNITS:
        if abs(value) >= size:
            return f"{float(value) / size:.4g}{unit}{byte}"
    return f"{value:,}{byte}" if type(value) is int else f"{float(value):.4g}{byte}"


def apart(verdict: Verdict, *values: int | Fraction) -> list[str]:
    """Values as texts that differ if the values do: rounded, or else exact."""
    brief = [short(value, verdict) for value in values]
    if len(set(brief)) == len(set(values)):
        return brief
    if verdict.is_share:
        return [f"{float(100 * value):.12g}%" for value in values]
    symbol = unit_of(verdict.limit.metric).symbol
    byte = f" {symbol}" if symbol else ""
    return [f"{int(value):,}{byte}" if value == int(value) else f"{float(value):,.3f}{byte}" for value in values]


def metric_name(name: str) -> str:
    """Displayed name of a metric, such as `mult-adds`."""
    return printable(metric(name, "paper").title)


def headline(verdict: Verdict) -> str:
    """Metric, amount and limit: `mult-adds 181.5M is 11.5M (6.8 %) over the limit 170M`."""
    limit = verdict.limit
    name = metric_name(limit.metric) + (f" of {printable(verdict.layer)}" if verdict.layer else "")
    if verdict.status == SKIPPED:
        return f"{name}: {SAYS[SKIPPED]}"
    if limit.kind == "vs_base":
        return f"{name} {_change(verdict)}"
    have, most = apart(verdict, verdict.now, verdict.allowed)
    written = limit.text if have == short(verdict.now, verdict) else most
    if verdict.excess <= 0:
        return f"{name} {have} of {written}"
    side = "under" if limit.kind == "min" else "over"
    by = "" if verdict.is_share else f" ({_percent(verdict.excess, verdict.allowed).lstrip('+')})"
    return f"{name} {have} is {apart(verdict, verdict.excess)[0]}{by} {side} the limit {written}"


def _change(verdict: Verdict) -> str:
    before, after, allowed = apart(verdict, verdict.base, verdict.now, verdict.allowed)
    grown = _percent(verdict.now - verdict.base, verdict.base)
    if verdict.status == EXCEPTED and verdict.exemption:
        most = shown(verdict.exemption.most, verdict.limit.metric)
        return f"{before} -> {after}, {grown}: more than {verdict.limit.text}; the exception allows {most}"
    if verdict.status != GREW:
        return f"{before} -> {after}, {grown}: {verdict.limit.text} allowed"
    return f"{before} -> {after}, {grown}: more than {verdict.limit.text}, which allows {allowed}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * float(part) / float(whole):+.1f} %" if whole else "from nothing"


def notes(outcome: Any, verdict: Verdict) -> list[tuple[str, ...]]:
    """(kind, text) of the lines under a verdict that does not pass: base, cause, why, help."""
    base, lines = outcome.base, []
    if verdict.limit.kind == "vs_base" and base:
        lines.append(("base", f"{base.revision} ({base.commit[:7]})"))
    elif verdict.base is not None:
        lines.append(("base", f"{apart(verdict, verdict.base, verdict.now)[0]} at {_where(base)}; {_moved(verdict)}"))
    if verdict.cause:
        place = verdict.cause.place
        amount = f"{verdict.cause.amount:+,}" if verdict.base is not None else f"{verdict.cause.amount:,}"
        lines.append(("from", f"{place.source.path}:{place.line}:{place.column}  {verdict.cause.what}  {amount}"))
    if verdict.others:
        are = "layer breaks" if verdict.others == 1 else "layers break"
        lines.append(("more", f"{verdict.others:,} other {are} it too"))
    if verdict.exemption:
        lines.append(("note", _exception(verdict.exemption)))
    if outcome.check.why:
        lines.append(("why", outcome.check.why))
    if verdict.status != ALREADY:
        lines.append(("help", _help(outcome, verdict)))
    return [(kind, printable(text)) for kind, text in lines]


def _exception(one: Exemption) -> str:
    """The exception for this change, if it allows less than the change adds."""
    place = one.place
    return f"the exception at {place.source.path}:{place.line} allows {shown(one.most, one.metric)}"


def _where(base: Any) -> str:
    return f"{base.revision} ({base.commit[:7]})"


def _moved(verdict: Verdict) -> str:
    """Effect of the change on an amount."""
    grown = verdict.now - verdict.base
    if not grown:
        return "this change does not affect it"
    return f"this change {'adds' if grown > 0 else 'takes away'} {apart(verdict, abs(grown))[0]}"


def _help(outcome: Outcome, verdict: Verdict) -> str:
    if verdict.limit.place is None:
        return f"reduce it, or set a limit other than {verdict.limit.text}"
    update = f"{typed('costcalc', 'check', outcome.spec)} --update"
    if verdict.limit.kind == "min":
        return f"undo it, or lower the limit: {update}"
    if verdict.limit.kind == "vs_base":
        return f"reduce it, or record an exception for this change: {update}"
    return f"reduce it, or raise the limit: {update}"
