"""What layers are called in a spec: as in the model, where the place that they have got leaves them that name.

Inside a block every call has its own level of names, so its layers keep what they are called below that level.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ...ops import INDEX
from ...read.spec.blocks import RESERVED
from .items import Item, unused, walk

if TYPE_CHECKING:
    from ...model.wiring import Graph
    from ...num.values import Shape
    from .blocks import Block


def with_words(graph: Graph) -> Graph:
    """The graph with inputs that a spec can name: `images:0` becomes `images_0`."""
    taken: set[str] = set()
    names = {name: free(_input(name), taken) for name in graph.inputs}
    if all(name == own for name, own in names.items()):
        return graph
    told = [node._replace(sources=tuple(names.get(one, one) for one in node.sources)) for node in graph.nodes]
    inputs = {names[name]: shape for name, shape in graph.inputs.items()}
    return graph._replace(nodes=told, inputs=inputs, output=names.get(graph.output, graph.output))


def _input(name: str) -> str:
    """A name that an input can have: letters, digits and underscores, none that means something already."""
    text = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return text if re.match(r"[A-Za-z]", text) and text not in RESERVED else f"input_{text}".rstrip("_")


def labelled(items: list[Item], inputs: Mapping[str, Shape]) -> set[str]:
    """Give a name to every item that others read; the names in use."""
    taken = set(inputs)
    for item in walk(items):
        for other in item.refers():
            if type(other) is Item and not other.label:
                other.label = free(word(other.name), taken)
    return taken


def kept(items: list[Item], blocks: list[Block], taken: set[str], every: bool = False) -> None:
    """Let the layers that cost something have their names, those of blocks what their runs have in common.

    Or `every` layer, whatever it is called.
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
    """The items that stand in one level of names: those of a list, and of groups without a name of their own."""
    for item in items:
        if item.op != "call" and item.repeat == 1:
            yield item
            if item.op in ("residual", "group") and not item.label:
                yield from _level(item.branches[0])


def _says_more(item: Item, name: str) -> bool:
    """Whether a layer that costs something has no label, and a name that says more than its operation and a number."""
    own = not re.search("[A-Za-z]", name) or re.fullmatch(rf"{item.op}(_\d+)?", name)
    return item.weighs and not item.label and not own


def word(name: str) -> str:
    """A name as a label: none that layers get by their operation, as `concat_1`."""
    text = re.sub(r"[^\w./-]+", "_", name).strip("_./-") or "layer"
    base = without_number(text)
    return base + text[len(base) + 1 :] if base != text and (base in INDEX or base == "branch") else text


def without_number(name: str) -> str:
    """What a name is without the number of its kind."""
    return re.sub(r"_\d+$", "", name)


def free(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken."""
    found = unused(name, taken, lambda number: word(f"{name}_{number}"))
    taken.add(found)
    return found
