"""Parameters of an operation: `reuse` shares those of another layer, `params` overrides the usual number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..ops.base import Op, Option
from ..ops.kinds import Count, Numbers
from .spec import args

if TYPE_CHECKING:
    from ..model.network import Call
    from ..syntax.nodes import Node
    from ..syntax.problems import Problems
    from .spec.args import Scope


NUMBERS: tuple[str, ...] = Numbers.words
OWN = frozenset(("reuse", "params"))
_COUNT = Option("params", Count, False, None)


def owned(
    call: Call,
    op: Op,
    entries: Mapping[str, tuple[Node, ...]],
    earlier: Callable[..., Any],
    scope: Scope,
    problems: Problems,
) -> Call:
    """Add the values of `reuse` and `params` to a call. `earlier` reads the name of a layer."""
    if "reuse" in entries:
        call = call._replace(reuse=_named(entries["reuse"], scope, earlier))
    if "params" in entries and is_own("params", entries["params"][1], op):
        holds = _holds(entries["params"][1], scope, problems)
        options = {**call.options, "params": 0} if "params" in op.options else call.options
        call = call._replace(holds=holds, options=options)
        if call.reuse:
            help = "`reuse` names the layer that shares its weights, `params` states how many it has"
            problems.add("several-options", "a layer has `reuse` or `params`", entries["params"][0], help)
    return call


def is_own(key: str, node: Node, op: Op) -> bool:
    """Whether `key` is `reuse` or `params` as read here. `opaque` has its own option `params`, a number."""
    return key in OWN and (key not in op.options or (node is not None and node.kind == "map"))


def _named(entry: tuple[Node, ...], scope: Scope, earlier: Callable[..., Any]) -> Any:
    key, node = entry
    return earlier(key._replace(value="") if node is None else node, scope)


def _holds(node: Node, scope: Scope, problems: Problems) -> dict[str, Any]:
    """Numbers by kind. A single number counts weights."""
    if node.kind != "map":
        count = _count(node, scope, problems)
        return {} if type(count) is int and not count else {"weight": count}
    found = {}
    for key, value in node.value:
        if key.value in NUMBERS:
            found[key.value] = _count(value, scope, problems)
        else:
            problems.unknown("kind of parameter", key.value, key, NUMBERS)
    return found


def _count(node: Node, scope: Scope, problems: Problems) -> Any:
    return args.placed(args.option(node, _COUNT, scope, problems), node)
