"""Exceptions: one change of one spec may add more than `vs_base` allows, as long as the base stays the same.

| base            | now          | effect of the exception                                    |
| exactly `from`  | at most `to` | the limit is not broken: `excepted`                        |
| exactly `from`  | more         | none: the limit is broken, and the exception is mentioned  |
| another         |              | none: the exception is stale and can be removed            |
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..metrics.metrics import unit_of
from ..records import NamedTuple
from .config import key_for
from .loosening import EXCEPTION, Loosened
from .verdict import EXCEPTED, GREW, Outcome, Verdict

if TYPE_CHECKING:
    from fractions import Fraction

    from .config import Check, Exemption
    from .measure import Measured

PLACES = 12  # decimal places of a written ratio


class Stale(NamedTuple):
    """An exception that no longer applies, and why."""

    exemption: Exemption
    why: str

    @property
    def message(self) -> str:
        """`costcalc.yaml:9: stale exception: mult_adds of models/net.yaml: the base has 2,626,000, not 2,500,000`."""
        place, one = self.exemption.place, self.exemption
        said = f"{one.metric} of {titled(one)}: {self.why}; costcalc check --update removes it"
        return f"{place.source.path}:{place.line}: stale exception: {said}"


def titled(exemption: Exemption) -> str:
    """The spec and its setting, as in a table."""
    return " ".join((exemption.spec, *(f"{name}={value}" for name, value in exemption.at.items())))


def between(exemption: Exemption) -> str:
    """`2,500,000 -> 2,626,000`."""
    return f"{shown(exemption.before, exemption.metric)} -> {shown(exemption.most, exemption.metric)}"


def shown(value: int | Fraction, metric: str) -> str:
    """An amount with all its digits, formatted for display."""
    symbol = unit_of(metric).symbol
    number = f"{value:,}" if type(value) is int else decimal(value)
    return f"{number} {symbol}" if symbol else number


def exact(value: int | Fraction, metric: str, up: bool = False) -> str:
    """An amount with all its digits, formatted for a file; a ratio has 12 decimal places."""
    return f"{decimal(value, up)}{unit_of(metric).symbol}"


def decimal(value: Any, up: bool = False) -> str:
    """A decimal number, rounded to the nearest or up."""
    from fractions import Fraction

    steps = Fraction(value) * 10**PLACES
    whole = -(-steps.numerator // steps.denominator) if up else round(steps)
    digits = f"{abs(whole):0{PLACES + 1}d}"
    text = f"{digits[:-PLACES]}.{digits[-PLACES:]}".rstrip("0").rstrip(".")
    return f"-{text}" if whole < 0 else text


def begins_at(exemption: Exemption, base: Any) -> bool:
    """Whether the amount at the base is the `from` of an exception."""
    return decimal(base) == decimal(exemption.before)


def path_of(exemption: Exemption) -> str:
    """Path of the spec from the working directory."""
    return os.path.normpath(os.path.join(os.path.dirname(exemption.place.source.path), exemption.spec))


def by_path(exemptions: Iterable[Exemption]) -> dict[str, tuple[Exemption, ...]]:
    """Exceptions of each spec, by path."""
    grouped: dict[str, list[Exemption]] = {}
    for one in exemptions:
        grouped.setdefault(path_of(one), []).append(one)
    return {path: tuple(several) for path, several in grouped.items()}


def key_of(check: Check, metric: str) -> tuple[Any, ...]:
    """`Exemption.key` of a limit on a metric."""
    return key_for(check.at, check.counted_by, metric)


def excused(verdict: Verdict, check: Check, exemptions: Iterable[Exemption], now: Measured) -> Verdict:
    """The verdict, as `excepted` if an exception covers the increase.

    If an exception for this change allows less, it is attached to the verdict, whose status stays the same. A lower
    bound is never covered, because the amount may exceed `to`.
    """
    if verdict.status != GREW:
        return verdict
    mine = [one for one in exemptions if one.key == key_of(check, verdict.limit.metric)]
    mine = [one for one in mine if begins_at(one, verdict.base)]
    if not mine:
        return verdict
    one = max(mine, key=lambda one: one.most)
    covered = verdict.now <= one.most and not now.unknown(verdict.limit.metric)
    return verdict._replace(exemption=one, status=EXCEPTED if covered else GREW)


def stale(exemptions: Iterable[Exemption], outcomes: Sequence[Outcome]) -> Iterator[Stale]:
    """Exceptions that no longer apply; those of specs that could not be judged are left out."""
    judged: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        judged.setdefault(outcome.spec, []).append(outcome)
    for one in exemptions:
        why = _why_stale(one, judged.get(path_of(one), []))
        if why:
            yield Stale(one, why)


def _why_stale(one: Exemption, outcomes: list[Outcome]) -> str:
    same = [outcome for outcome in outcomes if key_of(outcome.check, one.metric) == one.key]
    judged = [each for outcome in same for each in outcome.verdicts if _is_about(each, one)]
    bases = [verdict.base for verdict in judged if verdict.base is not None]
    if any(begins_at(one, base) for base in bases):
        return ""
    if bases:
        return f"the base has {shown(bases[0], one.metric)}, not {shown(one.before, one.metric)}"
    if judged:
        return "the spec is new: there is nothing at the base"
    return "" if any(outcome.problems for outcome in outcomes) else "no check limits how much it may grow"


def _is_about(verdict: Verdict, one: Exemption) -> bool:
    return verdict.limit.kind == "vs_base" and verdict.limit.metric == one.metric


Known = dict[tuple[Any, ...], list["Exemption"]]  # (name in the repository, key) -> exceptions at the base


def known(found: Iterable[tuple[str, Exemption]]) -> Known:
    """Exceptions of the base, by the names of their specs in the repository."""
    names: Known = {}
    for name, one in found:
        names.setdefault((name, *one.key), []).append(one)
    return names


def excepted(now: Iterable[tuple[str, Exemption]], then: Known, outcomes: Sequence[Outcome]) -> Iterator[Loosened]:
    """Exceptions that apply and did not exist at the base; names are those in the repository."""
    used = {
        id(verdict.exemption): verdict
        for outcome in outcomes
        for verdict in outcome.verdicts
        if verdict.status == EXCEPTED
    }
    for name, one in now:
        before = then.get((name, *one.key), [])
        is_new = not any(decimal(one.before) == decimal(old.before) and one.most <= old.most for old in before)
        if id(one) in used or is_new:
            yield _loosened(name, one, used.get(id(one)))


def _loosened(name: str, one: Exemption, verdict: Verdict | None) -> Loosened:
    from .config import Limit

    limit = verdict.limit if verdict else Limit("vs_base", one.metric, "", None, "", None)
    now = Limit("vs_base", one.metric, "", None, between(one), one.place)
    became = f"{limit.text} except {now.text}".strip() + (f" ({one.reason})" if one.reason else "")
    said = " ".join((name, *(f"{key}={value}" for key, value in one.at.items())))
    return Loosened(EXCEPTION, limit, now, (said,), became, one.place.source.path)


def folder_name(file: str, spec: str) -> str:
    """Name in the repository of a spec that a file of checks refers to; `file` is the name of that file."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), spec))
