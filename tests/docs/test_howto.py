"""Every command in docs/howto.md and on the home page prints the shown output."""

import re
import shlex
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "howto.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n\$ costcalc (.*?)\n(.*?)^```", TEXT, re.S | re.M)
SLOW = ("space ", "page ")
RUNS = [pytest.param(line, shown, id=line, marks=[pytest.mark.slow] * line.startswith(SLOW)) for line, shown in BLOCKS]


@pytest.mark.parametrize(("line", "shown"), RUNS)
def test_commands_print_what_is_shown(run, line, shown):
    """A final `...` line stands for the rest."""
    done = run(*shlex.split(line))
    whole = shown.removesuffix("...\n")
    assert done.code == (1 if whole.startswith("FAIL") else 0)
    assert done.out.startswith(whole)
    assert (whole == shown) == (done.out == whole)


def test_every_question_has_a_command():
    questions = re.split(r"^### ", TEXT, flags=re.M)[1:]
    assert len(questions) > 20
    for question in questions:
        title = question.partition("\n")[0]
        assert title.endswith("?"), title
        assert "```console" in question, title


def test_the_home_page_shows_what_its_command_prints(run, monkeypatch):
    """The picture is drawn from the same command at the width of its file."""
    home = (DOCS / "index.md").read_text(encoding="utf-8")
    line = re.search(r"^costcalc (analyze .*)$", home, re.M)[1]
    pictures = re.findall(r'src(?:set)?="([^"]+)"', home)
    assert len(pictures) == 4
    for picture in pictures:
        drawn = (DOCS / picture).read_text(encoding="utf-8")
        assert f"$ costcalc {line}" in drawn
    total = re.search(r"^total +([\d,]+) +([\d,]+)", run(*line.split()).out, re.M)
    assert total[1] in drawn
    assert total[2] in drawn
