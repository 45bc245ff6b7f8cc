"""Results of checks: one verdict per limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Place, Problem
from ..records import NamedTuple
from .config import Check, Exemption, Limit
from .loosening import Loosened

if TYPE_CHECKING:
    from .exempting import Stale

PASS, CROSSED, WORSE, OVER, ALREADY, GREW, SKIPPED = "pass", "crossed", "worse", "over", "already", "grew", "skipped"
EXCEPTED = "excepted"
FAILING = frozenset((CROSSED, WORSE, OVER, GREW))
SAYS = {
    PASS: "within",
    CROSSED: "this change crosses the limit",
    WORSE: "already over, and this change makes it worse",
    OVER: "over the limit",
    ALREADY: "already over, and not made worse",
    GREW: "this change adds more than allowed",
    SKIPPED: "new: there is nothing to compare with",
    EXCEPTED: "allowed by an exception, for this change",
}


class Cause(NamedTuple):
    """The layer that contributes most to an excess: its place, the change, the amount."""

    place: Place
    what: str
    amount: int


class Verdict(NamedTuple):
    """A judged limit. `allowed` is the limit as a number; `layer` is its layer, empty for the whole network.

    For a glob, the verdict is that of the worst layer; `furthest` is the amount that would suit all layers.
    """

    limit: Limit
    status: str
    now: Any = None
    base: Any = None
    allowed: Any = None
    layer: str = ""
    others: int = 0  # further layers that break it
    cause: Cause | None = None
    furthest: Any = None
    exemption: Exemption | None = None  # the exception for this change, even if it does not allow enough

    @property
    def is_share(self) -> bool:
        """Whether the amounts are shares of a total: 0.1 means 10 %."""
        return self.limit.kind != "vs_base" and self.limit.bound.unit == "%"

    @property
    def excess(self) -> Any:
        """The amount beyond the limit."""
        return self.now - self.allowed if self.limit.kind != "min" else self.allowed - self.now


class Base(NamedTuple):
    """Base of a comparison: a revision as given by the user, its commit, and the name of the spec there."""

    revision: str
    commit: str
    name: str | None  # None for a new spec


class Shown(NamedTuple):
    """A metric of a spec that is shown beside the limits, now and at the base; a lower bound if not complete."""

    metric: str
    now: Any
    base: Any = None  # None without a base
    complete: bool = True
    base_complete: bool = True


class Outcome(NamedTuple):
    """One spec in one setting against the limits of one check. It could not be judged if it has problems."""

    check: Check
    spec: str
    settings: Mapping[str, Any]
    verdicts: tuple[Verdict, ...] = ()
    base: Base | None = None
    problems: tuple[Problem, ...] = ()
    shipped: bool = False  # whether the spec is a shipped config
    origin: str = ""  # shipped configs that were read and storage of tensors, as text
    shown: tuple[Shown, ...] = ()  # requested metrics, judged or not
    uncounted: Sequence[Mapping[str, Any]] = ()  # work that the convention counts 0 for
    escaped: tuple[tuple[Limit, str], ...] = ()  # limits on layers that had other names at the base, and those names

    @property
    def title(self) -> str:
        """The spec and its setting: `models/mobilenet.yaml alpha=0.75`."""
        return " ".join((self.spec, *(f"{name}={value}" for name, value in self.settings.items())))

    @property
    def failing(self) -> tuple[Verdict, ...]:
        """Verdicts that break a limit."""
        return tuple(one for one in self.verdicts if one.status in FAILING)

    @property
    def state(self) -> str:
        """error (could not be judged), fail, warn or pass."""
        if self.problems:
            return "error"
        if self.failing:
            return "warn" if self.check.level == "warn" else "fail"
        return "warn" if any(one.status == ALREADY for one in self.verdicts) else "pass"


class Checked(NamedTuple):
    """A finished run: its outcomes, the base of the comparison, and the deleted specs."""

    outcomes: list[Outcome]
    base: str
    deleted: tuple[str, ...] = ()
    root: str = "."  # directory that paths are relative to in review tools
    loosened: tuple[Loosened, ...] = ()  # limits that are less strict than at the base
    locked: bool = False  # whether those fail
    stale: tuple[Stale, ...] = ()  # exceptions that no longer apply
