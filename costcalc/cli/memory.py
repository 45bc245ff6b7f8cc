"""costcalc memory"""

from __future__ import annotations

from typing import Any

import click

from .options import (
    Asked,
    Output,
    SpecCommand,
    convention_option,
    in_order,
    outputs,
    spec_options,
    storage_options,
    with_storage,
)

PICTURES = {".png": "png", ".svg": "svg"}
RULES = {
    "fold": "A batch norm folded into the layer before it makes no tensor.",
    "act": "An activation overwrites its input.",
    "view": "Reshape, flatten, identity and dropout share storage.",
    "add": "A sum writes into an operand.",
    "dw": "A depthwise convolution overwrites its input, channel by channel.",
    "concat": "Branches write directly into the result.",
    "block": "The inputs of a block stay alive until the block ends.",
}

rule_options = in_order(
    storage_options,
    *(click.option(f"--{name}/--no-{name}", name, default=None, help=help) for name, help in RULES.items()),
    click.option("--batch", type=int, metavar="N", help="Samples at once."),
    click.option("--input", "input_", metavar="WORD", help="held, or streamed (the network's input takes no buffer)."),
    click.option("--align", type=int, metavar="N", help="Round the size of every buffer up to N bytes."),
    click.option("--times", metavar="WORD", help="batch, or serial (the runs of one layer go one at a time)."),
    click.option("--attention", metavar="WORD", help="plain, or fused (no buffer for the scores)."),
    click.option("--workspace", metavar="WORD", help="direct, or im2col (the unfolded input of a convolution)."),
)


@click.command(cls=SpecCommand)
@spec_options
@rule_options
@convention_option("framework", "Convention that decides which weights count.")
@click.option("--arena", is_flag=True, help="Show the plan of the arena: the offset of every buffer.")
@outputs(PICTURES)
def command(spec: str, asked: Asked, out: Output, **options: Any) -> None:
    """Compute the peak memory of a network's tensors, its operation, and the tensors alive there.

    A tensor lives from the operation that creates it to the last one that reads it, in the order of the spec. The
    policy decides which tensors share storage; every figure names its policy.

    \b
    Examples:
      costcalc memory mobilenet --bits w8a8
      costcalc memory resnet50 --bits 8 --add
      costcalc memory mobilenet_v2 --policy inplace --bits 8 --arena
      costcalc memory my_net.yaml -o schedule.csv
    """
    from ..analysis.memory.memory import measured
    from ..analysis.memory.page import MemoryPage
    from ..metrics.conventions import price_list
    from ..read.loading import load

    model = with_storage(load(spec), _chosen(options))
    found = measured(model, price_list(options["convention"]), asked.of(model), asked.multiplier)
    if out.form() not in PICTURES.values():
        return out.show(MemoryPage(found, options["arena"]))
    from ..analysis.memory.page import picture

    return out.deliver(picture(found, out.form()))


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    """The single rules that were given."""
    names = (*RULES, "batch", "align", "times", "attention", "workspace")
    rules = {name: options[name] for name in names if options[name] is not None}
    return rules if options["input_"] is None else {**rules, "input": options["input_"]}
