"""costcalc export"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem
from .options import SpecCommand, factor, spec_options, variables

if TYPE_CHECKING:
    from ..model.network import Model
    from ..model.wiring import Graph


SUFFIXES = {".onnx": "onnx", ".py": "torch"}
WEIGHTS = ("random", "zero", "none")


@click.command(cls=SpecCommand)
@spec_options
@click.option("--to", type=click.Choice([*SUFFIXES.values()]), help="What to write [default: what FILE ends in].")
@click.option(
    "--weights",
    type=click.Choice(WEIGHTS),
    show_default="random",
    help="Of an ONNX model: as before training; all 0; or none: they are inputs of the graph.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), show_default="0", help="Of random weights.")
@click.option("-o", "--output", required=True, metavar="FILE", help="The file to write.")
@click.pass_context
def command(
    ctx: click.Context,
    spec: str,
    alpha: str | None,
    res: str | None,
    rho: str | None,
    sets: tuple[Any, ...],
    to: str | None,
    weights: Any,
    seed: int | None,
    output: str,
) -> None:
    """A network as a model of another tool.

    An ONNX model (needs the extra `onnx`: pip install 'costcalc[onnx]') has the layers under their names, a batch of
    one, and weights that are not trained: to look at, to time on a device, and to prove that the spec can be built.
    Nothing is written unless ONNX's own checker and shape inference agree with every shape of the spec.

    A PyTorch file (.py) has the network as a torch.nn.Module: layers of equal structure are functions, and nothing of
    costcalc is needed to run it.

    \b
    Examples:
      costcalc export mobilenet -o mobilenet.onnx --alpha 0.75 --res 160
      costcalc export resnet50 -o resnet50.onnx --weights none
      costcalc export resnet50 -o resnet50.py
    """
    from ..analysis.report.analyze import scaled
    from ..model.stitching import graph_of
    from ..model.variables import settle
    from ..read.loading import load
    from ..write.onnx import encoded
    from ..write.torch import source_text
    from .output import deliver, writing

    to = to or _format_for(output)
    _check(to, weights, seed)
    model = load(spec)
    given = variables(ctx, model, alpha, res, sets)
    graph = graph_of(model, settle(model, scaled(model, given, factor("rho", rho))))
    if to == "torch":
        deliver(source_text(graph, model.name), output)
    else:
        data = encoded(graph, model.name, weights or "random", seed or 0)
        with writing(output, binary=True) as out:
            out.write(data)
    _tell(model, spec, graph)


def _tell(model: Model, spec: str, graph: Graph) -> None:
    """Say which spec it was, where that may surprise, and what the file does not have."""
    from ..analysis.report.columns import shipped

    if model.source.shipped and spec != model.name:  # it was named as a file, which is not there
        click.echo(f"note: {shipped(model)}", err=True)
    for note in _notes(graph):
        click.echo(f"note: {note}", err=True)


def _check(to: str, weights: Any, seed: int | None) -> None:
    """Refuse an option that would do nothing."""
    if to == "torch" and (weights is not None or seed is not None):
        help = "a PyTorch module makes its own when it is built, after torch.manual_seed"
        raise OptionError(
            Problem("usage", "a file for PyTorch has no weights: --weights and --seed are of ONNX", help=help)
        )
    if seed is not None and weights in ("zero", "none"):
        raise OptionError(Problem("usage", f"--weights {weights} has nothing to seed", help="--weights random"))


def _format_for(path: str) -> str:
    import os

    suffix = os.path.splitext(path)[1].lower()
    if suffix not in SUFFIXES:
        help = f"known: {', '.join(SUFFIXES)}; or --to"
        raise OptionError(Problem("unknown-format", f"no format ends in `{suffix}`", help=help))
    return SUFFIXES[suffix]


def _notes(graph: Graph) -> Iterator[Any]:
    """What the file says of the network in another way than the spec."""
    many = [node for node in graph.nodes if node.row.times != 1]
    if many:
        yield f"layers that run several times per sample run once in the file, as `{many[0].name}` does"
