"""Judge limits by the cost of a spec now and at the base of the change.

| base   | now               | verdict                                        |
| within | within            | pass                                           |
| within | over              | crossed: this change crosses the limit         |
| over   | more than base    | worse: already over, and this change adds      |
| over   | at most base      | already: a warning, so that other changes pass |
| none   | over              | over                                           |

For a network with layers of unknown cost, the known part is a lower bound: it can show that a limit is broken, but not
that it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..errors import Problem, SpecError, nearest
from .cause import cause
from .verdict import ALREADY, CROSSED, FAILING, GREW, OVER, PASS, SKIPPED, WORSE, Verdict

if TYPE_CHECKING:
    from .config import Limit
    from .measure import Measured


def judge(limit: Limit, now: Measured, base: Measured | None = None) -> Verdict:
    """Verdict of a limit on a Measured spec; `base` is the spec before the change, or `now` if unchanged.

    Raises SpecError if it cannot be judged: a glob matches no layer, or a cost is unknown.
    """
    if limit.kind == "vs_base" and base is None:
        return Verdict(limit, SKIPPED, now.total(limit.metric))
    of = _change if limit.kind == "vs_base" else _layers if limit.where else _total
    verdicts = [(verdict, _is_sure(verdict, now, base)) for verdict in of(limit, now, base)]
    over = [verdict for verdict, sure in verdicts if sure and verdict.status in FAILING]
    furthest = max((verdict for verdict, _ in verdicts), key=_excess)  # amounts over the limit are larger
    if over:
        worst = max(over, key=_excess)._replace(others=len(over) - 1, furthest=furthest.now)
        return worst._replace(cause=cause(worst, now, base))
    if not all(sure for _, sure in verdicts):
        raise _incomplete(limit, now if now.unknown(limit.metric) else base)
    return furthest._replace(furthest=furthest.now)


def _excess(verdict: Verdict) -> int | Fraction:
    return verdict.excess


def _change(limit: Limit, now: Measured, base: Any) -> list[Verdict]:
    value, before = now.total(limit.metric), base.total(limit.metric)
    allowed = limit.bound.allowed(before)
    return [Verdict(limit, GREW if value > allowed else PASS, value, before, allowed)]


def _total(limit: Limit, now: Measured, base: Measured | None) -> list[Verdict]:
    return [_one(limit, now.total(limit.metric), base and base.total(limit.metric))]


def _layers(limit: Limit, now: Measured, base: Measured | None) -> Iterator[Verdict]:
    """A verdict for each layer under the limit; a limit in percent applies to the layer's share of the total."""
    mine, before = now.layers(limit.metric), base.layers(limit.metric) if base else {}
    chosen = [name for name in mine if limit.where == "any_layer" or fnmatchcase(name, limit.where)]
    if limit.where == "any_layer" and limit.kind == "min":
        chosen = [name for name in chosen if mine[name]]  # activations and similar layers cost nothing by nature
    if not chosen:
        help = nearest(limit.where, mine) or "the names are those of `costcalc analyze`; globs such as '*/dwconv'"
        raise SpecError(Problem("unknown-layer", f"no layer is called `{limit.where}`", limit.place, help))
    for name in _telling(limit, mine, chosen, now):
        then = _amount(limit, base, before[name]) if name in before else None
        yield _one(limit, _amount(limit, now, mine[name]), then)._replace(layer=name)


def escaped(limits: Iterable[Limit], now: Measured, base: Measured) -> Iterator[tuple[Limit, str]]:
    """Limits that lost a layer since the base while a new layer does not match them, with a description.

    A renamed layer looks like this. Layers without any amount of the limited metric do not count.
    """
    for limit in limits:
        if not limit.where or limit.where == "any_layer" or now.is_whole(limit.metric) or base.is_whole(limit.metric):
            continue
        mine, before = now.layers(limit.metric), base.layers(limit.metric)
        gone = [name for name in before if before[name] and name not in mine and fnmatchcase(name, limit.where)]
        new = [name for name in mine if mine[name] and name not in before and not fnmatchcase(name, limit.where)]
        if gone and new:
            yield limit, f"{limit.text} (`{gone[0]}` is gone, `{new[0]}` is new)"


def _telling(limit: Limit, amounts: Mapping[str, int], names: list[str], now: Measured) -> list[str]:
    """Layers that can decide the verdict: the most extreme one, those over the limit, and those of unknown cost."""
    unknown, least = now.unknown(limit.metric), limit.kind == "min"
    allowed = limit.bound.value * (now.total(limit.metric) if limit.bound.unit == "%" else 1)
    furthest = (min if least else max)(names, key=amounts.__getitem__)
    over = {name for name in names if (amounts[name] < allowed if least else amounts[name] > allowed)}
    return [name for name in names if name == furthest or name in over or name in unknown]


def _amount(limit: Limit, side: Any, amount: int) -> int | Fraction:
    """Limited quantity of a layer: its amount, or its share of the total."""
    return Fraction(amount, side.total(limit.metric) or 1) if limit.bound.unit == "%" else amount


def _one(limit: Limit, now: Any, base: Any) -> Verdict:
    sign, allowed = -1 if limit.kind == "min" else 1, limit.bound.value
    over = sign * now > sign * allowed
    status = PASS
    if over and base is None:
        status = OVER
    elif over and sign * base <= sign * allowed:
        status = CROSSED
    elif over:
        status = WORSE if sign * now > sign * base else ALREADY
    return Verdict(limit, status, now, base, allowed)


def _is_sure(verdict: Any, now: Any, base: Any) -> bool:
    """Whether a verdict holds whatever the unknown costs, which can only add."""
    limit, over = verdict.limit, verdict.status in FAILING
    unknown = now.unknown(limit.metric)
    if limit.kind == "vs_base":
        return now is base or not (base.unknown(limit.metric) if over else unknown)
    if limit.where and limit.bound.unit != "%":
        unknown = verdict.layer in unknown
    if verdict.status == ALREADY:
        return now is base or not unknown
    return not unknown or (limit.bound.unit != "%" and over == (limit.kind == "max"))


def _incomplete(limit: Limit, side: Any) -> SpecError:
    unknown = next(iter(side.unknown(limit.metric)))
    help = "give `mult_adds` and `params` of the `opaque` layer"
    if not side.row(unknown).layer.unknown:  # an attention window under a convention that counts pairs outside of it
        help = "a figure of another metric or convention can be judged"
    message = f"`{limit.metric}` cannot be judged: the figure of `{unknown}` is unknown"
    return SpecError(Problem("incomplete", message, side.row(unknown).places[0], help))
