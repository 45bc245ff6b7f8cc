"""Activations of Keras by their names."""

from ...ops import INDEX

_NAMES = {
    "hard_sigmoid": "hsigmoid",
    "hard_swish": "hswish",
    "hard_silu": "hswish",
    "exponential": "exp",
    "leaky_relu": "leaky_relu",
    "log_softmax": "log_softmax",
    "hard_tanh": "hardtanh",
}
_PASSES = (None, "linear")


def named(given):
    """The name of an activation, which may be a word or a configuration."""
    while isinstance(given, dict):
        inner = given.get("config")
        given = inner if isinstance(inner, str) else (inner or {}).get("name") or given.get("class_name")
    return given


def activations(layer, given):
    """The steps of an activation: none for `linear`; one that is not known is a step marked unknown."""
    name = named(given)
    if name in _PASSES:
        return ()
    op = _NAMES.get(name, name)
    if not isinstance(op, str) or INDEX.get(op) != "pointwise":
        return (layer.step("opaque", label=f"activation {name}"),)
    return (layer.step(op),)


def activation_of(layer):
    """A layer that is an activation by a name."""
    found = activations(layer, layer.config.get("activation"))
    return found[0] if found else layer.step("identity")


def relu(layer):
    """ReLU, which may be cut off above or leak below."""
    if layer.get("negative_slope", 0):
        return layer.step("leaky_relu")
    return layer.step("relu6" if layer.get("max_value") == 6 else "relu")


def prelu(layer):
    """PReLU: a slope a channel where the other axes share it."""
    return layer.step("prelu") if layer.get("shared_axes") else None


def softmax(layer):
    """Softmax over the channels."""
    return layer.step("softmax") if layer.get("axis", -1) in (-1, [-1]) else None
