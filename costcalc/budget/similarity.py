"""The similarity of two files, as git measures it to detect renames."""

from collections import Counter
from collections.abc import Iterator

CHUNK = 64  # bytes: a line, or this much of a longer one, is compared as a whole
LEAST = 0.5  # from which on a new file is a deleted one under another name, as for git


def chunks(data: bytes) -> Counter[bytes]:
    """The pieces of a file, with how often each is there."""
    return Counter(_pieces(data))


def _pieces(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = data.find(b"\n", at, at + CHUNK) + 1 or at + CHUNK
        yield data[at:end]
        at = end


def alike(one: bytes, other: bytes) -> float:
    """The share of the larger file that is in both: 0 to 1; 0 for empty files."""
    most = max(len(one), len(other))
    if not one or not other or min(len(one), len(other)) < LEAST * most:
        return 0.0
    common = chunks(one) & chunks(other)
    return sum(len(piece) * count for piece, count in common.items()) / most
