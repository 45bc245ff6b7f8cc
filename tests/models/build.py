"""Makes the models, without weights; the reader calls `build` as it would call what a user names."""

import sys
from importlib import import_module


def declare_vision_operators() -> None:
    """Make torchvision importable beside a PyTorch that its compiled library was not built for.

    Two operators have to be declared before; models that run them cannot be executed so. Does nothing where
    torchvision loads without.
    """
    import torch

    if "torchvision" in sys.modules or getattr(declare_vision_operators, "kept", None):
        return
    if hasattr(torch.ops.torchvision, "nms"):
        return
    found = torch.library.Library("torchvision", "FRAGMENT")
    found.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    found.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    declare_vision_operators.kept = found  # it is taken back when it is collected


def build(library: str, name: str):
    """The module called `name` of a library, its weights made up (or on the device that is the default)."""
    declare_vision_operators()
    return import_module(f"tests.models.{library}").build(name)


def entries(library: str) -> list:
    """The models of a library that are tried."""
    declare_vision_operators()
    import_module(library)
    return import_module(f"tests.models.{library}").ENTRIES
