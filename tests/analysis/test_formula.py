"""`formula`, `explain`: closed forms and workings against the paper and independent counts."""

import json
import re
import shutil
import subprocess
from fractions import Fraction

import pytest
import sympy

from costcalc import analyze, formula, load
from costcalc.analysis.explain.explain import legend
from costcalc.analysis.explain.working import separable, worked
from costcalc.errors import CostcalcError, SpecError
from costcalc.model.trace import trace
from costcalc.num.symbols import undominated
from costcalc.read.loading import configs

ALPHA, RES = sympy.symbols("alpha res", positive=True)
NO_POLYNOMIAL = {  # on no grid: a quarter of a width is rounded again; grids of windows of 7 after grids of pairs
    "ghostnet",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "ofa_mobilenet_v3",
    "swin_t",
    *(f"lraspp_mobilenet_{version}" for version in ("v2", "v3_large", "v3_small")),
    *(f"ssd300_{net}" for net in ("mobilenet", "inception_v2")),  # nine maps, each half of the previous one
    "ssdlite_mnasnet_a1",
    *(f"ssdlite_mobilenet{version}" for version in ("", "_v2", "_v3_large", "_v3_small")),
}
DECODERS = [name for name in sorted(configs()) if "new" in load(name).variables]  # their layers depend on variables
WITH_FORMULA = [name for name in sorted(configs()) if name not in DECODERS]
FOUR = [(alpha, res) for alpha in (1, 0.75, 0.5, 0.25) for res in (224, 192, 160, 128)]


def test_mobilenet_in_closed_form():
    found = formula("mobilenet.yaml")
    half = Fraction(5625, 10)
    by_name = {symbol.name: symbol for symbol in found.mult_adds.free_symbols}
    a, r = by_name["alpha"], by_name["res"]
    expected = 10752 * a**2 * r**2 + sympy.Rational(half.numerator, half.denominator) * a * r**2 + 1_024_000 * a
    assert sympy.expand(found.mult_adds - expected) == 0
    assert sympy.expand(found.params - (3_139_584 * a**2 + 1_069_504 * a)) == 0
    assert found["mult_adds"].condition == "alpha a multiple of 1/4 and res a multiple of 32"


@pytest.mark.parametrize("config", WITH_FORMULA)
def test_closed_forms_hold_where_they_say(config):
    model = load(config)
    least = {name: variable.least or 0 for name, variable in model.variables.items()}
    opened = {name: variable._replace(choices=()) for name, variable in model.variables.items() if not variable.each}
    model = model._replace(variables={**model.variables, **opened})  # forms also hold outside the choices of a space
    for name, one in formula(config).items():
        if one.closed is None:
            assert config in NO_POLYNOMIAL
            continue
        held = 0
        grids = [Fraction(part or 1) for part in re.findall(r"a (?:multiple of (\S+)|whole number)", one.condition)]
        for steps in (1, 2, 3, 5, 7, 8):
            values = {symbol.name: grid * steps for symbol, grid in zip(one.symbols, grids, strict=True)}
            if any(value < least[name] for name, value in values.items()):
                continue
            closed = one.closed.subs({symbol: sympy.Rational(values[symbol.name]) for symbol in one.symbols})
            numbers = {key: int(value) if value.denominator == 1 else float(value) for key, value in values.items()}
            assert closed == analyze(model, **numbers).totals[name]
            held += 1
        assert held


QUICK = ("t5", "whisper")


@pytest.mark.parametrize(
    "config", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in DECODERS]
)
def test_formulas_of_language_models_hold_under_their_conditions(config):
    """In `new` and `past`: a form equals the number at every point that it does not exclude."""
    names = [name for name in ("new", "past") if name in load(config).variables]
    for name, one in formula(config).items():
        assert {symbol.name for symbol in one.symbols} == {*names}
        held = 0
        for new, past in ((1, 0), (6, 0), (4, 2), (1, 3), (8, 4), (2, 100), (6, 4096)):
            point = {"new": new, "past": past}
            due = _total(config, {name: point[name] for name in names}, name)
            held += _holds(one, {symbol: point[symbol.name] for symbol in one.symbols}, due)
        assert held or one.closed is None


def _total(config, values, name):
    try:
        return analyze(config, **values).totals[name]
    except SpecError:
        return None


def _holds(one, point, due):
    """Whether a closed form claims to be exact at a point; asserts that it and the general form are correct there."""
    values = {symbol.name: value for symbol, value in point.items()}
    if one.holds(**values):
        assert one(**values) == due
    on_grid = "multiple of 2" not in one.condition or not any(value % 2 for value in point.values())
    if one.closed is None or not on_grid or due is None or any(truth.subs(point) != True for truth in one.assumed):  # noqa: E712 (truths of SymPy)
        return False
    assert one.closed.subs(point) == due
    return True


def test_a_cache_that_may_be_empty_is_no_cache_that_is_not():
    """Regression: grid steps were positive, so the form at `past=0` was that of a decode step, marked exact."""
    one = formula("t5", names=["new", "past"])["mult_adds"]
    assert {str(truth) for truth in one.assumed} == {"past <= 0"}
    assert one.form.subs({symbol: {"new": 512, "past": 0}[symbol.name] for symbol in one.symbols}) == 35802578944


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"new": 1, "past": 0, "n_layers": 2}, "`n_layers` is not a symbol of this formula"),
        ({"new": 1}, "`past` has no value"),
    ],
)
def test_a_value_of_another_variable_is_not_left_out_in_silence(values, wrong):
    """The number of layers is fixed in this formula, so another value would give the cost of another network."""
    one = formula("decoder")["mult_adds"]
    for use in (one, one.holds):
        with pytest.raises(CostcalcError, match=f"{wrong}.*its symbols are `new`, `past`"):
            use(**values)
    assert one(new=1, past=0) == analyze("decoder", new=1, past=0).totals["mult_adds"]


def test_text_of_the_command(run):
    code, out, err = run("formula", "mobilenet")
    assert (code, err) == (0, "")
    assert "mult_adds = 10752*alpha^2*res^2 + 562.5*alpha*res^2 + 1024000*alpha\n" in out
    assert "params = 3139584*alpha^2 + 1069504*alpha\n" in out
    assert "exact for alpha a multiple of 1/4 and res a multiple of 32" in out


def test_by_type_adds_up_to_the_total(run):
    _, total, _ = run("formula", "mobilenet", "-m", "mult_adds")
    _, parts, _ = run("formula", "mobilenet", "-m", "mult_adds", "--by", "type")
    forms = [
        sympy.sympify(line.split(" = ")[1].replace("^", "**"))
        for line in parts.splitlines()
        if " = " in line[:60] and "mult_adds" in line
    ]
    whole = sympy.sympify(total.splitlines()[0].split(" = ")[1].replace("^", "**"))
    assert len(forms) == 4
    assert sympy.nsimplify(sympy.expand(sum(forms) - whole)) == 0


@pytest.mark.parametrize("config", ["mobilenet", "mobilenet_v2"])
@pytest.mark.parametrize("form", ["--general", None])
def test_python_code_computes_the_integers(run, config, form):
    _, code, _ = run("formula", config, "--format", "python", *([form] if form else []))
    space: dict = {}
    exec(compile(code, "formula.py", "exec"), space)  # run the generated code as a user would
    points = FOUR if config == "mobilenet" and not form else [(1, 224), (2, 160)]
    for alpha, res in [*points, *([(0.35, 97), (1.3, 250)] if form else [])]:
        totals = analyze(config, alpha=alpha, res=res).totals
        assert {name: round(space[name](alpha, res)) for name in totals} == totals


@pytest.mark.skipif(shutil.which("node") is None, reason="no JavaScript engine on this machine")
def test_javascript_computes_the_integers(run, tmp_path):
    _, code, _ = run("formula", "mobilenet_v2", "--format", "javascript", "--general")
    calls = "console.log(JSON.stringify([mult_adds(0.35, 97), params(0.35, 97), mult_adds(1.4, 224)]))"
    result = subprocess.run(["node", "-e", code + calls], capture_output=True, text=True, check=True)
    small, large = analyze("mobilenet_v2", alpha=0.35, res=97).totals, analyze("mobilenet_v2", alpha=1.4).totals
    assert json.loads(result.stdout) == [*small.values(), large["mult_adds"]]


def test_latex_is_balanced(run):
    _, out, _ = run("formula", "mobilenet_v2", "--format", "latex", "--general", "--sensitivity")
    assert out.count("{") == out.count("}")
    assert r"\alpha" in out
    assert r"\operatorname{divisible}" in out


def test_sensitivity_is_the_difference_quotient(run):
    found = formula("mobilenet", res=224, names=["alpha"])["mult_adds"]
    ((symbol, slope, elasticity),) = found.sensitivities()
    at = {symbol: 1}
    quotient = (
        analyze("mobilenet", alpha=1.25).totals["mult_adds"] - analyze("mobilenet", alpha=0.75).totals["mult_adds"]
    ) / 0.5
    assert float(slope.subs(at)) == pytest.approx(quotient, rel=1e-12)  # exact for a form of degree 2
    assert float(elasticity.subs(at)) == pytest.approx(quotient / 568_740_352, rel=1e-12)
    _, out, _ = run("formula", "mobilenet", "--res", "224", "--sensitivity")
    assert "1 % more alpha costs" in out
    assert "(1.95 % at the defaults)" in out


TABLE_3 = [  # options, part of the text; the figures are the paper's: 462 M, 52.3 M, 29.6 M, 15.1 M
    ([], "DK*DK*M*N*DF*DF = 3*3*512*512*14*14 = 462,422,016"),
    ([], "DK*DK*M*DF*DF + M*N*DF*DF = 3*3*512*14*14 + 512*512*14*14 = 52,283,392"),
    (["--alpha", "0.75"], "= 29,578,752"),
    (["--alpha", "0.75", "--rho", "0.714"], "= 15,091,200"),
    ([], "1/N + 1/DK^2 = 1/512 + 1/9 = 0.113"),
]


@pytest.mark.parametrize(("options", "text"), TABLE_3)
def test_table_3_of_the_paper(run, options, text):
    code, out, _ = run("explain", "mobilenet", "separable_7", *options)
    assert code == 0
    assert text in out


@pytest.mark.parametrize("config", WITH_FORMULA)
def test_every_working_comes_to_the_count(config):
    report = analyze(config)
    rows = trace(report.model, report.values).rows
    for row, line in zip(rows, report.lines, strict=True):
        cost, weights = worked(row)
        assert (cost.value * row.times if cost else 0, weights.value if weights else 0) == (line.cost, line.params)
        for one in (cost, weights):
            if one:
                assert eval(one.numbers, {"__builtins__": {}}) == one.value  # a product of digits that we printed


def test_workings_of_other_operations(run, tmp_path):
    layers = "{lstm: 256}, {attention: 8, window: 9}, {linear: 10, times: 3}, {conv_transpose: 4, out: 6, stride: 2}"
    (tmp_path / "s.yaml").write_text(f"input: [50, 128]\nlayers: [{layers}]\n")
    code, out, _ = run("explain", "s.yaml")
    assert code == 0
    totals = [int(text.replace(",", "")) for text in re.findall(r"mult-adds  .* = ([\d,]+)$", out, re.M)]
    assert totals == [line.cost // line.times for line in analyze(tmp_path / "s.yaml").lines]
    assert "3 times per sample" in out


def test_attention_is_worked_by_its_projections_and_its_pairs_of_tokens(run):
    _, out, _ = run("explain", "vit_b_16", "encoder_1")
    assert "  mult-adds  4*C*C*T + 2*T*T*C = 4*768*768*197 + 2*197*197*768 = 524,391,936\n" in out
    assert "  params     4*C*C = 4*768*768 = 2,359,296\n" in out


def test_a_general_form_says_where_the_network_has_its_structure():
    found = formula("ghostnet")["params"]
    assert found.holds(alpha=1.3, res=224)
    assert found(alpha=1.3, res=224) == analyze("ghostnet", alpha=1.3).totals["params"]
    assert not found.holds(alpha=0.06, res=224)  # rows of 80 and of 112 channels both round to 8: one shortcut less
    assert found(alpha=0.06, res=224) != analyze("ghostnet", alpha=0.06).totals["params"]


def test_the_pair_saves_what_the_theory_says():
    report = analyze("mobilenet")
    pairs = [pair for *_, pair in separable(trace(report.model, report.values).rows)]
    assert len(pairs) == 13
    for pair in pairs:
        assert pair.together.value / pair.standard.value == pytest.approx(pair.theory, rel=1e-12)


PAIRS = [  # a depthwise convolution and its successor, and their equation if it applies
    ("{dwconv: 3x3}, {conv: 1x1, out: 64}", "1/N + 1/DK^2 = 1/64 + 1/9 = 0.127: 7.89 times fewer mult-adds"),
    ("{dwconv: 5x3}, relu, {conv: 1x1, out: 64}", "1/N + 1/(KH*KW) = 1/64 + 1/15 = 0.082: 12.2 times fewer mult-adds"),
    ("{layers: [{dwconv: 3x3}, {conv: 1x1, out: 64}], times: 3}", "1/N + 1/DK^2 = 1/64 + 1/9 = 0.127: 7.89 times"),
    ("{dwconv: 3x3, multiplier: 2}, {conv: 1x1, out: 64}", None),
    ("{dwconv: 3x3}, {conv: 1x1, out: 64, times: 3}", None),
    ("{dwconv: 3x3}, {maxpool: 3x3, stride: 1, padding: same}, {conv: 1x1, out: 64}", None),
]


@pytest.mark.parametrize(("layers", "equation"), PAIRS)
def test_an_equation_is_printed_only_where_it_is_true(run, tmp_path, layers, equation):
    (tmp_path / "s.yaml").write_text(f"input: [16, 16, 16]\nlayers: [{layers}]\n")
    _, out, _ = run("explain", "s.yaml")
    said = [line.partition("  saving     ")[2] for line in out.splitlines() if "  saving  " in line]
    assert [line.startswith(equation) for line in said] == [True] * bool(equation)
    report = analyze("s.yaml")
    pairs = separable(trace(report.model, report.values).rows)
    assert all(pair.together.value / pair.standard.value == pytest.approx(pair.theory) for *_, pair in pairs)
    assert (run("compare", "s.yaml", "--conv", "standard").code == 2) == (equation is None)  # nothing to rewrite


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("explain", "mobilenet", "separable7"), "a similar name exists"),
        (("formula", "mobilenet", "--in", "beta"), "no variable `beta`"),
        (("formula", "mobilenet", "-m", "macs"), "no metric `macs`"),
        (("formula", "nosuch"), "there is no file"),
    ],
)
def test_refused(run, args, message):
    code, _, err = run(*args)
    assert (code, message in err) == (2, True)


def test_a_condition_that_is_a_number(run):
    code, out, _ = run("formula", "resnet50", "--in", "res,v1", "-m", "mult_adds", "--general", "--format", "python")
    assert code == 0
    space: dict = {}
    exec(compile(out, "formula.py", "exec"), space)
    for v1 in (0, 1):
        assert space["mult_adds"](97, v1) == analyze("resnet50", res=97, v1=v1).totals["mult_adds"]


@pytest.mark.parametrize("out", ["round(w / 3)", "w // 3", "w % 5 + 1", "12 / w", "divisible(w, 8) + round(w * 1.5)"])
def test_roundings_have_a_form_and_no_slope(run, tmp_path, out):
    (tmp_path / "s.yaml").write_text(f"vars: {{w: 6}}\ninput: [4, 4, 3]\nlayers: [{{conv: 1, out: '{out}'}}]\n")
    code, text, _ = run("formula", "s.yaml", "--sensitivity", "--general")
    assert code == 0
    assert "params = " in text
    found = formula(tmp_path / "s.yaml")["params"]
    for w in (3, 4, 6, 12):
        assert found(w=w) == analyze(tmp_path / "s.yaml", w=w).totals["params"]


def test_a_grid_that_the_network_cannot_have_gives_the_general_form(run, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "vars: {n: 9, p: 1}\ninput: [n, n, 3]\nlayers: [{conv: 3, out: 8, stride: p}, {maxpool: 2, padding: valid}]\n"
    )
    code, out, _ = run("formula", "s.yaml", "--in", "p")
    assert code == 0
    assert "ceil(9/p)" in out


def test_tables_of_weights_are_explained(run, tmp_path):
    (tmp_path / "s.yaml").write_text("input: [7]\nlayers: [{embedding: 768, vocab: 30522}, {parameter: [1, 768]}]\n")
    _, out, _ = run("explain", "s.yaml")
    assert "V*N = 30522*768 = 23,440,896" in out
    assert "n1*n2 = 1*768 = 768" in out


def test_symbols_and_numbers_stand_in_the_same_order(run, tmp_path):
    (tmp_path / "s.yaml").write_text("input: [64, 64]\nlayers: [{lstm: 256}]\n")
    _, out, _ = run("explain", "s.yaml")
    assert "1024*T*(C + 256) = 1024*64*(64 + 256) = 20,971,520" in out


def test_the_ending_says_the_format(run, tmp_path):
    assert run("formula", "mobilenet", "-o", "f.tex")[0] == 0
    assert r"\text{mult\_adds} =" in (tmp_path / "f.tex").read_text()
    code, _, err = run("formula", "mobilenet", "-o", "f.foo")
    assert (code, "no format ends in `.foo`" in err) == (2, True)


def test_the_last_line_has_no_variable_that_follows_from_a_symbol(run):
    code, out, _ = run("formula", "alexnet", "--in", "res")  # its variables are res, res_h, res_w and classes
    assert code == 0
    assert out.splitlines()[-1].split("; ")[-2:-1] == ["classes=1000"]
    assert "res_h=" not in out


def test_a_convention_is_explained_quantity_by_quantity(run):
    """thop counts 4 per value normalised by a batch norm, and two parameters per channel."""
    _, out, _ = run("explain", "mobilenet", "separable_7", "--convention", "thop")
    for line in (
        "  mult-adds  DK*DK*M*DF*DF = 3*3*512*14*14 = 903,168",
        "  thop mult-adds  903,168 mac = 903,168",
        "  thop mult-adds  100,352 normalize * 2 + 100,352 affine * 2 = 401,408",
        "  thop params     512 gamma + 512 beta = 1,024",
    ):
        assert line in out.splitlines()
    title = "what thop's profile prints: mult-adds, 4 per normalised value, average pools; modules only"
    assert out.splitlines()[-1].startswith(
        f"convention thop: {title}; shipped config mobilenet; input 224x224x3; alpha=1.0"
    )


@pytest.mark.parametrize("convention", ["framework", "thop", "fvcore", "ptflops", "deepspeed"])
@pytest.mark.parametrize("spec", ["mobilenet_v3_small", "vit_b_16"])
def test_all_that_a_convention_explains_is_what_it_counts(run, spec, convention):
    _, out, _ = run("explain", spec, "-c", convention)
    report = analyze(spec, convention=convention)
    found = dict.fromkeys(report.totals, 0)
    words = {"mult-adds": "mult_adds", "FLOPs": "flops", "params": "params"}
    for line in out.splitlines():
        head, _, total = line.rpartition(" = ")
        if line.startswith(f"  {convention} "):
            found[words[head.split()[1]]] += int(total.replace(",", ""))
            assert sum(_product(term) for term in head.split("  ")[-1].split(" + ")) == int(total.replace(",", ""))
    assert found == dict(report.totals)


def _product(term):
    count, _, price = term.partition(" * ")
    return int(count.split()[0].replace(",", "")) * int(price or 1)


def test_a_working_says_its_symbols_and_what_it_counts(run, tmp_path):
    symbols, stamp = run("explain", "mobilenet", "separable_7").out.splitlines()[-2:]
    assert {*symbols.split("; ")} >= {"DK: side of the kernel", "M: channels in", "N: channels out"}
    assert stamp == run("analyze", "mobilenet").out.splitlines()[-1]
    stamp = run("explain", "mobilenet", "separable_7", "-c", "thop", "--alpha", "0.5").out.splitlines()[-1]
    assert stamp == run("analyze", "mobilenet", "-c", "thop", "--alpha", "0.5").out.splitlines()[-1]
    (tmp_path / "s.yaml").write_text("input: [8, 8, 4]\nlayers: [{conv: 5x3, out: 6, groups: 2}, relu]\n")
    assert "KH, KW: sides of the kernel; M: channels in; g: groups; N: channels out; " in run("explain", "s.yaml").out


@pytest.mark.parametrize("config", ["mobilenet", "vit_b_16", "swin_t"])
def test_every_symbol_of_a_working_is_explained(config):
    report = analyze(config)
    rows = trace(report.model, report.values).rows
    known = {name for part in legend(rows).split("; ") for name in part.partition(":")[0].split(", ")}
    texts = [one.symbols for row in rows for one in worked(row) if one and one.value]
    assert texts
    assert {name for text in texts for name in re.findall("[A-Za-z]+", text)} <= known


PEAKS = [  # config, metric, form, points
    (
        "mobilenet",
        "96*alpha*res**2",
        [{"alpha": 0.25, "res": 32}, {"alpha": 1, "res": 224}, {"alpha": 1.25, "res": 320}],
    ),
    ("resnet50", "192*res**2", [{"res": 32}, {"res": 224}]),
    ("squeezenet1_0", None, [{"res": 64}, {"res": 112}, {"res": 224}]),
]


@pytest.mark.parametrize(("config", "form", "points"), PEAKS)
def test_a_peak_is_the_largest_of_the_terms_that_attain_it(config, form, points):
    """9,633,792 bytes for ResNet-50 at 224. Terms exceeded by another at all sizes are not in the maximum."""
    one = formula(config, metrics="peak_bytes")["peak_bytes"]
    assert form is None or str(one.form) == form
    for point in points:
        due = analyze(config, metrics=["peak_bytes"], **point).totals["peak_bytes"]
        exact = {symbol: sympy.Rational(str(point[symbol.name])) for symbol in one.symbols}
        assert (one.form.subs(exact), one(**point)) == (due, due)


def test_a_peak_without_a_formula_is_refused(run):
    code, _, err = run("formula", "mobilenet_v3_small", "--metrics", "peak_bytes")
    assert (code, "terms is too long for a formula" in err) == (2, True)


def test_terms_that_another_exceeds():
    x, y = sympy.symbols("x y", positive=True)
    n = sympy.Symbol("n", positive=True, integer=True)
    assert undominated([x, 2 * x, x + y]) == [2 * x, x + y]
    assert undominated([x * y, 5 * x, 3 * x * y + 5 * x]) == [3 * x * y + 5 * x]
    assert undominated([sympy.Integer(7), 8 * n**2]) == [8 * n**2]  # the number of steps is at least 1
    assert undominated([sympy.Integer(9), 8 * n**2]) == [9, 8 * n**2]
    assert undominated([sympy.floor(x), x]) == [sympy.floor(x), x]
    assert undominated([n**2 - n, n]) == [n**2 - n, n]
