"""Rewrites of a model. Each reports what it changed, what it left unchanged, and why.

    standard(model)         depthwise separable convolutions -> standard ones
    separable(model, stem)  standard convolutions -> depthwise separable ones
    thin(model, alpha)      multiply every width by alpha
    fold(model)             fold batch norms into the layers beside them
    merge(model)            merge sums of linear branches into one convolution
    drop(model)             remove dropout, identities and layers with `only: train`

Each returns a `Rewritten`. The given model is not changed.
"""

from __future__ import annotations

from typing import Any

from ..errors import OptionError, Problem
from ..model.network import Model
from ..records import NamedTuple
from .walk import Rewritten, everywhere

__all__ = ["Rewritten", "drop", "fold", "merge", "separable", "standard", "thin"]


def standard(model: Model) -> Rewritten:
    """Replace each depthwise convolution followed by a 1x1 convolution with one dense convolution."""
    from .convolutions import Standard

    return Standard().run(model)


def separable(model: Model, stem: bool = False) -> Rewritten:
    """Replace each dense KxK convolution with a depthwise KxK and a 1x1 one; the first one only with `stem`."""
    from .convolutions import Separable

    return Separable(stem).run(model)


def thin(model: Model, alpha: Any) -> Rewritten:
    """Multiply every width by alpha, except the output's and those that depend on `classes`."""
    from .widths import Thin

    return Thin(alpha).run(model)


def drop(model: Model) -> Rewritten:
    """Remove dropout, identities, and layers that exist only in training."""
    from .deployed import Drop

    return Drop().run(model)


def merge(model: Model) -> Rewritten:
    """Merge each sum of parallel linear branches into one convolution."""
    from .deployed import Merge

    return Merge().run(model)


def fold(model: Model) -> Rewritten:
    """Fold each batch norm next to a layer with weights into that layer."""
    from .deployed import Fold

    return Fold().run(model)


_HELP = {
    "standard": "it makes depthwise convolutions followed by a 1x1 convolution dense",
    "separable": "it splits dense convolutions with a kernel larger than 1x1; the first only with --stem",
    "thin": "it scales the widths that the spec gives as numbers",
    "drop": "it drops dropout, identities and layers with `only: train`",
    "merge": "it merges sums of parallel linear branches into one convolution",
    "fold": "it folds batch norms directly after a convolution or linear layer",
}

_WHOLE = {"standard": standard, "drop": drop, "merge": merge, "fold": fold}


class Rewriting(NamedTuple):
    """Rewrites to apply, in this order.

    conv (standard or separable, with `stem`), thin (alpha), drop, merge, fold
    """

    conv: str | None = None
    stem: bool = False
    thin: float | None = None
    fold: bool = False
    merge: bool = False
    drop: bool = False

    @property
    def parts(self) -> list[str]:
        """Names of the rewrites to apply."""
        thin = ["thin"] if self.thin is not None else []
        flags = [part for part in ("drop", "merge", "fold") if getattr(self, part)]
        return [*([self.conv] if self.conv else []), *thin, *flags]

    @property
    def title(self) -> str:
        """Title of the rewritten design."""
        words = {"thin": f"thin {self.thin}", "fold": "folded", "merge": "merged", "drop": "deployed"}
        return ", ".join(words.get(part, part) for part in self.parts)

    @property
    def help(self) -> str:
        """What the rewrites look for."""
        return "; ".join(_HELP[part] for part in self.parts)

    def apply(self, model: Model) -> Rewritten:
        """Apply the rewrites. Raises OptionError if the spec has a variable for the same purpose."""
        if self.thin is not None and "alpha" in model.variables:
            help = f"write --at alpha={self.thin}"
            raise OptionError(Problem("usage", f"{model.name} has its own width multiplier", help=help))
        done = Rewritten(model, frozenset(), {}, {})
        for part in self.parts:
            done = _after(done, self._one(part, done.model))
        return done

    def _one(self, part: str, model: Model) -> Rewritten:
        if part == "separable":
            return separable(model, self.stem)
        return thin(model, self.thin) if part == "thin" else _WHOLE[part](model)


def _after(first: Rewritten, second: Rewritten) -> Rewritten:
    """Combine two consecutive rewrites."""
    home = {spot: second.home.get(place, place) for spot, place in first.home.items()}
    left = {**first.left, **second.left}
    return Rewritten(second.model, first.changed | second.changed, left, {**second.home, **home})


PHASES = ("train", "deploy")
_DEPLOYED = "phase deploy: no dropout, linear branches merged, batch norms folded"


def phased(model: Model, phase: str) -> Model:
    """The network as trained or as deployed. Raises OptionError for any other phase."""
    if phase not in PHASES:
        raise OptionError(Problem("bad-value", f"there is no phase `{phase}`", help="it is train or deploy"))
    if phase == "train":
        return model._replace(phase="train", about="phase train")
    done = Rewriting(drop=True, merge=True, fold=True).apply(model)
    left = f"; {len(done.left)} left as they are (`costcalc compare --drop --merge --fold` gives the reasons)"
    return done.model._replace(about=_DEPLOYED + (left if done.left else ""))


def phase_text(model: Model) -> str:
    """Phase that the figures are for, if one was chosen or the spec has layers of only one phase; otherwise empty."""
    marked = any(step.only is not None for step in everywhere(model.steps))
    return model.about or (f"phase {model.phase}" if marked else "")
