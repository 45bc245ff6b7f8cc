"""The table of results by family."""

from collections import Counter
from collections.abc import Sequence

from .judge import RIGHT, VERDICTS, Verdict

HEADS = ("library", "family", *VERDICTS)


def table(found: Sequence[Verdict]) -> str:
    """A Markdown table: the number of models per family and result, and the totals per library."""
    lines = [_line(HEADS), _line([":--", ":--", *["--:"] * len(VERDICTS)])]
    for library in dict.fromkeys(one.entry.library for one in found):
        mine = [one for one in found if one.entry.library == library]
        families = dict.fromkeys(one.entry.family for one in mine)
        lines += [_counts(library, family, [one for one in mine if one.entry.family == family]) for family in families]
        lines.append(_counts(f"**{library}**", f"{len(families)} families, {len(mine)} models", mine))
    return "\n".join(lines)


def others(found: Sequence[Verdict]) -> str:
    """A Markdown table of results that are not right, with figures and reasons."""
    lines = [_line(("model", "verdict", "params / mult-adds", "expected", "why")), _line([":--"] * 5)]
    for one in found:
        if one.verdict != RIGHT:
            name = f"{one.entry.library} {one.entry.name}"
            lines.append(_line((name, one.verdict, figures(one.said), figures(one.due), one.why.replace("|", "\\|"))))
    return "\n".join(lines)


def line(one: Verdict) -> str:
    """One line about a model, shown as progress."""
    text = f"{one.verdict:10} {one.entry.library} {one.entry.name} [{one.seconds:.0f} s]"
    return f"{text} {figures(one.said)}; expected {figures(one.due)} {one.why}".rstrip()


def figures(pair: tuple[int, int] | None) -> str:
    """Params and mult-adds, formatted for the tables."""
    return " / ".join(f"{one:,}" for one in pair) if pair else ""


def _counts(library, family, found):
    counts = Counter(one.verdict for one in found)
    return _line((library, family, *(str(counts[name] or "") for name in VERDICTS)))


def _line(cells):
    return f"| {' | '.join(cells)} |"
