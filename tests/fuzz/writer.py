"""Write lists of layers that fit together by tracking the current tensor.

It tracks the kind of tensor, its channels as an expression (None if unknown), a number that changes
with the grid, and the number of grid axes, so that joined tensors match.
"""

from typing import NamedTuple

from hypothesis import strategies as st

from .writing import listed, mapped

WIDTHS = ("8", "16", "24", "width(16)", "width(8) * 2", "floor(alpha * 24)", "max(8, n * 4)", "16 if wide else 8")
MORE_WIDTHS = (
    "divisible(alpha * 16, 8)",
    "divisible(20)",
    "double(4)",
    "2 * width(4)",
    "4 * ceil(alpha * 3)",
    "8 + n",
    "2 ** (n + 2)",
)
ODD_WIDTHS = (
    "round(alpha * 16)",
    "min(16, n * 8)",
    "8 if alpha < 1 and not wide or n == 3 else 12",
    "deep * 4 + n % 2",
)
MOST = 160  # characters of an expression for channels; longer ones are dropped


class Flow(NamedTuple):
    """The current tensor: a grid, a sequence or a vector, with its channels, its grid and its axes."""

    kind: str
    channels: str | None
    grid: int
    rank: int = 2


class Writer:
    """Writes a list of layers, each by a function of `makers`: kind of flow -> functions (writer, flow) -> flow."""

    def __init__(self, draw, makers, depth=0, named=None, count=None):
        self.draw, self.makers, self.depth, self.inner = draw, makers, depth, count is not None
        self.lines, self.named = [], dict(named or {})
        self.count = count if count is not None else [0]

    def one(self, *values):
        return self.draw(st.sampled_from(values))

    def often(self):
        return self.draw(st.booleans())

    def upto(self, most):
        """An integer from 0."""
        return self.draw(st.integers(0, most))

    def width(self):
        """A number of channels, at least 4."""
        return self.one(*WIDTHS, *MORE_WIDTHS, *ODD_WIDTHS)

    def number(self):
        """A new number."""
        self.count[0] += 1
        return self.count[0]

    def fresh(self, word="x"):
        return f"{word}{self.number()}"

    def inside(self):
        """A writer for a nested list. It sees the outer names; its own names are not visible outside."""
        return type(self)(self.draw, self.makers, self.depth + 1, self.named, self.count)

    def put(self, *word, **options):
        """Write a layer, as a single word or with options."""
        self.lines.append(*word or [mapped(options)])

    def note(self):
        """Name the current tensor for later layers in this list."""
        name = self.fresh("m")
        self.put(**{"as": name})
        return name

    def layers(self, flow, most=5):
        """Write some layers of any kind; return the flow after them."""
        for _ in range(self.upto(most)):
            flow = self.layer(flow)
        return flow

    def layer(self, flow):
        plain, nesting = self.makers[flow.kind]
        flow = self.one(*plain, *(nesting if self.depth < 2 else ()))(self, flow)
        return flow if flow.channels is None or len(flow.channels) < MOST else flow._replace(channels=None)

    def known(self, flow):
        """The flow with known channels."""
        return flow if flow.channels is not None else mix(self, flow)

    def moved(self, flow, stride="2"):
        """The flow on another grid, unless the stride is 1."""
        return flow if stride == "1" else flow._replace(grid=self.number())

    def kept(self, flow):
        """A list of layers that keep the flow and its grid unchanged."""
        lines = self.inside()
        there = lines.layers(flow, 2)
        if (there.grid, there.kind, there.rank) != (flow.grid, flow.kind, flow.rank):
            lines.lines = []
            there = flow
        mix(lines, flow, flow.channels)
        return listed(lines.lines)


def mix(writer, flow, out=None, more=None):
    """Set the number of channels with a layer that suits the flow."""
    out = out or writer.width()
    writer.put(**({"conv": "1", "out": out} if flow.kind == "grid" else {"linear": out}), **(more or {}))
    return flow._replace(channels=out)
