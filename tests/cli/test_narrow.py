"""No number is lost or truncated on a narrow screen: every command at any width."""

import io
import json
import os
import re

import pytest

from costcalc.budget.amounts import _UNITS
from costcalc.cli import terminal
from costcalc.cli.commands import COMMANDS
from costcalc.render import Screen, render_page
from costcalc.render.sheet import Column, Sheet
from costcalc.render.table import fitted, folded, needed, widths, wrapped
from tests.commands import WITH_JSON, lines

NAME = "a_very_long_name_of_a_layer_that_is_wider_than_many_screens"
NET = f"""
vars: {{alpha: 1.0, res: {{default: 224, choices: [224, 192, 160]}}}}
input: [res, res, 3]
published:
  - source: a paper with a long title that does not fit on one line of a telephone (arXiv:1704.04861), Table 8
    rows: [{{mult_adds: 1.5B, params: 0.2M, at: {{alpha: 1}}, not_reproducible: it is a figure of a test}}]
layers:
  - {{conv: 3x3, out: "floor(1024 * alpha)", stride: 2, as: {NAME}}}
  - {{dwconv: 3x3, repeat: 3, as: depthwise}}
  - {{conv: 1x1, out: "floor(40 * alpha)", bias: false, then: [batchnorm, relu]}}
  - {{avgpool: global}}
  - {{linear: 100000, as: linear_1000_2000}}
"""
CASES = {  # command -> command lines with JSON, on `net.yaml` above and its earlier version `old.yaml`
    **{name: lines(name)[:1] for name in sorted(WITH_JSON)},  # unless listed below: an example of its help
    "analyze": ["net.yaml", "net.yaml --by type", "net.yaml --by block", "net.yaml --all -c framework", "vgg16"],
    "sweep": [
        "net.yaml --alpha 1,0.75 --res 224,192 -m mult_adds,flops,params,activations,weights_bytes,framework.params"
    ],
    "fit": ["net.yaml --vary alpha=0.25:1:0.25 --vary res --max mult_adds=1G --max params=4M"],
    "compare": [
        "net.yaml --conv separable --stem --bytes",
        "net.yaml old.yaml vgg16 --bytes",
        "net.yaml old.yaml",
        "vgg16 --thin 0.5 --by type",
    ],
    "diff": ["old.yaml net.yaml"],
    "training": ["net.yaml --ranks 8 --precision bf16", "net.yaml --by block --checkpoint depthwise_*"],
    "memory": [],  # its JSON has the plan and the schedule, its text only one of them: see PARTS
    "space": [],  # of specs with choices; its integers are in tests/analysis/test_space.py
    "search": [],  # of specs with choices: see PARTS
    "survey": [],  # its JSON has the sizes of files: see PARTS
    "check": ["net.yaml --max mult_adds=500M --max params=4M --max weights_bytes=4MB --min any_layer.params=3"],
    "conventions": ["", "thop", "--terms"],
    "reconcile": [
        "net.yaml paper fvcore",
        "net.yaml paper torchinfo --by layer",
        "net.yaml framework keras --metric params",
        "vgg16 paper 31G",
    ],
    "reproduce": ["vgg16 mobilenet", "net.yaml"],
    "bench": [],  # times differ from run to run
    "selftest": ["conv attend --cases 3"],
}
SLOW = ("zoo", "reproduce", "selftest", "reconcile")  # not at every width
TEXTS = {  # command without JSON -> command lines
    **{name: lines(name)[:1] for name in COMMANDS if name not in WITH_JSON},
    "explain": ["net.yaml", "net.yaml depthwise_2", "net.yaml -c framework"],
    "formula": ["net.yaml"],
    "ops": ["", "conv"],
    "validate": ["net.yaml old.yaml"],
    "schema": [""],
    "help": ["", "fit"],
    "plot": ["net.yaml --alpha 0.5,1 -o plot.png"],
    "import": [],  # writes a spec, independent of the screen
    "export": [],  # writes a file
    "page": [],  # writes a file
    "serve": [],  # waits
}
PARTS = [
    "memory net.yaml --bits 8 -v",
    "memory net.yaml --arena -v",
    "space ofa_mobilenet_v3 --set d=2 --set ks=3 --set res=96 -v",
    "search space.yaml --max mult_adds=100G --maximize builtins:len -v",
    "survey net.yaml old.yaml space.yaml -v",
]
NO_COUNTS = {"schema_version", "line", "column", "groups", "times", "seed", "input", "output", "kernel", "stride"}
WIDTHS = (*range(0, 20, 5), *range(20, 201, 12))
FEW = (0, 20, 47, 80)


def test_every_command_has_a_case():
    assert {*CASES} == WITH_JSON
    assert {*TEXTS} == {*COMMANDS} - WITH_JSON


def integers(value, key=""):
    """All integers of a JSON document that are counts."""
    if type(value) is int and key not in NO_COUNTS:
        yield value
    pairs = value.items() if type(value) is dict else [(key, one) for one in value] if type(value) is list else []
    for name, each in pairs:
        yield from integers(each, name)


def numbers(text):
    """The integers of a text, without separators."""
    return {number.replace(",", "") for number in re.findall(r"\d[\d,]*\b", text)}


def shortened(value):
    """A count as printed by `check`, whose JSON has the exact integers."""
    return next((f"{value / size:.4g}{unit}" for size, unit in _UNITS if value >= size), str(value))


@pytest.fixture
def files(tmp_path):
    """Two versions of a spec."""
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "old.yaml").write_text(NET.replace("1024", "1000").replace("repeat: 3", "repeat: 2"))
    (tmp_path / "space.yaml").write_text(NET.replace("alpha: 1.0", "alpha: {default: 1.0, choices: [1.0, 0.5]}"))


@pytest.mark.parametrize("line", [f"{command} {line}" for command, lines in CASES.items() for line in lines])
def test_no_integer_is_lost_at_any_width(run, files, monkeypatch, line):
    command = line.split()
    due = {*map(abs, integers(json.loads(run(*command, "--json").out)))}
    assert due or command[0] in ("conventions",)
    for width in FEW if command[0] in SLOW else WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        text = run(*command, "-v").out  # otherwise the last line is a single line marked as truncated
        lost = {value for value in due if str(value) not in numbers(text)}
        lost -= {value for value in lost if command[0] == "check" and shortened(value) in text}
        assert lost == set(), f"{width} columns"


@pytest.mark.parametrize("line", [*PARTS, *(f"{command} {line}" for command, lines in TEXTS.items() for line in lines)])
def test_texts_do_not_depend_on_the_screen(run, files, monkeypatch, line):
    natural = run(*line.split())
    for width in FEW:
        monkeypatch.setenv("COLUMNS", str(width))
        text = run(*line.split())
        said = {str(width)} if "no room in" in text.out else set()
        assert (text.code, numbers(text.out) - said) == (0, numbers(natural.out) - said)


FITS = [
    "analyze mobilenet",
    "compare mobilenet mobilenet_v2 resnet50",
    "compare mobilenet --conv standard",
    "sweep mobilenet --alpha 1,0.5 --res 224,128",
    "diff mobilenet mobilenet_v2",
    "memory mobilenet",
    "training mobilenet",
    "check mobilenet --max any_layer.mult_adds=5% --metrics weights_bytes,activations",
]


@pytest.mark.parametrize("line", FITS)
def test_tables_fit_a_terminal(run, monkeypatch, line):
    """Also at 60 columns: columns without room are in a table below, or named."""
    for width in (60, 80):
        monkeypatch.setenv("COLUMNS", str(width))
        assert max(map(len, run(*line.split()).out.splitlines())) <= width


@pytest.mark.parametrize("columns", [0, 1, 17, 47, 80])
def test_a_terminal_that_reports_its_width(monkeypatch, columns):
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 0)))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(stream := io.StringIO(), "isatty", lambda: True)
    monkeypatch.setattr(stream, "fileno", lambda: 1)
    assert terminal.width(stream) == {0: terminal.USUAL, 1: 20, 17: 20}.get(columns, columns)


KEYS = (Column("layer", folds=True), Column("type", spare=1))
COUNTS = (
    Column("cost", True),
    Column("share", True, spare=2),
    *(Column(f"params {side}", True, spare=3) for side in "AB"),
)
SHEET = Sheet((*KEYS, *COUNTS), [("features/conv_1", "conv 3x3", "1,000,000", "99.9 %", "123,456", "1,234,567")])


def shown(width):
    """The headings of each table of SHEET on a screen of that width, and the omitted ones."""
    found = fitted(SHEET, width)
    return [" ".join(column.heading for column in each.columns) for each in found.sheets], len(found.left_out)


def test_what_gives_way_first():
    assert shown(70) == (["layer type cost share params A params B"], 0)
    assert shown(69) == (["layer cost share params A params B"], 1)
    assert shown(59) == (["layer cost share params A params B"], 1)
    assert shown(58) == (["layer cost params A params B"], 2)
    assert shown(49) == (["layer cost", "layer params A params B"], 2)  # counts are never left out
    assert shown(37) == (["layer cost", "layer params A", "layer params B"], 2)
    assert shown(1) == shown(20) == shown(37)
    assert needed(SHEET) == 70


def test_a_page_on_a_screen_of_each_width():
    class Page:
        heads = notes = staticmethod(
            lambda: ["total 12,345,678,901,234,567,890 of a_name_with_1234567890123456789012345"]
        )
        sheets = staticmethod(lambda: [SHEET, SHEET._replace(title="1,234,567 layers")])

    whole = numbers(render_page(Page, "table", Screen()))
    for width in range(1, 201):
        text = render_page(Page, "table", Screen(width))
        assert whole - {"99", "9", "3"} <= numbers(text)
        assert width < 30 or max(map(len, text.splitlines())) <= max(width, 41)


def test_names_fold_and_numbers_do_not():
    assert folded("abc 1,234,567 abcdefgh", 4) == ["abc", "1,234,567", "abcd", "efgh"]
    assert folded("x1,234,567", 4) == ["x", "1,234,567"]
    assert wrapped("one two  1,234,567,890", 5) == ["one", "two", "1,234,567,890"]
    assert widths(Sheet((Column("a", folds=True), Column("b", True)), [("ab " * 30, "1" * 30)]), 50) == [17, 30]
