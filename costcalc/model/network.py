"""A network as frozen data: what a reader returns and what `trace` walks.

Named tuples rather than dataclasses: they are as frozen, and cost a sixth of the time to define, which
is part of every start of the program.

An argument (`Arg`) is a plain value (number, bool, word, tuple), an `Expr`, or a tuple that holds such. A variable may
also be a dict of them: a table.
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
    """One operation with its options. `places` says where each option stands in the file."""

    op: str
    options: Mapping[str, Arg]
    places: Mapping[str, tuple]
    dynamic: tuple[str, ...]  # the options that must be evaluated
    reuse: str = ""  # the layer whose weights it reads
    holds: Mapping[str, Arg] | None = None  # its parameters by kind, where they are not those of its rule

    @property
    def shares(self) -> bool:
        """Whether its parameters are not those that its rule says."""
        return bool(self.reuse) or self.holds is not None


class Every(NamedTuple):
    """The index of a reference that means all runs: `down[*]`."""


class Reference(NamedTuple):
    """A layer by its name and the number of its run: `down[levels - 1 - i]/skip`. Without numbers, a name is a str."""

    text: str
    parts: tuple[tuple[str, Arg], ...]  # each a name, and an index, Every or None
    at: tuple | None = None  # line, column, width


class Block(NamedTuple):
    """The definition of a block: its signature and its steps."""

    name: str
    params: tuple[str, ...]
    defaults: Mapping[str, Arg]
    steps: tuple[Step, ...]
    source: Source
    tensors: frozenset = frozenset()  # the parameters that name a layer
    lists: frozenset = frozenset()  # those of them that name several


class BlockCall(NamedTuple):
    """A block called once per row of arguments; a row may have a label."""

    block: Block
    rows: tuple[tuple[str | None, Mapping[str, Arg]], ...]


class Group(NamedTuple):
    """Steps that stand together, to repeat, skip or bridge them as one."""

    steps: tuple[Step, ...]


class Include(NamedTuple):
    """Layers of another spec, which sees only the values that this one passes."""

    model: Model
    name: str  # what its layers are called, unless the step has a label
    steps: tuple[Step, ...]  # all its layers, or those between two names
    given: Mapping[str, Arg]

    @property
    def params(self) -> tuple[str, ...]:
        """The names of its variables: what parameters are to a block."""
        return tuple(self.model.variables)

    @property
    def defaults(self) -> dict[str, Any]:
        """What those are that are not given."""
        return {name: variable.default for name, variable in self.model.variables.items()}


class Reuse(NamedTuple):
    """An earlier layer run again with the same weights."""

    name: str


class Chosen(NamedTuple):
    """An operation named by a block's argument (`then: [norm, act]`)."""

    param: str


class Stated(NamedTuple):
    """One operation on tensors of stated shapes: a node of a graph, whose reader knows every edge."""

    op: str
    inputs: tuple[Arg, ...]  # the shapes that flow in, channels last
    options: Mapping[str, Arg]
    path: tuple[str, ...]  # the levels of its name, outermost first
    title: str  # the node, for a message
    holds: Mapping[str, int] | None = None  # its numbers by kind, those of earlier layers left out; None: by the rule
    shared: str | None = None  # the layer that holds all its numbers
    follows: bool = False  # hidden where it costs nothing, as a `then` layer
    sources: tuple = ()  # of each input: the number of the step that makes it, an input's name, None for a constant


class Step(NamedTuple):
    """One entry of a list of layers: a body, and how it is run."""

    body: Any  # Call, BlockCall, Group, Include, Reuse, Chosen or Stated: who reads it asks which
    place: tuple  # line, column, width in the block's source
    source: Source
    repeat: Arg = None
    when: Arg = None
    residual: Arg = None
    residual_at: tuple | None = None  # where `residual` stands
    times: Arg = None
    only: str | None = None  # train or deploy: the phase in which the step runs
    prob: Arg = None  # how probable it is that the step runs, where the steps around it do
    trained: Arg = None  # whether its parameters are trained: None is what holds around it
    bits: Widths = UNSTATED  # of its values: 0 is what holds around it
    label: str | None = None  # `as:`
    origin: Any = None  # `from:`, a name or a Reference; of an include also one for each input, by its name
    then: tuple[Step, ...] = ()
    plain: bool = True  # no repeat, condition, residual, times, prob, phase, trained, bits, label or origin


def is_absent(branch: Any, phase: str) -> bool:
    """Whether a branch of a join has layers, all of them of the other phase."""
    layers = branch if type(branch) is tuple and branch and type(branch[0]) is Step else ()
    return bool(layers) and all(one.only not in (None, phase) for one in layers)


class Input(NamedTuple):
    """A named input. `listed` tells `[h, w, c]` from the form that names its axes."""

    shape: Arg
    place: Place | None
    listed: bool
    bits: int = 0  # of its values; 0: as all activations


class Variable(NamedTuple):
    """A variable of the spec. The default may be an expression over earlier ones.

    One with a value `each` position is the list of as many variables, `ks[0]` and so on, which are variables too.
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
    """A published row: its setting, what it is about, its figures, and their errors."""

    source: str
    at: Mapping[str, Any]
    of: Mapping[str, tuple[str, ...]]  # type, layer, without: the layers meant, where the figures are no totals
    figures: Mapping[str, str]  # metric -> as printed
    convention: str = "paper"
    errata: Mapping[str, str] = {}  # metric -> why its figure is wrong in print
    corrected: Mapping[str, str] = {}  # metric -> what should be printed
    unreproducible: Mapping[str, str] = {}  # metric -> why nothing published gives its figure
    notes: Mapping[str, str] = {}  # url, model, note: texts for people
    conv: str = ""  # standard or separable: of the network with its convolutions made so
    phase: str = ""  # train or deploy: of the network in that phase
    place: Place | None = None

    @property
    def is_rewritten(self) -> bool:
        """Whether it is about another network, which is made of this one."""
        return bool(self.conv or self.phase)


class Cap(NamedTuple):
    """A limit of a spec's own budget: its value, as written, and where."""

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
    included: tuple[Source, ...] = ()  # the texts of all specs that it includes, each once
    stored: Stored | None = None  # the parameters of a network that was read with them: not of a spec
    storage: Storage = DEFAULT  # how its tensors are stored
    phase: str = "deploy"  # train or deploy: steps with `only` of the other one do not run
    left_out: tuple[str, ...] = ()  # what its file says beyond the layers that are counted
    about: str = ""  # what was made of the network as it is written, for the line under its numbers

    def __repr__(self) -> str:
        variables = f", variables {', '.join(self.variables)}" if self.variables else ""
        return f"network {self.name} of {self.source.path}{variables}; costcalc.analyze shows what it costs"


def evaluate(arg: Arg, env: Mapping[str, Any]) -> Any:
    """The value of an argument in an environment of names."""
    if type(arg) is Expr:
        return num.settled(arg.value(env))
    if type(arg) is tuple:
        return tuple([item if type(item) is int else evaluate(item, env) for item in arg])
    if type(arg) is dict:
        return {key: evaluate(item, env) for key, item in arg.items()}
    return arg


def is_dynamic(arg: Arg) -> bool:
    """Whether an argument needs an environment."""
    return type(arg) is Expr or (type(arg) in (tuple, dict) and any(map(is_dynamic, _parts(arg))))


def dynamic_of(options: Mapping[str, Arg]) -> tuple[str, ...]:
    """The options that need an environment."""
    return tuple(name for name, arg in options.items() if type(arg) in (Expr, tuple, dict) and is_dynamic(arg))


def names_of(arg: Arg) -> frozenset[str]:
    """The names that an argument reads."""
    return arg.names if type(arg) is Expr else frozenset().union(*map(names_of, _parts(arg)))


def reads_layers(arg: Arg) -> bool:
    """Whether an argument reads the sizes of named layers."""
    return bool(arg.layers) if type(arg) is Expr else any(map(reads_layers, _parts(arg)))


def _parts(arg: Arg) -> Iterable[Arg]:
    return arg if type(arg) is tuple else arg.values() if type(arg) is dict else ()
