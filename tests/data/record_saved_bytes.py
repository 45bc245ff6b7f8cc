"""Record the bytes that PyTorch saves for the backward pass of torchvision networks: writes saved_bytes.json.

    python -m venv torch && torch/bin/pip install torch==2.13.0 torchvision==0.28.0
    torch/bin/python record_saved_bytes.py

Each network is built with random weights, in training mode, and run forward on two images of 224x224 under hooks of
saved tensors. Every storage counts once, with all its bytes; those of parameters and buffers do not count. `int64` is
the part of indices. FlopCounterMode on the meta device gives the mult-adds of both passes (half its FLOPs), batch 1.
The tests read the file and need no torch.
"""

import json
from pathlib import Path

import torch
import torchvision
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

BATCH = 2
NETWORKS = {  # name here -> name in torchvision, whether its stochastic depth drops branches
    **{name: (name, True) for name in ("mobilenet_v2", "resnet18", "resnet50", "vgg16", "squeezenet1_0", "alexnet")},
    "vit_b_16, math": ("vit_b_16", True),
    "vit_b_16, fused": ("vit_b_16", True),
    "swin_t": ("swin_t", True),
    "swin_t, no stochastic depth": ("swin_t", False),
    **{name: (name, True) for name in ("resnet34", "resnet101", "squeezenet1_1", "mnasnet1_0", "resnext50_32x4d")},
    **{name: (name, True) for name in ("mobilenet_v3_large", "mobilenet_v3_small", "regnet_y_400mf", "densenet121")},
    "shufflenet_v2_x1_0": ("shufflenet_v2_x1_0", True),
    "efficientnet_b0, no stochastic depth": ("efficientnet_b0", False),
    "convnext_tiny, no stochastic depth": ("convnext_tiny", False),
}


def saved(model):
    """(bytes of all saved storages, int64 bytes among them) of a forward pass."""
    own = {one.untyped_storage().data_ptr() for one in (*model.parameters(), *model.buffers())}
    kept, alive = {}, []  # a freed storage may be reused at the same address

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own and tensor.numel():
            alive.append(tensor)
            kept.setdefault(storage.data_ptr(), (storage.nbytes(), tensor.dtype))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(torch.randn(BATCH, 3, 224, 224))
    sizes = kept.values()
    return sum(size for size, _ in sizes), sum(size for size, dtype in sizes if dtype is torch.int64)


def built(name, drops):
    """A network in training mode."""
    model = torchvision.models.get_model(name, weights=None).train()
    for module in model.modules():
        if type(module).__name__ == "StochasticDepth" and not drops:
            module.p = 0.0
    return model


def macs(name, drops):
    """(forward, backward) mult-adds on the meta device, batch 1."""
    with torch.device("meta"):
        model = built(name, drops)
        image = torch.randn(1, 3, 224, 224)
    with FlopCounterMode(display=False) as forward:
        result = model(image)
    with FlopCounterMode(display=False) as backward:
        result.sum().backward()
    return forward.get_total_flops() // 2, backward.get_total_flops() // 2


def record():
    """Every network, in order."""
    found = {}
    for title, (name, drops) in NETWORKS.items():
        backend = SDPBackend.MATH if "math" in title else SDPBackend.FLASH_ATTENTION
        with sdpa_kernel(backend):
            kept, indices = saved(built(name, drops))
        try:
            forward, backward = macs(name, drops)
        except Exception as error:
            print(title, "no mult-adds:", error)
            forward = backward = None
        found[title] = {"saved_bytes": kept, "int64": indices, "mult_adds": forward, "backward_mult_adds": backward}
        print(title, found[title], flush=True)
    return found


if __name__ == "__main__":
    about = {"torch": torch.__version__, "torchvision": torchvision.__version__, "batch": BATCH}
    text = json.dumps({**about, "networks": record()}, indent=1) + "\n"
    Path(__file__).with_name("saved_bytes.json").write_text(text, encoding="utf-8")
