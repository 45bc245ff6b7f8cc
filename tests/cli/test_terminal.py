"""Output on terminals, pipes, files, closed streams and in other locales. Every case runs in a separate process."""

import csv
import fcntl
import io
import json
import os
import pty
import random
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

import costcalc
from costcalc.cli import main

CODE = "from costcalc.cli import main; main()"
COMMANDS = ("analyze mobilenet", "ops", "ops conv", "conventions", "zoo", "validate mobilenet", "schema", "-h")
FORMATS = ("table", "csv", "json", "md", "latex")
STEERING = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "LANG", "LC_", "PYTHON")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
NAME = "a_very_long_name_of_a_layer_that_is_wider_than_any_terminal_" * 3
WIDE = f"input: [32, 32, 3]\nlayers:\n  - {{conv: 3x3, out: 64, as: {NAME}}}\n  - {{conv: 3x3, out: 64, as: Größe→}}\n"


@pytest.fixture
def wide(tmp_path):
    """A spec with long and partly non-ASCII names."""
    path = tmp_path / "wide.yaml"
    path.write_text(WIDE, encoding="utf-8")
    return str(path)


def run(*args, text=True, cwd=None, **settings):
    """Run the program with a pipe for each stream, and `settings` in its environment."""
    command = [sys.executable, "-c", CODE, *args]
    return subprocess.run(command, capture_output=True, text=text, cwd=cwd, env=CLEAN | settings, check=False)


def shell(script):
    """Run a line of bash in which `costcalc` is the program."""
    script = f'set -o pipefail\ncostcalc() {{ "$0" -c "{CODE}" "$@"; }}\n{script}'
    return subprocess.run(
        ["bash", "-c", script, sys.executable], capture_output=True, text=True, env=CLEAN, check=False
    )


def on_terminal(columns, *args, **settings):
    """The output on a pseudo-terminal with that many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-c", CODE, *args]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=CLEAN | settings) as process:
        os.close(theirs)
        pieces = [b""]
        try:
            while piece := os.read(ours, 65536):
                pieces.append(piece)
        except OSError:  # on Linux, this means that the other side is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    return b"".join(pieces).decode().replace("\r\n", "\n")


def widest(text):
    """The width of the longest line."""
    return max(len(line) for line in ESCAPE.sub("", text).splitlines())


def test_a_pipe_gets_everything_without_colour(wide):
    result = run("analyze", wide)
    lines = result.stdout.splitlines()
    assert (result.returncode, result.stderr) == (0, "")
    assert not any(mark in result.stdout for mark in ("\x1b", "…", "..", " \n"))
    row = next(line for line in lines if line.startswith(NAME))
    assert re.split(r"\s{2,}", row)[1:6] == ["conv 3x3", "32x32x3", "32x32x64", "3x3 / 1", "1,769,472"]


@pytest.mark.parametrize("columns", [60, 80, 125])
@pytest.mark.parametrize("grouping", ["layer", "type", "block"])
def test_columns_is_honoured_and_no_name_or_number_is_cut(columns, grouping):
    options = ("analyze", "mobilenet", "--by", grouping)
    shown, file = (run(*options, *more, COLUMNS=str(columns)).stdout for more in ([], ["--format", "csv"]))
    assert widest(shown) <= columns
    assert "…" not in shown
    for row in csv.DictReader(file.splitlines()):
        assert {*row["name"].split()} <= {*shown.split()}
        assert {f"{int(row[metric]):,}" for metric in ("mult_adds", "params") if row[metric] != "0"} <= {*shown.split()}
    assert ("kernel" in shown) is (grouping == "layer")  # as a heading, or among the omitted columns


@pytest.mark.parametrize("columns", ["", "0", "-1", "wide", "²"])
def test_columns_that_are_no_number_are_not(columns):
    assert run("analyze", "vgg16", COLUMNS=columns).stdout == run("analyze", "vgg16").stdout


PIPED = [  # environment, options, whether output in a pipe has colour
    ({"FORCE_COLOR": "1"}, [], True),
    ({"FORCE_COLOR": "0"}, [], False),
    ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
    ({"FORCE_COLOR": "1", "TERM": "dumb"}, [], True),
    ({"NO_COLOR": "1"}, ["--color", "always"], True),
    ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ({"FORCE_COLOR": "1"}, ["--format", "csv"], False),
]
ON_TERMINAL = [  # environment, options, whether output on a terminal has colour
    ({"TERM": "xterm"}, [], True),
    ({"TERM": "xterm", "NO_COLOR": "1"}, [], False),
    ({"TERM": "xterm", "NO_COLOR": ""}, [], True),
    ({"TERM": "xterm", "FORCE_COLOR": "0"}, [], False),
    ({"TERM": "xterm"}, ["--color", "never"], False),
    ({"TERM": "dumb"}, [], False),
    ({"TERM": "dumb"}, ["--color", "always"], True),
]


@pytest.mark.parametrize(("settings", "options", "colored"), PIPED)
def test_colour_in_a_pipe(settings, options, colored):
    assert bool(ESCAPE.search(run("analyze", "vgg16", *options, **settings).stdout)) is colored


@pytest.mark.parametrize(("settings", "options", "colored"), ON_TERMINAL)
def test_colour_on_a_terminal(settings, options, colored):
    assert bool(ESCAPE.search(on_terminal(120, "analyze", "vgg16", *options, **settings))) is colored


def test_a_terminal_gets_its_width(wide):
    assert [widest(on_terminal(columns, "analyze", wide, TERM="xterm")) for columns in (80, 132)] == [80, 132]
    assert widest(on_terminal(132, "analyze", wide, TERM="xterm", COLUMNS="100")) == 100


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_other_encodings(wide, encoding):
    plain = encoding in ("ascii", "latin-1")
    result = run("analyze", wide, text=False, PYTHONIOENCODING=encoding)
    assert (result.returncode, result.stderr) == (0, b"")
    assert ("+--" in result.stdout.decode(encoding)) is plain
    narrow = run("analyze", wide, "--columns", "type,input,name", text=False, PYTHONIOENCODING=encoding, COLUMNS="20")
    assert all(text in narrow.stdout.split() for text in (b"conv", b"3x3", b"32x32x3"))  # too wide, but complete
    assert run("analyze", "nosuch→", PYTHONIOENCODING=encoding).returncode == 2


def test_head_is_quiet(tmp_path):
    long = tmp_path / "long.yaml"
    long.write_text("input: [8, 8, 4]\nlayers:\n  - {conv: 1x1, out: 4, repeat: 3000}\n")
    for line in (f"analyze {long}", f"analyze {long} --json", "ops", "schema", "analyze mobilenet"):
        result = shell(f"costcalc {line} | head -1")
        assert (result.returncode, result.stderr, result.stdout.count("\n")) == (0, "", 1)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_reader_that_is_gone_is_no_failure(line):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", CODE, *line.split()]
    process = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=CLEAN, check=False)
    os.close(writing)
    assert (process.returncode, process.stderr) == (0, b"")


CLOSED = [(f"{line} >&-", 2) for line in COMMANDS] + [
    ("analyze mobilenet 2>&-", 0),
    ("analyze nosuch 2>&-", 2),
    ("analyze mobilenet <&-", 0),
    ("analyze - <&-", 2),
    ("analyze mobilenet >&- 2>&- <&-", 2),
]
FULL = [("analyze mobilenet >/dev/full", 2), ("ops >/dev/full", 2)] if os.path.exists("/dev/full") else []


@pytest.mark.parametrize(("line", "code"), CLOSED + FULL)
def test_streams_that_are_closed_or_full(line, code):
    result = shell(f"costcalc {line}")
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr


def test_a_closed_stream_is_an_error_that_says_so():
    assert shell("costcalc analyze mobilenet >&-").stderr == "error: cannot write the result: it is closed\n"
    assert shell("costcalc analyze - <&-").stderr == "error: cannot read standard input: it is closed\n"


def test_a_file_is_written_with_standard_output_closed(tmp_path):
    result = shell(f"costcalc analyze mobilenet -o {tmp_path}/costs.csv >&- <&-")
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "costs.csv").read_text().startswith("name,")


class Text(io.StringIO):
    """A captured standard output: text without a file, optionally full."""

    full = False

    def write(self, text):
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


class Bare:
    """A standard output that only accepts text."""

    def __init__(self):
        self.found = []

    def write(self, text):
        self.found.append(text)

    def flush(self):
        pass


@pytest.mark.parametrize(
    ("line", "full", "code", "said"),
    [
        ("analyze mobilenet", False, 0, ""),
        ("analyze mobilenet", True, 2, "error: cannot write the result: No space left on device\n"),
        ("export mobilenet -o - --to torch", False, 0, ""),
        ("plot mobilenet -o -", False, 2, None),
        ("export mobilenet -o -", False, 2, None),
    ],
)
def test_a_captured_output_needs_no_file(monkeypatch, capsys, line, full, code, said):
    monkeypatch.setattr(sys, "stdout", Text())
    sys.stdout.full = full
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    err = capsys.readouterr().err
    assert (ended.value.code, "Traceback" in err) == (code, False), err
    assert said is None or err == said


def test_a_captured_output_may_do_no_more_than_write(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Bare())
    with pytest.raises(SystemExit) as ended:
        main(["analyze", "mobilenet"])
    assert (ended.value.code, "568,740,352" in "".join(sys.stdout.found)) == (0, True)


def test_a_directory_that_is_gone_is_told_as_it_is(tmp_path):
    gone = f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone && costcalc"
    for line in ("check", "analyze mobilenet -o costs.csv"):
        result = shell(f"{gone} {line}")
        assert result.returncode == 2
        assert "the working directory is gone\n" in result.stderr
        assert ("cannot write 'costs.csv'" in result.stderr) == ("-o" in line)


INTERRUPTED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *rest):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has it ignored
sys.argv = ["costcalc", "analyze", "mobilenet", "--color", "always"]
from costcalc.__main__ import main
main()
"""


@pytest.mark.parametrize("name", ["costcalc.cli", "click", "costcalc.cli.analyze", "yaml", "rich", "costcalc.render"])
def test_ctrl_c_while_it_loads_says_nothing(name):
    code = INTERRUPTED.format(name=name)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=CLEAN, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_the_program_starts_where_ctrl_c_is_heard():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert 'costcalc = "costcalc.__main__:main"' in text
    line = [sys.executable, "-I", "-m", "costcalc", "--version"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("costcalc ")


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_bytes_everywhere(tmp_path, format):
    settings = [
        {"PYTHONHASHSEED": "0", "cwd": "/"},
        {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kolkata"},
        {"LC_ALL": "C", "TZ": "America/St_Johns"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8", "cwd": tmp_path},
    ]
    found = {run("analyze", "mobilenet_v2", "--format", format, text=False, **one).stdout for one in settings}
    assert len(found) == 1
    assert b"300,774,272" in found.pop() or format in ("csv", "json")


def test_a_reader_that_is_gone_does_not_change_the_verdict(tmp_path):
    (tmp_path / "bad.yaml").write_text("input: [8, 8, 3]\nlayers: [{conv: 3x3}]\n")
    reading, writing = os.pipe()
    os.close(reading)
    command = [*[sys.executable, "-c", CODE], "validate", "mobilenet", str(tmp_path / "bad.yaml")]
    process = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=CLEAN, check=False)
    os.close(writing)
    assert (process.returncode, b"Traceback" in process.stderr) == (2, False)


def test_completion_knows_the_commands():
    asking = {"_COSTCALC_COMPLETE": "words", "_COSTCALC_LINE": "costcalc an"}
    process = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, env={**CLEAN, **asking}, check=False
    )
    assert process.stdout == "analyze\n"


def test_a_spec_from_standard_input():
    spec = "input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 4}]\n"
    process = subprocess.run(
        [*[sys.executable, "-c", CODE], "analyze", "-", "--json"],
        input=spec,
        capture_output=True,
        text=True,
        env=CLEAN,
        check=False,
    )
    assert '"mult_adds": 6912' in process.stdout


def stopped_after(command, seconds):
    """(exit code, standard error) of a command interrupted by Ctrl-C after a delay."""
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen([*command, "analyze", "resnet50"], **pipes, env=CLEAN, text=True) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    return process.returncode, err


@pytest.mark.slow
@pytest.mark.parametrize("way", ["module", "script"])
def test_ctrl_c_at_any_time_shows_no_line_of_ours(way):
    script = Path(sys.executable).with_name("costcalc")
    if way == "script" and not script.exists():
        pytest.skip("costcalc is not installed as a program")
    command = [sys.executable, "-m", "costcalc"] if way == "module" else [str(script)]
    dice, ours = random.Random(way), str(Path(costcalc.__file__).parent)
    found = [stopped_after(command, 0.3 * dice.random()) for _ in range(30)]
    assert [err for _, err in found if ours in err] == []  # before our first line, Python may print anything
    assert {code for code, err in found if not err} <= {0, 130, -signal.SIGINT}


ODD = "q\x1b[2J\u202ez"
ODD_SPEC = {
    "name": ODD,
    "description": ODD,
    "vars": {"w": {"default": 8, "choices": [4, 8], "help": ODD}},
    "input": [8, 8, 3],
    "layers": [
        {"conv": "3x3", "out": "w", "as": f"{ODD}1"},
        {"opaque": ODD, "as": f"{ODD}2", "out": [1, 1, 1], "mult_adds": 3, "params": 2},
        {"linear": 10},
    ],
    "budget": {"mult_adds": 1},
}
SHOWN = [
    *("analyze", "analyze --by type", "analyze --by block --depth 2", "analyze --help", "analyze --device nvidia_t4"),
    *("analyze -f md", "analyze -f csv", "analyze -f latex", "analyze --json", "analyze -f html", "explain", "memory"),
    *("training", "training --by type", "formula", "sweep --vary w=4,8", "fit --max mult_adds=1G", "space"),
    *("space --samples 2", "reconcile paper 3M", "compare net.yaml mobilenet", "diff mobilenet", "check", "validate"),
    *("survey", "reproduce", "export --to torch", "search --max mult_adds=1G --maximize scores.csv"),
]


@pytest.mark.slow
def test_no_text_of_a_spec_controls_a_terminal(run, tmp_path):
    """Tested in its name, the help of a variable, the name of a layer and the label of an opaque layer."""
    (tmp_path / "net.yaml").write_text(json.dumps(ODD_SPEC))
    (tmp_path / "scores.csv").write_text("w,score\n4,1\n8,2\n")
    shown = 0
    for line in SHOWN:
        name, *options = line.split()
        done = run(name, "net.yaml", *options)
        said = done.out + done.err
        assert done.code in (0, 1, 2), line
        assert not {"\x1b", "\u202e"} & {*said}, line
        shown += "u202e" in said
    assert shown > len(SHOWN) / 2
