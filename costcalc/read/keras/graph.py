"""The nodes of a Keras model: which layer runs on which tensors, in the formats of Keras 2 and 3."""

from typing import Any, NamedTuple

from ... import limits
from ...errors import brief


class Node(NamedTuple):
    """One run of a layer: its name, class and configuration, its number among the layer's runs, and what it reads."""

    name: str
    kind: str
    config: dict
    call: int
    sources: tuple

    @property
    def key(self):
        """What others read it by."""
        return self.name, self.call


def nodes_of(model, error):
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
    if len(nodes) > limits.LAYERS:
        raise error(f"it has more than {limits.LAYERS:,} layers")
    return _ordered(nodes, error), [_key(one) for one in _histories(config.get("output_layers") or [])]


def _checked(layer, error):
    name = layer.get("name") if isinstance(layer, dict) else None
    config = layer.get("config") if isinstance(layer, dict) else None
    if not isinstance(config, dict) or not isinstance(layer.get("class_name"), str):
        raise error("a layer has no class and configuration")
    name = name if isinstance(name, str) else config.get("name")
    if not isinstance(name, str) or not name.strip():
        raise error("a layer has no name")
    return {**layer, "name": name}


def _sequence(layers, error, config):
    """Layers in a row; an input that is only a shape of the first one, or of the whole, becomes a layer."""
    found, before = [], None
    for number, given in enumerate(layers):
        layer = _checked(given, error)
        if number == 0 and layer["class_name"] != "InputLayer":
            whole = config if isinstance(config, dict) else {}
            shape = layer["config"].get("batch_input_shape") or whole.get("build_input_shape")
            found.append(Node("input", "InputLayer", {"batch_shape": shape}, 0, ()))
            before = found[-1].key
        sources = () if layer["class_name"] == "InputLayer" else (before,)
        found.append(Node(layer["name"], layer["class_name"], layer["config"], 0, sources))
        before = found[-1].key
    return found, [before]


def _runs(layer, error):
    """A layer once for each time it is called."""
    calls = layer.get("inbound_nodes") or [[]]
    if not isinstance(calls, list):
        raise error(f"layer `{layer['name'][:60]}` has no list of calls")
    for number, call in enumerate(calls):
        sources = tuple(_key(one) for one in _histories(call))
        if layer["class_name"] != "InputLayer" and not sources:
            raise error(f"layer `{layer['name'][:60]}` reads nothing")
        yield Node(layer["name"], layer["class_name"], layer["config"], number, sources)


def _histories(found):
    """The `[name, call, tensor]` in a value, however deep."""
    stack: list[Any] = [found]
    while stack:
        one = stack.pop()
        if _is_history(one):
            yield one
            stack += [part for part in one[3:] if isinstance(part, dict)]
        elif isinstance(one, list):
            stack += one[::-1]
        elif isinstance(one, dict):
            stack += [one["keras_history"]] if "keras_history" in one else list(one.values())[::-1]


def _is_history(one):
    return isinstance(one, list) and len(one) > 2 and isinstance(one[0], str) and type(one[1]) is type(one[2]) is int


def _key(history):
    return history[0], history[1]


def _ordered(nodes, error):
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
            missing = [known[one] for one in node.sources if one in known and one not in done]
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
