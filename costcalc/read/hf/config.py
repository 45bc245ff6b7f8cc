"""Convert a `config.json` to a spec: the shipped config of its family with the values of the configuration."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ... import limits
from ...errors import FileError, Problem, Source, brief, listed, nearest
from ...files import configs, text
from ..json_text import value as value_of

ACTIVATIONS = {  # transformers' names of activations -> names of operations
    **dict.fromkeys(("gelu_new", "gelu_fast", "gelu_python", "gelu_pytorch_tanh", "quick_gelu"), "gelu"),
    "swish": "silu",
}
_KNOWN = ("relu", "gelu", "silu", "tanh", "mish", "sigmoid", "relu6", "leaky_relu", "elu", "selu")
_SLIDING, _FULL = "sliding_attention", "full_attention"


@lru_cache(1)
def families() -> dict[str, dict[str, Any]]:
    """Table of families by `model_type`, with the rows that each one extends merged in."""
    import yaml

    with open(os.path.join(os.path.dirname(__file__), "families.yaml"), encoding="utf-8") as file:
        rows = yaml.safe_load(file)
    found: dict[str, dict[str, Any]] = {}
    shared = rows.pop("everywhere")
    for name, row in rows.items():
        base = found.get(row.get("extends"), {})
        found[name] = {**base, **row, "everywhere": shared}
        for part in ("vars", "only", "same"):
            found[name][part] = {**base.get(part, {}), **row.get(part, {})}
        found[name]["free"] = [*base.get("free", ()), *row.get("free", ())]
    return found


def spec_of(source: Source) -> str:
    """Text of the spec for a configuration. Raises FileError."""
    config = _parsed(source)
    kind = config.get("model_type")
    family = families().get(kind) if isinstance(kind, str) else None
    if family is None:
        help = nearest(str(kind), [*families()]) or f"known: {listed([*families()])}"
        raise _bad(source, f"has the unknown `model_type` {brief(repr(kind))}", help)
    _check(source, config, family)
    values = {name: _value(source, config, name, where) for name, where in family["vars"].items()}
    values.update(_gate(config, family), **_windows(source, config, family, values))
    values.update(_head(source, config, family))
    return _filled(family["spec"], values, f"{kind}, {os.path.basename(source.path)}", left_out(source))


def left_out(source: Source) -> tuple[str, ...]:
    """Settings of a configuration that the counted layers do not cover, each with its effect."""
    config = _parsed(source)
    family = families()[config["model_type"]]
    found = [f"`{key}`: {text}" for key, text in family["everywhere"]["noted"].items() if config.get(key)]
    if config.get("tie_word_embeddings") is False and "untied" in family:
        found.append(f"`tie_word_embeddings`: {family['untied']}")
    return tuple(found)


def _parsed(source: Source) -> dict[str, Any]:
    if sum(map(source.text.count, ",[{")) > limits.VALUES:
        message = f"{source.path!r} has more than {limits.VALUES:,} values"
        raise FileError(Problem("limit", message, help=limits.hint("values")))
    try:
        found = value_of(source.text)
    except (ValueError, RecursionError) as error:
        raise _bad(source, f"is not JSON: {brief(str(error))}") from None
    if not isinstance(found, dict):
        raise _bad(source, "is not a configuration: it is not a map")
    return found


def _bad(source: Source, why: str, help: str | None = None) -> FileError:
    return FileError(Problem("bad-config", f"{source.path!r} {why}", help=help))


def _check(source: Source, config: Mapping[str, Any], family: Mapping[str, Any]) -> None:
    """Refuse settings that the spec of the family does not describe, and unknown keys."""
    shared = family["everywhere"]
    only = {**shared["only"], **family["only"]}
    for key, value in only.items():
        if config.get(key, value) not in (value, None):
            raise _bad(source, f"has `{key}` {brief(repr(config[key]))}: only {value!r} is supported")
    for key, sum_of in family["same"].items():
        expected = _computed(config, sum_of)
        if expected is not None and config.get(key, expected) not in (expected, None):
            raise _bad(source, f"has `{key}` {brief(repr(config[key]))}, but {sum_of} is {expected}")
    read: set[Any] = {name for where in family["vars"].values() for name in _keys(where)}
    read |= {family.get("gated"), family.get("windows"), "layer_types", "num_labels", "_sliding_window_pattern"}
    known = {*read, *only, *family["same"], *family["free"], *shared["free"], *shared["noted"]}
    for key, value in config.items():
        if key in known or key.startswith("_") or key.endswith(tuple(shared["ends"])) or value in (None, False):
            continue
        help = "if it does not change any layer, remove it from the file"
        raise _bad(source, f"has the unknown key `{brief(key)}`", help)


def _keys(where: Any) -> list[str]:
    """Configuration keys that a variable is read from."""
    text = where[0] if isinstance(where, list) else where
    return text.split("|") if isinstance(text, str) else []


def _computed(config: Mapping[str, Any], text: str) -> int | None:
    """Value of `key`, `key + key` or `key * key` in a configuration, or None if a value is not an integer."""
    values: list[Any] = [config.get(name) for name in text.split()[::2]]
    if not all(type(value) is int for value in values):
        return None
    first, *rest = values
    return first if not rest else first + rest[0] if "+" in text else first * rest[0]


_PARTS = ("For", "Head", "Encoder", "Decoder", "Double")  # parts of architecture names


def _head(source: Source, config: Mapping[str, Any], family: Mapping[str, Any]) -> dict[str, str]:
    """Variables of the architecture's head. Raises FileError if the head is unknown."""
    named = config.get("architectures")
    known: Mapping[str, Any] = family["heads"]
    for one in named if isinstance(named, list) else ():
        ends = [end for end in known if str(one).endswith(end)]
        end = max(ends, key=len, default="")
        if not end or any(part in str(one).removesuffix(end) for part in _PARTS):
            help = f"known: {listed([f'..{head}' for head in known])}"
            raise _bad(source, f"has the architecture {brief(repr(one))}, whose head is unknown", help)
        return {
            name: str(_labels(source, config) if value == "LABELS" else value) for name, value in known[end].items()
        }
    return {}


def _labels(source: Source, config: Mapping[str, Any]) -> int:
    """Number of classes of a classifier, 2 by default."""
    names = config.get("id2label")
    count = len(names) if isinstance(names, dict) and names else config.get("num_labels", 2)
    if type(count) is not int or not 0 < count <= limits.SIZE:
        raise _bad(source, f"has `num_labels` {brief(repr(count))}, which is not a valid size", f"1 to {limits.SIZE:,}")
    return count


def _value(source: Source, config: Mapping[str, Any], name: str, where: Any) -> str:
    """Default of a variable, as text."""
    if isinstance(where, dict):
        return str(where["is"])
    key, default = where if isinstance(where, list) else (where, None)
    key = next((one for one in key.split("|") if config.get(one) is not None), key.partition("|")[0])
    value = config.get(key)
    if value is None:
        if default is None:
            raise _bad(source, f"has no `{key}`")
        return _activation(source, key, str(default)) if name == "act" else str(default)
    if name == "act":
        return _activation(source, key, value)
    if isinstance(value, bool):
        return str(int(value))
    if name == "rank" and value == "auto":
        return str(default)
    if type(value) is not int or not 0 <= value <= limits.SIZE:
        raise _bad(source, f"has `{key}` {brief(repr(value))}, which is not a valid size", f"0 to {limits.SIZE:,}")
    return str(value)


def _activation(source: Source, key: str, value: Any) -> str:
    word = value.removeprefix("gated-") if isinstance(value, str) else ""
    word = ACTIVATIONS.get(word, word)
    if word not in _KNOWN:
        raise _bad(
            source, f"has `{key}` {brief(repr(value))}, which is not a known activation", f"known: {listed(_KNOWN)}"
        )
    return word


def _gate(config: Mapping[str, Any], family: Mapping[str, Any]) -> dict[str, str]:
    """Whether the feed-forward network is gated, from `is_gated_act` or else from the name of its activation."""
    key = family.get("gated")
    if not key:
        return {}
    stated = config.get("is_gated_act")
    return {"gated": str(int(stated if type(stated) is bool else str(config.get(key)).startswith("gated-")))}


def _windows(source: Source, config: Any, family: Any, values: Mapping[str, str]) -> dict[str, str]:
    """Variables that say which layers have a sliding window, from `layer_types` if given."""
    flag, kinds = family.get("windows"), config.get("layer_types")
    _refuse_kinds(source, kinds, (_FULL, _SLIDING) if "window" in values else (_FULL,))
    if "window" not in values or values["window"] == "0" or (flag and not config.get(flag)):
        return {"window": "0"} if "window" in values else {}
    if not isinstance(kinds, list) or len(kinds) > limits.LAYERS:
        return {}
    sliding = [n for n, kind in enumerate(kinds) if kind == _SLIDING] or [len(kinds)]
    for end in (len(kinds), sliding[-1] + 1):
        every = _every([n for n in range(sliding[0], end) if kinds[n] == _FULL], sliding[0], end)
        if every is not None:
            return {"window_from": str(sliding[0]), "window_to": str(end), "full_every": str(every)}
    help = "supported: a window in a range of layers, in all of them or all but every n-th"
    raise _bad(source, "has `layer_types` in an unsupported pattern", help)


def _every(full: list[int], first: int, end: int) -> int | None:
    """The n such that exactly every n-th of these layers has no window; 0 if all have one; None if no n fits."""
    if not full:
        return 0
    every = full[1] - full[0] if len(full) > 1 else full[0] + 1
    return every if full == [n for n in range(first, end) if (n + 1) % every == 0] else None


def _refuse_kinds(source: Source, kinds: Any, known: tuple[str, ...]) -> None:
    """Raise FileError for layer types that the family does not have."""
    for kind in kinds if isinstance(kinds, list) else ():
        if kind not in known:
            raise _bad(source, f"has {brief(repr(kind))} among `layer_types`", f"known: {listed(known)}")


def _filled(name: str, values: Mapping[str, str], of: str, left: tuple[str, ...]) -> str:
    """Shipped config `name` with other defaults for its variables and without its published figures."""
    body = text(configs()[name]).partition("\npublished:")[0].rstrip() + "\n"
    for variable, value in values.items():
        plain, whole = rf"(?m)^(  {variable}: )[^{{\n]+$", rf"(?m)^(  {variable}: \{{default: )[^,}}\n]+"
        for pattern in (plain, whole):
            found = re.search(pattern, body)
            body = body[: found.end(1)] + value + body[found.end() :] if found else body
    lines = [line for line in body.splitlines() if not line.startswith("# yaml-language-server")]
    notes = "".join(f"# Not included: {one}\n" for one in left)
    return f"# Written by costcalc import hf: {brief(of)}\n{notes}" + "\n".join(lines) + "\n"
