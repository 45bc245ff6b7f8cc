"""The file: the helpers that are used, a function for every block, and the class of the network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ...render.text import printable
from ..spec.items import Item
from .module import Network
from .text import expression, statement

if TYPE_CHECKING:
    from ...model.wiring import Graph
    from ..spec.blocks import Block


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
    """A name as part of a docstring, which it cannot end: it comes from files of strangers."""
    return printable(name).replace("\\", "/").replace('"', "'")


def _parts() -> list[str]:
    text = files(__package__).joinpath("parts.txt").read_text(encoding="utf-8")
    return re.split(r"\n(?=class )", text)


def _needed(parts: Mapping[str, str], body: str) -> list[Any]:
    """The helpers that a text uses, and those that these use, as they stand."""
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
