"""Pooling and resizing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..node import shape
from . import translates
from .multiply import batched, each, window

if TYPE_CHECKING:
    from ..node import Node


@translates(
    *(f"{kind}_pool{rank}d" for kind in ("max", "avg") for rank in (1, 2, 3)),
    *(f"max_pool{rank}d_with_indices" for rank in (1, 2, 3)),
)
def pool(node: Node) -> None:
    """Pooling over a sliding window. The stride defaults to the kernel size."""
    x = node.tensors[0]
    rank = int(node.base.partition("_pool")[2][0])
    kernel = each(node["kernel_size"], rank)
    node.given["stride"] = node["stride"] or kernel
    op = "MaxPool" if node.base.startswith("max") else "AveragePool"
    window_ = window(node, rank, node["padding"])
    batched(node, op, rank, x, kernel_shape=kernel, ceil_mode=int(node["ceil_mode"]), **window_)


@translates(
    *(f"{prefix}adaptive_{kind}_pool{n}d" for prefix in ("", "_") for kind in ("max", "avg") for n in (1, 2, 3))
)
def adaptive(node: Node) -> None:
    """Pooling to a grid of a given size."""
    x, kind = node.tensors[0], "max" if "max" in node.base else "avg"
    rank = int(node.base[-2])
    size = shape(x)[: len(shape(x)) - rank], node.shapes[0][-rank:]
    if all(one == 1 for one in size[1]) and not node.many:
        batched(node, "GlobalMaxPool" if kind == "max" else "GlobalAveragePool", rank, x)
    else:
        node.own("adaptive", x, kind=kind, rank=rank)


@translates(
    *("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "upsample_linear1d", "upsample_bilinear2d"),
    *("upsample_trilinear3d", "upsample_bicubic2d", "_upsample_nearest_exact1d", "_upsample_nearest_exact2d"),
    *("_upsample_nearest_exact3d", "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa"),
)
def upsample(node: Node) -> None:
    """Resize of the grid."""
    mode = "nearest" if "nearest" in node.base else "linear"
    node.call("Resize", node.tensors[0], None, None, node.shapes[0], mode=mode)


@translates("pixel_shuffle", "pixel_unshuffle")
def shuffle(node: Node) -> None:
    """Pixel shuffle and its inverse."""
    factor = node.get("upscale_factor") or node.get("downscale_factor")
    node.call("DepthToSpace" if node.base == "pixel_shuffle" else "SpaceToDepth", node["self"], blocksize=factor)
