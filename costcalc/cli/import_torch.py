"""costcalc import torch"""

import click

from ..errors import OptionError, Problem, brief


@click.command()
@click.argument("target", metavar="MODULE:CALLABLE")
@click.option(
    *("--input", "inputs"),
    multiple=True,
    required=True,
    metavar="SIZES",
    help="224x224x3: a grid, channels last; 16x80: tokens x features; 128:int64: whole numbers. Repeat for others.",
)
@click.option("--kwargs", metavar="JSON", help="What CALLABLE is given: '{\"num_classes\": 10}'.")
@click.option("--width", metavar="NAME", help="Multiply every width by a variable of this name, for sweeps.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of standard output.")
def command(target, inputs, kwargs, width, output):
    """A module of PyTorch as a spec. RUNS THE CODE that MODULE:CALLABLE names.

    It imports MODULE (the working directory is among the places it is looked for), calls CALLABLE for a
    torch.nn.Module, and exports its graph with torch.export on the meta device, without weights. No other command of
    costcalc runs code of yours; name nothing here that you would not run. Needs the extra `torch`: pip install
    'costcalc[torch]'.

    Layers have the names of the modules that they are in. An operator that is not known becomes a layer of unknown
    cost. The module is given a batch of one, channels second, as PyTorch has it: 224x224x3 is (1, 3, 224, 224), 16x80
    is (1, 16, 80).

    \b
    Examples:
      costcalc import torch torchvision.models:resnet18 --input 224x224x3 -o resnet18.yaml
      costcalc import torch net:Net --input 32x32x3 --kwargs '{"num_classes": 10}'
    """
    from ..read.torch import program, reader
    from ..write import spec_text
    from .import_ import check_name
    from .output import deliver

    check_name(width)
    shapes, given = [_shape(text) for text in inputs], _given(kwargs)
    click.echo(f"note: running the code of {brief(target)}", err=True)
    model = reader.read(program.exported(target, shapes, given), target.rpartition(":")[2], target)
    deliver(spec_text(model, {}, width), output)


def _shape(text):
    """(sizes as PyTorch has them, type of numbers) of an input."""
    from .. import limits

    sizes, _, kind = text.partition(":")
    parts = sizes.split("x")
    if not all(one.isascii() and one.isdigit() and 0 < int(one[:20]) <= limits.SIZE for one in parts):
        raise _wrong(text, "sizes are whole numbers from 1 on, as in 224x224x3, 16x80 or 128:int64")
    if len(parts) >= limits.RANK:
        raise _wrong(text, f"a tensor has at most {limits.RANK} axes, the batch counted")
    if kind not in ("", *KINDS):
        raise _wrong(text, f"types: {', '.join(KINDS)}")
    found = tuple(map(int, parts))
    grid = (found[-1], *found[:-1]) if len(found) > 2 else found
    return (1, *grid), kind or "float32"


KINDS = ("float32", "float16", "bfloat16", "float64", "int64", "int32", "bool")


def _wrong(text, help):
    return OptionError(Problem("usage", f"`--input {brief(text)}` is no shape", help=help))


def _given(text):
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
