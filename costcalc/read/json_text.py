"""The value of an untrusted JSON text: exactly what RFC 8259 allows."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # half of a character, where its other half is missing


def value(text: str) -> Any:
    """The value of a text. Raises ValueError, also for what Python reads beyond JSON, and RecursionError."""
    found = json.loads(text, parse_constant=_refuse, parse_float=_number)
    if _HALF.search(text):
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("an escape in it is not a character") from None
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _number(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"{text[:20]} is too large for a number")
    return found
