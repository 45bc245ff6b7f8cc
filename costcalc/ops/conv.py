"""Convolutions of any rank. Shapes are per sample, channels last: (*grid, channels)."""

from collections.abc import Mapping

from ..num import equal, floor_div, prod, require
from ..num.values import Number, Shape
from .base import Layer, op
from .kinds import Flag, Kernel, Padding, PerAxis, Size, Steps, Width
from .window import each, grid_of, slide, span_text, unslide


def _label(detail: Mapping[str, int | Shape]) -> str:
    grouped = " grouped" if detail["groups"] != 1 else ""
    return f"conv {span_text(detail['kernel'])}{grouped}"


@op("conv", label=_label)
def conv(
    x: Shape,
    kernel: Kernel,
    *,
    out: Width,
    stride: Steps = 1,
    padding: Padding = "same",
    dilation: Steps = 1,
    groups: Size = 1,
    bias: Flag = True,
) -> Layer:
    """Convolution of any rank.

    (*grid, M) -> (*grid', N). Mult-adds: DK*DK*(M/groups)*N at every output position; padding values
    are counted too. MobileNets (arXiv:1704.04861) section 3.1; torch.nn.Conv2d.

    Example: {conv: 3x3, out: 64, stride: 2}
    """
    *space, channels = x
    grid_of(space)
    require(equal(channels % groups, 0), "{} channels do not split into {} groups", channels, groups, option="groups")
    require(equal(out % groups, 0), "{} outputs do not split into {} groups", out, groups, option="groups")
    window, steps = each(kernel, space, "the kernel"), each(stride, space, "stride")
    grid = slide(space, window, steps, padding, each(dilation, space, "dilation"))
    weight = out * floor_div(channels, groups) * prod(window)
    return _layer(grid, out, weight, weight * prod(grid), bias, window, steps, groups)


@op("dwconv", label=lambda detail: f"conv dw {span_text(detail['kernel'])}")
def dwconv(
    x: Shape,
    kernel: Kernel,
    *,
    multiplier: Size = 1,
    stride: Steps = 1,
    padding: Padding = "same",
    dilation: Steps = 1,
    bias: Flag = True,
) -> Layer:
    """Depthwise convolution: each channel is filtered separately, with `multiplier` filters per channel.

    (*grid, M) -> (*grid', M * multiplier). Mult-adds: DK*DK*M*multiplier at every output position.
    MobileNets (arXiv:1704.04861) section 3.1, equation 3; keras.layers.DepthwiseConv2D.

    Example: {dwconv: 3x3, stride: 2}
    """
    *space, channels = x
    grid_of(space)
    window, steps = each(kernel, space, "the kernel"), each(stride, space, "stride")
    grid = slide(space, window, steps, padding, each(dilation, space, "dilation"))
    out = channels * multiplier
    weight = out * prod(window)
    return _layer(grid, out, weight, weight * prod(grid), bias, window, steps, channels)


@op("conv_transpose", label=lambda detail: _label(detail).replace("conv", "conv transposed", 1))
def conv_transpose(
    x: Shape,
    kernel: Kernel,
    *,
    out: Width,
    stride: Steps = 1,
    padding: Padding = "same",
    output_padding: PerAxis = 0,
    dilation: Steps = 1,
    groups: Size = 1,
    bias: Flag = True,
) -> Layer:
    """Transposed convolution: every input value is scattered through the kernel.

    (*grid, M) -> (*grid', N). Mult-adds: DK*DK*(N/groups)*M at every INPUT position: a 4x4 kernel with
    stride 2 over 28x28x64 to 32 channels takes 28*28*64*32*4*4, independent of the output grid. Values in
    the cropped margin are computed, so they count. torch.nn.ConvTranspose2d; `padding: same` is
    keras.layers.Conv2DTranspose. The quantity `mac_on_output` is the count on the output grid that some
    other tools report.

    Example: {conv_transpose: 4x4, out: 32, stride: 2, padding: 1}
    """
    *space, channels = x
    grid_of(space)
    require(equal(channels % groups, 0), "{} channels do not split into {} groups", channels, groups, option="groups")
    require(equal(out % groups, 0), "{} outputs do not split into {} groups", out, groups, option="groups")
    window, steps = each(kernel, space, "the kernel"), each(stride, space, "stride")
    spread, extra = each(dilation, space, "dilation"), each(output_padding, space, "output_padding")
    grid = unslide(space, window, steps, padding, spread, extra)
    weight = channels * floor_div(out, groups) * prod(window)
    layer = _layer(grid, out, weight, weight * prod(space), bias, window, steps, groups)
    return layer._replace(terms={**layer.terms, "mac_on_output": weight * prod(grid)})


def _layer(
    grid: Shape,
    out: Number,
    weight: Number,
    mac: Number,
    bias: bool,
    window: tuple[int, ...],
    stride: Shape,
    groups: Number,
) -> Layer:
    return Layer(
        shape=(*grid, out),
        params={"weight": weight, "bias": out if bias else 0},
        terms={"mac": mac, "bias": out * prod(grid) if bias else 0},
        detail={"kernel": window, "stride": stride, "groups": groups},
    )
