"""The configuration of a Keras model in a file: how much is unpacked, and what is refused."""

import io
import json
import zipfile

import pytest

from costcalc.errors import FileError, Source
from costcalc.read.keras.file import DIRECTORY, _Bounded, is_model, parsed, source, unpacked

GOOD = {"class_name": "Sequential", "config": {"layers": []}}
HELP = "a .keras file is a zip archive with `config.json` in it"


def packed(data, name="config.json", method=zipfile.ZIP_DEFLATED):
    """The bytes of an archive with one file."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", method) as archive:
        archive.writestr(name, data)
    return found.getvalue()


def refusal(call, *args):
    with pytest.raises(FileError) as error:
        call(*args)
    return error.value.problems[0]


def text_of(data):
    return unpacked(io.BytesIO(data), "net.keras").text


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_unpacks_piece_by_piece_is_read(method):
    assert text_of(packed("ä" * 1_000, method=method)) == "ä" * 1_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_whole_is_refused(method):
    problem = refusal(text_of, packed("x", method=method))
    message = "'net.keras' contains no configuration: its compression is neither none nor deflate"
    assert (problem.code, problem.message, problem.help) == ("bad-keras", message, HELP)


def test_bytes_that_are_no_text_are_replaced():
    assert text_of(packed(b"a\xffb")) == "a\ufffdb"


def test_as_many_bytes_as_are_allowed(limit):
    limit(file_bytes=50)
    assert text_of(packed(b" " * 50)) == " " * 50
    for size in (51, 5_000_000):
        problem = refusal(text_of, packed(b" " * size))
        message = "the configuration in 'net.keras' is larger than 50 bytes"
        assert (problem.code, problem.message) == ("limit", message)
        assert "COSTCALC_LIMITS=file_bytes=N" in problem.help


def test_no_more_is_unpacked_than_may_be_read(limit):
    """A checksum is verified at the end of a file, so a wrong one is detected only by unpacking everything."""
    limit(file_bytes=50)
    data = bytearray(packed(bytes(100_000), method=zipfile.ZIP_STORED))
    data[90_000] = 1
    assert refusal(text_of, bytes(data)).code == "limit"
    limit(file_bytes=200_000)
    assert "Bad CRC-32" in refusal(text_of, bytes(data)).message


NOISE = packed("x" * 5_000)
BROKEN = {
    "no archive": (b"x" * 100, "'net.keras' contains no configuration: File is not a zip file", HELP),
    "empty": (b"", "'net.keras' contains no configuration: File is not a zip file", HELP),
    "another file": (packed("x", "model.json"), "'net.keras' contains no configuration: ", HELP),
    "damaged": (packed(json.dumps(GOOD)).replace(b"PK\x03\x04", b"PK\x03\x05"), "'net.keras' contains no conf", HELP),
    "noise inside": (
        packed("x" * 5_000)[:43] + b"\xff" * 5 + packed("x" * 5_000)[48:],
        "'net.keras' is damaged: ",
        None,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_archive(name):
    data, message, help = BROKEN[name]
    problem = refusal(text_of, data)
    assert (problem.code, problem.help) == ("bad-keras", help)
    assert problem.message.startswith(message)


def test_a_file_that_cannot_be_read():
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() < 10:  # the file itself; the list of files is at the end
                raise OSError(5, "Input/output error")
            return super().read(size)

    problem = refusal(unpacked, Failing(packed("x")), "net.keras")
    assert (problem.code, problem.message) == ("unreadable", "cannot read 'net.keras': Input/output error")


def test_no_large_part_is_read_at_once():
    sizes = []

    class File(io.BytesIO):
        def read(self, size=-1):
            sizes.append(size)
            return super().read(size)

    file = _Bounded(File(bytes(DIRECTORY + 5)))
    assert len(file.read(DIRECTORY)) == DIRECTORY
    file.seek(0)
    assert len(file.read()) == len(file.read(-1)) + DIRECTORY - 5 == DIRECTORY
    file.seek(0)
    assert file.read(0) == b""
    with pytest.raises(zipfile.BadZipFile, match=f"larger than {DIRECTORY:,} bytes"):
        file.read(DIRECTORY + 1)
    assert max(sizes) == DIRECTORY == 1_000_000


def test_the_ending_says_what_a_file_is(tmp_path):
    for name in ("net.keras", "net.KERAS"):
        (tmp_path / name).write_bytes(packed("in the archive"))
        assert source(str(tmp_path / name)).text == "in the archive"
        assert is_model(Source(name, ""))
    (tmp_path / "net.json").write_text("{}")
    assert source(str(tmp_path / "net.json")) == Source(str(tmp_path / "net.json"), "{}")
    assert not is_model(Source("net.json", "{}"))
    assert is_model(Source("net.json", json.dumps(GOOD)))


def test_a_configuration_is_a_class_with_a_map_or_a_list():
    assert parsed(Source("net.json", json.dumps(GOOD))) == GOOD
    assert parsed(Source("net.json", '{"class_name": "A", "config": []}'))["config"] == []
    smile = r'{"class_name": "A", "config": ["\ud83d\ude00", 1e-400]}'
    assert parsed(Source("net.json", smile))["config"] == ["\U0001f600", 0.0]
    for text in ("[]", "{}", '{"class_name": 1, "config": {}}', '{"class_name": "A", "config": 1}', '{"config": {}}'):
        problem = refusal(parsed, Source("net.json", text))
        assert (problem.code, problem.message) == ("bad-keras", "'net.json' is not a Keras model")
        assert problem.help == "write it with `model.to_json()`"
    for text, why in (
        ('{"class_name": "A", "config": {"a": NaN}}', "NaN is not a JSON number"),
        ('{"class_name": "A", "config": {"a": -Infinity}}', "-Infinity is not a JSON number"),
        ('{"class_name": "A", "config": {"a": -1e400}}', "-1e400 is too large for a number"),
        ('{"class_name": "A", "config": {"a\\ud800": 1}}', "it has an invalid Unicode escape"),
        ("{", "Expecting property name"),
    ):
        problem = refusal(parsed, Source("net.json", text))
        assert problem.code == "bad-keras"
        assert problem.message.startswith(f"'net.json' is not JSON: {why}")


VALUES = [  # a text, its number of values: one for each map, list and comma outside strings
    ('{"class_name": "A", "config": [1, 2]}', 4),
    ('{"class_name": "A", "config": [",,[[{{", 2]}', 4),
    ('{"class_name": "A", "config": ["\\",[{", 2]}', 4),
    ('{"class_name": "A", "config": ["\\\\", [2]]}', 5),
    ('{"class_name": "A", "config": [{}, {}, {}]}', 8),
    ('{"class_name": "A", "config": ["\\\n,", 2]}', 4),
]


@pytest.mark.parametrize(("text", "count"), VALUES)
def test_as_many_values_as_are_allowed(limit, text, count):
    limit(values=count)
    if "\n" not in text:  # invalid in JSON strings
        assert parsed(Source("net.json", text))["class_name"] == "A"
    else:
        assert refusal(parsed, Source("net.json", text)).code == "bad-keras"
    limit(values=count - 1)
    problem = refusal(parsed, Source("net.json", text))
    assert (problem.code, problem.message) == ("limit", f"'net.json' has more than {count - 1} values")
    assert "COSTCALC_LIMITS=values=N" in problem.help
