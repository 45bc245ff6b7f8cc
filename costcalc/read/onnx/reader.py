"""Walk a graph in node order. Shapes and constants are propagated, and nodes that compute become steps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import limits
from ...allowance import spend
from ...errors import Problem, Refused, Source, SpecError, brief
from ...model.network import Stated, Step
from ...num.polynomials import Dim
from . import rules
from .declarations import check
from .fold import folded
from .living import inside
from .names import apart, levels, shortened
from .node import Node, Unknown
from .numbers import Numbers, is_made, is_trained, settings
from .tensors import Scope, Tensor, argument, stored
from .types import CASTS, is_copy, type_of
from .widths import Quantized

if TYPE_CHECKING:
    from ...num.values import Number, Shape


_BETWEEN = 8  # nodes between checks of the allowance
_MALFORMED = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)


class Reader:
    """State of a walk: the steps so far, parameters that are not counted yet, and the amount of work done."""

    def __init__(self, source: Source, functions: Any, versions: Mapping[str, int]) -> None:
        self.source, self.functions, self.versions = source, functions, versions
        self.steps: list[Step] = []
        self.calls: list[Any] = []
        self.numbers, self.widths = Numbers(), Quantized()
        self.batch, self.times, self.done, self.runs = 1, 1, 0, 0
        self.declared = Declared()
        self.walked: dict[int, Any] = {}

    # graphs

    def graph(self, graph: Any, scope: Scope) -> list[Tensor]:
        """Walk the nodes of a graph whose inputs are in scope. Return its outputs."""
        self.walked[id(graph)] = graph
        for proto in graph.initializer:
            self.initializer(proto, scope)
        for proto in graph.sparse_initializer:
            name = proto.values.name
            self.keep(name, Tensor(tuple(proto.dims), None, frozenset([name])), scope)
        self.declared.note(graph.value_info)
        self.declared.note_kinds(graph.output)
        self.widths.note(graph.node, (one.name for one in graph.output))
        self.nodes(graph.node, scope)
        names = (one.name if type(one.name) is str else "" for one in graph.output)
        return [self.found(name, scope, "the graph's output") for name in names]

    def initializer(self, proto: Any, scope: Scope) -> None:
        """Register a stored tensor."""
        name = proto.name
        if type(name) is bytes:
            raise self.error("an initializer", "has a name that is not UTF-8")
        try:
            tensor = stored(proto)
        except Refused as error:
            raise self.error(f"initializer `{brief(name)}`:", error.message) from None
        self.keep(name, tensor, scope)
        if not tensor.roots:
            return
        self.widths.keep(tensor, tensor.kind)
        if not is_trained(name, tensor.kind, tensor.shape):
            self.numbers.literal(tensor)
        elif is_made(name):
            self.numbers.unnamed |= tensor.roots

    def keep(self, name: str, tensor: Tensor, scope: Scope) -> None:
        """Add a stored tensor to the scope. A later node counts its numbers."""
        scope.own[name] = tensor
        self.numbers.keep(tensor)

    def nodes(self, protos: Any, scope: Scope, attributes: Mapping[Any, Any] | None = None) -> None:
        """Walk nodes in order."""
        most = limits.NODES
        for number, proto in enumerate(protos, 1):
            self.done += 1
            if not self.done % _BETWEEN:
                spend(10 * _BETWEEN)
            if self.done > most:
                message = f"more than {most:,} nodes, those of functions and loops counted"
                raise SpecError(Problem("limit", f"{self.source.path!r}: {message}"))
            began = len(self.steps)
            outputs = self.node(proto, number, scope, attributes)
            if len(self.steps) > began:
                self.widths.direct.update(proto.output)
            for name, tensor in zip(proto.output, outputs, strict=False):
                if name:
                    scope.own[name] = tensor

    def found(self, name: str, scope: Scope, who: str) -> Tensor:
        """Look up a tensor. Raises SpecError if no earlier node makes it."""
        tensor = scope.find(name)
        if tensor is None:
            message = f"reads `{brief(str(name))}`, which no earlier node makes"
            raise self.error(who, message, "the nodes form a cycle, are out of order, or one is missing")
        return tensor

    # nodes

    def node(self, proto: Any, number: int, scope: Scope, given: Mapping[Any, Any] | None) -> list[Tensor]:
        """Outputs of one node."""
        try:
            "".join((proto.name, proto.op_type, proto.domain, *proto.output))
        except TypeError:  # a name in bytes
            raise self.error(f"node {number}", "has a name that is not UTF-8") from None
        own = scope.own
        inputs = [
            own.get(name) or self.found(name, scope, f"node {titled(proto)}") if name else None for name in proto.input
        ]
        try:
            version = self.version(proto)
            self.check(proto, version)
            node = Node(self, proto, inputs, rules.attributes(proto, given), version, number, self.extra(proto, scope))
            return self.typed(node, self.outputs(node, scope))
        except Refused as error:
            raise self.error(f"node {titled(proto)}:", error.message, error.help) from None
        except _MALFORMED as error:
            message = f"invalid inputs or attributes of a {brief(proto.op_type)}"
            raise self.error(f"node {titled(proto)}:", message) from error

    def key(self, proto: Any) -> Any:
        """Key of the function that a node calls, or None if the file has no functions."""
        return (proto.domain, proto.op_type, getattr(proto, "overload", "")) if self.functions else None

    def kind(self, proto: Any, name: str, at: int) -> int:
        """Declared type of a node's output, or 0 within functions, whose names are local."""
        return 0 if self.calls else self.declared.kinds.get(name, 0)

    def typed(self, node: Node, outputs: list[Tensor]) -> list[Tensor]:
        """Outputs of a node with producers and types. Its steps have the type of the first output."""
        proto, found, last, began = node.proto, [], node.source(), node.began
        called = bool(self.functions) and self.key(proto) in self.functions
        inner = range(began, len(self.steps))  # steps from nodes of a function or loop
        for at, (name, one) in enumerate(zip(proto.output, outputs, strict=False)):
            kind = self.kind(proto, name, at)
            if not kind and not called:
                kind = type_of(node.op, node.attributes, node.inputs, at)
            found.append(one.come(one.made if one.made in inner else last, kind or one.kind))
        if found and node.op in CASTS and is_copy(node.input(0), found[0]):
            shape, times = node.seen(found[0])
            node.emit("identity", shape, times=times, follows=True)
            found = [one.come(len(self.steps) - 1, one.kind) for one in found]
        if found and len(self.steps) > began:
            self.widths.type(range(began, len(self.steps)), found[0].kind)
        return found

    def outputs(self, node: Node, scope: Scope) -> list[Tensor]:
        """Outputs of a node, from a function of the file, a rule, or the file's declarations."""
        proto = node.proto
        if self.functions and (key := self.key(proto)) in self.functions:
            return self.function(self.functions[key], node)
        known = folded(node) if proto.domain in rules.DOMAINS else None
        if known is not None:
            return known
        rule: Any = self.rule(proto)
        flows = not node.is_constant
        node.is_constant = node.is_constant and not (rule.multiplies if rule else node.roots())
        hidden = [one for one in node.inputs if one is not None and one.shape is None and one.items is None]
        if rule is None or (hidden and not rule.takes_any):
            found = self.finished(node, self.unruled(node, rule))
            return found if rule or flows else [one._replace(roots=node.roots()) for one in found]
        try:
            found = rule(node, scope) if rule.takes_scope else rule(node)
            self.widths.integer(node)
        except Unknown:
            node.extra += inside(self, proto, scope) if rule.takes_scope else ()
            found = self.unruled(node, rule)
        return self.finished(node, found)

    def finished(self, node: Node, found: list[Any]) -> list[Tensor]:
        """Convert the result of a rule to tensors. Those of a constant node get the roots of its inputs."""
        tensors = [one if type(one) is Tensor else Tensor(tuple(one)) for one in found]
        if node.is_constant:
            roots = node.roots()
            tensors = [one.rooted(roots.union(one.roots) if one.roots else roots) for one in tensors]
        else:
            node.hold(tensors)
        for tensor in tensors:
            if tensor.shape is not None and len(tensor.shape) > limits.RANK:
                raise Refused(f"a tensor of {len(tensor.shape)} axes has too many: the limit is {limits.RANK}")
        return tensors

    def unruled(self, node: Node, rule: Any) -> list[Tensor]:
        """Outputs of a node of unknown cost or shape. It becomes a row of unknown cost if it could have any."""
        first = next((one.first for one in node.inputs if one is not None), False)
        outputs = [self.declared.tensor(name, first) for name in node.proto.output]
        if rule is None or rule.multiplies:
            node.unknown(output=next(iter(outputs), None))
        return outputs

    def function(self, function: Any, node: Node) -> list[Tensor]:
        """Outputs of a function of the file, applied to the inputs of a node."""
        name = f"{function.domain}.{function.name}" if function.domain else function.name
        if name in self.calls:
            raise Refused(f"the function `{brief(name)}` calls itself")
        if len(self.calls) >= limits.BLOCK_DEPTH:
            raise Refused(f"functions call each other more than {limits.BLOCK_DEPTH} deep")
        scope = Scope()
        inputs = [*node.inputs, *[None] * len(function.input)]
        scope.own.update((key, one) for key, one in zip(function.input, inputs, strict=False) if one is not None)
        given = {**rules.defaults(function), **node.attributes}
        outer, self.versions = self.versions, {**self.versions, **opsets(function)}
        self.calls.append(name)
        self.nodes(function.node, scope, given)
        self.calls.pop()
        self.versions = outer
        return [self.found(one, scope, f"the function `{brief(name)}`") for one in function.output]

    def check(self, proto: Any, version: int) -> None:
        """Raise Refused for a node that does not match the signature of its operator."""
        check(proto, self.functions, version)

    def version(self, proto: Any) -> int:
        """Operator version of a node's domain."""
        domain = proto.domain
        return self.versions.get("" if domain == "ai.onnx" else domain, 1)

    def rule(self, proto: Any) -> Callable[..., Any] | None:
        """Rule of a node's operator, or None."""
        return rules.find(proto.domain, proto.op_type)

    def extra(self, proto: Any, scope: Scope) -> Sequence[Tensor]:
        """Tensors that a node reads but its rule does not."""
        return ()

    def settings(self, proto: Any) -> Collection[int]:
        """Indices of a node's inputs that are not parameters."""
        return settings(proto.op_type, len(proto.input)) if rules.is_standard(proto.domain) else ()

    # steps

    def levels(self, proto: Any, weight: str | None) -> tuple[str, ...]:
        """Name components of a node's steps."""
        return levels(proto, weight)

    def state(
        self,
        node: Node,
        op: str,
        inputs: tuple[Shape, ...],
        options: Mapping[str, Any],
        holds: Mapping[str, Tensor | None],
        times: int,
        follows: bool,
    ) -> None:
        """Add the step of one operation."""
        at, shared = len(self.steps), None
        counted: dict[str, int] = {}
        weight = next((root for one in holds.values() if one is not None for root in one.roots or ()), None)
        path = (*self.calls[:1], *self.levels(node.proto, weight))
        if holds:
            counted, shared = self.numbers.counted(holds, at, "/".join(path))
            self.widths.holds(at, holds)
        body = Stated(
            op,
            argument(inputs),
            {name: argument(value) for name, value in options.items()},
            path,
            titled(node.proto),
            counted,
            shared,
            follows,
            node.sources(len(inputs)),
        )
        times = times * self.times
        if type(times) is int and times > limits.SIZE:
            raise Refused(f"it runs {times:,} times: the limit is {limits.SIZE:,}")
        plain = type(times) is int and times == 1
        step = Step(body, (node.number, 1, 1), self.source, times=None if plain else argument(times), plain=plain)
        self.steps.append(step)

    def seen(self, tensor: Any) -> tuple[Shape, Number]:
        """(shape per sample with channels last, number of samples) of a tensor."""
        shape, times = tensor.shape, 1
        is_batch = tensor.first or (isinstance(shape[0], Dim) and shape[0] == self.batch) if shape else False
        if len(shape) > 1 and (shape[0] == 1 or is_batch):
            shape, times = shape[1:], shape[0]
            if tensor.first and len(shape) > 1:
                shape = (*shape[1:], shape[0])
        return tuple(shape) or (1,), times

    def finished_steps(self) -> tuple[Step, ...]:
        """All steps, with names as short as possible."""
        paths = apart(shortened([step.body.path for step in self.steps]))
        names: dict[str | None, str] = {}
        if any(step.body.shared for step in self.steps):
            names = {"/".join(step.body.path): "/".join(path) for step, path in zip(self.steps, paths, strict=True)}
        steps = []
        for step, path in zip(self.steps, paths, strict=True):
            body = step.body
            if body.path != path or body.shared:
                body = body._replace(path=path, shared=names.get(body.shared))
                step = Step._make((body, *step[1:]))
            steps.append(step)
        return tuple(self.widths.finished(steps))

    def error(self, who: str, message: str, help: str | None = None) -> SpecError:
        """Create the error for a problem of the graph."""
        return SpecError(Problem("bad-graph", f"{self.source.path!r}: {who} {message}", None, help))


def titled(proto: Any) -> str:
    """A node in a message: its name, or that of its output, and its operator."""
    name = proto.name or next(iter(proto.output), "") or "without a name"
    return f"`{brief(name)}` ({brief(proto.op_type)})"


def opsets(proto: Any) -> dict[str, int]:
    """Operator versions that a model or function imports: domain -> version."""
    return {one.domain if one.domain != "ai.onnx" else "": one.version for one in proto.opset_import}


class Declared:
    """Declared types and element types of tensors by name. `axes` maps names of axes to variables."""

    def __init__(self) -> None:
        self.types: dict[Any, Any] = {}
        self.axes: dict[Any, Any] = {}
        self.kinds: dict[str, int] = {}

    def note(self, infos: Any) -> None:
        """Add the declarations of a graph."""
        for info in infos:
            name, kind = info.name, info.type
            self.types[name], self.kinds[name] = kind, kind.tensor_type.elem_type

    def note_kinds(self, infos: Any) -> None:
        """Add the element types only."""
        for info in infos:
            self.kinds[info.name] = info.type.tensor_type.elem_type

    def tensor(self, name: str, first: bool = False) -> Tensor:
        """Tensor of the declared shape. A grid keeps the position of its channels."""
        kind = self.types.get(name)
        if kind is None or not kind.tensor_type.HasField("shape"):
            return Tensor(None)
        sizes = tuple(self.size(dim) for dim in kind.tensor_type.shape.dim)
        return Tensor(None) if None in sizes else Tensor(sizes, first=first and len(sizes) > 2)

    def size(self, dim: Any) -> Any:
        """A size: a number, or the variable of a known axis, or None."""
        if dim.dim_param:
            return self.axes.get(dim.dim_param)
        return dim.dim_value if dim.HasField("dim_value") and dim.dim_value >= 0 else None
