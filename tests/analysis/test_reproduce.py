"""`costcalc reproduce`: digits of figures, every verdict, printed tables, formats, errors, and run time."""

import csv
import io
import json
import os
import subprocess
import sys
from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costcalc.analysis.reproduce.reproduce import findings, grouped, tables
from costcalc.errors import Source
from costcalc.quantities import Count, agreement, figure, value
from costcalc.read.spec.reader import read

FIGURES = {  # text -> digits, decimal places, unit, value
    "325M": (325, 0, 10**6, 325_000_000),
    "2.60M": (260, 2, 10**6, 2_600_000),
    "1.19%": (119, 2, 1, 1.19),
    "0.9k": (9, 1, 1000, 900),
    "5.74 B": (574, 2, 10**9, 5_740_000_000),
    "4,209,088": (4_209_088, 0, 1, 4_209_088),
    "567_716_352": (567_716_352, 0, 1, 567_716_352),
    "0": (0, 0, 1, 0),
}


@pytest.mark.parametrize("text", FIGURES)
def test_figures(text):
    *parts, number = FIGURES[text]
    assert (tuple(figure(text)), value(text)) == (tuple(parts), number)


@pytest.mark.parametrize(
    "text", ["", "M", "1.", ".5", "1.2.3", "-3", "+3", "1e6", "٣M", "²", "nan", "3MM", "1 2M", "1" * 41]
)
def test_what_is_no_figure(text):
    assert figure(text) is None


AGREEMENTS = [  # computed value, printed figure, how they agree
    (568_740_352, "569M", "rounded"),
    (568_740_352, "568M", "truncated"),
    (568_740_352, "568.7M", ""),
    (568_740_352, "568740352", ""),
    (568_740_352, "568740351", None),
    (568_740_352, "567M", None),
    (568_740_352, "570M", "rounded to 2 digits"),
    (300_774_272, "300M", "truncated"),
    (15_346_630_656, "15300M", "rounded to 3 digits"),
    (15_346_630_656, "15.3G", ""),
    (1_582_671_872, "1550M", None),
    (149_497_088, "150M", "rounded to 2 digits"),
    (5_713_000_000, "5000M", None),  # one digit is not enough
    (12, "10", None),
    (2_500_000, "2M", ""),  # a half rounds to even, or up
    (2_500_000, "3M", "rounded"),
    (3_500_000, "3M", "truncated"),
    (3_500_000, "4M", "rounded"),
    (2_499_999, "3M", None),
    (0, "0", ""),
    (Fraction(10_838_016 * 100, 568_740_352), "1.91%", "rounded"),
    (Fraction(10_838_016 * 100, 568_740_352), "1.90%", "truncated"),
    (Fraction(10_838_016 * 100, 568_740_352), "1.19%", None),
    (10**17 + 1, "100000000000000001", ""),  # equal as floats
    (10**17 + 1, "100000000000000002", None),
]


@pytest.mark.parametrize(("ours", "printed", "how"), AGREEMENTS)
def test_agreement(ours, printed, how):
    count = Count(*Fraction(ours).as_integer_ratio())
    assert agreement(count, figure(printed)) == how
    assert agreement(count._replace(complete=False), figure(printed)) is None


@given(st.integers(0, 10**15), st.integers(1, 10**6), st.integers(0, 4), st.sampled_from([1, 1000, 10**6, 10**9]))
@example(5, 2, 0, 1)
@example(7, 2, 0, 1)
def test_agreement_is_that_of_fractions(number, out_of, places, unit):
    exact = Fraction(number, out_of) * 10**places / unit
    for digits in {floor(exact), round(exact), floor(exact + Fraction(1, 2)), floor(exact) + 2}:
        rounded = digits in (round(exact), floor(exact + Fraction(1, 2)))
        truncated = digits == floor(exact)
        how = agreement(
            Count(number, out_of), (printed := figure("0"))._replace(digits=digits, places=places, unit=unit)
        )
        wanted = "" if rounded and truncated else "rounded" if rounded else "truncated" if truncated else None
        assert how == wanted or (wanted is None and how.startswith("rounded to ")), printed


SPEC = """
vars: {alpha: 1.0, unknown: false}
input: [8, 8, 4]
layers:
  - {conv: 3x3, out: floor(alpha * 10), bias: false}
  - {conv: 1x1, out: 10, bias: false, as: head}
  - {opaque: a sort, when: unknown}
published:
"""  # 3x3: 23,040 mult-adds and 360 params; head: 6,400 and 100
VERDICTS = [  # a row, and the verdict on each of its figures
    ("{mult_adds: 29440}", ["exact"]),
    ("{mult_adds: 29k, params: 0.5k, top1: 70}", ["exact", "exact (rounded)"]),
    ("{flops: 59k, convention: flops}", ["exact (rounded)"]),
    ("{flops: 58880}", ["exact"]),
    ("{layer: head, mult_adds: 6400, params: 100}", ["exact", "exact"]),
    ("{layer: h*, params: 100}", ["exact"]),
    ("{without: head, mult_adds: 23040}", ["exact"]),
    ("{without: [head, conv], mult_adds: 0}", ["exact"]),
    ("{type: conv 1x1, mult_adds_share: 21.7%, params_share: 22%}", ["exact", "exact (rounded)"]),
    ("{type: conv 1x1, without: head, params: 0}", ["exact"]),
    ("{at: {alpha: 2}, mult_adds: 58880}", ["exact"]),
    ("{mult_adds: 3}", ["differs"]),
    ("{mult_adds: 3, params: 460, erratum: a slip}", ["erratum: a slip", "exact"]),
    ("{mult_adds: 3, params: 4, erratum: {params: a slip}}", ["differs", "erratum: a slip"]),
    ("{mult_adds: 3, not_reproducible: secret}", ["not reproducible: secret"]),
    (
        "{mult_adds: 3, params: 4, erratum: {params: a slip}, not_reproducible: secret}",
        ["not reproducible: secret", "erratum: a slip"],
    ),
    ("{mult_adds: 3, erratum: a slip, corrected: {mult_adds: 29k}}", ["erratum: a slip; it should be 29k"]),
    ("{mult_adds: 29k, erratum: cut off, corrected: {mult_adds: 29.4k}}", ["erratum: cut off; it should be 29.4k"]),
    (
        "{mult_adds: 3, erratum: a slip, corrected: {mult_adds: 28k}}",
        ["differs: its erratum says 28k, which is wrong too"],
    ),
    ("{mult_adds: 29440, note: as we say}", ["exact; as we say"]),
    ("{at: {unknown: true}, mult_adds: 29440, params: 460}", ["differs", "differs"]),
    ("{at: {unknown: true}, layer: head, mult_adds: 6400}", ["exact"]),
]


def spec_with(*rows, source="a paper, Table 1"):
    """The text of a spec with published rows."""
    return f"{SPEC.lstrip()}  - source: {source}\n    rows:\n" + "".join(f"      - {row}\n" for row in rows)


@pytest.mark.parametrize(("row", "said"), VERDICTS)
def test_verdicts(run, row, said):
    with open("net.yaml", "w") as file:
        file.write(spec_with(row))
    code, out, err = run("reproduce", "net.yaml", "--format", "csv")
    found = list(csv.DictReader(io.StringIO(out)))
    hows = [f"{row['verdict']}{' (' if row['how'] else ''}{row['how']}{')' if row['how'] else ''}" for row in found]
    whys = [f"{how}{': ' if row['why'] else ''}{row['why']}" for how, row in zip(hows, found, strict=True)]
    notes = [f"{why}{'; ' if row['note'] else ''}{row['note']}" for why, row in zip(whys, found, strict=True)]
    assert (notes, err) == (said, "")
    assert code == (1 if any(text.startswith("differs") for text in said) else 0)


ERRORS = [  # a row, its error, and the help
    ("{without: [head, relu*], params: 1}", "no layer is called `relu*`", "`costcalc analyze SPEC` lists the layers"),
    ("{layer: haed, params: 1}", "no layer is called `haed`", "a similar name exists: `head`"),
    ("{type: conv 2x2, params: 1}", "there is no layer of type `conv 2x2`", "a similar name exists: `conv 3x3`"),
    ("{type: relu, params: 1}", "there is no layer of type `relu`", "the types: `conv 1x1`, `conv 3x3`"),
    ("{convention: papr, params: 1}", "there is no convention `papr`", "a similar name exists: `paper`"),
]


@pytest.mark.parametrize(("row", "message", "help"), ERRORS)
def test_a_row_that_is_about_nothing(run, row, message, help):
    with open("net.yaml", "w") as file:
        file.write(spec_with(row))
    said = f"""error: {message}
  --> net.yaml:10:9
   |
10 |       - {row}
   |         {"^" * len(row)}
   = help: {help}

"""
    assert run("reproduce", "net.yaml") == (2, "", said)


def test_a_setting_that_cannot_be(run):
    with open("net.yaml", "w") as file:
        file.write(spec_with("{at: {alpha: 0.01}, params: 1}"))
    code, out, err = run("reproduce", "net.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("error: `out`: must be at least 1, got 0\n --> net.yaml:4:22\n")
    assert err.rstrip().endswith("= note: for the figures published on line 10")


def test_a_spec_without_figures(run):
    with open("net.yaml", "w") as file:
        file.write("input: [8, 8, 4]\nlayers: [relu]\n")
    said = "error: net has no published figures\n  = help: list them under `published:`, with their source\n"
    assert run("reproduce", "net.yaml") == (2, "", said)


TABLE = """\
a paper, Table 1
network   setting   convention   metric               printed   computed   verdict
────────────────────────────────────────────────────────────────────────────────────────────────────
net                 paper        mult-adds                 3k     29,440   erratum: a slip
net                 paper        params                   460        460   exact
the net   head      paper        mult-adds share           0%     21.74%   not reproducible: secret

a paper, Table 2
network   setting        convention   metric      printed   computed   verdict
───────────────────────────────────────────────────────────────────────────────
net       unknown=True   paper        params          460     >= 460   differs

4 figures: 1 exact, 1 erratum, 1 not reproducible, 1 differs; 2 accuracies are not computed
"""


def test_the_table(run):
    rows = (
        "{mult_adds: 3k, params: 460, top1: 70, erratum: a slip}",
        "{model: the net, layer: head, mult_adds_share: 0%, not_reproducible: secret}",
    )
    with open("net.yaml", "w") as file:
        file.write(spec_with(*rows))
        file.write("  - {source: 'a paper, Table 2', rows: [{at: {unknown: true}, params: 460, top1: 3}]}\n")
    code, out, err = run("reproduce", "net.yaml")
    assert (code, err) == (1, "")
    assert [line.split() for line in out.splitlines() if "───" not in line] == [
        line.split() for line in TABLE.splitlines() if "───" not in line
    ]


def test_only_some_verdicts(run):
    with open("net.yaml", "w") as file:
        file.write(spec_with("{params: 1}", "{params: 460}", "{params: 2, erratum: a slip}"))
    code, out, err = run("reproduce", "net.yaml", "--only", "differs", "--only", "erratum")
    assert (code, err) == (1, "")
    assert [line.split()[-1] for line in out.splitlines()[3:5]] == ["differs", "slip"]
    assert out.endswith("\n\n3 figures: 1 exact, 1 erratum, 1 differs\n")
    assert run("reproduce", "net.yaml", "--only", "not-reproducible")[1] == "3 figures: 1 exact, 1 erratum, 1 differs\n"


def test_every_format_says_the_same(run):
    _, text, _ = run("reproduce", "mobilenet", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    document = json.loads(run("reproduce", "mobilenet", "--json")[1])
    summary = document["summary"]
    assert len(rows) == summary["figures"] == sum(list(summary.values())[1:5]) == len(document["figures"])
    for row, entry in zip(rows, document["figures"], strict=True):
        assert row == {name: str(entry[name]) for name in row}
        assert all(f"{name}={value}" in entry["setting"] for name, value in entry["at"].items())
    for format in ("table", "md", "latex"):
        text = run("reproduce", "mobilenet", "--format", format)[1]
        assert text.count("erratum") >= summary["erratum"]
        assert f"{summary['figures']} figures: {summary['exact']} exact" in text.replace("\\", "")


def test_a_file_gets_what_standard_output_gets(run):
    assert run("reproduce", "vgg16", "-o", "figures.csv") == (0, "", "")
    with open("figures.csv") as file:
        assert file.read() == run("reproduce", "vgg16", "-f", "csv")[1]


def test_a_row_of_several_tables_is_in_each():
    assert tables("A (arXiv:1), Tables 4, 6, 7 and 8") == [f"A (arXiv:1), Table {n}" for n in (4, 6, 7, 8)]
    assert tables("A (arXiv:1), Tables 6 and 7") == ["A (arXiv:1), Table 6", "A (arXiv:1), Table 7"]
    assert tables("owner/repo path") == ["owner/repo path"]


def test_tables_stand_in_order():
    sources = [
        "z/repo README",
        "B (arXiv:2), Table 10",
        "M (arXiv:1704.04861), Tables 4 and 12",
        "B (arXiv:2), Table 9",
    ]
    sources += ["M (arXiv:1704.04861), section 3", "M (arXiv:1704.04861), Table 2", "A (arXiv:3), Table 1"]
    text = spec_with("{params: 460}", source=sources[0])
    text += "".join(f"  - {{source: '{source}', rows: [{{params: 460}}]}}\n" for source in sources[1:])
    assert [title for title, _ in grouped(findings(read(Source("net.yaml", text))))] == [
        *(f"M (arXiv:1704.04861), Table {n}" for n in (2, 4, 12)),
        "M (arXiv:1704.04861), section 3",
        "z/repo README",
        "B (arXiv:2), Table 9",
        "B (arXiv:2), Table 10",
        "A (arXiv:3), Table 1",
    ]


CODE = "from costcalc.cli import main\nmain()"
START = "import click, yaml, time; print(time.process_time())"  # the minimum for any command: 0.04 s on a fast machine


def test_everything_shipped_comes_out_and_that_fast(tmp_path):
    before = os.times()
    command = [sys.executable, "-c", CODE, "reproduce"]
    process = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    after = os.times()  # processor time, because wall time depends on the load
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    assert (process.returncode, process.stderr) == (0, "")
    titles = [line for line in process.stdout.splitlines() if line.startswith("MobileNets (arXiv:1704.04861), Table")]
    assert [int(title.rpartition(" ")[2]) for title in titles] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14]
    assert process.stdout.startswith(titles[0])
    assert " differ" not in process.stdout.splitlines()[-1]
    assert seconds < 75 * float(subprocess.run([sys.executable, "-c", START], capture_output=True, check=True).stdout)


@pytest.mark.parametrize(("row", "code"), [("{params: 1}", 1), ("{params: 460}", 0)])
def test_a_reader_that_is_gone_does_not_change_the_verdict(tmp_path, row, code):
    (tmp_path / "net.yaml").write_text(spec_with(row))
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", CODE, "reproduce", "net.yaml"]
    process = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(writing)
    assert (process.returncode, process.stderr) == (code, b"")
