"""Read a spec: convert YAML text to a `Model`, or raise a SpecError with all problems of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ... import limits
from ...errors import Place, Problem, Source, SpecError, brief, nearest
from ...files import Origin, origin, stem
from ...model.expr import FUNCTIONS, Function, parse
from ...model.network import Cap, Claim, Input, Model, Step, Variable
from ...model.scope import SHAPE_NAMES
from ...model.storage import Storage, stored
from ...model.uncollected import uncollected
from ...ops import INDEX, find
from ...syntax.nodes import Node, compose, is_empty
from ...syntax.problems import Problems
from . import args, declarations
from .args import BAD, Scope
from .blocks import RESERVED, Library, Shipped, signature
from .includes import IncludeReader, Includes
from .names import Names
from .widths import defaulted, of_input

if TYPE_CHECKING:
    from ...errors import Source
    from .layers import LayerReader


SECTIONS = (
    "name",
    "description",
    "vars",
    "define",
    "input",
    "inputs",
    "defaults",
    "blocks",
    "layers",
    "published",
    "budget",
)


def read(source: Source, at: Origin | None = None) -> Model:
    """Return the Model of a spec. Includes are relative to `at`, by default the path of the source.

    Raises SpecError with all problems of the file, sorted by line.
    """
    at = origin(source.path) if at is None else at
    with uncollected():
        try:
            includes = Includes(_Reader, at)
            return _Reader(source, at, includes).model()._replace(included=tuple(includes.sources))
        except RecursionError:
            raise SpecError(Problem("limit", "blocks and lists nest too deep", Place(source, 1, 1))) from None


def _published(source: Source, variables: Mapping[str, Variable]) -> tuple[Claim, ...]:
    from . import evidence

    problems = Problems(source)
    claims = evidence.published(compose(source, problems).value[0][1], variables, problems)
    problems.raise_any()
    return claims


class _Reader:
    def __init__(self, source: Source, at: Origin, includes: Includes) -> None:
        self.source, self.problems = source, Problems(source)
        self.includes = IncludeReader(self.problems, includes, at)
        self.states_bits = False

    def model(self) -> Model:
        root, waiting = self._root()
        sections = self._sections(root)
        variables = declarations.variables(self._map(sections.get("vars")), self.problems)
        names = SHAPE_NAMES | set(variables)
        functions = self._functions(sections.get("define"), variables)
        inputs = self._inputs(sections, Scope(variables, functions))
        defaults = self._defaults(sections.get("defaults"))
        words = declarations.tabled(self._map(sections.get("vars")))
        scope = Scope(names, functions, _words(variables), words)
        library = Library(self.source, self.problems, self._map(sections.get("blocks")), defaults, scope, Shipped())
        library.reader.names, library.reader.includes = Names(self.problems, inputs), self.includes
        steps = self._steps(sections["layers"], library.reader, library.scope) if "layers" in sections else ()
        library.read_all()
        self._check_defaults(sections.get("defaults"), library)
        storage = self._storage(sections, library.reader)
        published: Any
        published, budget = self._evidence(sections, variables)
        self.problems.raise_any()
        if waiting:
            published = Deferred(lambda: _published(waiting, variables))
        name = sections["name"].value if "name" in sections else stem(self.source.path)
        return Model(name, self.source, variables, inputs, steps, published, budget, storage=storage)

    def _storage(self, sections: Mapping[str, Node], reader: LayerReader) -> Storage:
        widths = defaulted(sections.get("defaults"), self.problems)
        return stored(options={**widths, "own": reader.states_bits or self.states_bits or self.includes.states_bits})

    def _root(self) -> tuple[Node, Source | None]:
        """Root node of the file, and the source of the published figures if they can be read later."""
        head, tail = parted(self.source)
        if tail is not None:
            try:
                return compose(head), tail
            except SpecError:
                pass  # reading the whole file reports the problem, or shows that `published:` was part of a text
        return compose(self.source, self.problems), None

    def _steps(self, node: Node, reader: LayerReader, scope: Scope) -> tuple[Step, ...]:
        if node.kind == "list" and not node.value:
            self.problems.add("empty", "there are no layers", node, "a layer is `- {conv: 3x3, out: 32}`")
        return reader.steps(node, scope)

    def _evidence(
        self, sections: Mapping[str, Node], variables: Mapping[str, Variable]
    ) -> tuple[tuple[Claim, ...], dict[str, Cap]]:
        if "published" not in sections and "budget" not in sections:
            return (), {}
        from . import evidence

        published = evidence.published(sections.get("published"), variables, self.problems)
        return published, evidence.budget(sections.get("budget"), self.problems)

    def _sections(self, root: Node) -> dict[str, Node]:
        if root.kind != "map":
            help = "start with `input: [224, 224, 3]`, then `layers:`"
            self.problems.add("not-a-spec", f"a spec is a map with `input:` and `layers:`, not {root.what}", root, help)
            self.problems.raise_any()
        sections = {}
        for key, value in root.value:
            if key.value in SECTIONS:
                sections[key.value] = value
            else:
                self.problems.unknown("key", key.value, key, SECTIONS)
        for name in ("name", "description"):
            if name in sections and sections[name].kind != "scalar":
                self.problems.due("not-text", "a text", sections.pop(name), f"write `{name}: MobileNet V1`")
        if "input" in sections and "inputs" in sections:
            help = "use `inputs:` for several named inputs"
            self.problems.add("several-inputs", "`input:` and `inputs:` are both given", sections["inputs"], help)
        self._refuse_missing(root, sections)
        return sections

    def _refuse_missing(self, root: Node, sections: Mapping[str, Node]) -> None:
        """Record required keys that are missing, unless an unknown key is similar and thus probably a misspelling."""
        unknown = [key.value for key, _ in root.value if key.value not in SECTIONS]
        for name, example in (("input", "`input: [224, 224, 3]`"), ("layers", "`layers:` with a list of layers")):
            if name in sections or (name == "input" and "inputs" in sections) or nearest(name, unknown):
                continue
            at = (root.line, root.column, 1)
            self.problems.add("missing-key", f"a spec needs `{name}:`", at, f"add {example}")

    def _map(self, node: Node | None) -> Any:
        if node is None or is_empty(node):
            return None
        if node.kind != "map":
            self.problems.due("not-a-map", "a map", node, "write `name: value` on each line")
        elif len(node.value) > limits.ENTRIES:
            self.problems.add(
                "limit", f"at most {limits.ENTRIES:,} entries are allowed here", node, limits.hint("entries")
            )
        else:
            return node
        return None

    def _functions(self, node: Node | None, variables: Any) -> dict[str, tuple[Any, int, int]]:
        functions: dict[str, tuple[Any, int, int]] = dict(FUNCTIONS)
        for key, value in self._map(node).value if self._map(node) else ():
            found = signature(key, self.problems)
            if not found:
                continue
            name, params = found[0], tuple(param for param, _ in found[1])
            if any(default is not None for _, default in found[1]):
                help = "write a number in every call"
                self.problems.add("bad-signature", "a function's parameters have no defaults", key, help)
            if name in RESERVED or name in variables:
                message = f"`{brief(name)}` is already defined"
                self.problems.add("name-taken", message, key, "give the function another name")
            body = args.number(value, Scope({*variables, *params}, functions), self.problems)
            if body is not BAD:
                if not hasattr(body, "names"):
                    body = parse(value.value, frozenset(), functions)
                functions[name] = Function(name, params, body), len(params), len(params)
        return functions

    def _inputs(self, sections: Any, scope: Scope) -> dict[str, Input]:
        if "inputs" in sections:
            pairs = self._map(sections["inputs"]).value if self._map(sections["inputs"]) else ()
            if not pairs:
                help = "write `name: [height, width, channels]` for each"
                self.problems.add("missing-key", "`inputs:` names no input", sections["inputs"], help)
            for key, _ in pairs:
                if not args.is_name(key.value):
                    declarations.bad_name(key, "an input", self.problems)
            return {key.value: self._input(value, scope) for key, value in pairs}
        return {"input": self._input(sections["input"], scope)} if "input" in sections else {}

    def _input(self, node: Node, scope: Scope) -> Input:
        place, bits = Place(self.source, *node.at), 0
        if node.kind == "map" and any(key.value == "bits" for key, _ in node.value):
            node, bits = of_input(node, self.problems)
            self.states_bits = True
        return Input(args.shape(node, scope, self.problems), place, node.kind == "list", bits)

    def _defaults(self, node: Node | None) -> dict[str, dict[str, Node]]:
        """Default options as nodes: {operation or block: {option: node}}."""
        defaults: dict[Any, Any] = {}
        for key, value in self._map(node).value if self._map(node) else ():
            if key.value == "bits":
                continue
            if value.kind != "map":
                self.problems.due("not-a-map", "a map of options", value, "write {bias: false}")
                continue
            for name in key.value.split(","):
                defaults.setdefault(name.strip(), {}).update({option.value: node for option, node in value.value})
        return defaults

    def _check_defaults(self, node: Node | None, library: Any) -> None:
        for key, value in node.value if node is not None and node.kind == "map" else ():
            if key.value == "bits":
                continue
            for name in (part.strip() for part in key.value.split(",")):
                if name in INDEX:
                    known = {*find(name).options, "then"}
                elif library.has(name):
                    known = {*library.params(name)}
                else:
                    every = [*INDEX, *library.names()]
                    self.problems.unknown("operation or block", name, key, every, "`costcalc ops` lists them")
                    continue
                for option, _ in value.value if value.kind == "map" else ():
                    if option.value not in known:
                        self.problems.unknown("option", option.value, option, known)


def _words(variables: Mapping[str, Variable]) -> set[str]:
    """Variables whose value is a word, such as the name of an activation."""
    return {name for name, variable in variables.items() if type(variable.default) is str}


def parted(source: Source) -> tuple[Source, Source | None]:
    """Split a source into the spec without `published:` and that section alone, both with the original line numbers.

    The second is None if the section cannot be split off. If `published:` was inside quotes or brackets, the first part
    is invalid YAML, and the reader then reads the whole file.
    """
    at = source.text.find("\npublished:") + 1
    if not at or "\npublished:" in source.text[at:]:
        return source, None
    end = at + len("published:")
    while end < len(source.text):
        end = source.text.find("\n", end) + 1 or len(source.text)
        if source.text[end : end + 1] not in (" ", "#", "-", "\r", "\n"):
            break
    before, block, after = source.text[:at], source.text[at:end], source.text[end:]
    head = f"{before}{chr(10) * block.count(chr(10))}{after}"
    return source._replace(text=head), source._replace(text="\n" * before.count("\n") + block)


class Deferred:
    """Claims that are read at the first iteration. Iteration raises SpecError if they are invalid."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self.read = read
        self.claims: Any = None

    def __iter__(self) -> Iterator[Any]:
        if self.claims is None:
            self.claims = self.read()
        return iter(self.claims)
