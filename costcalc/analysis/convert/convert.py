"""Export a network as an ONNX model or as the source of a PyTorch module; import a network as a spec."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...arguments import mapping
from ...errors import OptionError, Problem, listed, nearest
from ...model.network import Model
from ...model.stitching import graph_of
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from ...read.spec.args import is_name
from ...read.spec.declarations import TAKEN
from ...records import NamedTuple
from ...replacing import replacing
from ..report.analyze import analyze, scaled

if TYPE_CHECKING:
    import pandas

    from ...render import Result

SUFFIXES = {".onnx": "onnx", ".py": "torch"}
WEIGHTS = ("random", "zero", "none")


class Exported(NamedTuple):
    """An exported file: its form (`onnx` or `torch`), the model's name, its content, and notes.

    The pieces of an ONNX model are generated while they are written, so random weights are never all in memory.
    """

    form: str
    name: str
    pieces: Iterable[bytes] | Iterable[str]
    size: int  # bytes, or characters
    notes: tuple[str, ...]
    shown: Callable[[], Result] | None = None  # computes the costs of the network

    def frame(self) -> pandas.DataFrame:
        """Table of the layers of the network and their costs."""
        assert self.shown
        return self.shown().frame()

    @property
    def is_binary(self) -> bool:
        """Whether the content is bytes; else it is text."""
        return self.form == "onnx"

    @property
    def content(self) -> bytes | str:
        """The whole file in memory."""
        pieces: Any = self.pieces
        return b"".join(pieces) if self.is_binary else "".join(pieces)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the content to a file atomically. Raises OSError."""
        with replacing(os.fspath(path), self.is_binary) as file:
            file.writelines(self.pieces)

    def __repr__(self) -> str:
        if self.is_binary:
            said = f"ONNX model {self.name}: {self.size:,} bytes; .save(path) writes it"
            return "\n".join([said, *(f"note: {note}" for note in self.notes)])
        return str(self.content)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(repr(self))}</pre>"


def export(
    spec: Network,
    path: str | os.PathLike[str] | None = None,
    *,
    to: str | None = None,
    weights: str | None = None,
    seed: int | None = None,
    input: Inputs | None = None,
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> Exported:
    """Export a network as a model of another tool, and write it to `path` if given.

    spec, input  what `costcalc.load` takes
    to           `onnx` (needs the extra `onnx`) or `torch`; the default depends on the suffix of `path`: .onnx or .py
    weights      of an ONNX model: `random` (as before training), `zero`, or `none` (they are inputs of the graph)
    seed         of random weights
    rho, settings, values  as in `analyze`

    Nothing is written unless ONNX's own checker and shape inference agree with every shape. Raises CostcalcError.
    """
    form = _checked(to or form_of(os.fspath(path) if path is not None else ""), weights, seed)
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
    with uncollected():
        model = load(spec, input)
        made = exported(model, scaled(model, given, rho), form, weights, seed)
    made = made._replace(shown=lambda: analyze(model, rho=rho, settings=given))
    if path is not None:
        made.save(path)
    return made


def exported(
    model: Model, given: Mapping[str, Any], form: str, weights: str | None = None, seed: int | None = None
) -> Exported:
    """Export a model in a setting of its variables. Raises CostcalcError."""
    from ...write.onnx import pieces
    from ...write.torch import source_text

    graph = graph_of(model, settle(model, given))
    notes = tuple(_notes(graph))
    if form == "torch":
        text = source_text(graph, model.name)
        return Exported(form, model.name, (text,), len(text), notes)
    made = pieces(graph, model.name, weights or "random", seed or 0)
    return Exported(form, model.name, made, made.size, notes)


def form_of(path: str) -> str:
    """Form that the suffix of a file name stands for. Raises OptionError."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in SUFFIXES:
        help = f"known: {', '.join(SUFFIXES)}; or --to"
        raise OptionError(Problem("unknown-format", f"no format ends in `{suffix}`", help=help))
    return SUFFIXES[suffix]


def _checked(form: str, weights: str | None, seed: int | None) -> str:
    """Check the options and return the form; an option without effect is refused."""
    for name, value, known in (("to", form, tuple(SUFFIXES.values())), ("weights", weights or "none", WEIGHTS)):
        if value not in known:
            help = nearest(value, known) or f"known: {listed(known)}"
            raise OptionError(Problem("bad-value", f"`{name}` cannot be `{value}`", help=help))
    if form == "torch" and (weights is not None or seed is not None):
        help = "a PyTorch module creates its weights when it is built; call torch.manual_seed first"
        message = "a PyTorch file has no weights: --weights and --seed are for ONNX"
        raise OptionError(Problem("usage", message, help=help))
    if seed is not None and weights in ("zero", "none"):
        raise OptionError(
            Problem("usage", f"--seed needs random weights, not --weights {weights}", help="--weights random")
        )
    return form


def _notes(graph: Any) -> Iterator[str]:
    """Differences between the file and the spec."""
    many = [node for node in graph.nodes if node.row.times != 1]
    if many:
        yield f"layers that run several times per sample run once in the file, such as `{many[0].name}`"


class SpecText(str):
    """Text of a spec."""

    __slots__ = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the text to a file atomically. Raises OSError."""
        with replacing(os.fspath(path), False) as file:
            file.write(str(self))

    def frame(self) -> pandas.DataFrame:
        """Table of the layers of the spec and their costs."""
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
    """Convert a network to the text of a spec, and write it to `path` if given.

    spec, input  what `costcalc.load` takes
    width        multiply every width by a variable of this name, for sweeps
    flat         one line per layer, under its name in the model: no blocks, no repeats
    rho, settings, values  as in `analyze`

    Repeated structure becomes blocks and repeats. The spec has the same layers with the same costs.
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
    """Refuse a name that a variable of a spec cannot have. Raises OptionError."""
    taken = {*TAKEN, "c", "width"}
    if width is not None and (not is_name(width) or width in taken):
        raise OptionError(Problem("bad-name", f"`--width {width}` cannot name a variable", help="--width alpha"))
