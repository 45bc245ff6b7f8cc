"""costcalc analyze"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem, SpecError
from .commands import refuse, watch_option
from .options import (
    Asked,
    Output,
    SpecCommand,
    convention_option,
    metrics_option,
    output_options,
    spec_options,
    storage_options,
    with_storage,
)

if TYPE_CHECKING:
    from ..analysis.report.columns import View
    from ..analysis.report.report import Report
    from ..errors import CostcalcError
    from ..model.network import Model
    from ..render.sheet import Page


_OF_TABLES = ("by", "depth", "columns", "sort", "top", "everything", "strict")


@watch_option
@click.command(cls=SpecCommand)
@spec_options
@storage_options
@convention_option()
@metrics_option("Further columns and totals: activations, weights_bytes ..")
@click.option(
    "--phase",
    type=click.Choice(["train", "deploy", "both"]),
    help="The network as trained, or as deployed: without dropout, branches merged, norms folded.",
)
@click.option("--by", type=click.Choice(["layer", "type", "block"]), default="layer", show_default=True)
@click.option("--depth", type=click.IntRange(1, 100), help="Sum up to N levels of names; implies --by block.")
@click.option("--columns", metavar="A,B,..", help="Columns to show, by their CSV names.")
@click.option(
    "--sort", metavar="COLUMN", help="Sort by this column: numbers descending, names ascending; `live`: bytes."
)
@click.option("--top", type=click.IntRange(1), metavar="N", help="Show only the first N.")
@click.option("--all", "everything", is_flag=True, help="Also list zero-cost layers (norms, activations).")
@click.option(
    "--strict", is_flag=True, help="Fail on what is otherwise a note: an unknown cost. Exit code 2, no table."
)
@click.option(
    "--device", metavar="NAME", help="Show the bounds of each layer on a device (`costcalc devices`, or a file)."
)
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    spec: str,
    asked: Asked,
    convention: str,
    metrics: tuple[str, ...],
    phase: str | None,
    by: str,
    strict: bool,
    device: str | None,
    out: Output,
    **shown: Any,
) -> None:
    """Compute the cost of a network, layer by layer.

    SPEC is a YAML file, an ONNX or Keras model, - for standard input, or the name of a shipped config (see `costcalc
    zoo`). Each variable of the spec is an option: `costcalc analyze SPEC --help` lists them.

    \b
    Examples:
      costcalc analyze mobilenet.yaml --alpha 0.75 --res 160
      costcalc analyze resnet50 --by block
      costcalc analyze mobilenet --sort mult_adds --top 5
      costcalc analyze mobilenet --convention framework -o layers.csv
      costcalc analyze repvgg_a0 --phase both
    """
    from ..analysis.report.analyze import analyze
    from ..analysis.report.page import ReportPage
    from ..read.loading import load

    refuse(spec == "-", "standard input can be read only once")
    model = with_storage(load(spec))
    how = {"metrics": _with_live(metrics, **shown), "convention": convention, **asked.how(model)}
    if device is not None or phase == "both":
        _refuse(ctx, "--phase both" if device is None else "--device")
        page = _both(model, how) if device is None else _roofline(model, phase, how, device)
        return out.show(page)
    report = analyze(_of_phase(model, phase), **how)
    if strict and not report.complete:
        raise _incomplete(report)
    out.show(ReportPage(report, _view(by, **shown)))


def _with_live(metrics: tuple[str, ...], columns: str | None, sort: str | None, **shown: Any) -> tuple[str, ...]:
    """Metrics to compute, including the one behind the column `live`."""
    named = [name.strip() for name in (columns or "").split(",")]
    return tuple(dict.fromkeys((*metrics, "peak_bytes"))) if "live" in (*named, sort) else metrics


def _view(by: str, depth: int | None, columns: str | None, sort: str | None, top: int | None, everything: bool) -> View:
    """Parts of the report to show."""
    from ..analysis.report.columns import View

    names = tuple(name.strip() for name in columns.split(",")) if columns else ()
    return View("block" if depth and by == "layer" else by, depth or 1, names, sort or "", top or 0, everything)


def _of_phase(model: Model, phase: str | None) -> Model:
    """The network in a phase, or unchanged if none is chosen."""
    if phase is None:
        return model
    from ..rewrite import phased

    return phased(model, phase)


def _refuse(ctx: click.Context, shown: str) -> None:
    """Refuse options of the table of layers if another table is shown."""
    taken = () if shown == "--device" else ("metrics", "convention")
    for param in ctx.command.params:
        if param.name in (*_OF_TABLES, "metrics", "convention") and param.name not in taken:
            source = ctx.get_parameter_source(param.name)
            if source is not None and source.name == "COMMANDLINE":
                message = f"`{shown}` shows a separate table, without {param.opts[-1]}"
                raise OptionError(Problem("usage", message, help=f"leave out {param.opts[-1]}"))


def _both(model: Model, how: dict[str, Any]) -> Page:
    """Compare the network as trained with the network as deployed."""
    from ..analysis.compare.compare import compare

    return compare(model, drop=True, merge=True, fold=True, **how).page()


def _roofline(model: Model, phase: str | None, how: Mapping[str, Any], name: str) -> Page:
    """Page of the bounds of each layer on a device."""
    from ..analysis.memory.roofline import RooflinePage, bounded

    if phase == "both":
        raise OptionError(Problem("usage", "--device shows one phase: --phase train or --phase deploy"))
    return RooflinePage(bounded(_of_phase(model, phase), how["settings"], how["rho"], name))


def _incomplete(report: Report) -> CostcalcError:
    """Error that a cost is unknown, by kinds of layers."""
    from ..analysis.report.notes import unknown

    message = f"{report.model.name}: the cost of {'; '.join(unknown(report))} is unknown"
    help = "without --strict the totals are lower bounds"
    return SpecError(Problem("unknown-cost", message, help=help))
