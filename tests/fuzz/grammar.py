"""Valid specs from a grammar of the whole language: each can be read, traced and counted."""

from hypothesis import strategies as st

from . import grids, plain, sequences
from .writer import Flow, Writer, mix

VARIABLES = """vars:
  alpha: {default: 1.0, min: 0.25, max: 2, help: "width: a multiplier"}
  res: {default: 32, choices: [32, 33, 40]}
  n: {default: 2, min: 0, max: 3}
  deep: n + 1
  wide: true
  k: 3x3
  act: relu
  widths: [8, 12, 16, 24]
  kinds: {small: [8, 12], large: [12, 20]}
  kind: {default: small, choices: [small, large]}
  each: {default: [8, 12], each: 2}
define:
  width(c): max(floor(alpha * c), 4)
  double(c): 2 * width(c)
"""
BLOCKS = """blocks:
  stem(c, s=1, a=act): [{conv: k, out: c, stride: s, then: [batchnorm, a]}]
  pair(c, m=2):
    - {repeat: m, layers: [{conv: 1x1, out: c * 2, stride: 1 if i else 2}, {conv: 3x3, out: c}], residual: i > 9}
    - {conv: 1x1, out: c}
  joined(c, n, skip): [{conv: 1x1, out: c + n}, {concat: [[], skip]}, {conv: 1x1, out: c}]
  gathered(names): [{concat: names}]
  padding_of(c, p, d=channels): [{conv: 3x3, out: d, padding: p}, {conv: 1x1, out: c}]
"""
INPUTS = {  # kind of flow -> shapes and flows
    "grid": (("[res, res, 3]", 2), ("{height: res, width: res - 1, channels: 3}", 2)),
    "line": (("[res, 3]", 1), ("{length: 4 * res, channels: 3}", 1)),
    "volume": (("[n + 3, res // 4, 8, 3]", 3), ("{depth: 4, height: res // 8, width: 5, channels: 3}", 3)),
    "tokens": (("{tokens: n + 4, features: 12}", 2),),
    "words": (("[n + 4]", 2),),
    "vector": (("[12]", 2),),
}
MAKERS = {  # kind of flow -> the layers that accept it, and those with nested layers
    "grid": ((*[grids.of_any_grid] * 12, *plain.PLAIN), plain.NESTING),
    "tokens": ((*sequences.TOKENS, *plain.PLAIN), plain.NESTING),
    "vector": ((*sequences.VECTOR, *plain.PLAIN), plain.NESTING),
}
DEFAULTS = (
    "",
    "defaults:\n  conv, dwconv: {bias: false, then: [batchnorm, act]}\n",
    "defaults:\n  linear: {bias: false}\n  separable: {act: hswish}\n  conv: {then: [identity]}\n",
)


@st.composite
def specs(draw):
    """The text of a valid spec."""
    kind = draw(st.sampled_from(("grid", "grid", "grid", *INPUTS)))
    shape, rank = draw(st.sampled_from(INPUTS[kind]))
    writer = Writer(draw, MAKERS)
    if kind == "words":
        writer.put(embedding="8", vocab="100")
    flows = {"line": "grid", "volume": "grid", "words": "tokens"}
    flow = mix(writer, Flow(flows.get(kind, kind), None, 0, rank), "8")
    several = draw(st.booleans())
    writer.named = {"other": Flow("vector", "5", 0)} if several else {}
    writer.layers(flow, 9)
    lines = "".join(f"  - {line}\n" for line in writer.lines)
    inputs = f"inputs: {{image: {shape}, other: [5]}}\n" if several else f"input: {shape}\n"
    defaults = draw(st.sampled_from(DEFAULTS))
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
