"""Values picked and placed, and tensors that come from nowhere: nothing that multiplies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import translates

if TYPE_CHECKING:
    from ..node import Node


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
    """Values read at places and put elsewhere."""
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
    """A tensor whose values depend on nothing that flows."""
    node.own("created")
