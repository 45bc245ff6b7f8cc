"""Convert the YAML parser's errors to messages with help."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from yaml.reader import Reader, ReaderError

from .. import limits
from ..errors import LONGEST_NAME, Place, Problem, Source, SpecError, brief

if TYPE_CHECKING:
    from .nodes import Node
    from .problems import Problems


_PARSED = 1_000  # nesting limit of libyaml since 0.2.6; older versions have none
_COLUMN = "this line is not aligned with those it belongs to"
_SAYS = (  # text in the parser's error, whether to point to the start of the construct, message, help
    ("expected ',' or '}'", True, "a `,` or `}` is missing", "write options as {conv: 3x3, out: 32}"),
    ("expected ',' or ']'", True, "a `,` or `]` is missing", "write values as [224, 224, 3]"),
    ("unexpected end of stream", True, "a quote is not closed", "end it with the same quote"),
    (
        "find expected ':'",
        True,
        "this is not `key: value`",
        "a layer starts with `- `, an option with its name and `: `",
    ),
    ("expected node content", True, "a value is missing, or a bracket is not closed", "write a value, `]` or `}`"),
    ("block sequence entries", False, "a list cannot start here", "start it on the next line, or write [..]"),
    ("expected <block end>", False, _COLUMN, "use the same column"),
    ("expected key", False, _COLUMN, "use the same column"),
    (
        "expected '-' indicator",
        False,
        "an entry of this list has no `- `",
        "start each layer with `- `, in the same column",
    ),
    ("cannot start any token", False, "this character cannot start a value", "put the value in quotes"),
    ("Unicode character escape", False, "this is not a valid escape", "write the character itself"),
)


def text_error(source: Source, error: Any) -> SpecError:
    """Convert an error of the YAML parser to a SpecError."""
    return _character_error(source) if isinstance(error, ReaderError) else _syntax_error(source, error)


def _syntax_error(source: Source, error: Any) -> SpecError:
    mark = error.problem_mark or error.context_mark
    place = Place(source, mark.line + 1, mark.column + 1)
    line = place.excerpt()
    before, char = line[: mark.column], line[mark.column : mark.column + 1]
    if "\t" in before + char:
        at = place._replace(column=line.index("\t") + 1)
        return _error(at, "a tab cannot indent YAML", "indent with spaces", "tab")
    if (before + char).endswith("${"):
        return _error(place, "`${ }` is not part of the spec language", "write the name alone, as in `out: alpha * 32`")
    if char and char in "]}":
        return _error(place, f"no open bracket matches this `{char}`", "delete it, or open one before it")
    if "mapping values are not allowed" in (error.problem or ""):
        return _second_colon(place, before)
    if "nesting depth" in (error.problem or ""):
        return _too_deep(place)
    return _said(place, error, before)


def _error(place: Place, message: str, help: str | None = None, code: str = "bad-yaml") -> SpecError:
    return SpecError(Problem(code, message, place, help))


def _second_colon(place: Place, before: str) -> SpecError:
    if ":" in before:
        return _error(place, "a second `:` in one line", "put { } around options, or each on its own line")
    message = "this line continues the one before it, so it cannot have a `:`"
    return _error(place, message, "give the line before its `:`, or start this one in the same column")


def _too_deep(place: Place) -> SpecError:
    """Error for nesting that the parser itself refuses. It reads ahead and may fail before our own check."""
    message, help = f"lists and maps nest at most {min(limits.NESTING, _PARSED):,} deep", limits.hint("nesting")
    return _error(place, message, help if limits.NESTING < _PARSED else "write the inner ones as a block", "limit")


def _said(place: Place, error: Any, before: str) -> SpecError:
    """Error for a message of the YAML parser."""
    begun = error.context_mark
    for part, about_begin, message, help in _SAYS:
        if part in (error.problem or ""):
            if about_begin and begun and begun.line + 1 != place.line:
                place = place._replace(line=begun.line + 1, column=begun.column + 1)
            return _error(place, message, _written(place) or help)
    return _error(place, f"not YAML: {error.problem}")


def _written(place: Place) -> str | None:
    """Correct form of an expression that YAML parses as something else, or None."""
    if " ?" in place.excerpt():
        return "write `a if condition else b`"
    start = max(place.column - LONGEST_NAME, 0)
    for found in re.finditer(r"\w+(\[[^][{},]*\])+", place.excerpt()[start : place.column + LONGEST_NAME]):
        if found.start() < place.column - start <= found.end():
            return f'put an expression with brackets in quotes: "{found[0]}"'
    return None


def _character_error(source: Source) -> SpecError:
    """Error for the first character that YAML does not allow."""
    found = Reader.NON_PRINTABLE.search(source.text)
    before = source.text[: found.start()] if found else ""
    *lines, line = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    code = ord(found.group()) if found else 0
    message = f"a spec cannot contain the control character U+{code:04X}"
    return SpecError(Problem("not-text", message, Place(source, len(lines) + 1, len(line) + 1), "delete it"))


def note_key(problems: Problems, key: Node, seen: Mapping[str, Node]) -> None:
    """Record a key that is not a scalar, or a duplicate key. `seen` has the first occurrence of each key."""
    if key.kind != "scalar":
        help = "write `key: value`, and put a text with brackets in quotes"
        problems.add("bad-key", f"a key must be a word, not {key.what}", key, help)
        return
    help = f"keep one; the first is on line {seen[key.value].line}"
    problems.add("duplicate-key", f"the key `{brief(key.value)}` appears twice", key, help)


def note_cut(problems: Problems, node: Node) -> bool:
    """Record an expression that a comma cut in two. Returns False if there is no comma."""
    line = Place(problems.source, *node.at).excerpt()[node.column - 1 :]
    if not line[node.width :].lstrip().startswith(","):
        return False
    depth, end = 0, 0
    for at, char in enumerate(line[:60]):
        depth += (char == "(") - (char == ")")
        if char == ")" and not depth:
            end = at + 1
            break
    message = "a comma inside { } or [ ] ends the value, so this expression is cut in two"
    help = tuple_hint(line[:end]) or f'quote the expression: "{line[:end] or "max(a, b)"}"'
    problems.add("comma-in-braces", message, node, help)
    return True


def tuple_hint(text: str) -> str | None:
    """Advice for numbers written as a tuple, such as `(3, 3)`, or None."""
    found = re.fullmatch(r"\s*[(\[]?\s*\d+(\s*,\s*\d+)+\s*,?\s*[)\]]?\s*", text)
    digits = re.findall(r"\d+", text) if found else ()
    return f"write {'x'.join(digits)}, or [{', '.join(digits)}]" if digits and len(text) <= LONGEST_NAME else None
