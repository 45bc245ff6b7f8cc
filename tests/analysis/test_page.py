"""The page: its figures equal `analyze`, its size is bounded, and only the bundle can run in it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import costcalc
from costcalc.analysis.page.axes import METRICS, Axis, Points, Wanted, plans
from costcalc.analysis.page.axes import document as of_setting
from costcalc.analysis.page.axes import point as at_setting
from costcalc.analysis.page.page import BYTES
from costcalc.analysis.page.structure import least_bytes
from costcalc.metrics.conventions import price_list
from costcalc.render.html_file import escaped

NETS = {  # large networks and their settings
    "ResNet-152": ("resnet50", {"layers": 152}),
    "DenseNet-201": ("densenet121", {"layers": 201}),
    "Swin": ("swin_t", {}),
    "all MobileNets": ("mobilenet", {}),
    "5,000 layers": ("input: [32, 32, 16]\nlayers:\n  - {conv: 3x3, out: 16, repeat: 5000}\n", {}),
}
HOSTILE = """name: "</script><script>alert(1)</script>"
vars: {alpha: {default: 1.0, help: "<img src=x onerror=alert(2)>"}}
input: [8, 8, 3]
layers:
  - {conv: 3x3, out: 4, as: "<img src=x onerror=alert(3)>"}
  - {opaque: "</script><!--<script>", as: "a&b\\u2028c"}
"""


class Reader(HTMLParser):
    """The elements of a file, and the texts of its scripts by index."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
            self.inside = True

    def handle_data(self, data):
        if self.inside:
            self.scripts[-1] += data

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "script"


def columns(document, number):
    """The layers of a setting, decoded by hand: {name: {field or metric: value}}."""
    point = document["points"][number]
    structure = document["structures"][point["structure"]]
    place = document["members"][point["structure"]].index(number)

    def value(column):
        found = structure["columns"][column]
        return found[place] if isinstance(found, list) else found

    names, before = [], ""
    for same, rest in zip(structure["names"][::2], structure["names"][1::2], strict=True):
        before = before[:same] + rest
        names.append(before.replace("\n", "/"))
    metrics = [one["name"] for one in document["metrics"] if one["fold"] != "figure" and one["name"] != "peak_bytes"]
    kinds = [dict(zip([*document["fields"], *metrics], map(value, kind), strict=True)) for kind in structure["kinds"]]
    live = [value(column) for column in structure["live"]]
    rows = zip(names, structure["kind"], live, strict=True)
    return {name: {**kinds[kind], "live": held} for name, kind, held in rows}


@pytest.mark.parametrize("name", NETS)
def test_a_page_is_small(name):
    spec, given = NETS[name]
    page = costcalc.page(spec, **given)
    assert len(page.html.encode()) < BYTES == 400_000
    assert len(page.document["points"]) > 1 or name == "5,000 layers"


IN_8_BITS = "inputs: {x: {shape: [8, 8, 3], bits: 8}}\nlayers:\n  - {conv: 1x1, out: 4}\n  - {conv: 3x3, out: 2}\n"


@pytest.mark.parametrize(
    "spec", ["mobilenet", "mobilenet_v2", "squeezenet1_0", "ofa_mobilenet_v3", "efficientnet", IN_8_BITS]
)
def test_every_setting_has_the_numbers_of_analyze(spec):
    document = costcalc.page(spec).document
    metrics = [one["name"] for one in document["metrics"]]
    every = max(len(document["points"]) // 6, 1)
    for number, point in list(enumerate(document["points"]))[::every]:
        setting = {axis["name"]: axis["values"][at] for axis, at in zip(document["axes"], point["at"], strict=True)}
        report = costcalc.analyze(spec, metrics=metrics[2:], settings=setting)
        assert point["totals"] == list(report.totals.values())
        assert point.get("complete", True) == report.complete
        found = columns(document, number)
        assert [*found] == [line.name for line in report.lines]
        for line in report.lines:
            row = found[line.name]
            assert (row["mult_adds"], row["params"], row["type"]) == (line.cost, line.params, line.type)
            assert {name: row[name] for name in ("activations", "bytes_moved")} == {
                name: line.more[name] for name in ("activations", "bytes_moved")
            }
            assert row["live"] == line.more["peak_bytes"]


def test_a_page_starts_at_the_defaults():
    document = costcalc.page("mobilenet").document
    assert document["points"][0]["totals"][:2] == [568_740_352, 4_209_088]  # Table 2 of the paper: 569M and 4.2M
    values = {axis["name"]: axis["values"] for axis in document["axes"]}
    assert values["alpha"] == [0.25, 0.5, 0.75, 1.0]
    assert {128, 160, 192, 224} <= {*values["res"]}  # those of the paper


@pytest.mark.parametrize("spec", ["mobilenet", "densenet121", "vit_b_16"])
def test_a_document_is_no_smaller_than_is_said_before(spec):
    model = costcalc.load(spec)
    first = at_setting(Wanted(model, price_list("paper"), METRICS, {}), {})
    document = of_setting(Wanted(model, price_list("paper"), METRICS, {}), Points((), True), first)
    size = len(json.dumps(document["structures"], separators=(",", ":")))
    assert 0.3 * size < least_bytes(first) < size


def test_edges_are_those_of_the_graph():
    document = costcalc.page("resnet50", res=224, layers=50, v1=0, se=0, output_stride=32).document
    (structure,) = document["structures"]
    rows = costcalc.analyze("resnet50").trace.rows
    sources = [structure["sources"].get(number, [number - 1]) for number in range(len(rows))]
    assert sources == [list(row.sources) for row in rows]


def test_buffers_add_up_to_what_lives():
    document = costcalc.page("vit_b_16", res=[224, 384]).document
    structure, members = document["structures"][0], document["members"][0]
    assert structure["workspace"]
    assert len(members) > 1
    for place in range(len(members)):
        sizes = [found[place] if isinstance(found, list) else found for found in structure["columns"]]
        for step, live in enumerate(structure["live"]):
            alive = sum(sizes[one[2]] for one in structure["buffers"] if one[0] <= step <= one[1])
            work = sizes[structure["workspace"][step]] if step in structure["workspace"] else 0
            assert alive + work == sizes[live]


def test_a_grid_that_is_too_large_moves_one_variable_at_a_time():
    document = costcalc.page("resnet50").document
    assert not document["grid"]
    assert "one variable moves at a time" in document["limit"]
    start = document["points"][0]["at"]
    assert all(sum(a != b for a, b in zip(start, one["at"], strict=True)) <= 1 for one in document["points"])


def test_plans_go_from_all_settings_to_one():
    axes = (Axis("a", tuple(range(10)), 3), Axis("b", tuple(range(10)), 0), Axis("c", (1, 2), 0, extra=True))
    sizes = {most: next(plans(axes, lambda size, most=most: size <= most)).size for most in (500, 150, 50, 15, 5)}
    assert sizes == {500: 200, 150: 100, 50: 19, 15: 6, 5: 1}
    assert Points((), True).indices == [()]
    assert [points.size for points in plans((), lambda size: True)] == [1]


def test_settings_that_cannot_be_say_why():
    text = (
        "vars: {k: {default: 3, choices: [3, 9]}}\ninput: [5, 5, 1]\nlayers: [{conv: [k, k], out: 2, padding: valid}]\n"
    )
    document = costcalc.page(text).document
    assert [("error" in one) for one in document["points"]] == [False, True]
    assert "9" in document["points"][1]["error"]


def test_unknown_costs_are_lower_bounds():
    document = costcalc.page("input: [8]\nlayers:\n  - {linear: 4}\n  - {opaque: a sort}\n").document
    assert document["points"][0]["complete"] is False
    assert any("lower bounds" in line for line in document["points"][0]["notes"])
    assert [row["complete"] for row in columns(document, 0).values()] == [True, False]


def test_numbers_that_javascript_would_round_are_texts():
    document = costcalc.page(
        f"input: [{2**29}, 1, {2**12}]\nlayers: [{{conv: 1x1, out: {2**13}, bias: false}}]\n"
    ).document
    assert document["points"][0]["totals"][0] == str(2**54)
    assert json.loads(escaped(document))["points"][0]["totals"][0] == str(2**54)


def test_variants_are_those_of_compare():
    document = costcalc.page("mobilenet", alpha=[1.0, 0.5], res=224, middle=5, min_depth=8).document
    (standard,) = document["variants"]
    for number, point in enumerate(document["points"]):
        setting = {axis["name"]: axis["values"][at] for axis, at in zip(document["axes"], point["at"], strict=True)}
        right = costcalc.compare("mobilenet", conv="standard", settings=setting).right.totals
        assert standard["totals"][number] == [right["cost"], right["params"]]
    train, deploy = costcalc.page("repvgg_a0").document["variants"][-2:]
    assert (train["title"], deploy["title"]) == ("train", "deploy")
    assert train["totals"][0] != deploy["totals"][0]


def test_published_rows_have_the_engines_numbers():
    document = costcalc.page("mobilenet").document
    (found,) = [one for one in document["published"] if one["accuracies"] == {"top1": 70.6}]
    assert (found["title"], found["totals"][0]) == ("1.0 MobileNet-224", 568_740_352)


def test_nothing_from_outside_is_markup():
    html = costcalc.page(HOSTILE).html
    found = Reader(html)
    assert [attributes.get("type") for tag, attributes in found.tags if tag == "script"] == ["application/json", None]
    assert not any(tag == "img" or "onerror" in attributes for tag, attributes in found.tags)
    data = json.loads(found.scripts[0])
    assert data["title"] == "</script><script>alert(1)</script>"
    assert not re.search(r"[<>&\u2028]", found.scripts[0])


def test_the_policy_lets_nothing_out():
    html = costcalc.page("mobilenet", alpha=1.0, res=224).html
    (policy,) = [one["content"] for tag, one in Reader(html).tags if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"https?:", html.replace(json.dumps("https"), "").split('id="data"')[0])


def test_the_same_network_gives_the_same_bytes():
    assert costcalc.page("mobilenet_v2").html == costcalc.page("mobilenet_v2").html


def test_the_command_writes_the_page(run, tmp_path):
    found = run("page", "mobilenet", "--alpha", "1,0.5", "--res", "224", "-o", "page.html")
    assert (found.code, found.out) == (0, "")
    written = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert written == costcalc.page("mobilenet", alpha=[1.0, 0.5], res=224).html
    assert run("page", "mobilenet", "--alpha", "1,0.5", "--res", "224").out == written


def test_errors_of_the_command(run):
    assert "no variable `beta`" in run("page", "mobilenet", "--vary", "beta=1,2").err
    found = run("page", "mobilenet", "--metrics", "nothing", "-o", "page.html")
    assert found.code == 2
    assert "there is no metric `nothing`" in found.err


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("compare mobilenet --conv standard", "4,867,293,184"),
        ("compare mobilenet vgg16 resnet50", "15,470,264,320"),
        ("check mobilenet --max params=5M", "4.209M"),
        ("sweep mobilenet --alpha 1,0.5", "149,497,088"),
        ("analyze mobilenet", "568,740,352"),
    ],
)
def test_other_commands_write_pages_of_their_tables(run, tmp_path, line, shown):
    assert run(*line.split(), "-o", "page.html").code == 0
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    data = json.loads(Reader(text).scripts[0])
    assert data["kind"] == "tables"
    assert shown in json.dumps(data["sheets"])
    assert ("chart" in data) is line.startswith("sweep")
    assert run(*line.split(), "--format", "html").out == text


def test_a_result_is_a_page(tmp_path):
    found = costcalc.page(costcalc.compare("mobilenet", conv="standard"), tmp_path / "page.html")
    assert found.document["title"] == "mobilenet and mobilenet, standard"
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == found.html
    assert "<iframe sandbox='allow-scripts'" in found._repr_html_()


def test_the_frame_of_a_notebook_is_bounded():
    found = costcalc.analyze("resnet50")._repr_html_()
    assert "<details><summary>Blocks, graph and memory</summary><iframe" in found
    assert len(found.encode()) < 350_000
    large = costcalc.analyze("input: [32, 32, 16]\nlayers:\n  - {conv: 3x3, out: 16, repeat: 20000}\n")._repr_html_()
    assert "<iframe" not in large


def test_a_network_that_is_too_large_is_refused_before_its_page_is_built(monkeypatch):
    monkeypatch.setattr("costcalc.analysis.page.page.document", lambda *given: pytest.fail("it was built"))
    with pytest.raises(costcalc.CostcalcError, match="with 20,001 layers, has more than 400,000 bytes"):
        costcalc.page("input: [8, 8, 4]\nlayers:\n  - {conv: 1x1, out: 4, repeat: 20001}\n")


@pytest.mark.parametrize(
    ("res", "expected"),
    [
        (224, {(1.0, 70.6), (0.75, 68.4), (0.5, 63.7), (0.25, 50.6)}),
        (192, {(1.0, 69.1)}),
    ],  # Tables 6 and 7 of the paper
)
def test_the_page_of_a_sweep_has_published_points(run, res, expected):
    assert run("sweep", "mobilenet", "--alpha", "0.25:1:0.25", "--res", res, "-o", "sweep.html").code == 0
    data = json.loads(Reader(Path("sweep.html").read_text(encoding="utf-8")).scripts[0])
    rows = [one for one in data["chart"]["published"] if "top1" in one["accuracies"] and one["values"]["res"] == res]
    assert {(one["values"]["alpha"], one["accuracies"]["top1"]) for one in rows} >= expected
