"""The interpreter: evaluates a Model with values and returns rows.

The type of the values determines the result: integers give a table, arrays a sweep, symbols a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import limits, num, ops
from ..allowance import look, within
from ..errors import Problem, Refused, SpecError, in_order, nearest
from .binding import applied, at, bound, counted, decided, error_at, likely, place_of, refuse_empty
from .calls import arguments, explained, flowing, passed
from .inputs import can_be_empty, input_shape
from .network import BlockCall, Call, Chosen, Group, Include, Model, Reference, Reuse, Stated, Step, evaluate, is_absent
from .references import look_up, marked, reusable, runs_of, spliced, text_of
from .rows import Branch, Choice, Row, Trace, exact, same_weights
from .scope import Frame, Named, Run, Scope, Tensor
from .storage import UNSTATED

if TYPE_CHECKING:
    from ..errors import Place
    from ..num.values import Shape
    from ..ops.base import Layer, Op
    from .network import Step
    from .scope import Source


EVERY = 16  # layers or steps between two checks of the clock


class Work:
    """The work done so far in a trace. `most` limits its layers and, separately, its steps."""

    def __init__(self, most: Any = None) -> None:
        self.most = limits.LAYERS if most is None else most
        self.deepest, self.depth, self.steps = limits.NESTING, 0, 0

    def deeper(self, step: Step) -> None:
        """Enter one nesting level. Raises SpecError if the step nests too deep."""
        self.depth += 1
        if self.depth > self.deepest:
            message = f"layers nest at most {self.deepest} deep, including those of blocks"
            raise at(step, "limit", message, limits.hint("nesting"))

    def walk(self, step: Step) -> None:
        """Count a step. Raises SpecError above the limit of steps or time."""
        if self.steps >= self.most:
            raise self._too_many(place_of(step))
        self.steps += 1
        if not self.steps % EVERY:
            self.look(0, place_of(step))

    def refuse_more(self, steps: int, step: Step) -> None:
        """Raise SpecError if this many more steps would exceed the limit."""
        if self.steps + steps > self.most:
            raise self._too_many(place_of(step))

    def look(self, layers: int, place: Place) -> None:
        """Raise SpecError above the limit of layers or time."""
        if layers > self.most:
            raise self._too_many(place)
        look(place)

    def _too_many(self, place: Place) -> SpecError:
        message = f"more than {self.most:,} layers after repeats and blocks are expanded"
        return error_at("limit", message, place, limits.hint("layers"))


JOINS = ("add", "concat", "mul")  # a join of a single tensor returns that tensor


def trace(model: Model, values: Mapping[str, Any], most_layers: Any = None) -> Trace:
    """Evaluate a model's layers with `values`, the values of its variables. `most_layers` defaults to `limits.LAYERS`.

    Raises SpecError with the place of an invalid layer.
    """
    with within("seconds", "this network"):
        return Tracer(model, values, most_layers).run()


class Tracer:
    """One trace: the rows so far, and the state at the current step."""

    def __init__(self, model: Model, values: Mapping[str, Any], most_layers: Any = None) -> None:
        self.model, self.values, self.work = model, values, Work(most_layers)
        self.different = limits.DIFFERENT
        self.rows: list[Row] = []
        self.memo: dict[Any, Any] = {}
        self.times: Any = 1
        self.shared: Any = None
        self.trained, self.follows, self.bits, self.empty = True, False, UNSTATED, False
        self.chance, self.choices = tuple[Branch, ...](), 0
        self.calls: list[Any] = []
        self.scopes: dict[int, Scope] = {}  # scopes with named layers, which form reference cycles
        self.problems: dict[Any, Any] = {}

    def run(self) -> Trace:
        """Trace the whole network. Raises SpecError."""
        scope = Scope(dict(self.values), Frame(None, ""), None, self.values)
        declared = self.model.variables
        inputs = {name: input_shape(name, one, self.values, declared) for name, one in self.model.inputs.items()}
        self.empty = can_be_empty(self.model.inputs, declared, self.values)
        tensors = [Tensor(shape, name) for name, shape in inputs.items()]
        scope.named.update((tensor.source, Named(tensor, None, None, ())) for tensor in tensors)
        self.levels = Levels(scope.frame)
        try:
            output = self.steps(self.model.steps, tensors[0] if tensors else Tensor((), None), scope)
        except SpecError as error:
            if not self.problems:  # else it may be a consequence of the recorded problems
                raise explained(error, self.calls) from None
        finally:
            for one in self.scopes.values():
                one.named.clear()
        if self.problems:
            raise SpecError(*sorted(self.problems.values(), key=in_order))
        bits = {name: one.bits for name, one in self.model.inputs.items() if one.bits}
        return Trace(self.rows, inputs, *output, bits)

    def note(self, error: Any) -> None:
        """Record an error, only the first at each place, and continue the trace."""
        place = error.problems[0].place
        self.problems.setdefault((id(place.source), place[1:]), explained(error, self.calls).problems[0])

    # steps

    def steps(self, steps: tuple[Step, ...], x: Tensor, scope: Scope) -> Tensor:
        """Run steps in sequence; return the output."""
        if steps:
            self.work.deeper(steps[0])
        for step in steps:
            x = self.step(step, x, scope) if step.plain else self.controlled(step, x, scope)
        self.work.depth -= bool(steps)
        return x

    def step(self, step: Step, x: Tensor, scope: Scope) -> Tensor:
        """Run a step without controls: its body, then its `then` layers, which `call` runs itself."""
        x = self.body(step, x, scope, None)
        return self.follow(step.then, x, scope) if step.then and type(step.body) is not Call else x

    def controlled(self, step: Step, x: Tensor, scope: Scope) -> Tensor:
        """Run a step with controls: `from`, `when`, `repeat`, `residual`."""
        if type(step.origin) is dict:
            step = step._replace(origin={name: look_up(one, step, scope) for name, one in step.origin.items()})
        elif step.origin:
            x = look_up(step.origin, step, scope).tensor
        if step.label in scope.named:
            raise at(step, "name-taken", f"two layers are called `{step.label}`")
        start = len(self.rows)
        if step.label:
            x, runs = self.named(step, x, scope)
            self.scopes[id(scope)] = scope
            scope.named[step.label] = Named(x, step, scope, (start, len(self.rows)), runs)
        elif step.repeat is None:
            x = self.once(step, x, scope)
        else:
            for inner in self.runs(step, x, scope):
                x = self.once(step, x, inner)
        return x

    def named(self, step: Step, x: Tensor, scope: Scope) -> tuple[Tensor, tuple[Run, ...]]:
        """Run a named step; return the output and each of its runs."""
        level, runs = scope.frame.part, list[Run]()
        if step.repeat is None and type(step.body) not in (BlockCall, Reuse):
            there = level.count(step.label)
            x = self.once(step, x, scope)
            return x, (Run(x, level.at(step.label, there)),)
        for inner in (scope,) if step.repeat is None else self.runs(step, x, scope):
            mark = marked(step, level)
            x = self.once(step, x, inner)
            runs += runs_of(step, level, mark, x)
        level.note(step.label, runs)
        return x, tuple(runs)

    def runs(self, step: Step, x: Tensor, scope: Scope) -> Iterator[Scope]:
        """Yield a scope with its own `i` for each run of a repeat."""
        for i in range(self.repeats(step, x, scope)):
            yield Scope({**scope.env, "i": i}, scope.frame, scope)

    def once(self, step: Step, x: Tensor, scope: Scope) -> Tensor:
        """Run a step once, with its own controls."""
        self.work.walk(step)
        if step.when is not None and not decided(step, "when", step.when, x.shape, scope):
            return x
        if step.only is not None and step.only != self.model.phase:
            return x
        outer, was_trained, widths, chance = self.times, self.trained, self.bits, self.chance
        if step.prob is not None:
            prob = likely(step, step.prob, x.shape, scope)
            self.chance = (*chance, Branch(self.choice((prob, 1 - exact(prob)), True), 0))
        if step.trained is not None:
            self.trained = decided(step, "trained", step.trained, x.shape, scope)
        if step.bits is not UNSTATED:
            self.bits = step.bits.inside(widths)
        if step.times is not None:
            self.times = outer * counted(step, "times", step.times, x.shape, scope)
            if type(self.times) is int and self.times > limits.SIZE:
                raise at(step, "limit", f"a layer runs at most {limits.SIZE:,} times")
        own = type(step.body) is Group and (step.repeat is not None or step.label)  # a level of names
        inner = Scope(scope.env, Frame(scope.frame, step.label or ""), scope) if own else scope
        y = self.body(step, x, inner, step.label)
        if step.residual is not None and decided(step, "residual", step.residual, x.shape, scope):
            y = self.join(step, x, y, inner)
        if step.then and type(step.body) is not Call:
            y = self.follow(step.then, y, inner)
        self.times, self.trained, self.bits, self.chance = outer, was_trained, widths, chance
        return inner.frame.closed(y) if own else y

    def body(self, step: Step, x: Tensor, scope: Scope, label: str | None) -> Tensor:
        """Run the body of a step, by its kind."""
        body = step.body
        if type(body) is Call:
            return self.call(step, x, scope, step.then, label)
        if type(body) is Group:
            return self.steps(body.steps, x, scope)
        if type(body) is Stated:
            return self.add(stated(step, len(self.rows), self.times, self.values, self.levels))
        if type(body) is BlockCall:
            return self.block(step, body, x, scope, label)
        if type(body) is Include:
            return self.include(step, body, x, scope, label)
        if type(body) is Reuse:
            return self.reuse(step, body.name, x, scope)
        return self.chosen(step, body, x, scope)

    def follow(self, then: tuple[Step, ...], x: Tensor, scope: Scope) -> Tensor:
        """Run the `then` layers of a step; return the output."""
        outer, self.follows = self.follows, True
        x = self.steps(then, x, scope)
        self.follows = outer
        return x

    # bodies

    def call(self, step: Step, x: Tensor, scope: Scope, then: tuple[Step, ...], label: str | None) -> Tensor:
        """Run one operation and its `then` layers: add its row, return the output."""
        call = step.body
        op = ops.find(call.op)
        frame = Frame(scope.frame, label or call.op)
        shape = x.shape
        inputs: tuple[Shape, ...] = (shape,) if op.takes_input else ()
        sources: tuple[Source, ...] = (x.source,) if op.takes_input else ()
        options = bound(step, call, op, shape, scope, self.note)
        if op.branches:
            options, inputs, sources = self.branches(step, op, options, x, scope, frame)
        if op.name in JOINS and len(inputs) == 1 < len(call.options["inputs"]):  # the others belong to another phase
            x = Tensor(inputs[0], sources[0])
            return frame.closed(self.follow(then, x, Scope(scope.env, frame, scope)) if then else x)
        layer, shared, table = self.remembered(step, op, shape, options), self.shared, None
        if call.shares:
            from .holding import Held

            layer, shared, table = Held(step, shape, scope, self.rows).of(layer, shared)
        times, follows = self.times, self.follows
        row = Row(op, frame, inputs, sources, layer, times, shared, follows, step, options, call.options)
        x = self.add(row if table is None else row._replace(table=table))
        return frame.closed(self.follow(then, x, Scope(scope.env, frame, scope)) if then else x)

    def branches(
        self, step: Step, op: Op, options: Mapping[str, Any], x: Tensor, scope: Scope, frame: Frame
    ) -> tuple[dict[str, Any], tuple[Shape, ...], tuple[Source, ...]]:
        """Run the branches of an operation; return its options, input shapes and sources."""
        options, flowing = dict(options), [x] if op.takes_input else []
        for name in op.branches:
            if name not in options:
                continue
            one = op.options[name].kind.form == "branch"
            values = (options[name],) if one else self.present(step, options[name])
            many = len(options[name]) > 1 and not one
            choice, chance = self.choice(options["prob"], False) if op.name == "one_of" else None, self.chance
            tensors: list[Tensor] = []
            for number, value in enumerate(values):
                self.chance = (*chance, Branch(choice, number)) if choice else chance
                tensors += self.branch(step, value, x, scope, frame, many, one)
            self.chance = chance
            options[name] = tensors[0].shape if one else tuple(tensor.shape for tensor in tensors)
            flowing = flowing + tensors if one else tensors
        return options, tuple(one.shape for one in flowing), tuple(one.source for one in flowing)

    def choice(self, probs: Iterable[Any], alone: bool) -> Choice:
        """A new choice between branches with these probabilities."""
        self.choices += 1
        return Choice(self.choices, tuple(map(exact, probs)), alone)

    def branch(
        self, step: Step, branch: Any, x: Tensor, scope: Scope, frame: Frame, many: bool, one: bool
    ) -> list[Tensor]:
        """The output of a branch of layers, or the tensors of a name; with `one`, the name must mean one tensor."""
        if type(branch) in (str, Reference):
            found = (look_up(branch, step, scope),) if one else spliced([branch], step, scope)
            return [named.tensor for named in found]
        if not many:
            return [self.steps(branch, x, Scope(scope.env, frame, scope))]
        inner = Frame(frame, "branch")
        return [inner.closed(self.steps(branch, x, Scope(scope.env, inner, scope)))]

    def present(self, step: Step, branches: Any) -> list[Any]:
        """The branches without those whose layers all belong to the other phase. Raises SpecError if none is left."""
        found = [branch for branch in branches if not is_absent(branch, self.model.phase)]
        if branches and not found:
            help = "mark the whole join with `only`, and add another join for the other phase"
            raise at(step, "bad-value", f"no branch has a layer in the phase `{self.model.phase}`", help)
        return found

    def remembered(self, step: Step, op: Op, shape: Shape, options: Mapping[str, Any]) -> Layer:
        """The layer of an operation, computed once for each combination of shape and options."""
        if self.empty and not op.empty:
            refuse_empty(step, op, shape, options)
        key = (op.name, shape, *options.items())
        try:
            layer = self.memo.get(key)
        except TypeError:  # arrays are not hashable; a sweep computes each layer only once anyway
            return applied(step, op, shape, options)
        if layer is None:
            if len(self.memo) >= self.different:
                message = f"more than {self.different:,} different layers"
                raise at(step, "limit", message, limits.hint("different"))
            layer = self.memo[key] = applied(step, op, shape, options)
        return layer

    def block(self, step: Step, body: BlockCall, x: Tensor, scope: Scope, label: str | None) -> Tensor:
        """Run a block once for each row of arguments."""
        for name, row in body.rows:
            self.work.walk(step)
            base = label or (f"{body.block.name}_{name}" if name else body.block.name)
            env, named = arguments(step, body.block, row, x.shape, scope)
            self.calls.append((step, body, env))
            frame = Frame(scope.frame, base, (body.block, row), step)
            x = frame.closed(self.steps(body.block.steps, x, Scope(env, frame, scope, None, named)))
            self.calls.pop()
        return x

    def include(self, step: Step, body: Include, x: Tensor, scope: Scope, label: str | None) -> Tensor:
        """Run the layers of an included spec."""
        self.work.walk(step)
        given, values = passed(step, body, x.shape, scope)
        frame = Frame(scope.frame, label or body.name, (body, body.given), step)
        inner = Scope(dict(values), frame, None, values)
        inner.named.update(flowing(step, body, x))
        x = inner.named[next(iter(body.model.inputs))].tensor
        self.calls.append((step, body, given))
        x = inner.frame.closed(self.steps(body.steps, x, inner))
        self.calls.pop()
        return x

    def chosen(self, step: Step, body: Chosen, x: Tensor, scope: Scope) -> Tensor:
        """Run the operation named by an argument of the block."""
        name = scope.env[body.param]
        if type(name) is not str or name not in ops.INDEX:
            message = f"`{body.param}` must name an operation here, got `{name}`"
            raise at(step, "bad-value", message, nearest(name, ops.INDEX))
        op = ops.find(name)
        missing = [option.name for option in op.options.values() if option.required]
        if missing:
            raise at(step, "bad-value", f"`{name}` needs `{missing[0]}` and cannot stand alone")
        return self.call(step._replace(body=Call(name, {}, {}, ())), x, scope, (), None)

    def reuse(self, step: Step, name: Any, x: Tensor, scope: Scope) -> Tensor:
        """Run an earlier layer again with its weights."""
        from .holding import holder_of

        named = reusable(name, step, scope)
        name = text_of(name)
        outer, self.shared = self.shared, name
        start = len(self.rows)
        again = Scope(named.scope.env, scope.frame, named.scope)
        self.work.deeper(step)
        origin = step.origin if type(step.origin) is dict else None
        if origin and type(named.step.body) is not Include:
            raise at(step, "bad-reference", f"`{name}` has one input", "write `from: NAME`")
        x = self.once(named.step._replace(label=None, origin=origin), x, again)
        self.work.depth -= 1
        first, last = named.rows
        before, after = self.rows[first:last], self.rows[start:]
        if not same_weights(before, after):
            raise at(step, "bad-reuse", f"`{name}` has different weights on this input, so they cannot be reused")
        holders = [holder_of(self.rows, number) for number in range(first, last)]
        self.rows[start:] = [row._replace(holder=one) for row, one in zip(after, holders, strict=True)]
        self.shared = outer
        return x

    def join(self, step: Step, x: Tensor, y: Tensor, scope: Scope) -> Tensor:
        """Add a row for the sum of two tensors."""
        op, inputs, sources = ops.find("add"), (x.shape, y.shape), (x.source, y.source)
        try:
            layer = self.remembered(step, op, x.shape, {"inputs": inputs})
        except SpecError as error:
            from .matching import unbridged

            raise unbridged(error, step, *inputs) from None
        frame = Frame(scope.frame, "add")
        row = Row(op, frame, inputs, sources, layer, self.times, None, self.follows, step, {}, {})
        return frame.closed(self.add(row))

    def repeats(self, step: Step, x: Tensor, scope: Scope) -> int:
        """The number of times a step runs."""
        count = counted(step, "repeat", step.repeat, x.shape, scope)
        count = num.domain(count).single(count)
        self.work.refuse_more(count, step)
        return count

    def add(self, row: Row) -> Tensor:
        """Append a row; return its output."""
        if not self.trained or self.bits is not UNSTATED:
            row = row._replace(trained=self.trained, bits=self.bits)
        if self.chance:
            row = row._replace(chance=self.chance)
        self.rows.append(row)
        count = len(self.rows)
        if count > self.work.most or not count % EVERY:
            self.work.look(count, row.place)
        return Tensor(row.layer.shape, count - 1)


class Levels:
    """The levels of names in a graph. All nodes of a module share its level, wherever they appear."""

    def __init__(self, top: Frame) -> None:
        self.frames = {(): top}

    def frame(self, path: tuple[str, ...]) -> Frame:
        """A new frame for the last name of a path."""
        return Frame(self.level(path[:-1]), path[-1])

    def level(self, path: Any) -> Frame:
        """The level at a path, created once."""
        if path not in self.frames:
            self.frames[path] = Frame(self.level(path[:-1]), path[-1])
        return self.frames[path]


def stated(step: Step, number: int, times: int, env: Mapping[str, Any], levels: Levels) -> Row:
    """The row of a step whose body is Stated. Raises SpecError that names the node."""
    body = step.body
    op = ops.find(body.op)
    try:
        inputs = tuple(_shape(evaluate(shape, env)) for shape in body.inputs)
        options = {name: evaluate(arg, env) for name, arg in body.options.items()}
        if op.branches:
            options[op.branches[0]] = inputs
        layer = op.rule(*inputs[: op.takes_input], **options)
        _shape(layer.shape)
    except ArithmeticError as error:
        message = f"{step.source.path!r}: node {body.title} has no shape: {error}"
        raise SpecError(Problem("cannot-be", message)) from None
    except Refused as error:
        found = SpecError(
            Problem("cannot-be", f"{step.source.path!r}: node {body.title}: {error.message}", None, error.help)
        )
        found.failing = error.failing
        raise found from None
    if body.holds is not None:
        layer = layer._replace(params=body.holds)
    frame = levels.frame(body.path)
    frame.closed(Tensor(layer.shape, number))
    sources = (*body.sources, *[None] * len(inputs))[: len(inputs)]
    return Row(op, frame, inputs, sources, layer, times, body.shared, body.follows, step, options, body.options)


def _shape(shape: Shape) -> Shape:
    for size in shape:
        if type(size) is not int or not 0 < size <= limits.SIZE:
            num.require(num.whole(size) >= 1, "a size must be at least 1, got {}", size)
    if len(shape) > limits.RANK:
        raise Refused(f"a tensor of {len(shape)} axes has too many: the limit is {limits.RANK}")
    return shape
