"""Survey: measure every model below some directories, each in a process with bounded memory and time.

A file that cannot be read, crashes its process or exceeds a bound is a row with its reason. Finished files are written
to a journal beside the result, so an interrupted survey can resume.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from ... import __version__, limits
from ...arguments import names
from ...errors import FileError, OptionError, Problem
from ...metrics.conventions import price_list
from ...metrics.metrics import is_metric, metric
from ...read.loading import READERS
from ...records import NamedTuple
from ...render import Result
from ...render.json_ import SCHEMA_VERSION
from ...render.sheet import Column, Sheet
from ...render.text import printable
from ..jobs.journal import notes, opened_journal
from ..jobs.pool import Lost, workers
from ..report.columns import by_others
from .measure import Found, Task, of_note, refused

MEASURE = "costcalc.analysis.survey.measure:measure"
MEMORY = 4 * 2**30  # bytes of address space that one process may have
LAST = 1_000  # files after which a process is replaced
GROWN = 2**29  # resident bytes after a file from which a process is replaced
SLOW = 5  # limit of elapsed time, as a multiple of the limit of processor time
FILES = 1_000_000


class _Surveyed(NamedTuple):
    rows: tuple[Found, ...]
    metrics: tuple[str, ...]
    convention: str


class Survey(Result, _Surveyed):
    """The files of a survey, in order of their paths."""

    def page(self) -> SurveyPage:
        """Output of `costcalc survey`."""
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
    """Measure every model below some directories: specs, ONNX graphs, Keras configurations, every other known format.

    metrics, convention  as in `analyze`
    jobs     processes on this machine
    cluster  instead: the address of a Dask scheduler whose workers see the same files
    memory   bytes of address space of each process; 0 means no limit
    journal  file to which finished files are written; with `resume`, unchanged files in it are skipped
    tell     called with (files done, files) after each file

    Links to files outside a directory are refused, and linked directories are not entered. Raises CostcalcError for a
    missing path and an unknown metric; a file that cannot be read is a row.
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
    """(file, directory that links must not leave), each file once, in order. Raises FileError, OptionError."""
    tops: dict[str, str] = {}
    for path in paths:
        if not os.path.lexists(path):
            raise FileError(Problem("no-file", f"there is no file or directory {path!r}"))
        for one, top in _below(path):
            tops.setdefault(one, top)
            if len(tops) > FILES:
                raise OptionError(Problem("limit", f"more than {FILES:,} files", help="survey a part of them"))
    return sorted(tops.items())


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
    """Rows of all tasks; those in the journal are not measured again."""
    rows = _noted(journal, tasks) if journal and resume else {}
    left = [task for task in tasks if task.path not in rows]
    jobs, cluster, memory = how
    bounds = {"memory": memory, "seconds": SLOW * limits.SECONDS, "tries": 2, "last": LAST, "grown": GROWN}
    pool = workers(MEASURE, max(1, min(jobs, len(left))), cluster, **bounds)
    with pool, opened_journal(journal, resume) if journal else nullcontext() as file:
        for done, (task, result) in enumerate(pool.results(left) if left else ()):
            row = _row(task, result)
            rows[task.path] = row
            if file:
                file.write(json.dumps([*_stamp(task), row._asdict()]) + "\n")
                file.flush()
            if tell:
                tell(len(tasks) - len(left) + done + 1, len(tasks))
    return [rows[task.path] for task in tasks]


def _row(task: Task, result: Any) -> Found:
    if isinstance(result, Lost):
        return refused(task.path, None, None, "lost", result.why)
    return result


def _stamp(task: Task) -> tuple[Any, ...]:
    """Key of a row: the state of the file, and the request."""
    try:
        about = os.lstat(task.path)
        changed: Any = [about.st_size, about.st_mtime_ns, about.st_ino]
    except OSError:
        changed = None
    return changed, [task.path, task.top, list(task.metrics), task.convention]


def _noted(journal: str, tasks: list[Task]) -> dict[str, Found]:
    """Rows of a journal that are still valid; an incomplete last line is skipped."""
    due = {task.path: json.dumps(_stamp(task)) for task in tasks}
    rows: dict[str, Found] = {}
    for note in notes(journal):
        match note:
            case [changed, [_, _, metrics, _] as asked, {"path": str() as path} as noted]:
                row = of_note(noted, metrics)
                if row and due.get(path) == json.dumps([changed, asked]):
                    rows[path] = row
    return rows


def frame_of(survey: Survey) -> Any:
    """The rows as a pandas DataFrame; numbers stay integers even if some are missing."""
    import pandas

    columns, rows = survey.page().records()
    for row in rows:  # names that are not valid text are shown as in CSV
        row["path"] = row["path"].encode(errors="backslashreplace").decode()
    frame = pandas.DataFrame(rows, columns=columns)
    whole: Mapping[str, Any] = dict.fromkeys(("bytes", "layers", *survey.metrics), "Int64")
    texts = {name: "string" for name in columns if name not in whole and name != "complete"}
    return frame.astype({**whole, **texts, "complete": "boolean"})


class SurveyPage:
    """Numbers of complete, bounded and refused files, and the table."""

    title = "costcalc survey"

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.kinds = Counter(_kind(row) for row in survey.rows)

    def heads(self) -> list[str]:
        """Number of files, and how many have no complete costs."""
        bounds = f", {self.kinds['bound']:,} lower bounds (>=)" if self.kinds["bound"] else ""
        return [f"{len(self.survey.rows):,} files: {self.kinds['complete']:,} complete{bounds}, {self._refused}"]

    @property
    def _refused(self) -> str:
        return f"{self.kinds['refused']:,} refused"

    def sheets(self) -> list[Sheet]:
        """The table."""
        metrics = self.survey.metrics
        columns = (
            Column("path"),
            *(Column(name, True, counts=is_metric(name)) for name in metrics),
            Column("refused because", spare=1),
        )
        rows = [
            (
                printable(row.path),
                *(_shown(row, name) for name in metrics),
                printable(row.reason or ""),
            )
            for row in self.survey.rows
        ]
        return [Sheet(columns, rows)]

    def notes(self) -> list[str]:
        """Why files were refused, and the meaning of the figures."""
        codes = Counter(row.error for row in self.survey.rows if row.error)
        said = [f"refused: {', '.join(f'{count:,} {code}' for code, count in sorted(codes.items()))}"] if codes else []
        priced = price_list(self.survey.convention)
        left_out = [row for row in self.survey.rows if row.uncounted]
        if left_out:
            first = printable(f"{left_out[0].path}: {left_out[0].uncounted}")
            said.append(
                f"`{printable(priced.name)}` counts 0 for work in {len(left_out):,} files, the first is {first}"
            )
        others = by_others(priced, self.survey.metrics)
        stamp = f"convention {priced.name}: {priced.title}", others, f"costcalc {__version__}"
        return [*said, "; ".join(filter(None, stamp))]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per file."""
        names = ["path", "name", "bytes", "sha256", "layers", "complete", *self.survey.metrics, "error", "reason"]
        names.append("uncounted")
        return names, [self._record(row) for row in self.survey.rows]

    def _record(self, row: Found) -> dict[str, Any]:
        metrics = {name: (row.metrics or {}).get(name) for name in self.survey.metrics}
        about = {"path": row.path, "name": row.name, "bytes": row.size, "sha256": row.sha256, "layers": row.layers}
        rest = {"error": row.error, "reason": row.reason, "uncounted": row.uncounted}
        return {**about, "complete": row.complete, **metrics, **rest}

    def document(self) -> Mapping[str, Any]:
        """The JSON document; counts are exact integers."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costcalc": __version__,
            "convention": self.survey.convention,
            "files": len(self.survey.rows),
            "complete": self.kinds["complete"],
            "lower_bounds": self.kinds["bound"],
            "refused": self.kinds["refused"],
            "models": self.records()[1],
        }


def _kind(row: Found) -> str:
    return "refused" if row.error else "complete" if row.complete else "bound"


def _shown(row: Found, name: str) -> str:
    if row.metrics is None:
        return ""
    return f"{'' if row.complete else '>= '}{row.metrics[name]:,}"
