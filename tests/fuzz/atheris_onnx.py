"""Coverage-guided fuzzing of the reader of ONNX files.

    python -m tests.fuzz.atheris_onnx -max_total_time=600 -max_len=4000 a-directory-of-onnx-files/

The bytes are a file, or they choose among the graphs of the hypothesis strategies: exported specs with accidents, and
random ones. Whatever they are, the reader gives a result or a CostcalcError, and what it gives can be walked, and
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

CHOOSES = 128  # of the first byte: less of it, and the others are a file


def read_and_walk(data):
    """Read a file; walk what it is, and write it, every open axis 8."""
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
    """Read a graph of the strategies."""
    read_and_walk(data)


@atheris.instrument_func
def one(data):
    """Read some bytes, or the graph that they choose."""
    if data[:1] >= bytes([CHOOSES]):
        chosen.hypothesis.fuzz_one_input(data[1:])
    else:
        read_and_walk(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
