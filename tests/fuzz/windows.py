"""Convolutions, pools and norms of a grid of one, two or three axes, each as a function (writer, flow) -> flow."""

from .plain import WORDS, multiple
from .writing import listed

KERNELS = {
    1: ("1", "3", "5", "2 * n + 1", "[3]"),
    2: ("1x1", "3x3", "5x5", "1x3", "3", "k", "[3, 1]", "2 * n + 1"),
    3: ("1", "3", "3x3x3", "1x3x1", "[3, 1, 3]", "2 * n + 1"),
}
BORDERS = {1: ("1", "[[1, 2]]"), 2: ("2", "[1, 2]", "[[1, 2], [2, 1]]"), 3: ("1", "[[1, 1], [2, 1], [1, 2]]")}


def conv(w, flow):
    out, stride = w.width(), w.one("1", "1", "2", "2 if wide else 1")
    more = {"bias": w.one("true", "false", "wide")} if w.often() else {}
    more |= {"dilation": "2"} if w.one(0, 0, 1) else {}
    more |= {"then": listed([w.one(*WORDS), w.one(*WORDS)])} if w.often() else {}
    w.put(conv=w.one(*KERNELS[flow.rank]), out=out, stride=stride, **more)
    return w.moved(flow._replace(channels=out), stride)


def padded(w, flow):
    """A window that fits any grid, with numeric padding."""
    out, border = w.width(), w.one(*BORDERS[flow.rank])
    name, more = w.one(("conv", {"out": out}), ("dwconv", {}), ("conv", {"out": out, "stride": "2"}))
    w.put(**{name: "3"}, padding=border, **more)
    return w.moved(flow._replace(channels=out if name == "conv" else flow.channels))


def bare(w, flow):
    out = w.width()
    w.put(conv="1", out=out, padding="valid", stride=w.one("1", "3"))
    return w.moved(flow._replace(channels=out))


def depthwise(w, flow):
    many, stride = w.one("1", "2"), w.one("1", "2")
    more = w.one({}, {"bias": "false"}, {"dilation": "2"})
    w.put(dwconv=w.one("3", "5"), multiplier=many, stride=stride, **more)
    channels = flow.channels and (f"({flow.channels}) * 2" if many == "2" else flow.channels)
    return w.moved(flow._replace(channels=channels), stride)


def grouped(w, flow):
    w.put(conv="3", out="channels * 2", groups="channels")
    return flow._replace(channels=flow.channels and f"2 * ({flow.channels})")


def transposed(w, flow):
    out = w.width()
    how = w.one(
        {"conv_transpose": w.one("2", "3"), "stride": w.one("1", "2", "3")},
        {"conv_transpose": "4", "stride": "2", "padding": "1"},
        {"conv_transpose": "3", "stride": "2", "padding": "1", "output_padding": "1", "dilation": w.one("1", "2")},
        {"conv_transpose": "3", "stride": "2", "padding": "valid"},
    )
    groups = w.one("1", "2")
    flow = multiple(w, flow, groups)
    w.put(**how, out=f"{groups} * ({out})", groups=groups, bias=w.one("true", "false"))
    return w.moved(flow._replace(channels=f"{groups} * ({out})"))


def pool(w, flow):
    stride = w.one("1", "2")
    more = w.one({}, {"ceil_mode": "true"}, {"padding": "1", "ceil_mode": w.one("true", "false")})
    w.put(**{w.one("maxpool", "avgpool"): "3" if "padding" in more else w.one("2", "3")}, stride=stride, **more)
    return w.moved(flow, "2" if "padding" in more else stride)


def other_pool(w, flow):
    how = w.one({"maxpool": "3", "dilation": "2", "stride": "1"}, {"lppool": "3", "padding": "same"}, {"lppool": "1"})
    how |= {"stride": "2", "ceil_mode": "true"} if how == {"lppool": "1"} and w.often() else {}
    w.put(**how)
    return w.moved(flow)


def adapted(w, flow):
    w.put(**{w.one("adaptive_avgpool", "adaptive_maxpool"): w.one("1", "4", "n + 5")})
    return w.moved(flow)


def normed(w, flow):
    flow = multiple(w, flow, "4")
    more = {w.one("scale", "shift"): w.one("true", "false", "wide")} if w.often() else {}
    w.put(groupnorm=w.one("1", "2", "4"), **more)
    return flow


WINDOWS = (conv, conv, padded, bare, depthwise, grouped, transposed, pool, other_pool, adapted, normed)
