"""Find vacuous tests: all their assertions are in a loop over search results, which may be empty."""

import ast
import re

SEARCHES = ("glob", "rglob", "iterdir", "findall", "finditer")
_NAMED = re.compile(rf"\b({'|'.join(SEARCHES)})\(")
_CHECKS = ("raises", "fail", "skip")


def vacuous(text):
    """The names of the tests of a file that pass if their search finds nothing."""
    if not _NAMED.search(text):
        return []
    tests = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    return [test.name for test in tests if test.name.startswith("test") and _can_hold_of_nothing(test)]


def _can_hold_of_nothing(test):
    values = {}
    for node in ast.walk(test):
        if isinstance(node, ast.Assign):
            values |= {one.id: node.value for one in node.targets if isinstance(one, ast.Name)}
    found = {name for name, value in values.items() if _searches(value, ())}
    loops = [node for node in ast.walk(test) if isinstance(node, ast.For) and _searches(node.iter, found)]
    inside = {id(node) for loop in loops for node in ast.walk(loop)}
    checks = [node for node in ast.walk(test) if _checks(node)]
    return bool(checks) and all(id(node) in inside or _is_of_all(node, found) for node in checks)


def _searches(value, found):
    """Whether a value is a search result or derived from one."""
    nodes = [*ast.walk(value)]
    called = {getattr(node.func, "attr", None) for node in nodes if isinstance(node, ast.Call)}
    return bool(called & {*SEARCHES}) or any(isinstance(node, ast.Name) and node.id in found for node in nodes)


def _checks(node):
    """Whether a node can fail the test."""
    name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
    return isinstance(node, ast.Assert) or name in _CHECKS or name.startswith("assert_")


def _is_of_all(node, found):
    """Whether a node asserts `all(..)` over search results."""
    test = getattr(node, "test", None)
    return isinstance(test, ast.Call) and getattr(test.func, "id", "") == "all" and _searches(test, found)
