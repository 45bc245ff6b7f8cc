"""Tensors by their names, in a graph and in those around it."""

from .tensors import Tensor


class Scope:
    """Tensors by name, those of the graph around it too."""

    def __init__(self, parent: "Scope | None" = None) -> None:
        self.own: dict[str, Tensor] = {}
        self.parent = parent

    def find(self, name: str) -> Tensor | None:
        """The tensor of that name, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.own:
                return scope.own[name]
            scope = scope.parent
        return None
