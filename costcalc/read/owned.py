"""Whose numbers an operation reads: `reuse` of another layer's weights, and `params` where it has others than usual."""

from ..ops.base import Option
from ..ops.kinds import Count, Numbers
from .spec import args

NUMBERS: tuple[str, ...] = Numbers.words
OWN = frozenset(("reuse", "params"))
_COUNT = Option("params", Count, False, None)


def owned(call, op, entries, earlier, scope, problems):
    """The call with what stands in `reuse` and `params`; `earlier` reads the name of a layer."""
    if "reuse" in entries:
        call = call._replace(reuse=_named(entries["reuse"], earlier))
    if "params" in entries and is_own("params", entries["params"][1], op):
        holds = _holds(entries["params"][1], scope, problems)
        options = {**call.options, "params": 0} if "params" in op.options else call.options
        call = call._replace(holds=holds, options=options)
        if call.reuse:
            help = "`reuse` says whose weights it reads, `params` how many it has itself"
            problems.add("several-options", "a layer has `reuse` or `params`", entries["params"][0], help)
    return call


def is_own(key, node, op):
    """Whether an option is one of these: `opaque` has a number of `params` itself."""
    return key in OWN and (key not in op.options or (node is not None and node.kind == "map"))


def _named(entry, earlier):
    key, node = entry
    return earlier(key._replace(value="") if node is None else node)


def _holds(node, scope, problems):
    """Numbers by kind; one number counts weights."""
    if node.kind != "map":
        count = _count(node, scope, problems)
        return {} if type(count) is int and not count else {"weight": count}
    found = {}
    for key, value in node.value:
        if key.value in NUMBERS:
            found[key.value] = _count(value, scope, problems)
        else:
            problems.unknown("kind of number", key.value, key, NUMBERS)
    return found


def _count(node, scope, problems):
    return args.placed(args.option(node, _COUNT, scope, problems), node)
