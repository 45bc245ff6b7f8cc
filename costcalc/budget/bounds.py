"""Limits as people write them: `170M`, `4 MiB`, `10%`, `+1%`, `+1% and 2M`. All arithmetic is exact.

Counts have `k M G B` (powers of ten; B as in "a network of 7B"), bytes `B kB MB GB` or `KiB MiB GiB`; a percent is a
share of a total, or a change.
"""

from fractions import Fraction
from typing import NamedTuple

COUNTS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9}
BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
LONGEST = 60  # characters of a limit
PLACES = 12  # decimal places of one


class Bad(Exception):
    """A text that is no limit; says why, and what to write."""

    def __init__(self, message, help=None):
        super().__init__(message)
        self.help = help


class Amount(NamedTuple):
    """A number with a unit, and how it was written: how many decimal places, which unit, a space before it or not."""

    number: Fraction
    places: int
    unit: str
    scale: int
    space: str = ""

    @property
    def value(self):
        """The amount in single things or bytes; a percent as its share of 1."""
        value = self.number * self.scale if self.unit != "%" else self.number / 100
        return value.numerator if value.denominator == 1 else value

    def written(self, value, up=True):
        """Another value in this unit and with these decimal places: the nearest that is not less (or not more)."""
        steps = Fraction(value) * 10**self.places * (100 if self.unit == "%" else 1) / self.scale
        whole = -(-steps.numerator // steps.denominator) if up else steps.numerator // steps.denominator
        digits = f"{abs(whole):0{self.places + 1}d}"
        text = digits[: len(digits) - self.places] + ("." + digits[len(digits) - self.places :] if self.places else "")
        return f"{'-' if whole < 0 else ''}{text}{self.space}{self.unit}"

    def finer(self, value):
        """This amount with a unit and decimal places that leave a value three digits, where its own are too coarse."""
        units = BYTES if self.unit in BYTES and self.unit != "B" else COUNTS
        family = [name for name in units if name[1:] == self.unit[1:] or units[name] == 1]
        found = self
        while found.scale > value and found.unit and found.unit != "%":
            smaller = max((name for name in family if units[name] < found.scale), key=units.get, default="")
            found = found._replace(unit=smaller, scale=units.get(smaller, 1), places=0)
        whole = len(str(int(value / found.scale))) if found.unit != "%" else 3
        most = len(str(found.scale)) - 1  # more would be parts of one thing
        return found._replace(places=max(found.places, min(3 - whole, most)))


class Change(NamedTuple):
    """How much more than the base is allowed: a share, an amount, or both, which must both be exceeded then."""

    parts: tuple[Amount, ...]

    def allowed(self, base):
        """The largest value that is no failure."""
        return base + max(part.value * base if part.unit == "%" else part.value for part in self.parts)


def amount(text, metric, share=False):
    """The Amount of a limit on a metric; a percent only where a `share` of a total makes sense. Raises Bad."""
    found = _amount(text, BYTES if metric.endswith("bytes") else COUNTS, metric)
    if found.unit == "%" and not share:
        raise Bad(f"`{metric}` is limited by a number; `%` is for shares (any_layer, layers) and changes (vs_base)")
    return found


def change(text, metric):
    """The Change of `+1%`, `+2M`, `+0` or `+1% and 2M`. Raises Bad."""
    if not text.startswith("+"):
        help = f"write +{text[:LONGEST]}" if text[:1].isdigit() else None
        raise Bad("a change starts with `+`, as in +1%, +2M, +0, or +1% and 2M", help)
    units = BYTES if metric.endswith("bytes") else COUNTS
    parts = tuple(_amount(part.strip(), units, metric) for part in text[1:].split(" and "))
    if len(parts) > 2 or (len(parts) == 2 and sum(part.unit == "%" for part in parts) != 1):
        raise Bad("a change is a percent, a number, or one of each: +1% and 2M")
    return Change(parts)


def _amount(text, units, metric):
    body = text.strip()
    number = body.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ%").rstrip()
    unit, space = body[len(number) :].strip(), body[len(number) : len(body) - len(body[len(number) :].lstrip())]
    whole, dot, part = number.replace("_", "").partition(".")
    if len(body) > LONGEST or not (whole + part).isascii() or not whole.isdigit() or (dot and not part.isdigit()):
        raise Bad(_why(body, metric))
    if len(part) > PLACES:
        raise Bad(f"a limit has at most {PLACES} decimal places")
    if units is BYTES and not unit and int(whole + part):
        raise Bad("bytes need a unit: B, kB, MB, GB, KiB, MiB or GiB")
    if unit and unit != "%" and unit not in units:
        raise Bad(_wrong_unit(unit, units, metric))
    scale = units.get(unit, 1)
    return Amount(Fraction(int(whole + part), 10 ** len(part)), len(part), unit, scale, space)


def _why(text, metric):
    if text.startswith("-"):
        return "a limit cannot be negative"
    if text.lower() in ("nan", "inf", "infinity", ".inf", ".nan"):
        return f"`{text}` limits nothing"
    example = "4 MiB" if metric.endswith("bytes") else "170M"
    return f"`{text[:LONGEST]}` is not a limit; write it as {example}"


def _wrong_unit(unit, units, metric):
    if units is COUNTS and unit in BYTES:
        return f"`{metric}` is a count, not bytes: its units are k, M and G (powers of ten)"
    if units is BYTES and unit in COUNTS:
        return f"`{metric}` is in bytes: B, kB, MB, GB, KiB, MiB or GiB"
    return f"`{unit}` is no unit; counts have k, M and G, bytes kB, MB, KiB and MiB"
