"""Type names of values: a number may be of any domain, and so may each size of a shape."""

from typing import Any, TypeAlias

Number: TypeAlias = Any  # an int or float, points of a sweep, or a symbol: rules and walks take them alike
Shape: TypeAlias = tuple[Number, ...]  # the sizes of a tensor per sample, channels last
