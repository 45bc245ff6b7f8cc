"""Write the results of a search to a directory: all candidates, the front as table and plot, and a spec per network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import yaml

from ...errors import OptionError, Problem
from ...files import check_links
from ...metrics.metrics import metric
from ...model.variables import settle
from ...render import render_page
from ...render.figures import drawing, plain, saved
from ...render.sheet import Column, Sheet
from ...replacing import replacing
from ..jobs.parcel import packed, unpacked
from ..report.analyze import analyze
from ..report.columns import constants, stamped
from ..report.document import heading
from ..report.gaps import uncounted_in
from ..report.notes import unpriced
from ..space.page import settings_text

if TYPE_CHECKING:
    from .search import Candidate, Search


class SearchPage:
    """Number of networks visited, and the front."""

    def __init__(self, search: Search) -> None:
        self.search, self.front = search, search.front()
        self.title = f"{search.space.model.name}: search"
        space = search.space
        open_ones = {name.partition("[")[0] for name in space.choices}
        self.inputs, self.values = constants(space.model, [*space.choices, *open_ones], space.given)
        metrics = [metric(name, space.prices) for name in dict.fromkeys([space.metric.name, *search.limits])]
        self.uncounted = uncounted_in(space.model, metrics, space.choices, space.given)

    def heads(self) -> list[str]:
        """Number of networks scored, and the best score."""
        said = " and ".join(f"{name} <= {limit:,}" for name, limit in self.search.limits.items())
        unscored = f", {self.search.unscored:,} have no score" if self.search.unscored else ""
        best = f"; the best has {self.front[-1].score:.10g}" if self.front else ""
        return [f"{len(self.search.candidates):,} networks with {said} scored{unscored}{best}"]

    def sheets(self) -> list[Sheet]:
        """The front: one row per network."""
        metrics = self.search.space.metric.name
        names, rows = self.records()
        columns = tuple(Column(name, name != "network", counts=name == metrics) for name in names)
        return [Sheet(columns, [tuple(map(_shown, row.values())) for row in rows])]

    def notes(self) -> list[str]:
        """How networks were visited, and the meaning of the figures."""
        search = self.search
        seed = "" if search.method == "exhaustive" else f", seed {search.seed}"
        front = f"Pareto front of {search.space.metric.name} and score, by {search.method}{seed}"
        return [
            front,
            *unpriced(self.uncounted),
            stamped(search.space.model, search.space.metric.priced, self.inputs, self.values),
        ]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Column names and rows of the front."""
        names = [*self.search.limits, "score", "network"]
        return names, [record(one) for one in self.front]

    def document(self) -> Mapping[str, Any]:
        """The JSON document."""
        search = self.search
        return {
            **heading(search.space.model, search.space.metric.priced, self.inputs, self.values),
            **({"uncounted": self.uncounted} if self.uncounted else {}),
            "max": search.limits,
            "method": search.method,
            "seed": search.seed,
            "scored": len(search.candidates),
            "unscored": search.unscored,
            "front": [{"choices": one.choices, "metrics": one.metrics, "score": one.score} for one in self.front],
        }


def record(one: Candidate) -> dict[str, Any]:
    """A candidate as a record."""
    return {**one.metrics, "score": one.score, "network": settings_text(one.choices)}


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.10g}" if isinstance(value, float) else str(value)


SPECS = 1000  # maximum number of specs in a directory
JOURNAL = "scores.jsonl"


def write(search: Search, folder: str) -> None:
    """Write candidates.csv, front.csv, front.json, specs, and with matplotlib front.svg. Raises CostcalcError."""
    import pandas

    front = search.front()
    for name, rows in (("candidates.csv", search.candidates), ("front.csv", front)):
        frame = pandas.DataFrame([record(one) for one in rows])
        _text(folder, name, frame.to_csv(index=False, lineterminator="\n"))
    _text(folder, "front.json", render_page(SearchPage(search), "json"))
    _plot(search, folder)
    for path, text in included(search).items():
        _text(folder, os.path.join("specs", path), text)
    for number, one in enumerate(front[:SPECS]):
        _text(folder, os.path.join("specs", f"{number:04}.yaml"), spec_of(search, one))


def _text(folder: str, name: str, text: str) -> None:
    path = os.path.join(folder, name)
    check_links(path, folder)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with replacing(path) as out:
        out.write(text)


def spec_of(search: Search, one: Candidate) -> str:
    """Spec of a network: the spec of the space with the network's choices as fixed defaults and the same cost.

    Included files must be beside it, as in `included`. Raises OptionError if the space is not a spec, or if the costs
    differ.
    """
    model = search.space.model
    if not model.source.text:
        raise OptionError(Problem("usage", f"{model.name} is not a spec: its networks cannot be written"))
    spec = yaml.compose(model.source.text, Loader=yaml.SafeLoader)  # keeps words as written: `on` is not a boolean
    settled = settle(model, {**search.space.given, **one.choices})
    for key, about in _entry(spec, "vars").value:
        value = settled[key.value]
        default = yaml.compose(yaml.safe_dump(list(value) if isinstance(value, tuple) else value), yaml.SafeLoader)
        if isinstance(about, yaml.MappingNode) and _entry(about, "choices"):
            _set(about, "default", default)
            _drop(about, "choices")
        elif key.value in search.space.given and isinstance(about, yaml.MappingNode):
            _set(about, "default", default)
        elif key.value in search.space.given:
            _set(_entry(spec, "vars"), key.value, default)
    _drop(spec, "published")
    _name_nothing(spec)
    text = yaml.serialize(spec, Dumper=yaml.SafeDumper, width=120)
    written = unpacked(packed(model)._replace(source=model.source._replace(text=text)))
    found = analyze(written, metrics=list(one.metrics), convention=search.space.prices).totals
    if any(found[name] != cost for name, cost in one.metrics.items()):
        raise OptionError(Problem("limit", f"a network of {model.name} has a different cost as a spec"))
    return text


def _name_nothing(node: Any) -> None:
    """Write empty values as `null`; without it they would get a tag."""
    if isinstance(node, yaml.ScalarNode):
        node.value = node.value or ("" if node.style else "null")
    else:
        for part in node.value:
            for one in part if isinstance(part, tuple) else (part,):
                _name_nothing(one)


def _entry(node: Any, name: str) -> Any:
    """Value of a key in a mapping; None if missing."""
    return next((value for key, value in node.value if key.value == name), None)


def _set(node: Any, name: str, value: Any) -> None:
    """Set a key of a mapping."""
    if _entry(node, name) is None:
        node.value.append((yaml.ScalarNode("tag:yaml.org,2002:str", name), value))
    node.value = [(key, value if key.value == name else old) for key, old in node.value]


def _drop(node: Any, name: str) -> None:
    """Remove a key from a mapping."""
    node.value = [(key, old) for key, old in node.value if key.value != name]


def included(search: Search) -> dict[str, str]:
    """Files that the space includes, by path relative to it, except shipped configs.

    Raises OptionError for a file that has the name of a network's spec.
    """
    model = search.space.model
    top = os.path.dirname(model.source.path)
    files = {os.path.relpath(one.path, top or "."): one.text for one in model.included if not one.shipped}
    for path in files:
        if path.removesuffix(".yaml").isdigit():
            raise OptionError(Problem("usage", f"the space includes {path!r}, a name reserved for specs of networks"))
    return files


def _plot(search: Search, folder: str) -> None:
    if not find_spec("matplotlib"):
        return
    cost, front = search.space.metric.name, search.front()
    with drawing(grid=True) as pyplot:
        figure, axes = pyplot.subplots(figsize=(7, 5), layout="constrained")
        every: Any = search.candidates
        axes.scatter([one.metrics[cost] for one in every], [one.score for one in every], s=12, color="0.7")
        axes.plot([one.metrics[cost] for one in front], [one.score for one in front], "o-", label="Pareto front")
        axes.set_xlabel(search.space.metric.axis)
        axes.set_ylabel("score")
        axes.legend(loc="best", fontsize=9)
        axes.set_title(plain(f"{search.space.model.name}: {len(every):,} networks, {search.method}"))
        with replacing(os.path.join(folder, "front.svg"), True) as out:
            saved(figure, out, "svg")
        pyplot.close(figure)
