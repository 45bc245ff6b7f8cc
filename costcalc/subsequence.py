"""The longest common subsequence of two lists of tokens, for lists as long as networks are."""

from itertools import pairwise

SEARCHED = 1_000  # differences up to which the longest one is looked for


def ascending(pairs):
    """The longest part of pairs whose second numbers ascend."""
    from bisect import bisect_left

    ends, tails, before = [], [], {}
    for pair in pairs:
        at = bisect_left(ends, pair[1])
        ends[at : at + 1], tails[at : at + 1] = [pair[1]], [pair]
        before[pair] = tails[at - 1] if at else None
    chain, pair = [], tails[-1] if tails else None
    while pair:
        chain.append(pair)
        pair = before[pair]
    return chain[::-1]


def common(a, b):
    """Numbers (in a, in b) of a longest common sequence; of a long one, where few things differ."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    inner = _myers(a[start : len(a) - end], b[start : len(b) - end])
    if inner is None:
        inner = _by_unique(a[start : len(a) - end], b[start : len(b) - end])
    head, tail = [(n, n) for n in range(start)], [(len(a) - n, len(b) - n) for n in range(end, 0, -1)]
    return [*head, *((start + i, start + j) for i, j in inner), *tail]


def _myers(a, b):
    """The longest common sequence (Myers 1986, "An O(ND) Difference Algorithm"); None past SEARCHED differences."""
    reach, history = {1: 0}, []
    for edits in range(min(len(a) + len(b), SEARCHED) + 1):
        history.append(dict(reach))
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
            x = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            while x < len(a) and 0 <= x - diagonal < len(b) and a[x] == b[x - diagonal]:
                x += 1
            reach[diagonal] = x
            if x >= len(a) and x - diagonal >= len(b):
                return _trail(history, len(a), len(b))
    return None


def _trail(history, x, y):
    """The matches on the way that the search took, from its end back."""
    found = []
    for edits in range(len(history) - 1, -1, -1):
        reach, diagonal = history[edits], x - y
        down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
        before = diagonal + 1 if down else diagonal - 1
        start = (reach[before], reach[before] - before) if edits else (0, 0)
        while x > start[0] and y > start[1]:
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = start
    return found[::-1]


def _by_unique(a, b):
    """Matches around what stands once on either side, for networks that differ in nearly everything."""
    mine, other = _places(a), _places(b)
    anchors = ascending([(places[0], other[token][0]) for token, places in mine.items() if _single(token, mine, other)])
    if not anchors:
        return []
    return between(anchors, a, b)


def _places(tokens):
    found: dict = {}
    for number, token in enumerate(tokens):
        found.setdefault(token, []).append(number)
    return found


def _single(token, *sides):
    return all(len(side.get(token, ())) == 1 for side in sides)


def between(anchors, a, b):
    """Anchors, and the longest common sequences between them."""
    found = []
    for (i, j), (k, m) in pairwise([(-1, -1), *anchors, (len(a), len(b))]):
        found += [(i, j)] if i >= 0 else []
        found += [(i + 1 + x, j + 1 + y) for x, y in common(a[i + 1 : k], b[j + 1 : m])]
    return found
