"""costcalc survey"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import click

from ..errors import OptionError, Problem
from ..replacing import remove_unfinished
from .commands import FAILED
from .options import JOBS, MetricsCommand, Output, convention_option, metrics_option, outputs

SUFFIXES = {".parquet": "parquet"}


@click.command(cls=MetricsCommand)
@click.argument("paths", nargs=-1, required=True)
@metrics_option("Columns to compute.", "mult_adds,params")
@convention_option()
@JOBS
@click.option("--cluster", metavar="ADDRESS", help="A Dask scheduler whose workers see the same files.")
@click.option("--memory", metavar="SIZE", default="4GiB", show_default=True, help="Memory that one file may take.")
@click.option("--resume", is_flag=True, help="Continue an interrupted survey; needs -o.")
@click.option(
    "--strict", is_flag=True, help="Fail on what is otherwise a note: a refused file, a lower bound. Exit code 1."
)
@outputs(SUFFIXES)
def command(paths: tuple[str, ...], out: Output, **options: Any) -> None:
    """Compute the cost of every model in some directories: specs, ONNX, TensorFlow Lite and Keras models.

    Each file is read in a process with bounded memory and time. A file that cannot be read is a row with the reason,
    and never stops the others. Links that leave a directory are refused; hidden files are left out. With -o, finished
    files are recorded in FILE.part until the end, and `--resume` continues from there. The output does not
    depend on --jobs.

    \b
    Examples:
      costcalc survey configs --jobs 2 -o models.csv
      costcalc survey my_net.yaml configs/vgg16.yaml --metrics mult_adds,params,peak_bytes --json
      costcalc survey configs --jobs 2 -o models.parquet --resume
    """
    from ..analysis.fit.fit import most_of
    from ..analysis.survey.survey import survey
    from .terminal import Progress

    path = out.output
    journal = None if out.is_screen else f"{path}.part"
    if options["resume"] and not journal:
        raise OptionError(Problem("usage", "--resume needs -o FILE: FILE.part records the progress"))
    if options["resume"]:
        with suppress(OSError):
            remove_unfinished(*os.path.split(str(path)))
    memory = int(most_of("weights_bytes", options["memory"]))
    how = {name: options[name] for name in ("metrics", "convention", "jobs", "cluster", "resume")}
    with Progress(0, "files", resumes=bool(journal)) as progress:
        result = survey(paths, memory=memory, journal=journal, tell=progress.reach, **how)
    _show(result, out)
    if journal:
        with suppress(OSError):
            os.unlink(journal)
    if options["strict"] and not all(row.complete for row in result.rows):
        raise click.exceptions.Exit(FAILED)


def _show(found: Any, out: Output) -> None:
    if out.form() != "parquet":
        return out.show(found.page())
    if out.is_screen:
        raise OptionError(Problem("usage", "Parquet output needs a file", help="add -o models.parquet"))
    from ..analysis.jobs.parcel import parquet_of
    from ..analysis.survey.survey import frame_of

    return out.deliver(parquet_of(frame_of(found)))
