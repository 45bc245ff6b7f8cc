"""Limits against what a spec costs now and what it cost where the change began.

| base   | now               | verdict                                        |
| within | within            | pass                                           |
| within | over              | crossed: this change crosses the limit         |
| over   | more than base    | worse: already over, and this change adds      |
| over   | at most base      | already: a warning, so that other changes pass |
| none   | over              | over                                           |
"""

from fnmatch import fnmatchcase

from ..errors import Problem, SpecError, nearest
from .cause import cause
from .verdict import ALREADY, CROSSED, FAILING, GREW, OVER, PASS, SKIPPED, WORSE, Verdict


def judge(limit, now, base=None, new=False):
    """The Verdict of a limit on a Measured spec; `base` is it before the change, `new` says that it was not there.

    Raises SpecError where it cannot be judged: a glob that no layer matches, a cost that is not known.
    """
    if limit.kind == "vs_base":
        return _change(limit, now, base)
    if limit.where:
        return _layers(limit, now, base)
    verdict = _one(limit, now.total(limit.metric), base and base.total(limit.metric), limit.bound.value)
    return _explained(_sure(verdict, now), now, base)


def _change(limit, now, base):
    if base is None:
        return Verdict(limit, SKIPPED, now.total(limit.metric))
    value, before = now.total(limit.metric), base.total(limit.metric)
    allowed = limit.bound.allowed(before)
    verdict = Verdict(limit, GREW if value > allowed else PASS, value, before, allowed)
    return _explained(_sure(verdict, now), now, base)


def _layers(limit, now, base):
    """The verdict on the layer that is furthest beyond the limit, or nearest to it."""
    mine, before = now.layers(limit.metric), base.layers(limit.metric) if base else {}
    total = now.total(limit.metric) if limit.bound.unit == "%" else 1
    chosen = [name for name in mine if limit.where == "any_layer" or fnmatchcase(name, limit.where)]
    if not chosen:
        help = nearest(limit.where, mine) or "the names are those of `costcalc analyze`; globs such as '*/dwconv'"
        raise SpecError(Problem("unknown-layer", f"no layer is called `{limit.where}`", limit.place, help))
    if limit.where == "any_layer" and limit.kind == "min":
        chosen = [name for name in chosen if mine[name]]
    allowed = limit.bound.value * total
    verdicts = [_one(limit, mine[name], before.get(name), allowed)._replace(layer=name) for name in chosen]
    worst = max(verdicts, key=lambda one: (one.status in FAILING, one.status == ALREADY, one.excess))
    others = sum(one.status in FAILING for one in verdicts) - (worst.status in FAILING)
    return _explained(_sure(worst._replace(others=others), now), now, base)


def _one(limit, now, base, allowed):
    sign = -1 if limit.kind == "min" else 1
    over = sign * now > sign * allowed
    status = PASS
    if over and base is None:
        status = OVER
    elif over and sign * base <= sign * allowed:
        status = CROSSED
    elif over:
        status = WORSE if sign * now > sign * base else ALREADY
    return Verdict(limit, status, now, base, allowed)


def _sure(verdict, now):
    """The verdict, if it cannot change when what is unknown becomes known: that can only add."""
    added = verdict.limit.kind == "min"
    if now.complete or verdict.limit.metric.endswith("activations") or (verdict.status == PASS) is added:
        return verdict
    unknown = next(name for name, row in zip(now.names, now.rows, strict=True) if row.layer.unknown)
    help = "give `mult_adds` and `params` of the `opaque` layer"
    raise SpecError(Problem("incomplete", f"the cost of `{unknown}` is not known", now.place(unknown), help))


def _explained(verdict, now, base):
    if verdict.status not in FAILING:
        return verdict
    return verdict._replace(cause=cause(verdict, now, base))
