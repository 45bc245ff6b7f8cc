"""Mutants of a source file: each changes one operator or constant.

Docstrings and messages are not mutated; names of options and quantities are constants like all others.
"""

import ast
import re
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
SWAPS = {  # operator -> replacement
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


_CHANGES = (ast.BinOp, ast.AugAssign, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.IfExp, ast.If, ast.While, ast.Constant)


class Mutant(NamedTuple):
    """A mutated file: the place, the text before and after. `node` and `change` identify it; None means unchanged."""

    path: str
    line: int
    end: int  # the last line of the statement, which starts at or before `line`
    function: str
    before: str
    after: str
    inside: bool  # whether it runs when a function is called instead of at import
    bound: tuple[str, ...]  # names bound by a module statement
    node: int | None = None
    change: int = 0
    begin: int = 0
    text: str = ""  # the file

    @property
    def key(self):
        """A key that does not depend on line numbers."""
        return f"{self.path} {self.function}: {self.before} => {self.after}"

    @property
    def tree(self):
        """The changed code of the file."""
        tree = ast.parse(self.text)
        if self.node is not None:
            twin = next(each for at, each in enumerate(ast.walk(tree)) if at == self.node)
            next(made for at, made in enumerate(changed(twin)) if at == self.change)
            ast.fix_missing_locations(tree)
        return tree


def unchanged(path):
    """An unchanged file, as a mutant that nothing may catch."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return Mutant(path, 0, 0, "module", "", "", False, (), text=text)


def mutants(path, text):
    """Every mutant of a file."""
    tree = ast.parse(text)
    skipped = {id(node) for node in docstrings(tree)}
    parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in skipped or not isinstance(node, _CHANGES):
            continue
        above = list(_above(node, parents))
        holder = next(one for one in above if isinstance(one, ast.stmt))
        at = next(place for place, each in enumerate(ast.walk(holder)) if each is node)
        name = next((one.name for one in above if isinstance(one, ast.FunctionDef)), "module")
        span, inside = (holder.lineno, holder.end_lineno), _is_inside(above)
        before, bound = ast.unparse(_bare(deepcopy(holder))), () if inside else tuple(_bound(above))
        for change in range(len(list(changed(deepcopy(node))))):
            copy = deepcopy(holder)
            twin = next(each for place, each in enumerate(ast.walk(copy)) if place == at)
            next(made for place, made in enumerate(changed(twin)) if place == change)
            texts = shortened(before, ast.unparse(_bare(copy)))
            yield Mutant(path, node.lineno, span[1], name, *texts, inside, bound, number, change, span[0], text)


def _above(node, parents):
    while node is not None:
        yield node
        node = parents.get(id(node))


def _is_inside(above):
    """Whether a node is in the body of a function, as opposed to its defaults and decorators."""
    for below, one in pairwise(above):
        if isinstance(one, ast.FunctionDef) and any(below is each for each in one.body):
            return True
        if isinstance(one, ast.Lambda) and below is one.body:
            return True
    return False


def _bound(above):
    """The names bound by the module statement that contains a node."""
    top = above[-2]
    if isinstance(top, (ast.FunctionDef, ast.ClassDef)):
        yield top.name
    else:
        yield from stored(top)


def stored(statement):
    """The names bound by a statement."""
    for one in ast.walk(statement):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id


def changed(node):
    """Change a node in place in every possible way, and yield after each change."""
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
        if isinstance(node.op, ast.Not):
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        else:
            node.op = ast.USub() if isinstance(node.op, ast.UAdd) else ast.UAdd()
        yield
    if isinstance(node, (ast.IfExp, ast.If, ast.While)) and ast.unparse(node.test) != "TYPE_CHECKING":
        node.test = ast.UnaryOp(ast.Not(), node.test)
        yield
    if isinstance(node, ast.Constant) and mutable(node.value):
        node.value = other(node.value)
        yield


def mutable(value):
    """Whether a constant is a number, a bool, or a text that is a name."""
    return type(value) in (int, float, bool) or (type(value) is str and bool(_NAME.match(value)))


def other(value):
    """A different value."""
    if type(value) is bool:
        return not value
    return value + ("_x" if type(value) is str else 1)


def docstrings(tree):
    """The constants in documentation, in code for type checkers, and in `zip(strict=True)`."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            yield body[0].value
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__slots__", "__all__"):
            yield from ast.walk(node)
        if isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation:
            yield from ast.walk(node.annotation)
        if isinstance(node, ast.FunctionDef) and node.returns:
            yield from ast.walk(node.returns)
        if isinstance(node, ast.keyword) and node.arg == "strict":  # an assertion of equal lengths
            yield node.value


def _bare(found):
    """A statement without its nested statements."""
    for part in ("body", "orelse"):
        if isinstance(getattr(found, part, None), list):
            setattr(found, part, [ast.Pass()] if part == "body" else [])
    return found


def shortened(before, after):
    """Two texts without most of their common parts."""
    start = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    first = max(start - 30, 0)
    return (" ".join(text[first : start + 50].split()) for text in (before, after))
