"""Coverage-guided fuzzing of the expression parser and of accepted expressions.

    python -m tests.fuzz.atheris_expression -max_total_time=600

A text is either an expression with a value or refused; no other error occurs, and no code is executed.
"""

import sys

import atheris

with atheris.instrument_imports(include=["costcalc"]):
    from costcalc.errors import BadExpression, Refused
    from costcalc.model.expr import FUNCTIONS, Function, parse

NAMES = {"a": 3, "alpha": 0.75, "wide": True, "act": "relu", "k": (3, 1)}
KNOWN = {**FUNCTIONS, "f": (Function("f", ("x",), parse("x * 2 + a", {"x", "a"}, FUNCTIONS)), 1, 1)}


@atheris.instrument_func
def one(data):
    """Parse a text and evaluate it."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        value = parse(text, NAMES, KNOWN).value(NAMES)
    except (BadExpression, Refused, ArithmeticError, ValueError, TypeError):  # like costcalc.read.spec.args
        return
    assert isinstance(value, (int, float, str, tuple)), value


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
