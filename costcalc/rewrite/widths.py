"""Multiply every width of a network by alpha: a width multiplier for specs without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..model.expr import Expr
from ..model.network import Block, BlockCall, Call, Group, Include, Step, names_of
from ..num import floor, maximum, minimum
from ..ops import find
from .walk import Facts, Walk, everywhere, held, is_relative, spot, within

LEAST = 8  # minimum number of channels, as in the published code of MobileNet V1


class Thin(Walk):
    """Multiply every width by alpha. MobileNets (arXiv:1704.04861), section 3.3.

    Widths that depend on the input's shape need no change. A width passed to a block is multiplied in the call, so that
    conditions on it remain valid. The layer that produces the network's output keeps its width, and so does every width
    that depends on `classes`.
    """

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.wide: dict = {}

    def arguments(self, block: Block, row: Mapping[str, int | str | Expr], facts: Facts) -> dict[str, int | str | Expr]:
        """Arguments of a call, with those multiplied that are widths inside the block."""
        wide = self.widths(block, facts.final)
        return {param: self.scaled(arg, facts) if param in wide else arg for param, arg in row.items()}

    def block(self, block: Any, facts: Facts) -> Block | Include:
        """Rewrite a block and its defaults. Defaults that depend on another parameter need no change."""
        done = super().block(block, facts)
        if type(block) is Include:
            return done
        wide = self.widths(block, facts.final) & block.defaults.keys()
        thin = {param: self.scaled(block.defaults[param], facts) for param in wide}
        return done._replace(defaults={**block.defaults, **thin}) if thin else done

    def known(self, block: Block | Include, row: Mapping[str, int | str | Expr], facts: Facts) -> Facts:
        """Facts about a call. Widths passed as arguments count as relative, because they are already multiplied."""
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
        """Multiply the widths of a layer."""
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
        """The last step of a list that has a width."""
        return next((step for step in reversed(steps) if _has_width(step)), None)

    def widths(self, block: Any, final: bool) -> frozenset[str]:
        """Parameters of a block that are used as a width, in the block or in a block that it calls.

        If the block produces the network's output, parameters of the output's width are excluded.
        """
        if id(block) not in self.wide:
            self.wide[id(block)] = frozenset()  # blocks are not recursive
            self.wide[id(block)] = frozenset(self._named(block.steps)) & set(block.params)
        return self.wide[id(block)] - self.kept(block.steps) if final else self.wide[id(block)]

    def kept(self, steps: tuple[Step, ...]) -> frozenset[str]:
        """Names that the width of a list's output depends on."""
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
        """Multiply an argument or default, unless it stays."""
        return self.thinned(arg) if _stays(arg, facts) is None else arg

    def thinned(self, arg: int | Expr) -> int | Expr:
        """Width times alpha, rounded down; at least 8 if it was 8 or more."""
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
    """Reason why a width is not multiplied, "" if no reason needs to be reported, or None if it is multiplied."""
    last = arg[-1] if type(arg) is tuple else arg
    if type(last) is Expr and "classes" in last.names:
        return "it has one output per class"
    return "" if last is None or is_relative(last, facts) else None


def _names(arg: int | Expr | tuple[Expr, ...]) -> list[str]:
    last = arg[-1] if type(arg) is tuple else arg
    return [last.text] if type(last) is Expr else []


def _reads(arg: Any, names: frozenset[str]) -> bool:
    return bool(names_of(arg) & names)


def _has_width(step: Step) -> bool:
    return any(type(one.body) is Call and _width_options(one.body) for one in everywhere((step,)))
