"""Build the graph of an ONNX model: nodes, weights, and tensors with their layout.

ONNX has a batch axis, and convolutions have channels second. Specs have no batch, and channels last. Every tensor here
records its layout and is transposed where an operation requires the other one.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ... import limits
from ...allowance import spend
from ...errors import OptionError, Problem, SpecError
from ...ops import INDEX, UNWRITTEN
from ...records import NamedTuple

if TYPE_CHECKING:
    from ...model.wiring import Graph, Node
    from ...num.values import Shape


class Value(NamedTuple):
    """A tensor of the graph: its name, its shape per sample with channels last, and how it is stored."""

    name: str
    shape: tuple
    first: bool = False  # whether it is stored with channels before the grid
    kind: str = "float"  # or `int`

    @property
    def stored(self) -> tuple[int, ...]:
        """Shape in the graph: a batch of 1, then the axes in their stored order."""
        *space, channels = self.shape
        return (1, channels, *space) if self.first else (1, *self.shape)


class Weight(NamedTuple):
    """An initializer: its shape and initial values, `normal`, `ones` or `zeros`."""

    shape: tuple
    start: str
    fan_in: int = 1


class Operator(NamedTuple):
    """A node of the graph."""

    op: str
    inputs: tuple
    outputs: tuple
    attributes: dict[str, Any]


class Builder:
    """Builds a graph. Rules add the operators and weights of one row at a time."""

    def __init__(self, names: list[str]) -> None:
        self.taken = dict.fromkeys(names, 1)  # name -> last number appended to it
        self.operators: list[Operator] = []
        self.weights: dict[str, Weight] = {}
        self.constants: dict[str, tuple] = {}
        self.turned: dict[tuple, Value] = {}
        self.scope = ""
        self.tables: dict[int, int] = {}  # name of a layer -> name of the layer whose weights it uses

    def add(self, op: str, *inputs: Any, count: int = 1, **attributes: Any) -> Any:
        """Add an operator. Return the name of its output, or a list of `count` names."""
        spend()
        names = [self.fresh(f"{self.scope}/{op}") for _ in range(count)]
        attributes = {name: value for name, value in attributes.items() if value is not None}
        self._refuse_many(len(self.operators))
        self.operators.append(Operator(op, inputs, tuple(names), attributes))
        return names[0] if count == 1 else names

    def fresh(self, name: str) -> str:
        """Make a name unique by appending a number if it is taken."""
        found = name
        while found in self.taken:
            self.taken[name] += 1
            found = f"{name}_{self.taken[name]}"
        self.taken[found] = 1
        return found

    def named(self, value: Value, name: str, start: int) -> Value:
        """Give a value the name of its row, whose operators begin at index `start`."""
        if len(self.operators) == start or self.operators[-1].outputs[0] != value.name:
            value = value._replace(name=self.add("Identity", value.name))
        last = self.operators[-1]
        self.operators[-1] = last._replace(outputs=(name, *last.outputs[1:]))
        return value._replace(name=name)

    # tensors that are stored

    def weight(self, holder: int, kind: str, shape: Shape, start: str = "normal", fan_in: int = 1) -> str:
        """Name of a layer's weight of a kind. Repeated layers share it, reshaped or transposed if necessary."""
        name = f"{self.tables.get(holder, holder) if kind == 'weight' else holder}.{kind}"
        known = self.weights.setdefault(name, Weight(tuple(shape), start, fan_in))
        if known.shape == tuple(shape):
            return name
        if known.shape[::-1] == tuple(shape):  # an output layer that shares the table of an embedding
            return self.add("Transpose", name)
        return self.add("Reshape", name, self.ints(*shape))

    def ints(self, *values: int) -> str:
        """A constant vector of integers."""
        return self._constant("int64", values, (len(values),))

    def number(self, value: float) -> str:
        """A constant number."""
        return self._constant("float32", (float(value),), ())

    def whole(self, value: int) -> str:
        """A constant integer."""
        return self._constant("int64", (value,), ())

    def filled(self, value: int, count: int) -> str:
        """A vector filled with one number, generated in the graph because it is not trained."""
        return self.add("Cast", self.add("Expand", self.whole(value), self.ints(count)), to=1)  # FLOAT

    def _constant(self, kind: str, values: tuple[float, ...], shape: Shape) -> str:
        name = f"{kind} {list(values)}" if shape else f"{kind} {values[0]:g}"
        self.constants[name] = (kind, values, shape)
        return name

    def _refuse_many(self, count: int) -> None:
        if count > limits.WRITTEN:
            message = f"`{self.scope}`: more than {limits.WRITTEN:,} operators or constants"
            raise OptionError(Problem("limit", message, help=limits.hint("written")))

    # layout

    def first(self, value: Value) -> Value:
        """The tensor with its channels before the grid."""
        return self._turned(value, True)

    def last(self, value: Any) -> Value:
        """The tensor with its channels last, as in specs."""
        return self._turned(value, False)

    def like(self, value: Value, other: Value) -> Value:
        """The tensor in the layout of another."""
        return self._turned(value, other.first)

    def _turned(self, value: Value, first: bool) -> Value:
        if value.first == first or len(value.shape) < 2:
            return value._replace(first=first and len(value.shape) > 1)
        key = value.name, first
        if key not in self.turned:
            rank = len(value.shape) + 1
            order = (0, rank - 1, *range(1, rank - 1)) if first else (0, *range(2, rank), 1)
            name = self.add("Transpose", value.name, perm=order)
            self.turned[key] = Value(name, value.shape, first, value.kind)
        return self.turned[key]

    # what several rules need

    def reshape(self, value: Value, shape: Shape) -> str:
        """Reshape a tensor, channels last, and keep the batch."""
        return self.add("Reshape", self.last(value).name, self.ints(0, *shape))

    def axis(self, value: Value, at: int) -> int:
        """Axis in the graph for an axis of the spec's shape."""
        if not value.first:
            return at + 1
        return 1 if at == len(value.shape) - 1 else at + 2


def refused(node: Node, why: str, help: str) -> SpecError:
    """Create the error for a layer that ONNX cannot represent."""
    return SpecError(Problem("cannot-export", f"`{node.name}`: {why}", node.row.place, help))


_ONE_WEIGHT = ("conv", "dwconv", "conv_transpose", "linear", "logits", "embedding", "bilinear", "parameter")
_GRIDS = ("conv", "pool")  # modules of operations that require channels before the grid


class Network(NamedTuple):
    """A built graph: operators and weights, input tensors, one tensor per row, and output tensors."""

    builder: Builder
    inputs: list
    rows: list
    outputs: list


def built(graph: Graph) -> Network:
    """Build the ONNX graph of a network. Raises SpecError for a layer that ONNX cannot represent."""
    b = Builder([node.name for node in graph.nodes] + list(graph.inputs))
    inputs = {name: _input(name, tuple(shape), graph) for name, shape in graph.inputs.items()}
    b.tables = {node.name: graph.nodes[node.table].name for node in graph.nodes if node.table is not None}
    rows: list[Value] = []
    for node in graph.nodes:
        values = [inputs[source] if type(source) is str else rows[source] for source in node.sources]
        rows.append(_row(b, node._replace(holder=graph.nodes[node.holder].name), values))
    for number in graph.unread:  # an initializer cannot be an output itself
        if rows[number].name in b.weights:
            rows[number] = _output(b, rows[number], graph.nodes[number].name)
    outputs = [rows[number] for number in graph.unread]
    if type(graph.output) is str:
        outputs.append(_output(b, inputs[graph.output], "output"))
    return Network(b, list(inputs.values()), rows, outputs)


def _row(b: Builder, node: Node, values: list[Value]) -> Value:
    rule = _rule(node)
    b.scope, start = node.name, len(b.operators)
    value = rule(b, node, *values)
    return value if value.name in b.weights else b.named(value, node.name, start)


def _rule(node: Node) -> Callable[..., Any]:
    op = node.row.op.name
    if node.is_given:
        raise refused(
            node, "`params` states how many numbers it has, not which", "write it as layers with as many parameters"
        )
    if node.table is not None and op not in _ONE_WEIGHT:
        raise refused(node, "its weights are several tensors", "`reuse` alone runs a whole layer again")
    if INDEX[op] == "opaque":
        raise refused(node, "`opaque` layers cannot be exported", "write it as layers that `costcalc ops` lists")
    if op in UNWRITTEN:
        why, help = UNWRITTEN[op]
        raise refused(node, why.format(form="ONNX"), help)
    rule = import_module(f"{__package__}.{INDEX[op]}").RULES.get(op)
    if rule is None:
        raise refused(node, f"`{op}` has no equivalent in ONNX", "write it as other layers")
    return rule


def _input(name: str, shape: Shape, graph: Graph) -> Value:
    """An input in the layout of frameworks: channels before the grid for images, integers for indices."""
    readers = {node.row.op.name for node in graph.nodes if name in node.sources}
    grid = len(shape) > 2 or any(INDEX[op] in _GRIDS for op in readers)
    return Value(name, shape, grid and len(shape) > 1, "int" if readers == {"embedding"} else "float")


def _output(b: Builder, value: Value, name: str) -> Any:
    b.scope = name
    return value._replace(name=b.add("Identity", value.name))
