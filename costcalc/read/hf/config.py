"""A `config.json` as a spec: the shipped config of its family, with the values of the configuration."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn

from ... import limits
from ...errors import FileError, Problem, Source, brief, listed, nearest
from ...files import configs, text

_ACTIVATIONS = {  # names of transformers that are not those of operations
    **dict.fromkeys(("gelu_new", "gelu_fast", "gelu_python", "gelu_pytorch_tanh", "quick_gelu"), "gelu"),
    "swish": "silu",
}
_KNOWN = ("relu", "gelu", "silu", "tanh", "mish", "sigmoid", "relu6", "leaky_relu", "elu", "selu")
_SLIDING, _FULL = "sliding_attention", "full_attention"


@lru_cache(1)
def families() -> dict[str, dict[str, Any]]:
    """The table of families, by `model_type`, each with what it extends."""
    import yaml

    with open(os.path.join(os.path.dirname(__file__), "families.yaml"), encoding="utf-8") as file:
        rows = yaml.safe_load(file)
    found: dict[str, dict[str, Any]] = {}
    for name, row in rows.items():
        base = found.get(row.get("extends"), {})
        found[name] = {**base, **row, "vars": {**base.get("vars", {}), **row["vars"]}}
    return found


def spec_of(source: Source) -> str:
    """The text of the spec that a configuration means. Raises FileError."""
    config = _parsed(source)
    kind = config.get("model_type")
    family = families().get(kind) if isinstance(kind, str) else None
    if family is None:
        help = nearest(str(kind), [*families()]) or f"known: {listed([*families()])}"
        raise _bad(source, f"has the `model_type` {brief(repr(kind))}, which is not known", help)
    _check(source, config, family)
    values = {name: _value(source, config, name, where) for name, where in family["vars"].items()}
    values.update(_gate(config, family), **_windows(source, config, family, values))
    return _filled(family["spec"], values, f"{kind}, {os.path.basename(source.path)}")


def _parsed(source: Source) -> dict[str, Any]:
    if sum(map(source.text.count, ",[{")) > limits.VALUES:
        message = f"{source.path!r} has more than {limits.VALUES:,} values"
        raise FileError(Problem("limit", message, help=limits.hint("values")))
    try:
        found = json.loads(source.text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _bad(source, f"is no JSON: {brief(str(error))}") from None
    if not isinstance(found, dict):
        raise _bad(source, "is no configuration: it is not a map")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _bad(source: Source, why: str, help: str | None = None) -> FileError:
    return FileError(Problem("bad-config", f"{source.path!r} {why}", help=help))


def _check(source: Source, config: Mapping[str, Any], family: Mapping[str, Any]) -> None:
    """Refuse a head or a setting that the spec of the family does not describe."""
    named = config.get("architectures")
    for one in named if isinstance(named, list) else []:
        if not str(one).endswith(tuple(family["heads"])):
            help = f"known: {listed([f'..{head}' for head in family['heads']])}"
            raise _bad(source, f"is of a {brief(repr(one))}, whose head is not known", help)
    for key, value in family.get("only", {}).items():
        if config.get(key, value) not in (value, None):
            raise _bad(source, f"has `{key}` {brief(repr(config[key]))}, of which only {value!r} is known")


def _value(source: Source, config: Mapping[str, Any], name: str, where: Any) -> str:
    """The text of a variable's default."""
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
        raise _bad(source, f"has `{key}` {brief(repr(value))}, which is no size", f"0 to {limits.SIZE:,}")
    return str(value)


def _activation(source: Source, key: str, value: Any) -> str:
    word = value.removeprefix("gated-") if isinstance(value, str) else ""
    word = _ACTIVATIONS.get(word, word)
    if word not in _KNOWN:
        raise _bad(source, f"has `{key}` {brief(repr(value))}, which is no activation", f"known: {listed(_KNOWN)}")
    return word


def _gate(config: Mapping[str, Any], family: Mapping[str, Any]) -> dict[str, str]:
    """Whether the feed-forward network is gated, where the name of its activation says so."""
    key = family.get("gated")
    return {"gated": str(int(str(config.get(key)).startswith("gated-")))} if key else {}


def _windows(source: Source, config: Any, family: Any, values: Mapping[str, str]) -> dict[str, str]:
    """Which layers have a sliding window: those that `layer_types` names, where it is given."""
    flag, kinds = family.get("windows"), config.get("layer_types")
    if "window" not in values or values["window"] == "0" or (flag and not config.get(flag)):
        return {"window": "0"} if "window" in values else {}
    if not isinstance(kinds, list) or len(kinds) > limits.LAYERS:
        return {}
    for first in range(len(kinds) + 1):
        for every in range(len(kinds) + 2):
            made = [_SLIDING if n >= first and (not every or (n + 1) % every) else _FULL for n in range(len(kinds))]
            if made == kinds:
                return {"window_from": str(first), "full_every": str(every)}
        if kinds[first : first + 1] != [_FULL]:
            break
    raise _bad(
        source, "has `layer_types` that follow no pattern", "known: a window from one layer on, in all but each n-th"
    )


def _filled(name: str, values: Mapping[str, str], of: str) -> str:
    """The shipped config of that name with other defaults of its variables, and without its published figures."""
    body = text(configs()[name]).partition("\npublished:")[0].rstrip() + "\n"
    for variable, value in values.items():
        plain, whole = rf"(?m)^(  {variable}: )[^{{\n]+$", rf"(?m)^(  {variable}: \{{default: )[^,}}\n]+"
        for pattern in (plain, whole):
            found = re.search(pattern, body)
            body = body[: found.end(1)] + value + body[found.end() :] if found else body
    lines = [line for line in body.splitlines() if not line.startswith("# yaml-language-server")]
    return f"# Written by costcalc import hf: {brief(of)}\n" + "\n".join(lines) + "\n"
