"""Write formulas as text, LaTeX, Python and JavaScript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import sympy
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.pycode import PythonCodePrinter
from sympy.printing.str import StrPrinter

from ...metrics.gaps import kinds
from ...render.sheet import Column, Page, Sheet
from ...render.text import printable
from ..report.notes import unpriced

if TYPE_CHECKING:
    from ...num.values import Number
    from .formula import Formula


BOUNDS = "lower bounds (>=): the cost of a layer is unknown"
ASSUMED = 3  # number of assumptions shown


class FormulasPage(Page):
    """Page of formulas: one row per formula."""

    title = "formulas"

    def __init__(self, found: Mapping[str, Formula], note: str) -> None:
        self.found, self.note = found, said(found, note)

    def sheets(self) -> list[Sheet]:
        """One sheet."""
        columns = Column("metric"), Column("formula", folds=True), Column("exact for", folds=True)
        rows = [
            (printable(title), f"{_sign(one)} {_text(one.form)}", one.condition) for title, one in self.found.items()
        ]
        return [Sheet(columns, rows)]

    def notes(self) -> list[str]:
        """Meaning of the forms."""
        return [self.note]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per formula: the form that is shown, its condition, and the form with roundings."""
        names = ["metric", "formula", "exact_for", "general", "complete"]
        rows = [
            (title, _text(one.form), one.condition, _text(one.general), one.complete)
            for title, one in self.found.items()
        ]
        return names, [dict(zip(names, row, strict=True)) for row in rows]

    def document(self) -> dict[str, Any]:
        """One entry per formula."""
        uncounted = left_out(self.found)
        return {"note": self.note, **({"uncounted": uncounted} if uncounted else {}), "formulas": self.records()[1]}


def said(found: Mapping[str, Formula], note: str) -> str:
    """The note, preceded by a warning if forms are lower bounds."""
    bounds = [] if all(one.complete for one in found.values()) else [BOUNDS]
    return "; ".join([*bounds, *unpriced(left_out(found)), note])


def left_out(found: Mapping[str, Formula]) -> list[Mapping[str, Any]]:
    """The work that forms count 0 for."""
    return kinds(entry for one in found.values() for entry in one.uncounted)


def _sign(one: Formula) -> str:
    return "=" if one.complete else ">="


def in_latex(title: str, one: Formula) -> str:
    """`name = form` in LaTeX, for the form that is shown."""
    sign = "=" if one.complete else r"\geq"
    return f"{_name(printable(title), 'latex')} {sign} {_latex(one.form)}"


def lines(title: str, one: Formula) -> list[str]:
    """Lines of one formula as text: the form and its condition."""
    return _lines(printable(title), one, "text", False, False)


def written(found: Mapping[str, Formula], format: str, general: bool, sensitivity: bool, note: str) -> str:
    """Text of formulas, which are given by title."""
    note = said(found, note)
    if format in ("python", "javascript"):
        return _code(found, format, general, note)
    rows: list[str] = []
    for title, one in found.items():
        rows += _lines(printable(title), one, format, general, sensitivity)
    comment = "% " if format == "latex" else ""
    return "\n".join([*rows, f"{comment}{note}"]) + "\n"


def _form(one: Formula, general: bool) -> Any:
    return one.general if general else one.form


def _lines(title: str, one: Formula, format: str, general: bool, sensitivity: bool) -> list[str]:
    show = _latex if format == "latex" else _text
    form = _form(one, general)
    comment = "% " if format == "latex" else "  "
    sign = _sign(one) if one.complete or format != "latex" else r"\geq"
    texts = [f"{_name(title, format)} {sign} {show(form)}"]
    if form.free_symbols and form is one.closed and form != one.general:
        texts.append(f"{comment}exact for {one.condition}")
    elif form.free_symbols and one.closed is None:
        texts.append(f"{comment}with its roundings: no grid of values was found on which all of them vanish")
    texts += [f"{comment}assumed: {_text(truth)}" for truth in one.assumed[:ASSUMED]]
    if len(one.assumed) > ASSUMED:
        texts.append(f"{comment}and {len(one.assumed) - ASSUMED} more of this kind")
    if sensitivity and form.free_symbols:
        texts += _sensitivity(one, show, comment)
    return [*texts, ""]


def _name(title: str, format: str) -> str:
    return f"\\text{{{title}}}".replace("_", r"\_") if format == "latex" else title


def _sensitivity(one: Formula, show: Any, comment: Any) -> Iterator[Any]:
    for symbol, slope, elasticity in one.sensitivities():
        if slope.has(sympy.Derivative, sympy.Subs):
            yield f"{comment}no derivative by {symbol}: the form has roundings"
            continue
        yield f"{comment}d/d {symbol} = {show(slope)}"
        here = float(elasticity.subs(one.sample))
        yield f"{comment}1 % more {symbol} costs {show(elasticity)} % ({here:.2f} % at the defaults)"


class _Text(StrPrinter):
    """Print powers as ^, integers without commas, and functions by their names in the spec language."""

    def _print_Pow(self, expr: Number, rational: bool = False) -> str:
        return super()._print_Pow(expr, rational).replace("**", "^")

    def _print_ceiling(self, expr: Number) -> str:
        return f"ceil({self._print(expr.args[0])})"

    def _print_Max(self, expr: Number) -> str:
        return f"max({self.stringify(expr.args, ', ')})"

    def _print_Min(self, expr: Number) -> str:
        return f"min({self.stringify(expr.args, ', ')})"

    def _print_divisible_to(self, expr: Number) -> str:
        value, divisor, least = expr.args
        args = (value, divisor) if least == divisor else expr.args
        return f"divisible({self.stringify(args, ', ')})"

    def _print_nearest(self, expr: Number) -> str:
        return f"round({self._print(expr.args[0])})"

    def _print_Mod(self, expr: Number) -> Any:
        return " % ".join(self.parenthesize(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_Relational(self, expr: Number) -> str:
        sign = {"Equality": "==", "Unequality": "!="}.get(type(expr).__name__, expr.rel_op)
        return f"{self._print(expr.lhs)} {sign} {self._print(expr.rhs)}"

    def _print_Piecewise(self, expr: Number) -> str:
        *parts, (last, _) = expr.args
        chain = "".join(f"{self._print(value)} if {self._print(truth)} else " for value, truth in parts)
        return f"({chain}{self._print(last)})"

    def _print_Mul(self, expr: Number) -> str:
        coefficient, rest = expr.as_coeff_Mul()
        if coefficient.is_Rational and coefficient.q > 1 < abs(coefficient) and "/" not in _decimal(coefficient):
            return f"{_decimal(coefficient)}*{self.parenthesize(rest, PRECEDENCE['Mul'], strict=True)}"
        return super()._print_Mul(expr)


def _decimal(number: Any) -> Any:
    """A fraction as a decimal number if that is exact and short: 1125/2 is 562.5."""
    rest = number.q
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    text = str(sympy.Float(number, 30).num).rstrip("0").rstrip(".") if rest == 1 else ""
    return text if text and len(text) <= 16 else f"{number.p}/{number.q}"


def _text(form: Number) -> str:
    return _Text({"order": "lex"}).doprint(form)


def _latex(form: Number) -> str:
    named = {
        symbol: sympy.Symbol(rf"\{symbol.name}" if symbol.name in ("alpha", "rho") else rf"\mathit{{{symbol.name}}}")
        for symbol in form.free_symbols
    }
    from ...num.symbols import divisible_to

    form = form.replace(divisible_to, lambda *args: sympy.Function(r"\operatorname{divisible}")(*args))
    return sympy.latex(form.xreplace(named), order="lex")


_PYTHON_DIVISIBLE = '''def divisible(value, divisor, least):
    """The published rounding of channels (_make_divisible)."""
    rounded = max(least, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


'''
_JAVASCRIPT_DIVISIBLE = """// The published rounding of channels (_make_divisible).
function divisible(value, divisor, least) {
  const rounded = Math.max(least, Math.floor(Math.trunc(value + divisor / 2) / divisor) * divisor);
  return rounded < 0.9 * value ? rounded + divisor : rounded;
}

"""


_JAVASCRIPT_NEAREST = """// Nearest whole number, halves to even.
function nearest(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

"""


class _Python(PythonCodePrinter):
    def _print_Max(self, expr: Number) -> str:
        return f"max({', '.join(map(self._print, expr.args))})"

    def _print_Min(self, expr: Number) -> str:
        return f"min({', '.join(map(self._print, expr.args))})"

    def _print_divisible_to(self, expr: Number) -> str:
        return f"divisible({', '.join(map(self._print, expr.args))})"

    def _print_nearest(self, expr: Number) -> str:
        return f"round({self._print(expr.args[0])})"


class _Javascript(JavascriptCodePrinter):
    def _print_divisible_to(self, expr: Number) -> str:
        return f"divisible({', '.join(map(self._print, expr.args))})"

    def _print_nearest(self, expr: Number) -> str:
        return f"nearest({self._print(expr.args[0])})"


def _code(found: Mapping[str, Formula], format: str, general: bool, note: str) -> str:
    python = format == "python"
    printer = _Python({"fully_qualified_modules": True}) if python else _Javascript()
    bodies = [_function(title, one, general, printer, python) for title, one in found.items()]
    text = "\n".join(bodies)
    comment = "#" if python else "//"
    head = f"{comment} {note}\n"
    if python:
        head += "import math\n\n\n" if "math." in text else "\n\n"
    if "divisible(" in text:
        head += _PYTHON_DIVISIBLE if python else _JAVASCRIPT_DIVISIBLE
    if "nearest(" in text and not python:
        head += _JAVASCRIPT_NEAREST
    return head + text


def _function(title: str, one: Formula, general: bool, printer: _Python, python: bool) -> str:
    name = "".join(char if char.isalnum() and char.isascii() else "_" for char in title)
    args = ", ".join(symbol.name for symbol in one.symbols)
    form = _form(one, general)
    condition = f"Exact for {one.condition}." if form is one.closed and one.condition else "For all values."
    body = printer.doprint(form)
    if python:
        return f'def {name}({args}):\n    """{condition}"""\n    return {body}\n\n'
    return f"// {condition}\nfunction {name}({args}) {{\n  return {body};\n}}\n"
