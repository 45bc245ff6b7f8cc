"""ONNX files with the weights skipped, compared with the message classes of `onnx` by field name."""

import io
import random

import onnx
import pytest
from google.protobuf.descriptor import FieldDescriptor
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto, ValueInfoProto

from costcalc.errors import FileError
from costcalc.files import PAGE, Pages
from costcalc.read.onnx import wire
from costcalc.read.onnx.wire import SMALL, checked, stripped, tags

SCOPES = "pkg.torch.onnx.name_scopes"
LEFT_OUT = {  # message -> its unused fields
    "ModelProto": "producer_version domain doc_string metadata_props training_info configuration",
    "GraphProto": "doc_string quantization_annotation metadata_props",
    "FunctionProto": "doc_string metadata_props",
    "NodeProto": "doc_string device_configurations",
    "AttributeProto": "doc_string tp type_protos",
    "TensorProto": "segment doc_string metadata_props",
    "ValueInfoProto": "metadata_props",
    "TypeProto.Sequence": "elem_type",
    "TypeProto.Map": "key_type value_type",
    "TypeProto.Optional": "elem_type",
    "TypeProto.SparseTensor": "elem_type shape",
    "TypeProto.Opaque": "domain name",
    "TensorShapeProto.Dimension": "denotation",
}


def is_list(field):
    return field.is_repeated if hasattr(field, "is_repeated") else field.label == FieldDescriptor.LABEL_REPEATED


def filled(found, depth, chance):
    """A message with a distinct value in every field, and in one field of each oneof."""
    turn = chance["turn"] = chance["turn"] + 1
    for field in found.DESCRIPTOR.fields:
        alternatives = field.containing_oneof.fields if field.containing_oneof else [field]
        if field.name != alternatives[turn % len(alternatives)].name:
            continue
        if field.message_type and depth:
            many = 6 if field.message_type.name in ("ValueInfoProto", "Dimension") else 1
            for _ in range(many if is_list(field) else 1):
                inner = getattr(found, field.name)
                inner = inner.add() if is_list(field) else inner
                inner.SetInParent()
                filled(inner, depth - 1, chance)
        elif not field.message_type:
            value = plain(field, chance)
            if is_list(field):
                getattr(found, field.name).extend([value, value])
            else:
                setattr(found, field.name, value)
    if found.DESCRIPTOR.name == "StringStringEntryProto":
        found.key = SCOPES
    return found


def plain(field, chance):
    chance["number"] += 1
    if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
        text = f"text{chance['number']}"
        return text if field.type == FieldDescriptor.TYPE_STRING else text.encode()
    if field.enum_type:
        return field.enum_type.values[-1].number
    return chance["number"] + 200  # two bytes long


def without(found):
    """A message without unused fields."""
    name = found.DESCRIPTOR.full_name.removeprefix("onnx.")
    for left_out in LEFT_OUT.get(name, "").split():
        if left_out in found.DESCRIPTOR.fields_by_name:
            found.ClearField(left_out)
    for field, value in found.ListFields():
        if field.message_type:
            for inner in value if is_list(field) else [value]:
                without(inner)
    return found


def looked_at(found):
    """A message whose attributes and values are made too large to copy, by fields that are skipped."""
    for field, value in found.ListFields():
        if field.message_type:
            for inner in value if is_list(field) else [value]:
                looked_at(inner)
    if isinstance(found, AttributeProto):
        found.doc_string = "d" * (SMALL + 1)
    if isinstance(found, ValueInfoProto):
        found.metadata_props.add(key="k", value="v" * (SMALL + 1))
    return found


def model_of(data, strip=checked):
    return ModelProto.FromString(strip(data))


@pytest.mark.parametrize("seed", range(6))
def test_every_field_that_is_read_is_kept_and_no_other(seed):
    chance = {"number": 1_000 * seed, "turn": seed}
    model = looked_at(filled(ModelProto(), 8, chance))
    for value in model.graph.input:
        value.doc_string = "mark"
    assert model_of(model.SerializeToString()) == without(model)


@pytest.mark.parametrize("name", [one.name for one in onnx.TypeProto.DESCRIPTOR.oneofs_by_name["value"].fields])
def test_what_a_value_is_is_kept_and_of_what_only_for_tensors(name):
    value = ValueInfoProto(name="n" * SMALL, type=onnx.TypeProto(denotation="IMAGE"))  # too large to be copied unseen
    inner = getattr(value.type, name)
    filled(inner, 2, {"number": 5, "turn": 0})
    found = model_of(ModelProto(graph=GraphProto(output=[value])).SerializeToString()).graph.output[0].type
    assert (found.WhichOneof("value"), found.denotation) == (name, "IMAGE")
    assert bool(getattr(found, name).ByteSize()) == (name == "tensor_type")


def attribute(**fields):
    """The only attribute of the only node of a model, as read."""
    model = ModelProto(graph=GraphProto(node=[NodeProto(op_type="Op", attribute=[AttributeProto(name="a", **fields)])]))
    return model_of(model.SerializeToString()).graph.node[0].attribute[0]


TENSOR = TensorProto(name="t", dims=[1], doc_string="d" * 30)
HOLDS = {
    "t": TENSOR,
    "g": GraphProto(initializer=[TENSOR]),
    "tensors": [TENSOR],
    "graphs": [GraphProto(initializer=[TENSOR])],
    "sparse_tensor": SparseTensorProto(values=TENSOR),
    "sparse_tensors": [SparseTensorProto(values=TENSOR)],
}


@pytest.mark.parametrize("name", HOLDS)
def test_tensors_and_graphs_in_attributes_are_looked_at(name):
    assert b"dddd" not in attribute(**{name: HOLDS[name]}).SerializeToString()


SMALL_MESSAGES = {  # field of a graph, and the field in it that is skipped
    "node": NodeProto(op_type="Op"),
    "initializer": TensorProto(name="w", dims=[3]),
    "value_info": ValueInfoProto(name="v"),
}


@pytest.mark.parametrize("name", SMALL_MESSAGES)
def test_small_messages_are_copied_as_they_are_up_to_a_size(name):
    message = SMALL_MESSAGES[name]
    message.doc_string = "d" * SMALL
    own = len(message.SerializeToString()) - SMALL
    for size, kept in ((SMALL - own, SMALL - own), (SMALL - own + 1, 0)):
        message.doc_string = "d" * size
        model = ModelProto(graph=GraphProto(**{name: [message] * 3}))
        found = model_of(model.SerializeToString(), stripped)
        assert [len(one.doc_string) for one in getattr(found.graph, name)] == [kept] * 3


@pytest.mark.parametrize("strip", [stripped, checked])
@pytest.mark.parametrize("name", ["raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"])
def test_numbers_of_a_tensor_are_left_out_from_a_size_on(name, strip):
    kind = {"raw_data": 1, "float_data": 4, "double_data": 8}.get(name, 1)
    for size, kept in ((SMALL, True), (SMALL + kind, False)):
        tensor = TensorProto(name="w", dims=[size])
        if name == "raw_data":
            tensor.raw_data = b"1" * size
        else:
            getattr(tensor, name).extend([1] * (size // kind))
        data = ModelProto(graph=GraphProto(initializer=[tensor])).SerializeToString()
        found = model_of(data, strip).graph.initializer[0]
        assert (found == tensor, found == TensorProto(name="w", dims=[size])) == (kept, not kept)


@pytest.mark.parametrize("name", ["ints", "floats"])
def test_numbers_of_an_attribute_are_kept_whatever_their_size(name):
    assert len(getattr(attribute(**{name: [7] * 3_000}), name)) == 3_000


def test_texts_of_a_tensor_are_kept():
    tensor = TensorProto(string_data=[b"x" * (SMALL + 1)])
    model = ModelProto(graph=GraphProto(initializer=[tensor]))
    assert model_of(model.SerializeToString()) == model


def test_a_mark_at_a_value_is_kept_and_a_documentation_is_not():
    for size, kept in ((64, 64), (65, 0)):
        value = ValueInfoProto(name="n" * SMALL, doc_string="d" * size)  # too large to be copied unseen
        found = model_of(ModelProto(graph=GraphProto(input=[value])).SerializeToString()).graph.input[0]
        assert (len(found.name), len(found.doc_string)) == (SMALL, kept)


def test_of_the_notes_at_a_node_only_the_one_with_its_name_is_kept():
    own = len(onnx.StringStringEntryProto(key=SCOPES, value="v" * SMALL).SerializeToString()) - SMALL
    notes = {"other": "v", SCOPES: "v" * (SMALL - own), f"{SCOPES} ": "v" * SMALL}
    node = NodeProto(metadata_props=[onnx.StringStringEntryProto(key=key, value=text) for key, text in notes.items()])
    found = model_of(ModelProto(graph=GraphProto(node=[node])).SerializeToString()).graph.node[0]
    assert [one.key for one in found.metadata_props] == [SCOPES]


def field(number, data):
    """A bytes field in wire format."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value, least=1):
    """A varint of at least `length` bytes, padded with empty continuation bytes."""
    found = bytearray()
    while value > 127 or len(found) < least - 1:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


RELU = field(7, field(1, field(4, b"Relu")))
SKIPPED = {
    "a number": varint(99 << 3) + varint(2**63),
    "eight bytes": varint(99 << 3 | 1) + bytes(8),
    "four bytes": varint(99 << 3 | 5) + bytes(4),
    "bytes": field(99, b"x" * 300),
    "a large number of a field": field(2**29 - 1, b"x"),
    "a length of ten bytes": varint(99 << 3 | 2) + varint(3, 10) + b"xyz",
}


@pytest.mark.parametrize("name", SKIPPED)
def test_what_is_not_known_is_skipped(name):
    for data in (SKIPPED[name] + RELU, RELU + SKIPPED[name], SKIPPED[name] * 2 + RELU):
        assert model_of(data) == ModelProto.FromString(RELU)


BROKEN = {
    "a group": varint(99 << 3 | 3) + varint(99 << 3 | 4),
    "the end of a group": varint(99 << 3 | 4),
    "no kind": varint(99 << 3 | 6) + bytes(8),
    "field 0": varint(2) + varint(0),
    "a number of eleven bytes": varint(99 << 3) + varint(1, 11),
    "a length that is cut off": varint(99 << 3 | 2) + b"\x80",
    "a length past the end": varint(99 << 3 | 2) + varint(5) + b"1234",
    "eight bytes that are seven": varint(99 << 3 | 1) + bytes(7),
    "four bytes that are three": varint(99 << 3 | 5) + bytes(3),
    "a tag alone": varint(99 << 3),
    "a length past the message around it": varint(7 << 3 | 2) + varint(3) + varint(1 << 3 | 2) + varint(9) + b"x" * 9,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_message_is_refused(name):
    with pytest.raises(FileError) as error:
        stripped(RELU + BROKEN[name])
    assert error.value.problems[0].code == "bad-onnx"
    assert "cut off or damaged" in error.value.problems[0].message


def nested(graphs):
    """A model with nested graphs."""
    inner = b""
    for _ in range(graphs - 1):
        inner = field(1, field(5, field(6, inner)))
    return field(7, inner)


def test_thirty_graphs_stand_in_each_other_and_no_more():
    assert checked(nested(30)) == nested(30)
    with pytest.raises(FileError, match="graphs nest at most 30 deep"):
        checked(nested(31))


COUNTED = {  # entries limited like nodes, in a graph or in the model
    "nodes": (lambda one: field(7, one), 1),
    "tensors": (lambda one: field(7, one), 5),
    "sparse tensors": (lambda one: field(7, one), 15),
    "values": (lambda one: field(7, one), 13),
    "functions": (lambda one: one, 25),
}


@pytest.mark.parametrize("kind", COUNTED)
def test_as_many_messages_as_are_allowed(limit, kind):
    limit(nodes=7)
    around, number = COUNTED[kind]
    assert stripped(around(field(number, b"") * 7)) == around(field(number, b"") * 7)
    with pytest.raises(FileError) as error:
        stripped(around(field(number, b"") * 8))
    problem = error.value.problems[0]
    assert (problem.code, problem.message) == ("limit", f"there are more than 7 {kind}")
    assert "COSTCALC_LIMITS=nodes=N" in problem.help


def test_attributes_are_not_counted_as_nodes(limit):
    limit(nodes=7)
    data = field(7, field(1, field(5, b"") * 50))
    assert stripped(data) == data


def test_as_many_bytes_as_are_allowed(limit):
    data = field(7, field(2, b"n" * 98))  # one field of 100 bytes is copied
    limit(graph_bytes=100)
    assert stripped(data) == data
    limit(graph_bytes=99)
    with pytest.raises(FileError) as error:
        stripped(data)
    problem = error.value.problems[0]
    assert (problem.code, problem.message) == ("limit", "the graph without its weights is larger than 99 bytes")
    assert "COSTCALC_LIMITS=graph_bytes=N" in problem.help


PARTS = {  # parts by hand: 4 per message, 1 per field, 1 per 8 bytes of packed numbers that are kept
    "a graph": (field(7, b""), 4 + 1 + 4),
    "texts": (field(7, field(2, b"n") * 10), 9 + 10),
    "numbers that are kept": (field(7, field(5, field(9, bytes(80)))), 9 + 5 + 1 + 10),
    "numbers that are left out": (field(7, field(5, field(9, bytes(SMALL + 1)))), 9 + 5 + 1),
    "what is skipped": (field(7, field(99, b"x" * 500) * 10), 9 + 10),
    "an attribute": (field(7, field(1, field(5, field(8, bytes(800)) + field(99, bytes(SMALL))))), 9 + 5 + 5 + 2 + 100),
}


@pytest.mark.parametrize("name", PARTS)
def test_as_many_parts_as_are_allowed(limit, name):
    data, parts = PARTS[name]
    data += field(99, b"")  # parts are checked at the start of a field
    limit(graph_fields=parts + 1)
    checked(data)
    limit(graph_fields=parts)
    with pytest.raises(FileError) as error:
        checked(data)
    problem = error.value.problems[0]
    assert (problem.code, problem.message) == ("limit", f"the graph has more than {parts} parts")
    assert "COSTCALC_LIMITS=graph_fields=N" in problem.help


def messages(found):
    """The number of messages in a message, including itself."""
    inner = [one for field, value in found.ListFields() if field.message_type for one in listed(field, value)]
    return 1 + sum(map(messages, inner))


def listed(field, value):
    return value if is_list(field) else [value]


DENSE = {  # the largest number of messages in these bytes
    "attributes": NodeProto(attribute=[AttributeProto()] * 500),
    "types": NodeProto(attribute=[AttributeProto(type_protos=[onnx.TypeProto()] * 400)] * 3),
    "entries": NodeProto(metadata_props=[onnx.StringStringEntryProto()] * 700),
    "dimensions": NodeProto(
        attribute=[AttributeProto(tp=onnx.TypeProto.FromString(field(1, field(2, b"\n\0" * 300))))]
    ),
    "graphs": NodeProto(attribute=[AttributeProto(graphs=[GraphProto(node=[NodeProto()] * 9)] * 60)]),
}


@pytest.mark.parametrize("name", DENSE)
def test_no_message_has_more_messages_in_it_than_bytes_that_can_be_tags(name):
    assert 300 < messages(DENSE[name]) <= 1 + tags(DENSE[name].SerializeToString())


@pytest.mark.parametrize("seed", range(6))
def test_messages_of_every_kind_have_tags(seed):
    model = filled(ModelProto(), 7, {"number": 500 * seed, "turn": seed})
    assert 300 < messages(model) <= 1 + tags(model.SerializeToString())


def test_tags_of_more_bytes_than_they_need_are_counted():
    assert onnx.NodeProto.FromString(b"\xaa\x80\x00\x00" * 5) == NodeProto(attribute=[AttributeProto()] * 5)
    assert tags(b"\xaa\x80\x00\x00" * 5) == 5


def test_messages_are_looked_at_where_there_is_no_room_for_all_that_could_be_in_them(limit):
    """A node with 900 bytes of names could contain 900 tags, but it has two fields."""
    model = ModelProto(graph=GraphProto(node=[NodeProto(doc_string="d", name="z" * 900, op_type="Op")] * 4))
    data = model.SerializeToString()
    assert [one.doc_string for one in model_of(data, stripped).graph.node] == ["d"] * 4
    limit(graph_fields=4 * 900 * 4)
    assert [one.doc_string for one in model_of(data, stripped).graph.node] == [""] * 4
    limit(graph_fields=4 + 1 + 4 + 4 * (1 + 4 + 3) - 1)
    with pytest.raises(FileError, match="parts"):
        stripped(data)


class Asked:
    """Bytes of a file that can only be sliced; records the lengths of slices."""

    def __init__(self, data):
        self.data, self.asked = data, []

    def __len__(self):
        return len(self.data)

    def __getitem__(self, part):
        self.asked.append(part.stop - part.start)
        return self.data[part]


def test_of_a_large_file_only_the_fields_that_are_kept_are_read(monkeypatch):
    weights = TensorProto(name="w", data_type=1, dims=[9_000], raw_data=bytes(9_000))
    nodes = [NodeProto(op_type="Relu", name=f"n{at}", input=["w"], output=["y"]) for at in range(3)]
    model = ModelProto(ir_version=9, graph=GraphProto(name="g", node=nodes, initializer=[weights]))
    model.functions.add(name="f")  # this field number takes two bytes
    data = model.SerializeToString() + field(200, bytes(9_000))
    whole = Asked(data)
    assert checked(whole) == checked(data)
    assert whole.asked == [len(data)]  # small: it is read at once
    monkeypatch.setattr(wire, "_AT_ONCE", 100)
    large = Asked(data)
    assert checked(large) == checked(data)
    assert max(large.asked) <= 100
    assert ModelProto.FromString(checked(large)).functions[0].name == "f"


def test_what_may_be_read_at_once_is_read_once(monkeypatch):
    data = ModelProto(ir_version=9, graph=GraphProto(name="g")).SerializeToString()
    monkeypatch.setattr(wire, "_AT_ONCE", len(data))
    whole = Asked(data)
    assert checked(whole) == checked(data)
    assert whole.asked == [len(data)]


def test_the_last_graph_of_thirty_has_nodes_with_attributes():
    graph = GraphProto(node=[NodeProto(op_type="x", attribute=[AttributeProto(name="a", type=1, f=2.0)])])
    for _ in range(28):
        inner = AttributeProto(name="b", type=5, g=graph)
        graph = GraphProto(node=[NodeProto(op_type="If", attribute=[inner])])
    graph = GraphProto(node=[NodeProto(attribute=[AttributeProto(type=5, g=graph)])])
    model = ModelProto(ir_version=9, graph=graph)
    for strip in (checked, stripped):
        assert ModelProto.FromString(strip(model.SerializeToString())) == model
    deeper = ModelProto(graph=GraphProto(node=[NodeProto(attribute=[AttributeProto(type=5, g=graph)])]))
    with pytest.raises(FileError, match="graphs nest at most 30 deep") as error:
        checked(deeper.SerializeToString())
    assert error.value.problems[0].code == "limit"


def test_parts_are_counted_as_they_may_be(limit):
    limit(graph_fields=10)
    found = wire._Stripper(unseen=True)
    assert (found.copied(bytes(80), 0, 80), found.parts, tags(bytes(80))) == (bytes(80), 10, 0)
    with pytest.raises(FileError, match="the graph has more than 10 parts"):
        found.copied(bytes(8), 0, 8)
    for name, number in (("attribute", 7), ("attribute", 8)):
        one = wire._Stripper(unseen=False)
        assert (one.is_large(name, number, 0, 80), one.parts) == (False, 10)


def test_what_is_copied_unseen_is_small():
    for kind in wire._FIELDS:
        found = [wire._Stripper(unseen).is_unseen(kind, size) for unseen, size in ((True, SMALL), (True, SMALL + 1))]
        assert found == [kind in ("node", "tensor", "value", "attribute", "entry"), False], kind
        assert not wire._Stripper(False).is_unseen(kind, 1)


def test_a_tag_of_two_bytes_is_read_whole():
    data = ModelProto(ir_version=9, graph=GraphProto(name="g")).SerializeToString()
    assert checked(b"\x80\1\5" + data) == checked(data)  # an unused field number
    with pytest.raises(FileError, match="this is not an ONNX model"):
        checked(b"\x3a")  # a field with a length, and no length


def test_the_clock_is_looked_at_every_so_many_messages(monkeypatch):
    spent = []
    monkeypatch.setattr(wire, "spend", spent.append)
    for count in (63, 64, 129):
        spent.clear()
        nodes = [NodeProto(op_type="Relu", output=["y"]) for _ in range(count)]
        checked(ModelProto(ir_version=9, graph=GraphProto(node=nodes)).SerializeToString())
        assert spent == [64 * 4] * (count // 64)


def test_a_length_is_written_in_as_few_bytes_as_it_can_be():
    found = [wire._varint(value) for value in (0, 1, 127, 128, 16_383, 16_384)]
    assert found == [b"\0", b"\1", b"\x7f", b"\x80\1", b"\xff\x7f", b"\x80\x80\1"]


def test_pages_are_the_bytes_of_the_file():
    data, chance = random.Random(5).randbytes(3 * PAGE + 1_234), random.Random(6)
    pages = Pages(io.BytesIO(data), len(data))
    assert len(pages) == len(data)
    for _ in range(3_000):
        start = chance.choice([0, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, chance.randrange(len(data))])
        size = chance.choice([1, 2, 20, 500, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
        end = min(start + size, len(data))
        assert pages[start:end] == data[start:end]
        assert len(pages.page) <= PAGE


def test_a_page_is_read_once():
    reads = []

    class File(io.BytesIO):
        def read(self, size):
            reads.append(size)
            return super().read(size)

    pages = Pages(File(bytes(4 * PAGE)), 4 * PAGE)
    for start in range(0, 2 * PAGE, 64):
        assert len(pages[start : start + 64]) == 64
    assert reads == [PAGE, PAGE]
    assert pages[PAGE : 2 * PAGE] == pages[2 * PAGE - 1 : 2 * PAGE] * PAGE  # all of a page, and its end
    assert reads == [PAGE, PAGE]
    assert len(pages[2 * PAGE : 3 * PAGE]) == len(pages[2 * PAGE : 3 * PAGE]) == PAGE
    assert reads == [PAGE] * 3
