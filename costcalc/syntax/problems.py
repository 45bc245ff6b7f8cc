"""Collect all problems of a file and report them together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..errors import Place, Problem, Source, SpecError, brief, in_order, listed, nearest

if TYPE_CHECKING:
    from .nodes import Node


MOST = 50  # most problems shown for one file
ENOUGH = 200  # number of problems at which reading stops


class Problems:
    """Problems found so far in one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Problem] = []

    def add(self, code: str, message: str, at: Node | tuple[int, ...], help: str | None = None) -> None:
        """Record a problem at (line, column, width) or at a node. Bad nodes, already reported, are skipped."""
        if getattr(at, "kind", None) == "bad":
            return
        self.found.append(Problem(code, message, Place(self.source, *getattr(at, "at", at)), help))
        if len(self.found) >= ENOUGH:
            self.raise_any()

    def due(self, code: str, what: str, node: Node, help: str | None = None) -> None:
        """Record a node that is missing or not as expected."""
        message = f"expected {what}, found {node.what}" if node.value else f"{what} is missing here"
        self.add(code, message, node, help)

    def unknown(self, what: str, name: str, at: Node, names: Iterable[str], help: str | None = None) -> None:
        """Record an unknown name, with the nearest known one as help, or else `help`."""
        names = sorted(names)
        if help is None and 0 < len(names) <= 30:
            help = f"known: {listed(names)}"
        code = f"unknown-{what.partition(' ')[0]}"
        glued = name.partition(":")[0] in names and ":" in name
        help = "a space is missing after the `:`" if glued else nearest(name, names) or help
        if help and not name.isascii():
            help = f"write it with plain (ASCII) letters; {help}"
        self.add(code, f"unknown {what} `{brief(name)}`", at, help)

    def explain_order(self, since: int, node: Node) -> None:
        """Add to unknown variables recorded from index `since` that the map declares them later."""
        for index in range(since, len(self.found)):
            problem = self.found[index]
            later = [key for key, _ in node.value if problem.message == f"unknown variable `{key.value}`"]
            if later:
                help = (
                    f"`{later[0].value}` is declared on line {later[0].line}: a default uses only variables before it"
                )
                self.found[index] = problem._replace(help=help)

    def add_all(self, error: SpecError) -> None:
        """Add the problems of an error."""
        self.found.extend(error.problems)

    def raise_any(self) -> None:
        """Raise all problems, sorted by line, if there are any."""
        if self.found:
            ordered = list(dict.fromkeys(sorted(self.found, key=in_order)))
            error = SpecError(*ordered[:MOST])
            error.more = len(ordered) > MOST
            raise error
