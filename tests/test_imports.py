"""The modules imported at start. Each case runs in a separate process that reports its imports at exit."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "numpy",
    "pandas",
    "sympy",
    "mpmath",
    "rich",
    "pygments",
    "onnx",
    "google",
    "torch",
    "matplotlib",
    "jsonschema",
}
ARRAYS_AND_SYMBOLS = HEAVY - {"rich", "pygments"}
SAY = "import atexit, json, sys\natexit.register(lambda: print(json.dumps([*sys.modules]), file=sys.stderr))\n"


def loaded(code, *args, cwd):
    """The top-level modules that a program has imported at exit."""
    done = subprocess.run(
        [sys.executable, "-c", SAY + code, *args], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


def loaded_by(line, cwd):
    """The top-level modules that a command line imports."""
    return loaded("from costcalc.cli import main\nmain()", *line.split(), cwd=cwd)


LIGHT = [  # command line, modules that it must not import
    ("analyze mobilenet.yaml --format json", HEAVY | {"difflib", "traceback", "csv", "hashlib", "decimal"}),
    ("analyze mobilenet.yaml --format csv", HEAVY),
    ("analyze mobilenet.yaml --format md", HEAVY),
    ("analyze mobilenet.yaml --format latex", HEAVY),
    ("analyze mobilenet.yaml --json --alpha 0.75 --by type -o totals.json", HEAVY),
    ("analyze mobilenet.yaml", HEAVY),
    ("analyze mobilenet.yaml --by block --color always", ARRAYS_AND_SYMBOLS),
    ("--help", HEAVY | {"yaml"}),
    ("--version", HEAVY | {"yaml"}),
    ("analyze --help", HEAVY | {"yaml"}),
    ("analyze mobilenet --help", HEAVY),
    ("ops conv", HEAVY),
    ("conventions", HEAVY),  # the price lists of other programs are YAML
    ("selftest conv --cases 2 --json", HEAVY),
    ("zoo", HEAVY),
    ("zoo --json", HEAVY),
    ("validate mobilenet", HEAVY),
    ("schema", HEAVY),
    ("reproduce mobilenet --json", HEAVY),
    ("reproduce mobilenet", HEAVY),
]


@pytest.mark.parametrize(("line", "forbidden"), LIGHT)
def test_commands_load_only_what_they_use(tmp_path, line, forbidden):
    assert loaded_by(line, tmp_path) & forbidden == set()


def test_a_graph_needs_the_message_classes_alone(tmp_path):
    graph = Path(__file__).parent / "data" / "onnx" / "legacy_mobilenet_v1.onnx.gz"
    (tmp_path / "mobilenet.onnx").write_bytes(gzip.decompress(graph.read_bytes()))
    assert loaded_by("analyze mobilenet.onnx --format json", tmp_path) & HEAVY == {"google"}


@pytest.mark.parametrize("code", ["import costcalc", "from costcalc import analyze\nanalyze('mobilenet').totals"])
def test_the_library_is_light(tmp_path, code):
    assert loaded(code, cwd=tmp_path) & (HEAVY | {"click"}) == set()


@pytest.mark.parametrize("name", ["numpy", "pandas", "sympy", "rich"])
@pytest.mark.parametrize("program", ["import {}", "def main():\n  import {}\nmain()"])
def test_these_tests_can_fail(tmp_path, name, program):
    assert name in loaded(program.format(name), cwd=tmp_path) & HEAVY


def test_a_command_that_uses_a_library_loads_it(tmp_path):
    assert "rich" in loaded_by("analyze mobilenet.yaml --color always", tmp_path)
    assert "pandas" in loaded("from costcalc import analyze\nanalyze('mobilenet').frame()", cwd=tmp_path)
