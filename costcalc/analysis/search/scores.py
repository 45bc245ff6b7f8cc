"""Scores of networks: a table of them, or a function of the user that is called with the choices of a network."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ...errors import FileError, OptionError, Problem, listed
from ...files import check_links, opened
from ...model.network import Model
from ...records import NamedTuple

SCORE = "score"  # the column of a table
SCORED = "costcalc.analysis.search.scores:scored"
ROWS = 5_000_000

Choices = Mapping[str, Any]


class Task(NamedTuple):
    """A network to score in another process: `module:function`, the directory to import it from, and the choices."""

    function: str
    here: str
    choices: dict[str, Any]


class Table(NamedTuple):
    """Scores by the values of some variables, in the order of `names`."""

    names: tuple[str, ...]
    scores: Mapping[tuple[Any, ...], float]

    def of(self, choices: Choices) -> float | None:
        """The score of a network, None if the table has none. What a network does not read is empty in the table."""
        return self.scores.get(tuple(_key(choices.get(name)) for name in self.names))


def table(path: str, model: Model) -> Table:
    """The table of a CSV or Parquet file: a column per variable or position, and `score`. Raises CostcalcError."""
    import pandas

    check_links(path)
    try:
        with opened(path) as file:
            parquet = path.lower().endswith(".parquet")
            frame = pandas.read_parquet(file) if parquet else pandas.read_csv(file, nrows=ROWS + 1)
    except ImportError:
        raise OptionError(Problem("missing-extra", "Parquet needs the pyarrow package")) from None
    except ValueError as error:
        raise FileError(Problem("unreadable", f"cannot read {path!r}: {error}")) from None
    names = [str(name) for name in frame.columns if name != SCORE]
    unknown = [name for name in names if name not in model.variables]
    if SCORE not in frame or unknown or not names or len(frame) > ROWS:
        message = f"{path!r} is no table of scores"
        help = f"{listed(unknown)} are no variables" if unknown else "it has a column per variable, and `score`"
        raise FileError(Problem("bad-points", message, help=help))
    scores: dict[tuple[Any, ...], float] = {}
    for *values, score in frame[[*names, SCORE]].itertuples(index=False, name=None):
        key = tuple(map(_key, values))
        if scores.setdefault(key, _score(score)) != _score(score):
            raise FileError(Problem("bad-points", f"{path!r} has two scores for {listed(names)} = {listed(values)}"))
    return Table(tuple(names), scores)


def _key(value: Any) -> Any:
    """A value as it is compared: numbers by what they are, nothing as None."""
    if value is None or value is Ellipsis or (isinstance(value, float) and math.isnan(value)):
        return None
    if hasattr(value, "item"):
        value = value.item()
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def function(name: str, here: str = "") -> Callable[[Choices], Any]:
    """The function that `module:function` names, also of modules in the directory `here` if it is given.

    Without it, neither the working directory nor what stands for it is searched. Raises OptionError.
    """
    module, colon, attribute = name.partition(":")
    if not (colon and module and attribute):
        message = f"`--maximize {name}` is neither a file nor module:function"
        raise OptionError(Problem("usage", message, help="write scores.csv, or my_package.module:function"))
    outer = sys.path[:]
    cwd = os.path.realpath(os.getcwd())
    sys.path[:] = [here] * bool(here) + [one for one in outer if one and os.path.realpath(one) != cwd]
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        help = None if here else "--here imports from the working directory, too"
        raise OptionError(Problem("bad-value", f"cannot import `{name}`: {error}", help=help)) from None
    finally:
        sys.path[:] = outer
    if not callable(found):
        raise OptionError(Problem("bad-value", f"`{name}` is no function"))
    return found


def scored(task: Task) -> float:
    """The score of a network, computed in this process. Raises OptionError for what is no number."""
    return called(function(task.function, task.here), task.choices)


def called(of: Callable[[Choices], Any], choices: Choices) -> float:
    """What a function says of a network. Raises OptionError for what is no number."""
    try:
        found = of(dict(choices))
    except Exception as error:
        message = f"the function of scores raised {type(error).__name__}: {str(error)[:200]}"
        raise OptionError(Problem("bad-value", message)) from None
    return _score(found)


def _score(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise OptionError(Problem("bad-value", f"a score is a finite number, not {str(value)[:60]}"))
    return found
