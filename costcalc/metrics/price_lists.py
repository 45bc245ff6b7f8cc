"""Read a YAML price list, and report every mistake with its place.

`counters` ships price lists of other counting programs. They follow the source code of the programs and are checked
against their output for nine networks and for single operations (`tests/data/peers.json`). `differences` uses the names
of networks and operations in that file.

Also lists the quantities and kinds of parameter that a convention can price, and the operations that state them. Needed
only to show or read a price list; pricing does not load this module.
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
    """A quantity or a kind of parameter: its name, its meaning, and the operations that state it."""

    name: str
    what: str
    operations: tuple[str, ...]


def _by_name(*terms: Term) -> dict[str, Term]:
    return {term.name: term for term in terms}


TERMS = _by_name(
    Term("mac", "multiply-adds with weights, and of matrix products", (*_PRODUCTS, "matmul", "einsum", "opaque")),
    Term("mac_attention", "multiply-adds of queries with keys, and of weights with values", _ATTEND),
    Term("mac_masked", "multiply-adds under a causal mask, whose results are discarded", _ATTEND),
    Term("mac_on_output", "kernel times output positions, as of a plain convolution", ("conv_transpose",)),
    Term("bias", "bias additions", _PRODUCTS),
    Term("scale", "queries scaled by the root of their length", _ATTEND),
    Term("rotate", "query and key values rotated by position", _SELF),
    Term("softmax", "query-key pairs of a softmax", _ATTEND),
    Term("scan", "state values of a selective scan at every step", ("selective_scan",)),
    Term("activate", "values passed through an activation or another function", (*_FUNCTIONS, *_RECURRENT, "moe")),
    Term("softmax_rows", "rows of a softmax", ("softmax", "log_softmax")),
    Term("states", "hidden values at every step", _RECURRENT),
    Term("normalize", "values normalised", (*_NORMS, "lrn", *_SELF)),
    Term("affine", "values scaled or shifted after normalisation", (*_NORMS, *_SELF)),
    Term("normalize_rows", "rows normalised separately", ("layernorm",)),
    Term("pool_in", "input values of a pool with windows", _POOLS),
    Term("pool_out", "output values of a pool with windows", _POOLS),
    Term("global_in", "input values of a global pool", _POOLS),
    Term("global_out", "output values of a global pool", _POOLS),
    Term("adaptive_in", "input values of an adaptive pool", ("adaptive_avgpool", "adaptive_maxpool")),
    Term("adaptive_out", "output values of an adaptive pool", ("adaptive_avgpool", "adaptive_maxpool")),
    Term("compare", "values in the windows of a maximum pool", ("maxpool",)),
    Term("average", "values in the windows of an average pool", ("avgpool",)),
    Term("power", "values in the windows of a power pool", ("lppool",)),
    Term("reduce_mean", "input values of a mean along an axis", ("reduce",)),
    Term("reduce_sum", "input values of a sum along an axis", ("reduce", "einsum")),
    Term("reduce_max", "input values of a maximum along an axis", ("reduce",)),
    Term("reduce_mean_out", "output values of a mean along an axis", ("reduce",)),
    Term("reduce_sum_out", "output values of a sum along an axis", ("reduce", "einsum")),
    Term("reduce_max_out", "output values of a maximum along an axis", ("reduce",)),
    Term("add", "additions and differences of tensors", ("add", "sub", "attention", "moe", "selective_scan")),
    Term(
        "multiply", "products of tensors, value by value", ("mul", "glu", "einsum", "bilinear", "moe", "selective_scan")
    ),
    Term("divide", "quotients of tensors, value by value", ("div",)),
    Term("interpolate_nearest", "values copied into a larger grid", ("upsample",)),
    Term("interpolate_bilinear", "values interpolated into a larger grid", ("upsample",)),
    Term("interpolate_in", "values of the grid before it is enlarged", ("upsample",)),
    Term("lookup", "values looked up in a table", ("embedding",)),
    Term("move", "values moved, joined or sliced", _MOVES),
)
NUMBERS = _by_name(
    Term("weight", "weights", (*_PRODUCTS, "embedding", "parameter", "opaque", "selective_scan")),
    Term("bias", "biases", (*_PRODUCTS, "parameter")),
    Term("gamma", "scales of normalisations", (*_NORMS, *_SELF, "parameter")),
    Term("beta", "shifts of normalisations", (*_NORMS, "parameter")),
    Term("slope", "slopes of a PReLU", ("prelu", "parameter")),
    Term("running", "moving means and variances of batch norm, which are not trained", ("batchnorm", "parameter")),
)

GRADIENTS = _by_name(
    Term("ungrouped", "extra cost of convolution weight gradients if groups are ignored", _CONVOLUTIONS),
)
SECTIONS = {"prices": TERMS, "numbers": NUMBERS, "params": NUMBERS, "gradients": GRADIENTS}  # of a price list


def meaning(part: str, key: Any) -> Any:
    """The meaning of a key of a price list. `part` is `prices`, `numbers`, `params` or `gradients`."""
    operation, dot, name = key.rpartition(".")
    return SECTIONS[part][name].what + (f", in `{operation}`" if dot else "")


KEYS = ("name", "title", "cost", "base", "source", "prices", "numbers", "params", "gradients", "differences", "notes")
PRICE = ("price", "mirrors", "bug")  # keys of a price with the code that it mirrors and the part that is a bug
DIFFERENCE = ("figure", "of", "reason")
PARTS = ("prices", "numbers", "params", "gradients")
COSTS = ("mult_adds", "flops")
LONGEST = 200  # characters of a text
MOST = 10**6  # largest price, so that totals fit in 64 bits


def read(source: Source, find: Callable[[str], Convention], names: Collection[str]) -> Convention:
    """Read a convention from a YAML text; `find` looks up the base convention by name.

    Raises SpecError with all its problems.
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
    """Merge the prices of a list into those of its base, with `mirrors` and `bugs`."""
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
    """The prices of one section by key."""
    if node is None or is_empty(node):
        return {}
    if node.kind != "map":
        problems.due("not-a-map", "a map of prices", node, "write {mac: 1, bias: 1}")
        return {}
    prices = {}
    for key, value in node.value:
        if _is_known(part, key, problems):
            prices[key.value] = _price(value, problems)
    return prices


def _is_known(part: str, key: Node, problems: Problems) -> bool:
    """Whether a key names a quantity, or a quantity of an operation that states it; records a problem if not."""
    known = SECTIONS[part]
    what = "quantity" if part == "prices" else "kind of parameter"
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
    """The place of a part of an unquoted key; of a quoted key, the key itself."""
    return (key.line, key.column + start, len(name)) if key.plain and name else key


def _help(name: str, part: str) -> str:
    """The help for an unknown name: the section that knows it, or the command that lists all names."""
    other, section = (NUMBERS, "params") if part == "prices" else (TERMS, "prices")
    if name in other:
        return f"`{name}` belongs under `{section}:`"
    return "`costcalc conventions --terms` lists them"


def _price(node: Node, problems: Problems) -> tuple[int, str, int]:
    """(price, the code that it mirrors, the part of the price that is a bug)."""
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
    """The entries of a map by key; records unknown keys as problems."""
    for key, _ in node.value:
        if key.value not in names:
            problems.unknown(what, key.value, key, names)
    return {key.value: value for key, value in node.value if key.value in names}
