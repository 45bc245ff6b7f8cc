"""How much one walk through a network may do: layers, steps that make none, and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import limits
from ..allowance import look
from .binding import at, error_at, place_of

if TYPE_CHECKING:
    from ..errors import Place, SpecError
    from .network import Step


EVERY = 16  # layers or steps between two looks at the clock


class Work:
    """What a walk has done so far. `most` bounds its layers and, apart from those, its steps."""

    def __init__(self, most: Any = None) -> None:
        self.most = limits.LAYERS if most is None else most
        self.depth = self.steps = 0

    def deeper(self, step: Step) -> None:
        """Note that layers nest one level deeper. Raises SpecError at a step that nests too deep."""
        self.depth += 1
        if self.depth > limits.NESTING:
            message = f"layers nest at most {limits.NESTING} deep, those of blocks counted"
            raise at(step, "limit", message, limits.hint("nesting"))

    def walk(self, step: Step) -> None:
        """Count a step. Raises SpecError when it is one too many, or too late."""
        self.refuse_more(1, step)
        self.steps += 1
        if not self.steps % EVERY:
            self.look(0, place_of(step))

    def refuse_more(self, steps: int, step: Step) -> None:
        """Raise SpecError if so many steps more are too many."""
        if self.steps + steps > self.most:
            raise self._too_many(place_of(step))

    def look(self, layers: int, place: Place) -> None:
        """Raise SpecError if there are too many layers, or the time is over."""
        if layers > self.most:
            raise self._too_many(place)
        look(place)

    def _too_many(self, place: Place) -> SpecError:
        message = f"more than {self.most:,} layers after repeats and blocks are expanded"
        return error_at("limit", message, place, limits.hint("layers"))
