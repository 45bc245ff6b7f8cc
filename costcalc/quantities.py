"""Parse written amounts: figures (`325M`, `1.19%`), limits (`4 MiB`, `+1% and 2M`), values and ranges.

A figure printed in a paper is compared digit by digit; a limit is exact. Units of counts are `k M G B` (powers of ten;
B as in "a 7B model"), of bytes `B kB MB GB` or `KiB MiB GiB`. A percentage is a share of a total or a change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import limits
from .errors import OptionError, Problem, brief
from .records import NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

SHARES = ("mult_adds_share", "params_share")  # percentages of the network's total
ACCURACIES = ("top1", "top5", "map", "miou", "accuracy")
VERDICTS = EXACT, ERRATUM, NOT_REPRODUCIBLE, DIFFERS = ("exact", "erratum", "not reproducible", "differs")
LONGEST_FIGURE = 40  # characters of a figure


COUNTS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9}
BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class Unit(NamedTuple):
    """A unit of amounts: its symbol, the scale of each prefixed form, and an example of a limit."""

    symbol: str
    scales: Mapping[str, int]
    example: str


COUNT, BYTE, RATIO = Unit("", COUNTS, "170M"), Unit("B", BYTES, "4 MiB"), Unit("", {"": 1}, "0.75")


_NUMBER = (
    r"(?P<whole>[0-9]{1,3}(,[0-9]{3})+|[0-9][0-9_]*)(\.(?P<part>[0-9][0-9_]*))?(?P<space>\s*)(?P<unit>[A-Za-z]*|%)"
)


class _Written(NamedTuple):
    """A number as written: the digits before and after the decimal point, the space, and the unit."""

    whole: str
    part: str
    space: str
    unit: str

    @property
    def digits(self) -> int:
        """All digits as one integer."""
        return int(self.whole + self.part)


def _written(text: str, longest: int) -> _Written | None:
    """Split a number with a unit into its parts, or None. Commas separate thousands; `_` may separate any digits."""
    match = re.fullmatch(_NUMBER, text, re.ASCII) if len(text) <= longest else None
    if match is None:
        return None
    whole, part = (re.sub("[,_]", "", match[name] or "") for name in ("whole", "part"))
    return _Written(whole, part, match["space"], match["unit"])


class Figure(NamedTuple):
    """A printed figure: its digits as one integer, the number of decimal places, and the value of the unit."""

    digits: int
    places: int
    unit: int

    @property
    def value(self) -> float:
        """The numeric value; an int if it is whole."""
        number, scale = self.digits * self.unit, 10**self.places
        return number // scale if number % scale == 0 else number / scale

    def zeros(self) -> int:
        """The number of trailing zeros of a figure without decimal places, leaving at least two leading digits.

        They may be placeholders: 15300M has three significant digits or five.
        """
        text = str(self.digits)
        return 0 if self.places else min(len(text) - len(text.rstrip("0")), max(len(text) - 2, 0))


class Count(NamedTuple):
    """A computed quantity as a fraction of integers. A lower bound if not complete."""

    number: int
    out_of: int = 1
    complete: bool = True


def figure(text: str, unit: Unit = COUNT) -> Figure | None:
    """Parse a figure in a unit or in percent; None if the text is not a figure."""
    written = _written(text.strip(), LONGEST_FIGURE)
    scale = {**unit.scales, "%": 1}.get(written.unit) if written else None
    return Figure(written.digits, len(written.part), scale) if written and scale else None


def value(text: str, unit: Unit = COUNT) -> int | float | None:
    """The numeric value of a figure: `325M` is 325,000,000 and `1.19%` is 1.19. None if it is not a figure."""
    printed = figure(text, unit)
    return printed.value if printed else None


def agreement(ours: Count, printed: Figure) -> str | None:
    """How a count matches a Figure: `rounded`, `truncated`, an empty string if both, None if it does not match.

    Trailing zeros of a whole number may replace rounded digits: `15300M` also matches 15,346 million, `rounded to 3
    digits`. A lower bound matches no figure.
    """
    number, unit = ours.number * 10**printed.places, ours.out_of * printed.unit
    if not ours.complete:
        return None
    rounded, truncated = _rounds(number, unit, printed.digits), number // unit == printed.digits
    if rounded or truncated:
        return "" if rounded and truncated else "rounded" if rounded else "truncated"
    for zeros in range(1, printed.zeros() + 1):
        if _rounds(number, unit * 10**zeros, printed.digits // 10**zeros):
            return f"rounded to {len(str(printed.digits)) - zeros} digits"
    return None


def _rounds(number: int, unit: int, digits: int) -> bool:
    """Whether number / unit rounds to the digits; halves may round up or to even."""
    up, rest = divmod(2 * number + unit, 2 * unit)
    return digits == up or (rest == 0 and digits == up - 1 and digits % 2 == 0)


LONGEST_LIMIT = 60  # characters of a limit
PLACES = 12  # decimal places of a limit


class Bad(Exception):
    """An invalid limit: the reason, and what to write."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


class Amount(NamedTuple):
    """A number with a unit and its written form: decimal places, unit, and the space before the unit."""

    number: Fraction
    places: int
    unit: str
    scale: int
    space: str = ""

    @property
    def value(self) -> int | Fraction:
        """The amount in single items or bytes; a percentage as a fraction of 1."""
        value = self.number * self.scale if self.unit != "%" else self.number / 100
        return value.numerator if value.denominator == 1 else value

    def written(self, value: int | Fraction, up: bool = True) -> str:
        """Format a value in this unit with as many decimal places, rounded up (or down if `up` is false)."""
        from fractions import Fraction

        steps = Fraction(value) * 10**self.places * (100 if self.unit == "%" else 1) / self.scale
        whole = -(-steps.numerator // steps.denominator) if up else steps.numerator // steps.denominator
        digits = f"{abs(whole):0{self.places + 1}d}"
        text = digits[: len(digits) - self.places] + ("." + digits[len(digits) - self.places :] if self.places else "")
        return f"{'-' if whole < 0 else ''}{text}{self.space}{self.unit}"

    def finer(self, value: Fraction) -> Amount:
        """This amount with a finer unit or more decimal places if needed to show three digits of `value`."""
        units = BYTES if self.unit in BYTES and self.unit != "B" else COUNTS
        family = [name for name in units if name[1:] == self.unit[1:] or units[name] == 1]
        finer = self
        while finer.scale > value and finer.unit and finer.unit != "%":
            smaller = max((name for name in family if units[name] < finer.scale), key=units.__getitem__, default="")
            finer = finer._replace(unit=smaller, scale=units.get(smaller, 1), places=0)
        whole = len(str(int(value / finer.scale))) if finer.unit != "%" else 3
        most = len(str(finer.scale)) - 1  # more would be fractions of one item
        return finer._replace(places=max(finer.places, min(3 - whole, most)))


class Change(NamedTuple):
    """The allowed increase over the base: a percentage, an amount, or both. With both, a failure exceeds both."""

    parts: tuple[Amount, ...]

    def allowed(self, base: int) -> int | Fraction:
        """The largest allowed value."""
        return base + max(part.value * base if part.unit == "%" else part.value for part in self.parts)


def amount(text: str, metric: str, unit: Unit, share: bool = False) -> Amount:
    """Parse a limit on a metric as an Amount; a percentage is accepted only with `share`. Raises Bad."""
    limit = _amount(text, unit, metric)
    if limit.unit == "%" and not share:
        raise Bad(f"`{metric}` is limited by a number; `%` is for shares (any_layer, layers) and changes (vs_base)")
    return limit


def change(text: str, metric: str, unit: Unit) -> Change:
    """Parse a Change: `+1%`, `+2M`, `+0` or `+1% and 2M`. Raises Bad."""
    if not text.startswith("+"):
        help = f"write +{text[:LONGEST_LIMIT]}" if text[:1].isdigit() else None
        raise Bad("a change starts with `+`, as in +1%, +2M, +0, or +1% and 2M", help)
    parts = tuple(_amount(part.strip(), unit, metric) for part in text[1:].split(" and "))
    if len(parts) > 2 or (len(parts) == 2 and sum(part.unit == "%" for part in parts) != 1):
        raise Bad("a change is a percent, a number, or one of each: +1% and 2M")
    return Change(parts)


def _amount(text: str, unit: Unit, metric: str) -> Amount:
    from fractions import Fraction

    body = text.strip()
    written = _written(body, LONGEST_LIMIT)
    if written is None:
        raise Bad(_why(body, unit))
    if len(written.part) > PLACES:
        raise Bad(f"a limit has at most {PLACES} decimal places")
    if not written.unit and "" not in unit.scales and int(written.whole + written.part):
        raise Bad("bytes need a unit: B, kB, MB, GB, KiB, MiB or GiB")
    if written.unit and written.unit != "%" and written.unit not in unit.scales:
        raise Bad(_wrong_unit(written.unit, unit, metric))
    scale, places = unit.scales.get(written.unit, 1), len(written.part)
    return Amount(Fraction(written.digits, 10**places), places, written.unit, scale, written.space)


def _why(text: str, unit: Unit) -> str:
    if text.startswith("-"):
        return "a limit cannot be negative"
    if text.lower() in ("nan", "inf", "infinity", ".inf", ".nan"):
        return f"`{text}` limits nothing"
    return f"`{text[:LONGEST_LIMIT]}` is not a limit; write it as {unit.example}"


def _wrong_unit(written: str, unit: Unit, metric: str) -> str:
    if unit is COUNT and written in BYTES:
        return f"`{metric}` is a count, not bytes: its units are k, M and G (powers of ten)"
    if unit is BYTE and written in COUNTS:
        return f"`{metric}` is in bytes: B, kB, MB, GB, KiB, MiB or GiB"
    if unit is RATIO:
        return f"`{metric}` is a ratio, and has no unit"
    return f"`{written}` is not a unit; counts have k, M and G, bytes kB, MB, KiB and MiB"


def read_value(name: str, text: str) -> float | str:
    """Parse a value: a number, true or false, or a word. Raises OptionError."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
        value = float(text) if len(text) > 40 or re.search(r"[.eE]", text) else int(text)
        if abs(value) < 10**limits.DIGITS:
            return value
        help = f"a number has at most {limits.DIGITS} digits"
        raise OptionError(Problem("bad-value", f"`{name}` cannot be `{brief(text)}`", help=help))
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) and text.lower() not in ("nan", "inf", "infinity"):
        return text
    help = "a number has a decimal point" if re.fullmatch(r"\d+,\d+", text) else "expected a finite number"
    raise OptionError(Problem("bad-value", f"`{name}` cannot be `{brief(text)}`", help=help))


MOST = 10_000_000  # values of one axis


def values(name: str, text: str, read: Callable[[str, str], Any]) -> list[Any]:
    """Parse a list `1,0.75,0.5`, a range `0.25:1.5:0.05`, or a mix of both. `read` parses one value.

    A range includes both ends. It steps in exact decimals, so 0.25:1.5:0.05 includes 1.5.
    """
    result: list[Any] = []
    for part in text.split(","):
        part = part.strip()
        if not part:
            raise _refused("empty-range", name, text, "write values with commas between: 1,0.75,0.5")
        result += _stepped(name, part) if ":" in part else [read(name, part)]
    return result


def _stepped(name: str, text: str) -> list[float]:
    from decimal import Decimal, InvalidOperation

    parts = text.split(":")
    if len(parts) != 3:
        raise _refused("bad-range", name, text, "a range is start:stop:step")
    try:
        start, stop, step = (Decimal(part) for part in parts)
    except InvalidOperation:
        raise _refused("bad-range", name, text, "a range is start:stop:step, in numbers") from None
    if not all(number.is_finite() for number in (start, stop, step)):
        raise _refused("bad-range", name, text, "start, stop and step are finite numbers")
    if step == 0:
        raise _refused("bad-range", name, text, "the step must not be 0")
    if (stop > start) != (step > 0) and stop != start:
        raise _refused("empty-range", name, text, f"a step of {step} does not go from {start} to {stop}")
    try:
        count = int((stop - start) / step) + 1
    except ArithmeticError:
        count = MOST + 1
    if count > MOST:
        message = f"`{name}` has too many values in `{text[:60]}`"
        raise OptionError(Problem("limit", message, help=f"one variable has at most {MOST:,} values"))
    whole = all(number == number.to_integral_value() for number in (start, step))
    return [int(value) if whole else float(value) for value in (start + step * at for at in range(count))]


def _refused(code: str, name: str, text: str, help: str) -> OptionError:
    return OptionError(Problem(code, f"`{name}` has no values in `{text[:60]}`", help=help))
