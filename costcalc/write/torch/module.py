"""Write the network as a class: an attribute for each sequence of layers, and a line of `forward` for each."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from ...errors import SpecError
from ...model.wiring import Graph, Node
from ...ops import UNWRITTEN
from ...render.text import printable
from ..spec.blocks import Block
from ..spec.fold import folded
from ..spec.structure import Item, settled, structured, walk
from . import grids, others
from .grids import FIRST
from .pieces import Flow, Style, expression, refused, sequence, statement, value

RULES = {**grids.RULES, **others.RULES}
_JOINS = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "matmul": "MatMul", "concat": "Concat"}


def flat(graph: Graph) -> list[Item]:
    """The layers in one list. Branches do not refer to other layers by name."""
    named: set[int] = set()
    while True:
        items = structured(graph, lambda node: node.row.options, named=named)
        inner = {one.number for item in items for branch in item.lists for one in _naming(branch)}
        if not inner:
            return items
        named |= inner


def _naming(items: list[Item]) -> Iterator[Any]:
    """Layers in a list, except the first, that refer to others by name."""
    for at, item in enumerate(items):
        refers = any(type(branch) is not list for branch in item.branches) or any(
            one.origin is not None for branch in item.lists for one in branch[:1]
        )
        if refers or (at and item.origin is not None):
            yield item
        for branch in item.lists:
            yield from _naming(branch)


class Assembler:
    """Converts items to modules."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def node(self, item: Item) -> Node:
        """The node of an item."""
        return self.graph.nodes[item.number]

    def chain(self, items: list[Item], flow: Flow) -> Flow:
        """Add the modules of a list of layers."""
        for item in items:
            self.layer(item, flow)
        return flow

    def layer(self, item: Item, flow: Flow) -> None:
        """Add the modules of a layer and of its `then`."""
        node = self.node(item)
        if item.lists and node.row.op.branches:
            self.joined(item, flow)
        else:
            self.single(node, flow)
        for one in item.then:
            self.single(self.node(one), flow)

    def single(self, node: Node, flow: Flow) -> None:
        """Add the modules of a layer with one input."""
        op = node.row.op.name
        if node.is_given:
            help = "write it as layers with as many parameters"
            raise refused(node, "`params` states how many numbers it has, not which", help)
        if node.table is not None:
            raise refused(
                node, "PyTorch modules cannot share the weights of another layer", "`reuse` alone runs a layer again"
            )
        if op not in RULES:
            raise unwritten(node)
        RULES[op](flow, node)
        shape = node.row.layer.shape
        flow.becomes(shape, flow.first and op != "reduce")

    def joined(self, item: Item, flow: Flow) -> None:
        """Add parallel branches, in the layout of the first."""
        node = self.node(item)
        flows = [self.chain(branch, Flow(flow.shape, flow.first)) for branch in item.lists]
        first = self.unified(node, flows)
        if item.op == "add" and len(flows) == 2 and sum(bool(one.pieces) for one in flows) == 1 and first == flow.first:
            made = Item("Residual", {}, item.name)
            made.branches = [next(one.pieces for one in flows if one.pieces)]
        else:
            kind, options = self.join(node, flows[0])
            made = Item(kind, options, item.name)
            made.branches = [one.pieces for one in flows]
        flow.pieces.append(made)
        flow.becomes(node.row.layer.shape, first)

    def unified(self, node: Node, flows: Any) -> Any:
        """Convert all branches to one layout. A branch of lower rank gets axes of size 1 after the batch."""
        rank = max(len(one.shape) for one in flows)
        op = node.row.op.name
        alike = all(len(one.shape) == rank for one in flows)
        first = alike and flows[0].first and op in ("add", "sub", "mul", "div", "concat")
        for one in flows:
            one.turn(first)
            if not alike and len(one.shape) < rank and op in _JOINS:
                shape = (1,) * (rank - len(one.shape)) + one.shape
                one.add("Reshape", node.name, **others.sizes(shape))
                one.becomes(shape, False)
        return first

    def join(self, node: Node, flow: Flow) -> tuple[str, dict[str, Any]]:
        """Class that joins branches, and its options."""
        op, o = node.row.op.name, node.options
        if op == "concat":
            return "Concat", {"dim": flow.axis(others.axis_number(node.row.inputs[0], o["axis"]))}
        if op == "einsum":
            return "Einsum", {"equation": batched(o["equation"])}
        if op in _JOINS:
            return _JOINS[op], {}
        return "Join", {"by": several(node)}


def batched(equation: Any) -> Any:
    """Add a letter for the batch to an equation."""
    equation = equation.replace(" ", "")
    letter = next(one for one in "nbzABCDEFGHIJKLMNOPQRSTUVWXYZ" if one not in equation)
    left, _, result = equation.partition("->")
    return ",".join(letter + term for term in left.split(",")) + f"->{letter}{result}"


def several(node: Node) -> Any:
    """Constructor of a module with several inputs, as text."""
    op, o, inputs = node.row.op.name, node.options, node.row.inputs
    if op == "bilinear":
        bias = "" if o["bias"] else ", bias=False"
        return others.Raw(f"nn.Bilinear({inputs[0][-1]}, {inputs[1][-1]}, {o['out']}{bias})")
    if op == "attend":
        others.check_attention(node)
        shared = inputs[1][-1] * o["heads"] // inputs[0][-1]
        more = f", causal={o['causal']}" if o["causal"] else ""
        more += f", window={o['window']}" if o["window"] is not None else ""
        more += f", align={o['align']!r}".replace("'", '"') if o["align"] != "last" else ""
        return others.Raw(f"Attend({o['heads']}, {shared}{more})")
    raise unwritten(node)


def unwritten(node: Node) -> SpecError:
    """Create the error for an operation without a PyTorch module."""
    op = node.row.op.name
    why, help = UNWRITTEN.get(op, (f"`{op}` has no module in {{form}}", "write it as layers that `costcalc ops` lists"))
    return refused(node, why.format(form="PyTorch"), help)


_SIGNS = {"add": " + ", "sub": " - ", "mul": " * ", "div": " / ", "matmul": " @ "}


class Network:
    """Modules of a network by attribute, and the lines of its `forward`."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.assembler = graph, Assembler(graph)
        self.items = settled(flat(graph))
        self.parts: list[tuple[str, list]] = []  # attribute, modules
        self.lines: list[str] = []
        self.taken = {*dir(dict), "x", "self", "forward", *graph.inputs}
        self.places: dict[int, tuple] = {}  # id of a named item -> variable, flow
        self.modules: dict[int, tuple[str, Flow]] = {}  # id of an item -> its attribute and input, if it is reused
        self.read = {other if type(other) is str else id(other) for one in walk(self.items) for other in one.refers()}
        self.unread = frozenset(graph.unread)
        self.inputs = {name: self.variable(name) for name in graph.inputs}

    def variable(self, name: str) -> str:
        """Variable of an input: `x` unless others refer to it by name."""
        if len(self.graph.inputs) == 1 and name not in self.read:
            return "x"
        return f"{_word(name)}_" if name in dir(builtins) or keyword.iskeyword(name) or name == "x" else _word(name)

    def walk(self) -> None:
        """Assign modules and variables to all layers."""
        name, shape = next(iter(self.graph.inputs.items()))
        variable, flow = self.inputs[name], Flow(shape, self.is_first(name))
        stretch: list[Item] = []
        for item in self.items:
            apart = item.op == "reuse" or any(type(one) is not list for one in item.branches) or self.starts(item)
            if stretch and (apart or item.origin is not None or id(item) in self.read):
                variable, flow = self.stretch(stretch, variable, flow)
                stretch = []
            if item.origin is not None:
                variable, flow = self.place(item.origin)
            if apart:
                variable, flow = self.join(item, variable, flow)
            elif self.is_kept(item):
                variable, flow = self.stretch([*stretch, item], variable, flow, item)
                stretch = []
            else:
                stretch.append(item)
            if self.is_kept(item):
                self.places[id(item)] = variable, Flow(flow.shape, flow.first)
        if stretch:
            variable, flow = self.stretch(stretch, variable, flow)

    def starts(self, item: Item) -> bool:
        """Whether a branch of a join starts from a named tensor."""
        return any(branch and branch[0].origin is not None for branch in item.lists)

    def is_output(self, item: Item) -> bool:
        """Whether the output of a layer is not read."""
        return item.tail in self.unread

    def is_kept(self, item: Item) -> bool:
        """Whether the output of a layer requires a variable."""
        return id(item) in self.read or self.is_output(item)

    def is_first(self, name: str) -> bool:
        """Whether an input has channels before the grid."""
        readers = {node.row.op.name for node in self.graph.nodes if name in node.sources}
        return len(self.graph.inputs[name]) > 2 or bool(readers & FIRST)

    def place(self, one: str | Item) -> Any:
        """Variable and flow of a named tensor."""
        if type(one) is str:
            shape = self.graph.inputs[one]
            return self.inputs[one], Flow(shape, self.is_first(one))
        variable, flow = self.places[id(one)]
        return variable, Flow(flow.shape, flow.first)

    def stretch(self, items: list[Item], variable: str, flow: Flow, named: Any = None) -> tuple[str, Flow]:
        """Add a sequence of modules as one attribute. A named one gets its own variable."""
        own = Flow(flow.shape, flow.first)
        self.assembler.chain(items, own)
        attribute = self.free(_word(named.name) if id(named) in self.read else "layers")
        target = "x" if named is None or (named is self.items[-1] and id(named) not in self.read) else attribute
        if own.pieces:
            self.parts.append((attribute, own.pieces))
            self.lines.append(f"{target} = self.{attribute}({variable})")
        else:
            self.lines.append(f"{target} = {variable}")
        if named is not None and items == [named]:
            self.modules[id(named)] = attribute, Flow(flow.shape, flow.first)
        return target, Flow(own.shape, own.first)

    def join(self, item: Item, variable: str, flow: Flow) -> Any:
        """Write a layer with named inputs as a line of `forward`."""
        node = self.graph.nodes[item.number]
        target = self.free(_word(item.name))
        if item.op == "reuse":
            return self.again(item, variable, flow, target)
        if node.row.op.branches == ("memory",):
            memory, other = self.place(item.branches[0])
            _, attribute = self.module(target, [node], Flow(flow.shape, False))
            arguments = f"{_turned(variable, flow, False)}, {_turned(memory, other, False)}"
            self.lines.append(f"{target} = self.{attribute}({arguments})")
            return self.followed(item, target, Flow(node.row.layer.shape, False))
        found = [self.branch(item, branch, at, variable, flow) for at, branch in enumerate(item.branches)]
        flows = [Flow(one.shape, one.first) for _, one in found]
        first = self.assembler.unified(node, flows)
        texts = [_shaped(text, one, first, after) for (text, one), after in zip(found, flows, strict=True)]
        self.lines.append(f"{target} = {self.expression(node, texts, flows[0], target)}")
        return self.followed(item, target, Flow(node.row.layer.shape, first))

    def module(self, name: str, nodes: list[Node], flow: Flow) -> Any:
        """Add a separate module. Return the flow after it and its attribute."""
        for node in nodes:
            self.assembler.single(node, flow)
        attribute = self.free(f"{name}_layer")
        self.parts.append((attribute, flow.pieces))
        return flow, attribute

    def again(self, item: Item, variable: Any, flow: Flow, target: Any) -> Any:
        """Run a layer again by the same attribute."""
        attribute, before = self.modules[id(item.branches[0])]
        if before.first != flow.first and len(flow.shape) > 1:
            variable = _turned(variable, flow, before.first)
        self.lines.append(f"{target} = self.{attribute}({variable})")
        after = self.places[id(item.branches[0])][1]
        return self.followed(item, target, Flow(self.graph.nodes[item.number].row.layer.shape, after.first))

    def branch(self, item: Item, branch: Any, at: int, variable: str, flow: Flow) -> Any:
        """Text and flow of one input of a join."""
        if type(branch) is not list:
            return self.place(branch)
        if branch and branch[0].origin is not None:
            variable, flow = self.place(branch[0].origin)
        if not branch:
            return variable, Flow(flow.shape, flow.first)
        own = self.assembler.chain(branch, Flow(flow.shape, flow.first))
        attribute = self.free(f"{_word(item.name)}_branch_{at + 1}")
        self.parts.append((attribute, own.pieces))
        return f"self.{attribute}({variable})", own

    def followed(self, item: Item, variable: str, flow: Flow) -> Any:
        """Add the `then` of a join as a separate sequence."""
        if not item.then:
            return variable, flow
        for one in item.then:
            self.assembler.single(self.graph.nodes[one.number], flow)
        attribute = self.free(f"{variable}_then")
        self.parts.append((attribute, flow.pieces))
        self.lines.append(f"{variable} = self.{attribute}({variable})")
        return variable, Flow(flow.shape, flow.first)

    def expression(self, node: Node, texts: Any, flow: Flow, target: Any) -> Any:
        """Expression that joins several tensors."""
        op = node.row.op.name
        if op in _SIGNS:
            return _SIGNS[op].join(texts)
        if op == "concat":
            _, options = self.assembler.join(node, flow)
            return f"torch.cat([{', '.join(texts)}], dim={options['dim']})"
        if op == "einsum":
            return f'torch.einsum("{batched(node.options["equation"])}", {", ".join(texts)})'
        attribute = self.free(f"{target}_layer")
        made = Item(several(node).partition("(")[0], {"raw": several(node)})
        self.parts.append((attribute, [made]))
        return f"self.{attribute}({', '.join(texts)})"

    def free(self, name: str) -> str:
        """An unused name."""
        found, number = name, 1
        while found in self.taken:
            number += 1
            found = f"{name}_{number}"
        self.taken.add(found)
        return found

    def fold(self) -> list[Block]:
        """Fold equal structure into functions and return them."""
        holders = []
        for attribute, pieces in self.parts:
            holder = Item(f"part {attribute}")
            holder.branches = [pieces]
            holders.append(holder)
        _, blocks = folded(holders, Style())
        self.parts = [
            (attribute, holder.branches[0]) for (attribute, _), holder in zip(self.parts, holders, strict=True)
        ]
        return blocks

    def text(self, name: str) -> Iterator[str]:
        """Lines of the class."""
        yield from ("", "", f"class {name}(nn.Module):", "    def __init__(self):", "        super().__init__()")
        for attribute, pieces in self.parts:
            yield from statement(f"self.{attribute} = ", sequence(pieces), 8)
        yield from ("", f"    def forward(self, {', '.join(self.inputs.values())}):")
        for line in self.lines:
            target, _, text = line.partition(" = ")
            yield from statement(f"{target} = ", text, 8)
        outputs = [self.places[id(item)][0] for item in self.items if id(item) in self.places and self.is_output(item)]
        given = ", ".join(outputs) or next(iter(self.inputs.values()))
        yield from statement("return ", f"({given})" if len(given) > 100 else given, 8)


def _word(name: str) -> str:
    text = re.sub(r"\W+", "_", name).strip("_") or "layer"
    return f"layer_{text}" if text[0].isdigit() else text


def _turned(text: str, flow: Flow, first: bool) -> Any:
    if len(flow.shape) < 2 or flow.first == first:
        return text
    return f"{text}.movedim(-1, 1)" if first else f"{text}.movedim(1, -1)"


def _shaped(text: str, flow: Flow, first: bool, after: Any) -> Any:
    """A tensor in the layout and rank of the join."""
    text = _turned(text, flow, first)
    if len(after.shape) == len(flow.shape):
        return text
    return f"{text}.reshape(-1, {', '.join(map(value, after.shape))})"


def source(graph: Graph, name: str) -> str:
    """The text of a Python file with the class of a network."""
    network = Network(graph)
    network.walk()
    blocks = network.fold()
    body = [*_functions(blocks), *network.text(_class_name(name))]
    return "\n".join([*_head(name, "\n".join(body)), *body]) + "\n"


def _head(name: str, body: str) -> Iterator[str]:
    parts = {part.removeprefix("class ").partition("(")[0]: part for part in _parts()}
    needed = [parts[part].rstrip() for part in _needed(parts, body)]
    yield f'"""{_quoted(name)}: as `costcalc export` writes it, to be read, changed and trained."""'
    yield ""
    if any(re.search(r"(?<![\w.])torch\b(?!\.?nn)", text) for text in (body, *needed)):
        yield "import torch"
    yield "from torch import nn"
    for part in needed:
        yield from ("", "", part)


def _quoted(name: str) -> str:
    """Escape a name for a docstring. Names come from untrusted files."""
    return printable(name).replace("\\", "/").replace('"', "'")


def _parts() -> list[str]:
    text = files(__package__).joinpath("parts.txt").read_text(encoding="utf-8")
    return re.split(r"\n(?=class )", text)


def _needed(parts: Mapping[str, str], body: str) -> list[Any]:
    """Helper classes that a text uses, including indirect ones, in their original order."""
    used, new = set(), {name for name in parts if re.search(rf"(?<![.\w]){name}\(", body)}
    while new:
        used |= new
        new = {name for one in new for name in parts if re.search(rf"(?<![.\w]){name}\b", parts[one])} - used
    return [name for name in parts if name in used]


def _functions(blocks: list[Block]) -> Iterator[str]:
    for block in blocks:
        yield from ("", "", f"def {block.signature if block.params else block.name + '()'}:")
        made = Item("nn.Sequential")
        made.branches = [block.items]
        yield from statement("return ", expression(made), 4)


def _class_name(name: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", name)
    found = "".join(word[0].upper() + word[1:] for word in words) or "Network"
    return found if not found[0].isdigit() else f"Net{found}"
