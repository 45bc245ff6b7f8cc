"""Convolution at the active sites of a sparse grid."""

from ..errors import Refused
from ..num import prod, require
from .base import Layer, op
from .kinds import Axes, Count, Flag, Size, Width


@op("sparse_conv", label=lambda detail: "sparse conv " + "x".join(map(str, detail["kernel"])))
def sparse_conv(
    x: tuple, kernel: Axes, *, out: Width, sites: Size = None, pairs: Count = None, bias: Flag = True
) -> Layer:
    """Sparse convolution on a list of active sites of stated length.

    (sites, M) -> (output sites, N). The output has as many sites as the input (submanifold), or `sites`. Params:
    DK^d*M*N. Mult-adds: M*N for each of `pairs`, the number of (active input site, output site) pairs, which is the
    size of the rule book and depends on the data. Without `pairs`, every kernel position counts at every site, which
    is an upper bound. arXiv:1711.10275.

    Example: {sparse_conv: 3x3x3, out: 32, pairs: 1900}
    """
    if len(x) != 2:
        raise Refused("sparse_conv works on a list of sites: [sites, channels]")
    active, channels = x
    sites = active if sites is None else sites
    most, each = sites * prod(kernel), channels * out
    pairs = most if pairs is None else pairs
    require(pairs <= most, "{} pairs, but all sites have at most {}", pairs, most, option="pairs")
    return Layer(
        shape=(sites, out),
        params={"weight": prod(kernel) * each, "bias": out if bias else 0},
        terms={"mac": pairs * each, "bias": sites * out if bias else 0},
        detail={"kernel": kernel},
    )
