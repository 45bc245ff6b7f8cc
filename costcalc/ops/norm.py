"""Normalisations. They keep the shape; the trainable scale and shift are `gamma` and `beta`."""

from typing import Any

from ..num import equal, prod, require
from ..num.values import Number
from .base import Layer, op
from .kinds import Flag, Shape, Size


@op("batchnorm")
def batchnorm(x: Shape, *, scale: Flag = True, shift: Flag = True) -> Layer:
    """Batch normalisation with stored statistics: two trainable and two other parameters per channel.

    (*grid, C) -> the same. torch.nn.BatchNorm2d; keras.layers.BatchNormalization.

    Example: then: [batchnorm, relu]
    """
    layer = _normalized(x, x[-1], scale, shift)
    return layer._replace(params={**layer.params, "running": 2 * x[-1]})


@op("layernorm", empty=True)
def layernorm(x: Shape, *, scale: Flag = True, shift: Flag = True) -> Layer:
    """Layer normalisation over the last axis. torch.nn.LayerNorm(C).

    (*positions, C) -> the same.

    Example: - layernorm
    """
    layer = _normalized(x, x[-1], scale, shift)
    return layer._replace(terms={**layer.terms, "normalize_rows": prod(x[:-1])})


@op("groupnorm")
def groupnorm(x: Shape, groups: Size, *, scale: Flag = True, shift: Flag = True) -> Layer:
    """Group normalisation: statistics over groups of channels. torch.nn.GroupNorm.

    (*grid, C) -> the same.

    Example: {groupnorm: 32}
    """
    require(equal(x[-1] % groups, 0), "{} channels do not split into {} groups", x[-1], groups, option="groups")
    layer = _normalized(x, x[-1], scale, shift)
    return layer._replace(detail={"groups": groups})


@op("instancenorm")
def instancenorm(x: Shape, *, scale: Flag = False, shift: Flag = False) -> Layer:
    """Instance normalisation: statistics of each channel of a sample. torch.nn.InstanceNorm2d.

    (*grid, C) -> the same.

    Example: - instancenorm
    """
    return _normalized(x, x[-1], scale, shift)


@op("rmsnorm", empty=True)
def rmsnorm(x: Shape, *, scale: Flag = True) -> Layer:
    """Root-mean-square normalisation over the last axis. torch.nn.RMSNorm; arXiv:1910.07467.

    (*positions, C) -> the same.

    Example: - rmsnorm
    """
    return _normalized(x, x[-1], scale, False)


@op("lrn")
def lrn(x: Shape, size: Size = 5) -> Layer:
    """Local response normalisation across `size` channels, without parameters. Krizhevsky et al. 2012, section 3.3.

    (*grid, C) -> the same.

    Example: - lrn
    """
    return Layer(shape=x, terms={"normalize": prod(x)})


def _normalized(x: Any, channels: Number, scale: bool, shift: bool) -> Layer:
    return Layer(
        shape=x,
        params={"gamma": channels if scale else 0, "beta": channels if shift else 0},
        terms={"normalize": prod(x), "affine": prod(x) if scale or shift else 0},
    )
