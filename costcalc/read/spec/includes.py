"""The key `include:`, which inserts layers of another spec. Each file is read once per load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import limits
from ...errors import CostcalcError, FileError, OptionError, Problem, Source, listed, nearest
from ...files import Origin, stem
from ...model.network import Group, Include, Model, Step, Variable, is_dynamic
from ...model.storage import DEFAULT
from ...model.variables import checked
from . import args
from .args import BAD, Scope
from .controls import CONTROLS, layer_name

if TYPE_CHECKING:
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems
    from .reader import _Reader


CUTS = ("until", "after")


class Includes:
    """Specs included in one load. `reader(source, origin, self)` reads one of them."""

    def __init__(self, reader: type[_Reader], origin: Origin) -> None:
        self.reader, self.open = reader, [origin]
        self.models: dict[Any, Any] = {}
        self.sources: list[Source] = []

    def model(self, name: str, origin: Origin) -> Model | None:
        """Return the Model of the spec `name`, relative to `origin`, or None if its problems are already reported.

        Raises FileError and SpecError.
        """
        found = origin.included(name)
        if found in self.open:
            path = " -> ".join(one.path for one in (*self.open[self.open.index(found) :], found))
            raise FileError(Problem("recursion", f"`{found.path}` includes itself: {path}", help="a network is finite"))
        if found not in self.models:
            self.models[found] = None
            source = self._source(found)
            self.open.append(found)
            try:
                self.models[found] = self.reader(source, found, self).model()
            finally:
                self.open.pop()
        return self.models[found]

    def _source(self, origin: Origin) -> Source:
        if len(self.open) > limits.INCLUDE_DEPTH:
            raise _limit(f"specs include each other at most {limits.INCLUDE_DEPTH} deep", "include_depth")
        if len(self.sources) >= limits.INCLUDES:
            raise _limit(f"a spec includes at most {limits.INCLUDES} others", "includes")
        source = origin.folder.source(origin.path)
        self.sources.append(source)
        if sum(len(one.text) for one in self.sources) > limits.FILE_BYTES:
            raise _limit(f"the includes of a spec have at most {limits.FILE_BYTES:,} characters", "file_bytes")
        return source


def _limit(message: str, name: str) -> FileError:
    return FileError(Problem("limit", message, help=limits.hint(name)))


class IncludeReader:
    """Reads the includes of one source."""

    def __init__(self, problems: Problems, includes: Includes, origin: Origin) -> None:
        self.problems, self.includes, self.origin, self.states_bits = problems, includes, origin, False

    def body(self, node: Node, entries: Mapping[str, tuple[Node, ...]], scope: Scope) -> Group | Include:
        """Body of a step that includes the spec named at `node`."""
        if node.kind != "scalar" or not node.value:
            self.problems.due("not-text", "the name of a spec", node, "write `include: mobilenet.yaml`")
            return Group(())
        name, model = node.value, self._model(node.value, node)
        if model is None:
            return Group(())
        origin = entries["from"][1] if "from" in entries else None
        if len(model.inputs) > 1 and (origin is None or origin.kind == "scalar"):
            help = f"write `from: {{{', '.join(f'{one}: NAME' for one in model.inputs)}}}`"
            self.problems.add("several-inputs", f"`{name}` has several inputs", node, help)
        self.states_bits = self.states_bits or model.storage.own
        if model.storage._replace(own=False) != DEFAULT:
            help = "a network has one default: state `bits` beside the `include`, or on its layers"
            self.problems.add("bad-bits", f"`{name}` states `bits`, which an include cannot do", node, help)
        given = {}
        for key, (key_node, value) in entries.items():
            if key in model.variables:
                given[key] = self._given(model.variables[key], value, scope)
            elif key not in CONTROLS and key not in CUTS:
                self.problems.unknown("variable", key, key_node, [*model.variables, *CUTS, *CONTROLS])
        return Include(model, stem(name) or "include", self._cut(model, entries), given)

    def _model(self, name: str, node: Node) -> Model | None:
        try:
            return self.includes.model(name, self.origin)
        except CostcalcError as error:
            note = f"included on line {node.line} of {self.problems.source.path}"
            for problem in error.problems:
                if problem.place is None:
                    self.problems.add(problem.code, problem.message, node, problem.help)
                else:
                    self.problems.found.append(problem._replace(notes=(*problem.notes, note)))
        return None

    def _given(self, variable: Variable, node: Node, scope: Scope) -> Any:
        """Read the value of a variable. Constants are checked immediately."""
        value = args.placed(args.argument(node, scope, self.problems), node)
        if value is BAD or is_dynamic(value):
            return value
        try:
            return checked(variable, value)
        except OptionError as error:
            self.problems.add("bad-value", error.problems[0].message, node, error.problems[0].help)
        return BAD

    def _cut(self, model: Model, entries: Mapping[str, tuple[Node, ...]]) -> tuple[Step, ...]:
        """Layers between `after:` and `until:`."""
        first = self._index("after", model, entries, -1) + 1
        last = self._index("until", model, entries, len(model.steps) - 1)
        if first > last:
            help = "`until` names the last layer, `after` the one before the first"
            self.problems.add("bad-value", "no layer is left", (entries.get("until") or entries["after"])[1], help)
        return model.steps[first : last + 1]

    def _index(self, key: str, model: Model, entries: Mapping[str, tuple[Node, ...]], default: int) -> int:
        if key not in entries:
            return default
        node = entries[key][1]
        name, labels = layer_name(node, self.problems), [step.label for step in model.steps]
        if name in labels:
            return labels.index(name)
        if name is not BAD:
            known = [label for label in labels if label]
            help = nearest(name, known) or (
                f"named there: {listed(known)}" if known else "`as: NAME` there names a layer"
            )
            self.problems.add("unknown-layer", f"`{model.source.path}` has no layer `{name}`", node, help)
        return default
