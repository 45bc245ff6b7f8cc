"""`costcalc search`: the best networks of small spaces against an enumeration, and reproducible results."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

from costcalc import analyze, load, search, space
from costcalc.analysis.search import scores
from costcalc.analysis.search.search import of_settings
from costcalc.errors import FileError, OptionError
from tests.analysis.test_space import CONDITION, DEPTHS, SKIP, WIDTHS, loads
from tests.analysis.test_space_estimates import COUPLED
from tests.analysis.test_space_networks import networks

LIMITS = {"mult_adds": 60_000, "params": 1_000}


def value(choices):
    """A score that is not a cost: prefers wide first and narrow last layers."""
    return choices["w[0]"] - choices["w[2]"] + 0.1 * choices["k[1]"]


def due_front(limits):
    """The expected front of all networks within limits."""
    every = [
        (costs["mult_adds"], value(choices))
        for choices, costs in networks(WIDTHS)
        if all(costs[name] <= most for name, most in limits.items())
    ]
    return sorted(
        {one for one in every if not any(other != one and other[0] <= one[0] and other[1] >= one[1] for other in every)}
    )


def test_all_networks_are_tried():
    found = search(loads(WIDTHS), limits=LIMITS, maximize=value)
    assert found.method == "exhaustive"
    due = [one for _, one in networks(WIDTHS) if all(one[name] <= most for name, most in LIMITS.items())]
    assert len(found.candidates) == len(due)
    assert [(one.metrics["mult_adds"], one.score) for one in found.front()] == due_front(LIMITS)
    for one in found.candidates[::7]:
        totals = analyze(loads(WIDTHS), settings=one.choices).totals
        assert one.metrics == {name: totals[name] for name in LIMITS}


@pytest.mark.parametrize("method", ["random", "evolution"])
def test_networks_that_are_drawn_fit_and_are_the_same_for_a_seed(method):
    runs = [
        search(loads(WIDTHS), limits=LIMITS, maximize=value, method=method, evaluations=100, seed=seed)
        for seed in (4, 4, 5)
    ]
    assert runs[0].candidates == runs[1].candidates != runs[2].candidates
    every = {tuple(one.choices.items()) for one in runs[0].candidates}
    assert len(every) == len(runs[0].candidates) <= 100
    assert all(one.metrics[name] <= most for one in runs[0].candidates for name, most in LIMITS.items())


def test_evolution_finds_the_best_of_a_large_space():
    text = WIDTHS.replace("each: 3", "each: 6").replace(
        '  - {conv: "k[2]", out: "w[2]"}\n',
        "".join(f'  - {{conv: "k[{at}]", out: "w[{at}]"}}\n' for at in (2, 3, 4, 5)),
    )
    found = search(loads(text), limits={"mult_adds": "10M"}, maximize=lambda one: sum(one.values()), evaluations=600)
    assert (found.method, found.space.networks) == ("evolution", 6**6)
    assert max(one.score for one in found.candidates) == 6 * 15


@pytest.mark.parametrize("text", [WIDTHS, DEPTHS, SKIP, CONDITION])
def test_settings_are_the_network_that_reads_them(text):
    found = space(loads(text))
    for number in range(0, found.networks, 7):
        one = found.decomposed.ranked(number)
        settings = {name: one.choices.get(name, values[-1]) for name, values in found.choices.items()}
        assert of_settings(found.decomposed, settings) == one


def test_a_table_of_scores(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("w[0],w[1],score\n4,4,1\n4,8,3.5\n12,12,9\n")
    found = search(loads(WIDTHS), limits={"mult_adds": 60_000}, maximize=path)
    every = [(one, costs["mult_adds"]) for one, costs in networks(WIDTHS) if costs["mult_adds"] <= 60_000]
    table = {(4, 4): 1, (4, 8): 3.5, (12, 12): 9}
    scored = [(cost, table[one["w[0]"], one["w[1]"]]) for one, cost in every if (one["w[0]"], one["w[1]"]) in table]
    assert sorted((one.metrics["mult_adds"], one.score) for one in found.candidates) == sorted(scored)
    assert found.unscored == len(every) - len(scored)
    for text in ("w[0],score\n4,1\n4,2\n", "v,score\n1,1\n", "w[0]\n1\n", ""):
        path.write_text(text)
        with pytest.raises(FileError):
            search(loads(WIDTHS), limits={"mult_adds": 60_000}, maximize=path)


def test_what_a_network_does_not_read_is_empty_in_a_table(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text('"d[0]","ks[1]",score\n1,,1\n2,3,2\n2,5,3\n')
    found = search(loads(DEPTHS), limits={"mult_adds": "1G"}, maximize=path)
    assert found.unscored == 0
    assert {one.score for one in found.candidates if one.choices["d[0]"] == 1} == {1.0}


@pytest.mark.parametrize("text", [WIDTHS, DEPTHS, CONDITION], ids=["widths", "depths", "condition"])
def test_the_table_that_a_search_writes_is_one_that_it_reads(run, tmp_path, text):
    """Also as Parquet, and a list from `space` with an added score column."""
    (tmp_path / "net.yaml").write_text(text)
    line = ["search", "net.yaml", "--max", "mult_adds=1G", "--max", "params=100k"]
    assert run(*line, "--maximize", "builtins:len", "-o", "one").code == 0
    candidates = tmp_path / "one" / "candidates.csv"
    pandas.read_csv(candidates).to_parquet(tmp_path / "a.parquet")
    for number, path in enumerate(["one/candidates.csv", "a.parquet"]):
        assert run(*line, "--maximize", path, "-o", f"again{number}").code == 0
        assert (tmp_path / f"again{number}" / "candidates.csv").read_bytes() == candidates.read_bytes()
    drawn = run("space", "net.yaml", "--samples", "20", "-f", "csv").out
    listed = pandas.read_csv(io.StringIO(drawn))
    listed.assign(score=listed["mult_adds"] / 3).drop_duplicates().to_csv(tmp_path / "drawn.csv", index=False)
    found = search(tmp_path / "net.yaml", limits={"mult_adds": "1G"}, maximize=tmp_path / "drawn.csv")
    assert len(found.candidates) == len({*listed["network"]})
    assert all(one.score == one.metrics["mult_adds"] / 3 for one in found.candidates)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('network,score\n"w=4,4,4 k=1,1,1",1\n"w=4,4,4 k=1,1,1",2\n', "two scores"),
        ('network,w[0],score\n"w=4,4,4 k=1,1,1",4,1\n', "keep one of them"),
        ("w[0],score\n4,1\n8,nan\n", "row 2 of 'scores.csv': a score is a finite number"),
        ("w[0],score\n4,1\n8,\n", "row 2 of 'scores.csv': a score is a finite number"),
        ("w[0],score\n4,inf\n", "row 1 of 'scores.csv': a score is a finite number"),
        ("w[0],score\n4,=HYPERLINK(1)\n", "row 1 of 'scores.csv': a score is a finite number"),
        ("w[0],score\n4,1,2,3\n5\n6,7,8,9,10\n", "cannot read"),
        (",".join(f"c{at}" for at in range(100_000)) + "\n", "it has more than 10,000 columns"),
        (",".join(f"c{at}" for at in range(1000)) + "\n", "`c7` and 992 more are not variables"),
        ("\0\0\xff", "score"),
        ("", "cannot read"),
    ],
    ids=["twice", "both", "nan", "empty", "inf", "formula", "ragged", "columns", "others", "binary", "nothing"],
)
def test_a_hostile_table_is_one_short_error(run, tmp_path, text, word):
    (tmp_path / "net.yaml").write_text(WIDTHS)
    (tmp_path / "scores.csv").write_text(text, encoding="latin-1")
    done = run("search", "net.yaml", "--max", "mult_adds=60k", "--maximize", "scores.csv", "-o", "out")
    assert (done.code, done.out, word in done.err, len(done.err) < 1000) == (2, "", True, True), done.err
    assert not {*(tmp_path / "out").glob("*.csv")} if (tmp_path / "out").exists() else True


@pytest.fixture
def surrogate(tmp_path, monkeypatch):
    """A module in the working directory that records its calls."""
    (tmp_path / "net.yaml").write_text(WIDTHS)
    (tmp_path / "surrogate_of_test.py").write_text(
        "def of(choices):\n"
        "    with open('calls', 'a') as file:\n"
        "        file.write('x')\n"
        "    return choices['w[0]'] - choices['w[2]'] + 0.1 * choices['k[1]']\n"
        "def bad(choices): raise KeyError('w')\n"
        "def none(choices): return float('nan')\n"
    )
    yield tmp_path
    sys.modules.pop("surrogate_of_test", None)


LINE = ["search", "net.yaml", "--max", "mult_adds=60k", "--max", "params=1k", "--maximize", "surrogate_of_test:of"]


def test_the_working_directory_is_searched_only_when_asked(run, surrogate):
    found = run(*LINE)
    assert (found.code, "--here imports from the working directory" in found.err) == (2, True)
    assert run(*LINE, "--here").code == 0
    for name, word in (("bad", "raised KeyError"), ("none", "a finite number"), ("gone", "cannot import")):
        found = run(*LINE[:-1], f"surrogate_of_test:{name}", "--here")
        assert (found.code, word in found.err) == (2, True)
    for name in ("nothing", "builtins:__name__"):
        assert run(*LINE[:-1], name).code == 2


HOSTILE = """
import sys
class Odd:
    def __float__(self): raise RuntimeError("no")
    def __str__(self): raise RuntimeError("no")
class Mute(Exception):
    def __str__(self): raise ValueError("no")
def exits(choices): sys.exit(0)
def mute(choices): raise Mute
def odd(choices): return Odd()
def large(choices): return 10**5000
def long(choices): raise ValueError("x" * 10**6 + "\\n\\x1b[2J")
def prints(choices):
    print("hello")
    return 1
"""


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("exits", "raised SystemExit: 0"),
        ("mute", "raised Mute: a Mute"),
        ("odd", "not a Odd"),
        ("large", "a finite number, not a int"),
        ("long", "raised ValueError: xxx"),
    ],
)
def test_a_hostile_function_is_one_short_error(run, surrogate, name, word):
    (surrogate / "surrogate_of_test.py").write_text(HOSTILE)
    done = run(*LINE[:-1], f"surrogate_of_test:{name}", "--here", "-o", "out")
    assert (done.code, done.out, word in done.err, len(done.err) < 1000) == (2, "", True, True), done.err
    assert [one.name for one in (surrogate / "out").iterdir()] == ["scores.jsonl"]


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("def of(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import nothing_of_the_kind", "No module named"),
    ],
)
def test_a_module_that_cannot_be_imported(run, surrogate, code, word):
    (surrogate / "surrogate_of_test.py").write_text(code)
    done = run(*LINE, "--here")
    assert (done.code, done.out, word in done.err, done.err.count("error:")) == (2, "", True, 1), done.err


@pytest.mark.slow
@pytest.mark.parametrize("code", ["import os\nos._exit(0)", "import os\ndef of(choices): os._exit(0)"])
def test_the_end_of_the_process_is_an_error(surrogate, code):
    (surrogate / "surrogate_of_test.py").write_text(code)
    line = [sys.executable, "-m", "costcalc", *LINE, "--here"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, cwd=surrogate)
    assert (done.returncode, done.stdout, done.stderr.count("error:")) == (2, "", 1)
    assert "`surrogate_of_test:of` gives no score: it ended the process" in done.stderr


@pytest.mark.slow
def test_a_function_that_reads_standard_input_takes_no_task(run, surrogate):
    (surrogate / "surrogate_of_test.py").write_text("import sys\ndef of(choices): return len(sys.stdin.read())")
    assert json.loads(run(*LINE, "--here", "--json").out)["scored"] == 140


def test_a_function_is_imported_by_one_process_for_all_networks(run, surrogate):
    code = "open('calls', 'a').write('x')\ndef of(choices): return 1"
    (surrogate / "surrogate_of_test.py").write_text(code)
    assert run(*LINE, "--here").code == 0
    assert (surrogate / "calls").read_text() == "x"


def test_what_is_no_note_of_a_score_is_left_out(run, surrogate):
    """A directory from an untrusted source."""
    line = [*LINE, "--here", "-o", "out"]
    assert run(*line).code == 0
    due, path = (surrogate / "out" / "front.json").read_bytes(), surrogate / "out" / "scores.jsonl"
    notes = path.read_text().splitlines(keepends=True)
    key = json.loads(notes[0])[0]
    odd = [5, None, [key], [key, "9"], [key, [1]], [[key], 9.0], {key: 9}, [key, True], [key, 10**400]]
    hostile = [json.dumps(one) + "\n" for one in odd] + [f'["{key}", NaN]\n', "[" * 10**5 + "\n", "\xff\0\n"]
    path.write_text("".join(hostile + notes[1:]) + '["w=')
    (surrogate / "calls").unlink()
    assert run(*line, "--resume").code == 0
    assert ((surrogate / "out" / "front.json").read_bytes(), (surrogate / "calls").read_text()) == (due, "x")
    assert path.read_text().endswith(f"{notes[-1]}{notes[0]}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
def test_a_journal_is_a_regular_file_of_the_directory(run, surrogate, kind):
    (surrogate / "out").mkdir()
    (surrogate / "other").write_text("mine")
    path = surrogate / "out" / "scores.jsonl"
    {"link": lambda: path.symlink_to("../other"), "fifo": lambda: os.mkfifo(path), "directory": path.mkdir}[kind]()
    done = run(*LINE, "--here", "-o", "out", "--resume")
    assert (done.code, done.err.count("error:"), (surrogate / "other").read_text()) == (2, 1, "mine")


def test_specs_are_written_below_the_directory_alone(run, surrogate):
    """`--resume` in a directory from an untrusted source."""
    (surrogate / "scores.csv").write_text("w[0],score\n4,1\n8,2\n12,3\n")
    for name in ("out", "other"):
        (surrogate / name).mkdir()
    (surrogate / "out" / "specs").symlink_to("../other")
    done = run(*LINE[:-1], "scores.csv", "-o", "out", "--resume")
    assert (done.code, "is a link that leaves" in done.err, [*(surrogate / "other").iterdir()]) == (2, True, [])


def test_no_error_names_an_option_of_another_command(run, tmp_path):
    (tmp_path / "net.yaml").write_text(COUPLED)
    done = run("search", "net.yaml", "--max", "mult_adds=400k", "--maximize", "builtins:len")
    assert (done.code, "does not decompose" in done.err, "--estimate" in done.err) == (2, True, False)


def test_what_a_function_prints_is_no_output(run, surrogate):
    (surrogate / "surrogate_of_test.py").write_text(HOSTILE)
    line = [*LINE[:-1], "surrogate_of_test:prints", "--here", "--json"]
    done = run(*line)
    assert (json.loads(done.out)["scored"], done.err.count("hello")) == (140, 140)


def test_a_search_goes_on_and_its_specs_cost_what_it_says(run, surrogate):
    drawn = ["--method", "evolution", "--evaluations", "90", "--seed", "3", "--here"]
    assert run(*LINE, *drawn, "-o", "one").code == 0
    due = json.loads((surrogate / "one" / "front.json").read_text())
    for number, one in enumerate(due["front"]):
        spec = surrogate / "one" / "specs" / f"{number:04}.yaml"
        totals = analyze(spec).totals
        assert one["metrics"] == {name: totals[name] for name in one["metrics"]}
    calls = len((surrogate / "calls").read_text())
    assert calls == due["scored"]

    notes = (surrogate / "one" / "scores.jsonl").read_text().splitlines(keepends=True)
    (surrogate / "two").mkdir()
    (surrogate / "two" / "scores.jsonl").write_text("".join(notes[:40]) + '["w=')
    assert run(*LINE, *drawn, "-o", "two", "--resume").code == 0
    assert len((surrogate / "calls").read_text()) == 2 * calls - 40
    for name in ("candidates.csv", "front.csv", "front.json"):
        assert (surrogate / "two" / name).read_bytes() == (surrogate / "one" / name).read_bytes()
    assert run(*LINE, *drawn, "-o", "one").code == 2
    assert run(*LINE, *drawn, "--resume").code == 2
    assert run(*LINE, *drawn, "--jobs", "2", "--json").out == run(*LINE, *drawn, "--json").out


def test_nothing_fits():
    with pytest.raises(OptionError, match="no network is within the limits"):
        search(loads(WIDTHS), limits={"mult_adds": 1}, maximize=len)
    with pytest.raises(OptionError, match="needs a budget"):
        search(loads(WIDTHS), limits={}, maximize=len)
    assert scores._key(3) == scores._key(3.0) == scores._key("3")


def test_the_page_of_the_docs(run, tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
    (spec,), (code,) = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("yaml", "python"))
    (tmp_path / "net.yaml").write_text(spec)
    (tmp_path / "surrogate.py").write_text(code)
    monkeypatch.setenv("COLUMNS", "100")
    ((line, printed),) = re.findall(r"```console\n\$ costcalc (.*?)\n(.*?)```", page, re.DOTALL)
    assert run(*line.split()).out == printed


def test_a_spec_of_the_front_keeps_the_words_of_the_space(run, tmp_path):
    """`on`, `no` and `1e3` have their meaning in a spec, which differs from other YAML readers."""
    (tmp_path / "net.yaml").write_text("""
vars:
  on: {default: 1, choices: [0, 1], each: 2}
  no: 4
  yes: {choices: [8, 16], default: 8}
  norm: {default: batchnorm, choices: [batchnorm, identity]}
  kernel: {default: 3x3, choices: [3x3, 1x7]}
input: [8, 8, 3]
layers:
  - {conv: kernel, out: yes, when: "on[0]", then: [norm]}
  - {conv: 1x1, out: no, when: "on[1] == 1", as: "on"}
  - {relu: , when: "not on[0]"}
  - tanh:
  - {linear: 10}
""")
    line = ["search", "net.yaml", "--max", "mult_adds=1G", "--maximize", "builtins:len", "--set", "no=6", "-o", "out"]
    assert run(*line).code == 0
    written = [*(tmp_path / "out" / "specs").iterdir()]
    front = json.loads((tmp_path / "out" / "front.json").read_text())["front"]
    assert len(written) == len(front) > 0
    for number, one in enumerate(front):
        path = tmp_path / "out" / "specs" / f"{number:04}.yaml"
        assert analyze(path).totals["mult_adds"] == one["metrics"]["mult_adds"]
        assert not any(variable.choices for variable in load(path).variables.values())


def test_specs_of_a_space_that_includes_others(run, tmp_path):
    """A local file and a shipped config: the specs of the front are self-contained."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "head.yaml").write_text(
        "vars: {n: 10}\ninput: [4, 4, 8]\nlayers: [{conv: 1x1, out: n}, {linear: 3}]\n"
    )
    (tmp_path / "net.yaml").write_text(
        "vars: {n: {default: 8, choices: [4, 8, 16]}, alpha: {default: 0.5, choices: [0.25, 0.5]}}\n"
        "input: [32, 32, 3]\nlayers:\n- {include: mobilenet.yaml, until: conv11, alpha: alpha}\n"
        "- {include: parts/head.yaml, n: n}\n"
    )
    (tmp_path / "scores.csv").write_text("n,alpha,score\n4,0.25,1\n8,0.5,2\n16,0.25,4\n4,0.5,3\n")
    found = run("search", "net.yaml", "--max", "mult_adds=1G", "--maximize", "scores.csv", "-o", "found")
    assert found.code == 0, found.err
    (tmp_path / "parts" / "head.yaml").unlink()
    front = json.loads((tmp_path / "found" / "front.json").read_text())["front"]
    assert len(front) == 2
    for number, one in enumerate(front):
        assert analyze(f"found/specs/{number:04}.yaml").totals["mult_adds"] == one["metrics"]["mult_adds"]
        assert not any(variable.choices for variable in load(f"found/specs/{number:04}.yaml").variables.values())


def test_progress_is_told_after_every_network():
    told = []
    found = search(
        loads(WIDTHS), limits={"mult_adds": 60_000}, maximize=len, tell=lambda done, of: told.append((done, of))
    )
    many = len(found.candidates)
    assert sorted({*told}) == [(done + 1, many) for done in range(many)]
