"""Garbage collection while large trees grow."""

import gc
from contextlib import contextmanager


@contextmanager
def uncollected():
    """No garbage collection inside: nothing of a growing tree is garbage, and looking makes growth quadratic."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
