"""Rewrites of a model, with what was changed, what was left alone, and why.

    standard(model)         depthwise separable convolutions -> standard ones
    separable(model, stem)  standard convolutions -> depthwise separable ones
    thin(model, alpha)      every width times alpha
    fold(model)             batch norm into the convolution before it
    merge(model)            sums of linear branches -> one convolution
    drop(model)             without dropout, identities and what is `only: train`

Each gives a `Rewritten`. The given model is not changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .walk import Rewritten

if TYPE_CHECKING:
    from ..model.network import Model


__all__ = ["Rewritten", "drop", "fold", "merge", "separable", "standard", "thin"]


def standard(model: Model) -> Rewritten:
    """Every depthwise convolution followed by a 1x1 one as one dense convolution."""
    from .dense import Standard

    return Standard().run(model)


def separable(model: Model, stem: bool = False) -> Rewritten:
    """Every dense KxK convolution as a depthwise KxK one and a 1x1 one; the first only with `stem`."""
    from .split import Separable

    return Separable(stem).run(model)


def thin(model: Model, alpha: Any) -> Rewritten:
    """Every width times alpha, except that of the output and those of classes."""
    from .widths import Thin

    return Thin(alpha).run(model)


def drop(model: Model) -> Rewritten:
    """The network without dropout, identities, and layers that only training has."""
    from .phases import Drop

    return Drop().run(model)


def merge(model: Model) -> Rewritten:
    """Every sum of parallel linear branches as one convolution."""
    from .branches import Merge

    return Merge().run(model)


def fold(model: Model) -> Rewritten:
    """Every batch normalisation right after a layer with weights folded into it."""
    from .norms import Fold

    return Fold().run(model)
