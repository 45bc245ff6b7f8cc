"""A network as texts that another process or machine can read it from."""

from __future__ import annotations

import io
import os
import posixpath
from functools import lru_cache
from typing import TYPE_CHECKING

from ...errors import FileError, OptionError, Problem, Source
from ...files import Origin
from ...model.network import Model
from ...model.storage import Storage
from ...read.loading import modelled
from ...records import NamedTuple

if TYPE_CHECKING:
    import pandas


class Parcel(NamedTuple):
    """The sources of a network, the name it is called by, and how its tensors are stored."""

    source: Source
    included: tuple[Source, ...]
    name: str
    storage: Storage


class _Texts:
    """A store of files that has only those of a parcel."""

    def __init__(self, folder: str, files: dict[str, Source]) -> None:
        self.folder, self.files = folder, files

    def real(self, path: str) -> str | None:
        """The path itself, if there is a file."""
        return path if posixpath.join(self.folder, path) in self.files else None

    def source(self, path: str) -> Source:
        """The text of a file."""
        return self.files[posixpath.join(self.folder, path)]

    def names(self, path: str) -> list[str]:
        """No hints: what was read once has all it includes."""
        return []


def packed(model: Model) -> Parcel:
    """The parcel of a model that was read from files. Raises FileError for others."""
    if not (model.source.text or model.source.data):
        raise FileError(Problem("other-kind", f"{model.name} was not read from a file: write it as a spec first"))
    return Parcel(model.source, model.included, model.name, model.storage)


@lru_cache(8)
def unpacked(parcel: Parcel) -> Model:
    """The model of a parcel."""
    path = parcel.source.path.replace(os.sep, "/")
    folder, name = posixpath.split(path)
    files = {one.path.replace(os.sep, "/"): one for one in (parcel.source, *parcel.included)}
    model = modelled(parcel.source, Origin(_Texts(folder, files), name))
    return model._replace(name=parcel.name, storage=parcel.storage)


def parquet_of(frame: pandas.DataFrame) -> bytes:
    """The bytes of a Parquet file with the rows of a frame. Raises OptionError without pyarrow."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        message = "Parquet needs the pyarrow package"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[parquet]'")) from None
    data = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pandas(frame, preserve_index=False), data)
    return data.getvalue()
