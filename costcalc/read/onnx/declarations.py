"""Signatures of ONNX operators, and the check of nodes against them: inputs, outputs, attributes and their values."""

import os
from functools import lru_cache
from typing import Any

from ...errors import Refused, brief, listed
from ...records import NamedTuple

_TYPES = {1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "F", 7: "I", 8: "S", 9: "T", 10: "G", 11: "x", 13: "y"}
_WORDS: dict[str, frozenset[str]] = {  # attribute, or operator.attribute -> valid values
    name: frozenset(words.split())
    for name, words in {
        "auto_pad": "NOTSET SAME_UPPER SAME_LOWER VALID",
        "approximate": "none tanh",
        "keep_aspect_ratio_policy": "stretch not_larger not_smaller",
        "nearest_mode": "round_prefer_floor round_prefer_ceil floor ceil",
        "padding_mode": "zeros border reflection",
        "BitShift.direction": "LEFT RIGHT",
        "LSTM.direction": "forward reverse bidirectional",
        "GRU.direction": "forward reverse bidirectional",
        "RNN.direction": "forward reverse bidirectional",
        "Pad.mode": "constant reflect edge wrap",
        "Resize.mode": "nearest linear cubic",
        "Upsample.mode": "nearest linear bilinear",
        "DepthToSpace.mode": "DCR CRD",
        "RoiAlign.mode": "avg max",
        "GridSample.mode": "bilinear nearest bicubic linear cubic",
        "ScatterElements.reduction": "none add mul max min",
        "ScatterND.reduction": "none add mul max min",
        "SoftmaxCrossEntropyLoss.reduction": "none sum mean",
        "NegativeLogLikelihoodLoss.reduction": "none sum mean",
    }.items()
}
_OPTIONAL_FIRST = ("Loop", "Scan")  # their first inputs are optional and precede the others


class Attribute(NamedTuple):
    """Types of an attribute, the versions that have it, and the version since which it is required."""

    types: str
    first: int
    last: int
    required: int | None


class Operator(NamedTuple):
    """Signature of an operator: (version, least and most inputs, least and most outputs), oldest first; attributes."""

    counts: tuple[tuple[int, ...], ...]
    attributes: dict[str, Attribute]


@lru_cache(1)
def operators() -> dict[str, str]:
    """Lines of the table by operator. Each is parsed on demand."""
    with open(os.path.join(os.path.dirname(__file__), "operators.txt"), encoding="utf-8") as file:
        lines = file.read().splitlines()[1:]
    return {name: rest for name, _, rest in (line.partition("|") for line in lines)}


@lru_cache(None)
def operator(name: str) -> Operator | None:
    """Signature of an operator, or None if ONNX has no such operator."""
    line = operators().get(name)
    if line is None:
        return None
    counts, _, attributes = line.partition("|")
    return Operator(
        tuple(tuple(map(int, one.replace(":", "-").replace(">", "-").split("-"))) for one in counts.split()),
        dict(map(_attribute, attributes.split())),
    )


class Demand(NamedTuple):
    """Signature in one version: least and most inputs and outputs, attributes, and required attributes."""

    bounds: tuple[int, ...]
    attributes: dict[str, Attribute]
    required: tuple[str, ...]


@lru_cache(4_096)
def demand(name: str, version: int) -> Demand | None:
    """Signature of an operator in a version, or None if it does not exist yet."""
    known = operator(name)
    if known is None or version < known.counts[0][0]:
        return None
    _, *bounds = [one for one in known.counts if one[0] <= version][-1]
    named = known.attributes.items()
    required = tuple(name for name, one in named if one.required and one.required <= version <= one.last)
    return Demand(tuple(bounds), known.attributes, required)


def _attribute(text: str) -> tuple[str, Attribute]:
    name, _, rest = text.partition("=")
    types, _, rest = rest.partition("@")
    span, _, required = rest.partition("!")
    first, _, last = span.partition("-")
    return name, Attribute(types, int(first), int(last), int(required) if required else None)


def check(proto: Any, functions: dict, version: int) -> None:
    """Raise Refused for a node that does not match the signature of its operator in that version.

    Operators of other domains, and those defined by `functions` of the file, are not checked.
    """
    op, domain = proto.op_type, proto.domain
    if domain not in ("", "ai.onnx") or (functions and (domain, op, getattr(proto, "overload", "")) in functions):
        return
    names = proto.input
    given = [_described(one) for one in proto.attribute] if proto.attribute else ()
    _check(op, version, len(names), list(names).index("") + 1 if "" in names else 0, len(proto.output), *given)


def _described(attribute: Any) -> tuple[str, int, bytes | None]:
    """Name and type of an attribute, and its value if it is a literal text."""
    kind = attribute.type
    return attribute.name, kind, attribute.s if kind == 3 and not attribute.ref_attr_name else None


@lru_cache(4_096)
def _check(op: str, version: int, inputs: int, omitted: int, outputs: int, *given: Any) -> None:
    """Cached part of `check`, since most nodes are alike.

    omitted  number of the first omitted input, or 0
    given    name, type and text of each attribute
    """
    known = demand(op, version)
    if known is None:
        return
    _check_count(inputs, known.bounds[0], known.bounds[1], "inputs")
    _check_count(outputs, known.bounds[2], known.bounds[3], "outputs")
    if 0 < omitted <= known.bounds[0] and op not in _OPTIONAL_FIRST:
        raise Refused(f"input {omitted} is missing")
    names = [name for name, _, _ in given]
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise Refused(f"attribute `{brief(twice)}` appears twice")
    for name, kind, word in given:
        _check_attribute(f"{op}.{name}", kind, word, known.attributes, version)
    for name in known.required:
        if name not in names:
            raise Refused(f"attribute `{name}` is missing")


def _check_count(count: int, fewest: int, most: int, what: str) -> None:
    if not fewest <= count <= most:
        wanted = f"{fewest}" if fewest == most else f"{fewest} or more" if most == 999 else f"{fewest} to {most}"
        raise Refused(f"it has {count:,} {what}, not {wanted}")


def _check_attribute(place: str, kind: int, word: bytes | None, known: dict[str, Attribute], version: int) -> None:
    """Refuse an attribute that does not exist in a version, has the wrong type, or an unknown word as value."""
    name = place.partition(".")[2]
    about = known.get(name)
    if about is None or not about.first <= version <= about.last:
        raise Refused(f"it has no attribute `{brief(name)}` in version {version}")
    if _TYPES.get(kind) is None or _TYPES[kind] not in about.types:
        raise Refused(f"attribute `{name}` has the wrong type")
    words = _WORDS.get(place) or _WORDS.get(name)
    if not words or word is None:
        return
    value = word.decode("utf-8", "replace")
    if value not in words:
        raise Refused(f"attribute `{name}` cannot be {brief(value)!r}", help=f"known: {listed(sorted(words))}")
