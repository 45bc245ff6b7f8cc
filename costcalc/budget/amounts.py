"""Verdicts in words: amounts rounded for people, and exact where rounding would hide the difference."""

from ..render.columns import printable
from .verdict import ALREADY, GREW, SAYS, SKIPPED

_UNITS = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


def short(value, metric=""):
    """`181.5M`: four digits; bytes as `17.9MB`."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{float(value) / size:.4g}{f'{unit}B' if metric.endswith('bytes') else unit}"
    return f"{value:,}" if type(value) is int else f"{float(value):.4g}"


def apart(*values):
    """The values as texts that differ where the values do: rounded, or else exact."""
    rounded = [short(value) for value in values]
    if len(set(rounded)) == len(set(values)):
        return rounded
    return [f"{value:,}" if value == int(value) else f"{float(value):,.3f}" for value in map(_whole, values)]


def _whole(value):
    return int(value) if value == int(value) else value


def metric_name(metric):
    """`mult-adds`, as people write it."""
    return printable(metric.replace("mult_adds", "mult-adds").replace("_", " "))


def headline(verdict):
    """What, by how much: `mult-adds 181.5M is 11.5M (6.8 %) over the limit 170M`."""
    limit, now, allowed = verdict.limit, verdict.now, verdict.allowed
    name = metric_name(limit.metric) + (f" of {printable(verdict.layer)}" if verdict.layer else "")
    if verdict.status == SKIPPED:
        return f"{name}: {SAYS[SKIPPED]}"
    if verdict.status == GREW or (limit.kind == "vs_base" and verdict.base is not None):
        before, after = apart(verdict.base, now)
        if verdict.status != GREW:
            return f"{name} {before} -> {after}, {limit.text} allowed"
        return f"{name} {before} -> {after}, {_percent(now - verdict.base, verdict.base)}: more than {limit.text}"
    have, most = apart(now, allowed)
    written = limit.text if limit.text.endswith("%") or not have.replace(",", "").isdigit() else most
    side = "under" if limit.kind == "min" else "over"
    if verdict.excess > 0:
        gap = apart(verdict.excess)[0]
        return f"{name} {have} is {gap} ({_percent(verdict.excess, allowed)[1:]}) {side} the limit {written}"
    return (
        f"{name} {have} of {written} ({100 * float(now) / float(allowed):.1f} %)" if allowed else f"{name} {have} of 0"
    )


def _percent(part, whole):
    return f"{100 * float(part) / float(whole):+.1f} %" if whole else "+all of it"


def notes(outcome, verdict):
    """(kind, text) of the lines under a verdict that is not fine: base, cause, why, help."""
    base, found = outcome.base, []
    if verdict.base is not None and verdict.limit.kind != "vs_base":
        added = verdict.now - verdict.base
        moved = f"this change adds {apart(added)[0]}" if added > 0 else "not more than that now"
        found.append(("base", f"{short(verdict.base)} at {base.revision} ({base.commit[:7]}); {moved}"))
    elif verdict.limit.kind == "vs_base" and base:
        found.append(("base", f"{base.revision} ({base.commit[:7]})"))
    if verdict.cause:
        place = verdict.cause.place
        amount = f"{verdict.cause.amount:+,}" if verdict.base is not None else f"{verdict.cause.amount:,}"
        found.append(("from", f"{place.source.path}:{place.line}:{place.column}  {verdict.cause.what}  {amount}"))
    if verdict.others:
        found.append(("more", f"{verdict.others:,} other layers break it too"))
    if outcome.check.why:
        found.append(("why", outcome.check.why))
    if verdict.status != ALREADY:
        found.append(("help", _help(verdict)))
    return [(kind, printable(text)) for kind, text in found]


def _help(verdict):
    from_file = verdict.limit.place is not None and verdict.limit.place.source.path
    if not from_file:
        return "reduce it, or give a larger limit"
    return "reduce it, or raise the limit: costcalc check --update"
