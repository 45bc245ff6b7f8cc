"""Scores of networks: from a table, or from a user's function that takes the choices of a network."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any, BinaryIO

from ...errors import FileError, OptionError, Problem, brief, listed
from ...files import check_links, opened
from ...metrics.conventions import Prices
from ...metrics.metrics import metric
from ...model.network import Model
from ...records import NamedTuple
from ...render.text import printable
from ..space.page import settings_text

SCORE = "score"  # column name
SCORED = "costcalc.analysis.search.scores:scored"
NETWORK = "network"  # column with all choices of a network, in the form that pages print
ROWS, COLUMNS = 5_000_000, 10_000
BYTES = 2**30  # of a Parquet file, uncompressed
HEADER = 2**22  # bytes of the first line of a CSV file
INDEX = "__index_level_"  # prefix that pandas gives to the index of a frame in a Parquet file
SAID = 200  # maximum characters quoted of a function's message
SHOWN = 8  # columns and values listed in an error

Choices = Mapping[str, Any]


class Named(NamedTuple):
    """A function's name, `module:function`, and the directory to import it from, if any."""

    name: str
    here: str


class Task(NamedTuple):
    """A network to score in another process. Without choices, the function is only looked up."""

    function: Named
    choices: dict[str, Any] | None


class Table(NamedTuple):
    """Scores keyed by the values of the variables `names`, or by all choices that a network reads."""

    names: tuple[str, ...]
    scores: Mapping[Any, float]

    def of(self, choices: Choices) -> float | None:
        """Score of a network; None if not in the table. The table has empty cells for choices that are not read."""
        if self.names == (NETWORK,):
            return self.scores.get(_network(settings_text(choices)))
        return self.scores.get(tuple(_key(choices.get(name)) for name in self.names))


def table(path: str, model: Model, convention: Prices = "paper") -> Table:
    """Read a CSV or Parquet file: `score`, and `network` as pages print it or a column per variable or position.

    Columns of metrics are ignored: they are computed. Raises CostcalcError.
    """
    frame = _frame(path)
    columns = [str(name) for name in frame.columns if name != SCORE]
    names = [name for name in columns if name in model.variables]
    others = [name for name in columns if name not in model.variables and not _is_metric(name, convention)]
    if others == [NETWORK] and not names:
        names, others = others, []
    if SCORE not in frame or others or not names or len(frame) > ROWS:
        message = f"{path!r} is not a table of scores"
        raise FileError(Problem("bad-points", message, help=_no_table(frame, names, others)))
    scores: dict[Any, float] = {}
    for number, (*values, score) in enumerate(frame[[*names, SCORE]].itertuples(index=False, name=None), 1):
        key = _network(str(values[0])) if names == [NETWORK] else tuple(map(_key, values))
        try:
            found = _score(score)
        except OptionError as error:
            raise FileError(Problem("bad-points", f"row {number:,} of {path!r}: {error.problems[0].message}")) from None
        if scores.setdefault(key, found) != found:
            what = f"{brief(listed(names[:SHOWN]))} = {brief(listed(values[:SHOWN]))}"
            raise FileError(Problem("bad-points", f"{path!r} has two scores for {what}"))
    return Table(tuple(names), scores)


def _frame(path: str) -> Any:
    """Read a CSV or Parquet file. Raises CostcalcError."""
    check_links(path)
    try:
        with opened(path) as file:
            return _parquet(path, file) if path.lower().endswith(".parquet") else _csv(path, file)
    except ImportError:
        raise OptionError(Problem("missing-extra", "Parquet needs the pyarrow package")) from None
    except (ValueError, OSError) as error:
        raise FileError(Problem("unreadable", f"cannot read {path!r}: {brief(str(error))}")) from None


def _csv(path: str, file: BinaryIO) -> Any:
    import pandas

    _check_size(path, columns=file.readline(HEADER).count(b",") + 1)
    file.seek(0)
    return pandas.read_csv(file, nrows=ROWS + 1)


def _parquet(path: str, file: BinaryIO) -> Any:
    """Read a Parquet file. Its sizes are checked first, as a small file may expand; repeated texts are stored once."""
    import pandas
    from pyarrow.parquet import ParquetFile

    found = ParquetFile(file)
    about, schema = found.metadata, found.schema_arrow
    unpacked = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
    _check_size(path, about.num_columns, about.num_rows, unpacked)
    texts = [one.name for one in schema if str(one.type) in ("string", "large_string", "string_view")]
    file.seek(0)
    table = ParquetFile(file, read_dictionary=texts).read()
    frame = table.drop_columns(texts).to_pandas(ignore_metadata=True)
    for name in texts:
        column = table[name].unify_dictionaries()
        known = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
        values = [None if at is None else known[at] for chunk in column.chunks for at in chunk.indices.to_pylist()]
        frame[name] = pandas.Series(values, dtype=object)
    return frame[[name for name in table.column_names if not name.startswith(INDEX)]]


def _check_size(path: str, columns: int, rows: int = 0, size: int = 0) -> None:
    """Refuse a table that is too large for scores. Raises FileError."""
    for count, most, what in ((columns, COLUMNS, "columns"), (rows, ROWS, "rows"), (size, BYTES, "bytes")):
        if count > most:
            message = f"{path!r} is not a table of scores"
            raise FileError(Problem("bad-points", message, help=f"it has more than {most:,} {what}"))


def _no_table(frame: Any, names: list[str], others: list[str]) -> str:
    """What is missing from a table, or ambiguous in it."""
    if NETWORK in others and names:
        return f"it has both `{NETWORK}` and columns of variables: keep one of them"
    if others:
        more = f" and {len(others) - SHOWN:,} more" if len(others) > SHOWN else ""
        return f"{brief(listed(others[:SHOWN]))}{more} are not variables"
    if len(frame) > ROWS:
        return f"it has more than {ROWS:,} rows"
    return f"it has `{SCORE}`, and a column per variable, or `{NETWORK}`"


def _is_metric(name: str, convention: Prices) -> bool:
    try:
        metric(name, convention)
    except OptionError:
        return False
    return True


def _network(text: str) -> frozenset[tuple[str, int, Any]]:
    """Choices in a text such as `ks=3,-,5 d=2`; `-` marks a position that the network does not read."""
    choices = set()
    for part in text.split():
        name, _, values = part.partition("=")
        choices |= {(name, at, _key(value)) for at, value in enumerate(values.split(",")) if value != "-"}
    return frozenset(choices)


def _key(value: Any) -> Any:
    """Normalize a value for comparison: numbers by value, missing values as None."""
    if value is None or value is Ellipsis or (isinstance(value, float) and math.isnan(value)):
        return None
    if hasattr(value, "item"):
        value = value.item()
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def named(name: str, here: str) -> Named:
    """Split the name of a function, without importing it. Raises OptionError if it is not `module:function`."""
    module, colon, attribute = name.partition(":")
    if not (colon and module and attribute):
        message = f"`--maximize {brief(name)}` is neither a file nor module:function"
        raise OptionError(Problem("usage", message, help="write scores.csv, or my_package.module:function"))
    return Named(name, here)


def function(name: str, here: str = "") -> Callable[[Choices], Any]:
    """Import the function `module:function`; modules in the directory `here` are searched if it is given.

    Otherwise the working directory is not searched, whatever its entry in the path. Raises OptionError.
    """
    module, _, attribute = name.partition(":")
    outer = sys.path[:]
    cwd = os.path.realpath(os.getcwd())
    sys.path[:] = [here] * bool(here) + [one for one in outer if one and os.path.realpath(one) != cwd]
    try:
        with redirect_stdout(sys.stderr):
            target = getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:
        help = None if here else "--here imports from the working directory, too"
        why = _said(error) if isinstance(error, (ImportError, AttributeError)) else _raised(error)
        raise OptionError(Problem("bad-value", f"cannot import `{brief(name)}`: {why}", help=help)) from None
    finally:
        sys.path[:] = outer
    if not callable(target):
        raise OptionError(Problem("bad-value", f"`{name}` is not a function"))
    return target


def scored(task: Task) -> float | None:
    """Score a network in this process. Raises OptionError if the result is not a number."""
    of = function(*task.function)
    return None if task.choices is None else called(of, task.choices)


def called(of: Callable[[Choices], Any], choices: Choices) -> float:
    """Call a function with the choices of a network; its output goes to standard error. Raises OptionError."""
    try:
        with redirect_stdout(sys.stderr):
            score = of(dict(choices))
    except (Exception, SystemExit) as error:
        message = f"the function of scores raised {_raised(error)}"
        raise OptionError(Problem("bad-value", message, help=f"of {brief(settings_text(choices))}")) from None
    return _score(score)


def _raised(error: BaseException) -> str:
    return f"{type(error).__name__}: {_said(error)}"


def _said(value: Any) -> str:
    """Text of a user's object, even if its own `__str__` fails."""
    try:
        return printable(str(value)[:SAID])
    except Exception:
        return f"a {type(value).__name__}"


def _score(value: Any) -> float:
    try:
        score = float(value)
    except Exception:  # including errors raised by the user's type
        score = math.nan
    if not math.isfinite(score):
        raise OptionError(Problem("bad-value", f"a score is a finite number, not {_said(value)}"))
    return score
