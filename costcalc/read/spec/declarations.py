"""The `vars:` section: variables that a spec declares."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ... import limits
from ...errors import OptionError, Place, brief, nearest
from ...model.expr import FUNCTIONS, Expr
from ...model.network import Variable
from ...model.scope import SHAPE_NAMES
from ...model.variables import checked, position
from . import args
from .args import BAD, Scope
from .blocks import RESERVED

if TYPE_CHECKING:
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems

TAKEN = RESERVED | SHAPE_NAMES | {"phase"}  # names that cannot be variables
_PARTS = ("default", "choices", "help", "min", "max", "each")


def variables(node: Node, problems: Problems) -> dict[str, Variable]:
    """Read the variables of a map, in order. A default may use the variables before it."""
    words = tabled(node)
    found: dict[str, Variable] = {}
    for key, value in node.value if node else ():
        name = key.value
        if not args.is_name(name) or name in TAKEN:
            bad_name(key, "a variable", problems)
            continue
        known = len(problems.found)
        variable = _variable(name, key, value, Scope(found, FUNCTIONS, words=words), problems)
        found |= {one.name: one for one in _positions(variable)}
        problems.explain_order(known, node)
    return found


def tabled(node: Node | None) -> frozenset[str]:
    """Keys of all tables among the variables. A variable can have them as its value."""
    values = [value for _, value in node.value] if node else ()
    tables = [value for value in values if value.kind == "list" or (value.kind == "map" and _is_table(value))]
    given = [part for value in values if value.kind == "map" for key, part in value.value if key.value == "default"]
    return frozenset[str]().union(*map(args.keys, [*tables, *given]))


def bad_name(key: Node, what: str, problems: Problems) -> None:
    """Record an invalid name."""
    name, help = key.value, "a name is made of letters (a to z), digits and `_`, and starts with a letter"
    if name in RESERVED:
        help = "it is reserved" if name != "i" else "`i` counts inside `repeat:`"
    if name == "phase":
        help = "`phase: train` and `phase: deploy` choose the layers that run"
    if name in SHAPE_NAMES:
        help = f"in a layer it is the size of the input; write `{name}_in`, or `{name[0]}`"
    problems.add("bad-name", f"`{brief(name)}` cannot name {what}", key, help)


def _variable(name: str, key: Node, node: Node, scope: Scope, problems: Problems) -> Variable:
    parts = {"default": node}
    if node.kind == "map" and not _is_table(node):
        parts = {}
        for part, value in node.value:
            if part.value not in _PARTS:
                problems.unknown("key", part.value, part, _PARTS)
            parts[part.value] = value
    if "default" not in parts:
        problems.add("missing-option", f"`{name}` needs a `default`", key, "write {default: 1.0}")
        return Variable(name, 1)
    default = args.table(parts["default"], scope, problems)
    choices: tuple[Any, ...] = ()
    if "choices" in parts:
        listed = parts["choices"].value if parts["choices"].kind == "list" else [parts["choices"]]
        choices = tuple(args.argument(item, scope, problems) for item in listed)
        _check_choices(default, zip(choices, listed, strict=True), problems)
    least, most = (
        args.number(parts[part], Scope((), FUNCTIONS), problems) if part in parts else None for part in ("min", "max")
    )
    text: Any = args.text(parts["help"], scope, problems) if "help" in parts else ""
    choices = () if BAD in choices else choices  # recorded; values set later are checked against the rest
    least, most = (None if bound is BAD else bound for bound in (least, most))
    variable = Variable(name, default, choices, text, least, most, Place(problems.source, *key.at))
    if "each" in parts:
        return _each(variable, parts["default"], parts["each"], problems)
    _check_default(variable, parts["default"], problems)
    return variable


def _each(variable: Variable, default: Node, node: Node, problems: Problems) -> Variable:
    """Give the variable one value for each of the positions stated at `node`."""
    count = args.number(node, Scope((), FUNCTIONS), problems)
    if type(count) is not int or not 0 < count <= limits.ENTRIES:
        help = f"it is a number of positions, from 1 to {limits.ENTRIES:,}"
        problems.add("bad-value", f"`each` cannot be {node.what}", node, help)
        return variable
    values = variable.default if type(variable.default) is tuple else (variable.default,) * count
    if len(values) != count:
        help = f"give {count:,} values, or one for all"
        problems.add(
            "bad-value", f"`{variable.name}` has {len(values):,} defaults for {count:,} positions", default, help
        )
        return variable
    for value in dict.fromkeys(values):
        _check_default(variable._replace(default=value), default, problems)
    return variable._replace(default=values, each=count)


def _positions(variable: Variable) -> list[Variable]:
    """One variable per position, and the variable itself, whose default reads them."""
    if not variable.each:
        return [variable]
    found = [
        variable._replace(name=position(variable.name, at), default=value, each=0)
        for at, value in enumerate(variable.default)
    ]
    reading = tuple(Expr(one.name, frozenset([one.name]), itemgetter(one.name)) for one in found)
    return [*found, variable._replace(default=reading)]


def _is_table(node: Node) -> bool:
    """Whether a map is a table, not a declaration: no key is a part of a declaration, or similar to one."""
    keys = [key.value for key, _ in node.value]
    return bool(keys) and not any(key in _PARTS or nearest(key, _PARTS) for key in keys)


def _check_choices(default: Any, choices: Iterable[Any], problems: Problems) -> None:
    """Record choices of another type than the default. Choices are constants, so an expression counts as a number."""
    expected = "a number" if type(default) is Expr else _kind(default)
    for choice, node in choices:
        if BAD not in (choice, default) and _kind(choice) != expected:
            problems.add("bad-value", f"a choice must be {expected}, like the default, not {_kind(choice)}", node)


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", str: "a word", tuple: "a kernel or a list", dict: "a table", Expr: "an expression"}
    return kinds.get(type(value), "a number")


def _check_default(variable: Variable, node: Node, problems: Problems) -> None:
    """Record a default outside of `choices`, `min` or `max`."""
    if variable.default is BAD:
        return
    try:
        checked(variable, variable.default)
    except OptionError as error:
        problems.add("bad-value", f"the default: {error.problems[0].message}", node, error.problems[0].help)
