"""A user's own price list in YAML, read with the place of every mistake."""

import re
from collections.abc import Callable, Collection

from ..errors import Place, Problem, Source, SpecError, listed
from ..ops import INDEX
from ..syntax.nodes import compose, is_empty
from ..syntax.problems import Problems
from .pricing import Convention
from .terms import NUMBERS, TERMS

KEYS = ("name", "title", "cost", "base", "source", "prices", "numbers", "params")
COSTS = ("mult_adds", "flops")
LONGEST = 200  # characters of a text
MOST = 10**6  # of a price, so that totals stay within 64 bits


def read(source: Source, find: Callable[[str], Convention], names: Collection[str]) -> Convention:
    """The convention that a text describes; `find` gives the one of a name that it may start from.

    Raises SpecError with all of its problems.
    """
    problems = Problems(source)
    parts = _parts(compose(source, problems), problems)
    base = _base(parts.get("base"), find, names, problems)
    texts = {name: _text(parts[name], problems) for name in ("name", "title", "cost", "source") if name in parts}
    cost = texts.get("cost", base.cost if base else None)
    if cost is not None and cost not in COSTS:
        problems.unknown("cost", cost, parts["cost"], COSTS)
    rates = {part: _prices(part, parts.get(part), problems) for part in ("prices", "numbers", "params")}
    problems.raise_any()
    if cost is None or not (base or rates["prices"] or rates["numbers"]):
        missing = "cost" if cost is None else "prices"
        help = "write `cost: mult_adds` and `prices: {mac: 1}`, or `base: framework` to start from another convention"
        raise SpecError(Problem("missing-key", f"a convention needs `{missing}:`", Place(source, 1, 1), help))
    name = texts.get("name") or re.sub(r"\.ya?ml$", "", re.split(r"[/\\]", source.path)[-1])
    title = texts.get("title") or f"the prices of {source.path}" + (f", on those of {base.name}" if base else "")
    prices, numbers, params = ({**(getattr(base, part) if base else {}), **table} for part, table in rates.items())
    return Convention(name, title, cost, prices, params, texts.get("source", source.path), numbers)


def _parts(root, problems):
    if root.kind != "map":
        problems.due("not-a-map", "a price list", root, "write `cost: mult_adds` and `prices: {mac: 1}`")
        problems.raise_any()
    for key, _ in root.value:
        if key.value not in KEYS:
            problems.unknown("key", key.value, key, KEYS)
    return {key.value: value for key, value in root.value if key.value in KEYS}


def _base(node, find, names, problems):
    """The convention to start from."""
    if node is None:
        return None
    if node.kind == "scalar" and node.value in names:
        return find(node.value)
    problems.unknown("convention", node.value if node.kind == "scalar" else "", node, names)
    return None


def _text(node, problems):
    if node.kind != "scalar" or is_empty(node):
        problems.due("not-text", "a text", node)
    elif len(node.value) > LONGEST or not node.value.isprintable():
        help = f"one line of at most {LONGEST} characters"
        problems.add("not-text", "this text is too long, or has characters that cannot be shown", node, help)
    return node.value if node.kind == "scalar" else None


def _prices(part, node, problems):
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


def _is_known(part, key, problems):
    """Whether a key names a quantity, of all operations or of one that states it; notes what is wrong."""
    known = TERMS if part == "prices" else NUMBERS
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


def _narrowed(key, start, name):
    """The place of a part of a key, which stands without quotes."""
    return (key.line, key.column + start, len(name)) if key.plain and name else key


def _help(name, part):
    """The help for an unknown name: it may be known in the other section, else where all are listed."""
    other, section = (NUMBERS, "params") if part == "prices" else (TERMS, "prices")
    if name in other:
        return f"`{name}` belongs under `{section}:`"
    return "`costcalc conventions --terms` lists them"


def _price(node, problems):
    text = node.value if node.kind == "scalar" else ""
    if not re.fullmatch(r"[+-]?[0-9]{1,7}", text) or abs(int(text)) > MOST:
        problems.due("bad-price", f"a price, a whole number up to {MOST:,},", node, "write 0, 1 or 2")
        return 0
    return int(text)
