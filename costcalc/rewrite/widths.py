"""Multiply every width of a network by alpha: a width multiplier for a spec without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..model.expr import Expr
from ..model.network import Block, BlockCall, Call, Group, Include, Step, names_of
from ..num import floor, maximum, minimum
from ..ops import find
from .walk import Facts, Walk, everywhere, held, is_relative, spot, within

LEAST = 8  # channels, as in the published code of MobileNet V1


class Thin(Walk):
    """Every width times alpha. MobileNets (arXiv:1704.04861), section 3.3.

    A width that follows from what flows in is thin already; one that a block gets as an argument is thinned where it
    is given, so that conditions on it stay true. The layer whose output is the network's keeps its width, as does
    every width that reads `classes`.
    """

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.wide: dict = {}

    def arguments(self, block: Block, row: Mapping[str, int | str | Expr], facts: Facts) -> dict[str, int | str | Expr]:
        """The arguments of a call, those thinned that are widths inside the block."""
        wide = self.widths(block, facts.final)
        return {param: self.scaled(arg, facts) if param in wide else arg for param, arg in row.items()}

    def block(self, block: Any, facts: Facts) -> Block | Include:
        """A block whose defaults are thin as well; one that follows from another parameter is so by itself."""
        done = super().block(block, facts)
        if type(block) is Include:
            return done
        wide = self.widths(block, facts.final) & block.defaults.keys()
        thin = {param: self.scaled(block.defaults[param], facts) for param in wide}
        return done._replace(defaults={**block.defaults, **thin}) if thin else done

    def known(self, block: Block | Include, row: Mapping[str, int | str | Expr], facts: Facts) -> Facts:
        """Widths that came in as arguments count as following from the input: they are thin."""
        found = super().known(block, row, facts)
        if type(block) is Include:
            return found
        wide, thin = self.widths(block, facts.final), set()
        found = found._replace(relative=found.relative | wide)
        for param in sorted(wide):
            arg, where = (row[param], facts) if param in row else (block.defaults.get(param), found)
            if _stays(arg, where) is None or _reads(arg, where.thin):
                thin.add(param)
        return found._replace(thin=frozenset(thin))

    def each(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        """A layer, its own widths thinned."""
        if type(step.body) is not Call:
            return (step,)
        options = dict(step.body.options)
        for name in _width_options(step.body):
            reason = held(step) if step.body.holds is not None else None
            reason = reason or ("it makes the network's output" if facts.final else _stays(options[name], facts))
            if reason is None:
                options[name] = self.thinned(options[name])
            if reason is None or (not reason and _reads(options[name], facts.thin)):
                self.changed.add(spot(step))
            elif reason:
                self.left[spot(step)] = reason
        return (step._replace(body=step.body._replace(options=options)),)

    def last(self, steps: tuple[Step, ...]) -> Any:
        """The last step of a list that has a width in it."""
        return next((step for step in reversed(steps) if _has_width(step)), None)

    def widths(self, block: Any, final: bool) -> frozenset[str]:
        """The parameters of a block that are widths: they stand alone as one, here or in a block called here.

        Where the network's output comes from the block, the width of that is none of them.
        """
        if id(block) not in self.wide:
            self.wide[id(block)] = frozenset()  # blocks do not call themselves
            self.wide[id(block)] = frozenset(self._named(block.steps)) & set(block.params)
        return self.wide[id(block)] - self.kept(block.steps) if final else self.wide[id(block)]

    def kept(self, steps: tuple[Step, ...]) -> frozenset[str]:
        """The names that the width of a list's output reads."""
        step = self.last(steps)
        if step is None or step.residual is not None:
            return frozenset()
        body = step.body
        if type(body) is Call:
            return frozenset().union(*(_names(body.options[name]) for name in _width_options(body)))
        if type(body) is Group:
            return self.kept(body.steps)
        if type(body) is BlockCall:
            (*_, (_, row)), inner = body.rows, self.kept(body.block.steps)
            return frozenset().union(*(_names(row[param]) for param in inner & row.keys()))
        return frozenset()

    def _named(self, steps: tuple[Step, ...]) -> Iterator[str]:
        for step in within(steps):
            if type(step.body) is Call:
                for name in _width_options(step.body):
                    yield from _names(step.body.options[name])
            elif type(step.body) is BlockCall:
                wide = self.widths(step.body.block, False)
                for _, row in step.body.rows:
                    for param in wide & row.keys():
                        yield from _names(row[param])

    def scaled(self, arg: Any, facts: Facts) -> int | Expr:
        """An argument or default thinned, unless it stays."""
        return self.thinned(arg) if _stays(arg, facts) is None else arg

    def thinned(self, arg: int | Expr) -> int | Expr:
        """A width times alpha, in whole channels; at least 8 if there were 8 or more."""
        if type(arg) is tuple:
            return (*arg[:-1], self.thinned(arg[-1]))
        if type(arg) is not Expr:
            return self._times(arg)
        text = f"max(floor({self.alpha} * ({arg.text})), {LEAST})"
        return Expr(text, arg.names, lambda env: self._times(arg.value(env)), arg.steps, arg.depth, arg.at)

    def _times(self, width: Any) -> int:
        return maximum(floor(self.alpha * width), minimum(width, LEAST))


def _width_options(call: Call) -> list[str]:
    options = find(call.op).options
    if call.op == "opaque":
        return []
    kinds = ((name, options[name].kind.name) for name in call.options)
    return [name for name, kind in kinds if kind in ("width", "shape")]


def _stays(arg: Any, facts: Facts) -> str | None:
    """Why a width is not thinned: a reason, or "" if none is needed; None if it is thinned."""
    last = arg[-1] if type(arg) is tuple else arg
    if type(last) is Expr and "classes" in last.names:
        return "it has one output a class"
    return "" if last is None or is_relative(last, facts) else None


def _names(arg: int | Expr | tuple[Expr, ...]) -> list[str]:
    last = arg[-1] if type(arg) is tuple else arg
    return [last.text] if type(last) is Expr else []


def _reads(arg: Any, names: frozenset[str]) -> bool:
    return bool(names_of(arg) & names)


def _has_width(step: Step) -> bool:
    return any(type(one.body) is Call and _width_options(one.body) for one in everywhere((step,)))
