"""costcalc conventions"""

import click


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
def command(name):
    """What counts as a mult-add or a parameter, and for whom; one with its prices.

    \b
    Examples:
      costcalc conventions
      costcalc conventions paper
    """
    from ..conventions import CONVENTIONS, find

    if name is None:
        width = max(map(len, CONVENTIONS)) + 2
        click.echo("\n".join(f"{one.name:{width}}{one.title}" for one in CONVENTIONS.values()))
    else:
        click.echo(described(find(name)))


def described(convention):
    """A convention's prices, quantity by quantity, and where it is from."""
    return "\n".join(
        [
            f"{convention.name}: {convention.title}",
            f"source: {convention.source}",
            "",
            f"{convention.cost}",
            *_prices(convention.prices),
            "params",
            *_prices(convention.params),
            "",
            "What is not listed counts 0.",
        ]
    )


def _prices(prices):
    return [f"  {price} per {name}" for name, price in prices.items()]
