"""Hierarchical names of nodes: `/layer1/layer1.0/conv1/Conv` becomes `layer1/0/conv1`, like the module it came from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Sequence
from typing import Any

LEVELS, LETTERS = 20, 100  # limits on a name; longer ones are truncated


def levels(proto: Any, weight: str | None = None) -> tuple[str, ...]:
    """Components of a node's name, from the exporter's scopes, the node's name, or the name of its weights."""
    scopes = _scopes(proto)
    leaf = proto.op_type or "node"
    if scopes:
        return relative([*scopes, leaf])
    parts = [part for part in proto.name.split("/") if part]
    if len(parts) > 1:
        return relative([*parts[:-1], leaf if _is_plain(parts[-1], leaf) else parts[-1]])
    if weight and "." in weight and not weight.startswith(("onnx::", ".")) and "/" not in weight:
        return relative([*weight.split(".")[:-1], leaf])
    return relative([*parts, leaf][:1])


def _scopes(proto: Any) -> list[Any]:
    """Modules in the metadata of the newer PyTorch exporter: `['', 'features', 'features.0', 'conv2d']`."""
    for entry in getattr(proto, "metadata_props", ()):
        if entry.key == "pkg.torch.onnx.name_scopes":
            found = re.findall(r"'([^']*)'", entry.value[:2_000])
            return [part for part in found[:-1] if part]
    return []


def _is_plain(name: str, op: str) -> bool:
    """Whether a name only states the operator, such as `Conv_3`."""
    return name == op or (name.startswith(f"{op}_") and name[len(op) + 1 :].isdecimal())


def relative(parts: list[str]) -> tuple[str, ...]:
    """Remove from each component the prefix of those before it, and truncate long names."""
    found, before = [], ""
    for part in parts:
        own = part.removeprefix(f"{before}.") if before else part
        if own and part != before:
            found.append(own if len(own) <= LETTERS else own[: LETTERS - 2] + "..")
            before = part
    if len(found) > LEVELS:
        found = [*found[: LEVELS - 1], found[-1]]
    return tuple(found) or ("node",)


def shortened(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Drop the last component of each path that is unique without it.

    `conv1/Conv` becomes `conv1`; `block/Add` and `block/conv/Conv` become `block/Add` and `block/conv`.
    """
    inside = Counter(path[:end] for path in paths for end in range(len(path)))
    return [path[:-1] if len(path) > 1 and inside[path[:-1]] == 1 else path for path in paths]


def apart(paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rename repeated paths whose numbered names would collide with another path.

    With two nodes `Add` and one `Add_2`, the two become `Add_`, and are then numbered `Add__1` and `Add__2`.
    """
    levels = {path[:end] for path in paths for end in range(1, len(path))}
    counts = Counter((*paths, *levels))
    renamed = {path: _unlike(path, count, counts) for path, count in counts.items() if count > 1}
    return [renamed.get(path, path) for path in paths]


def _unlike(path: tuple[str, ...], count: int, known: Container[tuple[str, ...]]) -> tuple[str, ...]:
    """Append `_` to a path until none of its `count` numbered names is known."""
    *above, base = path
    while any((*above, f"{base}_{number}") in known for number in range(1, count + 1)):
        base = f"{base}_"
    return (*above, base)
