"""A survey: every model below some directories, each measured in a process with bounded memory and time.

A file that cannot be read, ends its process or takes too much is a row with its reason. What is done is noted in a
journal beside the result, so that a survey that was stopped goes on from there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import limits
from ...arguments import names
from ...errors import FileError, OptionError, Problem
from ...metrics.conventions import price_list
from ...metrics.metrics import metric
from ...read.formats import READERS
from ...records import NamedTuple
from ...render.result import Result
from ..jobs.cluster import workers
from ..jobs.pool import Lost
from .measure import Found, Task, refused

if TYPE_CHECKING:
    from .page import SurveyPage

MEASURE = "costcalc.analysis.survey.measure:measure"
MEMORY = 4 * 2**30  # bytes of address space that one process may have
LAST = 1_000  # files that a process measures before another takes its place
GROWN = 2**29  # bytes that it holds after a file from which on another takes its place
SLOW = 5  # times the limit of processor time that a file may take on the clock
FILES = 1_000_000


class _Surveyed(NamedTuple):
    rows: tuple[Found, ...]
    metrics: tuple[str, ...]
    convention: str


class Survey(Result, _Surveyed):
    """The files that were found, in order of their paths."""

    def page(self) -> SurveyPage:
        """The page that `costcalc survey` prints."""
        from .page import SurveyPage

        return SurveyPage(self)


def survey(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    metrics: str | Sequence[str] = ("mult_adds", "params"),
    convention: str = "paper",
    jobs: int = 1,
    cluster: str | None = None,
    memory: int = MEMORY,
    journal: str | None = None,
    resume: bool = False,
    tell: Callable[[int, int], None] | None = None,
) -> Survey:
    """Every model below some directories: specs, ONNX graphs, Keras configurations, whatever else has a reader.

    metrics, convention  as in `analyze`
    jobs     processes on this machine
    cluster  the address of a Dask scheduler whose workers see the same files, instead
    memory   bytes of address space that one of them may have; 0 is no bound
    journal  a file that notes what is done; with `resume`, what it has of unchanged files is not done again
    tell     called with (files done, files) after each one

    Links to files outside a directory are refused, linked directories not entered. Raises CostcalcError for a path
    that is not there and a metric that is not known; a file that cannot be read is a row.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    wanted = names(metrics, "metrics")
    price_list(convention)
    for name in wanted:
        metric(name, convention)
    where = os.getcwd() if cluster else ""
    found = files([os.fspath(one) for one in given])
    tasks = [Task(path, top, tuple(wanted), convention, where) for path, top in found]
    return Survey(tuple(_measured(tasks, (jobs, cluster, memory), journal, resume, tell)), tuple(wanted), convention)


def files(paths: Iterable[str]) -> list[tuple[str, str]]:
    """(file, the directory that links must not leave), each file once, in order. Raises FileError, OptionError."""
    found: dict[str, str] = {}
    for path in paths:
        if not os.path.lexists(path):
            raise FileError(Problem("no-file", f"there is no file or directory {path!r}"))
        for one, top in _below(path):
            found.setdefault(one, top)
            if len(found) > FILES:
                raise OptionError(Problem("limit", f"more than {FILES:,} files", help="survey a part of them"))
    return sorted(found.items())


def _below(path: str) -> Iterator[tuple[str, str]]:
    if not os.path.isdir(path):
        yield path, os.path.dirname(path) or "."
        return
    for folder, folders, found in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in found:
            if os.path.splitext(name)[1].lower() in READERS and not name.startswith("."):
                yield os.path.join(folder, name), path


def _measured(
    tasks: list[Task],
    how: tuple[int, str | None, int],
    journal: str | None,
    resume: bool,
    tell: Callable[[int, int], None] | None,
) -> list[Found]:
    """The rows of all tasks, those of the journal not measured again."""
    rows = _noted(journal, tasks) if journal and resume else {}
    left = [task for task in tasks if task.path not in rows]
    jobs, cluster, memory = how
    bounds = {"memory": memory, "seconds": SLOW * limits.SECONDS, "tries": 2, "last": LAST, "grown": GROWN}
    pool = workers(MEASURE, max(1, min(jobs, len(left))), cluster, **bounds)
    with pool, open(journal or os.devnull, "a" if resume else "w", encoding="utf-8") as notes:
        for done, (task, result) in enumerate(pool.results(left) if left else ()):
            row = _row(task, result)
            rows[task.path] = row
            notes.write(json.dumps([*_stamp(task), row._asdict()]) + "\n")
            notes.flush()
            if tell:
                tell(len(tasks) - len(left) + done + 1, len(tasks))
    return [rows[task.path] for task in tasks]


def _row(task: Task, result: Any) -> Found:
    if isinstance(result, Lost):
        return refused(task.path, None, None, "lost", result.why)
    return result


def _stamp(task: Task) -> tuple[Any, ...]:
    """What a row holds for: the file as it is, and the question."""
    try:
        about = os.lstat(task.path)
        changed: Any = [about.st_size, about.st_mtime_ns, about.st_ino]
    except OSError:
        changed = None
    return changed, [task.path, task.top, list(task.metrics), task.convention]


def _noted(journal: str, tasks: list[Task]) -> dict[str, Found]:
    """The rows of a journal that still hold; a last line that was cut short is left out."""
    due = {task.path: json.dumps(_stamp(task)) for task in tasks}
    found: dict[str, Found] = {}
    if not os.path.exists(journal):
        return found
    with open(journal, encoding="utf-8") as file:
        for line in file:
            try:
                changed, asked, row = json.loads(line)
            except ValueError:
                continue
            if due.get(row["path"]) == json.dumps([changed, asked]):
                found[row["path"]] = Found(**row)
    return found


def frame_of(survey: Survey) -> Any:
    """The rows as a pandas DataFrame whose numbers stay whole where some are missing."""
    import pandas

    columns, rows = survey.page().records()
    found = pandas.DataFrame(rows, columns=columns)
    whole: Mapping[str, Any] = dict.fromkeys(("bytes", "layers", *survey.metrics), "Int64")
    texts = {name: "string" for name in columns if name not in whole and name != "complete"}
    return found.astype({**whole, **texts, "complete": "boolean"})
