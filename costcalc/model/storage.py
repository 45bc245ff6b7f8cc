"""How tensors are stored: which of them share memory, and how many bits a value has. Such rules are a policy.

Every figure of memory depends on them, so each carries the text of its policy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import OptionError, Problem, listed, nearest
from ..num import ceil_div, prod
from ..records import NamedTuple

BITS = ("weights", "activations", "first", "last", "bias", "group", "scale", "zero")
NONE = ("bias", "group", "scale", "zero")  # widths that may be 0
CHANNEL = -1  # as `group`: one scale for each channel of the result
SHARING = ("fold", "act", "view", "add", "dw", "concat")


class Widths(NamedTuple):
    """Bits that a layer states; 0 is what holds around it.

    weights      of its numbers
    activations  of the tensor that it makes
    bias         of its numbers that are no weights of products, where these are wider or narrower
    """

    weights: int = 0
    activations: int = 0
    bias: int = 0

    def inside(self, outer: Widths) -> Widths:
        """These widths, those that are not stated taken from around."""
        return Widths(*(mine or theirs for mine, theirs in zip(self, outer, strict=True)))


UNSTATED = Widths()


class Storage(NamedTuple):
    """A policy.

    fold       a batch norm goes into the layer with weights before it and makes no tensor
    act        an activation, element by element, writes over its input, which nothing else reads
    view       what only renames values shares storage: reshape, flatten, identity, dropout, a cut on the outermost axis
    add        a sum writes into an operand that nothing reads later, of the same shape
    dw         a depthwise convolution writes over its input, one channel at a time
    concat     what is joined is written at its place in the result at once; the layout has to allow strides
    block      an input of a block stays until the block ends, as some tools count
    input      `held`: the network's inputs are buffers; `streamed`: they are not
    workspace  `direct`: none for a convolution; `im2col`: the unfolded input of one group
    attention  `plain`: queries, keys, values, scores and context; `fused`: no scores
    times      `batch`: n runs of a layer are n copies at once; `serial`: one at a time
    batch, align          samples at once; bytes that a buffer's size is rounded up to
    activations, weights  bits of a value
    first, last           bits of both for products of the first and last layer with weights; 0: as all others
    bias                  bits of numbers that are no weights of products: biases, norms; 0: as the weights
    group, scale, zero    every `group` weights of an output have a scale and a zero point of so many bits; 0: none
    own                   whether widths that single layers state hold
    """

    fold: bool = True
    act: bool = True
    view: bool = True
    add: bool = False
    dw: bool = False
    concat: bool = False
    block: bool = False
    input: str = "held"
    workspace: str = "direct"
    attention: str = "plain"
    times: str = "batch"
    batch: int = 1
    align: int = 1
    activations: int = 32
    weights: int = 32
    first: int = 0
    last: int = 0
    bias: int = 0
    group: int = 0
    scale: int = 0
    zero: int = 0
    own: bool = False

    @property
    def bits(self) -> dict[str, Any]:
        """What `bits_of` gives for these widths."""
        return {name: getattr(self, name) for name in (*BITS, "own")}

    @property
    def sharing(self) -> tuple[str, ...]:
        """The names of the rules of sharing that hold."""
        return tuple(name for name in SHARING if getattr(self, name))

    @property
    def name(self) -> str:
        """The preset that shares as this does, or `custom`."""
        return next((name for name, one in POLICIES.items() if one.sharing == self.sharing), "custom")

    @property
    def text(self) -> str:
        """`fused (fold, act, view), 8-bit activations, 8-bit weights, batch 1`, and what else is not the default."""
        rules = ", ".join(self.sharing) or "every operation makes a tensor"
        parts = [f"{self.name} ({rules})", f"{self.activations}-bit activations", f"{self.weights}-bit weights"]
        parts.append(f"batch {self.batch}")
        parts += [f"{name} {getattr(self, name)}" for name in WORDS if getattr(self, name) != getattr(DEFAULT, name)]
        parts += [f"{name} layer {getattr(self, name)}-bit" for name in ("first", "last") if getattr(self, name)]
        parts += [f"{self.bias}-bit biases and norms"] * bool(self.bias) + self._scales
        parts += ["as layers state their bits"] * self.own
        parts += ["inputs of blocks held"] * self.block + [f"align {self.align}"] * (self.align > 1)
        return ", ".join(parts)

    @property
    def _scales(self) -> list[str]:
        if not (self.scale or self.zero):
            return []
        for_each = {0: "layer", CHANNEL: "channel"}.get(self.group, f"{self.group} weights")
        return [f"a {self.scale}-bit scale and {self.zero}-bit zero point for each {for_each}"]

    def bytes(self, values: Any, bits: int) -> Any:
        """The size of a buffer for so many values, in bytes."""
        return self.aligned(values * (bits // 8) if bits % 8 == 0 else ceil_div(values * bits, 8))

    def of(self, shape: tuple, copies: Any, bits: int) -> Any:
        """The size of a buffer for so many copies of a tensor, in bytes: sizes on one grid have it as a factor."""
        if not shape or bits % 8:
            return self.bytes(prod(shape) * copies, bits)
        return self.aligned(prod(shape[:-1]) * (shape[-1] * (copies * (bits // 8))))

    def aligned(self, size: Any) -> Any:
        """A size in bytes, rounded up as buffers are."""
        return size if self.align == 1 else ceil_div(size, self.align) * self.align


DEFAULT = Storage()
POLICIES = {
    "unfused": Storage(fold=False, act=False, view=False),
    "fused": DEFAULT,
    "inplace": Storage(add=True, dw=True, concat=True),
}
WORDS = {
    "input": ("held", "streamed"),
    "workspace": ("direct", "im2col"),
    "attention": ("plain", "fused"),
    "times": ("batch", "serial"),
}
MOST_BITS, MOST_BATCH, MOST_ALIGN = 128, 10**6, 2**20


def stored(policy: str = "fused", options: Mapping[str, Any] | None = None) -> Storage:
    """The Storage of a preset with single options changed. Raises OptionError for a name or value that cannot be."""
    if policy not in POLICIES:
        help = nearest(policy, POLICIES) or f"known: {listed(POLICIES)}"
        raise OptionError(Problem("unknown-policy", f"there is no policy `{policy}`", help=help))
    for name, value in (options or {}).items():
        _check(name, value)
    return POLICIES[policy]._replace(**(options or {}))


def bits_of(text: str | int) -> dict[str, Any]:
    """The widths that `w8a8`, `w=8,a=8` or one number says, in place of all that a spec states. Raises OptionError.

    `w4a4,first=8,last=8` has 8 bits for the products of the first and last layer with weights, `bias=32` other numbers
    than weights of 32 bits, `scale=16,zero=4,group=128` so wide a scale and zero point every 128 weights.
    """
    short = re.sub(r"^w=(\d{1,3}),a=", r"w\1a", str(text), flags=re.ASCII)
    head, *parts = short.split(",")
    found = re.fullmatch(r"w(\d{1,3})a(\d{1,3})|(\d{1,3})", head, re.ASCII)
    more = [re.fullmatch(r"(first|last|bias|group|scale|zero)=(\d{1,6}|channel)", part, re.ASCII) for part in parts]
    pairs = {one[1]: one[2] for one in more if one}
    if type(text) not in (str, int) or found is None or len(pairs) < len(parts):
        raise _bad_bits(text)
    weights, activations, both = found.groups()
    if "channel" in [pairs[name] for name in pairs if name != "group"]:
        raise _bad_bits(text)
    widths = {name: CHANNEL if value == "channel" else int(value) for name, value in pairs.items()}
    stated = {**dict.fromkeys(BITS, 0), "weights": int(both or weights), "activations": int(both or activations)}
    return {**stated, **widths, "own": False}


def _bad_bits(text: str | int) -> OptionError:
    help = "write w8a8, w4a16, 8 for both, w4a4,first=8,last=8, or w8a8,bias=32,scale=32,group=channel"
    return OptionError(Problem("bad-value", f"`bits` cannot be `{str(text)[:40]}`", help=help))


def _check(name: str, value: Any) -> None:
    if name not in Storage._fields:
        help = nearest(name, Storage._fields) or f"known: {listed(Storage._fields)}"
        raise OptionError(Problem("unknown-option", f"a policy has no option `{name}`", help=help))
    if name in WORDS:
        fits, help = value in WORDS[name], f"it is {listed(WORDS[name])}"
    elif type(DEFAULT._asdict()[name]) is bool:
        fits, help = type(value) is bool, "it is true or false"
    else:
        most = {"batch": MOST_BATCH, "align": MOST_ALIGN, "group": MOST_BATCH}.get(name, MOST_BITS)
        least = CHANNEL if name == "group" else int(name not in BITS[2:])
        fits, help = type(value) is int and least <= value <= most, f"it is a whole number from 1 to {most:,}"
    if not fits:
        raise OptionError(Problem("bad-value", f"`{name}` cannot be `{str(value)[:40]}`", help=help))
