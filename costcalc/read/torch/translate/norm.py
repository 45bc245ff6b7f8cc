"""Normalisations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..node import shape
from . import translates

if TYPE_CHECKING:
    from ..node import Node


def filled(node: Node, value: Any) -> Any:
    """A tensor, or zeros for each channel where there is none."""
    return value if value is not None else [0.0] * shape(node["input"])[1]


@translates(
    "batch_norm",
    "native_batch_norm",
    "cudnn_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
)
def batch_norm(node: Node) -> None:
    """Batch normalisation, with or without scale, shift and running statistics."""
    names = ("weight", "bias", "running_mean", "running_var")
    node.call("BatchNormalization", node["input"], *(filled(node, node.get(name)) for name in names))


@translates("layer_norm", "native_layer_norm")
def layer_norm(node: Node) -> None:
    """Layer normalisation over the last axes."""
    axis = -len(node["normalized_shape"])
    node.call("LayerNormalization", node["input"], node["weight"], node["bias"], axis=axis)


@translates("rms_norm", "_fused_rms_norm")
def rms_norm(node: Node) -> None:
    """Normalisation by the root mean square of the last axes."""
    node.call("RMSNormalization", node["input"], node["weight"], axis=-len(node["normalized_shape"]))


@translates("group_norm")
def group_norm(node: Node) -> None:
    """Normalisation of groups of channels."""
    node.call("GroupNormalization", node["input"], node["weight"], node["bias"], num_groups=node["num_groups"])


@translates("native_group_norm")
def native_group_norm(node: Node) -> None:
    """Normalisation of groups of channels, with its statistics."""
    node.call("GroupNormalization", node["input"], node["weight"], node["bias"], num_groups=node["group"])


@translates("instance_norm")
def instance_norm(node: Node) -> None:
    """Normalisation of each channel of a sample."""
    node.call("InstanceNormalization", node["input"], node["weight"], node["bias"])


@translates("local_response_norm")
def lrn(node: Node) -> None:
    """Local response normalisation across channels."""
    node.call("LRN", node["input"], size=node["size"])
