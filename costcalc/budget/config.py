"""`costcalc.yaml`: the specs to check, their settings, and their limits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import CostcalcError, FileError, OptionError, Place, Problem, Source, SpecError
from ..files import Folder, check_links, check_path, copied, note_read, text
from ..metrics.conventions import find, price_list
from ..metrics.pricing import Convention
from ..quantities import Bad, amount, change
from ..read.loading import READERS
from ..records import NamedTuple
from ..syntax.nodes import Node, compose, is_empty
from ..syntax.problems import Problems

if TYPE_CHECKING:
    from fractions import Fraction

    from ..read.repository import Revision


NAME = "costcalc.yaml"
CHECKS = 10_000  # maximum checks of one file
KEYS = ("spec", "at", "convention", "max", "min", "vs_base", "level", "why")
EXEMPTION = ("spec", "at", "convention", "metric", "from", "to", "reason")  # keys of an entry of `exceptions:`
_EXAMPLE = "{spec: my_net.yaml, max: {mult_adds: 170M}}"
_ENDS = ("from", "to")
_EXCEPTION = "{spec: my_net.yaml, metric: mult_adds, from: 1000000, to: 1100000}"
_LIMITS = {"max": "{mult_adds: 170M}", "min": "{mult_adds: 100M}", "vs_base": "{mult_adds: +1%}"}


class Limit(NamedTuple):
    """One limit. `where` is "" for the whole network, `any_layer`, or a glob of layer names."""

    kind: str  # max, min or vs_base
    metric: str
    where: str
    bound: Any  # Amount or Change
    text: str
    place: Place | None


class Check(NamedTuple):
    """Limits on a spec, or on the specs that match a glob, in one setting."""

    spec: str
    at: Mapping[str, Any]
    convention: Convention
    limits: tuple[Limit, ...]
    level: str = "error"
    why: str = ""
    place: Place | None = None  # place of the spec's name
    at_place: Place | None = None
    counted_by: str = "paper"  # the convention as written: a name, or the path of a price list


class Exemption(NamedTuple):
    """An entry of `exceptions:`: one change of one spec that may add more than `vs_base` allows.

    It applies while the metric is `before` at the base and at most `most` now.
    """

    spec: str
    at: Mapping[str, Any]
    counted_by: str
    metric: str
    before: int | Fraction
    most: int | Fraction
    reason: str
    place: Place  # place of the spec's name
    most_place: Place
    most_text: str

    @property
    def key(self) -> tuple[Any, ...]:
        """Subject of the exception, without its numbers."""
        return key_for(self.at, self.counted_by, self.metric)


def key_for(at: Mapping[str, Any], counted_by: str, metric: str) -> tuple[Any, ...]:
    """Key of an exception of a spec: setting, convention (unless part of the metric's name), metric."""
    own = "" if "." in metric else counted_by
    return tuple(sorted((name, str(value)) for name, value in at.items())), own, metric


class Config(NamedTuple):
    """A file of checks. Its paths are relative to its directory and must stay below it."""

    path: str
    checks: tuple[Check, ...]
    exceptions: tuple[Exemption, ...] = ()

    @property
    def folder(self) -> str:
        """Directory of the file."""
        return os.path.dirname(self.path)


def find_config(start: str = ".") -> str | None:
    """Path of the nearest costcalc.yaml, here or in a parent up to the repository root; None if there is none."""
    folder = os.path.realpath(start)
    while True:
        path = os.path.join(folder, NAME)
        note_read(path)
        if os.path.isfile(path):
            return os.path.relpath(path)
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return None
        folder = above


def read_config(path: str) -> Config:
    """Read a file of checks. Raises SpecError with all problems, or FileError, also for a link that leads outside."""
    check_links(path)
    folder, name = os.path.split(path)
    if Folder(folder).real(name) is None:
        raise FileError(Problem("no-file", f"there is no file {path!r}"))
    return config_of(Source(path, text(path)), Folder(folder))


def config_of(source: Source, folder: Any) -> Config:
    """Parse a file of checks; price lists come from `folder`, on disk or at a commit. Raises SpecError or FileError."""
    return _Reader(source, folder).config()


def limit_of(
    kind: str, metric: str, where: str, text: str, convention: Convention, place: Place | None = None
) -> Limit:
    """Parse a Limit. Raises OptionError for an unknown metric or a malformed limit."""
    from ..metrics.metrics import metric as metric_of
    from ..metrics.metrics import unit_of

    metric_of(metric, convention)
    try:
        unit = unit_of(metric)
        bound = change(text, metric, unit) if kind == "vs_base" else amount(text, metric, unit, share=bool(where))
    except Bad as error:
        raise OptionError(Problem("bad-limit", str(error), help=error.help)) from None
    return Limit(kind, metric, where, bound, text, place)


class _Reader:
    def __init__(self, source: Source, folder: Folder | Revision) -> None:
        self.source, self.folder, self.problems = source, folder, Problems(source)

    def config(self) -> Config:
        try:
            root = compose(self.source, self.problems)
        except SpecError as error:
            raise SpecError(*map(_unquoted, error.problems)) from None
        sections = self.parts(root, ("checks", "exceptions"), "start with `checks:` and a list")
        if "checks" not in sections and root.kind == "map":
            self.problems.add("missing-key", "there are no checks here", root, f"write `checks:`, then - {_EXAMPLE}")
        found = tuple(self.check(node) for node in self.items(sections.get("checks")))
        exceptions = sections.get("exceptions")
        listed = () if exceptions is None or is_empty(exceptions) else self.items(exceptions, "exceptions", _EXCEPTION)
        allowed = [self.exemption(node) for node in listed]
        self.problems.raise_any()
        return Config(self.source.path, found, tuple(one for one in allowed if one))

    def exemption(self, node: Node) -> Exemption | None:
        parts = self.parts(node, EXEMPTION, f"write {_EXCEPTION}")
        words = {name: self.word(parts.get(name), name) for name in EXEMPTION if name != "at"}
        for name in ("spec", "metric", "from", "to"):
            if name not in parts and node.kind == "map":
                self.problems.add("missing-key", f"an exception needs `{name}:`", node, f"write {_EXCEPTION}")
        from ..metrics.metrics import metric as metric_of

        spec, metric, texts = words["spec"], words["metric"], (words["from"], words["to"])
        if spec is None or metric is None or None in texts:
            return None
        if set("*?") & set(spec):
            help = "name it; each spec needs its own exception"
            self.problems.add("bad-value", "an exception is for one spec", parts["spec"], help)
        self.known(lambda: check_path(spec, tuple(READERS), copied), parts["spec"])
        counted_by = words["convention"] or "paper"
        convention = self.known(lambda: self.convention(counted_by), parts.get("convention", node)) or find("paper")
        if not self.known(lambda: metric_of(metric, convention), parts["metric"]):
            return None
        amounts = [
            self.known(lambda key=key: self.exact(metric, words[key] or "", convention), parts[key]) for key in _ENDS
        ]
        at = self.values({key.value: value for key, value in self.pairs(parts.get("at"), "{alpha: 0.75, res: 160}")})
        reason, places = " ".join((words["reason"] or "").split()), [parts[key].at for key in ("spec", "to")]
        stands, most = (Place(self.source, *place) for place in places)
        return Exemption(spec, at, counted_by, metric, amounts[0], amounts[1], reason, stands, most, texts[1] or "")

    def exact(self, metric: str, text: str, convention: Convention) -> int | Fraction:
        """Number in `from:` or `to:`."""
        return limit_of("max", metric, "", text, convention).bound.value

    def items(self, node: Node | None, what: str = "checks", example: str = _EXAMPLE) -> list[Node]:
        if node is None:
            return []
        if node.kind != "list":
            self.problems.due("not-a-list", "a list", node, f"start each of the {what} with `- `")
            return []
        if not node.value:
            self.problems.add("empty", f"there are no {what} here", node, f"- {example}")
        if len(node.value) > CHECKS:
            self.problems.add("limit", f"at most {CHECKS:,} {what} can stand here", node)
        return node.value[:CHECKS]

    def parts(self, node: Node, known: tuple[str, ...], help: str) -> dict[str, Node]:
        if node.kind != "map":
            self.problems.due("not-a-map", "a map", node, help)
            return {}
        for key, _ in node.value:
            if known and key.value not in known:
                self.problems.unknown("key", key.value, key, known)
        return {key.value: value for key, value in node.value}

    def check(self, node: Node) -> Check:
        parts = self.parts(node, KEYS, f"write {_EXAMPLE}")
        words = {name: self.word(parts.get(name), name) for name in ("spec", "convention", "level", "why")}
        if "spec" not in parts and node.kind == "map":
            self.problems.add("missing-key", "a check needs `spec:`", node, f"write {_EXAMPLE}")
        if words["level"] not in (None, "error", "warn"):
            self.problems.unknown("level", words["level"], parts["level"], ("error", "warn"))
        convention = self.known(lambda: self.convention(words["convention"] or "paper"), parts.get("convention"))
        convention = convention or find("paper")  # continue reading with it
        kinds = ("max", "min", "vs_base")
        limits = [limit for kind in kinds for limit in self.limits(kind, parts.get(kind), convention)]
        given = [parts[kind] for kind in kinds if kind in parts]
        if node.kind == "map" and not any(part.kind != "map" or part.value for part in given):
            self.problems.add("missing-key", "this check has no limits", node, "add max: {mult_adds: 170M}")
        at = {key.value: value for key, value in self.pairs(parts.get("at"), "{alpha: 0.75, res: 160}")}
        level, why = words["level"] or "error", " ".join((words["why"] or "").split())
        place = Place(self.source, *(parts["spec"].at if "spec" in parts else node.at))
        at_place = Place(self.source, *parts["at"].at) if "at" in parts else None
        named = words["spec"] or "", self.values(at), convention, tuple(limits), level, why, place, at_place
        return Check(*named, words["convention"] or "paper")

    def convention(self, name: str) -> Convention:
        """Convention by its name, or from a file below the directory of this one."""
        if not name.endswith((".yaml", ".yml")):
            return find(name)
        check_path(name)
        if self.folder.real(name) is None:
            raise FileError(Problem("no-file", f"there is no file {name!r}", help="paths are relative to this file"))
        return price_list(self.folder.source(name))

    def word(self, node: Node | None, name: str) -> str | None:
        if node is None:
            return None
        if node.kind != "scalar" or not node.value:
            self.problems.due("not-text", "a text", node, f"write `{name}: ..` with one value")
            return None
        return node.value

    def pairs(self, node: Node | None, example: str) -> Sequence[tuple[Node, ...]]:
        if node is None or not self.parts(node, (), f"write {example}"):
            return ()
        return node.value

    def values(self, at: Mapping[str, Node]) -> Any:
        from ..quantities import read_value

        found = {}
        for name, node in at.items():
            if self.word(node, name) is not None:
                self.known(lambda name=name, node=node: found.update({name: read_value(name, node.value)}), node)
        return found

    def known(self, look: Callable[..., Any], node: Any) -> Any:
        """Result of a lookup; an error is recorded at a node."""
        try:
            return look()
        except CostcalcError as error:
            problem = error.problems[0]
            self.problems.add(problem.code, problem.message, node, problem.help)
            return None

    def limits(self, kind: str, node: Node | None, convention: Convention) -> Iterator[Limit]:
        if node is None:
            return
        for key, value in self.pairs(node, _LIMITS[kind]):
            name = key.value
            if kind == "vs_base" and name.partition(".")[0] in ("layers", "any_layer"):
                help = f"write `{name}` under `max:` or `min:`"
                self.problems.add("bad-limit", "`vs_base` limits only the whole network", key, help)
            elif name == "layers":
                for glob, inner in self.pairs(value, f"{{'conv*': {_LIMITS[kind]}}}"):
                    yield from self.group(kind, inner, glob.value, convention)
            elif name == "any_layer":
                yield from self.group(kind, value, "any_layer", convention)
            elif name.startswith("any_layer."):
                yield from self.limit(kind, key, name.removeprefix("any_layer."), value, "any_layer", convention)
            else:
                yield from self.limit(kind, key, name, value, "", convention)

    def group(self, kind: str, node: Node, where: str, convention: Convention) -> Iterator[Limit]:
        for key, value in self.pairs(node, _LIMITS[kind]):
            yield from self.limit(kind, key, key.value, value, where, convention)

    def limit(
        self, kind: str, key: Node, metric: str, node: Node, where: str, convention: Convention
    ) -> Iterator[Limit]:
        text = self.word(node, metric)
        if text is None:
            return
        try:
            yield limit_of(kind, metric, where, text, convention, Place(self.source, *node.at))
        except OptionError as error:
            problem = error.problems[0]
            self.problems.add(
                problem.code, problem.message, key if problem.code.startswith("unknown") else node, problem.help
            )


def _unquoted(problem: Problem) -> Problem:
    """Add a hint: without quotes, a glob such as `*.yaml` is a YAML alias, usually an invalid one."""
    place = problem.place
    begins = place.excerpt()[max(place.column - 2, 0) : place.column] if place else ""
    help = "a glob that begins with `*` needs quotes: '*.yaml'"
    return problem._replace(help=help) if "*" in begins else problem
