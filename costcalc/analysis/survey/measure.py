"""Measure one file of a survey, in a separate process: its cost, or the reason of a failure."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from ...allowance import ticking, within
from ...errors import CostcalcError
from ...files import check_links, opened
from ...metrics.gaps import uncounted
from ...metrics.metrics import metric
from ...read.loading import load
from ...records import NamedTuple
from ..report.analyze import analyze

CHUNK = 2**20  # bytes hashed at once


class Task(NamedTuple):
    """A file, the directory that links must not leave, the metrics and convention, and the base of relative paths."""

    path: str
    top: str
    metrics: tuple[str, ...]
    convention: str
    where: str = ""  # for a worker on another machine, whose working directory differs


class Found(NamedTuple):
    """A row of a survey. A refused file has an error code and a reason instead of a name, layers and metrics."""

    path: str
    size: int | None
    sha256: str | None
    name: str | None = None
    layers: int | None = None
    complete: bool | None = None
    metrics: dict[str, int] | None = None
    error: str | None = None
    reason: str | None = None
    uncounted: str | None = None  # work that the convention counts 0 for: `mac of gru; mac_attention of attention`


def measure(task: Task) -> Found:
    """Row of a file. Every failure is a refusal with its reason."""
    size, digest = None, None
    path, top = (os.path.join(task.where, one) for one in (task.path, task.top))
    try:
        with ticking(), within("seconds", f"reading {task.path!r}"):
            check_links(path, top)
            size, digest = _hashed(path)
            model = load(path, top)
            report = analyze(model, metrics=task.metrics, convention=task.convention)
            totals = {name: int(report.totals[name]) for name in task.metrics}
            left_out = uncounted(report.trace.rows, [metric(name, task.convention) for name in task.metrics])
            unpriced = "; ".join(f"{one['quantity']} of {one['type']}" for one in left_out)
        about = model.name, len(report.lines), report.complete, totals
        row = Found(task.path, size, digest, *about, uncounted=unpriced)
    except CostcalcError as error:
        first = error.problems[0]
        message = first.message.replace(os.path.join(task.where, ""), "") if task.where else first.message
        row = refused(task.path, size, digest, first.code, message)
    except MemoryError:
        raise
    except Exception as error:
        row = refused(task.path, size, digest, "internal-error", f"a bug in costcalc: {type(error).__name__}")
    return row


def refused(path: str, size: int | None, digest: str | None, code: str, reason: str) -> Found:
    """Row of a file without costs."""
    return Found(path, size, digest, error=code, reason=" ".join(reason.split())[:500])


def of_note(note: dict[str, Any], metrics: Any) -> Found | None:
    """Row recorded in a journal, of a file that was read or refused; None if the note is malformed."""
    match note:
        case {
            "size": int(),
            "sha256": str(),
            "name": str(),
            "layers": int(),
            "complete": bool(),
            "uncounted": str(),
            "error": None,
        }:
            numbers = note.get("metrics")
            fits = isinstance(numbers, dict) and [*numbers] == metrics and all(map(_is_whole, numbers.values()))
        case {"size": int() | None, "sha256": str() | None, "metrics": None, "error": str(), "reason": str()}:
            fits = True
        case _:
            fits = False
    return Found(**note) if fits and {*note} == {*Found._fields} else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _hashed(path: str) -> tuple[int, str]:
    """Size and SHA-256 of a regular file. Raises FileError."""
    digest = hashlib.sha256()
    with opened(path) as file:
        while data := file.read(CHUNK):
            digest.update(data)
        return os.fstat(file.fileno()).st_size, digest.hexdigest()
