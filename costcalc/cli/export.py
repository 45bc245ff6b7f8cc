"""costcalc export"""

from __future__ import annotations

from typing import Any

import click

from .commands import note
from .options import Asked, SpecCommand, spec_options, writing

WEIGHTS = ("random", "zero", "none")


@click.command(cls=SpecCommand)
@spec_options
@click.option("--to", type=click.Choice(["onnx", "torch"]), help="Type of model [default: by the extension of FILE].")
@click.option(
    "--weights",
    type=click.Choice(WEIGHTS),
    show_default="random",
    help="Weights of an ONNX model: untrained; all 0; or none, which makes them inputs of the graph.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), show_default="0", help="Seed of random weights.")
@click.option("-o", "--output", required=True, metavar="FILE", help="The file to write.")
def command(
    spec: str,
    asked: Asked,
    to: str | None,
    weights: Any,
    seed: int | None,
    output: str,
) -> None:
    """Write a network as an ONNX model or a PyTorch module.

    An ONNX model (needs the extra `onnx`: pip install 'costcalc[onnx]') keeps the names of the layers. It has batch
    size 1 and untrained weights. Use it to view the network or to time it on a device. It is written only if ONNX's own
    checker and shape inference agree with every shape of the spec.

    A PyTorch file (.py) contains the network as a torch.nn.Module. Repeated structure becomes functions. The file does
    not need costcalc.

    \b
    Examples:
      costcalc export mobilenet -o mobilenet.onnx --alpha 0.75 --res 160
      costcalc export resnet50 -o resnet50.onnx --weights none
      costcalc export resnet50 -o resnet50.py
    """
    from ..analysis.convert.convert import export, form_of
    from ..analysis.report.columns import shipped
    from ..read.loading import load

    model = load(spec)
    how = asked.how(model)
    made = export(model, to=to or form_of(output), weights=weights, seed=seed, **how)
    with writing(output, binary=made.is_binary) as out:
        out.writelines(made.pieces)
    if model.source.shipped and spec != model.name:  # it was given as the name of a file, which does not exist
        note(shipped(model))
    for said in made.notes:
        note(said)
