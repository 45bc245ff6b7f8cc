"""The choice of the base commit, and renamed files: files on disk, a base in memory, no git."""

import hashlib
import os
from types import SimpleNamespace

import pytest

import costcalc
from costcalc import CostcalcError
from costcalc.budget import bases, renames
from tests.budget.made import COMMIT

NET = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"


def begun(there, monkeypatch, *known, ci=None, **more):
    """The chosen base, given the branches of git and the variables of CI services."""
    for name, value in (ci or {}).items():
        monkeypatch.setenv(name, value)
    there({}, {"net.yaml": NET % 9}, known=known, **more)
    return bases.Bases()


@pytest.mark.parametrize(
    ("known", "revision"),
    [
        (["refs/remotes/origin/HEAD", "refs/heads/main"], "origin/HEAD"),
        (["refs/remotes/origin/main", "refs/remotes/origin/master"], "origin/main"),
        (["refs/remotes/origin/master", "refs/heads/main"], "origin/master"),
        (["refs/heads/main", "refs/heads/master"], "main"),
        (["refs/heads/master"], "master"),
    ],
)
def test_without_an_option_the_default_branch_is_the_base(there, monkeypatch, known, revision):
    found = begun(there, monkeypatch, *known)
    assert (found.revision, found.commit, found.why_none) == (revision, COMMIT, None)
    assert found.note == f"base: {revision} (ccccccc)"


CI = [
    ({"COSTCALC_BASE": "v1"}, "v1"),
    ({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "0123"}, "0123"),
    ({"COSTCALC_BASE": "v1", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "0123", "GITHUB_BASE_REF": "x"}, "v1"),
    ({"GITHUB_BASE_REF": "dev"}, "refs/remotes/origin/dev"),
    ({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "dev"}, "refs/remotes/origin/dev"),
    ({"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/dev"}, "refs/remotes/origin/dev"),
    ({"SYSTEM_PULLREQUEST_TARGETBRANCH": "dev"}, "refs/remotes/origin/dev"),
    ({"BITBUCKET_PR_DESTINATION_BRANCH": "dev"}, "refs/remotes/origin/dev"),
    ({"CHANGE_TARGET": "dev"}, "refs/remotes/origin/dev"),
    ({"GITHUB_BASE_REF": ""}, "refs/heads/main"),
]


@pytest.mark.parametrize(("ci", "ref"), CI)
def test_a_service_names_the_branch_that_a_change_goes_to(there, monkeypatch, ci, ref):
    found = begun(there, monkeypatch, "v1", "0123", "refs/remotes/origin/dev", "refs/heads/main", ci=ci)
    name = ref.removeprefix("refs/remotes/").removeprefix("refs/heads/")
    assert (found.revision, found.commit) == (name, COMMIT)


def test_why_there_is_no_base(there, monkeypatch):
    why = begun(there, monkeypatch).why_none
    assert (why.code, why.help) == ("no-base", "name the base: --base main")
    assert why.message == "there is no branch main or master to compare with"
    why = begun(there, monkeypatch, "refs/heads/main", apart=True).why_none
    assert why.message == "HEAD and main have no commit in common"
    why = begun(there, monkeypatch, is_shallow=True).why_none
    assert why.help == "the clone is shallow: git fetch --unshallow, or `fetch-depth: 0` in CI"
    found = begun(there, monkeypatch, ci={"GITHUB_BASE_REF": "dev"})
    assert found.why_none.message == "git knows no revision `origin/dev`"
    assert found.why_none.help == "git fetch origin dev, or `fetch-depth: 0` in CI"
    assert (found.renames, found.of("net.yaml"), found.deleted(".", lambda _: True)) == (None, None, [])
    assert found.note == "no base: limits are judged without a comparison"
    why = begun(there, monkeypatch, ci={"COSTCALC_BASE": "v9"}).why_none
    assert (why.message, why.help) == ("git knows no revision `v9`", "name the base: --base main")


def test_on_the_commit_itself_only_what_is_not_committed_is_a_change(there):
    there({}, {}, head=True)
    own = ", the checked-out commit: only uncommitted edits count as changes"
    assert bases.Bases("main").note == f"base: main (ccccccc){own}"


def test_the_base_of_a_path(there, tmp_path, limit):
    body = "".join(f"  - {{conv: 1x1, out: {at}}}\n" for at in range(1, 9))
    same = {"net.yaml": NET % 5, "a/b.yaml": NET % 6}
    old = same | {"old.yaml": NET % 5 + body, "sub": "", "mobilenet.yaml": NET % 4}
    there({**same, "sub/in.yaml": NET % 5 + body, "new.yaml": NET % 5 + body}, old, modes={"sub": "160000"})
    found = bases.Bases("main")
    assert found.of("net.yaml") == ("main", COMMIT, "net.yaml")
    assert found.of(str(tmp_path / "a" / ".." / "a" / "b.yaml")).name == "a/b.yaml"
    assert found.of("new.yaml").name == "old.yaml"
    assert found.of("sub/in.yaml") is None  # a file of a submodule
    assert found.of("mobilenet.yaml").name == "mobilenet.yaml"  # a shipped config stands in for a file that is gone
    assert found.of("resnet50.yaml") is None
    os.symlink("new.yaml", tmp_path / "link.yaml")
    assert found.of("link.yaml").name is None  # a link is not a renamed file
    limit(file_bytes=10)
    fresh = bases.Bases("main")
    assert fresh.of("new.yaml").name == "old.yaml"  # the same bytes, of any number


def test_a_spec_that_is_as_it_was_is_read_once(there):
    body = "layers: [{include: part.yaml}]\n"
    files = {
        "net.yaml": NET % 5,
        "outer.yaml": "input: [10, 10, 10]\n" + body,
        "part.yaml": NET % 2,
    }
    there(
        {**files, "new.yaml": NET % 7, "run.yaml": NET % 6},
        {**files, "run.yaml": NET % 5, "old.yaml": NET % 7},
        modes={"net.yaml": "100755"},
    )
    found = bases.Bases("main")
    same = {
        name: found.is_same(found.of(name), name, costcalc.load(name))
        for name in ("net.yaml", "new.yaml", "run.yaml", "outer.yaml")
    }
    assert same == {"net.yaml": True, "new.yaml": False, "run.yaml": False, "outer.yaml": False}


def test_what_is_deleted_is_below_a_directory_and_of_a_kind(there):
    body = "".join(f"  - {{conv: 1x1, out: {at}}}\n" for at in range(1, 9))
    before = {
        "a/gone.yaml": NET % 5,
        "a/moved.yaml": NET % 6 + body,
        "b/gone.yaml": NET % 7,
        "a/x.txt": "",
        "top.yaml": NET % 8,
    }
    there({"a/now.yaml": NET % 6 + body}, before, tracked=["a/now.yaml"])
    found = bases.Bases("main")
    assert found.deleted("a", lambda name: True) == ["a/gone.yaml"]
    assert found.deleted("a", lambda name: name == "gone.yaml") == ["a/gone.yaml"]
    assert found.deleted("a", lambda name: name == "a/gone.yaml") == []
    assert found.deleted(".", lambda name: True) == ["a/gone.yaml", "b/gone.yaml", "top.yaml"]
    assert found.deleted("..", lambda name: True) == []


def test_files_that_are_renamed(there, tmp_path, monkeypatch, limit):
    lines = [f"  - {{conv: 1x1, out: {at + 100}}}\n" for at in range(40)]
    first, second = "".join(lines), "".join(lines[:30]) + "x" * 200
    before = {"a/net.yaml": first, "b/other.yaml": first, "c/near.yaml": second, "kept.yaml": NET % 5}
    there(
        {"d/other.yaml": first, "e/near.yaml": second + "#", "kept.yaml": NET % 5, "f/far.yaml": "nothing like it"},
        before,
    )
    found = bases.Bases("main").renames
    assert found.gone == ["a/net.yaml", "b/other.yaml", "c/near.yaml"]
    assert (found.of("d/other.yaml"), found.of("e/near.yaml")) == ("b/other.yaml", "c/near.yaml")
    assert (found.of("f/far.yaml"), found.of("kept.yaml"), found.of("none.yaml")) == (None, None, None)
    os.symlink("d/other.yaml", tmp_path / "link.yaml")
    assert found.of("link.yaml") is None
    assert found.below("e") == {"c/near.yaml": "e/near.yaml"}
    assert found.below(".") == {"b/other.yaml": "d/other.yaml", "c/near.yaml": "e/near.yaml"}
    digest = hashlib.sha256(b"blob %d\0" % len(first) + first.encode()).hexdigest()
    assert (found.sha("d/other.yaml", 64), found.sha("d/other.yaml", 40)) == (digest, found.tree["a/net.yaml"].sha)
    monkeypatch.setattr(renames, "PAIRS", 3)
    assert bases.Bases("main").renames.of("e/near.yaml") == "c/near.yaml"
    monkeypatch.setattr(renames, "PAIRS", 2)
    with pytest.raises(CostcalcError, match="more than 2 pairs of new and deleted specs") as error:
        bases.Bases("main").renames.of("e/near.yaml")
    (problem,) = error.value.problems
    assert (problem.code, problem.help) == ("limit", "change the specs in one step, rename them in another")
    monkeypatch.setattr(renames, "PAIRS", 3)
    limit(file_bytes=len(second))
    assert bases.Bases("main").renames.of("e/near.yaml") is None  # it is too large for a spec
    limit(file_bytes=len(second) + 1)
    assert bases.Bases("main").renames.of("e/near.yaml") == "c/near.yaml"


def test_new_specs_have_a_limit(there, monkeypatch):
    there(
        {"a.yaml": "", "b.yml": ""}, {"old.yaml": "", "gone.yaml": ""}, tracked=["a.yaml", "b.yml", "old.yaml", "c.txt"]
    )
    assert [*bases.Bases("main").renames.new()] == ["a.yaml", "b.yml"]
    monkeypatch.setattr(renames, "FILES", 2)
    assert [*bases.Bases("main").renames.new()] == ["a.yaml", "b.yml"]
    monkeypatch.setattr(renames, "FILES", 1)
    with pytest.raises(CostcalcError, match="git has more than 1 new specs") as error:
        [*bases.Bases("main").renames.new()]
    assert error.value.problems[0].code == "limit"
    assert renames.PAIRS == 10_000


LINES = [f"{at:09}\n" for at in range(20)]  # of ten bytes


def test_half_the_same_is_enough_and_of_equals_the_first_counts(there):
    half, less = LINES[:5] + LINES[10:15], LINES[:4] + LINES[10:16]
    there({"b/half.yaml": "".join(half), "b/less.yaml": "".join(less)}, {"a.yaml": "".join(LINES[:10])})
    found = bases.Bases("main").renames
    assert (found.of("b/half.yaml"), found.of("b/less.yaml")) == ("a.yaml", None)
    there(
        {"b/c.yaml": "".join(LINES[:10])}, {f"{name}.yaml": "".join(LINES[:9]) + name for name in ("a/x", "b/d", "z/c")}
    )
    assert bases.Bases("main").renames.of("b/c.yaml") == "z/c.yaml"  # has its name
    there({"b/other.yaml": "".join(LINES[:10])}, {f"{name}.yaml": "".join(LINES[:9]) + name for name in ("b/d", "a/x")})
    assert bases.Bases("main").renames.of("b/other.yaml") == "a/x.yaml"


def test_a_link_that_is_gone_was_no_spec(there):
    there({}, {"link.yaml": "net.yaml", "gone.yaml": ""}, modes={"link.yaml": "120000"})
    assert bases.Bases("main").renames.gone == ["gone.yaml"]


def test_of_a_file_that_grows_while_it_is_read_so_much_is_hashed_as_was_there(there, monkeypatch):
    there({"net.yaml": "12345678"}, {"old.yaml": ""})
    monkeypatch.setattr(renames.os, "fstat", lambda _: SimpleNamespace(st_size=3))
    digest = hashlib.sha1(b"blob 3\0" + b"123").hexdigest()
    assert bases.Bases("main").renames.sha("net.yaml", 40) == digest
