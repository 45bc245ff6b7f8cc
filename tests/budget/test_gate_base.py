"""The base of a spec is what its name meant at the base: links, includes, shipped configs and renames."""

import json
import random
import subprocess

import pytest

from costcalc.budget.similarity import LEAST, alike
from costcalc.read.repository import Repository
from tests.commands import TAKING

SMALL = "input: [10, 10, 10]\nlayers: [{conv: 1x1, out: 10}]\n"
NOTE = "# a comment that is longer than the network, so that both are alike\n# and one more line\n"
LARGE = SMALL.replace("out: 10", "out: 99")
SECRET = "aws_secret: hunter2hunter2\n"
GROWTH = "checks:\n- {{spec: {}, vs_base: {{mult_adds: +0}}}}\n"
TOP = "input: [224, 224, 3]\nlayers: [{include: mobilenet.yaml}]\n"
LOCAL = "input: [224, 224, 3]\nlayers: [{conv: 3x3, out: 8}]\n"


def judged(run, *args):
    """(exit code of a check, cost at the base, cost now)."""
    result = run("check", *args, "--json")
    (found,) = json.loads(result.out)["checks"]
    (verdict,) = found["verdicts"]
    return result.code, verdict["base"], verdict["now"]


@pytest.mark.parametrize("spec", ["models/net.yaml", "models/*.yaml"])
def test_a_spec_replaced_by_a_link_to_a_larger_one(repository, run, spec):
    repository.commit(models__net=SMALL, models__deep__big=LARGE, costcalc=GROWTH.format(f"'{spec}'"))
    net = repository.root / "models" / "net.yaml"
    net.unlink()
    net.symlink_to("deep/big.yaml")
    assert judged(run) == (1, 10_000, 99_000)
    assert run("diff", "models/net.yaml", "--base", "main", "--exit-code").code == 1


def test_a_folder_replaced_by_a_link(repository, run):
    repository.commit(models__net=SMALL, other__net=LARGE, costcalc=GROWTH.format("models/net.yaml"))
    (repository.root / "models" / "net.yaml").unlink()
    (repository.root / "models").rmdir()
    (repository.root / "models").symlink_to("other")
    assert judged(run) == (1, 10_000, 99_000)
    assert judged(run, "other/../models/net.yaml", "--vs-base", "mult_adds=+0") == (1, 10_000, 99_000)


def test_a_link_that_leads_elsewhere_than_at_the_base(repository, run):
    repository.write(a=SMALL, b=LARGE, costcalc=GROWTH.format("net.yaml"))
    net = repository.root / "net.yaml"
    net.symlink_to("a.yaml")
    repository.commit()
    assert judged(run) == (0, 10_000, 10_000)
    net.unlink()
    net.symlink_to("b.yaml")
    assert judged(run) == (1, 10_000, 99_000)


@pytest.mark.parametrize("link", [False, True], ids=["deleted", "a link to another"])
def test_an_include_that_means_another_file(repository, run, link):
    """The file at the root has the name of the shipped config and is unchanged."""
    part = repository.root / "models" / "mobilenet.yaml"
    repository.commit(
        models__net=TOP,
        models__mobilenet=LOCAL,
        models__big__net=LOCAL.replace("out: 8", "out: 80"),
        mobilenet=LOCAL,
        costcalc=GROWTH.format("models/net.yaml"),
    )
    before = 224 * 224 * 9 * 3 * 8
    assert judged(run) == (0, before, before)
    part.unlink()
    if link:
        part.symlink_to("big/net.yaml")
    code, base, now = judged(run)
    assert (code, base) == (1, before)
    assert now == 10 * before if link else now > 500_000_000


def test_a_link_without_an_end_at_the_base(repository, run):
    for name, target in {"net": "b.yaml", "b": "net.yaml"}.items():
        (repository.root / f"{name}.yaml").symlink_to(target)
    repository.commit(costcalc=GROWTH.format("net.yaml"))
    (repository.root / "net.yaml").unlink()
    repository.write(net=SMALL)
    result = run("check")
    assert (result.code, "a circular link at main" in result.out) == (2, True)


@pytest.fixture
def secret(tmp_path_factory):
    """A file outside the repository whose text must not be printed."""
    path = tmp_path_factory.mktemp("outside") / "secret.yaml"
    path.write_text(SECRET)
    return path


READS = [
    ("check", "{}", "--max", "params=1M"),
    ("check", "net.yaml", "--max", "params=1M", "--convention", "{}"),
    ("analyze", "{}"),
    ("analyze", "net.yaml", "-c", "{}"),
    ("diff", "{}", "net.yaml"),
    ("diff", "net.yaml", "{}"),
    ("diff", "{}", "--base", "main"),
    ("validate", "{}"),
    ("compare", "net.yaml", "{}"),
    ("formula", "{}"),
    ("sweep", "{}", "--grid", "alpha=1"),
    ("reproduce", "{}"),
    ("explain", "{}"),
    ("import", "{}"),
    ("check", "--config", "{}"),
    ("import", "hf", "{}"),
    ("page", "{}", "-o", "page.html"),
    ("memory", "{}"),
    ("training", "{}"),
    ("export", "{}", "-o", "net.onnx"),
    ("fit", "{}", "--vary", "alpha", "--max", "params=1M"),
    ("plot", "{}", "-o", "net.svg"),
    ("bench", "{}"),
    ("space", "{}"),
    ("search", "{}", "--max", "params=1M", "--maximize", "builtins:len"),
    ("sweep", "net.yaml", "--points", "{}"),
    ("reconcile", "{}", "paper", "fvcore"),
    ("reconcile", "net.yaml", "paper", "{}"),
    ("conventions", "{}"),
    ("analyze", "net.yaml", "--device", "{}"),
    ("serve", "{}", "--no-browser"),
]
READS += [(name, "{}") for name in sorted(TAKING - {"survey"} - {command for command, *_ in READS})]


@pytest.mark.parametrize("ending", ["yaml", "json", "keras", "onnx", "tflite"])
@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_links_that_leave_are_refused_by_every_command(repository, run, secret, command, ending):
    repository.commit(net=SMALL)
    (repository.root / f"link.{ending}").symlink_to(secret)
    (repository.root / "folder").symlink_to(secret.parent)
    secret.with_suffix(f".{ending}").write_text(SECRET)
    for name in (f"link.{ending}", f"folder/secret.{ending}"):
        result = run(*(part.format(name) for part in command))
        assert "hunter2" not in result.out + result.err
        assert result.code == 2
        if ending == "yaml" and "main" not in command:
            assert "is a link that leaves the directory" in result.out + result.err


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_of_scores_behind_a_link(repository, run, secret, ending):
    repository.write(net="input: [8]\nvars: {w: {default: 1, choices: [1, 2]}}\nlayers: [{linear: w}]\n")
    (repository.root / f"link.{ending}").symlink_to(secret)
    result = run("search", "net.yaml", "--max", "params=1M", "--maximize", f"link.{ending}")
    assert "hunter2" not in result.err
    assert "is a link that leaves the directory" in result.err
    assert result.code == 2


def test_a_survey_has_a_row_for_a_link_that_leaves(repository, run, secret):
    (repository.root / "link.yaml").symlink_to(secret)
    out = run("survey", ".").out
    assert "hunter2" not in out
    assert "`./link.yaml` is a link that leaves the directory" in out


def test_a_link_in_its_own_directory_is_followed(repository, run, secret):
    (repository.root / "link.yaml").symlink_to("net.yaml")
    repository.write(net=SMALL)
    assert run("analyze", "link.yaml").code == 0
    assert run("analyze", secret.parent / "secret.yaml").code == 2  # named directly: its text may be shown
    (secret.parent / "own.yaml").write_text(SMALL)
    assert run("analyze", secret.parent / "own.yaml").code == 0


LINES = [f"- {{conv: 3x3, out: {width}}}\n" for width in range(40)]


@pytest.mark.parametrize("seed", range(12))
def test_renames_are_those_of_git(repository, monkeypatch, seed):
    """Renames come from git's comparison of two trees, which runs no filters."""
    rng = random.Random(seed)
    before = "".join(rng.choices(LINES, k=rng.randrange(5, 60)))
    kept = [line for line in before.splitlines(keepends=True) if rng.random() < rng.choice([0.3, 0.5, 0.7])]
    after = "".join([*kept, *rng.choices(LINES, k=rng.randrange(20)), "x" * rng.randrange(200)])
    first = repository.commit(old=before)
    (repository.root / "old.yaml").unlink()
    second = repository.commit(new=after)
    found = repository.git("diff-tree", "-r", "-M", "--name-status", first, second)
    from costcalc.budget.renames import Renames

    renamed = Renames(Repository.find(), first).of("new.yaml")
    assert (renamed == "old.yaml") == found.startswith("R")
    assert (alike(before.encode(), after.encode()) >= LEAST) == found.startswith("R")


def test_a_rename_that_is_not_committed(repository, run):
    repository.commit(old=NOTE + SMALL, other=LOCAL, costcalc=GROWTH.format("'*.yaml'"))
    (repository.root / "other.yaml").unlink()
    (repository.root / "old.yaml").rename(repository.root / "new.yaml")
    assert judged(run) == (0, 10_000, 10_000)
    assert "deleted: other.yaml" in run("check").out
    repository.write(new=NOTE + LARGE)
    assert judged(run) == (1, 10_000, 99_000)


def test_a_repository_of_sha256(run, tmp_path, repository):
    subprocess.run(["rm", "-rf", ".git"], check=True)
    repository.git("init", "-q", "-b", "main", "--object-format=sha256")
    repository.commit(net=NOTE + SMALL, costcalc=GROWTH.format("net.yaml"))
    assert judged(run) == (0, 10_000, 10_000)
    (repository.root / "net.yaml").rename(repository.root / "new.yaml")
    repository.write(new=NOTE + LARGE, costcalc=GROWTH.format("new.yaml"))
    assert judged(run) == (1, 10_000, 99_000)


@pytest.mark.parametrize("spec", ["models/*.yaml", "models/b.yaml"])
def test_a_spec_moved_to_where_it_is_limited_counts_as_new(repository, run, spec):
    """It exceeded the limit before, but was not limited then."""
    limits = f"checks:\n- {{spec: '{spec}', max: {{mult_adds: 20k}}, vs_base: {{mult_adds: +0}}}}\n"
    repository.commit(archive__a=LARGE, models__c=SMALL, costcalc=limits.replace("b.yaml", "c.yaml"))
    repository.git("mv", "archive/a.yaml", "models/b.yaml")
    repository.write(costcalc=limits)
    for args in ([], ["models/b.yaml"]):
        result = run("check", "--json", *args)
        found = [one for one in json.loads(result.out)["checks"] if one["spec"] == "models/b.yaml"]
        assert (result.code, [one["status"] for one in found[0]["verdicts"]]) == (1, ["over", "pass"])


@pytest.mark.parametrize("kind", ["a glob", "its name", "its own", "an option"])
def test_a_moved_spec_that_was_limited_stays_over(repository, run, kind):
    limits = f"checks:\n- {{spec: '{'models/*' if kind == 'a glob' else 'models/a'}.yaml', max: {{mult_adds: 20k}}}}\n"
    own = "budget: {mult_adds: 20k}\n" if kind == "its own" else ""
    repository.commit(models__a=LARGE + own, costcalc=limits if kind in ("a glob", "its name") else "checks: []\n")
    repository.git("mv", "models/a.yaml", "models/b.yaml")
    repository.write(costcalc=limits.replace("a.yaml", "b.yaml"))
    (repository.root / "costcalc.yaml").unlink() if kind in ("its own", "an option") else None
    option = ["--max", "mult_adds=20k"] if kind == "an option" else []
    result = run("check", "models/b.yaml", "--json", *option)
    ((verdict,),) = (one["verdicts"] for one in json.loads(result.out)["checks"])
    assert (result.code, verdict["status"], verdict["base"]) == (0, "already", 99_000)


def test_a_moved_spec_with_a_new_limit_of_its_own_is_over(repository, run):
    repository.commit(models__a=LARGE)
    repository.git("mv", "models/a.yaml", "models/b.yaml")
    repository.write(models__b=LARGE + "budget: {mult_adds: 20k}\n")
    assert run("check", "models/b.yaml").code == 1


def test_no_variable_takes_the_place_of_the_phase(repository, run):
    """A variable named `phase` would be set by `at: {phase: train}`, and the training layers would not be counted."""
    limits = "checks:\n- {spec: net.yaml, at: {phase: train}, max: {mult_adds: 11k}, vs_base: {mult_adds: +0}}\n"
    repository.commit(net=SMALL, costcalc=limits)
    assert run("check").code == 0
    more = SMALL.replace("}]", "}, {conv: 1x1, out: 99, only: train}]")
    repository.write(net=more)
    assert run("check").code == 1
    repository.write(net="vars: {phase: relu}\n" + more)
    result = run("check")
    assert (result.code, "`phase` cannot name a variable" in result.out) == (2, True)
