"""Conventions as data: the price of each quantity stated by a rule.

A rule states how many multiply-adds, bias additions, normalised values .. a layer has (`Layer.terms`) and how many
parameters of each kind (`Layer.params`). A convention prices them, so a cost is a dot product. `counters` has a YAML
price list for each supported counting program, loaded when requested by name.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TypeAlias

from ..errors import ArgumentError, FileError, OptionError, Problem, Source, brief, listed, nearest
from ..files import check_links, specs_in, text
from .pricing import MAC, TRAINABLE, Convention

Prices: TypeAlias = str | os.PathLike[str] | Convention | Source  # a convention as an argument of the library

CONVENTIONS = {
    "paper": Convention(
        name="paper",
        title="1 per mult-add of convolutions, linear layers and matrix products; params are their weights",
        cost="mult_adds",
        prices=MAC,
        params={"weight": 1},
        source="MobileNets (arXiv:1704.04861), Tables 2 to 9: no bias, batch norm, activation or pooling is counted",
    ),
    "framework": Convention(
        name="framework",
        title="1 per mult-add of convolutions, linear layers and matrix products; params are all trainable parameters",
        cost="mult_adds",
        prices=MAC,
        params=TRAINABLE,
        source="PyTorch, sum(p.numel() for p in model.parameters()): weights, biases, norms, slopes",
    ),
    "flops": Convention(
        name="flops",
        title="FLOPs, 2 per mult-add of convolutions, linear layers and matrix products; params as in framework",
        cost="flops",
        prices=dict.fromkeys(MAC, 2),
        params=TRAINABLE,
        source="torch.utils.flop_counter.FlopCounterMode: a multiply and an add are two operations",
    ),
    "keras": Convention(
        name="keras",
        title="1 per mult-add; params are all parameters and the moving statistics of batch norm",
        cost="mult_adds",
        prices=MAC,
        params={**TRAINABLE, "running": 1},
        source="Keras, Model.count_params(): trainable and non-trainable weights",
    ),
    "slim": Convention(
        name="slim",
        title="1 per mult-add; params are weights, biases, and beta, moving mean and variance of batch norm",
        cost="mult_adds",
        prices=MAC,
        params={kind: price for kind, price in {**TRAINABLE, "running": 1}.items() if kind != "gamma"},
        source="TF-Slim, README of MobileNet V1: slim.batch_norm has no gamma unless scale=True",
    ),
    "slim_v2": Convention(
        name="slim_v2",
        title="1 per mult-add; params are weights and biases, without batch norm",
        cost="mult_adds",
        prices=MAC,
        params={"weight": 1, "bias": 1},
        source="TF-Slim, README of MobileNet V2 and V3; the tables of arXiv:1801.04381 and arXiv:1905.02244",
    ),
    "flash": Convention(
        name="flash",
        title="FLOPs of attention that skips what a mask hides: 2 per mult-add, 0 under a causal mask",
        cost="flops",
        prices={"mac": 2, "mac_attention": 2},
        params=TRAINABLE,
        source="FlashAttention-2 (arXiv:2307.08691), section 4.1: half of the FLOPs with a causal mask",
        notes=(
            "A causal mask leaves T*(T+1)/2 of T*T pairs; the paper divides by 2, which omits half of the diagonal.",
        ),
    ),
    "6N": Convention(
        name="6N",
        title="training FLOPs, 6 per weight and token: no attention, embeddings or logits; params are these weights",
        cost="flops",
        prices={"mac": 6, "logits.mac": 0},
        params={"weight": 1, "embedding.weight": 0, "logits.weight": 0},
        source="Kaplan et al. 2020 (arXiv:2001.08361), section 2.1 and Table 1: 6*N*D, N without embeddings",
    ),
    "palm": Convention(
        name="palm",
        title="training FLOPs of the model, 6 per mult-add: 6*N + 12*L*H*Q*T a token, causal attention not halved",
        cost="flops",
        prices=dict.fromkeys(MAC, 6),
        params=TRAINABLE,
        source="PaLM (arXiv:2204.02311), Appendix B: the FLOPs of model FLOPs utilization (MFU)",
        notes=("N counts the weights used in products: including the logits, excluding the input embedding.",),
    ),
    "megatron": Convention(
        name="megatron",
        title="training FLOPs of the hardware with all layers run twice: 8 per mult-add, 6 of the logits",
        cost="flops",
        prices={**dict.fromkeys(MAC, 8), "logits.mac": 6},
        params=TRAINABLE,
        source="Narayanan et al. 2021 (arXiv:2104.04473), section 5.1: 96*B*s*l*h^2*(1 + s/(6*h) + V/(16*l*h))",
    ),
    "mamba": Convention(
        name="mamba",
        title="FLOPs, 2 per mult-add, and 9 per value of the state of a selective scan, 2 of its skip",
        cost="flops",
        prices={**dict.fromkeys(MAC, 2), "scan": 9, "selective_scan.multiply": 1, "selective_scan.add": 1},
        params=TRAINABLE,
        source="the authors of Mamba, state-spaces/mamba issue 110: 9*B*L*D*N",
    ),
}

_FOLDER = os.path.join(os.path.dirname(__file__), "counters")
COUNTERS = tuple(sorted(name.removesuffix(".yaml") for name in os.listdir(_FOLDER) if name.endswith(".yaml")))
NAMES = (*CONVENTIONS, *COUNTERS)


def find(name: str | Convention) -> Convention:
    """The convention of that name; a Convention is returned as is. Raises OptionError."""
    if isinstance(name, Convention):
        return name
    if name in CONVENTIONS:
        return CONVENTIONS[name]
    if name not in COUNTERS:
        help = nearest(name, NAMES) or f"known: {listed(NAMES)}; or the path of a price list, such as my.yaml"
        if name.endswith((".yaml", ".yml")):
            help = "give a price list in a file to --convention; its metrics are mult_adds, flops and params"
        raise OptionError(Problem("unknown-convention", f"there is no convention `{name}`", help=help))
    return _counter(name)


@lru_cache
def _counter(name: str) -> Convention:
    from .price_lists import read

    path = os.path.join(_FOLDER, f"{name}.yaml")
    return read(Source(path, text(path)), find, NAMES)


def price_list(name: Prices) -> Convention:
    """The Convention of a name, a price list file (`my.yaml`) or its text; a Convention is returned as is."""
    if isinstance(name, Source):
        from .price_lists import read

        return read(name, find, NAMES)
    if isinstance(name, os.PathLike):
        name = os.fspath(name)
    if not isinstance(name, (str, Convention)):
        help = "give a name that `costcalc conventions` lists, the path of a price list, or a Convention"
        raise ArgumentError(Problem("bad-argument", f"`convention` cannot be {brief(repr(name))}", help=help))
    if isinstance(name, Convention) or not name.endswith((".yaml", ".yml")):
        return find(name)
    if not os.path.exists(name):
        help = nearest(name, specs_in(os.path.dirname(name) or ".")) or "`costcalc conventions` lists those with names"
        raise FileError(Problem("no-file", f"there is no file {name!r}", help=help))
    check_links(name)
    return price_list(Source(name, text(name)))
