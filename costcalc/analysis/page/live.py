"""Answer requests for single settings of a network: the engine of the playground and of `costcalc serve`.

Requests and answers are plain JSON values. A request comes from a browser: it names no file, and its content is
validated like any input. The most recent networks are kept, so moving a slider costs one trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ... import __version__
from ...allowance import within
from ...errors import CostcalcError, FileError, OptionError, Problem, Source, brief, listed, nearest
from ...files import Origin, configs, shipped
from ...metrics.conventions import NAMES, price_list
from ...metrics.metrics import METRICS as KNOWN
from ...model.network import Model
from ...model.uncollected import uncollected
from ...read.loading import READERS, SPEC, format_of, modelled
from ...records import NamedTuple
from ...render.text import printable
from .axes import METRICS, PARTS, Axis, Chosen, Points, Wanted, axes_at, document, point
from .page import fits, of_network
from .structure import Point

FIRST = "mobilenet"  # the config that a playground opens first
KEPT = 3  # networks kept in memory
ROWS = 4_000  # layers times settings of one answer: about a second in a browser
MOST_POINTS = 256
FEW = "There are too many settings for the view `Settings`: it shows those that one slider reaches."
GRAPHS = tuple(suffix for suffix, form in READERS.items() if form is not SPEC)
_TOO_LARGE = "this network is too large or too deep for the memory"


class _Asked(NamedTuple):
    """A validated request: the network, how it is counted, and the values of its variables."""

    key: Any
    model: Model
    convention: str
    metrics: tuple[str, ...]
    at: Mapping[str, Any]


class Engine:
    """Answer requests about networks; specs in the editor include other files from `folder`."""

    def __init__(self, folder: Any = None) -> None:
        self.folder = folder or shipped()
        self._models: dict[Any, Model] = {}
        self._starts: dict[Any, Point] = {}

    def answer(self, request: Any) -> dict[str, Any]:
        """Answer a request: the requested content, or its `problems`, each with its place."""
        return _caught(lambda: self._answered(request))

    def hold(self, key: str, name: str, path: str) -> dict[str, Any]:
        """Read the model in a file called `name`; requests refer to it as `{"file": key}`."""

        def held() -> dict[str, Any]:
            form = format_of(name)
            if form is SPEC:
                message = f"{brief(name)!r} is not a model: its name must end in one of {listed(GRAPHS)}"
                raise FileError(Problem("other-kind", message))
            with within("run_seconds", f"reading {brief(name)!r}"), uncollected():
                source = form.from_file(path)._replace(path=name)
                return {"file": self.keep(key, modelled(source, Origin(shipped(), name)))}

        return _renamed(_caught(held), path, name)

    def keep(self, key: str, model: Model) -> str:
        """Keep a network that requests refer to as `{"file": key}`; return the key."""
        self._keep(("file", key), model)
        return key

    def opening(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """First screen of a playground: its lists, the first network, and the answer about it."""
        return {"start": _start({}), "first": dict(source), "answer": self.answer({"ask": "look", "source": source})}

    def _answered(self, request: Any) -> dict[str, Any]:
        asks = {"start": _start, "config": _config, "look": self._look, "page": self._page}
        kind = request.get("ask") if isinstance(request, Mapping) else None
        if not isinstance(kind, str) or kind not in asks:
            raise _bad(f"a request must ask for one of {listed(asks)}")
        with within("run_seconds", "this request"), uncollected():
            return asks[kind](request)

    def _look(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Document of a network at the setting of its sliders, or at all settings."""
        asked = self._asked(request)
        axes, fixed = axes_at(asked.model, asked.at)
        wanted = Wanted(asked.model, price_list(asked.convention), asked.metrics, fixed)
        first = self._start(asked, wanted, {axis.name: axis.values[axis.start] for axis in axes})
        parts = PARTS.intersection(_texts(request, "parts"))
        now = _now(axes, asked.at)
        if request.get("all") is not True:
            return {"document": document(wanted, Chosen(axes, _once(_start_of(axes), now)), first, parts)}
        return {"document": {**document(wanted, _all(axes, now, first), first, parts), "at": now, "all": True}}

    def _page(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Page of a network as one file, as `costcalc page` writes it."""
        asked = self._asked(request)
        return {"html": of_network(asked.model, {}, asked.metrics, asked.convention).html}

    def _start(self, asked: _Asked, wanted: Wanted, values: Mapping[str, Any]) -> Point:
        """The network at the initial setting. It is kept, because several answers in a row use it."""
        key = (asked.key, asked.convention, asked.metrics, tuple(wanted.fixed.items()), tuple(values.items()))
        if key not in self._starts:
            found = point(wanted, values)
            fits(asked.model, found)
            self._starts.clear()
            self._starts[key] = found
        return self._starts[key]

    def _asked(self, request: Mapping[str, Any]) -> _Asked:
        key, model = self._model(request.get("source"))
        convention = request.get("convention", "paper")
        if convention not in NAMES:  # not a path: a browser names no file
            help = nearest(convention, NAMES) or f"known: {listed(NAMES)}"
            raise OptionError(
                Problem("unknown-convention", f"there is no convention `{brief(str(convention))}`", help=help)
            )
        at = request.get("at", {})
        if not isinstance(at, Mapping) or any(type(one) not in (int, float, bool, str) for one in at.values()):
            raise _bad("`at` needs a number, a word or a boolean for each variable")
        at = {name: value for name, value in at.items() if name in model.variables}
        metrics = tuple(dict.fromkeys((*METRICS, *_texts(request, "metrics"))))
        return _Asked(key, model, convention, metrics, at)

    def _model(self, source: Any) -> tuple[Any, Model]:
        """(key in this engine, network) of a source: `{"text": .., "name": ..}` or `{"file": key}`."""
        if not isinstance(source, Mapping):
            raise _bad("`source` is missing")
        if "file" in source:
            key: tuple[Any, ...] = ("file", str(source["file"]))
            if key not in self._models:
                raise OptionError(Problem("not-held", "this file is no longer kept", help="open it again"))
            return key, self._models[key]
        text, name = source.get("text"), source.get("name", "network")
        if not isinstance(text, str) or not isinstance(name, str):
            raise _bad("a source needs a `text` and a `name`")
        key = ("text", brief(printable(name), 80), text)
        if key in self._models:
            return key, self._models[key]
        return key, self._keep(key, _of_text(key[1], text, self.folder))

    def _keep(self, key: tuple[Any, ...], model: Model) -> Model:
        self._models.pop(key, None)
        self._models[key] = model
        for old in list(self._models)[:-KEPT]:
            del self._models[old]
        self._starts.clear()
        return model


def _renamed(answer: dict[str, Any], path: str, name: str) -> dict[str, Any]:
    """Replace a path in the messages of an answer by the file name used in the browser."""
    for one in answer.get("problems", ()):
        one["message"] = one["message"].replace(path, name)
        one["file"] = name if one["file"] == path else one["file"]
    return answer


def _of_text(name: str, text: str, folder: Any) -> Model:
    """Network of a text. A text equal to a shipped config is that config."""
    known = configs().get(name.removesuffix(".yaml"))
    path = f"{name.removesuffix('.yaml')}.yaml"
    if known and shipped().source(path).text == text:
        return modelled(shipped().source(path), Origin(shipped(), path))
    return modelled(Source(name, text), Origin(folder, name))


def _all(axes: tuple[Axis, ...], now: tuple[int, ...], first: Point) -> Chosen:
    """All settings of the sliders; if too many for one answer, those that one slider reaches, or some of them."""
    most = min(MOST_POINTS, max(ROWS // max(len(first.report.lines), 1), 2))
    grid = Points(axes, True)
    ends = _once(_start_of(axes), now)
    if grid.whole <= most:
        return Chosen(axes, _once(*ends, *grid.indices))
    single = Points(tuple(axis._replace(start=at) for axis, at in zip(axes, now, strict=True)), False).indices
    return Chosen(axes, _once(*ends, *single)[:most], True, FEW)


def _start_of(axes: tuple[Axis, ...]) -> tuple[int, ...]:
    return tuple(axis.start for axis in axes)


def _now(axes: Sequence[Axis], at: Mapping[str, Any]) -> tuple[int, ...]:
    """Position of the sliders: the index of the value of each axis."""
    return tuple(axis.values.index(at[axis.name]) if axis.name in at else axis.start for axis in axes)


def _once(*indices: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(dict.fromkeys(indices))


def _start(request: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of a playground: the shipped configs and the names of conventions and metrics."""
    return {
        "version": __version__,
        "configs": list(configs()),
        "conventions": [[name, price_list(name).title] for name in NAMES],
        "metrics": [[name, one.title] for name, one in KNOWN.items()],
    }


def _config(request: Mapping[str, Any]) -> dict[str, Any]:
    """Text of a shipped config."""
    name = request.get("name")
    if not isinstance(name, str) or name not in configs():
        raise OptionError(Problem("unknown-config", "there is no such shipped config", help=nearest(name, configs())))
    return {"name": f"{name}.yaml", "text": shipped().source(f"{name}.yaml").text}


def _texts(request: Mapping[str, Any], name: str) -> list[str]:
    found = request.get(name, [])
    if not isinstance(found, list) or any(not isinstance(one, str) for one in found):
        raise _bad(f"`{name}` must be a list of words")
    return found


def _bad(message: str) -> OptionError:
    return OptionError(Problem("bad-request", message))


def _caught(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return ask()
    except CostcalcError as error:
        return {"problems": [_problem(one) for one in error.problems], "more": error.more}
    except (MemoryError, RecursionError):
        return {"problems": [_problem(Problem("limit", _TOO_LARGE))], "more": False}


def _problem(one: Problem) -> dict[str, Any]:
    """A problem for JSON: the fields of `--format json`, with the width of its place."""
    place = one.place
    where = (place.source.path, place.line, place.column, place.width) if place else (None,) * 4
    texts = {"code": one.code, "message": printable(brief(one.message, 500)), "help": one.help and printable(one.help)}
    return {
        **texts,
        **dict(zip(("file", "line", "column", "width"), where, strict=True)),
        "notes": [printable(each) for each in one.notes],
    }
