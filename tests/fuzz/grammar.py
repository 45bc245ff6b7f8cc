"""Valid specs by a grammar of the whole language: every one of them can be read, built and counted.

What flows is followed while writing: the kind of tensor, its channels as an expression (None where that is not known)
and a number that changes with the grid, so that what is joined fits.
"""

from typing import NamedTuple

from hypothesis import strategies as st

from .writing import listed, mapped, quoted

WIDTHS = ("8", "16", "24", "width(16)", "width(8) * 2", "floor(alpha * 24)", "max(8, n * 4)", "16 if wide else 8")
MORE_WIDTHS = ("divisible(alpha * 16, 8)", "divisible(20)", "double(4)", "2 * width(4)", "4 * ceil(alpha * 3)", "8 + n")
KERNELS = ("1x1", "3x3", "5x5", "1x3", "3", "k", "[3, 1]", "2 * n + 1")
ALONE = ("relu", "act", "batchnorm", "hswish", "dropout", "identity", "softmax", "prelu", "instancenorm", "sigmoid")
VARIABLES = """vars:
  alpha: {default: 1.0, min: 0.25, max: 2, help: "width: a multiplier"}
  res: {default: 32, choices: [32, 33, 40]}
  n: {default: 2, min: 0, max: 3}
  wide: true
  k: 3x3
  act: relu
define:
  width(c): max(floor(alpha * c), 4)
  double(c): 2 * width(c)
"""
BLOCKS = """blocks:
  stem(c, s=1, a=act): [{conv: k, out: c, stride: s, then: [batchnorm, a]}]
  pair(c, m=2):
    - {repeat: m, layers: [{conv: 1x1, out: c * 2, stride: 1 if i else 2}, {conv: 3x3, out: c}], residual: i > 9}
    - {conv: 1x1, out: c}
"""
MOST = 160  # characters of an expression of channels; longer ones are not carried on


class Flow(NamedTuple):
    """What flows: a grid, a sequence or a vector, its channels, and which grid."""

    kind: str
    channels: str | None
    grid: int


class Writer:
    """Writes a list of layers, following what flows."""

    def __init__(self, draw, depth=0, inner=False, count=None):
        self.draw, self.depth, self.inner = draw, depth, inner
        self.lines, self.named = [], {}
        self.count = count if count is not None else [0]

    def one(self, *values):
        return self.draw(st.sampled_from(values))

    def often(self):
        return self.draw(st.booleans())

    def width(self):
        return self.one(*WIDTHS, *MORE_WIDTHS)

    def fresh(self, word="x"):
        self.count[0] += 1
        return f"{word}{self.count[0]}"

    def inside(self):
        """The writer of a list inside of this one, where no name is given that is used outside."""
        return Writer(self.draw, self.depth + 1, True, self.count)

    def put(self, **options):
        """Write a layer."""
        self.lines.append(mapped(options))

    def layers(self, flow, most=5):
        """Some layers of any kind; gives what flows behind them."""
        for _ in range(self.draw(st.integers(0, most))):
            flow = self.layer(flow)
        return flow

    def layer(self, flow):
        makers = {"grid": GRID, "tokens": TOKENS, "vector": VECTOR}[flow.kind]
        if self.depth > 1:
            makers = [maker for maker in makers if maker not in NESTING]
        flow = self.one(*makers)(self, flow)
        return flow if flow.channels is None or len(flow.channels) < MOST else flow._replace(channels=None)

    def known(self, flow):
        """The flow with channels that are known."""
        if flow.channels is not None:
            return flow
        return mix(self, flow)

    # layers of a grid

    def conv(self, flow):
        out, stride = self.width(), self.one("1", "1", "2", "2 if wide else 1")
        more = {"bias": self.one("true", "false", "wide")} if self.often() else {}
        more |= {"dilation": "2"} if self.one(0, 0, 1) else {}
        more |= {"then": listed([self.one(*ALONE), self.one(*ALONE)])} if self.often() else {}
        self.put(conv=self.one(*KERNELS), out=out, stride=stride, **more)
        return flow._replace(channels=out, grid=self.moved(flow, stride))

    def moved(self, flow, stride):
        if stride == "1":
            return flow.grid
        self.count[0] += 1
        return self.count[0]

    def depthwise(self, flow):
        many, stride = self.one("1", "2"), self.one("1", "2")
        self.put(dwconv=self.one("3x3", "5x5", "k"), multiplier=many, stride=stride)
        channels = flow.channels and (f"({flow.channels}) * 2" if many == "2" else flow.channels)
        return flow._replace(channels=channels, grid=self.moved(flow, stride))

    def grouped(self, flow):
        self.put(conv="3x3", out="channels * 2", groups="channels")
        return flow._replace(channels=flow.channels and f"2 * ({flow.channels})")

    def pool(self, flow):
        stride = self.one("1", "2")
        self.put(**{self.one("maxpool", "avgpool"): self.one("2x2", "3x3")}, stride=stride)
        return flow._replace(grid=self.moved(flow, stride))

    def alone(self, flow):
        self.lines.append(self.one(*ALONE))
        return flow

    def shipped(self, flow):
        """A block that comes with costcalc, called with one value, a row, rows, or names."""
        out = self.width()
        calls = (
            {"separable": f"[{quoted(out)}, 1]"},
            {"separable": f"[[8], [{quoted(out)}]]"},
            {"inverted_residual": f"[2, {quoted(out)}]"},
            {"fire": f"{{squeeze: 4, expand1: {quoted(out)}, expand3: {quoted(out)}}}"},
            {"bottleneck": f"{{a: [4, 8], b: [4, {quoted(out)}]}}"},
        )
        call = self.one(*calls)
        self.put(**call)
        return flow._replace(channels=f"2 * ({out})" if "fire" in call else out)

    def excited(self, flow):
        self.put(squeeze_excite=self.one("4", "max(channels // 4, 1)"))
        return flow

    def own(self, flow):
        out = self.width()
        self.put(**self.one({"stem": quoted(out)}, {"stem": f"[{quoted(out)}, 2, hswish]"}, {"pair": quoted(out)}))
        return flow._replace(channels=out, grid=self.moved(flow, "2"))

    def shuffled(self, flow):
        out = self.width()
        self.put(conv="1x1", out=f"4 * ({out})")
        self.put(**self.one({"depth_to_space": "2"}, {"pixel_shuffle": "2"}))
        return flow._replace(channels=out, grid=self.moved(flow, "2"))

    def mixed(self, flow):
        out = self.width()
        self.put(conv="1x1", out=f"2 * ({out})")
        self.put(channel_shuffle="2")
        return flow._replace(channels=f"2 * ({out})")

    def larger(self, flow):
        self.put(upsample="2", method=self.one("nearest", "bilinear"))
        return flow._replace(grid=self.moved(flow, "2"))

    def opaque(self, flow):
        cost = {name: self.one("0", "12345", "unknown") for name in ("mult_adds", "params") if self.often()}
        self.put(opaque=self.one("a sort", '"crop: of $things"'), **cost)
        return flow

    def included(self, flow):
        self.put(include="mobilenet.yaml", until="conv11", alpha=self.one("alpha", "0.25"), **{"as": self.fresh("net")})
        return flow._replace(channels=None, grid=self.moved(flow, "2"))

    def to_tokens(self, flow):
        self.lines.append("tokens")
        return flow._replace(kind="tokens")

    def to_vector(self, flow):
        self.put(avgpool="global")
        self.lines.append("flatten")
        return flow._replace(kind="vector")

    # sequences and vectors

    def linear(self, flow):
        out = self.width()
        self.put(linear=out)
        return flow._replace(channels=out)

    def attention(self, flow):
        out = self.width()
        self.put(linear=f"4 * ({out})")
        more = {"causal": "true"} if self.often() else {"window": "4"} if self.often() else {}
        self.put(attention="4", **more, **({"kv_heads": "2"} if self.often() else {}))
        return flow._replace(channels=f"4 * ({out})")

    def encoder(self, flow):
        self.put(linear="16")
        self.put(encoder=self.one("[4, 32]", "{heads: 2, hidden: channels * 2}"))
        return flow._replace(channels="16")

    def recurrent(self, flow):
        self.put(**{self.one("lstm", "gru", "rnn"): "8"}, bidirectional="true")
        return flow._replace(channels="16")

    def reduced(self, flow):
        self.put(reduce=self.one("mean", "max"), axis="tokens")
        return flow._replace(kind="vector")

    # layers with layers inside

    def kept(self, flow):
        """Layers that leave the flow as it was, on the same grid."""
        lines = self.inside()
        there = lines.layers(flow, 2)
        if there.grid != flow.grid or there.kind != flow.kind:
            lines.lines = []
        mix(lines, flow, flow.channels)
        return listed(lines.lines)

    def residual(self, flow):
        flow = self.known(flow)
        how = {"residual": self.one("true", "wide", "n > 1", "channels > 8")} if self.often() else {}
        how |= {"when": self.one("wide", "n >= 1", "not wide or alpha < 1")} if self.often() else {}
        how |= {"repeat": self.one("2", "n", "n + 1")} if self.often() else {}
        how |= {"times": self.one("2", "n", "3 * n")} if self.often() else {}
        how |= {"as": self.fresh("group")} if self.often() else {}
        self.put(layers=self.kept(flow), **how)
        return flow

    def added(self, flow):
        flow = self.known(flow)
        known = [name for name, there in self.named.items() if there == flow]
        others = [self.kept(flow), *([self.one(*known)] if known else [])]
        self.put(**{self.one("add", "mul"): listed(["[]", *others])}, then="[act]")
        return flow

    def joined(self, flow):
        flow, out = self.known(flow), self.width()
        branch = self.inside()
        mix(branch, flow, out)
        self.put(concat=listed(["[]", listed(branch.lines), self.kept(flow)]))
        return flow._replace(channels=f"2 * ({flow.channels}) + ({out})")

    def name(self, flow):
        if not self.inner:
            name = self.fresh()
            self.named[name] = flow
            self.put(**{"as": name})
        return flow

    def back(self, flow):
        """From an earlier tensor."""
        if not self.named:
            return flow
        name = self.one(*self.named)
        self.put(relu="", **{"from": name})
        return self.named[name]

    def reused(self, flow):
        if self.inner:
            return flow
        flow, name = mix(self, flow), self.fresh("w")
        channels = mix(self, flow, flow.channels, {"as": name}).channels
        self.put(reuse=name)
        return flow._replace(channels=channels)


def mix(writer, flow, out=None, more=None):
    """Channels of a width, with a layer that suits what flows."""
    out = out or writer.width()
    writer.put(**({"conv": "1x1", "out": out} if flow.kind == "grid" else {"linear": out}), **(more or {}))
    return flow._replace(channels=out)


_GRID = """conv conv depthwise grouped pool alone shipped excited own shuffled mixed larger opaque included
    to_tokens to_vector residual residual added joined name back reused"""
GRID = [getattr(Writer, name) for name in _GRID.split()]
_SEQUENCE = ("linear", "alone", "residual", "added", "joined", "name", "back", "reused", "opaque")
TOKENS = [getattr(Writer, name) for name in (*_SEQUENCE, "attention", "encoder", "recurrent", "reduced")]
VECTOR = [getattr(Writer, name) for name in _SEQUENCE]
NESTING = [Writer.residual, Writer.added, Writer.joined]


@st.composite
def specs(draw):
    """The text of a valid spec."""
    kind = draw(st.sampled_from(("grid", "grid", "grid", "tokens", "vector")))
    shape = {"grid": "[res, res, 3]", "tokens": "{tokens: n + 4, features: 12}", "vector": "[12]"}[kind]
    writer = Writer(draw)
    mix(writer, Flow(kind, None, 0), "8")
    writer.layers(Flow(kind, "8", 0), 9)
    defaults = draw(st.sampled_from(("", "defaults:\n  conv, dwconv: {bias: false, then: [batchnorm, act]}\n")))
    lines = "".join(f"  - {line}\n" for line in writer.lines)
    inputs = draw(st.sampled_from((f"input: {shape}\n", f"inputs: {{image: {shape}, other: [3]}}\n")))
    return f"name: a net\n{VARIABLES}{inputs}{defaults}{BLOCKS}layers:\n{lines}{draw(evidence())}"


@st.composite
def evidence(draw):
    """`published:` and `budget:`, or neither."""
    rows = [
        "{params: 12k, top1: 70.6}",
        "{at: {alpha: 0.5}, mult_adds: 1.2M, erratum: digits swapped, corrected: {mult_adds: 2.1M}}",
        "{without: softmax, mult_adds_share: 100%, not_reproducible: {mult_adds_share: of another net}}",
        "{layer: conv, params: 216, note: first, model: A}",
    ]
    chosen = draw(st.lists(st.sampled_from(rows), max_size=3))
    text = "".join(f"      - {row}\n" for row in chosen)
    published = f"published:\n  - source: A paper (arXiv:0000.00000), Table 1\n    rows:\n{text}" if chosen else ""
    return published + draw(st.sampled_from(("", "budget: {mult_adds: 10G, params: 1}\n")))
