"""Keras layers that pad, crop, resize and reorder."""

from __future__ import annotations

from ...model.network import Step
from ...num import equal, prod
from .layer import UNKNOWN, Layer, axis_of


def zeros(layer: Layer) -> Step:
    """ZeroPadding1D, 2D, 3D."""
    given = layer.get("padding", 1)
    return layer.step("pad", padding=[given] if len(layer.shape) == 2 and isinstance(given, list) else given)


def cropping(layer: Layer) -> Step:
    """Cropping1D, 2D, 3D."""
    given, grid = layer.get("cropping", 0), layer.shape[:-1]
    given = [given] if len(grid) == 1 and isinstance(given, list) else given
    pairs = given if isinstance(given, list) else [given] * len(grid)
    pairs = [pair if isinstance(pair, list) else [pair, pair] for pair in pairs]
    return layer.group(*(_cut(layer, at, pair) for at, pair in enumerate(zip(grid, pairs, strict=True))))


def _cut(layer: Layer, at: int, given: tuple[int, list[int]]) -> Step:
    size, (before, after) = given
    return layer.step("slice", size=size - (before + after), start=before, axis=at)


def window(layer: Layer) -> Step | None:
    """CenterCrop, RandomCrop: a crop of the grid, or a resize if the grid is smaller."""
    *grid, _ = layer.shape
    size = [layer.config["height"], layer.config["width"]]
    if any(type(one) is not int for one in (*size, *grid)) or len(grid) != 2:
        return UNKNOWN
    if any(one < least for one, least in zip(grid, size, strict=True)):
        return layer.step("upsample", to=size, method="bilinear")
    return layer.group(*(layer.step("slice", size=one, axis=at) for at, one in enumerate(size)))


def upsampling(layer: Layer) -> Step | None:
    """UpSampling1D, 2D, 3D."""
    method = layer.get("interpolation", "nearest")
    if method not in ("nearest", "bilinear"):
        return UNKNOWN
    return layer.step("upsample", scale=layer.get("size", 2), method=method)


def resizing(layer: Layer) -> Step | None:
    """Resizing."""
    method = layer.get("interpolation", "bilinear")
    if method not in ("nearest", "bilinear"):
        return UNKNOWN
    return layer.step("upsample", to=[layer.config["height"], layer.config["width"]], method=method)


def reshape(layer: Layer) -> Step | None:
    """Reshape. One size may be -1."""
    return filled(layer, layer.config["target_shape"])


def filled(layer: Layer, target: list) -> Step | None:
    """Step that reshapes the values. One size of the target may be -1."""
    count = prod(layer.shape)
    if len(target) == 1 and target[0] == -1:
        return layer.step("flatten")
    if -1 in target:
        others = prod(size for size in target if size != -1)
        if not equal(count % others, 0):
            return UNKNOWN
        target = [count // others if size == -1 else size for size in target]
    return layer.reshaped(tuple(target))


def permute(layer: Layer) -> Step:
    """Permute. Its axes count from 1, after the batch."""
    return layer.step("permute", order=[axis - 1 for axis in layer.config["dims"]])


def along(layer: Layer, axis: int, *steps: Step) -> Step:
    """Apply steps, which work on the last axis, to another axis."""
    rank = len(layer.shape)
    if axis == rank - 1:
        return layer.group(*steps) if len(steps) > 1 else steps[0]
    order = [at if at not in (axis, rank - 1) else axis + rank - 1 - at for at in range(rank)]
    turn = layer.step("permute", order=order)
    return layer.group(turn, *steps, turn)


def over(layer: Layer, axes: object, *steps: Step) -> Step | None:
    """Apply steps, which work on the last axis, to the axes of a Keras layer: one axis, or several trailing ones."""
    rank = len(layer.shape)
    found = sorted(axis_of(axis, rank) for axis in (axes if isinstance(axes, list) else [axes]))
    if len(found) == 1:
        return along(layer, found[0], *steps)
    if found != list(range(rank - len(found), rank)):
        return UNKNOWN
    merged = layer.reshaped((*layer.shape[: found[0]], prod(layer.shape[found[0] :])))
    return layer.group(merged, *steps, layer.reshaped(layer.shape))


def encoded(layer: Layer) -> Step:
    """CategoryEncoding: a vector with one number per category."""
    return _vectors(layer, layer.get("output_mode", "multi_hot"), layer.config["num_tokens"])


def _vectors(layer: Layer, mode: str, count: int) -> Step:
    """Step that makes a vector of `count` numbers for each value, or for all values of the last axis."""
    *outer, last = layer.shape
    kept = layer.shape if mode == "one_hot" and not equal(last, 1) else outer
    return layer.made((*kept, count), "category encoding")


def categories(layer: Layer) -> Step | None:
    """Discretization, Hashing and look-ups: integers, or vectors if the configuration states their length."""
    mode, bounds = layer.get("output_mode", "int"), layer.get("bin_boundaries")
    if mode == "int":
        return layer.step("identity")
    count = layer.get("num_bins") if bounds is None else len(bounds) + 1
    return UNKNOWN if count is None or mode == "tf_idf" else _vectors(layer, mode, count)


def mel(layer: Layer) -> Step | None:
    """MelSpectrogram: a spectrum without mult-adds, and the product with a filter matrix that is not trained."""
    if len(layer.shape) != 1:
        return UNKNOWN
    stride, bins = layer.config["sequence_stride"], layer.get("fft_length", 2048) // 2 + 1
    frames, filters = (layer.shape[0] + stride + 1) // stride, layer.config["num_mel_bins"]
    product = frames * bins * filters
    return layer.step("opaque", label="mel spectrogram", out=[filters, frames], mult_adds=product, params=0)
