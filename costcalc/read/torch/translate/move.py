"""Operators without multiplications: they move, index, slice, join, pad or create tensors."""

from __future__ import annotations

from ..node import Node, shape
from . import translates

LAST = 2**63 - 1


@translates(
    *("dropout", "feature_dropout", "alpha_dropout", "clone", "contiguous", "detach", "alias", "to", "_to_copy"),
    *(
        "type_as",
        "lift_fresh_copy",
        "lift_fresh",
        "positive",
        "native_dropout",
        "resolve_conj",
        "float",
    ),
    *("resolve_neg", "requires_grad", "identity"),
)
def same(node: Node) -> None:
    """Identity."""
    node.call("Identity", node.tensors[0])


@translates(
    *("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "_unsafe_view", "view_as", "reshape_as"),
    *("ravel", "atleast_1d", "atleast_2d", "atleast_3d"),
)
def reshape(node: Node) -> None:
    """Reshape."""
    node.call("Reshape", node.tensors[0], shape=node.shapes[0], allowzero=1)


@translates("permute")
def permute(node: Node) -> None:
    """Permutation of axes."""
    rank = len(node["dims"])
    node.call("Transpose", node["self"], perm=[at % rank for at in node["dims"]])


@translates("transpose", "t", "numpy_T", "mT", "mH", "matrix_H", "adjoint", "swapaxes", "swapdims")
def transpose(node: Node) -> None:
    """Transposition of two axes, or of all axes with `numpy_T`."""
    rank = len(node.shapes[0])
    order = list(range(rank))
    if node.base.startswith("numpy_T"):
        order.reverse()
    elif rank > 1:
        first = node.get("dim0", node.get("axis0", -2)) % rank
        second = node.get("dim1", node.get("axis1", -1)) % rank
        order[first], order[second] = order[second], order[first]
    node.call("Transpose", node["self"], perm=order)


@translates("movedim", "moveaxis")
def movedim(node: Node) -> None:
    """Axes moved to other positions."""
    rank = len(node.shapes[0])
    pairs = zip(
        *(one if isinstance(one, (tuple, list)) else [one] for one in (node["source"], node["destination"])),
        strict=True,
    )
    placed = {to % rank: at % rank for at, to in pairs}
    rest = iter(at for at in range(rank) if at not in placed.values())
    node.call("Transpose", node["self"], perm=[placed[at] if at in placed else next(rest) for at in range(rank)])


@translates("expand", "expand_as", "broadcast_to")
def expand(node: Node) -> None:
    """Broadcast along axes of size 1."""
    node.call("Expand", node.tensors[0], node.shapes[0])


@translates("cat", "concat", "concatenate")
def cat(node: Node) -> None:
    """Concatenation. An empty vector among tensors of higher rank adds nothing."""
    tensors = [one for one in node["tensors"] if shape(one) != (0,) or len(node.shapes[0]) == 1]
    if len(tensors) == 1:
        node.call("Identity", *tensors)
    else:
        node.call("Concat", *tensors, axis=node["dim"])


@translates("stack")
def stack(node: Node) -> None:
    """Stack along a new axis."""
    at, rank = node["dim"], len(node.shapes[0])
    single = (*node.shapes[0][: at % rank], 1, *node.shapes[0][at % rank + 1 :])
    parts = [node.step("Unsqueeze", one, axes=[at], shape=single) for one in node["tensors"]]
    node.call("Concat", *parts, axis=at)


@translates("split", "split_with_sizes", "chunk", "tensor_split", "unsafe_split", "unsafe_chunk")
def split(node: Node) -> None:
    """Split along an axis."""
    x, at = node.tensors[0], node["dim"]
    node.call("Split", x, axis=at, split=[one[at % len(one)] for one in node.shapes])


@translates("slice")
def slice_(node: Node) -> None:
    """Slice of an axis."""
    start, end = node["start"] or 0, LAST if node["end"] is None else node["end"]
    node.call("Slice", node["self"], [start], [end], [node["dim"]], [node["step"]])


@translates("narrow")
def narrow(node: Node) -> None:
    """Slice of an axis, by its length."""
    end = node["start"] + node["length"]
    node.call("Slice", node["self"], [node["start"]], [end], [node["dim"]], [1])


@translates("pad", "constant_pad_nd", *(f"{kind}_pad{n}d" for kind in ("reflection", "replication") for n in (1, 2, 3)))
def pad(node: Node) -> None:
    """Padding. The numbers start at the last axis, before and after."""
    given, x = node.get("pad", node.get("padding")), node.tensors[0]
    missing = len(shape(x)) - len(given) // 2
    before, after = ([0] * missing + list(given[side::2])[::-1] for side in (0, 1))
    node.call("Pad", x, [*before, *after])


@translates(
    *("select", "index", "index_select", "gather", "take_along_dim", "unbind", "roll", "flip", "rot90", "diagonal"),
    *("unfold", "im2col", "col2im", "channel_shuffle", "grid_sampler", "grid_sampler_2d", "affine_grid_generator"),
    *("repeat", "tile", "repeat_interleave", "masked_select", "scatter", "scatter_add", "index_put", "index_fill"),
    *("index_add", "index_copy", "copy", "fill", "zero", "one_hot", "meshgrid", "as_strided", "select_scatter"),
    *(
        "slice_scatter",
        "view_as_complex",
        "view_as_real",
        *("polar", "complex", "angle", "conj", "_conj", "_conj_physical", "conj_physical"),
        "real",
        "imag",
        "native_channel_shuffle",
        "diag_embed",
        "_weight_norm",
        "diff",
    ),
    *("take", "put", "diag", "renorm", "bucketize", "searchsorted", "quantile", "nanquantile", "histc"),
    *("masked_scatter", "scatter_reduce", "index_reduce", "diagonal_scatter", "as_strided_scatter", "nonzero_static"),
    *("segment_reduce", "fractional_max_pool2d", "fractional_max_pool3d"),
)
@translates(
    *(f"fft_{inverse}fft{axes}" for inverse in ("", "i", "r", "ir", "h", "ih") for axes in ("", "2", "n")),
    *("fft_fftshift", "fft_ifftshift", "_fft_c2c", "_fft_c2r", "_fft_r2c", "stft", "istft"),
    *("max_unpool2d", "max_unpool3d"),
)
def passive(node: Node) -> None:
    """Operators that read values by index or place them elsewhere."""
    node.own("passive", *node.tensors)


@translates(
    *("arange", "linspace", "zeros", "ones", "full", "empty", "eye", "rand", "randn", "randint", "scalar_tensor"),
    *("tensor", "new_zeros", "new_ones", "new_full", "new_empty", "zeros_like", "ones_like", "full_like"),
    *(
        "empty_like",
        "rand_like",
        "randn_like",
        "randint_like",
        "empty_strided",
        "new_empty_strided",
        "tril_indices",
        "triu_indices",
    ),
    *("hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window", "empty_permuted"),
    *("randperm", "logspace", "fft_fftfreq", "fft_rfftfreq"),
)
def created(node: Node) -> None:
    """A tensor that does not depend on inputs."""
    node.own("created")
