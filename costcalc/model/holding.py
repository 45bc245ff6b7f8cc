"""Parameters of a layer that differ from its rule: shared with an earlier layer (`reuse`) or stated (`params`)."""

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
    """The parameters that a call states or shares, at one step of a trace."""

    def __init__(self, step: Step, x: Shape, scope: Scope, rows: list[Row]) -> None:
        self.step, self.call, self.x, self.scope, self.rows = step, step.body, x, scope, rows

    def of(self, layer: Layer, outer: str | None) -> tuple[Layer, str | None, int | None]:
        """(the layer with its own parameters only, the layer that it shares with or None, the row with those weights).

        `outer` is the layer that is run again here, which holds all the weights.

        Raises SpecError if the named layer does not have these weights, or a stated number is invalid.
        """
        if self.call.holds is not None:
            layer = layer._replace(params=self.given())
        layer, whose, table = self.shared(layer) if self.call.reuse else (layer, None, None)
        return layer, outer or whose, table

    def given(self) -> dict[str, Number]:
        """The stated numbers of parameters by kind."""
        env = seen(self.x, self.step, self.scope)
        return {kind: self.count(arg, env) for kind, arg in self.call.holds.items()}

    def count(self, arg: Arg, env: Mapping[str, Any]) -> Number:
        """Evaluate one stated number."""
        place = place_in(self.step, arg)
        try:
            return Count.bind(valued(arg, env, place))
        except Refused as error:
            raise refused("bad-value", f"`params`: {error.message}", place, error) from None
        except TypeError:
            raise error_at("bad-value", "`params` is a whole number, 0 or more", place) from None

    def shared(self, layer: Layer) -> tuple[Layer, str | None, int]:
        """The layer without weights; if it has no other parameters, also the name of the layer it shares with."""
        number = weighing(self.call.reuse, self.step, self.scope, self.rows)
        row, first = self.rows[number], holder_of(self.rows, number)
        table = self.rows[first].table
        table = first if table is None else table
        try:
            message = f"`{self.call.reuse}` holds {{}} weights, `{self.call.op}` needs {{}} here"
            need, held = layer.params.get("weight", 0), row.layer.params["weight"]
            require(equal(held, need), message, held, need)
        except Refused as error:
            help = "two layers can share weights if their numbers are equal; `params: 0` states that a layer holds none"
            error.help = error.help or help
            raise refused("bad-reuse", error.message, place_of(self.step), error) from None
        own = {kind: count for kind, count in layer.params.items() if kind != "weight"}
        if any(type(count) is not int or count for count in own.values()):
            return layer._replace(params={"weight": 0, **own}), None, table
        return layer, self.call.reuse, table


def holder_of(rows: Sequence[Row], number: int) -> int:
    """The row that holds the weights of a row: itself, unless it runs an earlier layer again."""
    holder = rows[number].holder
    return number if holder is None else holder


def weighing(name: str, step: Step, scope: Scope, rows: list[Row]) -> int:
    """The row that holds the weights of the named layer. Raises SpecError unless there is exactly one."""
    held = [number for number in range(*reusable(name, step, scope).rows) if _weighs(rows[number])]
    if len(held) == 1:
        return held[0]
    what = f"{len(held)} layers with weights: name one of them" if held else "no weights that can be shared"
    raise error_at("bad-reuse", f"`{name}` has {what}", place_of(step))


def _weighs(row: Row) -> bool:
    count = row.layer.params.get("weight", 0)
    return type(count) is not int or count > 0
