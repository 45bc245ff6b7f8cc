"""The README and the language reference are correct: every block is run, every figure compared."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from costcalc import analyze
from costcalc.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SPEC = (ROOT / "docs" / "spec.md").read_text(encoding="utf-8")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)


def run(line, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(shlex.split(line)[1:])
    out = capsys.readouterr()
    return exit_.value.code, out.out, out.err


SESSIONS = [[line for line in block.splitlines() if line.startswith("costcalc ")] for block in blocks(README, "sh")]


@pytest.mark.parametrize("lines", [lines for lines in SESSIONS if lines], ids=lambda lines: lines[0])
def test_commands_run(lines, capsys, tmp_path, monkeypatch):
    """Runs the lines of a block in sequence in one directory."""
    monkeypatch.chdir(tmp_path)
    for line in lines:
        if line.startswith(("costcalc plot", "costcalc export")):
            pytest.importorskip("matplotlib" if "plot" in line else "onnx")
        code, _, err = run(line, capsys)
        assert (line, code, err) == (line, 0, "")


@pytest.mark.parametrize("block", blocks(README, "console"))
def test_outputs_are_what_is_printed(block, capsys, tmp_path, monkeypatch):
    """A final `...` line stands for the rest of the output."""
    monkeypatch.chdir(tmp_path)
    line, _, shown = block.partition("\n")
    code, out, _ = run(line.removeprefix("$ "), capsys)
    whole = shown.removesuffix("...\n")
    assert code == 0
    assert out.startswith(whole)
    assert (whole == shown) == (out == whole)


def test_python_blocks_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks(README, "python"):
        exec(compile(block, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "{'mult_adds': 166396800, 'params': 2568144}" in out
    assert "1024000*alpha" in out
    assert "{'mult_adds': 166396800, 'params': 2568144}" in README


def test_the_spec_shown_is_the_config(tmp_path):
    shown, _ = blocks(README, "yaml")
    path = tmp_path / "shown.yaml"
    path.write_text(shown)
    ours, theirs = analyze(path, alpha=0.75, res=160), analyze("mobilenet", alpha=0.75, res=160)
    assert [line[:12] for line in ours.lines] == [line[:12] for line in theirs.lines]
    body = [line.split("#")[0].rstrip() for line in (ROOT / "configs" / "mobilenet.yaml").read_text().splitlines()]
    assert [line for line in shown.splitlines() if line] == [line for line in body if line][: shown.count("\n")]


def test_figures_in_the_text():
    thin, full = analyze("mobilenet", alpha=0.75, res=160).totals, analyze("mobilenet").totals
    assert f"{thin['mult_adds']:,} mult-adds and {thin['params']:,} params" in README
    for name in ("paper", "framework", "flops"):
        report = analyze("mobilenet", convention=name)
        cost, params = report.totals.values()
        row = next(line for line in README.splitlines() if line.startswith(f"| `{name}`"))
        assert f"| {cost:,} " in row
        assert f"| {params:,} |" in row
    assert full["mult_adds"] == 568_740_352  # the paper's 569 M


def test_the_budget_shown_is_one(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    shutil.copy(ROOT / "configs" / "mobilenet.yaml", tmp_path / "models" / "my_net.yaml")
    (tmp_path / "costcalc.yaml").write_text(blocks(README, "yaml")[1], encoding="utf-8")
    for words in ("init -q -b main", "add .", "-c user.name=a -c user.email=a@b.c commit -qm first"):
        subprocess.run(["git", "-C", str(tmp_path), *words.split()], check=True)
    code, out, _ = run("costcalc check", capsys)
    assert (code, out.splitlines()[0]) == (0, "4 passed")


@pytest.mark.parametrize("block", blocks(SPEC, "yaml"))
def test_examples_of_the_language_are_specs(block, tmp_path):
    path = tmp_path / "example.yaml"
    path.write_text(block)
    assert analyze(path).lines


def test_every_control_section_and_block_is_described():
    from costcalc.read.spec.blocks import shipped_library
    from costcalc.read.spec.layers import CONTROLS
    from costcalc.read.spec.reader import SECTIONS

    for word in (*CONTROLS, *SECTIONS, *shipped_library().names()):
        assert f"`{word}" in SPEC, word


def test_set_up_commands_stand_on_one_line_each():
    lines = [line for block in blocks(README, "sh") for line in block.splitlines() if line.startswith("pip install")]
    assert [line.split(" && ")[1].split()[0] for line in lines] == ["costcalc", "pytest"]
    assert shutil.which("bash") is None or (ROOT / ".ci" / "run").stat().st_mode & 0o111
