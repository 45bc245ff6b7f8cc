"""Random cases for every operation: input shapes and options, a few of them invalid.

A maker is a function of a `random.Random` that draws one value; the same seed draws the same values everywhere. Sides
are short, because loops visit every element of a tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import pointwise

if TYPE_CHECKING:
    import random

    from .tally import Shape


SIDES = {0: 1, 1: 9, 2: 6, 3: 4}  # rank of the grid -> the longest side


def one_of(*values: Any) -> Callable[..., Any]:
    """A maker that draws one of the given values."""
    return lambda chance: chance.choice(values)


def either(*makers: Callable[..., Any]) -> Callable[..., Any]:
    """A maker that draws from one of the given makers."""
    return lambda chance: chance.choice(makers)(chance)


def number(most: int, least: int = 1) -> Callable[..., Any]:
    """A maker of integers in a range."""
    return lambda chance: chance.randint(least, most)


def one_in(chance: random.Random, n: int) -> bool:
    """Whether a rare event happens."""
    return not chance.randrange(n)


FLAG = one_of(False, True)
SIDE = number(2, 0)  # padding on one side
CHANNELS = one_of(1, 2, 3, 4, 6)
RANKS = one_of(2, 1, 3, 2, 1, 3, 2, 1, 0)  # a grid of rank 0 is a plain vector
AXES = one_of("channels", "features", "height", "width", "depth", "length", "tokens", 0, 1, 2, 3)


def several(maker: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A maker of tuples of values."""
    return lambda chance: tuple(maker(chance) for _ in range(count))


def shapes(least: int = 1, most: int = 4, side: int = 4) -> Callable[..., Any]:
    """A shape of any rank."""
    return lambda chance: several(number(side), chance.randint(least, most))(chance)


def grids(channels: Callable[..., Any] = CHANNELS) -> Callable[..., Any]:
    """A grid of rank 0 to 3, with channels."""

    def grid(chance: random.Random) -> Shape:
        rank = RANKS(chance)
        return (*several(number(SIDES[rank]), rank)(chance), channels(chance))

    return grid


def per_axis(rank: int, maker: Callable[..., Any]) -> Callable[..., Any]:
    """A single value for all axes, one per axis, or (rarely) too many."""
    return either(*[maker] * 15, *[several(maker, rank)] * 24, several(maker, rank + 1))


def paddings(rank: int, side: Callable[..., Any] = SIDE) -> Callable[..., Any]:
    """`same`, `valid`, a number, one per axis, [before, after] per axis, a mixture, and (rarely) three sides."""
    pair = several(side, 2)
    numbers = (side, per_axis(rank, side), per_axis(rank, pair), per_axis(rank, either(side, pair)))
    return either(*(one_of("same"), one_of("valid"), *numbers) * 6, several(several(side, 3), rank))


def choices(needed: Mapping[str, Callable[..., Any]], **optional: Callable[..., Any]) -> Callable[..., Any]:
    """Options by name; optional ones are mostly present."""

    def options(chance: random.Random) -> dict[str, int | str | tuple[int | tuple[int, ...], ...]]:
        chosen = {name: maker(chance) for name, maker in needed.items()}
        return chosen | {name: maker(chance) for name, maker in optional.items() if not one_in(chance, 3)}

    return options


def bent(chance: random.Random, shape: Shape) -> tuple[int, ...]:
    """The shape itself, or (rarely) a slightly different one."""
    if not one_in(chance, 6):
        return shape
    at = chance.randrange(len(shape))
    return chance.choice(((*shape[:at], shape[at] + 1, *shape[at + 1 :]), (2, *shape)))


def mostly_two(chance: random.Random, flowing: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """The first two of three tensors, rarely one or all."""
    return flowing[: chance.choice((2, 2, 2, 2, 2, 3, 2, 2, 1))]


def on_any(shape: Callable[..., Any], needed: Any = None, **optional: Callable[..., Any]) -> Callable[..., Any]:
    """One tensor with options that do not depend on its shape."""
    options = choices(needed or {}, **optional)
    return lambda chance: ((shape(chance),), options(chance))


def convolutions(**more: Callable[..., Any]) -> Callable[..., Any]:
    """A grid, and the options of every convolution."""

    def case(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, Any]]:
        shape = grids()(chance)
        rank = len(shape) - 1
        steps, spread = per_axis(rank, number(3)), per_axis(rank, one_of(1, 1, 1, 2, 3))
        own = {name: maker(rank) for name, maker in more.items()}
        needed = {"kernel": per_axis(rank, number(3))}
        options = choices(needed, stride=steps, padding=paddings(rank), dilation=spread, bias=FLAG, **own)
        return (shape,), options(chance)

    return case


def grouped_convolutions(**more: Callable[..., Any]) -> Callable[..., Any]:
    """As `convolutions`, with outputs and groups that mostly divide the channels."""

    def case(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, Any]]:
        (shape,), options = convolutions(**more)(chance)
        groups = chance.choice((1, 1, 2, 2, 3))
        fitting = either(*[one_of(groups, 2 * groups)] * 4, CHANNELS)
        said = {"groups": groups} if groups > 1 or FLAG(chance) else {}
        return ((*shape[:-1], fitting(chance)),), {"out": fitting(chance), **options, **said}

    return case


def pools(**more: Callable[..., Any]) -> Callable[..., Any]:
    """A grid, and the options of pooling."""

    def case(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, Any]]:
        shape = grids(number(2))(chance)
        rank = len(shape) - 1
        kernel = either(per_axis(rank, number(4)), per_axis(rank, number(4)), one_of("global"))
        steps, padding = per_axis(rank, number(4)), paddings(rank, one_of(0, 0, 0, 0, 1, 1, 2))
        own = {name: per_axis(rank, maker) for name, maker in more.items()}
        return (shape,), choices({"kernel": kernel}, stride=steps, padding=padding, ceil_mode=FLAG, **own)(chance)

    return case


def on_grid(name: str, maker: Callable[..., Any]) -> Callable[..., Any]:
    """A grid, and an option with one value per axis."""

    def case(chance: random.Random) -> tuple[Any, ...]:
        shape = grids(number(3))(chance)
        return (shape,), {name: per_axis(len(shape) - 1, maker)(chance)}

    return case


ALIGN = one_of("last", "first")
BIASES = (True, False, True, True)  # of queries, keys, values and the result


def attentions(chance: random.Random) -> tuple[Any, ...]:
    """A sequence, often a memory, and heads that often divide the channels."""
    outer = shapes(0, 2, 2)(chance)
    shape = (*outer, chance.randint(1, 5), chance.choice((2, 4, 6, 8, 3)))
    memory = (*outer, chance.choice((shape[-2], chance.randint(1, 5))), chance.randint(1, 4))
    flowing = chance.choice(((shape,), (shape, memory), (shape, shapes()(chance)), (shape[1:],)))
    heads = one_of(1, 2, 4)
    more = {
        "kv_heads": heads,
        "head_size": number(3),
        "causal": FLAG,
        "window": number(6),
        "align": ALIGN,
        "out": number(5),
    }
    options = choices({"heads": one_of(1, 2, 4, 3)}, **more, bias=one_of(True, False, BIASES))(chance)
    return flowing, options | _decoding(chance)


def _decoding(chance: random.Random) -> dict[str, Any]:
    """The options of attention in language models: mostly none, or a consistent set."""
    sunk = {"causal": True, "window": chance.randint(1, 4), "sinks": chance.randint(0, 3)}
    cached = {"cache": chance.randint(0, 5), "align": "last"}
    masks: tuple[dict[str, Any], ...] = (
        {},
        {},
        {"cached": FLAG(chance)},
        cached,
        {**cached, "causal": True},
        {**sunk, "align": "last"},
        {**sunk, **cached},
        sunk,
    )
    places: tuple[dict[str, Any], ...] = ({}, {}, {"relative": chance.randint(1, 4)}, {"rotary": chance.randint(1, 3)})
    return {**chance.choice(masks), **chance.choice(places), **chance.choice(({}, {}, {"qk_norm": FLAG(chance)}))}


def attends(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, int]]:
    """Queries, keys and values that mostly match, with options."""
    outer, size, kv_heads = shapes(0, 2, 2)(chance), chance.randint(1, 3), chance.randint(1, 3)
    queries, heads = chance.randint(1, 5), chance.choice((1, 1, 2, 2, 3)) * kv_heads
    keys = chance.choice((queries, chance.randint(1, 5)))
    fitting = ((queries, heads * size), (keys, kv_heads * size), (keys, kv_heads * chance.randint(1, 3)))
    flowing = tuple(bent(chance, (*outer, *shape)) for shape in fitting)[: chance.choice((3, 3, 3, 3, 2))]
    heads = chance.choice((heads, heads, heads, heads, chance.randint(1, 4)))
    options = {"heads": heads, **choices({}, causal=FLAG, window=number(6), align=ALIGN)(chance)}
    sunk = {"causal": True, "window": chance.randint(1, 4), "sinks": chance.randint(0, 3), "align": "last"}
    return flowing, {**options, **chance.choice(({}, {}, {}, sunk))}


def experts(chance: random.Random) -> tuple[Any, ...]:
    """Tokens, and experts that are mostly at least the active ones."""
    many = chance.randint(1, 4)
    active = chance.randint(1, many) if not one_in(chance, 8) else many + 1
    needed = {"hidden": number(3), "experts": one_of(many), "active": one_of(active)}
    flags = dict.fromkeys(("gated", "bias", "router_bias"), FLAG)
    more = choices({}, shared=number(2, 0), shared_hidden=number(3), **flags)(chance)
    gate = {"shared_gate": True} if one_in(chance, 4) else {}
    return (shapes(1, 3, 3)(chance),), {**choices(needed)(chance), **more, **gate}


def scans(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, Any]]:
    """Values, steps, B and C that mostly match."""
    length, channels, state = (chance.randint(1, 4) for _ in range(3))
    fitting = ((length, channels), (length, channels), (length, state), (length, state))
    count = 3 if one_in(chance, 12) else 4
    return tuple(bent(chance, shape) for shape in fitting)[:count], choices({}, skip=FLAG)(chance)


def latents(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, Any]]:
    """A sequence, and the sizes of latent attention."""
    needed = {"heads": number(2), "rank": number(3), "rope": number(2, 0), "head_size": number(3)}
    more = {"value_size": number(3), "query_rank": number(3), "out": number(3), "cache": number(3, 0)}
    options = choices(needed, **more, **dict.fromkeys(("causal", "absorb", "bias"), FLAG))(chance)
    shape = (chance.randint(1, 4), chance.randint(1, 4))
    return ((2, *shape) if one_in(chance, 8) else shape,), options


def sparse(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, Any]]:
    """A list of sites, a kernel, and a number of pairs that is mostly possible."""
    kernel = number(3)(chance) if one_in(chance, 8) else shapes(1, 3, 2)(chance)
    options = choices({"kernel": one_of(kernel), "out": number(3)}, sites=number(4), pairs=number(6, 0), bias=FLAG)
    shape = (chance.randint(1, 4), chance.randint(1, 3))
    return ((*shape, 2) if one_in(chance, 8) else shape,), options(chance)


def matrices(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[Any, Any]]:
    """Two tensors whose shapes mostly allow a matrix product."""
    *batch, n, k, m = shapes(3, 5, 3)(chance)
    return mostly_two(chance, (bent(chance, (*batch, n, k)), bent(chance, (*batch, k, m)), (k, m))), {}


def bilinears(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, int]]:
    """Two tensors, mostly with the same positions."""
    positions = shapes(0, 2, 3)(chance)
    one, other = (bent(chance, (*positions, chance.randint(1, 4))) for _ in range(2))
    return mostly_two(chance, (one, other, (2,))), choices({"out": number(4)}, bias=FLAG)(chance)


def einsums(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, str]]:
    """An equation over four letters, and tensors that mostly match it."""
    terms = ["".join(several(one_of(*"abcd"), chance.randint(1, 3))(chance)) for _ in range(chance.randint(1, 2))]
    if one_in(chance, 16):
        terms.append("a")
    named = sorted(set("".join(terms)))
    kept = chance.sample(named, min(chance.randint(0, 3), len(named)))
    if kept and one_in(chance, 8):
        kept.append(kept[0])
    size = dict(zip("abcd", shapes(4, 4, 3)(chance), strict=True))
    flowing = tuple(bent(chance, tuple(size[letter] for letter in term)) for term in terms)
    text = ",".join(terms) + chance.choice(("->", " -> ", "->", "->", "->e", "")) + "".join(kept)
    return flowing[: chance.choice((3, 3, 3, 1))], {"equation": text}


def joins(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[Any, Any]]:
    """Tensors that mostly broadcast: with missing leading axes, or axes of size 1."""
    shape = shapes(1, 4, 3)(chance)
    flowing = []
    for _ in range(chance.choice((2, 2, 2, 2, 2, 3, 2, 2, 1))):
        thin = tuple(chance.choice((size, size, size, 1)) for size in shape)
        flowing.append(bent(chance, thin[chance.randrange(len(shape)) :]))
    return tuple(flowing), {}


def concats(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, int | str]]:
    """Tensors that mostly differ along one axis only."""
    shape = shapes(1, 4, 3)(chance)
    axis = chance.choice((chance.randrange(len(shape)), AXES(chance)))
    at = axis if type(axis) is int and axis < len(shape) else len(shape) - 1
    branches = 0 if one_in(chance, 12) else chance.randint(1, 3)
    flowing = [bent(chance, (*shape[:at], chance.randint(1, 3), *shape[at + 1 :])) for _ in range(branches)]
    return tuple(flowing), choices({}, axis=either(one_of(axis), AXES))(chance)


def routes(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, tuple[float, ...]]]:
    """Tensors mostly of the same shape, and probabilities that mostly sum to 1."""
    shape, branches = shapes(1, 4, 3)(chance), chance.randint(2, 4)
    flowing = [shape, *(bent(chance, shape) if one_in(chance, 8) else shape for _ in range(branches - 1))]
    parts = [chance.randint(0, 4) for _ in range(branches - 1)]
    total = sum(parts) + 1 + one_in(chance, 12)
    return tuple(flowing), {"prob": (*(part / total for part in parts), 1 / total)}


def reshapes(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, tuple[int, ...]]]:
    """A shape, and another mostly with as many elements."""
    a, b, c = shapes(3, 3, 4)(chance)
    return ((a, b * c),), {"shape": bent(chance, chance.choice(((a * b, c), (a * b * c,), (c, a, b))))}


def permutes(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, tuple[int, ...]]]:
    """A shape, and mostly a permutation of its axes."""
    shape = shapes()(chance)
    order = chance.sample(range(len(shape)), len(shape))
    return (shape,), {"order": shapes(0, 4, 3)(chance) if one_in(chance, 5) else tuple(order)}


def pads(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, Any]]:
    """A grid and a padding."""
    shape = grids()(chance)
    return (shape,), {"padding": paddings(len(shape) - 1, SIDE)(chance)}


def sequences_for_grids(chance: random.Random) -> tuple[Any, ...]:
    """Mostly as many tokens as a grid has positions."""
    size = either(number(4), shapes(1, 3, 4))(chance)
    count = math.prod(size) if type(size) is tuple else size * size
    return (bent(chance, (count, chance.randint(1, 3))),), {"size": size}


def upsamples(chance: random.Random) -> tuple[tuple[tuple[int, ...], ...], dict[str, Any]]:
    """A grid with a factor or a size, rarely both or neither."""
    shape = grids(number(2))(chance)
    rank = len(shape) - 1
    ways = {"scale": per_axis(rank, one_of(0.3, 0.5, 1, 1.25, 1.5, 2, 2.5, 3)), "to": per_axis(rank, number(5))}
    chosen = chance.choice((("scale",), ("to",), ("scale",), ("to",), ("scale", "to"), ()))
    methods = one_of("nearest", "bilinear")
    return (shape,), choices({name: ways[name] for name in chosen}, method=methods)(chance)


def recurrents(**more: Callable[..., Any]) -> Callable[..., Any]:
    """A sequence or (rarely) another tensor, and the options of recurrent layers."""
    shape = either(*[lambda chance: (chance.randint(1, 5), chance.randint(1, 4))] * 6, shapes())
    return on_any(shape, {"hidden": number(4)}, layers=number(3), bidirectional=FLAG, bias=FLAG, **more)


_AMOUNT = either(one_of("unknown"), number(30, 0))
_AFFINE = {"scale": FLAG, "shift": FLAG}
_PADDED_OUTPUT = {"output_padding": lambda rank: per_axis(rank, one_of(0, 0, 0, 1, 2))}

CASES = {  # operation -> a maker of (shapes, options)
    **{name: on_any(shapes()) for name in pointwise.PERFORMERS},
    "prelu": on_any(shapes(), shared=FLAG),
    "glu": on_any(shapes(1, 4, 6)),
    **dict.fromkeys(("add", "sub", "mul", "div"), joins),
    "conv": grouped_convolutions(),
    "dwconv": convolutions(multiplier=lambda rank: number(3)),
    "conv_transpose": grouped_convolutions(**_PADDED_OUTPUT),
    "linear": on_any(shapes(), {"out": number(6)}, bias=FLAG),
    "bilinear": bilinears,
    "matmul": matrices,
    "einsum": einsums,
    "embedding": on_any(shapes(1, 3), {"out": number(5), "vocab": number(7)}),
    "parameter": lambda chance: (
        (),
        choices({"shape": shapes()}, kind=one_of("weight", "bias", "gamma", "beta", "slope", "running"))(chance),
    ),
    **dict.fromkeys(("batchnorm", "layernorm", "instancenorm"), on_any(shapes(), **_AFFINE)),
    "groupnorm": on_any(grids(), {"groups": number(4)}, **_AFFINE),
    "rmsnorm": on_any(shapes(), scale=FLAG),
    "lrn": on_any(shapes(), size=number(6)),
    "maxpool": pools(dilation=number(3)),
    **dict.fromkeys(("avgpool", "lppool"), pools()),
    **dict.fromkeys(("adaptive_avgpool", "adaptive_maxpool"), on_grid("size", number(5))),
    "reduce": on_any(shapes(), {"method": one_of("mean", "sum", "max"), "axis": AXES}, keep=FLAG),
    "concat": concats,
    "one_of": routes,
    "split": on_any(shapes(1, 4, 6), {"parts": number(3)}, part=number(2, 0), axis=AXES),
    "slice": on_any(shapes(1, 4, 6), {"size": number(4)}, start=number(3, 0), axis=AXES),
    "pad": pads,
    "flatten": on_any(shapes()),
    "reshape": reshapes,
    "permute": permutes,
    "tokens": on_any(grids()),
    "grid": sequences_for_grids,
    "windows": on_grid("size", number(3)),
    **dict.fromkeys(("space_to_depth", "pixel_unshuffle"), on_any(grids(), {"factor": number(3)})),
    **dict.fromkeys(("depth_to_space", "pixel_shuffle"), on_any(grids(one_of(1, 2, 4, 8, 9)), {"factor": number(3)})),
    "channel_shuffle": on_any(grids(), {"groups": number(4)}),
    "upsample": upsamples,
    "attention": attentions,
    "attend": attends,
    "logits": on_any(shapes(), {"vocab": number(6)}, bias=FLAG),
    "moe": experts,
    "selective_scan": scans,
    "latent_attention": latents,
    "sparse_conv": sparse,
    "rnn": recurrents(),
    "lstm": recurrents(projection=number(3)),
    "gru": recurrents(),
    "opaque": on_any(shapes(), {"label": one_of("a thing")}, out=shapes(), mult_adds=_AMOUNT, params=_AMOUNT),
}
