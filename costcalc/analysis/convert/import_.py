"""A model as a spec that people read, edit and sweep."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...arguments import mapping
from ...errors import OptionError, Problem
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from ...read.spec.args import is_name
from ...read.spec.declarations import TAKEN
from ...replacing import replacing
from ..report.analyze import analyze, scaled

if TYPE_CHECKING:
    import pandas


class SpecText(str):
    """The text of a spec."""

    __slots__ = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, whole or not at all. Raises OSError."""
        with replacing(os.fspath(path), False) as file:
            file.write(str(self))

    def frame(self) -> pandas.DataFrame:
        """The layers of the spec, and what each costs."""
        return analyze(str(self)).frame()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"


def import_(
    spec: Network,
    path: str | os.PathLike[str] | None = None,
    *,
    width: str | None = None,
    flat: bool = False,
    input: Inputs | None = None,
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> SpecText:
    """A network as the text of a spec, written to `path` if there is one.

    spec, input  what `costcalc.load` takes
    width        multiply every width by a variable of this name, for sweeps
    flat         a line per layer, under the name it has in the model: no blocks, no repeats
    rho, settings, values  as in `analyze`

    Layers of equal structure become blocks and repeats. Read back, the spec has the same layers with the same costs.
    Raises CostcalcError.
    """
    from ...write.spec import spec_text

    check_name(width)
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
    with uncollected():
        model = load(spec, input)
        text = SpecText(spec_text(model, settle(model, scaled(model, given, rho)), width, flat))
    if path is not None:
        text.save(path)
    return text


def check_name(width: str | None) -> None:
    """Refuse what cannot name a variable of a spec. Raises OptionError."""
    taken = {*TAKEN, "c", "width"}
    if width is not None and (not is_name(width) or width in taken):
        raise OptionError(Problem("bad-name", f"`--width {width}` cannot name a variable", help="--width alpha"))
