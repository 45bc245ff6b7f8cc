"""A written file is either complete or unchanged, on a full disk and for every command that writes."""

import os
import re
import resource
import subprocess
import sys

import pytest

from costcalc.errors import FileError
from costcalc.replacing import is_lost, remove_unfinished, replacing

RUN = """
import resource, sys
from costcalc.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
main(sys.argv[2:])
"""
NET = "vars: {alpha: 1.0}\ninput: [8, 8, 3]\nlayers: [{conv: 3x3, out: floor(alpha * 8)}]\n"
CHECKS = "# why: a phone, and this comment stays\nchecks:\n  - {spec: net.yaml, max: {mult_adds: 10}}  # too low\n"
WRITING = [  # command line, the file it writes
    ("analyze mobilenet -o out.csv", "out.csv"),
    ("analyze mobilenet -o out.json", "out.json"),
    ("sweep mobilenet --alpha 1,0.75,0.5 -o out.csv", "out.csv"),
    ("sweep mobilenet --alpha 1,0.75,0.5 -o out.parquet", "out.parquet"),
    ("fit mobilenet --vary alpha=0.25:1:0.25 --max params=3M -o out.csv", "out.csv"),
    ("plot mobilenet --alpha 1,0.5 -o out.svg", "out.svg"),
    ("compare mobilenet --conv standard -o out.md", "out.md"),
    ("selftest relu --cases 5 -o out.json", "out.json"),
    ("check --format json -o out.json", "out.json"),
    ("check --update", "costcalc.yaml"),
    ("export mobilenet --weights none -o out.onnx", "out.onnx"),
]


FAILING = "check --format json -o out.json"  # its limit is too low


def written(folder, line, most):
    """(exit code, standard error) of a command that cannot write files of more than `most` bytes."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(most), *line.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="files cannot be kept small there")
@pytest.mark.parametrize(("line", "name"), WRITING)
def test_a_full_disk_leaves_the_old_file(tmp_path, line, name):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "net.yaml").write_text(NET)
    (folder / "costcalc.yaml").write_text(CHECKS)
    if name != "costcalc.yaml":
        (folder / name).write_text("before")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code, err = written(folder, line, 20)
    assert code == 2
    assert f"cannot write '{name}': File too large" in err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert written(folder, line, 10**9)[0] == (line == FAILING)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert (after.keys(), after[name] != before[name]) == (before.keys(), True)
    assert {one: data for one, data in after.items() if one != name} == {
        one: data for one, data in before.items() if one != name
    }


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("line", ["analyze mobilenet --json", "sweep mobilenet --alpha 1,0.5 --json"])
def test_a_full_device_is_an_error(tmp_path, line):
    code, err = written(tmp_path, f"{line} -o /dev/full", 10**9)
    assert code == 2
    assert "cannot write '/dev/full': No space left on device" in err


def test_an_update_keeps_links_rights_and_comments(run, tmp_path):
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "real.yaml").write_text(CHECKS)
    (tmp_path / "real.yaml").chmod(0o640)
    (tmp_path / "costcalc.yaml").symlink_to("real.yaml")
    assert run("check", "--update")[0] == 0
    assert (tmp_path / "costcalc.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == CHECKS.replace("mult_adds: 10}", "mult_adds: 13824}")
    assert (tmp_path / "real.yaml").stat().st_mode & 0o7777 == 0o640


@pytest.fixture
def mask():
    """Set the umask to 0, so that files get the requested permissions."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_text_is_utf8_and_line_ends_stay(tmp_path):
    with replacing(tmp_path / "a") as file:
        file.write("ä\n\r\n\ud800")
    assert (tmp_path / "a").read_bytes() == "ä\n\r\n\\ud800".encode()
    with replacing(tmp_path / "a", binary=True) as file:
        file.write(b"\xff\n")
    assert (tmp_path / "a").read_bytes() == b"\xff\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_pipe_stays_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "p")
    reading = os.open(tmp_path / "p", os.O_RDONLY | os.O_NONBLOCK)
    for binary, data in ((False, "text"), (True, b"\xff")):
        with replacing(tmp_path / "p", binary) as file:
            file.write(data)
    assert os.read(reading, 100) == b"text\xff"
    os.close(reading)
    assert (tmp_path / "p").is_fifo()


def test_a_new_file_has_the_rights_of_new_files_and_another_keeps_its_own(tmp_path, mask):
    with replacing(tmp_path / "new"):
        pass
    assert (tmp_path / "new").stat().st_mode & 0o7777 == 0o666
    for rights in (0o600, 0o1644, 0o755):
        (tmp_path / "old").touch()
        (tmp_path / "old").chmod(rights)
        with replacing(tmp_path / "old") as file:
            beside = next(path for path in tmp_path.iterdir() if path.name.startswith(".old."))
            assert beside.stat().st_mode & 0o7777 == rights
            file.write("x")
        assert (tmp_path / "old").stat().st_mode & 0o7777 == rights


def test_nobody_else_can_open_the_file_of_a_secret_at_any_time(tmp_path, mask, monkeypatch):
    (tmp_path / "secret").touch()
    (tmp_path / "secret").chmod(0o600)
    seen, plain = [], os.chmod
    monkeypatch.setattr(os, "chmod", lambda path, mode: seen.append(os.stat(path).st_mode & 0o77) or plain(path, mode))
    with replacing(tmp_path / "secret"):
        pass
    assert seen == [0]


def test_a_name_that_was_guessed_is_not_written_to(tmp_path, monkeypatch):
    (tmp_path / "victim").write_text("as it was")
    monkeypatch.setattr(os, "urandom", bytes)
    for plant in (lambda path: path.symlink_to("victim"), lambda path: path.write_text("as it was")):
        guessed = tmp_path / f".out.{'00' * 8}.tmp"
        plant(guessed)
        with pytest.raises(FileError, match="File exists"), replacing(str(tmp_path / "out")):
            pass
        assert {path.read_text() for path in tmp_path.iterdir()} == {"as it was"}
        guessed.unlink()


def test_two_that_write_at_once_leave_one_of_both(tmp_path):
    target = tmp_path / ("n" * 255)
    with replacing(target) as one, replacing(target) as other:
        one.write("one")
        other.write("other")
    assert target.read_text() == "one"  # which ends last
    assert len(list(tmp_path.iterdir())) == 1


def _stop_while_writing(path, error):
    with replacing(path) as file:
        file.write("new")
        raise error


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a").write_text("old")
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error):
            _stop_while_writing(tmp_path / "a", error)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="which file a number is, as Linux says it")
def test_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    order, sync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda number: order.append(os.readlink(f"/proc/self/fd/{number}")) or sync(number)
    )
    monkeypatch.setattr(os, "replace", lambda *names: order.append("rename") or replace(*names))
    with replacing(tmp_path / "a") as file:
        file.write("new")
    folder = str(tmp_path.resolve())
    assert [order[0].startswith(f"{folder}/.a."), *order[1:]] == [True, "rename", folder]


@pytest.mark.parametrize(
    ("name", "message", "help"),
    [
        ("gone/a", "cannot write 'gone/a': No such file or directory", "there is no directory 'gone'"),
        (".", "cannot write '.': Is a directory", None),
    ],
)
def test_what_cannot_be_written_says_why(tmp_path, monkeypatch, name, message, help):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError) as error, replacing(name):
        pass
    problem = error.value.problems[0]
    assert (problem.code, problem.message, problem.help) == ("unwritable", message, help)


def test_a_working_directory_that_is_gone_is_said_of_relative_paths_alone(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert not is_lost()
    (tmp_path / "work").rmdir()
    assert is_lost()
    for name, help in (("a", "the working directory is gone"), ("b/a", "the working directory is gone")):
        with pytest.raises(FileError) as error, replacing(name):
            pass
        assert error.value.problems[0].help == help
    with pytest.raises(FileError) as error, replacing(str(tmp_path / "no" / "a")):
        pass
    assert error.value.problems[0].help == f"there is no directory {str(tmp_path / 'no')!r}"


def test_a_link_is_written_through_where_it_stays_and_reaches_no_file_of_git(tmp_path, monkeypatch):
    (tmp_path / "top" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "top")
    for name in ("in.txt", "../out.txt", ".git/config"):
        (tmp_path / "top" / name).write_text("old")
    links = {"inside": "in.txt", "outside": "../out.txt", "deep": ".git/config"}
    for name, target in links.items():
        os.symlink(target, name)
        if name == "inside":
            with replacing(name) as file:
                file.write("new")
            continue
        with pytest.raises(FileError) as error, replacing(name) as file:
            file.write("new")
        (problem,) = error.value.problems
        said = {
            "outside": ("bad-include", "`outside` is a link that leaves the directory", "put the file itself there"),
            "deep": ("unwritable", "'deep' is a link to a file of git", "remove the link, or name another file"),
        }
        assert problem[:2] + problem[3:4] == said[name]
    assert [(tmp_path / "top" / target).read_text() for target in links.values()] == ["new", "old", "old"]
    assert os.path.islink("inside")
    with replacing(".git/config") as file:  # a directly named file may be written
        file.write("new")
    assert sorted(os.listdir()) == [".git", "deep", "in.txt", "inside", "outside"]


def test_the_file_beside_has_the_first_letters_of_the_name(tmp_path):
    name = "n" * 100
    with replacing(str(tmp_path / name)):
        (beside,) = os.listdir(tmp_path)
    assert re.fullmatch(r"\.n{60}\.[0-9a-f]{16}\.tmp", beside)
    assert os.listdir(tmp_path) == [name]


def test_files_that_a_killed_program_left_are_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ending = "0123456789abcdef.tmp"
    others = ["a.csv", f"a.csv.{ending}", f".a.csv.{ending}.x", ".a.csv.0123.tmp", ".a.csv.0123456789abcdeg.tmp"]

    def left():
        return sorted(set(os.listdir()) - set(others))

    for name in (*others, f".a.csv.{ending}", f".b.csv.{ending}", f".new\nline.{ending}"):
        (tmp_path / name).write_text("x")
    remove_unfinished("", "a.csv")
    assert left() == [f".b.csv.{ending}", f".new\nline.{ending}"]
    remove_unfinished(str(tmp_path), "b.csv")
    assert left() == [f".new\nline.{ending}"]
    remove_unfinished("")
    assert left() == []
    assert sorted(os.listdir()) == sorted(others)
    (tmp_path / f".a.csv.{ending}").write_text("x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f".a.csv.{ending}").write_text("x")
    remove_unfinished("in")
    assert (left(), os.listdir("in")) == ([f".a.csv.{ending}", "in"], [])
