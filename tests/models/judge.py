"""Compare costcalc's counts of one model with PyTorch's."""

import contextlib
import io
import time
import warnings
from typing import NamedTuple

from costcalc import analyze
from costcalc.errors import CostcalcError
from tests.written import assert_spec_costs_the_same

from .entry import Entry

RIGHT, INCOMPLETE, NO_SPEC, REFUSED, WRONG, NOT_RUN = "right", "incomplete", "no spec", "refused", "WRONG", "not run"
VERDICTS = (RIGHT, INCOMPLETE, NO_SPEC, REFUSED, WRONG, NOT_RUN)


class Verdict(NamedTuple):
    """The result for a model. `said` and `due` are (params, mult-adds); `why` names operators, messages or figures."""

    entry: Entry
    verdict: str
    said: tuple[int, int] | None = None
    due: tuple[int, int] | None = None
    why: str = ""
    seconds: float = 0.0


def judged(entry: Entry) -> Verdict:
    """Read one model of PyTorch, count it and compare."""
    from . import count
    from .build import build

    start = time.monotonic()
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            due = count.due(lambda: build(entry.library, entry.name), entry.shapes)
        except Exception as error:
            return Verdict(entry, NOT_RUN, why=first_line(error))
        figures = due.params, due.mult_adds
        try:
            model = _model(entry)
        except CostcalcError as error:
            return Verdict(entry, REFUSED, None, figures, first_line(error), time.monotonic() - start)
        found = compared(entry, model, figures, due.untouched)
    return found._replace(seconds=time.monotonic() - start)


def compared(entry: Entry, model, due: tuple[int, int], untouched: int, values=None) -> Verdict:
    """Compare the report and the spec of a model with the expected counts.

    due        (params, mult-adds) of the whole model
    untouched  values in parameters that no operator reads; these may be missing in the rows
    """
    try:
        report = analyze(model, convention="framework", settings=values or {})
    except CostcalcError as error:
        return Verdict(entry, REFUSED, None, due, first_line(error))
    unread = report.accounting.unread if report.accounting else 0
    said = report.totals["params"] + unread, report.totals["mult_adds"]
    wrong = _wrong(report.complete, said, due, unread, untouched)
    if wrong:
        return Verdict(entry, WRONG, said, due, wrong)
    spec = _spec(model, values)
    if spec.startswith("the spec"):
        return Verdict(entry, WRONG, said, due, spec)
    if not report.complete:
        return Verdict(entry, INCOMPLETE, said, due, _unknown(report))
    return Verdict(entry, NO_SPEC if spec else RIGHT, said, due, spec)


def _wrong(complete, said, due, unread, untouched):
    """The contradiction to the expected counts, or "". Lower bounds may be below them."""
    names = ("params", "mult-adds")
    for name, ours, theirs in zip(names, said, due, strict=True):
        if ours > theirs or (complete and ours != theirs):
            return f"{name} {ours:,}, due {theirs:,}"
    if complete and unread < untouched:
        return f"{unread:,} parameters are in no layer, and {untouched:,} are read by none"
    return ""


def _spec(model, values):
    """Why no spec is written, or how the written spec differs; "" if it costs the same."""
    try:
        assert_spec_costs_the_same(model, values)
    except AssertionError as error:
        return f"the spec counts otherwise: {first_line(error)}"
    except CostcalcError as error:
        return first_line(error)
    return ""


def _unknown(report):
    """The layers of unknown cost, and the missing parameters."""
    found = list(dict.fromkeys(line.type for line in report.lines if not line.complete))
    if report.accounting and not report.accounting.is_closed:
        missing = report.accounting.stored.missing
        found += [f"missing {name}, read by {where}" for name, where in list(missing.items())[:2]]
        found += [] if missing else [f"{report.accounting.record}"]
    return ", ".join(found)


def _model(entry):
    """Read the model like `costcalc import torch`."""
    from costcalc.read.torch import program, reader

    target = "tests.models.build:build"
    given = {"library": entry.library, "name": entry.name}
    return reader.read(program.exported(target, entry.shapes, given), "build", target)


def first_line(error: BaseException) -> str:
    """The first line of a message."""
    text = str(error).strip() or type(error).__name__
    return f"{text.splitlines()[0]}"[:300]
