"""Shared weights, and layers passed to blocks, in the spec language."""

import pytest

from costcalc import analyze
from costcalc.analysis.formula.formula import formula
from costcalc.analysis.sweep.sweep import sweep
from costcalc.errors import OptionError, Source, SpecError
from costcalc.read.spec.reader import read

WORDS = "input: [16]\nlayers:\n  - {embedding: 8, vocab: 100, as: words}\n"
SEQUENCE = "input: [10, 64]\n"


def counted(text, convention="framework", **settings):
    """(params, mult-adds) of the text of a spec."""
    found = analyze(read(Source("net.yaml", text)), convention=convention, **settings).totals
    return found["params"], found["mult_adds"]


CASES = {  # by hand: (params, mult-adds) under `framework`
    "a head that reads the table of the words": (
        f"{WORDS}  - {{linear: 100, bias: false, reuse: words}}\n",
        800,
        12_800,
    ),
    "its bias is its own": (f"{WORDS}  - {{linear: 100, reuse: words}}\n", 900, 12_800),
    "a head that runs again": (
        f"{WORDS}  - {{linear: 100, bias: false, reuse: words, as: h}}\n  - {{reuse: h, from: words}}\n",
        *(800, 2 * 12_800),
    ),
    "two layers of one weight": (
        f"{SEQUENCE}layers: [{{linear: 64, as: a}}, {{linear: 64, reuse: a}}]\n",
        *(64 * 64 + 2 * 64, 2 * 10 * 64 * 64),
    ),
    "a parameter that a layer reads": (
        f"{SEQUENCE}layers:\n  - add: [[], [{{parameter: [1, 64]}}]]\n  - {{parameter: [8, 64], as: w}}\n"
        "  - {linear: 8, bias: false, reuse: w}\n",
        *(64 + 512, 8 * 64 * 8),
    ),
    "no bias for the keys": (
        f"{SEQUENCE}layers: [{{attention: 4, bias: [true, false, true, true]}}]\n",
        16_576,
        176_640,
    ),
    "numbers that another layer holds": (f"{SEQUENCE}layers: [{{linear: 8, params: 0}}]\n", 0, 10 * 64 * 8),
    "numbers by kind": (f"{SEQUENCE}layers: [{{linear: 8, params: {{weight: 7, gamma: 3, running: 5}}}}]\n", 10, 5_120),
    "a block's own parameter": (
        f"vars: {{h: 4}}\n{SEQUENCE}blocks:\n  decoder(h): [{{attention: h}}]\nlayers: [{{decoder: h}}]\n",
        *(16_640, 176_640),
    ),
    "a layer as an argument": (
        "input: [64, 64, 3]\nblocks:\n  up(out, skip):\n    - {conv: 1x1, out: out, as: x}\n    - concat: [x, skip]\n"
        "layers: [{conv: 3x3, out: 8, as: d1}, {conv: 3x3, out: 16}, {up: {out: 8, skip: d1}}]\n",
        *(1_528, 6_127_616),
    ),
    "an argument that is passed on": (
        "input: [8]\nblocks:\n  outer(y): [{linear: 4}, {inner: [y, 3]}]\n"
        "  inner(z, n): [{linear: n}, {concat: [[], z]}]\n"
        "layers: [{linear: 2, as: a}, {outer: a}, linear: 1]\n",
        *(18 + 12 + 15 + 6, 16 + 8 + 12 + 5),
    ),
    "a head that a block is given": (
        "input: [8, 8, 4]\nblocks:\n  level(h): [{avgpool: 2x2}, {reuse: h}]\n"
        "layers: [{conv: 3x3, out: 4, as: head}, {level: head}]\n",
        *(148, (64 + 16) * 144),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_shared_weights_count_once(name):
    text, params, mult_adds = CASES[name]
    assert counted(text) == (params, mult_adds)


def test_kinds_of_numbers_are_priced_by_their_kind():
    given = "{linear: 8, params: {weight: 7, gamma: 3, running: 5}}"
    text = f"{SEQUENCE}layers: [{given}, {{parameter: [4], kind: gamma}}]\n"
    assert [counted(text, name)[0] for name in ("paper", "framework", "keras", "slim")] == [7, 14, 19, 12]


def test_a_function_reads_the_variables_of_the_spec():
    text = "vars: {a: 2, h: 3}\ndefine: {w(c): a * c}\ninput: [8]\n"
    text += "blocks:\n  b(h, c): [{linear: w(c) + h}]\nlayers: [{b: [1, 2]}]\n"
    assert counted(text, "paper") == (8 * 5, 8 * 5)


SWEPT = "vars: {d: 8, vocab: 100}\ninput: [16]\nlayers:\n  - {embedding: d, vocab: vocab, as: words}\n  - linear: d\n"
SWEPT += "  - {linear: vocab, reuse: words}\n  - {linear: 4, params: {weight: d * 3, bias: 1}}\n"


def test_numbers_arrays_and_symbols_agree():
    model = read(Source("net.yaml", SWEPT))
    points = [(8, 100), (16, 50), (24, 7)]
    numbers = [counted(SWEPT, settings={"d": d, "vocab": v}) for d, v in points]
    for (d, vocab), (params, _) in zip(points, numbers, strict=True):
        assert params == vocab * d + d * d + d + vocab + 3 * d + 1
    swept = sweep(model, d=[8, 16, 24], vocab=[100, 50, 7], convention="framework")
    found = {(row.d, row.vocab): (row.params, row.mult_adds) for row in swept.itertuples()}
    assert [found[point] for point in points] == numbers
    form = formula(model, names=["d", "vocab"], convention="framework")["params"]
    assert [form(d=d, vocab=vocab) for d, vocab in points] == [params for params, _ in numbers]


WRONG = {  # an invalid spec; line and message of the error
    f"{WORDS}  - {{linear: 90, reuse: words}}\n": (4, "`words` holds 800 weights, `linear` needs 720 here"),
    f"{WORDS}  - {{linear: 100, reuse: word}}\n": (4, "no layer before this one is called `word`"),
    f"{WORDS}  - {{relu: , as: act}}\n  - {{linear: 100, reuse: act}}\n": (
        5,
        "`act` has no weights that can be shared",
    ),
    f"{WORDS}  - {{layers: [linear: 4, linear: 8], as: two}}\n  - {{linear: 4, reuse: two}}\n": (
        *(5, "`two` has 2 layers with weights: name one of them"),
    ),
    f"{WORDS}  - {{linear: 100, reuse: words, params: 3}}\n": (4, "a layer has `reuse` or `params`"),
    f"{WORDS}  - {{linear: 100, params: {{wieght: 3}}}}\n": (4, "unknown kind of parameter `wieght`"),
    f"{WORDS}  - {{linear: 100, params: -3}}\n": (4, "`params`: must be at least 0, got -3"),
    f"{WORDS}  - {{linear: 100, params: tokens - 20}}\n": (4, "`params`: must be at least 0, got -4"),
    f"{WORDS}  - {{attention: 4, bias: [true, false]}}\n": (
        *(4, "`attention`: `bias` is one value, or one each for queries, keys, values and the result; got 2"),
    ),
    "input: [8]\nblocks:\n  b(x): [{concat: [[], x]}]\nlayers: [{b: 4}]\n": (
        4,
        "no layer before this one is called `4`",
    ),
    "input: [8]\nblocks:\n  b(x=1): [{concat: [[], x]}]\nlayers: [b]\n": (3, "`x` names a layer and has no default"),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_shared_says_where(text):
    line, message = WRONG[text]
    with pytest.raises((SpecError, OptionError)) as error:
        counted(text)
    problem = error.value.problems[0]
    assert (problem.place.line, problem.message) == (line, message)
