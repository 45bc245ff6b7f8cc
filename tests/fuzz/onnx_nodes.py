"""Nodes of ONNX graphs: any operator, with nearly correct numbers of inputs and attributes."""

from functools import lru_cache

from hypothesis import strategies as st

from costcalc.read.onnx import rules

NUMBERS = st.sampled_from(
    (0, 1, 1, 2, 2, 3, 4, 5, 8, -1, -1, -2, 7, 64, 1000, 2**31, 2**40, 2**62, -(2**63), 2**63 - 1)
)
INTEGERS = st.lists(NUMBERS, max_size=6)
SIZES = st.lists(st.sampled_from((1, 2, 3, 3, 4, 4, 5, 8, 16, 0, 1000, 2**31)), max_size=5)
FLOATS = st.sampled_from((0.0, 1.0, 0.5, 2.0, -1.0, 1e-5, 3e38, float("inf"), float("nan")))
_TEXTS = """SAME_UPPER SAME_LOWER VALID NOTSET nearest linear cubic ij,jk->ik bij,bjk->bik ii-> ...-> sum mean
    bidirectional reverse forward constant reflect DCR CRD wrap é"""
TEXTS = st.sampled_from(("", *_TEXTS.split()))


@lru_cache(1)
def operators():
    """{(domain, operator): newest schema, or None} for all operators of ONNX and all with a rule."""
    import onnx

    known: dict = {("com.microsoft", name): None for name in rules.table()}
    known.update(((one.domain, one.name), one) for one in onnx.defs.get_all_schemas())
    return known


@st.composite
def node(draw, tensors, integers, number, depth=0):
    """A NodeProto that reads some of the tensors, or of the integer tensors where only integers are allowed."""
    from onnx import NodeProto

    domain, name = draw(st.sampled_from(sorted(operators())))
    schema = operators()[domain, name] or operators().get(("", name))
    made = NodeProto(op_type=name, domain=domain, name=draw(st.sampled_from(("", f"/block/{name}_{number}", "n"))))
    least, most = (schema.min_input, min(schema.max_input, 6)) if schema else (1, 5)
    for at in range(draw(st.integers(min(least, most), most))):
        whole = schema and at < len(schema.inputs) and _is_whole(schema.inputs[at])
        odd = draw(st.integers(0, 9))
        made.input.append("" if odd == 9 and at else draw(st.sampled_from(integers if whole and odd else tensors)))
    count = min(schema.min_output, 3) if schema else 1
    made.output.extend(f"t{number}_{depth}_{at}" for at in range(max(count, 1) + draw(st.sampled_from((0, 0, 1)))))
    for one in schema.attributes.values() if schema else ():
        if one.required or draw(st.booleans()):
            _attribute(draw, made.attribute, one, tensors, integers, depth)
    return made


def _is_whole(formal):
    return all(kind in ("tensor(int64)", "tensor(int32)") for kind in formal.types)


def _attribute(draw, attributes, schema, tensors, integers, depth):
    """Add an attribute with a value of its type."""
    kind = str(schema.type).rpartition(".")[2]
    values = {"INT": NUMBERS, "INTS": INTEGERS, "FLOAT": FLOATS, "FLOATS": st.lists(FLOATS, max_size=4)}
    texts = TEXTS.map(str.encode)
    values |= {"STRING": texts, "STRINGS": st.lists(texts, max_size=3)}
    field = {"INT": "i", "FLOAT": "f", "STRING": "s"}.get(kind, kind.lower())
    if kind in values:
        from onnx import AttributeProto

        value = {field: draw(values[kind])}
        attributes.append(AttributeProto(name=schema.name, type=getattr(AttributeProto, kind), **value))
    elif kind == "TENSOR":
        numbers = draw(INTEGERS)
        made = attributes.add(name=schema.name, type=4)
        made.t.data_type = draw(st.sampled_from((1, 6, 7, 7, 9, 10, 16)))
        made.t.dims.extend(draw(st.sampled_from(([len(numbers)], [1], [], [2, 2], [-1]))))
        made.t.int64_data.extend(numbers)
    elif kind == "GRAPH" and depth < 2:
        made = attributes.add(name=schema.name, type=5)
        _graph(draw, made.g, tensors, integers, depth + 1)


def _graph(draw, graph, tensors, integers, depth):
    from onnx import helper

    inner = [f"in{depth}_{at}" for at in range(draw(st.integers(0, 3)))]
    for name in inner:
        graph.input.append(helper.make_tensor_value_info(name, 1, draw(SIZES)))
    known = [*tensors, *inner]
    for number in range(draw(st.integers(0, 2))):
        graph.node.append(draw(node(known, integers, number, depth)))
        known += graph.node[-1].output
    for _ in range(draw(st.integers(0, 3))):
        graph.output.append(helper.make_empty_tensor_value_info(draw(st.sampled_from(known))))
