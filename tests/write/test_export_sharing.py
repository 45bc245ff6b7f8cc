"""Shared weights in other formats: one initializer in ONNX; unsupported sharing is refused by name."""

import pytest

from costcalc import analyze
from costcalc.errors import Source, SpecError
from costcalc.model.wiring import wired
from costcalc.read.spec.reader import read

HEAD = "input: [16]\nlayers:\n  - {embedding: 8, vocab: 100, as: words}\n"
TIED = f"{HEAD}  - {{linear: 100, reuse: words}}\n"
ONNX_REFUSES = {
    f"{HEAD}  - {{linear: 100, params: 3, as: head}}\n": "`head`: `params` states how many numbers it has, not which",
    "input: [8, 4]\nlayers:\n  - {attention: 2, as: a}\n  - {attention: 2, reuse: a, as: b}\n": (
        "`b`: its weights are several tensors"
    ),
}


def graph_of(text):
    """The wired graph of a spec given as text."""
    return wired(read(Source("net.yaml", text)), {})


def test_a_tied_head_reads_the_table_turned():
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: costcalc[onnx]")
    from costcalc.read.onnx import file
    from costcalc.read.onnx import model as onnx_model
    from costcalc.write.onnx import encoded

    data = encoded(graph_of(TIED), "net", "random")
    stored = {one.name: tuple(one.dims) for one in onnx.load_from_string(data).graph.initializer if one.data_type == 1}
    assert stored == {"words.weight": (100, 8), "linear.bias": (100,)}
    totals = analyze(onnx_model.read(file.bounded(data, "net.onnx")), convention="framework").totals
    assert totals == {"mult_adds": 12_800, "params": 900}


@pytest.mark.parametrize("text", ONNX_REFUSES)
def test_onnx_refuses_what_it_cannot_share(text):
    pytest.importorskip("onnx", reason="onnx is not installed: costcalc[onnx]")
    from costcalc.write.onnx import encoded

    with pytest.raises(SpecError) as error:
        encoded(graph_of(text), "net", "none")
    assert error.value.problems[0].message == ONNX_REFUSES[text]


def test_pytorch_refuses_a_tied_head():
    from costcalc.write.torch import source_text

    with pytest.raises(SpecError) as error:
        source_text(graph_of(TIED), "Net")
    assert error.value.problems[0].message == "`linear`: PyTorch modules cannot share the weights of another layer"
