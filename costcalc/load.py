"""Finds a spec, by path or by the name of a shipped config, and reads it."""

import os
from functools import lru_cache
from pathlib import Path

from . import limits
from .errors import FileError, Problem, Source, nearest


def load(spec):
    """The Model of a path, or of a shipped config's name (`mobilenet`, `mobilenet.yaml`).

    A file of that name in the working directory wins. Raises FileError or SpecError.
    """
    from .read.spec import read

    return read(source(spec))


def source(spec):
    """The text of a spec and where it is from."""
    spec = os.fspath(spec)
    path = Path(spec)
    if _exists(path):
        return Source(spec, _text(path, spec))
    shipped = configs().get(spec.removesuffix(".yaml"))
    if shipped is None:
        raise FileError(Problem("no-file", f"there is no file {spec!r}", help=_similar(spec)))
    return Source(shipped.name, _text(shipped, spec))


def _exists(path):
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


@lru_cache(1)
def configs():
    """The shipped configs: name -> path."""
    here = Path(__file__).parent
    folder = here / "configs" if (here / "configs").is_dir() else here.parent / "configs"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _similar(spec):
    name = Path(spec).name.removesuffix(".yaml").removesuffix(".yml")
    return nearest(name, configs()) or "`costcalc zoo` lists the shipped configs"


def _text(path, spec):
    try:
        if path.is_dir():
            raise FileError(Problem("not-a-file", f"{spec!r} is a directory", help="name a file in it"))
        if not path.is_file():
            raise FileError(Problem("not-a-file", f"{spec!r} is not a regular file"))
        with path.open("rb") as file:
            data = file.read(limits.FILE_BYTES + 1)
    except OSError as error:
        raise FileError(Problem("unreadable", f"cannot read {spec!r}: {error.strerror}")) from None
    return decoded(data, spec)


def decoded(data, spec):
    """The text of a file's bytes. Raises FileError when they are no UTF-8 text of bearable size."""
    if len(data) > limits.FILE_BYTES:
        raise FileError(Problem("limit", f"{spec!r} is larger than {limits.FILE_BYTES:,} bytes"))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise FileError(Problem("not-utf8", f"{spec!r} is UTF-16", help="save it as UTF-8"))
    if b"\0" in data:
        raise FileError(Problem("binary", f"{spec!r} is a binary file, not a spec"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{spec!r} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"
        raise FileError(Problem("not-utf8", message, help="save it as UTF-8")) from None
