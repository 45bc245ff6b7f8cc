"""costcalc fit"""

import click

from ..errors import OptionError, Problem
from ..texts import read_value
from . import FAILED, OK
from .options import SpecCommand


@click.command(cls=SpecCommand)
@click.argument("spec")
@click.option(
    "--vary", "varied", multiple=True, required=True, metavar="NAME[=VALUES]", help="A variable to fit, and its values."
)
@click.option(
    "--max", "most", multiple=True, required=True, metavar="METRIC=LIMIT", help="A budget: mult_adds=150M, params=2M."
)
@click.option("--maximize", metavar="NAME", help="A variable, a metric, or a published accuracy such as top1.")
@click.option("--convention", "-c", default="paper", show_default=True, metavar="NAME", help="What counts.")
@click.option("--top", type=click.IntRange(1), metavar="N", help="Only the first N settings.")
@click.option(
    "--format", "-f", "format", type=click.Choice(["table", "csv", "json", "md", "latex"]), help="Output format."
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE; its ending says the format.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.pass_context
def command(ctx, spec, varied, most, maximize, convention, top, format, output, color):
    """The largest settings of variables within all budgets, with the published roundings.

    Every setting of the grid is tried. With several variables, every setting is shown that no other one that fits
    exceeds in all of them; --maximize picks one. Exit code 1 when nothing fits.

    \b
    Examples:
      costcalc fit mobilenet --vary alpha --max mult_adds=150M
      costcalc fit mobilenet --vary alpha=0.25:1:0.05 --vary res=128:224:32 --max mult_adds=150M --max params=2M
      costcalc fit mobilenet --vary alpha --vary res=128:224:32 --max mult_adds=150M --maximize mult_adds
    """
    from ..fitting import fit
    from ..loading import load

    if ctx.meta["variables"]:
        option, value = ctx.meta["variables"][0]
        raise OptionError(
            Problem("usage", f"there is no option `{option}`", help=f"write --vary {option[2:]}={value or ''}")
        )
    model = load(spec)
    vary = dict(_vary(text) for text in varied)
    limits = dict(_limit(text) for text in most)
    found = fit(model, vary=vary, limits=limits, maximize=maximize, convention=convention)
    if not found.size:
        click.echo(nothing_fits(found, limits), err=True)
        ctx.exit(FAILED)
    _show(model, found, limits, convention, top, format, output, color)
    ctx.exit(OK)


def _vary(text):
    from ..ranges import values

    name, equals, given = text.partition("=")
    return name.strip(), values(name.strip(), given, read_value) if equals else None


def _limit(text):
    from ..figures import value

    name, equals, limit = (part.strip() for part in text.partition("="))
    number = value(limit) if equals else None
    if number is None or limit.endswith("%"):
        raise OptionError(Problem("bad-limit", f"`--max {text[:60]}` is no budget", help="write --max mult_adds=150M"))
    return name, number


def nothing_fits(found, limits):
    """Which budget rules everything out."""
    lines = ["nothing fits"]
    for metric, (least, limit) in found.ruled_out.items():
        lines.append(f"  {metric} is at least {least:,.10g}, over {limit:,.10g}")
    if not found.ruled_out and found.tried > sum(found.invalid.values()):
        lines.append(f"  {' and '.join(limits)} can each be met, but not together")
    for reason, count in found.invalid.items():
        lines.append(f"  {count:,} of {found.tried:,} settings cannot be built: {reason}")
    return "\n".join(lines)


def _show(model, found, limits, convention, top, format, output, color):
    from ..render import Screen
    from ..render.points import write
    from ..space import Grid
    from ..sweeps import stamp
    from .output import format_for, writing
    from .terminal import screen

    frame = found.frame()
    budgets = ", ".join(f"{name} <= {limit:,.10g}" for name, limit in limits.items())
    count = f"{found.size:,} best of {found.within:,} settings within {budgets}, {found.tried:,} tried"
    if top and top < found.size:
        count = f"{top:,} of " + count
    for name in found.at_end:
        end = found.columns[name].max()
        count += f"; {name}={end:.10g} is the end of the values tried: --vary {name}=START:STOP:STEP"
    if "complete" in found.columns:
        count += "; lower bounds (>=) where `complete` is false: the cost of a layer is not known"
    note = f"{count}; {stamp(model, Grid(dict.fromkeys(found.names, ())), convention)}"
    shown = screen(color) if output in (None, "-") else Screen()
    with writing(output) as out:
        write([frame.head(top) if top else frame], list(frame.columns), format_for(format, output), out, note, shown)
