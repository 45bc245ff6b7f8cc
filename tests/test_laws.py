"""Laws of the code: imports go down only, rules use only overloaded operators, public names are documented."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import costcalc
from costcalc import analyze
from costcalc.errors import Source
from costcalc.ops import INDEX, find
from costcalc.read.spec.blocks import shipped_library
from costcalc.read.spec.layers import BODIES, CONTROLS
from costcalc.read.spec.reader import read
from tests.vacuous import vacuous

ROOT = Path(costcalc.__file__).parent
TREES = {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}
RULES = [path for path in TREES if path.parts[0] == "ops"]

FLOORS = (  # lowest first: a room imports from itself and the rooms below it
    ("allowance", "arguments", "errors", "files", "git", "limits", "quantities", "records", "replacing"),
    ("num", "syntax"),
    ("ops", "render"),
    ("model", "selftest"),
    ("metrics", "rewrite"),
    ("read",),
    ("write",),
    ("analysis",),
    ("budget",),
    ("cli",),
    ("__init__", "__main__", "pytest_plugin"),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = {tuple(path.with_suffix("").parts): path for path in TREES}


def imported(path, tree, files=FILES):
    """The files of costcalc that a file imports from, anywhere in the file."""
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level):
        base = (*path.parent.parts[: len(path.parts) - node.level], *(node.module or "").split("."))
        base = tuple(filter(None, base))
        for alias in node.names:
            places = ((*base, alias.name), (*base, alias.name, "__init__"), base, (*base, "__init__"))
            if alias.name != "__version__":
                yield next(files[place] for place in places if place in files)


def room(path):
    """The room of a file, or the file itself if it is at the root."""
    return path.parts[0].removesuffix(".py")


def at_run_time(tree):
    """The code without the blocks for type checkers."""
    nodes = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
    return ast.Module(nodes, [])


def of_each_file(law):
    """Parametrize a law over all files in a single test, because one test per file takes longer than the check."""

    def test():
        broken = {}
        for path in TREES:
            try:
                law(path)
            except AssertionError as error:
                broken[str(path)] = str(error)
        assert broken == {}

    return test


NAMES = {path: {*imported(path, tree)} - {path} for path, tree in TREES.items()}  # including type imports
USES = {path: {*imported(path, at_run_time(tree))} - {path} for path, tree in TREES.items()}


def reached(path, uses=USES):
    """All files that a file needs; includes itself only if there is an import cycle."""
    found, new = set(), set(uses[path])
    while new:
        found |= new
        new = {other for one in new for other in uses[one]} - found
    return found


@of_each_file
def test_imports_go_down_only(path):
    ups = [other for other in NAMES[path] if FLOOR[room(other)] >= FLOOR[room(path)] and room(other) != room(path)]
    assert [other for other in ups if FLOOR[room(path)] > 0] == []  # files at the root may import each other
    assert path not in reached(path)


def test_imports_are_seen():
    code = (
        "from ..model.trace import trace\ndef f():\n from .. import limits, __version__\nfrom . import ints\nimport os"
    )
    found = {str(one) for one in imported(Path("num/arrays.py"), ast.parse(code))}
    assert found == {"model/trace.py", "limits.py", "num/ints.py"}
    types = at_run_time(ast.parse("if TYPE_CHECKING:\n    from .ints import whole\nfrom . import exact"))
    assert {str(one) for one in imported(Path("num/arrays.py"), types)} == {"num/exact.py"}
    assert reached("a", {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"b", "c"}
    assert reached("b", {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"b", "c"}
    assert Path("model/trace.py") in reached(Path("analysis/report/analyze.py"))


BANNED = {"int", "float", "round", "max", "min", "abs", "sum", "bool"}
AXES = {"at", "number", "axis"}  # positions in a shape, which are plain numbers in every domain


def offences(tree):
    """What a rule must not do. Labels are not rules: they read the `detail` of a finished layer."""
    nodes = list(ast.walk(tree))
    allowed = {id(part) for node in nodes if is_guard(node) for part in node.values[1:]}
    labels = [
        node for node in nodes if isinstance(node, (ast.FunctionDef, ast.Lambda)) and "detail" in ast.unparse(node.args)
    ]
    allowed |= {id(node) for label in labels for node in ast.walk(label)}
    for node in (node for node in nodes if id(node) not in allowed):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in BANNED:
            yield ast.unparse(node)
        if isinstance(node, (ast.Import, ast.ImportFrom)) and re.search(r"\b(math|numpy|sympy)\b", ast.unparse(node)):
            yield ast.unparse(node)
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            yield ast.unparse(node)
        if is_comparison(node) and not any(is_no_size(side) for side in (node.left, *node.comparators)):
            yield ast.unparse(node)


def is_comparison(node):
    """Whether a node is `a == b` or `a != b`."""
    return isinstance(node, ast.Compare) and any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops)


def is_guard(node):
    """Whether a node is `type(x) is int and ..`."""
    return (
        isinstance(node, ast.BoolOp)
        and isinstance(node.op, ast.And)
        and ast.unparse(node.values[0]).startswith("type(")
    )


def is_no_size(node):
    """Whether an operand is a text, a length, a bool, or the position of an axis."""
    text = ast.unparse(node)
    return text[0] in "'\"" or text.startswith("('") or "len(" in text or isinstance(node, ast.Compare) or text in AXES


@pytest.mark.parametrize("path", RULES, ids=str)
def test_rules_use_only_what_overloads(path):
    assert list(offences(TREES[path])) == []


BAD = ["int(x)", "max(a, b)", "import math", "from numpy import prod", "a / b", "a /= 2", "a == b", "groups != 1"]
GOOD = [
    "a // b * c % d",
    "len(a) != 2",
    "word == 'same'",
    "type(a) is int and a == 1",
    "maximum(a, b)",
    "import typing",
]


@pytest.mark.parametrize(("code", "count"), [*((code, 1) for code in BAD), *((code, 0) for code in GOOD)])
def test_offences_are_seen(code, count):
    assert len(list(offences(ast.parse(code)))) == count


SOURCE = re.compile(r"torch\.|keras\.|numpy\.|arXiv:\d{4}\.\d{4,5}|et al\. \d{4}")
SEQUENCE = "[196, 768]"
NAMED = {
    "a": "[8, 8, 4]",
    "b": "[8, 8, 4]",
    "left": "[32]",
    "right": "[16]",
    "scores": "[196, 196]",
    "values": SEQUENCE,
    **dict.fromkeys(("u", "step"), SEQUENCE),
    **dict.fromkeys(("into", "out"), "[196, 16]"),
}
FLOWS = {  # operation -> the input of its example, also used for `q`, `k` and `v`; other operations get a grid
    **dict.fromkeys(("attention", "attend", "rnn", "lstm", "gru", "slice", "reduce", "permute", "grid"), SEQUENCE),
    "channel_shuffle": "[28, 28, 240]",
    "einsum": "[12, 196, 64]",
    "embedding": "[128]",
    **dict.fromkeys(("latent_attention", "sparse_conv"), SEQUENCE),
}


@pytest.mark.parametrize("name", INDEX)
def test_every_operation_is_documented(name):
    doc = find(name).doc
    assert re.match(r"[A-Z`].*\.\n", doc.lstrip())
    assert doc.count("Example: ") == 1
    assert name == "opaque" or SOURCE.search(doc), f"{name} names no source"


@pytest.mark.parametrize("name", INDEX)
def test_the_example_of_every_operation_runs(name):
    example = yaml.safe_load(find(name).doc.partition("Example: ")[2])
    layers = example if isinstance(example, list) else [example]
    if list(layers[0]) == ["then"]:
        layers = [{"identity": None, **layers[0]}]
    flow = FLOWS.get(name, "[56, 56, 64]")
    inputs = "".join(f"  {key}: {shape}\n" for key, shape in {**dict.fromkeys("xqkv", flow), **NAMED}.items())
    text = f"vars: {{res: 224}}\ninputs:\n{inputs}layers: {yaml.safe_dump(layers, default_flow_style=True, width=999)}"
    report = analyze(read(Source("example.yaml", text)))
    assert find(name).rule in [find(line.op).rule for line in report.lines]


def test_a_word_is_an_operation_or_an_option():
    library = shipped_library()
    options = {option for name in INDEX for option in find(name).options if option != find(name).main}
    params = {param for name in library.names() for param in library.params(name)}
    assert {*options, *params, *CONTROLS, *BODIES} & {*INDEX, *library.names()} == set()


@of_each_file
def test_files_and_functions_are_short(path):
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= 500
    functions = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in functions if node.end_lineno - node.lineno >= 50] == []


@of_each_file
def test_no_function_changes_its_module(path):
    """State of a run is in context variables, never in module globals."""
    written = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.Global)]
    changed = [
        node
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Subscript)
        and not isinstance(node.ctx, ast.Load)
        and ast.unparse(node.value) in ("globals()", "vars()", "sys.modules")
    ]
    assert [node.lineno for node in (*written, *changed)] == []


@of_each_file
def test_no_file_takes_private_names_of_others(path):
    froms = [node for node in ast.walk(at_run_time(TREES[path])) if isinstance(node, ast.ImportFrom) and node.level]
    names = [alias.name for node in froms for alias in node.names]
    assert [name for name in names if name.startswith("_") and not name.endswith("__")] == []


def public(body):
    """The public functions and classes, without the methods that click calls."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef) and not any("click" in ast.unparse(base) for base in node.bases):
                yield from public(node.body)


@of_each_file
def test_public_names_have_docstrings(path):
    domain = path.parent.name == "num" and path.name != "__init__.py"  # each function is documented once, in `num`
    names = [node for node in (() if domain else public(TREES[path].body)) if not ast.get_docstring(node)]
    assert [node.name for node in names] == []
    assert ast.get_docstring(TREES[path])


def test_public_names_are_listed():
    assert costcalc.__all__ == sorted(costcalc._PUBLIC)
    assert {*map(room, TREES)} & {*costcalc.__all__} == set()  # a package would hide the name
    for path in TREES:
        found = import_module(".".join(["costcalc", *path.with_suffix("").parts]).removesuffix(".__init__"))
        names = getattr(found, "__all__", [])
        assert names == sorted(names)
        assert all(hasattr(found, name) for name in names)


def test_one_kind_of_named_tuple():
    """Except in selftest, which shares no code with the rules it checks."""
    found = [
        path
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("typing", "collections")
        for name in node.names
        if name.name.lower() == "namedtuple" and path.name != "records.py" and room(path) != "selftest"
    ]
    assert found == []


def test_no_test_holds_of_nothing():
    """A test that only asserts on search results must also assert that the search finds something."""
    loop = "def test_a():\n    for one in ROOT.glob('*'):\n        assert one\n"
    every = "def test_b():\n    found = [one for one in re.findall('a', text)]\n    assert all(found)\n"
    assert vacuous(loop + every + loop.replace("test_a", "test_c") + "    assert ROOT\n") == ["test_a", "test_b"]
    files = sorted(Path(__file__).parent.rglob("test_*.py"))
    assert len(files) > 100
    assert [f"{path.name}: {name}" for path in files for name in vacuous(path.read_text(encoding="utf-8"))] == []
