"""costcalc selftest"""

from __future__ import annotations

import click

from .commands import FAILED, OK
from .options import Output, output_options


@click.command()
@click.argument("names", nargs=-1, metavar="[OP]..")
@click.option(
    "--cases", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Number of cases per operation."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the random cases.")
@output_options
def command(
    names: tuple[str, ...],
    cases: int,
    seed: int,
    out: Output,
) -> None:
    """Check the rule of every operation against loops that count each step.

    Each case is a random shape with random options. The loops follow the definitions of the operations and share no
    code with the rules: they create every parameter, perform every multiply-add and measure the result. If an operation
    is impossible, such as a kernel larger than its input, its rule must refuse it. Without OP: all operations.

    Exit code 1 if a rule and the loops differ.

    \b
    Examples:
      costcalc selftest
      costcalc selftest conv attention --cases 1000
      costcalc selftest --seed 7 --json
    """
    from ..analysis.prove.prove import ProofsPage, operations, prove
    from .terminal import Progress

    chosen, proofs = operations(names), []
    with Progress(len(chosen), "operations") as progress:
        for name in chosen:
            proofs.append(prove(name, cases, seed))
            progress.add(1)
    page = ProofsPage(proofs, seed)
    out.show(page, FAILED if page.wrong else OK)
