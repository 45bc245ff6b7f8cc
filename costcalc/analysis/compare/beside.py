"""Format two numbers side by side: difference, percentage, ratio, words."""

from __future__ import annotations

from collections import Counter

from ..report.report import Report

_FORM = {float: ".6g"}


def adds_unknown(before: Report, after: Report) -> bool:
    """Whether totals may have risen unnoticed: more layers of unknown cost, or parameters that no row holds."""
    return bool(_unknown(after) - _unknown(before))


def _unknown(side: Report) -> Counter[str]:
    """Count the layers of unknown cost by type."""
    counts = Counter(line.type for line in side.lines if not line.complete)
    if side.accounting is not None and not side.accounting.is_closed:
        counts["parameters"] += 1
    return counts


def number(value: float) -> str:
    """`568,740,352`, or a ratio with six digits."""
    return f"{value:,{_FORM.get(type(value), '')}}"


def bound(text: str, complete: bool) -> str:
    """`>= 568,740,352` for a lower bound."""
    return text if complete else f">= {'0' if text == '-' else text}"


def change(before: int, after: int) -> str:
    """`+6,500,000`, or `-` if nothing changed."""
    return f"{after - before:+,{_FORM.get(type(after), '')}}" if after != before else "-"


def percent(before: int, after: int) -> str:
    """`+3.9 %`, or an empty string if the first is 0."""
    return f"{100 * (after - before) / before:+.1f} %" if before else ""


def times(before: int, after: int) -> str:
    """`8.56x`, the ratio to the first; empty if either is 0."""
    return ratio(after / before) if before and after else ""


def ratio(value: float) -> str:
    """`8.56x`."""
    return f"{value:,.0f}x" if value >= 1000 else f"{value:.3g}x"


def in_words(before: float, after: float, what: str) -> str:
    """`8.56 times fewer mult-adds`."""
    if not before or not after:
        return f"{after:,} {what} against {before:,}"
    if before == after:
        return f"as many {what}"
    larger, word = (after / before, "more") if after > before else (before / after, "fewer")
    return f"{larger:.3g} times {word} {what}"


def count(value: int) -> str:
    """`568,740,352`, or `-` for 0."""
    return number(value) if value else "-"
