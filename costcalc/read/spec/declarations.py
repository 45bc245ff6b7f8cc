"""`vars:` : the variables that a spec declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import OptionError, Place, brief
from ...model.expr import FUNCTIONS, Expr
from ...model.network import Variable
from ...model.scope import SHAPE_NAMES
from ...model.variables import checked
from . import args
from .args import BAD, Scope
from .blocks import RESERVED

if TYPE_CHECKING:
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems


_PARTS = ("default", "choices", "help", "min", "max")


def variables(node: Node, problems: Problems) -> dict[str, Variable]:
    """The variables of a map, in order; a default may use those before it."""
    found: dict[Any, Any] = {}
    for key, value in node.value if node else ():
        name = key.value
        if not args.is_name(name) or name in RESERVED or name in SHAPE_NAMES:
            bad_name(key, "a variable", problems)
            continue
        known = len(problems.found)
        found[name] = _variable(name, key, value, found, problems)
        problems.explain_order(known, node)
    return found


def bad_name(key: Node, what: str, problems: Problems) -> None:
    """Note a name that cannot be one."""
    name, help = key.value, "a name is made of letters (a to z), digits and `_`, and starts with a letter"
    if name in RESERVED:
        help = "in a spec it means something already" if name != "i" else "`i` counts inside `repeat:`"
    if name in SHAPE_NAMES:
        help = f"in a layer it is that of what flows in; write `{name}_in`, or `{name[0]}`"
    problems.add("bad-name", f"`{brief(name)}` cannot name {what}", key, help)


def _variable(name: Any, key: Any, node: Node, earlier: Mapping[str, Variable], problems: Any) -> Variable:
    scope = Scope(earlier, FUNCTIONS)
    parts = {"default": node}
    if node.kind == "map":
        parts = {}
        for part, value in node.value:
            if part.value not in _PARTS:
                problems.unknown("key", part.value, part, _PARTS)
            parts[part.value] = value
    if "default" not in parts:
        problems.add("missing-option", f"`{name}` needs a `default`", key, "write {default: 1.0}")
        return Variable(name, 1)
    default = args.argument(parts["default"], scope, problems)
    choices = ()
    if "choices" in parts:
        listed = parts["choices"].value if parts["choices"].kind == "list" else [parts["choices"]]
        choices = tuple(args.argument(item, scope, problems) for item in listed)
        _check_choices(default, zip(choices, listed, strict=True), problems)
    bounds: list[Any] = [
        args.number(parts[part], Scope((), FUNCTIONS), problems) if part in parts else None for part in ("min", "max")
    ]
    text: Any = args.text(parts["help"], scope, problems) if "help" in parts else ""
    choices = () if BAD in choices else choices  # noted; what the file sets later is held against the rest
    least, most = (None if bound is BAD else bound for bound in bounds)
    variable = Variable(name, default, choices, text, least, most, Place(problems.source, *key.at))
    _check_default(variable, parts["default"], problems)
    return variable


def _check_choices(default: Any, choices: Iterable[Any], problems: Problems) -> None:
    """Note choices that are not of the default's kind: one of several values is set, so they are plain."""
    due = "a number" if type(default) is Expr else _kind(default)
    for choice, node in choices:
        if BAD not in (choice, default) and _kind(choice) != due:
            problems.add("bad-value", f"a choice is {due} here, as the default is, not {_kind(choice)}", node)


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", str: "a word", tuple: "a kernel or a list", Expr: "an expression"}
    return kinds.get(type(value), "a number")


def _check_default(variable: Variable, node: Node, problems: Problems) -> None:
    """Note a default that a person could not set: outside `choices`, `min` or `max`."""
    if variable.default is BAD:
        return
    try:
        checked(variable, variable.default)
    except OptionError as error:
        problems.add("bad-value", f"the default: {error.problems[0].message}", node, error.problems[0].help)
