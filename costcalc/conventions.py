"""Conventions as data: what each quantity that a rule states is priced at.

A rule says how many multiply-adds, bias additions, normalised values .. a layer has (`Layer.terms`) and how many
numbers of each kind it holds (`Layer.params`). A convention prices them, so a cost is a dot product.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import OptionError, Problem, listed, nearest

MAC = {"mac": 1, "mac_attention": 1, "mac_masked": 1}
TRAINABLE = {"weight": 1, "bias": 1, "gamma": 1, "beta": 1, "slope": 1}


class Convention(NamedTuple):
    """A price list. `cost` is the name of its cost metric: `mult_adds` or `flops`."""

    name: str
    title: str
    cost: str
    prices: Mapping[str, int]  # quantity -> price, for the cost
    params: Mapping[str, int]  # kind of number -> price, for `params`
    source: str

    def price(self, layer, times=1, shared=False) -> tuple[Any, Any]:
        """(cost, params) of one layer run `times` per sample; shared weights count 0."""
        cost: Any = 0
        for term, quantity in layer.terms.items():
            rate = self.prices.get(term)
            if rate:
                cost = cost + (quantity if rate == 1 else rate * quantity)
        params: Any = 0
        if not shared:
            for kind, quantity in layer.params.items():
                rate = self.params.get(kind)
                if rate:
                    params = params + (quantity if rate == 1 else rate * quantity)
        return (cost if _is_once(times) else cost * times), params


def _is_once(times):
    return type(times) is int and times == 1


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
        title="1 per mult-add of convolutions, linear layers and matrix products; params are all trainable numbers",
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
        title="1 per mult-add; params are all numbers of the model, with the moving statistics of batch norm",
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
}


def find(name):
    """The convention of that name, or `name` itself if it is one. Raises OptionError."""
    if isinstance(name, Convention):
        return name
    if name not in CONVENTIONS:
        help = nearest(name, CONVENTIONS) or f"known: {listed(CONVENTIONS)}"
        raise OptionError(Problem("unknown-convention", f"there is no convention `{name}`", help=help))
    return CONVENTIONS[name]
