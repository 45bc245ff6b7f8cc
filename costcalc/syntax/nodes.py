"""YAML as nodes with positions, without tags, anchors and aliases.

Scalars keep their text, so `on`, `010`, `1:30` and `1e3` never change meaning. The tree is built from the parser's
events, which bounds nesting and size while reading. libyaml's parser is used if available.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from .. import limits
from ..allowance import spend
from ..errors import Place, Problem, Source, SpecError, brief
from ..records import NamedTuple
from .problems import Problems

if TYPE_CHECKING:
    from types import ModuleType


try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # without libyaml: the same events from the parser in Python
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class _Parser(Reader, Scanner, Parser):  # type: ignore[no-redef]
        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)


_REPEAT = "`repeat:` runs layers several times"
WORDS = 10_000  # most texts that are interned
STRIDE = 64  # values between checks of the time allowance


class Node(NamedTuple):
    """A scalar (value: str), a list (value: [Node]) or a map (value: [(Node, Node)]).

    The kind is `bad` if the text could not be read. Its problem is already recorded.
    """

    kind: str
    value: Any  # by kind: str, list[Node] or list[tuple[Node, Node]]
    line: int
    column: int
    width: int
    plain: bool = True  # whether a scalar is unquoted

    @property
    def at(self) -> tuple[int, int, int]:
        """Line, column and width, for a `Place`."""
        return self.line, self.column, self.width

    @property
    def what(self) -> str:
        """Description of the node for messages."""
        if self.kind == "scalar":
            return f"`{brief(self.value)}`" if self.value else "nothing"
        return f"a {self.kind}"


def is_empty(node: Node) -> bool:
    """Whether a node is empty: no value, or `null`."""
    return node.kind == "scalar" and node.plain and node.value in ("", "null", "~")


def compose(source: Source, problems: Problems | None = None) -> Node:
    """Parse a text into a tree.

    Problems that can be skipped (a duplicate key, a tag, an anchor) are recorded in `problems`, and reading continues.
    Raises SpecError if the text is not YAML, and for any problem if `problems` is None.
    """
    noted = Problems(source) if problems is None else problems
    try:
        node = _Builder(source, noted).document()
    except yaml.YAMLError as error:
        from .messages import text_error

        noted.add_all(text_error(source, error))
    except SpecError as error:
        noted.add_all(error)
    else:
        if problems is None:
            noted.raise_any()
        return node
    noted.raise_any()
    raise AssertionError  # unreachable: there is at least one problem


class _Builder:
    def __init__(self, source: Source, problems: Problems) -> None:
        self.source, self.problems, self.parser = source, problems, _Parser(source.text)
        self.depth = self.count = 0
        self.flow = self.open = 0  # depth of brackets; parentheses that a comma left open
        self.cut = False  # whether a comma cut any expression
        self.words: dict[str, str] = {}  # interned texts
        self.line = 1  # current line number, one object for all nodes of the line
        self.most, self.deepest, self.keys = limits.VALUES, limits.NESTING, limits.KEYS

    def document(self) -> Node:
        event = self.next_content()
        if event is None:
            help = "start with `input: [224, 224, 3]` and `layers:`; `costcalc zoo` lists specs to copy"
            raise SpecError(Problem("empty", "the file is empty", Place(self.source, 1, 1), help))
        node = self.node(event)
        event = self.next_content()
        if event is not None:
            self.note(
                "several-documents",
                "a spec is one document: nothing may follow `---`",
                event,
                "write one file per network",
            )
        return node

    def next_content(self) -> Any | None:
        get = self.parser.get_event
        while True:
            event = get()
            kind = type(event)
            if kind is yaml.StreamEndEvent or event is None:
                return None
            if kind not in _FRAME:
                return event

    def node(self, event: Any) -> Node:
        kind = type(event)
        if event.anchor or event.tag:
            self.refuse(event)
        self.count += 1
        if self.count % STRIDE == 1:
            spend(STRIDE)
        if self.count > self.most:
            message = f"a spec has at most {self.most:,} values"
            raise self.problem("limit", message, event, limits.hint("values", _REPEAT))
        if kind is yaml.ScalarEvent:
            return self.scalar(event)
        if kind is yaml.AliasEvent:
            return Node("bad", "", *self.place(event)[1:])
        return self.inside(event)

    def inside(self, event: Any) -> Node:
        """Read the list or map that starts at an event."""
        self.depth += 1
        if self.depth > self.deepest:
            message = f"lists and maps nest at most {self.deepest} deep"
            raise self.problem("limit", message, event, limits.hint("nesting"))
        outer, self.open = self.open, 0
        self.flow += bool(event.flow_style)
        node = self.list(event) if type(event) is yaml.SequenceStartEvent else self.map(event)
        self.flow -= bool(event.flow_style)
        self.open = outer
        self.depth -= 1
        return node

    def refuse(self, event: Any) -> None:
        """Record an alias, an anchor or a tag."""
        kind = "alias" if type(event) is yaml.AliasEvent else "anchor" if event.anchor else "tag"
        place = self.place(event)
        written = place.excerpt()[place.column - 1 :].partition(" ")[0].rstrip(",]}")
        help = "write the value alone" if kind == "tag" else "name a value under `vars:`, or layers under `blocks:`"
        message = f"YAML's {kind} `{brief(written)}` is not part of the spec language"
        self.problems.add(kind, message, (place.line, place.column, len(written)), help)

    def scalar(self, event: Any) -> Node:
        start, end, value = event.start_mark, event.end_mark, event.value
        line, column = start.line, start.column
        width = end.column - column if end.line == line else 1
        value = self.words.get(value) or self.word(value)
        if self.flow and "(" in value and not event.style and value.count("(") > value.count(")"):
            self.cut = True
        if line + 1 != self.line:
            self.line = line + 1
        return Node("scalar", value, self.line, column + 1, width or 1, not event.style)

    def word(self, text: str) -> str:
        """Intern a text, up to a limit."""
        if len(self.words) < WORDS:
            self.words[text] = text
        return text

    def list(self, start: Any) -> Node:
        items: list[Any] = []
        get = self.parser.get_event
        while True:
            event = get()
            if type(event) is yaml.SequenceEndEvent:
                mark = start.start_mark
                return Node("list", items, mark.line + 1, mark.column + 1, _width(start, event))
            item = self.node(event)
            if not self.cut:
                items.append(item)
            elif not self.is_rest(item):
                items.append(self.whole(item))

    def map(self, start: Any) -> Node:
        pairs: list[tuple[Node, Node]] = []
        seen: dict[str, Node] = {}
        get = self.parser.get_event
        while True:
            event = get()
            if type(event) is yaml.MappingEndEvent:
                mark = start.start_mark
                return Node("map", pairs, mark.line + 1, mark.column + 1, _width(start, event))
            key = self.node(event)
            rest = self.cut and self.is_rest(key)
            value = self.node(get())
            if rest or (self.cut and self.is_rest(value)):
                continue
            if key.kind != "scalar" or key.value in seen:
                self.notes().note_key(self.problems, key, seen)
                continue
            seen[key.value] = key
            pairs.append((key, self.whole(value) if self.cut else value))
            if len(pairs) > self.keys:
                raise self.problem("limit", f"a map has at most {self.keys:,} keys", start, limits.hint("keys"))

    def is_rest(self, node: Node) -> bool:
        """Whether a comma cut this node off an expression. In `{out: max(8, 3)}`, YAML parses `3)` as a key."""
        was_open = self.open
        if self.flow and node.kind == "scalar" and node.plain:
            self.open = max(was_open + node.value.count("(") - node.value.count(")"), 0)
            if self.open and not was_open and not self.notes().note_cut(self.problems, node):
                self.open = 0
        return bool(was_open)

    def notes(self) -> ModuleType:
        """Import the module of error messages, only if there is an error."""
        from . import messages as syntax

        return syntax

    def whole(self, node: Node) -> Node:
        """The node, or a bad node if a comma cut it."""
        return node._replace(kind="bad") if self.open and node.kind == "scalar" else node

    def place(self, event: Any) -> Place:
        """Position of an event."""
        mark = event.start_mark
        return Place(self.source, mark.line + 1, mark.column + 1, max(_width(event, event), 1))

    def note(self, code: str, message: str, event: Any, help: str | None = None) -> None:
        """Record a problem after which reading can continue."""
        self.problems.add_all(self.problem(code, message, event, help))

    def problem(self, code: str, message: str, event: Any, help: str | None = None) -> SpecError:
        """Create the error for a problem at an event."""
        return SpecError(Problem(code, message, self.place(event), help))


_FRAME = (
    yaml.StreamStartEvent,
    yaml.DocumentStartEvent,
    yaml.DocumentEndEvent,
)


def _width(first: Any, last: Any) -> int:
    start, end = first.start_mark, last.end_mark
    return end.column - start.column if start.line == end.line else 1
