"""Bytes that PyTorch saves for the backward pass, measured with its hooks, against `saved_bytes`."""

import pytest

from costcalc import training
from costcalc.errors import Source
from costcalc.read.spec.reader import read

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


class First(nn.Module):
    """Select the output sequence of a recurrent layer."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


def kept(module, shape, autocast=False):
    """The bytes of all storages that a forward pass saves, without parameters and statistics."""
    held = {one.untyped_storage().data_ptr() for one in (*module.parameters(), *module.buffers())}
    found, alive = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in held:
            found[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one)
    with hooks, torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        alive.append(module(torch.rand(shape)))
    return sum(found.values())


def ours(layers, shape, **how):
    model = read(Source("n.yaml", f"input: {list(shape[1:])}\nlayers: {layers}\n"))
    return training(model, batch=shape[0], **how).totals["saved_bytes"]


LINEAR = nn.Linear(8, 16)


@pytest.mark.parametrize(
    ("layers", "make"),
    [
        ("[{linear: 16}, {rnn: 24}]", lambda: nn.Sequential(LINEAR, First(nn.RNN(16, 24, batch_first=True)))),
        ("[{rnn: 24}]", lambda: First(nn.RNN(8, 24, batch_first=True))),
        (
            "[{linear: 16}, {rnn: 24, layers: 2}]",
            lambda: nn.Sequential(LINEAR, First(nn.RNN(16, 24, 2, batch_first=True))),
        ),
        ("[{linear: 16}, {gru: 24}]", lambda: nn.Sequential(LINEAR, First(nn.GRU(16, 24, batch_first=True)))),
        (
            "[{gru: 12, layers: 3}, {linear: 2}]",
            lambda: nn.Sequential(First(nn.GRU(8, 12, 3, batch_first=True)), nn.Linear(12, 2)),
        ),
        ("[rmsnorm]", lambda: nn.RMSNorm(8)),
        ("[{linear: 16}, rmsnorm, {linear: 2}]", lambda: nn.Sequential(LINEAR, nn.RMSNorm(16), nn.Linear(16, 2))),
    ],
)
def test_what_is_kept(layers, make):
    for batch, steps in ((1, 7), (3, 5)):
        assert ours(layers, (batch, steps, 8)) == kept(make(), (batch, steps, 8))


@pytest.mark.parametrize(
    ("layer", "make"),
    [
        ("{lstm: 24}", lambda: nn.LSTM(8, 24, batch_first=True)),
        ("{gru: 24, bidirectional: true}", lambda: nn.GRU(8, 24, batch_first=True, bidirectional=True)),
        ("{rnn: 24, layers: 2, bidirectional: true}", lambda: nn.RNN(8, 24, 2, batch_first=True, bidirectional=True)),
    ],
)
def test_lower_bounds(layer, make):
    """An LSTM saves a workspace of undocumented size; both directions copy their inputs for batch 2 or more."""
    for batch in (1, 3):
        model = read(Source("n.yaml", f"input: [5, 8]\nlayers: [{layer}]\n"))
        found = training(model, batch=batch)
        assert not found.complete
        assert 0 < found.totals["saved_bytes"] <= kept(First(make()), (batch, 5, 8))


MIXED = [  # layers, module, shape, number of weights whose 16-bit copies are saved in addition
    ("[{linear: 16}, relu, {linear: 4}]", lambda: nn.Sequential(LINEAR, nn.ReLU(), nn.Linear(16, 4)), (3, 5, 8), 64),
    (
        "[{conv: 3x3, out: 8, bias: false}, batchnorm, relu, {maxpool: 2x2}, {conv: 1x1, out: 4}]",
        lambda: nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 1)
        ),
        (2, 8, 6, 8),
        576 + 32,
    ),
]


@pytest.mark.parametrize(("layers", "make", "shape", "casts"), MIXED)
def test_autocast(layers, make, shape, casts):
    """bfloat16 on the CPU: it saves `saved` plus the copies of weights, which are `casts` in the peak."""
    flowing = (shape[0], shape[-1], *shape[1:-1]) if "conv" in layers else shape
    assert ours(layers, shape, precision="amp") + 2 * casts == kept(make(), flowing, autocast=True)
