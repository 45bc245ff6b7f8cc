"""costcalc selftest"""

from __future__ import annotations

import click

from . import verdict
from .commands import FAILED, OK
from .options import output_options


@click.command()
@click.argument("names", nargs=-1, metavar="[OP]..")
@click.option(
    "--cases", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Performed of each operation."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same cases.")
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    names: tuple[str, ...],
    cases: int,
    seed: int,
    format: str | None,
    as_json: bool,
    output: str | None,
    color: str,
) -> None:
    """Every operation performed in loops, and all that happens counted: does its rule say the same?

    Each case is a random shape with random options. The loops are written from the definitions of the operations and
    share no code with the rules: they make every parameter, do every multiply-add and measure the result. Where an
    operation is impossible, such as a kernel that is larger than its input, its rule has to refuse.
    Without OP: all operations.

    Exit code 1 when a rule and the loops differ.

    \b
    Examples:
      costcalc selftest
      costcalc selftest conv attention --cases 1000
      costcalc selftest --seed 7 --json
    """
    from ..analysis.prove.page import ProofsPage
    from ..analysis.prove.prove import operations, prove
    from .output import show
    from .progress import Progress

    chosen, proofs = operations(names), []
    with Progress(len(chosen), "operations") as progress:
        for name in chosen:
            proofs.append(prove(name, cases, seed))
            progress.add(1)
    page = ProofsPage(proofs, seed)
    code = FAILED if page.wrong else OK
    verdict(code)
    show(page, format, as_json, output, color)
    ctx.exit(code)
