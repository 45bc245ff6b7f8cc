"""The configuration in a file, bounded before it is read."""

import json
import zipfile

from ... import limits
from ...errors import FileError, Problem, Source
from ...files import text


def is_model(source):
    """Whether a text is meant as the configuration of a model, not as a spec that is JSON."""
    return source.path.lower().endswith(".keras") or '"class_name"' in source.text


def source(path):
    """The Source of a configuration. Raises FileError."""
    return unpacked(path, path) if path.lower().endswith(".keras") else Source(path, text(path))


def unpacked(archive, path):
    """The Source of the configuration in an archive: its path, or a file that is open. Raises FileError."""
    try:
        with zipfile.ZipFile(archive) as packed, packed.open("config.json") as file:
            data = file.read(limits.FILE_BYTES + 1)  # no more is unpacked, whatever the archive says of its size
    except OSError as error:
        raise FileError(Problem("unreadable", f"cannot read {path!r}: {error.strerror or error}")) from None
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        help = "a .keras file is a zip archive with `config.json` in it"
        raise FileError(Problem("bad-keras", f"{path!r} holds no configuration: {error}", help=help)) from None
    except Exception as error:  # zlib.error, lzma.LZMAError: what the archive is packed with is damaged
        raise FileError(Problem("bad-keras", f"{path!r} is damaged: {error}")) from None
    if len(data) > limits.FILE_BYTES:
        raise FileError(Problem("limit", f"the configuration in {path!r} is larger than {limits.FILE_BYTES:,} bytes"))
    return Source(path, data.decode("utf-8", "replace"))


def parsed(source):
    """The configuration of a model: class name and configuration. Raises FileError."""
    try:
        found = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        raise FileError(Problem("bad-keras", f"{source.path!r} is no JSON: {error}")) from None
    if not isinstance(found, dict) or not isinstance(found.get("config"), (dict, list)) or "class_name" not in found:
        help = "write it with `model.to_json()`"
        raise FileError(Problem("bad-keras", f"{source.path!r} is no model of Keras", help=help))
    return found
