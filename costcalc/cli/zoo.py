"""costcalc zoo"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ..errors import OptionError, Problem, brief, nearest
from .options import Output, output_options

if TYPE_CHECKING:
    from ..analysis.catalogue.zoo import Config
    from ..model.network import Model


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
@output_options
def command(name: str | None, out: Output) -> None:
    """List the shipped configs with their totals at the defaults, or print one.

    Use a printed config as a starting point for your own spec: `costcalc zoo mobilenet > my_net.yaml`.

    \b
    Examples:
      costcalc zoo
      costcalc zoo --json
      costcalc zoo mobilenet
    """
    from ..read.loading import configs

    if name is None:
        from ..analysis.catalogue.zoo import ZooPage

        out.show(ZooPage([_row(name) for name in configs()]))
    elif (known := name.removesuffix(".yaml")) not in configs():
        help = nearest(known, configs()) or "`costcalc zoo` lists them"
        raise OptionError(Problem("unknown-config", f"there is no shipped config `{brief(name)}`", help=help))
    elif out.format or out.as_json:
        help = f"`costcalc analyze {known} --json` prints its figures"
        raise OptionError(Problem("usage", "a config is printed as YAML: it has no other format", help=help))
    else:
        out.deliver(_text(known, out.output))


SCHEMA = "spec.schema.json"


def _text(name: str, output: str | None) -> str:
    """Text of a config, without its first line, which names a schema for editors, if that schema is missing."""
    text, folder = _shipped(name).source.text, os.path.dirname(output or "")
    first, _, rest = text.partition("\n")
    return rest if SCHEMA in first and not os.path.exists(os.path.join(folder, SCHEMA)) else text


def _row(name: str) -> Config:
    from ..analysis.catalogue.zoo import Config
    from ..analysis.report.analyze import analyze
    from ..model.variables import settings_of

    model = _shipped(name)
    cost, params = analyze(model).totals.values()
    return Config(
        name,
        cost,
        params,
        tuple(settings_of({name: one.default for name, one in model.variables.items()})),
        title(model.source.text),
    )


def _shipped(name: str) -> Model:
    """The shipped config, regardless of files in the working directory."""
    from ..read.loading import configs, load

    return load(configs()[name])


def title(text: str) -> str:
    """Description of a config: its first comment line that is not for tools."""
    lines = (line[1:].strip() for line in text.splitlines() if line.startswith("#"))
    return next((line for line in lines if not line.startswith("yaml-language-server")), "")
