"""An ONNX file as a protobuf message: size limits, damaged files, and the source of the message classes."""

import sys

import pytest

from costcalc.errors import FileError
from costcalc.read.onnx import file

onnx = pytest.importorskip("onnx")
from onnx import helper  # noqa: E402


@pytest.fixture
def saved(tmp_path):
    """The path and the bytes of a small graph."""
    ends = [helper.make_tensor_value_info(name, 1, [1, 4]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    path = tmp_path / "net.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return str(path), path.read_bytes()


def test_as_many_bytes_as_are_allowed(saved, limit):
    path, data = saved
    limit(graph_file_bytes=len(data))
    assert file.parsed(file.source(path)).graph.node[0].op_type == "Relu"
    limit(graph_file_bytes=len(data) - 1)
    with pytest.raises(FileError) as error:
        file.source(path)
    problem = error.value.problems[0]
    assert (problem.code, problem.message) == ("limit", f"{path!r} is larger than {len(data) - 1:,} bytes")
    assert "COSTCALC_LIMITS=graph_file_bytes=N" in problem.help


def test_a_damaged_file_is_an_error_of_the_file_and_any_other_failure_is_not(saved, monkeypatch):
    path, _ = saved
    source = file.source(path)
    with pytest.raises(FileError, match="is not an ONNX model"):
        file.parsed(source._replace(data=b"\x3a\xff"))

    class Failing:
        def ParseFromString(self, data):
            raise RuntimeError("of another kind")

    monkeypatch.setattr(file, "_classes", lambda: type("", (), {"ModelProto": Failing}))
    with pytest.raises(RuntimeError, match="of another kind"):
        file.parsed(source)


def test_the_classes_are_those_of_the_package_and_loaded_once(monkeypatch):
    assert file._classes() is file._classes() is sys.modules["onnx.onnx_ml_pb2"]
    monkeypatch.delitem(sys.modules, "onnx.onnx_ml_pb2")
    loaded = file._classes.__wrapped__()
    assert loaded.__file__ == onnx.onnx_ml_pb2.__file__
    assert loaded.ModelProto.DESCRIPTOR.full_name == "onnx.ModelProto"
