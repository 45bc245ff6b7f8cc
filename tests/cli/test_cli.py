"""The command line, run in-process: every option of `analyze`, every command, every example of every help text."""

import csv
import glob
import io
import json
import shlex
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from costcalc import __version__
from costcalc.cli import main
from costcalc.cli.commands import COMMANDS, HELP
from costcalc.ops import INDEX, find
from costcalc.render import SUFFIXES
from tests.commands import examples

CONFIGS = Path(__file__).parents[2] / "configs"
FULL, THIN = (568_740_352, 4_209_088), (166_396_800, 2_568_144)  # MobileNet, and 0.75 of it at 160 px


class Result(NamedTuple):
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    def totals(self):
        """(mult-adds or FLOPs, params) of JSON output."""
        return tuple(json.loads(self.out)["totals"].values())

    def rows(self):
        """The rows of CSV output."""
        return list(csv.DictReader(io.StringIO(self.out)))


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """A function that runs a command line in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gc.freeze", lambda: None)

    def call(*args):
        with pytest.raises(SystemExit) as ended:
            main(list(args))
        return Result(ended.value.code, *capsys.readouterr())

    return call


TOTALS = [  # options, totals
    ("", FULL),
    ("--alpha 0.75 --res 160", THIN),
    ("--set alpha=0.75 --set res=160", THIN),
    ("--alpha 75e-2 --rho 0.714", THIN),
    ("--classes 120", (567_839_232, 3_307_968)),
    ("--classes=120 --alpha=.75 --res=160", (165_720_960, 1_892_304)),
    ("--convention framework", (568_740_352, 4_231_976)),
    ("-c flops", (1_137_480_704, 4_231_976)),
]


@pytest.mark.parametrize(("options", "expected"), TOTALS)
def test_variables_and_conventions(run, options, expected):
    assert run("analyze", "mobilenet", *options.split(), "--json").totals() == expected


@pytest.mark.parametrize(("rho", "res"), [("1", 224), ("0.857", 192), ("0.714", 160), ("0.571", 128)])
def test_rho_gives_whole_pixels(run, rho, res):
    document = json.loads(run("analyze", "mobilenet", "--rho", rho, "--json").out)
    assert (document["vars"]["res"], document["inputs"]["input"]) == (res, [res, res, 3])


VIEWS = [  # options, number of rows, values of the first row
    ("", 30, {"name": "conv", "type": "conv 3x3", "output": "112x112x32", "mult_adds": "10838016", "params": "864"}),
    ("--all", 84, {"name": "conv", "op": "conv"}),
    ("--by layer --sort mult_adds --top 2", 2, {"name": "separable_3/conv", "mult_adds": "51380224"}),
    ("--sort name --top 3", 3, {"name": "avgpool"}),
    ("--by type", 6, {"name": "conv 1x1", "layers": "13", "mult_adds": "539492352"}),
    ("--by block", 17, {"name": "conv", "layers": "1", "mult_adds": "10838016"}),
    ("--depth 1 --sort params --top 1", 1, {"name": "separable_13", "layers": "2", "params": "1057792"}),
    ("--depth 2", 30, {"name": "conv", "layers": "1"}),
    ("--depth 2 --all", 32, {"name": "conv", "layers": "1"}),
    ("--columns params,name --top 1", 1, {"params": "864", "name": "conv"}),
    ("--strict --top 1", 1, {"name": "conv"}),
    ("--metrics activations,weights_bytes --top 1", 1, {"activations": "401408", "weights_bytes": "3456"}),
    ("--policy unfused --bits 8 -m peak_bytes --top 1", 1, {"name": "conv", "peak_bytes": "551936"}),
    ("--device nvidia_a100_40gb", 57, {"name": "conv", "bytes_moved": "2211200"}),
    ("-m activations --sort activations --by type --top 1", 1, {"name": "conv 1x1", "activations": "2709504"}),
    ("--bits w8a8 -m weights_bytes --top 1", 1, {"weights_bytes": "864"}),
    ("--bits 8 --policy unfused -m peak_bytes --top 1", 1, {"peak_bytes": str(224 * 224 * 3 + 112 * 112 * 32)}),
    ("--phase deploy --top 1", 1, {"name": "conv", "mult_adds": "10838016"}),
    ("--device nvidia_a100_40gb", 57, {"name": "conv", "mult_adds": "10838016"}),
    ("--units M --top 1", 1, {"name": "conv", "mult_adds": "10838016"}),
]


@pytest.mark.parametrize(("options", "count", "first"), VIEWS)
def test_views(run, options, count, first):
    rows = run("analyze", "mobilenet", *options.split(), "--format", "csv").rows()
    assert len(rows) == count
    assert first.items() <= rows[0].items()
    assert "--columns" not in options or list(rows[0]) == list(first)


FORMATS = [  # options, how the output begins
    *((options, "layer ") for options in ("", "--format table", "-o -")),
    *((options, '{"schema_version": 1,') for options in ("--json", "--format json", "-f json -o -")),
    ("--format csv", "name,op,type,"),
    ("-f md", "| layer | type |"),
    ("--format=latex", "% needs "),
    ("--color always", "\x1b[1m"),
    ("--color never", "layer "),
    *((options, "layer ") for options in ("-q", "--quiet", "-v", "--verbose", "--units G")),
]


@pytest.mark.parametrize(("options", "start"), FORMATS)
def test_formats(run, options, start):
    assert run("analyze", "mobilenet", *options.split()).out.startswith(start)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".CSV"])
def test_output_goes_to_a_file_of_the_format_its_ending_says(run, tmp_path, suffix):
    expected = run("analyze", "vgg16", "--format", SUFFIXES[suffix.lower()]).out
    assert run("analyze", "vgg16", "--output", f"layers{suffix}", "--color", "always") == (0, "", "")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {f"layers{suffix}": expected}


def test_every_option_of_analyze_is_run_here():
    mine = " ".join(row[0] for row in (*TOTALS, *VIEWS, *FORMATS)).replace("=", " ").split()
    options = [opt for param in import_module("costcalc.cli.analyze").command.params for opt in param.opts]
    assert {opt for opt in options if opt.startswith("-")} - {*mine} == {"--output", "--watch", *HELP}


@pytest.mark.parametrize("options", ["--device nvidia_a100_40gb", "--phase both"])
@pytest.mark.parametrize("refused", ["--top 3", "--by type", "--sort params", "--all", "--strict", "--columns name"])
def test_a_table_of_its_own_takes_no_options_of_another(run, options, refused):
    code, out, err = run("analyze", "mobilenet", *options.split(), *refused.split())
    assert (code, out) == (2, "")
    assert f"without {refused.split()[0]}" in err


def test_a_file_in_the_directory_wins_over_a_shipped_config(run, tmp_path):
    (tmp_path / "mobilenet.yaml").write_text("input: [8, 8, 3]\nlayers:\n  - {conv: 3x3, out: 2}\n")
    assert run("analyze", "mobilenet.yaml", "--json").totals() == (3456, 54)
    assert run("analyze", "mobilenet", "--json").totals() == FULL


def test_help_lists_the_variables_of_the_spec(run, tmp_path):
    variable = "{default: 3, choices: [1, 3], help: stages}"
    (tmp_path / "net.yaml").write_text(f"vars: {{stages: {variable}}}\ninput: [8]\nlayers: [relu]\n")
    assert (
        "Variables of net.yaml:\n  --stages VALUE  stages [default: 3; one of 1, 3]\n"
        in run("analyze", "net.yaml", "-h").out
    )
    assert "--classes VALUE" in run("analyze", "mobilenet", "--help").out
    assert "Variables" not in run("analyze", "--help").out


SAYS = [  # command line, exit code, parts of stdout and stderr
    ("--version", 0, f"costcalc {__version__}\n", ""),
    ("-h", 0, "\nCost:\n  analyze ", ""),
    ("ops", 0, "  dwconv            Depthwise convolution", ""),
    ("ops conv", 0, "groups    a whole number, 1 or more [default: 1]", ""),
    ("ops squeeze_excite", 0, "squeeze_excite(", ""),
    ("ops convv", 2, "", "a similar name exists: `conv`"),
    ("conventions", 0, "framework           mult_adds   1 per mult-add", ""),
    ("conventions flops --format csv", 0, "price,flops,2,mac,", ""),
    ("conventions keras --format csv", 0, "price,params,1,running,", ""),
    ("conventions slim --json", 0, '"per": "beta"', ""),
    ("conventions papper", 2, "", "a similar name exists: `paper`"),
    ("zoo", 0, "  568,740,352  ", ""),
    ("zoo mobilenet", 0, "  - separable: [[64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2]]\n", ""),
    ("zoo mobilenett", 2, "", "there is no shipped config `mobilenett`\n  = help: a similar name exists: `mobilenet`"),
    ("validate mobilenet vgg16", 0, "ok: vgg16: 38 layers, 15,470,264,320 mult-adds", ""),
    ("validate mobilenet nosuch.yaml", 2, "ok: mobilenet:", "1 of 2 specs cannot be used"),
    ("schema", 0, '"$schema": "http://json-schema.org/draft-07/schema#"', ""),
    ("analyze --json -- vgg16", 0, '"totals": {"mult_adds": 15470264320,', ""),
    ("analyse mobilenet", 2, "", "error: there is no command `analyse`\n  = help: a similar name exists: `analyze`\n"),
    ("analyze", 2, "", "missing argument 'SPEC'"),
    ("analyze mobilenett", 2, "", "a similar name exists: `mobilenet`"),
    ("analyze mobilenet --alhpa 1", 2, "", "a similar name exists: `--alpha`"),
    ("analyze mobilenet --classes", 2, "", "`--classes` needs a value"),
    ("analyze mobilenet --by typ", 2, "", "is not one of 'layer', 'type', 'block'"),
    ("analyze mobilenet --columns mult_add", 2, "", "a similar name exists: `mult_adds`"),
    ("analyze mobilenet -o layers.xls", 2, "", "no format ends in `.xls`"),
    ("analyze mobilenet -o no/layers.csv", 2, "", "cannot write 'no/layers.csv'"),
    ("analyze mobilenet --alhpa 1 --json", 2, "", '{"error": {"code": "unknown-option", "message": '),
]


@pytest.mark.parametrize(("line", "code", "out", "err"), SAYS)
def test_what_commands_say(run, line, code, out, err):
    result = run(*line.split())
    assert (result.code, bool(result.out), bool(result.err)) == (code, bool(out), bool(err))
    assert out in result.out
    assert err in result.err


def test_the_zoo_lists_every_config_with_what_analyze_counts(run):
    _, _, *lines = run("zoo").out.partition("\n\n")[0].splitlines()
    listed = {name: (cost, params, rest) for name, cost, params, rest in (line.split(maxsplit=3) for line in lines)}
    rows = json.loads(run("zoo", "--json").out)["configs"]
    assert {row["config"]: f"{row['params']:,}" for row in rows} == {name: row[1] for name, row in listed.items()}
    assert {*listed} == {path.stem for path in CONFIGS.glob("*.yaml")}
    for name in ("mobilenet", "resnet50", "swin_t"):
        totals = run("analyze", name, "--json").totals()
        assert listed[name][:2] == tuple(f"{total:,}" for total in totals)
    what = "MobileNet V1 (Howard et al. 2017, arXiv:1704.04861), Table 1"
    assert listed["mobilenet"][2].startswith("alpha, res, classes")
    assert listed["mobilenet"][2].endswith(what)


def test_the_zoo_gives_a_config_to_start_from(run, tmp_path):
    (tmp_path / "mobilenet").write_text("not this")
    text = run("zoo", "mobilenet").out
    schema, _, rest = (CONFIGS / "mobilenet.yaml").read_text().partition("\n")
    assert schema == "# yaml-language-server: $schema=spec.schema.json"  # a missing file
    assert text == run("zoo", "mobilenet.yaml").out == rest
    (tmp_path / "mine.yaml").write_text(text.replace("default: 1.0", "default: 0.75"))
    assert run("analyze", "mine.yaml", "--res", "160", "--json").totals() == THIN


def test_no_command_shows_the_help(run):
    result = run()
    assert result.out + result.err == run("--help").out


IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@b.c")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples(name):
    assert any(line.startswith(f"costcalc {name}") for line in examples(name))


LONG = {"bench", "reproduce", "selftest", "search", "space", "survey"}  # commands that take seconds
WAITS = {"serve"}  # until Ctrl-C: its test is tests/cli/test_serve.py::test_the_program
LINES = sorted({line for name in ["", *COMMANDS] for line in examples(name) if name not in WAITS})


@pytest.mark.parametrize(
    "line", [pytest.param(one, marks=[pytest.mark.slow] * (one.split()[1] in LONG), id=one) for one in LINES]
)
def test_every_example_runs(run, tmp_path, line):
    if line.startswith("costcalc plot"):
        pytest.importorskip("matplotlib")
    if line.startswith("costcalc bench"):
        pytest.importorskip("onnxruntime")
    if "--backward" in line:
        pytest.importorskip("torch")
    shutil.copytree(CONFIGS, tmp_path / "configs")
    for name in ("my_net.yaml", "before.yaml", "after.yaml"):
        shutil.copy(CONFIGS / "mobilenet.yaml", tmp_path / name)
    (tmp_path / "costcalc.yaml").write_text("checks: [{spec: my_net.yaml, max: {mult_adds: 600M}}]\n")
    for words in (["init", "-q", "-b", "main"], ["add", "my_net.yaml"], [*IDENTITY, "commit", "-q", "-m", "A network"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    program, *words = [found for word in shlex.split(line) for found in (sorted(glob.glob(word)) or [word])]
    result = run(*words)
    assert (program, result.code, result.err) == ("costcalc", 0, "")
    assert result.out or (tmp_path / words[words.index("-o") + 1]).stat().st_size


def test_a_padding_by_axis_is_told_and_means_what_is_told(run, tmp_path):
    for name in ("conv", "maxpool"):
        assert "one per axis (`0x1`), or [before, after] per axis" in run("ops", name).out
    spec = tmp_path / "net.yaml"
    grids = set()
    for padding in ("0x1", "[0, 1]", "[[0, 0], [1, 1]]"):
        spec.write_text(f"input: [9, 9, 3]\nlayers: [{{conv: 3x3, out: 4, stride: 1x2, padding: {padding}}}]\n")
        grids.add(tuple(json.loads(run("analyze", str(spec), "--json").out)["layers"][0]["output"]))
    assert grids == {(7, 5, 4)}


def test_operations_of_one_rule_are_told_once(run):
    lines = run("ops").out.splitlines()
    at = lines.index(f"{'':20}{find('relu').doc.partition(chr(10))[0]}")
    assert {"relu", "hswish", "clamp"} <= {*" ".join(lines[at - 2 : at]).replace(",", " ").split()}
    docs = [line[20:] for line in lines[: lines.index("blocks, written in the spec language")] if line[20:].strip()]
    told = [doc for doc in docs if doc.endswith(".")]
    assert len(told) == len({*told}) == len({find(name).rule for name in INDEX})
    assert {*INDEX} <= {*" ".join(lines).replace(",", " ").split()}
