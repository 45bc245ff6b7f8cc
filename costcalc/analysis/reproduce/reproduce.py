"""Every printed figure beside what is computed: the same digits, or not, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...errors import OptionError, Problem, SpecError, listed, nearest
from ...files import configs
from ...metrics.metrics import PUBLISHED, metric, totals, unit_of
from ...metrics.walk import Walk
from ...model.network import Claim, Model
from ...model.rows import Row, called
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settings_of, settle
from ...quantities import DIFFERS, ERRATUM, EXACT, NOT_REPRODUCIBLE, SHARES, Count, agreement, figure
from ...read.anything import Network, load
from ...records import NamedTuple
from ...render.result import Result
from ...rewrite.deploying import phased
from ...rewrite.rewriting import Rewriting

if TYPE_CHECKING:
    from ...render.sheet import Page


class Finding(NamedTuple):
    """One printed figure, what is computed for it, and what that says of the print."""

    spec: str
    claim: Claim
    metric: str
    ours: Count
    verdict: str
    how: str = ""  # of an exact one that is only so if rounded, or only if truncated
    why: str = ""  # of one that is not exact

    @property
    def printed(self) -> str:
        """The figure as text."""
        return self.claim.figures[self.metric]


class Findings(Result, list[Finding]):
    """A Finding for each published figure, a list; `accuracies` is how many figures are accuracies, not computed."""

    def __init__(self, found: Iterable[Finding] = (), accuracies: int = 0) -> None:
        super().__init__(found)
        self.accuracies = accuracies

    def page(self) -> Page:
        """The figures, table by table, as `costcalc reproduce` prints them."""
        from .page import FindingsPage, grouped

        return FindingsPage(grouped(self), self.accuracies)


def reproduce(*specs: Network) -> Findings:
    """Every published figure beside the computed one, with a verdict: exact, erratum, not reproducible or differs.

    specs   what `costcalc.load` takes, each; without any, all shipped configs

    Raises CostcalcError, also for a spec without published figures.
    """
    found = Findings()
    for spec in specs or sorted(configs(), key=lambda name: (name != "mobilenet", name)):  # its tables begin with it
        model = load(spec)
        if specs and not [*model.published]:
            help = "list them under `published:`, with their source"
            raise OptionError(Problem("no-figures", f"{model.name} has no published figures", help=help))
        found += findings(model)
        found.accuracies += accuracies(model)
    return found


def findings(model: Model) -> list[Finding]:
    """A Finding for each published figure of a model that is no accuracy, in order.

    Each setting of the variables is walked once. Raises SpecError for a row about something the network has not.
    """
    settings: dict = {}
    for claim in model.published:
        if not claim.figures.keys().isdisjoint(PUBLISHED):
            with _about(claim):
                values = settle(model, claim.at)
            key = claim.conv, claim.phase, tuple(settings_of(values).items())
            settings.setdefault(key, (values, []))[1].append(claim)
    found: dict = {}
    with uncollected():
        for (conv, phase, _), (values, claims) in settings.items():
            rewritten = Rewriting(conv).apply(model).model if conv else model
            rewritten = phased(rewritten, phase) if phase else rewritten
            _judge_all(rewritten, values, claims, found)
    return [finding for claim in model.published for finding in found.get(id(claim), ())]


def accuracies(model: Model) -> int:
    """How many of the published figures are accuracies, which nothing computes."""
    return sum(name not in PUBLISHED for claim in model.published for name in claim.figures)


@contextmanager
def _about(claim: Any) -> Iterator[None]:
    """Says of errors inside that they are about a claim."""
    try:
        yield
    except OptionError as error:
        raise SpecError(*(problem._replace(place=claim.place) for problem in error.problems)) from None
    except SpecError as error:
        note = f"for the figures published on line {claim.place.line}"
        raise SpecError(*(problem._replace(notes=(*problem.notes, note)) for problem in error.problems)) from None


def _judge_all(model: Model, values: Mapping[str, Any], claims: list[Claim], found: dict[int, list[Finding]]) -> None:
    """Put the findings of claims about one setting into `found`, by the identity of the claim."""
    with _about(claims[0]):
        walk = Walk(model, trace(model, values), values)
    known: dict = {}
    for claim in claims:
        with _about(claim):
            chosen = chosen_rows(walk.rows, claim.of)
            part = walk if chosen is walk.rows else walk.part(chosen)
            found[id(claim)] = [
                _judged(model, claim, name, _count(name, claim.convention, walk, part, known))
                for name in PUBLISHED
                if name in claim.figures
            ]


def chosen_rows(rows: Any, of: Mapping[str, tuple[str, ...]]) -> list[Row]:
    """The rows of a trace that figures are of: those of a `type` or `layer`, all `without` some.

    Raises OptionError for a name that no row has.
    """
    for name in of.get("type", ()):
        types = {row.type for row in rows}
        if name not in types:
            help = nearest(name, types) or f"the types: {listed(sorted(types))}"
            raise OptionError(Problem("unknown-type", f"no layer is of type `{name}`", help=help))
        rows = [row for row in rows if row.type == name]
    for pattern in of.get("layer", ()):
        rows = called(rows, pattern)
    without = {id(row) for pattern in of.get("without", ()) for row in called(rows, pattern)}
    return [row for row in rows if id(row) not in without] if without else rows


def _count(name: str, convention: str, whole: Walk, part: Walk, known: dict[Any, Any]) -> Count:
    """A metric of a part of a walk, in percent of the whole if it is a share; `known` keeps the totals of the whole."""
    one = metric(name.removesuffix("_share"), convention)
    if (part is whole or name in SHARES) and (one.name, convention) not in known:
        known[one.name, convention] = totals(whole, [one])[one.name]
    of_all = known.get((one.name, convention), 0)
    count = of_all if part is whole else totals(part, [one])[one.name]
    complete = not any(one.needs in row.layer.unknown for row in (whole if name in SHARES else part).rows)
    return Count(100 * count, max(of_all, 1), complete) if name in SHARES else Count(count, 1, complete)


def _judged(model: Model, claim: Any, name: str, ours: Any) -> Finding:
    printed: Any = figure(claim.figures[name], unit_of(name))
    how = agreement(ours, printed)
    verdict, why = EXACT, ""
    if name in claim.corrected:
        fixed = claim.corrected[name]
        right: Any = figure(fixed, unit_of(name))
        verdict, why = ERRATUM, f"{claim.errata[name]}; it should be {fixed}"
        if agreement(ours, right) is None:
            verdict, why = DIFFERS, f"it should be {fixed}, says its erratum, and that is not so either"
    elif how is None and name in claim.errata:
        verdict, why = ERRATUM, claim.errata[name]
    elif how is None and name in claim.unreproducible:
        verdict, why = NOT_REPRODUCIBLE, claim.unreproducible[name]
    elif how is None:
        verdict = DIFFERS
    return Finding(model.name, claim, name, ours, verdict, (how or "") if verdict == EXACT else "", why)
