"""Entry point: perform an operation on tensors of given shapes, and return the counts."""

from __future__ import annotations

from typing import Any

from . import attention, conv, language, layout, linear, pointwise, recurrent
from .tally import Counted, Tally, shape_of, tensor

PERFORMERS: dict[str, Any] = {
    **pointwise.PERFORMERS,
    **{
        function.__name__.rstrip("_"): function
        for function in (
            *(conv.conv, conv.dwconv, conv.conv_transpose, conv.sparse_conv, linear.logits),
            *(language.moe, language.selective_scan, language.latent_attention),
            *(linear.linear, linear.bilinear, linear.matmul, linear.einsum, linear.embedding, linear.parameter),
            *(linear.opaque, attention.attention, attention.attend, recurrent.rnn, recurrent.lstm, recurrent.gru),
            *(pointwise.batchnorm, pointwise.layernorm, pointwise.groupnorm),
            *(pointwise.instancenorm, pointwise.rmsnorm, pointwise.lrn),
            *(conv.maxpool, conv.avgpool, conv.lppool, conv.adaptive_avgpool, conv.adaptive_maxpool, conv.reduce),
            *(layout.concat, layout.split, layout.slice_, layout.pad, layout.flatten, layout.reshape),
            *(layout.permute, layout.tokens, layout.grid, layout.windows, layout.one_of),
            *(layout.space_to_depth, layout.depth_to_space, layout.channel_shuffle, layout.upsample),
        )
    },
    "pixel_unshuffle": layout.space_to_depth,
    "pixel_shuffle": layout.depth_to_space,
}


def perform(op: str, shapes: Any, options: Any) -> Counted:
    """Run the named operation on tensors of these shapes. Raises Impossible for invalid shapes or options.

    shapes   of the input, or all branches, or input and memory; empty for `parameter`
    options  as in a spec, with the main one under its name (`kernel`, `out`, ..)
    """
    tally = Tally()
    result = PERFORMERS[op](tally, *(tensor(shape) for shape in shapes), **options)
    return Counted(shape_of(result), dict(tally.params), dict(tally.terms), tally.unknown)
