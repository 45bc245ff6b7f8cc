"""The document: inputs, variables, blocks and layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...model.expr import Expr
from ...model.inputs import is_mistakable
from ...model.stitching import is_stated
from ...read.spec.declarations import TAKEN
from . import widths
from .fold import folded
from .groups import grouped
from .items import Item, settled, walk
from .names import kept, labelled, with_words, without_number
from .structure import structured
from .text import Style, defaults_of, entries
from .yaml_text import flow, lines

if TYPE_CHECKING:
    from ...model.network import Model
    from ...model.wiring import Graph, Node


LEAST = 8  # channels that a multiplier leaves, as in the published code of MobileNet V1


def written(
    model: Model,
    graph: Graph,
    width: Any,
    flat: bool,
    axes: Any = None,
    values: Any = None,
) -> str:
    """The text of a spec; `axes` are the open axes of the inputs that become variables, by their names there."""
    options, named = _general if axes else _options, range(len(graph.nodes)) if flat else ()
    stated, graph = graph, with_words(graph)
    items = settled(structured(graph, options, _finals(graph) if width else set(), named))
    items = settled(grouped(items))
    widths.state(items, model, stated)
    taken = labelled(items, graph.inputs)
    plain = Style(defaults_of(items), not width, "width" if width else "")
    style = plain._replace(defaults={op: (bias, _parsed(items, op, plain)) for op, (bias, _) in plain.defaults.items()})
    words = style.words | set(map(without_number, taken))
    items, blocks = (items, []) if flat else folded(items, style._replace(words=words))
    kept(items, blocks, taken, flat)
    parts: dict[str, Any] = {"name": model.name}
    if width or axes:
        parts["vars"] = {axes[name]: values[name] for name in axes or ()}
    if width:
        parts["vars"][width] = {"default": 1.0, "help": "width multiplier"}
        parts["define"] = {"width(c)": f"max(floor({width} * c), min(c, {LEAST}))"}
    parts.update(_inputs(model, graph, axes or {}))
    bits = widths.defaults(model.storage)
    if style.defaults or bits:
        parts["defaults"] = {**({"bits": bits} if bits else {}), **_defaults(style)}
    if blocks:
        parts["blocks"] = {block.signature: entries(block.items, style) for block in blocks}
    parts["layers"] = entries(items, style)
    return "\n".join(_document(parts)) + "\n"


def _options(node: Node) -> Mapping[str, Any]:
    return node.row.options


def _document(parts: Mapping[str, Any]) -> Iterator[str]:
    for key, value in parts.items():
        if key in ("blocks", "layers", "define", "vars", "defaults", "inputs"):
            yield f"{key}:"
            if key == "blocks":
                for name, steps in value.items():
                    yield f"  {name}:"
                    yield from lines(steps, 4)
            elif key == "layers":
                yield from lines(value, 2)
            else:
                yield from (f"  {name}: {flow(one)}" for name, one in value.items())
        else:
            yield f"{key}: {flow(value)}"


def open_axes(model: Model) -> dict[Any, Any]:
    """{name: what it can be called in a spec} of the variables that are axes of the inputs of a graph."""
    if not is_stated(model):
        return {}
    found = [size.text for one in model.inputs.values() for size in one.shape if type(size) is Expr]
    reserved = {*TAKEN, "c"}
    return {name: f"{name}_in" if name in reserved else name for name in found if name in model.variables}


def _inputs(model: Model, graph: Graph, axes: Mapping[Any, Any]) -> dict[str, Iterable[Any]]:
    shapes = {
        name: [axes.get(getattr(arg, "text", None), size) for arg, size in zip(given.shape, shape, strict=True)]
        for given, (name, shape) in zip(model.inputs.values(), graph.inputs.items(), strict=True)
    }
    shapes = widths.shapes(model, {name: _named(shape) for name, shape in shapes.items()})
    return {"input": shapes["input"]} if list(shapes) == ["input"] else {"inputs": shapes}


def _named(shape: list[int]) -> Any:
    """A shape; its axes by their names where a list would be taken for one of another order."""
    names = ("depth", "height", "width", "channels")
    return dict(zip(names[-len(shape) :], shape, strict=True)) if is_mistakable(shape) else shape


def _general(node: Node) -> Any:
    """The options of a node, a window over the whole grid by that name."""
    options, shape = dict(node.row.options), node.row.layer.shape
    whole = node.row.op.name in ("maxpool", "avgpool") and all(size == 1 for size in shape[:-1])
    return {"kernel": "global"} if whole and options["kernel"] == tuple(node.row.inputs[0][:-1]) else options


def _defaults(style: Style) -> dict[str, dict[str, Any]]:
    groups: dict[str, tuple[dict, list[str]]] = {}
    for op, (bias, then) in style.defaults.items():
        options = {**({} if bias else {"bias": False}), **({"then": then} if then else {})}
        groups.setdefault(flow(options), (options, []))[1].append(op)
    return {", ".join(ops): options for options, ops in groups.values()}


def _parsed(items: list[Item], op: str, style: Style) -> list[str]:
    """The entries of `then` that most layers of an operation have."""
    bias, texts = style.defaults[op]
    for item in walk(items):
        if item.op == op and item.options["bias"] == bias:
            own = entries(item.then, style._replace(defaults={}))
            if tuple(map(flow, own)) == texts:
                return own
    raise AssertionError  # it was counted there


def _finals(graph: Graph) -> Any:
    """The nodes whose width is the network's output: no other layer with a width comes after them."""
    later: set[Any] = set()
    for number in reversed(range(len(graph.nodes))):
        node = graph.nodes[number]
        if number in later or _has_width(node):
            later.update(source for source in node.sources if type(source) is int)
    return {number for number, node in enumerate(graph.nodes) if number not in later}


def _has_width(node: Node) -> Any:
    return any(option.kind.name == "width" for option in node.row.op.options.values())
