"""The configuration in a file, bounded before it is read."""

from __future__ import annotations

import re
import zipfile
from typing import Any, BinaryIO

from ... import limits
from ...errors import FileError, Problem, Source
from ...files import opened, text
from ..json_text import value

DIRECTORY = 1_000_000  # bytes of the list of files in an archive, which `zipfile` reads whole
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # those that unpack piece by piece
_MARKS = re.compile(r'\\.|[",\[{]', re.DOTALL)


def is_model(source: Source) -> bool:
    """Whether a text is meant as the configuration of a model, not as a spec that is JSON."""
    return source.path.lower().endswith(".keras") or '"class_name"' in source.text


def source(path: str) -> Source:
    """The Source of a configuration. Raises FileError."""
    if not path.lower().endswith(".keras"):
        return Source(path, text(path))
    with opened(path) as file:
        return unpacked(file, path)


class _Bounded:
    """A file of which no large part is read at once."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable, self.file = file.seek, file.tell, file.seekable, file

    def read(self, size: int = -1) -> bytes:
        """At most DIRECTORY bytes. Raises BadZipFile where more are asked for."""
        if size > DIRECTORY:
            raise zipfile.BadZipFile(f"its list of files is larger than {DIRECTORY:,} bytes")
        return self.file.read(DIRECTORY if size < 0 else size)


def _configuration(archive: BinaryIO) -> bytes:
    """The start of the configuration in an archive, one byte more than may be read at most."""
    with zipfile.ZipFile(_Bounded(archive)) as packed:
        found = packed.getinfo("config.json")
        if found.compress_type not in _PACKED:
            raise zipfile.BadZipFile("its compression is neither none nor deflate")
        with packed.open(found) as file:
            return file.read(limits.FILE_BYTES + 1)  # no more is unpacked, whatever the archive says of its size


def unpacked(archive: BinaryIO, path: str) -> Source:
    """The Source of the configuration in an archive that is open. Raises FileError."""
    try:
        data = _configuration(archive)
    except OSError as error:
        raise FileError(Problem("unreadable", f"cannot read {path!r}: {error.strerror or error}")) from None
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        help = "a .keras file is a zip archive with `config.json` in it"
        raise FileError(Problem("bad-keras", f"{path!r} holds no configuration: {error}", help=help)) from None
    except Exception as error:  # zlib.error, lzma.LZMAError: what the archive is packed with is damaged
        raise FileError(Problem("bad-keras", f"{path!r} is damaged: {error}")) from None
    if len(data) > limits.FILE_BYTES:
        message = f"the configuration in {path!r} is larger than {limits.FILE_BYTES:,} bytes"
        raise FileError(Problem("limit", message, help=limits.hint("file_bytes")))
    return Source(path, data.decode("utf-8", "replace"))


def parsed(source: Source) -> dict[str, Any]:
    """The configuration of a model: class name and configuration. Raises FileError."""
    _check_values(source)
    try:
        found = value(source.text)
    except (ValueError, RecursionError) as error:
        raise FileError(Problem("bad-keras", f"{source.path!r} is not JSON: {error}")) from None
    whole = isinstance(found, dict) and isinstance(found.get("class_name"), str)
    if not whole or not isinstance(found.get("config"), (dict, list)):
        help = "write it with `model.to_json()`"
        raise FileError(Problem("bad-keras", f"{source.path!r} is not a Keras model", help=help))
    return found


def _check_values(source: Source) -> None:
    """Refuse a text of more values than can be kept in memory."""
    text = source.text
    if sum(map(text.count, ",[{")) <= limits.VALUES:
        return
    parts, quoted = 0, False
    for match in _MARKS.finditer(text):
        quoted ^= match[0] == '"'
        parts += not quoted and match[0] in ",[{"
        if parts > limits.VALUES:
            message = f"{source.path!r} has more than {limits.VALUES:,} values"
            raise FileError(Problem("limit", message, help=limits.hint("values")))
