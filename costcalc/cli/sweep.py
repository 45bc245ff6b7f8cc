"""costcalc sweep"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem, listed
from ..quantities import read_value, values
from .options import (
    JOBS,
    Output,
    SpecCommand,
    axis_options,
    convention_option,
    metrics_option,
    named_pairs,
    outputs,
    storage_options,
    with_storage,
    writing,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ..model.network import Model
    from .terminal import Progress


MANY = 10**9  # points that need --yes
SUFFIXES = {".parquet": "parquet"}


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
@convention_option()
@click.option("--effective", is_flag=True, help="Also show the width multiplier after rounding.")
@click.option("--pivot", is_flag=True, help="Show two variables as rows and columns, one grid per metric.")
@click.option("--skip-invalid", is_flag=True, help="Skip points at which the network cannot be built.")
@JOBS
@click.option("--cluster", metavar="ADDRESS", help="Compute on the workers of a Dask scheduler.")
@click.option("--resume", is_flag=True, help="Continue the dataset in the directory of -o.")
@click.option("--yes", is_flag=True, help="Allow more than 10^9 points.")
@outputs(SUFFIXES)
def command(spec: str, out: Output, **options: Any) -> None:
    """Compute costs over any variables of a spec: one row per point.

    Values are a list (1,0.75,0.5) or a range start:stop:step that includes both ends (0.25:1.5:0.05). Several variables
    form a grid; the last one varies fastest. A variable can change the network's structure: a repeat count, a
    condition, a kernel.

    With `-o DIR/` the points become a dataset of Parquet files of about a million points each, which do not depend on
    --jobs or --cluster; an interrupted sweep continues with --resume.

    \b
    Examples:
      costcalc sweep mobilenet --alpha 1,0.75,0.5,0.25 --res 224,192,160,128
      costcalc sweep mobilenet --alpha 0.25:1.5:0.05 --metrics mult_adds,params,activations
      costcalc sweep mobilenet --alpha 1,0.5 --rho 1,0.857,0.714 --pivot
      costcalc sweep mobilenet_v2 --vary alpha=0.35:1.4:0.05 --effective -o points.csv
      costcalc sweep mobilenet --alpha 0.25:2:0.001 --res 32:512:1 --sample 1000 --seed 7
      costcalc sweep mobilenet --alpha 0.25:2:0.01 --res 32:512:1 --jobs 2 -o points/ --resume
    """
    from ..read.loading import load

    model = with_storage(load(spec))
    space = _space(model, axes_of(model, options), options)
    if space.size > MANY and not options["yes"]:
        raise OptionError(
            Problem(
                "limit", f"{space.size:,} points are more than the limit of {MANY:,}", help="add --yes to compute them"
            )
        )
    effective = ["effective_alpha"] * options["effective"]
    metrics = [*dict.fromkeys([*options["metrics"], *effective])]
    if _is_dataset(out, options):
        _write_dataset(model, space, metrics, str(out.output), options)
    else:
        _write(model, space, metrics, out, options)


def _is_dataset(out: Output, options: Mapping[str, Any]) -> bool:
    """Whether the points go to a directory of Parquet files. Raises OptionError."""
    path = out.output or "-"
    found = path != "-" and (path.endswith(os.sep) or os.path.isdir(path))
    if options["resume"] and not found:
        raise OptionError(Problem("usage", "--resume continues a dataset in a directory", help="write -o points/"))
    if found and (out.format not in (None, "parquet") or out.as_json or options["pivot"]):
        raise OptionError(Problem("usage", "a directory is for Parquet files", help="name a file: -o points.csv"))
    return found


def _write_dataset(model: Model, space: Any, metrics: list[str], folder: str, options: Mapping[str, Any]) -> None:
    from ..analysis.sweep.page import about, values_by_variable
    from ..analysis.sweep.partitions import to_dataset
    from ..metrics.conventions import price_list
    from .terminal import Progress

    varied, convention = values_by_variable(space), price_list(options["convention"])
    head = about(model, varied, convention, len(space.names), metrics).head
    how = (options["jobs"], options["cluster"], options["resume"])
    with Progress(space.size, "points", resumes=True) as progress:
        question = _question(model, space, metrics, options, True)
        skipped = to_dataset(question, space, head, folder, how, progress.add)
    _say_skipped(skipped)


def _question(model: Model, space: Any, metrics: list[str], options: Mapping[str, Any], as_parquet: bool) -> Any:
    from ..analysis.jobs.parcel import packed
    from ..analysis.sweep.partitions import Question

    how = options["convention"], options["skip_invalid"], as_parquet
    return Question(packed(model), tuple(space.names), tuple(metrics), *how)


def _say_skipped(skipped: Mapping[str, int]) -> None:
    for reason, count in skipped.items():
        click.echo(f"skipped {count:,} point{'s' * (count > 1)}: {reason}", err=True)


def axes_of(model: Model, options: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Values by variable, in the order of their declaration in the spec; rho is placed at res."""
    from ..analysis.sweep.sweep import as_axis

    for text in options["varied"]:
        if "=" not in text:
            raise OptionError(Problem("usage", f"`--vary {text}` varies nothing", help="write --vary NAME=VALUES"))
    axes = {name: as_axis(model, name, given) for name, given in values_of(model, options).items()}
    order = [*model.variables]
    return dict(sorted(axes.items(), key=lambda pair: order.index("res") if pair[0] == "rho" else order.index(pair[0])))


def values_of(model: Model, options: Mapping[str, Any]) -> dict[str, list[float] | None]:
    """Values by variable as given by the options; None for a variable of `--vary NAME`."""
    pairs = [(name, options[name]) for name in ("alpha", "res", "rho") if options[name] is not None]
    for text in options["varied"]:
        name, equals, value = text.partition("=")
        pairs.append((name.strip(), value if equals else None))
    pairs += named_pairs(model)
    for name, _ in pairs:
        if [one for one, _ in pairs].count(name) > 1:
            raise OptionError(Problem("usage", f"`{name}` is given twice", help="vary it, or set it"))
    return {name: None if text is None else values(name, text, read_value) for name, text in pairs}


def _space(model: Model, axes: Mapping[str, np.ndarray], options: Mapping[str, Any]) -> Any:
    from ..analysis.sweep.sweep import Grid, Sample, Table

    if options["points"] is not None:
        if axes:
            raise OptionError(Problem("usage", f"--points gives all variables: {listed(axes)} cannot be given too"))
        return Table(_points(model, options["points"]))
    if not axes:
        help = f"variables of {model.name}: {listed(model.variables)}"
        raise OptionError(Problem("usage", "a sweep needs values: --alpha 1,0.75 or --vary NAME=VALUES", help=help))
    return Sample(axes, options["sample"], options["seed"]) if options["sample"] else Grid(axes)


def _points(model: Model, path: str) -> dict[str, np.ndarray]:
    import numpy as np

    from ..analysis.sweep.sweep import as_axis, points
    from ..read.loading import source

    columns = points(source(path), model, read_value)
    return {
        name: np.array(column) if name not in model.variables else as_axis(model, name, column)
        for name, column in columns.items()
    }


def _write(model: Model, space: Any, metrics: list[str], out: Output, options: Mapping[str, Any]) -> None:
    from ..analysis.sweep.page import BOUNDS, STREAMS, about, values_by_variable, write
    from ..metrics.conventions import price_list
    from .terminal import Progress

    format = out.form()
    if options["pivot"] and (len(space.names) != 2 or format in STREAMS):
        raise OptionError(Problem("usage", "--pivot needs two variables and a table, md or latex"))
    if format == "parquet" and out.is_screen:
        raise OptionError(Problem("usage", "Parquet output needs a file", help="add -o points.parquet"))
    skipped: dict = {}
    with Progress(space.size, "points") as progress, writing(out.output, binary=format == "parquet") as file:
        first, frames = peeked(_frames(model, space, metrics, options, progress, skipped))
        bounded = "complete" in first
        keys, bound = 1 if options["pivot"] else len(space.names), f"{BOUNDS}; " if bounded else ""
        said = about(model, values_by_variable(space), price_list(options["convention"]), keys, metrics)
        for title, part in _pivoted(frames, space.names, metrics) if options["pivot"] else [("", frames)]:
            one = said._replace(note=title + bound + said.note)
            write(part, [*space.names, *metrics, *["complete"] * bounded], format, file, one, out.screen)
    _say_skipped(skipped)


def peeked(frames: Any) -> tuple[pd.DataFrame, Iterator[Any]]:
    """(first frame, or an empty one if there are none; iterator over all frames)."""
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
    """One frame per chunk; `complete` is a column of all frames or of none."""
    import pandas

    from ..analysis.sweep.sweep import COMPLETE

    bounded = None
    for columns, left_out in _computed(model, space, metrics, options, progress):
        for reason, count in left_out.items():
            skipped[reason] = skipped.get(reason, 0) + count
        complete = columns[COMPLETE]
        if bounded is False and not complete.all():
            help = "sweep the settings with such layers separately"
            raise OptionError(Problem("incomplete", "at later points the cost of a layer is unknown", help=help))
        bounded = not complete.all() if bounded is None else bounded
        kept = {name: columns[name] for name in (*space.names, *metrics)}
        yield pandas.DataFrame({**kept, **({"complete": complete} if bounded else {})})


def _computed(
    model: Model, space: Any, metrics: list[str], options: Mapping[str, Any], progress: Progress
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, int]]]:
    """(columns, skipped points) of consecutive points in order, computed by one process or several."""
    from ..analysis.sweep.sweep import COMPLETE, results

    if options["jobs"] > 1 or options["cluster"]:
        from ..analysis.sweep.partitions import in_order

        question = _question(model, space, metrics, options, False)
        for frame, skipped in in_order(question, space, options["jobs"], options["cluster"], progress.add):
            yield frame.rename(columns={"complete": COMPLETE}), skipped
        return
    for result in results(model, space, metrics, options["convention"], options["skip_invalid"]):
        progress.add(len(result.kept) + sum(result.skipped.values()))
        yield result.columns, result.skipped


def _pivoted(
    frames: Iterable[Any], names: tuple[str, ...], metrics: list[str]
) -> Iterator[tuple[str, list[pd.DataFrame]]]:
    """(title, frames) per metric: one row per value of the first variable, one column per value of the second."""
    import pandas

    whole = pandas.concat(list(frames), ignore_index=True)
    rows, columns = names
    for metric in metrics:
        grid = whole.pivot(index=rows, columns=columns, values=metric).sort_index(ascending=False)
        grid = grid.reindex(columns=sorted(grid.columns, reverse=True)).reset_index()
        grid.columns = [f"{rows} \\ {columns}", *(f"{value:.10g}" for value in grid.columns[1:])]
        yield f"{metric}; ", [grid]
