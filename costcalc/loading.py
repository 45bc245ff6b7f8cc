"""Finds a spec, by path or by the name of a shipped config, and reads it."""

import os
import sys
from functools import lru_cache

from . import limits
from .errors import FileError, Place, Problem, Source, nearest


def load(spec):
    """The Model of a path, of `-` (standard input), or of a shipped config's name (`mobilenet`, `mobilenet.yaml`).

    A file of that name in the working directory wins. Raises FileError or SpecError.
    """
    from .read.spec import read

    return read(source(spec))


def source(spec):
    """The text of a spec and where it is from."""
    spec = os.fspath(spec)
    if spec == "-":
        return Source("-", decoded(sys.stdin.buffer.read(limits.FILE_BYTES + 1), "standard input"))
    if _exists(spec):
        return Source(spec, _text(spec))
    shipped = configs().get(spec.removesuffix(".yaml"))
    if shipped is None:
        raise FileError(Problem("no-file", f"there is no file {spec!r}", help=_similar(spec)))
    return Source(os.path.basename(shipped), _text(shipped))


def _exists(path):
    try:
        return os.path.exists(path)
    except ValueError:  # a name that no file can have
        return False


@lru_cache(1)
def configs():
    """The shipped configs: name -> path."""
    here = os.path.dirname(__file__)
    inside, beside = os.path.join(here, "configs"), os.path.join(os.path.dirname(here), "configs")
    folder = inside if os.path.isdir(inside) else beside
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return {name[:-5]: os.path.join(folder, name) for name in names if name.endswith(".yaml")}


def _similar(spec):
    folder, name = os.path.split(spec)
    stem = name.removesuffix(".yaml").removesuffix(".yml")
    help = nearest(name, _specs_in(folder or ".")) or nearest(stem, configs())
    return help or "`costcalc zoo` lists the shipped configs"


def _specs_in(folder):
    try:
        names = os.listdir(folder)
    except (OSError, ValueError):
        return []
    return [name for name in names if name.endswith((".yaml", ".yml"))][:1000]


def _text(path):
    if os.path.isdir(path):
        raise FileError(Problem("not-a-file", f"{path!r} is a directory", help="name a file in it"))
    if not os.path.isfile(path):
        raise FileError(Problem("not-a-file", f"{path!r} is not a regular file"))
    try:
        with open(path, "rb") as file:
            data = file.read(limits.FILE_BYTES + 1)
    except OSError as error:
        raise FileError(Problem("unreadable", f"cannot read {path!r}: {error.strerror}")) from None
    return decoded(data, path)


def decoded(data, path):
    """The text of a file's bytes. Raises FileError when they are no UTF-8 text of bearable size."""
    if len(data) > limits.FILE_BYTES:
        raise FileError(Problem("limit", f"{path!r} is larger than {limits.FILE_BYTES:,} bytes"))
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or max(data[:80:2].count(0), data[1:80:2].count(0)) > 16:
        raise FileError(Problem("not-utf8", f"{path!r} is UTF-16", help="save it as UTF-8"))
    if b"\0" in data:
        raise FileError(Problem("binary", f"{path!r} is a binary file, not a spec", help="a spec is a YAML text"))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(data, path, error.start) from None


def _not_utf8(data, path, start):
    before, text = data[:start].decode("utf-8"), data.decode("utf-8", "replace")
    place = Place(Source(path, text), before.count("\n") + 1, len(before) - before.rfind("\n"))
    return FileError(
        Problem("not-utf8", f"not UTF-8: here is byte 0x{data[start]:02x}", place, "save the file as UTF-8")
    )
