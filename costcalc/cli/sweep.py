"""costcalc sweep"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from .. import render
from ..errors import OptionError, Problem, listed
from ..quantities import read_value
from .options import SpecCommand, axis_options, metrics_option, named_pairs, storage_options, with_storage

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ..model.network import Model
    from .progress import Progress


MANY = 10**9  # points that need --yes
FORMATS = (*render.FORMATS, "parquet")

LOWER = "lower bounds (>=) where `complete` is false: the cost of a layer is not known; "


@click.command(cls=SpecCommand)
@axis_options
@storage_options
@click.option(
    "--points",
    metavar="FILE",
    help="CSV or YAML file with one row per point, instead of a grid; a column `name` names the points.",
)
@click.option("--sample", type=click.IntRange(1), metavar="N", help="N random points of the grid.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of --sample.")
@metrics_option("Columns to compute.", "mult_adds,params")
@click.option(
    *("--convention", "-c"),
    default="paper",
    show_default=True,
    metavar="NAME",
    help="Counting convention (see `costcalc conventions`).",
)
@click.option("--effective", is_flag=True, help="Also show the width multiplier after rounding.")
@click.option("--pivot", is_flag=True, help="Show two variables as rows and columns, one grid per metric.")
@click.option("--skip-invalid", is_flag=True, help="Skip points at which the network cannot be built.")
@click.option("--yes", is_flag=True, help="Allow more than 10^9 points.")
@click.option("--format", "-f", "format", type=click.Choice(FORMATS), help="Output format.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE; its extension selects the format.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.pass_context
def command(ctx: click.Context, spec: str, **options: Any) -> None:
    """Costs over any variables of a spec: one row per point.

    Values are a list (1,0.75,0.5) or a range start:stop:step that includes both ends (0.25:1.5:0.05). Several variables
    form a grid; the last one varies fastest. A variable can change the network's structure: a repeat count, a
    condition, a kernel.

    \b
    Examples:
      costcalc sweep mobilenet --alpha 1,0.75,0.5,0.25 --res 224,192,160,128
      costcalc sweep mobilenet --alpha 0.25:1.5:0.05 --metrics mult_adds,params,activations
      costcalc sweep mobilenet --alpha 1,0.5 --rho 1,0.857,0.714 --pivot
      costcalc sweep mobilenet_v2 --vary alpha=0.35:1.4:0.05 --effective -o points.csv
      costcalc sweep mobilenet --alpha 0.25:2:0.001 --res 32:512:1 --sample 1000 --seed 7
    """
    from ..read.loading import load

    model = with_storage(ctx, load(spec))
    space = _space(model, axes_of(ctx, model, options), options)
    if space.size > MANY and not options["yes"]:
        raise OptionError(Problem("limit", f"{space.size:,} points are many", help="add --yes if you mean it"))
    effective = ["effective_alpha"] * options["effective"]
    metrics = [*dict.fromkeys([*options["metrics"], *effective])]
    _write(model, space, metrics, options)


def axes_of(ctx: click.Context, model: Model, options: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Values by variable, in the order in which the spec declares them; rho stands with res."""
    from ..analysis.sweep.sweep import as_axis

    for text in options["varied"]:
        if "=" not in text:
            raise OptionError(Problem("usage", f"`--vary {text}` varies nothing", help="write --vary NAME=VALUES"))
    axes = {name: as_axis(model, name, given) for name, given in values_of(ctx, model, options).items()}
    order = [*model.variables]
    return dict(sorted(axes.items(), key=lambda pair: order.index("res") if pair[0] == "rho" else order.index(pair[0])))


def values_of(ctx: click.Context, model: Model, options: Mapping[str, Any]) -> dict[str, list[float] | None]:
    """Values by variable as the options give them; None for a variable of `--vary NAME`."""
    from ..quantities import values

    pairs = [(name, options[name]) for name in ("alpha", "res", "rho") if options[name] is not None]
    for text in options["varied"]:
        name, equals, value = text.partition("=")
        pairs.append((name.strip(), value if equals else None))
    pairs += named_pairs(ctx, model)
    for name, _ in pairs:
        if [one for one, _ in pairs].count(name) > 1:
            raise OptionError(Problem("usage", f"`{name}` is given twice", help="vary it, or set it"))
    return {name: None if text is None else values(name, text, read_value) for name, text in pairs}


def _space(model: Model, axes: Mapping[str, np.ndarray], options: Mapping[str, Any]) -> Any:
    from ..analysis.sweep.space import Grid, Sample, Table

    if options["points"] is not None:
        if axes:
            raise OptionError(Problem("usage", f"--points says all variables; {listed(axes)} cannot be given too"))
        return Table(_points(model, options["points"]))
    if not axes:
        help = f"variables of {model.name}: {listed(model.variables)}"
        raise OptionError(Problem("usage", "a sweep needs values: --alpha 1,0.75 or --vary NAME=VALUES", help=help))
    return Sample(axes, options["sample"], options["seed"]) if options["sample"] else Grid(axes)


def _points(model: Model, path: str) -> dict[str, np.ndarray]:
    import numpy as np

    from ..analysis.sweep.points_file import points
    from ..analysis.sweep.sweep import as_axis
    from ..read.loading import source

    columns = points(source(path), model, read_value)
    return {
        name: np.array(column) if name not in model.variables else as_axis(model, name, column)
        for name, column in columns.items()
    }


def _write(
    model: Model,
    space: Any,
    metrics: list[str],
    options: Mapping[str, Any],
) -> None:
    from ..analysis.sweep.page import STREAMS, about, write
    from ..metrics.conventions import price_list
    from ..render import Screen
    from .output import format_for, writing
    from .progress import Progress
    from .talk import manner
    from .terminal import screen

    path = options["output"]
    format = "json" if options["as_json"] else format_for(options["format"], path, {".parquet": "parquet"}.items())
    if options["pivot"] and (len(space.names) != 2 or format in STREAMS):
        raise OptionError(Problem("usage", "--pivot needs two variables and a table, md or latex"))
    if format == "parquet" and path in (None, "-"):
        raise OptionError(Problem("usage", "Parquet goes to a file", help="add -o points.parquet"))
    skipped: dict = {}
    with Progress(space.size, "points") as progress, writing(path, binary=format == "parquet") as out:
        first, frames = peeked(_frames(model, space, metrics, options, progress, skipped))
        bounded = "complete" in first
        shown = screen(options["color"]) if path in (None, "-") else Screen(units=manner().units)
        keys, bound = 1 if options["pivot"] else len(space.names), LOWER if bounded else ""
        said = about(model, space.names, price_list(options["convention"]), keys, metrics)
        for title, part in _pivoted(frames, space.names, metrics) if options["pivot"] else [("", frames)]:
            one = said._replace(note=title + bound + said.note)
            write(part, [*space.names, *metrics, *["complete"] * bounded], format, out, one, shown)
    for reason, count in skipped.items():
        click.echo(f"left out {count:,} points: {reason}", err=True)


def peeked(frames: Any) -> tuple[pd.DataFrame, Iterator[Any]]:
    """The first of some frames (an empty one if there is none), and all of them."""
    from itertools import chain

    import pandas

    first = next(frames, None)
    return (pandas.DataFrame(), iter(())) if first is None else (first, chain([first], frames))


def _frames(
    model: Model,
    space: Any,
    metrics: list[str],
    options: Mapping[str, Any],
    progress: Progress,
    skipped: dict[Any, Any],
) -> Iterator[pd.DataFrame]:
    """A frame per chunk; `complete` is a column of all, or of none."""
    import pandas

    from ..analysis.sweep.sweep import COMPLETE, results

    bounded = None
    for result in results(model, space, metrics, options["convention"], options["skip_invalid"]):
        for reason, count in result.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + count
        progress.add(len(result.kept) + sum(result.skipped.values()))
        complete = result.columns[COMPLETE]
        if bounded is False and not complete.all():
            help = "sweep the settings with such layers by themselves"
            raise OptionError(Problem("incomplete", "at later points a cost is not known", help=help))
        bounded = not complete.all() if bounded is None else bounded
        columns = {name: result.columns[name] for name in (*space.names, *metrics)}
        yield pandas.DataFrame({**columns, **({"complete": complete} if bounded else {})})


def _pivoted(
    frames: Iterable[Any], names: tuple[str, ...], metrics: list[str]
) -> Iterator[tuple[str, list[pd.DataFrame]]]:
    """(title, frames) per metric: a row per value of the first variable, a column per value of the second."""
    import pandas

    whole = pandas.concat(list(frames), ignore_index=True)
    rows, columns = names
    for metric in metrics:
        grid = whole.pivot(index=rows, columns=columns, values=metric).sort_index(ascending=False)
        grid = grid.reindex(columns=sorted(grid.columns, reverse=True)).reset_index()
        grid.columns = [f"{rows} \\ {columns}", *(f"{value:.10g}" for value in grid.columns[1:])]
        yield f"{metric}; ", [grid]
