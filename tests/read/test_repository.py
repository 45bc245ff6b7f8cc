"""A git repository as a store of files at commits: its answers, and refusals with their messages."""

import gc
import io
import os
import subprocess
from types import SimpleNamespace

import pytest

from costcalc import git
from costcalc.errors import FileError, OptionError
from costcalc.files import Pages, configs
from costcalc.read import repository as module
from costcalc.read.repository import Blob, Repository, Revision, at_revision, origin_at, spec_at, top

NET = "input: [10, 10, 10]\nlayers: [{conv: 1x1, out: 10}]\n"


def refusal(kind, call, *args):
    with pytest.raises(kind) as error:
        call(*args)
    return error.value.problems[0]


def test_files_of_a_commit_and_what_they_said(repository):
    commit = repository.commit(net=NET, models__a="a: 1\n")
    (repository.root / "models/a.yaml").write_text("a: 2\n")
    found = Repository.find()
    assert (found.root, top()) == (str(repository.root.resolve()),) * 2
    tree = found.tree(commit)
    sha = repository.git("rev-parse", "HEAD:models/a.yaml")
    assert (sorted(tree), tree["models/a.yaml"]) == (["models/a.yaml", "net.yaml"], Blob("100644", sha))
    assert found.tree(commit) is tree
    assert [found.blob(sha, 100), found.blob(tree["net.yaml"].sha, 100)] == [b"a: 1\n", NET.encode()]


def test_as_many_bytes_and_files_as_are_allowed(repository, monkeypatch):
    commit = repository.commit(a="12345", b="1", c="2")
    found = Repository.find()
    sha, other = found.tree(commit)["a.yaml"].sha, found.tree(commit)["b.yaml"].sha
    assert [found.blob(sha, 5), found.blob(sha, 4), found.blob(other, 4)] == [b"12345", None, b"1"]
    (repository.root / "a.txt").write_text("no spec, and not counted")
    commit = repository.commit()
    for limit, most in (("FILES", 3), ("NAMES", 18)):
        with monkeypatch.context() as patch:
            patch.setattr(module, limit, most)
            assert len([*Repository.find().tree(commit)]) == 3
            patch.setattr(module, limit, most - 1)
            problem = refusal(OptionError, Repository.find().tree, commit)
            assert problem.code == "limit"
            assert problem.message.startswith(f"commit {commit[:7]} has more than ")


def test_files_that_are_no_specs_are_asked_for_and_not_held(repository, monkeypatch):
    names = (":(top)x", "x*", "notes", "models/net", "a\tb")
    for name in names:
        path = repository.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (repository.root / "link").symlink_to("notes")
    commit = repository.commit(models__a="1")
    found = Repository.find()
    tree, calls = found.tree(commit), []
    assert sorted(tree) == ["link", "models/a.yaml"]
    monkeypatch.setattr(tree, "ask", lambda path, ask=tree.ask: (calls.append(path), ask(path))[1])
    for name in (*names, *names):
        assert found.blob(tree[name].sha, 100) == name.encode()
        assert name in tree
    assert [tree.get(name) for name in ("", "no.yaml", "models/", "/notes", ".", "..", "./notes")] == [None] * 7
    assert calls == [*names]
    assert [tree.get(name) for name in ("models", "nothing", "x")] == [None] * 3
    assert (tree.is_a("120000", "link"), tree.is_a("120000", "notes"), tree.is_a("160000", "link")) == (
        *(True, False, False),
    )
    assert dict(tree.items())["link"] == tree["link"] == Blob("120000", repository.git("rev-parse", "HEAD:link"))
    with pytest.raises(KeyError, match="nothing"):
        tree["nothing"]


def test_large_blobs_are_pages_of_a_file(repository, monkeypatch):
    data = {"a": "abcdefg", "b": "abcdefgh", "c": "abcdefghi", "d": "abcdefghijklmnop"}
    tree = Repository.find().tree(repository.commit(**data))
    monkeypatch.setattr(module, "HELD", 7)
    monkeypatch.setattr(module, "PIECE", 8)
    found = Repository.find()
    for name, text in data.items():
        with found.opened(tree[f"{name}.yaml"].sha, 100) as blob:
            assert type(blob) is (bytes if len(text) == 7 else Pages)
            assert (len(blob), blob[0 : len(text)], blob[2:5]) == (len(text), text.encode(), b"cde")
        assert found.blob(tree["a.yaml"].sha, 100) == b"abcdefg"  # nothing of the other answer remains


def answering(text):
    """A repository whose git process stays open and gives this answer."""
    found = Repository("/nowhere")
    found.batch = SimpleNamespace(stdin=io.BytesIO(), stdout=io.BytesIO(text))
    return found


SHA = "a" * 40


@pytest.mark.parametrize("ways", ["blob", "opened"])
def test_what_an_open_git_answers(ways):
    def said(found, most):
        if ways == "blob":
            return found.blob(SHA, most)
        with found.opened(SHA, most) as data:
            return data

    found = answering(b"x blob 5\n12345\nx blob 0\n\nx blob 2\nab\n")
    assert [said(found, most) for most in (5, 0, 9)] == [b"12345", b"", b"ab"]
    assert found.batch.stdin.getvalue() == f"{SHA}\n".encode() * 3
    found = answering(b"x blob 6\n123456\n")
    assert (said(found, 5), found.batch) == (None, None)  # the rest of the output is not awaited
    for text in (
        b"x missing\n",
        b"x tree 5\n12345\n",
        b"",
        b"x blob 5 more\n12345\n",
        b"x blob 5\n1234",
        b"x blob 5\n12345",
    ):
        found = answering(text)
        problem = refusal(OptionError, said, found, 9)
        assert (problem.code, problem.message) == ("git-failed", f"git does not have the object {SHA}")
        assert (problem.help, found.batch) == ("git fetch may get it", None)


def test_a_large_answer_is_read_in_pieces(monkeypatch):
    monkeypatch.setattr(module, "HELD", 4)
    monkeypatch.setattr(module, "PIECE", 3)
    text = b"x blob 4\n1234\nx blob 8\nabcdefgh\nx blob 1\nz\n"
    found = answering(text)
    with found.opened(SHA, 9) as small, found.opened(SHA, 9) as large:
        assert (small, type(large), len(large), large[0:8]) == (b"1234", Pages, 8, b"abcdefgh")
    assert found.blob(SHA, 9) == b"z"  # the others were read completely


def test_memory_is_bounded_by_what_is_held_and_read_at_once():
    assert (module.HELD, module.PIECE) == (16_000_000, 1_048_576)


def test_only_the_pages_of_a_graph_reach_its_reader(repository, monkeypatch):
    commit = repository.commit(net=NET)
    monkeypatch.setattr(module, "HELD", 5)
    here = Revision(Repository.find(), commit, "main", "")
    assert here.source("net.yaml").text == NET
    for held, limit, kind in (
        (5, "graph_file_bytes", Pages),
        (5, "file_bytes", bytes),
        (100, "graph_file_bytes", bytes),
        (100, "file_bytes", bytes),
    ):
        monkeypatch.setattr(module, "HELD", held)
        form = SimpleNamespace(limit=limit, from_bytes=lambda data, shown: type(data))
        monkeypatch.setattr("costcalc.read.repository.format_of", lambda name, form=form: form)
        assert here.source("net.yaml") is kind


def test_what_is_no_blob_is_refused_and_the_next_is_read(repository):
    commit = repository.commit(a="text", models__b="b")
    found = Repository.find()
    for sha in (commit, repository.git("rev-parse", "HEAD:models"), "0" * 40):
        problem = refusal(OptionError, found.blob, sha, 100)
        assert (problem.code, problem.message) == ("git-failed", f"git does not have the object {sha}")
        assert problem.help == "git fetch may get it"
        assert found.blob(found.tree(commit)["a.yaml"].sha, 100) == b"text"


def test_a_name_that_is_a_tag_and_a_branch_is_refused_unless_both_are_one_commit(repository):
    first = repository.commit(a="1")
    repository.git("branch", "both")
    repository.git("tag", "both")
    assert Repository.find().commit("both") == first
    repository.commit(a="2")
    repository.git("tag", "-f", "both")
    for revision in ("both", "both~0", "both^{commit}"):
        problem = refusal(OptionError, Repository.find().commit, revision)
        assert problem.message == f"`{revision}` is ambiguous: refs/heads/both, refs/tags/both"
        assert (problem.code, problem.help) == ("no-revision", "write the full name: --base refs/heads/both")
    assert Repository.find().commit("refs/heads/both") == first
    second = Repository.find().commit("main")
    assert second != first
    repository.git("tag", "refs/heads/main", first)  # a full object name is used as it is
    repository.git("branch", "refs/heads/main", second)
    assert Repository.find().commit("refs/heads/main") == second
    assert Repository.find().commit("@") == second
    repository.git("tag", "both-2")  # another name with the same prefix
    repository.git("update-ref", "refs/remotes/origin/main", first)
    assert Repository.find().commit("origin/main") == first
    repository.git("update-ref", "refs/remotes/main", first)
    assert "refs/heads/main, refs/remotes/main" in refusal(OptionError, Repository.find().commit, "main").message


def test_a_revision_that_is_not_there(repository):
    repository.commit(a="1")
    found = Repository.find()
    problem = refusal(OptionError, found.commit, "nosuch")
    assert (problem.code, problem.message) == ("no-revision", "git knows no revision `nosuch`")
    assert problem.help == "a branch, a tag or a commit, as in --base main; git fetch gets the server's"
    assert (found.has("main"), found.has("nosuch"), found.shallow) == (True, False, None)


def test_revisions_by_the_names_of_their_branches(repository, monkeypatch):
    first = repository.commit(a="1")
    repository.git("update-ref", "refs/remotes/origin/main", first)
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    found = Repository.find()
    assert found.called("refs/remotes/origin/HEAD") == "origin/main"
    assert found.called("refs/heads/main") == "main"
    assert found.called("nosuch") == "nosuch"
    odd = os.fsdecode(b"\xff")  # not text
    repository.git("update-ref", f"refs/heads/{odd}", first)
    assert found.called(f"refs/heads/{odd}") == "\ufffd"
    for says in ("echo topic", "echo --end-of-options; echo topic"):  # some versions also print the option
        with monkeypatch.context() as patch:
            patch.setenv("PATH", fake(repository.root / f"bin{len(says)}", says))
            assert found.called("refs/heads/topic") == "topic"
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit(a="2")
    assert found.merge_base("main") == first
    repository.git("checkout", "-q", "--orphan", "other")
    repository.commit(b="3")
    assert found.merge_base("main") is None


def test_a_clone_without_history_says_how_to_get_it(repository, tmp_path_factory, monkeypatch):
    repository.commit(a="1")
    repository.commit(a="2")
    clone = tmp_path_factory.mktemp("clones") / "clone"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", str(clone))
    monkeypatch.chdir(clone)
    help = "the clone is shallow: git fetch --unshallow, or `fetch-depth: 0` in CI"
    assert Repository.find().shallow == refusal(OptionError, Repository.find().commit, "HEAD~1").help == help


def test_what_git_refuses_is_never_empty(repository):
    repository.commit(a="1")
    found = Repository.find()
    assert [*found.entries("ls-files", "-z")] == [b"a.yaml"]
    with pytest.raises(OptionError) as error:
        [*found.entries("ls-tree", "nosuch")]
    problem = error.value.problems[0]
    assert (problem.code, problem.message) == ("git-failed", f"git ls-tree failed in {found.root!r}")
    assert problem.help == "git fsck may say why"


def test_a_long_answer_is_read_entry_by_entry(tmp_path, monkeypatch):
    def listed(says, code=0, **limits):
        folder = tmp_path / str(len([*tmp_path.iterdir()]))
        with monkeypatch.context() as patch:
            patch.setenv("PATH", f"{fake(folder, says, code)}:/bin:/usr/bin")
            for name, value in limits.items():
                patch.setattr(git, name, value)
            try:
                return [*git.entries(str(tmp_path), "ls-files")]
            except OptionError as error:
                return f"{error.problems[0].code}: {error.problems[0].message}"

    for piece in (1, 2, 3, 5, 100):
        assert listed(r"printf 'ab\0c\0\0def\0'", PIECE=piece) == [b"ab", b"c", b"", b"def"]
    assert listed(r"printf 'abcd\0abcd\0'", PIECE=2, LONGEST=4) == [b"abcd", b"abcd"]
    assert listed(r"printf 'abcde\0'", PIECE=2, LONGEST=3) == "limit: git gives a name of more than 3 bytes"
    assert listed("printf '%09000d\\0' 1", PIECE=100) == [b"%09000d" % 1]
    assert listed("yes | head -c 9999999", LONGEST=3) == "limit: git gives a name of more than 3 bytes"
    assert listed(r"printf 'ab\0'", 3) == f"git-failed: git ls-files failed in {str(tmp_path)!r}"
    assert listed("exec /bin/sleep 20", SECONDS=0.2) == "limit: git took longer than 0.2 seconds"
    broken = tmp_path / "broken"
    fake(broken, "")
    (broken / "git").write_text("#!/no/such/shell\n")
    monkeypatch.setenv("PATH", str(broken))
    with pytest.raises(OptionError, match="cannot be started"):
        [*git.entries(str(tmp_path), "ls-files")]


def test_names_of_paths_are_from_the_root_and_follow_no_link(repository, tmp_path_factory, monkeypatch):
    outside = tmp_path_factory.mktemp("outside")
    repository.commit(models__a="1")
    (repository.root / "link.yaml").symlink_to(outside / "x.yaml")
    (outside / "in").symlink_to(repository.root)
    found = Repository.find()
    assert [found.name(path) for path in ("models/a.yaml", ".", "link.yaml", "no.yaml")] == [
        *("models/a.yaml", ".", "link.yaml", "no.yaml")
    ]
    assert found.name(str(outside / "in" / "models" / "a.yaml")) == "models/a.yaml"
    assert (found.name(str(outside / "x.yaml")), found.name("/")) == (None, None)
    monkeypatch.chdir(repository.root / "models")
    assert [Repository.find().name(path) for path in ("a.yaml", "../link.yaml", ".")] == [
        *("models/a.yaml", "link.yaml", "models")
    ]


def test_no_repository_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (top(), Repository.find()) == (None, None)


def test_files_that_are_elsewhere_by_the_configuration_are_refused(repository, tmp_path_factory):
    repository.commit(a="1")
    repository.git("config", "core.worktree", str(tmp_path_factory.mktemp("other")))
    problem = refusal(OptionError, Repository.find)
    assert (problem.code, problem.help) == ("git-failed", "see core.worktree in its configuration")
    assert problem.message.endswith("names another directory for its files")


def test_a_repository_that_git_refuses(tmp_path, monkeypatch):
    (tmp_path / ".git").write_text("no repository")
    monkeypatch.chdir(tmp_path)
    problem = refusal(OptionError, Repository.find)
    assert (problem.code, problem.message) == ("git-failed", f"git refuses the repository {str(tmp_path.resolve())!r}")
    assert problem.help.startswith("`git status` there says why")


def fake(folder, says, code=0):
    """A program `git` with a fixed output."""
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{says}\nexit {code}\n")
    (folder / "git").chmod(0o755)
    return str(folder)


VERSIONS = [
    ("git version 2.38.0", None),
    ("git version 2.38.1.windows.1", None),
    ("git version 2.100.3", None),
    ("git version 3.0", None),
    ("git version 10.1.2", None),
    ("git version 2.37.9", "git 2.37.9 is too old"),
    ("git version 1.99.1", "git 1.99.1 is too old"),
    ("git version 2.4.38", "git 2.4.38 is too old"),
    ("jj version 2.38", "the version of git cannot be read"),
    ("", "the version of git cannot be read"),
    ("git version 99999.1", "the version of git cannot be read"),
    ("git version 2.99999", None),
]


@pytest.mark.parametrize(("says", "wrong"), VERSIONS)
def test_a_git_that_lacks_a_protection_is_refused(tmp_path, monkeypatch, says, wrong):
    monkeypatch.setenv("PATH", fake(tmp_path / "bin", f"echo '{says}'"))
    if wrong is None:
        git.check_version(str(tmp_path))
        return
    problem = refusal(OptionError, git.check_version, str(tmp_path))
    assert problem.message.startswith(f"{wrong}: before 2.38, git reads a bare repository")
    assert (problem.code, problem.help) == ("old-git", "install git 2.38 or later")


def test_a_version_that_is_no_text(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", fake(tmp_path / "bin", r"printf 'git version 2.1.\377\n'"))
    assert "git 2.1.\ufffd is too old" in refusal(OptionError, git.check_version, str(tmp_path)).message


def test_a_version_is_cut_in_a_message(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", fake(tmp_path / "bin", f"echo 'git version 2.1.{'9' * 60}'"))
    assert f"git 2.1.{'9' * 36} is too old" in refusal(OptionError, git.check_version, str(tmp_path)).message


def test_only_a_git_of_an_absolute_directory_is_run(tmp_path, monkeypatch):
    own = fake(tmp_path / "bin", "echo own")
    monkeypatch.chdir(tmp_path)
    assert git.program({"PATH": own}) == os.path.join(own, "git")
    assert git.program({"PATH": os.pathsep.join(["bin", ".", "", own])}) == os.path.join(own, "git")
    for path in ("bin", "", "bin:.", str(tmp_path)):
        problem = refusal(OptionError, git.program, {"PATH": path})
        assert (problem.code, problem.message, problem.help) == (
            *("no-git", "there is no program `git`", "costcalc needs git to read the history"),
        )


def test_a_git_that_does_not_end_or_cannot_start(tmp_path, monkeypatch):
    monkeypatch.setattr(git, "SECONDS", 0.2)
    monkeypatch.setenv("PATH", fake(tmp_path / "slow", "exec /bin/sleep 20"))
    problem = refusal(OptionError, git.output, str(tmp_path), "version")
    assert (problem.code, problem.message) == ("limit", "git took longer than 0.2 seconds")
    broken = fake(tmp_path / "broken", "")
    (tmp_path / "broken" / "git").write_text("#!/no/such/shell\n")
    monkeypatch.setenv("PATH", broken)
    problem = refusal(OptionError, git.output, str(tmp_path), "version")
    assert (problem.code, problem.message) == ("no-git", "the program `git` cannot be started")


def test_what_git_prints_or_none_where_it_refuses(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", fake(tmp_path / "good", "echo said; echo other >&2"))
    assert git.output(str(tmp_path), "version") == b"said\n"
    monkeypatch.setenv("PATH", fake(tmp_path / "bad", "echo said", 3))
    assert git.output(str(tmp_path), "version") is None


def test_the_environment_of_git_names_no_other_repository_and_no_program(monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    given = {"GIT_DIR": "x", "GIT_INDEX_FILE": "x", "GIT_SSH_COMMAND": "x", "GIT_EXTERNAL_DIFF": "x"}
    kept = {"GIT_CONFIG_GLOBAL": "g", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "k", "GIT_CONFIG_VALUE_10": "v"}
    for name, value in {**given, **kept, "GIT_CONFIG": "x", "GIT_CONFIG_KEY_": "x", "XGIT_DIR": "mine"}.items():
        monkeypatch.setenv(name, value)
    found = git.environment("/a/b")
    safe = {
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": "/a",
    }
    assert {name: value for name, value in found.items() if name.startswith("GIT_")} == {**kept, **safe}
    assert (found["XGIT_DIR"], found["PATH"]) == ("mine", os.environ["PATH"])


def linked(repository, **links):
    for name, target in links.items():
        path = repository.root / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target)
    return repository.commit()


def test_links_at_a_commit_are_followed_as_far_as_the_directory_goes(repository):
    repository.write(models__net="net", top="top")
    commit = linked(
        repository,
        models__a="net.yaml",
        models__b="./../models/a.yaml",
        models__up="../top.yaml",
        models__out="../../x.yaml",
        models__root="/etc/passwd",
        models__loop="loop.yaml",
        near="models/net.yaml",
        modelsx__e="../models/net.yaml",
    )
    (repository.root / "folder").symlink_to("models")
    commit = repository.commit()
    found = Repository.find()
    here, inside = Revision(found, commit, "main", ""), Revision(found, commit, "main", "models")
    assert {path: here.real(path) for path in ("near.yaml", "models/up.yaml", "folder/b.yaml", "modelsx/e.yaml")} == {
        "near.yaml": "models/net.yaml",
        "models/up.yaml": "top.yaml",
        "folder/b.yaml": "models/net.yaml",
        "modelsx/e.yaml": "models/net.yaml",
    }
    assert (here.real("no.yaml"), here.real("models"), here.real("models//./net.yaml")) == (
        *(None, None, "models/net.yaml"),
    )
    assert (inside.real("b.yaml"), inside.real("no.yaml")) == ("net.yaml", None)
    for one, path in ((inside, "up.yaml"), (here, "models/out.yaml"), (here, "models/root.yaml"), (here, "../x.yaml")):
        problem = refusal(FileError, one.real, path)
        assert problem.message == f"`{path}` is a link that leaves the directory at main"
        assert (problem.code, problem.help) == ("bad-include", "try another base: --base REF")
    problem = refusal(FileError, here.real, "models/loop.yaml")
    assert (problem.code, problem.message) == (*("bad-include", "`models/loop.yaml` is a circular link at main"),)


def test_files_that_can_be_run_are_files_too(repository):
    shas = [repository.commit(net=NET) and repository.git("rev-parse", "HEAD:net.yaml")]
    entries = b"".join(
        mode + name + bytes.fromhex(shas[0])
        for mode, name in ((b"100644 ", b"a.yaml\0"), (b"100664 ", b"b.yaml\0"), (b"100755 ", b"c.yaml\0"))
    )
    command = ["git", "-C", repository.root, "hash-object", "-t", "tree", "-w", "--stdin", "--literally"]
    done = subprocess.run(command, input=entries, capture_output=True, check=True)
    commit = repository.git("commit-tree", "-m", "all modes of files", done.stdout.decode().strip())
    here = Revision(Repository.find(), commit, "main", "")
    assert [here.real(f"{name}.yaml") for name in "abc"] == ["a.yaml", "b.yaml", "c.yaml"]


def test_a_link_may_be_of_as_many_bytes_as_a_path(repository):
    repository.commit(net=NET)
    for size, real in ((4096, "net.yaml"), (4097, None)):
        text = "./" * ((size - 8) // 2) + "/" * (size % 2) + "net.yaml"
        assert len(text) == size
        (repository.root / "target").write_text(text)
        sha = repository.git("hash-object", "-w", "target")
        repository.git("update-index", "--add", "--cacheinfo", f"120000,{sha},link.yaml")
        commit = repository.git("commit-tree", "-m", "a link", repository.git("write-tree"))
        here = Revision(Repository.find(), commit, "main", "")
        if real:
            assert here.real("link.yaml") == real
        else:
            assert "is a circular link" in refusal(FileError, here.real, "link.yaml").message


def test_forty_links_are_followed_and_no_more(repository):
    repository.write(n0="net")
    commit = linked(repository, **{f"n{at}": f"n{at - 1}.yaml" for at in range(1, 42)})
    here = Revision(Repository.find(), commit, "main", "")
    assert here.real("n40.yaml") == "n0.yaml"
    assert refusal(FileError, here.real, "n41.yaml").message == "`n41.yaml` is a circular link at main"


def test_a_spec_at_a_commit(repository, limit):
    first = repository.commit(models__net="then", models__other="o", models__sub__c="c", modelsx__d="d")
    (repository.root / "models/note.txt").write_text("no spec")
    repository.commit(models__net="now")
    found = Repository.find()
    source, origin = spec_at(found, first, "v1", "models/net.yaml")
    assert (source.path, source.text) == ("models/net.yaml at v1", "then")
    assert (origin.path, origin.folder.names("")) == ("net.yaml", ["net.yaml", "other.yaml"])
    assert origin.folder.source("other.yaml").text == "o"
    assert origin_at(found, first, "v1", "models/sub/c.yaml").folder.names("") == ["c.yaml"]
    problem = refusal(FileError, spec_at, found, first, "v1", "models/new.yaml")
    assert (problem.code, problem.message) == ("no-file-at-revision", "there is no 'models/new.yaml' at v1")
    limit(file_bytes=4)
    assert spec_at(found, first, "v1", "models/net.yaml")[0].text == "then"
    limit(file_bytes=3)
    problem = refusal(FileError, spec_at, found, first, "v1", "models/net.yaml")
    assert (problem.code, problem.message) == ("limit", "'models/net.yaml at v1' is larger than 3 bytes")
    assert "COSTCALC_LIMITS=file_bytes=N" in problem.help


def test_a_path_at_a_revision(repository, tmp_path_factory, monkeypatch):
    repository.commit(models__net="then", mobilenet="mine")
    repository.write(models__net="now")
    source, _ = at_revision("models/net.yaml", "main")
    assert (source.path, source.text) == ("models/net.yaml", "then")
    assert at_revision("mobilenet.yaml", "main")[0].text == "mine"
    shipped = next(name for name in configs() if name != "mobilenet")
    for path, what in (("-", "standard input"), (shipped, f"the shipped config `{shipped}`")):
        problem = refusal(OptionError, at_revision, path, "main")
        assert (problem.code, problem.message) == ("usage", f"{what} has no history")
        assert problem.help == "name a file in a git repository"
    problem = refusal(FileError, at_revision, "gone/a.yaml", "main")
    assert (problem.code, problem.message) == ("no-file", "there is no directory 'gone'")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.yaml").touch()
    help = "compare two files: costcalc diff OLD NEW"
    problem = refusal(FileError, at_revision, str(outside / "x.yaml"), "main")
    assert problem.message == f"{str(outside / 'x.yaml')!r} is not in the repository of the working directory"
    assert (problem.code, problem.help) == ("not-a-repository", f"go to the repository of the file, or {help}")
    monkeypatch.chdir(outside)
    for path, more in (
        ("x.yaml", ""),
        (f"../{outside.name}/x.yaml", "go to the repository of the file, or "),
        (str(repository.root / "mobilenet.yaml"), "go to the repository of the file, or "),
    ):
        problem = refusal(FileError, at_revision, path, "main")
        assert (problem.message, problem.help) == (f"{path!r} is not in a git repository", f"{more}{help}")


def test_no_git_stays_open_after_a_check(repository, run, tmp_path, monkeypatch):
    (tmp_path / "costcalc.yaml").write_text("checks: [{spec: net.yaml, vs_base: {params: +1%}}]\n")
    repository.commit(net="input: [8]\nlayers: [{linear: 4}]\n")
    opened, popen = [], subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **given: opened.append(popen(*args, **given)) or opened[-1])
    gc.disable()
    try:
        assert run("check").code == 0
    finally:
        gc.enable()
    assert any("cat-file" in one.args for one in opened)
    assert [one.args for one in opened if one.poll() is None] == []
