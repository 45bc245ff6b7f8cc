"""What the figures of many settings leave out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...allowance import OutOfTime
from ...errors import CostcalcError
from ...metrics.gaps import kinds, uncounted
from ...model.trace import trace
from ...model.variables import typical

if TYPE_CHECKING:
    from ...metrics.metrics import Metric
    from ...model.network import Model

SETTINGS = 24  # that are tried


def uncounted_in(
    model: Model, metrics: Sequence[Metric], varied: Mapping[str, Sequence[Any]], given: Mapping[str, Any] | None = None
) -> list[Mapping[str, Any]]:
    """The work that the price lists of some metrics count 0 for, in settings of a network.

    The settings are the defaults with `given`, and the ends of what varies, one variable at a time.
    """
    found: list[dict[str, Any]] = []
    for values in islice(_settings(model, varied, given or {}), SETTINGS):
        try:
            found += uncounted(trace(model, typical(model, values)).rows, metrics)
        except OutOfTime:
            raise
        except CostcalcError:  # the network cannot be there
            continue
    return kinds(found)


def _settings(model: Model, varied: Mapping[str, Sequence[Any]], given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    axes = {name: values for name, values in varied.items() if name in model.variables and len(values)}
    first = {**given, **{name: _plain(values[0]) for name, values in axes.items()}}
    yield first
    yield {**given}
    for name, values in axes.items():
        ends = [values[-1]] if _is_number(values[0]) else values[1:]
        yield from ({**first, name: _plain(value)} for value in ends)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _is_number(value: Any) -> bool:
    return isinstance(_plain(value), (int, float)) and not isinstance(_plain(value), bool)
