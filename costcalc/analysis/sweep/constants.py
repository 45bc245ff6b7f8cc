"""What stays the same while some variables of a spec vary: the values of others, and shapes of inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...model.inputs import input_shape
from ...model.network import names_of
from ...model.variables import fixed, typical

if TYPE_CHECKING:
    from ...model.network import Model
    from ...num.values import Shape


def constants(
    model: Model, varied: Sequence[str], given: Iterable[Any] = ()
) -> tuple[dict[str, Shape], dict[str, Any]]:
    """(inputs, values) that no varying value reaches: the shapes of inputs by name, and the variables' values.

    Where `rho` varies, `res` is there as what it is a share of, unless it varies too.
    """
    by_rho = "rho" in varied and "res" not in varied
    values = fixed(model, {*varied, *(["res"] if by_rho else [])}, given)
    inputs = {
        name: input_shape(name, one, values, model.variables)
        for name, one in model.inputs.items()
        if names_of(one.shape) <= {*values}
    }
    return inputs, {**({"res": typical(model)["res"]} if by_rho else {}), **values}
