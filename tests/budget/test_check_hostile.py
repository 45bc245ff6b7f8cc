"""`costcalc check` on an untrusted pull request: it runs nothing, reads nothing outside, and ends quickly."""

import json
import os
import subprocess
import sys
import time

import pytest

NET = "input: [10, 10, 10]\nlayers: [{conv: 1x1, out: 10}]\n"
ONE = "checks:\n- {spec: net.yaml, max: {params: 1M}}\n"
SECRET = "aws_secret: hunter2hunter2"


@pytest.fixture
def secret(tmp_path_factory):
    """A file outside the repository, whose text must not show up anywhere."""
    path = tmp_path_factory.mktemp("outside") / "secret.yaml"
    path.write_text(SECRET + "\n")
    return path


def said(result):
    assert "hunter2" not in result.out + result.err
    return result


def test_links_that_lead_away(repository, run, secret):
    root = repository.root
    (root / "models").mkdir()
    (root / "models" / "net.yaml").symlink_to(secret)
    for spec in ("models/net.yaml", "models/*.yaml", "**/*.yaml"):
        repository.write(costcalc=ONE.replace("net.yaml", f"'{spec}'"))
        result = said(run("check"))
        assert (result.code, "is a link that leaves the directory" in result.err) == (2, True)
    (root / "costcalc.yaml").unlink()
    (root / "costcalc.yaml").symlink_to(secret)
    for args in ((), ("--config", "costcalc.yaml"), ("--update",), ("--format", "github")):
        result = said(run("check", *args))
        assert (result.code, "is a link that leaves the directory" in result.out + result.err) == (2, True)
    assert secret.read_text() == SECRET + "\n"


def test_a_directory_that_is_a_link(repository, run, secret):
    (repository.root / "models").symlink_to(secret.parent)
    for spec, message in {
        "models/secret.yaml": "is a link that leaves the directory",
        "models/*.yaml": "no file matches 'models/*.yaml'",
        "**/*.yaml": "no file matches '**/*.yaml'",
    }.items():
        repository.write(costcalc=ONE.replace("net.yaml", f"'{spec}'"))
        result = said(run("check"))
        assert (result.code, message in result.err) == (2, True)


@pytest.mark.parametrize("path", ["{}", "../{}", "models/../../{}", "file:{}", "./{}", "~/{}", "..\\{}", "%2e%2e/{}"])
@pytest.mark.parametrize("where", ["spec", "convention", "include"])
def test_paths_that_lead_away(repository, run, secret, where, path):
    path = path.format(secret if path == "{}" else f"{secret.parent.name}/secret.yaml")
    texts = {"net": NET, "costcalc": ONE}
    if where == "spec":
        texts["costcalc"] = ONE.replace("net.yaml", f"'{path}'")
    elif where == "convention":
        texts["costcalc"] = ONE.replace("max:", f"convention: '{path}', max:")
    else:
        texts["net"] = NET.replace("[{conv: 1x1, out: 10}]", f"[{{include: '{path}'}}]")
    repository.commit(**texts)
    assert said(run("check")).code == 2


def test_links_at_the_base(repository, run, secret):
    repository.commit(costcalc=ONE.replace("max: {params: 1M}", "vs_base: {params: +0}"))
    (repository.root / "net.yaml").symlink_to(secret)
    repository.commit()
    (repository.root / "net.yaml").unlink()
    repository.write(net=NET)
    result = said(run("check"))
    assert (result.code, "is a link that leaves the directory at main" in result.out) == (2, True)


CODE = [
    "!!python/object/apply:os.system ['touch hacked']",
    "__import__('os').system('touch hacked')",
    "$(touch hacked)",
    "`touch hacked`",
    "${{ touch hacked }}",
    "--output=hacked",
]


@pytest.mark.parametrize("code", CODE)
def test_nothing_is_run(repository, run, code):
    texts = [
        "checks: {}",
        "checks: [{{spec: {}, max: {{params: 1}}}}]",
        "checks: [{{spec: net.yaml, max: {{params: {}}}}}]",
    ]
    texts += [
        "checks: [{{spec: net.yaml, at: {{a: {}}}, max: {{params: 1}}}}]",
        "checks: [{{spec: net.yaml, max: {{{}: 1}}}}]",
    ]
    for text in texts:
        for value in (code, json.dumps(code)):
            repository.write(net=NET, costcalc=text.format(value))
            assert run("check").code == 2
    assert run("check", "net.yaml", "--max", "params=1", "--base", code).code == 2
    assert not os.path.exists("hacked")


def test_git_runs_nothing_of_the_repository(repository, run):
    """Files of a repository can request diff and textconv drivers, but only its owner can define them."""
    repository.commit(costcalc=ONE.replace("max: {params: 1M}", "vs_base: {params: +0}"), old=NET)
    (repository.root / ".gitattributes").write_text("* diff=evil filter=evil\n")
    (repository.root / ".gitmodules").write_text('[submodule "x"]\n path = x\n url = ext::sh -c "touch hacked"\n')
    repository.git("config", "diff.evil.command", "touch hacked")
    repository.git("config", "diff.evil.textconv", "touch hacked; cat")
    repository.git("mv", "old.yaml", "net.yaml")
    assert run("check").code == 0
    assert not os.path.exists("hacked")


BIG = {
    "a limit of 10^6 digits": "checks: [{{spec: net.yaml, max: {{params: {}}}}}]".format("9" * 10**6),
    "a file of 30 MB": "checks: [{spec: net.yaml, max: {params: 1}}]\n#" + "x" * 30_000_000,
    "20,000 checks": "checks:\n" + "- {spec: net.yaml, max: {params: 1M}}\n" * 20_000,
    "a glob of stars": "checks: [{spec: '" + "*a" * 60 + "b.yaml', max: {params: 1}}]",
    "a glob of double stars": "checks: [{spec: '" + "**/" * 3000 + "b.yaml', max: {params: 1}}]",
    "a glob of layers": "checks: [{spec: net.yaml, max: {layers: {'" + "*a" * 200 + "b': {params: 1}}}}]",
    "aliases": "a: &a [x]\nchecks: [*a, *a]",
    "deep": "checks: " + "[" * 5000 + "]" * 5000,
    "a change of 10^5 parts": "checks: [{spec: net.yaml, vs_base: {params: '+1%" + " and 1" * 10**5 + "'}}]",
    "a name of 10^5 characters": "checks: [{spec: '" + "a" * 10**5 + ".yaml', max: {params: 1}}]",
}


@pytest.mark.parametrize("name", BIG)
def test_it_ends_soon(repository, run, name):
    long = "a" * 200
    repository.write(net=NET.replace("out: 10", f"out: 10, as: {long}"), costcalc=BIG[name])
    deep = repository.root / "/".join(["a" * 200] * 10)
    deep.mkdir(parents=True)
    (deep / f"{long}.yaml").write_text(NET)
    start = time.process_time()
    assert run("check").code == 2
    assert time.process_time() - start < 5


def test_names_that_git_quotes(repository, run):
    (repository.root / "models").mkdir()
    path = repository.root / "models" / 'ä\n"\t\\.yaml'
    path.write_text(NET)
    repository.commit(costcalc="checks: [{spec: 'models/*.yaml', vs_base: {params: +0}}]\n")
    path.write_text(NET.replace("10}", "11}"))
    result = run("check")
    assert result.code == 1
    assert 'FAIL  models/ä\\n"\\t\\.yaml\n' in result.out


def test_git_that_fails_is_no_pass(repository, tmp_path_factory):
    """A git that fails midway must not look like a base without files."""
    repository.commit(costcalc=ONE.replace("max: {params: 1M}", "vs_base: {params: +0}"), net=NET)
    repository.write(net=NET.replace("10}", "11}"))
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    programs = tmp_path_factory.mktemp("bin")
    code = "from costcalc.cli import main; main()"
    for verb in ("ls-tree", "cat-file"):
        (programs / "git").write_text(f'#!/bin/bash\ncase "$*" in *{verb}*) exit 1;; esac\nexec {real} "$@"\n')
        (programs / "git").chmod(0o755)
        env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        done = subprocess.run(
            [sys.executable, "-c", code, "check"], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, done.stdout + done.stderr
        assert "git" in done.stdout + done.stderr
    (programs / "git").unlink()
    env = {**os.environ, "PATH": str(programs)}
    done = subprocess.run([sys.executable, "-c", code, "check"], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "there is no program `git`" in done.stderr) == (2, True)
