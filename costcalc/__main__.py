"""The program: `costcalc`, or `python -I -m costcalc`.

Until `main` has begun, Ctrl-C is Python's: it may print a traceback of the interpreter that starts. From then on the
program ends with exit code 130 and prints nothing. So only what is built in is imported first.
"""

import _signal  # what `signal` is made of, without the time that enumerations take
import gc
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Run the program and exit. Ctrl-C ends it in silence, even while it still loads, and when it has ended."""
    gc.set_threshold(100_000)  # a short run: most objects live to its end, and looking for garbage costs more
    heard = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
    if heard:  # an exception could be swallowed, or told of, by whatever is being imported
        _signal.signal(_signal.SIGINT, _leave)
    from .cli import main as run

    try:
        if heard:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        os._exit(130)
    finally:
        if heard:
            _signal.signal(_signal.SIGINT, _leave)


def _leave(number: int, frame: "FrameType | None") -> None:
    os._exit(130)


if __name__ == "__main__":
    main()
