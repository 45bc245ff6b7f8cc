"""Table of operators and their rules. Grids are (batch, .., channels).

An operator that ONNX has too is delegated to the ONNX rule (`as_onnx`), so that both have the same cost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from ....errors import Refused
from ...onnx import rules
from ...onnx.fold import folded
from ...onnx.node import Node
from ...onnx.tensors import Tensor

if TYPE_CHECKING:
    from ..model import Reader

MODULES = ("conv", "elementwise", "moving", "recurrent", "control")
RULES: dict[str, Callable[..., Any]] = {}
ACTIVATIONS = {1: "relu", 2: "clamp", 3: "relu6", 4: "tanh"}  # ActivationFunctionType; 5 is the sign function
_OPSET = 18


def rule(
    *names: str, options: str = "", multiplies: bool = False, takes_scope: bool = False, fuses: bool = True
) -> Callable[..., Any]:
    """Register a rule under operator names.

    options      the name of the operator's options table, if it has one
    multiplies   whether it has mult-adds: if its input shapes are unknown, its cost is unknown
    takes_scope  whether it walks subgraphs and thus requires the scope of its node
    fuses        whether the activation in its options is applied to its first output
    """

    def enter(function: Any) -> Callable[..., Any]:
        def checked(node: Node, *scope: Any) -> Any:
            found = node.proto.options
            if found and options and found != options:
                raise Refused(f"its options are {found}, not {options}")
            tensors = function(node, *scope)
            return activated(node, tensors) if fuses and node.get("FusedActivationFunction") else tensors

        return rules.rule(*names, into=RULES, multiplies=multiplies, takes_any=False, takes_scope=takes_scope)(checked)

    return enter


@lru_cache(1)
def table() -> dict[str, Callable[..., Any]]:
    """All rules by operator name."""
    for name in MODULES:
        import_module(f"{__name__}.{name}")
    return RULES


def activated(node: Node, tensors: list[Any]) -> list[Any]:
    """Apply the fused activation of a node to its first output."""
    first, *rest = tensors
    first = first if isinstance(first, Tensor) else Tensor(tuple(first))
    shape, times = node.seen(first)
    op = ACTIVATIONS.get(node.get("FusedActivationFunction"))
    if op is None:
        raise Refused(f"activation number {node.get('FusedActivationFunction')} is unknown")
    if not node.is_constant:
        node.emit(op, shape, times=times, follows=True)
    return [first._replace(made=None), *rest]


def as_onnx(node: Node, op: str, *inputs: Tensor | None, outputs: int = 1, **attributes: Any) -> list[Tensor]:
    """Apply an ONNX operator to tensors, with its steps attributed to `node`."""
    proto = node.proto._replace(op_type=op, domain="", input=("",) * len(inputs), output=node.proto.output[:outputs])
    inner = Node(node.reader, proto, list(inputs), attributes, _OPSET, node.number)
    found = folded(inner)
    if found is None:
        known: Any = rules.find("", op)
        inner.is_constant = inner.is_constant and not known.multiplies
        found = node.reader.finished(inner, known(inner))
    used = {id(one) for one in inputs}
    node.inputs = [_without_roots(one) if id(one) in used else one for one in node.inputs]
    return inner.made(found)


def _without_roots(one: Tensor | None) -> Tensor | None:
    """Copy of an input without parameters, which the inner node has already counted."""
    return one if one is None or not one.roots else one._replace(roots=frozenset())


def reader(node: Node) -> Reader:
    """The reader that walks a node. It gives access to the subgraphs of the file."""
    return cast("Reader", node.reader)


def values(node: Node, number: int) -> tuple[Any, ...]:
    """Integers in an input. Raises Unknown if they are unknown before the graph runs."""
    found = node.sizes(number)
    if found is None:
        raise Refused(f"its input {number + 1} is missing")
    return found
