"""costcalc bench"""

from __future__ import annotations

from typing import Any

import click

from .options import Asked, Output, output_options, setting_options


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC [SPEC..]")
@setting_options
@click.option("--threads", type=click.IntRange(1, 1024), default=1, show_default=True, help="Threads of onnxruntime.")
@click.option(
    "--runs", type=click.IntRange(30, 10_000), default=30, show_default=True, help="Minimum number of timed runs."
)
@click.option("--device", metavar="NAME|FILE", help="Show the bounds of a device beside the times.")
@click.option("--layers", is_flag=True, help="Also time each layer, with the profiler of onnxruntime.")
@click.option("--backward", is_flag=True, help="Also time forward and backward passes, 100 times, with PyTorch.")
@output_options
def command(
    specs: tuple[str, ...],
    asked: Asked,
    out: Output,
    **how: Any,
) -> None:
    """Time networks on this machine, beside their mult-adds.

    Each SPEC (or model) is exported to ONNX with random weights and run with onnxruntime (the extra `bench`:
    pip install 'costcalc[bench]'): 10 warm-ups, then at least 30 runs and one second. Compare the least times; there is
    no verdict if the median is more than 1.3 times the least. Times are never part of budgets.

    `--backward` runs the module that `costcalc export` writes for PyTorch (the extra `torch`), and prints the mean
    and deviation of 100 runs of the forward pass and of 100 runs of both passes.

    \b
    Examples:
      costcalc bench mobilenet mobilenet_v2
      costcalc bench resnet18 --threads 2 --runs 100
      costcalc bench mobilenet --device stm32h743 --layers --backward
    """
    from ..analysis.bench.bench import PASSES, bench
    from ..analysis.bench.page import BenchPage
    from ..read.loading import load
    from .terminal import Progress

    given = asked.plain
    models = [load(spec) for spec in specs]
    most = how["runs"] + 2 * PASSES * how["backward"]
    with Progress(most * len(models), "runs") as progress:
        found = [
            bench(
                model,
                **how,
                rho=asked.multiplier,
                settings={name: value for name, value in given.items() if len(models) == 1 or name in model.variables},
                progress=progress.add,
            )
            for model in models
        ]
    out.show(BenchPage(found))
