"""A sweep in partitions, which other processes compute and which become a dataset of Parquet files.

A partition is a fixed number of chunks, so the files do not depend on the processes. A file gets its name when it is
complete, so an interrupted sweep resumes with the missing files. `_costcalc.json` describes the points.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...errors import FileError, OptionError, Problem
from ...files import text
from ...metrics.metrics import metric
from ...model.uncollected import uncollected
from ...records import NamedTuple
from ...replacing import remove_unfinished, replacing
from ..jobs.journal import notes, opened_journal
from ..jobs.parcel import Parcel, parquet_of, unpacked
from ..jobs.pool import Lost, workers
from .sweep import COMPLETE, Chunk, Evaluation

if TYPE_CHECKING:
    import pandas

COMPUTED = "costcalc.analysis.sweep.partitions:computed"
CHUNKS = 2  # of a partition: about a million points
ABOUT, NOTES = "_costcalc.json", "_parts.jsonl"  # readers of Parquet datasets skip names that start with `_`


class Question(NamedTuple):
    """What to compute at every point."""

    parcel: Parcel
    names: tuple[str, ...]
    metrics: tuple[str, ...]
    convention: Any
    skip_invalid: bool
    as_parquet: bool


class Partition(NamedTuple):
    """The points of a partition and its number."""

    number: int
    question: Question
    chunks: tuple[Chunk, ...]


class Part(NamedTuple):
    """The result of a partition: a Parquet file's bytes or a frame, the number of points, and the points left out."""

    data: Any
    rows: int
    skipped: dict[str, int]


def computed(task: Partition) -> Part:
    """The result of a partition. Raises CostcalcError."""
    import pandas

    asked = task.question
    model = unpacked(asked.parcel)
    wanted = [metric(name, asked.convention) for name in asked.metrics]
    evaluation = Evaluation(model, wanted, asked.skip_invalid)
    frames: list[Any] = []
    skipped: dict[str, int] = {}
    for chunk in task.chunks:
        with uncollected():
            found = evaluation.at(chunk)
        for reason, count in found.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + count
        columns = {name: found.columns[name] for name in (*asked.names, *asked.metrics)}
        frames.append(pandas.DataFrame({**columns, "complete": found.columns[COMPLETE]}))
    frame = pandas.concat(frames, ignore_index=True)
    return Part(parquet_of(frame) if asked.as_parquet else frame, len(frame), skipped)


def partitions(question: Question, space: Any) -> Iterator[Partition]:
    """The partitions of a space, in order."""
    chunks, number = space.chunks(), 0
    while some := tuple(islice(chunks, CHUNKS)):
        yield Partition(number, question, some)
        number += 1


def in_order(
    question: Question, space: Any, jobs: int, cluster: str | None, tell: Callable[[int], None]
) -> Iterator[tuple[pandas.DataFrame, dict[str, int]]]:
    """(frame, points left out) of all partitions in order, computed in parallel. Raises CostcalcError."""
    early: dict[int, Part] = {}
    due = 0
    with workers(COMPUTED, jobs, cluster) as pool:
        for task, part in pool.results(partitions(question, space)):
            early[task.number] = _found(part)
            while due in early:
                one = early.pop(due)
                due += 1
                tell(one.rows + sum(one.skipped.values()))
                yield one.data, one.skipped


def to_dataset(
    question: Question,
    space: Any,
    about: Mapping[str, Any],
    folder: str,
    how: tuple[int, str | None, bool],
    tell: Callable[[int], None],
) -> dict[str, int]:
    """Write a dataset. Returns the points left out, by reason. `how`: processes, scheduler, whether to resume.

    Raises CostcalcError, also for a directory with a dataset of another question, or with any dataset unless resuming.
    """
    jobs, cluster, resume = how
    done = _opened(question, space, folder, resume)
    for one in done.values():
        tell(one["rows"] + sum(one["skipped"].values()))
    left = (one for one in partitions(question, space) if one.number not in done)
    with workers(COMPUTED, jobs, cluster) as pool, opened_journal(os.path.join(folder, NOTES), True) as file:
        for task, result in pool.results(left):
            part = _found(result)
            name = _file_of(task.number)
            with replacing(os.path.join(folder, name), True) as out:
                out.write(part.data)
            digest = hashlib.sha256(part.data).hexdigest()
            note = {"file": name, "rows": part.rows, "skipped": part.skipped, "sha256": digest}
            done[task.number] = note
            file.write(json.dumps([task.number, note]) + "\n")
            file.flush()
            tell(part.rows + sum(part.skipped.values()))
    parts = [note for _, note in sorted(done.items())]
    with replacing(os.path.join(folder, ABOUT)) as out:
        head = {**about, "fingerprint": _fingerprint(question, space), "points": sum(one["rows"] for one in parts)}
        out.write(json.dumps({**head, "parts": parts}, indent=1) + "\n")
    os.unlink(os.path.join(folder, NOTES))
    return _totalled(one["skipped"] for one in parts)


def _found(result: Any) -> Part:
    if isinstance(result, Lost):
        raise FileError(
            Problem("lost", f"a partition was lost: {result.why}", help="--resume computes what is missing")
        )
    return result


def _totalled(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in parts:
        for reason, count in one.items():
            found[reason] = found.get(reason, 0) + count
    return found


def _fingerprint(question: Question, space: Any) -> str:
    """A digest of the network, the points and the question."""
    digest = hashlib.sha256()
    parcel = question.parcel
    for one in (parcel.source, *parcel.included):
        digest.update(one.data or one.text.encode())
    digest.update(repr((question[1:-1], type(space).__name__, parcel.storage, CHUNKS)).encode())
    for part in space:
        for name, values in part.items() if hasattr(part, "items") else [("", [part])]:
            digest.update(name.encode() + repr(list(values)).encode())
    return digest.hexdigest()


def _opened(question: Question, space: Any, folder: str, resume: bool) -> dict[int, Any]:
    """The partitions that have complete files. Raises FileError, OptionError."""
    path, due = os.path.join(folder, NOTES), _fingerprint(question, space)
    try:
        os.makedirs(folder, exist_ok=True)
        if resume:
            remove_unfinished(folder)
        names = os.listdir(folder)
    except OSError as error:
        raise FileError(Problem("unwritable", f"cannot write {folder!r}: {error.strerror}")) from None
    if not resume or not names:
        if names:
            message = f"{folder!r} is not empty"
            raise OptionError(Problem("usage", message, help="--resume continues it; or name another"))
        with opened_journal(path, False) as file:
            file.write(json.dumps(due) + "\n")
        return {}
    if ABOUT in names:
        return _finished(folder, due)
    return _noted(folder, path, due)


def _finished(folder: str, due: str) -> dict[int, Any]:
    """The partitions of a finished dataset."""
    try:
        found = json.loads(text(os.path.join(folder, ABOUT)))
    except (ValueError, RecursionError):
        found = None
    match found:
        case {"fingerprint": str() as held, "parts": list() as parts} if held == due:
            done = dict(enumerate(parts))
            if all(map(_is_note, done, done.values())):
                return done
    raise _other(folder)


def _noted(folder: str, path: str, due: str) -> dict[int, Any]:
    """The partitions in the notes that have files."""
    first, *others = [*notes(path)] or [None]
    if first != due:
        raise _other(folder)
    found: dict[int, Any] = {}
    for one in others:
        match one:
            case [int() as number, note] if _is_note(number, note):
                if os.path.exists(os.path.join(folder, note["file"])):
                    found[number] = note
    with replacing(path) as out:
        out.write("".join(json.dumps(one) + "\n" for one in (due, *map(list, found.items()))))
    return found


def _is_note(number: int, note: Any) -> bool:
    """Whether a value has the form of a sweep's note about a partition."""
    match note:
        case {"file": str() as file, "rows": int(), "skipped": dict() as skipped, "sha256": str()}:
            return file == _file_of(number) and all(isinstance(count, int) for count in skipped.values())
    return False


def _file_of(number: int) -> str:
    return f"part-{number:06}.parquet"


def _other(folder: str) -> OptionError:
    message = f"{folder!r} has no sweep of these points and metrics"
    return OptionError(Problem("usage", message, help="name another directory"))
