"""Malicious or broken input: always one clear refusal, quickly and with little memory, never a traceback."""

import csv
import io
import json
import os
import random
import re
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from costcalc import analyze
from costcalc.analysis.report.page import render
from costcalc.cli import main
from costcalc.cli.failures import as_text
from costcalc.errors import CostcalcError, Source
from costcalc.read.spec.reader import read
from costcalc.render import FORMATS, Screen
from costcalc.render.framed import EXCERPT
from costcalc.replacing import replacing

ROOT = Path(__file__).parents[3]
SECONDS, MEGABYTES = 2.0, 200
HEAD = "input: [56, 56, 3]\n"
LAST = "layers: [relu]\n"
CONV = HEAD + "layers: [{{conv: 1x1, out: {}}}]\n"
RUN = """
import sys
from costcalc.cli import main
try:
    main(sys.argv[1:])
finally:
    import resource
    try:
        peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    open("peak", "w").write(f"{peak} {sum(resource.getrusage(resource.RUSAGE_SELF)[:2])}")
"""


def functions(count, join, body="{0}(x){1}{0}(x)"):
    """Functions that each call the previous one."""
    lines = [f"  f{at}(x): {body.format(f'f{at - 1}', join)}\n" for at in range(1, count)]
    return HEAD + "define:\n  f0(x): x\n" + "".join(lines) + f"layers: [{{conv: 1x1, out: f{count - 1}(channels)}}]\n"


def blocks(count, body):
    """Blocks that each call the next; the last is a single layer."""
    lines = [f"  b{at}(): {body.format(f'b{at + 1}')}\n" for at in range(count)]
    return f"{HEAD}blocks:\n{''.join(lines)}  b{count}(): [relu]\nlayers: [b0]\n"


def aliases(levels):
    """A file of a few hundred bytes that YAML would expand to billions of values."""
    rows = [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]\n" for at in range(1, levels)]
    return "a0: &a0 [x, x, x]\n" + "".join(rows)


DEEP = "lists and maps nest at most 60 deep"
LEVELS = "an expression has at most 60 levels and 1,000 steps, including those of functions"
LONG = "an expression has at most 1,000 characters"
LAYERS = "more than 100,000 layers after repeats and blocks are expanded"
NODES = "a spec has at most 550,000 values"
CALLS = "layers nest at most 60 deep, including those of blocks"
SHAPE = "at most 8 values are allowed here, one per axis of a tensor"
ENTRIES = "at most 2,000 entries are allowed here"
CASES = {  # name: (the text, or a function that creates it; the first error)
    "aliases of aliases": (lambda: aliases(12), "unknown key `a0`"),
    "a repeat of 10^9": (CONV.format("3, repeat: 1000000000"), "`repeat` cannot be `1000000000`"),
    "a repeat of 10^9 in a variable": (
        "vars: {n: 1000000000}\n" + CONV.format("3, repeat: n"),
        LAYERS,
    ),
    "repeats of 40,000 in repeats of 40,000": (
        HEAD + "layers: [{repeat: 40000, layers: [{repeat: 40000, layers: [relu]}]}]\n",
        LAYERS,
    ),
    "repeats of nothing": (
        HEAD + "layers: [{repeat: 40000, layers: [{repeat: 40000, layers: []}]}]\n",
        LAYERS,
    ),
    "blocks that call the next ten times": (lambda: blocks(30, "[{0}, {0}, {0}, {0}, {0}, {0}]"), LAYERS),
    "blocks that call the next, 1500 deep": (
        lambda: blocks(1500, "[{0}]"),
        "blocks call each other at most 40 deep",
    ),
    "lists in blocks in lists": (
        lambda: blocks(39, "[{{layers: " * 25 + "[{0}]" + "}}]" * 25),
        "blocks and lists nest too deep",
    ),
    "weights used again, 2000 deep": (
        lambda: (
            HEAD
            + "layers:\n- {conv: 1x1, out: 3, as: x0}\n"
            + "".join(f"- {{reuse: x{at}, as: x{at + 1}}}\n" for at in range(2000))
        ),
        CALLS,
    ),
    "layers that run 10^12 times, 20 deep": (
        HEAD + "layers: " + "[{times: 1099511627776, layers: " * 20 + "[relu]" + "}]" * 20 + "\n",
        "a layer runs at most 1,099,511,627,776 times",
    ),
    "a list 5,000 deep": (HEAD + "layers: " + "[" * 5000 + "]" * 5000 + "\n", DEEP),
    "a list 500,000 deep without an end": (lambda: HEAD + "layers: " + "[" * 500_000, DEEP),
    "a map 5,000 deep": (HEAD + "layers: " + "{a: " * 5000 + "}" * 5000 + "\n", DEEP),
    "a block list 5,000 deep": (HEAD + "layers:\n" + "- " * 5000 + "relu\n", DEEP),
    "a block map 2,000 deep": (lambda: "".join(" " * at + "a:\n" for at in range(2000)), DEEP),
    "parentheses 5,000 deep": (CONV.format("(" * 5000 + "3" + ")" * 5000), LONG),
    "parentheses 400 deep": (CONV.format("(" * 400 + "3" + ")" * 400), f"`{'(' * 57}...` is not an expression"),
    "minus signs": (CONV.format("-" * 900 + "3"), LEVELS),
    "not, not, not": (CONV.format("not " * 200 + "3"), LEVELS),
    "if in if": (CONV.format("1 if 1 else " * 70 + "3"), LEVELS),
    "one, two, three, ..": (CONV.format("1+" * 400 + "3"), LEVELS),
    "a sum of 10 MB": (lambda: CONV.format("1+" * 5_000_000 + "3"), LONG),
    "a name of 10 MB": (lambda: CONV.format("a" * 10_000_000), LONG),
    "a number of 10^5 digits": (CONV.format("9" * 100_000), LONG),
    "a number of 900 digits": (CONV.format("9" * 900), "a number has at most 18 digits"),
    "a product past all numbers": (
        CONV.format("*".join(["999999999999999999"] * 40)),
        f"`{'*'.join(['999999999999999999'] * 40)[:57]}...` has no value: this grows too large to be a size",
    ),
    "functions that square": (
        lambda: functions(40, "*", "{0}(x*x)"),
        "this grows too large to be a size",
    ),
    "functions that call two": (lambda: functions(40, "+"), LEVELS),
    "functions 3,000 deep": (lambda: functions(1990, "", "{0}(x)"), LEVELS),
    "a word a trillion times": (
        "vars: {act: relu}\n" + CONV.format("act * 999999999999"),
        "`act * 999999999999` has no value: a word or a kernel is not a number",
    ),
    "a kernel of 10^5 axes": (CONV.format("3").replace("1x1", "x".join(["3"] * 100_000)), SHAPE),
    "an input of 10^5 axes": (lambda: f"input: [{'3,' * 100_000}]\nlayers: [relu]\n", SHAPE),
    "an axis more each time": (
        HEAD + "layers: [{repeat: 3000, layers: [{embedding: 3, vocab: 4}]}]\n",
        "`embedding`: an output of 9 axes has too many: the limit is 8",
    ),
    "twice the channels each time": (
        HEAD + "layers:\n" + "- {concat: [[], []]}\n" * 100,
        "`concat`: an output of 1,649,267,441,664 is too large: the limit is 1,099,511,627,776",
    ),
    "a figure of 10^5 digits": (
        HEAD + f"layers: [relu]\nbudget: {{params: {'9' * 100_000}}}\n",
        f"a limit is a number, not `{'9' * 57}...`",
    ),
    "540,000 layers": (lambda: HEAD + "layers:\n" + "- relu\n" * 540_000, "more than 100,000 layers"),
    "40,000 bad layers": (
        lambda: HEAD + "layers:\n" + "- {covn: 1x1, out: 3}\n" * 40_000,
        "unknown operation or block `covn`",
    ),
    "a million values": (lambda: HEAD + f"layers: [{'[],' * 1_000_000}]\n", NODES),
    "a million options": (
        lambda: CONV.format("3, " + ", ".join(f"a{at}: 3" for at in range(1_000_000))),
        "a map has at most 100,000 keys",
    ),
    "50,000 variables": (lambda: "vars:\n" + "".join(f"  a{at}: 3\n" for at in range(50_000)) + HEAD + LAST, ENTRIES),
    "50,000 blocks": (
        lambda: HEAD + "blocks:\n" + "".join(f"  a{at}(): [relu]\n" for at in range(50_000)) + LAST,
        ENTRIES,
    ),
    "a name of a layer of 10 MB": (
        lambda: HEAD + f"layers: [{{relu: , as: {'a' * 10_000_000}}}]\n",
        "a name has at most 200 characters",
    ),
    "17 MB": (lambda: HEAD + "#" * 17_000_000, "'net.yaml' is larger than 16,000,000 bytes"),
    "NUL": (b"input: [56, 56, 3]\nlayers:\x00\n", "'net.yaml' is a binary file, not a spec"),
    "UTF-16": (HEAD.encode("utf-16"), "'net.yaml' is UTF-16"),
    "half a surrogate": (HEAD.encode() + b"layers: \xed\xa0\x80\n", "not UTF-8: here is byte 0xed"),
    "half a surrogate, escaped": (
        HEAD + 'layers: [{relu: , as: "\\ud800"}]\n',
        "this is not a valid escape",
    ),
    "an escape sequence": (HEAD + "layers: \x1b[31m\n", "a spec cannot contain the control character U+001B"),
    "a direction override": (
        HEAD + "layers: [relu\u202e]\n",
        "unknown operation or block `relu\\u202e`",
    ),
}


FLOOR = """
import time, collections, click, yaml
Seen = collections.namedtuple("Seen", "kind line column")
def inside(parser):
    seen = []
    while (event := parser.get_event()) is not None:
        if isinstance(event, yaml.CollectionStartEvent):
            seen.append(inside(parser))
        elif isinstance(event, yaml.CollectionEndEvent):
            break
        seen.append(Seen(type(event), event.start_mark.line, event.start_mark.column))
    return seen
inside(yaml.CBaseLoader("[" + "[]," * 100_000 + "]"))
print(time.process_time())
"""  # to start and parse 200,000 YAML events: 0.2 s on a fast machine


@pytest.fixture(scope="module")
def patience():
    """The factor by which this machine, Python and PyYAML are slower than a fast machine."""
    done = subprocess.run([sys.executable, "-c", FLOOR], **PIPES)
    return max(float(done.stdout) / 0.2, 1.0)


PIPES = {"capture_output": True, "text": True, "timeout": 60, "check": False}


def cap():
    """Limit memory, so that a failing test cannot exhaust the machine."""
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))


def refused(folder, *args):
    """(stderr, megabytes, seconds of processor time) of a command that must exit with 2."""
    done = subprocess.run([sys.executable, "-c", RUN, *args], cwd=folder, preexec_fn=cap, **PIPES)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr[-2000:]
    peak, seconds = (folder / "peak").read_text().split()
    return done.stderr, int(peak) / 1024, float(seconds)


@pytest.mark.parametrize("name", CASES)
def test_hostile_specs_are_refused_soon_and_small(tmp_path, name, patience):
    text, message = CASES[name]
    text = text() if callable(text) else text
    (tmp_path / "net.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    err, megabytes, seconds = refused(tmp_path, "analyze", "net.yaml")
    assert err.startswith(f"error: {message}")
    assert "Traceback" not in err
    assert {char for char in err if not char.isprintable()} == {"\n"}
    assert max(map(len, err.splitlines())) <= EXCERPT + 60
    assert len(err) < 20_000
    assert megabytes < MEGABYTES
    assert seconds < SECONDS * patience


@pytest.mark.parametrize("option", ["--alpha", "--res", "--rho", "--set=alpha", "--classes", "--foo"])
def test_hostile_numbers_are_refused(tmp_path, option, patience):
    err, _, seconds = refused(tmp_path, "analyze", "mobilenet", f"{option}={'9' * 100_000}")
    assert err.startswith("error: ")
    assert max(map(len, err.splitlines())) <= 160
    assert seconds < SECONDS * patience


GOOD = {
    "CRLF": b"input: [56, 56, 3]\r\nlayers:\r\n  - relu\r\n",
    "CR": b"input: [56, 56, 3]\rlayers:\r  - relu\r",
    "BOM": b"\xef\xbb\xbfinput: [56, 56, 3]\nlayers: [relu]\n",
    "BOM and CRLF": b"\xef\xbb\xbfinput: [56, 56, 3]\r\nlayers: [relu]\r\n",
    "no last line break": b"input: [56, 56, 3]\nlayers: [relu]",
    "a directive": b"%YAML 1.1\n---\ninput: [56, 56, 3]\nlayers: [relu]\n...\n",
    "words of YAML 1.1": b"vars: {on: 010, no: 1e3}\ninput: [on, on, 3]\nlayers: [{conv: 1x1, out: no}]\n",
    "any script": "# 模型\ninput: [56, 56, 3]\nlayers: [{relu: , as: Größe 模型}]\n".encode(),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_must_work(tmp_path, name):
    path = tmp_path / "net.yaml"
    path.write_bytes(GOOD[name])
    (line,) = analyze(path).lines
    assert line.output[-1] == (1000 if "no" in name.split() and "1.1" in name else line.output[-1])


def test_numbers_never_change_their_meaning(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_bytes(GOOD["words of YAML 1.1"])
    (line,) = analyze(path).lines
    assert (line.input, line.output) == ((10, 10, 3), (10, 10, 1000))


WORDS = re.findall(
    r"\S+",
    """
    [] {} , : - 3x3 conv out add concat [[],[]] repeat when from as reuse layers then residual times i channels 0 -1
    1e9 alpha res ( ) max( * / // % == true null ~ & ! | > # ' " relu batchnorm global 0.5 if else and not opaque
    unknown attention linear inputs vars define blocks defaults published budget height tokens parameter
    """,
)


def mutant(text, chance):
    """A text with a few faults."""
    for _ in range(chance.randint(1, 4)):
        at, kind = chance.randrange(len(text) + 1), chance.random()
        if kind < 0.3:
            text = text[:at] + text[at + chance.randint(1, 12) :]
        elif kind < 0.6:
            text = text[:at] + chance.choice([*WORDS, "\n", "\t"]) + text[at:]
        else:
            word = chance.choice(list(re.finditer(r"[\w.]+", text)))
            text = text[: word.start()] + chance.choice(WORDS) + text[word.end() :]
    return text


@pytest.mark.parametrize("seed", range(8))
def test_accidents_are_errors_of_ours(seed):
    chance, texts = random.Random(seed), [path.read_text() for path in sorted(ROOT.glob("configs/*.yaml"))]
    refused = 0
    for _ in range(100):
        text = mutant(chance.choice(texts), chance)
        try:
            analyze(read(Source("net.yaml", text)))
        except CostcalcError as error:
            refused += 1
            for problem in error.problems:
                lines = as_text(problem).splitlines()
                assert problem.message
                assert not problem.place or "^" in lines[4]
    assert 10 < refused < 100


NAMES = [
    *("[red]x[/red]", "=1+1", "+1", "-1", "@x", "|x", "a|b", "a&b", "a%b", "a\\b", "\\x", "*x*", "_x_", "`x`", "$x$"),
    *("{x}", "#x", "~x", "^x", "<b>x</b>", "&amp;", "http://x.example", ":smile:", "é", "模型", "😀", "a" * 200),
]
HIDDEN = ["\x1b[31mx", "a\nb", "a\r\nb", "\tx", "a\x07b", "a\u202eb", "a\u2028b", "\x9b31mx"]


def named(names):
    """A report with a layer of each name."""
    texts = [re.sub(r'["\\]', r"\\\g<0>", name) for name in names]
    texts = ["".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text) for text in texts]
    layers = "".join(f'  - {{conv: 1x1, out: 4, as: "{text}"}}\n' for text in texts)
    return analyze(read(Source("net.yaml", f"{HEAD}layers:\n{layers}")))


def test_names_stay_in_their_cells_of_the_table():
    for screen in (Screen(), Screen(color=True), Screen(ascii=True)):
        text = render(named([*NAMES, *HIDDEN]), "table", None, screen)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text) if screen.color else text
        assert {char for char in plain if not char.isprintable()} == {"\n"}
        assert "31" not in "".join(re.findall(r"\x1b\[([0-9;]*)m", text))
        rows = [line for line in plain.splitlines() if "56x56x4 " in line]
        assert len(rows) == len(NAMES) + len(HIDDEN)
        assert all(any(name in row for row in rows) for name in NAMES)


def test_names_are_no_formulas_in_a_spreadsheet():
    text = render(named([*NAMES, *HIDDEN]), "csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(NAMES) + len(HIDDEN)
    assert not any(row["name"].startswith(("=", "+", "-", "@", "|", "\t", "\r")) for row in rows)
    assert {row["name"].removeprefix("'") for row in rows} >= set(NAMES)


def test_names_do_not_steer_the_terminal_that_shows_csv():
    text = render(named(HIDDEN), "csv")
    assert {char for char in text if not char.isprintable()} == {"\n"}


def test_names_are_whole_in_json():
    text = render(named([*NAMES, *HIDDEN]), "json")
    assert [layer["name"] for layer in json.loads(text)["layers"]] == [*NAMES, *HIDDEN]
    assert {char for char in text if not char.isprintable()} == {"\n"}


@pytest.mark.parametrize(("format", "cell", "cells"), [("md", r"(?<!\\)\|", 9 + 1), ("latex", r"(?<!\\)&", 9 - 1)])
def test_names_do_not_break_tables_of_documents(format, cell, cells):
    text = render(named([*NAMES, *HIDDEN]), format)
    assert {char for char in text if not char.isprintable()} == {"\n"}
    rows = [line for line in text.splitlines() if "56x56x4 " in line]
    assert len(rows) == len(NAMES) + len(HIDDEN)
    assert {len(re.findall(cell, row.replace("\\\\", ""))) for row in rows} == {cells}
    assert not any(row.startswith(("[", "*")) for row in rows)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """A function that runs a command line in its own directory; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gc.freeze", lambda: None)

    def call(*args):
        with pytest.raises(SystemExit) as ended:
            main(list(args))
        return ended.value.code, *capsys.readouterr()

    return call


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_is_whole_or_as_it_was(run, tmp_path, monkeypatch, format):
    path = tmp_path / "costs"
    path.write_text("before")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        code, out, err = run("analyze", "mobilenet", "--format", format, "-o", "costs")
    assert (code, out) == (2, "")
    assert "cannot write 'costs': No space left on device" in err
    assert (os.listdir(tmp_path), path.read_text()) == (["costs"], "before")
    assert run("analyze", "mobilenet", "--format", format, "-o", "costs") == (0, "", "")
    assert (os.listdir(tmp_path), "13" in path.read_text()) == (["costs"], True)


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(f"os.{name}", lambda *args, name=name, real=real: (done.append((name, args)), real(*args)))
    with replacing(str(tmp_path / "costs")) as file:
        file.write("now")
        kinds = [stat.S_ISREG(os.fstat(file.fileno()).st_mode)]
    assert [name for name, _ in done] == ["fsync", "replace", "fsync"]
    assert (kinds, (tmp_path / "costs").read_text()) == ([True], "now")


def test_no_report_is_written_through_a_link_of_the_change(run, tmp_path, monkeypatch):
    """`check -o costcalc.xml` if the change contains a link of that name to a file of the user or of git."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "profile").write_text("mine")
    tree = tmp_path / "tree"
    (tree / ".git").mkdir(parents=True)
    (tree / ".git" / "config").write_text("git's")
    (tree / "inside").write_text("before")
    monkeypatch.chdir(tree)
    away = {"up.csv": "../home/profile", "new.csv": "../home/new", "git.csv": ".git/config", "all.csv": tree / ".git/x"}
    for name, target in away.items():
        os.symlink(target, name)
        code, _, err = run("analyze", "mobilenet", "-o", name)
        assert (code, "link" in err, err.count("error:")) == (2, True, 1)
    left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted({*left} - {f"tree/{name}" for name in away}) == ["home/profile", "tree/.git/config", "tree/inside"]
    assert (tmp_path / "home" / "profile").read_text() + (tree / ".git" / "config").read_text() == "minegit's"
    os.symlink("inside", "in.csv")
    assert run("analyze", "mobilenet", "-o", "in.csv")[0] == 0
    assert "mult_adds" in (tree / "inside").read_text()
    assert os.path.islink("in.csv")


def test_files_beside_have_names_that_nobody_guesses(tmp_path, monkeypatch):
    monkeypatch.setattr("os.getpid", lambda: 7)  # as in two containers
    with replacing(str(tmp_path / "costs")) as one, replacing(str(tmp_path / "costs")) as other:
        one.write("one")
        other.write("other")
        names = os.listdir(tmp_path)
    assert len(names) == 2
    assert all(re.fullmatch(r"\.costs\.[0-9a-f]{16}\.tmp", name) for name in names)
    assert os.listdir(tmp_path) == ["costs"]
    with monkeypatch.context() as patch:  # if it exists: it is kept and not followed
        patch.setattr("os.urandom", lambda count: b"\0" * count)
        (tmp_path / f".costs.{'0' * 16}.tmp").symlink_to(tmp_path / "secret")
        with pytest.raises(CostcalcError, match="File exists"), replacing(str(tmp_path / "costs")):
            pass
    assert sorted(os.listdir(tmp_path)) == [f".costs.{'0' * 16}.tmp", "costs"]


def test_what_is_secret_is_so_from_the_start(tmp_path):
    path = tmp_path / "costs"
    path.write_text("before")
    path.chmod(0o600)
    with replacing(str(path)) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_handlers_of_signals_stay(run, tmp_path):
    def mine(*_):
        raise AssertionError

    for handler in (mine, signal.SIG_DFL, signal.SIG_IGN):
        before = signal.signal(signal.SIGTERM, handler)
        try:
            with replacing(str(tmp_path / "costs")):
                assert signal.getsignal(signal.SIGTERM) == handler
            assert run("analyze", "mobilenet", "-o", "costs.csv")[0] == 0
            assert signal.getsignal(signal.SIGTERM) == handler
        finally:
            signal.signal(signal.SIGTERM, before)


def test_an_error_leaves_the_file_alone(run, tmp_path):
    (tmp_path / "costs.csv").write_text("before")
    assert run("analyze", "mobilenet", "--columns", "nosuch", "-o", "costs.csv")[0] == 2
    assert run("analyze", "mobilenet", "--alpha", "nan", "-o", "costs.csv")[0] == 2
    assert (os.listdir(tmp_path), (tmp_path / "costs.csv").read_text()) == (["costs.csv"], "before")


def test_links_and_rights_stay(run, tmp_path):
    (tmp_path / "costs.csv").write_text("before")
    (tmp_path / "costs.csv").chmod(0o640)
    (tmp_path / "link.csv").symlink_to("costs.csv")
    assert run("analyze", "mobilenet", "-o", "link.csv")[0] == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "costs.csv").read_text().startswith("name,")
    assert stat.S_IMODE((tmp_path / "costs.csv").stat().st_mode) == 0o640


def test_a_device_stays_a_device(run):
    assert run("analyze", "mobilenet", "--format", "csv", "-o", os.devnull) == (0, "", "")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_rights(run, tmp_path):
    (tmp_path / "shut").mkdir(mode=0o500)
    code, _, err = run("analyze", "mobilenet", "-o", "shut/costs.csv")
    assert (code, err) == (2, "error: cannot write 'shut/costs.csv': Permission denied\n")
    assert os.listdir(tmp_path / "shut") == []
