"""Compare limits with those at the base: which were raised or removed, or no longer judge a spec."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..errors import Place
from ..metrics.pricing import Convention
from ..records import NamedTuple
from .config import Check, Limit

RAISED, REMOVED, UNMATCHED, EXCEPTION = "raised", "removed", "unmatched", "exception"
CODES = {status: f"limit-{status}" for status in (RAISED, REMOVED, UNMATCHED, EXCEPTION)}
SAYS = {
    RAISED: "limit raised",
    REMOVED: "limit removed",
    UNMATCHED: "limit no longer judges its spec",
    EXCEPTION: "exception from a limit",
}
NAMED = 3  # specs listed in one message
_LEVELS = {"warn": 0, "error": 1}
_SAYS_ONLY = frozenset(("name", "title", "source", "mirrors", "differences", "notes"))  # without effect on counts


class Rule(NamedTuple):
    """A limit as it applies to one spec."""

    limit: Limit
    check: Check


class Loosened(NamedTuple):
    """A limit at the base that is now removed or less strict."""

    status: str
    limit: Limit  # at the base
    now: Limit | None
    specs: tuple[str, ...]  # specs that it applied to, by their names in the repository
    became: str  # the change: `170M -> 200M`
    path: str | None = None  # the current file of checks

    @property
    def place(self) -> Place | None:
        """Place of the limit now, if it exists."""
        return self.now.place if self.now else None

    @property
    def message(self) -> str:
        """The change in one line."""
        limit, more = self.limit, len(self.specs) - NAMED
        says = "limit no longer judges a layer" if self.status == UNMATCHED and self.now else SAYS[self.status]
        named = ", ".join(self.specs[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
        where = f" {limit.where}" if limit.where else ""
        return f"{says}: {limit.kind}{where} {limit.metric} {self.became}, of {named}"


Key = tuple[str, tuple[tuple[str, str], ...], str, str, str, bool]
Rules = Mapping[Key, list[Rule]]


def key_of(file: str, rule: Rule) -> Key:
    """Subject of a limit, without the amount: limits with the same key can be compared."""
    limit, at = rule.limit, tuple(sorted((name, str(value)) for name, value in rule.check.at.items()))
    is_share = limit.kind != "vs_base" and limit.bound.unit == "%"
    return file, at, limit.kind, limit.metric, limit.where, is_share


def loosened(
    then: Rules, now: Rules, gone: Callable[[str], str | None], path: str | None = None
) -> tuple[Loosened, ...]:
    """Limits at the base that no current limit implies, one for all the specs of a check.

    `gone` returns the fate of a file of the base, such as `it is deleted`; None if it was not moved.
    """
    found: dict[tuple, Loosened] = {}
    for key, rules in then.items():
        for rule in rules:
            others = now.get(key, [])
            if any(_implies(other, rule) for other in others):
                continue
            one = _became(rule, others, gone(key[0]), path)
            same = one.limit, one.limit.place, one.status, one.now, one.became
            before = found.get(same)
            found[same] = one._replace(specs=(*(before.specs if before else ()), key[0]))
    return tuple(found.values())


def left(then: Rules, escapes: Iterable[tuple[str, Rule, str]], path: str | None = None) -> Iterator[Loosened]:
    """Limits of the base that still exist but no longer judge a layer, given as (file, limit, what happened)."""
    for file, rule, became in escapes:
        if key_of(file, rule) in then:
            yield Loosened(UNMATCHED, rule.limit, rule.limit, (file,), became, path)


def _became(rule: Rule, others: list[Rule], gone: str | None, path: str | None) -> Loosened:
    """Fate of a limit that is removed or less strict."""
    limit, text = rule.limit, rule.limit.text
    if not others:
        return Loosened(UNMATCHED if gone else REMOVED, limit, None, (), f"{text} ({gone})" if gone else text, path)
    nearest = min(others, key=lambda other: (not _is_as_strict(other.limit, limit), other.check.level == "warn"))
    if not _is_as_strict(nearest.limit, limit):
        became = f"{text} -> {nearest.limit.text}"
    elif _LEVELS[nearest.check.level] < _LEVELS[rule.check.level]:
        became = f"{text} (level {rule.check.level} -> {nearest.check.level})"
    else:
        became = f"{text} (the price list {rule.check.convention.name} has changed)"
    return Loosened(RAISED, limit, nearest.limit, (), became, path)


def _implies(now: Rule, then: Rule) -> bool:
    """Whether everything that breaks a limit of the base also breaks this one, at the same or a higher level."""
    is_lower = _LEVELS[now.check.level] < _LEVELS[then.check.level]
    return _is_as_strict(now.limit, then.limit) and not is_lower and _has_same_prices(now, then)


def _is_as_strict(now: Limit, then: Limit) -> bool:
    if now.kind == "vs_base":
        return all(_part(now, is_share) <= _part(then, is_share) for is_share in (True, False))
    return now.bound.value >= then.bound.value if now.kind == "min" else now.bound.value <= then.bound.value


def _part(limit: Limit, is_share: bool) -> float:
    """Percentage of a change, or its number; if both are given, the larger one is allowed."""
    return sum(part.value for part in limit.bound.parts if (part.unit == "%") == is_share)


def _has_same_prices(now: Rule, then: Rule) -> bool:
    if "." in now.limit.metric:  # a convention of costcalc
        return True
    return _prices(now.check.convention) == _prices(then.check.convention)


def _prices(convention: Convention) -> dict[str, Any]:
    """Everything in a price list that affects costs."""
    return {name: value for name, value in convention._asdict().items() if name not in _SAYS_ONLY}
