"""Options of every layer: `repeat`, `when`, `residual`, `times`, `prob`, and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import limits
from . import args
from .args import BAD, Scope

if TYPE_CHECKING:
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems


CONTROLS = ("repeat", "when", "residual", "times", "prob", "trained", "bits", "only", "as", "from", "then")
PHASES = ("train", "deploy")
_COUNTS = ("repeat", "times")
_LONGEST = 200  # most characters of a layer name


def control(key: str, node: Node, scope: Scope, problems: Problems) -> Any:
    """Read a count or a condition. Constants are checked immediately."""
    value = args.placed(args.number(node, scope, problems), node)
    if type(value) not in (int, float, bool):
        return value
    if key in _COUNTS:
        fine, help = _is_count(value), "it is a whole number, 0 or more"
        if key == "repeat" and value > limits.LAYERS:
            fine, help = (
                False,
                limits.hint("layers", f"a network has at most {limits.LAYERS:,} layers, blocks expanded"),
            )
    elif key == "prob":
        fine, help = type(value) is not bool and 0 <= value <= 1, "it is a probability, from 0 to 1"
    else:
        fine, help = value in (0, 1), "it is a condition, such as `true`, `i > 0` or `stride == 1`"
    if fine:
        return value
    problems.add("bad-value", f"`{key}` cannot be {node.what}", node, help)
    return BAD


def _is_count(value: float) -> bool:
    return type(value) is not bool and value >= 0 and value == int(value)


def phase(node: Node, problems: Problems) -> Any:
    """Read the phase in which a layer runs: train or deploy."""
    name: Any = args.text(node, None, problems, "a phase", _LONGEST)
    if name is not BAD and name not in PHASES:
        problems.unknown("phase", name, node, PHASES)
        return BAD
    return name


def layer_name(node: Node, problems: Problems) -> Any:
    """Read the name of a layer."""
    name: Any = args.text(node, None, problems, "a name", _LONGEST)
    if name is not BAD and not name.strip():
        problems.add("empty-name", "a name is missing here", node, "a name is a word, as in `as: p4` and `from: p4`")
        return BAD
    return name
