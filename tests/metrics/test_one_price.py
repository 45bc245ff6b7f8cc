"""One operation, one price: equivalent spellings cost the same under every convention."""

import pytest

from costcalc import analyze
from costcalc.errors import Source
from costcalc.metrics.conventions import COUNTERS, NAMES
from costcalc.read.spec.reader import read

OWN = [name for name in NAMES if name not in COUNTERS]  # other programs count by the name of the called function
PAIRS = {  # description: inputs, first spelling, second spelling
    "product of two tensors": ("x: [6, 4], y: [6, 4]", '{einsum: "ab,ab->ab", of: [x, y]}', "{mul: [x, y]}"),
    "scale of each channel": ("x: [6, 4], y: [4]", '{einsum: "ab,b->ab", of: [x, y]}', "{mul: [x, y]}"),
    "outer product": ("x: [6, 1], y: [1, 4]", '{einsum: "ai,ib->aib", of: [x, y]}', "{mul: [x, y]}"),
    "sum": ("x: [6, 4]", '{einsum: "ab->b", of: [x]}', "{reduce: sum, axis: 0}"),
    "transposition": ("x: [6, 4]", '{einsum: "ab->ba", of: [x]}', "{permute: [1, 0]}"),
    "matrix product": ("x: [6, 4], y: [4, 5]", '{einsum: "ab,bc->ac", of: [x, y]}', "{matmul: [x, y]}"),
    "batched product": ("x: [3, 6, 4], y: [3, 4, 5]", '{einsum: "nab,nbc->nac", of: [x, y]}', "{matmul: [x, y]}"),
    "1x1 convolution": ("x: [6, 5, 4]", "{conv: 1x1, out: 8}", "{linear: 8}"),
    "whole kernel": ("x: [6, 6, 4]", "{conv: 6x6, out: 8, padding: valid}", "[flatten, {linear: 8}]"),
    "depthwise by groups": ("x: [6, 6, 4]", "{conv: 3x3, out: 4, groups: 4}", "{dwconv: 3x3}"),
    "all keys in the window": (
        *("q: [4, 8], k: [4, 8]", "{attend: [q, k, k], heads: 2, window: 9}", "{attend: [q, k, k], heads: 2}"),
    ),
    "one query of a cache": (
        *("q: [1, 8], k: [9, 8]", "{attend: [q, k, k], heads: 2, causal: true}", "{attend: [q, k, k], heads: 2}"),
    ),
}


def totals(inputs, layers, convention):
    """The totals of a sequence of layers."""
    text = f"inputs: {{{inputs}}}\nlayers: {layers if layers.startswith('[') else f'[{layers}]'}\n"
    return analyze(read(Source("net.yaml", text)), convention=convention).totals


@pytest.mark.parametrize("convention", OWN)
@pytest.mark.parametrize(("inputs", "one", "other"), PAIRS.values(), ids=PAIRS)
def test_two_ways_to_say_the_same(inputs, one, other, convention):
    assert totals(inputs, one, convention) == totals(inputs, other, convention)
