"""Figures as they are printed: `325M`, `1.19%`. How many digits one has says how exact it is."""

from typing import NamedTuple

COUNTS = ("mult_adds", "flops", "params")
SHARES = ("mult_adds_share", "params_share")  # in percent of the network's total
METRICS = (*COUNTS, *SHARES)
ACCURACIES = ("top1", "top5", "map", "miou", "accuracy")
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
