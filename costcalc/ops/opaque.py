"""The operation for layers that the spec language cannot express."""

from .base import Layer, op
from .kinds import Amount, Label, Shape


@op("opaque", label=lambda detail: f"opaque: {detail['label']}")
def opaque(
    x: Shape, label: Label, *, out: Shape = None, mult_adds: Amount = "unknown", params: Amount = "unknown"
) -> Layer:
    """A layer that the spec language cannot express, with its shape and cost stated by the author.

    x -> `out`, by default the shape of the input. A cost that is not given is unknown, and totals print as lower
    bounds (`>=`).

    Example: {opaque: deformable convolution, out: [14, 14, 256], mult_adds: 4000000, params: 590000}
    """
    given = {"mult_adds": mult_adds, "params": params}
    return Layer(
        shape=x if out is None else out,
        params={} if type(params) is str else {"weight": params},
        terms={} if type(mult_adds) is str else {"mac": mult_adds},
        detail={"label": label},
        unknown=tuple(name for name, value in given.items() if type(value) is str),
    )
