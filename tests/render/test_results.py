"""Results of the library: text, data frame and HTML show the same numbers."""

import gc
import json
import re
import sys
from html.parser import HTMLParser

import pytest

import costcalc
from costcalc.render import render_page

NET = "mobilenet"
RESULTS = {  # function -> a result, and a number shown in its repr and HTML
    "analyze": (lambda: costcalc.analyze(NET), "568,740,352"),
    "compare": (lambda: costcalc.compare(NET, conv="standard"), "4,867,293,184"),
    "compare three": (lambda: costcalc.compare(NET, "vgg16", "resnet50"), "15,470,264,320"),
    "diff": (lambda: costcalc.diff(NET, "mobilenet_v2"), "-267,966,080"),
    "check": (lambda: costcalc.check(NET, max={"params": "4M"}), "FAIL"),
    "explain": (lambda: costcalc.explain(NET, "separable_7"), "51,380,224"),
    "fit": (lambda: costcalc.fit(NET, vary="alpha", limits={"mult_adds": "150M"}), "149,561,298"),
    "fit nothing": (lambda: costcalc.fit(NET, vary="alpha", limits={"mult_adds": "15"}), "5,662,992"),
    "formula": (lambda: costcalc.formula(NET), "10752*alpha^2*res^2"),
    "reconcile": (lambda: costcalc.reconcile(NET, "paper", "thop"), "20,224,951"),
    "reproduce": (lambda: costcalc.reproduce(NET), "94.8574%"),
}
FRAMES = {  # function -> (column, value) of its frame, counted by hand or printed in the paper
    "analyze": ("mult_adds", 10_838_016),
    "compare": ("params_b", 864),
    "compare three": ("params", 138_344_128),
    "diff": ("mult_adds_after", 6_422_528),
    "check": ("now", 4_209_088),
    "explain": ("mult_adds", 51_380_224),
    "fit": ("params", 1_321_938),
    "formula": ("formula", "3139584*alpha^2 + 1069504*alpha"),
    "reproduce": ("printed", "94.86%"),
    "reconcile": ("quantity", 5_042_688),
}


@pytest.fixture(params=RESULTS)
def result(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, shown = RESULTS[request.param]
    return request.param, make(), shown


class Tree(HTMLParser):
    """Parses HTML and checks that every tag is closed."""

    VOID = ("br", "img")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_result_shows_itself(result):
    name, found, shown = result
    assert shown in repr(found)
    assert "object at 0x" not in repr(found)
    assert not re.search(r"\x1b", repr(found))
    html = found._repr_html_()
    tags = Tree(html).tags
    assert name == "fit nothing" or sum(tag == "table" for tag, _ in tags) >= 1
    assert shown.strip("_") in html or name in ("formula", "explain")
    assert '"kind":"tables"' in render_page(found.page(), "html")
    assert not re.search("https?:", html.replace("https://arxiv", ""))  # nothing was imported


def test_files_show_themselves_too(tmp_path, monkeypatch):
    """The result of an export is a frame of its layers, and a network describes itself in one line."""
    monkeypatch.chdir(tmp_path)
    rows = list(costcalc.analyze(NET).frame()["mult_adds"])
    made = [costcalc.import_(NET), costcalc.export(NET, to="torch"), costcalc.page(NET)]
    made.append(costcalc.page(costcalc.analyze(NET)))
    for found in made:
        assert [cost for cost in found.frame()["mult_adds"] if cost] == [cost for cost in rows if cost]
        assert found._repr_html_()
        assert "object at 0x" not in repr(found)
    said = repr(costcalc.load(NET))
    assert said.startswith("network mobilenet of ")
    assert said.endswith(", variables alpha, res, classes, min_depth, middle; costcalc.analyze shows what it costs")


def test_every_result_is_a_frame(result):
    name, found, _ = result
    frame = found.frame()
    if name == "fit nothing":
        assert len(frame) == 0
        return
    column, value = FRAMES[name]
    assert value in frame[column].tolist()


def test_results_are_cut_where_they_are_long():
    found = costcalc.analyze("resnet50")
    rows = len(found.shown())
    assert rows > 60
    assert f"{rows - 60} more rows: .frame() has all" in repr(found)
    assert len(repr(found).splitlines()) < 85
    assert len(found.frame()) == rows


def test_text_has_every_format(tmp_path, monkeypatch, run):
    found = costcalc.analyze(NET)
    for format in ("table", "csv", "json", "md", "latex"):
        assert found.text(format) == run("analyze", NET, "--format", format).out
    with pytest.raises(costcalc.CostcalcError, match="there is no format `pdf`"):
        found.text("pdf")


def test_numbers_are_sorted_by_value_and_shares_are_bars():
    html = costcalc.analyze(NET)._repr_html_()
    assert "<td class='number' data-v='10838016'>10,838,016</td>" in html
    assert "style='background:linear-gradient(90deg,#4c8bf540 1.91%,transparent 1.91%)'>1.91 %</td>" in html
    assert "onclick" in html
    assert "<script" not in html  # removed by notebooks


def test_text_from_outside_is_no_markup():
    text = 'input: [8]\nlayers:\n  - {opaque: "<script>alert(1)</script>"}\n'
    html = costcalc.analyze(text)._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_formulas_are_latex():
    found = costcalc.formula(NET)
    assert found["params"]._repr_latex_() == r"$\text{params} = 3139584 \alpha^{2} + 1069504 \alpha$"
    assert found._repr_latex_().startswith(r"$\begin{aligned} \text{mult\_adds} & = ")
    assert repr(found["params"]).splitlines()[0] == "params = 3139584*alpha^2 + 1069504*alpha"


def test_formulas_say_that_they_are_lower_bounds():
    text = "vars: {n: 4}\ninput: [8]\nlayers:\n  - {linear: n}\n  - {opaque: a sort}\n"
    found = costcalc.formula(text)
    assert "mult_adds >= 8*n" in repr(found)
    assert "lower bounds" in repr(found)
    assert r"\geq" in found._repr_latex_()
    assert found.frame()["complete"].tolist() == [False, False]
    assert not found.complete


def test_pictures_and_files(tmp_path):
    pytest.importorskip("matplotlib")
    found = costcalc.plot(NET, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")
    assert "16 points" in repr(found)
    assert Tree(found._repr_html_()).tags[0][1]["src"].startswith("data:image/png;base64,iVBOR")
    assert len(found.frame()) == 16
    with pytest.raises(costcalc.CostcalcError, match="a picture is"):
        costcalc.plot(NET, tmp_path / "a.pdf")


def test_exports_and_imports_are_written(tmp_path):
    made = costcalc.export(NET, tmp_path / "net.py", alpha=0.25)
    assert (tmp_path / "net.py").read_text() == made.content == repr(made)
    text = costcalc.import_(NET, tmp_path / "net.yaml", alpha=0.25, flat=True)
    assert (tmp_path / "net.yaml").read_text() == text
    assert costcalc.analyze(text).totals == costcalc.analyze(NET, alpha=0.25).totals
    for result in (made, text):
        assert "<pre>" in result._repr_html_()
    with pytest.raises(costcalc.CostcalcError, match="no format ends in"):
        costcalc.export(NET, "net.txt")
    with pytest.raises(costcalc.CostcalcError, match="`weights` cannot be `all`"):
        costcalc.export(NET, to="onnx", weights="all")


CELLS = [
    "import costcalc",
    "report = costcalc.analyze('mobilenet', alpha=0.75, res=160)\nreport",
    "report.frame().head()",
    "costcalc.compare('mobilenet', conv='standard')",
    "costcalc.sweep('mobilenet', alpha=[1.0, 0.75], res=[224, 160])",
    "costcalc.formula('mobilenet')",
    "costcalc.fit('mobilenet', vary='alpha', limits={'mult_adds': '150M'})",
    "costcalc.explain('mobilenet', 'separable_7')",
    "costcalc.check('mobilenet', max={'params': '4.3M'})",
    "costcalc.plot('mobilenet')",
]


@pytest.mark.filterwarnings("default")
def test_a_notebook_runs(tmp_path):
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    spec = {"name": "here", "display_name": "here", "language": "python"}
    book.metadata["kernelspec"] = spec
    folder = tmp_path / "kernels" / "here"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, **spec}), encoding="utf-8")
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    specs = KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")])
    manager = AsyncKernelManager(kernel_name="here", kernel_spec_manager=specs)
    done = nbclient.NotebookClient(book, km=manager, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    done.execute()
    shown = [cell.outputs[-1].data for cell in book.cells[1:]]
    assert all({"text/html", "text/plain"} <= {*data} for data in shown)
    assert "166,396,800" in shown[0]["text/html"]
    assert "text/latex" in shown[4]
    del done, manager
    gc.collect()  # sockets of the client warn when they are collected: here, not in a later test
