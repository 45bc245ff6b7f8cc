"""JSON Schema of the spec language, generated from the table of operations."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ...metrics.metrics import NAMES, PUBLISHED
from ...model.storage import MOST_BITS
from ...ops import INDEX, find
from ...quantities import ACCURACIES
from ..owned import NUMBERS, OWN
from . import widths
from .blocks import shipped_library
from .evidence import ENTRY, OF, REASONS, TEXTS
from .layers import CONTROLS

if TYPE_CHECKING:
    from ...ops.base import Op


_NUMBER = {"type": ["number", "string", "boolean"], "description": "a number or an expression"}
_STEPS = {"type": "array", "items": {"$ref": "#/definitions/layer"}}
_SIZES = {"anyOf": [_NUMBER, {"type": "array"}]}
_NAME = {"type": ["string", "number"]}  # YAML parses `as: 3` as a number; a spec keeps the text
_BRANCH = {**_STEPS, "type": ["string", "number", "array"]}
_NAMED_SHAPE = {"type": "object", "additionalProperties": _NUMBER}
_BITS = {"type": "integer", "minimum": 1, "maximum": MOST_BITS}
_INPUT = {
    "anyOf": [
        {"type": "array", "items": _NUMBER, "minItems": 1},
        {"type": "object", "properties": {"bits": _BITS, "shape": {"type": "array"}}, "additionalProperties": _NUMBER},
    ]
}
_SHAPE = {"anyOf": [{"type": "array", "items": _NUMBER, "minItems": 1}, _NAMED_SHAPE]}
_SHARED = {  # definitions that many layers refer to
    "a source": {
        "anyOf": [_NAME, {"type": "array", "items": _NAME}, {"type": "object", "additionalProperties": _NAME}],
        "description": "the layer or input whose output flows in; of an include one for each input",
    },
    "some branches": {
        "type": ["array", "string"],
        "items": _BRANCH,
        "not": {"enum": [*INDEX]},
        "description": "a list of branches; a parameter that names several layers, or `blocks[*]`, all runs of one",
    },
}
_FORMS = {
    "number": _NUMBER,
    "kernel": _SIZES,
    "numbers": {"type": "array", "items": _NUMBER},
    "padding": _SIZES,
    "word": _NUMBER,
    "text": _NAME,
    "shape": _SHAPE,
    "branch": _BRANCH,
    "branches": {"$ref": "#/definitions/some branches"},
}
_CONTROLS: dict[str, dict[str, Any]] = {
    "repeat": {**_NUMBER, "description": "how many times in sequence; `i` counts from 0"},
    "when": {**_NUMBER, "description": "only if this condition holds; the input passes otherwise"},
    "residual": {**_NUMBER, "description": "add the input to the output if this condition holds"},
    "times": {**_NUMBER, "description": "runs per sample with the same weights: params once, mult-adds each time"},
    "prob": {
        "anyOf": [_NUMBER, _FORMS["numbers"]],
        "description": "how probable it is that it runs, 0 to 1: least, expected and largest cost",
    },
    "trained": {**_NUMBER, "description": "false: its parameters are frozen in `costcalc training`"},
    "bits": {**widths.schema(True), "description": "bits of its weights, and of the tensors that it makes"},
    "only": {"enum": ["train", "deploy"], "description": "the phase in which it runs; the input passes otherwise"},
    "as": {**_NAME, "description": "a name, for the report and for `from`, branches and `reuse`"},
    "from": {"$ref": "#/definitions/a source"},
    "then": {**_STEPS, "description": "layers that follow each time, such as [batchnorm, relu]"},
    "layers": {**_STEPS, "description": "a group of layers"},
    "reuse": {**_NAME, "description": "an earlier layer again; beside an operation, the layer whose weights it reads"},
    "include": {"type": "string", "description": "layers of another spec; its variables are options"},
    "params": {
        "anyOf": [
            _NUMBER,
            {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(NUMBERS, _NUMBER)},
        ],
        "description": "parameters that it holds, where they are not those of its rule: of weights, or by kind",
    },
    "until": {**_NAME, "description": "of an include, the last layer, by its `as`"},
    "after": {**_NAME, "description": "of an include, the layer before the first, by its `as`"},
}


def schema() -> dict[str, Any]:
    """Return the schema (draft-07) as a dict."""
    operations = {name: _operation(find(name)) for name in INDEX}
    taken = _taken()
    blocks = {name: {"description": f"block of costcalc: {name}"} for name in shipped_library().names()}
    mains = {
        name: {**body["properties"][name], "description": body["description"]} for name, body in operations.items()
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "costcalc spec",
        "type": "object",
        "required": ["layers"],
        "additionalProperties": False,
        "properties": _sections(),
        "definitions": {
            "layer": {
                "anyOf": [{"type": "string"}, {"type": "object", "minProperties": 1}],
                "properties": {**mains, **blocks, **_CONTROLS, **{key: {} for key in taken}},
                "allOf": [
                    {"if": {"type": "object", "required": [name]}, "then": {"$ref": f"#/definitions/{name}"}}
                    for name in operations
                ]
                + [_elsewhere(key, names) for key, names in taken.items()],
            },
            **_SHARED,
            **operations,
        },
    }


def _taken() -> dict[str, list[str]]:
    """Keys of all layers that are options of some operations with another meaning, such as `layers` of an `lstm`."""
    found = {key: [name for name in INDEX if key in find(name).options] for key in _CONTROLS}
    return {key: names for key, names in found.items() if names and "anyOf" not in _CONTROLS[key]}


def _elsewhere(key: str, names: list[str]) -> dict[str, Any]:
    """Schema of a key for layers of all other operations."""
    without = {"not": {"anyOf": [{"required": [name]} for name in names]}}
    return {"if": {"type": "object", **without}, "then": {"properties": {key: _CONTROLS[key]}}}


def _operation(op: Op) -> dict[str, Any]:
    main = op.options[op.main] if op.main else None
    properties = {op.name: _option(main) if main else {"type": "null"}}
    properties.update({name: _option(option) for name, option in op.options.items() if name != op.main})
    if "params" in op.options:  # or by kind, as for other operations
        properties["params"] = {"anyOf": [properties["params"], _CONTROLS["params"]]}
    required = [name for name, option in op.options.items() if option.required and name != op.main]
    return {
        "description": inspect.cleandoc(op.doc),
        "properties": {**{name: _CONTROLS[name] for name in (*sorted(OWN), *CONTROLS)}, **properties},
        "additionalProperties": False,
        **({"required": required} if main is None or not main.required else {"required": [op.name, *required]}),
    }


def _option(option: Any) -> dict[str, Any]:
    default = {} if option.required or option.default is None else {"default": option.default}
    form: Any = _FORMS[option.kind.form]
    null = {"anyOf": [form, {"type": "null"}]} if not option.required else form
    return {**null, "description": option.kind.doc, **default}


def _sections() -> dict[str, dict[str, Any]]:
    figure = {"type": ["number", "string"]}
    text = {"type": "string"}
    reason = {"type": ["string", "object"], "additionalProperties": text}
    claim = {
        **dict.fromkeys((*PUBLISHED, *ACCURACIES), figure),
        **dict.fromkeys((*OF, *TEXTS), text),
        "without": {"type": ["string", "array"], "items": text},
        "conv": {"enum": ["standard", "separable"]},
        **dict.fromkeys(REASONS, reason),
        "corrected": {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(PUBLISHED, figure)},
    }
    row = {"type": "object", "additionalProperties": False, "properties": {"at": {"type": "object"}, **claim}}
    entry = dict.fromkeys(ENTRY, text)
    return {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "vars": {"type": "object", "description": "variables with their defaults; each becomes an option"},
        "define": {"type": "object", "description": "functions: `width(c): max(floor(alpha * c), 8)`"},
        "input": {**_INPUT, "description": "[height, width, channels], per sample"},
        "inputs": {"type": "object", "additionalProperties": _INPUT},
        "defaults": {
            "type": "object",
            "properties": {"bits": widths.schema()},
            "additionalProperties": {"type": "object"},
        },
        "blocks": {"type": "object", "additionalProperties": _STEPS},
        "layers": _STEPS,
        "published": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["source", "rows"],
                "additionalProperties": False,
                "properties": {**entry, "rows": {"type": "array", "items": row}},
            },
        },
        "budget": {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(NAMES, figure),
        },
    }
