"""The generated pages of the documentation site: complete, with the program's figures."""

import io
import json
import re
import xml.etree.ElementTree as ET
from contextlib import redirect_stdout, suppress
from pathlib import Path

import pytest

import costcalc
from costcalc import analyze, reproduce
from costcalc.cli import main
from costcalc.cli.commands import COMMANDS, command
from costcalc.files import configs
from costcalc.limits import FIXED, RAISABLE
from costcalc.metrics.conventions import COUNTERS, NAMES, find
from costcalc.metrics.devices import NAMES as DEVICES
from costcalc.metrics.metrics import METRICS
from costcalc.ops import INDEX
from costcalc.ops import find as find_op
from costcalc.read.spec.blocks import shipped_library
from docs.site import chart, counters, gallery, networks, reference

RECORD = json.loads((Path(__file__).parents[1] / "data" / "peers.json").read_text(encoding="utf-8"))
FEW = ("mobilenet", "resnet50", "llama3_8b", "wavenet")
NETWORKS = [pytest.param(name, marks=() if name in FEW else pytest.mark.slow, id=name) for name in sorted(configs())]


@pytest.fixture(scope="module")
def commands():
    """The pages of commands, by path."""
    return reference.commands()


@pytest.fixture(scope="module")
def operations():
    """The pages of operations, by path."""
    return reference.operations()


def section(text, name):
    """The text below a heading."""
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    assert found, name
    return found[1]


@pytest.mark.parametrize("module", sorted({*INDEX.values()}))
def test_every_operation_has_a_section_with_its_options(operations, module):
    text = operations[f"reference/operations/{module}.md"]
    for name in (name for name, home in INDEX.items() if home == module):
        found = section(text, name)
        assert find_op(name).doc.strip().splitlines()[0] in found
        assert all(re.search(rf"\b{option}\b", found) for option in {*find_op(name).options} - {find_op(name).main})
        assert f"[`{name}`]({module}.md#{name})" in operations["reference/operations/index.md"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(commands, name):
    text = commands[f"reference/commands/{name}.md"]
    shown = [option for param in command(name).params for option in param.opts if option.startswith("--")]
    hidden = {option for param in command(name).params if getattr(param, "hidden", False) for option in param.opts}
    assert [option for option in shown if option not in text and option not in hidden] == []
    assert f"[`{name}`]({name}.md)" in commands["reference/commands/index.md"]


def test_everything_else_that_the_program_knows_is_there():
    library = shipped_library()
    for name in library.names():
        assert f"{name}(" in section(reference.blocks(), name)
    for name in NAMES:
        assert f"[`{name}`](" in reference.conventions()
    for name, one in METRICS.items():
        assert f"| `{name}` | {one.title} |" in reference.metrics()
    for name in (*RAISABLE, *FIXED):
        assert f"| `{name.lower()}` |" in reference.limits()
    for name in DEVICES:
        assert section(reference.devices(), name).count("|") > 12


def test_every_public_name_of_the_library_is_there():
    text = reference.library()
    for name in costcalc.__all__:
        doc = getattr(costcalc, name).__doc__.split()
        assert " ".join(doc[:4]) in " ".join(section(text, name).replace("\\", "").split())


@pytest.mark.parametrize(
    ("name", "line"), [("spec.schema.json", ["schema"]), ("costcalc.schema.json", ["schema", "--checks"])]
)
def test_the_schemas_are_those_that_the_program_writes(name, line):
    out = io.StringIO()
    with redirect_stdout(out), suppress(SystemExit):
        main(line)
    assert json.loads(reference.schemas()[f"reference/{name}"]) == json.loads(out.getvalue())
    assert f"({name})" in reference.schema_page()


def test_the_price_of_a_convention_is_on_its_page():
    flops = section(reference.conventions(), "flops")
    assert re.search(r"\| flops +\| 2 \| mac \|", flops)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_page_of_a_network_has_the_numbers_of_other_commands(name):
    one = networks.network(name)
    found = reproduce(configs()[name]) if one.model.published else []
    verdicts = gallery.FindingsPage(gallery.grouped(list(found)), 0)
    text = gallery.network_page(one, verdicts)
    for convention in ("paper", "keras", "fvcore"):
        cost, params = analyze(configs()[name], convention=convention).totals.values()
        row = next(line for line in text.splitlines() if re.match(rf"\| \[?`{convention}`", line))
        assert f" {cost:,} mult-adds |" in row
        assert f" {params:,} |" in row
    assert one.text.rstrip() in text
    assert " object at 0x" not in text
    for variable in (key for key in one.model.variables if "[" not in key):
        assert f"| `{variable}` | " in text
    for claim in one.model.published:
        assert all(figure in text for metric, figure in claim.figures.items() if metric in METRICS)
    for finding in found:
        assert finding.verdict in text


def test_a_published_figure_stands_beside_the_one_of_the_paper():
    """Table 8 of MobileNets: 569 million mult-adds, 4.2 million parameters."""
    one = networks.network("mobilenet")
    found = reproduce("mobilenet")
    text = gallery.network_page(one, gallery.FindingsPage(gallery.grouped(list(found)), found.accuracies))
    assert re.search(r"\| 569M \| 568,740,352 \| exact", text)
    assert "568,740,352 mult-adds | 4,209,088 |" in text


def test_a_network_of_unknown_cost_is_a_lower_bound():
    one = networks.network("mobilenet")
    spec = {"input": [4, 4, 3], "layers": [{"conv": "1x1", "out": 2}, {"opaque": "sorting", "out": [4, 4, 2]}]}
    unknown = one._replace(report=analyze(spec))
    assert not unknown.report.complete
    assert networks.bound(unknown, 1234) == ">= 1,234"
    assert "lower bounds" in gallery.lower_bounds(unknown)


@pytest.mark.parametrize("name", NETWORKS)
def test_drawings_are_the_amounts_of_the_network(name):
    one = networks.network(name)
    blocks, memory = (ET.fromstring(text) for text in gallery.drawings(one).values())
    svg = "{http://www.w3.org/2000/svg}"
    figures = [int(text.text.replace(",", "")) for text in blocks.iter(f"{svg}text") if text.get("class") == "f"]
    assert sum(figures[0::2]) == sum(line.cost for line in one.report.lines)
    assert sum(figures[1::2]) == sum(line.params for line in one.report.lines)
    peak = analyze(configs()[name], metrics=["peak_bytes"]).totals["peak_bytes"]
    assert any((text.text or "").startswith(f"{peak:,} B at ") for text in memory.iter(f"{svg}text"))


def test_bars_are_as_long_as_their_shares():
    line = analyze("mobilenet").lines[0]
    lines = [
        line._replace(name=name, cost=cost, params=params) for name, cost, params in (("a", 30, 1), ("<b>", 10, 3))
    ]
    root = ET.fromstring(chart.blocks(lines, "two"))
    bars = [float(one.get("width")) for one in root.iter("{http://www.w3.org/2000/svg}rect")][2:]
    assert bars == [chart.BAR, pytest.approx(chart.BAR / 3, abs=0.1), pytest.approx(chart.BAR / 3, abs=0.1), chart.BAR]


def test_many_blocks_are_drawn_together_and_none_is_lost():
    line = analyze("mobilenet").lines[0]
    many = [line._replace(name=f"{stem}_{at}", cost=at, params=1) for stem in "ab" for at in range(40)]
    assert chart.merged(many) == [("a (40)", 780, 40), ("b (40)", 780, 40)]
    odd = [line._replace(name=f"{'xy'[at % 2]}{at}", cost=at, params=2) for at in range(60)]
    found = chart.merged(odd)
    assert len(found) == chart.MOST
    assert (sum(row[1] for row in found), sum(row[2] for row in found)) == (sum(range(60)), 120)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in ("fvcore", "thop") else pytest.mark.slow) for name in COUNTERS]
)
def test_the_parts_of_a_gap_sum_to_the_other_count(name):
    """On each page, the columns of a table lead from `paper` to the counter, and listed differences are named."""
    text = counters.counter_page(find(name))
    tables = re.findall(r"^\| part \|.*?(?=\n\n)", text, re.S | re.M)
    assert len(tables) == 1 + bool(find(name).params)
    for table in tables:
        rows = [[cell.strip(" *") for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]
        for column in range(1, len(counters.SHOWN) + 1):
            first, *parts, last = (int(row[column].strip(" *|").replace(",", "") or 0) for row in rows)
            assert first + sum(parts) == last
    for one in find(name).differences:
        assert all(" ".join(each.split()) in text.replace("\\", "") for each in one.of)


def test_a_counter_gives_what_the_program_printed():
    """fvcore does not count softmax, so its recorded figure is that of the shipped network."""
    text = counters.counter_page(find("fvcore"))
    last = re.search(r"^\| \*\*fvcore\*\* \|(.*)\|$", text, re.M)[1]
    shown = [int(cell.strip(" *").replace(",", "")) for cell in last.split("|")]
    assert shown[counters.SHOWN.index("resnet50")] == RECORD["networks"]["resnet50"]["fvcore"]["flops"]
