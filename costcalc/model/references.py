"""What the name of a layer means at a step: a tensor, several, or its sizes."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from .. import limits, num
from ..errors import Place, Problem, Refused, SpecError, listed, nearest
from .expr import LAYERS
from .network import BlockCall, Every, Reference, Reuse, Step, evaluate
from .scope import Named, Part, Run, Scope, Tensor, shape_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..num.values import Shape


MOST_NAMES = 1_000  # looked at for a name that may have been meant


def look_up(name: str | Reference, step: Step, scope: Scope) -> Named:
    """The one tensor of that name, in this scope or one around it.

    `body/conv_2` is a layer inside the one that is named `body`, by the names of the report; `body[1]/conv_2` is one
    in the second run of it.
    """
    found = _found(name, step, scope)
    if type(found) is Named:
        return found
    text = text_of(name)
    help = f"`{text}[0]` is the first of them; `concat: {text}` takes all" if type(name) is str else None
    message = f"`{text}` names {len(found)} layer{'s' * (len(found) != 1)} here, not one"
    raise _error("bad-reference", message, step, help)


def all_of(name: str | Reference, step: Step, scope: Scope) -> tuple[Named, ...]:
    """The tensors that a name means: those of every run, of a list of names, or one."""
    found = _found(name, step, scope)
    return (found,) if type(found) is Named else found


def text_of(name: Any) -> str:
    """A name, or a list of them, as it stands in the file."""
    if type(name) is tuple:
        return f"[{', '.join(map(text_of, name))}]"
    return name if isinstance(name, str) else name.text


def given(name: Any, step: Step, scope: Scope) -> Any:
    """What a parameter of a block is that takes names: a Named, or a tuple of them for a list."""
    return spliced(name, step, scope) if type(name) is tuple else _found(name, step, scope)


def spliced(names: Iterable[Any], step: Step, scope: Scope) -> tuple[Named, ...]:
    """The tensors that the names of a list mean, those of a list inside of it too. Raises SpecError for too many."""
    found: list[Named] = []
    for name in names:
        found += all_of(name, step, scope)
        if len(found) > limits.ENTRIES:
            message = f"at most {limits.ENTRIES:,} layers can be named here"
            raise _error("limit", message, step, limits.hint("entries"))
    return tuple(found)


def reusable(name: str | Reference, step: Step, scope: Scope) -> Named:
    """The layer of that name, to run it again."""
    named = look_up(name, step, scope)
    if named.step is None:
        text = text_of(name)
        inside = "is inside another layer: only that one can be used"
        why = inside if "/" in text or "[" in text else "is an input and has no weights to use"
        raise _error("bad-reuse", f"`{text}` {why} again", step)
    return named


def marked(step: Step, level: Part) -> dict[str, int]:
    """What stands at a level before a named step runs, for `runs_of`."""
    return level.marks(None if type(step.body) is Reuse else step.label)


def runs_of(step: Step, level: Part, marks: Mapping[str, int], x: Tensor) -> list[Run]:
    """The runs of a named step that gives `x`: one, or those of the rows of a block. `marks` tells what is new."""
    again = type(step.body) is Reuse
    parts = level.since(marks, again)
    if again and len(parts) > 1:  # a group has no level of its own when it runs again
        parts = [level.part_of(marks)]
    if not parts:
        return [Run(x, None)]
    rows = parts if type(step.body) is BlockCall else parts[:1]
    return [*(Run(Tensor(one.shape, one.source), one) for one in rows[:-1]), Run(x, rows[-1])]


def seen(x: Shape, step: Step, scope: Scope) -> dict[str, Any]:
    """What an expression sees at a step: the sizes of what flows in, variables, and the sizes of named layers."""
    return {**shape_names(x), **scope.env, LAYERS: partial(_size, step, scope)}


def _size(step: Step, scope: Scope, name: str, index: Any, axis: str) -> Any:
    """A size of the layer of a name, or of the one at an index; `shape` is all of them."""
    named = look_up(name if index is None else _numbered(name, index), step, scope)
    shape = named.tensor.shape
    if axis == "shape":
        return shape
    sizes = shape_names(shape)
    if axis not in sizes:
        rank = len(shape)
        raise Refused(f"`{name}` has no {axis}: it has {rank} ax{'es' if rank != 1 else 'is'}, {_shown(shape)}")
    return sizes[axis]


def _shown(shape: Shape) -> str:
    return "x".join(str(size) if type(size) is int else ".." for size in shape)


def _numbered(name: str, index: Any) -> Reference:
    return Reference(f"{name}[{index}]", ((name, index),))


def _found(name: str | Reference, step: Step, scope: Scope) -> Any:
    """A Named, or a tuple of them."""
    return _Finder(name, step, scope).found() if isinstance(name, Reference) else _named(name, step, scope)


class _Finder:
    """Finds what a reference names at a step."""

    def __init__(self, reference: Reference, step: Step, scope: Scope) -> None:
        self.reference, self.step, self.scope = reference, step, scope
        self.place = Place(step.source, *(reference.at or step.place))

    def found(self) -> Any:
        """A Named, or a tuple of them where all runs are meant."""
        (head, index), *rest = self.reference.parts
        found = _named(head, self.step, self.scope)
        runs = found if type(found) is tuple else found.runs or (found,)
        if index is None and len(runs) != 1:
            raise self.error(f"`{head}` is {len(runs)} layers here", f"write `{head}[0]` for the first of them")
        runs = runs if index is None else self.chosen(runs, head, index)
        for part, number in rest:
            runs = [one for run in runs for one in self.below(run, part, number)]
        every = tuple(run if type(run) is Named else Named(run.tensor, None, None, ()) for run in runs)
        return every if any(type(number) is Every for _, number in self.reference.parts) else every[0]

    def chosen(self, runs: Sequence[Any], name: str, index: Any) -> Sequence[Any]:
        """The run of that number, or all."""
        if type(index) is Every:
            return runs
        number = self.number(name, index)
        if number in range(len(runs)):
            return [runs[number]]
        message = f"there is no `{name}[{number}]`"
        help = f"the first is `{name}[0]`, the last `{name}[{len(runs) - 1}]`" if runs else "there is none here"
        raise self.error(message, help)

    def number(self, name: str, index: Any) -> int:
        """The value of an index, one for all points of a sweep."""
        try:
            number = num.whole(evaluate(index, {**self.scope.env, LAYERS: partial(_size, self.step, self.scope)}))
            return num.domain(number).single(number)
        except Refused as error:
            raise self.error(f"`{name}[..]`: {error.message}", error.help) from None
        except (ArithmeticError, ValueError, TypeError) as error:
            reason = "a word or a kernel is not a number" if isinstance(error, TypeError) else str(error)
            raise self.error(f"the number of `{name}[..]` has no value: {reason}") from None

    def below(self, run: Any, name: str, index: Any) -> Sequence[Any]:
        """What stands under a name inside a run: one, or all its runs."""
        part = run.part if type(run) is Run else run.runs[-1].part if run.runs else None
        if part is None:
            raise self.error(f"there is no `{name}` in `{self.reference.text}`", "no layer runs there")
        if index is not None and part.runs and name in part.runs:
            return self.chosen(part.runs[name], name, index)
        inner = part.find(name)
        if inner is None or inner.shape is None:
            names = list(islice(part.names(), MOST_NAMES))
            help = nearest(name, names) or (f"known there: {listed(names[:20])}" if names else None)
            raise self.error(f"there is no `{name}` in `{self.reference.text}`", help)
        found = (Run(Tensor(inner.shape, inner.source), inner),)
        return found if index is None else self.chosen(found, name, index)

    def error(self, message: str, help: str | None = None) -> SpecError:
        """The error of this reference."""
        return SpecError(Problem("bad-reference", message, self.place, help))


def _named(name: str, step: Step, scope: Scope) -> Any:
    """What the name stands for in this scope or one around it: a Named, or a tuple of them."""
    looking: Any = scope
    known: list[str] = []
    head = name.partition("/")[0]
    while looking is not None:
        if name in looking.named:
            return looking.named[name]
        if head != name and (head in looking.named or head.rpartition("_")[0] in looking.named):
            return _inside(name, step, looking.frame.part, looking.named.get(head))
        known += looking.named
        looking = looking.parent
    raise _unknown(name, step, nearest(name, known) or (f"named so far: {listed(known[:20])}" if known else None))


def _inside(path: str, step: Step, part: Any, named: Any) -> Named:
    """The tensor that a path of names leads to, from a level or from the one run of `named`.

    It has no weights of its own to use again.
    """
    names = path.split("/")
    if type(named) is Named and len(named.runs) == 1 and named.runs[0].part is not None:
        part, names = named.runs[0].part, names[1:]
    for name in names:
        known, part = part, part.find(name)
        if part is None or part.shape is None:
            there = list(islice(known.names(), MOST_NAMES))
            raise _unknown(path, step, nearest(name, there) or f"known there: {listed(there[:20])}")
    return Named(Tensor(part.shape, part.source), None, None, ())


def _unknown(name: str, step: Step, help: str | None) -> SpecError:
    return _error("unknown-layer", f"no layer before this one is called `{name}`", step, help)


def _error(code: str, message: str, step: Step, help: str | None = None) -> SpecError:
    return SpecError(Problem(code, message, Place(step.source, *step.place), help))
