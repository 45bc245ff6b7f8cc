"""Layers on a sequence or a vector, each as a function (writer, flow) -> flow."""

from .plain import multiple
from .writer import mix
from .writing import listed


def linear(w, flow):
    out = w.width()
    w.put(linear=out, bias=w.one("true", "false"))
    return flow._replace(channels=out)


def bilinear(w, flow):
    out, other = w.width(), w.note()
    mix(w, flow)
    w.put(bilinear=f"[[], {other}]", out=out, bias=w.one("true", "false"))
    return flow._replace(channels=out)


def attention(w, flow):
    flow = multiple(w, flow, "4")
    more = w.one({}, {"causal": "true"}, {"window": "4"}, {"causal": "true", "window": "2"}, {"head_size": "6"})
    more |= {"kv_heads": "2"} if w.often() else {}
    more |= w.one({}, {}, {"cache": "n"}, {"relative": "8"}, {"rotary": "1"}, {"qk_norm": "true"})
    if more.get("causal") == "true":
        more |= w.one({}, {"align": "first"}, {"align": "last"})
        more |= w.one({}, {"sinks": "1"}) if "window" in more else {}
    if w.one(0, 0, 1):
        more |= {"out": w.width(), "bias": w.one("false", "[true, false, true, true]")}
    w.put(attention="4", **more)
    return flow._replace(channels=more.get("out", flow.channels))


def crossed(w, flow):
    """Attention to an earlier tensor."""
    memory = w.note()
    flow = multiple(w, flow, "2")
    w.put(attention="2", memory=memory, **w.one({}, {"cached": "wide"}))
    return flow


def attend(w, flow):
    """Attention with explicitly projected queries, keys and values."""
    flow, name = multiple(w, flow, "4"), w.note()
    few = w.one("1", "2", "4")
    keys, values = (listed([f'{{linear: "channels // {few}", from: {name}}}']) for _ in range(2))
    how = w.one({}, {"causal": "true"}, {"window": "3"}, {"causal": "true", "align": "first"})
    how |= w.one({}, {"causal": "true", "window": "3", "sinks": "2"})
    w.put(attend=listed(["[]", keys, values]), heads="4", **how)
    return flow


def latent(w, flow):
    """Latent attention."""
    more = w.one({}, {"causal": "true"}, {"cache": "n"}, {"absorb": "true", "query_rank": "3"})
    more |= w.one({}, {"value_size": "5", "bias": "true"}, {"out": w.width()})
    w.put(latent_attention="2", rank="4", rope="2", head_size="3", **more)
    return flow._replace(channels=more.get("out", flow.channels))


def experts(w, flow):
    """A mixture of experts."""
    shared = {"shared": "2", "shared_hidden": "6", "shared_gate": "true"}
    more = w.one({}, {"shared": "1"}, shared) | w.one({}, {"gated": "false"}, {"bias": "true"}, {"router_bias": "true"})
    w.put(moe="8", experts="4", active=w.one("1", "2", "4"), **more)
    return flow


def scan(w, flow):
    """A Mamba block, or a sparse convolution."""
    kind, out = w.one("mamba", "scan", "sparse"), w.width()
    if kind == "mamba":
        w.put(mamba=w.one("4", "[4, 3]", "{state: 2, expand: 1}"))
    if kind == "scan":
        values, step, (into, back) = w.note(), w.fresh("step"), (w.fresh("in"), w.fresh("out"))
        for name, width in ((into, "3"), (back, "3"), (step, "channels")):
            w.put(linear=f"{values}.channels" if name == step else width, **{"from": values, "as": name})
        w.put(selective_scan=listed([values, step, into, back]), skip=w.one("true", "false"))
    if kind != "sparse":
        return flow
    sites = w.one({}, {"sites": "n + 2"}, {"pairs": "3"})
    w.put(sparse_conv="3x3", out=out, **sites, bias=w.one("true", "false"))
    return (w.moved(flow) if "sites" in sites else flow)._replace(channels=out)


def scored(w, flow):
    """Scores for a vocabulary."""
    out = w.width()
    w.put(logits=out, bias=w.one("true", "false"))
    return flow._replace(channels=out)


def products(w, flow):
    """Attention by matrix products or by einsum."""
    name, turned = w.note(), w.fresh("t")
    if w.often():
        w.put(permute="[1, 0]", **{"as": turned})
        w.put(matmul=f"[{name}, {turned}]", then="[softmax]")
        w.put(matmul=f"[[], {name}]")
    else:
        w.put(einsum='"tc,sc->ts"', of=f"[{name}, {name}]")
        w.put(einsum='"ts,sc->tc"', of=f"[[], {name}]")
    return flow


def encoder(w, flow):
    w.put(linear="16")
    w.put(encoder=w.one("[4, 32]", "{heads: 2, hidden: channels * 2}", "[[4, 32], [2, 16]]", "{a: [4, 8], b: [2, 24]}"))
    return flow._replace(channels="16")


def recurrent(w, flow):
    how = w.one({"bidirectional": "true"}, {"layers": "2"}, {"bias": "false"}, {"layers": "n", "bidirectional": "wide"})
    both = "bidirectional" in how
    w.put(**{w.one("lstm", "gru", "rnn"): "8"}, **how)
    flow = flow._replace(channels="8 * (2 if wide else 1)" if "wide" in how.values() else "16" if both else "8")
    if w.one(0, 0, 0, 1):
        w.put(lstm="8", projection="4")
        flow = flow._replace(channels="4")
    return flow if flow.channels != "4" else mix(w, flow)


def classed(w, flow):
    """Prepend a learned token."""
    w.put(concat="[[{parameter: [1, channels]}], []]", axis="tokens")
    return w.moved(flow)


def reduced(w, flow):
    w.put(reduce=w.one("mean", "max", "sum"), axis="tokens")
    return flow._replace(kind="vector", grid=0)


def first(w, flow):
    w.put(slice="1", axis="tokens")
    w.put("flatten")
    return flow._replace(kind="vector", grid=0)


def shortened(w, flow):
    w.put(**w.one({"slice": "1", "axis": "tokens"}, {"reduce": "mean", "axis": "tokens", "keep": "true"}))
    return w.moved(flow)


def to_line(w, flow):
    """Treat the sequence as a grid of one axis."""
    return flow._replace(kind="grid", rank=1)


def to_grid(w, flow):
    w.put(grid="[tokens, 1]")
    return w.moved(flow._replace(kind="grid", rank=2))


def to_sequence(w, flow):
    w.put(reshape="[1, features]")
    return w.moved(flow._replace(kind="tokens"))


TOKENS = (
    *(linear, bilinear, attention, crossed, attend, products, encoder, recurrent, recurrent, classed, reduced, first),
    *(shortened, to_line, to_grid, latent, experts, scan, scored),
)
VECTOR = (linear, bilinear, to_sequence)
