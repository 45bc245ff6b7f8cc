"""Every shipped network as a PyTorch module saves `saved_bytes`, measured with hooks on the meta device.

Checked with torch 2.13.0. A written module has one linear layer each for queries, keys and values, so its attention is
`unfused`: PyTorch's unfused kernel saves scaled copies in place of queries and keys. `math` is
nn.MultiheadAttention (test_saved_layers.py), which also saves the result of its joint projection.
"""

import pytest

from costcalc import training
from costcalc.num import prod
from costcalc.read.loading import load
from tests.write.test_export_torch import WRITTEN, graph_of, module

torch = pytest.importorskip("torch")
from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: E402

OTHER = {  # networks whose module differs
    **dict.fromkeys(("faster_rcnn_inception_v2", "faster_rcnn_mobilenet", "faster_rcnn_vgg"), "runs one region"),
    "ssd300_vgg": "pads a pool that rounds up",
    "facenet_nn2": "its power means keep more than is known",
}
FAST = {"mobilenet_v3_small", "shufflenet_v2", "squeezenet1_1", "llama3_8b"}
PATHS = [path for path in WRITTEN if path.stem not in OTHER]
CASES = [pytest.param(path, id=path.stem, marks=[] if path.stem in FAST else pytest.mark.slow) for path in PATHS]


def kept(model, batch, device="meta", **values):
    """The bytes of all storages that the module of a model saves, without parameters and statistics."""
    made = module(model, device, **values).train()
    held = {one.untyped_storage()._cdata for one in (*made.parameters(), *made.buffers())}
    found, alive = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        alive.append((tensor, storage))
        if storage._cdata not in held:
            found[storage._cdata] = storage.nbytes()
        return tensor

    with sdpa_kernel(SDPBackend.MATH), torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one):
        alive.append(made(*fed(graph_of(model, **values), batch, device)))
    return sum(found.values())


def fed(graph, batch, device):
    """Inputs of zeros."""
    for name, shape in graph.inputs.items():
        readers = {node.row.op.name for node in graph.nodes if name in node.sources}
        first = len(shape) > 2 or readers & {"conv", "maxpool", "avgpool"}
        stored = (batch, shape[-1], *shape[:-1]) if first else (batch, *shape)
        yield torch.zeros(stored, dtype=torch.int64 if readers == {"embedding"} else torch.float32, device=device)


def said(model, **values):
    """The `saved_bytes` of a network, plus a final softmax, which is part of the module but of the loss in costcalc."""
    ours = training(model, batch=2, **values)
    last = next((line for line in ours.lines if line.name == ours.loss), None)
    assert ours.complete
    return ours.totals["saved_bytes"] + (0 if last is None else 2 * 4 * prod(last.output))


@pytest.mark.parametrize("path", CASES)
def test_a_module_keeps_what_its_spec_says(path):
    model = load(path)._replace(phase="train")
    assert said(model) == kept(model, 2)


SMALL = {
    "vit_b_16": {"patch": 4, "dim": 16, "heads": 2, "layers": 1, "res": 8, "classes": 3},
    "swin_t": {"c": 32, "n3": 1, "res": 32, "classes": 3},
    "decoder": {"new": 8, "n_layers": 1, "dim": 64, "hidden": 16},
    "mobilenet_v3_small": {"res": 32},
}


@pytest.mark.parametrize("name", SMALL)
def test_numbers_are_kept_as_without_them(name):
    """The meta device saves the same as the CPU with the same attention kernel."""
    model, values = load(name)._replace(phase="train"), SMALL[name]
    assert said(model, **values) == kept(model, 2, **values) == kept(model, 2, "cpu", **values)
