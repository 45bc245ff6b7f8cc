"""Alignment of layers: the longest common subsequence, runs of similar layers, and the rest in between."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from costcalc.analysis.compare import alignment
from costcalc.analysis.compare.alignment import aligned, ascending, between, common, slid
from costcalc.analysis.compare.compare import compare
from costcalc.errors import Source
from costcalc.read.spec.reader import read


def longest(a, b):
    """The length of a longest common subsequence, by the textbook algorithm."""
    row = [0] * (len(b) + 1)
    for one in a:
        before = row
        row = [0]
        for at, other in enumerate(b):
            row.append(before[at] + 1 if one == other else max(row[at], before[at + 1]))
    return row[-1]


def tokens(rng, most=14):
    """A short list with few kinds of tokens."""
    kinds = rng.randint(1, 5)
    return [rng.randrange(kinds) for _ in range(rng.randrange(most))]


def is_common(pairs, a, b):
    """Whether pairs form a common subsequence of two lists."""
    rise = all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))
    return rise and all(a[i] == b[j] for i, j in pairs)


@pytest.mark.parametrize(("cells", "often"), [(2**28, 1000), (2**28, 1), (12, 1000), (1, 1)])
def test_the_longest_common_sequence(monkeypatch, cells, often):
    monkeypatch.setattr(alignment, "CELLS", cells)
    monkeypatch.setattr(alignment, "OFTEN", often)
    rng = random.Random(cells + often)
    for _ in range(1000):
        a, b = tokens(rng), tokens(rng)
        found = common(a, b)
        assert is_common(found, a, b)
        assert len(found) == longest(a, b)


@pytest.mark.parametrize(("cells", "often"), [(2**28, 1000), (5000, 3)])
def test_long_ones(monkeypatch, cells, often):
    monkeypatch.setattr(alignment, "CELLS", cells)
    monkeypatch.setattr(alignment, "OFTEN", often)
    rng = random.Random(1)
    a, b = ([rng.randrange(40) for _ in range(400)] for _ in range(2))
    found = common(a, b)
    assert is_common(found, a, b)
    assert len(found) == longest(a, b)


def test_ascending():
    rng = random.Random(2)
    for _ in range(300):
        pairs = list(enumerate(rng.sample(range(12), rng.randrange(12))))
        found = ascending(pairs)
        assert all(j < m for (_, j), (_, m) in pairwise(found))
        assert set(found) <= set(pairs)
        assert len(found) == longest([j for _, j in pairs], range(12))


def test_between_anchors():
    rng = random.Random(3)
    for _ in range(300):
        a, b = tokens(rng), tokens(rng)
        if a and b:
            anchor = rng.randrange(len(a)), rng.randrange(len(b))
            a[anchor[0]] = b[anchor[1]] = 9
            found = between([anchor], a, b)
            assert anchor in found
            assert is_common(found, a, b)


def test_slid_runs_keep_what_matches():
    rng = random.Random(4)
    for _ in range(500):
        a, b = tokens(rng), tokens(rng)
        starts = {at for at in range(len(b)) if rng.random() < 0.3}
        found = slid(common(a, b), a, b, starts.__contains__)
        assert is_common(found, a, b)
        assert len(found) == longest(a, b)


@pytest.mark.parametrize(
    ("a", "b", "starts", "new"),
    [
        ("xyxy", "xyxyxy", {0, 2, 4}, [4, 5]),  # well placed
        ("xyxyz", "xyxyxyz", {0, 2, 4}, [4, 5]),
        ("axyb", "axyxyb", {1, 3}, [3, 4]),
        ("ayxb", "ayxyxb", {2}, [2, 3]),  # one further
        ("ayxb", "ayxyxb", {1}, [1, 2]),
        ("ayxb", "ayxyxb", set(), [3, 4]),
    ],
)
def test_a_run_among_its_like_begins_where_a_block_begins(a, b, starts, new):
    found = slid(common(a, b), a, b, starts.__contains__)
    assert sorted({*range(len(b))} - {j for _, j in found}) == new


# pairs


def spec(*layers):
    """The model of a spec with these layers."""
    return read(Source("net.yaml", "input: [16, 16, 8]\nlayers:\n" + "".join(f"  - {layer}\n" for layer in layers)))


def pairs(old, new):
    """(status, names on the left, names on the right) of every pair."""
    found = compare(spec(*old), spec(*new)).pairs
    return [(pair.status, *([one.name for one in side] for side in (pair.left, pair.right))) for pair in found]


PAIRS = {
    "same": (["relu", "{conv: 1x1, out: 8}"], ["relu", "{conv: 1x1, out: 8}"], ["same", "same"]),
    "one more in front": (["{conv: 1x1, out: 8}"], ["{conv: 3x3, out: 8}", "{conv: 1x1, out: 8}"], ["added", "same"]),
    "one less in front": (
        ["{conv: 3x3, out: 9}", "{conv: 1x1, out: 8}"],
        ["{conv: 1x1, out: 8}"],
        ["removed", "follows"],
    ),
    "names go first": (
        ["{conv: 1x1, out: 8, as: a}", "{conv: 3x3, out: 9, as: b}"],
        ["{conv: 3x3, out: 9, as: a}", "{conv: 1x1, out: 8, as: b}"],
        ["changed", "changed"],
    ),
    "a name of another operation is no name": (
        ["{conv: 1x1, out: 8, as: a}", "relu"],
        ["{linear: 8, as: a}", "relu"],
        ["removed", "added", "same"],
    ),
    "a name that moved": (
        ["{conv: 1x1, out: 8, as: a}", "{linear: 9}", "{linear: 8}"],
        ["{linear: 9}", "{linear: 8}", "{conv: 1x1, out: 8, as: a}"],
        ["moved", "moved", "same"],
    ),
    "by operation": (
        ["{conv: 1x1, out: 8}", "{linear: 9}"],
        ["{conv: 3x3, out: 7}", "{linear: 8}"],
        ["changed", "changed"],
    ),
    "separable and standard": (
        ["{dwconv: 3x3}", "{conv: 1x1, out: 9}", "relu"],
        ["{conv: 3x3, out: 9}", "relu"],
        ["rewritten", "same"],
    ),
    "separable and standard of another width": (
        ["{dwconv: 3x3}", "{conv: 1x1, out: 9}"],
        ["{conv: 3x3, out: 7}"],
        ["removed", "changed"],
    ),
    "an edit inside a separable convolution": (
        ["{dwconv: 3x3}", "{conv: 1x1, out: 9}"],
        ["{dwconv: 5x5}", "{conv: 1x1, out: 9}"],
        ["changed", "same"],
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(name):
    old, new, statuses = PAIRS[name]
    assert [status for status, *_ in pairs(old, new)] == statuses


LAYERS = [
    "relu",
    "{conv: 1x1, out: 8}",
    "{conv: 3x3, out: 8}",
    "{conv: 3x3, out: 9}",
    "{dwconv: 3x3}",
    "{linear: 9}",
    "{conv: 3x3, out: channels}",
    "{conv: 1x1, out: 9, then: [batchnorm, relu]}",
]


def test_every_layer_is_in_one_pair_in_the_order_of_its_side():
    rng = random.Random(5)
    for _ in range(200):
        old, new = (spec(*rng.choices(LAYERS, k=rng.randint(1, 12))) for _ in range(2))
        found = compare(old, new)
        again = aligned(found.left.elements, found.right.elements)
        assert [pair.status for pair in again] == [pair.status for pair in found.pairs]
        for side in ("left", "right"):
            elements = getattr(found, side).elements
            shown = [element for pair in found.pairs for element in getattr(pair, side)]
            assert Counter(map(id, shown)) == Counter(map(id, elements))
            stay = [one for pair in found.pairs if not pair.moved for one in getattr(pair, side)]
            assert [one for one in elements if one in stay] == stay
        for pair in found.pairs:
            assert pair.status in ("same", "follows", "changed", "rewritten", "added", "removed", "moved")
            if pair.status == "same":
                assert (pair.left[0].cost, pair.left[0].params) == (pair.right[0].cost, pair.right[0].params)


def test_two_and_the_other_way_round_have_the_same_matches():
    rng = random.Random(6)
    for _ in range(200):
        old, new = (spec(*rng.choices(LAYERS, k=rng.randint(1, 12))) for _ in range(2))
        there, back = compare(old, new), compare(new, old)
        opposite = {"added": "removed", "removed": "added"}
        count = Counter(opposite.get(pair.status, pair.status) for pair in there.pairs)
        assert count["same"] + count["follows"] + count["moved"] <= len(there.left.elements)
        assert sum(count.values()) == len(there.pairs)
        assert len(back.pairs) >= max(len(there.left.elements), len(there.right.elements)) // 2


def test_a_level_between_is_told_by_its_names():
    old = ["{layers: [{conv: 1x1, out: 8}, {conv: 1x1, out: 8}], as: a}"]
    new = ["{layers: [{conv: 1x1, out: 8}, {conv: 1x1, out: 8}], as: a}", "{layers: [{conv: 1x1, out: 8}], as: b}"]
    assert pairs(old, new)[-1] == ("added", [], ["b/conv"])
