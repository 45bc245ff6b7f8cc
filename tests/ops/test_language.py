"""Cached attention, experts, scans and latent attention: hand counts, published formulas, errors."""

import pytest

from costcalc import analyze, formula, sweep
from costcalc.errors import Source
from costcalc.read.spec.reader import read


def net(text):
    """The model of a spec."""
    return read(Source("net.yaml", text))


def totals(text, **options):
    """The totals of a spec."""
    return analyze(net(text), **options).totals


ATTENTION = "input: [{new}, 8]\nlayers:\n  - {{attention: 2, causal: true, cache: {past}, bias: false{more}}}\n"


def test_prefill_in_chunks_costs_what_it_costs_at_once():
    """Each token is projected once and each visible query-key pair counts once, for any chunk size."""
    for more in ("", ", window: 3", ", window: 2, sinks: 2"):
        whole = totals(ATTENTION.format(new=10, past=0, more=more), convention="flash")
        chunks = [
            totals(ATTENTION.format(new=n, past=p, more=more), convention="flash") for n, p in ((4, 0), (5, 4), (1, 9))
        ]
        assert sum(one["flops"] for one in chunks) == whole["flops"]


@pytest.mark.parametrize(
    ("more", "pairs", "kept"), [("", 31, 31), (", window: 8", 8, 8), (", window: 8, sinks: 4", 12, 12)]
)
def test_a_step_of_a_decoder_by_hand(more, pairs, kept):
    found = totals(ATTENTION.format(new=1, past=30, more=more), metrics=["kv_bytes"])
    assert found["mult_adds"] == 4 * 8 * 8 + 2 * 8 * pairs
    assert found["kv_bytes"] == 2 * 8 * kept * 4


def test_tables_and_norms_of_attention():
    text = "input: [5, 8]\nlayers: [{attention: 2, relative: 32, rotary: 4, qk_norm: true, bias: false}]\n"
    found = totals(text, metrics=["framework.params"])
    assert found["params"] == 4 * 64 + 2 * 32
    assert found["framework.params"] == found["params"] + 2 * 4


GPT = """
vars: {L: 3, s: 64, h: 32, V: 100}
inputs: {ids: [s]}
layers:
  - {embedding: h, vocab: V, as: words}
  - repeat: L
    layers:
      - {residual: true, layers: [layernorm, {attention: 4, causal: true, bias: false}]}
      - {residual: true, layers: [layernorm, {linear: 4 * h, bias: false}, gelu, {linear: h, bias: false}]}
  - {logits: V, reuse: words}
"""


@pytest.mark.parametrize(("s", "h"), [(64, 32), (128, 64), (7, 8)])
def test_training_flops_are_those_of_the_formulas(s, h):
    layers, vocab = 3, 100
    found = {name: totals(GPT, convention=name, s=s, h=h)["flops"] for name in ("6N", "palm", "megatron")}
    body = 12 * layers * h * h
    assert found["6N"] == 6 * body * s
    assert found["palm"] == (6 * (body + vocab * h) + 12 * layers * h * s) * s
    assert found["megatron"] == 96 * s * layers * h * h + 16 * s * s * layers * h + 6 * s * vocab * h
    assert totals(GPT, convention="6N", s=s, h=h)["params"] == body


def test_experts_by_hand():
    text = "input: [7, 16]\nlayers: [{moe: 32, experts: 8, active: 2, shared: 1, shared_hidden: 64}]\n"
    found = totals(text, metrics=["params_active"])
    one, beside, router = 3 * 16 * 32, 3 * 16 * 64, 16 * 8
    assert found["params"] == 8 * one + beside + router
    assert found["params_active"] == 2 * one + beside + router
    assert found["mult_adds"] == 7 * found["params_active"]


def test_latent_attention_by_hand():
    text = "input: [1, 16]\nlayers: [{latent_attention: 2, rank: 6, rope: 2, head_size: 4, causal: true, cache: 9%s}]\n"
    plain, absorbed = (totals(text % more, metrics=["kv_bytes"]) for more in ("", ", absorb: true"))
    weights = 16 * 2 * 6 + 16 * 8 + 6 * 2 * 8 + 2 * 4 * 16
    assert plain["params"] == absorbed["params"] == weights
    assert plain["kv_bytes"] == absorbed["kv_bytes"] == 10 * 8 * 4
    assert plain["mult_adds"] == weights + 9 * 6 * 2 * 8 + 10 * 2 * (6 + 4)
    assert absorbed["mult_adds"] == weights + 10 * 2 * (6 + 2 + 6)


def test_a_scan_has_the_flops_that_its_authors_say():
    text = "inputs: {u: [64, 32], d: [64, 32], b: [64, 16], c: [64, 16]}\nlayers: [{selective_scan: [u, d, b, c]%s}]\n"
    assert totals(text % ", skip: false", convention="mamba")["flops"] == 9 * 64 * 32 * 16
    assert totals(text % "", convention="mamba")["flops"] == 9 * 64 * 32 * 16 + 2 * 64 * 32
    assert totals(text % "")["mult_adds"] == 0


def test_a_sparse_convolution_by_hand():
    text = "input: [100, 4]\nlayers: [{sparse_conv: 3x3x3, out: 8, bias: false%s}]\n"
    assert totals(text % ", pairs: 450")["mult_adds"] == 450 * 4 * 8
    assert totals(text % "")["mult_adds"] == 100 * 27 * 4 * 8
    assert totals(text % "")["params"] == 27 * 4 * 8


EVERY = """
vars: {n: 6, past: {default: 3, min: 0}, w: 16, e: 4}
input: [n, w]
layers:
  - {attention: 2, causal: true, cache: past, window: 4, sinks: 1, relative: 8, qk_norm: true}
  - {latent_attention: 2, rank: w // 2, rope: 2, head_size: 4, causal: true, cache: past}
  - {latent_attention: 2, rank: w // 2, rope: 2, head_size: 4, absorb: true, cache: past}
  - {moe: 2 * w, experts: e, active: 2, shared: 1}
  - {mamba: 4}
  - {sparse_conv: 3x3, out: w, pairs: n}
  - {logits: 50}
"""
METRICS = ["mult_adds", "framework.params", "params_active", "kv_bytes", "flash.flops", "backward_mult_adds"]


def test_numbers_arrays_and_symbols_agree():
    axes = {"n": [1, 5, 9], "past": [0, 2, 40], "w": [16, 32], "e": [2, 8]}
    rows = sweep(net(EVERY), metrics=METRICS, **axes).to_dict("records")
    assert len(rows) == 36
    symbols = formula(net(EVERY), metrics=METRICS, names=[*axes])
    for row in rows[::5]:
        at = {name: int(row[name]) for name in axes}
        found = totals(EVERY, metrics=METRICS, **at)
        for name in METRICS:
            general = symbols[name].general
            value = general.subs({one: at[str(one)] for one in general.free_symbols})
            assert (int(row[name]), int(value)) == (found[name], found[name])


ERRORS = [
    (
        "input: [3, 8]\nlayers: [{attention: 2, sinks: 1}]",
        "`attention`: sinks need a causal window: give `causal` and `window`",
    ),
    (
        "inputs: {x: [3, 8], y: [5, 8]}\nlayers: [{attention: 2, memory: y, cache: 4}]",
        "`attention`: a cache holds the tokens before the input: with `memory`, give its keys as the memory",
    ),
    ("input: [3, 8]\nlayers: [{attention: 2, rotary: 6}]", "`attention`: 6 rotary channels, but a head has 4"),
    ("input: [3, 8]\nlayers: [{moe: 4, experts: 2, active: 3}]", "`moe`: 3 active of only 2 experts"),
    (
        "input: [3, 8]\nlayers: [{sparse_conv: 3, out: 4}]",
        "`kernel`: a kernel of a sparse grid names all axes: 3x3x3",
    ),
    ("input: [3, 8]\nlayers: [{sparse_conv: [], out: 4}]", "`kernel`: must have at least one axis"),
    ("input: [3, 8]\nlayers: [{grid: []}]", "`size`: must have at least one axis"),
    (
        "input: [3, 8]\nlayers: [{sparse_conv: 3x3, out: 4, pairs: 28}]",
        "`sparse_conv`: 28 pairs, but all sites have at most 27",
    ),
    (
        "input: [3, 8]\nlayers: [{selective_scan: [[], [], []]}]",
        "`selective_scan` takes values, steps, B and C, got 3 inputs",
    ),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_what_cannot_be(text, message):
    from costcalc.errors import SpecError

    with pytest.raises(SpecError) as error:
        totals(text + "\n")
    assert error.value.problems[0].message == message
