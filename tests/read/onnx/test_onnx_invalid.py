"""Invalid graphs, as judged by ONNX's checker and shape inference."""

import gzip
import random
from pathlib import Path

import pytest

from costcalc.errors import CostcalcError, Source
from costcalc.read.onnx import model
from costcalc.read.onnx.declarations import _WORDS, operator, operators
from costcalc.read.onnx.wire import stripped

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402

from tests.data.record_onnx_operators import LETTERS, versions  # noqa: E402

RECORDED = Path(__file__).parents[2] / "data" / "onnx"


def value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def graph(nodes, outputs=("y",), weights=(("w", (4, 3, 3, 3)),), version=18):
    """A model of these nodes on an image `x` of 3 channels."""
    stored = [
        helper.make_tensor(name, TensorProto.FLOAT, shape, bytes(4 * _size(shape)), raw=True) for name, shape in weights
    ]
    ints = [
        helper.make_tensor("parts", TensorProto.INT64, [2], [4, 5]),
        helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
    ]
    made = helper.make_graph(
        nodes, "g", [value("x", [1, 3, 8, 8])], [value(name, None) for name in outputs], [*stored, *ints]
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", version)])


def _size(shape):
    size = 1
    for one in shape:
        size *= one
    return size


def branch(name, output):
    node = helper.make_node("Relu", ["x"], [name])
    return helper.make_graph([node], name, [], [value(output, None)])


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def conv(**attributes):
    return node("Conv", "x w", "y", **attributes)


INVALID = {
    "auto_pad": ([conv(auto_pad="EVIL")], "`auto_pad` cannot be 'EVIL'"),
    "kernel_shape": ([conv(kernel_shape=[5, 5])], "`kernel_shape` [5, 5] is not that of the weights, [3, 3]"),
    "kernel_shape of a transposed one": (
        [node("Conv", "x w", "c"), node("ConvTranspose", "c v", "y", kernel_shape=[2, 2])],
        "`kernel_shape` [2, 2] is not that of the weights, [3, 3]",
    ),
    "negative parts": (
        [node("Split", "x", "y z", axis=1, split=[4, -1])],
        "its parts cannot have the sizes [4, -1]",
        11,
    ),
    "parts of another sum": ([node("Split", "x parts", "y z", axis=2)], "parts of 9 in all are cut from an axis of 8"),
    "more outputs than parts": ([node("Split", "x", "y z", axis=1, split=[3])], "1 parts do not match 2 outputs", 11),
    "an output made twice": (
        [node("Relu", "x", "y"), node("Relu", "x", "y")],
        "makes `y`, as an earlier node does",
    ),
    "an input made again": (
        [node("Relu", "x", "x"), node("Relu", "x", "y")],
        "makes `x`, as an earlier node does",
    ),
    "an output of no branch": (
        [node("If", "yes", "y", then_branch=branch("a", "a"), else_branch=branch("b", "lost"))],
        "reads `lost`, which no earlier node makes",
    ),
    "an output of a branch that is a tensor outside of it": (
        [node("If", "yes", "y", then_branch=branch("a", "a"), else_branch=branch("b", "x"))],
        "reads `x`, which is a tensor of an enclosing graph",
    ),
    "a circle in the branch that is not taken": (
        [
            node(
                "If",
                "yes",
                "y",
                then_branch=branch("a", "a"),
                else_branch=helper.make_graph(
                    [node("Relu", "c", "b"), node("Relu", "b", "c")], "e", [], [value("b", None)]
                ),
            )
        ],
        "reads `c`, which no earlier node makes",
    ),
    "a type": ([node("Softmax", "x", "y", axis=[1])], "`axis` has the wrong type"),
    "an attribute of another operator": ([node("Relu", "x", "y", axis=1)], "it has no attribute `axis`"),
    "an attribute of another version": (
        [node("Squeeze", "x", "y", axes=[0])],
        "it has no attribute `axes` in version 18",
    ),
    "a missing attribute": ([node("Concat", "x x", "y")], "attribute `axis` is missing"),
    "too many inputs": ([node("Relu", "x x", "y")], "it has 2 inputs, not 1"),
    "too few inputs": ([node("Conv", "x", "y")], "it has 1 inputs, not 2 to 3"),
    "an input left out": ([helper.make_node("CastLike", ["x", ""], ["y"])], "input 2 is missing", 15),
    "too many outputs": ([node("Relu", "x", "y z")], "it has 2 outputs, not 1"),
    "strides": ([conv(strides=[0, 1])], "`strides` [0, 1] does not fit"),
    "dilations": ([conv(dilations=[1, -1])], "`dilations` [1, -1] does not fit"),
    "pads": ([conv(pads=[0, -1, 0, 0])], "`pads` [0, -1, 0, 0] does not fit"),
    "groups": ([conv(group=0)], "`group` cannot be 0"),
    "an order": ([node("Transpose", "x", "y", perm=[0, 1, 1, 2])], "does not name each of 4 axes once"),
    "an axis": ([node("Softmax", "x", "y", axis=9)], "axis 9 is out of range for a tensor with 4 axes"),
    "an axis of a flattening": ([node("Flatten", "x", "y", axis=9)], "axis 9"),
    "axes": ([node("ReduceMean", "x", "y", axes=[1, 7])], "axis 7 is out of range for a tensor with 4 axes", 13),
    "axes of which one repeats": ([node("ReduceMean", "x", "y", axes=[1, -3])], "name an axis twice", 13),
    "a squeezed axis": ([node("Squeeze", "x", "y", axes=[1])], "axis 1 has size 3, not 1", 11),
    "a word of a mode": ([node("DepthToSpace", "x", "y", blocksize=1, mode="XXX")], "`mode` cannot be 'XXX'"),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_graphs_are_refused_with_their_node(name, run, tmp_path):
    nodes, says, *version = INVALID[name]
    proto = graph(nodes, weights=(("w", (4, 3, 3, 3)), ("v", (4, 3, 3, 3))), version=version[0] if version else 18)
    (tmp_path / "net.onnx").write_bytes(proto.SerializeToString())
    code, out, err = run("analyze", "net.onnx")
    text = " ".join(err.split())
    assert (code, out) == (2, "")
    assert says in text
    assert "node `" in text or "output" in text


def test_inputs_that_may_be_left_out_are_those_of_onnx():
    for name, schemas in versions().items():
        for one in schemas:
            kinds = [each.option.name for each in one.inputs[: one.min_input]]
            assert name in ("Loop", "Scan") or "Optional" not in kinds, name


def test_names_that_stand_twice(run, tmp_path):
    for part in ("input", "initializer"):
        proto = graph([conv()])
        getattr(proto.graph, part).append(getattr(proto.graph, part)[0])
        (tmp_path / "net.onnx").write_bytes(proto.SerializeToString())
        code, _, err = run("analyze", "net.onnx")
        assert (code, f"{part} `{'x' if part == 'input' else 'w'}` appears twice" in err) == (2, True)


def test_the_table_is_that_of_onnx():
    for name, schemas in versions().items():
        known = operator(name)
        assert known, name
        newest = max(one.since_version for one in schemas)
        if newest > 26:  # newer than the recorded table
            continue
        for one in schemas:
            for attribute, about in one.attributes.items():
                found = known.attributes[attribute]
                assert LETTERS[about.type.name] in found.types
                assert found.first <= one.since_version <= found.last
    assert len(operators()) > 190


def test_every_word_is_of_an_attribute_that_there_is():
    for name in _WORDS:
        op, _, attribute = name.rpartition(".")
        having = [op] if op else [known for known in operators() if attribute in operator(known).attributes]
        assert having, name
        for one in having:
            assert operator(one).attributes[attribute].types == "s", name


def recorded(name):
    proto = onnx.ModelProto.FromString(stripped(gzip.decompress((RECORDED / name).read_bytes())))
    return proto


def mutated(proto, rng):
    """Change, remove, rename or add an attribute, or add or remove an input or output."""
    nodes = [one for one in proto.graph.node if one.attribute]
    one = rng.choice(nodes)
    found = rng.choice(one.attribute)
    how = rng.choice(("int", "ints", "word", "gone", "name", "twice", "input", "output", "again"))
    if how == "int":
        found.CopyFrom(helper.make_attribute(found.name, rng.choice((-7, 0, 3, 99))))
    elif how == "ints":
        found.CopyFrom(
            helper.make_attribute(found.name, [rng.choice((-2, 0, 1, 2, 9)) for _ in range(rng.randint(1, 5))])
        )
    elif how == "word":
        found.CopyFrom(helper.make_attribute(found.name, "EVIL"))
    elif how == "gone":
        one.attribute.remove(found)
    elif how == "name":
        found.name = rng.choice(("axis", "evil", "pads"))
    elif how == "twice":
        one.attribute.append(found)
    elif how == "input":
        one.input.append(one.input[0] if one.input else "")
    elif how == "output":
        one.output.append("more")
    else:
        one.output[0] = proto.graph.node[0].output[0]
    return f"{one.op_type} {found.name} {how}"


def refused_by_onnx(proto):
    """The refusal of ONNX's checker for a model, or None."""
    try:
        onnx.checker.check_model(proto)
    except Exception as error:  # any exception class of the checker
        return str(error)
    return None


def is_accepted(data):
    """Whether costcalc accepts a model."""
    try:
        model.read(Source("net.onnx", "", data))
    except CostcalcError:
        return False
    return True


def weightless(proto):
    """The model in a form for the checker: large tensors without data become inputs."""
    large = [one for one in proto.graph.initializer if not one.raw_data and _size(one.dims) > 1]
    for one in large:
        proto.graph.input.append(helper.make_tensor_value_info(one.name, one.data_type, list(one.dims)))
        proto.graph.initializer.remove(one)
    return proto


@pytest.mark.parametrize(
    "name", ["legacy_mobilenet_v3_large.onnx.gz", "dynamo_timm_ghostnet_100.onnx.gz", "legacy_vit_b_16.onnx.gz"]
)
def test_what_onnx_refuses_is_refused(name):
    whole, rng, refused = recorded(name).SerializeToString(), random.Random(name), 0
    assert refused_by_onnx(weightless(onnx.ModelProto.FromString(whole))) is None
    for _ in range(60):
        proto = onnx.ModelProto.FromString(whole)
        change = mutated(proto, rng)
        data = proto.SerializeToString()
        said = refused_by_onnx(weightless(proto))
        if said is None:
            continue
        refused += 1
        assert not is_accepted(data), f"{change}: {said[:300]}"
    assert refused > 10
