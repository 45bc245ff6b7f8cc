"""Frames as the bytes of Parquet files, the same for the same rows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ...errors import OptionError, Problem

if TYPE_CHECKING:
    import pandas


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
