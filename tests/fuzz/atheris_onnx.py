"""Coverage-guided fuzzing of the reader of ONNX files.

    python -m tests.fuzz.atheris_onnx -max_total_time=600 -max_len=4000 a-directory-of-onnx-files/

The bytes are a file, or they select a graph of the hypothesis strategies: exported specs with faults, or random
graphs. For any bytes, the reader returns a result or raises a CostcalcError, and its result can be traced and
written as a spec.
"""

import sys

import atheris

with atheris.instrument_imports(include=["costcalc"]):
    from costcalc.analysis.report.analyze import analyze
    from costcalc.errors import CostcalcError
    from costcalc.model.variables import settle
    from costcalc.read.onnx import file, model
    from costcalc.write.spec import spec_text

from hypothesis import HealthCheck, given, settings

from .onnx_graphs import graphs

CHOOSES = 128  # a first byte below this means a file


def read_and_walk(data):
    """Read a file, trace it with 8 for every open axis, and write it."""
    try:
        found = model.read(file.bounded(data, "m.onnx"))
        values = settle(found, {name: 8 for name, one in found.variables.items() if one.default is None})
        analyze(found, settings=values)
        spec_text(found, values)
    except CostcalcError as refused:
        if not all(problem.message for problem in refused.problems):
            raise AssertionError("an error without a word") from refused


@settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(graphs())
def chosen(data):
    """Read a graph drawn from the strategies."""
    read_and_walk(data)


@atheris.instrument_func
def one(data):
    """Read bytes, or the graph that they select."""
    if data[:1] >= bytes([CHOOSES]):
        chosen.hypothesis.fuzz_one_input(data[1:])
    else:
        read_and_walk(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
