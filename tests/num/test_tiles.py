"""Points that are computed tile by tile: as all at once, and nothing that is read again is overwritten."""

import random

import numpy as np
import pytest

from costcalc import num
from costcalc.errors import Refused
from costcalc.num import tiles
from costcalc.num.points import Points, Pool, leaf

SHAPES = {
    "one axis": [(50,)],
    "a grid": [(7, 1), (1, 9)],
    "a grid of one row": [(1, 1, 40), (1, 3, 1)],
    "axes and a whole array": [(6, 1), (1, 5), (6, 5)],
}
UNARY = [num.floor, num.ceil, num.nearest, lambda a: num.bounded(a, 10**60), lambda a: a * 1.5, lambda a: -a]
BINARY = [
    *(lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a > b),
    *(num.maximum, num.minimum, num.equal, num.both, num.either),
    *(lambda a, b: a // (b * b + 1), lambda a, b: a % (b * b + 2), lambda a, b: num.ceil_div(a, b * b + 3)),
]


def operations(chance, leaves):
    """Some values, each made of ones before it."""
    made = [*leaves, 3, 0.5]
    for _ in range(30):
        a, b, c = chance.choices(made, k=3)
        if chance.random() < 0.1:
            made.append(num.select(a > b, b, c))
        elif chance.random() < 0.4:
            made.append(chance.choice(UNARY)(a))
        else:
            made.append(chance.choice(BINARY)(a, b))
    return made


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_a_tile_at_a_time_gives_what_all_points_at_once_do(monkeypatch, shapes, seed):
    monkeypatch.setattr(tiles, "TILE", 4)
    found = []
    for compute in (tiles.arrays, lambda wanted: [one.array if type(one) is Points else one for one in wanted]):
        table, drawn = Pool(), np.random.default_rng(seed)
        columns = [drawn.integers(-9, 10, shape) for shape in shapes] + [drawn.uniform(-5, 5, shapes[0])]
        leaves = [leaf(table, column.copy()) for column in columns]
        wanted = random.Random(seed).sample(operations(random.Random(seed), leaves), 6)
        found.append([(np.asarray(one).dtype, np.asarray(one).tolist()) for one in compute(wanted)])
        assert [one.array.tolist() for one in leaves] == [column.tolist() for column in columns]
    assert found[0] == found[1]


def test_tiles_are_really_used(monkeypatch):
    monkeypatch.setattr(tiles, "TILE", 8)
    table, calls = Pool(), []
    a = leaf(table, np.arange(100))
    b = Points(table, 0, 200, int, lambda raw: calls.append(len(raw)) or raw * 2, True, (a,))
    c = (b + 1) * (b + 2)
    (found,) = tiles.arrays([c])
    assert found.tolist() == [(2 * n + 1) * (2 * n + 2) for n in range(100)]
    assert calls == [8] * 12 + [4]
    assert (c.held is found, b.held) == (True, None)


def test_a_view_is_not_overwritten(monkeypatch):
    """`bounded` returns its operand itself; both are read afterwards."""
    monkeypatch.setattr(tiles, "TILE", 4)
    table = Pool()
    a = leaf(table, np.arange(2**30, 2**30 + 16))
    doubled = a + a
    same = num.bounded(doubled, 2**40)
    (found,) = tiles.arrays([((same + 1) * 2 + doubled) + (same - doubled)])
    assert found.tolist() == [(2 * n + 1) * 2 + 2 * n for n in range(2**30, 2**30 + 16)]


@pytest.mark.parametrize(("values", "message"), [([1, 2, 3, 4, 0, 6], "no value"), ([2**40] * 5 + [1], "2\\^62")])
def test_numbers_that_do_not_fit_are_refused_as_elsewhere(monkeypatch, values, message):
    monkeypatch.setattr(tiles, "TILE", 2)
    a = leaf(Pool(), np.array(values))
    wanted = 12 // a if 0 in values else a * a
    with pytest.raises(Refused, match=message) as refused:
        tiles.arrays([a + 1, wanted])
    assert refused.value.failing.tolist() == [value in (0, 2**40) for value in values]


def test_products_past_64_bits_on_the_way_are_exact(monkeypatch):
    monkeypatch.setattr(tiles, "TILE", 2)
    values = [2**40, 3, 2**41, 5, 7]
    a = leaf(Pool(), np.array(values))
    assert tiles.arrays([a * a * a // (a * a), 4]) == [pytest.approx(values, abs=0), 4]
