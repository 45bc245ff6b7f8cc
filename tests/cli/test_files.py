"""Spec files: the resolution of paths, and refusals with their messages."""

import os
import socket

import pytest

from costcalc import files
from costcalc.errors import FileError
from costcalc.files import (
    Folder,
    Origin,
    check_links,
    check_path,
    configs,
    copied,
    decoded,
    opened,
    origin,
    shipped,
    specs_in,
    stem,
    text,
    unresolved,
)

HELP = "a path is relative to the directory of the file that contains it, as in `backbones/mobilenet.yaml`"


def refusal(call, *args):
    with pytest.raises(FileError) as error:
        call(*args)
    return error.value.problems[0]


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """top/{a.yaml, sub/b.yaml, out.yaml -> ../c.yaml, in.yaml -> sub/b.yaml, away -> ../other}, c.yaml, other/d.yaml"""
    for name in ("top/a.yaml", "top/sub/b.yaml", "c.yaml", "other/d.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "top/out.yaml").symlink_to("../c.yaml")
    (tmp_path / "top/in.yaml").symlink_to("sub/b.yaml")
    (tmp_path / "top/away").symlink_to("../other")
    (tmp_path / "topmost").mkdir()
    (tmp_path / "topmost/e.yaml").write_text("e")
    (tmp_path / "top/near.yaml").symlink_to("../topmost/e.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_links_in_a_folder_are_followed_as_far_as_its_end(tree):
    folder = Folder("top")
    assert folder.real("a.yaml") == "a.yaml"
    assert folder.real("in.yaml") == "sub/b.yaml"
    assert folder.real("no.yaml") is None
    for path in ("out.yaml", "away/d.yaml", "near.yaml"):
        problem = refusal(folder.real, path)
        assert (problem.code, problem.help) == ("bad-include", "put the file itself there")
        assert problem.message == f"`{path}` is a link that leaves the directory of the spec"
    assert Folder("").real("top/out.yaml") == "c.yaml"
    assert folder.source("sub/b.yaml") == (os.path.join("top", "sub", "b.yaml"), "top/sub/b.yaml", b"", False)


def test_an_include_is_beside_its_file_or_shipped(tree):
    (tree / "top/sub/mobilenet.yaml").write_text("mine")
    start = Origin(Folder("top"), "sub/b.yaml")
    assert start.included("mobilenet.yaml") == Origin(start.folder, "sub/mobilenet.yaml")
    found = Origin(start.folder, "a.yaml").included("mobilenet.yaml")
    assert (found.folder is shipped(), found.path) == (True, "mobilenet.yaml")
    assert found.folder.source(found.path).shipped
    problem = refusal(start.included, "c.yaml")
    assert (problem.code, problem.message) == ("no-file", "there is no file `c.yaml` here")
    assert refusal(Origin(start.folder, "a.yaml").included, "sub/bb.yaml").help == "a similar name exists: `b.yaml`"
    assert refusal(start.included, "mobilenett.yaml").help == "a similar name exists: `mobilenet.yaml`"
    assert refusal(start.included, "qqqqqqqq.yaml").help == HELP


PATHS = [
    ("a\nb.yaml", "has a character that is not allowed in a path", HELP),
    ("/a.yaml", "is not a relative path", HELP),
    ("a\\b.yaml", "is not a relative path", HELP),
    ("file:a.yaml", "is not a relative path", HELP),
    ("a/../b.yaml", "leaves the directory with `..`", HELP),
    ("a.txt", "is not a spec: its name must end in .yaml or .yml", HELP),
    ("mobilenet", "is not a spec: its name must end in .yaml or .yml", "a similar name exists: `mobilenet.yaml`"),
]


@pytest.mark.parametrize(("name", "why", "help"), PATHS)
def test_what_is_no_path_down(name, why, help):
    problem = refusal(check_path, name)
    assert (problem.code, problem.message, problem.help) == ("bad-include", f"`{name}` {why}", help)


def test_a_shipped_config_becomes_a_file_by_a_command():
    for name in ("mobilenet", "mobilenet.yaml"):
        assert copied(name) == "`costcalc zoo mobilenet > mobilenet.yaml` writes the shipped config"
    assert copied("nothing_of_that_name") is None


def test_paths_down():
    for name in ("a.yaml", "a.yml", "a/b.yaml", "..a/b.yaml", "*.yaml"):
        check_path(name)


def test_a_path_keeps_its_links_but_for_those_that_dots_leave(tree):
    here = str(tree)
    cases = {
        "top/in.yaml": "top/in.yaml",
        "top/away/d.yaml": "top/away/d.yaml",
        "top/./in.yaml": "top/in.yaml",
        "top/away/../c.yaml": "c.yaml",  # as the system resolves it: the directory above `other`
        "top/away/../top/in.yaml": "top/in.yaml",
        "top/sub/../in.yaml": "top/in.yaml",
        "top/sub/../../top/away/d.yaml": "top/away/d.yaml",
    }
    for path, wanted in cases.items():
        assert unresolved(path) == os.path.join(here, wanted), path
        assert unresolved(os.path.join(here, path)) == os.path.join(here, wanted), path


def test_links_that_leave_are_refused(tree, monkeypatch):
    check_links("top/out.yaml")  # it stays below the working directory
    check_links("top/in.yaml", "top")
    monkeypatch.chdir(tree / "top")
    check_links("a.yaml")
    check_links("../c.yaml")
    for path, top in (("out.yaml", None), ("away/d.yaml", None), ("near.yaml", None), ("../top/out.yaml", None)):
        problem = refusal(check_links, path, top)
        assert problem.message == f"`{path}` is a link that leaves the directory"
        assert problem.help == "put the file itself there"
    assert refusal(check_links, "in.yaml", "../other").code == "bad-include"
    (tree / "above.yaml").symlink_to("top/a.yaml")
    check_links("../above.yaml")
    (tree / "other/up.yaml").symlink_to("../c.yaml")
    assert refusal(check_links, "../other/up.yaml").code == "bad-include"


def test_the_origin_of_a_spec():
    assert (origin("a/b/c.yaml").folder.path, origin("a/b/c.yaml").path) == ("a/b", "c.yaml")
    assert (origin("-").folder.path, origin("-").path) == ("", "-")


def test_shipped_configs_by_their_names():
    assert configs()["mobilenet"] == os.path.join(shipped().path, "mobilenet.yaml")
    assert sorted(configs()) == list(configs())
    assert all(os.path.isfile(path) and path.endswith(".yaml") for path in configs().values())


def test_the_specs_in_a_directory(tmp_path):
    for name in ("a.yaml", "b.yml", "c.txt", "yaml"):
        (tmp_path / name).touch()
    assert sorted(specs_in(str(tmp_path))) == ["a.yaml", "b.yml"]
    assert specs_in(str(tmp_path / "none")) == []
    assert specs_in("\0") == []
    for number in range(1_001):
        (tmp_path / f"{number}.yaml").touch()
    assert len(specs_in(str(tmp_path))) == 1_000


def test_the_stem_of_a_path():
    cases = {"a/b/net.v2.yaml": "net", "net": "net", "a\\b\\net.yaml": "net", "a.b/net": "net", ".net": ""}
    assert {path: stem(path) for path in cases} == cases
    assert stem("a\udcff.b.yaml") == "a?"  # only printable names


ENCODED = [  # bytes, the code and the message of the refusal
    ("ä".encode("utf-16"), "not-utf8", "'f' is UTF-16"),
    (b"\xfe\xff\0a", "not-utf8", "'f' is UTF-16"),
    ("abcdefghijklmnopqr".encode("utf-16-le"), "not-utf8", "'f' is UTF-16"),
    ("abcdefghijklmnopqr".encode("utf-16-be"), "not-utf8", "'f' is UTF-16"),
    (b"a\0" * 17, "not-utf8", "'f' is UTF-16"),
    (b"\0a" * 17, "not-utf8", "'f' is UTF-16"),
    (b"a\0" * 16, "binary", "'f' is a binary file, not a spec"),
    (b"\0a" * 16, "binary", "'f' is a binary file, not a spec"),
    (b"x" * 80 + b"\0a" * 40, "binary", "'f' is a binary file, not a spec"),
    (b"x" * 64 + b"\0a" * 40, "binary", "'f' is a binary file, not a spec"),
    (b"x" * 46 + b"\0x" * 17, "not-utf8", "'f' is UTF-16"),
    (b"x" * 46 + b"x\0" * 17, "not-utf8", "'f' is UTF-16"),
    (b"x" * 48 + b"\0x" * 17, "binary", "'f' is a binary file, not a spec"),
    (b"x" * 48 + b"x\0" * 17, "binary", "'f' is a binary file, not a spec"),
    (b"a\0b", "binary", "'f' is a binary file, not a spec"),
]


@pytest.mark.parametrize(("data", "code", "message"), ENCODED)
def test_what_is_no_text(data, code, message):
    problem = refusal(decoded, data, "f")
    assert (problem.code, problem.message) == (code, message)


def test_text_with_or_without_a_mark_at_its_start():
    assert decoded("\ufeffä\n".encode(), "f") == decoded("ä\n".encode(), "f") == "ä\n"
    assert decoded(b"", "f") == ""


@pytest.mark.parametrize(("before", "line", "column"), [("", 1, 1), ("ab", 1, 3), ("ä\nöü", 2, 3), ("a\n\n", 3, 1)])
def test_the_place_of_a_byte_that_is_no_text(before, line, column):
    problem = refusal(decoded, before.encode() + b"\xffx", "f")
    assert (problem.code, problem.message) == ("not-utf8", "not UTF-8: here is byte 0xff")
    assert problem.place[1:3] == (line, column)
    assert problem.place.source == ("f", f"{before}\ufffdx", b"", False)
    assert problem.help == "save the file as UTF-8"


def test_as_many_bytes_as_are_allowed(tmp_path, limit):
    limit(file_bytes=5)
    (tmp_path / "a").write_bytes(b"12345")
    assert text(str(tmp_path / "a")) == "12345"
    (tmp_path / "a").write_bytes(b"123456")
    problem = refusal(text, str(tmp_path / "a"))
    assert (problem.code, problem.message) == ("limit", f"{str(tmp_path / 'a')!r} is larger than 5 bytes")
    assert "COSTCALC_LIMITS=file_bytes=N" in problem.help


def test_no_more_of_a_file_is_read_than_may_be(tmp_path, limit):
    limit(file_bytes=5)
    path = tmp_path / "a"
    path.write_bytes(b"1234567\xff")  # the last byte is not text and is not read
    assert refusal(text, str(path)).code == "limit"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert refusal(text, str(path)).code == "limit"


def test_what_is_no_regular_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("p")
    for name, code, message in (
        (".", "not-a-file", "'.' is a directory"),
        ("p", "not-a-file", "'p' is not a regular file"),
        ("no", "unreadable", "cannot read 'no': No such file or directory"),
        ("a\0", "unreadable", "cannot read 'a\\x00': embedded null byte"),
    ):
        problem = refusal(text, name)
        assert (problem.code, problem.message) == (code, message)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        problem = refusal(text, "s")
    assert (problem.code, problem.message) == ("not-a-file", "'s' is not a regular file")
    (tmp_path / "a").write_bytes(b"x")
    with opened("a") as file:
        assert file.read() == b"x"


def test_shipped_configs_are_in_the_package_or_beside_it(tmp_path, monkeypatch):
    """They are inside an installed package, and next to the package in a checkout."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "package").mkdir()
    monkeypatch.setattr(files, "__file__", str(tmp_path / "package" / "files.py"))
    assert shipped.__wrapped__().path == str(tmp_path / "configs")
    (tmp_path / "package" / "configs").mkdir()
    assert shipped.__wrapped__().path == str(tmp_path / "package" / "configs")


@pytest.fixture
def recording():
    """`record`, with recording stopped after the test."""
    yield files.record
    files._read.set(None)


def test_a_record_has_what_is_read_or_looked_for_each_once_as_it_was_before(tree, tmp_path, recording):
    name = str(tmp_path / "top" / "a.yaml")
    text(name)  # recording has not started
    found = recording()
    text(name)
    before = found[name]
    assert before == files.stamp(name)
    (tmp_path / "top" / "a.yaml").write_text("longer than it was")
    text(name)
    assert found == {name: before} != {name: files.stamp(name)}
    assert refusal(text, str(tmp_path / "none.yaml")).code == "unreadable"
    assert found[str(tmp_path / "none.yaml")] is None


def test_a_record_is_bounded(tree, tmp_path, monkeypatch, recording):
    monkeypatch.setattr(files, "MOST_NOTED", 2)
    found = recording()
    for name in ("top/a.yaml", "top/sub/b.yaml", "c.yaml", "other/d.yaml"):
        text(str(tmp_path / name))
    assert [*found] == [str(tmp_path / name) for name in ("top/a.yaml", "top/sub/b.yaml")]


def test_the_stamp_of_a_directory_is_of_the_specs_in_it(tree, tmp_path):
    folder = tmp_path / "other"
    before = files.stamp(str(folder))
    (folder / "d.yaml").write_text("another text")
    (folder / "notes.txt").write_text("no spec")
    assert files.stamp(str(folder)) == before
    (folder / "e.yaml").write_text("one more")
    assert files.stamp(str(folder)) != before


def test_the_endings_of_specs_are_named():
    asked = refusal(check_path, "net.txt", (".yaml", ".onnx", ".keras")).message
    assert asked == "`net.txt` is not a spec: its name must end in .yaml, .onnx or .keras"
