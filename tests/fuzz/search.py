"""Run Hypothesis on one target; report each failure once, minimised."""

import re
import time
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from .checker import refusal
from .sandbox import SLOW, WRITTEN, Ended, run
from .targets import TARGETS


class Failed(Exception):
    """A run ended in a way that is not allowed."""


@dataclass
class Tally:
    """The statistics of a target: runs, failures, and the slowest run."""

    tried: int = 0
    codes: dict = field(default_factory=dict)
    seconds: float = 0.0
    megabytes: float = 0.0
    slowest: tuple = ()
    failures: dict = field(default_factory=dict)  # failure -> smallest input

    def add(self, ended: Ended, case):
        """Count a run."""
        self.tried += 1
        self.codes[ended.code] = self.codes.get(ended.code, 0) + 1
        if ended.seconds > self.seconds:
            self.seconds, self.slowest = ended.seconds, case
        self.megabytes = max(self.megabytes, ended.megabytes)


def search(name, tally, examples, number, until=float("inf")):
    """Try inputs of a target, drawn with the given seed; record minimised failures."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        verbosity=Verbosity.quiet,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(TARGETS[name])
    def one(case):
        if time.monotonic() > until and not smallest:
            return
        ended = _ran(case)
        tally.add(ended, case)
        wrong = kind(ended.failure) or kind(_accepted(case, ended)) or _written(case, ended)
        if wrong and wrong not in tally.failures:
            smallest[:] = [(wrong, case, ended)]  # hypothesis tries the smallest one last
            raise Failed(wrong)

    smallest: list = []
    try:
        one()
    except Failed:
        wrong, case, ended = smallest[0]
        tally.failures[wrong] = (case, ended)


def _ran(case):
    """Run a case. A slow run is repeated, because a busy machine increases processor time too."""
    ended = run(*case)
    return min(ended, run(*case), key=lambda one: one.seconds) if ended.failure == SLOW else ended


def _accepted(case, ended):
    """The refusal of ONNX's checker for a graph that the program accepted."""
    graphs = [data for name, data in case[0].items() if name.endswith(".onnx")] if ended.code == 0 else []
    said = next(filter(None, map(refusal, graphs)), "")
    return said and f"accepted, and refused by the checker of ONNX: {said}"


def _written(case, ended):
    """The fault in the files written by a command: each must be complete or absent."""
    wanted = [name for name in case[1] if name in WRITTEN]
    left = dict(ended.left)
    if wanted and [*left] != (wanted if ended.code == 0 else []):
        return "a file that is missing, or one of a command that failed"
    for name in (name for name in left if name.endswith(".py")):
        try:
            compile(left[name], name, "exec")
        except (SyntaxError, ValueError) as error:
            return f"written, and no code: {type(error).__name__}"
    return ""


def kind(failure):
    """A failure message without the numbers and names that depend on the input."""
    return re.sub(r"0x[0-9a-f]+|\d{2,}|'[^']*'", "..", failure)
