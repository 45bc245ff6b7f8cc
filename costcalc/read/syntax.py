"""Text that is not YAML: what its parser says becomes what a person can act on."""

from yaml.reader import Reader, ReaderError

from ..errors import Place, Problem, SpecError

_LINED_UP = "entries of one list or map start in the same column"
_SYNTAX = {  # what the parser says -> what it means for a person, and the way out
    "mapping values are not allowed": ("a second `:` in one line", "put { } around options, or each on its own line"),
    "expected ',' or '}'": ("a `,` or `}` is missing", "options stand as {conv: 3x3, out: 32}"),
    "expected ',' or ']'": ("a `,` or `]` is missing", "values stand as [224, 224, 3]"),
    "expected key": ("this line starts in another column than those before it", _LINED_UP),
    "expected '-' indicator": ("a list goes on here without `- `", _LINED_UP),
    "find expected ':'": ("this is not `key: value`", "write a colon and a space after the key"),
    "cannot start any token": ("this character cannot start a value", "put the value in quotes"),
    "unexpected end of stream": ("a quote is not closed", None),
}


def text_error(source, error):
    """The SpecError for what YAML's parser could not read."""
    return _character_error(source) if isinstance(error, ReaderError) else _syntax_error(source, error)


def _syntax_error(source, error):
    mark = error.problem_mark or error.context_mark
    place = Place(source, mark.line + 1, mark.column + 1)
    line = place.excerpt()
    if "\t" in line[: mark.column + 1]:
        at = place._replace(column=line.index("\t") + 1)
        return SpecError(Problem("tab", "a tab cannot indent YAML", at, "indent with spaces"))
    if line[: mark.column + 1].endswith("${"):
        help = "write the name alone, as in `out: alpha * 32`"
        return SpecError(Problem("bad-yaml", "there is no ${ } in the spec language", place._replace(width=1), help))
    known = [meaning for said, meaning in _SYNTAX.items() if said in (error.problem or "")]
    message, help = known[0] if known else (f"not YAML: {error.problem}", None)
    opened = error.context_mark.line + 1 if error.context_mark else place.line
    notes = (f"it belongs to what starts on line {opened}",) if opened != place.line else ()
    return SpecError(Problem("bad-yaml", message, place, help, notes))


def _character_error(source):
    """The error of the first character that YAML does not allow."""
    found = Reader.NON_PRINTABLE.search(source.text)
    before = source.text[: found.start()] if found else ""
    *lines, line = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    code = ord(found.group()) if found else 0
    message = f"a spec cannot hold the control character U+{code:04X}"
    return SpecError(Problem("not-text", message, Place(source, len(lines) + 1, len(line) + 1), "delete it"))
