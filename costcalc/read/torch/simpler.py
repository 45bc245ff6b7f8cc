"""Decompose operators that have no translation into simpler ones, as PyTorch does."""

from __future__ import annotations

from typing import Any

from . import translate

_KEPT = "costcalc_simpler"  # key of a node's `meta`: the replacement graph


def simpler(node: Any) -> Any:
    """Return the graph that replaces the call of a node, or None if there is none or it has unknown operators too.

    A composite kernel runs exactly these operators. PyTorch's table of decompositions serves compilers instead: it may
    contain products that the kernel does not compute, as for `cdist`. Such decompositions are not used.
    """
    if _KEPT not in node.meta:
        graph, is_composed = _replaced(node)
        found = graph is not None and all(
            _is_known(one) and (is_composed or not _multiplies(one)) for one in graph.nodes
        )
        node.meta[_KEPT] = graph if found else None
    return node.meta[_KEPT]


def _replaced(node: Any) -> tuple[Any, bool]:
    """Return the graph that replaces the call of a node, and whether the kernel itself is composed that way."""
    from torch import Tensor, no_grad
    from torch._decomp import decomposition_table
    from torch._ops import OpOverload
    from torch.func import functionalize
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.fx.node import map_arg

    target, given = node.target, node.all_input_nodes
    values = [one.meta.get("val") for one in given]
    if not isinstance(target, OpOverload) or not values or not all(isinstance(one, Tensor) for one in values):
        return None, False
    is_composed = target._can_decompose()
    if not is_composed and target not in decomposition_table:
        return None, False

    def called(*tensors: Any) -> Any:
        at = dict(zip(given, tensors, strict=True))
        args, kwargs = map_arg((node.args, node.kwargs), at.__getitem__)
        return target(*args, **kwargs)

    table = {} if is_composed else {target: decomposition_table[target]}
    try:
        with no_grad():
            return make_fx(functionalize(called, remove="mutations"), table)(*values).graph, is_composed
    except Exception:  # it depends on data or does not support the device; the call itself was exported and is kept
        return None, False


def _is_known(node: Any) -> bool:
    """Whether a node is an input, an output, or an operator with a translation or a decomposition."""
    if node.op in ("placeholder", "output"):
        return True
    if node.op != "call_function":
        return False
    return getattr(node.target, "__name__", "") == "getitem" or _rule(node) is not None or simpler(node) is not None


def _multiplies(node: Any) -> bool:
    rule = _rule(node)
    return rule is not None and translate.multiplies(rule)


def _rule(node: Any) -> Any:
    """Translation of a node, or None."""
    schema = getattr(node.target, "_schema", None)
    return None if schema is None else translate.find(schema.name)
