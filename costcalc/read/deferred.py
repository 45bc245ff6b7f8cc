"""The figures that a spec publishes, read when someone asks for them: they can be most of the file, and cost nothing.

Only a `published:` that ends the file, as it does where evidence comes last, can wait.
"""

from ..errors import Source


def parted(source):
    """The source up to `published:`, and that of the rest, its lines where they were; None if none can wait.

    A line of that name inside quotes or brackets leaves a first part that cannot be read: the reader takes it whole.
    """
    at = source.text.rfind("\npublished:") + 1
    if not at or any(line[:1] not in (" ", "#", "-", "\r", "") for line in source.text[at:].split("\n")[1:]):
        return source, None
    head, tail = source.text[:at], source.text[at:]
    return Source(source.path, head), Source(source.path, "\n" * head.count("\n") + tail)


class Deferred:
    """Claims that are read when they are looped over, once. Raises SpecError then if they cannot be."""

    def __init__(self, read):
        self.read, self.claims = read, None

    def __iter__(self):
        if self.claims is None:
            self.claims = self.read()
        return iter(self.claims)
