"""Every shipped network as a module of PyTorch keeps what `saved_bytes` says, by hooks and without numbers."""

import pytest

from costcalc import training
from costcalc.num import prod
from costcalc.read.loading import load
from tests.write.test_export_torch import WRITTEN, graph_of, module

torch = pytest.importorskip("torch")

OTHER = {  # whose module is another network there
    **dict.fromkeys(("faster_rcnn_inception_v2", "faster_rcnn_mobilenet", "faster_rcnn_vgg"), "runs one region"),
    "ssd300_vgg": "pads a pool that rounds up",
    "facenet_nn2": "its power means keep more than is known",
}
FAST = {"mobilenet_v3_small", "shufflenet_v2", "squeezenet1_1", "llama3_8b"}
PATHS = [path for path in WRITTEN if path.stem not in OTHER]
CASES = [pytest.param(path, id=path.stem, marks=[] if path.stem in FAST else pytest.mark.slow) for path in PATHS]


def kept(model, batch):
    """The bytes of all storages that the module of a model keeps, but those of parameters and statistics."""
    made = module(model).train()
    held = {one.untyped_storage()._cdata for one in (*made.parameters(), *made.buffers())}
    found, alive = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        alive.append((tensor, storage))
        if storage._cdata not in held:
            found[storage._cdata] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one):
        alive.append(made(*fed(model, batch)))
    return sum(found.values())


def fed(model, batch):
    """Inputs without numbers."""
    graph = graph_of(model)
    for name, shape in graph.inputs.items():
        readers = {node.row.op.name for node in graph.nodes if name in node.sources}
        first = len(shape) > 2 or readers & {"conv", "maxpool", "avgpool"}
        stored = (batch, shape[-1], *shape[:-1]) if first else (batch, *shape)
        yield torch.zeros(stored, dtype=torch.int64 if readers == {"embedding"} else torch.float32, device="meta")


@pytest.mark.parametrize("path", CASES)
def test_a_module_keeps_what_its_spec_says(path):
    """With attention that PyTorch runs unfused here; a last softmax is part of the module, and of the loss with us."""
    ours = training(path, batch=2, attention="math")
    last = next((line for line in ours.lines if line.name == ours.loss), None)
    loss = 0 if last is None else 2 * 4 * prod(last.output)
    assert ours.complete
    assert ours.totals["saved_bytes"] + loss == kept(load(path)._replace(phase="train"), 2)
