"""Compare designs: two layer by layer, more in a table of totals."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ... import limits
from ...arguments import mapping, mappings, names
from ...errors import ArgumentError, CostcalcError, OptionError, Problem, SpecError, brief, nearest
from ...metrics.conventions import Prices, price_list
from ...metrics.metrics import of_the_whole
from ...metrics.pricing import Convention
from ...model.network import Model
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, is_path, load, loaded, name_of
from ...read.loading import modelled
from ...records import NamedTuple
from ...render import Result
from ...render.text import typed
from ...rewrite import Rewriting
from ...write.spec import as_spec, is_spec
from ..report.analyze import scaled
from ..report.report import Report, report
from .alignment import Pair, aligned, paired
from .beside import adds_unknown
from .elements import elements, sums

if TYPE_CHECKING:
    from ...num.values import Shape
    from ...ops.base import Layer, Op
    from ...render.sheet import Page
    from ...rewrite.walk import Rewritten


MOST = 1_000  # designs in one comparison
_NOT_SET = object()


class _Room:
    """Settings shared by all designs of a comparison, and the number of layers counted so far."""

    def __init__(self, convention: Convention, metrics: Sequence[str]) -> None:
        self.how, self.layers = (convention, metrics), 0

    def take(self, layers: int) -> None:
        """Add layers to the count. Raises OptionError if the designs have too many together."""
        self.layers += layers
        if self.layers > limits.COMPARED:
            message = f"the designs have more than {limits.COMPARED:,} layers together"
            raise OptionError(Problem("limit", message, help=limits.hint("compared")))


class Design(NamedTuple):
    """One network in one setting: its title, report and elements, and how it was rewritten."""

    title: str
    report: Report
    elements: list  # those that are compared
    all: list
    rewritten: Any = None  # rewrite.Rewritten
    label: str = ""  # the settings that differ from the other designs

    @property
    def totals(self) -> dict[str, Any]:
        """Cost, params, moved values and further metrics of the compared layers, by name; whether they are complete."""
        amounts = {**sums(self.elements, self.report.more), **self.report.figures}
        if self.elements is self.all:
            amounts["complete"] = self.report.complete  # also says whether every parameter is in a row
        further = (one.name for one in self.report.metrics[2:])
        return {name: amounts[name] for name in ("cost", "params", "moved", "complete", *further)}


class _Sides(NamedTuple):
    left: Design
    right: Design
    pairs: list[Pair]


class Comparison(Result, _Sides):
    """Two designs and the pairs of their corresponding layers."""

    def page(self) -> Page:
        """The designs side by side, as `costcalc compare` prints them."""
        from .page import ComparisonPage

        return ComparisonPage(self)

    @property
    def rose(self) -> bool:
        """Whether a total is larger on the right."""
        before, after = self.left.totals, self.right.totals
        return any(after[name] > before[name] for name in ("cost", "params"))

    @property
    def may_have_risen(self) -> bool:
        """Whether the right has layers of unknown cost that the left does not have."""
        return adds_unknown(self.left.report, self.right.report)

    @property
    def left_alone(self) -> list[tuple[str, str]]:
        """(layer, reason) for each layer that the rewrite could apply to but left unchanged."""
        reasons = self.right.rewritten.left if self.right.rewritten else {}
        stayed = (pair.left[0] for pair in self.pairs if pair.left and pair.status in ("same", "follows"))
        layers = ((element.name, reasons.get(element.spot)) for element in stayed)
        return [(name, reason) for name, reason in layers if reason]


class Difference(Comparison):
    """Two versions of a design and the pairs of their corresponding layers."""

    def page(self) -> Page:
        """The layers that differ, as `costcalc diff` prints them."""
        from .page import DifferencePage

        return DifferencePage(self)


class Designs(Result, list[Design]):
    """Three designs or more."""

    def page(self) -> Page:
        """The totals of each design, as `costcalc compare` prints them."""
        from .page import LeaguePage

        return LeaguePage(self)


def compare(
    *specs: Network,
    input: Inputs | None = None,
    at: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    conv: str | None = None,
    stem: bool = False,
    thin: float | None = None,
    fold: bool = False,
    merge: bool = False,
    drop: bool = False,
    layers: str | None = None,
    metrics: str | Sequence[str] = (),
    convention: Prices = "paper",
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Comparison | Designs:
    """Compare designs: return a Comparison of two designs, or a list (Designs) of more.

    specs       each is what `costcalc.load` takes; `input` is for specs that are a torch.nn.Module
    at          settings of variables, each a mapping (`rho` in it is the resolution multiplier): every spec is
                compared in each of them; a single setting is compared with the spec at its defaults
    conv        `standard` or `separable`: compare each design with itself in this form; with `stem`, the first
                convolution is made separable too
    thin, fold  compare with every width multiplied by `thin`; with each batch norm folded into its convolution
    merge, drop  merge sums of linear branches into one convolution; remove dropout and layers marked `only: train`
    metrics     further metrics to total, by name
    layers      a glob: only layers and blocks with matching names are compared
    convention, rho, settings  as in `analyze`, for all designs; a variable is set in the designs that declare it

    Raises CostcalcError, also if there is nothing to compare.
    """
    how = _Room(price_list(convention), names(metrics, "metrics"))
    rewriting = Rewriting(conv, stem, thin, fold, merge, drop)
    with uncollected():
        models = [one._replace(phase="train") if drop else one for one in loaded(specs, input)]
        at = mappings(at, "at", '{"alpha": 0.75}')
        settings = {**mapping(settings, "settings", '{"alpha": 0.75}'), **({"rho": rho} if rho is not None else {})}
        wanted = _wanted(models, _titles(specs, models), _settings(at), settings)
        wanted = map(_rewritable, wanted) if rewriting.parts else wanted
        designs = [
            _design(model, title, values, how, layers)._replace(label=label) for model, title, label, values in wanted
        ]
        if rewriting.parts:
            _refuse_none(designs, layers)
            designs += [_rewritten(design, rewriting, how) for design in designs]
    return _compared(designs, layers)


def diff(
    old: Network,
    new: Network | None = None,
    *,
    base: str | None = None,
    input: Inputs | None = None,
    convention: Prices = "paper",
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Difference:
    """Compare two versions of a design.

    old, new    what `costcalc.load` takes; `input` is for networks that are a torch.nn.Module
    base        a git revision, instead of `new`: compare the path `old` at that revision with its current version
    convention, rho, settings  as in `analyze`; a variable that only one version declares is set there

    Raises CostcalcError, also if the two networks have no layer in common.
    """
    how = _Room(price_list(convention), ())
    with uncollected():
        models = _sides(old, new, base, input)
        known = {name for model in models for name in model.variables}
        given = mapping(settings, "settings", '{"alpha": 0.75}')
        designs = []
        for model, version in zip(models, ("old", "new"), strict=True):
            own = {name: given[name] for name in given if name in model.variables or name not in known}
            with noted(f"in the {version} version"):
                values = settle(model, scaled(model, own, rho))
                designs.append(_design(model, model.name, values, how, None))
        comparison: Any = _compared(designs, None)
    if not any(pair.left and pair.right for pair in comparison.pairs):
        line = typed("costcalc", "compare", *(one.source.path for one in models))
        help = f"{line} shows their totals side by side"
        raise OptionError(Problem("nothing-in-common", "the two networks have no layer in common", help=help))
    return Difference(*comparison)


def _sides(old: Network, new: Any, base: str | None, input: Any) -> list[Model]:
    """Models of both versions; with a base, the first is the path at that revision."""
    if (new is None) == (base is None):
        help = "costcalc diff OLD NEW, or costcalc diff SPEC --base REF"
        raise OptionError(Problem("usage", "give another spec, or `--base` and a git revision", help=help))
    if base is None:
        return loaded((old, new), input)
    if not is_path(old):
        raise ArgumentError(Problem("bad-argument", "`base` is for a path in a git repository"))
    from ...read.repository import at_revision

    with noted(f"at {brief(base)}"):
        before = modelled(*at_revision(os.fspath(old), base))
    return [before, load(old)]


def _compared(designs: list[Design], layers: str | None) -> Comparison | Designs:
    if len(designs) < 2:
        help = "name another spec, or use --at alpha=0.5, --conv standard or separable, --thin 0.75, --merge or --fold"
        raise OptionError(Problem("usage", "there is only one design: nothing to compare it with", help=help))
    _refuse_none(designs, layers)
    if len(designs) > 2:
        return Designs(designs)
    left, right = designs
    home = right.rewritten.home if right.rewritten else None
    pairs = aligned(left.elements, right.elements) if home is None else paired(left.elements, right.elements, home)
    return Comparison(left, right, pairs)


def _refuse_none(designs: list[Design], layers: str | None) -> None:
    """Refuse a glob that matches no layer of any design."""
    if layers and not any(design.elements for design in designs):
        names = [name for design in designs for one in design.all for name in (one.name, one.name.partition("/")[0])]
        help = nearest(layers, names[:MOST]) or "a name from the table, or a glob such as '*/dwconv'"
        raise OptionError(Problem("unknown-layer", f"no layer is called `{brief(layers)}`", help=help))


def _titles(specs: tuple[Any, ...], models: list[Model]) -> list[str]:
    """Names of the models, or of the specs if two models have the same name."""
    names = [model.name for model in models]
    if len(set(names)) == len(names):
        return names
    return [name_of(spec, model) for spec, model in zip(specs, models, strict=True)]


def _settings(at: Sequence) -> tuple[dict[str, Any], ...]:
    return ({}, *at) if len(at) == 1 else (tuple(at) or ({},))


def _wanted(
    models: list[Model], titles: list[str], at: tuple[dict[str, Any], ...], settings: Mapping[Any, Any]
) -> Iterator[tuple[Model, str, str, dict[str, Any]]]:
    """(model, title, label, values) of each design; its label has only the settings in which `at` differ."""
    if len(models) * len(at) > MOST:
        raise OptionError(Problem("limit", f"at most {MOST:,} designs can be compared"))
    declared = {name for model in models for name in model.variables}
    names = dict.fromkeys(name for one in at for name in one)
    varied = [name for name in names if any(one.get(name, _NOT_SET) != at[0].get(name, _NOT_SET) for one in at)]
    for model, title in zip(models, titles, strict=True):
        for one in at:
            values = {**{name: settings[name] for name in settings if _is_of(name, model, declared)}, **one}
            rho = values.pop("rho", None)
            settled = settle(model, scaled(model, values, rho))
            known = {**settled, **one}
            label = ", ".join(f"{name}={known[name]}" for name in varied if name in known)
            yield model, " ".join(part for part in (title, label) if part), label, settled


def _is_of(name: str, model: Model, declared: Any) -> Any:
    """Whether a setting applies to a model: the model declares it, or no model does, which is an error."""
    return name in model.variables or name not in declared


def _rewritable(wanted: tuple[Model, str, str, dict[str, Any]]) -> tuple[Model, str, str, dict[str, Any]]:
    """A design as a spec. Rewrites work on the layers of specs, not on graphs or configurations."""
    model, title, label, values = wanted
    if is_spec(model):
        return wanted
    made = as_spec(model, values)
    return made, title, label, settle(made, {})


def _design(
    model: Model,
    title: str,
    values: Mapping[str, Any],
    how: _Room,
    layers: str | None,
    rewritten: Rewritten | None = None,
) -> Design:
    """Design of a model in one setting; its layers count towards the limit of `how`."""
    traced = trace(model, values)
    how.take(len(traced.rows))
    whole = report(model, traced, values, *how.how, cases=False)
    whole.totals  # noqa: B018 (raises if they are too large)
    if layers and whole.figures:
        raise of_the_whole(next(one for one in whole.metrics if one.name in whole.figures))
    found = elements(traced.rows, whole)
    return Design(title, whole, [one for one in found if one.is_in(layers)] if layers else found, found, rewritten)


def _rewritten(design: Design, rewriting: Rewriting, how: _Room) -> Design:
    """Rewrite a design and keep the counterparts of its compared layers. Raises if no layer changes."""
    model = design.report.model
    done = rewriting.apply(model)
    title = f"{design.title}, {rewriting.title}"
    with noted(f"in {design.title} rewritten ({rewriting.title})"):
        new = _design(done.model, title, design.report.values, how, None, done)
    chosen = {one.name for one in design.elements}
    pairs = paired(design.all, new.all, done.home)
    new = new._replace(elements=[one for pair in pairs if _is_any_of(pair, chosen) for one in pair.right])
    if _layers(design) == _layers(new):
        raise _not_applicable(rewriting, model, done, design)
    return new


def _is_any_of(pair: Pair, names: set[str]) -> bool:
    return any(one.name in names for one in pair.left)


def _layers(design: Design) -> list[tuple[Op, tuple[Shape, ...], Layer, int]]:
    return [(row.op, row.inputs, row.layer, row.times) for element in design.elements for row in element.rows]


@contextmanager
def noted(note: str) -> Iterator[None]:
    """Add a note to the errors of a spec that says which spec it is."""
    try:
        yield
    except SpecError as error:
        problems = [problem._replace(notes=(*problem.notes, note)) for problem in error.problems]
        raise SpecError(*problems) from None


def _not_applicable(rewriting: Rewriting, model: Model, done: Rewritten, design: Design) -> CostcalcError:
    reasons = [(one.name, done.left[one.spot]) for one in design.elements if one.spot in done.left]
    notes = tuple(f"{name}: {reason}" for name, reason in reasons[:5])
    message = f"{rewriting.title}: {model.name} has no layer that this changes"
    return OptionError(Problem("nothing-to-rewrite", message, help=rewriting.help, notes=notes))
