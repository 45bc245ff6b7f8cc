"""Rows: the result of a trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import OptionError, Place, Problem, nearest
from ..ops import Layer, Op
from ..records import NamedTuple
from .network import Arg, Block, Step
from .scope import Frame, Source, path_of
from .storage import UNSTATED, Widths

if TYPE_CHECKING:
    from ..errors import Source as Text
    from ..num.values import Shape


FINEST = 1_000_000  # the largest denominator of a probability written as a decimal


class Choice(NamedTuple):
    """Alternatives of which exactly one runs, numbered within a trace; `probs` holds Fractions, arrays or symbols.

    A layer with a probability is a choice between the layer and nothing, marked by `alone`.
    """

    number: int
    probs: tuple
    alone: bool


class Branch(NamedTuple):
    """One of the alternatives of a choice."""

    choice: Choice
    number: int

    @property
    def prob(self) -> Any:
        """Its probability, given that the enclosing branches run."""
        return self.choice.probs[self.number] if self.number < len(self.choice.probs) else 0


def exact(prob: Any) -> Any:
    """A probability as the intended fraction: 0.1 and 1 - 0.9 are both 1/10. Arrays and symbols are unchanged."""
    from fractions import Fraction  # slow to load

    return Fraction(prob).limit_denominator(FINEST) if type(prob) in (int, float) else prob


class Row(NamedTuple):
    """One executed layer."""

    op: Op
    frame: Frame
    inputs: tuple[Shape, ...]  # the input shapes
    sources: tuple[Source, ...]  # the source of each input
    layer: Layer
    times: Any  # runs per sample
    shared: str | None  # the layer whose weights it reuses
    follows: bool  # whether it is a `then` layer
    step: Step  # the step it comes from
    options: Mapping[str, Any]  # as passed to the rule
    written: Mapping[str, Arg]  # as written in the spec
    trained: bool = True  # whether its parameters are trained
    holder: int | None = None  # the row that first runs with its weights, if an earlier one
    table: int | None = None  # the row whose weights it reads, if it has other parameters or is another operation
    bits: Widths = UNSTATED  # the bits that it or an enclosing step states
    chance: tuple[Branch, ...] = ()  # the enclosing branches that do not always run, outermost first

    @property
    def type(self) -> str:
        """The layer type, named as in the paper's Table 2: `conv dw 3x3`."""
        return self.op.label(self.layer.detail)

    @property
    def place(self) -> Place:
        """The place of its step in its file."""
        return Place(self.step.source, *self.step.place)

    @property
    def name(self) -> str:
        """The name of the layer in the report: `separable_1/conv`."""
        return "/".join(self.frame.path)

    @property
    def places(self) -> list[Place]:
        """Where the user wrote it: the place in its file, then each include that leads there."""
        return [Place(source, *place) for source, place in self.sites()]

    def sites(self) -> Iterator[tuple[Text, tuple]]:
        """The source and the position of each of `places`.

        For a layer of a built-in block, the place is the call of the block in the spec.
        """
        source, place, frame = self.step.source, self.step.place, self.frame
        while frame.parent is not None:
            step = frame.step
            if step is not None and step.source is not source:
                if type(frame.call[0]) is not Block:
                    yield source, place
                source, place = step.source, step.place
            frame = frame.parent
        yield source, place


def paths(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The path of names of each row, outermost first."""
    known: dict[Frame, tuple[str, ...]] = {}
    return [path_of(row.frame, known) for row in rows]


def called(rows: Sequence[Row], pattern: str) -> list[Row]:
    """The rows of the layer or block of that name, or whose names match a glob. Raises OptionError if none do."""
    from fnmatch import fnmatchcase

    block = f"{pattern}/"
    named = [(row.name, row) for row in rows]
    matching = [row for name, row in named if name == pattern or name.startswith(block) or fnmatchcase(name, pattern)]
    if not matching:
        tops = [row.frame.path[0] for row in rows]
        help = nearest(pattern, [name for name, _ in named] + tops) or "`costcalc analyze SPEC` lists the layers"
        raise OptionError(Problem("unknown-layer", f"no layer is called `{pattern}`", help=help))
    return matching


class Trace(NamedTuple):
    """A finished trace: its rows in execution order, and the shapes of the inputs and of the output.

    Each row names the sources of its inputs, so the rows form the graph of the network.
    """

    rows: Sequence[Row]
    inputs: Mapping[str, Shape]
    output: Shape
    source: Source = None  # the source of the output
    bits: Mapping[str, int] = {}  # bits of the values of each input that states them

    @property
    def outputs(self) -> set[Source]:
        """The outputs of the network: the rows that no row reads, and the source of its output."""
        read = {source for row in self.rows for source in row.sources}
        return {number for number in range(len(self.rows)) if number not in read} | {self.source}


def same_weights(before: Sequence[Row], after: Sequence[Row]) -> bool:
    """Whether two lists of rows can be runs of the same layers."""
    pairs = zip(before, after, strict=False)
    return len(before) == len(after) and all(a.layer.params == b.layer.params for a, b in pairs)
