"""Limits on input. Specs are untrusted; each limit bounds time or memory.

Those of RAISABLE can be raised for one run of the program: COSTCALC_LIMITS="layers=1000000 nesting=100". They hold for
what runs inside `raised`, and nothing else sees them: two callers in one process never share a limit. The others are
those of the arithmetic itself. `limits.LAYERS` is the limit as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

DIGITS = 18
SIZE = 2**40
EXPONENT = 64
RANK = 8
TOTAL = 2**62  # past it 64-bit arithmetic would wrap
FOLDED = 4_096  # elements of a constant whose values are followed
OPEN_AXES = 1_000  # of the inputs of a graph
UNROLLED = 10_000  # runs of the bodies of loops whose shapes change

FILE_BYTES: int
VALUES: int
KEYS: int
ENTRIES: int
INCLUDES: int
INCLUDE_DEPTH: int
NESTING: int
BLOCK_DEPTH: int
EXPRESSION_CHARS: int
EXPRESSION_DEPTH: int
EXPRESSION_STEPS: int
LAYERS: int
DIFFERENT: int
COMPARED: int
NODES: int
WRITTEN: int
SECONDS: int
RUN_SECONDS: int
GRAPH_FILE_BYTES: int
GRAPH_BYTES: int
GRAPH_FIELDS: int

RAISABLE = {  # what a limit is on, and what it is unless it is raised
    "FILE_BYTES": ("bytes of a spec, and of all that it includes", 16_000_000),
    "VALUES": ("values in one file", 550_000),
    "KEYS": ("keys of one map", 100_000),
    "ENTRIES": ("variables, functions, inputs or blocks of one spec", 2_000),
    "INCLUDES": ("specs that one spec includes", 200),
    "INCLUDE_DEPTH": ("specs inside specs", 10),
    "NESTING": ("lists and maps inside each other, and layers, those of blocks counted", 60),
    "BLOCK_DEPTH": ("blocks inside blocks", 40),
    "EXPRESSION_CHARS": ("characters of one expression", 1_000),
    "EXPRESSION_DEPTH": ("levels of one expression, those of functions counted", 60),
    "EXPRESSION_STEPS": ("operations of one expression, those of functions counted", 1_000),
    "LAYERS": ("layers after repeats and blocks are expanded", 100_000),
    "DIFFERENT": ("layers of one network that no other is like", 40_000),
    "COMPARED": ("layers of all designs of one comparison together, and of each side of a check", 50_000),
    "NODES": ("nodes of an ONNX graph, or layers of a Keras configuration", 50_000),
    "WRITTEN": ("layers or operators of a network that is exported or imported", 15_000),
    "SECONDS": ("of processor time to read one network, and to walk through it", 60),
    "RUN_SECONDS": ("of processor time for one command", 600),
    "GRAPH_FILE_BYTES": ("bytes of an ONNX file with its weights", 2**31),  # weights are skipped: where protobuf ends
    "GRAPH_BYTES": ("bytes of an ONNX file without its weights", 32_000_000),
    "GRAPH_FIELDS": ("parts of an ONNX file that are looked at", 2_000_000),
}
FIXED = {
    "DIGITS": ("digits of one number", DIGITS),
    "SIZE": ("of one dimension, kernel or width", SIZE),
    "EXPONENT": ("of a power", EXPONENT),
    "RANK": ("dimensions of a tensor", RANK),
    "TOTAL": ("of any total", TOTAL),
}
_DEFAULTS = {name: number for name, (_, number) in RAISABLE.items()}
_now: ContextVar[Mapping[str, int]] = ContextVar("limits", default=_DEFAULTS)


def __getattr__(name: str) -> int:
    try:
        return _now.get()[name]
    except KeyError:
        raise AttributeError(f"there is no limit {name}") from None


def hint(name: str, help: str | None = None) -> str:
    """The help for an error about a limit: how to stay below it, if there is something to say, and how to raise it."""
    raising = f"COSTCALC_LIMITS={name.lower()}=N in the environment raises this limit"
    return f"{help}; {raising}" if help else raising


def value(name: str) -> int:
    """What a limit is now, by its name in any case."""
    return FIXED[name.upper()][1] if name.upper() in FIXED else __getattr__(name.upper())


def changed() -> dict[str, int]:
    """The limits that are not at their defaults now, for `raised` in another process."""
    return {name: number for name, number in _now.get().items() if number != _DEFAULTS[name]}


@contextmanager
def raised(**numbers: int) -> Iterator[None]:
    """Have some of RAISABLE at other values inside, by their names in any case. KeyError where there is none."""
    given = {name.upper(): number for name, number in numbers.items()}
    for name in given:
        if name not in RAISABLE:
            raise KeyError(name)
    token = _now.set({**_now.get(), **given})
    try:
        yield
    finally:
        _now.reset(token)
