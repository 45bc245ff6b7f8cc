"""YAML as nodes with positions, and nothing of YAML that could surprise: no tags, anchors or aliases.

Scalars stay the text that was written, so `on`, `010`, `1:30` and `1e3` never change meaning. The tree is
built from the parser's events, which bounds nesting while reading; libyaml's parser is used where there is one.
"""

from typing import NamedTuple

import yaml

from .. import limits
from ..errors import Place, Problem, Source, SpecError

try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # no libyaml: the same events from the parser in Python
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class _Parser(Reader, Scanner, Parser):  # type: ignore[no-redef]
        def __init__(self, text):
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)


class Node(NamedTuple):
    """A scalar (value: str), a list (value: [Node]) or a map (value: [(Node, Node)])."""

    kind: str
    value: object
    line: int
    column: int
    width: int
    plain: bool = True  # a scalar without quotes

    @property
    def at(self):
        """Line, column and width, for a `Place`."""
        return self.line, self.column, self.width


def compose(source: Source) -> Node:
    """The tree of a text. Raises SpecError with the place for whatever is not plain YAML."""
    try:
        return _Builder(source).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(source, error) from None
    except yaml.reader.ReaderError as error:
        code = error.character if isinstance(error.character, int) else ord(error.character)
        before = source.text[: error.position] if isinstance(error.position, int) else ""
        place = Place(source, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise SpecError(Problem("not-text", f"a character that text cannot hold: U+{code:04X}", place)) from None


class _Builder:
    def __init__(self, source):
        self.source, self.parser = source, _Parser(source.text)
        self.depth = 0

    def document(self):
        event = self.next_content()
        if event is None:
            raise self.problem("empty", "the file is empty", None, "start with `input:` and `layers:`")
        node = self.node(event)
        event = self.next_content()
        if event is not None:
            raise self.problem("several-documents", "a spec is one document: nothing may follow `---`", event)
        return node

    def next_content(self):
        get = self.parser.get_event
        while True:
            event = get()
            kind = type(event)
            if kind is yaml.StreamEndEvent or event is None:
                return None
            if kind not in _FRAME:
                return event

    def node(self, event):
        kind = type(event)
        if event.anchor or event.tag:
            self.refuse(event)
        if kind is yaml.ScalarEvent:
            return self.scalar(event)
        self.depth += 1
        if self.depth > limits.NESTING:
            raise self.problem("limit", f"lists and maps nest at most {limits.NESTING} deep", event)
        node = self.list(event) if kind is yaml.SequenceStartEvent else self.map(event)
        self.depth -= 1
        return node

    def refuse(self, event):
        if type(event) is yaml.AliasEvent:
            raise self.problem("alias", "aliases (`*name`) are not part of the spec language", event, "use `vars:`")
        if event.anchor:
            raise self.problem("anchor", "anchors (`&name`) are not part of the spec language", event, "use `vars:`")
        raise self.problem("tag", f"tags (`{event.tag[:40]}`) are not part of the spec language", event)

    def scalar(self, event):
        start, end, value = event.start_mark, event.end_mark, event.value
        line, column = start.line, start.column
        width = end.column - column if end.line == line else 1
        node = Node("scalar", value, line + 1, column + 1, width or 1, not event.style)
        if "(" in value and node.plain and value.count("(") > value.count(")"):
            raise self.problem(
                "comma-in-braces",
                "a comma inside { } or [ ] ended the value early",
                event,
                'quote the expression: "max(a, b)"',
            )
        return node

    def list(self, start):
        items = []
        get = self.parser.get_event
        while True:
            event = get()
            if type(event) is yaml.SequenceEndEvent:
                mark = start.start_mark
                return Node("list", items, mark.line + 1, mark.column + 1, _width(start, event))
            items.append(self.node(event))

    def map(self, start):
        pairs, seen = [], set()
        get = self.parser.get_event
        while True:
            event = get()
            if type(event) is yaml.MappingEndEvent:
                mark = start.start_mark
                return Node("map", pairs, mark.line + 1, mark.column + 1, _width(start, event))
            key = self.node(event)
            if key.kind != "scalar":
                raise self.problem("bad-key", "a key must be a word", event)
            if key.value in seen:
                raise self.problem("duplicate-key", f"the key `{key.value}` stands here twice", event)
            seen.add(key.value)
            pairs.append((key, self.node(get())))

    def problem(self, code, message, event, help=None):
        if event is None:
            return SpecError(Problem(code, message, Place(self.source, 1, 1), help))
        mark = event.start_mark
        place = Place(self.source, mark.line + 1, mark.column + 1, max(_width(event, event), 1))
        return SpecError(Problem(code, message, place, help))


_FRAME = (
    yaml.StreamStartEvent,
    yaml.DocumentStartEvent,
    yaml.DocumentEndEvent,
)


def _width(first, last):
    start, end = first.start_mark, last.end_mark
    return end.column - start.column if start.line == end.line else 1


def _syntax_error(source, error):
    mark = error.problem_mark or error.context_mark
    place = Place(source, mark.line + 1, mark.column + 1) if mark else None
    line = place.excerpt() if place else ""
    if "\t" in line[: mark.column + 1 if mark else 0]:
        at = place._replace(column=line.index("\t") + 1)
        return SpecError(Problem("tab", "a tab cannot indent YAML", at, "indent with spaces"))
    return SpecError(Problem("bad-yaml", f"not YAML: {error.problem}", place))
