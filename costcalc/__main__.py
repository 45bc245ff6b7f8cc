"""The program: `costcalc`, or `python -I -m costcalc`."""

import os
import signal
from types import FrameType


def main() -> None:
    """Run the program and exit. Ctrl-C ends it in silence, even while it still loads."""
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heard:  # an exception could be swallowed, or told of, by whatever is being imported
        signal.signal(signal.SIGINT, _leave)
    from .cli import main as run

    if heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    except KeyboardInterrupt:
        os._exit(130)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(130)


if __name__ == "__main__":
    main()
