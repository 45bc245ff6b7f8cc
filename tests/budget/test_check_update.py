"""`--update` and `--tighten`: limits are rewritten, the check then passes, and the rest of the file is unchanged."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costcalc import CostcalcError
from costcalc.budget import checking
from costcalc.budget.bases import Bases
from costcalc.budget.checking import Run
from costcalc.budget.keeping import Edit
from costcalc.budget.updating import updated

HEAD = "input: [{0}, {0}, 10]\nvars: {{w: 10}}\n"
NET = HEAD + "layers: [{{conv: 3x3, out: w}}, {{conv: 1x1, out: {1}}}, avgpool: global]\n"
SPECS = {"a": NET.format(10, 20), "b": NET.format(17, 33)}
GROWN = {"a": NET.format(10, 23), "b": NET.format(17, 31)}

numbers = st.one_of(
    st.integers(0, 10**7).map(str),
    st.decimals(0, 999, places=2).map(str),
    st.integers(0, 999).map(lambda number: f"{number}.5"),
)
space = st.sampled_from(["", " "])


def amounts(metric):
    units = ["B", "kB", "MB", "KiB", "MiB", "GiB"] if metric.endswith("bytes") else ["", "k", "M", "G"]
    return st.tuples(numbers, space, st.sampled_from(units)).map(lambda parts: "".join(parts).strip())


percents = st.tuples(st.sampled_from(["0", "0.5", "3", "12.25", "99"]), space).map(lambda parts: "".join(parts) + "%")
METRICS = ["mult_adds", "params", "framework.params", "flops", "activations", "weights_bytes", "keras.weights_bytes"]
metrics = st.sampled_from(METRICS)


@st.composite
def limit(draw, kind, share=False):
    """`metric: limit` with the limit in braces, quoted or not."""
    metric = draw(metrics)
    if kind == "vs_base":
        change = st.one_of(percents, amounts(metric), st.tuples(percents, amounts(metric)).map(" and ".join))
        text = "+" + draw(change)
    else:
        text = draw(percents if share and draw(st.booleans()) else amounts(metric))
    quote = draw(st.sampled_from(["", "", '"', "'"]))
    return metric, f"{quote}«{text}»{quote}"


@st.composite
def section(draw, kind, ending):
    """The lines of `max:`, `min:` or `vs_base:`, in flow or block style."""
    pairs = dict(draw(st.lists(limit(kind), min_size=1, max_size=3, unique_by=lambda pair: pair[0])))
    comment = draw(st.sampled_from(["", "  # why: 170M", " # {a: b}"]))
    if draw(st.booleans()):
        return [f"    {kind}: {{{', '.join(f'{name}: {text}' for name, text in pairs.items())}}}{comment}"]
    lines = [f"    {kind}:{comment}", *(f"      {name}: {text}{comment}" for name, text in pairs.items())]
    if kind != "vs_base" and draw(st.booleans()):
        inner, other = draw(limit(kind, True)), draw(limit(kind, True))
        lines += [f"      layers: {{'conv*': {{{inner[0]}: {inner[1]}}}}}", f"      any_layer.{other[0]}: {other[1]}"]
    return lines


@st.composite
def files(draw):
    """The text of a file of checks, its limits between « »."""
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    lines = [*draw(st.sampled_from([[], ["# budgets — über", ""]])), "checks:"]
    for number in range(draw(st.integers(1, 3))):
        spec = draw(st.sampled_from(["a.yaml", "b.yaml", "[ab].yaml", "*.yaml", "?.yaml"]))
        spec = "'?.yaml'" if spec in ("[ab].yaml", "*.yaml") else spec
        kinds = draw(st.lists(st.sampled_from(["max", "min", "vs_base"]), min_size=1, max_size=3, unique=True))
        lines += [f"  - spec: {spec} # no. {number}", f"    at: {{w: {draw(st.sampled_from([3, 10, 64]))}}}"]
        for kind in kinds:
            lines += draw(section(kind, ending))
        lines += draw(st.sampled_from([[], ["    why: 170M, and no more", ""], ["    level: warn"]]))
    return draw(st.sampled_from(["", "\ufeff"])) + ending.join(lines) + draw(st.sampled_from(["", ending]))


def states(outcomes):
    return {verdict.status for outcome in outcomes.outcomes for verdict in outcome.verdicts}


def written(path, text):
    path.write_bytes(text.encode())


def read(path):
    return path.read_bytes().decode()


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marked=files())
def test_after_an_update_the_check_passes(updating, marked):
    path, run = updating
    written(path, marked.replace("«", "").replace("»", ""))
    outcomes = run()
    written_ = updated(outcomes)
    edits = [one for one in written_ if isinstance(one, Edit)]
    assert states(run()) <= {"pass", "excepted"}
    pieces = re.split("«[^»]*»", marked)
    own, _, exceptions = read(path).partition("exceptions:")
    pattern = "([^,}#\n'\"]*?)".join(map(re.escape, pieces))
    again = re.fullmatch(pattern + r"(?:(?:\r?\n){0,2})" * bool(exceptions), own)
    assert again, "something else is another too"
    assert exceptions.count("metric:") == len(written_) - len(edits)
    before, now = re.findall("«([^»]*)»", marked), list(again.groups())
    assert sorted(edit.text for edit in edits) == sorted(
        new for old, new in zip(before, now, strict=True) if old != new
    )
    assert sorted(edit.limit.text for edit in edits) == sorted(
        old for old, new in zip(before, now, strict=True) if old != new
    )
    lasting = [each for one in outcomes.outcomes for each in one.verdicts if each.limit.kind != "vs_base"]
    kept = {verdict.limit.place for verdict in lasting if verdict.status == "pass"}
    broken = {verdict.limit.place for verdict in lasting if verdict.status != "pass"}
    assert {edit.place for edit in edits} == broken - (kept - broken)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marked=files(), margin=st.sampled_from([0, 5]))
def test_after_tightening_what_passed_passes(updating, marked, margin):
    path, run = updating
    written(path, marked.replace("«", "").replace("»", ""))
    updated(run())
    assert states(run()) <= {"pass", "excepted"}
    edits = updated(run(), raising=False, tighten=margin / 100)
    outcomes = run()
    assert states(outcomes) <= {"pass", "excepted"}
    assert all(edit.limit.kind != "vs_base" for edit in edits)
    assert not margin or updated(outcomes, raising=False, tighten=margin / 100) == []  # once is enough


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A repository whose specs differ from its base."""
    import os
    import subprocess

    folder = tmp_path_factory.mktemp("updating")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for args in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "a")):
        for name, text in SPECS.items():
            (folder / f"{name}.yaml").write_text(text)
        subprocess.run(["git", "-C", folder, *args], check=True, env={**clean, **who})
    for name, text in GROWN.items():
        (folder / f"{name}.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return folder, Bases("HEAD")


@pytest.fixture
def updating(prepared, monkeypatch):
    """(the file of checks, a function that gives its outcomes)."""
    folder, bases = prepared
    monkeypatch.chdir(folder)
    monkeypatch.setattr(checking, "Bases", lambda base: bases)  # the same git for all examples
    return folder / "costcalc.yaml", lambda: Run([], "costcalc.yaml").finished()


FILE = "checks:\n  - spec: net.yaml\n    max: {mult_adds: 9k, params: 1M} # the tile\n"
ONE = "input: [10, 10, 10]\nlayers: [{conv: 1x1, out: 10}]\n"


def test_old_and_new_are_shown(run, tmp_path):
    (tmp_path / "net.yaml").write_text(ONE + "budget: {params: 99}\n")
    (tmp_path / "costcalc.yaml").write_text(FILE)
    assert run("check")[0] == 1
    shown = "costcalc.yaml:3:22  max mult_adds 9k -> 10k\nnet.yaml:3:18  max params 99 -> 100\n"
    assert run("check", "--update") == (0, shown, "")
    assert (tmp_path / "costcalc.yaml").read_text() == FILE.replace("9k", "10k")
    assert run("check") == (0, run("check")[1], "")
    assert run("check", "--update") == (0, "no limit needs a change\n", "")
    assert run("check", "--tighten")[1] == "costcalc.yaml:3:35  max params 1M -> 100\n"  # there is no whole million


def test_tighten_leaves_what_is_broken(run, tmp_path):
    (tmp_path / "net.yaml").write_text(ONE)
    (tmp_path / "costcalc.yaml").write_text(FILE.replace("1M", "0.123M"))
    code, out, _ = run("check", "--tighten", "--margin", "5%")
    assert code == 1
    assert out.startswith("costcalc.yaml:3:34  max params 0.123M -> 105\n--tighten does not change broken limits")
    code, out, _ = run("check", "--tighten", "--update")
    assert (code, out) == (
        0,
        "costcalc.yaml:3:22  max mult_adds 9k -> 10k\ncostcalc.yaml:3:34  max params 105 -> 100\n",
    )


UNWRITABLE = [
    'max: {mult_adds: "9\n      k"}',
    "max:\n      mult_adds: >-\n        9k",
    'max: {mult_adds: "\\x39k"}',
]


@pytest.mark.parametrize("text", UNWRITABLE)
def test_a_limit_that_cannot_be_rewritten_leaves_all_as_it_was(run, tmp_path, text):
    (tmp_path / "net.yaml").write_text(ONE + "budget: {params: 99}\n")
    (tmp_path / "costcalc.yaml").write_text(f"checks:\n  - spec: net.yaml\n    {text}\n")
    before = [(tmp_path / name).read_text() for name in ("net.yaml", "costcalc.yaml")]
    code, _, err = run("check", "--update")
    assert (code, "this limit cannot be rewritten in its current form" in err) == (2, True)
    assert [(tmp_path / name).read_text() for name in ("net.yaml", "costcalc.yaml")] == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["costcalc.yaml", "net.yaml"]


def test_from_nothing_no_percent_helps_and_an_exception_does(repository, run):
    repository.commit(
        net="input: [3, 3, 3]\nlayers: [relu]\n", costcalc="checks:\n- {spec: net.yaml, vs_base: {mult_adds: +5%}}\n"
    )
    repository.write(net=ONE)
    assert run("check").code == 1
    assert run("check", "--update").out.endswith("net.yaml mult_adds 0 -> 10000; the limit +5% stays\n")
    assert run("check").code == 0


def test_rights_stay(run, tmp_path):
    (tmp_path / "net.yaml").write_text(ONE)
    (tmp_path / "costcalc.yaml").write_text(FILE)
    (tmp_path / "costcalc.yaml").chmod(0o640)
    assert run("check", "--update")[0] == 0
    assert (tmp_path / "costcalc.yaml").stat().st_mode & 0o777 == 0o640
    assert issubclass(CostcalcError, Exception)


def test_tightening_leaves_no_more_than_the_margin(run, tmp_path):
    (tmp_path / "net.yaml").write_text("input: [8, 8, 100]\nlayers: [{conv: 1x1, out: 333}]\n")  # 33,300 params
    for before, after in (("5M", "35.0k"), ("40.5k", "35.0k"), ("1 G", "35.0 k"), ("36000", "34965")):
        (tmp_path / "costcalc.yaml").write_text(f"checks: [{{spec: net.yaml, max: {{params: {before}}}}}]\n")
        assert run("check", "--tighten", "--margin", "5%").out.rstrip().endswith(f"max params {before} -> {after}")
    (tmp_path / "costcalc.yaml").write_text("checks: [{spec: net.yaml, max: {weights_bytes: 1 MiB}}]\n")
    assert run("check", "--tighten").out.endswith(" 1 MiB -> 131 KiB\n")
