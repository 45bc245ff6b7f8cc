"""Storage policies: which tensors share memory, and how many bits a value has.

Every memory figure depends on the policy, so each is shown with the text of its policy.
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
CHANNEL = -1  # value of `group`: one scale for each output channel
SHARING = ("fold", "act", "view", "add", "dw", "concat")


class Widths(NamedTuple):
    """Bits that a layer states; 0: inherited from the enclosing step.

    weights      bits of its parameters
    activations  bits of its output
    bias         bits of its parameters that are not weights of products, if different
    """

    weights: int = 0
    activations: int = 0
    bias: int = 0

    def inside(self, outer: Widths) -> Widths:
        """These widths, with unstated ones taken from `outer`."""
        return Widths(*(mine or theirs for mine, theirs in zip(self, outer, strict=True)))


UNSTATED = Widths()


class Storage(NamedTuple):
    """A storage policy.

    fold       a batch norm is folded into the preceding layer with weights and makes no tensor
    act        an elementwise activation overwrites its input, if nothing else reads it
    view       views share storage: reshape, flatten, identity, dropout, a slice or split of the outermost axis
    add        a sum overwrites an operand of the same shape that has no later reader
    dw         a depthwise convolution overwrites its input, one channel at a time
    concat     operands are written directly into the result; requires strided writes
    block      an input of a block is kept until the block ends, as some tools count
    input      `held`: the network's inputs are buffers; `streamed`: they are not
    workspace  `direct`: none for a convolution; `im2col`: the unfolded input of one group
    attention  `plain`: queries, keys, values, scores and context; `fused`: no scores
    times      `batch`: n runs of a layer are n simultaneous copies; `serial`: one at a time
    batch, align          samples per batch; multiple in bytes to which buffer sizes are rounded up
    activations, weights  bits of a value
    first, last           bits of both for the products of the first and last layer with weights; 0: as all others
    bias                  bits of parameters that are not weights of products: biases, norms; 0: as the weights
    group, scale, zero    every `group` weights share a scale and a zero point of these widths in bits; 0: none
    own                   whether widths stated by single layers apply
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
        """The widths in the form of `bits_of`."""
        return {name: getattr(self, name) for name in (*BITS, "own")}

    @property
    def sharing(self) -> tuple[str, ...]:
        """The names of the active sharing rules."""
        return tuple(name for name in SHARING if getattr(self, name))

    @property
    def name(self) -> str:
        """The name of the preset with the same sharing rules, or `custom`."""
        return next((name for name, one in POLICIES.items() if one.sharing == self.sharing), "custom")

    @property
    def text(self) -> str:
        """`fused (fold, act, view), 8-bit activations, 8-bit weights, batch 1`, then all other non-default settings."""
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
        """The size in bytes of a buffer for a number of values."""
        return self.aligned(values * (bits // 8) if bits % 8 == 0 else ceil_div(values * bits, 8))

    def of(self, shape: tuple, copies: Any, bits: int) -> Any:
        """The size in bytes of a buffer for copies of a tensor. The grid stays a factor, which simplifies formulas."""
        if not shape or bits % 8:
            return self.bytes(prod(shape) * copies, bits)
        return self.aligned(prod(shape[:-1]) * (shape[-1] * (copies * (bits // 8))))

    def aligned(self, size: Any) -> Any:
        """A size in bytes, rounded up to the alignment."""
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
    """The Storage of a preset with changed options. Raises OptionError for an unknown name or an invalid value."""
    if policy not in POLICIES:
        help = nearest(policy, POLICIES) or f"known: {listed(POLICIES)}"
        raise OptionError(Problem("unknown-policy", f"there is no policy `{policy}`", help=help))
    for name, value in (options or {}).items():
        _check(name, value)
    return POLICIES[policy]._replace(**(options or {}))


def bits_of(text: str | int) -> dict[str, Any]:
    """Parse widths: `w8a8`, `w=8,a=8` or a single number. They replace all that a spec states. Raises OptionError.

    `first=8,last=8` sets the products of the first and last layer with weights, `bias=32` the parameters that are not
    weights, and `scale=16,zero=4,group=128` a scale and a zero point for every 128 weights.
    """
    short = re.sub(r"^w=(\d{1,3}),a=", r"w\1a", str(text), flags=re.ASCII)
    head, *parts = short.split(",")
    match = re.fullmatch(r"w(\d{1,3})a(\d{1,3})|(\d{1,3})", head, re.ASCII)
    more = [re.fullmatch(r"(first|last|bias|group|scale|zero)=(\d{1,6}|channel)", part, re.ASCII) for part in parts]
    pairs = {one[1]: one[2] for one in more if one}
    if type(text) not in (str, int) or match is None or len(pairs) < len(parts):
        raise _bad_bits(text)
    weights, activations, both = match.groups()
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
