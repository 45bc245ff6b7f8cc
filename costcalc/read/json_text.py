"""Parse untrusted JSON text, strictly as RFC 8259 defines it."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # a surrogate without its pair


def value(text: str) -> Any:
    """Parse a text. Raises RecursionError, or ValueError, which includes Python's extensions of JSON."""
    found = json.loads(text, parse_constant=_refuse, parse_float=_number)
    if _HALF.search(text):
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("it has an invalid Unicode escape") from None
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _number(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"{text[:20]} is too large for a number")
    return found
