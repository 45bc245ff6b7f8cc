"""Output formats: read back by independent parsers, they contain the figures of the report."""

import csv
import importlib
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

import costcalc
from costcalc import analyze
from costcalc.analysis.report.columns import COLUMNS, View, public
from costcalc.analysis.report.page import render
from costcalc.analysis.sweep.page import PointsPage, about
from costcalc.errors import Source
from costcalc.metrics.conventions import price_list
from costcalc.read.spec.reader import read
from costcalc.render.html_file import of_page

ROOT = Path(__file__).parents[2]
SPECS = sorted([*ROOT.glob("configs/*.yaml"), *ROOT.glob("tests/specs/*.yaml")])
CONTRACT = json.loads((ROOT / "tests" / "data" / "report.schema.json").read_text())
OPTIONAL = ("by_block", "accounting", "phase", "uncounted")
NUMBERS, SHAPES = ("groups", "params", "line"), ("input", "output", "kernel", "stride")


def spec_of(text):
    """The model of a text."""
    return read(Source("spec.yaml", text))


def named(*names):
    """A spec with a layer of each name."""
    layers = [f"  - {{conv: 1x1, out: 4, as: {json.dumps(name)}}}\n" for name in names]
    return spec_of("input: [8, 8, 4]\nlayers:\n" + "".join(layers))


MARKUP = ["a_b&c%$#{}", "x^y~z\\|<b>", "[0] *p* `c` !x", "-- @me", "<script>alert('\"&')</script>", "Größe→"]
HOSTILE = named(*MARKUP, "=1+1", "a\tb\x1b[31m\u202e")
ODD = spec_of("""
inputs: {image: [8, 8, 4], other: [8, 8, 4]}
layers:
  - {conv: 3x3, out: 4, as: first, times: 3}
  - reuse: first
  - add: [[], other]
  - {opaque: who knows, as: guess}
""")
VIEWS = [View(), View("type"), View("block", depth=2), View(columns=("name", "params"))]
MODELS = pytest.mark.parametrize("model", ["mobilenet", HOSTILE, ODD], ids=["mobilenet", "hostile", "odd"])


def rows_of(report, view=None):
    """The rows of the report's CSV."""
    return list(csv.DictReader(io.StringIO(render(report, "csv", view))))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
@pytest.mark.parametrize("convention", ["paper", "framework", "flops"])
def test_csv_and_json_hold_the_same_exact_integers(path, convention):
    report = analyze(path, convention=convention)
    cost = report.convention.cost
    document, lines = json.loads(render(report, "json")), rows_of(report)
    jsonschema.validate(document, CONTRACT)
    assert list(document) == [name for name in CONTRACT["properties"] if name in document or name not in OPTIONAL]
    for line, layer in zip(lines, document["layers"], strict=True):
        assert [int(line[name]) for name in (cost, *NUMBERS)] == [layer[name] for name in (cost, *NUMBERS)]
        assert [line[name] for name in SHAPES] == ["x".join(map(str, layer[name])) for name in SHAPES]
    for metric, total in report.totals.items():
        assert sum(int(line[metric]) for line in lines) == total
        assert sum(group[metric] for group in document["by_type"]) == total
    assert sum(group["layers"] for group in document["by_type"]) == len(lines) == len(report.shown())


@pytest.mark.parametrize("view", [*VIEWS[:3], View("block"), View(everything=True)])
def test_every_view_has_the_whole_cost(view):
    report = analyze("googlenet")
    document = json.loads(render(report, "json", view))
    jsonschema.validate(document, CONTRACT)
    rows = document["layers" if view.by == "layer" else f"by_{view.by}"]
    assert sum(row["mult_adds"] for row in rows) == 1_582_671_872
    assert [row["mult_adds"] for row in rows] == [int(line["mult_adds"]) for line in rows_of(report, view)]


def test_layers_that_are_unlike_others_say_so():
    document = json.loads(render(analyze(ODD), "json"))
    jsonschema.validate(document, CONTRACT)
    first, again, join, guess = document["layers"]
    assert (first["times"], again["shared"], guess["complete"], document["complete"]) == (3, "first", False, False)
    assert join["inputs"] == list(document["inputs"].values()) == [[8, 8, 4], [8, 8, 4]]
    assert ">= " in render(analyze(ODD), "table")


BROKEN = [  # a change to a document, and where the schema must reject it
    (lambda document: document.pop("spec"), []),
    (lambda document: document["totals"].update(mult_adds=5.5), ["totals", "mult_adds"]),
    (lambda document: document["totals"].update(flops=5), ["totals"]),
    (lambda document: document["layers"][0].update(input="224x224x3"), ["layers", 0, "input"]),
    (lambda document: document["layers"][0].update(cost=1), ["layers", 0]),
]


@pytest.mark.parametrize(("change", "place"), BROKEN)
def test_the_contract_can_be_broken(change, place):
    document = json.loads(render(analyze("vgg16"), "json"))
    change(document)
    with pytest.raises(jsonschema.ValidationError) as error:
        jsonschema.validate(document, CONTRACT)
    assert list(error.value.absolute_path) == place


def cells(line, mark):
    """The cells of a row, split at unescaped `|`."""
    return re.split(rf"(?<!\\)(?:\\\\)*{re.escape(mark)}", line)


@MODELS
@pytest.mark.parametrize("view", VIEWS)
def test_markdown_rows_have_as_many_cells_as_their_heading(model, view):
    text = render(analyze(model), "md", view)
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert [len({len(cells(row, "|")) for row in table}) for table in tables] == ([1, 1] if view == View() else [1])
    assert all(len(table) > 3 and set(table[1]) == set("|:- ") for table in tables)
    assert not re.search(r"(?<!\\)[<@*]", text.replace("**", ""))


@MODELS
@pytest.mark.parametrize("view", VIEWS)
def test_latex_is_balanced_and_escaped(model, view):
    lines = [line for line in render(analyze(model), "latex", view).splitlines() if not line.startswith("%")]
    columns = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", lines[0])[1]
    rules = [line for line in lines if line.endswith("rule")]
    assert [*rules, lines[-1]] == ["\\toprule", "\\midrule", "\\midrule", "\\bottomrule", "\\end{tabular}"]
    for row in (line for line in lines[1:-1] if line not in rules):
        body, end = row[:-3], row[-3:]
        assert end == " \\\\"
        assert len(cells(body, "&")) == len(columns)
        assert body[0] not in "[*"
        plain = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]|\{[\[\]*]\}|&", "", body)
        assert set(plain).isdisjoint("\\%$#_{}^~<>|[]*")


def test_a_spreadsheet_runs_nothing():
    names = ["=1+1", "@x", "+1", "-1", "\uff1d1+1", "plain"]
    due = [f"'{name}" for name in names[:-1]] + ["plain"]
    assert [line["name"] for line in rows_of(analyze(named(*names)))] == due


@pytest.mark.parametrize("spec", ["googlenet", "resnet50"])
def test_frame_is_the_csv(spec):
    report = analyze(spec, convention="framework")
    frame, every = report.frame(), tuple(public(name, report) for name in COLUMNS)
    assert frame.astype(str).to_dict("records") == rows_of(report, View(columns=every))
    assert frame["params"].sum() == report.totals["params"]
    assert {str(frame[name].dtype) for name in ("mult_adds", "params", "layers", "line")} == {"int64"}


def test_html_is_well_formed_and_escaped():
    report = analyze(HOSTILE)
    tree = ElementTree.fromstring(f"<html>{report._repr_html_().replace('<br>', '<br/>')}</html>")
    texts = [cell.text for cell in tree.iter() if cell.tag in ("td", "th")]
    assert {*MARKUP, f"{report.totals['params']:,}"} <= set(texts)
    assert [len(row) for row in next(tree.iter("table")).iter("tr")] == [9] * (len(report.shown()) + 2)


@pytest.mark.parametrize("format", ["table", "md", "latex"])
def test_control_characters_do_not_reach_people(format):
    text = render(analyze(HOSTILE), format)
    assert {char for char in text if not char.isprintable()} == {"\n"}
    assert "x1b" in text


def test_a_long_table_holds_what_csv_holds(tmp_path):
    path = tmp_path / "long.yaml"
    path.write_text("input: [8, 8, 4]\nlayers: [{conv: 1x1, out: 4, repeat: 30000}]\n")
    report = analyze(path)
    csv_text, text = render(report, "csv"), render(report, "table")
    body, foot = (part.splitlines() for part in text.split("\n\n")[:2])
    assert [line.split()[0] for line in body[2:]] == [row.split(",")[0] for row in csv_text.splitlines()[1:]]
    assert foot[0].split() == ["total", f"{report.totals['mult_adds']:,}", f"{report.totals['params']:,}"]


ENDS = [  # the last layers of a network on a grid, and the note on a fully connected layer at every position
    ("{linear: 9}", "linear is applied at each of 8x8 positions"),
    ("{linear: 9}, batchnorm, softmax", "linear is applied at each of 8x8 positions"),
    ("{avgpool: 4x2}, {linear: 9, as: head}", "head is applied at each of 2x4 positions"),
    ("{avgpool: global}, {linear: 9}", ""),
    ("flatten, {linear: 9}", ""),
    ("tokens, {linear: 9}", ""),
    ("{linear: 9}, {avgpool: global}", ""),
    ("{linear: 9}, {upsample: 2}", ""),
    ("{linear: 9}, {conv: 1x1, out: 9}", ""),
    ("{residual: true, layers: [{linear: 16}, relu, {linear: 4}]}", ""),
]


@pytest.mark.parametrize(("layers", "note"), ENDS)
def test_a_classifier_at_every_position_is_noted(layers, note):
    text = render(analyze(spec_of(f"input: [8, 8, 4]\nlayers: [{layers}]")), "md")
    assert (note in text) if note else ("positions" not in text)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_no_known_network_gets_that_note(path):
    assert "is applied at each of" not in render(analyze(path), "md", View("type", everything=True))


def test_markdown_escapes_only_what_it_would_change():
    from costcalc.render.markdown import escaped

    assert escaped("convention paper: 1 -> 2; a: b") == "convention paper: 1 -> 2; a: b"
    assert escaped(":smile: > http://a *b* <i>") == "\\:smile: \\> http\\://a \\*b\\* \\<i>"
    assert escaped("> quote") == "\\> quote"


def test_pages_are_called_by_what_they_are_of():
    """Each page has its own title, which `Page` requires: mypy rejects a class without one."""
    pages = {
        "mobilenet to mobilenet_v2": costcalc.diff("mobilenet", "mobilenet_v2"),
        "mobilenet and mobilenet, standard": costcalc.compare("mobilenet", conv="standard"),
        "mobilenet: training": costcalc.training("mobilenet"),
        "mobilenet: memory": costcalc.memory("mobilenet"),
        "mobilenet: explained": costcalc.explain("mobilenet", "conv"),
    }
    for title, found in pages.items():
        assert of_page(found.page())["title"] == title


def test_every_page_can_be_rendered_in_every_format():
    """A format that is added later gets sheets, records or a document from each of them."""
    pages = {}
    for path in sorted((ROOT / "costcalc").rglob("*.py")):
        names = re.findall(r"^class (\w+Page)\b", path.read_text(encoding="utf-8"), re.M)
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        pages |= {name: getattr(importlib.import_module(module), name) for name in names}
    del pages["NetworkPage"]  # an HTML file, not a page of a command
    parts = ("heads", "sheets", "notes", "records", "document")
    assert {name: [part for part in parts if not hasattr(page, part)] for name, page in pages.items()} == {
        name: [] for name in pages
    }
    assert len(pages) > 25


def test_the_points_of_a_sweep_have_a_document():
    frame = costcalc.sweep("mobilenet", alpha=[1.0, 0.5])
    model, priced = costcalc.load("mobilenet"), price_list("paper")
    page = PointsPage(frame, about(model, {"alpha": frame["alpha"].to_numpy()}, priced, 1, ["mult_adds", "params"]))
    names, rows = page.records()
    assert [[row[name] for name in names] for row in rows] == frame.values.tolist()
    assert json.loads(json.dumps(page.document()))["points"] == rows
