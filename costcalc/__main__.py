"""The program: `costcalc`, or `python -I -m costcalc`."""

import os


def main() -> None:
    """Run the program and exit. Ctrl-C ends it in silence, even while it still loads."""
    try:
        from .cli import main as run

        run()
    except KeyboardInterrupt:
        os._exit(130)


if __name__ == "__main__":
    main()
