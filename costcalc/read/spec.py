"""The spec language: a YAML text becomes a `Model`, or a SpecError with every problem of the file."""

from ..errors import Place, Source
from ..expr import CONSTANTS, FUNCTIONS, Function, parse
from ..memory import uncollected
from ..model import Input, Model, Variable
from ..ops import INDEX, find
from . import args
from .args import BAD, SHAPE_NAMES, Scope
from .blocks import Library, Shipped, signature
from .nodes import compose
from .problems import Problems

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
_RESERVED = frozenset(["i", "and", "or", "not", "if", "else", "in", "is", "lambda", *CONSTANTS])


def read(source: Source) -> Model:
    """The model a spec describes.

    Raises SpecError: all problems of the file at once, sorted by line.
    """
    with uncollected():
        return _Reader(source).model()


class _Reader:
    def __init__(self, source):
        self.source, self.problems = source, Problems(source)

    def model(self):
        sections = self._sections(compose(self.source))
        variables = self._variables(sections.get("vars"))
        names = SHAPE_NAMES | set(variables)
        functions = self._functions(sections.get("define"), variables)
        inputs = self._inputs(sections, Scope(variables, functions))
        defaults = self._defaults(sections.get("defaults"))
        scope = Scope(names, functions, params=_words(variables))
        library = Library(self.source, self.problems, self._map(sections.get("blocks")), defaults, scope, Shipped())
        steps = library.reader.steps(sections["layers"], scope) if "layers" in sections else ()
        library.read_all()
        self._check_defaults(sections.get("defaults"), library)
        published, budget = self._evidence(sections, variables)
        self.problems.raise_any()
        name = sections["name"].value if "name" in sections else _stem(self.source.path)
        return Model(name, self.source, variables, inputs, steps, published, budget)

    def _evidence(self, sections, variables):
        if "published" not in sections and "budget" not in sections:
            return (), {}
        from . import evidence

        published = evidence.published(sections.get("published"), variables, self.problems)
        return published, evidence.budget(sections.get("budget"), self.problems)

    def _sections(self, root):
        if root.kind != "map":
            self.problems.add("not-a-spec", "a spec is a map with `input:` and `layers:`", root)
            self.problems.raise_any()
        sections = {}
        for key, value in root.value:
            if key.value in SECTIONS:
                sections[key.value] = value
            else:
                self.problems.unknown("key", key.value, key, SECTIONS)
        for name in ("name", "description"):
            if name in sections and sections[name].kind != "scalar":
                self.problems.add("not-text", f"`{name}` is a text", sections.pop(name))
        if "input" in sections and "inputs" in sections:
            self.problems.add("several-inputs", "write `input` or `inputs`, not both", sections["inputs"])
        for name in ("input", "layers"):
            if name not in sections and not (name == "input" and "inputs" in sections):
                self.problems.add("missing-key", f"a spec needs `{name}:`", root.at)
        return sections

    def _map(self, node):
        if node is None or node.kind == "map":
            return node
        self.problems.add("not-a-map", "a map is due here", node)
        return None

    def _variables(self, node):
        variables = {}
        for key, value in self._map(node).value if self._map(node) else ():
            name = key.value
            if not args.is_name(name) or name in _RESERVED or name in FUNCTIONS:
                self.problems.add("bad-name", f"`{name[:60]}` cannot be the name of a variable", key)
                continue
            variables[name] = self._variable(name, key, value, variables)
        return variables

    def _variable(self, name, key, node, earlier):
        scope = Scope(earlier, FUNCTIONS)
        parts = {"default": node}
        if node.kind == "map":
            parts = {}
            for part, value in node.value:
                if part.value not in ("default", "choices", "help", "min", "max"):
                    self.problems.unknown("key", part.value, part, ("default", "choices", "help", "min", "max"))
                parts[part.value] = value
        if "default" not in parts:
            self.problems.add("missing-option", f"variable `{name}` needs a `default`", key)
            return Variable(name, 1)
        default = args.argument(parts["default"], scope, self.problems)
        choices = ()
        if "choices" in parts:
            listed = parts["choices"].value if parts["choices"].kind == "list" else [parts["choices"]]
            choices = tuple(args.argument(item, scope, self.problems) for item in listed)
        bounds = [
            args.number(parts[part], Scope((), FUNCTIONS), self.problems) if part in parts else None
            for part in ("min", "max")
        ]
        text = args.text(parts["help"], scope, self.problems) if "help" in parts else ""
        return Variable(name, default, choices, text, *bounds, Place(self.source, *key.at))

    def _functions(self, node, variables):
        functions = dict(FUNCTIONS)
        for key, value in self._map(node).value if self._map(node) else ():
            found = signature(key, self.problems)
            if not found:
                continue
            name, params = found[0], tuple(param for param, _ in found[1])
            if name in FUNCTIONS or name in variables:
                self.problems.add("name-taken", f"`{name}` means something already", key)
            body = args.number(value, Scope({*variables, *params}, functions), self.problems)
            if body is not BAD:
                if not hasattr(body, "names"):
                    body = parse(value.value, frozenset(), functions)
                functions[name] = Function(name, params, body), len(params), len(params)
        return functions

    def _inputs(self, sections, scope):
        if "inputs" in sections:
            pairs = self._map(sections["inputs"]).value if self._map(sections["inputs"]) else ()
            return {key.value: self._input(value, scope) for key, value in pairs}
        return {"input": self._input(sections["input"], scope)} if "input" in sections else {}

    def _input(self, node, scope):
        place = Place(self.source, *node.at)
        return Input(args.shape(node, scope, self.problems), place, node.kind == "list")

    def _defaults(self, node):
        """Default options as nodes: {operation or block: {option: node}}."""
        defaults = {}
        for key, value in self._map(node).value if self._map(node) else ():
            if value.kind != "map":
                self.problems.add("not-a-map", "defaults are a map of options", value)
                continue
            for name in key.value.split(","):
                defaults.setdefault(name.strip(), {}).update({option.value: node for option, node in value.value})
        return defaults

    def _check_defaults(self, node, library):
        for key, value in node.value if node is not None and node.kind == "map" else ():
            for name in (part.strip() for part in key.value.split(",")):
                if name in INDEX:
                    known = {*find(name).options, "then"}
                elif library.has(name):
                    known = {*library.params(name)}
                else:
                    self.problems.unknown("operation or block", name, key, [*INDEX, *library.names()])
                    continue
                for option, _ in value.value if value.kind == "map" else ():
                    if option.value not in known:
                        self.problems.unknown("option", option.value, option, known)


def _words(variables):
    """Variables that hold a word, such as the name of an activation."""
    return {name for name, variable in variables.items() if type(variable.default) is str}


def _stem(path):
    return path.replace("\\", "/").rpartition("/")[2].partition(".")[0]
