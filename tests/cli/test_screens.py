"""The screenshots of the documentation: drawn by the program, up to date, without truncated digits."""

import csv
import importlib.util
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
_SPEC = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
pictures = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(pictures)


def lines(svg):
    """The text lines of a picture."""
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter() if text.tag.endswith("}text")]


@pytest.mark.parametrize("name", pictures.SCREENS)
def test_screens_are_current_and_small(name):
    drawn = (DOCS / name).read_text(encoding="utf-8")
    assert drawn == pictures.PICTURES[name](), "run: python docs/pictures.py"
    assert len(drawn) < 16_000


@pytest.mark.parametrize("name", pictures.SCREENS)
def test_no_digit_is_cut(run, name):
    columns, _ = pictures.SCREENS[name]
    shown = lines((DOCS / name).read_text(encoding="utf-8"))
    assert all(len(line) <= columns for line in shown)
    rows = [*csv.DictReader(io.StringIO(run(*pictures.LINE, "--format", "csv").out))]
    counts = {row[column] for row in rows for column in ("mult_adds", "params")} | {
        "300774272",
        "3469760",
    }  # the totals
    numbers = {
        number.replace(",", "") for line in shown for number in re.findall(r"(?<![\d.,])\d[\d,]*(?![\d.,])", line)
    }
    assert len(counts) > 8
    assert counts <= numbers
    assert not any("…" in line for line in shown)


@pytest.mark.parametrize("columns", pictures.WIDTHS)
def test_a_screen_says_the_same_in_both_themes(columns):
    light, dark = (pictures.screen_svg(columns, theme) for theme in pictures.THEMES)
    assert lines(light) == lines(dark)
    assert light != dark


def test_a_screen_is_what_the_program_prints(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    printed = [line for line in run(*pictures.LINE).out.splitlines() if line.strip()]
    assert [line.rstrip() for line in lines(pictures.screen_svg(80, "dark"))[1:]] == printed


def test_the_page_shows_all():
    page = (DOCS / "screens.md").read_text(encoding="utf-8")
    assert [name for name in pictures.SCREENS if name not in page] == []
