"""Numbers, arrays and symbols give the same result in every rule."""

import numpy as np
import pytest
import sympy

from costcalc import analyze, load, sweep
from costcalc.analysis.formula.formula import formula
from costcalc.analysis.prove.prove import drawn
from costcalc.errors import Refused
from costcalc.model.variables import settle
from costcalc.num.points import Points, Pool, array_of
from costcalc.num.symbols import assuming
from costcalc.ops import INDEX, find
from costcalc.read.loading import configs

SIZES = {"size", "width", "steps", "kernel", "window", "padding", "per_axis", "count"}
POINTS = 500  # a config
ROWS = 4_000  # rows traced per config; long networks get fewer points
FEW = ("mobilenet", "resnet18", "vgg16")  # configs tried in every run
CONFIGS = [pytest.param(name, marks=[pytest.mark.slow] * (name not in FEW)) for name in sorted(configs())]


def points_of(number, table):
    """A number as points without known bounds."""
    array = np.array([number, number], dtype=np.int64)
    return Points(table, 0, 10**6, int, lambda: array)


def converted(value, convert):
    """Sizes inside tuples converted, words and flags as they are."""
    if isinstance(value, tuple):
        return tuple(converted(item, convert) for item in value)
    return convert(value) if type(value) is int else value


def prepared(op, flowing, options, convert, convert_options):
    """Input and options of a case with their sizes in another domain."""
    flowing = converted(flowing, convert)
    given = {}
    for name, value in options.items():
        kind = op.options[name].kind
        value = converted(value, convert_options) if kind.name in SIZES else value
        given[name] = kind.bind(value)
    branches = {name: flowing if op.options[name].kind.form == "branches" else flowing[-1] for name in op.branches}
    branches = {name: value for name, value in branches.items() if name in options or op.options[name].required}
    return (flowing[0] if flowing else ()), {**given, **branches}


def layer_of(op, x, options):
    """The layer of a rule, or None if it refuses."""
    try:
        return op.rule(x, **options) if op.takes_input else op.rule(**options)
    except Refused:
        return None


def plain(layer, number):
    """Shape, params and terms of a layer with every size as one number."""
    if layer is None:
        return None
    parts = (layer.params, layer.terms)
    return (
        tuple(number(size) for size in layer.shape),
        *({name: value for name, size in part.items() if (value := number(size))} for part in parts),
    )


@pytest.mark.parametrize("name", sorted(INDEX))
def test_arrays_give_what_numbers_give(name):
    op, seen = find(name), []
    for flowing, options in drawn(name, 100):
        table = Pool()
        try:
            numbers = layer_of(op, *prepared(op, flowing, options, int, int))
            arrays = prepared(
                op, flowing, options, lambda n, t=table: points_of(n, t), lambda n, t=table: points_of(n, t)
            )
        except (Refused, TypeError):
            continue
        layer = layer_of(op, *arrays)
        for at in (0, 1):
            assert plain(layer, lambda size, at=at: int(np.broadcast_to(array_of(size), (2,))[at])) == plain(
                numbers, int
            )
        seen.append(numbers is not None)
    assert any(seen)


@pytest.mark.parametrize("name", sorted(INDEX))
def test_symbols_give_what_numbers_give(name):
    said = [symbols_agree(find(name), *case) for case in drawn(name, 30)]
    assert any(said)


def symbols_agree(op, flowing, options):
    """Whether a case is decidable; then symbols must give the same as numbers."""
    sample = {}

    def symbol(number):
        sample[made := sympy.Symbol(f"n{len(sample)}", positive=True, integer=True)] = number
        return made

    try:
        numbers = layer_of(op, *prepared(op, flowing, options, int, int))
        symbols = prepared(op, flowing, options, symbol, int)
    except (Refused, TypeError):
        return False
    if numbers is None:
        return False  # symbols record assumptions instead
    with assuming(sample) as assumed:
        layer = layer_of(op, *symbols)
    if layer is None or any(truth.subs(sample) == sympy.false for truth in assumed):
        return False  # invalid for most sizes, such as 3n + 1 channels in 3 groups: the sample is an exception
    assert plain(layer, lambda size: int(sympy.sympify(size).subs(sample))) == plain(numbers, int)
    return True


STEPS = dict.fromkeys(("yolov8n", "yolov9_c"), 32)  # these join upsampled grids with earlier ones


def settings_of(model, random):
    """Random values of a config's numeric variables, decimals and odd sizes among them."""
    values = {}
    if "alpha" in model.variables:
        decimals = random.integers(5, 200, POINTS) / 100
        values["alpha"] = np.where(random.random(POINTS) < 0.5, decimals, random.uniform(0.05, 2, POINTS))
    if "res" in model.variables:
        step = STEPS.get(model.name, 1)
        values["res"] = step * random.integers((model.variables["res"].least or 48) // step + 1, 400 // step, POINTS)
    if not values:  # neither is among its variables: the first of them varies
        others = {name: one.default for name, one in model.variables.items() if type(one.default) in (int, float)}
        values = {name: np.full(POINTS, default) for name, default in others.items()}
        values[next(iter(model.variables))] = random.integers(1, 40, POINTS)
    return values


@pytest.mark.parametrize("config", CONFIGS)
def test_a_config_costs_the_same_in_all_three(config, monkeypatch):
    monkeypatch.setattr("costcalc.num.tiles.TILE", 4)
    model = load(config)
    opened = {name: model.variables[name]._replace(choices=()) for name in ("alpha", "res") if name in model.variables}
    model = model._replace(variables={**model.variables, **opened})  # a space has them as choices
    columns = settings_of(model, np.random.default_rng(7))
    words = [name for name, one in model.variables.items() if isinstance(one.default, (str, bool, tuple, dict))]
    usual = [name for name in ("alpha", "res") if name in model.variables]
    forms = formula(model, names=usual or [name for name in model.variables if name not in words])
    from costcalc.analysis.sweep.sweep import Evaluation, Table
    from costcalc.metrics.metrics import metric

    metrics = [metric("mult_adds", "paper"), metric("params", "paper")]
    swept = Evaluation(model, metrics).at(next(Table(columns).chunks())).columns
    seen = 0
    for at in range(min(POINTS, ROWS // len(analyze(model).lines))):
        values = {name: column[at].item() for name, column in columns.items()}
        totals = analyze(model, **values).totals
        assert {name: int(swept[name][at]) for name in totals} == totals, values
        whole = settle(model, values)  # with the variables that are made of others
        whole = {symbol.name: whole[symbol.name] for symbol in next(iter(forms.values())).symbols}
        held = [name for name in totals if forms[name].holds(**whole)]
        assert {name: forms[name](**whole) for name in held} == {name: totals[name] for name in held}, values
        seen += len(held)
    assert seen


def test_sweep_is_a_frame_of_exact_integers():
    frame = sweep("mobilenet.yaml", alpha=[1.0, 0.75], res=[224, 160])
    assert list(frame.columns) == ["alpha", "res", "mult_adds", "params"]
    assert frame.mult_adds.dtype == np.int64
    assert frame.mult_adds.tolist() == [568_740_352, 290_675_200, 325_400_448, 166_396_800]
