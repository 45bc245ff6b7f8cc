"""Recorded files with the counts of PyTorch and Keras: ONNX files and the Keras applications."""

import gzip
import json
import lzma
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from costcalc.errors import CostcalcError

from .entry import Entry
from .judge import REFUSED, Verdict, compared, first_line

KINDS = ("onnx", "keras")
_CONSTANTS = {  # by hand: values in initializers that are not parameters in PyTorch
    "dynamo_timm_edgenext_small": 2 * 32 * 32 * 32,  # sines and cosines of positions
    "dynamo_vit_b_16": 1,  # attention scale
}
_DATA = Path(__file__).parents[1] / "data"


def verdicts(kind: str, pattern: str) -> Iterator[Verdict]:
    """The verdicts of the files whose names match."""
    for name, family, due, read in (_onnx if kind == "onnx" else _keras)():
        entry = Entry(kind, family, name, ())
        if re.search(pattern, name):
            yield _verdict(entry, due, read)


def _verdict(entry, due, read):
    try:
        model, values = read()
    except CostcalcError as error:
        return Verdict(entry, REFUSED, None, due, first_line(error))
    return compared(entry, model, due, 0, values)


def _onnx():
    """(name, exporter, expected counts, reader) of each file."""
    from costcalc.read.onnx import file, model

    record = json.loads(gzip.decompress((_DATA / "framework_layers.json.gz").read_bytes()))
    networks = {one["model"]: one for one in record["models"]}
    sizes = record["columns"].index("in")
    for path in sorted((_DATA / "onnx").glob("*.onnx.gz")):
        name = path.name.removesuffix(".onnx.gz")
        exporter, _, own = name.partition("_")
        network = networks[own.removeprefix("dyn_").replace("timm_", "timm/")]
        proto = file.parsed(file.bounded(gzip.decompress(path.read_bytes()), f"{name}.onnx"))
        side = network["rows"][0][sizes][0][2]
        mult_adds = sum(network[f"{one}_macs"] for one in ("conv", "linear", "matmul"))
        due = _trainable(proto) - _CONSTANTS.get(name, 0), mult_adds
        yield name, exporter, due, lambda p=proto, n=name, s=side: _graph(model, file, p, n, s)


def _graph(model, file, proto, name, side):
    found = model.read(file.bounded(proto.SerializeToString(), f"{name}.onnx"))
    batch = proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    return found, {one: 1 if one == batch else side for one in found.variables}


def _trainable(proto):
    """Values in floating-point initializers, without running statistics of batch norms."""
    statistics = {one for node in proto.graph.node if node.op_type == "BatchNormalization" for one in node.input[3:5]}
    found = 0
    for one in proto.graph.initializer:
        if one.data_type in (1, 10, 11, 16) and one.dims and one.name not in statistics:
            size = 1
            for axis in one.dims:
                size *= axis
            found += size
    return found


def _keras():
    from costcalc.read.loading import load

    with lzma.open(_DATA / "keras" / "applications.jsonl.xz", "rt") as file:
        networks = [json.loads(line) for line in file]
    for one in networks:
        family = re.match("[A-Za-z]+", one["name"])[0]
        yield one["name"], family, (one["params"], one["mult_adds"]), lambda one=one: _configuration(load, one)


def _configuration(load, one):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{one['name']}.json"
        path.write_text(one["config"] if isinstance(one["config"], str) else json.dumps(one["config"]))
        found = load(path)
    return found, dict.fromkeys(found.variables, 224)
