"""Draws the pictures of the README: `python docs/pictures.py`. A test checks that they are current."""

import io
from pathlib import Path

from rich.console import Console

from costcalc import analyze
from costcalc.analysis.report.page import ReportPage
from costcalc.analysis.report.view import View
from costcalc.render.table import draw

HERE = Path(__file__).parent


def analyze_svg():
    """The table of `costcalc analyze mobilenet.yaml --alpha 0.75 --res 160`, as rich draws it."""
    console = Console(record=True, width=126, file=io.StringIO(), color_system="truecolor", _environ={})
    draw(ReportPage(analyze("mobilenet.yaml", alpha=0.75, res=160), View()), console)
    title = "costcalc analyze mobilenet.yaml --alpha 0.75 --res 160"
    return console.export_svg(title=title, unique_id="costcalc")


PICTURES = {"analyze.svg": analyze_svg}

if __name__ == "__main__":
    for name, picture in PICTURES.items():
        (HERE / name).write_text(picture(), encoding="utf-8")
        print(f"docs/{name}")
