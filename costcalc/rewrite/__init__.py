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

from typing import Any

from ..errors import OptionError, Problem
from ..model.network import Model
from ..records import NamedTuple
from .walk import Rewritten, everywhere

__all__ = ["Rewritten", "drop", "fold", "merge", "separable", "standard", "thin"]


def standard(model: Model) -> Rewritten:
    """Every depthwise convolution followed by a 1x1 one as one dense convolution."""
    from .convolutions import Standard

    return Standard().run(model)


def separable(model: Model, stem: bool = False) -> Rewritten:
    """Every dense KxK convolution as a depthwise KxK one and a 1x1 one; the first only with `stem`."""
    from .convolutions import Separable

    return Separable(stem).run(model)


def thin(model: Model, alpha: Any) -> Rewritten:
    """Every width times alpha, except that of the output and those of classes."""
    from .widths import Thin

    return Thin(alpha).run(model)


def drop(model: Model) -> Rewritten:
    """The network without dropout, identities, and layers that only training has."""
    from .deployed import Drop

    return Drop().run(model)


def merge(model: Model) -> Rewritten:
    """Every sum of parallel linear branches as one convolution."""
    from .deployed import Merge

    return Merge().run(model)


def fold(model: Model) -> Rewritten:
    """Every batch normalisation right after a layer with weights folded into it."""
    from .deployed import Fold

    return Fold().run(model)


_HELP = {
    "standard": "it makes depthwise convolutions followed by a 1x1 convolution dense",
    "separable": "it splits dense convolutions with a kernel larger than 1x1; the first only with --stem",
    "thin": "it scales the widths that the spec gives as numbers",
    "drop": "it drops dropout, identities and layers with `only: train`",
    "merge": "it merges sums of parallel linear branches into one convolution",
    "fold": "it folds batch norms that stand right after a convolution or linear layer",
}

_WHOLE = {"standard": standard, "drop": drop, "merge": merge, "fold": fold}


class Rewriting(NamedTuple):
    """How to rewrite a design, in this order.

    conv (standard or separable; `stem` with it), thin (alpha), drop, merge, fold
    """

    conv: str | None = None
    stem: bool = False
    thin: float | None = None
    fold: bool = False
    merge: bool = False
    drop: bool = False

    @property
    def parts(self) -> list[str]:
        """The single rewrites it consists of."""
        thin = ["thin"] if self.thin is not None else []
        flags = [part for part in ("drop", "merge", "fold") if getattr(self, part)]
        return [*([self.conv] if self.conv else []), *thin, *flags]

    @property
    def title(self) -> str:
        """The title of the rewritten design."""
        words = {"thin": f"thin {self.thin}", "fold": "folded", "merge": "merged", "drop": "deployed"}
        return ", ".join(words.get(part, part) for part in self.parts)

    @property
    def help(self) -> str:
        """What it looks for."""
        return "; ".join(_HELP[part] for part in self.parts)

    def apply(self, model: Model) -> Rewritten:
        """The Rewritten of a model. Raises OptionError if the spec has a variable for it."""
        if self.thin is not None and "alpha" in model.variables:
            help = f"write --at alpha={self.thin}"
            raise OptionError(Problem("usage", f"{model.name} has a width multiplier of its own", help=help))
        done = Rewritten(model, frozenset(), {}, {})
        for part in self.parts:
            done = _after(done, self._one(part, done.model))
        return done

    def _one(self, part: str, model: Model) -> Rewritten:
        if part == "separable":
            return separable(model, self.stem)
        return thin(model, self.thin) if part == "thin" else _WHOLE[part](model)


def _after(first: Rewritten, second: Rewritten) -> Rewritten:
    """Two rewrites combined."""
    home = {spot: second.home.get(place, place) for spot, place in first.home.items()}
    left = {**first.left, **second.left}
    return Rewritten(second.model, first.changed | second.changed, left, {**second.home, **home})


PHASES = ("train", "deploy")
_DEPLOYED = "phase deploy: no dropout, linear branches merged, batch norms folded"


def phased(model: Model, phase: str) -> Model:
    """The network as it is trained, or as it is deployed. Raises OptionError for another phase."""
    if phase not in PHASES:
        raise OptionError(Problem("bad-value", f"there is no phase `{phase}`", help="it is train or deploy"))
    if phase == "train":
        return model._replace(phase="train", about="phase train")
    done = Rewriting(drop=True, merge=True, fold=True).apply(model)
    left = f"; {len(done.left)} left as they are (`costcalc compare --drop --merge --fold` says why)"
    return done.model._replace(about=_DEPLOYED + (left if done.left else ""))


def phase_text(model: Model) -> str:
    """The phase that numbers are of, where a spec has layers of one phase only or a phase was chosen; else nothing."""
    marked = any(step.only is not None for step in everywhere(model.steps))
    return model.about or (f"phase {model.phase}" if marked else "")
