"""The Model of an exported program. Its calls are walked like the nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...errors import Problem, Source, SpecError
from ...model.network import Input, Model
from ...model.uncollected import uncollected
from ..onnx.calls import Call
from ..onnx.ending import ended, stored
from ..onnx.names import relative
from ..onnx.node import Node
from ..onnx.reader import Reader
from ..onnx.tensors import Scope, Tensor
from . import translate
from .node import Node as Exported
from .node import Open, kind_of, kinds, outputs, scopes, shapes, tensor
from .program import storage
from .rules import RULES
from .simpler import simpler
from .writing import written

_OPSET = {"": 23}
_WRAPPERS = ("wrap_with_set_grad_enabled", "wrap_with_autocast")  # operators that run a nested graph unchanged
_STATISTICS = ("running_mean", "running_var")


def read(program: Any, name: str, path: str) -> Model:
    """Return the Model of an ExportedProgram. `path` is its name in messages. Raises SpecError."""
    with uncollected():
        source = Source(path, "")
        reader = _Reader(source)
        inputs: dict[Any, Any] = {}
        scope = Scope()
        _inputs(program, reader, scope, inputs)
        reader.widths.enter(inputs)
        reader.nodes(_calls(program.graph), scope)
        ended(reader, [(name, scope.find(name)) for name in results(program.graph)])
        if not reader.steps:
            raise SpecError(Problem("bad-graph", f"{path!r}: it computes nothing"))
        found = stored(reader, lambda: reader.living(program.graph))
        shown = {one: Input(reader.seen(given)[0], None, False) for one, given in inputs.items()}
        steps = reader.finished_steps()
        shown, how = reader.widths.network(steps, shown)
        return Model(name, source, {}, shown, steps, stored=found, storage=how)


class _Reader(Reader):
    """Walks calls, which carry their scopes, output shapes and the constants of the code."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, {}, _OPSET)
        self.names: dict[str, list[str]] = {}

    def node(self, proto: Call, number: int, scope: Scope, given: Mapping[Any, Any] | None) -> list[Tensor]:
        scope.own.update(proto.constants)
        outputs = super().node(proto, number, scope, given)
        for name in proto.writes:
            self.write(Node(self, proto, [scope.find(name), outputs[0]], {}, 1, number), name, scope)
        return outputs

    def write(self, node: Any, name: str, scope: Scope) -> None:
        """Update the roots of a tensor that a node, its second input, has written into."""
        into, value = node.inputs
        if into is None or into.roots is None or (value.roots is not None and value.roots <= into.roots):
            return
        if not node.is_constant:
            node.passive(into.shape, into.first)
        (made,) = self.finished(node, [Tensor(into.shape, None, None, into.first)])
        scope.own[name] = made if node.is_constant else made.come(node.source(), into.kind)

    def rule(self, proto: Call) -> Any:
        return RULES.get(proto.op_type) if proto.domain == "torch" else super().rule(proto)

    def kind(self, proto: Call, name: str, at: int) -> int:
        known = getattr(proto, "kinds", ())
        return known[at] if at < len(known) else 0

    def check(self, proto: Call, version: int) -> None:
        """Do nothing: translations produce valid calls."""

    def note(self, root: str, name: str, is_statistic: bool) -> None:
        """Record the name of a stored tensor in the graph. Statistics of a norm are not parameters."""
        self.names.setdefault(root, []).append(name)
        if is_statistic:
            self.numbers.statistics.add(root)

    def living(self, graph: Any) -> Any:
        """Parameters that the results of a graph depend on -> the node that reads them."""
        found = living(graph)
        names = ((root, next((one for one in names if one in found), None)) for root, names in self.names.items())
        return {root: found[name] for root, name in names if name is not None}

    def extra(self, proto: Call, scope: Scope) -> list[Tensor]:
        return [one for one in map(scope.find, getattr(proto, "extra", ())) if one is not None]

    def settings(self, proto: Call) -> frozenset[Any]:
        return frozenset()

    def levels(self, proto: Call, weight: str | None) -> tuple[str, ...]:
        return relative([*proto.scopes, proto.leaf])

    def finished(self, node: Any, found: list[Any]) -> Any:
        """Outputs of a node. Those that a rule omits have their exported shapes."""
        more = getattr(node.proto, "shapes", ())[len(found) :]
        return super().finished(node, [*found, *map(Tensor, more)])

    def unruled(self, node: Any, rule: Any) -> Any:
        outputs, flowing = [Tensor(one) for one in node.proto.shapes], next(iter(node.inputs), None)
        if not outputs or None in (outputs[0].shape, getattr(flowing, "shape", None)):
            super().unruled(node, rule)
        elif rule is None or rule.multiplies:
            (shape, _), (out, times) = self.seen(flowing), self.seen(outputs[0])
            node.emit("opaque", shape, label=node.op, out=out, times=times, params=0)
        return outputs


def _inputs(program: Any, reader: _Reader, scope: Scope, inputs: dict[Any, Any]) -> None:
    """Add inputs and stored tensors to the scope. A parameter with several names is counted once."""
    first: dict = {}
    nodes = {one.name: one for one in program.graph.nodes if one.op == "placeholder"}
    statistics = _statistics(program.graph)
    for spec in program.graph_signature.input_specs:
        name, kind = spec.arg.name, spec.kind.name
        size, given = shapes(nodes[name])[0], nodes[name].meta.get("val")
        if kind == "USER_INPUT":
            inputs[name] = scope.own[name] = Tensor(size, first=len(size) > 3, made=name, kind=kind_of(given))
        elif kind == "PARAMETER" or name in statistics:
            value = program.state_dict[spec.target]
            root = first.setdefault(storage(value), spec.target)
            scope.own[name] = tensor = Tensor(size, None, frozenset([root]), kind=kind_of(value))
            reader.widths.keep(tensor, tensor.kind)
            reader.numbers.keep(tensor, tensor.size * (2 if value.is_complex() else 1))
            reader.note(root, name, is_statistic=kind != "PARAMETER")
        else:
            scope.own[name] = Tensor(size, None, frozenset())


def _statistics(graph: Any) -> set[str]:
    """Names of buffers that are running statistics of a norm. Other buffers are constants."""
    found = set()
    for one in graph.nodes:
        schema = getattr(one.target, "_schema", None)
        if schema is not None and "batch_norm" in schema.name:
            node = Exported(one)
            found |= {given.name for given in map(node.get, _STATISTICS) if given is not None}
    return found


def _calls(graph: Any) -> Iterator[Call]:
    """Calls of a graph, in order."""
    for node in graph.nodes:
        if node.op != "call_function" or getattr(node.target, "__name__", "") == "getitem":
            continue
        if str(node.target) in _WRAPPERS:
            yield from _inner(node)
        elif any(one is not None for one in shapes(node)) or not _is_silent(node):
            yield from _called(node)


def _inner(node: Any) -> Iterator[Any]:
    """Calls of a nested graph. Its tensors are prefixed with the name of the node that runs it."""
    body = next(one for one in node.args if getattr(one, "op", "") == "get_attr")
    yield from _within(
        node, getattr(node.graph.owning_module, body.target).graph, node.args[node.args.index(body) + 1 :]
    )


def _within(node: Any, graph: Any, given: Sequence[Any]) -> Iterator[Any]:
    """Calls of a graph that replaces a node. Its placeholders are the nodes `given`."""
    for one in graph.nodes:
        one.name = f"{node.name}.{one.name}"
    places = (one for one in graph.nodes if one.op == "placeholder")
    yield from (_same(node, tensor(one), at.name) for one, at in zip(given, places, strict=True))
    yield from _calls(graph)
    results = next(one for one in graph.nodes if one.op == "output").args[0]
    results = results if isinstance(results, (tuple, list)) else (results,)
    yield from (_same(node, tensor(one), name) for one, name in zip(results, outputs(node), strict=True))


def _same(node: Any, source: Any, name: str) -> Any:
    """Call that gives a tensor another name."""
    return Call(node.name, "Identity", "", (source,), (name,), (), scopes(node), "same", (), {}, (), kinds(node))


def _is_silent(node: Any) -> bool:
    """Whether a node makes no tensor: an assertion, or a number of the code."""
    value = node.meta.get("val")
    return not hasattr(value, "shape") and not isinstance(value, (tuple, list))


def _called(node: Any) -> Iterable[Call]:
    """Calls for a node: its translation, or those of simpler operators, or one of unknown cost."""
    schema = getattr(node.target, "_schema", None)
    rule = translate.find(schema.name) if schema is not None else None
    silent = [one for one in node.all_input_nodes if _is_silent(one)]
    if rule is None and not silent:
        graph = simpler(node)
        return [_unknown(node)] if graph is None else _within(node, graph, node.all_input_nodes)
    if rule is None or (silent and (translate.multiplies(rule) or None in shapes(node))):
        return [_unknown(node)]
    found = Exported(node)
    try:
        if silent:  # an index or factor that depends on data
            found.own("passive", *[one for one in found.tensors if one not in silent])
        else:
            rule(found)
    except Open:
        return [_unknown(node)]
    calls, names = found.finished(), written(node)
    return [*calls[:-1], calls[-1]._replace(writes=names)] if names else calls


def _unknown(node: Any) -> Any:
    name = getattr(node.target, "_schema", None)
    own = getattr(node.target, "__name__", type(node.target).__name__)
    space, _, op = (name.name if name else f"torch::{own}").partition("::")
    given = tuple(tensor(one) for one in node.all_input_nodes if not _is_silent(one) and one.op != "get_attr")
    return Call(node.name, op, space, given, outputs(node), (), scopes(node), op, shapes(node), {}, (), kinds(node))


def results(graph: Any) -> list[str]:
    """Names of the tensors that a graph returns."""
    given = next(one for one in graph.nodes if one.op == "output").all_input_nodes
    return [tensor(one) for one in given]


def living(graph: Any) -> dict[str, str]:
    """Names of the nodes that the results depend on, each with the node that reads it."""
    found: dict[str, str] = {}
    for node in reversed(graph.nodes):
        if node.op == "output" or node.name in found or any(name in found for name in written(node)):
            for one in node.all_input_nodes:
                found.setdefault(one.name, "the output" if node.op == "output" else node.name)
    return found
