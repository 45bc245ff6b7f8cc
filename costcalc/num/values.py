"""Type aliases of values. A number, and each size of a shape, may be of any domain."""

from typing import Any, TypeAlias

Number: TypeAlias = Any  # an int or float, points of a sweep, or a symbol
Shape: TypeAlias = tuple[Number, ...]  # the sizes of a tensor per sample, channels last
