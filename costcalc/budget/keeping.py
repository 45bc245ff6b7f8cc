"""Maintain the `exceptions:` of a file of checks for `check --update`: add, raise, and remove stale ones."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import CostcalcError, FileError, Problem, Source
from ..files import Folder
from ..records import NamedTuple
from ..render.text import printable
from .config import Limit, config_of, key_for
from .entries import Unwritable, added, without
from .exempting import exact, titled
from .verdict import GREW, Checked, Outcome, Verdict

if TYPE_CHECKING:
    from ..errors import Place
    from .config import Exemption

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*", re.ASCII)
_HELP = "write `exceptions:` as a list of lines that start with `- `, below `checks:`"


class Edit(NamedTuple):
    """One limit in its file, and its new text."""

    place: Any  # a Place: edited limits are always in a file
    limit: Limit
    text: str

    @property
    def line(self) -> str:
        """`costcalc.yaml:5:18  mult_adds 170M -> 182M`."""
        where = f"{self.limit.where} " if self.limit.where else ""
        return f"{_spot(self.place)}  {self.limit.kind} {where}{self.limit.metric} {self.limit.text} -> {self.text}"


class Added(NamedTuple):
    """A new exception: its limit, and the content of its entry."""

    path: str
    limit: Limit
    spec: str
    at: dict[str, Any]
    counted_by: str
    before: str
    most: str

    @property
    def line(self) -> str:
        """`costcalc.yaml: exception added: models/net.yaml mult_adds 2500000 -> 2626000, +1% stays`."""
        title = " ".join((self.spec, *(f"{name}={_word(value)}" for name, value in self.at.items())))
        said = f"{title} {self.limit.metric} {self.before} -> {self.most}"
        return f"{self.path}  exception added: {said}; the limit {self.limit.text} stays"

    @property
    def read(self) -> tuple[Any, ...]:
        """Content that the entry must have when it is read back."""
        return self.spec, key_for(self.at, self.counted_by, self.limit.metric), self.before, self.most

    @property
    def entry(self) -> list[str]:
        """Lines of the entry."""
        at = ", ".join(f"{_text(name)}: {_word(value)}" for name, value in self.at.items())
        lines = [f"spec: {_text(self.spec)}", *([f"at: {{{at}}}"] if at else [])]
        lines += [f"convention: {_text(self.counted_by)}"] if self.counted_by != "paper" else []
        return [*lines, f"metric: {self.limit.metric}", f"from: {self.before}", f"to: {self.most}"]


class Removed(NamedTuple):
    """A removed stale exception."""

    exemption: Exemption

    @property
    def line(self) -> str:
        """`costcalc.yaml:9:11  stale exception removed: models/net.yaml mult_adds`."""
        return (
            f"{_spot(self.exemption.place)}  stale exception removed: {titled(self.exemption)} {self.exemption.metric}"
        )


class Exceptions(NamedTuple):
    """Changes to the lists of exceptions."""

    added: tuple[Added, ...] = ()
    raised: tuple[Edit, ...] = ()
    removed: tuple[Removed, ...] = ()

    @property
    def paths(self) -> list[str]:
        """Files that change."""
        return [*(one.path for one in self.added), *(one.exemption.place.source.path for one in self.removed)]

    def written(self, path: str, whole: str) -> str:
        """Text of a file with its entries added and removed. Raises FileError if its list cannot be edited."""
        gone = [one.exemption for one in self.removed if one.exemption.place.source.path == path]
        new = [one for one in self.added if one.path == path]
        if not gone and not new:
            return whole
        bom = whole[:1] if whole[:1] == "\ufeff" else ""
        lines = whole.removeprefix(bom).splitlines(keepends=True)
        try:
            if gone:
                lines = without(lines, "exceptions", [one.place.line - 1 for one in gone])
            if new:
                lines = added(lines, "exceptions", [one.entry for one in new])
            text = bom + "".join(lines)
            _verify(path, whole, text, gone, new)
        except (Unwritable, CostcalcError) as error:
            message = f"the exceptions in {path!r} cannot be rewritten in their current form"
            raise FileError(Problem("unwritable", message, help=_HELP)) from error
        return text


def kept_exceptions(checked: Checked) -> Exceptions:
    """Exceptions that a run needs, and those that are stale."""
    new: dict[Any, Added] = {}
    raised: dict[Any, Edit] = {}
    grown = [(one, each) for one in checked.outcomes for each in one.verdicts if each.status == GREW]
    for outcome, verdict in grown:
        metric = verdict.limit.metric
        most = exact(verdict.now, metric, up=True)
        if verdict.exemption:
            old = verdict.exemption
            limit = Limit("exception", metric, titled(old), None, old.most_text, old.most_place)
            raised[old.most_place] = Edit(old.most_place, limit, most)
        else:
            one = _added(outcome, verdict, most)
            new.setdefault((*one.entry[:-1],), one)
    return Exceptions(
        tuple(new.values()), tuple(raised.values()), tuple(Removed(one.exemption) for one in checked.stale)
    )


def _added(outcome: Outcome, verdict: Verdict, most: str) -> Added:
    limit, check = verdict.limit, outcome.check
    place: Any = limit.place
    path = place.source.path
    spec = os.path.relpath(outcome.spec, os.path.dirname(path) or ".").replace(os.sep, "/")
    if any(char in spec for char in "*?:\\") or not spec.isprintable():
        message = f"no exception can name {printable(spec)!r}"
        raise FileError(Problem("unwritable", message, help="rename the file: a path has no `*`, `?`, `:` or `\\`"))
    before = exact(verdict.base, limit.metric)
    return Added(path, limit, spec, dict(outcome.settings), check.counted_by, before, most)


def _verify(path: str, before: str, after: str, gone: Iterable[Exemption], new: Iterable[Added]) -> None:
    """Raise Unwritable unless the new text equals the old one except for these entries."""
    folder = Folder(os.path.dirname(path))
    old, now = (config_of(Source(path, text), folder) for text in (before, after))
    wanted = Counter(map(_entry, old.exceptions))
    wanted.subtract(map(_entry, gone))
    wanted.update(one.read for one in new)
    is_same = [one.spec for one in old.checks] == [one.spec for one in now.checks]
    if not is_same or +wanted != Counter(map(_entry, now.exceptions)):
        raise Unwritable


def _entry(one: Exemption) -> tuple[Any, ...]:
    return one.spec, one.key, exact(one.before, one.metric), exact(one.most, one.metric)


def _spot(place: Place) -> str:
    return f"{place.source.path}:{place.line}:{place.column}"


def _text(text: str) -> str:
    """A text as YAML, quoted if it could be read as something else."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _word(value: Any) -> str:
    """Value of a setting in the form that `at:` takes."""
    return str(value).lower() if value is True or value is False else str(value)
