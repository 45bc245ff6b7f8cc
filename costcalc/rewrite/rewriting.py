"""Applies rewrites in sequence, and maps layers of the result to those of the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import OptionError, Problem
from ..records import NamedTuple
from . import Rewritten, drop, fold, merge, separable, standard, thin

if TYPE_CHECKING:
    from ..model.network import Model


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
