"""Similarity of two files, measured like git measures it to detect renames."""

from collections import Counter
from collections.abc import Iterator

CHUNK = 64  # bytes: a line, or a piece of this size of a longer line, is compared as a whole
LEAST = 0.5  # similarity from which a new file is a renamed one, as in git


def chunks(data: bytes) -> Counter[bytes]:
    """Pieces of a file, with their counts."""
    return Counter(_pieces(data))


def _pieces(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = data.find(b"\n", at, at + CHUNK) + 1 or at + CHUNK
        yield data[at:end]
        at = end


def alike(one: bytes, other: bytes) -> float:
    """Share of the larger file that both have in common: 0 to 1; 0 for empty files."""
    most = max(len(one), len(other))
    if not one or not other or min(len(one), len(other)) < LEAST * most:
        return 0.0
    common = chunks(one) & chunks(other)
    return sum(len(piece) * count for piece, count in common.items()) / most
