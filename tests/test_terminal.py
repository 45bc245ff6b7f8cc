"""What is printed where: terminals, pipes, files, closed streams, other locales. Every case is a process of its own."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

COMMAND = [sys.executable, "-c", "from costcalc.cli import main; main()"]
STEERING = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "LANG", "LC_", "PYTHON")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}
NAME = "a_very_long_name_of_a_layer_that_is_wider_than_any_terminal_" * 3
WIDE = f"input: [32, 32, 3]\nlayers:\n  - {{conv: 3x3, out: 64, as: {NAME}}}\n  - {{conv: 3x3, out: 64, as: Größe→}}\n"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
FORMATS = ("table", "csv", "json", "md", "latex")
COMMANDS = ("analyze mobilenet", "ops", "ops conv", "conventions", "zoo", "validate mobilenet", "schema", "-h")


def run(*args, text=True, **settings):
    """A finished run of the program with a pipe for each stream; `cwd` and variables of the environment may be set."""
    cwd = settings.pop("cwd", None)
    pipe = subprocess.PIPE
    return subprocess.run(
        [*COMMAND, *args], stdout=pipe, stderr=pipe, text=text, cwd=cwd, env=CLEAN | settings, timeout=60, check=False
    )


@pytest.fixture
def wide(tmp_path):
    """A spec whose names are long, and not all ASCII."""
    path = tmp_path / "wide.yaml"
    path.write_text(WIDE, encoding="utf-8")
    return str(path)


def on_terminal(columns, *args, **settings):
    """The output on a pseudo-terminal of that many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([*COMMAND, *args], stdin=theirs, stdout=theirs, stderr=theirs, env=CLEAN | settings)
    os.close(theirs)
    data = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not piece:
            break
        data += piece
    os.close(ours)
    assert process.wait() == 0
    return data.decode().replace("\r\n", "\n")


def widest(text):
    """Columns of the longest line."""
    return max(len(line) for line in ESCAPE.sub("", text).splitlines())


def test_a_pipe_gets_everything_without_colour(wide):
    result = run("analyze", wide)
    lines = result.stdout.splitlines()
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    assert not any(mark in result.stdout for mark in ("…", ".."))
    assert [line for line in lines if line != line.rstrip()] == []
    row = next(line for line in lines if line.startswith(NAME))
    assert re.split(r"\s{2,}", row)[1:5] == ["conv 3x3", "32x32x3", "32x32x64", "3x3 / 1"]
    assert "1,769,472" in row


@pytest.mark.parametrize("columns", [70, 100, 200])
def test_columns_is_honoured(columns):
    assert widest(run("analyze", "mobilenet", COLUMNS=str(columns)).stdout) <= columns


@pytest.mark.parametrize("columns", ["", "0", "-1", "wide", "²"])
def test_columns_that_are_no_number_are_not(columns):
    assert run("analyze", "vgg16", COLUMNS=columns).stdout == run("analyze", "vgg16").stdout


PIPED = [  # environment, options, whether there is colour in a pipe
    ({"FORCE_COLOR": "1"}, [], True),
    ({"FORCE_COLOR": "0"}, [], False),
    ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
    ({"FORCE_COLOR": "1", "TERM": "dumb"}, [], True),
    ({"NO_COLOR": "1"}, ["--color", "always"], True),
    ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ({"FORCE_COLOR": "1"}, ["--format", "csv"], False),
]
ON_TERMINAL = [  # environment, options, whether there is colour on a terminal
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


@pytest.mark.parametrize("columns", [80, 132])
def test_a_terminal_gets_its_width(wide, columns):
    shown = on_terminal(columns, "analyze", wide, TERM="xterm")
    assert columns - 20 < widest(shown) <= columns
    assert widest(on_terminal(columns, "analyze", wide, TERM="xterm", COLUMNS="100")) <= 100


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
@pytest.mark.parametrize("options", [{}, {"COLUMNS": "60"}])
def test_other_encodings(wide, encoding, options):
    result = run("analyze", wide, text=False, PYTHONIOENCODING=encoding, **options)
    shown = result.stdout.decode(encoding)
    assert (result.returncode, result.stderr) == (0, b"")
    assert ("+--" in shown) is (encoding in ("ascii", "latin-1"))
    if encoding in ("ascii", "latin-1") and options:
        assert "\\u2026" not in shown
    if encoding == "ascii":
        assert shown.isascii()
    assert run("analyze", "nosuch→", PYTHONIOENCODING=encoding).returncode == 2


def test_head_is_quiet(tmp_path):
    path = tmp_path / "long.yaml"
    path.write_text("input: [8, 8, 4]\nlayers:\n  - {conv: 1x1, out: 4, repeat: 3000}\n")
    for line in (f"analyze {path}", f"analyze {path} --json", "ops", "schema", "analyze mobilenet"):
        script = f"set -o pipefail; \"$0\" -c 'from costcalc.cli import main; main()' {line} | head -1"
        result = subprocess.run(["bash", "-c", script, sys.executable], capture_output=True, text=True, env=CLEAN)
        assert (result.returncode, result.stderr, result.stdout.count("\n")) == (0, "", 1)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_reader_that_is_gone_is_no_failure(line):
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run([*COMMAND, *line.split()], stdout=writing, stderr=subprocess.PIPE, env=CLEAN, check=False)
    os.close(writing)
    assert (process.returncode, process.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("redirection", "line", "code"),
    [
        *((">&-", line, 0) for line in COMMANDS),
        ("2>&-", "analyze mobilenet", 0),
        ("2>&-", "analyze nosuch", 2),
        (">/dev/full", "analyze mobilenet", 2),
        (">/dev/full", "ops", 2),
    ],
)
def test_streams_that_are_closed_or_full(redirection, line, code):
    script = f"\"$0\" -c 'from costcalc.cli import main; main()' {line} {redirection}"
    result = subprocess.run(
        ["sh", "-c", script, sys.executable], capture_output=True, text=True, env=CLEAN, check=False
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_bytes_everywhere(tmp_path, format):
    line = ("analyze", "mobilenet_v2", "--format", format)
    settings = [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kolkata"},
        {"LC_ALL": "C", "TZ": "America/St_Johns"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8"},
        {"cwd": tmp_path},
        {"cwd": "/", "HOME": str(tmp_path)},
    ]
    assert len({run(*line, text=False, **one).stdout for one in settings}) == 1
    if format == "json":
        assert json.loads(run(*line).stdout)["spec"]["path"] == "mobilenet_v2.yaml"
