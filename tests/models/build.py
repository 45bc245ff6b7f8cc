"""Makes the models, without weights; the reader calls `build` as it would call what a user names."""

from importlib import import_module


def import_vision() -> None:
    """Import torchvision, beside a PyTorch too that its compiled library was not built for.

    Two operators are declared there that it asks for; models that run them cannot be executed so.
    """
    import torch

    try:
        import torchvision
    except RuntimeError:
        import_vision.kept = torch.library.Library("torchvision", "FRAGMENT")  # what is collected is taken back
        import_vision.kept.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import_vision.kept.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision  # noqa: F401


def build(library: str, name: str):
    """The module called `name` of a library, its weights made up (or on the device that is the default)."""
    import_vision()
    return import_module(f"tests.models.{library}").build(name)


def entries(library: str) -> list:
    """The models of a library that are tried."""
    import_vision()
    import_module(library)
    return import_module(f"tests.models.{library}").ENTRIES


def drawn(library: str, seed: int) -> list:
    """Models of a library that are not on its list."""
    import_vision()
    import_module(library)
    return import_module(f"tests.models.{library}").others(seed)
