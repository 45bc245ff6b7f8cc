"""Features of whole networks besides layers: caches, empty initial tensors, data-dependent sizes."""

import pytest

from costcalc import analyze

torch = pytest.importorskip("torch", reason="torch is not installed: costcalc[torch]")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


class Cache:
    """The cache of a decoder, of a type unknown to exporters."""

    def __init__(self, keys):
        self.keys = keys


class Decoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.key = torch.nn.Linear(8, 8, bias=False)

    def forward(self, x):
        keys = torch.cat([x.new_zeros(0), self.key(x)], -2)  # a cache starts as an empty vector
        return {"logits": keys @ x.mT, "cache": Cache(keys), "loss": None}


class Open(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(8, 8, bias=False)

    def forward(self, x):
        some = self.linear(x)[x[..., 0] > 0]  # a data-dependent number of rows
        return torch.stack([some.t(), some.t()]), self.linear(x)


def report(make):
    """The report of a module from a callable of this file, read like `costcalc import torch`."""
    from costcalc.read.torch import program, reader

    exported = program.exported(f"{__name__}:{make}", [((1, 16, 8), "float32")], {})
    return analyze(reader.read(exported, make, make), convention="framework")


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Make this file importable by its name."""
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or type(sys)(__name__))
    vars(sys.modules[__name__]).update(Decoder=Decoder, Open=Open, Routed=Routed)


def test_a_decoder_gives_its_cache():
    found = report("Decoder")
    assert found.complete
    assert found.totals == {"params": 64, "mult_adds": 16 * 8 * 8 + 16 * 8 * 16}


def test_what_reads_open_sizes_is_unknown():
    found = report("Open")
    assert not found.complete
    assert found.totals == {"params": 64, "mult_adds": 2 * 16 * 8 * 8}


class Routed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.router = torch.nn.Linear(8, 4, bias=False)

    def forward(self, x):
        chosen = self.router(x).argmax(-1)
        return chosen, torch.histc(chosen.float(), bins=4, min=0, max=3)


def test_counting_tokens_of_experts_multiplies_nothing():
    found = report("Routed")
    assert found.complete
    assert found.totals == {"params": 32, "mult_adds": 16 * 8 * 4}
