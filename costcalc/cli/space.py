"""costcalc space"""

from __future__ import annotations

from typing import Any

import click

from ..errors import OptionError, Problem
from .options import Asked, Output, SpecCommand, convention_option, deliver, output_options, space_options


@click.command(cls=SpecCommand)
@space_options
@click.option(
    "--max", "most", multiple=True, metavar="METRIC=LIMIT", help="A budget: how many networks fit. Repeatable."
)
@click.option(
    "--metric",
    "-m",
    metavar="NAME",
    help="Metric to count by [default: the first of --max that --front does not name, or mult_adds].",
)
@click.option("--bars", type=click.IntRange(1, 1000), default=12, show_default=True, help="Rows of the histogram.")
@click.option("--nth", type=click.IntRange(1), metavar="K", help="Network K within the budgets, cheapest first.")
@click.option("--samples", type=click.IntRange(1), metavar="N", help="N networks within the budgets, drawn uniformly.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of --samples and --estimate.")
@click.option(
    "--front",
    metavar="METRIC[,max]",
    help="Pareto front of the counted metric and METRIC within the budgets; `,max` if more is better.",
)
@click.option(
    "--estimate", type=click.IntRange(1), metavar="N", help="Sample N networks to estimate what cannot be counted."
)
@click.option("--plot", metavar="FILE", help="Draw the histogram to a .svg or .png file, budgets as lines.")
@convention_option()
@output_options
def command(spec: str, asked: Asked, out: Output, **options: Any) -> None:
    """Count the networks of a space of designs, their costs, and those within budgets, exactly.

    The space is every combination of the spec's variables that have `choices` and are not set. No network is sampled:
    parts of the network that do not touch each other are counted separately and combined. A choice that a
    network does not read, such as the kernel of a block that it does not have, does not make a different network.
    Metrics that add up over layers (mult_adds, params, weights_bytes) and the peak memory (peak_bytes) can be counted.
    If the space does not decompose, the reason is given.

    \b
    Examples:
      costcalc space ofa_mobilenet_v3
      costcalc space ofa_mobilenet_v3 --max mult_adds=300M --max peak_bytes=4MiB
      costcalc space ofa_mobilenet_v3 --max mult_adds=300M --samples 5 --seed 1
      costcalc space ofa_mobilenet_v3 --max mult_adds=300M --max params=5M --estimate 200
      costcalc space ofa_mobilenet_v3 --set d=4 --res 160 --max mult_adds=200M --plot space.svg --json
    """
    from ..analysis.space.asking import paged, unlisted
    from ..read.loading import load
    from .fit import budgets
    from .terminal import Progress

    model = load(spec)
    given = asked.of(model)
    limits = budgets(options["most"])
    question = _question(limits, options)
    format = _plotted(options["plot"])
    with Progress(0, "steps") as progress:

        def tell(count: int, of: int) -> None:
            if not count:
                progress.begin(of)
            progress.add(count)

        name = options["metric"] or next((one for one in limits if one not in question.front), "mult_adds")
        page = paged(model, name, question, {"convention": options["convention"], "settings": given, "tell": tell})
    if format:
        _plot(unlisted(page), options["plot"], format)
    out.show(page)


def _question(limits: dict[str, str], options: dict[str, Any]) -> Any:
    """Requested contents of the page. Raises OptionError for two kinds of lists at once."""
    from ..analysis.space.page import Asked

    lists = [f"--{name}" for name in ("nth", "samples", "front") if options[name]]
    if len(lists) > 1:
        raise OptionError(Problem("usage", f"{' and '.join(lists)} cannot be combined"))
    front: tuple[str, ...] = ()
    if options["front"]:
        other, comma, word = options["front"].partition(",")
        if comma and word != "max":
            raise OptionError(Problem("usage", "`--front` takes a metric, or one with `,max`: --front params,max"))
        front = (other, other) if comma else (other,)
    samples, estimate = (options[name] or 0 for name in ("samples", "estimate"))
    return Asked(limits, options["bars"], options["nth"], samples, options["seed"], estimate, front)


def _plotted(path: str | None) -> str | None:
    from ..analysis.sweep.plotting import format_of

    return format_of(path) if path else None


def _plot(page: Any, path: str, format: str) -> None:
    from ..analysis.space.page import picture

    deliver(picture(page.found, page.limits, page.notes()[-1], format), path)
