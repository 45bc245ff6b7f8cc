"""Every width of a network times alpha: the width multiplier for a spec that has none."""

from ..expr import Expr
from ..model import BlockCall, Call, Group, Include
from ..num import floor, maximum, minimum
from ..ops import find
from .steps import spot
from .walk import Walk, is_relative

LEAST = 8  # channels, as in the published code of MobileNet V1


class Thin(Walk):
    """Every width times alpha. MobileNets (arXiv:1704.04861), section 3.3.

    A width that follows from what flows in is thin already; one that a block gets as an argument is thinned where it
    is given, so that conditions on it stay true. The layer whose output is the network's keeps its width, as does
    every width that reads `classes`.
    """

    def __init__(self, alpha):
        super().__init__()
        self.alpha = alpha
        self.wide: dict = {}

    def arguments(self, block, row, facts):
        """The arguments of a call, those thinned that are widths inside the block."""
        row = dict(row)
        for param in self.widths(block):
            arg = row.get(param, block.defaults.get(param))
            if _stays(arg, facts) is None:
                row[param] = self.thinned(arg)
        return row

    def known(self, block, row, facts):
        """Widths that came in as arguments count as following from the input: they are thin."""
        found = super().known(block, row, facts)
        if type(block) is Include:
            return found
        return found._replace(relative=found.relative | self.widths(block))

    def each(self, step, facts):
        """A layer, its own widths thinned."""
        if type(step.body) is not Call:
            return (step,)
        options = dict(step.body.options)
        for name in _width_options(step.body):
            reason = "it makes the network's output" if facts.final else _stays(options[name], facts)
            if reason is None:
                options[name] = self.thinned(options[name])
                self.changed.add(spot(step))
            elif reason:
                self.left[spot(step)] = reason
        return (step._replace(body=step.body._replace(options=options)),)

    def last(self, steps):
        """The last step of a list that has a width in it."""
        return next((step for step in reversed(steps) if _has_width(step)), None)

    def widths(self, block):
        """The parameters of a block that are widths: they stand alone as one, here or in a block called here."""
        if id(block) not in self.wide:
            self.wide[id(block)] = frozenset()  # blocks do not call themselves
            self.wide[id(block)] = frozenset(self._named(block.steps)) & set(block.params)
        return self.wide[id(block)]

    def _named(self, steps):
        for step in _all(steps):
            if type(step.body) is Call:
                for name in _width_options(step.body):
                    yield from _names(step.body.options[name])
            elif type(step.body) is BlockCall:
                wide = self.widths(step.body.block)
                for _, row in step.body.rows:
                    for param in wide & row.keys():
                        yield from _names(row[param])

    def thinned(self, arg):
        """A width times alpha, in whole channels: 8 of them at least, where there were as many."""
        if type(arg) is tuple:
            return (*arg[:-1], self.thinned(arg[-1]))
        if type(arg) is not Expr:
            return self._times(arg)
        text = f"max(floor({self.alpha} * ({arg.text})), {LEAST})"
        return Expr(text, arg.names, lambda env: self._times(arg.value(env)), arg.steps, arg.depth, arg.at)

    def _times(self, width):
        return maximum(floor(self.alpha * width), minimum(width, LEAST))


def _width_options(call):
    options = find(call.op).options
    if call.op == "opaque":
        return []
    kinds = ((name, options[name].kind.name) for name in call.options)
    return [name for name, kind in kinds if kind in ("width", "shape")]


def _stays(arg, facts):
    """Why a width is not thinned: a reason, or "" where it needs none; None where it is."""
    last = arg[-1] if type(arg) is tuple else arg
    if type(last) is Expr and "classes" in last.names:
        return "it has one output a class"
    return "" if last is None or is_relative(last, facts) else None


def _names(arg):
    last = arg[-1] if type(arg) is tuple else arg
    return [last.text] if type(last) is Expr else []


def _has_width(step):
    return any(type(one.body) is Call and _width_options(one.body) for one in _all((step,)))


def _all(steps):
    """Every step in a list, those inside others included."""
    for step in steps:
        yield step
        yield from _all(step.then)
        body = step.body
        if type(body) in (Group, Include):
            yield from _all(body.steps)
        elif type(body) is BlockCall:
            yield from _all(body.block.steps)
        elif type(body) is Call:
            for name in find(body.op).branches:
                yield from _all_of_branch(body.options.get(name, ()))


def _all_of_branch(arg):
    if type(arg) is not tuple or not arg:
        return
    if type(arg[0]) in (tuple, str):
        for one in arg:
            yield from _all_of_branch(one)
    else:
        yield from _all(arg)
