"""The operations against brute force as a page: a row an operation, with the first case on which they differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...render.sheet import Column, Sheet

if TYPE_CHECKING:
    from .prove import CounterExample, Proof


COLUMNS = (
    Column("operation"),
    Column("performed", number=True),
    Column("impossible", number=True),
    Column("differ", number=True),
    Column("first counter-example", folds=True),
)


class ProofsPage:
    """Proofs, and the seed that their cases are drawn with."""

    title = "costcalc selftest"

    def __init__(self, proofs: list[Proof], seed: int) -> None:
        self.proofs, self.seed = proofs, seed
        self.wrong = [proof.op for proof in proofs if proof.differing]

    def heads(self) -> list[Any]:
        """Nothing: the summary stands at the end, under a long table."""
        return []

    def sheets(self) -> list[Sheet]:
        """One row an operation; the counter-examples only where there are any."""
        sheet = Sheet(COLUMNS, [_cells(proof) for proof in self.proofs], self._foot())
        return [sheet if self.wrong else sheet.without({len(COLUMNS) - 1})]

    def _foot(self) -> Any:
        sums = (sum(getattr(proof, name) for proof in self.proofs) for name in ("performed", "impossible", "differing"))
        return "total", *(f"{one:,}" for one in sums), ""

    def notes(self) -> list[str]:
        """The verdict, and what was compared."""
        count, of = len(self.proofs), f"{len(self.wrong)} of " if self.wrong else ""
        verdict = f"{of}{count} operation{'' if count == 1 else 's'}: {'wrong' if self.wrong else 'all equal'}"
        compared = "shape, parameters, mult-adds and every other quantity of a rule, against loops that count each one"
        return [f"{verdict} (seed {self.seed})", compared]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The names and rows of a CSV file."""
        rows = [_record(proof) for proof in self.proofs]
        return [*_record(self.proofs[0])], rows

    def document(self) -> dict[str, Any]:
        """The JSON document: an object an operation, its first counter-example as data."""
        rows = [{**_record(proof), "first": _example(proof.first)} for proof in self.proofs]
        return {"costcalc": __version__, "seed": self.seed, "equal": not self.wrong, "operations": rows}


def _record(proof: Proof) -> dict[str, Any]:
    counts = {"performed": proof.performed, "impossible": proof.impossible, "differ": proof.differing}
    return {"operation": proof.op, **counts, "first": _text(proof.first)}


def _cells(proof: Proof) -> tuple[str, ...]:
    name, *counts, first = _record(proof).values()
    return (name, *(f"{count:,}" for count in counts), first)


def _text(example: CounterExample | None) -> str:
    """`[5, 6, 4] kernel=3 out=2: params 80 stated, 40 counted`."""
    if example is None:
        return ""
    inputs = " ".join(str(list(shape)) for shape in example.shapes)
    options = " ".join(f"{name}={value}" for name, value in example.options.items())
    found = [f"{thing} {ours} stated, {theirs} counted" for thing, (ours, theirs) in example.differences.items()]
    return f"{inputs} {options}".strip() + ": " + "; ".join(found)


def _example(example: CounterExample | None) -> dict[str, Iterable[Any]] | None:
    if example is None:
        return None
    found = {thing: {"stated": ours, "counted": theirs} for thing, (ours, theirs) in example.differences.items()}
    return {"inputs": example.shapes, "options": example.options, "differences": found}
