"""Which parameters are one: those that are tied have their numbers in one place."""

from __future__ import annotations

import copy
from collections.abc import Hashable
from typing import Any


def storage(value: Any) -> Hashable:
    """What tells the numbers of a tensor from those of others."""
    try:
        return value.untyped_storage()._cdata, value.storage_offset(), value.numel()
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):  # the last of one without a size yet
        return id(value)


def copied(torch: Any, module: Any) -> Any:
    """A copy of a module, its parameters and buffers without memory; those that were tied still are."""
    memo: dict[int, Any] = {}
    for value in (*module.parameters(), *module.buffers()):
        if torch.nn.parameter.is_lazy(value):  # its size is found at the first call
            memo[id(value)] = _lazy(torch, value)
        elif type(value) is torch.nn.Parameter:
            memo[id(value)] = torch.nn.Parameter(value.detach().to("meta"), requires_grad=value.requires_grad)
        elif type(value) is torch.Tensor:
            memo[id(value)] = value.detach().to("meta")
    for value in _computed(torch, module):
        memo[id(value)] = value.detach().to("meta")
    made = copy.deepcopy(module, memo)
    _tie_all(made, _tied(module))
    return made


def _lazy(torch: Any, value: Any) -> Any:
    """A parameter or buffer that has no size yet, either."""
    kind, given = type(value), {"device": "meta", "dtype": value.data.dtype}
    return kind(requires_grad=value.requires_grad, **given) if isinstance(value, torch.nn.Parameter) else kind(**given)


def _computed(torch: Any, module: Any) -> list[Any]:
    """Tensors that modules have computed from parameters and keep, as the weight of `torch.nn.utils.weight_norm`."""
    kept = (value for one in module.modules() for value in vars(one).values())
    return [value for value in kept if isinstance(value, torch.Tensor) and value.grad_fn is not None]


def on_meta(module: Any) -> Any:
    """The module without memory for its numbers; parameters that were tied still are, which `Module.to` undoes."""
    tied = _tied(module)
    module = module.to("meta")
    _tie_all(module, tied)
    return module


def _tied(module: Any) -> list[list[tuple[str, Any]]]:
    """The parameters of a module, (name, value), those that have their numbers in one place together."""
    found: dict[Hashable, list[tuple[str, Any]]] = {}
    for name, value in module.named_parameters(remove_duplicate=False):
        found.setdefault(storage(value), []).append((name, value))
    return list(found.values())


def _tie_all(module: Any, tied: list[list[tuple[str, Any]]]) -> None:
    for (first, _), *others in tied:
        for name, before in others:
            _tie(module, first, name, before)


def _tie(module: Any, first: str, name: str, before: Any) -> None:
    """Give a parameter the numbers of the first one, in the shape that it had."""
    owner, _, leaf = name.rpartition(".")
    source = module.get_parameter(first)
    if source.shape != before.shape or source.stride() != before.stride():
        source = type(source)(source.data.as_strided(before.shape, before.stride()), requires_grad=before.requires_grad)
    module.get_submodule(owner)._parameters[leaf] = source
