"""Pack a network as texts that another process or machine can load."""

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
    """Sources of a network, its name, and the storage of its tensors."""

    source: Source
    included: tuple[Source, ...]
    name: str
    storage: Storage


class _Texts:
    """A file store that holds only the files of a parcel."""

    def __init__(self, folder: str, files: dict[str, Source]) -> None:
        self.folder, self.files = folder, files

    def real(self, path: str) -> str | None:
        """The path itself, if the parcel has the file."""
        return path if posixpath.join(self.folder, path) in self.files else None

    def source(self, path: str) -> Source:
        """Text of a file."""
        return self.files[posixpath.join(self.folder, path)]

    def names(self, path: str) -> list[str]:
        """No hints: the parcel has every included file."""
        return []


def packed(model: Model) -> Parcel:
    """Pack a model that was read from files. Raises FileError for other models."""
    if not (model.source.text or model.source.data):
        raise FileError(Problem("other-kind", f"{model.name} was not read from a file: write it as a spec first"))
    return Parcel(model.source, model.included, model.name, model.storage)


@lru_cache(8)
def unpacked(parcel: Parcel) -> Model:
    """Model of a parcel."""
    path = parcel.source.path.replace(os.sep, "/")
    folder, name = posixpath.split(path)
    files = {one.path.replace(os.sep, "/"): one for one in (parcel.source, *parcel.included)}
    model = modelled(parcel.source, Origin(_Texts(folder, files), name))
    return model._replace(name=parcel.name, storage=parcel.storage)


def parquet_of(frame: pandas.DataFrame) -> bytes:
    """The rows of a frame as a Parquet file. Raises OptionError without pyarrow."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        message = "Parquet needs the pyarrow package"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[parquet]'")) from None
    data = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pandas(frame, preserve_index=False), data)
    return data.getvalue()
