"""A network as a spec that a person can own: layers folded into blocks and repeats.

spec_text(model, values)    the YAML of a model over the values of its variables
"""

from ..wiring import wired
from .spec import written


def spec_text(model, values, width=None):
    """The spec of a model. `width` names a variable that widths are multiplied by.

    Read back, it has the same layers in the same order, each with the same cost. Raises SpecError as `trace` does.
    """
    return written(model, wired(model, values), values, width)
