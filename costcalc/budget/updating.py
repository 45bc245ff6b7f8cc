"""Rewrite limits in their files; everything else in those files, including comments, stays unchanged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ..errors import FileError, OptionError, Problem
from ..files import text
from ..replacing import replacing
from .config import Limit
from .keeping import Edit, Exceptions, kept_exceptions
from .verdict import ALREADY, FAILING, SKIPPED, Checked, Outcome, Verdict


def updated(checked: Checked, raising: bool = True, tighten: Fraction | None = None) -> list[Any]:
    """Rewrite limits to the current cost: raise broken ones; with `tighten`, lower the others.

    A change that adds more than `vs_base` allows gets an exception, and stale exceptions are removed. `tighten` is the
    margin to keep, as a share of the current amount. Returns all edits, each with a `line` that describes it. Raises
    OptionError or FileError if an edit is impossible; then nothing is written.
    """
    edits: dict = {}
    for verdict in (one for one in _judged(checked.outcomes) if one.limit.kind != "vs_base"):
        edit = Edit(verdict.limit.place, verdict.limit, _text(verdict, raising, tighten))
        edits[edit.place] = _looser(edits.get(edit.place), edit)
    made = [edit for edit in edits.values() if edit.text != edit.limit.text]
    kept = kept_exceptions(checked) if raising else Exceptions()
    made = sorted([*made, *kept.raised], key=lambda edit: (edit.place.source.path, edit.place.line, edit.place.column))
    paths = dict.fromkeys([*(edit.place.source.path for edit in made), *kept.paths])
    texts = {path: kept.written(path, _rewritten(path, made)) for path in paths}
    for path, whole in texts.items():
        with replacing(path) as file:
            file.write(whole)
    return [*made, *kept.added, *kept.removed]


def _judged(outcomes: list[Outcome]) -> Iterator[Verdict]:
    """Verdicts of limits in files. Raises OptionError for a limit from options."""
    for verdict in (one for outcome in outcomes for one in outcome.verdicts if one.status != SKIPPED):
        if verdict.limit.place is None:
            help = "leave out --update: it rewrites limits in files"
            raise OptionError(Problem("usage", "limits from options cannot be updated", help=help))
        yield verdict


def _looser(one: Edit | None, other: Edit) -> Edit:
    """Of two edits of a limit that applies to several specs, the one that suits both."""
    if one is None:
        return other
    sign = -1 if one.limit.kind == "min" else 1
    return max(one, other, key=lambda edit: [sign * value for value in _values(edit)])


def _values(edit: Edit) -> list[Any]:
    from ..metrics.metrics import unit_of
    from ..quantities import amount

    limit, unit = edit.limit, unit_of(edit.limit.metric)
    return [amount(edit.text, limit.metric, unit, share=bool(limit.where)).value]


def _text(verdict: Verdict, raising: bool, tighten: Fraction | None) -> str:
    """New text of a limit."""
    limit, broken = verdict.limit, verdict.status in (*FAILING, ALREADY)
    if broken:
        return _written(limit, verdict.furthest) if raising else limit.text
    if tighten is None:
        return limit.text
    sign = -1 if limit.kind == "min" else 1
    room = verdict.furthest * (1 + sign * tighten)
    tight = limit.bound.finer(room).written(room, up=limit.kind != "min")
    return tight if sign * _values(Edit(limit.place, limit, tight))[0] < sign * limit.bound.value else limit.text


def _written(limit: Limit, value: int | Fraction) -> str:
    return limit.bound.written(value, up=limit.kind != "min")


def _rewritten(path: str, edits: list[Edit]) -> str:
    """Text of a file with the new limits; they are replaced from the last to the first."""
    _require_file(path)
    with open(path, encoding="utf-8", newline="") as file:
        whole = file.read()
    bom = whole[:1] if whole[:1] == "\ufeff" else ""
    lines = whole.removeprefix(bom).splitlines(keepends=True)
    for edit in reversed([edit for edit in edits if edit.place.source.path == path]):
        place = edit.place
        line, start = lines[place.line - 1], place.column - 1
        old = line[start : start + place.width]
        quote = old[0] if old[:1] in ("'", '"') else ""
        if old != f"{quote}{edit.limit.text}{quote}":
            help = "write it on one line, as in mult_adds: 170M"
            raise FileError(Problem("unwritable", "this limit cannot be rewritten in its current form", place, help))
        lines[place.line - 1] = f"{line[:start]}{quote}{edit.text}{quote}{line[start + place.width :]}"
    return bom + "".join(lines)


def _require_file(path: str) -> None:
    if not os.path.isfile(path):
        raise FileError(Problem("unwritable", f"{path!r} is a shipped config, which is not rewritten"))
    text(path)  # raises if it is too large
