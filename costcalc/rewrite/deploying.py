"""The two phases of a network: as it is trained, and as it is deployed."""

from __future__ import annotations

from ..errors import OptionError, Problem
from ..model.network import Model
from .rewriting import Rewriting
from .steps import everywhere

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
