"""The pages for three kinds of users are correct: files are written, commands run, outputs compared."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```(\w+) ?([\w.]*)\n(.*?)^```", re.S | re.M)


def compared(out, shown):
    """Assert that the output equals the shown text, or starts with it if it ends with a `...` line."""
    whole = shown.removesuffix("...\n")
    assert out.startswith(whole)
    assert (whole == shown) == (out == whole)


@pytest.mark.parametrize("name", ["paper", "guard"])
def test_commands_print_what_is_shown(repository, run, tmp_path, name):
    blocks, first = BLOCK.findall((DOCS / f"{name}.md").read_text(encoding="utf-8")), True
    assert sum(language == "console" for language, _, _ in blocks) >= 4
    for language, file, text in blocks:
        if file:
            (tmp_path / file).write_text(text, encoding="utf-8")
            continue
        assert language == "console"
        if first:  # files before the first command are committed
            repository.commit()
            first = False
        line, _, shown = text.partition("\n")
        compared(run(*shlex.split(line.removeprefix("$ costcalc "))).out, shown)


PAGES = sorted(path.stem for path in (DOCS / "cookbook").glob("*.md") if path.stem != "README")


@pytest.mark.parametrize("name", PAGES)
def test_the_cookbook_prints_what_it_shows(run, tmp_path, name):
    """Every page compares a total with a published figure to all its digits."""
    shown = printed(DOCS / "cookbook" / f"{name}.md", run, tmp_path)
    assert any(line.startswith("$ costcalc reproduce") for line in shown)


def printed(page, run, folder):
    """The output of each command of a page, compared with the page."""
    shown = {}
    for language, file, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if file:
            (folder / file).write_text(text, encoding="utf-8")
            continue
        assert language == "console"
        line, _, out = text.partition("\n")
        done = run(*shlex.split(line.removeprefix("$ costcalc ")))
        compared(done.out, out)
        assert done.code == 0
        shown[line] = done.out
    return shown


def test_the_page_of_language_models_prints_what_it_shows(run, tmp_path):
    """A prompt in chunks costs the same as in one pass if masked pairs are skipped."""
    shown = printed(DOCS / "language_models.md", run, tmp_path)
    chunks, whole = (out for line, out in shown.items() if line.endswith("--convention flash"))
    figures = [
        [int(row.split()[-1].replace(",", "")) for row in out.splitlines() if row.strip()[:1].isdigit()]
        for out in (chunks, whole)
    ]
    assert sum(figures[0][:4]) == figures[1][0]


def test_the_cookbook_lists_its_pages():
    index = (DOCS / "cookbook" / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\((\w+)\.md\)", index)) == PAGES


def test_the_check_of_the_page_fails_when_it_says_so(repository, run, tmp_path):
    files = [(file, text) for _, file, text in BLOCK.findall((DOCS / "guard.md").read_text(encoding="utf-8")) if file]
    codes = []
    for number, (file, text) in enumerate(files):
        (tmp_path / file).write_text(text, encoding="utf-8")
        if number == 1:
            repository.commit()
        if number:
            codes.append(run("check").code)
    assert codes == [0, 1]


def test_the_program_prints_what_is_shown():
    blocks, names = BLOCK.findall((DOCS / "notebook.md").read_text(encoding="utf-8")), {}
    pairs = list(zip(blocks[::2], blocks[1::2], strict=True))
    assert len(pairs) == 4
    for (language, _, code), (_, _, shown) in pairs:
        assert language == "python"
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "notebook.md", "exec"), names)
        assert out.getvalue() == shown
