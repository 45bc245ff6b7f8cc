"""Read a price list in YAML, with the place of every mistake.

What other programs count is shipped in `counters`: their figures as price lists, read off the programs' sources and
checked against what they printed for nine networks and for single operations (`tests/data/peers.json`). Networks and
operations under `differences` go by the names there.

The quantities and kinds of number that a convention can price, and the operations that state them. Loaded to show or
read a price list; pricing itself does not need it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from ..errors import Place, Problem, Source, SpecError, listed
from ..ops import INDEX
from ..records import NamedTuple
from ..syntax.nodes import Node, compose, is_empty
from ..syntax.problems import Problems
from .pricing import Convention, Difference

_CONVOLUTIONS = ("conv", "dwconv", "conv_transpose")
_LANGUAGE = ("logits", "moe", "latent_attention")
_PRODUCTS = (*_CONVOLUTIONS, "linear", "bilinear", "attention", "rnn", "lstm", "gru", *_LANGUAGE, "sparse_conv")
_SELF = ("attention", "latent_attention")
_ATTEND = ("attention", "attend", "latent_attention")
_RECURRENT = ("rnn", "lstm", "gru")
_NORMS = ("batchnorm", "layernorm", "groupnorm", "instancenorm", "rmsnorm")
_JOINS = ("add", "sub", "mul", "div", "dropout", "identity")
_POOLS = ("maxpool", "avgpool", "lppool")
_FUNCTIONS = tuple(name for name, module in INDEX.items() if module == "pointwise" and name not in _JOINS)
_MOVES = tuple(name for name, module in INDEX.items() if module == "layout" and name != "upsample")


class Term(NamedTuple):
    """A quantity or a kind of number: its name, what it counts, and the operations that state it."""

    name: str
    what: str
    operations: tuple[str, ...]


def _by_name(*terms: Term) -> dict[str, Term]:
    return {term.name: term for term in terms}


TERMS = _by_name(
    Term("mac", "multiply-adds with weights, and of matrix products", (*_PRODUCTS, "matmul", "einsum", "opaque")),
    Term("mac_attention", "multiply-adds of queries with keys, and of weights with values", _ATTEND),
    Term("mac_masked", "multiply-adds under a causal mask, whose result is thrown away", _ATTEND),
    Term("mac_on_output", "kernel times output positions, as of a plain convolution", ("conv_transpose",)),
    Term("bias", "additions of a bias", _PRODUCTS),
    Term("scale", "queries scaled by the root of their length", _ATTEND),
    Term("rotate", "values of queries and keys turned by their position", _SELF),
    Term("softmax", "pairs of query and key that a softmax weighs", _ATTEND),
    Term("scan", "values of the state of a selective scan, at every step", ("selective_scan",)),
    Term("activate", "values through an activation or another function", (*_FUNCTIONS, *_RECURRENT, "moe")),
    Term("softmax_rows", "rows that a softmax sums up", ("softmax", "log_softmax")),
    Term("states", "hidden values, at every step", _RECURRENT),
    Term("normalize", "values normalised", (*_NORMS, "lrn", *_SELF)),
    Term("affine", "values scaled or shifted after that", (*_NORMS, *_SELF)),
    Term("normalize_rows", "rows with a mean of their own", ("layernorm",)),
    Term("pool_in", "values that a pool with windows gets", _POOLS),
    Term("pool_out", "values that a pool with windows gives", _POOLS),
    Term("global_in", "values that a global pool gets", _POOLS),
    Term("global_out", "values that a global pool gives", _POOLS),
    Term("adaptive_in", "values that an adaptive pool gets", ("adaptive_avgpool", "adaptive_maxpool")),
    Term("adaptive_out", "values that an adaptive pool gives", ("adaptive_avgpool", "adaptive_maxpool")),
    Term("compare", "values that the windows of a maximum pool see", ("maxpool",)),
    Term("average", "values that the windows of an average pool see", ("avgpool",)),
    Term("power", "values that the windows of a power pool see", ("lppool",)),
    Term("reduce_mean", "values that a mean along an axis gets", ("reduce",)),
    Term("reduce_sum", "values that a sum along an axis gets", ("reduce", "einsum")),
    Term("reduce_max", "values that a maximum along an axis gets", ("reduce",)),
    Term("reduce_mean_out", "values that a mean along an axis gives", ("reduce",)),
    Term("reduce_sum_out", "values that a sum along an axis gives", ("reduce", "einsum")),
    Term("reduce_max_out", "values that a maximum along an axis gives", ("reduce",)),
    Term("add", "additions and differences of tensors", ("add", "sub", "attention", "moe", "selective_scan")),
    Term(
        "multiply", "products of tensors, value by value", ("mul", "glu", "einsum", "bilinear", "moe", "selective_scan")
    ),
    Term("divide", "quotients of tensors, value by value", ("div",)),
    Term("interpolate_nearest", "values copied into a larger grid", ("upsample",)),
    Term("interpolate_bilinear", "values interpolated into a larger grid", ("upsample",)),
    Term("interpolate_in", "values of the grid that is enlarged", ("upsample",)),
    Term("lookup", "values looked up in a table", ("embedding",)),
    Term("move", "values moved, joined or cut", _MOVES),
)
NUMBERS = _by_name(
    Term("weight", "weights", (*_PRODUCTS, "embedding", "parameter", "opaque", "selective_scan")),
    Term("bias", "biases", (*_PRODUCTS, "parameter")),
    Term("gamma", "scales of normalisations", (*_NORMS, *_SELF, "parameter")),
    Term("beta", "shifts of normalisations", (*_NORMS, "parameter")),
    Term("slope", "slopes of a PReLU", ("prelu", "parameter")),
    Term("running", "means and variances that batch norm keeps, which are not trained", ("batchnorm", "parameter")),
)

GRADIENTS = _by_name(
    Term("ungrouped", "weight gradients of convolutions, what they cost more without groups", _CONVOLUTIONS),
)
SECTIONS = {"prices": TERMS, "numbers": NUMBERS, "params": NUMBERS, "gradients": GRADIENTS}  # of a price list


def meaning(part: str, key: Any) -> Any:
    """What a key of a price list prices. `part` is `prices`, `numbers`, `params` or `gradients`."""
    operation, dot, name = key.rpartition(".")
    return SECTIONS[part][name].what + (f", in `{operation}`" if dot else "")


KEYS = ("name", "title", "cost", "base", "source", "prices", "numbers", "params", "gradients", "differences", "notes")
PRICE = ("price", "mirrors", "bug")  # of one price that says what in a program it mirrors, and how much of it is a bug
DIFFERENCE = ("figure", "of", "reason")
PARTS = ("prices", "numbers", "params", "gradients")
COSTS = ("mult_adds", "flops")
LONGEST = 200  # characters of a text
MOST = 10**6  # of a price, so that totals stay within 64 bits


def read(source: Source, find: Callable[[str], Convention], names: Collection[str]) -> Convention:
    """The convention that a text describes; `find` looks up the base convention by name.

    Raises SpecError with all of its problems.
    """
    problems = Problems(source)
    parts = _parts(compose(source, problems), problems)
    base = _base(parts.get("base"), find, names, problems)
    texts = {name: _text(parts[name], problems) for name in ("name", "title", "cost", "source") if name in parts}
    cost = texts.get("cost", base.cost if base else None)
    if cost is not None and cost not in COSTS:
        problems.unknown("cost", cost, parts["cost"], COSTS)
    rows = {part: _prices(part, parts.get(part), problems) for part in PARTS}
    differences = tuple(_differences(parts.get("differences"), problems))
    notes = tuple(_text(node, problems) for node in _items("notes", parts.get("notes"), problems))
    problems.raise_any()
    if cost is None or not (base or rows["prices"] or rows["numbers"]):
        missing = "cost" if cost is None else "prices"
        help = "write `cost: mult_adds` and `prices: {mac: 1}`, or `base: framework` to start from another convention"
        raise SpecError(Problem("missing-key", f"a convention needs `{missing}:`", Place(source, 1, 1), help))
    name = texts.get("name") or re.sub(r"\.ya?ml$", "", re.split(r"[/\\]", source.path)[-1])
    title = texts.get("title") or f"the prices of {source.path}" + (f", on those of {base.name}" if base else "")
    about: dict[str, Any] = {"name": name, "title": title, "cost": cost, "source": texts.get("source", source.path)}
    return Convention(**about, **_merged(base, rows), differences=differences, notes=notes)


def _merged(base: Convention | None, rows: Mapping[str, dict[str, tuple[int, str, int]]]) -> dict[str, Any]:
    """The prices of a list over those of its base, what they mirror, and which are bugs."""
    own = {part: {key: price for key, (price, _, _) in table.items()} for part, table in rows.items()}
    mirrors = {part: {key: text for key, (_, text, _) in table.items() if text} for part, table in rows.items()}
    bugs = {key: bug for key, (_, _, bug) in rows["prices"].items() if bug}
    merged = {part: {**(getattr(base, part) if base else {}), **own[part]} for part in PARTS}
    return {**merged, "mirrors": mirrors, "bugs": bugs}


def _parts(root: Node, problems: Problems) -> dict[str, Node]:
    if root.kind != "map":
        problems.due("not-a-map", "a price list", root, "write `cost: mult_adds` and `prices: {mac: 1}`")
        problems.raise_any()
    return _known(root, "key", KEYS, problems)


def _base(node: Node | None, find: Callable[..., Any], names: Any, problems: Problems) -> Convention | None:
    """The base convention."""
    if node is None:
        return None
    if node.kind == "scalar" and node.value in names:
        return find(node.value)
    problems.unknown("convention", node.value if node.kind == "scalar" else "", node, names)
    return None


def _text(node: Node, problems: Problems) -> Any:
    if node.kind != "scalar" or is_empty(node):
        problems.due("not-text", "a text", node)
    elif len(node.value) > LONGEST or not node.value.isprintable():
        help = f"one line of at most {LONGEST} characters"
        problems.add("not-text", "this text is too long, or has characters that cannot be shown", node, help)
    return node.value if node.kind == "scalar" else None


def _prices(part: str, node: Node | None, problems: Problems) -> dict[str, tuple[int, str, int]]:
    """Key -> price of one section."""
    if node is None or is_empty(node):
        return {}
    if node.kind != "map":
        problems.due("not-a-map", "a map of prices", node, "write {mac: 1, bias: 1}")
        return {}
    found = {}
    for key, value in node.value:
        if _is_known(part, key, problems):
            found[key.value] = _price(value, problems)
    return found


def _is_known(part: str, key: Node, problems: Problems) -> bool:
    """Whether a key names a quantity, of all operations or of one that has it; notes the problem otherwise."""
    known = SECTIONS[part]
    what = "quantity" if part == "prices" else "kind of number"
    operation, dot, name = key.value.rpartition(".")
    if dot and operation not in INDEX:
        problems.unknown("operation", operation, _narrowed(key, 0, operation), INDEX)
    elif name not in known:
        problems.unknown(what, name, _narrowed(key, len(operation) + len(dot), name), known, _help(name, part))
    elif dot and operation not in known[name].operations:
        states = [term.name for term in known.values() if operation in term.operations]
        help = f"it states {listed(states)}" if states else "it states none"
        problems.add("unstated", f"`{operation}` states no `{name}`", key, help)
    else:
        return True
    return False


def _narrowed(key: Node, start: Any, name: str) -> Any:
    """The place of a part of a key without quotes."""
    return (key.line, key.column + start, len(name)) if key.plain and name else key


def _help(name: str, part: str) -> str:
    """The help for an unknown name: the section that knows it, or the command that lists all names."""
    other, section = (NUMBERS, "params") if part == "prices" else (TERMS, "prices")
    if name in other:
        return f"`{name}` belongs under `{section}:`"
    return "`costcalc conventions --terms` lists them"


def _price(node: Node, problems: Problems) -> tuple[int, str, int]:
    """(price, the part of a program that it mirrors, how much of it is a bug)."""
    if node.kind != "map":
        return _number(node, problems), "", 0
    parts = _known(node, "key", PRICE, problems)
    mirrors = _text(parts["mirrors"], problems) if "mirrors" in parts else ""
    bug = _number(parts["bug"], problems) if "bug" in parts else 0
    if "price" not in parts:
        problems.add("missing-key", "a price needs `price:`", node, 'write {price: 1, mirrors: "what it mirrors"}')
        return 0, "", 0
    return _number(parts["price"], problems), mirrors, bug


def _number(node: Node, problems: Problems) -> int:
    text = node.value if node.kind == "scalar" else ""
    if not re.fullmatch(r"[+-]?[0-9]{1,7}", text) or abs(int(text)) > MOST:
        problems.due("bad-price", f"a price, a whole number up to {MOST:,}", node, "write 0, 1 or 2")
        return 0
    return int(text)


def _differences(node: Node | None, problems: Problems) -> Iterator[Difference]:
    """The differences between the list and the output of its program."""
    for entry in _items("differences", node, problems):
        parts = _known(entry, "key", DIFFERENCE, problems) if entry.kind == "map" else {}
        if len(parts) < len(DIFFERENCE):
            problems.due("missing-key", "a difference", entry, "write {figure: params, of: [resnet18], reason: why}")
            continue
        of = tuple(_text(one, problems) for one in _items("of", parts["of"], problems))
        yield Difference(_text(parts["figure"], problems), of, _text(parts["reason"], problems))


def _items(name: str, node: Node | None, problems: Problems) -> list[Node]:
    """The entries of a list."""
    if node is None or is_empty(node):
        return []
    if node.kind != "list":
        problems.due("not-a-list", f"the list of `{name}`", node)
        return []
    return node.value


def _known(node: Node, what: str, names: tuple[str, ...], problems: Problems) -> dict[str, Node]:
    """The entries of a map by key; notes unknown keys."""
    for key, _ in node.value:
        if key.value not in names:
            problems.unknown(what, key.value, key, names)
    return {key.value: value for key, value in node.value if key.value in names}
