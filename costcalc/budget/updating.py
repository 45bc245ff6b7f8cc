"""Limits rewritten in the files that hold them: nothing else in those files changes, comments included."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

from ..errors import FileError, OptionError, Problem
from ..files import text
from ..records import NamedTuple
from ..replacing import replacing
from .config import Limit
from .verdict import ALREADY, FAILING, Outcome, Verdict


class Edit(NamedTuple):
    """One limit in its file, and the text that it gets."""

    place: Any  # a Place: limits that are edited are written in a file
    limit: Limit
    text: str

    @property
    def line(self) -> str:
        """`costcalc.yaml:5:18  mult_adds 170M -> 182M`."""
        where = f"{self.limit.where} " if self.limit.where else ""
        spot = f"{self.place.source.path}:{self.place.line}:{self.place.column}"
        return f"{spot}  {self.limit.kind} {where}{self.limit.metric} {self.limit.text} -> {self.text}"


def updated(outcomes: list[Outcome], raising: bool = True, tighten: Fraction | None = None) -> list[Edit]:
    """Rewrite limits to the current cost: raise broken ones; with `tighten`, lower the others.

    `tighten` is the margin that stays, as a share of what is there now. Gives the Edits, made in all files. Raises
    OptionError or FileError where one cannot be made; then none is.
    """
    edits: dict = {}
    for outcome in outcomes:
        for verdict in (one for one in outcome.verdicts if one.status != "skipped"):
            if verdict.limit.place is None:
                help = "leave --update out: it rewrites limits of a file"
                raise OptionError(Problem("usage", "limits from options cannot be updated", help=help))
            edit = Edit(verdict.limit.place, verdict.limit, _text(verdict, raising, tighten))
            edits[edit.place] = _looser(edits.get(edit.place), edit)
    made = [edit for edit in edits.values() if edit.text != edit.limit.text]
    made.sort(key=lambda edit: (edit.place.source.path, edit.place.line, edit.place.column))
    texts = {path: _rewritten(path, made) for path in dict.fromkeys(edit.place.source.path for edit in made)}
    for path, whole in texts.items():
        with replacing(path) as file:
            file.write(whole)
    return made


def _looser(one: Edit | None, other: Edit) -> Edit:
    """Of two edits of one limit, which is judged on many specs, the one that suits both."""
    if one is None:
        return other
    sign = -1 if one.limit.kind == "min" else 1
    return max(one, other, key=lambda edit: [sign * value for value in _values(edit)])


def _values(edit: Edit) -> list[Any]:
    from ..metrics.metrics import unit_of
    from ..quantities import amount, change

    limit, unit = edit.limit, unit_of(edit.limit.metric)
    if limit.kind == "vs_base":
        return [part.value for part in change(edit.text, limit.metric, unit).parts]
    return [amount(edit.text, limit.metric, unit, share=bool(limit.where)).value]


def _text(verdict: Verdict, raising: bool, tighten: Fraction | None) -> str:
    """The text that a limit should have."""
    limit, broken = verdict.limit, verdict.status in (*FAILING, ALREADY)
    if limit.kind == "vs_base":
        return _change(verdict) if broken and raising else limit.text
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


def _change(verdict: Verdict) -> str:
    """A change that allows what is there: its percent raised, or its number where it has no percent."""
    parts = list(verdict.limit.bound.parts)
    at = next((number for number, part in enumerate(parts) if part.unit == "%"), 0)
    grown = verdict.now - verdict.base
    if parts[at].unit == "%" and not verdict.base:
        message = "there was nothing at the base: no percent allows this"
        raise OptionError(Problem("bad-limit", message, verdict.limit.place, "allow a number, such as +2M"))
    share = Fraction(grown, verdict.base) if parts[at].unit == "%" else grown
    texts = [part.written(part.value) for part in parts]
    texts[at] = parts[at].written(share)
    return "+" + " and ".join(texts)


def _rewritten(path: str, edits: list[Edit]) -> str:
    """The text of a file with the new limits in place of the old ones, last first."""
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
            raise FileError(Problem("unwritable", "this limit cannot be rewritten as it stands", place, help))
        lines[place.line - 1] = f"{line[:start]}{quote}{edit.text}{quote}{line[start + place.width :]}"
    return bom + "".join(lines)


def _require_file(path: str) -> None:
    if not os.path.isfile(path):
        raise FileError(Problem("unwritable", f"{path!r} is a shipped config, which is not rewritten"))
    text(path)  # is still what it was: a text of bearable size
