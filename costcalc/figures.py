"""Figures as they are printed, `325M` or `1.19%`, and whether a count has their digits."""

from typing import NamedTuple

COUNTS = ("mult_adds", "flops", "params")
SHARES = ("mult_adds_share", "params_share")  # in percent of the network's total
METRICS = (*COUNTS, *SHARES)
ACCURACIES = ("top1", "top5", "map", "miou", "accuracy")
VERDICTS = EXACT, ERRATUM, NOT_REPRODUCIBLE, DIFFERS = ("exact", "erratum", "not reproducible", "differs")
LONGEST = 40  # characters of a figure
_UNITS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "%": 1}


class Figure(NamedTuple):
    """A printed figure: its digits as one whole number, how many are decimal places, and what a 1 is worth."""

    digits: int
    places: int
    unit: int

    @property
    def value(self):
        """The number: whole if it is a whole one."""
        number, scale = self.digits * self.unit, 10**self.places
        return number // scale if number % scale == 0 else number / scale

    def zeros(self):
        """How many zeros end a figure without decimal places, at least two other digits before them.

        They may stand for digits that are not known: 15300M is three digits or five.
        """
        text = str(self.digits)
        return 0 if self.places else min(len(text) - len(text.rstrip("0")), max(len(text) - 2, 0))


class Count(NamedTuple):
    """What is computed: a fraction of whole numbers. A lower bound if not complete."""

    number: int
    out_of: int = 1
    complete: bool = True


def figure(text):
    """The figure that a text is, or None."""
    body = text.replace("_", "").replace(",", "").strip()
    unit = body[-1:] if body[-1:] in _UNITS else ""
    whole, dot, part = body.removesuffix(unit).rstrip().partition(".")
    if len(text) > LONGEST or not _is_digits(whole) or (dot and not _is_digits(part)):
        return None
    return Figure(int(whole + part), len(part), _UNITS[unit])


def value(text):
    """The number that a figure says: `325M` is 325,000,000 and `1.19%` is 1.19. None if it is no figure."""
    found = figure(text)
    return found.value if found else None


def _is_digits(text):
    return text.isascii() and text.isdigit()


def agreement(ours, printed):
    """How a count has the digits of a Figure: `rounded`, `truncated`, nothing if either way; None if not.

    Zeros that end a whole number may stand for digits that were rounded away: `15300M` is also 15,346 million,
    `rounded to 3 digits`. A lower bound agrees with no figure.
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


def _rounds(number, unit, digits):
    """Whether number / unit rounds to the digits, a half either up or to an even digit."""
    up, rest = divmod(2 * number + unit, 2 * unit)
    return digits == up or (rest == 0 and digits == up - 1 and digits % 2 == 0)
