"""A network as immutable data: returned by the readers and evaluated by `trace`.

Named tuples are as immutable as frozen dataclasses and take a sixth of the time to define, at every start of the
program.

An argument (`Arg`) is a plain value (number, bool, word), an `Expr`, or a tuple of arguments. The default of a variable
may also be a dict of arguments, a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .. import num
from ..errors import Place, Source
from ..records import NamedTuple
from .expr import Expr
from .storage import DEFAULT, UNSTATED, Storage, Widths

if TYPE_CHECKING:
    from .accounting import Stored

Arg = Any


class Call(NamedTuple):
    """One operation with its options. `places` holds the place of each option in the file."""

    op: str
    options: Mapping[str, Arg]
    places: Mapping[str, tuple]
    dynamic: tuple[str, ...]  # the options that must be evaluated
    reuse: str = ""  # the layer whose weights it reads
    holds: Mapping[str, Arg] | None = None  # its stated parameters by kind; None: as its rule

    @property
    def shares(self) -> bool:
        """Whether its parameters differ from its rule: shared or stated."""
        return bool(self.reuse) or self.holds is not None


class Every(NamedTuple):
    """The index of a reference for all runs: `down[*]`."""


class Reference(NamedTuple):
    """A layer by name and run index: `down[levels - 1 - i]/skip`. A name without an index is a plain str."""

    text: str
    parts: tuple[tuple[str, Arg], ...]  # each a name and an index, which may be Every or None
    at: tuple | None = None  # line, column, width


class Block(NamedTuple):
    """The definition of a block: its signature and its steps."""

    name: str
    params: tuple[str, ...]
    defaults: Mapping[str, Arg]
    steps: tuple[Step, ...]
    source: Source
    tensors: frozenset = frozenset()  # the parameters that name a layer
    lists: frozenset = frozenset()  # the ones among them that name several


class BlockCall(NamedTuple):
    """A block called once per row of arguments, with an optional label for each row."""

    block: Block
    rows: tuple[tuple[str | None, Mapping[str, Arg]], ...]


class Group(NamedTuple):
    """Steps that are repeated, skipped or bridged by a residual as one."""

    steps: tuple[Step, ...]


class Include(NamedTuple):
    """Layers of another spec, which sees only the values passed to it."""

    model: Model
    name: str  # prefix of its layers' names, unless the step has a label
    steps: tuple[Step, ...]  # all its layers, or the range between two names
    given: Mapping[str, Arg]

    @property
    def params(self) -> tuple[str, ...]:
        """The names of its variables, which correspond to a block's parameters."""
        return tuple(self.model.variables)

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of each variable."""
        return {name: variable.default for name, variable in self.model.variables.items()}


class Reuse(NamedTuple):
    """An earlier layer run again with the same weights."""

    name: str


class Chosen(NamedTuple):
    """An operation named by a block's argument (`then: [norm, act]`)."""

    param: str


class Stated(NamedTuple):
    """One operation with stated input shapes: a node of an imported graph, where every edge is known."""

    op: str
    inputs: tuple[Arg, ...]  # the input shapes, channels last
    options: Mapping[str, Arg]
    path: tuple[str, ...]  # the levels of its name, outermost first
    title: str  # the node, for a message
    holds: Mapping[str, int] | None = None  # its parameters by kind, without those of earlier layers; None: as its rule
    shared: str | None = None  # the layer that holds all its parameters
    follows: bool = False  # hidden if it costs nothing, like a `then` layer
    sources: tuple = ()  # for each input: the number of the step that makes it, an input's name, None for a constant


class Step(NamedTuple):
    """One entry of a list of layers: a body and its controls."""

    body: Any  # Call, BlockCall, Group, Include, Reuse, Chosen or Stated
    place: tuple  # line, column, width in the block's source
    source: Source
    repeat: Arg = None
    when: Arg = None
    residual: Arg = None
    residual_at: tuple | None = None  # the place of `residual`
    times: Arg = None
    only: str | None = None  # train or deploy: the phase in which the step runs
    prob: Arg = None  # the probability that the step runs, given that the enclosing steps run
    trained: Arg = None  # whether its parameters are trained; None: inherited from the enclosing step
    bits: Widths = UNSTATED  # bits of its values; 0: inherited from the enclosing step
    label: str | None = None  # `as:`
    origin: Any = None  # `from:`, a name or a Reference; for an include also a dict with one for each input
    then: tuple[Step, ...] = ()
    plain: bool = True  # no repeat, condition, residual, times, prob, phase, trained, bits, label or origin


def is_absent(branch: Any, phase: str) -> bool:
    """Whether a branch of a join has layers and all belong to the other phase."""
    layers = branch if type(branch) is tuple and branch and type(branch[0]) is Step else ()
    return bool(layers) and all(layer.only not in (None, phase) for layer in layers)


class Input(NamedTuple):
    """A named input. `listed` distinguishes `[h, w, c]` from the form with named axes."""

    shape: Arg
    place: Place | None
    listed: bool
    bits: int = 0  # bits of its values; 0: as all activations


class Variable(NamedTuple):
    """A variable of the spec. The default may be an expression over earlier variables.

    With `each`, it is a list of that many positions, and each position (`ks[0]`, ..) is also a variable.
    """

    name: str
    default: Arg  # None: it must be set
    choices: tuple = ()
    help: str = ""
    least: float | None = None
    most: float | None = None
    place: Place | None = None
    each: int = 0  # positions


class Claim(NamedTuple):
    """A published result: its setting, scope, figures and their errata."""

    source: str
    at: Mapping[str, Any]
    of: Mapping[str, tuple[str, ...]]  # type, layer, without: the layers concerned, if the figures are not totals
    figures: Mapping[str, str]  # metric -> as printed
    convention: str = "paper"
    errata: Mapping[str, str] = {}  # metric -> why the printed figure is wrong
    corrected: Mapping[str, str] = {}  # metric -> the correct figure
    unreproducible: Mapping[str, str] = {}  # metric -> why no published source reproduces the figure
    notes: Mapping[str, str] = {}  # url, model, note: informational texts
    conv: str = ""  # standard or separable: the figures are for the network with its convolutions converted
    phase: str = ""  # train or deploy: the figures are for the network in that phase
    place: Place | None = None

    @property
    def is_rewritten(self) -> bool:
        """Whether it describes a network derived from this one."""
        return bool(self.conv or self.phase)


class Cap(NamedTuple):
    """A limit in a spec's budget: its value, its text and its place."""

    value: Any
    text: str
    place: Place


class Model(NamedTuple):
    """A whole spec."""

    name: str
    source: Source
    variables: Mapping[str, Variable]
    inputs: Mapping[str, Input]
    steps: tuple[Step, ...]
    published: Iterable[Claim] = ()
    budget: Mapping[str, Cap] = {}
    included: tuple[Source, ...] = ()  # the texts of all included specs, each once
    stored: Stored | None = None  # the parameters stored in a model file; None for a spec
    storage: Storage = DEFAULT  # how its tensors are stored
    phase: str = "deploy"  # train or deploy: steps with `only` for the other phase do not run
    left_out: tuple[str, ...] = ()  # parts of its file that are not counted
    about: str = ""  # how the network was modified, for the line under its numbers

    def __repr__(self) -> str:
        variables = f", variables {', '.join(self.variables)}" if self.variables else ""
        return f"network {self.name} of {self.source.path}{variables}; costcalc.analyze shows what it costs"


def evaluate(arg: Arg, env: Mapping[str, Any]) -> Any:
    """Evaluate an argument in an environment of names."""
    if type(arg) is Expr:
        return num.settled(arg.value(env))
    if type(arg) is tuple:
        return tuple([item if type(item) is int else evaluate(item, env) for item in arg])
    if type(arg) is dict:
        return {key: evaluate(item, env) for key, item in arg.items()}
    return arg


def is_dynamic(arg: Arg) -> bool:
    """Whether an argument contains an expression."""
    return type(arg) is Expr or (type(arg) in (tuple, dict) and any(map(is_dynamic, _parts(arg))))


def dynamic_of(options: Mapping[str, Arg]) -> tuple[str, ...]:
    """The options that contain an expression."""
    return tuple(name for name, arg in options.items() if type(arg) in (Expr, tuple, dict) and is_dynamic(arg))


def names_of(arg: Arg) -> frozenset[str]:
    """The names that an argument reads."""
    return arg.names if type(arg) is Expr else frozenset().union(*map(names_of, _parts(arg)))


def reads_layers(arg: Arg) -> bool:
    """Whether an argument reads the sizes of named layers."""
    return bool(arg.layers) if type(arg) is Expr else any(map(reads_layers, _parts(arg)))


def _parts(arg: Arg) -> Iterable[Arg]:
    return arg if type(arg) is tuple else arg.values() if type(arg) is dict else ()
