"""A random operator of a module made untranslatable: the totals are marked lower bounds."""

import random

import pytest

from costcalc import analyze

torch = pytest.importorskip("torch", reason="torch is not installed: costcalc[torch]")
F, nn = torch.nn.functional, torch.nn
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


class Separable(nn.Module):
    """Convolutions, norms, gates, and a resized table of positions."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.deep = nn.Conv2d(8, 8, 3, 1, 1, groups=8)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1))
        self.positions = nn.Parameter(torch.zeros(1, 8, 4, 4))
        self.up = nn.ConvTranspose2d(8, 4, 2, 2)
        self.head = nn.Linear(4, 10)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)))
        x = x + self.deep(x) * self.gate(x).sigmoid()
        x = x + F.interpolate(self.positions, size=x.shape[-2:], mode="bicubic")
        return self.head(self.up(x).mean((2, 3)))


class Encoder(nn.Module):
    """Tied embeddings, prepended tokens, positions, attention, a normalised weight."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 16)
        self.token = nn.Parameter(torch.zeros(1, 1, 16))
        self.positions = nn.Parameter(torch.zeros(1, 32, 16))
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.mix = nn.utils.parametrizations.weight_norm(nn.Linear(16, 16))

    def forward(self, tokens):
        x = torch.cat([self.token, self.words(tokens)], 1)
        x = self.layer(x + self.positions[:, : x.shape[1]])
        return F.linear(self.mix(x), self.words.weight)


class Mixture(nn.Module):
    """Recurrent steps, gathered experts, einsums and products of only parameters."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(8, 8)
        self.gate = nn.Linear(8, 4, bias=False)
        self.experts = nn.Parameter(torch.zeros(4, 8, 8))
        self.low, self.high = nn.Parameter(torch.zeros(8, 2)), nn.Parameter(torch.zeros(2, 8))

    def forward(self, x):
        x = self.cell(x, x)
        weight, chosen = self.gate(x).softmax(-1).topk(2, -1)
        mixed = torch.einsum("tc,tkcd->tkd", x, self.experts[chosen])
        x = (mixed * weight[..., None]).sum(1) @ (self.low @ self.high)
        return torch.tensordot(x.reshape(2, 3, 8), self.experts, dims=([2], [1]))


MODULES = {
    Separable: ((1, 3, 16, 16), torch.float32),
    Encoder: ((1, 9), torch.int64),
    Mixture: ((6, 8), torch.float32),
}


def exported(kind):
    """The program of a module."""
    shape, dtype = MODULES[kind]
    with torch.device("meta"):
        return torch.export.export(kind().eval(), (torch.empty(shape, dtype=dtype),), strict=False)


def names(program):
    """The translatable operators of a program."""
    from costcalc.read.torch import translate

    schemas = (getattr(one.target, "_schema", None) for one in program.graph.nodes)
    return [(one.name, at) for at, one in enumerate(schemas) if one is not None and translate.find(one.name)]


@pytest.fixture(scope="module")
def programs():
    """Each unmodified module and its report."""
    from costcalc.read.torch import reader

    found = {kind: exported(kind) for kind in MODULES}
    return {kind: (one, analyze(reader.read(one, "net", "net"), convention="framework")) for kind, one in found.items()}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", MODULES, ids=lambda kind: kind.__name__)
def test_an_unknown_operator_leaves_lower_bounds(programs, kind, seed, monkeypatch):
    from costcalc.read.torch import reader

    program, due = programs[kind]
    at = random.Random(f"{kind.__name__}{seed}").choice([at for _, at in names(program)])
    lost, called = list(program.graph.nodes)[at].name, reader._called
    monkeypatch.setattr(reader, "_called", lambda node: [reader._unknown(node)] if node.name == lost else called(node))
    found = analyze(reader.read(program, "net", "net"), convention="framework")
    assert due.complete
    assert not found.complete, lost
    assert [metric for metric in due.totals if found.totals[metric] > due.totals[metric]] == [], lost
    assert found.totals["params"] == due.totals["params"], lost
    assert found.accounting.is_closed
