"""Receptive fields: the positions of the network's input that each position of a tensor depends on.

Along an axis, unit i of a tensor reads the input positions a + i*step to b + i*step; the input has step 1, a = b = 0.
A window of span k with stride s and padding p sets a = a - p*step, b = b + (k - 1 - p)*step, step = step*s. The size is
b - a + 1, the effective stride is step, the effective padding -a. Joins take the smallest a and the largest b.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ..ops.window import each, is_word, margins
from ..records import NamedTuple
from .rows import Row, Trace


class Axis(NamedTuple):
    """One axis: the step between units in input positions, and the first and last position that unit 0 reads."""

    step: Fraction
    first: Fraction
    last: Fraction


START = Axis(Fraction(1), Fraction(0), Fraction(0))


class Field(NamedTuple):
    """The receptive field of a tensor.

    axes     one Axis per axis of the input's grid, ignoring layers that read the whole input; None if unknown
    whole    whether a preceding layer reads the whole input: a global pool, squeeze-and-excitation, attention
    aligned  whether the fields of all joined branches have the same centre
    """

    axes: tuple[Axis, ...] | None
    whole: bool = False
    aligned: bool = True

    @property
    def size(self) -> tuple[int, ...]:
        """Input positions along each axis; () if unknown."""
        return tuple(_rounded(axis.last - axis.first + 1) for axis in self.axes or ())

    @property
    def stride(self) -> tuple[Any, ...]:
        """Input positions between neighbouring units."""
        return tuple(_plain(axis.step) for axis in self.axes or ())

    @property
    def padding(self) -> tuple[Any, ...]:
        """How many positions the first unit reads before the start of the input."""
        return tuple(_plain(-axis.first) for axis in self.axes or ())


UNKNOWN = Field(None)
_WINDOWS = ("conv", "dwconv", "maxpool", "avgpool", "lppool")
_WHOLE = ("groupnorm", "instancenorm", "attention", "attend", "latent_attention", "selective_scan")
_RECURRENT = ("rnn", "lstm", "gru")
_KEEP = ("tokens", "grid", "flatten", "linear", "split", "channel_shuffle", "embedding", "logits", "moe")
_OUT = ("windows", "permute", "reshape", "matmul", "einsum", "bilinear", "opaque", "parameter", "sparse_conv")


def fields(walked: Trace) -> list[Field]:
    """The field of each row's output, for a numeric trace. UNKNOWN if the operation rearranges positions."""
    known: dict[Any, Field] = {name: Field((START,) * (len(shape) - 1)) for name, shape in walked.inputs.items()}
    for number, row in enumerate(walked.rows):
        inputs = [known[source] for source in row.sources if source is not None]
        known[number] = _of(row, inputs)
    return [known[number] for number in range(len(walked.rows))]


def terms(walked: Trace, found: Sequence[Field], number: int) -> list[tuple[str, int, int]]:
    """(layer, span - 1, step before it) of the windows that form a row's field along its first axis, in order.

    The size of the field is 1 plus their products. Empty if no single chain of layers explains it, as after a join.
    """
    chain: list[tuple[str, int, int]] = []
    at: Any = number
    while type(at) is int:
        before = [made for made in walked.rows[at].sources if made is not None]
        known = {made: found[made].axes if type(made) is int else (START,) for made in before}
        sizes = {made: axes[0].last - axes[0].first for made, axes in known.items() if axes}
        axes = found[at].axes
        if not sizes or not axes:
            return []
        source = max(sizes, key=sizes.__getitem__)
        step = (known[source] or axes)[0].step
        grown = (axes[0].last - axes[0].first - sizes[source]) / step
        if grown:
            chain.append((walked.rows[at].name, int(grown), int(step)))
        at = source
    fits = found[number].size and 1 + sum(growth * step for _, growth, step in chain) == found[number].size[0]
    return chain[::-1] if fits else []


def _of(row: Row, inputs: Sequence[Field]) -> Field:
    name = row.op.name
    if not inputs or name in _OUT or any(field.axes is None for field in inputs):
        return UNKNOWN
    before = inputs[0] if len(inputs) == 1 else _joined(row, inputs)
    grid = row.inputs[0][:-1]
    if name in (*_WHOLE, *_RECURRENT) or _is_global(row):
        return before._replace(whole=True)
    if name in ("flatten", "linear") and any(size != 1 for size in _mixed(row)):
        return before._replace(whole=True)
    if before.axes is None or name in _KEEP or len(grid) != len(before.axes):
        return before if before.axes is None or name in _KEEP or _is_by_position(row) else UNKNOWN
    return before._replace(axes=_moved(row, before.axes))


def _moved(row: Row, axes: tuple[Axis, ...]) -> tuple[Axis, ...] | None:
    """The axes after a row with one input on a grid."""
    name, grid, options = row.op.name, row.inputs[0][:-1], row.options
    if name in _WINDOWS:
        steps, spans = row.layer.detail["stride"], _spans(row)
        pads = _paddings(options.get("padding", "valid" if name == "lppool" else "same"), grid, steps, spans)
        return tuple(map(_slid, axes, spans, steps, pads))
    if name in ("space_to_depth", "pixel_unshuffle"):
        factor = options["factor"]
        return tuple(_slid(axis, factor, factor, 0) for axis in axes)
    if name in ("adaptive_avgpool", "adaptive_maxpool"):
        return _adapted(axes, grid, row.layer.shape)
    if name in ("depth_to_space", "pixel_shuffle", "upsample", "conv_transpose"):
        return _spread(row, axes)
    if name == "pad":
        return tuple(
            _shifted(axis, -before) for axis, (before, _) in zip(axes, margins(options["padding"], grid), strict=True)
        )
    if name == "slice" and row.layer.shape[:-1] != grid:
        starts = [options.get("start", 0) if a != b else 0 for a, b in zip(grid, row.layer.shape, strict=False)]
        return tuple(map(_shifted, axes, starts))
    return axes if row.layer.shape[:-1] == grid or _is_join(row) else None


def _slid(one: Axis, span: int, stride: int, padding: int) -> Axis:
    first, last = one.first - padding * one.step, one.last + (span - 1 - padding) * one.step
    return Axis(one.step * stride, first, last)


def _shifted(one: Axis, by: int) -> Axis:
    return Axis(one.step, one.first + by * one.step, one.last + by * one.step)


def _spans(row: Row) -> tuple[int, ...]:
    kernel = row.layer.detail["kernel"]
    dilation = each(row.options.get("dilation", 1), kernel)
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def _paddings(padding: Any, grid: Sequence[int], steps: Sequence[int], spans: Sequence[int]) -> tuple[int, ...]:
    """The padding before the first position of each axis; with `same` it depends on the size, as in TensorFlow."""
    if is_word(padding, "same"):
        left = zip(grid, steps, spans, strict=True)
        return tuple(max(k - (s if n % s == 0 else n % s), 0) // 2 for n, s, k in left)
    return tuple(before for before, _ in margins(0 if is_word(padding, "valid") else padding, grid))


def _adapted(axes: tuple[Axis, ...], grid: Sequence[int], shape: Sequence[int]) -> tuple[Axis, ...] | None:
    pairs = [*zip(axes, grid, shape, strict=False)]
    if any(n % size for _, n, size in pairs):
        return None
    return tuple(_slid(axis, n // size, n // size, 0) for axis, n, size in pairs)


def _spread(row: Row, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The axes of an upsampled grid; if the fields of its positions differ in size, the largest."""
    name, grid, options = row.op.name, row.inputs[0][:-1], row.options
    more = [0] * len(axes)
    factors = [Fraction(after, before) for before, after in zip(grid, row.layer.shape, strict=False)]
    if name == "conv_transpose":
        factors = [Fraction(s) for s in row.layer.detail["stride"]]
        more = [-(-k // int(s)) - 1 for k, s in zip(_spans(row), factors, strict=True)]
    elif options.get("method") == "bilinear":
        more = [1 if factor != 1 else 0 for factor in factors]
    triples = zip(axes, factors, more, strict=True)
    return tuple(Axis(axis.step / factor, axis.first, axis.last + by * axis.step) for axis, factor, by in triples)


def _joined(row: Row, inputs: Sequence[Field]) -> Field:
    """The field of joined tensors. A tensor that broadcasts over the grid makes the result read the whole input."""
    grid = row.layer.shape[:-1]
    spread = [shape[:-1] != grid and row.op.name != "concat" for shape in row.inputs]
    kept = [one for one, stretched in zip(inputs, spread, strict=False) if not stretched] or list(inputs)
    whole = any(spread) or any(one.whole for one in inputs)
    if row.op.name == "concat" and any(shape[:-1] != grid for shape in row.inputs):
        return UNKNOWN
    columns = [*zip(*(one.axes or () for one in kept), strict=False)]
    if any(len({one.step for one in column}) > 1 for column in columns):
        return UNKNOWN  # their positions do not correspond
    axes = tuple(Axis(c[0].step, min(one.first for one in c), max(one.last for one in c)) for c in columns)
    centred = all(len({one.first + one.last for one in column}) == 1 for column in columns)
    return Field(axes, whole, centred and all(one.aligned for one in kept))


def _is_join(row: Row) -> bool:
    return len(row.inputs) > 1


def _is_global(row: Row) -> bool:
    """Whether a pool or a reduction reads the whole grid."""
    if row.op.name == "reduce":
        return row.inputs[0][:-1] != row.layer.shape[:-1]
    return is_word(row.options.get("kernel", 1), "global") or (
        row.op.name.startswith("adaptive") and all(size == 1 for size in row.layer.shape[:-1])
    )


def _mixed(row: Row) -> Sequence[int]:
    """The sizes of the axes that a row mixes: the grid for `flatten`, else none."""
    return row.inputs[0][:-1] if row.op.name == "flatten" else ()


def _is_by_position(row: Row) -> bool:
    """Whether a row processes each position independently, so that their layout is irrelevant."""
    return row.op.name not in (*_WINDOWS, "conv_transpose", "upsample", "pad", "space_to_depth", "depth_to_space")


def _rounded(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def _plain(value: Fraction) -> Any:
    return value.numerator if value.denominator == 1 else float(value)
