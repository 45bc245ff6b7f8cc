"""Create models without weights; the reader calls `build` like a user's callable."""

from importlib import import_module


def import_vision() -> None:
    """Import torchvision, even if its compiled library does not match the PyTorch version.

    It declares two missing operators; models that use them cannot be executed.
    """
    import torch

    try:
        import torchvision
    except RuntimeError:
        import_vision.kept = torch.library.Library("torchvision", "FRAGMENT")  # a collected library is undone
        import_vision.kept.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import_vision.kept.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision  # noqa: F401


def build(library: str, name: str):
    """The module `name` of a library, with arbitrary weights, on the default device."""
    import_vision()
    return import_module(f"tests.models.{library}").build(name)


def entries(library: str) -> list:
    """The models of a library to try."""
    import_vision()
    import_module(library)
    return import_module(f"tests.models.{library}").ENTRIES


def drawn(library: str, seed: int) -> list:
    """Random models of a library that are not on its list."""
    import_vision()
    import_module(library)
    return import_module(f"tests.models.{library}").others(seed)
