"""The figures that a spec publishes, read when someone asks for them: they can be most of the file, and cost nothing.

A `published:` can wait that is a section of the file by itself: its key begins a line, and so does the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...errors import Source


def parted(source: Source) -> tuple[Source, Source | None]:
    """The source with blank lines for `published:`, and with nothing but it; the second None where it cannot wait.

    A line of that name inside quotes or brackets leaves a first part that cannot be read: the reader takes it whole.
    """
    at = source.text.find("\npublished:") + 1
    if not at or "\npublished:" in source.text[at:]:
        return source, None
    end = at + len("published:")
    while end < len(source.text):
        end = source.text.find("\n", end) + 1 or len(source.text)
        if source.text[end : end + 1] not in (" ", "#", "-", "\r", "\n"):
            break
    before, block, after = source.text[:at], source.text[at:end], source.text[end:]
    head = f"{before}{chr(10) * block.count(chr(10))}{after}"
    return source._replace(text=head), source._replace(text="\n" * before.count("\n") + block)


class Deferred:
    """Claims that are read when they are looped over, once. Raises SpecError then if they cannot be."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self.read = read
        self.claims: Any = None

    def __iter__(self) -> Iterator[Any]:
        if self.claims is None:
            self.claims = self.read()
        return iter(self.claims)
