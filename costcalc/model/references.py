"""Resolve the name of a layer at a step: to a tensor, several tensors, or sizes."""

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


MOST_NAMES = 1_000  # names searched for a similar one


def look_up(name: str | Reference, step: Step, scope: Scope) -> Named:
    """The single tensor of that name, in this scope or an enclosing one.

    `body/conv_2` is a layer inside the one named `body`, as the report names it; `body[1]/conv_2` is that layer in the
    second run.
    """
    found = _found(name, step, scope)
    if type(found) is Named:
        return found
    text = text_of(name)
    help = f"`{text}[0]` is the first of them; `concat: {text}` takes all" if type(name) is str else None
    message = f"`{text}` names {len(found)} layer{'s' * (len(found) != 1)} here, not one"
    raise _error("bad-reference", message, step, help)


def all_of(name: str | Reference, step: Step, scope: Scope) -> tuple[Named, ...]:
    """All tensors of a name: one for each run, or for each entry of a list of names."""
    found = _found(name, step, scope)
    return (found,) if type(found) is Named else found


def text_of(name: Any) -> str:
    """A name or a list of names as written in the file."""
    if type(name) is tuple:
        return f"[{', '.join(map(text_of, name))}]"
    return name if isinstance(name, str) else name.text


def given(name: Any, step: Step, scope: Scope) -> Any:
    """The value of a block's parameter that takes names: a Named, or a tuple of Named for a list."""
    return spliced(name, step, scope) if type(name) is tuple else _found(name, step, scope)


def spliced(names: Iterable[Any], step: Step, scope: Scope) -> tuple[Named, ...]:
    """The tensors of a list of names; nested lists are flattened. Raises SpecError if there are too many."""
    tensors: list[Named] = []
    for name in names:
        tensors += all_of(name, step, scope)
        if len(tensors) > limits.ENTRIES:
            message = f"at most {limits.ENTRIES:,} layers can be named here"
            raise _error("limit", message, step, limits.hint("entries"))
    return tuple(tensors)


def reusable(name: str | Reference, step: Step, scope: Scope) -> Named:
    """The named layer for `reuse`. Raises SpecError if it cannot run again."""
    named = look_up(name, step, scope)
    if named.step is None:
        text = text_of(name)
        inside = "is inside another layer: only that one can be used"
        why = inside if "/" in text or "[" in text else "is an input and has no weights to use"
        raise _error("bad-reuse", f"`{text}` {why} again", step)
    return named


def marked(step: Step, level: Part) -> dict[str, int]:
    """The state of a level before a named step runs, for `runs_of`."""
    return level.marks(None if type(step.body) is Reuse else step.label)


def runs_of(step: Step, level: Part, marks: Mapping[str, int], x: Tensor) -> list[Run]:
    """The runs of a named step with output `x`: one, or one per row of a block call. `marks` is from `marked`."""
    again = type(step.body) is Reuse
    parts = level.since(marks, again)
    if again and len(parts) > 1:  # a reused group has no level of its own
        parts = [level.part_of(marks)]
    if not parts:
        return [Run(x, None)]
    rows = parts if type(step.body) is BlockCall else parts[:1]
    return [*(Run(Tensor(part.shape, part.source), part) for part in rows[:-1]), Run(x, rows[-1])]


def seen(x: Shape, step: Step, scope: Scope) -> dict[str, Any]:
    """The names visible to an expression at a step: input sizes, variables, and sizes of named layers."""
    return {**shape_names(x), **scope.env, LAYERS: partial(_size, step, scope)}


def _size(step: Step, scope: Scope, name: str, index: Any, axis: str) -> Any:
    """A size of a named layer, or of its run at an index; axis `shape` gives the whole shape."""
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
    """Resolve a name or a reference to a Named or a tuple of Named."""
    return _Finder(name, step, scope).found() if isinstance(name, Reference) else _named(name, step, scope)


class _Finder:
    """Resolves a reference at a step."""

    def __init__(self, reference: Reference, step: Step, scope: Scope) -> None:
        self.reference, self.step, self.scope = reference, step, scope
        self.place = Place(step.source, *(reference.at or step.place))

    def found(self) -> Any:
        """A Named, or a tuple of Named if the reference contains `[*]`."""
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
        """The run at an index, or all runs for `[*]`."""
        if type(index) is Every:
            return runs
        number = self.number(name, index)
        if number in range(len(runs)):
            return [runs[number]]
        message = f"there is no `{name}[{number}]`"
        help = f"the first is `{name}[0]`, the last `{name}[{len(runs) - 1}]`" if runs else "there is none here"
        raise self.error(message, help)

    def number(self, name: str, index: Any) -> int:
        """Evaluate an index; it must be the same at all points of a sweep."""
        try:
            number = num.whole(evaluate(index, {**self.scope.env, LAYERS: partial(_size, self.step, self.scope)}))
            return num.domain(number).single(number)
        except Refused as error:
            raise self.error(f"`{name}[..]`: {error.message}", error.help) from None
        except (ArithmeticError, ValueError, TypeError) as error:
            reason = "a word or a kernel is not a number" if isinstance(error, TypeError) else str(error)
            raise self.error(f"the number of `{name}[..]` has no value: {reason}") from None

    def below(self, run: Any, name: str, index: Any) -> Sequence[Any]:
        """The layer of a name inside a run, or the runs of it that an index selects."""
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
        """A SpecError at this reference."""
        return SpecError(Problem("bad-reference", message, self.place, help))


def _named(name: str, step: Step, scope: Scope) -> Any:
    """Look up a name in this scope or an enclosing one: a Named, or a tuple of Named."""
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
    """The tensor at a path of names, starting at a level or in the single run of `named`.

    The result cannot be used with `reuse`.
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
