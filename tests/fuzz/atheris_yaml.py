"""Coverage-guided fuzzing of the YAML readers: specs, price lists and checks.

    python -m tests.fuzz.atheris_yaml -max_total_time=600 -max_len=4000 a-copy-of-configs/

For any bytes, a reader returns a result or raises a CostcalcError.
"""

import sys

import atheris

with atheris.instrument_imports(include=["costcalc", "yaml"]):
    from costcalc.budget import config
    from costcalc.errors import CostcalcError, Source
    from costcalc.files import decoded
    from costcalc.metrics import price_lists
    from costcalc.model.trace import trace
    from costcalc.model.variables import settle
    from costcalc.read.spec import reader as spec


@atheris.instrument_func
def one(data):
    """Read bytes as the kind of file that their keys indicate; trace networks."""
    try:
        source = Source("net.yaml", decoded(data, "net.yaml"))
        reader = price_lists.read if b"prices:" in data else checks if b"checks:" in data else read_and_walk
        reader(source)
    except CostcalcError as refused:
        if not all(problem.message for problem in refused.problems):
            raise AssertionError("an error without a word") from refused


def checks(source):
    """The checks of a costcalc.yaml."""
    config._Reader(source).checks()


def read_and_walk(source):
    """Read a spec, and trace it if it has at most a few thousand layers."""
    model = spec.read(source)
    trace(model, settle(model, {}), most_layers=2_000)
    list(model.published)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
