"""The layers of Keras that are activations."""

from __future__ import annotations

from ...model.network import Step
from ...num import prod
from .activations import activations
from .layer import Layer, axis_of
from .shapes import over


def activation_of(layer: Layer) -> Step:
    """A layer that is an activation by a name."""
    found = activations(layer, layer.config.get("activation"))
    return found[0] if found else layer.step("identity")


def relu(layer: Layer) -> Step:
    """ReLU, which may be cut off above or leak below."""
    if layer.get("negative_slope", 0):
        return layer.step("leaky_relu")
    return layer.step("relu6" if layer.get("max_value") == 6 else "relu")


def prelu(layer: Layer) -> Step:
    """PReLU: a slope a channel where the other axes share it, one for each value where none do."""
    shared, rank = layer.get("shared_axes", []), len(layer.shape)
    shared = {axis_of(axis, rank) for axis in (shared if isinstance(shared, list) else [shared])}
    if shared == set(range(rank - 1)):
        return layer.step("prelu")
    if not shared:
        return layer.group(layer.step("flatten"), layer.step("prelu"), layer.reshaped(layer.shape))
    if len(shared) == rank:
        return layer.step("prelu", shared=True)
    slopes = prod(size for at, size in enumerate(layer.shape) if at not in shared)
    return layer.group(layer.step("leaky_relu"), layer.step("opaque", label="slopes", mult_adds=0, params=slopes))


def softmax(layer: Layer) -> Step | None:
    """Softmax over the channels or another axis."""
    return over(layer, layer.get("axis", -1), layer.step("softmax"))
