"""costcalc search"""

from __future__ import annotations

import os
from typing import Any

import click

from ..errors import FileError, OptionError, Problem
from ..replacing import remove_unfinished
from .options import JOBS, Asked, Output, SpecCommand, convention_option, outputs, space_options

FORMATS = ("table", "csv", "json", "md", "latex")


@click.command(cls=SpecCommand)
@space_options
@click.option("--max", "most", multiple=True, required=True, metavar="METRIC=LIMIT", help="A budget; repeatable.")
@click.option("--maximize", required=True, metavar="FILE|CALLABLE", help="A table of scores, or module:function.")
@click.option("--method", type=click.Choice(["exhaustive", "random", "evolution"]), help="Search method.")
@click.option(
    "--evaluations", type=click.IntRange(1, 10_000_000), default=1000, show_default=True, help="Networks to score."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
@click.option("--here", is_flag=True, help="Import module:function from the working directory, too.")
@JOBS
@click.option("--cluster", metavar="ADDRESS", help="Call module:function on the workers of a Dask scheduler.")
@click.option("--resume", is_flag=True, help="Continue the search in the directory of -o.")
@convention_option()
@outputs(formats=FORMATS, to=("DIR", "Write candidates, front, plot and specs to a directory."))
def command(spec: str, asked: Asked, out: Output, **options: Any) -> None:
    """Find the networks of a space within budgets that score best, and the Pareto front of cost and score.

    Scores come from outside: a table (CSV or Parquet: a column per variable or position, and `score`), or a Python
    function that is given a network's choices as a dict and returns a number. costcalc trains nothing. The function is
    imported and run: from installed packages, and from the working directory only with --here.

    \b
    Examples:
      costcalc search ofa_mobilenet_v3 --max mult_adds=300M --maximize builtins:len --evaluations 200
    """
    from ..analysis.search.output import JOURNAL, write
    from ..analysis.search.search import search
    from ..read.loading import load
    from .fit import budgets
    from .terminal import Progress

    folder = out.output
    model = load(spec)
    given = asked.of(model)
    journal = _opened(folder, options["resume"], JOURNAL)
    names = ("maximize", "evaluations", "seed", "convention", "here", "jobs", "cluster", "resume")
    how = {name: options[name] for name in names}
    with Progress(0, "networks", resumes=bool(folder)) as progress:
        limits, method = budgets(options["most"]), options["method"] or ""
        result = search(
            model, limits=limits, method=method, settings=given, journal=journal, tell=progress.reach, **how
        )
    if folder:
        write(result, folder)
    out._replace(output=None).show(result.page())


def _opened(folder: str | None, resume: bool, journal: str) -> str | None:
    """Path of the journal in the output directory. Raises FileError, OptionError."""
    if not folder:
        if resume:
            raise OptionError(Problem("usage", "--resume needs -o DIR: progress is recorded there"))
        return None
    try:
        os.makedirs(folder, exist_ok=True)
        for place in [folder, *(at for at, _, _ in os.walk(os.path.join(folder, "specs")))] if resume else []:
            remove_unfinished(place)
        used = os.listdir(folder)
    except OSError as error:
        raise FileError(Problem("unwritable", f"cannot write {folder!r}: {error.strerror}")) from None
    if used and not resume:
        help = "--resume continues it; or name another"
        raise OptionError(Problem("usage", f"{folder!r} is not empty", help=help))
    return os.path.join(folder, journal)
