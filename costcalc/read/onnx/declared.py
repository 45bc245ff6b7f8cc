"""What a file itself says of tensors: taken where an operator is not known."""

from __future__ import annotations

from typing import Any

from .tensors import Tensor


class Declared:
    """The declared types of tensors by name, and of their elements; `axes` are variables by the names of axes."""

    def __init__(self) -> None:
        self.types: dict[Any, Any] = {}
        self.axes: dict[Any, Any] = {}
        self.kinds: dict[str, int] = {}

    def note(self, infos: Any) -> None:
        """Note the declarations of a graph."""
        for info in infos:
            name, kind = info.name, info.type
            self.types[name], self.kinds[name] = kind, kind.tensor_type.elem_type

    def note_kinds(self, infos: Any) -> None:
        """Note the types of the elements alone."""
        for info in infos:
            self.kinds[info.name] = info.type.tensor_type.elem_type

    def tensor(self, name: str, first: bool = False) -> Tensor:
        """A tensor of the shape that it is said to have; a grid has its channels where they were."""
        kind = self.types.get(name)
        if kind is None or not kind.tensor_type.HasField("shape"):
            return Tensor(None)
        sizes = tuple(self.size(dim) for dim in kind.tensor_type.shape.dim)
        return Tensor(None) if None in sizes else Tensor(sizes, first=first and len(sizes) > 2)

    def size(self, dim: Any) -> Any:
        """A size: a number, or an axis that has a name already."""
        if dim.dim_param:
            return self.axes.get(dim.dim_param)
        return dim.dim_value if dim.HasField("dim_value") and dim.dim_value >= 0 else None
