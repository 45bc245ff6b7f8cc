"""What the symbols of a working stand for."""

from __future__ import annotations

import re
from string import ascii_letters
from typing import TYPE_CHECKING

from .working import worked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model.rows import Row


_SYMBOLS = {  # those of the MobileNet paper (arXiv:1704.04861, section 3.1) first
    "DK": "side of the kernel",
    **dict.fromkeys(("KD", "KH", "KW"), "sides of the kernel"),
    "M": "channels in",
    "N": "channels out",
    "m": "filters a channel",
    "g": "groups",
    "DF": "side of the output grid",
    **dict.fromkeys(("D", "H", "W"), "sides of the grid"),
    "T": "tokens or positions",
    "C": "channels",
    "B": "windows",
    "n": "sizes of the parameter",
}
_OF = {  # operations that mean something else by a symbol
    "conv_transpose": {"DF": "side of the input grid"},
    "matmul": {"B": "products", "R": "rows", "K": "columns of the first, rows of the second", "C": "columns"},
    "attend": {
        "Q": "queries",
        "K": "keys",
        "C": "width of a query",
        "V": "width of a value",
        "P": "pairs of query and key, the masked ones too",
    },
    "einsum": dict.fromkeys(ascii_letters, "axes of the equation"),
    "embedding": {"V": "words", "N": "width of one"},
}


def legend(rows: Sequence[Row]) -> str:
    """`DK: side of the kernel; M: channels in; ..` for the symbols in the workings of rows; empty if there are none."""
    found: dict = {}
    for row in rows:
        known = {**_SYMBOLS, **_OF.get(row.op.name, {})}
        for working in filter(None, worked(row)):
            for symbol in re.findall(r"[A-Za-z]+", working.symbols) if working.value else ():
                if symbol in known:
                    found.setdefault(symbol, {})[known[symbol]] = None
    meanings: dict = {}
    for symbol, said in found.items():
        meanings.setdefault(" or ".join(said), []).append(symbol)
    return "; ".join(f"{', '.join(symbols)}: {meaning}" for meaning, symbols in meanings.items())
