"""Write the document: inputs, variables, blocks and layers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...errors import Problem, SpecError
from ...model.expr import Expr
from ...model.inputs import is_mistakable
from ...model.network import Model
from ...model.stitching import is_stated
from ...model.storage import BITS, CHANNEL, DEFAULT, Storage, Widths
from ...model.widths import RENAMING
from ...model.wiring import Graph, Node, held
from ...num.values import Shape
from ...ops import INDEX
from ...read.spec.blocks import RESERVED
from ...read.spec.declarations import TAKEN
from .blocks import Block
from .fold import folded
from .structure import Item, quotient, settled, structured, unused, walk
from .text import Style, defaults_of, entries, flow, lines


def default_bits(storage: Storage) -> dict[str, Any]:
    """Content of `defaults: {bits: ..}`, for widths that differ from 32 bits."""
    found = {name: getattr(storage, name) for name in BITS if getattr(storage, name) != getattr(DEFAULT, name)}
    return {name: "channel" if value == CHANNEL else value for name, value in found.items()}


def state_bits(items: list[Item], model: Model, graph: Graph) -> None:
    """Set the bits of items that differ from their surroundings."""
    storage = model.storage
    if storage.own:
        own = _Own(model, graph)
        _state(items, own, Widths(storage.weights, storage.activations, storage.bias))


def _state(items: list[Item], own: _Own, outer: Widths) -> None:
    for item in items:
        if 0 <= item.number < len(own.widths):
            item.bits = own.stated_in(item.number, outer)
        inner = item.bits.inside(outer)
        for one in item.lists:
            _state(one, own, inner)
        _state(item.then, own, inner)


class _Own:
    """Widths of each node of a graph, 0 if arbitrary."""

    def __init__(self, model: Model, graph: Graph) -> None:
        self.storage, self.inputs = model.storage, {name: one.bits for name, one in model.inputs.items()}
        self.stated = is_stated(model)
        self.made: list[int] = []
        self.renaming = {at for at, node in enumerate(graph.nodes) if node.row.op.name in RENAMING}
        self.widths = [self._of(node) for node in graph.nodes]

    def stated_in(self, number: int, outer: Widths) -> Widths:
        """Widths that a layer must state: those that differ from its surroundings or from a tensor that it renames."""
        own = self.widths[number]
        found = Widths(*(mine if mine != theirs else 0 for mine, theirs in zip(own, outer, strict=True)))
        return found._replace(activations=own.activations) if number in self.renaming else found

    def _of(self, node: Node) -> Widths:
        row, storage = node.row, self.storage
        between = self.stated and node.name != row.name  # it is not a step of the model
        if between and held(row):  # a parameter that a step reads
            row = row._replace(bits=row.step.bits)
        source = self._source(node)
        renames = row.op.name in RENAMING
        passes = renames or between
        stated = row.bits.activations if between or not renames else row.step.bits.activations
        made = stated or (source if passes and source else storage.activations)
        self.made.append(made)
        kinds = {kind for kind, count in held(row).items() if count}
        others = row.bits.bias or storage.bias or row.bits.weights or storage.weights if kinds - {"weight"} else 0
        weights = row.bits.weights or storage.weights if kinds or row.layer.params or row.layer.products else 0
        return Widths(weights, 0 if renames and made == source else made, self._bias(others, weights))

    def _bias(self, others: int, weights: int) -> int:
        """Bits of other numbers, or 0 if they equal those of the weights and no default is set."""
        return 0 if others == weights and not self.storage.bias else others

    def _source(self, node: Node) -> int:
        source: Any = next(iter(node.sources), None)
        if type(source) is int:
            return self.made[source] if source < len(self.made) else 0
        return self.inputs.get(source, 0) or self.storage.activations


def with_bits(model: Model, written: Mapping[str, Any]) -> dict[str, Any]:
    """Shapes of inputs as written, with bits if stated."""
    bits = dict(zip(written, (one.bits if model.storage.own else 0 for one in model.inputs.values()), strict=True))
    return {name: _shape(one, bits[name]) for name, one in written.items()}


def _shape(shape: Any, bits: int) -> Any:
    if not bits:
        return shape
    return {**shape, "bits": bits} if isinstance(shape, dict) else {"shape": shape, "bits": bits}


LEAST = 8  # minimum number of channels, as in the published code of MobileNet V1


def written(
    model: Model,
    graph: Graph,
    width: Any,
    flat: bool,
    axes: Any = None,
    values: Any = None,
) -> str:
    """Write a spec. `axes` maps open axes of the inputs that become variables to their names."""
    options, named = _general if axes else _options, range(len(graph.nodes)) if flat else ()
    stated, graph = graph, with_words(graph)
    items = settled(structured(graph, options, _finals(graph) if width else set(), named))
    items = settled(grouped(items))
    state_bits(items, model, stated)
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
    bits = default_bits(model.storage)
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
    """Variables that are axes of a graph's inputs -> valid names in a spec."""
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
    shapes = with_bits(model, {name: _named(shape) for name, shape in shapes.items()})
    return {"input": shapes["input"]} if list(shapes) == ["input"] else {"inputs": shapes}


def _named(shape: list[int]) -> Any:
    """A shape. Axes are named if a list would be mistaken for another order."""
    names = ("depth", "height", "width", "channels")
    return dict(zip(names[-len(shape) :], shape, strict=True)) if is_mistakable(shape) else shape


def _general(node: Node) -> Any:
    """Options of a node. A window over the whole grid becomes `global`."""
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
    """Most common `then` of an operation, as entries."""
    bias, texts = style.defaults[op]
    for item in walk(items):
        if item.op == op and item.options["bias"] == bias:
            own = entries(item.then, style._replace(defaults={}))
            if tuple(map(flow, own)) == texts:
                return own
    raise AssertionError  # unreachable: `defaults_of` counted it


def _finals(graph: Graph) -> Any:
    """Nodes whose width is the network's output: no layer with a width comes after them."""
    later: set[Any] = set()
    for number in reversed(range(len(graph.nodes))):
        node = graph.nodes[number]
        if number in later or _has_width(node):
            later.update(source for source in node.sources if type(source) is int)
    return {number for number, node in enumerate(graph.nodes) if number not in later}


def _has_width(node: Node) -> Any:
    return any(option.kind.name == "width" for option in node.row.op.options.values())


def grouped(items: list[Item]) -> list[Item]:
    """Put items into groups, in every nested list. A reused layer gets the times of its original."""
    named = {id(other) for item in walk(items) for other in item.refers()}
    again = [item for item in walk(items) if item.op == "reuse"]
    held = {id(item.branches[0]): item.branches[0].times for item in again}
    held |= {id(item.table): item.table.times for item in walk(items) if item.table is not None}
    for item in again:
        item.times = _again(item, item.branches[0], held)
    return _Groups(named, held).of(items, 1)


def _again(item: Item, holder: Item, held: Mapping[int, int]) -> int:
    times = quotient(item.times, held[id(holder)])
    if times is None:
        message = f"`{item.name}` has the weights of `{holder.name}`, which runs {held[id(holder)]} times a sample"
        raise SpecError(Problem("cannot-write", f"{message}: a spec can only run it a multiple of that"))
    return times


class _Groups:
    """Creates groups. `named` are ids of items that others refer to, `held` maps ids of reused items to their times."""

    def __init__(self, named: set[int], held: Mapping[int, int]) -> None:
        self.named, self.held = named, held

    def of(self, items: list[Item], outer: int) -> list[Item]:
        """Process a list inside something that runs `outer` times."""
        for item in items:
            whole = item.times
            item.branches = [self.of(branch, whole) if type(branch) is list else branch for branch in item.branches]
            for one in (item, *item.then):
                one.times = quotient(whole, outer)
        return self.timed([_residual(item) for item in items])

    def timed(self, items: list[Item]) -> list[Item]:
        """Put items that run several times into groups."""
        found: list[Item] = []
        for item in items:
            if item.times == 1:
                found.append(item)
                continue
            last = found[-1] if found else None
            if last is None or not self.takes(last, item):
                last = Item("group")
                last.branches, last.times, last.origin, item.origin = [[]], item.times, item.origin, None
                last.number = item.number
                found.append(last)
            last.branches[0].append(item)
            item.owner = last
            for one in (item, *item.then):
                one.times = 1
        return found

    def takes(self, group: Item, item: Item) -> bool:
        """Whether a group can take another layer. Reused layers are excluded, and so are layers after a named one.

        Only the last layer of a group has the group's name.
        """
        alike = group.op == "group" and group.times == item.times and item.origin is None
        return alike and id(item) not in self.held and id(group.branches[0][-1]) not in self.named


def _residual(item: Item) -> Item:
    """Convert a sum of the input and one branch to a group with `residual`."""
    lists = item.lists
    if item.op != "add" or len(lists) != 2 or len(item.branches) != 2 or sum(map(bool, lists)) != 1:
        return item
    item.op, item.branches = "residual", [next(filter(None, lists))]
    return item


def with_words(graph: Graph) -> Graph:
    """Rename inputs to valid names of a spec: `images:0` becomes `images_0`."""
    taken: set[str] = set()
    names = {name: free(_input(name), taken) for name in graph.inputs}
    if all(name == own for name, own in names.items()):
        return graph
    nodes = [node._replace(sources=tuple(names.get(one, one) for one in node.sources)) for node in graph.nodes]
    inputs = {names[name]: shape for name, shape in graph.inputs.items()}
    return graph._replace(nodes=nodes, inputs=inputs, output=names.get(graph.output, graph.output))


def _input(name: str) -> str:
    """Valid name for an input: letters, digits and underscores, not reserved."""
    text = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return text if re.match(r"[A-Za-z]", text) and text not in RESERVED else f"input_{text}".rstrip("_")


def labelled(items: list[Item], inputs: Mapping[str, Shape]) -> set[str]:
    """Label every item that others refer to. Return the names in use."""
    taken = set(inputs)
    for item in walk(items):
        for other in item.refers():
            if type(other) is Item and not other.label:
                other.label = free(word(other.name), taken)
    return taken


def kept(items: list[Item], blocks: list[Block], taken: set[str], every: bool = False) -> None:
    """Label layers that have a cost, those of blocks with the part of the name that their runs share.

    Inside a block, names are relative to the call. `every` labels all layers.
    """
    for item in _level(items):
        if _says_more(item, item.name) or (every and item.op in INDEX and not item.label):
            item.label = free(word(item.name), taken)
    for block in blocks:
        names: set[str] = set()
        for item in walk(block.items):
            if item.label:
                item.label = free(word(item.local or item.name.rpartition("/")[2]), names)
        for item in _level(block.items):
            if _says_more(item, item.local):
                item.label = free(word(item.local), names)


def _level(items: list[Item]) -> Iterator[Item]:
    """Items in one scope of names: those of a list, and of groups without a name."""
    for item in items:
        if item.op != "call" and item.repeat == 1:
            yield item
            if item.op in ("residual", "group") and not item.label:
                yield from _level(item.branches[0])


def _says_more(item: Item, name: str) -> bool:
    """Whether a layer with a cost has no label, and its name is more than its operation and a number."""
    own = not re.search("[A-Za-z]", name) or re.fullmatch(rf"{item.op}(_\d+)?", name)
    return item.weighs and not item.label and not own


def word(name: str) -> str:
    """Convert a name to a label that does not collide with generated names such as `concat_1`."""
    text = re.sub(r"[^\w./-]+", "_", name).strip("_./-") or "layer"
    base = without_number(text)
    return base + text[len(base) + 1 :] if base != text and (base in INDEX or base == "branch") else text


def without_number(name: str) -> str:
    """Remove a trailing number from a name."""
    return re.sub(r"_\d+$", "", name)


def free(name: str, taken: set[str]) -> str:
    """Make a name unique by appending a number if it is taken."""
    found = unused(name, taken, lambda number: word(f"{name}_{number}"))
    taken.add(found)
    return found
