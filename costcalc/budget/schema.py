"""JSON Schema of the file of checks, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metrics.conventions import NAMES as CONVENTIONS
from ..metrics.metrics import NAMES
from ..quantities import BYTES, COUNTS
from .config import EXEMPTION, KEYS

_NUMBER = r"[0-9][0-9_]*(\.[0-9_]+)?"


def schema() -> dict[str, Any]:
    """The schema (draft-07) as a dict."""
    text = {"type": "string"}
    each = {"any_layer": _metrics(_limit(True)), "layers": _some(_metrics(_limit(True)))}
    limits = {**_metrics(_limit(False), **{r"any_layer\.": _limit(True)}), "properties": each}
    check = {
        "spec": text,
        "why": text,
        "convention": {**text, "examples": sorted(CONVENTIONS)},
        "at": {"type": "object", "description": "a setting of the spec's variables: {alpha: 0.75, res: 160}"},
        "max": limits,
        "min": limits,
        "vs_base": _metrics(_change()),
        "level": {"enum": ["error", "warn"]},
    }
    one = {
        "type": "object",
        "required": ["spec"],
        "additionalProperties": False,
        "properties": {key: check[key] for key in KEYS},
        "anyOf": [{"required": [kind]} for kind in ("max", "min", "vs_base")],
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "costcalc checks",
        "type": "object",
        "required": ["checks"],
        "additionalProperties": False,
        "properties": {
            "checks": {"type": "array", "minItems": 1, "items": one},
            "exceptions": {"type": ["array", "null"], "minItems": 1, "items": _exemption(check)},
        },
    }


def _exemption(check: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of an entry of `exceptions:`."""
    text = {"type": "string"}
    metric, amount = {**text, "pattern": f"^{_metric()}$"}, _limit(False)
    parts = {**check, "metric": metric, "from": amount, "to": amount, "reason": text}
    return {
        "type": "object",
        "required": ["spec", "metric", "from", "to"],
        "additionalProperties": False,
        "properties": {key: parts[key] for key in EXEMPTION},
    }


def _some(
    value: Any,
) -> dict[str, Any]:
    return {"type": "object", "minProperties": 1, "additionalProperties": value}


def _metrics(value: Mapping[str, Any], **more: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of a mapping from metrics to `value`, and from metrics with a prefix to the values in `more`."""
    return {
        **_some(False),
        "patternProperties": {f"^{start}{_metric()}$": one for start, one in {"": value, **more}.items()},
    }


def _metric() -> str:
    """Pattern of a metric's name, with or without a convention."""
    return rf"(({'|'.join(CONVENTIONS)})\.)?({'|'.join(NAMES)})"


def _limit(share: bool) -> dict[str, Any]:
    units = "|".join([*filter(None, (COUNTS | BYTES)), *(["%"] if share else [])])
    return {"type": ["number", "string"], "minimum": 0, "pattern": rf"^{_NUMBER} ?({units})?$"}


def _change() -> dict[str, Any]:
    part = rf"{_NUMBER} ?({'|'.join([*filter(None, (COUNTS | BYTES)), '%'])})?"
    return {"type": ["number", "string"], "pattern": rf"^\+{part}( and {part})?$"}
