"""Sets of settings of a unit: split them, and join them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...num.arrays import Varies
from ...records import NamedTuple


class Part(NamedTuple):
    """Some settings of a unit: fixed words, the choices that are read, and indices into their grid.

    share  fraction of all settings of the unit
    """

    fixed: Mapping[str, Any]
    read: tuple[str, ...]
    places: Any
    share: float = 1.0


def pieces(part: Part, most: int) -> list[Part]:
    """Split the settings into pieces of at most `most`."""
    count = max(len(part.places), 1)
    places = [part.places[start : start + most] for start in range(0, count, most)]
    return [part._replace(places=one, share=part.share * len(one) / count) for one in places]


def by_value(part: Part, varies: Varies) -> dict[Any, Part]:
    """Split the settings by the value that the structure depends on: a `repeat` count or a condition."""
    keys = np.broadcast_to(varies.points.array, part.places.shape).ravel()
    shares = [(key.item(), keys == key, float(np.mean(keys == key))) for key in np.unique(keys)]
    return {key: part._replace(places=part.places[here], share=part.share * share) for key, here, share in shares}


def together(parts: Sequence[Part]) -> Part:
    """Join the settings of parts that are otherwise equal."""
    return parts[0]._replace(
        places=np.concatenate([one.places for one in parts]), share=sum(one.share for one in parts)
    )
