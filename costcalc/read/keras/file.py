"""Read the configuration in a file, within size limits."""

from __future__ import annotations

import re
import zipfile
from typing import Any, BinaryIO

from ... import limits
from ...errors import FileError, Problem, Source
from ...files import opened, text
from ..json_text import value

DIRECTORY = 1_000_000  # limit on the bytes of an archive's directory, which `zipfile` reads whole
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # compression methods that `zipfile` unpacks in pieces
_MARKS = re.compile(r'\\.|[",\[{]', re.DOTALL)


def is_model(source: Source) -> bool:
    """Whether a text looks like a Keras configuration rather than a spec written as JSON."""
    return source.path.lower().endswith(".keras") or '"class_name"' in source.text


def source(path: str) -> Source:
    """The Source of a configuration. Raises FileError."""
    if not path.lower().endswith(".keras"):
        return Source(path, text(path))
    with opened(path) as file:
        return unpacked(file, path)


class _Bounded:
    """File object that refuses large reads."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable, self.file = file.seek, file.tell, file.seekable, file

    def read(self, size: int = -1) -> bytes:
        """Read at most DIRECTORY bytes. Raises BadZipFile if `size` is larger."""
        if size > DIRECTORY:
            raise zipfile.BadZipFile(f"its list of files is larger than {DIRECTORY:,} bytes")
        return self.file.read(DIRECTORY if size < 0 else size)


def _configuration(archive: BinaryIO) -> bytes:
    """Start of the configuration in an archive, at most one byte more than the limit."""
    with zipfile.ZipFile(_Bounded(archive)) as packed:
        found = packed.getinfo("config.json")
        if found.compress_type not in _PACKED:
            raise zipfile.BadZipFile("its compression is neither none nor deflate")
        with packed.open(found) as file:
            return file.read(limits.FILE_BYTES + 1)  # bounds the unpacked size, whatever size the archive states


def unpacked(archive: BinaryIO, path: str) -> Source:
    """The Source of the configuration in an open archive. Raises FileError."""
    try:
        data = _configuration(archive)
    except OSError as error:
        raise FileError(Problem("unreadable", f"cannot read {path!r}: {error.strerror or error}")) from None
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        help = "a .keras file is a zip archive with `config.json` in it"
        raise FileError(Problem("bad-keras", f"{path!r} contains no configuration: {error}", help=help)) from None
    except Exception as error:  # zlib.error, lzma.LZMAError: the compressed data is damaged
        raise FileError(Problem("bad-keras", f"{path!r} is damaged: {error}")) from None
    if len(data) > limits.FILE_BYTES:
        message = f"the configuration in {path!r} is larger than {limits.FILE_BYTES:,} bytes"
        raise FileError(Problem("limit", message, help=limits.hint("file_bytes")))
    return Source(path, data.decode("utf-8", "replace"))


def parsed(source: Source) -> dict[str, Any]:
    """Parse the configuration of a model and check that it has a class name and a `config`. Raises FileError."""
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
    """Refuse a text with more values than the limit on memory allows."""
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
