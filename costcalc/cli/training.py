"""costcalc training"""

from __future__ import annotations

from typing import Any

import click

from .options import Asked, Output, SpecCommand, convention_option, names, output_options, spec_options


@click.command(cls=SpecCommand)
@spec_options
@click.option("--batch", type=click.IntRange(1, 10**6), default=1, show_default=True, help="Samples per step.")
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "momentum", "adam", "adamw", "lion", "adam8bit"]),
    default="adam",
    show_default=True,
)
@click.option("--precision", type=click.Choice(["fp32", "amp", "bf16"]), default="fp32", show_default=True)
@click.option(
    "--attention",
    type=click.Choice(["unfused", "math", "fused"]),
    default="unfused",
    show_default=True,
    help="Tensors that attention saves; math is nn.MultiheadAttention with PyTorch's unfused kernel.",
)
@click.option(
    "--masks", type=click.Choice(["1", "2", "4"]), help="Bytes per value of dropout masks [default: as other values]."
)
@click.option(
    "--checkpoint",
    metavar="BLOCKS",
    default="",
    callback=names,
    help="Blocks that save only their inputs, by name or pattern: 'stage_*'.",
)
@click.option(
    "--ranks", type=click.IntRange(1, 10**6), metavar="N", help="Number of devices: shows the stages of ZeRO."
)
@convention_option()
@click.option("--by", type=click.Choice(["layer", "type", "block"]), default="layer", show_default=True)
@click.option("--depth", type=click.IntRange(1, 100), default=1, show_default=True, help="Levels of names, for blocks.")
@click.option("--all", "everything", is_flag=True, help="Also list layers that compute and save nothing.")
@output_options
def command(
    spec: str,
    asked: Asked,
    masks: str | None,
    by: str,
    depth: int,
    everything: bool,
    out: Output,
    **how: Any,
) -> None:
    """Compute the cost of training a network: both passes, saved tensors, and memory.

    A layer, block or group with `trained: false` is frozen. Mult-adds are per sample, bytes are for the
    batch. `training_bytes` estimates the peak memory that a step needs, not what an allocator reserves.

    \b
    Examples:
      costcalc training mobilenet_v2 --batch 32
      costcalc training resnet50 --by block --precision bf16 --ranks 64
      costcalc training vit_b_16 --checkpoint 'encoder_*' --attention fused
      costcalc training mobilenet_v2 --convention flop_counter
    """
    from ..analysis.training.page import TrainingPage
    from ..analysis.training.training import training
    from ..read.loading import load

    model = load(spec)
    result = training(model, masks=None if masks is None else int(masks), **asked.how(model), **how)
    out.show(TrainingPage(result, by, depth, everything))
