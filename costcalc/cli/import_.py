"""costcalc import"""

from __future__ import annotations

from typing import Any

import click

from .options import Asked, SpecCommand, setting_options


class ImportCommand(SpecCommand):
    """`import torch ..`, the only one that runs code, and `import hf ..` are commands of their own."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of this command, or of that one."""
        if args[:1] == ["torch"]:
            from .import_torch import command

            return command.make_context(f"{info_name} torch", args[1:], parent, **extra)
        if args[:1] == ["hf"]:
            from .import_hf import command

            return command.make_context(f"{info_name} hf", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=ImportCommand)
@click.argument("spec", metavar="MODEL")
@setting_options
@click.option("--width", metavar="NAME", help="Multiply every width by a variable of this name, for sweeps.")
@click.option("--flat", is_flag=True, help="One line per layer, under its name in the model: no blocks, no repeats.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of standard output.")
def command(
    spec: str,
    asked: Asked,
    width: Any,
    flat: bool,
    output: str | None,
) -> None:
    """Write a model as an editable spec; repeated structure becomes blocks.

    MODEL is anything that `costcalc analyze` reads: an ONNX file, the configuration of a Keras model
    (`model.to_json()`, or a .keras file), a TensorFlow Lite model, or another spec. Layers of equal structure become
    blocks with parameters; equal layers in sequence become `repeat`. Variables of the model are replaced by their
    values. The spec is read back before it is written: it has the same layers with the same costs.

    `costcalc import hf config.json` writes a language model of Hugging Face transformers by its configuration.

    `costcalc import torch MODULE:CALLABLE` reads a PyTorch module. It runs the code that you name; no other command
    runs code. See `costcalc import torch --help`.

    \b
    Examples:
      costcalc import resnet50 --width alpha -o thin.yaml
      costcalc import mobilenet --alpha 0.5 --res 160
      costcalc import resnet50 --flat
    """
    from ..analysis.convert.import_ import check_name, import_
    from ..read.loading import load
    from .output import deliver

    check_name(width)
    model = load(spec)
    deliver(import_(model, width=width, flat=flat, **asked.how(model)), output)
