"""costcalc zoo"""

import click

from ..errors import OptionError, Problem, brief, nearest

HEADER = ("config", "mult-adds", "params", "variables", "what it is")


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
def command(name):
    """The shipped configs, with their totals at the defaults; or the text of one.

    A text is a spec to start from: `costcalc zoo mobilenet > my_net.yaml`.

    \b
    Examples:
      costcalc zoo
      costcalc zoo mobilenet
    """
    from ..loading import configs

    if name is None:
        click.echo(overview())
    elif (known := name.removesuffix(".yaml")) in configs():
        click.echo(_shipped(known).source.text, nl=False)
    else:
        help = nearest(known, configs()) or "`costcalc zoo` lists them"
        raise OptionError(Problem("unknown-config", f"there is no shipped config `{brief(name)}`", help=help))


def overview():
    """A line for each config: its name, what it costs by the default convention, its variables, its title."""
    from ..loading import configs

    rows = [HEADER, *(_row(name) for name in configs())]
    name, cost, params, variables = (max(map(len, column)) for column in list(zip(*rows, strict=True))[:4])
    return "\n".join(f"{a:{name}}  {b:>{cost}}  {c:>{params}}  {d:{variables}}  {e}" for a, b, c, d, e in rows)


def _row(name):
    from ..analysis import analyze

    model = _shipped(name)
    cost, params = analyze(model).totals.values()
    return name, f"{cost:,}", f"{params:,}", ", ".join(model.variables), title(model.source.text)


def _shipped(name):
    """The config itself, whatever is in the working directory."""
    from ..loading import configs, load

    return load(configs()[name])


def title(text):
    """What a config says of itself: its first comment line that is for people."""
    lines = (line[1:].strip() for line in text.splitlines() if line.startswith("#"))
    return next((line for line in lines if not line.startswith("yaml-language-server")), "")
