"""Tables keyed by operation, anywhere in the code: they name existing operations, and are complete."""

import ast
from importlib import import_module

import pytest

from costcalc.errors import SpecError
from costcalc.metrics import saved
from costcalc.ops import INDEX, UNWRITTEN
from costcalc.write.torch.module import _JOINS
from costcalc.write.torch.module import RULES as TORCH_RULES
from tests.test_laws import TREES

FOREIGN = ("read",)  # packages whose tables hold the names of other tools
ALMOST = 0.7  # a table with this many operation names is a table of operations


def words(tree):
    """(line, words) of every literal table of words: the keys of dictionaries, tuples, sets and lists."""
    for node in ast.walk(tree):
        parts = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", ())
        found = [one.value for one in parts if isinstance(one, ast.Constant) and type(one.value) is str]
        if len(found) > 2:
            yield node.lineno, found


def strangers(tree):
    """Words in tables of operations that are not operations."""
    for line, found in words(tree):
        others = [word for word in found if word not in INDEX]
        if others and len(found) - len(others) >= ALMOST * len(found):
            yield line, others


@pytest.mark.parametrize("path", [path for path in TREES if path.parts[0] not in FOREIGN], ids=str)
def test_tables_of_operations_name_operations(path):
    assert list(strangers(TREES[path])) == []


def test_a_stranger_in_a_table_is_seen():
    assert list(strangers(ast.parse("A = {'relu': 1, 'elu': 2, 'gelu': 3, 'relo': 4}"))) == [(1, ["relo"])]
    assert list(strangers(ast.parse("A = ('conv', 'dwconv', 'linear', 'liner')"))) == [(1, ["liner"])]
    assert list(strangers(ast.parse("A = {'relu': 1, 'table': 2, 'text': 3}"))) == []


@pytest.mark.parametrize("module", sorted({INDEX[name] for name in {*INDEX} - {"opaque", *UNWRITTEN}}))
def test_onnx_has_a_rule_for_every_operation_of_a_module(module):
    pytest.importorskip("onnx", reason="onnx is not installed: costcalc[onnx]")
    rules = import_module(f"costcalc.write.onnx.{module}").RULES
    assert {*rules} == {name for name, where in INDEX.items() if where == module}


def test_an_operation_without_a_rule_in_onnx_is_refused_by_name(monkeypatch):
    pytest.importorskip("onnx", reason="onnx is not installed: costcalc[onnx]")
    from costcalc.errors import Source
    from costcalc.model.wiring import wired
    from costcalc.read.spec.reader import read
    from costcalc.write.onnx import pointwise
    from costcalc.write.onnx.builder import built

    monkeypatch.setattr(pointwise, "RULES", {})
    with pytest.raises(SpecError) as error:
        built(wired(read(Source("n.yaml", "input: [4, 4, 4]\nlayers: [relu]\n")), {}))
    assert error.value.problems[0].message == "`relu`: `relu` has no equivalent in ONNX"


def test_pytorch_has_every_operation():
    by_hand = {"bilinear", "einsum", "attend"}  # of several inputs, each with its own options
    unwritten = {"opaque", *UNWRITTEN}
    assert {*TORCH_RULES} | {*_JOINS} | by_hand | unwritten == {*INDEX}
    assert {*TORCH_RULES} & ({*_JOINS} | by_hand) == set()


def test_what_training_keeps_is_stated_for_every_operation():
    """Operations in no table save nothing for the backward pass, or have their own code. A new operation fails here."""
    tables = (saved._INPUT, saved._OUTPUT, saved._SPECIAL, saved._VIEWS, saved._OWN)
    own = {"reduce"}
    nothing = {"add", "sub", "neg", "concat", "one_of", "pad", "parameter", "upsample", "windows", "channel_shuffle"}
    moved = {"depth_to_space", "space_to_depth", "pixel_shuffle", "pixel_unshuffle"}
    assert {*INDEX} == {name for table in tables for name in table} | own | nothing | moved
