"""Tables in `vars:`: lists, and maps with words or integers as keys, looked up by index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from .. import num
from ..errors import Refused, brief, listed, nearest

SHOWN = 20  # keys of a table in a message


class Notes(Protocol):
    """A receiver of the positions that are looked up."""

    def append(self, name: str, /) -> None:
        """Record the name of a position."""


class Watched(tuple):
    """The values of a variable with positions. Records the names of the looked-up positions, in order."""

    name: str
    noted: Notes

    def __new__(cls, values: Iterable[Any], name: str, noted: Notes) -> Watched:
        """Wrap the values as positions of the variable `name`."""
        watched = super().__new__(cls, values)
        watched.name, watched.noted = name, noted
        return watched

    def __getitem__(self, at: Any) -> Any:
        self.noted.append(f"{self.name}[{at}]")
        return super().__getitem__(at)

    def __iter__(self) -> Iterator[Any]:
        return (self[at] for at in range(len(self)))


def looked_up(table: Any, index: Any, name: str) -> Any:
    """Look up an index in a table: a word, a number, an array or a symbol.

    Lists count from 0. Raises Refused if there is no such value or `table` is not a table.
    """
    if not isinstance(table, (tuple, dict)):
        raise Refused(f"`{name}` is a single value, not a table")
    if type(index) is str:
        return _at_word(table, index, name)
    if type(index) in (int, float, bool):
        if index not in (range(len(table)) if isinstance(table, tuple) else table):
            raise _missing(table, index, name)
        return table[int(index)]
    pairs = list(enumerate(table) if isinstance(table, tuple) else table.items())
    if any(type(value) in (str, tuple, dict) for _, value in pairs):  # arrays cannot hold these: need a single index
        return looked_up(table, num.domain(index).single(index), name)
    return _selected([pair for pair in pairs if type(pair[0]) is not str], index, _missing(table, None, name))


def _selected(pairs: list[tuple[int, Any]], index: Any, result: Any) -> Any:
    """The value whose key equals the index, at each point; `result`, a refusal, where no key does."""
    for key, value in pairs:
        truth = num.equal(index, key)
        if truth is True:
            return value
        if truth is not False:
            result = num.select(truth, value, result)
    if isinstance(result, Refused):
        raise result
    return result


def _at_word(table: Any, word: str, name: str) -> Any:
    if isinstance(table, tuple):
        raise Refused(f"`{name}` is a list: its index is a number, not `{brief(word)}`")
    if word not in table:
        raise _missing(table, word, name)
    return table[word]


def _missing(table: Any, index: Any, name: str) -> Refused:
    shown = "" if index is None else f" for {brief(str(index))}"
    if isinstance(table, tuple):
        return Refused(f"`{name}` has no value{shown}", help=f"it has {len(table):,}, counted from 0")
    keys = [str(key) for key in table]
    help = nearest(str(index), keys) or f"it has {listed(keys[:SHOWN])}"
    return Refused(f"`{name}` has no value{shown}", help=help)
