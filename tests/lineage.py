"""Compare the layers and edges of networks, independent of names and order."""

from collections import Counter

from costcalc.model.rows import Trace


def lineage(walked: Trace) -> Counter:
    """Count rows by their operation and all their ancestors. Networks with the same edges have equal counts."""
    known: dict = {name: hash(shape) for name, shape in walked.inputs.items()}
    for number, row in enumerate(walked.rows):
        before = [known[source] for source in row.sources]
        before = sorted(before) if row.op.name in ("add", "mul") else before  # commutative
        known[number] = hash((row.type, tuple(row.layer.shape), row.times, *before))
    return Counter(known.values())


def assert_sources_hold(walked: Trace) -> None:
    """Assert that every source of a row is an input or an earlier row with the shape that the row reads."""
    for number, row in enumerate(walked.rows):
        assert len(row.sources) == len(row.inputs)
        assert bool(row.sources) == (row.op.name != "parameter")
        for source, shape in zip(row.sources, row.inputs, strict=True):
            assert type(source) is str or 0 <= source < number
            made = walked.inputs[source] if type(source) is str else walked.rows[source].layer.shape
            assert made == shape
    made = walked.inputs if type(walked.source) is str else {walked.source: walked.rows[walked.source].layer.shape}
    assert made[walked.source] == walked.output


def assert_onnx_has_the_edges(data: bytes, walked: Trace) -> None:
    """Assert that an exported file connects rows as their sources do, through operators that are not rows."""
    import onnx

    made = {name: node.input for node in onnx.load_from_string(data).graph.node for name in node.output}
    names = [row.name for row in walked.rows]
    ends = {*walked.inputs, *(row.name for row in walked.rows if row.sources)}
    for row in walked.rows:
        sources = {source if type(source) is str else names[source] for source in row.sources}
        assert _read(made, made.get(row.name, ()), ends) == sources & ends, row.name


def _read(made: dict, names: list, ends: set) -> set:
    found: set = set()
    for name in names:
        found |= {name} if name in ends else _read(made, made.get(name, ()), ends)
    return found
