"""Faults in ONNX graphs: each function modifies a ModelProto."""

from hypothesis import strategies as st

from .onnx_nodes import INTEGERS, NUMBERS, SIZES, TEXTS, node, operators


def _node(draw, model):
    return draw(st.sampled_from(model.graph.node)) if model.graph.node else model.graph.node.add(op_type="Relu")


def _tensors(model):
    made = [name for one in model.graph.node for name in one.output]
    return [*(one.name for one in model.graph.input), *(one.name for one in model.graph.initializer), *made, "ghost"]


def operator(draw, model):
    """Change an operator."""
    one = _node(draw, model)
    one.domain, one.op_type = draw(st.sampled_from(sorted(operators())))


def domain(draw, model):
    """Change the domain of an operator, or remove its name."""
    _node(draw, model).domain = draw(st.sampled_from(("com.microsoft", "own", "ai.onnx", "ai.onnx.ml", "")))


def source(draw, model):
    """Make a node read another tensor, or none."""
    one, name = _node(draw, model), draw(st.sampled_from([*_tensors(model), ""]))
    if one.input and draw(st.booleans()):
        one.input[draw(st.integers(0, len(one.input) - 1))] = name
    else:
        one.input.append(name)


def missing(draw, model):
    """Remove an input, output or attribute of a node."""
    field = getattr(_node(draw, model), draw(st.sampled_from(("input", "output", "attribute"))))
    if field:
        del field[draw(st.integers(0, len(field) - 1))]


def attribute(draw, model):
    """Change the value or the type of an attribute."""
    one = _node(draw, model)
    found = draw(st.sampled_from(one.attribute)) if one.attribute else one.attribute.add(name="axis", type=2)
    what = draw(st.sampled_from(("i", "ints", "s", "type", "name", "reference")))
    if what == "i":
        found.i, found.type = draw(NUMBERS), 2
    elif what == "ints":
        del found.ints[:]
        found.ints.extend(draw(INTEGERS))
        found.type = 7
    elif what == "s":
        found.s, found.type = draw(TEXTS).encode(), 3
    elif what == "type":
        found.type = draw(st.integers(0, 14))
    else:
        setattr(
            found, "name" if what == "name" else "ref_attr_name", draw(st.sampled_from(("axis", "perm", "pads", "")))
        )


def weight(draw, model):
    """Change the sizes, the type or the values of an initializer."""
    if not model.graph.initializer:
        return
    one = draw(st.sampled_from(model.graph.initializer))
    what = draw(st.sampled_from(("dims", "type", "numbers", "raw", "name")))
    if what == "dims":
        del one.dims[:]
        one.dims.extend(draw(SIZES))
    elif what == "type":
        one.data_type = draw(st.integers(0, 24))
    elif what == "numbers":
        del one.int64_data[:]
        one.int64_data.extend(draw(INTEGERS))
    elif what == "raw":
        one.raw_data = draw(st.binary(max_size=32))
    else:
        one.name = draw(st.sampled_from(_tensors(model)))


def shape(draw, model):
    """Change the sizes of an input, possibly to open ones."""
    if not model.graph.input:
        return
    dims = draw(st.sampled_from(model.graph.input)).type.tensor_type.shape.dim
    if not dims or draw(st.integers(0, 4)) == 4:
        dims.add(dim_value=draw(NUMBERS))
    elif draw(st.booleans()):
        draw(st.sampled_from(dims)).dim_value = draw(NUMBERS)
    else:
        draw(st.sampled_from(dims)).dim_param = draw(st.sampled_from(("n", "h", "batch", "9\x1b", "")))


def version(draw, model):
    """Change or remove the operator set."""
    if model.opset_import and draw(st.booleans()):
        del model.opset_import[0]
    else:
        model.opset_import.add(domain=draw(st.sampled_from(("", "ai.onnx", "own"))), version=draw(NUMBERS))


def order(draw, model):
    """Remove, duplicate or move a node."""
    one, nodes = _node(draw, model), [*model.graph.node]
    at = nodes.index(one)
    moved = draw(st.sampled_from(("gone", "twice", "first")))
    nodes = [
        *([one] if moved == "first" else []),
        *nodes[:at],
        *([one, one] if moved == "twice" else []),
        *nodes[at + 1 :],
    ]
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def another(draw, model):
    """Insert a node with any operator whose output is read."""
    tensors = _tensors(model)
    made = draw(node(tensors, tensors, len(model.graph.node)))
    at = draw(st.integers(0, len(model.graph.node)))
    model.graph.node.insert(at, made)
    for later in model.graph.node[at + 1 :]:
        if later.input and draw(st.integers(0, 3)) == 3:
            later.input[0] = made.output[0]


def inside(draw, model):
    """Turn the whole graph into the body of a node, or into a function of the file."""
    from onnx import helper

    names, last = [one.name for one in model.graph.input], [one.name for one in model.graph.output]
    if draw(st.booleans()):
        body = model.graph.FromString(model.graph.SerializeToString())
        made = helper.make_node(draw(st.sampled_from(("If", "Loop", "Scan"))), names, ["out"])
        made.attribute.append(helper.make_attribute(draw(st.sampled_from(("body", "then_branch"))), body))
        made.attribute.append(helper.make_attribute("num_scan_inputs", draw(st.integers(-1, 3))))
    else:
        own = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
        model.functions.append(helper.make_function("own", "F", names, last, [*model.graph.node], own))
        made = helper.make_node("F", names, ["out"], domain="own")
        model.opset_import.append(helper.make_opsetid("own", 1))
    del model.graph.node[:]
    model.graph.node.append(made)
    for one in model.graph.output[:1]:
        one.name = "out"


ACCIDENTS = (
    operator,
    domain,
    source,
    source,
    missing,
    attribute,
    attribute,
    weight,
    shape,
    version,
    order,
    another,
    inside,
)
