"""Expressions over large, zero, negative and mixed values, with integers, arrays and symbols.

Each expression is evaluated point by point with Python numbers, for all points at once with arrays, and with symbols.
Arrays must give the same number of the same type, or refuse at the same points. Symbols are exact where floats round,
so they are compared for integers only, where their assumptions hold.
"""

import random
import time
from collections import Counter

import numpy as np
import sympy

from costcalc import num
from costcalc.analysis.formula.formula import Formula
from costcalc.errors import Refused
from costcalc.model.expr import FUNCTIONS, Function, parse
from costcalc.model.network import evaluate
from costcalc.num.points import Points, Pool, leaf
from costcalc.num.symbols import assuming

REFUSED = "refused"
FAILURES = (ArithmeticError, ValueError, TypeError, Refused)
WHOLE = (0, 1, 2, 3, 7, 8, -1, -3, 1009, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**62, -(2**53) - 1, 10**18 - 1)
REAL = (0.0, 0.5, 1.0, 1.5, -2.5, 0.1, 0.75, 1e-9, 9007199254740992.0, 1e17, -1e17, 4611686018427387904.0)
TRUTHS = (True, False)
TABLES = {"t": (3, 1, 8, 0, 2**53 + 1), "d": {0: 5, 2: -3, 7: 1, 1009: 2}, "m": (1.5, 2, True, -0.5)}
COUNT = 20  # points of one expression
JOINS = ("+", "-", "*", "/", "//", "%", "**")
TESTS = ("<", "<=", ">", ">=", "==", "!=")
WRAPPED = ("floor", "ceil", "round")
FUNCTION_TEXTS = {"first": (("x", "y"), "x"), "part": (("x", "y"), "x if y > 1 else 3"), "rest": (("x", "y"), "x % y")}


def functions():
    """The functions of the language, and some that a spec could define."""
    known = dict(FUNCTIONS)
    for name, (params, text) in FUNCTION_TEXTS.items():
        body = parse(text, {*params, "a", "b", "n"}, known)
        known[name] = (Function(name, params, body), len(params), len(params))
    return known


def drawn(dice, depth, whole=False):
    """The text of an expression."""
    if depth == 0 or dice.random() < 0.15:
        constants = WHOLE if whole or dice.random() < 0.6 else REAL
        number = dice.choice([one for one in constants if one >= 0 and one < 10**18])
        return dice.choice(("a", "b", "n", str(number)))
    parts = [drawn(dice, depth - 1, whole) for _ in range(3)]
    return dice.choice(_whole_forms(*parts, dice) if whole else _forms(*parts, dice))


def _whole_forms(one, two, three, dice):
    return (
        f"({one} {dice.choice(('+', '-', '*', '//', '%'))} {two})",
        f"(-{one})",
        f"(n ** {dice.choice('0123')})",
        f"{dice.choice(('min', 'max'))}({one}, {two})",
        f"({one} if {two} {dice.choice(TESTS)} {three} else {two})",
        f"{dice.choice('td')}[{dice.choice((one, 'n'))}]",
    )


def _forms(one, two, three, dice):
    return (
        *(f"({one} {sign} {two})" for sign in JOINS),
        *(f"{dice.choice(('min', 'max'))}({one}, {two})" for _ in range(3)),
        f"({one} if {two} {dice.choice(TESTS)} {three} else {two})",
        f"({one} if {two} else {three})",
        f"({one} if ({two} {dice.choice(('and', 'or'))} {three}) else {three})",
        f"({one} {dice.choice(('and', 'or'))} {two})",
        f"(not {one})",
        f"({one} {dice.choice(TESTS)} {two})",
        f"({one} {dice.choice(TESTS)} {two} {dice.choice(TESTS)} {three})",
        f"{dice.choice(WRAPPED)}({one})",
        f"divisible({one}, {two})",
        f"divisible({one}, 8, {two})",
        f"{dice.choice(tuple(FUNCTION_TEXTS))}({one}, {two})",
        f"(-{one})",
        f"({one} ** {dice.choice((two, 'n', '2'))})",
        f"{dice.choice(tuple(TABLES))}[{dice.choice((one, 'n'))}]",
    )


def points(dice, whole=False):
    """Columns of values for the names."""
    kinds = {name: WHOLE if whole else dice.choice((WHOLE, REAL, WHOLE, WHOLE + REAL)) for name in ("a", "b")}
    columns = {name: [dice.choice(kind) for _ in range(COUNT)] for name, kind in kinds.items()}
    small = dice.choice(((1, 2, 3, 4), (0, 1, 2), (5,)) if whole else ((1, 2, 3, 4), (0, 1, 2), TRUTHS, (5,)))
    return {**columns, "n": [dice.choice(small) for _ in range(COUNT)]}


def number_at(compute, values):
    """The value of an expression at one point."""
    try:
        return compute(values)
    except FAILURES:
        return REFUSED


def by_arrays(compute, columns):
    """The values at all points with arrays. Refused points are removed, and the rest is tried again."""
    found = [REFUSED] * COUNT
    left = np.arange(COUNT)
    while len(left):
        try:
            result = _computed(compute, columns, left)
        except Refused as refusal:
            left = left[~np.broadcast_to(True if refusal.failing is None else refusal.failing, len(left))]
            continue
        except FAILURES:
            break
        for at, value in zip(left, result, strict=True):
            found[at] = value
        break
    return found


def _computed(compute, columns, left):
    table = Pool()
    env = {name: leaf(table, column_of([values[at] for at in left])) for name, values in columns.items()}
    value = compute(env)
    raw = value.raw if type(value) is Points else np.array(value, dtype=object)
    return np.broadcast_to(raw.astype(object), len(left)).tolist()


def column_of(values):
    """An array of numbers that keeps their types."""
    return np.array(values, dtype=object if len({*map(type, values)}) > 1 else None)


def compared(dice, known):
    """Compare one expression in both domains."""
    text, columns = drawn(dice, dice.randrange(1, 5)), points(dice)
    wholes = dice.random() < 0.3
    expression = parse(text, {"a", "b", "n", *TABLES}, known)

    def compute(env):
        value = evaluate(expression, {**env, **TABLES})
        return num.whole(value) if wholes else value

    rows = [{name: values[at] for name, values in columns.items()} for at in range(COUNT)]
    due = [number_at(compute, row) for row in rows]
    found = by_arrays(compute, columns)
    for row, one, other in zip(rows, due, found, strict=True):
        assert same(one, other), (text, row, one, other)
    return {"points": COUNT, "refused points": due.count(REFUSED)}


def same(one, other):
    """Whether two results are the same number of the same type, or the same refusal."""
    return type(one) is type(other) and one == other


def symbolic(dice, known):
    """Compare one integer expression with its symbolic value."""
    text, columns = drawn(dice, dice.randrange(1, 4), whole=True), points(dice, whole=True)
    expression = parse(text, {"a", "b", "n", *TABLES}, known)
    symbols = {name: sympy.Symbol(name, integer=True, real=True) for name in columns}
    held = 0
    try:
        with assuming({symbol: columns[name][0] for name, symbol in symbols.items()}) as assumed:
            form, truth = sympy.sympify(evaluate(expression, {**symbols, **TABLES})), sympy.And(*assumed)
    except FAILURES:
        return {"expressions that symbols refuse": 1}
    made = Formula("", None, "", form, tuple(symbols.values()), (), {}, truth)
    for at in range(COUNT):
        row = {name: values[at] for name, values in columns.items()}
        if made.holds(**row):
            due = number_at(lambda env: evaluate(expression, {**env, **TABLES}), row)
            assert number_at(lambda env: made(**env), row) == due, (text, row, due, form)
            held += 1
    return {"values of symbols": held}


def numbers(count, number=0):
    """Compare at `count` points; return a text with the number of comparisons."""
    dice, known, seen, start = random.Random(number), functions(), Counter(), time.monotonic()
    while seen["points"] < count:
        seen.update({"expressions": 1, **compared(dice, known)})
        if seen["expressions"] % 10 == 0:
            seen.update(symbolic(dice, known))
    listed = "".join(f"{value:>10,} {name}\n" for name, value in seen.items())
    return f"{listed}all equal, {time.monotonic() - start:.0f} s"
