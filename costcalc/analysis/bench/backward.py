"""The forward pass, and forward and backward passes, of a network as a PyTorch module, timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import OptionError, Problem
from ...model.network import Model
from ...model.stitching import graph_of
from ...records import NamedTuple
from ...write.torch import source_text

_GRIDS = frozenset(("conv", "dwconv", "maxpool", "avgpool", "conv_transpose", "lppool"))


class Passes(NamedTuple):
    """What is run: a forward pass, a forward and a backward pass, and the version of what runs them."""

    forward: Callable[[], None]
    both: Callable[[], None]
    runtime: str


def passes(model: Model, settled: Mapping[str, Any], threads: int) -> Passes:
    """Both passes of a network in training, with random weights and inputs, batch 1.

    The module is the one that `costcalc export --to torch` writes. Raises OptionError without PyTorch, SpecError for a
    network that has no such form.
    """
    torch = _torch()
    graph = graph_of(model, settled)
    space: dict[str, Any] = {}
    exec(compile(source_text(graph, model.name), "network.py", "exec"), space)
    made = [one for one in space.values() if isinstance(one, type) and issubclass(one, torch.nn.Module)]
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = made[-1]().train()
    inputs = [_input(torch, graph, name) for name in graph.inputs]

    def forward() -> None:
        network(*inputs)

    def both() -> None:
        network.zero_grad(set_to_none=True)
        found = network(*inputs)
        sum(one.sum() for one in (found if isinstance(found, tuple) else (found,))).backward()

    try:
        both()
    except ValueError as error:  # a batch norm over one value
        raise OptionError(Problem("bad-value", f"{model.name} cannot be trained on one sample: {error}")) from None
    return Passes(forward, both, f"torch {torch.__version__.partition('+')[0]}")


def _input(torch: Any, graph: Any, name: str) -> Any:
    """A random input: channels after the batch where grids are read."""
    readers = {node.row.op.name for node in graph.nodes if name in node.sources}
    shape = graph.inputs[name]
    first = len(shape) > 2 or readers & _GRIDS
    sizes = (1, shape[-1], *shape[:-1]) if first else (1, *shape)
    return torch.zeros(sizes, dtype=torch.int64) if readers == {"embedding"} else torch.rand(sizes)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        message = "timing of backward passes needs the package torch, which is not installed"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[torch]'")) from None
    return torch
