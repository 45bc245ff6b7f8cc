"""Points of a sweep from a file: CSV or YAML, one point per row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ...errors import FileError, OptionError, Place, Problem, Source, SpecError, nearest

if TYPE_CHECKING:
    from ...model.network import Model


NAME = "name"  # a column of a points file that names its points


def points(source: Source, model: Model, read: Callable[..., Any]) -> dict[str, list[Any]]:
    """Columns of a CSV or YAML file of points, one row per point: {variable: [values]}; `name` may name the points.

    Raises SpecError with the line of a row that does not fit, FileError for a file without points.
    """
    rows = _yaml_rows(source) if source.path.endswith((".yaml", ".yml")) else _csv_rows(source)
    columns: dict = {}
    for line, row in rows:
        for name in row:
            if name not in model.variables and name != NAME:
                help = nearest(name, model.variables) or f"variables: {', '.join(model.variables)}"
                raise _at(source, line, "unknown-variable", f"{model.name} has no variable `{name}`", help)
        if columns and row.keys() != columns.keys():
            missing = sorted(columns.keys() - row.keys()) or sorted(row.keys() - columns.keys())
            raise _at(source, line, "bad-points", f"this point differs in `{missing[0]}` from those before it")
        for name, text in row.items():
            try:
                value = text if name == NAME and name not in model.variables else read(name, text)
                columns.setdefault(name, []).append(value)
            except OptionError as error:
                raise _at(source, line, "bad-value", error.problems[0].message, error.problems[0].help) from None
    if not columns:
        raise FileError(Problem("no-points", f"{source.path!r} has no points"))
    return columns


def _csv_rows(source: Source) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(source.text))
    try:
        yield from _csv_points(source, reader)
    except csv.Error as error:
        raise _at(source, max(reader.line_num, 1), "bad-points", f"this is no CSV: {error}") from None


def _csv_points(source: Source, reader: Any) -> Iterator[tuple[int, dict[str, str]]]:
    names = [name.strip() for name in next(reader, [])]
    for name in names:
        if names.count(name) > 1:
            raise _at(source, 1, "bad-points", f"two columns are called `{name[:60]}`")
    for row in reader:
        if not row:
            continue
        if len(row) != len(names):
            message = f"expected {len(names)} columns ({', '.join(names)}), found {len(row)}"
            raise _at(source, reader.line_num, "bad-points", message)
        yield reader.line_num, dict(zip(names, (text.strip() for text in row), strict=True))


def _yaml_rows(source: Source) -> Iterator[tuple[int, dict[str, str]]]:
    from ...syntax.nodes import compose

    root = compose(source)
    for row in root.value if root.kind == "list" else ():
        if row.kind != "map" or any(value.kind != "scalar" for _, value in row.value):
            raise _at(source, row.line, "bad-points", "a point is a map of variables: {alpha: 0.5, res: 128}")
        yield row.line, {key.value: value.value for key, value in row.value}


def _at(source: Source, line: int, code: str, message: str, help: str | None = None) -> SpecError:
    return SpecError(Problem(code, message, Place(source, line, 1), help))
