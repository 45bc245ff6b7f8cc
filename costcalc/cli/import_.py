"""costcalc import, costcalc import torch, costcalc import hf"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem, Source, brief, listed
from .commands import note
from .options import Asked, Output, SpecCommand, convention_option, deliver, output_options, setting_options

if TYPE_CHECKING:
    from ..model.network import Model


class ImportCommand(SpecCommand):
    """Dispatches `import torch ..`, which runs code, and `import hf ..` to separate commands."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Context of this command, or of one of those."""
        own = {"torch": torch_command, "hf": hf_command}.get(args[0]) if args else None
        if own is not None:
            return own.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
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

    `costcalc import hf config.json` writes a language model of Hugging Face transformers from its configuration.

    `costcalc import torch MODULE:CALLABLE` reads a PyTorch module. It runs the code that you name. See
    `costcalc import torch --help`.

    \b
    Examples:
      costcalc import resnet50 --width alpha -o thin.yaml
      costcalc import mobilenet --alpha 0.5 --res 160
      costcalc import resnet50 --flat
    """
    from ..analysis.convert.convert import check_name, import_
    from ..read.loading import load

    check_name(width)
    model = load(spec)
    deliver(import_(model, width=width, flat=flat, **asked.how(model)), output)


@click.command()
@click.argument("config", metavar="CONFIG")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of standard output.")
def hf_command(config: str, output: str | None) -> None:
    """Write the config.json of a language model of Hugging Face transformers as a spec.

    Nothing is downloaded and no code is run: the family is looked up by `model_type`, its spec is a shipped config
    whose variables get the values of CONFIG. Every command also reads a config.json itself. The spec has the variables
    `new`, tokens that are computed, and `past`, tokens that are cached.

    \b
    Examples:
      costcalc import hf config.json -o model.yaml
      costcalc analyze config.json --set new=1 --set past=4096 --metrics kv_bytes
    """
    from ..allowance import within
    from ..analysis.report.analyze import analyze
    from ..files import check_links, origin
    from ..read import hf
    from ..read.hf.config import spec_of
    from ..read.loading import modelled

    check_links(config)
    with within("seconds", f"reading {brief(config)!r}"):
        text = spec_of(hf.from_file(config))
    analyze(modelled(Source(config, text), origin("-")))  # checks that the spec can be built before it is written
    deliver(text, output)


NAMED = 4  # parameters listed in a note


@click.command()
@click.argument("target", metavar="MODULE:CALLABLE")
@click.option(
    *("--input", "inputs"),
    multiple=True,
    required=True,
    metavar="SIZES",
    help="224x224x3: a grid, channels last; 16x80: tokens x features; 128:int64: whole numbers. Repeat for more.",
)
@click.option("--kwargs", metavar="JSON", help="Arguments of CALLABLE: '{\"num_classes\": 10}'.")
@click.option("--width", metavar="NAME", help="Multiply every width by a variable of this name, for sweeps.")
@click.option("--flat", is_flag=True, help="One line per layer, under the name of its module: no blocks, no repeats.")
@click.option("--by", type=click.Choice(["layer", "type", "block"]), help="Show the costs instead, as `analyze` does.")
@click.option("--depth", type=click.IntRange(1, 100), help="Show the costs of N levels of modules; implies --by block.")
@convention_option(None, "Counting convention, with --by or --depth [default: paper].")
@output_options
def torch_command(
    target: Any,
    inputs: Any,
    kwargs: Any,
    width: Any,
    flat: bool,
    by: str,
    depth: int,
    convention: str,
    out: Output,
) -> None:
    """Write a PyTorch module as a spec. RUNS THE CODE that MODULE:CALLABLE names.

    It imports MODULE (the working directory is on the search path), calls CALLABLE to get a torch.nn.Module, and
    exports its graph with torch.export on the meta device, without weights. Do not use it on code that you do
    not trust. Of the other commands, only `costcalc search --maximize MODULE:FUNCTION` runs code of yours. Needs the
    extra `torch`: pip install 'costcalc[torch]'.

    With --by or --depth it shows the costs under the names of the submodules, and writes no spec. In a spec, equal
    layers become blocks with names of their own; with --flat, every layer has the name of its module. An unknown
    operator becomes a layer of unknown cost. The batch is 1 and channels come second, as in PyTorch: 224x224x3 is (1,
    3, 224, 224), 16x80 is (1, 16, 80).

    \b
    Examples:
      costcalc import torch torchvision.models:resnet18 --input 224x224x3 -o resnet18.yaml
      costcalc import torch net:Net --input 32x32x3 --kwargs '{"num_classes": 10}'
      costcalc import torch torchvision.models:vit_b_16 --input 224x224x3 --depth 2
    """
    from ..read.torch import program, reader
    from ..read.torch.program import shape
    from ..write.spec import spec_text

    shown = by or depth
    views = {"--convention": convention, "--format": out.format, "--json": out.as_json, "--color": out.color != "auto"}
    _check(shown, width, flat, views)
    shapes, given = [shape(text) for text in inputs], _given(kwargs)
    click.echo(f"note: running the code of {brief(target)}", err=True)  # -q or not
    exported = program.exported(target, shapes, given)
    model = reader.read(exported, target.rpartition(":")[2], target)
    if shown:
        _show(model, convention or "paper", by, depth, out)
    else:
        out.deliver(spec_text(model, {}, width, flat))
    _note(list(model.stored.unread) if model.stored else [])


def _note(unused: Any) -> None:
    """Report parameters of the module that are in no layer, such as those of an auxiliary training head."""
    if unused:
        more = f" and {len(unused) - NAMED} more" if len(unused) > NAMED else ""
        note(f"no layer that runs has the parameters {listed(unused[:NAMED])}{more}")


def _check(shown: Any, width: Any, flat: bool, views: Any) -> None:
    """Refuse options of the spec output with the report output, and vice versa."""
    from ..analysis.convert.convert import check_name

    check_name(width)
    if shown and (width or flat):
        option = "--width" if width else "--flat"
        raise OptionError(Problem("usage", f"`{option}` is for a spec: leave out --by and --depth"))
    given = [name for name, value in views.items() if value]
    if given and not shown:
        raise OptionError(Problem("usage", f"`{given[0]}` is for costs: a spec is YAML", help="add --by layer"))


def _show(model: Model, convention: str, by: str, depth: int, out: Output) -> None:
    from ..analysis.report.analyze import analyze
    from ..analysis.report.columns import View
    from ..analysis.report.page import ReportPage

    by = "block" if depth and by in (None, "layer") else by
    report = analyze(model, convention=convention)
    out.show(ReportPage(report, View(by, depth or 1, (), "", 0, False)))


def _given(text: str) -> Any:
    """Parse the arguments in a JSON object."""
    import json

    if text is None:
        return {}
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError) as error:
        arguments, reason = None, str(error)
    else:
        reason = "it is not an object"
    if not isinstance(arguments, dict):
        help = "write --kwargs '{\"num_classes\": 10}'"
        raise OptionError(Problem("usage", f"`--kwargs` is not a JSON object: {reason}", help=help))
    return arguments
