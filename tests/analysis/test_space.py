"""Design spaces counted by decomposition, against an enumeration of networks."""

import json
import re
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from costcalc import analyze, space
from costcalc.analysis.space import counter
from costcalc.analysis.space.counts import counted
from costcalc.analysis.space.sums import Sums
from costcalc.errors import OptionError, Source
from costcalc.read.spec.reader import read

DEPTHS = """
vars:
  ks: {default: 3, choices: [3, 5], each: 4}
  e: {default: 2, choices: [2, 3], each: 4}
  d: {default: 2, choices: [1, 2], each: 2}
input: [16, 16, 8]
blocks:
  stage(s):
    - {repeat: "d[s]", layers: [{conv: 1x1, out: "8 * e[2 * s + i]"}, {dwconv: "ks[2 * s + i]"}, {conv: 1x1, out: 8}]}
layers:
  - stage: [[0], [1]]
"""
WIDTHS = """
vars: {w: {default: 8, choices: [4, 8, 12], each: 3}, k: {default: 3, choices: [1, 3], each: 3}}
input: [8, 8, 3]
layers:
  - {conv: "k[0]", out: "w[0]"}
  - {conv: "k[1]", out: "w[1]"}
  - {conv: "k[2]", out: "w[2]"}
  - linear: 10
"""
SHARED = """
vars: {phi: {default: 1, choices: [1, 2]}, k: {default: 3, choices: [1, 3, 5], each: 2}}
input: [8, 8, 3]
layers:
  - {conv: "k[0]", out: 8 * phi}
  - {conv: 3x3, out: 8}
  - {conv: "k[1]", out: 4 * phi}
"""
SKIP = """
vars: {w: {default: 8, choices: [4, 8], each: 3}}
input: [8, 8, 3]
layers:
  - {conv: 3x3, out: "w[0]", as: early}
  - {conv: 3x3, out: "w[1]"}
  - concat: [[], [{identity: , from: early}]]
  - {conv: 1x1, out: "w[2]"}
  - {conv: 1x1, out: 4}
"""
WORDS = """
vars:
  k: {default: 3, choices: [3, 5]}
  act: {default: relu, choices: [relu, prelu]}
  window: {default: 3x3, choices: [3x3, 1x7, 7x7]}
  norm: {default: batchnorm, choices: [batchnorm, identity], each: 2}
  s: {default: 1, choices: [1, 2], each: 2}
input: [16, 16, 4]
blocks:
  unit(at, norm): [{conv: k, out: 4, stride: "s[at]", then: [norm]}]
layers:
  - unit: [[0, "norm[0]"], [1, "norm[1]"]]
  - {conv: window, out: 6, then: [act]}
"""
SIZES = """
vars: {res: {default: 8, choices: [8, 16]}, c: {default: 3, choices: [3, 4], each: 2}, w: {default: 4, choices: [4, 8]}}
input: [res, res, "c[1]"]
layers:
  - {conv: 3x3, out: w}
  - {conv: 1x1, out: "c[0]"}
"""
CONDITION = """
vars: {on: {default: 1, choices: [0, 1], each: 2}, w: {default: 4, choices: [4, 8], each: 2}}
input: [8, 8, 3]
layers:
  - {conv: 3x3, out: "w[0]", when: "on[0]"}
  - {conv: 3x3, out: "w[1]", when: "on[1]"}
  - {conv: 1x1, out: 8}
"""


def loads(text):
    return read(Source("net.yaml", text))


def cost(model, metric="mult_adds", **values):
    return analyze(model, settings=values).totals[metric]


def one_by_one(text, metric):
    """The cost of every combination of settings."""
    model = loads(text)
    names = {name: one for name, one in model.variables.items() if one.choices and not one.each}
    for values in product(*(one.choices for one in names.values())):
        yield cost(model, metric, **dict(zip(names, values, strict=True)))


def nested(metric):
    """The cost of every network of DEPTHS; a stage with one block reads only one kernel and expansion."""
    model = loads(DEPTHS)
    stages = [[(d, ks, es) for ks in product((3, 5), repeat=d) for es in product((2, 3), repeat=d)] for d in (1, 2)]
    every = [one for some in stages for one in some]
    for (d0, k0, e0), (d1, k1, e1) in product(every, repeat=2):
        ks, es = (*(*k0, 3)[:2], *(*k1, 3)[:2]), (*(*e0, 2)[:2], *(*e1, 2)[:2])
        yield cost(model, metric, ks=ks, e=es, d=(d0, d1))


def agrees(found, costs):
    every = Counter(costs)
    assert found.networks == sum(every.values())
    assert (found.least, found.most) == (min(every), max(every))
    for limit in sorted({*every, *(one - 1 for one in every), 0, max(every) + 1}):
        assert found.within(limit) == sum(count for one, count in every.items() if one <= limit), limit
    ordered = sorted(every.elements())
    for share in (0.001, 0.1, 0.5, 0.9, 1.0):
        due = max(-(-round(share * 10**6) * len(ordered) // 10**6), 1)
        assert found.quantile(share) == ordered[due - 1], share
    assert sum(count for *_, count in found.histogram(5)) == len(ordered)


@pytest.mark.parametrize("metric", ["mult_adds", "params"])
def test_networks_that_read_the_same_are_one(metric):
    found = space(loads(DEPTHS), of=metric)
    assert (found.networks, found.shared) == (20**2, ())
    agrees(found, nested(metric))


@pytest.mark.parametrize("text", [WIDTHS, SHARED, SKIP, WORDS, SIZES])
@pytest.mark.parametrize("metric", ["mult_adds", "params"])
def test_every_way_to_decompose_counts_every_setting(text, metric):
    agrees(space(loads(text), of=metric), one_by_one(text, metric))


def test_how_it_was_counted_is_said():
    assert space(loads(DEPTHS)).method == "a convolution of independent parts"
    assert space(loads(WIDTHS)).method == "a dynamic programme over widths"
    assert space(loads(SHARED)).shared == ("phi",)
    assert space("mobilenet_space").method == "enumeration of all settings"  # all are read everywhere


CELL = """
vars: {op: {default: 0, choices: [0, 1, 2], each: 3}, cells: 2}
input: [8, 8, 4]
blocks:
  edge(at):
    - {relu: , when: "op[at] > 0"}
    - {conv: 1x1, out: 4, when: "op[at] == 1"}
    - {conv: 3x3, out: 4, when: "op[at] == 2"}
  cell(): [{as: a}, {edge: 0, as: b}, {add: [[{identity: , from: a}, {edge: 1}], [{edge: 2}]]}]
layers: [{conv: 3x3, out: 4}, {cell: , repeat: cells}]
"""


def test_each_question_says_how_it_was_counted(run, tmp_path, monkeypatch):
    """By sums over groups for mult-adds, and by enumeration for memory, which is not a sum."""
    monkeypatch.setattr(counter, "FEW", 0)
    (tmp_path / "net.yaml").write_text(CELL)
    out = run("space", "net.yaml", "--max", "mult_adds=40k", "--max", "peak_bytes=5KiB").out
    groups = "a convolution over groups of choices that layers read together"
    said = f"exact, by {groups}; mult_adds with peak_bytes by enumeration of all settings; choices that"
    assert said in " ".join(out.split())
    done = json.loads(run("space", "net.yaml", "--max", "mult_adds=40k", "--max", "peak_bytes=5KiB", "--json").out)
    assert done["method"] == groups
    assert done["other_methods"] == [{"metrics": ["mult_adds", "peak_bytes"], "how": "enumeration of all settings"}]
    assert space(loads(CELL), of="peak_bytes").method == "enumeration of all settings"
    none = json.loads(run("space", "net.yaml", "--max", "peak_bytes=1KiB", "-m", "mult_adds", "--json").out)
    assert (none["fitting"], none["other_methods"]) == (0, [])


def test_it_is_told_how_much_of_a_part_is_done():
    told = []
    found = space(loads(CELL), of="peak_bytes", tell=lambda count, of: told.append((count, of)))
    assert (found.networks, {of for _, of in told}) == (27, {1000})
    counts = [count for count, _ in told]
    last = counts[len(counts) - counts[::-1].index(0) :]  # the counts since the last restart
    assert (sum(last), len(last)) == (1000, 27)


@pytest.mark.parametrize(
    ("size", "middle", "layers", "fits"),
    [(8, "", 1, True), (8, "", 3, False), (4, 20_000_000, 3, True), (4, 20_000_000, 40, False)],
    ids=["layer", "product", "sum", "sums"],
)
def test_costs_past_64_bits_are_refused(run, tmp_path, size, middle, layers, fits):
    """Of one layer between wide ones, and of the sum of parts that do not touch."""
    (tmp_path / "net.yaml").write_text(
        f"vars: {{w: {{default: 4, choices: [4, 1000000000], each: 40}}}}\ninput: [{size}, {size}, 4]\nlayers:\n"
        + "".join(
            f'  - {{conv: 1x1, out: "w[{at}]"}}\n' + (f"  - {{conv: 1x1, out: {middle}}}\n" if middle else "")
            for at in range(layers)
        )
    )
    done = run("space", "net.yaml")
    assert (done.code, "is too large: a co" in done.err) == ((0, False) if fits else (2, True)), done.err


def test_more_shapes_than_can_be_walked_are_refused(run, tmp_path):
    wide = ", ".join(map(str, range(1, 20_003)))
    (tmp_path / "net.yaml").write_text(
        f"vars: {{w: {{default: 1, choices: [{wide}], each: 2}}}}\ninput: [8, 8, 4]\n"
        'layers: [{conv: 1x1, out: "w[0]"}, {conv: 1x1, out: "w[1]"}]\n'
    )
    done = run("space", "net.yaml")
    assert (done.code, "20,002 input shapes with 20,002 networks" in done.err) == (2, True), done.err


def test_a_limit_that_is_none_is_refused_before_anything_is_counted(run, tmp_path, monkeypatch):
    monkeypatch.setattr(counter.Counter, "decomposed", lambda self: pytest.fail("it was counted"))
    (tmp_path / "net.yaml").write_text(WIDTHS)
    for limit, word in (
        ("peak_bytes=400k", "in bytes"),
        ("arena_bytes=4MiB", "neither a sum nor a maximum"),
        ("mult_adds=x", "no"),
    ):
        for command in (["space"], ["search", "--maximize", "builtins:len"]):
            done = run(*command, "net.yaml", "--max", limit)
            assert (done.code, word in done.err) == (2, True)


@pytest.mark.parametrize("condition", ["op[0] == op[1]", "op[0] - op[1] == 0"])
def test_what_is_read_where_two_choices_are_equal_is_not_read_elsewhere(condition):
    text = """
vars: {op: {default: 0, choices: [0, 1, 2], each: 2}, k: {default: 1, choices: [1, 3], each: 1}}
input: [8, 8, 4]
layers:
  - {conv: "k[0]", out: 4, when: "CONDITION"}
"""
    found = space(loads(text.replace("CONDITION", condition)))
    assert found.networks == 3 * 2 + 6
    assert [found.within(most) for most in (0, 64 * 16, 9 * 64 * 16)] == [6, 9, 12]


def test_a_layer_that_is_not_there_reads_nothing():
    found = space(loads(CONDITION))
    model = loads(CONDITION)
    costs = [
        cost(model, **{"on[0]": a, "on[1]": b, "w[0]": w, "w[1]": v})
        for a, b in product((0, 1), repeat=2)
        for w in ((4, 8) if a else (4,))
        for v in ((4, 8) if b else (4,))
    ]
    agrees(found, costs)


def test_what_is_set_is_no_choice():
    assert space(loads(WIDTHS), w=8).networks == 2**3
    assert space(loads(WIDTHS), settings={"w[0]": 8}).networks == 3**2 * 2**3
    with pytest.raises(OptionError, match="no unset variable with choices"):
        space(loads(WIDTHS), w=8, k=3)


@pytest.mark.parametrize(("positions", "seed"), [(1, 0), (5, 1), (40, 2), (80, 3)])
def test_sums_of_many_parts_are_exact(positions, seed):
    random = np.random.default_rng(seed)
    parts = [np.sort(random.integers(0, 60, 9)) * 8 + 100 for _ in range(positions)]
    every = Counter({0: 1})
    for part in parts:
        grown = Counter()
        for a, count in every.items():
            for b in part.tolist():
                grown[a + b] += count
        every = grown
    sums = Sums([counted(part) for part in parts])
    assert sums.total == 9**positions
    for limit in (min(every) - 1, min(every), *random.integers(min(every), max(every), 20).tolist(), max(every)):
        assert sums.within(limit) == sum(count for one, count in every.items() if one <= limit)


def test_the_command(run, tmp_path):
    (tmp_path / "net.yaml").write_text(WIDTHS)
    costs = list(one_by_one(WIDTHS, "mult_adds"))
    limit = sorted(costs)[50]
    code, out, _ = run("space", "net.yaml", "--max", f"mult_adds={limit}", "--format", "json")
    found = json.loads(out)
    assert (code, found["networks"], found["max"]) == (0, 216, {"mult_adds": limit})
    assert found["fitting"] == sum(one <= limit for one in costs)
    assert sum(row["networks"] for row in found["histogram"]) == 216
    text = run("space", "net.yaml", "--max", f"mult_adds={limit}").out
    assert text.startswith(f"216 networks\n{found['fitting']} fit mult_adds <= {limit:,} (")
    code, _, err = run("space", "mobilenet")
    assert (code, "no unset variable with choices" in err) == (2, True)
    assert run("space", "net.yaml", "-m", "arena_bytes")[0] == 2


def test_the_page_of_the_docs(run, tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "spaces.md").read_text(encoding="utf-8")
    (spec,), (code,) = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("yaml", "python"))
    (tmp_path / "net.yaml").write_text(spec)
    monkeypatch.setenv("COLUMNS", "100")
    shown = re.findall(r"```console\n\$ costcalc (.*?)\n(.*?)```", page, re.DOTALL)
    assert len(shown) == 3
    for line, printed in shown:
        assert run(*line.split()).out == printed
    found = space("net.yaml", of="mult_adds")
    assert (found.networks, found.within("100k"), found.quantile(0.5)) == (216, 191, 43_008)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "spaces.md", "exec"), {})  # run the code of the page as a reader would


@pytest.mark.slow
def test_once_for_all():
    """Counts over the whole space, which no other tool prints."""
    found = space("ofa_mobilenet_v3")
    assert found.networks == 7371**5 == 21_758_655_492_572_485_851
    assert (found.least, found.most) == (121_278_672, 566_170_656)
    due = {
        "150M": 113_060_354,
        "250M": 8_973_975_645_621_513,
        "300M": 856_295_841_105_991_212,
        "400M": 20_599_264_329_795_529_108,
        "500M": 21_758_652_757_306_604_288,
    }
    assert {limit: found.within(limit) for limit in due} == due


def test_once_for_all_has_so_many_networks():
    assert space("ofa_mobilenet_v3").networks == 7371**5
