"""A choice between branches."""

from ..errors import Refused
from ..num import both, equal, require
from .base import Layer, op
from .kinds import Branches, Rates, Shape

_NEAR = 1e-6  # tolerance of the sum of probabilities, for rounded values such as thirds


@op("one_of")
def one_of(x: Shape, inputs: Branches, *, prob: Rates) -> Layer:
    """Runs one of several branches, with stated probabilities: early exits (Teerapittayanon et al. 2016) or routing.

    (.., C), (.., C) -> (.., C). A branch is a list of layers, `[]` (the input itself), or a name.

    Example: {one_of: [[], [{conv: 3x3, out: 64}]], prob: [0.7, 0.3]}
    """
    if len(inputs) < 2:
        raise Refused("one_of needs two branches or more")
    if type(prob) is not tuple or len(prob) != len(inputs):
        raise Refused(f"one_of needs a probability for each of {len(inputs)} branches", "prob")
    first, *rest = inputs
    for shape in rest:
        text = " and ".join("x".join("{}" for _ in one) for one in (first, shape))
        require(len(first) == len(shape), f"one_of: shapes do not match: {text}", *first, *shape)
        for a, b in zip(first, shape, strict=True):
            require(equal(a, b), f"one_of: shapes do not match: {text}", *first, *shape)
    total = prob[0]
    for one in prob[1:]:
        total = total + one
    require(both(total > 1 - _NEAR, total < 1 + _NEAR), "one_of: probabilities sum to {}, not 1", total, option="prob")
    return Layer(shape=first)
