"""Specs written from PyTorch modules: shared, learned and normalised weights cost the same in the spec."""

import importlib.util
import sys

import pytest

from tests.written import assert_spec_costs_the_same

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed: costcalc[torch]"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

NETS = """
import torch
import torch.nn.functional as F
from torch import nn


def no_affine():
    norm = nn.BatchNorm2d(8, affine=False)
    return nn.Sequential(nn.Conv2d(3, 8, 1, bias=False), norm, nn.Conv2d(8, 4, 1, bias=False))


def weight_norm():
    return nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 8, 3))


def spectral_norm():
    return nn.utils.parametrizations.spectral_norm(nn.Linear(32, 8))


class AddmmTable(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(32, 8))
        self.bias = nn.Parameter(torch.empty(16, 8))

    def forward(self, x):
        return torch.addmm(self.bias, x[0], self.weight)


class TwoTokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.cls = nn.Parameter(torch.zeros(1, 1, 32))
        self.dist = nn.Parameter(torch.zeros(1, 1, 32))
        self.linear = nn.Linear(32, 8)

    def forward(self, x):
        return self.linear(torch.cat([self.cls, self.dist, x], 1))


class SharedTable(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(50, 8)

    def forward(self, x, y):
        return self.table(x) + self.table(y)


class RmsMul(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(32))
        self.linear = nn.Linear(32, 8, bias=False)

    def forward(self, x):
        return self.linear(self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)))


class LayerScale(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(32)
        self.gamma = nn.Parameter(torch.ones(32))
        self.linear = nn.Linear(32, 32)

    def forward(self, x):
        return x + self.gamma * self.linear(self.norm(x))


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(32, 32)

    def forward(self, x):
        return self.linear(self.linear(x))


class SharedHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.down = nn.Conv2d(8, 8, 3, 2, 1)
        self.head = nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, x):
        first = self.stem(x)
        return self.head(first), self.head(self.down(first))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(32, 32, bias=False)
        self.second = nn.Linear(32, 32, bias=False)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x))


class TiedHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(100, 8)

    def forward(self, x):
        return F.linear(self.words(x), self.words.weight)


class TiedHeadWithBias(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(100, 8)
        self.bias = nn.Parameter(torch.zeros(100))

    def forward(self, x):
        return F.linear(self.words(x), self.words.weight, self.bias)


class CodebookDistance(nn.Module):
    def __init__(self):
        super().__init__()
        self.codes = nn.Embedding(512, 64)

    def forward(self, x):
        flat = x.reshape(-1, 64)
        far = (flat**2).sum(1, keepdim=True) + (self.codes.weight**2).sum(1) - 2 * flat @ self.codes.weight.t()
        return self.codes(far.argmin(1)).view_as(x)


class MixedKernels(nn.Module):
    def __init__(self):
        super().__init__()
        self.route = nn.Linear(8, 4)
        self.weight = nn.Parameter(torch.empty(4, 8 * 8 * 9))

    def forward(self, x):
        w = (self.route(x.mean((2, 3))).sigmoid() @ self.weight).view(8, 8, 3, 3)
        return F.conv2d(x, w, padding=1)


class EinsumMix(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(16, 32))
        self.bias = nn.Parameter(torch.zeros(32))

    def forward(self, x):
        return (torch.einsum("bhwc,cd->bhwd", x.permute(0, 2, 3, 1), self.weight) + self.bias).permute(0, 3, 1, 2)


class Lora(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(32, 8)
        self.a = nn.Parameter(torch.empty(4, 32))
        self.b = nn.Parameter(torch.empty(8, 4))

    def forward(self, x):
        return F.linear(x, self.linear.weight + self.b @ self.a, self.linear.bias)


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 8)
        self.places = nn.Embedding(512, 8)

    def forward(self, x):
        return self.words(x) + self.places(torch.arange(x.shape[1]))
"""

CASES = {  # by hand: (inputs, params, mult-adds)
    "no_affine": (["8x8x3"], 24 + 32, 64 * 24 + 64 * 32),
    "AddmmTable": (["16x32"], 32 * 8 + 16 * 8, 16 * 32 * 8),
    "TwoTokens": (["16x32"], 64 + 264, 18 * 32 * 8),
    "SharedTable": (["16:int64", "16:int64"], 400, 0),
    "RmsMul": (["16x32"], 32 + 256, 16 * 256),
    "LayerScale": (["16x32"], 64 + 32 + 1_056, 16 * 1_024),
    "Twice": (["16x32"], 1_056, 2 * 16 * 1_024),
    "SharedHead": (["8x8x3"], 224 + 584 + 292, 64 * 216 + 16 * 576 + 80 * 288),
    "Tied": (["16x32"], 1_024, 2 * 16 * 1_024),
    "TiedHead": (["12:int64"], 800, 12 * 800),
    "TiedHeadWithBias": (["12:int64"], 900, 12 * 800),
    "CodebookDistance": (["4x64"], 512 * 64, 4 * 512 * 64),
    "MixedKernels": (["8x8x8"], 36 + 2_304, 32 + 2_304 + 64 * 576),
    "EinsumMix": (["8x8x16"], 512 + 32, 64 * 512),
    "Lora": (["16x32"], 264 + 160, 16 * 256 + 8 * 4 * 32),
    "weight_norm": (["8x8x4"], 288 + 8 + 8, 36 * 288),
    "spectral_norm": (["16x32"], 264, 16 * 256 + 256 + 8),  # the matrix by a vector, that by another
    "Positions": (["16:int64"], 562 * 8, 0),
}


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """A function that returns the model of one of NETS for inputs."""
    from costcalc.read.torch import program, reader
    from costcalc.read.torch.program import shape

    (tmp_path / "shared_nets.py").write_text(NETS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shared_nets", raising=False)

    def read(name, inputs):
        return reader.read(program.exported(f"shared_nets:{name}", [shape(one) for one in inputs], {}), name, name)

    return read


@pytest.mark.parametrize("name", CASES)
def test_a_written_spec_costs_what_the_report_says(imported, name):
    inputs, *due = CASES[name]
    totals, _ = assert_spec_costs_the_same(imported(name, inputs))
    assert due == [totals["params"], totals["mult_adds"]]


SAID = {  # shared weights in the spec
    "Twice": ["- {linear: 32, as: linear", "- reuse: linear"],
    "Tied": ["- {linear: 32, bias: false, as: first}", "- reuse: first"],
    "TiedHead": ["- {embedding: 8, vocab: 100, as: words}", "- {linear: 100, bias: false, reuse: words}"],
    "SharedHead": ["reuse: head"],
    "TwoTokens": ["- [{parameter: [1, 32]}]\n      - [{parameter: [1, 32]}]\n"],
}


@pytest.mark.parametrize("name", SAID)
def test_shared_weights_are_said_by_name(imported, name):
    _, text = assert_spec_costs_the_same(imported(name, CASES[name][0]))
    assert [line for line in SAID[name] if line not in text] == []
