"""`explain` agrees with `analyze`: the working of a row evaluates to the row's counts."""

import math
from types import SimpleNamespace

import pytest

from costcalc import analyze
from costcalc.analysis.explain.working import worked
from costcalc.analysis.prove.prove import drawn, stated
from costcalc.metrics.pricing import MAC
from costcalc.ops import INDEX, find

NUMBERS = {"floor": math.floor, "ceiling": math.ceil, "Min": min, "Max": max, "Mod": lambda a, b: a % b, "Abs": abs}


def row_of(name, flowing, options):
    """A row as made by a trace for an operation on shapes; None if the rule refuses."""
    layer, op = stated(name, flowing, options), find(name)
    if layer is None:
        return None
    bound = {option: op.options[option].kind.bind(value) for option, value in options.items()}
    return SimpleNamespace(op=op, options=bound, inputs=flowing, layer=layer, shared=None, times=1)


def evaluated(text):
    """The value of a numeric expression."""
    return eval(text.replace("^", "**"), {"__builtins__": {}}, NUMBERS)


@pytest.mark.parametrize("name", INDEX)
def test_a_working_comes_to_what_is_counted(name):
    shown = 0
    for flowing, options in drawn(name, 150):
        row = row_of(name, flowing, options)
        if row is None or row.layer.unknown:
            continue
        counted = sum(count for term, count in row.layer.terms.items() if term in MAC)
        for due, working in zip((counted, row.layer.params.get("weight", 0)), worked(row), strict=True):
            assert due == (working.value if working else 0), (flowing, options)
            if due and working.numbers:
                assert evaluated(working.numbers) == due, (flowing, options, working)
                shown += 1
    assert shown or name not in ("conv", "linear", "attention", "attend", "matmul", "einsum", "bilinear", "lstm", "gru")


@pytest.mark.parametrize(
    ("inputs", "layer", "line"),
    [
        (
            "q: [4, 8], k: [10, 8], v: [10, 16]",
            "{attend: [q, k, v], heads: 1, causal: true}",
            "P*C + P*V = 40*8 + 40*16 = 960",
        ),
        ("x: [16, 32]", "{attend: [[], [], []], heads: 1, causal: true}", "P*C + P*V = 256*32 + 256*32 = 16,384"),
        ("x: [6, 32]", "{attend: [[], [], []], heads: 1, window: 3}", "P*C + P*V = 16*32 + 16*32 = 1,024"),
        ("x: [6, 4], y: [5, 4]", '{einsum: "ab,cb->ac", of: [x, y]}', "a*b*c = 6*4*5 = 120"),
    ],
)
def test_masks_and_equations(run, tmp_path, inputs, layer, line):
    (tmp_path / "net.yaml").write_text(f"inputs: {{{inputs}}}\nlayers: [{layer}]\n")
    out = run("explain", "net.yaml").out
    assert f"  mult-adds  {line}\n" in out
    assert int(line.rpartition(" = ")[2].replace(",", "")) == analyze(tmp_path / "net.yaml").totals["mult_adds"]


@pytest.mark.parametrize("convention", ["paper", "framework", "flops", "thop"])
def test_a_whole_network_ends_with_the_totals(run, convention):
    totals = analyze("vgg16", convention=convention).totals
    words = {"mult_adds": "mult-adds", "flops": "FLOPs", "params": "params"}
    said = ", ".join(f"{value:,} {words[name]}" for name, value in totals.items())
    out = run("explain", "vgg16", "-c", convention).out
    assert out.rpartition("\n\n")[0].endswith(f"\n\ntotal of vgg16: {said}")
    assert "total" not in run("explain", "vgg16", "linear_1").out


def test_the_total_of_an_unknown_cost_is_a_lower_bound(run, tmp_path):
    (tmp_path / "net.yaml").write_text(
        "input: [8]\nlayers: [{linear: 2}, {opaque: a thing, out: [3], mult_adds: unknown}]\n"
    )
    assert "total of net: >= 16 mult-adds, >= 16 params" in run("explain", "net.yaml").out
