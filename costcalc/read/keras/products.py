"""Keras layers that multiply matrices: EinsumDense, Dot and the attention layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import ascii_letters
from typing import Any

from ...model.network import Step
from ...num import equal, prod
from ...num.values import Shape
from .layer import UNKNOWN, Layer, Tensor, axis_of


def einsum_dense(layer: Layer) -> Step | None:
    """EinsumDense: a learned kernel applied by an equation. The first letter of the input is the batch."""
    given, kernel, result = _letters(layer.config["equation"], len(layer.shape))
    if given is None:
        return UNKNOWN
    sizes = dict(zip(given, layer.shape, strict=True))
    target = layer.config["output_shape"]
    target = target if isinstance(target, list) else [target]
    for letter, size in zip(result[::-1], target[::-1], strict=False):
        if size is not None:
            sizes.setdefault(letter, size)
    learned = layer.step("parameter", shape=[sizes[letter] for letter in kernel])
    steps = [layer.step("einsum", equation=f"{given},{kernel}->{result}", of=((), (learned,)))]
    steps = _as_linear(layer, (given, kernel, result), sizes) or [*steps, *_shift(layer, result, sizes)]
    return layer.group(*steps, *layer.then())


def _letters(equation: str, rank: int) -> Any:
    """Letters of the input, the kernel and the result, without the batch."""
    terms, _, result = equation.replace(" ", "").partition("->")
    given, _, kernel = terms.partition(",")
    more = "".join(one for one in ascii_letters if one not in equation)[: rank + 1 - len(given.replace("...", ""))]
    given, result = given.replace("...", more), result.replace("...", more)
    if len(given) != rank + 1 or given[:1] != result[:1] or given[:1] in kernel or "." in kernel:
        return None, "", ""
    return given[1:], kernel, result[1:]


def _as_linear(layer: Layer, letters: tuple[str, ...], sizes: Mapping[str, int]) -> list[Step] | None:
    """Steps for an equation that is a linear layer over the last axes, or None for other equations."""
    given, kernel, result = letters
    summed = "".join(letter for letter in given if letter not in result)
    kept, new = given[: len(given) - len(summed)], "".join(letter for letter in kernel if letter not in given)
    bias = layer.get("bias_axes")
    if given != kept + summed or result != kept + new or set(kernel) != set(summed + new) or bias not in (None, new):
        return None
    inputs, outputs = [sizes[one] for one in summed], [sizes[one] for one in new]
    if not inputs or not outputs:
        return None
    positions = [sizes[one] for one in kept]
    steps = [layer.reshaped((*positions, prod(inputs)))] if len(inputs) > 1 else []
    steps.append(layer.step("linear", out=prod(outputs), bias=bias is not None))
    return steps + ([layer.reshaped((*positions, *outputs))] if len(outputs) > 1 else [])


def _shift(layer: Layer, result: str, sizes: Mapping[str, int]) -> Iterator[Step]:
    """Step that adds a learned bias along some axes of the result."""
    axes = layer.get("bias_axes")
    if axes:
        shape = [sizes[letter] if letter in axes else 1 for letter in result]
        yield layer.step("add", inputs=((), (layer.step("parameter", shape=shape),)))


def dot(layer: Layer) -> Step | None:
    """Dot: a product of two tensors over one axis of each, per sample."""
    if len(layer.tensors) != 2:
        return UNKNOWN
    axes, shapes = layer.config["axes"], [one.shape for one in layer.tensors]
    axes = axes if isinstance(axes, list) else [axes, axes]
    at = [axis_of(axis, len(shape)) for axis, shape in zip(axes, shapes, strict=True)]
    if len(shapes[0]) == len(shapes[1]) == 1:
        row, column = layer.step("reshape", shape=[1, *shapes[0]]), layer.step("reshape", shape=[*shapes[1], 1])
        read = tuple((layer.named(*one),) for one in ((row, None, layer.inputs[0]), (column, None, layer.inputs[1])))
        return layer.group(layer.step("matmul", inputs=read), layer.step("flatten"))
    left, right = list(ascii_letters[: len(shapes[0])]), list(ascii_letters[26 : 26 + len(shapes[1])])
    left[at[0]] = right[at[1]] = "z"
    result = "".join(letter for letter in left + right if letter != "z")
    equation = f"{''.join(left)},{''.join(right)}->{result}"
    return layer.step("einsum", equation=equation, of=tuple(layer.inputs))


def attention(layer: Layer) -> Step | None:
    """MultiHeadAttention over all positions, which may form a grid, or over the second to last axis only."""
    axes, rank = layer.get("attention_axes"), len(layer.shape)
    axes = [axes] if type(axes) is int else axes
    every = axes is None or sorted(axis_of(axis, rank) for axis in axes) == list(range(rank - 1))
    values = layer.tensor("value", 1) or layer.tensors[min(1, len(layer.tensors) - 1)]
    keys = layer.tensor("key", 2) or values
    wide = layer.get("output_shape", layer.shape[-1:])
    wide = wide if isinstance(wide, (list, tuple)) else [wide]
    if layer.get("use_gate", False) or len(wide) > 1 or {len(one.shape) for one in (keys, values)} != {rank}:
        return UNKNOWN
    if rank < 2 or (not every and sorted(axis_of(axis, rank) for axis in axes) != [rank - 2]):
        return UNKNOWN
    if not every or rank == 2:
        return _heads(layer, (keys, values), wide[0], False)
    back = layer.reshaped((*layer.shape[:-1], wide[0]))
    return layer.group(layer.step("tokens"), _heads(layer, (keys, values), wide[0], True), back)


def _heads(layer: Layer, others: tuple[Tensor, ...], wide: int, flat: bool) -> Step:
    """Steps of multi-head attention. Keys and values may be two tensors of different widths. `flat`: all are grids."""
    heads, key, bias = layer.config["num_heads"], layer.config["key_dim"], layer.get("use_bias", True)
    value = layer.get("value_dim", key)
    keys, values = (_read(layer, one, flat) for one in others)
    if key == value and others[0].label == others[1].label:
        options = {"memory": keys} if keys else {}
        return layer.step("attention", heads=heads, head_size=key, out=wide, bias=bias, **options)
    read = tuple(
        (*source, layer.step("linear", out=heads * size, bias=bias))
        for source, size in (((), key), (keys, key), (values, value))
    )
    attended = layer.step("attend", inputs=read, heads=heads)
    return layer.group(attended, layer.step("linear", out=wide, bias=bias))


def _read(layer: Layer, tensor: Tensor, flat: bool) -> tuple[Step, ...]:
    """Step that reads a tensor; none if the tensor is the first input."""
    if tensor.label == layer.inputs[0]:
        return ()
    return (layer.named(layer.step("tokens" if flat else "identity"), None, tensor.label),)


def grouped(layer: Layer) -> Step | None:
    """GroupedQueryAttention: several query heads share one key head."""
    others = [one for one in (layer.tensor("value", 1), layer.tensor("key", 2)) if one is not None]
    if layer.get("use_gate", False) or len({one.label for one in others}) > 1 or len(layer.shape) != 2:
        return UNKNOWN
    memory: dict[str, Any] = {"memory": others[0].label} if others and others[0].label != layer.inputs[0] else {}
    return layer.step(
        "attention",
        heads=layer.config["num_query_heads"],
        kv_heads=layer.config["num_key_value_heads"],
        head_size=layer.config["head_dim"],
        bias=layer.get("use_bias", True),
        **memory,
    )


def plain_attention(layer: Layer) -> Step | None:
    """Attention: products of queries and keys, and of weights and values, with an optional learned scale."""
    if not 2 <= len(layer.tensors) <= 3 or any(len(one.shape) != 2 for one in layer.tensors):
        return UNKNOWN
    query, value, key = (*layer.inputs, layer.inputs[1])[:3]
    layer.others = [(layer.shape[0], layer.tensors[1].shape[0])]
    if layer.get("score_mode", "dot") != "dot":
        return _additive(layer, query, (value, key), ())
    products = layer.step("attend", inputs=(query, key, value), heads=1)
    return layer.group(_scale(layer), products) if layer.get("use_scale", False) else products


def additive_attention(layer: Layer) -> Step | None:
    """AdditiveAttention: weights from the tanh of sums of queries and keys, multiplied with the values."""
    if not 2 <= len(layer.tensors) <= 3 or any(len(one.shape) != 2 for one in layer.tensors):
        return UNKNOWN
    query, value, key = (*layer.inputs, layer.inputs[1])[:3]
    scale = (layer.shape[-1],) if layer.get("use_scale", True) else None
    return _additive(layer, query, (value, key), scale)


def _scale(layer: Layer) -> Step:
    """Step that multiplies by one learned number."""
    return layer.step("mul", inputs=((), (layer.step("parameter", shape=[1]),)))


def _additive(layer: Layer, query: str, others: tuple[str, ...], scale: tuple[int, ...] | None) -> Any:
    """Steps of additive attention. `scale` is the shape of the learned factor; () stands for one or two numbers."""
    value, key = others
    (queries, wide), (keys, _) = layer.shape, layer.tensors[-1].shape
    if not equal(wide, layer.tensors[-1].shape[-1]):
        return UNKNOWN
    left = layer.named(layer.step("reshape", shape=[queries, 1, wide]), None, query)
    right = layer.named(layer.step("reshape", shape=[1, keys, wide]), None, key)
    steps = [layer.step("add", inputs=((left,), (right,)))]
    steps += [_scale(layer)] if scale == () and layer.get("use_scale", False) else []
    steps.append(layer.step("tanh"))
    steps += [layer.step("mul", inputs=((), (layer.step("parameter", shape=scale),)))] if scale else []
    steps.append(layer.step("reduce", method="sum", axis="channels"))
    steps += [_scale(layer)] if scale == () else []
    steps.append(layer.step("softmax"))
    return layer.group(*steps, layer.step("matmul", inputs=((), value)))


def spectral(layer: Layer) -> Step | None:
    """SpectralNormalization: the wrapped layer, and a vector, not trained, that estimates the norm of its kernel."""
    step, out = layer.reader.wrapped(layer.config["layer"], layer.tensors[0])
    width = _last_of_kernel(layer.config["layer"], layer.shape)
    layer.lost = out is None
    if width is None:
        return UNKNOWN
    return layer.group(step._replace(label=None, origin=None), layer.keeping(layer.step("identity"), width))


def _last_of_kernel(config: Mapping[str, Any], shape: Shape) -> Any:
    """Size of the last axis of a layer's kernel or table, or None if unknown."""
    kind, inner = config["class_name"], config["config"]
    if kind.startswith("Conv") and "Transpose" in kind:
        return shape[-1]
    if kind.startswith("Depthwise"):
        return inner.get("depth_multiplier", 1)
    return next((inner[name] for name in ("filters", "units", "output_dim") if name in inner), None)
