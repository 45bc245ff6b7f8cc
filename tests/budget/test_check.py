"""`costcalc check` on real git repositories: the verdict table, every kind of base, and exit codes."""

import io
import json
import re
import subprocess
import sys

import pytest

from costcalc import CostcalcError, check
from costcalc.cli import main

NET = "input: [10, 10, {}]\nlayers:\n  - {{conv: 1x1, out: {}}}\n"  # 100 * channels * out mult-adds


def net(out, channels=10):
    return NET.format(channels, out)


def limits(text, spec="net.yaml"):
    return f"checks:\n  - spec: {spec}\n    {text}\n"


def statuses(run, *args):
    """(exit code, {limit: status}) of a run as JSON."""
    code, out, _ = run("check", "--json", *args)
    verdicts = [one for each in json.loads(out)["checks"] for one in each["verdicts"]]
    return code, {f"{one['kind']} {one['metric']}": one["status"] for one in verdicts}


TABLE = [  # base, now, under a limit of 10,000 mult-adds: status, exit code, exit code with --strict
    (10, 10, "pass", 0, 0),
    (9, 10, "pass", 0, 0),
    (10, 11, "crossed", 1, 1),
    (11, 12, "worse", 1, 1),
    (12, 12, "already", 0, 1),
    (12, 11, "already", 0, 1),
    (12, 10, "pass", 0, 0),
    (None, 11, "over", 1, 1),
    (None, 10, "pass", 0, 0),
]


@pytest.mark.parametrize(("before", "now", "status", "code", "strict"), TABLE)
@pytest.mark.parametrize("committed", [True, False])
def test_verdict_table(repository, run, before, now, status, code, strict, committed):
    repository.commit(costcalc=limits("max: {mult_adds: 10k}", "'*.yaml'"))
    if before:
        repository.commit(net=net(before))
    repository.git("switch", "-q", "-c", "change")
    repository.write(net=net(now))
    if committed:
        repository.commit()
    assert statuses(run) == (code, {"max mult_adds": status})
    assert run("check", "--strict")[0] == strict
    assert run("check", "--exit-zero", "--strict")[0] == 0


@pytest.mark.parametrize(
    ("before", "now", "status"), [(10, 10, "pass"), (10, 9, "crossed"), (9, 8, "worse"), (8, 9, "already")]
)
def test_verdict_table_of_a_least_cost(repository, run, before, now, status):
    repository.commit(costcalc=limits("min: {mult_adds: 10k}"), net=net(before))
    repository.write(net=net(now))
    assert statuses(run)[1] == {"min mult_adds": status}


CHANGES = [  # limit, output channels before and now (1,000 mult-adds each), whether it passes
    ("+0", 100, 100, True),
    ("+0", 100, 99, True),
    ("+0", 100, 101, False),
    ("+1%", 100, 101, True),
    ("+1%", 100, 102, False),
    ("+0.99%", 100, 101, False),
    ("+1k", 100, 101, True),
    ("+999", 100, 101, False),
    ("+1% and 2k", 100, 102, True),
    ("+1% and 2k", 100, 103, False),
    ("+2k and 1%", 300, 303, True),
    ("+3% and 2k", 100, 103, True),
]


@pytest.mark.parametrize(("limit", "before", "now", "passes"), CHANGES)
def test_changes(repository, run, limit, before, now, passes):
    repository.commit(costcalc=limits(f"vs_base: {{mult_adds: {limit}}}"), net=net(before))
    repository.write(net=net(now))
    assert statuses(run) == (0 if passes else 1, {"vs_base mult_adds": "pass" if passes else "grew"})


def test_the_base_is_where_the_branch_began(repository, run):
    repository.commit(costcalc=limits("vs_base: {mult_adds: +1k}"), net=net(10))
    repository.git("switch", "-q", "-c", "change")
    repository.commit(net=net(12))
    repository.git("switch", "-q", "main")
    repository.commit(net=net(20))  # main has moved on, which does not concern this change
    repository.git("switch", "-q", "change")
    assert statuses(run)[0] == 1
    assert statuses(run, "--base", "main")[0] == 0
    assert statuses(run, "--base", "HEAD")[0] == 0
    out = run("check", "--base", "HEAD")[1]
    assert "base: HEAD (" in out
    assert "only uncommitted edits count as changes" in out


def test_base_of_a_pull_request(repository, run, monkeypatch):
    repository.commit(costcalc=limits("vs_base: {mult_adds: +0}"), net=net(10))
    repository.git("update-ref", "refs/remotes/origin/next", "HEAD")
    repository.commit(net=net(11))
    assert statuses(run)[0] == 0
    monkeypatch.setenv("GITHUB_BASE_REF", "next")
    assert statuses(run)[0] == 1
    monkeypatch.delenv("GITHUB_BASE_REF")
    monkeypatch.setenv("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "next")
    assert statuses(run)[0] == 1
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", repository.git("rev-parse", "HEAD"))
    assert statuses(run)[0] == 0
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", "0" * 40)
    code, out, _ = run("check")
    assert code == 2
    assert f"git knows no revision `{'0' * 40}`" in out


def test_shallow_clone(repository, run, tmp_path, monkeypatch):
    repository.commit(costcalc=limits("vs_base: {mult_adds: +1k}"), net=net(10))
    repository.git("switch", "-q", "-c", "change")
    repository.commit(net=net(11))
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--depth", "1", f"file://{tmp_path}", str(clone))
    monkeypatch.chdir(clone)
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    code, out, _ = run("check")
    assert code == 2
    assert "error[no-base]: git knows no revision `origin/main`" in out
    assert "the clone is shallow: git fetch --unshallow, or `fetch-depth: 0` in CI" in out
    assert "--> costcalc.yaml:3:26" in out
    subprocess.run(["git", "fetch", "-q", "--unshallow", "origin", "main:refs/remotes/origin/main"], check=True)
    assert run("check")[0] == 0


def test_a_limit_that_needs_no_base_is_judged_in_a_shallow_clone(repository, run, tmp_path, monkeypatch):
    repository.git("checkout", "-q", "-b", "work")  # there is no main either
    repository.commit(costcalc=limits("max: {mult_adds: 10k}"), net=net(10))
    repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--depth", "1", f"file://{tmp_path}", str(clone))
    monkeypatch.chdir(clone)
    subprocess.run(["git", "checkout", "-q", "--detach"], check=True)
    subprocess.run(["git", "remote", "remove", "origin"], check=True)
    code, out, _ = run("check")
    assert (code, "no base: limits are judged without a comparison" in out) == (0, True)
    (clone / "net.yaml").write_text(net(11))
    assert statuses(run) == (1, {"max mult_adds": "over"})


def test_without_a_repository(run, tmp_path):
    (tmp_path / "net.yaml").write_text(net(10))
    (tmp_path / "costcalc.yaml").write_text(limits("max: {mult_adds: 10k}"))
    assert statuses(run) == (0, {"max mult_adds": "pass"})
    (tmp_path / "costcalc.yaml").write_text(limits("vs_base: {mult_adds: +0}"))
    code, out, _ = run("check")
    assert (code, "error[not-a-repository]: this is not a git repository" in out) == (2, True)
    assert run("check", "--base", "main")[0] == 2


def test_renamed_spec(repository, run):
    repository.commit(costcalc=limits("vs_base: {mult_adds: +0}"), old=net(10))
    repository.git("mv", "old.yaml", "net.yaml")
    assert statuses(run) == (0, {"vs_base mult_adds": "pass"})
    repository.write(net=net(11))
    repository.git("add", "-A")
    code, out, _ = run("check", "--json")
    (found,) = json.loads(out)["checks"]
    assert (code, found["base"]["path"], found["verdicts"][0]["base"]) == (1, "old.yaml", 10_000)


def test_new_spec(repository, run):
    repository.commit(costcalc=limits("max: {mult_adds: 10k}\n    vs_base: {mult_adds: +0}"))
    repository.write(net=net(10))
    assert statuses(run) == (0, {"max mult_adds": "pass", "vs_base mult_adds": "skipped"})
    assert "1 passed, 1 skipped (new spec: net.yaml)" in run("check")[1]
    repository.write(net=net(11))
    assert statuses(run) == (1, {"max mult_adds": "over", "vs_base mult_adds": "skipped"})


def test_deleted_spec(repository, run):
    text = limits("max: {mult_adds: 10k}", "models/*.yaml")
    repository.commit(costcalc=text, models__a=net(10), models__b=net(9))
    repository.git("rm", "-q", "models/b.yaml")
    code, out, _ = run("check")
    assert (code, "deleted: models/b.yaml" in out) == (0, True)
    repository.write(costcalc=limits("max: {mult_adds: 10k}", "models/b.yaml"))
    code, _, err = run("check")
    assert code == 2
    assert "error: there is no file 'models/b.yaml'\n --> costcalc.yaml:2:11" in err
    repository.git("mv", "models/a.yaml", "models/c.yaml")
    repository.write(costcalc=text)
    assert "deleted: models/a.yaml" not in run("check")[1]  # it has another name


def test_spec_outside_the_repository(repository, run, tmp_path_factory):
    repository.commit()
    other = tmp_path_factory.mktemp("other") / "net.yaml"
    other.write_text(net(10))
    assert run("check", other, "--max", "mult_adds=10k")[0] == 0
    assert run("check", other, "--max", "mult_adds=9999")[0] == 1
    (repository.root / "link.yaml").symlink_to(other)
    code, out, _ = run("check", "link.yaml", "--vs-base", "mult_adds=+0")
    assert (code, "`link.yaml` is a link that leaves the directory" in out) == (2, True)
    code, out, _ = run("check", other, "--vs-base", "mult_adds=+0")
    assert (code, "is not in the repository: there is no base to compare with" in out) == (2, True)


def test_a_shipped_config_has_no_base(repository, run):
    repository.commit()
    assert run("check", "mobilenet", "--max", "mult_adds=569M")[0] == 0
    assert run("check", "mobilenet", "--vs-base", "mult_adds=+0")[0] == 2


def test_an_included_file_changed(repository, run):
    text = "input: [10, 10, 10]\nlayers: [{include: parts/body.yaml}]\n"
    body = "input: [10, 10, 10]\nlayers: [{conv: 1x1, out: %d}]\n"
    repository.commit(costcalc=limits("vs_base: {mult_adds: +0}"), net=text, parts__body=body % 10)
    assert statuses(run)[0] == 0
    repository.write(parts__body=body % 11)
    code, out, _ = run("check", "--format", "github")
    assert code == 1
    assert out.startswith("::error file=parts/body.yaml,line=2,")


def test_a_submodule_is_no_new_spec(repository, run, tmp_path_factory, monkeypatch):
    part = tmp_path_factory.mktemp("part")
    for args in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "a")):
        (part / "net.yaml").write_text(net(10))
        subprocess.run(["git", "-C", part, *args], check=True)
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(part), "part")
    repository.commit(costcalc=limits("vs_base: {mult_adds: +0}", "part/net.yaml"))
    code, out, _ = run("check")
    assert (code, "'part/net.yaml' is not in the repository" in out) == (2, True)


def test_what_cannot_be_read_at_the_base(repository, run):
    repository.commit(costcalc=limits("max: {mult_adds: 10k}"), net="layers: [")
    repository.write(net=net(10))
    assert statuses(run) == (0, {"max mult_adds": "pass"})  # the change that fixes it
    repository.write(net=net(11))
    assert statuses(run) == (1, {"max mult_adds": "over"})
    repository.write(costcalc=limits("vs_base: {mult_adds: +0}"))
    code, out, _ = run("check")
    assert (code, "error[base-unreadable]: there is nothing to compare with at main:" in out) == (2, True)


def test_a_variable_that_is_new(repository, run):
    repository.commit(costcalc=limits("vs_base: {mult_adds: +0}"), net=net(10))
    text = "vars: {wide: 10}\n" + net("wide")
    repository.write(net=text, costcalc=limits("at: {wide: 12}\n    vs_base: {mult_adds: +0}"))
    assert statuses(run) == (1, {"vs_base mult_adds": "grew"})


OPAQUE = net(10) + "  - {opaque: magic%s}\n"
KNOWN = {"mult_adds": ", mult_adds: 5k", "params": ", params: 5k", "both": ", mult_adds: 5k, params: 5k", "none": ""}


@pytest.mark.parametrize(
    ("given", "limit", "code"),
    [
        ("none", "max: {mult_adds: 20k}", 2),
        ("none", "max: {mult_adds: 9k}", 1),
        ("none", "min: {mult_adds: 9k}", 0),
        ("none", "min: {mult_adds: 20k}", 2),
        ("both", "max: {mult_adds: 20k}", 0),
        ("both", "min: {mult_adds: 20k}", 1),
        ("mult_adds", "max: {mult_adds: 20k}", 0),
        ("mult_adds", "max: {params: 20k}", 2),
        ("params", "max: {params: 20k}", 0),
        ("params", "max: {mult_adds: 20k}", 2),
        ("none", "max: {layers: {conv: {mult_adds: 10k}}}", 0),
        ("none", "max: {layers: {opaque: {mult_adds: 10k}}}", 2),
        ("none", "max: {any_layer.mult_adds: 10k}", 2),
        ("none", "max: {any_layer.mult_adds: 9k}", 1),
        ("none", "max: {layers: {conv: {mult_adds: 10%}}}", 2),
        ("both", "max: {layers: {conv: {mult_adds: 10%}}}", 1),
        ("none", "max: {activations: 20k}", 2),
    ],
)
def test_of_an_incomplete_total_only_the_known_part_is_judged(run, tmp_path, given, limit, code):
    (tmp_path / "net.yaml").write_text((OPAQUE % KNOWN[given]).replace("5k", "5000"))
    (tmp_path / "costcalc.yaml").write_text(limits(limit))
    found, out, _ = run("check")
    assert found == code
    assert ("the figure of `opaque` is unknown" in out) == (code == 2)


def test_incomplete_against_a_base(repository, run):
    repository.commit(costcalc=limits("vs_base: {mult_adds: +0}"), net=OPAQUE % "")
    assert run("check")[0] == 0  # nothing changed, whatever it costs
    repository.write(net=OPAQUE.replace("10}", "9}") % "")
    assert run("check")[0] == 2  # less in the known part
    repository.write(net=net(30))
    assert run("check")[0] == 2  # more than the known part of the base
    repository.commit(net=net(10))
    repository.write(net=OPAQUE.replace("10}", "11}") % "")
    assert run("check")[0] == 1  # certainly more


def test_a_specs_own_budget(repository, run):
    own = "budget: {mult_adds: 10k, params: '1_00'}\n"
    repository.commit(net=net(10) + own)
    assert statuses(run, "net.yaml") == (0, {"max mult_adds": "pass", "max params": "pass"})
    repository.write(costcalc=limits("max: {activations: 1k}") + limits("at: {}\n    min: {params: 1}")[8:])
    code, out, _ = run("check", "--json")
    kinds = [[one["metric"] for one in each["verdicts"]] for each in json.loads(out)["checks"]]
    assert (code, kinds) == (0, [["activations"], ["params"], ["mult_adds", "params"]])
    repository.write(net=net(11) + own)
    assert run("check")[0] == 1
    assert run("check", "net.yaml", "--max", "mult_adds=11k")[0] == 0  # only limits from options apply
    code, out, _ = run("check", "net.yaml")
    assert "--> net.yaml:4:21" in out


def test_one_off_limits(run):
    args = ("check", "mobilenet", "--alpha", "0.75", "--res", "160")
    assert run(*args, "--max", "mult_adds=166396800", "--max", "params=2568144")[0] == 0
    code, out, _ = run(*args, "--max", "mult_adds=166396799")
    assert code == 1
    assert "mult-adds 166,396,800 is 1 (0.0 %) over the limit 166,396,799" in out  # equal if rounded
    assert run(*args, "--max", "framework.params=2.59M")[0] == 0
    assert run(*args, "--max", "any_layer.mult_adds=8%", "--min", "params=2M")[0] == 1
    assert run(*args, "-c", "flops", "--max", "flops=400M", "--max", "weights_bytes=11MB")[0] == 0
    assert run(*args, "--max", "weights_bytes=9.7 MiB")[0] == 1
    assert run("check", "mobilenet", "--rho", "0.714", "--max", "mult_adds=291M")[0] == 0


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self):
        return True


def test_progress_on_a_terminal(repository, monkeypatch):
    repository.write(**{f"models__n{number}": net(number + 1) for number in range(20)})
    repository.write(costcalc=limits("max: {mult_adds: 1M}", "models/*.yaml"))
    monkeypatch.setattr("costcalc.cli.terminal.PATIENCE", 0)
    monkeypatch.setattr("costcalc.cli.terminal.EVERY", 0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(SystemExit):
        main(["check"])
    assert "10 of 20 specs" in sys.stderr.getvalue()
    assert sys.stderr.getvalue().endswith("\r\x1b[K")


def test_levels(run, tmp_path):
    (tmp_path / "net.yaml").write_text(net(10))
    (tmp_path / "costcalc.yaml").write_text(limits("max: {mult_adds: 9k}\n    level: warn"))
    code, out, _ = run("check")
    assert (code, "warning[over-limit]" in out, "1 warned, 0 passed" in out) == (0, True, True)
    assert run("check", "--strict")[0] == 1


def test_found_by_walking_up(repository, run, monkeypatch):
    repository.write(costcalc=limits("max: {mult_adds: 10k}", "models/net.yaml"), models__net=net(10))
    (repository.root / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(repository.root / "deep" / "er")
    assert "../../models/net.yaml" in run("check")[1]
    subprocess.run(["git", "init", "-q", repository.root / "deep"], check=True)  # another repository: stop at its root
    code, _, err = run("check")
    assert (code, "there is no costcalc.yaml here or in a directory above" in err) == (2, True)
    assert run("check", "--config", "../../costcalc.yaml")[0] == 0


def test_paths_choose_among_the_checks(repository, run):
    repository.write(
        costcalc=limits("max: {mult_adds: 10k}", "models/**/*.yaml"), models__a=net(11), models__b__c=net(9)
    )
    assert run("check")[0] == 1
    assert run("check", "models/b")[0] == 0
    assert run("check", "models/b/c.yaml")[0] == 0
    assert run("check", "models/a.yaml")[0] == 1
    repository.write(other=net(9))
    code, out, _ = run("check", "other.yaml")
    assert (code, "'other.yaml' has no limits" in out) == (2, True)
    (repository.root / "empty").mkdir()
    code, _, err = run("check", "empty")
    assert (code, "no check covers a spec in 'empty'" in err) == (2, True)
    assert run("check", "no.yaml")[0] == 2


def test_globs_match_as_files_are_called(repository, run):
    names = {"models__Net": net(1), "models__net[1]": net(1), "models__sub__net": net(1), "models__net2": net(1)}
    repository.write(**names)

    def found(glob):
        repository.write(costcalc=limits("max: {params: 1M}", f"'{glob}'"))
        code, out, _ = run("check", "--json")
        return [each["spec"][7:-5] for each in json.loads(out)["checks"]] if code == 0 else code

    assert found("models/n*.yaml") == ["net2", "net[1]"]
    assert found("models/N?t.yaml") == ["Net"]
    assert found("models/*[1].yaml") == ["net[1]"]
    assert found("**/net*.yaml") == ["net2", "net[1]", "sub/net"]
    assert found("models/**/**/net.yaml") == ["sub/net"]
    assert found("**/sub/*.yaml") == ["sub/net"]
    assert found("models/net[1].yaml") == ["net[1]"]
    repository.write(costcalc=limits("max: {params: 1M}", "MODELS/*.yaml"))
    code, _, err = run("check")
    assert (code, "error: no file matches 'MODELS/*.yaml'" in err) == (2, True)


def test_the_failure_says_what_where_why_and_what_next(repository, run):
    text = "input: [10, 10, 10]\nvars: {n: 2}\nlayers:\n  - {conv: 1x1, out: 10, repeat: %s}\n"
    why = "why: DSP tile budget, see docs/tiles.md"
    repository.commit(costcalc=limits(f"max: {{mult_adds: 25k}}\n    {why}"), net=text % "n")
    repository.git("switch", "-q", "-c", "change")
    commit = repository.git("rev-parse", "--short=7", "HEAD")
    repository.commit(net=text % "n + 1")
    code, out, err = run("check")
    assert (code, err) == (1, "")
    assert out.partition("\n\n   ")[0] == (
        f"""\
FAIL  net.yaml

error[over-limit]: mult-adds 30k is 5k (20.0 %) over the limit 25k
 --> costcalc.yaml:3:22
  |
3 |     max: {{mult_adds: 25k}}
  |                      ^^^
  = base: 20k at main ({commit}); this change adds 10k
  = from: net.yaml:4:6  conv_1 added  +10,000
  = why: DSP tile budget, see docs/tiles.md
  = help: reduce it, or raise the limit: costcalc check net.yaml --update

1 failed, 0 passed"""
    )


EDITS = [  # the layers before and after, and the line and text of the cause
    ("[{conv: 1x1, out: 10}]", "[{conv: 1x1, out: 20}]", 3, "conv changed"),
    ("[{conv: 1x1, out: 10}]", "\n - {conv: 1x1, out: 10}\n - {conv: 3x3, out: 10}", 5, "conv_2 added"),
    ("[{conv: 1x1, out: w}]", "[{conv: 1x1, out: w}]\n#", 2, "conv changed"),
    ("[{b: [[10], [10]]}]", "\n - b:\n    - [10]\n    - [20]\n", 6, "b_2/conv changed"),
]


@pytest.mark.parametrize(("before", "after", "line", "what"), EDITS)
def test_the_cause_is_the_line_of_the_change(repository, run, before, after, line, what):
    head = "input: [10, 10, 10]\nvars: {w: %d}\n"
    blocks = "blocks:\n  b(c): [{conv: 1x1, out: c}]\n"
    repository.commit(costcalc=limits("vs_base: {mult_adds: +0}"), net=head % 10 + f"layers: {before}\n" + blocks)
    changed = head % (11 if "w}" in after else 10)
    repository.write(net=changed + f"layers: {after}\n" + blocks)
    (outcome,) = check()
    (found,) = outcome.verdicts
    assert (found.cause.place.line, found.cause.what) == (line, what)


SEPARABLE = "input: [32, 32, 8]\nvars: {w: %d}\nlayers:\n  - {conv: 1x1, out: 8}\n  - {separable: %s, repeat: %s}\n"
CALLS = [  # a built-in block: what changed, and its line in the spec
    ((8, "16", "2"), (8, "16", "4"), 5),
    ((8, "16", "2"), (8, "24", "2"), 5),
    ((8, "w", "2"), (16, "w", "2"), 2),
]


@pytest.mark.parametrize(("before", "after", "line"), CALLS)
def test_the_cause_in_a_shipped_block_is_a_line_of_the_spec(repository, run, before, after, line):
    repository.commit(costcalc=limits("vs_base: {params: +0}"), net=SEPARABLE % before)
    repository.write(net=SEPARABLE % after)
    assert f"= from: net.yaml:{line}:" in run("check").out
    assert run("check", "--format", "github").out.startswith(f"::error file=net.yaml,line={line},")
    (verdict,) = json.loads(run("check", "--json").out)["checks"][0]["verdicts"]
    assert (verdict["file"], verdict["line"]) == ("net.yaml", line)


def test_the_cause_is_the_include_that_changed(repository, run):
    text = "input: [10, 10, 10]\nlayers:\n  - {include: parts/body.yaml, n: %d}\n"
    body = "vars: {n: 1}\ninput: [10, 10, 10]\nlayers: [{separable: 10 * n}]\n"
    repository.commit(costcalc=limits("vs_base: {params: +0}"), net=text % 1, parts__body=body)
    repository.write(net=text % 2)
    assert "= from: net.yaml:3:" in run("check").out
    repository.write(net=text % 1, parts__body=body.replace("10 * n", "11 * n"))
    assert "= from: parts/body.yaml:3:" in run("check").out


def test_the_cause_of_what_has_no_layer_of_its_own(repository):
    repository.commit(costcalc=limits("vs_base: {mult_adds: +0}"), net=net(10))
    repository.write(net=net(10, 11))
    (outcome,) = check()
    assert outcome.verdicts[0].cause.place.line == 1  # the input became wider


def test_in_python(repository):
    repository.commit()
    repository.write(net=net(10))
    (outcome,) = check("net.yaml", max={"mult_adds": "10k", "any_layer": {"params": 100}, "weights_bytes": 400})
    assert outcome.state == "pass"
    assert [verdict.now for verdict in outcome.verdicts] == [10_000, 100, 400]
    (outcome,) = check("net.yaml", max={"layers": {"conv": {"mult_adds": 9_999}}})
    assert (outcome.state, outcome.failing[0].excess) == ("fail", 1)
    repository.commit()
    repository.write(net=net(11))
    (outcome,) = check("net.yaml", vs_base={"mult_adds": 999}, base="main")
    assert outcome.state == "fail"
    (outcome,) = check("mobilenet", at={"alpha": 0.75}, convention="framework", max={"params": "2.6M"})
    assert (outcome.state, outcome.settings) == ("pass", {"alpha": 0.75})
    for bad in ({"max": {"mult_add": 1}}, {"max": {"params": 0.5}}, {"vs_base": {"any_layer.params": 3}}, {}):
        with pytest.raises(CostcalcError):
            check("net.yaml", **bad, config="none.yaml")


CODE = "from costcalc.cli import main; main()"


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell there")
@pytest.mark.parametrize("most", ["9k", "10k"])
def test_nobody_listens(repository, most):
    repository.write(net=net(10))
    line = f"{sys.executable} -c '{CODE}' check net.yaml --max mult_adds={most}"
    code = int(most == "9k")
    for shell in (f"set -o pipefail; {line} | true", f"{line} 2>&- >/dev/null"):
        assert subprocess.run(["bash", "-c", shell], check=False, stderr=subprocess.DEVNULL).returncode == code, shell
    for shell in (f"{line} >&-", f"{line} >/dev/full"):
        assert subprocess.run(["bash", "-c", shell], check=False, capture_output=True).returncode == 2


def test_exit_code_of_a_bug(repository):
    repository.commit(net=net(10))
    code = f"import costcalc.budget.checking as c; c.Bases = None\n{CODE}"
    args = [sys.executable, "-c", code, "check", "net.yaml", "--max", "mult_adds=9k"]
    assert subprocess.run(args, check=False, capture_output=True).returncode == 101


def test_a_verdict_is_set_in_the_room_there_is(repository, run, monkeypatch):
    repository.commit(costcalc=limits("max: {mult_adds: 10k}"), net=net(10))
    repository.write(net=net(11))
    monkeypatch.setenv("COLUMNS", "66")  # the words of the verdict alone take 29 columns
    out = run("check").out
    assert re.search(r"^FAIL +net.yaml +mult-adds +10k +10k +11k +this", out, re.M)
    assert max(map(len, out.partition("failed")[2].splitlines())) <= 66


def test_the_table_names_the_convention(repository, run):
    repository.commit()
    out = run("check", "mobilenet", "--max", "params=5M", "-c", "framework").out
    assert out.splitlines()[-1].startswith("convention framework: ")


def test_amounts_are_in_the_units_of_the_limit(repository, run):
    repository.commit(costcalc=limits("max: {weights_bytes: 32 KiB}"), net=net(10))
    repository.write(net=net(1024))
    out = run("check").out
    assert "weights bytes 40KiB is 8KiB (25.0 %) over the limit 32 KiB" in out
    assert "1 failed, 0 passed" in out
