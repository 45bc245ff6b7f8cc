"""`costcalc plot` and the pictures of the README."""

import importlib.util
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from costcalc import plot
from costcalc.analysis.sweep.plotting import front
from costcalc.cli import main

DOCS = Path(__file__).parents[2] / "docs"
pytest.importorskip("matplotlib")


def run(*args):
    with pytest.raises(SystemExit) as exit_:
        main(list(args))
    return exit_.value.code


def test_front_by_definition():
    random = np.random.default_rng(5)
    for _ in range(100):
        x, y = random.integers(0, 9, 20), random.integers(0, 9, 20)
        for larger in (True, False):
            kept = {(int(x[at]), int(y[at])) for at in front(x, y, larger)}
            sign = 1 if larger else -1
            points = set(zip(x.tolist(), y.tolist(), strict=True))
            beaten = {p for p in points for q in points if q != p and q[0] <= p[0] and sign * q[1] >= sign * p[1]}
            assert kept == points - beaten


@pytest.mark.parametrize("options", [[], ["--x", "params"], ["--alpha", "1,0.5", "--res", "224,160", "--log", "xy"]])
def test_svg_has_a_mark_a_point_and_the_axes(tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    assert run("plot", "mobilenet", "-o", "p.svg", *options) == 0
    text = (tmp_path / "p.svg").read_text()
    points = 4 if options[:1] == ["--alpha"] else 16  # the checkpoints of the slim table and Tables 6 and 7
    groups = [group for group in ET.fromstring(text).iter() if group.get("id", "").startswith("PathCollection_")]
    kinds = 2 if points == 4 else 4  # one marker per resolution, and each in the legend
    assert len(groups) == 2 * kinds
    assert sum(element.tag.endswith("}use") for group in groups for element in group.iter()) == points + kinds
    assert run("plot", "mobilenet", "-o", "q.svg", *options) == 0
    assert (tmp_path / "q.svg").read_text() == text


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"alpha": [1, 0.5], "res": [224]}, ["alpha=1", "alpha=0.5"]),
        ({"alpha": [1, 0.5], "res": [224, 160]}, ["alpha=1", "alpha=1", "alpha=0.5", "alpha=0.5"]),
        ({"alpha": [1], "res": [224, 160]}, []),  # the marks say it
        ({"alpha": [1, 0.5], "middle": [0, 5]}, [f"alpha={a}, middle={m}" for a in ("1", "0.5") for m in (0, 5)]),
        ({"alpha": [1, 0.5], "marks": "alpha"}, []),
        ({"alpha": [1, 0.5], "x": "alpha"}, []),
        ({"alpha": [0.25 + n / 100 for n in range(50)]}, []),
    ],
)
def test_points_are_named_by_what_varies(monkeypatch, options, named):
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "close", lambda figure: None)
    plot("mobilenet", y="params", **options).drawn()
    axes = pyplot.gcf().axes[0]
    assert [text.get_text() for text in axes.texts if text.get_gid() == "point"] == named
    said = [text.get_text() for text in axes.get_legend().get_texts()] if axes.get_legend() else []
    assert ("alpha 0.25 to 0.74" in said) == (len(options["alpha"]) == 50)
    assert any(text.startswith("res ") for text in said) == (len(options.get("res", ())) > 1)
    monkeypatch.undo()
    pyplot.close(pyplot.gcf())


def test_png(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("plot", "mobilenet", "-o", "p.png") == 0
    assert (tmp_path / "p.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_panel_for_each_metric(tmp_path, monkeypatch):
    from matplotlib import pyplot

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pyplot, "close", lambda figure: None)
    assert run("plot", "mobilenet", "-o", "p.png", "--alpha", "1", "--metrics", "params,top1,weights_bytes,params") == 0
    panels = (figure := pyplot.gcf()).axes
    shown = [axes.collections[0].get_offsets().tolist() for axes in panels]
    assert [axes.get_ylabel() for axes in panels] == ["parameters", "top-1 accuracy (%)", "weights bytes"]
    # Table 7 of the paper, alpha=1: params do not depend on the resolution; 4,209,088 weights of 4 bytes
    assert {y for _, y in shown[0]} == {4_209_088}
    assert {y for _, y in shown[2]} == {4 * 4_209_088}
    assert max(y for _, y in shown[1]) == pytest.approx(70.6)  # of the paper
    assert [bool(axes.get_title()) for axes in panels] == [True, False, False]
    assert [len(axes.texts) for axes in panels] == [0, 0, 1]
    monkeypatch.undo()
    pyplot.close(figure)


def test_every_text_is_within_the_picture(tmp_path, monkeypatch):
    from matplotlib import pyplot

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pyplot, "close", lambda figure: None)
    assert run("plot", "mobilenet", "-o", "p.png", "--convention", "deepspeed") == 0
    (axes,) = (figure := pyplot.gcf()).axes
    figure.set_dpi(150)  # as it was saved
    *points, note = axes.texts
    assert len(points) == 16
    extents = [text.get_window_extent() for text in (*points, note, axes.title, axes.xaxis.label, axes.yaxis.label)]
    assert all(0 <= box.x0 <= box.x1 <= figure.bbox.width and box.y0 >= 0 for box in extents)
    assert re.match("convention deepspeed: .* costcalc", note.get_text().replace("\n", " "))
    assert "Pareto front" in [text.get_text() for text in axes.get_legend().get_texts()]
    monkeypatch.undo()
    pyplot.close(figure)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-o", "p.gif"], "a picture is a `.png`, `.svg` file"),
        (["-o", "p.png", "--y", "macs"], "no metric `macs`"),
        (["-o", "p.png", "--y", "params"], "a plot needs values"),
        (["-o", "p.png", "--metrics", "params,macs"], "no metric `macs`"),
        (["-o", "p.png", "--y", "top1", "--metrics", "params"], "`--y` draws one panel"),
        (["-o", "p.png", "--metrics", ",".join(f"m{n}" for n in range(13))], "at most 12 panels"),
        (["-o", "p.png", "--alpha", "0.33"], "no-such"),
    ],
)
def test_refused(tmp_path, monkeypatch, capsys, args, message):
    monkeypatch.chdir(tmp_path)
    if message == "no-such":
        args, message = [*args, "--y", "top1"], "no published top1 is for these values"
    assert run("plot", "mobilenet", *args) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_pictures_are_current():
    spec = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    for name, draw in pictures.PICTURES.items():
        assert (DOCS / name).read_text(encoding="utf-8") == draw(), "run: python docs/pictures.py"


EVIL = r"""
name: 'x$\frac{$ $\undefined$'
vars: {w: {default: 8, choices: [4, 8]}}
input: [8, 8, 3]
layers: [{conv: 3x3, out: w, as: 'l$\frac{$ $\bad$'}, {linear: 10}]
"""


@pytest.mark.slow
def test_a_name_is_no_formula_and_settings_of_the_place_change_nothing(run, tmp_path):
    """A `matplotlibrc` in the working directory, read at import, could run LaTeX with its own preamble."""
    matplotlib = pytest.importorskip("matplotlib")
    (tmp_path / "net.yaml").write_text(EVIL)
    lines = [
        ["plot", "net.yaml", "--vary", "w=4,8", "-o"],
        ["plot", "net.yaml", "--roofline", "-o"],
        ["memory", "net.yaml", "-o"],
        ["space", "net.yaml", "--plot"],
    ]
    due = []
    for line in lines:
        assert run(*line, "a.svg").code == 0
        due.append((tmp_path / "a.svg").read_bytes())
    hostile = {"text.usetex": True, "text.latex.preamble": r"\input{/etc/passwd}", "font.size": 90, "figure.dpi": 9}
    with matplotlib.rc_context(hostile):
        for line, picture in zip(lines, due, strict=True):
            assert run(*line, "a.svg").code == 0
            assert (tmp_path / "a.svg").read_bytes() == picture
        assert matplotlib.rcParams["text.usetex"]
