"""Layers on a grid of one, two or three axes, each as a function (writer, flow) -> flow."""

from .plain import multiple
from .windows import BORDERS, WINDOWS
from .writer import mix
from .writing import listed, quoted


def shipped(w, flow):
    """A built-in block, called with one value, a row, rows, or names."""
    out = w.width()
    calls = (
        {"separable": f"[{quoted(out)}, 1]"},
        {"separable": f"[[8], [{quoted(out)}]]"},
        {"separable": quoted(out), "kernel": "5x5", "act": "act", "repeat": "2"},
        {"inverted_residual": f"[2, {quoted(out)}]"},
        {"inverted_residual": f"{{t: 1.5, out: {quoted(out)}, norm: identity}}"},
        {"bottleneck": f"{{a: [4, 8], b: [4, {quoted(out)}]}}"},
        {"fire": f"{{squeeze: 4, expand1: {quoted(out)}, expand3: {quoted(out)}}}"},
        {"inception": f"[{', '.join([quoted(out)] * 6)}]"},
    )
    at = w.one(*range(len(calls)))
    w.put(**calls[at])
    return flow._replace(channels=[*[out] * 6, f"2 * ({out})", f"4 * ({out})"][at])


def excited(w, flow):
    w.put(squeeze_excite=w.one("4", "max(channels // 4, 1)"))
    return flow


def own(w, flow):
    """A block defined in the spec."""
    out = w.width()
    if w.one(0, 0, 1):
        w.put(joined=f"[{quoted(out)}, 2, {w.note()}]")
        return w.moved(flow._replace(channels=out))
    calls = {"stem": quoted(out)}, {"stem": f"[{quoted(out)}, 2, hswish]"}, {"pair": quoted(out)}
    w.put(**w.one(*calls, {"pair": f"{{c: {quoted(out)}, m: n}}"}, {"padding_of": f"[{quoted(out)}, same]"}))
    return w.moved(flow._replace(channels=out))


def shuffled(w, flow):
    out = w.width()
    w.put(conv="1", out=f"{2**flow.rank} * ({out})")
    w.put(**{w.one("depth_to_space", "pixel_shuffle"): "2"})
    return w.moved(flow._replace(channels=out))


def unshuffled(w, flow):
    flow = w.known(flow)
    w.put(upsample="2")
    w.put(**{w.one("space_to_depth", "pixel_unshuffle"): "2"})
    return w.moved(flow._replace(channels=f"{2**flow.rank} * ({flow.channels})"))


def mixed(w, flow):
    flow = multiple(w, flow, "2")
    w.put(channel_shuffle="2")
    return flow


def larger(w, flow):
    w.put(
        **w.one({"upsample": "2"}, {"upsample": "1.5"}, {"to": "n + 7", "upsample": ""}),
        method=w.one("nearest", "bilinear"),
    )
    return w.moved(flow)


def bordered(w, flow):
    w.put(pad=w.one("1", *BORDERS[flow.rank]))
    return w.moved(flow)


def included(w, flow):
    """Layers of an included spec, from the start or from a named layer."""
    cut = w.one({"until": "conv11"}, {"after": "conv11"}, {"after": "conv11", "until": "features", "times": "2"})
    flow = flow if "until" in cut and "after" not in cut else mix(w, flow)
    if cut == {"after": "conv11"}:  # with the classifier
        w.put(include="mobilenet.yaml", classes="10", **cut, **{"as": w.fresh("net")})
        w.put("flatten")  # the classifier of MobileNet keeps a 1x1 grid
        return flow._replace(kind="vector", channels="10", grid=0, rank=2)
    w.put(include="mobilenet.yaml", alpha=w.one("alpha", "0.25"), **cut, **{"as": w.fresh("net")})
    return w.moved(flow._replace(channels=None))


def turned(w, flow):
    w.put(permute="[1, 0, 2]")
    return w.moved(flow)


def cut_to_line(w, flow):
    """Remove one axis by a reduction."""
    w.put(reduce=w.one("mean", "sum", "max"), axis=w.one("height", "width"))
    return w.moved(flow._replace(rank=1))


def in_windows(w, flow):
    """Attention in windows of a grid."""
    flow = multiple(w, flow, "4")
    w.put(adaptive_avgpool="8")
    w.put(windows="4")
    w.put(w.one("layernorm", "identity"))
    w.put(attention="4")
    w.put(reshape=listed([*["8"] * flow.rank, "channels"]))
    return w.moved(flow)


def to_tokens(w, flow):
    w.put(*w.one(["tokens"], ["{reshape: [height * width, channels]}"] if flow.rank == 2 else ["tokens"]))
    return flow._replace(kind="tokens", grid=w.number())


def to_vector(w, flow):
    w.put(avgpool="global")
    w.put("flatten")
    return flow._replace(kind="vector", grid=0)


ANY = (*WINDOWS, shuffled, unshuffled, mixed, larger, bordered, in_windows, to_tokens, to_vector)
FLAT = (shipped, shipped, excited, own, included, turned, cut_to_line)  # of two axes


def of_any_grid(w, flow):
    """A layer on a grid, including layers that need two axes if it has two."""
    return w.one(*ANY, *(FLAT if flow.rank == 2 else ()))(w, flow)
