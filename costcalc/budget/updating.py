"""Limits rewritten in the files that hold them: nothing else in those files changes, comments included."""

import os
import tempfile

from ..errors import FileError, OptionError, Problem
from .bounds import change
from .verdict import ALREADY, FAILING


def updated(outcomes, tighten=False):
    """Rewrite limits to what is there now: the broken ones, or with `tighten` all of them.

    Gives a line for each, old -> new. Raises FileError if a file cannot be written; then none is half-written.
    """
    texts = {}
    for outcome in outcomes:
        for verdict in outcome.verdicts:
            text = _text(verdict, tighten)
            if text is not None and verdict.limit.place is not None:
                _keep(texts, verdict, text, tighten)
    edits: dict = {}
    for place, (text, limit) in texts.items():
        if text != limit.text:
            edits.setdefault(place.source.path, []).append((place, text, limit))
    for path, changes in edits.items():
        _rewrite(path, changes)
    lines = [_line(edit) for changes in edits.values() for edit in sorted(changes, key=lambda edit: edit[0].line)]
    return lines or ["no limit had to change"]


def _keep(texts, verdict, text, tighten):
    """One limit may be judged on many specs: the text that suits all of them stays."""
    place, limit = verdict.limit.place, verdict.limit
    if place not in texts:
        texts[place] = text, limit
        return
    values = {candidate: _value(limit, candidate) for candidate in (texts[place][0], text)}
    choose = min if limit.kind == "min" else max
    texts[place] = choose(values, key=lambda candidate: values[candidate]), limit


def _value(limit, text):
    from .bounds import amount

    if limit.kind == "vs_base":
        return max(part.value for part in change(text, limit.metric).parts)
    return amount(text, limit.metric, share=bool(limit.where)).value


def _text(verdict, tighten):
    """The text that a limit should have; None for one that stays."""
    limit, broken = verdict.limit, verdict.status in (*FAILING, ALREADY)
    if verdict.now is None or not (broken or tighten):
        return limit.text if verdict.now is not None and verdict.status != "skipped" else None
    if limit.kind == "vs_base":
        return _change(verdict) if broken else limit.text
    whole = verdict.allowed / limit.bound.value if limit.bound.unit == "%" and limit.bound.value else 1
    if limit.bound.unit == "%" and not limit.bound.value:
        raise OptionError(Problem("bad-limit", "a limit of 0 % cannot be raised by itself: write one", limit.place))
    return limit.bound.written(verdict.now / whole if whole != 1 else verdict.now, up=limit.kind != "min")


def _change(verdict):
    """A change that allows what is there: its percent raised, or its number where it has no percent."""
    from fractions import Fraction

    parts = list(verdict.limit.bound.parts)
    at = next((number for number, part in enumerate(parts) if part.unit == "%"), 0)
    grown = verdict.now - verdict.base
    if parts[at].unit == "%" and not verdict.base:
        raise OptionError(
            Problem("bad-limit", "there was nothing at the base: no percent allows this", verdict.limit.place)
        )
    share = Fraction(grown, verdict.base) if parts[at].unit == "%" else grown
    texts = [part.written(part.value) for part in parts]
    texts[at] = parts[at].written(share)
    return "+" + " and ".join(texts)


def _line(edit):
    place, text, limit = edit
    where = f"{limit.where} " if limit.where else ""
    return f"{place.source.path}:{place.line}:{place.column}  {where}{limit.metric} {limit.text} -> {text}"


def _rewrite(path, changes):
    """Put the new texts in place of the old ones, last first, and let the new file take the place of the old."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = file.read().splitlines(keepends=True)
    for place, text, _ in sorted(changes, key=lambda edit: (edit[0].line, edit[0].column), reverse=True):
        line, start = lines[place.line - 1], place.column - 1
        old = line[start : start + place.width]
        quote = old[0] if old[:1] in "\"'" and old[-1:] == old[:1] else ""
        lines[place.line - 1] = f"{line[:start]}{quote}{text}{quote}{line[start + place.width :]}"
    _replace(path, "".join(lines))


def _replace(path, text):
    target = os.path.realpath(path)
    try:
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".costcalc-")
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(beside, os.stat(target).st_mode & 0o7777)
        os.replace(beside, target)
    except OSError as error:
        raise FileError(Problem("unwritable", f"cannot write {path!r}: {error.strerror}")) from None
