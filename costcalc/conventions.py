"""Conventions as data: what each quantity that a rule states is priced at.

A rule says how many multiply-adds, bias additions, normalised values .. a layer has (`Layer.terms`) and how many
numbers of each kind it holds (`Layer.params`). A convention prices them, so a cost is a dot product. What other
programs count is in `counters`, loaded when one of them is asked for by name.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import OptionError, Problem, listed, nearest

MAC = {"mac": 1, "mac_attention": 1, "mac_masked": 1}
TRAINABLE = {"weight": 1, "bias": 1, "gamma": 1, "beta": 1, "slope": 1}


class Difference(NamedTuple):
    """Where a convention does not give what its program prints: of which networks or operations, and why."""

    figure: str  # the cost metric, or `params`
    of: tuple[str, ...]
    reason: str


class Convention(NamedTuple):
    """A price list. `cost` is the name of its cost metric: `mult_adds` or `flops`.

    A price is for a quantity in every operation (`mac`) or in one (`linear.mac`), which goes before.
    """

    name: str
    title: str
    cost: str
    prices: Mapping[str, int]  # quantity -> price, for the cost
    params: Mapping[str, int]  # kind of number -> price, for `params`
    source: str
    numbers: Mapping[str, int] = {}  # kind of number -> price, for the cost: once a run, whatever the input's size
    mirrors: Mapping[str, Mapping[str, str]] = {}  # prices, numbers or params -> key -> what in the program it mirrors
    bugs: Mapping[str, int] = {}  # key of prices -> how much of the price is a known bug of the program
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()

    def price(self, op, layer, times=1, shared=False) -> tuple[Any, Any]:
        """(cost, params) of one layer of an operation run `times` per sample; shared weights count 0."""
        return self.cost_of(op, layer, times), self.params_of(op, layer, shared)

    def cost_of(self, op, layer, times=1) -> Any:
        """The cost of one layer of an operation run `times` per sample."""
        cost = total(self.prices, op, layer.terms)
        if self.numbers:
            cost = cost + total(self.numbers, op, layer.params)
        return cost if _is_once(times) else cost * times

    def params_of(self, op, layer, shared=False) -> Any:
        """The parameters of one layer of an operation; shared weights count 0."""
        return 0 if shared else total(self.params, op, layer.params)


def total(prices, op, quantities) -> Any:
    """The sum of an operation's quantities, each times its price."""
    result: Any = 0
    for name, quantity in quantities.items():
        rate = prices.get(f"{op}.{name}")
        if rate is None:
            rate = prices.get(name)
        if rate:
            result = result + (quantity if rate == 1 else rate * quantity)
    return result


def price_of(prices, op, name):
    """The price of a quantity in an operation; 0 if there is none."""
    rate = prices.get(f"{op}.{name}")
    return prices.get(name, 0) if rate is None else rate


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
    "slim_v2": Convention(
        name="slim_v2",
        title="1 per mult-add; params are weights and biases, nothing of batch norm",
        cost="mult_adds",
        prices=MAC,
        params={"weight": 1, "bias": 1},
        source="TF-Slim, README of MobileNet V2 and V3; the tables of arXiv:1801.04381 and arXiv:1905.02244",
    ),
}

COUNTERS = {  # other programs' conventions -> their module in `counters`
    **{name: name for name in ("fvcore", "onnx_tool", "thop", "torchinfo", "torchprofile")},
    **dict.fromkeys(("ptflops", "ptflops_aten"), "ptflops"),
    **dict.fromkeys(("flop_counter", "flop_counter_meta"), "flop_counter"),
    **dict.fromkeys(("calflops", "calflops_macs", "deepspeed", "deepspeed_macs"), "deepspeed"),
}
NAMES = (*CONVENTIONS, *sorted(COUNTERS))


def find(name):
    """The convention of that name, or `name` itself if it is one. Raises OptionError."""
    if isinstance(name, Convention):
        return name
    if name in CONVENTIONS:
        return CONVENTIONS[name]
    if name not in COUNTERS:
        help = nearest(name, NAMES) or f"known: {listed(NAMES)}; or a price list of your own, such as my.yaml"
        if name.endswith((".yaml", ".yml")):
            help = "a price list in a file goes to --convention, and its metrics are mult_adds, flops and params"
        raise OptionError(Problem("unknown-convention", f"there is no convention `{name}`", help=help))
    from importlib import import_module

    return import_module(f"{__package__}.counters.{COUNTERS[name]}").CONVENTIONS[name]
