"""The gradients computed by the loops equal numerically measured slopes."""

import pytest

from costcalc.analysis.prove.prove import drawn, gradient_differences, performance, stated
from costcalc.metrics.gradients import products
from costcalc.selftest.gradients import WEIGHT, differentiate

PRODUCTS = ("conv", "dwconv", "conv_transpose", "linear", "bilinear", "matmul", "einsum", "attention", "attend")
STEP = 1e-4


def cases(name, count, most=30):
    """Valid cases with few values."""
    found = [case for case in drawn(name, 400) if performance(name, *case) is not None]
    small = [case for case in found if all(_values(shape) <= most for shape in case[0])]
    return small[:count]


def _values(shape):
    total = 1
    for size in shape:
        total *= size
    return total


@pytest.mark.parametrize("name", [*PRODUCTS, "rnn", "lstm", "gru"])
def test_gradients_are_slopes(name):
    moved = 0
    for flowing, options in cases(name, 6):
        found = differentiate(name, flowing, options, {*range(len(flowing)), WEIGHT})
        leaves = [leaf for leaf in found.values if type(leaf[0]) is int and leaf[1]]
        for leaf in leaves[::3]:
            up, down = (differentiate(name, flowing, options, (), (leaf, way)).result for way in (STEP, -STEP))
            assert (up - down) / (2 * STEP) == pytest.approx(found.values[leaf], abs=1e-4, rel=1e-3)
            moved += 1
    assert moved


@pytest.mark.parametrize("name", [*PRODUCTS, "lstm"])
def test_a_rule_without_its_gradients_is_found(name):
    """A rule that omits a product, or counts one twice, differs from the loops."""
    wrong = 0
    for flowing, options in cases(name, 40):
        layer = stated(name, flowing, options)
        every = products(name, layer, len(flowing))
        needs = {*range(len(flowing)), WEIGHT}
        assert gradient_differences(name, flowing, options, layer, needs) == {}
        broken = layer._replace(products=(*every, every[-1])) if every else layer
        wrong += bool(gradient_differences(name, flowing, options, broken, needs))
    assert wrong
