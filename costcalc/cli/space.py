"""costcalc space"""

from __future__ import annotations

from typing import Any

import click

from ..errors import OptionError, Problem
from .options import SpecCommand, output_options, set_options, variables


@click.command(cls=SpecCommand)
@click.argument("spec")
@set_options
@click.option("--max", "most", metavar="METRIC=LIMIT", help="A budget: how many networks fit mult_adds=300M.")
@click.option("--metric", "-m", metavar="NAME", help="What is counted [that of --max, or mult_adds].")
@click.option("--convention", "-c", default="paper", show_default=True, metavar="NAME", help="What counts.")
@output_options
@click.pass_context
def command(ctx: click.Context, spec: str, **options: Any) -> None:
    """How many networks a space of designs has, what they cost, and how many fit a budget, exactly.

    The space is every combination of the spec's variables that have `choices` and are not set. No network is sampled:
    parts of the network that do not touch each other are counted by themselves and combined. A position that a
    network does not read, as the kernel of a block that a shallower one does not have, does not make another network.
    A metric that adds up over layers can be counted; where the space does not decompose, the reason is said.

    \b
    Examples:
      costcalc space ofa_mobilenet_v3
      costcalc space ofa_mobilenet_v3 --max mult_adds=300M
      costcalc space ofa_mobilenet_v3 --set d=4 --res 160 --max mult_adds=200M --json
    """
    from ..analysis.space.page import SpacePage
    from ..analysis.space.space import space
    from ..read.loading import load
    from .fit import budget
    from .output import show
    from .progress import Progress

    model = load(spec)
    given = variables(ctx, model, options["alpha"], options["res"], options["sets"])
    limits = dict([budget(options["most"])]) if options["most"] else {}
    name = options["metric"] or next(iter(limits), "mult_adds")
    if limits and name not in limits:
        raise OptionError(Problem("usage", f"--max limits {next(iter(limits))}, and --metric counts {name}"))
    with Progress(0, "additions") as progress:

        def tell(count: int, of: int) -> None:
            progress.total = of
            progress.add(count)

        found = space(model, of=name, convention=options["convention"], settings=given, tell=tell)
        page = SpacePage(found, limits)
    show(page, options["format"], options["as_json"], options["output"], options["color"])
