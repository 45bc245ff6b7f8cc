"""The nodes of a Keras model: which layer runs on which tensors, in the formats of Keras 2 and 3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ... import limits
from ...errors import brief
from ...records import NamedTuple

if TYPE_CHECKING:
    from ...num.values import Shape


MODELS = ("Functional", "Model", "Sequential")


class Node(NamedTuple):
    """One run of a layer: its name, class and configuration, its number among the layer's runs, and what it reads.

    Each source is (layer, call, output). `stated` are the shapes per sample that the file gives for some of them,
    `arguments` what the call is given, `module` where the class is defined.
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
        """Whether it is a function of keras.ops, not a layer."""
        return self.module.startswith(("keras.src.ops", "keras.ops"))

    @property
    def key(self) -> tuple[str, int]:
        """Which run it is."""
        return self.name, self.call

    @property
    def output(self) -> tuple[str, int, int]:
        """What others read its first output by."""
        return self.name, self.call, 0


def nodes_of(model: Mapping[str, Any], error: Callable[..., Any]) -> tuple[list[Any], ...]:
    """The nodes in an order in which each has its inputs, and the keys of the outputs. `error` makes the errors."""
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
    """Calls counted from 0: of models as layers, Keras 2 counts them from 1, and Keras 3 where it names the outputs."""
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
    """The keys of the inputs of a functional model, in the order in which a call gives them."""
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
    """Layers in a row; an input that is only a shape of the first one, or of the whole, becomes a layer."""
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
    """The shapes that a layer was built for, by what it reads."""
    built = layer.get("build_config")
    shape = built.get("input_shape") if isinstance(built, dict) else None
    shapes = [shape] if len(sources) == 1 else shape if isinstance(shape, list) else []
    found = {} if len(shapes) != len(sources) else dict(zip(sources, map(_stated, shapes), strict=True))
    return {key: one for key, one in found.items() if one}


def _stated(shape: Any) -> tuple[int, ...] | None:
    """A shape per sample as a file gives it; None if an axis is open or it is none."""
    whole = isinstance(shape, list) and all(type(size) is int and 0 < size <= limits.SIZE for size in shape[1:])
    return tuple(shape[1:]) if whole and 1 < len(shape) <= limits.RANK + 1 else None


def _runs(layer: Mapping[str, Any], error: Callable[..., Any]) -> Iterator[Node]:
    """A layer once for each time it is called."""
    calls = layer.get("inbound_nodes") or [[]]
    if not isinstance(calls, list):
        raise error(f"layer `{layer['name'][:60]}` has no list of calls")
    for number, call in enumerate(calls):
        read = [(_key(one), shape) for one, shape in _histories(call)]
        sources = tuple(key for key, _ in read)
        stated = {} if number else _built(layer, sources)
        stated |= {key: shape for key, shape in read if shape}
        if layer["class_name"] != "InputLayer" and not sources:
            raise error(f"layer `{layer['name'][:60]}` reads nothing")
        yield Node(layer["name"], layer["class_name"], layer["config"], number, sources, stated, call, _module(layer))


def _histories(found: Any) -> Iterator[tuple[list[Any], Shape | None]]:
    """The `[name, call, tensor]` in a value, however deep, each with the shape that stands beside it or None."""
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
    """The keys of the tensors in a part of a call's arguments."""
    return [_key(one) for one, _ in _histories(value)]


def _ordered(nodes: list[Node], error: Callable[..., Any]) -> list[Node]:
    """The nodes, each behind those it reads: a layer that runs again may stand before its later inputs."""
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
                raise error(f"layer `{node.name[:60]}` reads what comes from itself")
            else:
                entered.add(node.key)
                stack += [node, *missing]
    return list(done.values())
