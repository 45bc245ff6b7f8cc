"""The sections `published:` and `budget:`: printed figures with their sources, and limits.

A figure keeps its printed text (`325M`, `1.19%`), because the number of digits determines its precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import OptionError, Place, listed
from ...metrics.metrics import NAMES, PUBLISHED, unit_of
from ...model.network import Cap, Claim, Variable
from ...model.variables import checked
from ...quantities import ACCURACIES, COUNT, SHARES, Bad, amount, figure, value
from ...syntax.nodes import Node, is_empty
from .controls import phase as phase_of

if TYPE_CHECKING:
    from ...quantities import Unit
    from ...syntax.problems import Problems


OF = ("type", "layer", "without")
REASONS = ("erratum", "not_reproducible")
TEXTS = ("convention", "model", "note", "conv")
CONVS = ("standard", "separable")
ENTRY = ("source", "url", "convention")
_FIGURES = (*PUBLISHED, *ACCURACIES)
_ROW = ("at", *_FIGURES, *OF, *REASONS, "corrected", *TEXTS)
_EXAMPLE = 'write {source: "arXiv:1704.04861, Table 6", rows: [{mult_adds: 569M}]}'


def published(node: Node | None, variables: Mapping[str, Variable], problems: Problems) -> tuple[Claim, ...]:
    """Read the claims of a spec: figures published about the network."""
    claims = []
    for entry in _items(node, problems):
        parts = _parts(entry, (*ENTRY, "rows"), problems)
        if entry.kind != "map":
            continue
        if "source" not in parts or "rows" not in parts:
            problems.add("missing-key", "a published entry needs `source:` and `rows:`", entry, _EXAMPLE)
            continue
        texts = _texts(parts, ENTRY, problems)
        claims += [_claim(row, texts, variables, problems) for row in _items(parts["rows"], problems)]
    return tuple(claims)


def _items(node: Node | None, problems: Problems) -> list[Node]:
    if node is None:
        return []
    if node.kind != "list":
        problems.due("not-a-list", "a list", node, "start each entry with `- `")
        return []
    return node.value


def _parts(
    node: Node, known: tuple[str, ...], problems: Problems, example: str = "write {mult_adds: 569M, params: 4.2M}"
) -> dict[str, Node]:
    if node.kind != "map":
        problems.due("not-a-map", "a map", node, example)
        return {}
    for key, _ in node.value:
        if key.value not in known:
            problems.unknown("key", key.value, key, known)
    return {key.value: value for key, value in node.value}


def _texts(parts: Mapping[str, Node], names: Sequence[str], problems: Problems) -> dict[str, str]:
    """Texts among the parts. Values of another type are recorded as problems."""
    found = {name: parts[name] for name in names if name in parts}
    return {name: node.value for name, node in found.items() if _is_text(node, name, problems)}


def _is_text(node: Node, name: str, problems: Problems) -> bool:
    if node.kind != "scalar":
        problems.add("not-text", f"`{name}` is one value, not {node.what}", node, "put a text in quotes")
    return node.kind == "scalar"


def _claim(row: Node, entry: Mapping[str, str], variables: Mapping[str, Variable], problems: Problems) -> Claim:
    parts = _parts(row, _ROW, problems)
    at = _setting(parts.get("at"), variables, problems)
    phase = at.pop("phase", "")
    figures = _figures(parts, _FIGURES, problems)
    if not parts.keys() & {*_FIGURES} and row.kind == "map":
        problems.add("missing-key", "this row states no figure", row, f"it states {listed(PUBLISHED)}, or an accuracy")
    computed = [name for name in PUBLISHED if name in parts]
    errata, unreproducible = _reasons(parts, computed, problems)
    texts = {**{name: entry[name] for name in ("convention", "url") if name in entry}, **_texts(parts, TEXTS, problems)}
    if texts.get("conv", "standard") not in CONVS:
        problems.unknown("word", texts["conv"], parts["conv"], CONVS)
    return Claim(
        source=entry.get("source", ""),
        at=at,
        of=_chosen(parts, problems),
        figures=figures,
        convention=texts.pop("convention", "paper"),
        conv=texts.pop("conv", ""),
        phase=phase,
        errata=errata,
        corrected=_corrected(parts.get("corrected"), computed, errata, problems),
        unreproducible=unreproducible,
        notes=texts,
        place=Place(problems.source, *row.at),
    )


def _figures(parts: Mapping[str, Node], names: Sequence[str], problems: Problems) -> dict[str, str]:
    texts = _texts(parts, names, problems)
    for name, text in texts.items():
        node, unit = parts[name], unit_of(name)
        found = figure(text, unit)
        share = text.rstrip().endswith("%")
        if found is None:
            problems.add("bad-figure", f"{node.what} is not a figure", node, _as_printed(unit))
        elif share and name in PUBLISHED and name not in SHARES:
            help = f"a share is `{name}_share`" if f"{name}_share" in SHARES else "write it without the `%`"
            problems.add("bad-figure", f"`{name}` is a number, not a share", node, help)
    return texts


def _as_printed(unit: Unit) -> str:
    return f"write it as it is printed: {'325M, 2.6M or 1.91%' if unit is COUNT else unit.example}"


def _chosen(parts: Mapping[str, Node], problems: Problems) -> dict[str, tuple[str, ...]]:
    """Layers that the figures refer to: {`type`, `layer` or `without`: names or globs}."""
    of = {}
    for name in (name for name in OF if name in parts):
        node = parts[name]
        several = node.value if node.kind == "list" and name == "without" else [node]
        of[name] = tuple(item.value for item in several if _is_text(item, name, problems))
    return of


def _reasons(parts: Mapping[str, Node], computed: list[str], problems: Problems) -> Any:
    """(errata, not reproducible): reasons by metric. A reason without a metric covers those not named by the other."""
    named = {name: _named(parts.get(name), name, computed, problems) for name in REASONS}
    general = [name for name in REASONS if None in named[name]]
    twice = named["erratum"].keys() & named["not_reproducible"].keys()
    if twice:
        help = f"name the figures of each: `erratum: {{{next(iter(computed), 'mult_adds')}: reason}}`"
        message = "a figure is either an erratum or not reproducible"
        problems.add("both-reasons", message, parts["not_reproducible"], help)
    for name in general:
        other = named[REASONS[1 - REASONS.index(name)]]
        reason = named[name].pop(None)
        named[name] |= {metric: reason for metric in computed if metric not in other}
    return named["erratum"], named["not_reproducible"]


def _named(node: Node | None, name: str, computed: list[str], problems: Problems) -> Any:
    """Read reasons: {metric: reason}; {None: reason} for all metrics; {} if there is none."""
    if node is None:
        return {}
    if node.kind == "map":
        _know(node, computed, problems)
        return _texts({key.value: part for key, part in node.value}, computed, problems)
    if _is_text(node, name, problems) and is_empty(node):
        problems.due("missing-reason", "a reason", node, f"write `{name}: why`")
    return {None: node.value}


def _corrected(node: Node | None, computed: list[str], errata: Mapping[str, Any], problems: Problems) -> dict[str, str]:
    """Read {metric: corrected figure}, which is valid for errata only."""
    if node is None:
        return {}
    if node.kind != "map":
        problems.due("not-a-map", "a map", node, "write {mult_adds: 569M}, the correct figure")
        return {}
    _know(node, computed, problems)
    parts = {key.value: value for key, value in node.value if key.value in computed}
    for name in parts.keys() - errata.keys():
        help = f"add `erratum:` with the reason for `{name}`"
        problems.add("no-erratum", "`corrected` gives the correct figure of an erratum", parts[name], help)
    return _figures(parts, computed, problems)


def _know(node: Node, computed: list[str], problems: Problems) -> None:
    """Record keys that are not metrics of the row."""
    for key, _ in node.value:
        if key.value not in computed:
            help = f"this row has {listed(computed)}" if computed else "this row states no computed metric"
            problems.unknown("metric", key.value, key, computed, help)


def _setting(node: Node | None, variables: Mapping[str, Variable], problems: Problems) -> dict[str, Any]:
    """Read the values of variables, and the phase, that a claim refers to."""
    if node is not None and node.kind != "map":
        problems.due("not-a-map", "a map of variables", node, "write {alpha: 0.75, res: 160}")
    pairs = node.value if node is not None and node.kind == "map" else ()
    setting: dict[str, Any] = {}
    for key, part in pairs:
        if key.value == "phase":
            setting["phase"] = phase_of(part, problems)
        elif key.value not in variables:
            problems.unknown("variable", key.value, key, variables, "a variable is declared under `vars:`")
        else:
            setting[key.value] = _value_at(variables[key.value], part, problems)
    return setting


def _value_at(variable: Variable, node: Node, problems: Problems) -> float | None:
    """Read the value of a variable: a number, a Boolean or a word."""
    text = node.value if node.kind == "scalar" else ""
    number = value(text.removeprefix("-"))
    signed = -number if number is not None and text.startswith("-") else number
    given = {"true": True, "false": False}.get(text, signed)
    try:
        return checked(variable, text if given is None else given)
    except OptionError as error:
        problems.add("bad-value", error.problems[0].message, node, error.problems[0].help)
    return None


def budget(node: Node | None, problems: Problems) -> dict[str, Cap]:
    """Read limits by metric: `{mult_adds: 170M, params: 2.6M}`."""
    if node is None:
        return {}
    parts = _parts(node, NAMES, problems)
    limits = {}
    for name, part in parts.items():
        try:
            limit = amount(part.value if part.kind == "scalar" else "", name, unit_of(name)).value
            limits[name] = Cap(limit, part.value, Place(problems.source, *part.at))
        except Bad as error:
            help = "write 170M, 2.6M or 4209088" if unit_of(name) is COUNT else str(error)
            problems.add("bad-figure", f"a limit is a number, not {part.what}", part, help)
    return limits
