"""A random node of a recorded graph made unknown: the totals are marked lower bounds."""

import gzip
import random
from pathlib import Path

import pytest

from costcalc import analyze, load

onnx = pytest.importorskip("onnx")
TESTS = next(parent for parent in Path(__file__).parents if parent.name == "tests")
GRAPHS = sorted(p.name[:-8] for p in (TESTS / "data" / "onnx").glob("*.onnx.gz"))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", GRAPHS)
def test_an_unknown_node_leaves_lower_bounds(name, seed, tmp_path):
    data = gzip.decompress((TESTS / "data" / "onnx" / f"{name}.onnx.gz").read_bytes())
    changed = onnx.load_model_from_string(data)
    node = random.Random(f"{name}{seed}").choice(changed.graph.node)
    node.op_type, node.domain = "Mine", "mine"
    due, found = (totals(one, tmp_path / "graph.onnx") for one in (data, changed.SerializeToString()))
    assert due.complete
    assert not found.complete
    assert all(found.totals[metric] <= due.totals[metric] for metric in due.totals)


def totals(data, path):
    """The report of a graph with 224 for open axes and a batch of one."""
    path.write_bytes(data)
    model = load(path)
    given = {name: one.default or (1 if name == "batch" else 224) for name, one in model.variables.items()}
    return analyze(model, convention="framework", settings=given)
