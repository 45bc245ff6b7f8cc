"""Mutants of a source file: one operator or constant of its code changed at a time.

Sentences (docstrings, messages) are for people and stay; names of options and quantities are constants like any other.
"""

import ast
import re
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
SWAPS = {  # an operator, and the one that takes its place
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_NAME = re.compile(r"[a-z_A-Z0-9]{2,}$")


class Mutant(NamedTuple):
    """A changed file: where, what it was, what it became, and the code."""

    path: str
    line: int
    function: str
    before: str
    after: str
    tree: ast.Module

    @property
    def key(self):
        """What stays the same when lines move."""
        return f"{self.path} {self.function}: {self.before} => {self.after}"


def unchanged(path):
    """A file as it is, as a mutant that nothing may catch."""
    return Mutant(path, 0, "module", "", "", ast.parse((ROOT / path).read_text(encoding="utf-8")))


def mutants(path, text):
    """Every mutant of a file."""
    tree = ast.parse(text)
    skipped = {id(node) for node in docstrings(tree)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in skipped:
            continue
        for change in range(len(list(changed(deepcopy(node))))):
            copy = deepcopy(tree)
            twin = next(each for at, each in enumerate(ast.walk(copy)) if at == number)
            before = ast.unparse(statement(tree, node))
            next(made for at, made in enumerate(changed(twin)) if at == change)
            ast.fix_missing_locations(copy)
            after = ast.unparse(statement(copy, twin))
            yield Mutant(path, node.lineno, function(tree, node), *shortened(before, after), copy)


def changed(node):
    """Change a node in place in each way that there is, and yield after each; only the first is undone by a copy."""
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in SWAPS:
        node.op = SWAPS[type(node.op)]()
        yield
    if isinstance(node, ast.Compare):
        for at in range(len(node.ops)):
            if type(node.ops[at]) in SWAPS:
                original = node.ops[at]
                node.ops[at] = SWAPS[type(original)]()
                yield
                node.ops[at] = original
    if isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd() if isinstance(node.op, (ast.USub, ast.Invert)) else node.op
        if isinstance(node.op, ast.Not):
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        yield
    if isinstance(node, (ast.IfExp, ast.If, ast.While)):
        node.test = ast.UnaryOp(ast.Not(), node.test)
        yield
    if isinstance(node, ast.Constant) and mutable(node.value):
        node.value = other(node.value)
        yield


def mutable(value):
    """Numbers, truths, and texts that are names."""
    return type(value) in (int, float, bool) or (type(value) is str and bool(_NAME.match(value)))


def other(value):
    """A value that is not this one."""
    if type(value) is bool:
        return not value
    return value + ("_x" if type(value) is str else 1)


def docstrings(tree):
    """The constants that are documentation, for a type checker alone, or the assertion that `zip(strict=True)` is."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            yield body[0].value
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__slots__", "__all__"):
            yield from ast.walk(node)
        if isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation:
            yield from ast.walk(node.annotation)
        if isinstance(node, ast.keyword) and node.arg == "strict":  # an assertion about lengths that are equal
            yield node.value


def statement(tree, node):
    """The smallest statement that a node is in, without the statements inside of it."""
    holders = [one for one in ast.walk(tree) if isinstance(one, ast.stmt) and node in ast.walk(one)]
    found = deepcopy(holders[-1] if holders else tree)
    for part in ("body", "orelse"):
        if isinstance(getattr(found, part, None), list):
            setattr(found, part, [ast.Pass()] if part == "body" else [])
    return found


def function(tree, node):
    """The name of the function that a node is in."""
    holders = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and node in ast.walk(one)]
    return holders[-1].name if holders else "module"


def shortened(before, after):
    """Two texts without most of what they share."""
    start = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    first = max(start - 30, 0)
    return (" ".join(text[first : start + 50].split()) for text in (before, after))
