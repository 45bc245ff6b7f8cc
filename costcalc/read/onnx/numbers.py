"""Whose numbers are counted where: each parameter in full, at the first step that reads anything made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...num.polynomials import Dim
from ...records import NamedTuple
from .tensors import Tensor, is_empty

WEIGHT, RUNNING = "weight", "running"


class Holder(NamedTuple):
    """The first step that holds numbers of an initializer: its place in the list of steps, the kind, its name."""

    step: int
    kind: str
    name: str


class Numbers:
    """The numbers of each initializer: how many there are, how many no step holds yet, and the first that holds any.

    vectors     those with one axis at most that is not 1, as a bias
    literals    constants of the code: counted where a layer holds them as weights, nowhere else
    unnamed     constants that an exporter made: counted where a rule holds them
    statistics  running statistics of norms, which are not trained
    settings    scales of quantization, bounds, sizes: read, but no parameters
    """

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.left: dict[str, int] = {}
        self.holders: dict[str, Holder] = {}
        self.vectors: set[str] = set()
        self.literals: set[str] = set()
        self.unnamed: set[str] = set()
        self.statistics: set[str] = set()
        self.settings: set[str] = set()

    def keep(self, tensor: Tensor, least: int = 0) -> None:
        """Note the numbers of a stored tensor, or that there are more of them than its elements."""
        for root in tensor.roots or ():
            known = self.sizes.get(root, tensor.size)
            self.sizes[root] = max(known, least)
            self.left[root] = max(self.left.get(root, known), least)
            if sum(size != 1 for size in tensor.shape or ()) < 2:
                self.vectors.add(root)

    def literal(self, tensor: Tensor) -> None:
        """Note a constant of the code."""
        self.keep(tensor)
        self.literals |= tensor.roots or frozenset()

    def are_learned(self, tensor: Tensor) -> bool:
        """Whether a constant may hold trained numbers."""
        return bool(tensor.roots) and self.literals.isdisjoint(tensor.roots or ())

    def counted(self, holds: Mapping[str, Any], step: int, name: str) -> tuple[dict[str, int], str | None]:
        """Numbers by kind, without those that earlier steps hold; and the name of that step if it holds all."""
        counted, shared = {}, None
        for kind, tensor in holds.items():
            found = 0
            for root in (tensor.roots or ()) if tensor is not None else ():
                taken = self.taken(root, tensor.size)
                holder = self.holders.setdefault(root, Holder(step, kind, name))
                shared = shared if taken or tensor.size == 0 or holder.step == step else holder.name
                found += taken
            counted[kind] = found
        return counted, None if any(counted.values()) else shared

    def taken(self, root: str, size: int) -> int:
        """How many of an initializer's numbers a tensor made of it holds, of those that are left."""
        taken = self.left[root] if isinstance(size, Dim) else min(self.left[root], size)
        self.left[root] -= taken
        return taken

    def unheld(self, tensors: Iterable[Tensor | None]) -> list[str]:
        """The parameters in these tensors that no step holds yet."""
        found = [root for one in tensors if one is not None and one.roots and not is_empty(one) for root in one.roots]
        holders, others, made = self.holders, self.literals, self.unnamed
        return [root for root in dict.fromkeys(found) if not (root in holders or root in others or root in made)]

    def rest(self, roots: Iterable[str], step: int, name: str) -> dict[str, int]:
        """All numbers of parameters that no step holds yet, by kind, for a step that reads them."""
        counted: dict[str, int] = {}
        for root in roots:
            kind = RUNNING if root in self.statistics else WEIGHT
            self.holders[root] = Holder(step, kind, name)
            counted[kind] = counted.get(kind, 0) + self.taken(root, self.sizes[root])
        return counted

    def parts(self) -> list[tuple[Holder, int]]:
        """What is left of parameters of which only parts were held, for the steps that held first."""
        found = [(holder, self.left[root]) for root, holder in self.holders.items() if self.left[root]]
        self.left.update(dict.fromkeys(self.holders, 0))
        return found

    def parameters(self) -> dict[str, int]:
        """All parameters and how many numbers each has: what is trained, and literals that a layer holds."""
        others = self.literals | self.settings | self.unnamed | self.statistics
        held = {root for root, holder in self.holders.items() if holder.kind != RUNNING}
        return {
            root: size
            for root, size in self.sizes.items()
            if root in held or (root not in others and root not in self.holders)
        }

    def state(self) -> tuple[dict, dict]:
        """What `restore` takes to forget what was held since."""
        return dict(self.left), dict(self.holders)

    def restore(self, state: tuple[dict, dict]) -> None:
        """Forget what was held since `state`."""
        self.left, self.holders = map(dict, state)
