"""Check every rule on random cases against the loops of `selftest`, which perform the operation and count."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ... import __version__
from ...errors import OptionError, Problem, Refused, listed, nearest
from ...metrics.gradients import Need, gradient
from ...num.values import Shape
from ...ops import INDEX, find
from ...ops.base import Layer
from ...records import NamedTuple
from ...render.sheet import Column, Page, Sheet
from ...selftest.cases import CASES
from ...selftest.gradients import WEIGHT, differentiate
from ...selftest.perform import perform
from ...selftest.tally import MACS, Counted, Impossible

MOST_DRAWN = 20  # cases drawn for one that can be performed


class CounterExample(NamedTuple):
    """A case in which a rule and the loops differ: {quantity: (from the rule, from the loops)}."""

    shapes: tuple
    options: Mapping[str, Any]
    differences: Mapping[str, tuple]


class Proof(NamedTuple):
    """Results of the cases of one operation."""

    op: str
    performed: int  # cases that the loops performed
    impossible: int  # further cases, which the operation does not allow
    differing: int
    first: CounterExample | None


def operations(names: tuple[str, ...] = ()) -> list[str]:
    """Validate names of operations; all operations by default. Raises OptionError."""
    for name in names:
        if name not in INDEX:
            help = nearest(name, INDEX) or f"operations: {listed(INDEX)}"
            raise OptionError(Problem("unknown-operation", f"there is no operation `{name}`", help=help))
    return list(dict.fromkeys(names)) or list(INDEX)


def prove(name: str, cases: int, seed: int = 0, rule: Any = None) -> Proof:
    """Check an operation, or another `rule` for it, on random cases; the same seed gives the same cases.

    `cases` counts the cases that are performed; impossible cases are not included.
    """
    performed, impossible, differing, first = 0, 0, 0, None
    for number, (flowing, options) in enumerate(drawn(name, MOST_DRAWN * cases, seed)):
        counted, layer = performance(name, flowing, options), stated(name, flowing, options, rule)
        needs = needed(flowing, random.Random(f"{seed} {name} {number} needs"))
        found = {**differences(layer, counted), **gradient_differences(name, flowing, options, layer, needs)}
        performed += counted is not None
        impossible += counted is None
        differing += bool(found)
        if found and first is None:
            first = CounterExample(flowing, options, found)
        if performed == cases:
            break
    return Proof(name, performed, impossible, differing, first)


def drawn(name: str, cases: int, seed: int = 0) -> Iterator[tuple[tuple[Shape, ...], dict[str, Any]]]:
    """Yield random cases of an operation: (shapes, options)."""
    for number in range(cases):
        yield CASES[name](random.Random(f"{seed} {name} {number}"))


def stated(name: str, flowing: tuple[Shape, ...], options: Mapping[str, Any], rule: Any = None) -> Layer | None:
    """Layer that the rule gives for these shapes; None if it refuses them."""
    op = find(name)
    rule = rule or op.rule
    forms = {branch: op.options[branch].kind.form for branch in op.branches}
    given = {}
    for branch, form in forms.items():
        if form == "branches":
            given[branch] = flowing
        elif len(flowing) == 2:
            given[branch] = flowing[1]
    x = flowing[:1] or (((1,),) if op.takes_input else ())
    try:
        bound = {option: op.options[option].kind.bind(value) for option, value in options.items()}
        return rule(*x, **given, **bound)
    except Refused:
        return None


def performance(name: str, flowing: tuple[Shape, ...], options: Mapping[str, Any]) -> Counted | None:
    """Counts from the loops; None if the operation cannot be performed."""
    try:
        return perform(name, flowing, options)
    except Impossible:
        return None


def differences(layer: Layer | None, counted: Counted | None) -> dict[Any, Any]:
    """Quantities on which a rule and the loops differ: {quantity: (from the rule, from the loops)}."""
    if layer is None or counted is None:
        return {} if layer is counted else {"possible": (layer is not None, counted is not None)}
    pairs = {
        "shape": (layer.shape, counted.shape),
        "params": (_nonzero(layer.params), _nonzero(counted.params)),
        "macs": ({name: layer.terms.get(name, 0) for name in MACS}, counted.macs),
        "terms": (_nonzero(layer.terms), _nonzero(counted.terms)),
        "unknown": (layer.unknown, counted.unknown),
    }
    return {thing: pair for thing, pair in pairs.items() if pair[0] != pair[1]}


def needed(flowing: tuple[Shape, ...], chance: random.Random) -> set[Any]:
    """A random choice of what needs a gradient: each input, and the weights."""
    return {one for one in (*range(len(flowing)), WEIGHT) if chance.random() < 0.7}


def gradient_differences(
    name: str, flowing: tuple[Shape, ...], options: Mapping[str, Any], layer: Layer | None, needs: Any
) -> dict[str, tuple]:
    """Quantities of the backward pass that differ: {quantity: (from the rule, from the loops)}.

    `opaque` is skipped: its products are declared by the spec, so there is nothing to perform.
    """
    if layer is None or name == "opaque" or not any(layer.terms.get(term) for term in MACS):
        return {}
    inputs = tuple(number in needs for number in range(len(flowing)))
    ours = gradient(name, layer, Need(inputs, WEIGHT in needs, bool(needs)))
    try:
        theirs = differentiate(name, flowing, options, needs)
    except Impossible:
        return {}
    pairs = {
        "input gradients": (_nonzero(ours.inputs), _nonzero(theirs.inputs)),
        "weight gradients": (_nonzero(ours.weights), _nonzero(theirs.weights)),
    }
    return {thing: pair for thing, pair in pairs.items() if pair[0] != pair[1]}


def _nonzero(numbers: Mapping[str, int]) -> dict[str, int]:
    """Counts by name, without zeros."""
    return {name: number for name, number in numbers.items() if number != 0}


COLUMNS = (
    Column("operation"),
    Column("performed", number=True),
    Column("impossible", number=True),
    Column("differ", number=True),
    Column("first counter-example", folds=True),
)


class ProofsPage(Page):
    """Proofs and the seed of their cases."""

    title = "costcalc selftest"

    def __init__(self, proofs: list[Proof], seed: int) -> None:
        self.proofs, self.seed = proofs, seed
        self.wrong = [proof.op for proof in proofs if proof.differing]

    def sheets(self) -> list[Sheet]:
        """One row per operation; a column of counter-examples if there are any."""
        sheet = Sheet(COLUMNS, [_cells(proof) for proof in self.proofs], self._foot())
        return [sheet if self.wrong else sheet.without({len(COLUMNS) - 1})]

    def _foot(self) -> Any:
        sums = (sum(getattr(proof, name) for proof in self.proofs) for name in ("performed", "impossible", "differing"))
        return "total", *(f"{one:,}" for one in sums), ""

    def notes(self) -> list[str]:
        """The verdict, and the quantities compared."""
        count, of = len(self.proofs), f"{len(self.wrong)} of " if self.wrong else ""
        verdict = f"{of}{count} operation{'' if count == 1 else 's'}: {'wrong' if self.wrong else 'all equal'}"
        compared = "shape, parameters, mult-adds and every other quantity of a rule, against loops that count each one"
        return [f"{verdict} (seed {self.seed})", compared]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Column names and rows of a CSV file."""
        rows = [_record(proof) for proof in self.proofs]
        return [*_record(self.proofs[0])], rows

    def document(self) -> dict[str, Any]:
        """The JSON document: one object per operation, with its first counter-example."""
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
