"""Draw the pictures of the README and docs/screens.md: `python docs/pictures.py`. Tests check them.

A screen is the output of the program at a terminal width, with its colours, as text in SVG.
"""

import contextlib
import io
import os
from functools import partial
from html import escape
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.text import Text

from costcalc import analyze
from costcalc.analysis.report.columns import View
from costcalc.analysis.report.page import ReportPage
from costcalc.cli import main
from costcalc.render import Screen, render_page

HERE = Path(__file__).parent


def analyze_svg():
    """The table of `costcalc analyze mobilenet.yaml --alpha 0.75 --res 160`, as a picture of a terminal window."""
    console = Console(record=True, width=126, file=io.StringIO(), color_system="truecolor", _environ={})
    page = ReportPage(analyze("mobilenet.yaml", alpha=0.75, res=160), View())
    console.print(render_page(page, screen=Screen(126)), end="", highlight=False, markup=False)
    title = "costcalc analyze mobilenet.yaml --alpha 0.75 --res 160"
    return console.export_svg(title=title, unique_id="costcalc")


WIDTHS = 60, 80, 120, 200
LINE = "analyze", "mobilenet_v2", "--sort", "mult_adds", "--top", "6"
WIDE, HIGH = 8.4, 18  # pixels per character
THEMES = {  # page, text, and the terminal colours in use, by number
    "light": {"page": "#ffffff", "text": "#1f2328", 1: "#cf222e", 2: "#1a7f37", 8: "#d0d7de"},
    "dark": {"page": "#0d1117", "text": "#e6edf3", 1: "#ff7b72", 2: "#3fb950", 8: "#484f58"},
}


def printed(columns, *line):
    """The output of a command on a terminal with this many columns, with colours."""
    out, before = io.TextIOWrapper(io.BytesIO(), "utf-8"), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    try:
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            main([*line, "--color", "always"])
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    out.seek(0)
    return out.read()


def screen_svg(columns, theme):
    """One screen as SVG: one text element per line, on a character grid."""
    colors = THEMES[theme]
    lines = [Text(f"$ costcalc {' '.join(LINE)}"), *map(Text.from_ansi, printed(columns, *LINE).splitlines())]
    wide = max(columns, *(len(line) for line in lines)) * WIDE + 20
    high = len(lines) * HIGH + 20
    body = "".join(_line(line, 10 + HIGH * (number + 0.75), colors) for number, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}" fill="{colors["text"]}" '
        f'font-family="monospace" font-size="14"><title>{columns} columns, {theme}</title>'
        f'<rect width="100%" height="100%" fill="{colors["page"]}"/>{body}\n</svg>\n'
    )


def _line(line, y, colors):
    parts, backs = [], ""
    for piece in line.divide(sorted({at for span in line.spans for at in (span.start, span.end)})):
        style = Style.combine([Style(), *(span.style for span in piece.spans)])
        text = escape(piece.plain, quote=False)
        start = sum(len(one) for one, _ in parts) * WIDE + 10
        if style.bgcolor:
            backs += f'<rect x="{start:.1f}" y="{y - 13.5:.1f}" width="{len(piece) * WIDE:.1f}" height="{HIGH}" '
            backs += f'fill="{colors[style.bgcolor.number]}"/>'
        look = f' fill="{colors[style.color.number]}"' if style.color else ""
        look += ' font-weight="bold"' if style.bold else ""
        parts.append((piece.plain, f"<tspan{look}>{text}</tspan>" if look else text))
    if not line.plain.strip():
        return ""
    text = "".join(written for _, written in parts)
    return f'{backs}\n<text xml:space="preserve" x="10" y="{y:.1f}" textLength="{len(line) * WIDE:.1f}">{text}</text>'


SCREENS = {f"screens/{columns}-{theme}.svg": (columns, theme) for columns in WIDTHS for theme in THEMES}
PICTURES = {"analyze.svg": analyze_svg, **{name: partial(screen_svg, *how) for name, how in SCREENS.items()}}

if __name__ == "__main__":
    for name, picture in PICTURES.items():
        (HERE / name).write_text(picture(), encoding="utf-8")
        print(f"docs/{name}")
