"""costcalc devices"""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """List the shipped devices, each figure with its source.

    `costcalc analyze SPEC --device NAME` shows the bounds of each layer on it. A device file of your own has this form:
    `peak: {float32: {value: 1.5 T, source: ..}}` and `bandwidth: {value: 100 G, source: ..}`.

    \b
    Examples:
      costcalc devices
    """
    from ..metrics.devices import NAMES, device

    for name in NAMES:
        one = device(name)
        click.echo(f"{name}: {one.title}")
        for kind, rate in one.peak.items():
            click.echo(f"  {kind:9} {float(rate.value):.4g} FLOP/s  {rate.source}")
        click.echo(f"  {'bandwidth':9} {float(one.bandwidth.value):.4g} B/s  {one.bandwidth.source}")
