"""costcalc compare"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem, listed, nearest
from ..quantities import read_value
from .options import (
    Asked,
    MetricsCommand,
    Output,
    convention_option,
    factor,
    in_order,
    metrics_option,
    output_options,
    setting_options,
)

if TYPE_CHECKING:
    from ..analysis.compare.compare import Comparison, Design
    from ..analysis.compare.page import ComparisonPage, LeaguePage


DTYPES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}


def _thin(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    return factor("thin", value)


rewriting_options = in_order(
    click.option(
        "--conv",
        type=click.Choice(["standard", "separable"]),
        help="Compare with the same network, its convolutions made standard or separable.",
    ),
    click.option("--stem", is_flag=True, help="With --conv separable: also the first convolution."),
    click.option(
        "--thin", callback=_thin, metavar="ALPHA", help="Compare with the same network, every width times ALPHA."
    ),
    click.option("--drop", is_flag=True, help="Compare with the same network without dropout and `only: train`."),
    click.option("--merge", is_flag=True, help="Compare with the same network, linear branches merged."),
    click.option("--fold", is_flag=True, help="Compare with the same network, batch norm folded into convolutions."),
)


@click.command(cls=MetricsCommand)
@click.argument("specs", nargs=-1, required=True, metavar="SPEC [SPEC..]")
@setting_options
@click.option("--at", multiple=True, metavar="NAME=VALUE,..", help="A setting to compare; rho=P is allowed.")
@rewriting_options
@click.option("--layers", metavar="GLOB", help="Only layers and blocks with matching names.")
@click.option("--bytes", "with_bytes", is_flag=True, help="Also show the memory moved and mult-adds per byte.")
@click.option("--dtype", metavar="TYPE", help="Bytes per value, or float32, float16, int8; implies --bytes. [4]")
@click.option("--by", type=click.Choice(["layer", "type"]), default="layer", show_default=True)
@click.option("--sort", metavar="COLUMN", help="With three or more designs: sort descending by mult_adds, params ..")
@metrics_option("Further totals.")
@convention_option()
@output_options
def command(
    specs: Any,
    at: tuple[str, ...],
    asked: Asked,
    with_bytes: bool,
    dtype: str | None,
    by: str,
    sort: str | None,
    out: Output,
    **how: Any,
) -> None:
    """Compare designs: specs, settings, standard and separable convolutions.

    Two designs are compared layer by layer; three or more give a table of totals. A setting or a rewrite adds a second
    design for each spec. `--conv standard` shows what separable convolutions save, and `--conv separable` what they
    would save. `--thin` shows the effect of a width multiplier on a spec without one.

    \b
    Examples:
      costcalc compare mobilenet --conv standard
      costcalc compare mobilenet --at alpha=0.75 --at middle=0
      costcalc compare resnet50 --conv separable --bytes --dtype float16
      costcalc compare mobilenet mobilenet_v2 vgg16 --sort mult_adds
      costcalc compare mobilenet --layers separable_7 --conv standard
    """
    from ..analysis.compare.compare import Comparison, compare

    if how["stem"] and how["conv"] != "separable":
        raise OptionError(Problem("usage", "`--stem` needs `--conv separable`"))
    settings = asked.plain
    comparison = compare(*specs, at=[setting(text) for text in at], rho=asked.multiplier, settings=settings, **how)
    size = bytes_of(dtype) if dtype else 4 * with_bytes or None
    page = (
        _pair(comparison, size, by, sort) if isinstance(comparison, Comparison) else _league(comparison, size, by, sort)
    )
    out.show(page)


def _pair(comparison: Comparison, size: int | None, by: str, sort: str | None) -> ComparisonPage:
    from ..analysis.compare.page import ComparisonPage

    if sort:
        raise OptionError(Problem("usage", "`--sort` needs three designs or more; there are two"))
    return ComparisonPage(comparison, size, by)


def _league(designs: list[Design], size: int | None, by: str, sort: str | None) -> LeaguePage:
    from ..analysis.compare.page import LeaguePage

    if by == "type":
        raise OptionError(Problem("usage", "`--by` is for two designs; there are more"))
    known = [name for name in LeaguePage(designs, size).records()[0] if name not in ("design", "complete")]
    if sort and sort not in known:
        help = nearest(sort, known) or f"known: {listed(known)}"
        raise OptionError(Problem("unknown-column", f"there is no column `{sort}`", help=help))
    return LeaguePage(designs, size, sort)


def setting(text: str) -> dict[str, Any]:
    """Parse `alpha=0.5,res=160` into values."""
    values = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not value:
            raise OptionError(Problem("usage", f"`--at {text}` sets nothing", help="write --at alpha=0.5,res=160"))
        if name in values:
            raise OptionError(Problem("usage", f"`{name}` is set twice in `--at {text}`"))
        values[name] = factor("rho", value) if name == "rho" else read_value(name, value)
    return values


def bytes_of(dtype: str) -> int:
    """Bytes per value. Raises OptionError."""
    if dtype in DTYPES:
        return DTYPES[dtype]
    if dtype.isascii() and dtype.isdigit() and 1 <= int(dtype[:4]) <= 64:
        return int(dtype)
    help = f"a number of bytes from 1 to 64, or {listed(DTYPES)}"
    raise OptionError(Problem("bad-value", f"`dtype` cannot be `{dtype[:40]}`", help=help))
