"""PyTorch's counts: parameters of a module, mult-adds of a forward pass, and the parameters that it reads."""

from math import prod
from typing import NamedTuple

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


class Due(NamedTuple):
    """The counts of a module for one sample.

    params     values in its parameters, each storage once, complex values as two
    mult_adds  half of what FlopCounterMode counts
    untouched  values in parameters that no operator of the forward pass reads
    """

    params: int
    mult_adds: int
    untouched: int


class _Seen(torch.utils._python_dispatch.TorchDispatchMode):
    """Records the storages passed to operators."""

    def __init__(self):
        super().__init__()
        self.storages = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for one in torch.utils._pytree.tree_leaves((args, kwargs or {})):
            if isinstance(one, torch.Tensor):
                self.storages.add(_storage(one))
        return func(*args, **(kwargs or {}))


def due(make, shapes) -> Due:
    """Count a model created by `make` in one run, on the meta device if possible."""
    try:
        return _due(make, shapes, "meta")
    except Exception:  # it reads its values
        return _due(make, shapes, "cpu")


def _due(make, shapes, device):
    torch.manual_seed(0)
    with torch.device(device):
        module = make().eval()
        inputs = [_input(sizes, kind) for sizes, kind in shapes]
        counter, seen = FlopCounterMode(display=False, custom_mapping=_by_hand()), _Seen()
        with sdpa_kernel(SDPBackend.MATH), seen, counter:
            module(*inputs)
    storages = {_storage(one): _numbers(one) for one in module.parameters()}
    untouched = sum(count for one, count in storages.items() if one not in seen.storages)
    return Due(sum(storages.values()), counter.get_total_flops() // 2, untouched)


def _input(sizes, kind):
    """Values that are also valid indices and masks."""
    if kind == "float32":
        return torch.rand(sizes)
    return torch.ones(sizes, dtype=getattr(torch, kind))


def _storage(tensor):
    try:
        return tensor.untyped_storage()._cdata
    except NotImplementedError:
        return id(tensor)


def _numbers(tensor):
    return tensor.numel() * (2 if tensor.is_complex() else 1)


def _by_hand():
    """FLOPs of operators without a formula in FlopCounterMode, from their shapes: two per mult-add."""
    aten = torch.ops.aten
    found = {
        aten.mv: lambda a, b, *rest, **given: 2 * a[0] * a[1],
        aten.addmv: lambda bias, a, b, *rest, **given: 2 * a[0] * a[1],
        aten.dot: lambda a, b, *rest, **given: 2 * a[0],
        aten.vdot: lambda a, b, *rest, **given: 2 * a[0],
        aten.addbmm: lambda bias, a, b, *rest, **given: 2 * a[0] * a[1] * a[2] * b[2],
        aten._grouped_mm: _grouped,
        aten._trilinear: lambda a, b, c, *rest, **given: 2 * a[0] * prod(b),  # rows, (out, in, in), rows
    }
    return found


def _grouped(a, b, *rest, **given):
    """Rows (rows, in) in groups, each multiplied by its own matrix (groups, in, out)."""
    if len(a) == 2 and len(b) == 3:
        return 2 * a[0] * a[1] * b[2]
    raise NotImplementedError(f"a grouped product of {a} and {b}")
