"""Limits on input. Specs are untrusted; each limit bounds time or memory.

The limits in RAISABLE can be raised for one run of the program: COSTCALC_LIMITS="layers=1000000 nesting=100". `raised`
changes them for the code inside its block only, so callers in one process do not affect each other. The FIXED limits
come from the arithmetic. `limits.LAYERS` is the current value of a limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

DIGITS = 18
SIZE = 2**40
EXPONENT = 64
RANK = 8
TOTAL = 2**62  # above it, 64-bit arithmetic could overflow
FOLDED = 4_096  # elements of a constant whose values are tracked
OPEN_AXES = 1_000  # open axes of the inputs of a graph
UNROLLED = 10_000  # iterations of loops whose shapes change

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

RAISABLE = {  # name -> (what it limits, default)
    "FILE_BYTES": ("bytes of a spec, including the specs it includes", 16_000_000),
    "VALUES": ("values in one file", 550_000),
    "KEYS": ("keys of one map", 100_000),
    "ENTRIES": ("variables, functions, inputs or blocks of one spec", 2_000),
    "INCLUDES": ("specs that one spec includes", 200),
    "INCLUDE_DEPTH": ("specs inside specs", 10),
    "NESTING": ("nesting depth of lists and maps, and of layers including those of blocks", 60),
    "BLOCK_DEPTH": ("blocks inside blocks", 40),
    "EXPRESSION_CHARS": ("characters of one expression", 1_000),
    "EXPRESSION_DEPTH": ("levels of one expression, including those of functions", 60),
    "EXPRESSION_STEPS": ("operations of one expression, including those of functions", 1_000),
    "LAYERS": ("layers after repeats and blocks are expanded", 100_000),
    "DIFFERENT": ("distinct layers of one network", 40_000),
    "COMPARED": ("layers of all designs of a comparison, or of each side of a check", 50_000),
    "NODES": ("nodes of an ONNX graph, or layers of a Keras configuration", 50_000),
    "WRITTEN": ("layers or operators of an exported or imported network", 15_000),
    "SECONDS": ("seconds of processor time to read one network, and to evaluate it", 60),
    "RUN_SECONDS": ("seconds of processor time for one command", 600),
    "GRAPH_FILE_BYTES": ("bytes of an ONNX file with its weights", 2**31),  # protobuf's own limit; weights are skipped
    "GRAPH_BYTES": ("bytes of an ONNX file without its weights", 32_000_000),
    "GRAPH_FIELDS": ("fields parsed in an ONNX file", 2_000_000),
}
FIXED = {
    "DIGITS": ("digits of one number", DIGITS),
    "SIZE": ("size of one dimension, kernel or width", SIZE),
    "EXPONENT": ("exponent of a power", EXPONENT),
    "RANK": ("dimensions of a tensor", RANK),
    "TOTAL": ("value of any total", TOTAL),
}
_DEFAULTS = {name: number for name, (_, number) in RAISABLE.items()}
_now: ContextVar[Mapping[str, int]] = ContextVar("limits", default=_DEFAULTS)


def __getattr__(name: str) -> int:
    try:
        return _now.get()[name]
    except KeyError:
        raise AttributeError(f"there is no limit {name}") from None


def hint(name: str, help: str | None = None) -> str:
    """The help for an error about a limit: how to stay below it, if `help` is given, and how to raise it."""
    raising = f"COSTCALC_LIMITS={name.lower()}=N in the environment raises this limit"
    return f"{help}; {raising}" if help else raising


def value(name: str) -> int:
    """The current value of a limit, by its name in any case."""
    return FIXED[name.upper()][1] if name.upper() in FIXED else __getattr__(name.upper())


def changed() -> dict[str, int]:
    """The limits that differ from their defaults, for `raised` in another process."""
    return {name: number for name, number in _now.get().items() if number != _DEFAULTS[name]}


@contextmanager
def raised(**numbers: int) -> Iterator[None]:
    """Change limits of RAISABLE inside the block, by their names in any case. Raises KeyError for other names."""
    given = {name.upper(): number for name, number in numbers.items()}
    for name in given:
        if name not in RAISABLE:
            raise KeyError(name)
    token = _now.set({**_now.get(), **given})
    try:
        yield
    finally:
        _now.reset(token)
