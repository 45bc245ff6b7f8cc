"""`published:` and `budget:` : figures as printed, with their sources, and limits.

A figure keeps the text it was printed as (`325M`, `1.19%`): how many digits it has says how exact it is.
"""

import re

from ..errors import Place
from ..model import Claim

METRICS = ("mult_adds", "params", "mult_adds_share", "params_share")
ACCURACIES = ("top1", "top5", "map", "miou", "accuracy")
OF = ("type", "layer", "model")
NOTES = ("erratum", "note", "convention")
_FIGURE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGB%]?)", re.ASCII)
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "B": 10**9}


def value(text):
    """The number that a printed figure says: `325M` is 325,000,000 and `1.19%` is 1.19. None if it is no figure."""
    match = _FIGURE.fullmatch(text.replace("_", "").replace(",", ""))
    if not match:
        return None
    whole, _, part = match[1].partition(".")
    number, scale = int(whole + part) * _UNITS.get(match[2], 1), 10 ** len(part)
    return number // scale if number % scale == 0 else number / scale


def published(node, variables, problems):
    """The claims of a spec: what papers and repositories print about it."""
    claims = []
    for entry in _items(node, problems):
        parts = _parts(entry, ("source", "url", "convention", "rows"), problems)
        if "source" not in parts or "rows" not in parts:
            problems.add("missing-key", "a published entry needs `source:` and `rows:`", entry)
            continue
        for row in _items(parts["rows"], problems):
            claim = _claim(row, parts, variables, problems)
            if claim:
                claims.append(claim)
    return tuple(claims)


def _items(node, problems):
    if node is None:
        return []
    if node.kind != "list":
        problems.add("not-a-list", "a list is due here", node)
        return []
    return node.value


def _parts(node, known, problems):
    if node.kind != "map":
        problems.add("not-a-map", "a map is due here", node)
        return {}
    for key, _ in node.value:
        if key.value not in known:
            problems.unknown("key", key.value, key, known)
    return {key.value: value for key, value in node.value}


def _claim(row, entry, variables, problems):
    parts = _parts(row, ("at", *METRICS, *ACCURACIES, *OF, *NOTES), problems)
    at = _setting(parts.get("at"), variables, problems)
    texts = {name: node for name, node in parts.items() if name != "at"}
    for name, node in texts.items():
        if node.kind != "scalar":
            problems.add("not-text", f"`{name}` is one value", node)
            return None
        if name in (*METRICS, *ACCURACIES) and value(node.value) is None:
            problems.add("bad-figure", f"`{node.value[:60]}` is not a figure such as 325M or 1.91%", node)
    texts = {name: node.value for name, node in texts.items()}
    notes = {name: texts[name] for name in NOTES if name in texts}
    if "convention" in entry:
        notes.setdefault("convention", entry["convention"].value)
    return Claim(
        source=entry["source"].value,
        at=at,
        of={name: texts[name] for name in OF if name in texts},
        figures={name: texts[name] for name in (*METRICS, *ACCURACIES) if name in texts},
        notes=notes,
        place=Place(problems.source, *row.at),
    )


def _setting(node, variables, problems):
    if node is None:
        return {}
    for key, _ in node.value if node.kind == "map" else ():
        if key.value not in variables:
            problems.unknown("variable", key.value, key, variables)
    return {key: value(part.value) for key, part in _parts_of_text(node, problems)}


def _parts_of_text(node, problems):
    for key, part in node.value if node.kind == "map" else ():
        if part.kind != "scalar" or value(part.value) is None:
            problems.add("bad-figure", "a number is due here", part)
        else:
            yield key.value, part


def budget(node, problems):
    """Limits by metric: `{mult_adds: 170M, params: 2.6M}`."""
    if node is None:
        return {}
    parts = _parts(node, METRICS[:2], problems)
    limits = {}
    for name, part in parts.items():
        limit = value(part.value) if part.kind == "scalar" else None
        if limit is None or part.value.endswith("%"):
            problems.add("bad-figure", "a limit is a number such as 170M", part)
        else:
            limits[name] = limit
    return limits
