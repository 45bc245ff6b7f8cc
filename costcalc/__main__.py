"""The program: `costcalc`, or `python -I -m costcalc`.

Until `main` starts, Python handles Ctrl-C and may print a traceback. From then on, Ctrl-C ends the program with exit
code 130 and prints nothing. To keep that first phase short, this module imports built-in modules only.
"""

import _signal  # the C module behind `signal`, without the cost of its enums
import gc
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Run the program and exit. Ctrl-C ends it silently, also during import and at interpreter shutdown."""
    gc.set_threshold(100_000)  # a short run: most objects live to the end, and collecting costs more than it frees
    heard = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
    if heard:  # the module being imported could swallow or print a KeyboardInterrupt
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
