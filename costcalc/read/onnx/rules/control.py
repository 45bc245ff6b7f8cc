"""Control flow with constant bounds: If, Loop, Scan."""

from __future__ import annotations

from typing import Any

from .... import limits
from ....errors import Refused
from ..node import Node, Unknown
from ..tensors import Outputs, Scope, Tensor, sizes
from . import rule


@rule("If", takes_scope=True, takes_any=True, multiplies=True)
def if_(node: Node, scope: Scope) -> Outputs:
    """The branch of a constant condition."""
    condition = node.need(0).value
    if condition is None or condition[0] is None or not isinstance(condition[0], (bool, int)):
        raise Unknown
    return walked(node, node.get("then_branch" if condition[0] else "else_branch"), scope, [])


@rule("Loop", takes_scope=True, takes_any=True, multiplies=True)
def loop(node: Node, scope: Scope) -> Outputs:
    """A body run a constant number of times: count, condition, then loop state."""
    count = sizes(node.input(0)) if node.input(0) is not None else None
    go = node.input(1).value if node.input(1) is not None else (True,)
    if count is None or go is None:
        raise Unknown
    body = node.get("body")
    times = count[0] if go[0] else 0
    carried = list(node.inputs[2:])
    start = [Tensor((), (0,), frozenset()), Tensor((), (True,), frozenset())]

    def once(number: Any, tensors: Any) -> Any:
        condition, *rest = walked(node, body, scope, [start[0]._replace(value=number), start[1], *tensors])
        if condition.value is None or condition.value[0] is not True:
            raise Unknown
        return rest

    return _repeated(node, once, times, carried)


@rule("Scan", takes_scope=True, multiplies=True)
def scan(node: Node, scope: Scope) -> Outputs:
    """A body run for each element along an axis of the scan inputs."""
    if node.version < 9:
        raise Unknown
    many = node.get("num_scan_inputs", 1)
    states, scanned = list(node.inputs[: len(node.inputs) - many]), node.inputs[len(node.inputs) - many :]
    axes = node.get("scan_input_axes") or [0] * many
    lengths = [one.shape[at] for one, at in zip(scanned, axes, strict=True)]
    elements = [_without(one, at) for one, at in zip(scanned, axes, strict=True)]

    def once(number: int, tensors: Any) -> Any:
        return walked(node, node.get("body"), scope, [*tensors, *elements])

    outputs = _repeated(node, once, lengths[0], states)
    places = node.get("scan_output_axes") or [0] * len(outputs)
    return [*outputs[: len(states)], *map(_placed, outputs[len(states) :], places)]


def _without(tensor: Any, at: Any) -> Any:
    at = at % len(tensor.shape)
    return Tensor((*tensor.shape[:at], *tensor.shape[at + 1 :]))


def _placed(tensor: Tensor, at: Any) -> Any:
    """Move the stacking axis of a scan output from the front to `at`."""
    if tensor.shape is None:
        return tensor
    count, *rest = tensor.shape
    at = at % len(tensor.shape)
    return Tensor((*rest[:at], count, *rest[at:]))


def walked(node: Node, graph: Any, scope: Scope, inputs: Any) -> Any:
    """Outputs of a nested graph."""
    reader = node.reader
    if len(reader.calls) >= limits.BLOCK_DEPTH:
        raise Refused(f"graphs are nested more than {limits.BLOCK_DEPTH} deep")
    inner = Scope(scope)
    inner.own.update((one.name, tensor) for one, tensor in zip(graph.input, inputs, strict=False))
    reader.calls.append(node.proto.name or node.op)
    try:
        return reader.graph(graph, inner)
    finally:
        reader.calls.pop()


def _repeated(node: Node, once: Any, times: int, carried: Any) -> Any:
    """Outputs of a repeated body. It is walked once if its shapes stay the same, else once per run."""
    if times == 0:
        raise Unknown
    reader, outer = node.reader, node.reader.times
    mark, held = len(reader.steps), reader.numbers.state()
    general = [None if one is None else one._replace(value=None, roots=None) for one in carried]
    reader.times = outer * times
    try:
        found = once(None, general)
        same = _same(found, carried)
    except Unknown:
        same = False
    finally:
        reader.times = outer
    if not same:
        del reader.steps[mark:]
        reader.numbers.restore(held)
        return _unrolled(node, once, times, carried)
    return [*found[: len(carried)], *(_stacked(one, times) for one in found[len(carried) :])]


def _same(found: list[Any], carried: Any) -> Any:
    return all(one is not None and a.shape == one.shape for a, one in zip(found, carried, strict=False))


def _unrolled(node: Node, once: Any, times: int, carried: Any) -> Any:
    """Outputs of a body whose shapes change, walked once per run."""
    if not isinstance(times, int) or node.reader.runs + times > limits.UNROLLED:
        raise Unknown
    node.reader.runs += times
    stacks = []
    for number in range(times):
        found = once((number,), carried)
        carried, more = found[: len(carried)], found[len(carried) :]
        stacks.append(more)
    return [*carried, *(_stacked(one, times) for one in stacks[-1])]


def _stacked(tensor: Tensor, times: int) -> Any:
    return tensor if tensor.shape is None else Tensor((times, *tensor.shape))
