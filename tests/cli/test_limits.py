"""Every limit on input: it is listed, its error names it, and raising it accepts the input."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import costcalc
from costcalc import limits

ROOT = Path(costcalc.__file__).parent
HEAD = "input: [8, 8, 3]\n"
CASES = {  # limit: (a value that is too low for the spec, the spec)
    "file_bytes": (40, HEAD + "layers: [relu, relu, relu, relu]\n"),
    "values": (8, HEAD + "layers: [relu, relu]\n"),
    "keys": (2, HEAD + "layers: [{conv: 1x1, out: 3, stride: 1}]\n"),
    "entries": (1, "vars: {a: 1, b: 2}\n" + HEAD + "layers: [relu]\n"),
    "includes": (1, HEAD + "layers: [{include: planet.yaml}]\n"),
    "include_depth": (1, HEAD + "layers: [{include: planet.yaml}]\n"),
    "nesting": (3, HEAD + "layers: [{layers: [{layers: [relu]}]}]\n"),
    "block_depth": (1, HEAD + "blocks:\n  a(): [b]\n  b(): [relu]\nlayers: [a]\n"),
    "expression_chars": (5, HEAD + "layers: [{conv: 1x1, out: 1 + 1 + 1}]\n"),
    "expression_depth": (2, HEAD + "layers: [{conv: 1x1, out: 1 + 1 + 1 + 1}]\n"),
    "expression_steps": (4, HEAD + "layers: [{conv: 1x1, out: 1 + 1 + 1}]\n"),
    "layers": (5, HEAD + "layers: [{repeat: 3, layers: [relu, relu]}]\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_names_its_limit_and_raising_it_helps(run, tmp_path, monkeypatch, name):
    low, text = CASES[name]
    (tmp_path / "net.yaml").write_text(text)
    monkeypatch.setenv("COSTCALC_LIMITS", f"{name}={low}")
    code, _, err = run("analyze", "net.yaml")
    assert code == 2
    assert f"COSTCALC_LIMITS={name}=N in the environment raises this limit" in err.replace("\n", " ")
    monkeypatch.setenv("COSTCALC_LIMITS", f"{name}={100_000_000}")
    assert run("analyze", "net.yaml")[0] == 0


def test_lists_too_deep_for_the_parser_have_one_clear_error(run, tmp_path, monkeypatch):
    (tmp_path / "net.yaml").write_text(HEAD + "layers: " + "[" * 5000 + "]" * 5000 + "\n")
    code, _, err = run("analyze", "net.yaml")
    assert (code, "error: lists and maps nest at most 60 deep" in err, "COSTCALC_LIMITS=nesting=N" in err) == (
        2,
        True,
        True,
    )
    monkeypatch.setenv("COSTCALC_LIMITS", "nesting=9000")
    code, _, err = run("analyze", "net.yaml")  # libyaml refuses since 0.2.6; with older versions our stack is the limit
    assert (code, "COSTCALC_LIMITS" in err) == (2, False)
    assert err.startswith(("error: lists and maps nest at most 1,000 deep", "error: blocks and lists nest too deep"))


def test_a_walk_ends_when_its_time_is_over(run, tmp_path, monkeypatch):
    (tmp_path / "net.yaml").write_text(HEAD + "layers: [{repeat: 40, layers: [{conv: 3x3, out: i + 1}]}]\n")
    monkeypatch.setenv("COSTCALC_LIMITS", "seconds=0")
    code, _, err = run("analyze", "net.yaml")
    assert code == 2
    assert err.startswith("error: reading 'net.yaml' takes more than 0 seconds\n")
    assert "COSTCALC_LIMITS=seconds=N" in err
    monkeypatch.setenv("COSTCALC_LIMITS", "seconds=60")
    assert run("analyze", "net.yaml")[0] == 0


def test_a_command_states_every_limit(run):
    rows = [re.split(r"\s{2,}", line.strip()) for line in run("limits").out.splitlines()]
    stated = {name: (value, raised, meaning) for name, value, raised, meaning in (row for row in rows if len(row) == 4)}
    for names, raised in ((limits.RAISABLE, "yes"), (limits.FIXED, "no")):
        for name, (meaning, _) in names.items():
            assert stated[name.lower()] == (f"{limits.value(name):,}", raised, meaning)


def test_every_limit_that_can_be_raised_is_named_by_an_error():
    code = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))
    for name in limits.RAISABLE:
        assert f"limits.{name}" in code or f'within("{name.lower()}"' in code, name
        assert f'"{name.lower()}"' in code or name.startswith("EXPRESSION_"), name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layers", "`layers` raises no limit"),
        ("layers=", "`layers=` raises no limit"),
        ("layers=many", "`layers=many` raises no limit"),
        ("layers=-1", "`layers=-1` raises no limit"),
        ("layers=" + "9" * 5000, f"`layers={'9' * 50}...` raises no limit"),
        ("nesting=100, layer=7", "there is no limit `layer`\n  = help: a similar name exists: `layers`"),
        ("size=7", "there is no limit `size`"),
    ],
)
def test_what_raises_no_limit(run, monkeypatch, text, message):
    monkeypatch.setenv("COSTCALC_LIMITS", text)
    code, _, err = run("analyze", "mobilenet")
    assert code == 2
    assert err.startswith(f"error: COSTCALC_LIMITS: {message}")


def test_several_limits_at_once(run, monkeypatch):
    monkeypatch.setenv("COSTCALC_LIMITS", " layers=7  NESTING=9,keys=5 ")
    stated = {row["limit"]: row["value"] for row in json.loads(run("limits", "--json").out)["limits"]}
    assert (stated["layers"], stated["nesting"], stated["keys"]) == (7, 9, 5)
    assert (limits.LAYERS, limits.NESTING, limits.KEYS) == (100_000, 60, 100_000)  # only for that run


def test_limits_are_those_that_files_were_written_for():
    """A lower limit refuses input that was accepted before; a higher one accepts more than was measured."""
    powers = {"GRAPH_FILE_BYTES": 2_147_483_648, "SIZE": 1_099_511_627_776, "TOTAL": 4_611_686_018_427_387_904}
    texts = {"FILE_BYTES": 16_000_000, "VALUES": 550_000, "KEYS": 100_000, "ENTRIES": 2_000, "NESTING": 60}
    includes = {"INCLUDES": 200, "INCLUDE_DEPTH": 10, "BLOCK_DEPTH": 40, "LAYERS": 100_000, "NODES": 50_000}
    graphs_written = {"COMPARED": 50_000, "DIFFERENT": 40_000, "WRITTEN": 15_000}
    expressions = {"EXPRESSION_CHARS": 1_000, "EXPRESSION_DEPTH": 60, "EXPRESSION_STEPS": 1_000}
    graphs = {"GRAPH_BYTES": 32_000_000, "GRAPH_FIELDS": 2_000_000}
    own = {"SECONDS": 60, "RUN_SECONDS": 600, "DIGITS": 18, "RANK": 8, "EXPONENT": 64}
    stated = {**powers, **texts, **includes, **expressions, **graphs, **graphs_written, **own}
    assert {name: limits.value(name) for name in [*limits.RAISABLE, *limits.FIXED]} == stated


def test_a_hint_says_what_helps_and_how_the_limit_is_raised():
    raising = "COSTCALC_LIMITS=layers=N in the environment raises this limit"
    assert limits.hint("LAYERS") == limits.hint("layers") == raising
    assert limits.hint("layers", "use fewer") == f"use fewer; {raising}"


def test_only_what_can_be_raised_is():
    for name in ("size", "SIZE", "nothing", "hint"):
        with pytest.raises(KeyError), limits.raised(**{name: 7}):
            pass
    with limits.raised(layers=7):
        assert limits.LAYERS == limits.value("Layers") == 7
        with limits.raised(nesting=3):
            assert (limits.LAYERS, limits.NESTING) == (7, 3)
        assert (limits.LAYERS, limits.NESTING) == (7, 60)
    assert limits.LAYERS == 100_000


def test_limits_for_another_process_are_those_that_differ():
    assert limits.changed() == {}
    with limits.raised(layers=7, nesting=limits.NESTING):
        assert limits.changed() == {"LAYERS": 7}
    assert limits.changed() == {}


def test_a_limit_raised_in_one_thread_is_not_raised_in_another():
    with limits.raised(layers=7), ThreadPoolExecutor(1) as pool:
        assert pool.submit(limits.value, "layers").result() == 100_000
