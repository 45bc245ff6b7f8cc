"""The limits on input: what `costcalc --help` says of them, and how the environment raises them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .. import limits
from ..errors import OptionError, Problem, brief, listed, nearest

_EXAMPLE = 'write COSTCALC_LIMITS="layers=1000000 nesting=100"'


def stated() -> Iterator[tuple[str, str]]:
    """(heading, text) of the limits that can be raised, and of those that cannot: each with its value and meaning."""
    yield "Limits on input, raised by COSTCALC_LIMITS='layers=1000000 nesting=100'", _text(limits.RAISABLE)
    yield "Limits of the arithmetic", _text(limits.FIXED)


def _text(about: Mapping[str, str]) -> str:
    return "; ".join(f"{name.lower()} {limits.value(name):,}: {meaning}" for name, meaning in about.items())


def apply(text: str) -> None:
    """Raise limits for this run: `layers=1000000 nesting=100`. Raises OptionError."""
    for part in text.replace(",", " ").split():
        name, equals, number = part.partition("=")
        if not equals or not (number.isascii() and number.isdigit() and 0 < len(number) <= limits.DIGITS):
            raise OptionError(Problem("bad-limit", f"COSTCALC_LIMITS: `{brief(part)}` raises no limit", help=_EXAMPLE))
        try:
            limits.raise_to(name, int(number))
        except KeyError:
            names = [one.lower() for one in limits.RAISABLE]
            help = nearest(name, names) or f"limits: {listed(names)}"
            message = f"COSTCALC_LIMITS: there is no limit `{brief(name)}`"
            raise OptionError(Problem("bad-limit", message, help=help)) from None
