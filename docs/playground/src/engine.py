"""The engine in the worker: one function from a request to an answer, both JSON texts."""

import json
import sys

sys.path.insert(0, SITE)  # noqa: F821 (set by worker.js)

from costcalc import limits
from costcalc.analysis.page.live import Engine

_limits = dict(LIMITS)  # noqa: F821
_engine = Engine()


def answer(text: str) -> str:
    """Answer a request, or read a mounted file."""
    request = json.loads(text)
    with limits.raised(**_limits):
        if "hold" in request:
            found = _engine.hold(request["hold"], request["name"], request["path"])
        else:
            found = _engine.answer(request)
    return json.dumps(found, allow_nan=False)
