"""Check graphs accepted by the program with ONNX's checker."""

import os
import re
import tempfile
from importlib.util import find_spec
from math import prod

KNOWN = {  # refused by the checker but read by the program -> reason
    r"No opset import for domain": "an operator of another domain is shown as unknown, whether or not it is imported",
    r"stored externally and should not have data field": "the numbers of weights are not read, wherever they are",
    r"should be stored in .* but it": "no other file is opened",
    r"Mismatched attribute type": "an attribute may have the type that another version of its operator gives it",
    r"is deprecated in domain_version of": "files that have a deprecated operator are common, and its cost is known",
    r"in function op \S+ ?is ?not compatible": "nodes of a function are read under the versions that it imports itself",
    r"No Op registered for \S+ with domain_version of": "an operator that ONNX does not have is shown as unknown",
}


def refusal(data):
    """The first line of the checker's refusal of a graph; "" if it is valid or the refusal is in KNOWN.

    The checker is C++ and the bytes are hostile, so it runs in a separate process.
    """
    if not find_spec("onnx"):
        return ""
    with tempfile.TemporaryFile() as file:
        process = os.fork()
        if not process:
            try:
                os.write(file.fileno(), _said(data).encode())
            finally:
                os._exit(0)
        _, status = os.waitpid(process, 0)
        file.seek(0)
        said = file.read().decode()
    if os.WIFSIGNALED(status):
        return ""  # the checker itself crashed: no verdict on the graph
    return "" if any(re.search(pattern, said) for pattern in KNOWN) else said


def _said(data):
    import onnx

    try:
        onnx.checker.check_model(completed(onnx.ModelProto.FromString(data)))
    except Exception as error:  # any exception class of the checker
        return str(error).partition("\n")[0]
    return ""


def completed(proto):
    """The model completed with parts that the checker requires and no count depends on: weights, a name, output types.

    Unused functions are removed, because they are not read.
    """
    for one in [one for one in proto.graph.initializer if one.data_location or _is_left_out(one)]:
        if one.name not in [known.name for known in proto.graph.input]:
            proto.graph.input.add(name=one.name).type.tensor_type.elem_type = one.data_type
            proto.graph.input[-1].type.tensor_type.shape.SetInParent()
        proto.graph.initializer.remove(one)
    for graph in _graphs(proto.graph):
        graph.name = graph.name or "g"
        for one in graph.output:
            if not one.HasField("type"):
                one.type.tensor_type.elem_type = 1
            if one.type.HasField("tensor_type"):
                one.type.tensor_type.shape.SetInParent()
    _drop_functions(proto)
    return proto


def _is_left_out(tensor):
    return not tensor.raw_data and prod(tensor.dims) > 1


def _drop_functions(proto):
    called = {(one.domain, one.op_type) for one in _nodes(proto.graph)}
    known = {(one.domain, one.name): one for one in proto.functions}
    left = [one for one in called if one in known]
    while left:
        inner = {(one.domain, one.op_type) for one in _nodes(known[left.pop()])} - called
        called |= inner
        left += [one for one in inner if one in known]
    for one in [one for one in proto.functions if (one.domain, one.name) not in called]:
        proto.functions.remove(one)


def _graphs(graph):
    """A graph and all its nested graphs."""
    yield graph
    for node in graph.node:
        yield from _inside(node)


def _inside(node):
    for one in node.attribute:
        for inner in (*([one.g] if one.type == 5 else ()), *one.graphs):
            yield from _graphs(inner)


def _nodes(graph):
    for one in graph.node:
        yield one
        for inner in _inside(one):
            yield from inner.node
