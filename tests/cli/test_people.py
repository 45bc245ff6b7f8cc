"""Interactive use: help, verbosity, units, colour, one-line footers, completion in real shells."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from costcalc.cli import COMMANDS
from costcalc.cli.completion import FILES, candidates
from costcalc.render.scaled import scaled
from costcalc.render.table import one_line


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_its_help(run, name):
    assert run("help", name).out == run(name, "--help").out


def test_help_is_short_and_has_the_exit_codes(run):
    out = run("--help").out
    assert run("help").out == out
    assert len(out.splitlines()) < 65
    assert "nesting" not in out
    for code in ("0 success", "1 a check failed", "2 the command could not run", "101 a bug"):
        assert code in re.sub(r"\s+", " ", out)
    assert run("help", "analyse").err.startswith("error: there is no command `analyse`")


def test_limits_have_a_command(run):
    rows = {row["limit"]: row for row in json.loads(run("limits", "--json").out)["limits"]}
    assert (rows["layers"]["value"], rows["layers"]["raisable"], rows["rank"]["raisable"]) == (100_000, True, False)
    assert "COSTCALC_LIMITS='layers=1000000 nesting=100'" in run("limits").out


def test_quiet_leaves_out_what_is_no_result(run, tmp_path):
    (tmp_path / "net.yaml").write_text("input: [8]\nlayers: [{linear: 4}]\n")
    assert run("validate", "net.yaml").out.startswith("ok: net.yaml: 1 layer, 32 mult-adds")
    assert run("validate", "-q", "net.yaml") == (0, "", "")
    assert "note" in run("export", "mobilenet.yaml", "-o", "net.py").err
    assert run("export", "mobilenet.yaml", "-o", "net.py", "-q") == (0, "", "")
    assert run("validate", "net.yaml").out  # the next run is not quiet


@pytest.mark.parametrize(
    ("number", "unit", "shown"),
    [
        ("568,740,352", "M", "568.74 M"),
        ("568,740,352", "G", "0.569 G"),
        ("864", "M", "0.000864 M"),
        ("1", "G", "0.000000001 G"),
        ("0", "M", "0"),
        ("15,470,264,320", "G", "15.47 G"),
    ],
)
def test_counts_in_units(number, unit, shown):
    assert scaled(number, unit) == shown


def test_units_leave_files_exact(run):
    table = run("analyze", "mobilenet", "--by", "type", "--units", "M").out
    assert "539.49 M" in table
    assert re.search(r"conv 1x1 +13 ", table)  # layers are not counts of mult-adds
    for format in ("csv", "json"):
        line = ("analyze", "mobilenet", "--by", "type", "--format", format)
        assert run(*line, "--units", "M").out == run(*line).out
    assert "539.49 M" in run("analyze", "mobilenet", "--by", "type", "--units", "M", "--format", "md").out
    assert "4,298.55 M  +755.8 %  8.56x" in run("compare", "mobilenet", "--conv", "standard", "--units", "M").out
    sweep = run("sweep", "mobilenet", "--alpha", "1,0.5", "--units", "G").out
    assert re.search(r"^ +1 +0.569 G +0.00421 G$", sweep, re.M)


def test_dilation_is_in_the_table(run, tmp_path):
    (tmp_path / "net.yaml").write_text(
        "input: [8, 8, 3]\nlayers:\n  - {conv: 3x3, out: 4, dilation: 2}\n  - {conv: 3x3, out: 4, dilation: 2x1}\n"
        "  - {conv: 3x3, out: 4}\n"
    )
    rows = [line for line in run("analyze", "net.yaml").out.splitlines() if line.startswith("conv_")]
    assert ["3x3 / 1 d2" in rows[0], "3x3 / 1 d2x1" in rows[1], " d" in rows[2]] == [True, True, False]
    out = run("analyze", "net.yaml", "--columns", "name,dilation", "--format", "csv").out
    assert out.splitlines()[1:] == ["conv_1,2x2", "conv_2,2x1", "conv_3,1x1"]


def test_the_last_line_is_one_line_on_a_terminal(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    short = run("analyze", "mobilenet", "--by", "type").out.splitlines()
    whole = run("analyze", "mobilenet", "--by", "type", "-v").out
    assert short[-1] == "convention paper; shipped config mobilenet; input 224x224x3; .. (-v)"
    assert "min_depth=8" in whole
    monkeypatch.delenv("COLUMNS")
    assert "min_depth=8" in run("analyze", "mobilenet", "--by", "type").out  # a file has all


@pytest.mark.parametrize("width", range(20, 200, 7))
def test_a_cut_note_fits_and_says_so(width):
    note = "convention paper: what counts; with more; input 8x8; alpha=1.0, res=224; costcalc 0.1.0"
    found = one_line(note, width)
    assert found == note or (found.endswith(".. (-v)") and found.startswith("convention paper"))
    assert len(found) <= max(width, len("convention paper; .. (-v)"))


RED, GREEN = "\x1b[31m", "\x1b[32m"


def test_colour_means_something(run, tmp_path):
    saving = run("compare", "mobilenet", "--at", "alpha=0.5", "--color", "always").out
    assert f"{GREEN}-" in saving
    assert RED not in saving
    assert f"{RED}+" in run("compare", "mobilenet", "--conv", "standard", "--color", "always").out
    broken = run("check", "mobilenet", "--max", "params=1M", "--max", "mult_adds=1G", "--color", "always").out
    assert "\x1b[1;31mFAIL" in broken
    assert f"{GREEN}ok" in broken
    assert "\x1b[100m94.86 %\x1b[0m" in run("analyze", "mobilenet", "--by", "type", "--color", "always").out
    for line in (["analyze", "mobilenet"], ["check", "mobilenet", "--max", "params=1M"]):
        plain, colored = run(*line).out, run(*line, "--color", "always").out
        unstyled = re.sub(r"\x1b\[[\d;]*m", "", colored)
        assert [one.rstrip() for one in unstyled.splitlines()] == plain.splitlines()


NET = """vars: {alpha: 1.0, stages: {default: 3, choices: [3, 5]}}
input: [8, 8, 3]
layers: [{conv: 3x3, out: floor(8 * alpha)}]
"""
COMPLETIONS = [  # words, the part to complete, expected answers, excluded answers
    ("", "an", ["analyze"], ["fit"]),
    ("analyze", "mobilenet_v4", ["mobilenet_v4_conv_s"], ["mobilenet"]),
    ("analyze", "", ["mobilenet", FILES], []),
    ("analyze", "--con", ["--convention"], ["--columns"]),
    ("analyze net.yaml", "--", ["--alpha", "--stages", "--by"], []),
    ("analyze net.yaml --stages", "", ["3", "5"], []),
    ("analyze net.yaml --by", "", ["layer", "type", "block"], ["3"]),
    ("analyze net.yaml --set", "al", ["alpha="], ["stages="]),
    ("analyze net.yaml --convention", "fr", ["framework"], ["paper"]),
    ("analyze net.yaml", "--convention=fr", ["--convention=framework"], []),
    ("sweep net.yaml --metrics", "params,mult", ["params,mult_adds"], ["mult_adds"]),
    ("fit net.yaml --max", "weights", ["weights_bytes="], []),
    ("analyze net.yaml -o", "", [FILES], ["alpha"]),
    ("ops", "conv_", ["conv_transpose"], ["linear"]),
    ("conventions", "thop", ["thop"], []),
    ("zoo", "vgg", ["vgg16"], [FILES]),
    ("reconcile mobilenet", "pa", ["paper"], []),
    ("help", "com", ["compare", "completion"], []),
    ("completion", "", ["bash", "zsh", "fish"], []),
    ("nothing", "", [], ["analyze"]),
]


@pytest.mark.parametrize(("words", "part", "has", "has_not"), COMPLETIONS)
def test_what_could_come_next(tmp_path, monkeypatch, words, part, has, has_not):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(NET)
    found = candidates(words.split(), part)
    assert {*has} <= {*found}
    assert not {*has_not} & {*found}
    assert all(one == FILES or one.startswith(part) for one in found)


def test_a_spec_that_is_half_written_completes_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text("input: [")
    assert "--convention" in candidates(["analyze", "net.yaml"], "--")


@pytest.fixture
def shell_folder(tmp_path):
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "a file.yaml").write_text(NET)
    program = tmp_path / "bin" / "costcalc"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m costcalc "$@"\n')
    program.chmod(0o755)
    return tmp_path


SHELL_LINES = [  # line, answer
    ("costcalc an", ["analyze"]),
    ("costcalc analyze ne", ["net.yaml"]),
    ("costcalc analyze net.yaml --al", ["--all", "--alpha"]),
    ("costcalc analyze net.yaml --convention fr", ["framework"]),
    ("costcalc fit mobilenet --max weights_b", ["weights_bytes="]),
    ("costcalc analyze net.yaml --set alp", ["alpha="]),
    ("costcalc analyze mobilenet -o ne", ["net.yaml"]),
    ("costcalc analyze mobilenet_v4_conv_s", ["mobilenet_v4_conv_s"]),
]
BASH = """eval "$(costcalc completion bash)"
COMP_LINE="$1"; COMP_POINT=${#1}
read -ra COMP_WORDS <<<"$1"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_costcalc; printf '%s\\n' "${COMPREPLY[@]}"
complete -p costcalc"""
FISH = """costcalc completion fish | source
complete -C "$argv[1]" """
ZSH = """compdef() { : }
compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- "$@" }
_files() { print -l -- ${words[CURRENT]}*(N) }
eval "$(costcalc completion zsh)"
words=(${(z)1}); [[ "$1" == *' ' ]] && words+=('')
CURRENT=$#words
_costcalc"""  # with a replacement for zsh's completion system, which needs a terminal


def ask(shell, script, folder, *args):
    found = shutil.which(shell)
    if found is None:
        assert os.environ.get("COSTCALC_TEST_SHELLS") != "all", f"there is no {shell}"
        pytest.skip(f"there is no {shell}")
    env = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "xterm"}
    options = {"bash": ["--norc", "-c"], "fish": ["--no-config", "-c"], "zsh": ["-f", "-c"]}[shell]
    line = [found, *options, script, *([] if shell == "fish" else [shell]), *map(str, args)]
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder, env=env, timeout=120, check=False)
    return done.stdout


@pytest.mark.parametrize(("line", "answers"), SHELL_LINES)
def test_completion_in_bash(shell_folder, line, answers):
    *found, last = ask("bash", BASH, shell_folder, line).splitlines()
    assert sorted(found) == answers
    assert "-o default" in last  # file names if there is no answer


@pytest.mark.parametrize(("line", "answers"), SHELL_LINES)
def test_completion_in_fish(shell_folder, line, answers):
    found = [one.split("\t")[0] for one in ask("fish", FISH, shell_folder, line).splitlines()]
    assert sorted(found) == answers


@pytest.mark.parametrize(("line", "answers"), SHELL_LINES)
def test_completion_in_zsh(shell_folder, line, answers):
    found = ask("zsh", ZSH, shell_folder, line).splitlines()
    assert [one for one in sorted(found) if one.startswith(line.rpartition(" ")[2])] == answers


def test_files_with_spaces_are_one_answer(shell_folder):
    assert "a file.yaml" in ask("bash", BASH, shell_folder, "costcalc analyze a").splitlines()
