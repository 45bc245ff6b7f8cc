"""costcalc import torch"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem, brief, listed
from .options import Output, convention_option, output_options
from .talk import note

if TYPE_CHECKING:
    from ..model.network import Model


NAMED = 4  # parameters in a note


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
def command(
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
    exports its graph with torch.export on the meta device, without weights. No other command of costcalc runs code of
    yours. Do not use it on code that you do not trust. Needs the extra `torch`: pip install 'costcalc[torch]'.

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
    from ..read.torch.inputs import shape
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
    """Say which parameters of the module are in no layer, as those of a head for training alone."""
    if unused:
        more = f" and {len(unused) - NAMED} more" if len(unused) > NAMED else ""
        note(f"no layer that runs has the parameters {listed(unused[:NAMED])}{more}")


def _check(shown: Any, width: Any, flat: bool, views: Any) -> None:
    """Refuse options of the one form in the other."""
    from ..analysis.convert.import_ import check_name

    check_name(width)
    if shown and (width or flat):
        option = "--width" if width else "--flat"
        raise OptionError(Problem("usage", f"`{option}` is for a spec: leave out --by and --depth"))
    given = [name for name, value in views.items() if value]
    if given and not shown:
        raise OptionError(Problem("usage", f"`{given[0]}` is for costs: a spec is YAML", help="add --by layer"))


def _show(model: Model, convention: str, by: str, depth: int, out: Output) -> None:
    from ..analysis.report.analyze import analyze
    from ..analysis.report.page import ReportPage
    from ..analysis.report.view import View

    by = "block" if depth and by in (None, "layer") else by
    report = analyze(model, convention=convention)
    out.show(ReportPage(report, View(by, depth or 1, (), "", 0, False)))


def _given(text: str) -> Any:
    """The arguments in a JSON object."""
    import json

    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        found, reason = None, str(error)
    else:
        reason = "it is no object"
    if not isinstance(found, dict):
        help = "write --kwargs '{\"num_classes\": 10}'"
        raise OptionError(Problem("usage", f"`--kwargs` holds no JSON object: {reason}", help=help))
    return found
