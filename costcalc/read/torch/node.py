"""A node of an exported graph as its translation sees it: arguments by name, and the calls to add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...num.values import Shape
from ..onnx.calls import Attribute, Call
from ..onnx.tensors import Tensor, constant, scalar

KINDS = {
    name: kind
    for kind, name in enumerate(
        (
            *("float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "str", "bool", "float16", "float64"),
            *("uint32", "uint64", "complex64", "complex128", "bfloat16"),
            *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"),
        ),
        1,
    )
}


class Open(Exception):
    """The shape of a tensor that a translation requires depends on data."""


class Node:
    """A node of an exported graph, with the arguments of the operator's schema, defaults filled in."""

    def __init__(self, node: Any) -> None:
        schema = node.target._schema
        self.node = node
        self.calls: list[Call] = []
        self.base = schema.name.partition("::")[2]
        self.given = {one.name: one.default_value for one in schema.arguments}
        self.given.update(zip((one.name for one in schema.arguments), node.args, strict=False))
        self.given.update(node.kwargs)
        self._shapes = shapes(node)

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    def get(self, name: str, default: int | None = None) -> Any:
        """Argument that not all overloads of the operator have."""
        return self.given.get(name, default)

    @property
    def shapes(self) -> tuple:
        """Shapes of the outputs. Raises Open."""
        if None in self._shapes:
            raise Open
        return self._shapes

    @property
    def many(self) -> bool:
        """Whether the node has several outputs."""
        return len(self._shapes) > 1

    @property
    def tensors(self) -> list[Any]:
        """Tensor arguments, including those in lists."""
        return [one for value in self.given.values() for one in _flat(value) if hasattr(one, "meta")]

    def step(self, op: str, *inputs: Any, shape: Shape, domain: str = "", **attributes: Any) -> Any:
        """Add an intermediate call and return the name of its tensor, which has the given shape."""
        name = f"{self.node.name}.step{len(self.calls)}"
        self._add(op, domain, inputs, (name,), (tuple(shape),), attributes)
        return name

    def call(self, op: str, *inputs: Any, domain: str = "", **attributes: Any) -> None:
        """Add the call that produces the outputs."""
        self._add(op, domain, inputs, outputs(self.node), self._shapes, attributes)

    def own(self, op: str, *inputs: Any, **attributes: Any) -> None:
        """Add a call of an operator that is defined only in `rules`."""
        self.call(op, *inputs, domain="torch", **attributes)

    def finished(self) -> list[Call]:
        """The calls. The last one also lists the tensors that none of them reads."""
        known = {name for call in self.calls for name in call.input}
        extra = tuple(dict.fromkeys(name for name in map(tensor, self.tensors) if name not in known))
        return [*self.calls[:-1], self.calls[-1]._replace(extra=extra)] if extra and self.calls else self.calls

    def _add(
        self,
        op: str,
        domain: str,
        inputs: tuple[Any, ...],
        names: tuple[str, ...],
        shapes: tuple[Shape, ...],
        attributes: Mapping[str, Any],
    ) -> None:
        constants, found = {}, []
        for at, one in enumerate(inputs):
            name = f"{self.node.name}.{len(self.calls)}.{at}"
            found.append(one if isinstance(one, str) else tensor(one) if hasattr(one, "meta") else name)
            if found[-1] == name:
                constants[name] = _constant(one)
            if one is None:
                found[-1] = ""
        given = tuple(Attribute(name, value) for name, value in attributes.items() if value is not None)
        known = kinds(self.node)
        title = f"{self.node.name}" if op == self.base else f"{self.node.name}: {self.base}"
        self.calls.append(
            Call(
                title,
                op,
                domain,
                tuple(found),
                names,
                given,
                scopes(self.node),
                self.base,
                shapes,
                constants,
                (),
                known,
            )
        )


def _constant(value: list[float] | None) -> Tensor:
    return constant((len(value),), value) if isinstance(value, (tuple, list)) else scalar(value)


def _flat(value: Any) -> list[Any]:
    return [item for one in value for item in _flat(one)] if isinstance(value, (tuple, list)) else [value]


def shapes(node: Any) -> tuple[Shape, ...]:
    """Shapes of a node's outputs, None for an output without a shape."""
    value = node.meta.get("val")
    return tuple(map(_shape, value if isinstance(value, (tuple, list)) else (value,)))


def shape(node: Any) -> Shape:
    """Shape of a node with one output. Raises Open."""
    found = shapes(node)[0]
    if found is None:
        raise Open
    return found


def _shape(value: Any) -> Any:
    sizes = getattr(value, "shape", None)
    return tuple(sizes) if sizes is not None and all(type(size) is int for size in sizes) else None


def kinds(node: Any) -> tuple[int, ...]:
    """Types of a node's outputs, as ONNX type numbers."""
    value = node.meta.get("val")
    return tuple(map(kind_of, value if isinstance(value, (tuple, list)) else (value,)))


def kind_of(value: Any) -> int:
    """ONNX number of a tensor's type, or 0 if it is not a tensor or has another type."""
    return KINDS.get(str(getattr(value, "dtype", "")).removeprefix("torch."), 0)


def outputs(node: Any) -> tuple[str, ...]:
    """Names of a node's outputs."""
    value = node.meta.get("val")
    if isinstance(value, (tuple, list)):
        return tuple(f"{node.name}.{at}" for at in range(len(value)))
    return (node.name,)


def tensor(node: Any) -> str:
    """Name of a node's tensor. One of several outputs has its index appended."""
    if getattr(node.target, "__name__", "") == "getitem" and node.op == "call_function":
        return f"{tensor(node.args[0])}.{node.args[1]}"
    return node.name


def scopes(node: Any) -> tuple[str, ...]:
    """Full names of the modules that contain a node, outermost first."""
    paths = (path for path, _ in (node.meta.get("nn_module_stack") or {}).values())
    return tuple(path.partition("@")[0] for path in paths if path)
