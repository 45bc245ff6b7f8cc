"""`published:` and `budget:` : figures as printed, with their sources, and limits.

A figure keeps the text it was printed as (`325M`, `1.19%`): how many digits it has says how exact it is.
"""

import re

from ..errors import OptionError, Place, listed
from ..model import Claim
from ..variables import checked

METRICS = ("mult_adds", "params", "mult_adds_share", "params_share")
ACCURACIES = ("top1", "top5", "map", "miou", "accuracy")
OF = ("type", "layer", "model")
NOTES = ("erratum", "note", "convention")
_FIGURES = frozenset((*METRICS, *ACCURACIES))
_ROW = ("at", *METRICS, *ACCURACIES, *OF, *NOTES)
_EXAMPLE = 'write {source: "arXiv:1704.04861, Table 6", rows: [{mult_adds: 569M}]}'
_FIGURE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGB%]?)", re.ASCII)
LONGEST = 40  # characters of a figure
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "B": 10**9}


def value(text):
    """The number that a printed figure says: `325M` is 325,000,000 and `1.19%` is 1.19. None if it is no figure."""
    match = _FIGURE.fullmatch(text.replace("_", "").replace(",", ""))
    if not match or len(text) > LONGEST:
        return None
    whole, _, part = match[1].partition(".")
    number, scale = int(whole + part) * _UNITS.get(match[2], 1), 10 ** len(part)
    return number // scale if number % scale == 0 else number / scale


def published(node, variables, problems):
    """The claims of a spec: what papers and repositories print about it."""
    claims = []
    for entry in _items(node, problems):
        parts = _parts(entry, ("source", "url", "convention", "rows"), problems)
        if entry.kind != "map":
            continue
        if "source" not in parts or "rows" not in parts:
            problems.add("missing-key", "a published entry needs `source:` and `rows:`", entry, _EXAMPLE)
            continue
        parts = _texts(parts, ("source", "url", "convention"), problems)
        for row in _items(parts["rows"], problems):
            claim = _claim(row, parts, variables, problems)
            if claim:
                claims.append(claim)
    return tuple(claims)


def _texts(parts, names, problems):
    """The parts without those that should be texts and are not; each is noted."""
    bad = [name for name in names if name in parts and parts[name].kind != "scalar"]
    for name in bad:
        problems.add("not-text", f"`{name}` is one value, not {parts[name].what}", parts[name], "put a text in quotes")
    return {name: part for name, part in parts.items() if name not in bad}


def _items(node, problems):
    if node is None:
        return []
    if node.kind != "list":
        problems.due("not-a-list", "a list", node, "start each entry with `- `")
        return []
    return node.value


def _parts(node, known, problems):
    if node.kind != "map":
        problems.due("not-a-map", "a map", node, "write {mult_adds: 569M, params: 4.2M}")
        return {}
    for key, _ in node.value:
        if key.value not in known:
            problems.unknown("key", key.value, key, known)
    return {key.value: value for key, value in node.value}


def _claim(row, entry, variables, problems):
    parts = _parts(row, _ROW, problems)
    at = _setting(parts.pop("at", None), variables, problems)
    texts = {name: node.value for name, node in _texts(parts, (*parts,), problems).items()}
    figures = {name: text for name, text in texts.items() if name in _FIGURES}
    for name in figures:
        _check_figure(name, parts[name], problems)
    if not parts.keys() & _FIGURES and row.kind == "map":
        problems.add("missing-key", "this row states no figure", row, f"it states {listed(METRICS)}, or an accuracy")
    notes = {name: texts[name] for name in NOTES if name in texts}
    if "convention" in entry:
        notes.setdefault("convention", entry["convention"].value)
    of = {name: texts[name] for name in OF if name in texts}
    source = entry["source"].value if "source" in entry else ""
    return Claim(source, at, of, figures, notes, Place(problems.source, *row.at))


def _check_figure(name, node, problems):
    if value(node.value) is None:
        help = "write it as it is printed: 325M, 2.6M or 1.91%"
        problems.add("bad-figure", f"{node.what} is not a figure", node, help)
    elif node.value.endswith("%") and name in METRICS[:2]:
        problems.add("bad-figure", f"`{name}` is a number, not a share", node, f"a share is `{name}_share`")


def _setting(node, variables, problems):
    """The values of variables that a claim is about."""
    if node is not None and node.kind != "map":
        problems.due("not-a-map", "a map of variables", node, "write {alpha: 0.75, res: 160}")
    pairs = node.value if node is not None and node.kind == "map" else ()
    setting = {}
    for key, part in pairs:
        if key.value not in variables:
            problems.unknown("variable", key.value, key, variables, "a variable is declared under `vars:`")
        else:
            setting[key.value] = _value_at(variables[key.value], part, problems)
    return setting


def _value_at(variable, node, problems):
    """What a variable is set to: a number, a truth or a word."""
    text = node.value if node.kind == "scalar" else ""
    number = value(text.removeprefix("-"))
    signed = -number if number is not None and text.startswith("-") else number
    given = {"true": True, "false": False}.get(text, signed)
    try:
        return checked(variable, text if given is None else given)
    except OptionError as error:
        problems.add("bad-value", error.problems[0].message, node, error.problems[0].help)
    return None


def budget(node, problems):
    """Limits by metric: `{mult_adds: 170M, params: 2.6M}`."""
    if node is None:
        return {}
    parts = _parts(node, METRICS[:2], problems)
    limits = {}
    for name, part in parts.items():
        limit = value(part.value) if part.kind == "scalar" else None
        if limit is None or part.value.endswith("%"):
            problems.add("bad-figure", f"a limit is a number, not {part.what}", part, "write 170M, 2.6M or 4209088")
        else:
            limits[name] = limit
    return limits
