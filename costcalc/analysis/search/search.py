"""Search a space: networks within budgets, scored from outside, and the Pareto front of cost and score.

The same seed visits the same networks. Scores are written to a journal, so an interrupted search resumes by visiting
the same networks and reusing the scores in the journal.
"""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TextIO

from ...errors import OptionError, Problem, brief
from ...metrics.conventions import Prices
from ...model.network import Model
from ...read.anything import Network, load
from ...records import NamedTuple
from ...render import Result
from ..jobs.journal import notes, opened_journal
from ..jobs.pool import Cluster, Lost, Pool, workers
from ..space.chains import Decomposed, Design, Setting
from ..space.page import settings_text
from ..space.space import Space, check_limits, no_networks, space
from .scores import SCORED, Named, Table, Task, called, named, table

if TYPE_CHECKING:
    from .output import SearchPage

METHODS = ("exhaustive", "random", "evolution")
ALL = 1_000_000  # networks up to which all are tried
POPULATION = 64
PARENTS = 16
MUTATED = 0.1  # share of a child's choices that are redrawn
TRIES = 10_000  # draws for each network that fits

Score = Callable[[Mapping[str, Any]], Any]


class Candidate(NamedTuple):
    """A network with its metrics and its score."""

    choices: Mapping[str, Any]
    metrics: Mapping[str, int]
    score: float


class _Searched(NamedTuple):
    space: Space
    limits: Mapping[str, int]
    method: str
    seed: int
    candidates: tuple[Candidate, ...]  # in the order of their visits
    unscored: int  # networks without a score in the table


class Search(Result, _Searched):
    """Networks visited by a search."""

    def page(self) -> SearchPage:
        """Output of `costcalc search`."""
        from .output import SearchPage

        return SearchPage(self)

    def front(self) -> list[Candidate]:
        """Pareto-optimal candidates by ascending cost: no other one scores higher at the same or lower cost."""
        cost = self.space.metric.name
        chosen: list[Candidate] = []
        for one in sorted(self.candidates, key=lambda one: (one.metrics[cost], -one.score)):
            if not chosen or one.score > chosen[-1].score:
                chosen.append(one)
        return chosen


def search(
    spec: Network,
    *,
    limits: Mapping[str, Any],
    maximize: str | os.PathLike[str] | Score,
    method: str = "",
    evaluations: int = 1000,
    seed: int = 0,
    convention: Prices = "paper",
    settings: Mapping[str, Any] | None = None,
    here: bool = False,
    jobs: int = 1,
    cluster: str | None = None,
    journal: str | None = None,
    resume: bool = False,
    tell: Callable[[int, int], None] | None = None,
) -> Search:
    """Search the networks of a space within limits for those with the best scores.

    spec         a space, as `costcalc.space` takes it; the metric of the first limit is the cost
    maximize     a table of scores (.csv, .parquet), a function of a network's choices, or `module:function`
    method       exhaustive, random or evolution; by default exhaustive if few enough networks fit, else evolution
    evaluations  number of networks scored by random and evolution
    here         also import `module:function` from the working directory
    jobs, cluster  number of processes that call `module:function`, or address of a scheduler; by default one process
    journal      file to which scores are written; with `resume`, scores in it are reused

    Raises CostcalcError.
    """
    if not limits:
        raise OptionError(Problem("usage", "a search needs a budget: --max mult_adds=300M"))
    model = load(spec)
    check_limits(model, limits, convention)
    source = _source(maximize, model, convention, os.getcwd() if here else "")
    with _Scorer(source, (jobs, cluster), journal, resume, tell) as scorer:
        found = space(model, of=next(iter(limits)), convention=convention, settings=settings)
        pool = _Candidates(found, found.limits_of(limits))
        method = method or ("exhaustive" if pool.most <= min(evaluations, ALL) else "evolution")
        if method not in METHODS or evaluations < 1:
            raise OptionError(
                Problem("bad-value", f"there is no search method `{method}`", help="exhaustive, random or evolution")
            )
        scorer.begin(pool.most if method == "exhaustive" else evaluations)
        visit = {"exhaustive": _exhaustive, "random": _random, "evolution": _evolution}[method]
        candidates = visit(pool, scorer, evaluations, random.Random(seed))
    return Search(found, pool.limits, method, seed, tuple(candidates), scorer.unscored)


def _source(maximize: Any, model: Model, convention: Prices, here: str) -> Table | Score | Named:
    """A table, a function, or the name of a function and the directory to import it from."""
    if callable(maximize):
        return maximize
    name = os.fspath(maximize)
    if name.lower().endswith((".csv", ".parquet")):
        return table(name, model, convention)
    return named(name, here)


class _Candidates:
    """Networks of a space within limits."""

    def __init__(self, found: Space, limits: dict[str, int]) -> None:
        self.space, self.limits = found, limits
        self.networks, most, self.others = found.under(limits)
        self.limit = most or 0
        self.most = self.networks.within(self.limit) if self.networks.settings else 0
        self.names = [one.name for one in self.networks.designs.counting.metrics]
        if not self.most:
            raise no_networks()

    def numbered(self, number: int) -> Design | None:
        """A network by its index; None if another limit rules it out."""
        return self.fitting(self.networks.drawn(self.limit, number))

    def fitting(self, one: Design | None) -> Design | None:
        """The network if it is within all limits, else None."""
        if one is None or one.metrics[0] > self.limit:
            return None
        costs = self.costs(one)
        return one if all(costs[name] <= most for name, most in self.others.items()) else None

    def costs(self, one: Design) -> dict[str, int]:
        """Metrics of a network by name."""
        return dict(zip(self.names, one.metrics, strict=True))

    def drawn(self, generator: random.Random) -> Design:
        """Draw a network uniformly. Raises OptionError if too few fit."""
        for _ in range(TRIES):
            if network := self.numbered(generator.randrange(self.most)):
                return network
        raise OptionError(
            Problem("limit", f"of {TRIES:,} networks drawn, none is within all limits", help="loosen the limits")
        )


class _Scorer:
    """Scores networks, each once, and writes a journal. Functions given by name run in separate processes."""

    def __init__(self, source: Any, how: tuple[int, str | None], journal: str | None, resume: bool, tell: Any) -> None:
        self.source, self.how, self.tell = source, how, tell
        self.pool: Pool | Cluster | None = None
        self.known: dict[str, float] = _noted(journal) if journal and resume else {}
        self.path, self.resume = journal, resume
        self.file: TextIO | None = None
        self.seen: set[str] = set()
        self.unscored, self.total = 0, 0

    def __enter__(self) -> _Scorer:
        with ExitStack() as stack:
            if isinstance(self.source, Named):
                pool = workers(SCORED, *self.how, is_heard=True)
                stack.enter_context(pool)
                list(self._elsewhere(pool, [None]))  # fail early if the function is missing
                self.pool = pool
            self.held = stack.pop_all()
        return self

    def begin(self, total: int) -> None:
        """Start scoring `total` networks. Raises FileError if the journal cannot be written."""
        self.total = total
        if self.path:
            self.file = self.held.enter_context(opened_journal(self.path, self.resume))

    def __exit__(self, *error: object) -> None:
        self.held.close()

    def scored(self, designs: Iterable[Design], costs: Callable[[Design], Mapping[str, int]]) -> list[Candidate]:
        """Candidates of new networks, in their order; networks without a score are left out."""
        fresh: dict[str, Design] = {}
        for one in designs:
            key = settings_text(one.choices)
            if key not in self.seen:
                self.seen.add(key)
                fresh[key] = one
        left = {key: one for key, one in fresh.items() if key not in self.known}
        done = len(self.seen) - len(left)
        for number, (key, score) in enumerate(self._asked(left)):
            self.known[key] = score
            if self.file:
                self.file.write(json.dumps([key, score]) + "\n")
                self.file.flush()
            self._told(done + number + 1)
        self._told(len(self.seen))
        self.unscored += sum(key not in self.known for key in fresh)
        return [Candidate(one.choices, costs(one), self.known[key]) for key, one in fresh.items() if key in self.known]

    def _told(self, done: int) -> None:
        if self.tell:
            self.tell(done, self.total)

    def _asked(self, fresh: Mapping[str, Design]) -> Iterator[tuple[str, float]]:
        if isinstance(self.source, Table):
            for key, one in fresh.items():
                if (score := self.source.of(one.choices)) is not None:
                    yield key, score
        elif self.pool:
            for choices, score in self._elsewhere(self.pool, [dict(one.choices) for one in fresh.values()]):
                yield settings_text(choices), score
        else:
            for key, one in fresh.items():
                yield key, called(self.source, one.choices)

    def _elsewhere(self, pool: Pool | Cluster, networks: Iterable[Any]) -> Iterator[tuple[dict[str, Any], float]]:
        """(choices, score) of networks, scored in other processes. Raises OptionError."""
        for task, found in pool.results(Task(self.source, choices) for choices in networks):
            if isinstance(found, Lost):
                help = f"of {brief(settings_text(task.choices))}" if task.choices else "while its module is imported"
                raise OptionError(
                    Problem("lost", f"`{brief(task.function.name)}` gives no score: {found.why}", help=help)
                )
            yield task.choices, found


def _noted(journal: str) -> dict[str, float]:
    """Read the scores of a journal; other values are skipped."""
    scores: dict[str, float] = {}
    for note in notes(journal):
        match note:
            case [str() as key, float() as score] if math.isfinite(score):
                scores[key] = score
    return scores


def _exhaustive(pool: _Candidates, scorer: _Scorer, evaluations: int, generator: random.Random) -> list[Candidate]:
    if pool.most > ALL:
        message = f"{pool.most:,} networks are too many to try them all"
        raise OptionError(Problem("limit", message, help="--method random or evolution"))
    candidates: list[Candidate] = []
    for start in range(0, pool.most, POPULATION):
        numbers = range(start, min(start + POPULATION, pool.most))
        candidates += scorer.scored([one for one in map(pool.numbered, numbers) if one], pool.costs)
    return candidates


def _random(pool: _Candidates, scorer: _Scorer, evaluations: int, generator: random.Random) -> list[Candidate]:
    candidates: list[Candidate] = []
    for start in range(0, evaluations, POPULATION):
        count = min(POPULATION, evaluations - start)
        candidates += scorer.scored([pool.drawn(generator) for _ in range(count)], pool.costs)
    return candidates


def _evolution(pool: _Candidates, scorer: _Scorer, evaluations: int, generator: random.Random) -> list[Candidate]:
    """Cross and mutate the best networks so far, generation by generation; the first generation is drawn uniformly."""
    candidates = _random(pool, scorer, min(POPULATION, evaluations), generator)
    while len(scorer.seen) < evaluations:
        before = len(scorer.seen)
        parents = sorted(candidates, key=lambda one: -one.score)[:PARENTS]
        count = min(POPULATION, evaluations - before)
        children = [_child(pool, parents, generator) for _ in range(count)]
        candidates += scorer.scored([one for one in children if one], pool.costs)
        if len(scorer.seen) == before:  # no new networks near the best
            candidates += scorer.scored([pool.drawn(generator) for _ in range(count)], pool.costs)
        if len(scorer.seen) == before:
            break
    return candidates


def _child(pool: _Candidates, parents: Sequence[Candidate], generator: random.Random) -> Design | None:
    """Cross two parents, with some choices redrawn; None if no child is within the limits."""
    if not parents:
        return pool.drawn(generator)
    choices = pool.networks.designs.choices
    for _ in range(100):
        a, b = generator.choice(parents).choices, generator.choice(parents).choices
        settings = {}
        for name, values in choices.items():
            value = (a if generator.random() < 0.5 else b).get(name, a.get(name, b.get(name)))
            anew = (name not in a and name not in b) or generator.random() < MUTATED
            settings[name] = generator.choice(values) if anew else value
        if network := pool.fitting(of_settings(pool.networks, settings)):
            return network
    return None


def of_settings(space: Decomposed, settings: Mapping[str, Any]) -> Design | None:
    """Network given by a value for every choice: the choices that it reads and its metrics; None if ruled out."""
    for setting in space.settings:
        held = all(settings[name] == value for name, value in setting.given.items())
        if held and (network := _in_setting(space, setting, settings)):
            return network
    return None


def _in_setting(space: Decomposed, setting: Setting, settings: Mapping[str, Any]) -> Design | None:
    """Network given by a value for every choice; None if it does not belong to this setting."""
    choices, rows = dict(setting.given), []
    shape = next(iter(setting.stretches[0].layers[0].states))
    for stretch in setting.stretches:
        for layer in stretch.layers:
            found = space.designs.at(layer.unit, shape, setting.given, settings)
            if found is None:
                return None
            read, each, shape = found
            choices |= read
            rows.append(each)
        if shape not in stretch.states:
            return None
    return space.design(choices, rows)
