"""What a walk gives: rows."""

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


FINEST = 1_000_000  # the largest denominator of a probability that is written with a decimal point


class Choice(NamedTuple):
    """Alternatives of which one runs, by their number in the walk; probabilities may be Fractions, arrays or symbols.

    A layer with a probability is the first of two alternatives; the second is that nothing runs: `alone` says so.
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
        """How probable it is, where the branches around it run."""
        return self.choice.probs[self.number] if self.number < len(self.choice.probs) else 0


def exact(prob: Any) -> Any:
    """A probability as the fraction that is meant: 0.1 is 1/10, and 1 - 0.9 too. Arrays and symbols are unchanged."""
    from fractions import Fraction  # slow to load

    return Fraction(prob).limit_denominator(FINEST) if type(prob) in (int, float) else prob


class Row(NamedTuple):
    """One layer as it was run."""

    op: Op
    frame: Frame
    inputs: tuple[Shape, ...]  # the shapes that flowed in
    sources: tuple[Source, ...]  # what makes each of them
    layer: Layer
    times: Any  # runs per sample
    shared: str | None  # the layer whose weights it uses again
    follows: bool  # a `then` layer
    step: Step  # that makes it
    options: Mapping[str, Any]  # as the rule got them
    written: Mapping[str, Arg]  # as they stand in the spec
    trained: bool = True  # whether its parameters are trained
    holder: int | None = None  # the row that runs first with its weights, where that is an earlier one
    table: int | None = None  # the row whose weights it reads, where it has other numbers or is another operation
    bits: Widths = UNSTATED  # that it states, or what it stands in
    chance: tuple[Branch, ...] = ()  # the branches that it stands in which do not always run, outermost first

    @property
    def type(self) -> str:
        """The layer type, as the paper's Table 2 has it: `conv dw 3x3`."""
        return self.op.label(self.layer.detail)

    @property
    def place(self) -> Place:
        """Where its step stands in its file."""
        return Place(self.step.source, *self.step.place)

    @property
    def name(self) -> str:
        """The name of the layer in the report, `separable_1/conv`."""
        return "/".join(self.frame.path)

    @property
    def places(self) -> list[Place]:
        """Where the user wrote it: its file, then each include that leads there."""
        return [Place(source, *place) for source, place in self.sites()]

    def sites(self) -> Iterator[tuple[Text, tuple]]:
        """The text and the place in it of each of `places`.

        A layer of a block that comes with costcalc is written where a spec calls the block.
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
    """The names of the levels of each row, outermost first."""
    known: dict[Frame, tuple[str, ...]] = {}
    return [path_of(row.frame, known) for row in rows]


def called(rows: Sequence[Row], pattern: str) -> list[Row]:
    """The rows of the layer or block of that name, or whose names match a glob. Raises OptionError for none."""
    from fnmatch import fnmatchcase

    block = f"{pattern}/"
    named = [(row.name, row) for row in rows]
    found = [row for name, row in named if name == pattern or name.startswith(block) or fnmatchcase(name, pattern)]
    if not found:
        tops = [row.frame.path[0] for row in rows]
        help = nearest(pattern, [name for name, _ in named] + tops) or "`costcalc analyze SPEC` lists the layers"
        raise OptionError(Problem("unknown-layer", f"no layer is called `{pattern}`", help=help))
    return found


class Trace(NamedTuple):
    """A finished walk: its rows in the order they run, and the shapes of the inputs and of the output.

    Each row says where its inputs come from (`sources`), so that the rows are the graph of the network.
    """

    rows: Sequence[Row]
    inputs: Mapping[str, Shape]
    output: Shape
    source: Source = None  # what makes the output
    bits: Mapping[str, int] = {}  # of the values of an input, where it states them

    @property
    def outputs(self) -> set[Source]:
        """The numbers of the rows that the network gives: those that no row reads, and what makes its output."""
        read = {source for row in self.rows for source in row.sources}
        return {number for number in range(len(self.rows)) if number not in read} | {self.source}


def same_weights(before: Sequence[Row], after: Sequence[Row]) -> bool:
    """Whether two stretches of rows can be runs of the same layers."""
    pairs = zip(before, after, strict=False)
    return len(before) == len(after) and all(a.layer.params == b.layer.params for a, b in pairs)
