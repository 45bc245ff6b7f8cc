"""The weights of a layer: those of an earlier layer (`reuse`), or as many as its author states (`params`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Refused
from ..num import equal, require
from ..ops.kinds import Count
from .binding import error_at, place_in, place_of, refused, valued
from .references import reusable, seen
from .scope import Scope

if TYPE_CHECKING:
    from ..num.values import Number, Shape
    from ..ops.base import Layer
    from .network import Arg, Step
    from .rows import Row


class Held:
    """What a call of the spec says of the numbers of its layer, in one place of a walk."""

    def __init__(self, step: Step, x: Shape, scope: Scope, rows: list[Row]) -> None:
        self.step, self.call, self.x, self.scope, self.rows = step, step.body, x, scope, rows

    def of(self, layer: Layer, outer: str | None) -> tuple[Layer, str | None, int | None]:
        """(the layer with the numbers that are its own, the layer whose weights it reads or None, the row of those).

        `outer` is the layer that runs again here, which has all its weights.

        Raises SpecError where the layer that is named does not have the weights, or a number of them cannot be.
        """
        if self.call.holds is not None:
            layer = layer._replace(params=self.given())
        layer, whose, table = self.shared(layer) if self.call.reuse else (layer, None, None)
        return layer, outer or whose, table

    def given(self) -> dict[str, Number]:
        """The numbers by kind."""
        env = seen(self.x, self.step, self.scope)
        return {kind: self.count(arg, env) for kind, arg in self.call.holds.items()}

    def count(self, arg: Arg, env: Mapping[str, Any]) -> Number:
        """One of the numbers."""
        place = place_in(self.step, arg)
        try:
            return Count.bind(valued(arg, env, place))
        except Refused as error:
            raise refused("bad-value", f"`params`: {error.message}", place, error) from None
        except TypeError:
            raise error_at("bad-value", "`params` is a whole number, 0 or more", place) from None

    def shared(self, layer: Layer) -> tuple[Layer, str | None, int]:
        """The layer without weights of its own; where it has nothing else either, the row says whose it has."""
        number = weighing(self.call.reuse, self.step, self.scope, self.rows)
        row, first = self.rows[number], holder_of(self.rows, number)
        table = self.rows[first].table
        table = first if table is None else table
        try:
            message = f"`{self.call.reuse}` holds {{}} weights, `{self.call.op}` needs {{}} here"
            need, found = layer.params.get("weight", 0), row.layer.params["weight"]
            require(equal(found, need), message, found, need)
        except Refused as error:
            help = "two layers can share weights if they have as many; `params: 0` says that a layer holds none"
            error.help = error.help or help
            raise refused("bad-reuse", error.message, place_of(self.step), error) from None
        own = {kind: count for kind, count in layer.params.items() if kind != "weight"}
        if any(type(count) is not int or count for count in own.values()):
            return layer._replace(params={"weight": 0, **own}), None, table
        return layer, self.call.reuse, table


def holder_of(rows: Sequence[Row], number: int) -> int:
    """The number of the row that holds the weights of a row: its own, unless it runs an earlier layer again."""
    holder = rows[number].holder
    return number if holder is None else holder


def weighing(name: str, step: Step, scope: Scope, rows: list[Row]) -> int:
    """The number of the row that holds the weights of the layer of that name. Raises SpecError unless it is one."""
    held = [number for number in range(*reusable(name, step, scope).rows) if _weighs(rows[number])]
    if len(held) == 1:
        return held[0]
    what = f"{len(held)} layers with weights: name the one that is meant" if held else "no weights that can be shared"
    raise error_at("bad-reuse", f"`{name}` has {what}", place_of(step))


def _weighs(row: Row) -> bool:
    count = row.layer.params.get("weight", 0)
    return type(count) is not int or count > 0
