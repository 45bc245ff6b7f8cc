"""One run of `costcalc check`: which limits, on which specs, and how the verdicts are shown."""

import os

from ..budget.bases import Bases
from ..budget.config import NAME, Check, find_config, limit_of, read_config
from ..budget.paths import tasks
from ..budget.run import Task, budget_of, outcomes
from ..errors import FileError, OptionError, Problem
from .failures import framed
from .options import factor, set_values
from .output import deliver, format_for
from .progress import Progress

REVIEWS = ("github", "gitlab", "junit", "sarif")
SUFFIXES = {".xml": "junit", ".sarif": "sarif"}
_EXAMPLE = "write checks: [{spec: my_net.yaml, max: {mult_adds: 170M}}] to it, or use --max mult_adds=170M"


class Run:
    """The tasks of a run, and the base that they are compared with."""

    def __init__(self, paths, config, base, given):
        limits = _limits(given)
        path = None if limits else config or find_config()
        if limits and not paths:
            raise OptionError(
                Problem("usage", "limits without a spec", help="write costcalc check SPEC --max mult_adds=170M")
            )
        if not limits and path is None and not paths:
            raise FileError(Problem("no-config", f"there is no {NAME} here or in a directory above", help=_EXAMPLE))
        self.config = read_config(path) if path else None
        self.tasks = [Task(_given(spec, limits, given), spec) for spec in paths] if limits else self._tasks(paths)
        folder = self.config.folder if self.config else os.path.dirname(paths[0])
        self.bases = Bases(folder or ".", base)

    def _tasks(self, paths):
        """The checks of the file, on these specs; a spec that has none there must have a budget of its own."""
        found = tasks(self.config, paths) if self.config else []
        for path in paths:
            if not any(task.path == path or os.path.realpath(task.path) == os.path.realpath(path) for task in found):
                found += _own(path, found)
        return found

    def outcomes(self):
        """Every outcome, with a progress bar on a terminal."""
        found = []
        with Progress(len(self.tasks), "checks") as progress:
            for outcome in outcomes(self.tasks, self.bases):
                found.append(outcome)
                progress.add(len(found) <= len(self.tasks))
        return found

    def deleted(self):
        """Specs that a glob of the checks named at the base and that are gone."""
        from ..budget.paths import WILD, matcher

        globs = [check.spec for check in self.config.checks if WILD & set(check.spec)] if self.config else []
        gone = [self.bases.deleted(self.config.folder or ".", matcher(glob)) for glob in globs]
        return list(dict.fromkeys(name for names in gone for name in names))

    def show(self, found, format, output, color):
        """Deliver the outcomes in a format."""
        from ..budget.page import VerdictPage
        from ..render import render_page
        from .terminal import screen

        format = format or format_for(None, output, SUFFIXES)
        if format in REVIEWS:
            from ..budget.reviews import FORMATS

            deliver(FORMATS[format](found), output)
            return
        page = VerdictPage(found, framed, self.deleted())
        deliver(render_page(page, format, screen(color) if output in (None, "-") else None), output)


def _own(path, found):
    if os.path.isdir(path):
        if any(os.path.realpath(task.path).startswith(os.path.join(os.path.realpath(path), "")) for task in found):
            return []
        raise FileError(Problem("no-limits", f"no check is about a spec in {path!r}"))
    check = budget_of(path)
    if check is None:
        help = f"add `budget: {{mult_adds: 170M}}` to it, a check to {NAME}, or --max mult_adds=170M"
        raise FileError(Problem("no-limits", f"{path!r} has no limits", help=help))
    return [Task(check, path)]


def _given(spec, limits, given):
    settings = set_values(given["alpha"], given["res"], given["sets"])
    rho = factor("rho", given["rho"])
    return Check(spec, {**settings, **({"rho": rho} if rho else {})}, given["convention"], limits, "error", "", None)


def _limits(given):
    kinds = (("max", "most"), ("min", "least"), ("vs_base", "grown"))
    return tuple(_one(kind, text, given["convention"]) for kind, name in kinds for text in given[name])


def _one(kind, text, convention):
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name or not value:
        example = "mult_adds=+1%" if kind == "vs_base" else "mult_adds=170M"
        message = f"`--{kind.replace('_', '-')} {text[:60]}` limits nothing"
        raise OptionError(Problem("usage", message, help=f"write --{kind.replace('_', '-')} {example}"))
    where, dot, metric = name.partition(".")
    if where != "any_layer" or not dot:
        where, metric = "", name
    return limit_of(kind, metric, where, value, convention)
