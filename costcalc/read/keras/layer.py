"""A Keras layer as its rule sees it: inputs, sizes as options, and activations by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ... import limits
from ...errors import Source, SpecError, brief
from ...model.binding import is_mixed_up
from ...model.expr import Expr
from ...model.network import Call, Group, Model, Step, dynamic_of, is_dynamic
from ...model.scope import Frame, Named, Scope
from ...model.scope import Tensor as Flowing
from ...model.trace import Tracer
from ...num.polynomials import Dim, named
from ...num.valuation import names, valued
from ...num.values import Shape
from ...ops import INDEX, find
from ...ops.base import Option
from ...records import NamedTuple

MODELS = ("Functional", "Model", "Sequential")


class Node(NamedTuple):
    """One call of a layer: name, class, configuration, index of the call, and inputs.

    Each source is (layer, call, output). `stated` has the shapes per sample that the file gives for some sources,
    `arguments` the arguments of the call, `module` the module that defines the class.
    """

    name: str
    kind: str
    config: dict
    call: int
    sources: tuple
    stated: Mapping = {}
    arguments: Any = None
    module: str = ""

    @property
    def is_operation(self) -> bool:
        """Whether the node is a function of keras.ops, not a layer."""
        return self.module.startswith(("keras.src.ops", "keras.ops"))

    @property
    def key(self) -> tuple[str, int]:
        """Identifier of the call: layer name and index."""
        return self.name, self.call

    @property
    def output(self) -> tuple[str, int, int]:
        """Key of the first output."""
        return self.name, self.call, 0


def nodes_of(model: Mapping[str, Any], error: Callable[..., Any]) -> tuple[list[Any], ...]:
    """Return the nodes in topological order and the keys of the outputs. `error` creates the exceptions."""
    config, kind = model["config"], brief(model["class_name"])
    layers = config.get("layers") if isinstance(config, dict) else config if kind == "Sequential" else None
    if not isinstance(layers, list):
        raise error(f"a {kind} has no list of layers", help="subclassed models do not have one")
    if not layers:
        raise error(f"a {kind} has no layers", help="build the model before `to_json()`")
    if kind == "Sequential":
        return _sequence(layers, error, config)
    nodes = [node for layer in layers for node in _runs(_checked(layer, error), error)]
    if len(nodes) > limits.NODES:
        raise error(f"it has more than {limits.NODES:,} layers")
    outputs = [_key(one) for one, _ in _histories(config.get("output_layers") or [])]
    nodes, outputs = _numbered(nodes, outputs)
    return _ordered(nodes, error), outputs


def _numbered(nodes: list[Node], outputs: list[tuple[str, int, int]]) -> tuple[list[Node], list[tuple[str, int, int]]]:
    """Renumber calls from 0. Keras 2 counts calls of nested models from 1, Keras 3 only in its list of outputs."""
    models = {node.name for node in nodes if node.kind in MODELS}
    known = {node.key for node in nodes}

    def moved(key: Any) -> Any:
        before = (key[0], key[1] - 1, key[2])
        is_moved = before[:2] in known and (key[0] in models or key[:2] not in known)
        return before if is_moved else key

    found = []
    for node in nodes:
        if isinstance(node.arguments, list):
            stated = {moved(key): shape for key, shape in node.stated.items()}
            node = node._replace(sources=tuple(map(moved, node.sources)), stated=stated)
        found.append(node)
    functional = {node.name for node in nodes if node.kind in MODELS and node.kind != "Sequential"}
    is_old = any(isinstance(node.arguments, list) and node.arguments for node in nodes)
    return found, [moved(key) if is_old or key[0] in functional or key[:2] not in known else key for key in outputs]


def inputs_of(config: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Keys of the inputs of a functional model, in the order of a call's arguments."""
    found = config.get("input_layers") if isinstance(config, dict) else None
    return [_key(one)[:2] for one, _ in _histories(found or [])]


def _module(layer: Mapping[str, Any]) -> str:
    found = layer.get("module")
    return found if isinstance(found, str) else ""


def _checked(layer: Mapping[str, Any], error: Callable[..., Any]) -> dict[str, Any]:
    name = layer.get("name") if isinstance(layer, dict) else None
    config = layer.get("config") if isinstance(layer, dict) else None
    if not isinstance(config, dict) or not isinstance(layer.get("class_name"), str):
        raise error("a layer has no class and configuration")
    name = name if isinstance(name, str) else config.get("name")
    if not isinstance(name, str) or not name.strip():
        raise error("a layer has no name")
    return {**layer, "name": name}


def _sequence(
    layers: list[dict[str, Any]],
    error: Callable[..., Any],
    config: Mapping[str, Any],
) -> tuple[list[Node], list[tuple[str, int, int]]]:
    """Nodes of a sequential model. An input stated only as a shape of the first layer or the model becomes a layer."""
    found: list[Node] = []
    before: Any = None
    for number, given in enumerate(layers):
        layer = _checked(given, error)
        if number == 0 and layer["class_name"] != "InputLayer":
            whole = config if isinstance(config, dict) else {}
            shape = layer["config"].get("batch_input_shape") or whole.get("build_input_shape")
            found.append(Node("input", "InputLayer", {"batch_shape": shape}, 0, ()))
            before = found[-1].output
        sources = () if layer["class_name"] == "InputLayer" else (before,)
        stated = _built(layer, sources)
        found.append(
            Node(layer["name"], layer["class_name"], layer["config"], 0, sources, stated, None, _module(layer))
        )
        before = found[-1].output
    return found, [before]


def _built(layer: Mapping[str, Any], sources: Any) -> dict[tuple[str, int, int], Shape]:
    """Shapes that a layer was built for, by source."""
    built = layer.get("build_config")
    shape = built.get("input_shape") if isinstance(built, dict) else None
    shapes = [shape] if len(sources) == 1 else shape if isinstance(shape, list) else []
    found = {} if len(shapes) != len(sources) else dict(zip(sources, map(_stated, shapes), strict=True))
    return {key: one for key, one in found.items() if one}


def _stated(shape: Any) -> tuple[int, ...] | None:
    """Shape per sample as a file gives it, or None if it is not a shape or an axis is open."""
    whole = isinstance(shape, list) and all(type(size) is int and 0 < size <= limits.SIZE for size in shape[1:])
    return tuple(shape[1:]) if whole and 1 < len(shape) <= limits.RANK + 1 else None


def _runs(layer: Mapping[str, Any], error: Callable[..., Any]) -> Iterator[Node]:
    """One node for each call of a layer."""
    calls = layer.get("inbound_nodes") or [[]]
    if not isinstance(calls, list):
        raise error(f"layer `{layer['name'][:60]}` has no list of calls")
    for number, call in enumerate(calls):
        read = [(_key(one), shape) for one, shape in _histories(call)]
        sources = tuple(key for key, _ in read)
        stated = {} if number else _built(layer, sources)
        stated |= {key: shape for key, shape in read if shape}
        if layer["class_name"] != "InputLayer" and not sources:
            raise error(f"layer `{layer['name'][:60]}` has no inputs")
        yield Node(layer["name"], layer["class_name"], layer["config"], number, sources, stated, call, _module(layer))


def _histories(found: Any) -> Iterator[tuple[list[Any], Shape | None]]:
    """Each `[name, call, tensor]` in a nested value, with the shape given beside it or None."""
    stack: list[tuple] = [(found, None)]
    while stack:
        one, shape = stack.pop()
        if _is_history(one):
            yield one, shape
            stack += [(part, None) for part in one[3:] if isinstance(part, dict)]
        elif isinstance(one, list):
            stack += [(part, None) for part in one[::-1]]
        elif isinstance(one, dict) and "keras_history" in one:
            stack.append((one["keras_history"], _stated(one.get("shape"))))
        elif isinstance(one, dict):
            stack += [(part, None) for part in list(one.values())[::-1]]


def _is_history(one: Any) -> bool:
    return isinstance(one, list) and len(one) > 2 and isinstance(one[0], str) and type(one[1]) is type(one[2]) is int


def _key(history: list[Any]) -> tuple[str, int, int]:
    return history[0], history[1], history[2]


def keys_of(value: Iterable[Any] | None) -> list[tuple[str, int, int]]:
    """Keys of the tensors in a part of a call's arguments."""
    return [_key(one) for one, _ in _histories(value)]


def _ordered(nodes: list[Node], error: Callable[..., Any]) -> list[Node]:
    """Sort the nodes topologically. A later call of a layer can be listed before its inputs."""
    known = {node.key: node for node in nodes}
    if len(known) < len(nodes):
        twice = next(node.name for at, node in enumerate(nodes) if known[node.key] is not nodes[at])
        raise error(f"two layers are called `{twice[:60]}`")
    done: dict[tuple, Node] = {}
    for first in nodes:
        stack, entered = [first], set()
        while stack:
            node = stack.pop()
            missing = [known[one[:2]] for one in node.sources if one[:2] in known and one[:2] not in done]
            if node.key in done:
                continue
            if not missing:
                done[node.key] = node
            elif node.key in entered:
                raise error(f"layer `{node.name[:60]}` depends on its own output")
            else:
                entered.add(node.key)
                stack += [node, *missing]
    return list(done.values())


_NAMES = {
    "hard_sigmoid": "hsigmoid",
    "hard_swish": "hswish",
    "hard_silu": "hswish",
    "exponential": "exp",
    "leaky_relu": "leaky_relu",
    "log_softmax": "log_softmax",
    "hard_tanh": "hardtanh",
}
_PASSES = (None, "linear")


def _named(given: str) -> str:
    """Name of an activation, given as a word or as a configuration."""
    while isinstance(given, dict):
        inner = given.get("config")
        given = inner if isinstance(inner, str) else (inner or {}).get("name") or given.get("class_name")
    return given


def activations(layer: Layer, given: Any) -> tuple[Step, ...]:
    """Steps of an activation: none for `linear`; an unknown activation is a step of unknown cost."""
    name = _named(given)
    if name in _PASSES:
        return ()
    op = _NAMES.get(name, name)
    if not isinstance(op, str) or INDEX.get(op) != "pointwise":
        return (layer.step("opaque", label=f"activation {name}"),)
    return (layer.step(op),)


_NO_SHAPE = (SpecError, ArithmeticError, TypeError, ValueError, KeyError)


class Tensor(NamedTuple):
    """Input of a layer: the name of its producer, and its shape per sample or None if unknown."""

    label: str
    shape: Any


class Flow:
    """Shape inference along the steps as they are created."""

    def __init__(self, source: Source) -> None:
        self.values: dict[str, Any] = {}
        self.tracer = Tracer(Model("", source, {}, {}, ()), self.values)
        self.top = Scope(self.values, Frame(None, ""), None, self.values)

    def input(self, name: str, sizes: tuple, opened: Any) -> Tensor:
        """Register an input. `opened` maps the expressions of its open axes to their names."""
        self.values.update((axis, named(axis)) for axis in opened)
        shape = tuple(size if type(size) is int else named(size.text) for size in sizes)
        self.top.named[name] = Named(Flowing(shape, name), None, None, ())
        return Tensor(name, shape)

    def inside(self, scope: Scope) -> Scope:
        """Scope of the steps of a group."""
        return Scope(scope.env, Frame(scope.frame, ""), scope)

    def after(self, step: Step, scope: Scope, x: tuple = ()) -> tuple | None:
        """Output shape of a step, or None if it cannot run. The walk with numbers reports the reason."""
        tracer = self.tracer
        before = tracer.times, tracer.shared, tracer.work.depth
        try:
            return tuple(tracer.controlled(step, Flowing(x, None), scope).shape)
        except _NO_SHAPE:
            tracer.times, tracer.shared, tracer.work.depth = before
            return None

    def alone(self, tensor: Tensor) -> Scope:
        """Scope in which only one tensor is defined."""
        scope = self.inside(self.top)
        scope.named = {tensor.label: Named(Flowing(tensor.shape, tensor.label), None, None, ())}
        return scope

    def holds_nothing(self, step: Step, x: tuple, scope: Scope) -> bool:
        """Whether a step has no weights."""
        start = len(self.tracer.rows)
        shape = self.after(step, self.inside(scope), x)
        return shape is not None and not any(any(row.layer.params.values()) for row in self.tracer.rows[start:])

    def tried(self, step: Step, x: tuple) -> tuple | None:
        """Output shape of a step for an input, without side effects on the scope."""
        return self.after(step, self.inside(self.top), x)


UNKNOWN = None  # an unsupported configuration: cost and shape are unknown


class Layer:
    """One layer as its rule sees it: configuration, position, inputs, and the reader of the file.

    A rule sets `lost` if it knows the steps but not their output shape, and `others` to the shapes of the outputs after
    the first.
    """

    def __init__(self, config: dict, tensors: list[Tensor], node: Any, reader: Any) -> None:
        self.config, self.tensors, self.node, self.reader = config, tensors, node, reader
        self.inputs = [one.label for one in tensors]
        self.lost = False
        self.others: Any = ()

    @property
    def shape(self) -> tuple:
        """Shape per sample of the first input. An open axis is a polynomial."""
        return self.tensors[0].shape or ()

    def get(self, name: str, default: Any = None) -> Any:
        """An entry of the configuration."""
        found = self.config.get(name)
        return default if found is None else found

    def argument(self, name: str, position: int) -> Any:
        """Argument of the call, by name or position, or None if it is not given."""
        given = self.node.arguments if isinstance(self.node.arguments, dict) else {}
        listed, words = given.get("args"), given.get("kwargs")
        if isinstance(words, dict) and words.get(name) is not None:
            return words[name]
        return listed[position] if isinstance(listed, list) and position < len(listed) else None

    def tensor(self, name: str, position: int) -> Tensor | None:
        """Tensor that the call passes for an argument."""
        keys = keys_of(self.argument(name, position))
        return self.tensors[self.node.sources.index(keys[0])] if keys and keys[0] in self.node.sources else None

    def step(self, op: str, then: tuple[Any, ...] = (), **options: Any) -> Step:
        """Step of one operation. Sizes may be numbers, open axes and, for a branch, names or steps."""
        known = find(op)
        options = {
            name: value if name in known.branches else _bound(known.options[name], as_tuple(value))
            for name, value in options.items()
            if value is not None or known.options[name].required
        }
        call = Call(op, options, {}, dynamic_of(options))
        return Step(call, self.place, self.source, then=tuple(then))

    @property
    def place(self) -> tuple[int, ...]:
        """Position of the layer in the text."""
        return self.reader.place(self.node)

    @property
    def source(self) -> Source:
        """Text of the file."""
        return self.reader.source

    def named(self, step: Step, label: str | None = None, origin: str | None = None, times: Any = None) -> Step:
        """Step with a name, an explicit input or a number of runs."""
        return step._replace(label=label, origin=origin, times=None if times is None else as_tuple(times), plain=False)

    def made(self, shape: tuple, label: str, params: int = 0) -> Step:
        """Step that changes the shape and has no multiplications."""
        return self.step("opaque", label=label, out=shape, mult_adds=0, params=params)

    def keeping(self, step: Step, count: Any) -> Step:
        """Add `count` values that are not trained to a step of an operation without weights."""
        return step._replace(body=step.body._replace(holds={"running": as_tuple(count)}))

    def reshaped(self, shape: tuple) -> Step:
        """Step that gives the values another shape."""
        return self.step("flatten") if len(shape) == 1 else self.step("reshape", shape=shape)

    def group(self, *steps: Any) -> Step:
        """Group steps into one."""
        return Step(Group(tuple(steps)), self.place, self.source)

    def then(self) -> tuple[Step, ...]:
        """Steps of the layer's activation, if it has one."""
        return activations(self, self.config.get("activation"))

    def of(self, config: dict) -> Layer:
        """A layer nested in this one, with the same input."""
        return Layer(config, self.tensors, self.node, self.reader)


def _bound(option: Option, value: Any) -> Any:
    """Convert a value for an option. Raises TypeError or Refused if it is invalid."""
    if is_dynamic(value):
        return value
    if is_mixed_up(value, option.kind) or isinstance(value, dict):
        raise TypeError(option.name)
    return option.kind.bind(value)


def as_tuple(value: Any) -> Any:
    """Convert lists of a configuration to tuples, recursively. Open axes become expressions over the variables."""
    if isinstance(value, Dim):
        return Expr(str(value), names(value), lambda env: valued(value, env))
    return tuple(map(as_tuple, value)) if isinstance(value, (list, tuple)) else value


def axis_of(axis: Any, rank: int) -> int:
    """Convert a Keras axis, which counts the batch, to an axis of a sample. Raises ValueError if it is out of range."""
    if type(axis) is not int or not 1 <= (axis if axis >= 0 else axis + rank + 1) <= rank:
        raise ValueError(axis)
    return axis - 1 if axis > 0 else axis + rank
