"""Valid specs in other forms: as an ONNX model with shapes inferred by ONNX, and as a spec written by `import`."""

import re
from collections import Counter
from math import prod

from costcalc import analyze
from costcalc.errors import Source, SpecError
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.model.wiring import wired
from costcalc.read.onnx import file
from costcalc.read.onnx import model as onnx_model
from costcalc.read.spec.reader import read
from costcalc.write.onnx import encoded
from costcalc.write.spec import spec_text
from tests.lineage import assert_onnx_has_the_edges, lineage
from tests.written import assert_spec_costs_the_same


def exported(model, values):
    """Compare a model with its ONNX export; return counts by kind, or the reason why it cannot be exported.

    The file is written without weights and parsed again. ONNX infers its shapes, and its weights are counted. Read
    back, it costs the same as the spec, unless layers run several times or use masks, which a file cannot express.
    """
    settled = settle(model, values)
    try:
        data = encoded(wired(model, settled), model.name, "none")
    except SpecError as error:
        return {f"not exported: {re.sub('^`[^`]*`: ', '', error.problems[0].message)}": 1}
    walked = trace(model, settled)
    assert_onnx_has_the_edges(data, walked)
    rows = [row for row in walked.rows if row.op.name != "parameter"]
    due = analyze(model, convention="framework", settings=values).totals
    _inferred(data, model, rows, due["params"])
    said = not any(
        row.times != 1 or row.options.get("causal") or row.options.get("window") or row.chance for row in rows
    )
    if said:
        again = onnx_model.read(file.bounded(data, "m.onnx"))
        assert analyze(again, convention="framework").totals == due
        assert_spec_costs_the_same(again)
    return {"exported to ONNX": 1, "shapes inferred by ONNX": len(rows), "costs of ONNX files read back": int(said)}


def _inferred(data, model, rows, params):
    """Compare the shapes and weights inferred by ONNX."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(data), strict_mode=True, data_prop=True).graph
    found = {one.name: _shape(one) for one in (*graph.value_info, *graph.output, *graph.input)}
    for row in rows:
        shape = tuple(row.layer.shape)
        assert found[row.name] in ((1, *shape), (1, shape[-1], *shape[:-1])), (row.name, found[row.name], shape)
    stored = [one for one in graph.input if one.name not in model.inputs]
    trained = sum(prod(_shape(one)) for one in stored if not one.name.rpartition(".")[2].startswith("running_"))
    assert trained == params


def _shape(info):
    return tuple(size.dim_value for size in info.type.tensor_type.shape.dim)


def imported(model, values):
    """Write the model as a spec and read it back: it must have the same layers at the same cost."""
    settled = settle(model, values)
    if any(branch.choice.alone for row in trace(model, settled).rows for branch in row.chance):
        return  # refused: `prob` is not written
    again = read(Source("again.yaml", spec_text(model, settled)))
    assert _costs(again, {}) == _costs(model, values)
    assert lineage(trace(again, settle(again, {}))) == lineage(trace(model, settle(model, values)))


def _costs(model, values):
    found: Counter = Counter()
    for row in trace(model, settle(model, values)).rows:
        params, terms = map(_counts, (row.layer.params, row.layer.terms))
        found[row.type, tuple(row.layer.shape), row.times, params, terms, bool(params) and row.shared is None] += 1
    return found


def _counts(found):
    return tuple(sorted((name, str(value)) for name, value in found.items() if value))
