"""costcalc import hf"""

from __future__ import annotations

import click


@click.command()
@click.argument("config", metavar="CONFIG")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of standard output.")
def command(config: str, output: str | None) -> None:
    """Write the config.json of a language model of Hugging Face transformers as a spec.

    Nothing is downloaded and no code is run: the family is looked up by `model_type`, its spec is a shipped config
    whose variables get the values of CONFIG. Every command also reads a config.json itself. The spec has the variables
    `new`, tokens that are computed, and `past`, tokens that are cached.

    \b
    Examples:
      costcalc import hf config.json -o model.yaml
      costcalc analyze config.json --set new=1 --set past=4096 --metrics kv_bytes
    """
    from ..allowance import within
    from ..analysis.report.analyze import analyze
    from ..errors import Source, brief
    from ..files import check_links, origin
    from ..read import hf
    from ..read.hf.config import spec_of
    from ..read.loading import modelled
    from .output import deliver

    check_links(config)
    with within("seconds", f"reading {brief(config)!r}"):
        text = spec_of(hf.from_file(config))
    analyze(modelled(Source(config, text), origin("-")))  # what cannot be built is not written
    deliver(text, output)
