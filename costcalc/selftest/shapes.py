"""The sizes of a tensor, as the loops see them."""

from typing import Any, TypeAlias

Shape: TypeAlias = tuple[Any, ...]  # the sizes of a tensor per sample, channels last
