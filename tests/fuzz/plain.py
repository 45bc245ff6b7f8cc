"""Layers for any tensor, each as a function (writer, flow) -> flow."""

from costcalc.ops import ACTIVATIONS

from .writer import mix
from .writing import listed

WORDS = (  # layers without options that keep the shape
    *(name for name in ACTIVATIONS if name != "glu"),
    *("act", "batchnorm", "instancenorm", "layernorm", "rmsnorm", "lrn", "dropout", "identity"),
)


def multiple(w, flow, times):
    """Make the channels a multiple of a number."""
    return mix(w, flow, f"{times} * ({w.width()})")


def alone(w, flow):
    w.put(w.one(*WORDS))
    return flow


def optioned(w, flow):
    """A layer that keeps the shape, with its own options and common ones."""
    how = w.one(
        *({"prelu": "", "shared": "true"}, {"dropout": "0.2"}, {"batchnorm": "", "scale": "false"}, {"lrn": "3"}),
        *({"instancenorm": "", "scale": "true", "shift": "wide"}, {"layernorm": "", "shift": "false"}),
        *({"batchnorm": "", "shift": "wide"}, {"layernorm": "", "scale": "wide"}),
        *({"rmsnorm": "", "scale": "false"}, {"relu": "", "then": "[]"}, {"gelu": "", "as": w.fresh("y")}),
    )
    controls = w.one({}, {"when": "n > 1"}, {"repeat": "n"}, {"times": "n + 1"}, {"residual": "wide"}, {"repeat": "0"})
    controls |= w.one({}, {}, {"prob": "0.25"}, {"prob": "1 / (n + 1)"}, {"prob": "0"})
    controls |= w.one(
        {}, {}, {"trained": "not wide"}, {"bits": "{activations: 8}"}, {"bits": "{weights: 4}"}, {"only": "train"}
    )
    w.put(**how, **controls)
    return flow


def halved(w, flow):
    """Half of the channels, or a slice of them."""
    out = w.width()
    mix(w, flow, f"2 * ({out})")
    if w.often():
        w.put(**w.one({"split": "2"}, {"split": "2", "part": "1", "axis": "channels"}, {"glu": ""}))
        return flow._replace(channels=out)
    size, start = w.one(("2", "0"), ("3", "1"), ("n", "2"))
    w.put(slice=size, start=start)
    return mix(w, flow)


def opaque(w, flow):
    cost = {name: w.one("0", "12345", "unknown") for name in ("mult_adds", "params") if w.often()}
    out = w.width()
    if flow.kind == "vector" and w.often():
        w.put(opaque="a table", out=f'["{out}"]', **cost)
        return flow._replace(channels=out)
    w.put(opaque=w.one("a sort", '"crop: of $things"'), **cost)
    return flow


def learned(w, flow):
    """Add a learned table."""
    shape = {"grid": ["1"] * flow.rank + ["channels"], "tokens": ["1", "channels"], "vector": ["channels"]}[flow.kind]
    kind = w.one("", ", kind: bias", ", kind: gamma", ", params: 3")
    w.put(**{w.one("add", "mul"): listed(["[]", listed([f"{{parameter: {listed(shape)}{kind}}}"])])})
    return flow


def looked_up(w, flow):
    """Widths looked up in tables: by a variable, by another table, and with a value for each position."""
    width = w.one("widths[n]", "kinds[kind][1]", "kinds[kind][0]", "each[0] + each[1]")
    return mix(w, flow, width)


def name(w, flow):
    found = w.note()
    w.named[found] = flow
    return flow


def back(w, flow):
    """Read an earlier tensor, or another input."""
    if not w.named:
        return flow
    found = w.one(*w.named)
    w.put(relu="", **{"from": found})
    return w.named[found]


def reached(w, flow):
    """Read a layer inside a group, by its name in the report."""
    group, inner = w.fresh("part"), w.inside()
    flow = mix(inner, flow)
    inner.put("relu")
    w.put(layers=listed(inner.lines), **{"as": group})
    w.put(tanh="", **{"from": f"{group}/{'conv' if flow.kind == 'grid' else 'linear'}"})
    return flow


def reused(w, flow):
    flow, found = mix(w, flow), w.fresh("w")
    mix(w, flow, flow.channels, {"as": found, **w.one({}, {"times": "3"})})
    w.put(reuse=found, **w.one({}, {"times": "2"}, {"then": "[relu]"}))
    return flow


def tied(w, flow):
    """A layer that shares the weights of an earlier one."""
    flow, found = mix(w, flow), w.fresh("w")
    mix(w, flow, flow.channels, {"as": found})
    mix(w, flow, flow.channels, {"reuse": found, **w.one({}, {"times": "2"}, {"bias": "false"})})
    return flow


def held(w, flow):
    """A layer with a stated number of parameters."""
    return mix(w, flow, more={"params": w.one("0", "n", "12 * deep", "{weight: 8, gamma: n}", "{running: 4}")})


def gated(w, flow):
    """An operation on two tensors of the same shape."""
    flow = w.known(flow)
    w.put(**{w.one("sub", "div"): listed(["[]", w.kept(flow)])})
    return flow


def residual(w, flow):
    """A group with the common options of layers."""
    flow = w.known(flow)
    how = {"residual": w.one("true", "wide", "n > 1", "channels > 8", "i > 0")} if w.often() else {}
    how |= {"when": w.one("wide", "n >= 1", "not wide or alpha < 1")} if w.often() else {}
    how |= {"repeat": w.one("2", "n", "n + 1")} if w.often() or "i > 0" in how.values() else {}
    how |= {"times": w.one("2", "n", "3 * n")} if w.often() else {}
    how |= {"then": "[relu]"} if w.one(0, 0, 1) else {}
    how |= {"as": w.fresh("group")} if w.often() else {}
    w.put(layers=w.kept(flow), **how)
    return flow


def added(w, flow):
    flow = w.known(flow)
    known = [found for found, there in w.named.items() if there == flow]
    others = [w.kept(flow), *([w.one(*known)] if known else [])]
    w.put(**{w.one("add", "mul"): listed(["[]", *others])}, then="[act]", **w.one({}, {"times": "2"}, {"repeat": "2"}))
    return flow


def routed(w, flow):
    """One of two tensors of the same shape; the probabilities may depend on a variable."""
    flow = w.known(flow)
    prob = w.one("[0.5, 0.5]", "[1 / 3, 2 / 3]", "[0, 1]", '["1 / (n + 1)", "n / (n + 1)"]')
    w.put(one_of=listed(["[]", w.kept(flow)]), prob=prob)
    return flow


def joined(w, flow):
    flow, out = w.known(flow), w.width()
    branch = w.inside()
    mix(branch, flow, out)
    w.put(concat=listed(["[]", listed(branch.lines), w.kept(flow)]))
    return flow._replace(channels=f"2 * ({flow.channels}) + ({out})")


def numbered(w, flow):
    """Read one of the runs of a layer, or a layer inside it."""
    flow, found = w.known(flow), w.fresh("runs")
    inner = w.inside()
    mix(inner, flow, flow.channels, {"as": "own"})
    inner.put("relu")
    w.put(layers=listed(inner.lines), repeat="n + 1", **{"as": found})
    run = w.one("[0]", "[n]", "[n // 2]", "[min(n, 1)]")
    w.put(tanh="", **{"from": f'"{found}{run}{w.one("", "/own", "/own[0]")}"'})
    return flow


def joined_runs(w, flow):
    """Join all runs of a layer, each with another width, by name or as the argument of a block."""
    flow, found = w.known(flow), w.fresh("runs")
    start = flow.channels
    mix(w, flow, "8 + i", {"repeat": "2", "as": found})
    w.put(**w.one({"concat": f'"{found}[*]"'}, {"gathered": listed([found, f'"{found}[0]"'])}))
    return mix(w, flow, start) if w.often() else flow._replace(channels=None)


def sized(w, flow):
    """Use the channels of a named layer."""
    flow, out = w.known(flow), w.width()
    found = w.fresh("s")
    mix(w, flow, out, {"as": found})
    last = {"grid": str(flow.rank), "tokens": "1", "vector": "0"}[flow.kind]
    mix(w, flow, w.one(f"2 * {found}.channels", f'"{found}.shape[{last}] * 2"', f"{found}.features + {found}.channels"))
    return flow._replace(channels=f"2 * ({out})")


PLAIN = (
    alone,
    optioned,
    halved,
    opaque,
    learned,
    name,
    back,
    reached,
    reused,
    tied,
    held,
    numbered,
    joined_runs,
    sized,
    looked_up,
)
NESTING = (residual, added, joined, gated, routed)
