"""A short fuzzing run (`python -m tests.fuzz` runs for any time), and its findings so far."""

import os
import random
from typing import ClassVar

import jsonschema
import pytest
import yaml

from costcalc.ops import INDEX, find
from costcalc.read.owned import OWN
from costcalc.read.spec.controls import CONTROLS
from costcalc.read.spec.includes import CUTS
from costcalc.read.spec.layers import BODIES
from costcalc.read.spec.schema import schema
from tests.fuzz.domains import agreement
from tests.fuzz.grammar import MAKERS
from tests.fuzz.grids import of_any_grid
from tests.fuzz.numbers import numbers
from tests.fuzz.sandbox import prepare, run
from tests.fuzz.search import Tally, search
from tests.fuzz.targets import TARGETS
from tests.fuzz.writer import Flow, Writer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each run is a copy of this process")
HEAD = "input: [8, 8, 3]\nlayers: [relu]\n"


@pytest.fixture(scope="module", autouse=True)
def ready():
    """Load everything once."""
    prepare()


SLOW = {"modules": "torch"}  # targets whose imports take seconds


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in SLOW)) for one in TARGETS])
def test_no_input_ends_badly(name):
    if name in SLOW or name == "tflite":
        pytest.importorskip(SLOW.get(name, name))
        prepare([name])
    tally = Tally()
    search(name, tally, 8, 1)
    assert tally.failures == {}
    assert tally.tried >= 4


def test_numbers_arrays_symbols_and_other_forms_agree_on_any_spec():
    *lines, last = agreement(20).splitlines()
    seen = {name: int(value.replace(",", "")) for value, name in (line.split(maxsplit=1) for line in lines)}
    assert last.startswith("all equal, ")
    assert (seen["specs"], seen["points"], seen["refused points"], seen["formulas"]) == (20, 100, 0, 80)
    assert seen["specs written by import and read back"] == 40
    exported = seen["exported to ONNX"] + sum(value for name, value in seen.items() if name.startswith("not exported"))
    assert exported == 40
    assert seen["shapes inferred by ONNX"] > 40


class Dice(Writer):
    """A writer with random choices: `draw` is a random.Random, `written` collects the output of all writers."""

    written: ClassVar[set] = set()

    def one(self, *values):
        return self.draw.choice(values)

    def often(self):
        return self.draw.random() < 0.5

    def upto(self, most):
        return self.draw.randint(0, most)

    def put(self, *word, **options):
        super().put(*word, **options)
        self.written.add(self.lines[-1])


def layers_of(value):
    """(operation, option) of every written layer; ("", option) for entries that are not operations."""
    if isinstance(value, dict):
        op = next((key for key in value if key in INDEX), "")
        yield from ((op, key) for key in value)
        value = [*value.values()]
    if isinstance(value, list):
        for one in value:
            yield from [(one, one)] if isinstance(one, str) and one in INDEX else layers_of(one)


SPACES = [("grid", 1), ("grid", 2), ("grid", 3), ("tokens", 2), ("vector", 2)]


@pytest.fixture(scope="module")
def written():
    """Layers of every kind, as written by the grammar."""
    dice = random.Random(1)
    for kind, rank in SPACES:
        plain, nesting = MAKERS[kind]
        for maker in {*plain, *nesting}:
            for _ in range(400 if maker is of_any_grid else 60):
                maker(Dice(dice, MAKERS, depth=1), Flow(kind, "8", 0, rank))
    return [yaml.load(text, yaml.CSafeLoader) for text in sorted(Dice.written)]


UNWRITTEN = {  # not written by the grammar's makers -> reason
    ("embedding", "embedding"): "it is the first layer of an input of words",
    ("embedding", "vocab"): "it is the first layer of an input of words",
}


def test_the_grammar_writes_every_operation_option_and_control(written):
    """Every new feature of the language is fuzzed."""
    found = set(layers_of(written))
    due = {(name, name if option == find(name).main else option) for name in INDEX for option in find(name).options}
    due |= {(name, name) for name in INDEX}
    assert due - found == {*UNWRITTEN}
    keys = {key for _, key in found}
    assert [key for key in (*CONTROLS, *BODIES, *OWN, *CUTS) if key not in keys] == []
    text = "\n".join(Dice.written)
    forms = ("[*]", "[n]", ".channels", ".shape[", "widths[n]", "kinds[kind]", "each[0]", "**", "divisible(", "{a: [")
    assert [form for form in forms if form not in text] == []


def test_the_schema_knows_what_the_grammar_writes(written):
    """Uses layers that contain every option at least once."""
    seen, layers = set(), []
    for one in written:
        if not seen.issuperset(found := {*layers_of(one)}):
            seen |= found
            layers.append(one)
    jsonschema.Draft7Validator(schema()).validate({"layers": layers})


def test_expressions_are_the_same_number_or_the_same_refusal_in_all_domains():
    *lines, last = numbers(10_000, 3).splitlines()
    seen = {name: int(value.replace(",", "")) for value, name in (line.split(maxsplit=1) for line in lines)}
    assert last.startswith("all equal, ")
    assert seen["points"] == 10_000
    assert 1_000 < seen["refused points"] < 5_000
    assert seen["values of symbols"] > 500


FOUND = {  # files, command line, the first error, if any
    "a name as a bound, and a figure at a setting": (
        {
            "net.yaml": "vars: {a: {default: 1, min: name}}\n" + HEAD + "published:\n"
            "  - {source: 'A paper, Table 1', rows: [{at: {a: 2}, params: 1}]}\n"
            "budget: {params: 1}\n"
        },
        ["analyze", "net.yaml"],
        "unknown variable `name`",
    ),
    "a name as a choice, and a figure at a setting": (
        {
            "net.yaml": "vars: {a: {default: 1, choices: [1, name]}}\n" + HEAD + "published:\n"
            "  - {source: 'A paper, Table 1', rows: [{at: {a: 2}, params: 1}]}\n"
            "budget: {params: 1}\n"
        },
        ["analyze", "net.yaml"],
        "unknown variable `name`",
    ),
    "a map where a price list has its cost": (
        {"net.yaml": HEAD, "mine.yaml": "base: framework\ncost: {weight: 1}\n"},
        ["analyze", "net.yaml", "-c", "mine.yaml"],
        "expected a text, found a map",
    ),
    "a truth and nothing else to fit": (
        {"net.yaml": "vars: {wide: true}\n" + HEAD},
        ["fit", "net.yaml", "--vary", "wide=true,false", "--max", "params=1"],
        "",
    ),
    "a table by words, and figures at a setting": (
        {
            "net.yaml": "vars: {a: 1, t: {x: [4, 8], y: [6]}, u: [3, 4]}\n" + HEAD + "published:\n"
            "  - {source: 'A paper, Table 1', rows: [{at: {a: 2}, params: 0}, {params: 0}]}\n"
        },
        ["reproduce", "net.yaml"],
        "",
    ),
    "too few values at every point of a sweep": (
        {"net.yaml": "vars: {n: 3}\ninput: [8, 8, n]\nlayers: [{slice: 20}]\n"},
        ["sweep", "net.yaml", "--vary", "n=3:7:1"],
        "at n=3: `slice`: values 0 to 20 of only 3",
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_fuzzing_found_stays_mended(name):
    files, args, message = FOUND[name]
    ended = run({path: text.encode() for path, text in files.items()}, args)
    assert (ended.failure, ended.code) == ("", 2 if message else 0)
    assert ended.err.startswith(f"error: {message}\n" if message else "")


def test_a_run_that_ends_badly_is_seen(monkeypatch):
    files, args = {"net.yaml": HEAD.encode()}, ["analyze", "net.yaml"]
    assert run(files, args).failure == ""
    with monkeypatch.context() as patch:
        patch.setattr("costcalc.analysis.report.analyze.analyze", lambda *args, **more: 1 // 0)
        assert run(files, args).failure == "exit code 101 ZeroDivisionError: integer division or modulo by zero"
    monkeypatch.setattr("tests.fuzz.sandbox.SECONDS", 0.0)
    assert run(files, args).failure == "too slow"


def test_a_written_file_that_is_not_whole_is_seen():
    from tests.fuzz import search

    case = {"net.yaml": HEAD.encode()}, ["export", "net.yaml", "-o", "out.py"]
    ended = run(*case)
    assert (ended.code, [name for name, _ in ended.left], search._written(case, ended)) == (0, ["out.py"], "")
    missing = "a file that is missing, or one of a command that failed"
    assert search._written(case, ended._replace(left=())) == missing
    assert search._written(case, ended._replace(code=2)) == missing
    assert (
        search._written(case, ended._replace(left=(("out.py", b'x = "a,\n'),))) == "written, and no code: SyntaxError"
    )


def test_an_accepted_graph_that_the_checker_of_onnx_refuses_is_seen(monkeypatch):
    onnx = pytest.importorskip("onnx")
    from tests.fuzz import checker, search

    node, info = onnx.helper.make_node("Relu", ["x"], ["y"]), onnx.helper.make_tensor_value_info
    proto = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [info("x", 1, [1])], [info("y", 1, [1])]))
    good, args = proto.SerializeToString(), ["analyze", "m.onnx"]
    proto.graph.node[0].input[0] = "ghost"
    assert (checker.refusal(good), "ghost" in checker.refusal(proto.SerializeToString())) == ("", True)
    case = {"m.onnx": good}, args
    ended = run(*case)
    assert (ended.code, search._accepted(case, ended)) == (0, "")
    monkeypatch.setattr(search, "refusal", lambda data: "no")
    assert search._accepted(case, ended) == "accepted, and refused by the checker of ONNX: no"
    assert search._accepted(case, ended._replace(code=2)) == ""
