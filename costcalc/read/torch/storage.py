"""Which parameters are one: those that are tied have their numbers in one place."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


def storage(value: Any) -> Hashable:
    """What tells the numbers of a tensor from those of others."""
    try:
        return value.untyped_storage()._cdata, value.storage_offset(), value.numel()
    except (AttributeError, NotImplementedError, RuntimeError):
        return id(value)


def on_meta(module: Any) -> Any:
    """The module without memory for its numbers; parameters that were tied still are, which `Module.to` undoes."""
    tied: dict[Hashable, list] = {}
    for name, value in module.named_parameters(remove_duplicate=False):
        tied.setdefault(storage(value), []).append((name, value))
    module = module.to("meta")
    for (first, _), *others in tied.values():
        for name, before in others:
            _tie(module, first, name, before)
    return module


def _tie(module: Any, first: str, name: str, before: Any) -> None:
    """Give a parameter the numbers of the first one, in the shape that it had."""
    owner, _, leaf = name.rpartition(".")
    source = module.get_parameter(first)
    if source.shape != before.shape or source.stride() != before.stride():
        source = type(source)(source.data.as_strided(before.shape, before.stride()), requires_grad=before.requires_grad)
    module.get_submodule(owner)._parameters[leaf] = source
